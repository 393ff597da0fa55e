# The disk that holds the state is full: mail goes out, posternd says what is wrong, also when it is
# started then, and nothing is forgotten. A second message to a host that is down shows that.
e2e_host good.test 127.0.0.2 accept
e2e_host down.test 127.0.0.3 refuse
e2e_start_postfix
state=$E2E_DIR/postern/state
mkdir -p "$state"
mount -t tmpfs -o size=1200k,mode=755 tmpfs "$state"
chown postern:postern "$state"
e2e_postern << 'CONF'
destinations = (
  { name = "partner"; domains = ("down.test"); max_open_retries = 3; open_interval = 3; }
);
CONF
# The failures of so many hosts find no room. sed makes a line of each number.
failures() {
    seq 1001 1300 | sed "s/.*/$(date '+%b %e %H:%M:%S') mail postfix\/smtp[99]: 4F000000&: \
to=<a@d&.test>, relay=none, delay=0.1, delays=0\/0\/0.1\/0, dsn=4.4.1, status=deferred \
(connect to mx.d&.test[192.0.2.1]:25: Connection refused)/"
}
e2e_send "$E2E_SENDER" a@down.test > /dev/null
e2e_wait_for 10 e2e_posternd_says 'partner: hold'
cat /dev/zero > "$state/fill" 2> /dev/null || true
failures >> /var/log/mail.log
e2e_wait_for 10 e2e_posternd_says 'error: state: No space left on device; trying again'
e2e_send "$E2E_SENDER" b@good.test > /dev/null
e2e_wait_for 10 e2e_delivered 127.0.0.2 b@good.test

e2e_kill_posternd
"$PREFIX/sbin/posternd" -c "$E2E_DIR/postern.conf" -f > "$E2E_DIR/again.log" 2>&1 &&
    e2e_fail "posternd starts on a full disk"
e2e_assert grep -q 'fatal: state: No space left on device' "$E2E_DIR/again.log"
e2e_send "$E2E_SENDER" c@good.test c@down.test > /dev/null
e2e_wait_for 10 e2e_delivered 127.0.0.2 c@good.test

rm "$state/fill"
e2e_start_posternd
e2e_wait_for 60 e2e_has_ndr a@down.test
e2e_wait_for 60 e2e_has_ndr c@down.test
