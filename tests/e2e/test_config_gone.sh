# posternd killed, and its configuration unreadable afterwards: held mail has to leave all the same.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix minimal_backoff_time=5s maximal_backoff_time=5s queue_run_delay=2s
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 100; open_interval = 3; }
);
CONF
e2e_send "$E2E_SENDER" first@partner.test > /dev/null
e2e_wait_for 10 e2e_posternd_says 'partner: hold '
id=$(e2e_send "$E2E_SENDER" second@partner.test)
e2e_wait_for 5 e2e_status "$id" second@partner.test "relay=postern-hold, .*status=deferred"
e2e_kill_posternd
echo 'retry = { max_open_retires = 3; };' >> "$E2E_DIR/postern.conf"
sandbox_host 127.0.0.2 accept
e2e_wait_for 40 e2e_delivered 127.0.0.2 first@partner.test
