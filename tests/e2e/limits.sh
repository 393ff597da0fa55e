# For the tests of recipient limits: 300 recipients to a host that takes fewer in one transaction.
# Sourced by them; not a test.

# recipients DOMAIN COUNT
recipients() {
    seq -f "r%g@$1" "$2"
}

# delivered_to ADDRESS...: every recipient that these hosts took, one a line, as often as they did.
delivered_to() {
    local address
    for address; do
        grep "^[0-9.]* $address [0-9]* message " "$E2E_DIR/smtphost.log" || true
    done | grep -o 'to=<[^>]*>'
}

# all_delivered COUNT ADDRESS...
all_delivered() {
    [ "$(delivered_to "${@:2}" | sort -u | wc -l)" -ge "$1" ]
}

# rejections REGEX: how many lines of the mail log say that somebody was one too many.
rejections() {
    { e2e_log_line "to=<.* said: $1" || true; } | wc -l
}

# The whole promise: nobody twice, nobody bounced, and the next message right the first time.
# limits_kept REGEX ADDRESS...
limits_kept() {
    local said=$1 before after
    shift
    e2e_wait_for 25 all_delivered 300 "$@"
    e2e_equal "delivered twice" '' "$(delivered_to "$@" | sort | uniq -d)"
    e2e_equal "bounced" '' "$(e2e_log_line 'status=bounced' || true)"
    before=$(rejections "$said")
    [ "$before" -gt 0 ] || e2e_fail "nothing was rejected: this test shows nothing"
    e2e_send "$E2E_SENDER" $(recipients many.test 300 | sed 's/^/next-/') > /dev/null
    e2e_wait_for 40 all_delivered 600 "$@"
    after=$(rejections "$said")
    e2e_equal "rejections of the next message" 0 $((after - before))
}
