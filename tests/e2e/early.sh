# For the tests of early reports: the milter, and what its senders get.
# Sourced by them; not a test.

early_socket=unix:$E2E_DIR/postern/run/earlyndr.sock

# What connects Postfix with the milter, and lets a test play clients of other networks.
early_postfix=("smtpd_milters={ $early_socket, default_action=accept }"
    "non_smtpd_milters={ $early_socket, default_action=accept }"
    internal_mail_filter_classes=bounce smtpd_authorized_xclient_hosts=127.0.0.1)

# early_start_milter: once postern.conf is written; its process id is in early_milter.
early_start_milter() {
    sandbox_start_earlyndr || e2e_fail "postern-earlyndr does not listen 10 s after its start"
    early_milter=$sandbox_earlyndr
}

# early_postern: as e2e_postern, with the milter.
early_postern() {
    e2e_postern
    early_start_milter
}

# early_kill_milter
early_kill_milter() {
    kill -KILL "$early_milter"
    wait "$early_milter" || true
}

# early_reports RECIPIENT [ACCOUNT]: the files with a report about this recipient, one a line.
early_reports() {
    [ ! -d "/var/mail/${2:-sender}/new" ] ||
        grep -lirx -- "Final-Recipient: rfc822; *$1" "/var/mail/${2:-sender}/new" || true
}

# early_count RECIPIENT: how many reports name it.
early_count() {
    early_reports "$@" | grep -c . || true
}

# early_is RECIPIENT: Postern's own report, not Postfix's.
early_is() {
    local file
    for file in $(early_reports "$1"); do
        grep -q '^X-Postfix-Queue-ID:' "$file" || return 0
    done
    return 1
}

# early_told RECIPIENT: at least one report.
early_told() {
    [ "$(early_count "$1")" -ge 1 ]
}

# early_assert_once RECIPIENT...
early_assert_once() {
    local recipient
    for recipient; do
        e2e_equal "reports about $recipient" 1 "$(early_count "$recipient")"
    done
}

# early_milter_says REGEX
early_milter_says() {
    grep -E -- "$1" "$E2E_DIR/earlyndr.log"
}

# early_knows ADDRESS: posternd knows that it is bad.
early_knows() {
    sandbox_posternctl recipients --json | grep -Fq "\"$1\""
}
