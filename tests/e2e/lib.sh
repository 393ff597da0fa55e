# The words the end-to-end tests are written in. Sourced by the first process of a test's sandbox.
# A test fails with its first failing assertion or command, and shows the logs then.

. "$E2E_TOOLS/sandbox.sh"

set -eEuo pipefail
trap 'e2e_fail "line $LINENO: $BASH_COMMAND"' ERR

# e2e_fail WHAT: ends the test, with what one wants to read.
e2e_fail() {
    trap - ERR
    set +e
    {
        echo "FAILED: $*"
        e2e_show "mail log" tail -n 150 /var/log/mail.log
        e2e_show "posternd" tail -n 100 "$E2E_DIR/posternd.log"
        e2e_show "remote hosts" tail -n 60 "$E2E_DIR/smtphost.log"
        e2e_show "queue" timeout 5 postqueue -p
    } >&2
    exit 1
}

e2e_show() {
    echo "--- $1"
    shift
    "$@" 2>&1
}

# --- what a test does

# e2e_start_postfix [NAME=VALUE...]: settings beyond Debian's own, in seconds where they are times.
e2e_start_postfix() {
    [ $# = 0 ] || postconf -e "$@"
    postfix start > "$E2E_DIR/postfix-start.log" 2>&1 ||
        e2e_fail "postfix start: $(cat "$E2E_DIR/postfix-start.log")"
}

e2e_stop_postfix() {
    postfix stop > /dev/null 2>&1
}

# e2e_host NAME ADDRESS BEHAVIOUR...: a remote mail domain, its host, how that behaves from now on.
e2e_host() {
    local name=$1
    sandbox_host "${@:2}"
    sandbox_dns "host-record=mx.$name,$2" "mx-host=$name,mx.$name,10"
}

# e2e_address NAME ADDRESS: a domain with an address and no MX, such as a mistyped one.
e2e_address() {
    sandbox_dns "host-record=$1,$2"
}

# e2e_broken_dns NAME: every question about the domain is answered with a server failure.
e2e_broken_dns() {
    # With no upstream server to ask, dnsmasq answers REFUSED, which the resolver library reports
    # like SERVFAIL: try again.
    sandbox_dns "server=/$1/#"
}

# e2e_send [-s] FROM TO...: prints the queue id. With -s over SMTP, otherwise sendmail(1).
e2e_send() {
    if [ "$1" = -s ]; then
        shift
        e2e_send_smtp "$@"
    else
        sandbox_send "$@"
    fi
}

# e2e_talk ADDRESS SECONDS COMMAND...: one SMTP connection; prints the last line of each answer, the
# greeting's first. "silence" when nothing comes in that time, "closed" when the connection ends;
# either ends the talk. A command may hold several lines (pipelining): its answers are all printed.
e2e_talk() {
    local wire command seconds=$2 lines
    exec {wire}<> "/dev/tcp/$1/25" || return
    shift 2
    e2e_answer "$wire" "$seconds" || return 0
    for command; do
        # The server may have gone: that shows in its answer.
        (trap '' PIPE; printf '%s\r\n' "${command//$'\n'/$'\r\n'}" >&"$wire") 2> /dev/null || true
        lines=${command//[!$'\n']/}
        [[ $command != *$'\n.' ]] || lines=
        for ((lines = ${#lines}; lines >= 0; lines--)); do
            e2e_answer "$wire" "$seconds" || return 0
        done
    done
    exec {wire}>&-
}

# e2e_answer FD SECONDS
e2e_answer() {
    local line status=0
    while true; do
        IFS= read -r -t "$2" -u "$1" line 2>/dev/null || status=$?
        [ "$status" = 0 ] || break
        [[ $line = ???-* ]] || break
    done
    case $status in
    0) echo "${line%$'\r'}" ;;
    1) echo closed; return 1 ;;
    *) echo silence; return 1 ;;
    esac
}

e2e_send_smtp() {
    local from=$1 to commands=() said
    shift
    for to; do
        commands+=("RCPT TO:<$to>")
    done
    said=$(e2e_talk 127.0.0.1 10 'EHLO client.test' "MAIL FROM:<$from>" "${commands[@]}" DATA \
        "From: $from"$'\n'"To: $1"$'\nSubject: by SMTP\n\nHello\n.' QUIT)
    sed -nE 's/^250 .* queued as ([0-9A-Za-z]+)$/\1/p' <<< "$said" | grep . ||
        { echo "SMTP to the sandbox's Postfix: $said" >&2; return 1; }
}

# e2e_config: writes postern.conf from standard input, not yet used by anyone.
e2e_config() {
    sandbox_config
}

# e2e_postern: connects Postfix with Postern and starts posternd, with the configuration on stdin.
e2e_postern() {
    e2e_config
    sandbox_posternctl setup --apply > "$E2E_DIR/setup.log" 2>&1 ||
        e2e_fail "posternctl setup --apply: $(cat "$E2E_DIR/setup.log")"
    e2e_start_posternd
}

e2e_start_posternd() {
    sandbox_start_posternd || e2e_fail "posternd does not answer 10 s after its start"
}

# e2e_posternd_says REGEX: in posternd's own log.
e2e_posternd_says() {
    grep -E -- "$1" "$E2E_DIR/posternd.log"
}

# e2e_kill_posternd [SIGNAL]: and waits until it is gone. The default, KILL, leaves it no time.
e2e_kill_posternd() {
    kill "-${1:-KILL}" "$sandbox_posternd"
    wait "$sandbox_posternd" || true
}

# --- what a test asks

# e2e_now: milliseconds since the epoch.
e2e_now() {
    local now
    sandbox_now
    echo "$now"
}

# e2e_log_line REGEX: the lines of the mail log that match; false when there is none.
e2e_log_line() {
    grep -E -- "$1" /var/log/mail.log
}

# e2e_status QUEUEID RECIPIENT REGEX: what became of this recipient, as the mail log has it.
e2e_status() {
    e2e_log_line " $1: to=<$2>, .*$3"
}

e2e_ndr_for() {
    local file
    file=$(sandbox_ndr "$@") && cat "${file%%$'\n'*}"
}

e2e_has_ndr() {
    sandbox_ndr "$@" > /dev/null
}

e2e_queued() {
    [ "$(postqueue -p | grep -c "^$1")" != 0 ]
}

e2e_not_queued() {
    ! e2e_queued "$1"
}

e2e_queue_empty() {
    [ "$(postqueue -p)" = 'Mail queue is empty' ]
}

e2e_delivered() {
    sandbox_delivered "$@"
}

# e2e_events ADDRESS REGEX: when (ms) the remote host logged such events, one a line.
e2e_events() {
    { grep -E "^[0-9.]+ ${1//./\\.} [0-9]+ $2" "$E2E_DIR/smtphost.log" || true; } |
        sed -E 's/^([0-9]+)\.([0-9]+) .*$/\1\2/'
}

e2e_count_events() {
    grep -Ec "^[0-9.]+ ${1//./\\.} [0-9]+ $2" "$E2E_DIR/smtphost.log" || true
}

# e2e_had_events COUNT ADDRESS REGEX: at least so many.
e2e_had_events() {
    [ "$(e2e_count_events "$2" "$3")" -ge "$1" ]
}

# --- what a test asserts

# e2e_wait_for SECONDS COMMAND...
e2e_wait_for() {
    sandbox_until "$@" > /dev/null || e2e_fail "not within $1 s: ${*:2}"
}

# e2e_never SECONDS COMMAND...: the command must stay false all this time.
e2e_never() {
    ! sandbox_until "$@" > /dev/null || e2e_fail "must not happen: ${*:2}"
}

e2e_assert() {
    "$@" > /dev/null || e2e_fail "$*"
}

e2e_refute() {
    ! "$@" > /dev/null || e2e_fail "must not be: $*"
}

# e2e_equal WHAT EXPECTED GOT
e2e_equal() {
    [ "$2" = "$3" ] || e2e_fail "$1: expected '$2', got '$3'"
}

# e2e_between WHAT LEAST MOST GOT: numbers.
e2e_between() {
    [ "$4" -ge "$2" ] && [ "$4" -le "$3" ] || e2e_fail "$1: expected $2 to $3, got $4"
}

# e2e_ndr_says RECIPIENT REGEX...: each is in the NDR about the recipient, line breaks put aside.
e2e_ndr_says() {
    local text words
    text=$(e2e_ndr_for "$1" | tr -s ' \n' ' ') || e2e_fail "no NDR for $1"
    for words in "${@:2}"; do
        grep -Eiq -- "$words" <<< "$text" ||
            e2e_fail "the NDR for $1 does not say '$words':"$'\n'"$(e2e_ndr_for "$1")"
    done
}

# e2e_spaced WHAT INTERVAL TOLERANCE TIME...: in ms; each time follows the last after the interval.
e2e_spaced() {
    local what=$1 interval=$2 tolerance=$3 time last gap
    shift 3
    last=$1
    shift
    for time; do
        gap=$((time - last))
        e2e_between "$what" $((interval - tolerance)) $((interval + tolerance)) "$gap"
        last=$time
    done
}
