# Postfix is stopped and started in the middle of an outage: the count goes on, and the NDR comes.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 4; open_interval = 3; }
);
CONF

sent=$(e2e_now)
id=$(e2e_send "$E2E_SENDER" someone@partner.test)
e2e_wait_for 10 e2e_status "$id" someone@partner.test 'status=deferred'
sleep 4
e2e_stop_postfix
e2e_start_postfix
e2e_wait_for 20 e2e_has_ndr someone@partner.test
e2e_between "ms until the NDR" 9000 18000 $(($(e2e_now) - sent))
e2e_ndr_says someone@partner.test 'Status: 5\.4\.7' partner
e2e_wait_for 5 e2e_not_queued "$id"
