# enforce = false: the log says what would have been done, and Postfix does what it always did.
e2e_host partner.test 127.0.0.2 reply connect '"421 4.3.2 Service not available"'
e2e_start_postfix minimal_backoff_time=4s maximal_backoff_time=4s queue_run_delay=2s
e2e_postern <<'CONF'
enforce = false;
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 2; open_interval = 3; }
);
CONF

id=$(e2e_send "$E2E_SENDER" someone@partner.test)
e2e_wait_for 20 e2e_had_events 3 127.0.0.2 connect
e2e_wait_for 5 e2e_posternd_says \
    "$id: would-give-up to=<someone@partner\.test> destination=partner"
e2e_assert e2e_posternd_says 'partner: would-hold '
e2e_refute e2e_has_ndr someone@partner.test
e2e_assert e2e_queued "$id"
# The one entry that is always there is for Postern's own messages.
published=$(postmap -s "lmdb:$E2E_DIR/postern/state/tables/transport")
e2e_equal "entries published" '' "$(grep -v '@postern\.invalid' <<< "$published" || true)"
e2e_equal "deliveries by Postern's services" '' "$(e2e_log_line 'relay=postern-' || true)"

# New mail still goes to the host itself.
before=$(e2e_count_events 127.0.0.2 connect)
e2e_send "$E2E_SENDER" later@partner.test > /dev/null
e2e_wait_for 3 e2e_had_events $((before + 1)) 127.0.0.2 connect
