# The remote hosts of these tests: answers inside a session, and what is kept of the mail taken.
answers() {
    e2e_talk "$1" 5 'EHLO me' 'MAIL FROM:<s@sender.test>' 'RCPT TO:<a@x.test>' \
        'RCPT TO:<bad1@x.test>' DATA $'Subject: x\n\n..dots\n.' QUIT | cut -c1-3 | tr '\n' ' '
}

# label; behaviour; the codes of the answers above
while IFS=';' read -r label behaviour expected; do
    sandbox_host 127.0.0.2 $behaviour
    e2e_equal "$label" "$expected " "$(answers 127.0.0.2)"
done <<'TABLE'
accept;accept;220 250 250 250 250 354 250 221
EHLO 4xx;reply ehlo "450 later";220 450 250 250 250 354 250 221
MAIL 4xx;reply mail "451 4.3.0 later";220 250 451 503 503 554 502 502
RCPT 4xx;reply rcpt "450 4.2.0 later";220 250 250 450 450 554 502 502
RCPT by pattern;rcpt BAD*@x.test "550 5.1.1 unknown";220 250 250 250 550 354 250 221
DATA 4xx;reply data "451 4.3.0 later";220 250 250 250 250 451 502 502
end of data 4xx;reply dot "452 4.3.1 full";220 250 250 250 250 354 452 221
452 after N;most rcpt 1 "452 4.5.3 Error: too many recipients";220 250 250 250 452 354 250 221
552 after N;most rcpt 1 "552 Too many recipients";220 250 250 250 552 354 250 221
N reached, end of data;most dot 2 "554 5.5.3 too many";220 250 250 250 250 354 250 221
more than N, end of data;most dot 1 "554 5.5.3 too many";220 250 250 250 250 354 554 221
more than N, DATA;most data 1 "554 Recipient count exceeds 1.";220 250 250 250 250 554 502 502
drop at EHLO;drop ehlo;220 clo
drop at MAIL;drop mail;220 250 clo
drop at RCPT;drop rcpt;220 250 250 clo
drop at DATA;drop data;220 250 250 250 250 clo
drop at the end of data;drop dot;220 250 250 250 250 354 clo
421 at RCPT closes;reply rcpt "421 4.3.2 shutting down";220 250 250 421 clo
TABLE

# Only accepted mail is kept: its envelope and its text, dots and all.
sandbox_host 127.0.0.3 accept
e2e_equal pipelining "220 250 250 250 354 250 221 " "$(e2e_talk 127.0.0.3 5 'EHLO me' \
    $'MAIL FROM:<> BODY=8BITMIME\nRCPT TO:<a@x.test> NOTIFY=NEVER\nDATA' $'T: x\n\n..dots\n.' QUIT |
    cut -c1-3 | tr '\n' ' ')"
e2e_assert e2e_delivered 127.0.0.3 a@x.test
e2e_refute e2e_delivered 127.0.0.3 bad1@x.test
e2e_refute e2e_delivered 127.0.0.4 a@x.test
file=$(sed -nE 's/^.* 127\.0\.0\.3 [0-9]+ message file=([^ ]+) .*$/\1/p' "$E2E_DIR/smtphost.log")
e2e_equal "what was kept" $'host=127.0.0.3\nfrom=<>\nto=<a@x.test>\n\nT: x\n\n.dots' \
    "$(grep -v '^time=' "$file")"

# A tarpit: every answer after the greeting is late.
sandbox_host 127.0.0.5 tarpit 0.4
before=$(e2e_now)
e2e_equal tarpit "220 250 250 250 250 354 250 221 " "$(answers 127.0.0.5)"
e2e_between "seven slow answers" 2700 4500 $(($(e2e_now) - before))
