# Configurations of two Postfix instances that clash: one clear line each, and nothing is mixed.
. "$E2E_TOOLS/instances.sh"
instances_create
state='state_directory = "/var/lib/postern";'
run='runtime_directory = "/run/postern";'
in=/etc/postern/postern.conf out=/etc/postern/out.conf
: > $in
echo 'instance = "out";' > $out
postfix start > "$E2E_DIR/start.log" 2>&1 || e2e_fail "$(cat "$E2E_DIR/start.log")"
instances_setup in --apply
instances_start in

# fails STATUS REGEX COMMAND...: with one line (of many words) that says it.
fails() {
    local status=0
    timeout 20 "${@:3}" > "$E2E_DIR/said" 2>&1 || status=$?
    e2e_equal "exit status of ${*:3} ($(cat "$E2E_DIR/said"))" "$1" "$status"
    grep -Eq -- "$2" "$E2E_DIR/said" || e2e_fail "${*:3} says $(cat "$E2E_DIR/said")"
}

# --- posternd: the first is left alone

posternd=$PREFIX/sbin/posternd
fails 75 "^posternd: fatal: $in: another posternd runs with this file$" "$posternd" -c $in -f
printf '%s\n' 'instance = "out";' "$state" > /etc/postern/state.conf
fails 75 "state.conf: state_directory: another posternd works in /var/lib/postern; set instance" \
    "$posternd" -c /etc/postern/state.conf -f
printf '%s\n' 'instance = "out";' "$run" > /etc/postern/run.conf
fails 75 "run.conf: runtime_directory: another posternd \(started with $in\) works in /run/postern;" \
    "$posternd" -c /etc/postern/run.conf -f
printf '%s\n' 'instance = "out"; policy = { socket = "unix:/run/postern/policy.sock"; };' \
    'recipient_limits = { inbound = ( { limit = 9; } ); };' > /etc/postern/policy.conf
fails 69 'policy.socket: unix:/run/postern/policy.sock: another program listens there' \
    "$posternd" -c /etc/postern/policy.conf -f
e2e_assert [ -S /run/postern/policy.sock ]
e2e_assert grep -q '^posternd: *running' <(instances_ctl in status)
fails 1 "no destination" "$PREFIX/sbin/posternctl" -c $in retry nobody.test

# --- a milter

milter=$PREFIX/sbin/postern-rcptlimit
"$milter" -c $in -f > "$E2E_DIR/rcptlimit.log" 2>&1 &
e2e_wait_for 10 [ -S /run/postern/rcptlimit.sock ]
fails 75 'rcptlimit.sock: another program listens there; of another Postfix instance\? Set inst' \
    "$milter" -c /etc/postern/run.conf -f

# --- the file of one, about the Postfix of the other

rm /etc/postern/{state,run,policy}.conf
wrong=/etc/postern/wrong.conf
printf '%s\n' 'postfix = { config_directory = "/etc/postfix"; };' 'instance = "out";' > $wrong
cp /etc/postfix/main.cf /etc/postfix/master.cf "$E2E_DIR"
fails 78 "Postfix in /etc/postfix is connected by $in already" \
    "$PREFIX/sbin/posternctl" -c $wrong setup --apply
fails 78 "is postfix.config_directory right in $wrong\?" "$PREFIX/sbin/posternctl" -c $wrong setup
fails 1 "instances: the Postfix in /etc/postfix is connected by $in, and this is about $wrong" \
    "$PREFIX/sbin/posternctl" -c $wrong doctor
e2e_assert grep -Fq "type: posternctl -c $in doctor" "$E2E_DIR/said"
e2e_assert cmp "$E2E_DIR/main.cf" /etc/postfix/main.cf
e2e_assert cmp "$E2E_DIR/master.cf" /etc/postfix/master.cf
rm $wrong

# --- Postfix's own files, copied with what they say of the other posternd

cp /etc/postfix-out/main.cf "$E2E_DIR/out.cf"
sed -n '/^# BEGIN postern/,/^# END postern/p' /etc/postfix/main.cf >> /etc/postfix-out/main.cf
sed -n '/^# BEGIN postern/,/^# END postern/p' /etc/postfix/master.cf >> /etc/postfix-out/master.cf
e2e_assert grep -q /var/lib/postern/tables <(postconf -c /etc/postfix-out -hx transport_maps)
instances_setup out --apply
e2e_equal "the table of out" lmdb:/var/lib/postern-out/tables/transport \
    "$(postconf -c /etc/postfix-out -hx transport_maps)"
e2e_refute grep -q '/var/lib/postern/\|postern.conf' /etc/postfix-out/main.cf \
    /etc/postfix-out/master.cf
instances_setup out --remove
e2e_assert cmp "$E2E_DIR/out.cf" /etc/postfix-out/main.cf
e2e_assert cmp "$E2E_DIR/main.cf" /etc/postfix/main.cf

# By hand: nobody but who wrote it can take that out.
postconf -c /etc/postfix-out -e 'transport_maps=lmdb:/var/lib/postern/tables/transport'
cp /etc/postfix-out/main.cf "$E2E_DIR/out.cf"
fails 78 'transport_maps has lmdb:/var/lib/postern/tables/transport outside of' \
    "$PREFIX/sbin/posternctl" -c $out setup --apply
e2e_assert cmp "$E2E_DIR/out.cf" /etc/postfix-out/main.cf
instances_start out
e2e_refute instances_ctl out doctor
instances_ctl out doctor > "$E2E_DIR/doctor" || true
e2e_assert grep -q '^PROBLEM .*instances: .*the table of another posternd' "$E2E_DIR/doctor"
typed=$(awk '$2 == "instances:" { getline; sub(/^ *type: /, ""); print; exit }' "$E2E_DIR/doctor")
eval "$typed" > /dev/null 2>&1 || e2e_fail "$typed"
instances_setup out --apply

# --- one name for both: no line counts, and it is said

postconf -c /etc/postfix-out -e syslog_name=postfix
kill -HUP "${instances_posternd[out]}"
e2e_wait_for 10 instances_says out 'the Postfix of /etc/postfix logs under the name postfix, too'
instances_ctl out doctor > "$E2E_DIR/doctor" || true
e2e_assert grep -q '^PROBLEM .*instances: the Postfix in /etc/postfix logs as postfix, too' \
    "$E2E_DIR/doctor"
e2e_assert grep -q "type: postconf -c /etc/postfix-out -e 'syslog_name = postfix-out'" \
    "$E2E_DIR/doctor"

# --- an instance that is down keeps setup of the other from nothing

postfix -c /etc/postfix-out stop > /dev/null 2>&1
instances_setup in --remove
e2e_assert grep -q 'has been told to read its files again' "$E2E_DIR/setup-in.log"
postfix -c /etc/postfix stop > /dev/null 2>&1

# --- no file named, and none of the usual name

cp -a "$PREFIX" "$E2E_DIR/prefix"
mount --bind "$E2E_DIR/prefix" "$PREFIX"
default=$("$PREFIX/sbin/posternctl" -h | sed -n 's/.*(default \(.*\))$/\1/p')
[[ $default = "$PREFIX"/* ]] || { mkdir -p "$E2E_DIR/etc2"; mount --bind "$E2E_DIR/etc2" /etc/postern; }
mkdir -p "$(dirname "$default")"
fails 78 "^posternctl: fatal: $default: cannot read the file: No such file or directory$" "$PREFIX/sbin/posternctl" status
echo 'instance = "out";' > "$(dirname "$default")/out.conf"
fails 78 "No such file or directory; there is $(dirname "$default")/out.conf: -c names a file$" \
    "$PREFIX/sbin/posternctl" status
