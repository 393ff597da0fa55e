# posternctl replay reads what a real Postfix logged and says what Postern would have done: a dead
# host with several domains as one outage, an NDR that waited for a slow recipient, and a bad address
# that more mail goes to. It needs nothing but the log.
sandbox_host 127.0.0.2 refuse
sandbox_dns host-record=mx.big.test,127.0.0.2
for domain in a b c d; do
    sandbox_dns "mx-host=$domain.test,mx.big.test,10"
done
e2e_host good.test 127.0.0.3 rcpt 'nobody@*' '"550 5.1.1 User unknown"'
e2e_host slow.test 127.0.0.4 silent
e2e_start_postfix minimal_backoff_time=2s maximal_backoff_time=2s queue_run_delay=1s \
    smtp_helo_timeout=4s
e2e_config << 'CONF'
retry = { open_interval = 2; };
unproven = { max_open_retries = 0; };
early_ndr = { after = 1; };
CONF

for domain in a b c d; do
    e2e_send "$E2E_SENDER" "user@$domain.test" > /dev/null
done
late=$(e2e_send "$E2E_SENDER" nobody@good.test user@slow.test)
e2e_wait_for 30 e2e_has_ndr nobody@good.test
again=$(e2e_send "$E2E_SENDER" nobody@good.test)
e2e_wait_for 20 e2e_status "$again" nobody@good.test 'status=bounced'
failed() {
    [ "$(e2e_log_line "to=<user@$1\.test>, .*status=deferred" | wc -l)" -ge "$2" ]
}
for domain in a b c d; do
    e2e_wait_for 30 failed "$domain" 3
done
sandbox_host 127.0.0.2 accept
for domain in a b c d; do
    e2e_wait_for 30 e2e_log_line "to=<user@$domain\.test>, .*status=sent"
done

report() {
    sandbox_posternctl replay --log /var/log/mail.log "$@"
}
report > "$E2E_DIR/report"
cat "$E2E_DIR/report" > "$E2E_DIR/posternd.log" # shown when the test fails
e2e_assert grep -Eq '^mx\.big\.test \(4 domains\) ' "$E2E_DIR/report"
e2e_assert grep -q '^    a\.test, b\.test, c\.test, d\.test$' "$E2E_DIR/report"
e2e_assert grep -q '^1 message to 1 address would have been refused at once' "$E2E_DIR/report"
e2e_assert grep -qx "    $late nobody@good.test" "$E2E_DIR/report"

# In JSON, and on a page.
report --json > "$E2E_DIR/report.json"
e2e_assert grep -q '"addresses": 1,' "$E2E_DIR/report.json"
e2e_assert grep -q '"mx.big.test"' "$E2E_DIR/report.json"
report --html > "$E2E_DIR/report.html"
e2e_assert grep -q '<td>mx\.big\.test (4 domains)' "$E2E_DIR/report.html"

# The same again as another server's log, with the same queue ids: one outage, seen by both.
name=$(postconf -h myhostname)
sed -E "s/ ($name|${name%%.*}) postfix/ twin postfix/" /var/log/mail.log > "$E2E_DIR/twin.log"
e2e_assert grep -q ' twin postfix' "$E2E_DIR/twin.log"
report "$E2E_DIR/twin.log" > "$E2E_DIR/both"
e2e_equal "outages of two servers" 1 "$(grep -c '(4 domains)' "$E2E_DIR/both")"
e2e_assert grep -Eq 'Seen by .*twin' "$E2E_DIR/both"
e2e_assert grep -q '^2 messages to 1 address would have been refused at once' "$E2E_DIR/both"
