# A Postfix whose configuration is not in the default place, with posternd as root.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_stop_postfix
other=$E2E_DIR/pf
cp -a /etc/postfix "$other"
postconf -c "$other" -e "maillog_file=/var/log/mail.log"
postfix -c "$other" start > "$E2E_DIR/start.log" 2>&1 || e2e_fail "$(cat "$E2E_DIR/start.log")"
sandbox_user=
e2e_config <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 4; open_interval = 3; }
);
CONF
sed -i "s|config_directory = \"/etc/postfix\"|config_directory = \"$other\"|" "$E2E_DIR/postern.conf"
sandbox_posternctl setup --apply > "$E2E_DIR/setup.log" 2>&1 ||
    e2e_fail "$(cat "$E2E_DIR/setup.log")"
e2e_start_posternd
printf 'From: a@b.test\nSubject: x\n\nHello\n' |
    sendmail -C "$other" -i -f "$E2E_SENDER" -- someone@partner.test
start=$(e2e_now)
e2e_wait_for 25 e2e_has_ndr someone@partner.test
e2e_between "ms until the NDR" 8500 16500 $(($(e2e_now) - start))
postfix -c "$other" stop > /dev/null 2>&1 || true
