# While a destination is down its mail is deferred at once, without the network; only the probe goes
# there, and it goes exactly every open_interval.
e2e_host partner.test 127.0.0.2 reply connect '"421 4.3.2 Service not available"'
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 100; open_interval = 6; }
);
CONF

e2e_send "$E2E_SENDER" first@partner.test > /dev/null
e2e_wait_for 12 e2e_had_events 2 127.0.0.2 connect

# After hold_after = 2 failures it is down, until the next probe.
e2e_wait_for 3 e2e_posternd_says 'partner: hold '
sleep 0.5
id=$(e2e_send "$E2E_SENDER" held1@partner.test held2@partner.test held3@partner.test)
for i in 1 2 3; do
    e2e_wait_for 3 e2e_status "$id" "held$i@partner.test" \
        'relay=postern-hold, .*dsn=4\.4\.1, status=deferred'
done
e2e_equal "connections so far" 2 "$(e2e_count_events 127.0.0.2 connect)"

e2e_wait_for 40 e2e_had_events 6 127.0.0.2 connect
mapfile -t times < <(e2e_events 127.0.0.2 connect)
e2e_spaced "ms between connections" 6000 1000 "${times[@]}"
# What one attempt is late the next makes up for: over five intervals nothing has added up.
e2e_between "ms for five intervals" 29300 30700 $((times[5] - times[0]))
e2e_equal "refused at the door" '' "$(e2e_log_line 'NOQUEUE: reject' || true)"
