# SIGHUP with a good and a bad file, a table that somebody changed, and what posternctl says and asks.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 100; open_interval = 4; }
);
CONF
table="lmdb:$E2E_DIR/postern/state/tables/transport"
route() { postmap -q "$1" "$table"; }
no_route() { ! route "$1"; }

id=$(e2e_send "$E2E_SENDER" someone@partner.test)
e2e_wait_for 12 e2e_posternd_says 'partner: hold '

# A mistake in the file: the running configuration stays, and the line is named.
cp "$E2E_DIR/postern.conf" "$E2E_DIR/good.conf"
echo 'max_open_retrys = 1;' >> "$E2E_DIR/postern.conf"
kill -HUP "$sandbox_posternd"
line=$(wc -l < "$E2E_DIR/postern.conf")
e2e_wait_for 5 e2e_posternd_says "postern\\.conf:$line: .*the running configuration stays"
e2e_assert kill -0 "$sandbox_posternd"
e2e_refute "$PREFIX/sbin/posternd" -c "$E2E_DIR/postern.conf" -t
status=0
"$PREFIX/sbin/posternd" -c "$E2E_DIR/postern.conf" -t > /dev/null 2>&1 || status=$?
e2e_equal "exit status of -t" 78 "$status"

# A route was lost while posternd was away: it is there again after the start.
e2e_kill_posternd
postmap -d partner.test "$table" || true
cp "$E2E_DIR/good.conf" "$E2E_DIR/postern.conf"
sed -i 's/open_interval = 4/open_interval = 60/' "$E2E_DIR/postern.conf"
e2e_start_posternd
e2e_wait_for 5 route partner.test
e2e_equal "route" "postern-hold:" "$(route partner.test)"

# What an administrator sees.
sandbox_posternctl destination partner > "$E2E_DIR/destination" || e2e_fail "destination partner"
e2e_assert grep -q 'partner: down' "$E2E_DIR/destination"
e2e_assert grep -q 'Connection refused' "$E2E_DIR/destination"
sandbox_posternctl message "$id" > "$E2E_DIR/message" || e2e_fail "message $id"
e2e_assert grep -q 'someone@partner.test' "$E2E_DIR/message"
e2e_assert grep -Eq 'failed: +[23] of 100 attempts' "$E2E_DIR/message"
e2e_refute sandbox_posternctl message 0000000000

# Forgotten: the hold goes, and those who wait are sent.
sandbox_host 127.0.0.2 accept
e2e_assert sandbox_posternctl forget destination partner
e2e_wait_for 5 no_route partner.test
e2e_wait_for 10 e2e_delivered 127.0.0.2 someone@partner.test

# A smaller cap after a good reload: the next message is given up by it.
sandbox_host 127.0.0.2 refuse
sed -i 's/max_open_retries = 100; open_interval = 60/max_open_retries = 1; open_interval = 5/' \
    "$E2E_DIR/postern.conf"
kill -HUP "$sandbox_posternd"
e2e_wait_for 5 e2e_posternd_says 'postern\.conf: read again'
e2e_send "$E2E_SENDER" late@partner.test > /dev/null
e2e_wait_for 20 e2e_has_ndr late@partner.test

# Stopped in good order: no route is left.
e2e_kill_posternd TERM
e2e_equal "routes" '' "$(postmap -s "$table")"
