# lanes = "proven": behind 200 hosts that say nothing, mail to a proven destination is not held up
# at all, and mail to a new, healthy one little. Stock Postfix lets both wait for minutes.
. "$E2E_TOOLS/silent.sh"
silent_hosts 200
e2e_host proven.test 127.0.0.2 accept
e2e_host new.test 127.0.0.3 accept
e2e_start_postfix
e2e_postern << 'CONF'
lanes = "proven";
CONF
e2e_equal "default_transport" postern-probation "$(postconf -h default_transport)"
id=$(e2e_send "$E2E_SENDER" first@proven.test)
e2e_wait_for 20 e2e_delivered 127.0.0.2 first@proven.test
e2e_assert e2e_log_line "postern-probation/smtp\[[0-9]+\]: $id: to=<first@proven.test>"
e2e_wait_for 20 eval '[ "$(postmap -q proven.test "lmdb:$E2E_DIR/postern/state/tables/transport")" = smtp: ]'

silent_mail 200
e2e_wait_for 60 silent_busy 200
id=$(e2e_send "$E2E_SENDER" second@proven.test)
e2e_wait_for 20 e2e_delivered 127.0.0.2 second@proven.test
e2e_wait_for 5 e2e_status "$id" second@proven.test status=sent
e2e_between "ms until it was delivered" 0 500 "$(silent_delay "$id" second@proven.test)"
e2e_assert e2e_log_line "postfix/smtp\[[0-9]+\]: $id: to=<second@proven.test>"
new=$(e2e_send "$E2E_SENDER" first@new.test)
e2e_wait_for 40 e2e_delivered 127.0.0.3 first@new.test
e2e_wait_for 5 e2e_status "$new" first@new.test status=sent
e2e_between "ms until the new one was reached" 0 35000 "$(silent_delay "$new" first@new.test)"
e2e_equal "silent hosts that gave up their connection" 0 \
    "$(grep -Ec '^[0-9.]+ 127\.0\.[1-9][0-9]*\.[0-9]+ [0-9]+ close' "$E2E_DIR/smtphost.log" || true)"

# Without posternd all goes through the one pool, as stock Postfix does.
e2e_kill_posternd
id=$(e2e_send "$E2E_SENDER" third@proven.test)
e2e_wait_for 60 e2e_delivered 127.0.0.2 third@proven.test
