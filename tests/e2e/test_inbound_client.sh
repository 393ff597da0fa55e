# A mail server that pipelines sends 50 recipients through a limit of 20: all are delivered, once
# each, and nobody gets an NDR. The server is a second Postfix.
. "$E2E_TOOLS/inbound.sh"
e2e_host partner.test 127.0.0.2 accept
socket=unix:$E2E_DIR/postern/run/rcptlimit.sock
e2e_start_postfix "smtpd_milters=$socket" milter_default_action=accept
e2e_config <<CONF
milters = { rcptlimit = { socket = "$socket"; }; };
recipient_limits = { inbound = ( { limit = 20; } ); };
CONF
# It raises smtpd_hard_error_limit: by default the 21st refusal ends the connection.
sandbox_posternctl setup --apply > "$E2E_DIR/setup.log" 2>&1 || e2e_fail "setup: $(cat "$E2E_DIR/setup.log")"
inbound_start_milter

# The client has an address of its own, sends everything to the first Postfix, and tries again soon.
ip address add 127.0.0.9/8 dev lo
client=$E2E_DIR/client
mkdir -p "$client"/{conf,spool,data}
chown postfix:postfix "$client/data"
cp /usr/share/postfix/main.cf.debian "$client/conf/main.cf"
for name in dynamicmaps.cf dynamicmaps.cf.d; do
    [ ! -e "/etc/postfix/$name" ] || cp -a "/etc/postfix/$name" "$client/conf/"
done
grep -v '^smtp  *inet' /etc/postfix/master.cf > "$client/conf/master.cf"
postconf -c "$client/conf" -e "queue_directory=$client/spool" "data_directory=$client/data" \
    myhostname=client.test myorigin=client.test mydestination= inet_interfaces=127.0.0.9 \
    'relayhost=[127.0.0.1]:25' "maillog_file=$client/log/mail.log" \
    "maillog_file_prefixes=$client" syslog_name=client \
    minimal_backoff_time=2s maximal_backoff_time=4s queue_run_delay=1s alias_maps= \
    compatibility_level=3.6
mkdir "$client/log"
postfix -c "$client/conf" start > "$client/start.log" 2>&1 ||
    e2e_fail "the client does not start: $(cat "$client/start.log")"

printf 'From: sender@client.test\nSubject: fifty\n\nHello\n' |
    sendmail -C "$client/conf" -i -f "$E2E_SENDER" -- $(recipients partner.test 50)
e2e_wait_for 60 all_delivered 50 127.0.0.2
e2e_equal "delivered twice" '' "$(delivered_to 127.0.0.2 | sort | uniq -d)"
e2e_equal "bounced" '' "$(grep 'status=bounced' "$client/log/mail.log" /var/log/mail.log || true)"
e2e_refute test -e /var/mail/sender
# 20 + 20 + 10: each pass, two transactions too short.
e2e_equal "told to come again" 40 \
    "$(grep -c 'status=deferred.*said: 452 4\.5\.3 Too many recipients: 20' "$client/log/mail.log")"
e2e_equal "messages" 3 "$(grep -c '^[0-9.]* 127\.0\.0\.2 [0-9]* message ' "$E2E_DIR/smtphost.log")"
