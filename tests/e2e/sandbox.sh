# A machine of one's own for a private Postfix: network, processes, /etc, queue, log and mailboxes.
# Sourced by the end-to-end tests and by contrib/demo; needs root and touches nothing of the host's.
#
# Set before: E2E_TOOLS (this folder), SMTPHOST (the program), PREFIX (where Postern is installed).
# E2E_DIR is the sandbox's folder: everything it writes is in there.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

E2E_DOMAIN=sender.test
E2E_SENDER=sender@$E2E_DOMAIN

sandbox_prefix=()

# sandbox_missing: names what a sandbox needs and this machine lacks; nothing when all is there.
sandbox_missing() {
    local tool
    [ "$(id -u)" = 0 ] || echo "root"
    for tool in unshare mount setpriv ip dnsmasq postfix postconf sendmail; do
        command -v "$tool" >/dev/null || echo "$tool"
    done
    [ -e /usr/share/postfix/master.cf.dist ] || echo "/usr/share/postfix/master.cf.dist"
    postconf -m 2>/dev/null | grep -qx lmdb || [ -e /usr/lib/postfix/postfix-lmdb.so ] ||
        echo "postfix-lmdb"
    unshare --mount --net --pid --fork true 2>/dev/null || echo "namespaces (unshare)"
    [ -x "${SMTPHOST:-}" ] || echo "smtphost (make check builds it; SMTPHOST=FILE names it)"
}

# sandbox_exec DIRECTORY SCRIPT [ARGUMENT...]: becomes the process that watches the sandbox. When it
# dies, whatever way, so do the sandbox's processes and with them its mounts. The words in
# sandbox_prefix, if any, go before that command.
sandbox_exec() {
    local directory=$1
    shift
    mkdir -p "$directory" && chmod 755 "$directory" || return
    exec "${sandbox_prefix[@]}" env -u MAIL_CONFIG E2E_DIR="$directory" E2E_TOOLS="$E2E_TOOLS" \
        SMTPHOST="$SMTPHOST" PREFIX="$PREFIX" \
        unshare --mount --net --uts --ipc --pid --fork --kill-child --mount-proc bash "$@"
}

# sandbox_prepare: the first thing a script does in its sandbox.
sandbox_prepare() {
    ip link set lo up
    echo mail > /proc/sys/kernel/hostname
    sandbox_make_etc
    sandbox_make_var
    sandbox_configure_postfix
    newaliases
    : > "$E2E_DIR/dns.conf"
    sandbox_start_dns
}

# No secret of the machine is copied: what a failed test leaves for reading must not hold any.
sandbox_make_etc() {
    local etc=$E2E_DIR/etc name
    mkdir -p "$etc/postfix"
    for name in alternatives host.conf gai.conf ld.so.cache ld.so.conf ld.so.conf.d \
        localtime timezone locale.alias login.defs services protocols; do
        [ ! -e "/etc/$name" ] || cp -a "/etc/$name" "$etc/"
    done
    for name in dynamicmaps.cf dynamicmaps.cf.d postfix-files postfix-files.d postfix-script \
        post-install makedefs.out main.cf.proto master.cf.proto; do
        [ ! -e "/etc/postfix/$name" ] || cp -a "/etc/postfix/$name" "$etc/postfix/"
    done
    printf '%s\n' 'passwd: files' 'group: files' 'shadow: files' 'hosts: files dns' \
        'services: files' 'protocols: files' > "$etc/nsswitch.conf"
    echo "nameserver 127.0.0.1" > "$etc/resolv.conf"
    printf '127.0.0.1 localhost\n127.0.0.1 mail.%s mail\n' "$E2E_DOMAIN" > "$etc/hosts"
    echo "$E2E_DOMAIN" > "$etc/mailname"
    echo "postmaster: root" > "$etc/aliases"
    sandbox_make_accounts "$etc"
    mount --bind "$etc" /etc
}

# The machine's accounts, one for posternd (in adm, to read the log, as on Debian), one that mails.
sandbox_make_accounts() {
    grep -Ev '^(postern|sender):' /etc/passwd > "$1/passwd"
    grep -Ev '^(postern|sender):' /etc/group |
        sed -E 's/^(adm:[^:]*:[^:]*:)(.+)$/\1\2,postern/; s/^(adm:[^:]*:[^:]*:)$/\1postern/' \
            > "$1/group"
    echo 'postern:x:64901:64901:Postern:/nonexistent:/usr/sbin/nologin' >> "$1/passwd"
    echo 'sender:x:64902:64902:Sender:/nonexistent:/usr/sbin/nologin' >> "$1/passwd"
    printf '%s\n' 'postern:x:64901:' 'sender:x:64902:' >> "$1/group"
}

