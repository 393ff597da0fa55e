# Two Postfix instances with one log: each posternd counts, reports and connects only its own.
. "$E2E_TOOLS/instances.sh"
e2e_host dead.test 127.0.0.2 refuse
e2e_host half.test 127.0.0.3 refuse
e2e_host inside.test 127.0.0.4 refuse
sandbox_host 127.0.0.5 accept
instances_create
echo 'half.test smtp:[127.0.0.5]' > /etc/postfix-out/transport
postconf -c /etc/postfix-out -e 'transport_maps=texthash:/etc/postfix-out/transport' \
    'relay_domains=inside.test'
postconf -e 'relay_domains=inside.test'

cat > /etc/postern/postern.conf << 'CONF'
recipient_limits = { inbound = ( { recipient_domains = ("dead.test"); limit = 2; } ); };
CONF
cat > /etc/postern/out.conf << 'CONF'
instance = "out";
destinations = (
  { name = "dead"; domains = ("dead.test"); max_open_retries = 3; open_interval = 3; }
);
recipient_limits = { inbound = ( { recipient_domains = ("dead.test"); limit = 1; } ); };
CONF
mkdir "$E2E_DIR/before"
cp -a /etc/postfix/m*.cf "$E2E_DIR/before"
cp -a /etc/postfix-out "$E2E_DIR/before/out"
postfix start > "$E2E_DIR/start.log" 2>&1 || e2e_fail "$(cat "$E2E_DIR/start.log")"

# --- connected, each to its own

instances_setup in --apply
instances_setup out --apply
for name in in out; do
    instances_start "$name"
    for milter in earlyndr rcptlimit; do
        "$PREFIX/sbin/postern-$milter" -c "${instances_config[$name]}" -f \
            >> "$E2E_DIR/$milter-$name.log" 2>&1 &
    done
done
for milter in earlyndr rcptlimit; do
    e2e_wait_for 10 [ -S /run/postern/$milter.sock ]
    e2e_wait_for 10 [ -S /run/postern-out/$milter.sock ]
done
# Also through postmulti(1), whose MAIL_CONFIG would lead to another instance.
MAIL_CONFIG=/etc/postfix-out instances_setup in --apply
postmulti -i - -x "$PREFIX/sbin/posternctl" -c /etc/postern/out.conf setup --apply \
    > "$E2E_DIR/setup-out.log" 2>&1 || e2e_fail "$(cat "$E2E_DIR/setup-out.log")"
e2e_assert [ "$(postconf -hx transport_maps)" = lmdb:/var/lib/postern/tables/transport ]
e2e_assert grep -q 'lmdb:/var/lib/postern-out/tables/transport' \
    <(postconf -c /etc/postfix-out -hx transport_maps)
# Each in the queue of its own Postfix.
for directory in /etc/postfix /etc/postfix-out; do
    e2e_assert grep -q unix:postern/earlyndr.sock <(postconf -c "$directory" -hx smtpd_milters)
done
e2e_equal "the socket" "$(postconf -hx queue_directory)/postern/earlyndr.sock" \
    "$(readlink /run/postern/earlyndr.sock)"
e2e_equal "the socket of out" \
    "$(postconf -c /etc/postfix-out -hx queue_directory)/postern/earlyndr.sock" \
    "$(readlink /run/postern-out/earlyndr.sock)"
e2e_refute grep -q postern-out /etc/postfix/main.cf /etc/postfix/master.cf
e2e_refute grep -q /postern/ /etc/postfix-out/main.cf
for name in in out; do
    e2e_wait_for 40 instances_shows "$name" '^postfix: +connected' status
done

# --- one domain, two policies

of_in=$(instances_send in in@dead.test)
of_out=$(instances_send out out@dead.test)
e2e_wait_for 30 instances_says out "$of_out: give-up to=<out@dead.test>"
e2e_wait_for 60 e2e_has_ndr out@dead.test
e2e_ndr_says out@dead.test 'Reporting-MTA: dns; out\.sender\.test' 'policy "dead"'
e2e_refute e2e_has_ndr in@dead.test
e2e_refute instances_says in "$of_out"
e2e_refute instances_says out "$of_in"
e2e_assert instances_ctl in message "$of_in"
e2e_refute instances_ctl in message "$of_out"
e2e_refute instances_ctl out message "$of_in"
e2e_assert grep -q "$of_in" <(postqueue -p)

