# The limit rises from 10 to 50: wider lanes are tried in turn until none is needed.
. "$E2E_TOOLS/limits.sh"
e2e_host many.test 127.0.0.2 most rcpt 10 '"452 4.5.3 Too many recipients"'
e2e_start_postfix
e2e_postern <<'CONF'
recipient_limits = { learned_lifetime = 12; };
CONF
e2e_send "$E2E_SENDER" $(recipients many.test 100) > /dev/null
e2e_wait_for 20 e2e_posternd_says 'many\.test: lane takes=10 lane=postern-rcpt10'
sandbox_host 127.0.0.2 most rcpt 50 '"452 4.5.3 Too many recipients"'
e2e_wait_for 20 all_delivered 100 127.0.0.2
e2e_wait_for 20 e2e_posternd_says 'many\.test: lane takes=20 lane=postern-rcpt20'
e2e_wait_for 20 e2e_posternd_says 'many\.test: no-lane'
before=$(e2e_count_events 127.0.0.2 message)
e2e_send "$E2E_SENDER" $(recipients many.test 100 | sed 's/^/again-/') > /dev/null
e2e_wait_for 20 all_delivered 200 127.0.0.2
e2e_equal "transactions for the next 100" 2 $(($(e2e_count_events 127.0.0.2 message) - before))
