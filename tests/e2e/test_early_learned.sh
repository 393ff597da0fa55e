# An address that its server said does not exist is refused at RCPT in the next message, with that
# server's words; and taken again when it was forgotten, or delivered to.
. "$E2E_TOOLS/early.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad@*' '"550 5.1.1 <bad@good.test>: Recipient address rejected: 100% unknown"' \
    rcpt 'full@*' '"552 5.2.2 Mailbox full"' rcpt 'policy@*' '"550 5.7.1 User unknown by policy"'
e2e_start_postfix "${early_postfix[@]}"
early_postern < /dev/null

# talk RECIPIENT: what a client hears at RCPT.
talk() {
    e2e_talk 127.0.0.1 10 'EHLO client.test' "MAIL FROM:<$E2E_SENDER>" "RCPT TO:<$1>" QUIT | sed -n 4p
}

e2e_equal "before" "250 2.1.5 Ok" "$(talk bad@good.test)"
e2e_send "$E2E_SENDER" bad@good.test > /dev/null
e2e_send "$E2E_SENDER" full@good.test > /dev/null
e2e_send "$E2E_SENDER" policy@good.test > /dev/null
e2e_wait_for 10 early_knows bad@good.test
e2e_wait_for 10 early_told policy@good.test
said=$(talk bad@good.test)
grep -Eq '^550 5\.1\.1 <bad@good\.test>: mx\.good\.test said on 20[0-9-]+ [0-9:]+ .*: 550 5\.1\.1 <bad@good\.test>: Recipient address rejected: 100% unknown' <<< "$said" ||
    e2e_fail "at RCPT: $said"
# The same mailbox, written in other ways.
for address in bad@GOOD.test '"bad"@good.test' '"b\ad"@Good.Test'; do
    e2e_equal "$address" 550 "$(talk "$address" | cut -c1-3)"
done
for address in full@good.test policy@good.test Bad@good.test fine@good.test; do
    e2e_equal "$address" "250 2.1.5 Ok" "$(talk "$address")"
done
# Others of the same message are not affected, nor is mail from here.
said=$(e2e_talk 127.0.0.1 10 'EHLO client.test' "MAIL FROM:<$E2E_SENDER>" \
    'RCPT TO:<bad@good.test>' 'RCPT TO:<fine@good.test>' DATA $'Subject: x\n\nHello\n.' QUIT)
e2e_equal "the others" 1 "$(grep -c 'queued as' <<< "$said")"
e2e_wait_for 10 e2e_delivered 127.0.0.2 fine@good.test
id=$(e2e_send "$E2E_SENDER" bad@good.test)
e2e_wait_for 10 e2e_status "$id" bad@good.test 'status=bounced'
# posternd has read that, too.
twice() {
    sandbox_posternctl recipients | grep -q '2 times in a row'
}
e2e_wait_for 10 twice
e2e_assert grep -q 'mx.good.test said: 550 5.1.1' <(sandbox_posternctl recipients)
e2e_assert sandbox_posternctl forget recipient '"bad"@Good.test'
e2e_equal "forgotten" "250 2.1.5 Ok" "$(talk bad@good.test)"
e2e_refute early_knows bad@good.test

# Learned again; by now it exists, and mail that got there by sendmail(1) shows it.
e2e_send "$E2E_SENDER" bad@good.test > /dev/null
e2e_wait_for 10 early_knows bad@good.test
e2e_host good.test 127.0.0.2 accept
e2e_send "$E2E_SENDER" bad@good.test > /dev/null
e2e_wait_for 10 e2e_posternd_says 'good-address to=<bad@good.test>'
e2e_equal "delivered to" "250 2.1.5 Ok" "$(talk bad@good.test)"

# When posternd is gone nobody is refused: it could not notice that an address is good by now.
e2e_host good.test 127.0.0.2 rcpt 'bad@*' '"550 5.1.1 User unknown"'
e2e_send "$E2E_SENDER" bad@good.test > /dev/null
e2e_wait_for 10 early_knows bad@good.test
e2e_equal "known again" 550 "$(talk bad@good.test | cut -c1-3)"
e2e_kill_posternd
e2e_wait_for 5 eval '[ "$(talk bad@good.test)" = "250 2.1.5 Ok" ]'
e2e_start_posternd
e2e_wait_for 5 eval '[ "$(talk bad@good.test | cut -c1-3)" = 550 ]'
# Observing, it only says so.
early_kill_milter
sed -i '1i enforce = false;' "$E2E_DIR/postern.conf"
early_start_milter
e2e_equal "observing" "250 2.1.5 Ok" "$(talk bad@good.test)"
e2e_assert early_milter_says 'would-refuse to=<bad@good.test>'
