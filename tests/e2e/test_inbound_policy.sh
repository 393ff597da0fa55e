# The same limits through posternd's policy service, for sites without milters.
. "$E2E_TOOLS/inbound.sh"
e2e_host partner.test 127.0.0.2 accept
socket=unix:$E2E_DIR/postern/run/policy.sock
service="check_policy_service { $socket, default_action=DUNNO, try_limit=1, timeout=10s }"
e2e_start_postfix "smtpd_recipient_restrictions=reject_unlisted_recipient, $service" \
    "${inbound_error_limits[@]}"
e2e_postern <<CONF
policy = { socket = "$socket"; };
recipient_limits = { inbound = ( { limit = 20; } ); };
CONF
e2e_wait_for 10 test -S "${socket#unix:}"
inbound_pipelined
inbound_rejected_do_not_count
postconf -e smtpd_delay_reject=no
postfix reload > /dev/null 2>&1
inbound_rejected_do_not_count

# Several connections at once: each transaction counts for itself.
for client in 1 2 3 4 5 6; do
    inbound_talk "$inbound_mail"$'\n'"$(inbound_rcpts 1 50)" > "$E2E_DIR/said.$client" &
    clients[client]=$!
done
wait "${clients[@]}"
for client in 1 2 3 4 5 6; do
    said=$(cat "$E2E_DIR/said.$client")
    e2e_equal "client $client" 20 "$(inbound_count "$said" '250 2\.1\.5 ')"
    e2e_equal "client $client" 30 "$(inbound_count "$said" "$inbound_surplus")"
done

# Another limit takes effect with a reload.
sed -i 's/limit = 20;/limit = 1; action = "reject";/' "$E2E_DIR/postern.conf"
kill -HUP "$sandbox_posternd"
e2e_wait_for 10 e2e_posternd_says 'read again'
said=$(inbound_talk "$inbound_mail"$'\n'"$(inbound_rcpts 1 3)")
e2e_equal "the new limit" 2 \
    "$(inbound_count "$said" '550 5\.5\.3 .*Too many recipients: 1 is allowed')"

# Killed: nobody is limited, and nobody waits.
e2e_kill_posternd
e2e_host late.test 127.0.0.4 accept
before=$(e2e_now)
inbound_none_refused late.test
e2e_between "ms for 50 recipients" 0 10000 $(($(e2e_now) - before))
e2e_wait_for 10 all_delivered 50 127.0.0.4
