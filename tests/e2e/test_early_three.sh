# Three bad addresses, one of which bounces after the early report went out: each is reported once.
# Postfix's own report is reduced to the one that is left.
. "$E2E_TOOLS/early.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad*' '"550 5.1.1 User unknown in virtual mailbox table"'
e2e_host late.test 127.0.0.3 delay 16 rcpt 'bad*' '"550 5.1.1 No such user here"'
e2e_host slow.test 127.0.0.4 silent
e2e_start_postfix "${early_postfix[@]}" smtp_helo_timeout=20
early_postern << 'CONF'
early_ndr = { after = 5; };
CONF

sent=$(e2e_now)
id=$(e2e_send "$E2E_SENDER" bad1@good.test bad2@good.test bad3@late.test someone@slow.test)
e2e_wait_for 10 early_told bad1@good.test
e2e_between "ms until the report" 5000 7000 $(($(e2e_now) - sent))
e2e_equal "one report for both" "$(early_reports bad1@good.test)" "$(early_reports bad2@good.test)"
e2e_equal "the third is not in it" 0 "$(early_count bad3@late.test)"
e2e_assert early_is bad1@good.test

e2e_wait_for 30 early_milter_says "reduce of=$id reported=2 left=1"
e2e_wait_for 10 early_told bad3@late.test
e2e_refute early_is bad3@late.test
e2e_never 3 [ "$(early_count bad1@good.test)$(early_count bad2@good.test)" != 11 ]
early_assert_once bad1@good.test bad2@good.test bad3@late.test
e2e_equal "reports in all" 2 "$(ls /var/mail/sender/new | wc -l)"

# Independent eyes: both are what RFC 3464 wants, and Postfix's is still whole.
check=$E2E_TOOLS/../unit/check_dsn.py
python3 "$check" --recipient bad1@good.test --recipient bad2@good.test \
    < "$(early_reports bad1@good.test)" > "$E2E_DIR/check.out" || e2e_fail "$(cat "$E2E_DIR/check.out")"
python3 "$check" --recipient bad3@late.test < "$(early_reports bad3@late.test)" \
    > "$E2E_DIR/check.out" || e2e_fail "$(cat "$E2E_DIR/check.out")"
e2e_refute grep -q 'good\.test>' <(sed '/^Content-Type: message\/rfc822/,$d' \
    "$(early_reports bad3@late.test)")
e2e_assert grep -q 'Good morning,' "$(early_reports bad3@late.test)"
