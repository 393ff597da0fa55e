# Postfix does not take requests: that is said once, tried again less and less, and nothing is kept: the
# hold is withdrawn in time all the same.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_postern <<'CONF'
lanes = "off";
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 100; open_interval = 3; }
);
CONF
table="lmdb:$E2E_DIR/postern/state/tables/transport"
runs=$E2E_DIR/runs
install -m 666 /dev/null "$runs"
cat > "$E2E_DIR/postqueue" <<SCRIPT
#!/bin/sh
echo run >> $runs
echo "postqueue: fatal: Cannot flush mail queue - mail system is down" >&2
exit 69
SCRIPT
chmod 755 "$E2E_DIR/postqueue"
e2e_send "$E2E_SENDER" first@partner.test > /dev/null
e2e_wait_for 10 e2e_posternd_says 'partner: hold '
mount --bind "$E2E_DIR/postqueue" /usr/sbin/postqueue
e2e_wait_for 10 test -s "$runs"
sleep 15
e2e_between "runs of postqueue" 2 6 "$(wc -l < "$runs")"
e2e_equal "lines about it" 1 "$(e2e_posternd_says 'postqueue -i: ' | wc -l)"
e2e_equal "route" '' "$(postmap -q partner.test "$table" || true)"
umount /usr/sbin/postqueue
e2e_wait_for 40 e2e_posternd_says 'takes requests again'
