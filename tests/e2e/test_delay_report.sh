# warn_after_retries: the sender is told that his mail waits, once, by a report that is not taken for
# a failure; lists and those who asked for none are not told.
. "$E2E_TOOLS/early.sh"
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix "${early_postfix[@]}"
early_postern << 'CONF'
destinations = ( { name = "partner"; domains = ("partner.test"); open_interval = 3;
  max_open_retries = 100; warn_after_retries = 2; } );
CONF
# delayed RECIPIENT: the reports that tell of its delay.
delayed() {
    local file
    for file in $(early_reports "$1"); do
        ! grep -q '^Action: delayed' "$file" || echo "$file"
    done
}
told() {
    [ -n "$(delayed "$1")" ]
}
sent=$(e2e_now)
id=$(e2e_send "$E2E_SENDER" a@partner.test b@partner.test)
e2e_talk 127.0.0.1 10 'EHLO c.test' "MAIL FROM:<$E2E_SENDER>" 'RCPT TO:<list@partner.test>' DATA \
    $'Subject: news\nList-Id: <news.sender.test>\n\nHello\n.' "MAIL FROM:<$E2E_SENDER>" \
    'RCPT TO:<quiet@partner.test> NOTIFY=FAILURE' DATA $'Subject: quiet\n\nHello\n.' \
    "MAIL FROM:<$E2E_SENDER>" 'RCPT TO:<asks@partner.test> NOTIFY=DELAY' DATA \
    $'Subject: asks\n\nHello\n.' QUIT > /dev/null
e2e_wait_for 20 told a@partner.test
e2e_between "ms until the report" 3000 9000 $(($(e2e_now) - sent))
e2e_wait_for 10 told asks@partner.test
file=$(delayed a@partner.test)
e2e_equal "one report for both" "$file" "$(delayed b@partner.test)"
python3 "$E2E_TOOLS/../unit/check_dsn.py" --recipient a@partner.test --recipient b@partner.test \
    < "$file" > "$E2E_DIR/check.out" || e2e_fail "$(cat "$E2E_DIR/check.out")"
for words in '^Action: delayed' '^Status: 4\.4\.1' '^Will-Retry-Until: ' '^Auto-Submitted: auto-replied' \
    'could not be reached' 'Connection refused' 'Delayed Mail'; do
    e2e_assert grep -q "$words" "$file"
done
e2e_assert e2e_posternd_says "$id: delay-report to=<a@partner.test>"
e2e_never 7 eval '[ "$(delayed a@partner.test | wc -l)" != 1 ]'
for recipient in list@partner.test quiet@partner.test; do
    e2e_refute told "$recipient"
done

# Nobody is told twice by a posternd that was killed.
e2e_kill_posternd
e2e_start_posternd
e2e_never 5 eval '[ "$(delayed a@partner.test | wc -l)" != 1 ]'
e2e_host partner.test 127.0.0.2 accept
e2e_wait_for 20 e2e_delivered 127.0.0.2 a@partner.test
e2e_wait_for 10 e2e_queue_empty
