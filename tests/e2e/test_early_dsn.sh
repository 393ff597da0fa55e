# What the sender asked for is honoured: NOTIFY, RET, ENVID, ORCPT; and addresses in UTF-8.
. "$E2E_TOOLS/early.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad*' '"550 5.7.1 no"'
e2e_host slow.test 127.0.0.3 silent
e2e_start_postfix "${early_postfix[@]}" smtp_helo_timeout=20
early_postern << 'CONF'
early_ndr = { after = 1; };
CONF
check=$E2E_TOOLS/../unit/check_dsn.py
# mail PARAMETERS RCPT...: one message to those and to a host that says nothing.
mail() {
    local parameters=$1 rcpt commands=()
    shift
    for rcpt; do
        commands+=("RCPT TO:$rcpt")
    done
    e2e_talk 127.0.0.1 10 'EHLO client.test' "MAIL FROM:<$E2E_SENDER>$parameters" "${commands[@]}" \
        'RCPT TO:<someone@slow.test>' DATA \
        $'Subject: asked for\nX-Folded: one\n two\n\nThe body of it\n.' QUIT |
        sed -nE 's/^250 .* queued as ([0-9A-Za-z]+)$/\1/p'
}

full=$(mail ' RET=FULL ENVID=QQ+2B314' '<bad-full@good.test> ORCPT=rfc822;Orig+40there.test NOTIFY=FAILURE,DELAY')
headers=$(mail ' RET=HDRS' '<bad-headers@good.test>')
never=$(mail '' '<bad-never@good.test> NOTIFY=NEVER' '<bad-success@good.test> NOTIFY=SUCCESS' \
    '<bad-plain@good.test>')
utf8=$(mail ' SMTPUTF8' '<größe@good.test>')
for message in "$full" "$headers" "$never" "$utf8"; do
    [ -n "$message" ] || e2e_fail "a message was not taken"
done

e2e_wait_for 10 early_told bad-full@good.test
file=$(early_reports bad-full@good.test)
e2e_assert python3 "$check" --id QQ+314 --recipient bad-full@good.test < "$file"
e2e_assert grep -q '^Original-Recipient: rfc822; *Orig@there.test' "$file"
e2e_assert grep -q '^The body of it' "$file"
e2e_assert grep -q '^Content-Type: message/rfc822' "$file"

e2e_wait_for 10 early_told bad-headers@good.test
file=$(early_reports bad-headers@good.test)
e2e_assert python3 "$check" --recipient bad-headers@good.test < "$file"
e2e_refute grep -q '^The body of it' "$file"
e2e_assert grep -q '^Content-Type: text/rfc822-headers' "$file"
e2e_assert grep -A1 '^X-Folded: one' "$file"
e2e_assert grep -q '^Subject: asked for' "$file"

e2e_wait_for 10 early_told bad-plain@good.test
e2e_assert python3 "$check" < "$(early_reports bad-plain@good.test)"

# smtphost does not offer SMTPUTF8, so Postfix itself returns this one.
utf8_report() {
    grep -lr -- 'Final-Recipient: utf-8; *größe@good.test' /var/mail/sender/new
}
e2e_wait_for 10 utf8_report
e2e_assert python3 "$check" < "$(utf8_report | head -n 1)"
e2e_assert grep -q '^Content-Type: message/global-delivery-status' "$(utf8_report | head -n 1)"

# Nothing for those who asked for nothing; and each of the others once, when all is over.
e2e_wait_for 40 eval '[ "$(early_milter_says "discard of=" | wc -l)" -ge 4 ]'
sleep 1
early_assert_once bad-full@good.test bad-headers@good.test bad-plain@good.test
e2e_equal "of größe" 1 "$(utf8_report | wc -l)"
for recipient in bad-never@good.test bad-success@good.test; do
    e2e_equal "reports about $recipient" 0 "$(early_count "$recipient")"
done
