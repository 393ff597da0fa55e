# Where no socket can be made in queue_directory: the place of postern.conf is the socket itself, as
# if there were no chroot; what others put in the way is neither followed nor taken away.
. "$E2E_TOOLS/inbound.sh"
e2e_host partner.test 127.0.0.2 accept
queue=/var/spool/postfix run=$E2E_DIR/postern/run
place=$run/rcptlimit.sock socket=$queue/postern/rcptlimit.sock
log=$E2E_DIR/rcptlimit.log setup=$E2E_DIR/setup.log
echo precious > "$E2E_DIR/precious"
mkdir "$E2E_DIR/precious.d"

start() { # [WORD...]: before the command
    : > "$log"
    "$@" "$PREFIX/sbin/postern-rcptlimit" -c "$E2E_DIR/postern.conf" -f >> "$log" 2>&1 &
    milter=$!
    e2e_wait_for 10 grep -q 'started: ' "$log"
}
end() { # SIGNAL
    kill "-$1" "$milter"
    wait "$milter" || true
}
is_link() {
    e2e_equal 'the place' "$socket" "$(readlink "$place")"
    e2e_assert test -S "$socket"
}
# is_socket REASON: and the log has it, once.
is_socket() {
    e2e_assert test -S "$place" -a ! -L "$place"
    e2e_equal "$1, in: $(cat "$log")" 1 \
        "$(grep -c "warning: .*$socket: $1; chrooted services of Postfix do not reach unix:$place" "$log")"
}
precious() {
    e2e_equal 'a file' precious "$(cat "$E2E_DIR/precious")"
    e2e_equal 'a folder' "root $(stat -c %a "$E2E_DIR/precious.d")" \
        "$(stat -c '%U %a' "$E2E_DIR/precious.d")"
    e2e_equal 'in it' '' "$(ls -A "$E2E_DIR/precious.d")"
}
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }

e2e_config <<< "recipient_limits = { inbound = ( { limit = 20; } ); }; early_ndr = { mode = \"off\"; };"
install -d -o postern -g postern "$run"
cp -p /etc/postfix/main.cf "$E2E_DIR/main.cf"

# No folder, and no right to make one; root makes it.
start setpriv --reuid=postern --regid=postern --clear-groups --
is_socket 'No such file or directory'
postconf -F 'smtp/inet/chroot=y'
sandbox_posternctl setup --apply > "$setup"
e2e_assert grep -q "postern-rcptlimit is not connected: .* chrooted, .* no socket in $queue/postern" \
    "$setup"
e2e_equal smtpd_milters '' "$(postconf -h smtpd_milters)"
postconf -F 'smtp/inet/chroot=n'
sandbox_posternctl setup --apply > "$setup"
e2e_assert grep -q "{ unix:$place, " <(postconf -h smtpd_milters)
end KILL
start
is_link

# Setup finds the better name, and keeps it when the milter is stopped.
sandbox_posternctl setup --apply > "$setup"
e2e_assert grep -q '{ unix:postern/rcptlimit.sock, ' <(postconf -h smtpd_milters)
end TERM
cp -p /etc/postfix/main.cf "$E2E_DIR/once"
sandbox_posternctl setup --apply > "$setup"
e2e_assert cmp "$E2E_DIR/once" /etc/postfix/main.cf

# A live socket is another program's: nobody takes it, whoever has the name in postern.conf.
start
e2e_refute "$PREFIX/sbin/postern-rcptlimit" -c "$E2E_DIR/postern.conf" -f
is_link
sed "s|$run|$run.other|" "$E2E_DIR/postern.conf" > "$E2E_DIR/other.conf"
"$PREFIX/sbin/postern-rcptlimit" -c "$E2E_DIR/other.conf" -f > "$log.other" 2>&1 &
other=$!
e2e_wait_for 10 grep -q 'started: ' "$log.other"
e2e_assert grep -q "$socket: another program listens there" "$log.other"
e2e_assert test ! -L "$run.other/rcptlimit.sock" -a -S "$run.other/rcptlimit.sock"
is_link
e2e_start_postfix "${inbound_error_limits[@]}"
inbound_pipelined
kill "$other"
wait "$other" || true
is_link

# Another queue_directory: what a killed one left in the first goes.
end KILL
e2e_assert test -S "$socket"
mkdir "$E2E_DIR/queue2"
postconf -e "queue_directory=$E2E_DIR/queue2"
start
e2e_equal 'the place' "$E2E_DIR/queue2/postern/rcptlimit.sock" "$(readlink "$place")"
e2e_refute test -e "$socket"
end TERM
postconf -e "queue_directory=$queue"

# What cannot be told.
postconf -e 'queue_directory=$data_directory/queue'
start
e2e_assert grep -q "queue_directory is \"\$data_directory/queue\", which is no plain path" "$log"
e2e_assert test -S "$place" -a ! -L "$place"
end KILL
postconf -e "queue_directory=$queue"
start
is_link
end TERM

# Links in the way, in what belongs to our account, and in what root alone may write to.
as postern ln -s "$E2E_DIR/precious" "$socket"
start
is_socket '[^;]*'
precious
end TERM
e2e_equal 'the link' "$E2E_DIR/precious" "$(readlink "$socket")"
rm "$socket"
rmdir "$queue/postern"
ln -s "$E2E_DIR/precious.d" "$queue/postern"
start
is_socket 'this is not a folder of our account alone'
precious
end TERM
rm "$queue/postern"
chmod 777 "$queue"
start
is_socket 'others than root may write to queue_directory'
e2e_refute test -e "$queue/postern"
end TERM
chmod 755 "$queue"
start
is_link
end TERM
precious

# The policy service, likewise: at its start, and when postern.conf is read again.
rmdir "$queue/postern"
policy=$run/policy.sock
e2e_start_posternd
e2e_equal 'policy' "$queue/postern/policy.sock" "$(readlink "$policy")"
e2e_kill_posternd
as postern ln -s "$E2E_DIR/precious" "$run/other.sock"
sed -i '$apolicy = { socket = "unix:'"$run"'/other.sock"; };' "$E2E_DIR/postern.conf"
! timeout 10 "$PREFIX/sbin/posternd" -c "$E2E_DIR/postern.conf" -f > "$E2E_DIR/posternd.out" 2>&1 ||
    e2e_fail "posternd started"
e2e_assert grep -q "unix:$run/other.sock: cannot listen there" "$E2E_DIR/posternd.out"
precious
rm "$run/other.sock"
e2e_start_posternd
e2e_equal 'policy' "$queue/postern/other.sock" "$(readlink "$run/other.sock")"
sed -i '/^policy = /d' "$E2E_DIR/postern.conf"
kill -HUP "$sandbox_posternd"
e2e_wait_for 10 e2e_posternd_says 'read again'
e2e_assert test -S "$policy" -a "$queue/postern/policy.sock" -ef "$policy"
e2e_refute test -L "$run/other.sock" -o -e "$queue/postern/other.sock"
e2e_kill_posternd TERM
e2e_refute test -L "$policy" -o -e "$queue/postern/policy.sock"