# Stock paths, private contents. postlogd(8) would create the log for root alone (util/logwriter.c:
# mode 0600), so it is there before, as Debian's rsyslog keeps it.
sandbox_make_var() {
    mkdir -p "$E2E_DIR"/{spool,data,log,mail,taken,postern}
    chown postfix:postfix "$E2E_DIR/data"
    chmod 1777 "$E2E_DIR/mail"
    install -m 640 -o root -g adm /dev/null "$E2E_DIR/log/mail.log"
    mount --bind "$E2E_DIR/spool" /var/spool/postfix
    mount --bind "$E2E_DIR/data" /var/lib/postfix
    mount --bind "$E2E_DIR/log" /var/log
    mount --bind "$E2E_DIR/mail" /var/mail
}

# Debian's own files; changed only as far as the sandbox needs: no chroot (its libraries and
# resolv.conf are not there), one address (the others are the remote hosts), a log without syslog.
sandbox_configure_postfix() {
    cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
    cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
    postconf -m 2> /dev/null | grep -qx lmdb ||
        echo 'lmdb postfix-lmdb.so dict_lmdb_open mkmap_lmdb_open' >> /etc/postfix/dynamicmaps.cf
    postconf -F '*/*/chroot=n'
    local relay='permit_mynetworks permit_sasl_authenticated defer_unauth_destination'
    postconf -e "myhostname=mail.$E2E_DOMAIN" 'myorigin=/etc/mailname' \
        "mydestination=\$myhostname, $E2E_DOMAIN, localhost" 'relayhost=' \
        'mynetworks=127.0.0.0/8' 'inet_interfaces=127.0.0.1' 'recipient_delimiter=+' \
        "smtpd_relay_restrictions=$relay" \
        'alias_maps=lmdb:/etc/aliases' 'alias_database=lmdb:/etc/aliases' 'mailbox_size_limit=0' \
        'mail_spool_directory=/var/mail/' 'maillog_file=/var/log/mail.log'
}

# sandbox_start_dns: answers for the names in dns.conf; any other name does not exist.
sandbox_start_dns() {
    local pid
    if pid=$(cat "$E2E_DIR/dns.pid" 2>/dev/null); then
        kill "$pid"
        while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done
    fi
    dnsmasq --conf-file="$E2E_DIR/dns.conf" --pid-file="$E2E_DIR/dns.pid" --user=root --no-resolv \
        --no-hosts --listen-address=127.0.0.1 --bind-interfaces --cache-size=0 \
        --log-facility="$E2E_DIR/dns.log" --local=/#/
}

# sandbox_dns LINE...: adds to dns.conf what is not there yet.
sandbox_dns() {
    local line changed=
    for line; do
        grep -Fqx -- "$line" "$E2E_DIR/dns.conf" && continue
        echo "$line" >> "$E2E_DIR/dns.conf"
        changed=yes
    done
    [ -z "$changed" ] || sandbox_start_dns
}

declare -A sandbox_behaviour=()

# sandbox_host ADDRESS BEHAVIOUR...: sets how the remote host behaves from now on (behaviour.h).
sandbox_host() {
    local address=$1 host
    shift
    sandbox_behaviour[$address]=$*
    for host in "${!sandbox_behaviour[@]}"; do
        echo "$host ${sandbox_behaviour[$host]}"
    done > "$E2E_DIR/smtphost.script.new"
    mv "$E2E_DIR/smtphost.script.new" "$E2E_DIR/smtphost.script"
    sandbox_load_hosts
}

# Starts smtphost, or has it read its script again, and waits until that is done.
sandbox_load_hosts() {
    local log=$E2E_DIR/smtphost.log before now i
    before=$(grep -Ec ' (script|error) ' "$log" 2>/dev/null) || true
    if [ -z "${sandbox_smtphost:-}" ]; then
        "$SMTPHOST" -f "$E2E_DIR/smtphost.script" -l "$log" -s "$E2E_DIR/taken" &
        sandbox_smtphost=$!
    else
        kill -HUP "$sandbox_smtphost"
    fi
    for ((i = 0; i < 500; i++)); do
        now=$(grep -Ec ' (script|error) ' "$log" 2>/dev/null) || true
        [ "${now:-0}" = "${before:-0}" ] || break
        sleep 0.01
    done
    if [ "${now:-0}" = "${before:-0}" ] || tail -n +1 "$log" | grep -q '^[^ ]* [^ ]* 0 error '; then
        echo "smtphost did not take its script:" >&2
        grep ' error ' "$log" >&2
        return 1
    fi
}

