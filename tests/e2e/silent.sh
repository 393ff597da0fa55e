# For the tests of lanes: many hosts that accept a connection and say nothing.
# Sourced by them; not a test.

# silent_hosts COUNT: domains s1.test ... with a host each.
silent_hosts() {
    local i lines=()
    for ((i = 1; i <= $1; i++)); do
        sandbox_behaviour[127.0.$((1 + i / 200)).$((1 + i % 200))]=silent
        lines+=("host-record=mx.s$i.test,127.0.$((1 + i / 200)).$((1 + i % 200))"
            "mx-host=s$i.test,mx.s$i.test,10")
    done
    sandbox_dns "${lines[@]}"
}

# silent_mail COUNT: a message to each of them, as fast as sendmail(1) takes them.
silent_mail() {
    local i
    for ((i = 1; i <= $1; i++)); do
        printf 'From: %s\nSubject: to a silent host\n\nHello\n' "$E2E_SENDER" |
            setpriv --reuid=sender --regid=sender --clear-groups -- \
                sendmail -i -f "$E2E_SENDER" -- "a@s$i.test"
    done
}

# silent_busy COUNT: so many of them have a connection now.
silent_busy() {
    [ "$(grep -Ec '^[0-9.]+ 127\.0\.[1-9][0-9]*\.[0-9]+ [0-9]+ connect' "$E2E_DIR/smtphost.log")" -ge "$1" ]
}

# silent_delay QUEUEID RECIPIENT: ms from its arrival to its delivery, as Postfix logged it.
silent_delay() {
    e2e_log_line " $1: to=<$2>, .*status=sent" | sed -E 's/.* delay=([0-9.]+), .*/\1/' |
        awk '{ print int($1 * 1000) }'
}
