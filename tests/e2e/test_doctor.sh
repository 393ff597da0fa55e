# posternctl doctor: things are broken one by one; it finds each, and what it says to type repairs it.
. "$E2E_TOOLS/inbound.sh"
e2e_host partner.test 127.0.0.2 refuse
out=$E2E_DIR/doctor.out
conf=$E2E_DIR/postern.conf
state=$E2E_DIR/postern/state
run=$E2E_DIR/postern/run

config() { # [SETTING...]
    printf '%s\n' 'destinations = ( { name = "partner"; domains = ("partner.test");
        max_open_retries = 100; open_interval = 60; hold_after = 1; } );' "$@" > "$E2E_DIR/settings"
    sandbox_config < "$E2E_DIR/settings"
}

# --- the machine's commands, as far as the sandbox has none of its own

posternctl() {
    "$PREFIX/sbin/posternctl" "$@"
}
timedatectl() { :; }
apt-get() {
    [ "$*" = 'install postfix-lmdb' ] || e2e_fail "apt-get $*"
    umount "$maps"
}
stop() { # UNIT
    case $1 in
    posternd) [ -z "${sandbox_posternd:-}" ] || e2e_kill_posternd TERM ;;
    postern-earlyndr) kill "$sandbox_earlyndr"; wait "$sandbox_earlyndr" || true ;;
    postern-rcptlimit) kill "$inbound_milter"; wait "$inbound_milter" || true ;;
    esac
}
start() { # UNIT
    case $1 in
    posternd) e2e_start_posternd ;;
    postern-earlyndr) sandbox_start_earlyndr ;;
    postern-rcptlimit) : > "$E2E_DIR/rcptlimit.log"; inbound_start_milter ;;
    postfix) postfix start > /dev/null 2>&1 ;;
    esac
}
systemctl() {
    local verb=$1 unit
    shift
    [ "${1:-}" != --now ] || shift
    for unit; do
        case $verb.$unit in
        enable.*) start "$unit" ;;
        restart.postfix) postfix stop > /dev/null 2>&1; postfix start > /dev/null 2>&1 ;;
        restart.rsyslog) postlog -t postfix/rsyslog started ;;
        restart.*) stop "$unit"; start "$unit" ;;
        reload.posternd) kill -CONT "$sandbox_posternd"; kill -HUP "$sandbox_posternd" ;;
        *) e2e_fail "systemctl $verb $unit" ;;
        esac
    done
}

# --- what it finds

# doctor STATUS: its exit status.
doctor() {
    local status=0
    sandbox_posternctl doctor > "$out" 2> "$out.err" || status=$?
    e2e_equal "exit status: $(cat "$out" "$out.err")" "$1" "$status"
}
found() { # KIND CHECK REGEX
    grep -Eq "^$1 +$2: .*$3" "$out" || e2e_fail "no $1 $2 ($3) in: $(cat "$out")"
}
type_of() { # CHECK
    awk -v check="$1:" '$2 == check { getline; sub(/^ *type: /, ""); print; exit }' "$out"
}
is_well() { # CHECK
    sandbox_posternctl doctor > "$out" 2>&1
    ! grep -Eq "^(PROBLEM|note) +$1:" "$out"
}
well() { # CHECK
    sandbox_until 15 is_well "$1" || e2e_fail "$1 is still ill: $(cat "$out")"
}
heal() { # CHECK
    local command
    command=$(type_of "$1")
    [ -n "$command" ] || e2e_fail "$1: nothing to type"
    echo "$1: $command" >> "$E2E_DIR/typed"
    eval "$command" >> "$E2E_DIR/typed" 2>&1 || e2e_fail "$1: $command: $(tail "$E2E_DIR/typed")"
}
ill() { # CHECK REGEX: found, and what it says helps
    doctor 1
    found PROBLEM "$1" "$2"
    heal "$1"
    well "$1"
}
noted() { # CHECK REGEX: the same for what is no problem by itself
    sandbox_posternctl doctor > "$out" 2>&1 || true
    found note "$1" "$2"
    heal "$1"
    well "$1"
}

