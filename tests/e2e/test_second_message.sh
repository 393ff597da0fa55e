# A message that comes later keeps its own count: it is not given up for what failed before it came.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 4; open_interval = 3; }
);
CONF

first=$(e2e_now)
e2e_send "$E2E_SENDER" early@partner.test > /dev/null
sleep 6.5
second=$(e2e_now)
id=$(e2e_send "$E2E_SENDER" late@partner.test)
e2e_wait_for 12 e2e_has_ndr early@partner.test
e2e_between "first: ms until its NDR" 9000 16000 $(($(e2e_now) - first))
e2e_refute e2e_has_ndr late@partner.test
e2e_assert e2e_queued "$id"
e2e_wait_for 20 e2e_has_ndr late@partner.test
e2e_between "second: ms until its NDR" 9000 16000 $(($(e2e_now) - second))
e2e_ndr_says late@partner.test '(^|[^0-9])4 (attempts|retries|times|tries)'
