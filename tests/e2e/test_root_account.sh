# user = "": posternd stays root, and the gate runs as nobody because pipe(8) refuses root. It can read
# the state all the same, and it can withdraw the routes when posternd is gone.
e2e_host partner.test 127.0.0.2 refuse
e2e_host gone.test 127.0.0.3 refuse
e2e_start_postfix minimal_backoff_time=5s maximal_backoff_time=5s queue_run_delay=2s
sandbox_user=
e2e_postern <<'CONF'

destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 100; open_interval = 3; },
  { name = "gone"; domains = ("gone.test"); max_open_retries = 2; open_interval = 2; }
);
CONF

e2e_send "$E2E_SENDER" lost@gone.test > /dev/null
e2e_wait_for 20 e2e_has_ndr lost@gone.test
e2e_send "$E2E_SENDER" first@partner.test > /dev/null
e2e_wait_for 10 e2e_posternd_says 'partner: hold '
id=$(e2e_send "$E2E_SENDER" second@partner.test)
e2e_wait_for 5 e2e_status "$id" second@partner.test 'relay=postern-hold, .*status=deferred'
e2e_kill_posternd
sandbox_host 127.0.0.2 accept
e2e_wait_for 90 e2e_delivered 127.0.0.2 first@partner.test
e2e_wait_for 90 e2e_delivered 127.0.0.2 second@partner.test
