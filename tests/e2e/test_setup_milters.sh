# posternctl setup connects a milter that runs, behind the administrator's own, so that mail goes on
# when it is gone; says what it does not connect; and gives back what was there to the byte.
. "$E2E_TOOLS/inbound.sh"
e2e_host partner.test 127.0.0.2 accept
e2e_host late.test 127.0.0.3 accept
socket=unix:$E2E_DIR/postern/run/rcptlimit.sock inside=unix:postern/rcptlimit.sock
settings='default_action=accept, connect_timeout=5s, command_timeout=10s, content_timeout=30s'
log=$E2E_DIR/setup.log
before=$E2E_DIR/before once=$E2E_DIR/once
mkdir "$before" "$once"

milter_config() { # SOCKET
    e2e_config <<< "milters = { rcptlimit = { socket = \"$1\"; }; };
        early_ndr = { mode = \"off\"; };
        recipient_limits = { inbound = ( { limit = 20; } ); };"
}
setup() {
    sandbox_posternctl setup "$@" > "$log" 2>&1 || e2e_fail "setup $*: $(cat "$log")"
}
unchanged() { # DIRECTORY
    local file
    for file in main.cf master.cf; do
        e2e_assert cmp "$1/$file" "/etc/postfix/$file"
    done
}
setting() { # NAME VALUE
    e2e_equal "$1" "$2" "$(postconf -h "$1")"
}
said() {
    e2e_assert grep -Eq "$1" "$log"
}
not_said() {
    e2e_refute grep -Eq "$1" "$log"
}

# The administrator's own milters. Nobody listens there, and they are not missed.
postconf -e 'non_smtpd_milters=$smtpd_milters' milter_default_action=tempfail
printf '%s\n' 'smtpd_milters =' '# signs' '  { inet:127.0.0.9:1,' '  default_action=accept }' \
    >> /etc/postfix/main.cf
printf '  # the last line has no newline' >> /etc/postfix/main.cf
own='{ inet:127.0.0.9:1, default_action=accept }'
cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$before/"
milter_config "$socket"

# It does not run: not connected, and setup says so, without the other connections being any less.
setup --print
unchanged "$before"
said "postern-rcptlimit is not running on $socket: start it"
said "posternctl -c $E2E_DIR/postern.conf setup --apply"
setup --apply
said "postern-rcptlimit is not running"
setting smtpd_milters "$own"
setting non_smtpd_milters '$smtpd_milters'
e2e_assert postconf -M postern-hold/unix
setup --remove
unchanged "$before"

# It runs: behind the others, and for mail by SMTP alone.
inbound_start_milter
setup --print
unchanged "$before"
said "^\+smtpd_milters = .*accept \}, \{ $inside, $settings \}"
said '^  smtpd_milters, non_smtpd_milters: '
setup --apply
not_said 'Remark.*rcptlimit'
setting smtpd_milters "$own, { $inside, $settings }"
setting non_smtpd_milters "$own"
setting internal_mail_filter_classes ''
cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$once/"
setup --apply
unchanged "$once"
e2e_assert grep -q 'Everything was in place already' "$log"
e2e_assert postfix check
e2e_equal warnings '' "$(postconf -n 2>&1 > /dev/null)"

e2e_start_postfix
inbound_pipelined
id=$(e2e_send "$E2E_SENDER" local{1..30}@late.test)
e2e_wait_for 20 all_delivered 30 127.0.0.3

# Killed: mail goes on, though milter_default_action is another, and setup does not take it out.
kill -KILL "$inbound_milter"
inbound_none_refused late.test
e2e_wait_for 20 all_delivered 80 127.0.0.3
setup --apply
not_said 'is not running'
unchanged "$once"

setup --remove
unchanged "$before"

# Named by the administrator, in his own way: nothing to add, and nothing to say.
for name in "local:$E2E_DIR/postern/run/rcptlimit.sock" "$inside"; do
    postconf -e "smtpd_milters={$name, default_action=accept}"
    cp -p /etc/postfix/main.cf "$once/"
    setup --apply
    not_said 'Remark.*rcptlimit'
    setting smtpd_milters "{$name, default_action=accept}"
    setup --remove
    e2e_assert cmp "$once/main.cf" /etc/postfix/main.cf
done
cp -p "$before/main.cf" /etc/postfix/main.cf

# A chrooted smtpd sees the socket by the same name; and others by TCP.
: > "$E2E_DIR/rcptlimit.log"
inbound_start_milter
postconf -F 'smtp/inet/chroot=y'
cp -p /etc/postfix/master.cf "$before/"
setup --apply
not_said 'Remark.*rcptlimit'
setting smtpd_milters "$own, { $inside, $settings }"
setup --remove
unchanged "$before"
kill "$inbound_milter"
wait "$inbound_milter" || true
milter_config inet:24891@127.0.0.1
: > "$E2E_DIR/rcptlimit.log"
inbound_start_milter
setup --apply
not_said 'Remark.*rcptlimit'
setting smtpd_milters "$own, { inet:127.0.0.1:24891, $settings }"

# One inside the queue directory is named likewise, in a folder of the administrator's.
kill "$inbound_milter"
wait "$inbound_milter" || true
install -d -m 755 -o postern -g postern /var/spool/postfix/limits
milter_config unix:/var/spool/postfix/limits/rcptlimit.sock
: > "$E2E_DIR/rcptlimit.log"
inbound_start_milter
setup --apply
not_said 'Remark.*rcptlimit'
setting smtpd_milters "$own, { unix:limits/rcptlimit.sock, $settings }"
postconf -F 'smtp/inet/chroot=n'
postfix reload > /dev/null 2>&1
inbound_rejected_do_not_count

# Services with a list of their own.
printf '%s\n' 'submission inet n - n - - smtpd' '  -o smtpd_milters=' >> /etc/postfix/master.cf
setup --print
said 'sets smtpd_milters for single services'
