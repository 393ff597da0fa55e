# A destination that suddenly answers 5.1.1 to most of its recipients is ill: nothing is learned.
. "$E2E_TOOLS/early.sh"
e2e_host ill.test 127.0.0.2 rcpt 'r*' '"550 5.1.1 The email account that you tried to reach does not exist"'
e2e_host well.test 127.0.0.3 rcpt 'bad@*' '"550 5.1.1 User unknown"'
e2e_start_postfix "${early_postfix[@]}"
early_postern << 'CONF'
early_ndr = { guard = { sample = 20; ratio = 0.5; window = 600; }; };
CONF
e2e_send "$E2E_SENDER" bad@well.test > /dev/null
e2e_send "$E2E_SENDER" $(seq -f 'r%g@ill.test' 1 60) > /dev/null
e2e_wait_for 20 e2e_posternd_says 'ill\.test: guard rejected=20 of=20 forgotten=[0-9]+:'
e2e_wait_for 20 early_told r60@ill.test
e2e_wait_for 10 early_knows bad@well.test
e2e_equal "learned" bad@well.test "$(sandbox_posternctl recipients --json |
    sed -n 's/^ *"address": "\(.*\)",*$/\1/p')"
e2e_assert grep -q '^ill.test: nothing is learned since .*: it rejected' \
    <(sandbox_posternctl recipients)
e2e_assert grep -q 'NOTHING IS LEARNED from 1 destination' <(sandbox_posternctl status)
e2e_equal "at the door" "250 2.1.5 Ok" "$(e2e_talk 127.0.0.1 10 'EHLO client.test' \
    "MAIL FROM:<$E2E_SENDER>" 'RCPT TO:<r1@ill.test>' QUIT | sed -n 4p)"
