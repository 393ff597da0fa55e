# Transfer retries: 2 of them, 2 s apart, for one recipient; the session itself opens every time.
e2e_host partner.test 127.0.0.2 rcpt 'busy@*' '"450 4.2.0 Mailbox busy"'
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 100; open_interval = 3;
    max_transfer_retries = 2; transfer_interval = 2; }
);
CONF

sent=$(e2e_now)
id=$(e2e_send "$E2E_SENDER" busy@partner.test fine@partner.test)
e2e_wait_for 3 e2e_delivered 127.0.0.2 fine@partner.test
e2e_wait_for 12 e2e_has_ndr busy@partner.test
e2e_between "ms until the NDR" 2000 8000 $(($(e2e_now) - sent))
mapfile -t times < <(e2e_events 127.0.0.2 'command RCPT TO:<busy@')
e2e_equal "attempts" 2 "${#times[@]}"
e2e_spaced "ms between attempts" 2000 700 "${times[@]}"
e2e_assert e2e_status "$id" busy@partner.test 'dsn=5\.4\.7, status=bounced'
e2e_ndr_says busy@partner.test 'Status: 5\.4\.7' partner 'Mailbox busy' \
    '(^|[^0-9])2 (attempts|retries|times|tries)'
e2e_refute e2e_has_ndr fine@partner.test

# Per message and recipient: another message to the busy one has its own two.
e2e_send "$E2E_SENDER" busy@partner.test > /dev/null
e2e_wait_for 12 e2e_had_events 4 127.0.0.2 'command RCPT TO:<busy@'
e2e_equal "the healthy one got its mail once" 1 "$(e2e_count_events 127.0.0.2 message)"
