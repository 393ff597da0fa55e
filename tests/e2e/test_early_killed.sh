# posternd or the milter killed at each point: two reports at worst, never none.
. "$E2E_TOOLS/early.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad*' '"550 5.7.1 no"'
e2e_host slow.test 127.0.0.3 silent
# A sendmail that takes its time when told to.
cat > "$E2E_DIR/sendmail" << 'SCRIPT'
#!/bin/sh
[ ! -e /var/mail/slow ] || sleep 3
exec /usr/sbin/sendmail "$@"
SCRIPT
chmod 755 "$E2E_DIR/sendmail"
e2e_start_postfix "${early_postfix[@]}" smtp_helo_timeout=12 "sendmail_path=$E2E_DIR/sendmail"
early_postern << 'CONF'
early_ndr = { after = 2; };
CONF
# flight N: a message with one bad recipient; its queue id is in `id`.
flight() {
    id=$(e2e_send "$E2E_SENDER" "bad$1@good.test" "someone$1@slow.test")
}
pass_is_over() {
    e2e_log_line " $id: sender non-delivery notification" > /dev/null
}
# at_most N: by now there is a report, and no more than N.
at_most() {
    e2e_wait_for 25 pass_is_over
    e2e_wait_for 10 early_told "bad$2@good.test"
    sleep 2
    e2e_between "reports about bad$2" 1 "$1" "$(early_count "bad$2@good.test")"
}

# 1. posternd, before it would report; it does not come back: Postfix reports.
flight 1
e2e_wait_for 5 e2e_status "$id" bad1@good.test 'status=bounced'
e2e_kill_posternd
at_most 1 1
e2e_start_posternd

# 2. posternd, before it would report, and back at once: reported early, once.
flight 2
e2e_wait_for 5 e2e_status "$id" bad2@good.test 'status=bounced'
e2e_kill_posternd
e2e_start_posternd
at_most 1 2
e2e_assert early_is bad2@good.test

# 3. posternd, while sendmail runs: whether that got through it does not know.
touch /var/mail/slow
flight 3
e2e_wait_for 10 pgrep -f "$E2E_DIR/sendmail" > /dev/null
e2e_kill_posternd
e2e_start_posternd
at_most 2 3
rm /var/mail/slow

# 4. posternd, behind its report and before Postfix's: that passes as it is.
flight 4
e2e_wait_for 10 early_told bad4@good.test
e2e_kill_posternd
at_most 2 4
e2e_start_posternd

# 5. the milter, behind posternd's report.
flight 5
e2e_wait_for 10 early_told bad5@good.test
early_kill_milter
at_most 2 5

# 6. the milter is not there when the message comes: Postfix reports.
flight 6
at_most 1 6
e2e_refute early_is bad6@good.test
early_start_milter

# 7. all is well again.
flight 7
at_most 1 7
e2e_assert early_is bad7@good.test
e2e_assert e2e_log_line 'milter-discard: END-OF-MESSAGE'