config
e2e_start_postfix
e2e_postern < "$E2E_DIR/settings"
sandbox_start_earlyndr
sandbox_posternctl setup --apply > /dev/null
e2e_send "$E2E_SENDER" someone@partner.test > /dev/null
e2e_wait_for 10 e2e_posternd_says 'partner: hold'
sandbox_until 40 is_well early-reports || e2e_fail "early reports: $(cat "$out")"

# Where Postfix logs addresses without quotes, as all before 3.5 do, that is all there is to say.
postconf -e info_log_address_format=internal
doctor 0
found note postfix-version 'without quotes'
old=$(grep -c '3\.5 has info_log_address_format' "$out" || true)
if [ "$old" = 1 ]; then
    postconf -X info_log_address_format
else
    noted postfix-version 'info_log_address_format is internal'
fi

# All is well: nothing is said, and the exit status is 0.
doctor 0
e2e_equal 'nothing found' "$old" "$(grep -Ec '^(PROBLEM|note)' "$out" || true)"
e2e_assert grep -q "^0 problems, $old notes\?\.\$" "$out"
sandbox_posternctl --json doctor > "$out.json"
e2e_assert grep -q '"problems": 0' "$out.json"

# posternd
stop posternd
ill posternd 'not running'
mv "$run/control.sock" "$run/control.sock.away"
ill answers 'cannot be asked'
cp "$conf" "$E2E_DIR/other.conf"
e2e_refute posternctl -c "$E2E_DIR/other.conf" doctor
posternctl -c "$E2E_DIR/other.conf" doctor > "$out" || true
found PROBLEM configuration "started with $conf"
e2e_equal 'the right one' "posternctl -c $conf doctor" "$(type_of configuration)"
config 'enforce = false;'
systemctl reload posternd
well filters
doctor 0
found note enforce 'only observing'
config
systemctl reload posternd
well filters

# The account, and who may read and write what.
chown root "$state"
ill directories "does not belong to the account postern"
chown root "$state/state.mdb"
ill state "does not belong to the account postern"
chmod 700 "$state/tables"
ill tables "account postfix cannot read .* may not pass $state/tables"
chmod 600 "$conf"
ill gate "account postern cannot read $conf"
e2e_assert setpriv --reuid=postern --regid=postern --clear-groups test -r "$conf"

# The log
sed -i -E '/^adm:/s/,?postern//' /etc/group
ill mail-log 'account postern may not read /var/log/mail.log: it is not in the group adm'
sed -i 's/mail\.log"/other.log"/' "$conf"
cp /var/log/mail.log /var/log/other.log && chgrp adm /var/log/other.log
doctor 1
found PROBLEM log-place 'Postfix logs to /var/log/mail.log .*posternd reads /var/log/other.log'
sed -i 's/other\.log"/mail.log"/' "$conf"
heal log-place
well log-place
cp -p /var/log/mail.log "$E2E_DIR/mail.log.kept"
echo "$(date -d '-2 hours' '+%b %e %T') mail postfix/qmgr[1]: X" > /var/log/mail.log
ill log-clock 'time zone is not this machine'
echo "$(date -d '-37 hours' '+%b %e %T') mail postfix/qmgr[1]: X" > /var/log/mail.log
doctor 1
found PROBLEM log-clock 'clock is off'
cat "$E2E_DIR/mail.log.kept" > /var/log/mail.log
{
    tail -n 3 "$E2E_DIR/mail.log.kept"
    echo "$(date -d '-1 hour' '+%b %e %T') mail postfix/smtpd[1]: in UTC, in a chroot"
} >> /var/log/mail.log
doctor 1
found PROBLEM log-clock 'two time zones'
heal log-clock
e2e_assert cmp /etc/localtime /var/spool/postfix/etc/localtime
reloaded() {
    tail -n 1 /var/log/mail.log | grep -q ' reload -- '
}
e2e_wait_for 5 reloaded
echo "$(date '+%b %e %T') mail postfix-out/qmgr[1]: X" > /var/log/mail.log
doctor 1
found PROBLEM log-lines 'lines of another Postfix \(postfix-out/'
cat "$E2E_DIR/mail.log.kept" > /var/log/mail.log
touch -d '-1 hour' /var/log/mail.log
touch /var/spool/postfix/active
doctor 1
found PROBLEM log-flow 'mail moves .* but nothing was logged'
heal log-flow
well log-flow

