# What is no limit stays a failure. One recipient refused as too many, though alone, bounces with the
# server's words; over quota and an unknown user bounce at once, as ever.
. "$E2E_TOOLS/limits.sh"
e2e_host odd.test 127.0.0.2 reply rcpt '"552 5.5.3 Too many recipients for you"'
e2e_host full.test 127.0.0.3 reply rcpt '"552 5.2.2 Mailbox is over quota"'
e2e_start_postfix
e2e_postern < /dev/null
e2e_send "$E2E_SENDER" full@full.test > /dev/null
e2e_wait_for 5 e2e_has_ndr full@full.test
e2e_send "$E2E_SENDER" lone@odd.test > /dev/null
e2e_wait_for 30 e2e_has_ndr lone@odd.test
e2e_ndr_says lone@odd.test 'although it was the only one' 'Too many recipients for you'
