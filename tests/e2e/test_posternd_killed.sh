# posternd is killed -9 between two attempts and comes back: no attempt is lost, none counted twice.
e2e_host partner.test 127.0.0.2 reply connect '"421 4.3.2 Service not available"'
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 4; open_interval = 3; }
);
CONF

sent=$(e2e_now)
e2e_send "$E2E_SENDER" someone@partner.test > /dev/null
e2e_wait_for 10 e2e_had_events 2 127.0.0.2 connect
e2e_kill_posternd
sleep 1
e2e_start_posternd
e2e_wait_for 10 e2e_had_events 3 127.0.0.2 connect
e2e_kill_posternd
e2e_start_posternd
e2e_wait_for 20 e2e_has_ndr someone@partner.test
e2e_between "ms until the NDR" 9000 16000 $(($(e2e_now) - sent))
e2e_equal "connections" 4 "$(e2e_count_events 127.0.0.2 connect)"
e2e_ndr_says someone@partner.test '(^|[^0-9])4 (attempts|retries|times|tries)'