# The journal drops lines until it is told not to.
mkdir "$E2E_DIR/bin"
cat > "$E2E_DIR/bin/journalctl" <<'SCRIPT'
#!/bin/sh
cat /etc/systemd/system/postfix@-.service.d/*.conf 2> /dev/null | grep -q '^LogRateLimitIntervalSec=0$' ||
    echo 'Suppressed 4711 messages from postfix@-.service'
SCRIPT
chmod 755 "$E2E_DIR/bin/journalctl"
if [ -e /usr/bin/journalctl ]; then
    mount --bind "$E2E_DIR/bin/journalctl" /usr/bin/journalctl
else
    mount --bind "$E2E_DIR/bin" /usr/local/bin
fi
systemctl_units=$(declare -f systemctl)
systemctl() {
    [ "$1" != daemon-reload ] || return 0
    [ "$1 $2" = 'restart postfix' ] || e2e_fail "systemctl $*"
}
ill journal 'threw away 4711 lines of postfix@-\.service'
eval "$systemctl_units"
umount /usr/bin/journalctl 2> /dev/null || umount /usr/local/bin

# Postfix
e2e_stop_postfix
ill postfix-runs 'not running'
maps=$(postconf -h meta_directory)/dynamicmaps.cf
grep -v '^lmdb' "$maps" > "$E2E_DIR/no_lmdb.cf" || true
mount --bind "$E2E_DIR/no_lmdb.cf" "$maps"
ill lmdb 'cannot read lmdb tables'
postconf -e transport_maps=
ill transport_maps 'not connected'
postconf -e "transport_maps=regexp:/etc/postfix/mine, lmdb:$state/tables/transport"
touch /etc/postfix/mine
ill transport_maps 'regexp:/etc/postfix/mine before Postern'
e2e_equal 'ours is first' "lmdb:$state/tables/transport, regexp:/etc/postfix/mine" \
    "$(postconf -h transport_maps)"
postconf -e parent_domain_matches_subdomains=debug_peer_list,transport_maps,smtpd_access_maps
ill transport_maps 'hold its subdomains'
e2e_equal 'the others stay' 'debug_peer_list, smtpd_access_maps' \
    "$(postconf -h parent_domain_matches_subdomains)"
postconf -MX postern-hold/unix
ill services 'no service postern-hold'
well setup
postconf -X postern-expire_destination_recipient_limit
ill setup 'not as this version'
postconf -P 'rewrite/unix/transport_maps=regexp:/etc/postfix/mine'
ill overrides 'transport_maps for the service rewrite'
printf '%s\n' 'submission inet n - n - - smtpd' '  -o smtpd_milters=' >> /etc/postfix/master.cf
noted overrides 'smtpd_milters for the service submission'
postconf -e authorized_flush_users=root
ill commands 'authorized_flush_users does not let the account postern run postqueue'
postconf -e authorized_submit_users=root,sender
ill commands 'authorized_submit_users does not let the account postern run sendmail'
cp -a /etc/postfix /etc/postfix-out
postconf -c /etc/postfix-out -e queue_directory=/var/spool/postfix-out syslog_name=postfix-out
postconf -e multi_instance_directories=/etc/postfix-out
doctor 0
found note instances 'nobody watches the Postfix in /etc/postfix-out \(postfix-out\)'
postconf -c /etc/postfix-out -e syslog_name=postfix
doctor 1
found PROBLEM instances 'the Postfix in /etc/postfix-out logs as postfix, too'
postconf -X multi_instance_directories

# Tables older than the state: posternd hangs, and somebody took its routes away.
postfix reload > /dev/null 2>&1
e2e_send "$E2E_SENDER" another@partner.test > /dev/null
well routes
kill -STOP "$sandbox_posternd"
setpriv --reuid=postern --regid=postern --clear-groups \
    postmap -d partner.test "lmdb:$state/tables/transport"
doctor 1
found PROBLEM answers 'cannot be asked'
found PROBLEM routes 'older than the state: 1 of [0-9]+ routes'
heal routes
well routes
well answers
echo '# of another version' > "$state/tables/gate_filter.regexp"
ill filters 'not those of'
rm "$state/tables/gate_filter.regexp"
ill tables 'gate_filter.regexp is not there'

# Milters
stop postern-earlyndr
ill milters 'postern-earlyndr is connected, but does not run'
socket=unix:$run/earlyndr.sock
postconf -e milter_default_action=tempfail "smtpd_milters={ inet:127.0.0.9:1, default_action=accept } $socket"
ill milters 'smtpd_milters names postern-earlyndr without default_action=accept'
e2e_equal 'the others stay' \
    "{ inet:127.0.0.9:1, default_action=accept }, { $socket, default_action=accept }" \
    "$(postconf -h smtpd_milters)"
postconf -e smtpd_milters= non_smtpd_milters= internal_mail_filter_classes=
doctor 1
found PROBLEM early-reports 'not reported early'
ill milters 'postern-earlyndr runs, but Postfix does not ask it'
well early-reports
chmod 600 "$run/earlyndr.sock"
ill milters "account postfix cannot use /var/spool/postfix/postern/earlyndr.sock"

# Limits at the door, and a chroot in the way.
limits='recipient_limits = { inbound = ( { limit = 20; } ); };'
config "$limits"
ill limits 'nobody applies them'
postconf -e smtpd_hard_error_limit=20
noted error-limit 'smtpd_hard_error_limit'
postconf -F 'smtp/inet/chroot=y'
well milters
stop postern-rcptlimit
chmod 777 /var/spool/postfix
start postern-rcptlimit
e2e_assert grep -q 'others than root may write to queue_directory' "$E2E_DIR/rcptlimit.log"
chmod 755 /var/spool/postfix
ill milters "cannot reach postern-rcptlimit on unix:$run/rcptlimit\.sock: it has no socket in"
first='{ unix:postern/earlyndr.sock, default_action=accept }'
postconf -e "smtpd_milters=$first, { unix:$run/rcptlimit.sock, default_action=accept }"
ill milters "smtpd_milters has unix:$run/rcptlimit\.sock, which chrooted services do not reach"
e2e_equal 'the name is put right' "$first, { unix:postern/rcptlimit.sock, default_action=accept }" \
    "$(postconf -h smtpd_milters)"
sandbox_posternctl setup --remove > /dev/null
postconf -X smtpd_milters
config "$limits" 'milters = { rcptlimit = { socket = "inet:24891@127.0.0.1"; };
    earlyndr = { socket = "inet:24893@127.0.0.1"; }; };'
sandbox_start_earlyndr() {
    "$PREFIX/sbin/postern-earlyndr" -c "$conf" -f >> "$E2E_DIR/earlyndr.log" 2>&1 &
    sandbox_earlyndr=$!
    sleep 1
}
stop postern-earlyndr
stop postern-rcptlimit
start postern-earlyndr
start postern-rcptlimit
sandbox_posternctl setup --apply > /dev/null
well milters

# The policy service: in smtpd's reach, and not to be missed.
postconf -e "smtpd_recipient_restrictions=check_policy_service unix:$run/policy.sock, permit"
doctor 1
found PROBLEM policy "smtpd_recipient_restrictions has unix:$run/policy\.sock, which chrooted"
found PROBLEM policy 'without default_action=DUNNO'
heal policy
ill policy "smtpd_recipient_restrictions has unix:$run/policy\.sock"
e2e_equal 'the name is put right' 'check_policy_service unix:postern/policy.sock, permit' \
    "$(postconf -h smtpd_recipient_restrictions)"
stop posternd
doctor 1
found PROBLEM policy 'nobody listens there'
heal policy
well policy
