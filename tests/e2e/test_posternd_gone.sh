# posternd dies for good while a destination is held. Nothing is lost or refused: the gate withdraws
# the hold by itself, so that Postfix's own schedule delivers the mail when the host is back.
e2e_host partner.test 127.0.0.2 refuse
e2e_host up.test 127.0.0.3 accept
e2e_start_postfix minimal_backoff_time=5s maximal_backoff_time=5s queue_run_delay=2s
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 100; open_interval = 3; }
);
CONF

e2e_send "$E2E_SENDER" first@partner.test > /dev/null
e2e_wait_for 10 e2e_posternd_says 'partner: hold '
id=$(e2e_send "$E2E_SENDER" second@partner.test)
e2e_wait_for 5 e2e_status "$id" second@partner.test 'relay=postern-hold, .*status=deferred'
e2e_kill_posternd
sandbox_host 127.0.0.2 accept

e2e_send -s "$E2E_SENDER" third@partner.test fine@up.test > /dev/null
e2e_wait_for 3 e2e_delivered 127.0.0.3 fine@up.test
for name in first second third; do
    e2e_wait_for 90 e2e_delivered 127.0.0.2 "$name@partner.test"
done
e2e_equal "refused at the door" '' "$(e2e_log_line 'NOQUEUE: reject' || true)"
e2e_equal "bounced" '' "$(e2e_log_line 'status=bounced' || true)"
