# The destination comes back: what waits leaves within seconds, not after Postfix's own 5 minutes.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 100; open_interval = 3; }
);
CONF

for i in 1 2 3 4 5 6; do
    e2e_send "$E2E_SENDER" "r$i@partner.test" > /dev/null
done
sleep 7
e2e_equal "deliveries while it is down" 0 "$(e2e_count_events 127.0.0.2 message)"
sandbox_host 127.0.0.2 accept
back=$(e2e_now)
for i in 1 2 3 4 5 6; do
    e2e_wait_for 12 e2e_delivered 127.0.0.2 "r$i@partner.test"
done
e2e_between "ms until all had left" 0 8000 $(($(e2e_now) - back))
e2e_wait_for 5 e2e_queue_empty
e2e_equal "each once" 6 "$(e2e_count_events 127.0.0.2 message)"

# And it is proven and up: new mail goes straight out.
e2e_send "$E2E_SENDER" new@partner.test > /dev/null
e2e_wait_for 3 e2e_delivered 127.0.0.2 new@partner.test
