# For the tests of several Postfix instances: two, made by postmulti(1) as an administrator would,
# that write one log. Sourced by them; not a test.
#
# "in" is the default one, /etc/postfix, with /etc/postern/postern.conf; "out" is /etc/postfix-out,
# with /etc/postern/out.conf, at 127.0.0.9.

declare -A instances_config=([in]=/etc/postern/postern.conf [out]=/etc/postern/out.conf)
declare -A instances_postfix=([in]=/etc/postfix [out]=/etc/postfix-out)
declare -A instances_run=([in]=/run/postern [out]=/run/postern-out)
declare -A instances_posternd=()

# The folders that postmulti, postern.conf's defaults and Postern itself use.
instances_make_var() {
    local name
    mkdir -p "$E2E_DIR"/{vspool,vlib}/postfix "$E2E_DIR/vrun" /etc/postern
    mount --bind "$E2E_DIR/vspool" /var/spool
    mount --bind "$E2E_DIR/spool" /var/spool/postfix
    mount --bind "$E2E_DIR/vlib" /var/lib
    mount --bind "$E2E_DIR/data" /var/lib/postfix
    mount --bind "$E2E_DIR/vrun" /run
}

# instances_create: with the master.cf that postmulti gives it, whose service relay logs under the
# default instance's name.
instances_create() {
    instances_make_var
    ip address add 127.0.0.9/8 dev lo
    postmulti -e init
    postmulti -I postfix-out -G mta -e create
    postmulti -i postfix-out -e enable
    postconf -c /etc/postfix-out -F '*/*/chroot=n'
    postconf -c /etc/postfix-out -e 'master_service_disable=' 'authorized_submit_users=static:anyone' \
        "myhostname=out.$E2E_DOMAIN" 'myorigin=/etc/mailname' 'inet_interfaces=127.0.0.9' \
        "mydestination=\$myhostname, $E2E_DOMAIN, localhost" 'mynetworks=127.0.0.0/8' \
        "alias_maps=$(postconf -h alias_maps)" 'mail_spool_directory=/var/mail/' \
        'compatibility_level=3.6' 'maillog_file=/var/log/mail.log'
}

# instances_start NAME: its posternd, once it can be asked.
instances_start() {
    "$PREFIX/sbin/posternd" -c "${instances_config[$1]}" -f >> "$E2E_DIR/posternd-$1.log" 2>&1 &
    instances_posternd[$1]=$!
    e2e_wait_for 10 [ -S "${instances_run[$1]}/control.sock" ]
    e2e_wait_for 10 instances_ctl "$1" status
}

# instances_ctl NAME ARGUMENT...: posternctl with that configuration.
instances_ctl() {
    "$PREFIX/sbin/posternctl" -c "${instances_config[$1]}" "${@:2}"
}

# instances_send NAME TO: submits one message there; prints its queue id.
instances_send() {
    local id=$BASHPID.$RANDOM.${EPOCHREALTIME/[.,]/}@e2e
    printf '%s\n' "From: $E2E_SENDER" "To: $2" "Message-ID: <$id>" '' 'Good morning.' |
        setpriv --reuid=sender --regid=sender --clear-groups -- \
            sendmail -C "${instances_postfix[$1]}" -i -f "$E2E_SENDER" -- "$2"
    e2e_wait_for 10 grep -Fq "message-id=<$id>" /var/log/mail.log
    sed -nE "s/^.*\/cleanup\[[0-9]+\]: ([0-9A-Za-z]+): message-id=<$id>\$/\1/p" /var/log/mail.log
}

# instances_says NAME REGEX: in its posternd's log.
instances_says() {
    grep -E -- "$2" "$E2E_DIR/posternd-$1.log"
}

# instances_shows NAME REGEX COMMAND...: in what posternctl says.
instances_shows() {
    instances_ctl "$1" "${@:3}" 2>&1 | grep -Eq -- "$2"
}

# instances_setup NAME ARGUMENT...
instances_setup() {
    instances_ctl "$1" setup "${@:2}" > "$E2E_DIR/setup-$1.log" 2>&1 ||
        e2e_fail "setup of $1: $(cat "$E2E_DIR/setup-$1.log")"
}
