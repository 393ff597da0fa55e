# posternd -t: what would keep posternd from starting, or leave it blind, each with its setting.
e2e_config < /dev/null
log=$E2E_DIR/check.log

# check STATUS REGEX [SED]: of -t with the sandbox's configuration as changed by SED.
check() {
    local status=0
    sed "${3:-}" "$E2E_DIR/postern.conf" > "$E2E_DIR/other.conf"
    "$PREFIX/sbin/posternd" -c "$E2E_DIR/other.conf" -t > "$log" 2>&1 || status=$?
    e2e_equal "exit status of -t for ${3:-no change}: $(cat "$log")" "$1" "$status"
    e2e_assert grep -Eq -- "$2" "$log"
}

check 0 'other\.conf: no mistakes$'
e2e_refute grep -q warning "$log"
check 0 'warning: .*: user: there is no account "nobodyelse"' 's/^user = .*/user = "nobodyelse";/'
check 0 'warning: .*: postfix\.config_directory: /etc/post/main\.cf: No such file' \
    's|"/etc/postfix"|"/etc/post"|'
check 0 'warning: .*: postfix\.log: /var/log/none\.log is not there yet' \
    's|/var/log/mail\.log|/var/log/none.log|'
check 0 'warning: .*: state_directory: .*/nowhere: No such file' \
    "s|^state_directory = .*|state_directory = \"$E2E_DIR/nowhere/state\";|"
check 0 'warning: .*: runtime_directory: .*/postern\.conf: Not a directory' \
    "s|^runtime_directory = .*|runtime_directory = \"$E2E_DIR/postern.conf\";|"
chmod 600 /var/log/mail.log
check 0 'warning: .*: postfix\.log: /var/log/mail\.log: Permission denied, for .*"postern"'
check 78 'unknown setting' '$a nonsense = 1;'
e2e_refute grep -q 'no mistakes' "$log"

# Somebody without access is told who has it.
status=0
setpriv --reuid=sender --regid=sender --clear-groups -- "$PREFIX/sbin/posternctl" \
    -c "$E2E_DIR/postern.conf" status > "$log" 2>&1 || status=$?
e2e_equal "exit status before there is a state" 69 "$status"
e2e_start_postfix
e2e_postern < /dev/null
e2e_wait_for 10 test -S "$E2E_DIR/postern/run/control.sock"
for command in status 'retry partner.test'; do
    status=0
    # shellcheck disable=SC2086
    setpriv --reuid=sender --regid=sender --clear-groups -- "$PREFIX/sbin/posternctl" \
        -c "$E2E_DIR/postern.conf" $command > "$log" 2>&1 || status=$?
    e2e_equal "exit status of $command: $(cat "$log")" 77 "$status"
    e2e_assert grep -q 'run it as root or as postern' "$log"
done
