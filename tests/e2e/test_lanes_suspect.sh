# lanes = "suspect": a destination that could not be reached goes through postern-probation, and
# stays there for a while; the administrator's own routes win.
e2e_host shaky.test 127.0.0.2 refuse
e2e_host theirs.test 127.0.0.3 refuse
e2e_host fine.test 127.0.0.4 accept
echo 'theirs.test smtp:[127.0.0.3]' > /etc/postfix/transport
postmap lmdb:/etc/postfix/transport
e2e_start_postfix transport_maps=lmdb:/etc/postfix/transport
e2e_postern << 'CONF'
retry = { open_interval = 5; hold_after = 3; };
CONF
route_of() {
    postmap -q "$1" "lmdb:$E2E_DIR/postern/state/tables/transport" || true
}
e2e_send "$E2E_SENDER" a@fine.test > /dev/null
id=$(e2e_send "$E2E_SENDER" a@shaky.test)
e2e_wait_for 10 eval '[ "$(route_of shaky.test)" = postern-probation: ]'
e2e_assert e2e_posternd_says 'shaky\.test: probation'
e2e_assert e2e_log_line "postfix/smtp\[[0-9]+\]: $id: to=<a@shaky.test>"
e2e_host shaky.test 127.0.0.2 accept
e2e_wait_for 20 e2e_delivered 127.0.0.2 a@shaky.test
# Back for a moment is not back.
id=$(e2e_send "$E2E_SENDER" b@shaky.test)
e2e_wait_for 20 e2e_delivered 127.0.0.2 b@shaky.test
e2e_assert e2e_log_line "postern-probation/smtp\[[0-9]+\]: $id: to=<b@shaky.test>"
e2e_equal "the route" postern-probation: "$(route_of shaky.test)"
e2e_equal "fine.test" '' "$(route_of fine.test)"

e2e_send "$E2E_SENDER" a@theirs.test > /dev/null
e2e_wait_for 10 e2e_posternd_says 'theirs\.test: Postfix has a way of its own for it by transport_maps; no lane'
e2e_never 2 eval '[ -n "$(route_of theirs.test)" ]'
e2e_assert grep -q 'postern-probation' <(sandbox_posternctl destination shaky.test)

# Switched off: setup has posternd take the routes back before it takes the services away.
sed -i '$a lanes = "off";' "$E2E_DIR/postern.conf"
e2e_assert sandbox_posternctl setup --apply
e2e_equal "the route" '' "$(route_of shaky.test)"
e2e_equal "the service" '' "$(postconf -M postern-probation/unix 2> /dev/null || true)"
id=$(e2e_send "$E2E_SENDER" c@shaky.test)
e2e_wait_for 20 e2e_delivered 127.0.0.2 c@shaky.test
e2e_assert e2e_log_line "postfix/smtp\[[0-9]+\]: $id: to=<c@shaky.test>"
# And on again: no reload of posternd is needed for it.
sed -i 's/^lanes = .*/lanes = "suspect";/' "$E2E_DIR/postern.conf"
e2e_assert sandbox_posternctl setup --apply
e2e_assert e2e_posternd_says 'postern.conf: read again'
e2e_equal "the route" postern-probation: "$(route_of shaky.test)"
