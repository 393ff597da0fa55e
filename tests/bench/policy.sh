#!/bin/bash
# policy.sh [SECONDS]: requests a second of three policy services, each on one core, one after the
# other: posternd with 100,000 bad addresses and 1,000 destinations in its state, postfwd with a
# single rule, postgrey as it is. The same 50 connections and the same requests (policy.c).
#
#   HELPER=FILE POSTERND=FILE   what is measured, and with what
#   POSTFWD=FILE POSTGREY=FILE  if they are not in the PATH
#
# Needs Postfix's postconf(1). Installs nothing and needs no root; postfwd and postgrey run as whoever runs this.
set -u
seconds=${1:-10}
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
postfwd=${POSTFWD:-$(command -v postfwd)}
postgrey=${POSTGREY:-$(command -v postgrey)}
work=$(mktemp -d "${TMPDIR:-/tmp}/postern-bench.XXXXXX") || exit 1
server=
account=$(id -un)

# The server has a core of its own, if there are two.
server_core=() client_core=()
if command -v taskset > /dev/null && [ "$(nproc)" -ge 2 ]; then
    server_core=(taskset -c 0) client_core=(taskset -c 1)
fi

# Of the session that we began, and no others.
stop() {
    [ -z "$server" ] || pkill -KILL -s "$server" 2> /dev/null
    [ -z "$server" ] || wait "$server" 2> /dev/null
    server=
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# start COMMAND...: as the leader of a session, by which its CPU is counted.
start() {
    "${server_core[@]}" setsid "$@" > "$work/log" 2>&1 &
    server=$!
}

# listens ADDRESS: within ten seconds.
listens() {
    local i
    for ((i = 0; i < 100; i++)); do
        case $1 in
        unix:*) [ ! -S "${1#unix:}" ] || return 0 ;;
        *) ! (: < "/dev/tcp/127.0.0.1/${1#inet:}") 2> /dev/null || return 0 ;;
        esac
        sleep 0.1
    done
    return 1
}

declare -A rate=()

# measure NAME ADDRESS [PIDFILE]: the file tells the session of a server that began one itself.
measure() {
    local line
    if listens "$2" && sleep 1 && server=$(cat "${3:-/dev/null}" | grep . || echo "$server") &&
        line=$("${client_core[@]}" "$HELPER" load "$2" "$seconds" "$server"); then
        set -- "$1" $line
        rate[$1]=$2
        awk -v name="$1" -v rate="$2" -v cpu="$3" -v seconds="$seconds" -v answers="$4 $5 $6" 'BEGIN {
            split(answers, n)
            printf "%-9s %8d requests/s, %6.2f s of CPU in %s s: %6.1f us each", name, rate, cpu,
                seconds, cpu / (rate * seconds) * 1e6
            printf "  (550: %d, deferred: %d, others: %d)\n", n[1], n[2], n[3] }'
    else
        echo "$1: did not work:"
        tail -n 5 "$work/log"
    fi
    stop
}

run_postern() {
    mkdir "$work/state" "$work/run" "$work/postfix" && : > "$work/mail.log" &&
        "$HELPER" fill "$work/state" || exit
    # posternd asks postconf(1) about this one, which never runs.
    echo 'myhostname = bench.example' > "$work/postfix/main.cf"
    : > "$work/postfix/master.cf"
    cat > "$work/postern.conf" <<CONF
postfix = { config_directory = "$work/postfix"; log = "$work/mail.log"; };
state_directory = "$work/state";
runtime_directory = "$work/run";
user = "";
policy = { socket = "unix:$work/run/policy.sock"; };
retry = { open_interval = 500; };
milters = { retrycap = { when_down = "tempfail"; }; };
recipient_limits = { inbound = ( { limit = 1000; } ); };
CONF
    start "$POSTERND" -f -c "$work/postern.conf"
    measure posternd "unix:$work/run/policy.sock"
}

port=10991

# One cheap rule: a list of 100,000 addresses would be gone through one by one for each request. As
# many processes as connections, nothing logged.
run_postfwd() {
    echo 'id=ONE; client_address=203.0.113.1; action=REJECT no' > "$work/postfwd.cf"
    start "$postfwd" -f "$work/postfwd.cf" -i 127.0.0.1 -p "$port" --cache_socket="unix::$work/cache" \
        --min_servers=60 --max_servers=100 --perfmon --summary=0 \
        -u "$account" -g "$(id -gn)" --pidfile="$work/postfwd.pid"
    measure postfwd "inet:$port" "$work/postfwd.pid"
}

run_postgrey() {
    mkdir "$work/postgrey"
    start "$postgrey" --inet="127.0.0.1:$port" --dbdir="$work/postgrey" \
        --user="$account" --group="$(id -gn)" --pidfile="$work/postgrey.pid"
    measure postgrey "inet:$port"
}

run_postern
for other in postfwd postgrey; do
    if [ -n "${!other}" ]; then
        "run_$other"
    else
        echo "$other: not here; Debian's package $other has it"
    fi
done
for other in postfwd postgrey; do
    [ -z "${rate[$other]:-}" ] || [ -z "${rate[posternd]:-}" ] ||
        awk "BEGIN { printf \"posternd/%s: %.1f\n\", \"$other\", ${rate[posternd]} / ${rate[$other]} }"
done
[ "${rate[posternd]:-0}" -gt 0 ]
