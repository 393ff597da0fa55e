# smtpd and cleanup chrooted, as Debian has them, and no socket in postern.conf: all milters and the
# policy service are reached, by mail over SMTP and by sendmail(1), also after they were killed.
. "$E2E_TOOLS/retrycap.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad*@*' '"550 5.1.1 <bad@good.test>: unknown"'
e2e_host partner.test 127.0.0.3 refuse
e2e_host slow.test 127.0.0.4 silent
queue=/var/spool/postfix run=$E2E_DIR/postern/run before=$E2E_DIR/before once=$E2E_DIR/once
milters='earlyndr rcptlimit retrycap'
settings='default_action=accept, connect_timeout=5s, command_timeout=10s, content_timeout=30s'
mkdir "$before" "$once"

postconf -F 'smtp/inet/chroot=y' 'cleanup/unix/chroot=y'
# A second door, which asks the policy service alone.
cat >> /etc/postfix/master.cf <<'CF'
127.0.0.9:25 inet n - y - - smtpd
  -o smtpd_milters=
  -o { smtpd_recipient_restrictions = check_policy_service
       { unix:postern/policy.sock, default_action=DUNNO, try_limit=1, timeout=10s } }
CF
cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$before/"

declare -A pid=()
as=() # words before the command
start() { # NAME...: milters
    local name
    for name; do
        : > "$E2E_DIR/$name.log"
        "${as[@]}" "$PREFIX/sbin/postern-$name" -c "$E2E_DIR/postern.conf" -f \
            >> "$E2E_DIR/$name.log" 2>&1 &
        pid[$name]=$!
        e2e_wait_for 10 grep -q 'started: ' "$E2E_DIR/$name.log"
    done
}
end() { # SIGNAL NAME...
    local name
    for name in "${@:2}"; do
        kill "-$1" "${pid[$name]}"
        wait "${pid[$name]}" || true
    done
}
setup() {
    sandbox_posternctl setup "$@" > "$E2E_DIR/setup.log" 2>&1 ||
        e2e_fail "setup $*: $(cat "$E2E_DIR/setup.log")"
}
unchanged() { # DIRECTORY
    e2e_assert cmp "$1/main.cf" /etc/postfix/main.cf
    e2e_assert cmp "$1/master.cf" /etc/postfix/master.cf
}
entries() { # NAME...
    local list=
    for name; do
        list+="${list:+, }{ unix:postern/$name.sock, $settings }"
    done
    echo "$list"
}
# The socket is in the queue directory, and the place of postern.conf leads there.
in_place() {
    local name
    for name in $milters policy; do
        e2e_assert test -S "$queue/postern/$name.sock"
        e2e_equal "$name leads to" "$queue/postern/$name.sock" "$(readlink "$run/$name.sock")"
        e2e_equal "mode of $name" 666 "$(stat -c %a "$queue/postern/$name.sock")"
    done
    e2e_equal 'the folder' 'postern 755' "$(stat -c '%U %a' "$queue/postern")"
}
# hears ADDRESS REGEX RECIPIENT...: the answer to the last RCPT.
hears() {
    local commands=() to
    for to in "${@:3}"; do
        commands+=("RCPT TO:<$to>")
    done
    e2e_talk "$1" 10 'EHLO client.test' "MAIL FROM:<$E2E_SENDER>" "${commands[@]}" QUIT |
        sed -n "$(($# + 1))p" | grep -E "^$2"
}
number=0
# Mail comes in and is delivered, by either way.
mail_goes() {
    number=$((number + 1))
    e2e_send -s "$E2E_SENDER" "smtp$number@good.test" > /dev/null
    e2e_send "$E2E_SENDER" "local$number@good.test" > /dev/null
    e2e_wait_for 15 e2e_delivered 127.0.0.2 "smtp$number@good.test"
    e2e_wait_for 15 e2e_delivered 127.0.0.2 "local$number@good.test"
}
# Each is asked: what a client hears, and what the sender of mail by sendmail(1) gets.
all_asked() { # a word that makes the addresses new ones
    e2e_assert hears 127.0.0.1 '550 5\.1\.1 ' bad@good.test
    e2e_assert hears 127.0.0.1 '452 4\.5\.3 .*Too many recipients: 2 are allowed' {a,b,c}@good.test
    e2e_assert hears 127.0.0.9 '550 5\.1\.1 .*Recipient address rejected' bad@good.test
    e2e_assert hears 127.0.0.9 '452 4\.5\.3 .*Recipient address rejected: Too' {a,b,c}@good.test
    e2e_send -s "$E2E_SENDER" "smtp$1@partner.test" > /dev/null
    e2e_send "$E2E_SENDER" "local$1@partner.test" > /dev/null
    e2e_wait_for 15 retrycap_told "smtp$1@partner.test"
    e2e_wait_for 15 retrycap_told "local$1@partner.test"
    e2e_send "$E2E_SENDER" "bad$1@good.test" "someone$1@slow.test" > /dev/null
    e2e_wait_for 15 early_is "bad$1@good.test"
}

e2e_config <<'CONF'
milters = { retrycap = { when_down = "warn"; }; };
early_ndr = { after = 1; };
recipient_limits = { inbound = ( { limit = 2; } ); };
destinations = ( { name = "partner"; domains = ("partner.test"); open_interval = 60;
    max_open_retries = 100; hold_after = 1; } );
CONF
e2e_start_posternd
start $milters
in_place
setup --apply
e2e_refute grep 'not connected' "$E2E_DIR/setup.log"
e2e_equal smtpd_milters "$(entries earlyndr retrycap rcptlimit)" "$(postconf -h smtpd_milters)"
e2e_equal non_smtpd_milters "$(entries earlyndr retrycap)" "$(postconf -h non_smtpd_milters)"
cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$once/"
setup --apply
unchanged "$once"
e2e_start_postfix
e2e_assert postfix check
e2e_refute e2e_log_line 'warning: not owned by|warning: .* differ'
kill -HUP "$sandbox_posternd"

e2e_send "$E2E_SENDER" bad@good.test first@partner.test > /dev/null
e2e_wait_for 15 early_knows bad@good.test
e2e_wait_for 15 e2e_posternd_says 'partner: hold'
e2e_refute e2e_log_line 'warning: connect to Milter service|warning: .*policy\.sock'
all_asked 1
mail_goes

# Killed, all of them: nothing is refused, and the sockets left over are in nobody's way.
end KILL $milters
e2e_kill_posternd
mail_goes
e2e_assert hears 127.0.0.9 '250 ' {a,b,c}@good.test
e2e_assert hears 127.0.0.1 '250 ' {a,b,c}@good.test
setup --apply
unchanged "$once"
e2e_start_posternd
start $milters
in_place
setup --apply
unchanged "$once"
all_asked 2

# Without root, in the folder that is there.
end TERM $milters
for name in $milters; do
    e2e_refute test -e "$queue/postern/$name.sock" -o -L "$run/$name.sock"
done
as=(setpriv --reuid=postern --regid=postern --clear-groups)
start $milters
in_place
e2e_assert hears 127.0.0.1 '550 5\.1\.1 ' bad@good.test

setup --remove
unchanged "$before"
end TERM $milters
e2e_kill_posternd TERM
e2e_equal 'left in the folder' '' "$(ls -A "$queue/postern")"
e2e_equal 'left in the other' '' "$(find "$run" -type l -o -type s)"