# The number of attempts is the instance's own: this one tried once, the other three times.
e2e_assert instances_shows in '#1 ' destination dead.test
e2e_refute instances_shows in '#2 ' destination dead.test

# --- a domain that one of them reaches

instances_send in in@half.test > /dev/null
instances_send out out@half.test > /dev/null
e2e_wait_for 10 e2e_delivered 127.0.0.5 out@half.test
e2e_wait_for 10 instances_shows in '^half.test: failing' destination half.test
e2e_wait_for 10 instances_shows out '^half.test: up' destination half.test

# --- a service that logs under one name in both ("postfix/relay" in Debian's master.cf)

of_out=$(instances_send out out@inside.test)
e2e_wait_for 10 e2e_log_line "postfix/relay/smtp.* $of_out: to=<out@inside.test>.*status=deferred"
e2e_wait_for 10 instances_ctl out message "$of_out"
of_in=$(instances_send in in@inside.test)
e2e_wait_for 10 e2e_log_line "postfix/relay/smtp.* $of_in: to=<in@inside.test>.*status=deferred"
e2e_wait_for 10 instances_ctl in message "$of_in"
e2e_refute instances_ctl in message "$of_out"
e2e_refute instances_ctl out message "$of_in"

# The same lines, replayed: three messages of the one have waited since; the other sent some.
instances_ctl in replay --json --log /var/log/mail.log > "$E2E_DIR/replay-in"
instances_ctl out replay --json --log /var/log/mail.log > "$E2E_DIR/replay-out"
e2e_assert grep -q '"deliveries": 3,' "$E2E_DIR/replay-in"
e2e_assert grep -q '"sent": 0,' "$E2E_DIR/replay-in"
e2e_refute grep -q '"deliveries": 3,' "$E2E_DIR/replay-out"
e2e_refute grep -q '"sent": 0,' "$E2E_DIR/replay-out"

# --- the milters, and the doctor

talk() { # ADDRESS
    e2e_talk "$1" 5 'EHLO client.test' "MAIL FROM:<$E2E_SENDER>" 'RCPT TO:<a@dead.test>' \
        'RCPT TO:<b@dead.test>' 'RCPT TO:<c@dead.test>' QUIT | sed -n '5,6s/ .*//p' | tr '\n' ' '
}
e2e_equal "limit of in" '250 452 ' "$(talk 127.0.0.1)"
e2e_equal "limit of out" '452 452 ' "$(talk 127.0.0.9)"
for name in in out; do
    instances_ctl "$name" doctor > "$E2E_DIR/doctor-$name" 2>&1 ||
        e2e_fail "doctor of $name: $(cat "$E2E_DIR/doctor-$name")"
done

# The one was quiet while the other was busy.
for ((i = 0; i < 900; i++)); do
    echo "$(date '+%b %e %T') out postfix-out/smtpd[1]: connect from client.test[192.0.2.$((i % 200))]"
done >> /var/log/mail.log
instances_ctl in doctor > "$E2E_DIR/doctor-in" || e2e_fail "$(cat "$E2E_DIR/doctor-in")"
e2e_assert grep -q '^note .*log-lines: .*another Postfix only (postfix-out/' "$E2E_DIR/doctor-in"

# --- one goes

kill "${instances_posternd[out]}"
wait "${instances_posternd[out]}" || true
e2e_refute instances_ctl out doctor
instances_ctl in doctor > "$E2E_DIR/doctor-in" || e2e_fail "$(cat "$E2E_DIR/doctor-in")"
e2e_assert grep -q '^note .*instances: .*/etc/postern/out.conf is about it' "$E2E_DIR/doctor-in"
cp -a /etc/postfix/m*.cf "$E2E_DIR"
instances_setup out --remove
for file in main.cf master.cf; do
    e2e_assert cmp "$E2E_DIR/before/out/$file" "/etc/postfix-out/$file"
    e2e_assert cmp "$E2E_DIR/$file" "/etc/postfix/$file"
done
e2e_assert instances_shows in '^postfix: +connected' status
instances_setup in --remove
for file in main.cf master.cf; do
    e2e_assert cmp "$E2E_DIR/before/$file" "/etc/postfix/$file"
done
postfix stop > /dev/null 2>&1