# sandbox_now: milliseconds since the epoch, into the variable `now`.
sandbox_now() {
    now=${EPOCHREALTIME/[.,]/}
    now=${now%???}
}

# Sleeping by waiting for input that never comes: many tests wait at a time, and a process for each
# turn of each of them would be what keeps the machine busy.
exec {sandbox_silence}<> <(:)

sandbox_pause() {
    read -r -t 0.1 -u "$sandbox_silence" || true
}

# sandbox_until SECONDS COMMAND...: true as soon as the command is, false when the time is over.
sandbox_until() {
    local now end
    sandbox_now
    end=$((now + $1 * 1000))
    shift
    until "$@"; do
        sandbox_now
        [ "$now" -lt "$end" ] || return 1
        sandbox_pause
    done
}

# sandbox_send FROM TO...: submits one message with sendmail(1) and prints its queue id.
sandbox_send() {
    local from=$1 id=$BASHPID.$RANDOM.${EPOCHREALTIME/[.,]/}@e2e
    shift
    printf '%s\n' "From: $from" "To: $1" "Subject: ${E2E_SUBJECT:-Quarterly figures}" \
        "Message-ID: <$id>" '' 'Good morning,' 'here are the figures.' |
        setpriv --reuid=sender --regid=sender --clear-groups -- sendmail -i -f "$from" -- "$@" ||
        return
    sandbox_until 10 grep -Fq "message-id=<$id>" /var/log/mail.log || return
    sed -nE "s/^.*postfix\/cleanup\[[0-9]+\]: ([0-9A-Za-z]+): message-id=<$id>\$/\1/p" \
        /var/log/mail.log
}

# sandbox_ndr RECIPIENT [ACCOUNT]: the path of an NDR about this recipient, if there is one.
sandbox_ndr() {
    [ -d "/var/mail/${2:-sender}/new" ] &&
        grep -m 1 -lirx -- "Final-Recipient: rfc822; *$1" "/var/mail/${2:-sender}/new"
}

# sandbox_delivered ADDRESS RECIPIENT: true when the remote host took a message for the recipient.
sandbox_delivered() {
    grep -q "^[0-9.]* $1 [0-9]* message .* to=<$2>" "$E2E_DIR/smtphost.log"
}

# sandbox_posternctl ARGUMENT..., with the configuration of this sandbox.
sandbox_posternctl() {
    "$PREFIX/sbin/posternctl" -c "$E2E_DIR/postern.conf" "$@"
}

# sandbox_config: writes postern.conf; the settings that are not about this sandbox come from stdin.
sandbox_config() {
    {
        echo 'postfix = { config_directory = "/etc/postfix"; log = "/var/log/mail.log"; };'
        echo "state_directory = \"$E2E_DIR/postern/state\";"
        echo "runtime_directory = \"$E2E_DIR/postern/run\";"
        echo "user = \"${sandbox_user-postern}\";"
        cat
    } > "$E2E_DIR/postern.conf"
}

# sandbox_start_posternd: its process id is in sandbox_posternd; returns once it can be asked.
sandbox_start_posternd() {
    rm -f "$E2E_DIR/postern/run/control.sock"
    "$PREFIX/sbin/posternd" -c "$E2E_DIR/postern.conf" -f >> "$E2E_DIR/posternd.log" 2>&1 &
    sandbox_posternd=$!
    sandbox_until 10 sandbox_posternctl status > /dev/null 2>&1 &&
        sandbox_until 10 [ -S "$E2E_DIR/postern/run/control.sock" ]
}

# sandbox_start_earlyndr: its process id is in sandbox_earlyndr; returns once it listens.
sandbox_start_earlyndr() {
    rm -f "$E2E_DIR/postern/run/earlyndr.sock"
    "$PREFIX/sbin/postern-earlyndr" -c "$E2E_DIR/postern.conf" -f >> "$E2E_DIR/earlyndr.log" 2>&1 &
    sandbox_earlyndr=$!
    sandbox_until 10 [ -S "$E2E_DIR/postern/run/earlyndr.sock" ]
}
