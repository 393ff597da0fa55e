# The main promise: with 4 retries 3 s apart, mail for a host that refuses bounces 9 to 16 s after
# it was sent, and its NDR says what was tried. Stock Postfix would try for five days.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 4; open_interval = 3; }
);
CONF

sent=$(e2e_now)
id=$(e2e_send "$E2E_SENDER" someone@partner.test)
e2e_wait_for 20 e2e_has_ndr someone@partner.test
e2e_between "ms until the NDR" 9000 16000 $(($(e2e_now) - sent))
e2e_assert e2e_status "$id" someone@partner.test \
    'relay=postern-expire, .*dsn=5\.4\.7, status=bounced'
e2e_ndr_says someone@partner.test 'Status: 5\.4\.7' 'Action: failed' partner \
    '(^|[^0-9])4 (attempts|retries|times|tries)' 'Connection refused'
e2e_wait_for 5 e2e_not_queued "$id"

# The last word is not the end: the next message starts a count of its own and fares the same.
sent=$(e2e_now)
e2e_send "$E2E_SENDER" another@partner.test > /dev/null
e2e_wait_for 20 e2e_has_ndr another@partner.test
e2e_between "ms until the second NDR" 8000 16000 $(($(e2e_now) - sent))
