# For the tests of postern-retrycap: a destination that is down, and what is made of it at the door.
# Sourced by them; not a test.

. "$E2E_TOOLS/early.sh"

retrycap_socket=unix:$E2E_DIR/postern/run/retrycap.sock
retrycap_inside=unix:postern/retrycap.sock # the same, as setup writes it
retrycap_ours='ADDR=192.0.2.9 NAME=c.test' retrycap_stranger='ADDR=198.51.100.9 NAME=c.test'

# retrycap_settings WHEN_DOWN CAP [SETTING...]: of the policy. A retry every 3 s.
retrycap_settings() {
    cat <<CONF
milters = { retrycap = { socket = "$retrycap_socket"; when_down = "$1"; }; };
destinations = (
  { name = "partner"; domains = ("partner.test"); open_interval = 3; max_open_retries = $2; ${*:3} },
  { name = "slow"; domains = ("slow.test"); open_interval = 3; max_open_retries = $2; ${*:3} }
);
CONF
}

# retrycap_start: once postern.conf is written; its process id is in retrycap_milter.
retrycap_start() {
    rm -f "${retrycap_socket#unix:}"
    "$PREFIX/sbin/postern-retrycap" -c "$E2E_DIR/postern.conf" -f >> "$E2E_DIR/retrycap.log" 2>&1 &
    retrycap_milter=$!
    e2e_wait_for 10 [ -S "${retrycap_socket#unix:}" ]
}

# retrycap_begin WHEN_DOWN CAP [SETTING...]: the hosts, Postfix, both milters, posternd; connected by
# setup. What main.cf and master.cf were before is in the folder "before".
retrycap_begin() {
    e2e_host good.test 127.0.0.2 accept
    e2e_host partner.test 127.0.0.3 refuse
    e2e_host slow.test 127.0.0.4 refuse
    e2e_start_postfix smtpd_authorized_xclient_hosts=127.0.0.1 \
        'mynetworks=127.0.0.0/8, 192.0.2.0/24' relay_domains=good.test,partner.test,slow.test
    mkdir "$E2E_DIR/before"
    cp /etc/postfix/main.cf /etc/postfix/master.cf "$E2E_DIR/before/"
    e2e_config < <(retrycap_settings "$@")
    early_start_milter
    retrycap_start
    e2e_postern < <(retrycap_settings "$@")
}

# retrycap_hup PROCESS LOG: has it read its configuration again.
retrycap_hup() {
    local before
    before=$(grep -c 'read again' "$E2E_DIR/$2" || true)
    kill -HUP "$1"
    e2e_wait_for 5 eval "[ \$(grep -c 'read again' '$E2E_DIR/$2') -gt $before ]"
}

# retrycap_reload WHEN_DOWN CAP [SETTING...]
retrycap_reload() {
    retrycap_settings "$@" | e2e_config
    retrycap_hup "$retrycap_milter" retrycap.log
    retrycap_hup "$early_milter" earlyndr.log
    retrycap_hup "$sandbox_posternd" posternd.log
}

# retrycap_setup: connects Postfix anew.
retrycap_setup() {
    sandbox_posternctl setup --apply > "$E2E_DIR/setup.log" 2>&1 ||
        e2e_fail "setup: $(cat "$E2E_DIR/setup.log")"
}

# retrycap_talk XCLIENT-ATTRIBUTES SENDER HEADER RCPT-ARGUMENTS...: what a client hears from the first
# RCPT on.
retrycap_talk() {
    local attributes=$1 sender=$2 header=$3 commands=() rcpt
    for rcpt in "${@:4}"; do
        commands+=("RCPT TO:$rcpt")
    done
    e2e_talk 127.0.0.1 10 'EHLO c.test' "XCLIENT $attributes" 'EHLO c.test' "MAIL FROM:<$sender>" \
        "${commands[@]}" DATA "$header"$'Subject: at the door\n\nHello\n.' QUIT | sed -n '6,$p'
}

# retrycap_send, likewise: the queue id; all recipients are accepted.
retrycap_send() {
    local said
    said=$(retrycap_talk "$@")
    [ "$(grep -c '^250 2\.1\.5' <<< "$said")" = $(($# - 3)) ] || e2e_fail "not accepted: $said"
    sed -nE 's/^250 .*queued as ([0-9A-Za-z]+)$/\1/p' <<< "$said"
}

# retrycap_hears REGEX RECIPIENT: a stranger does, at RCPT.
retrycap_hears() {
    retrycap_talk "$retrycap_stranger" "$E2E_SENDER" '' "<$2>" | sed -n 1p | grep -E "^$1"
}

# retrycap_delayed RECIPIENT: the reports that tell of its delay.
retrycap_delayed() {
    local file
    for file in $(early_reports "$1"); do
        ! grep -q '^Action: delayed' "$file" || echo "$file"
    done
}

retrycap_told() {
    [ -n "$(retrycap_delayed "$1")" ]
}
