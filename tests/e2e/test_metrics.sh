# Prometheus is told, on the control socket and on a loopback port, what happened; nothing else is
# answered on that port, a reload moves it, and idle or slow clients do not keep others out.
e2e_host partner.test 127.0.0.2 refuse
e2e_host good.test 127.0.0.3 accept
port=9154

config() { # LISTEN
    echo "metrics = { listen = \"$1\"; };
        destinations = ( { name = \"partner\"; domains = (\"partner.test\");
            max_open_retries = 3; open_interval = 2; hold_after = 2; } );"
}

# http PORT REQUEST: the whole answer.
http() {
    local wire
    exec {wire}<> "/dev/tcp/127.0.0.1/$1" || return
    (trap '' PIPE; printf '%s\r\nHost: localhost\r\n\r\n' "$2" >&"$wire") 2> /dev/null || true
    timeout 5 cat <&"$wire" 2> /dev/null || true
    exec {wire}>&-
}
by_tcp() {
    http "$port" 'GET /metrics HTTP/1.1' | sed '1,/^\r$/d'
}
by_socket() {
    perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new($ARGV[0]) or die "$ARGV[0]: $!";
        print $s "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        while (<$s>) { print if $body; $body = 1 if /^\r$/ }' "$E2E_DIR/postern/run/control.sock"
}

# value SERIES: as it is now.
value() {
    by_socket | awk -v name="$1" '$1 == name { print $2 }'
}
is_value() { # SERIES VALUE
    [ "$(value "$1")" = "$2" ]
}
at_least() { # SERIES VALUE
    [ "$(value "$1")" -ge "$2" ]
}

# well_formed: each sample stands behind HELP and TYPE of its own family, and is there once.
well_formed() {
    awk '/^# HELP postern_[a-z_]+ ./ { help = $3; next }
        /^# TYPE postern_[a-z_]+ (counter|gauge)$/ && $3 == help {
            name = $3
            if (($4 == "counter") != (name ~ /_total$/) || family[name]++) exit bad = 1
            next
        }
        /^postern_[a-z_]+([{]([a-z]+="[^"]*",?)+[}])? [0-9]+([.][0-9]+)?$/ {
            split($0, part, /[{ ]/)
            if (part[1] != name || seen[$1]++) exit bad = 1
            samples++
            next
        }
        { print "not understood: " $0 > "/dev/stderr"; exit bad = 1 }
        END { exit bad || samples < 30 }'
}

e2e_start_postfix
e2e_postern < <(config "127.0.0.1:$port")
e2e_send "$E2E_SENDER" someone@good.test > /dev/null
e2e_send "$E2E_SENDER" someone@partner.test > /dev/null
e2e_wait_for 30 e2e_has_ndr someone@partner.test
e2e_wait_for 5 is_value 'postern_deliveries_total{status="bounced"}' 1

by_socket > "$E2E_DIR/metrics"
e2e_assert well_formed < "$E2E_DIR/metrics"
by_tcp > "$E2E_DIR/metrics.tcp"
e2e_assert well_formed < "$E2E_DIR/metrics.tcp"
e2e_equal 'the same series' "$(sed 's/ [^ ]*$//' "$E2E_DIR/metrics")" \
    "$(sed 's/ [^ ]*$//' "$E2E_DIR/metrics.tcp")"
! command -v promtool > /dev/null || e2e_assert promtool check metrics < "$E2E_DIR/metrics"

e2e_equal connected 1 "$(value postern_postfix_connected)"
e2e_equal enforcing 1 "$(value postern_enforcing)"
e2e_equal lag 0.000 "$(value postern_log_lag_seconds)"
e2e_assert at_least 'postern_deliveries_total{status="sent"}' 1
e2e_assert at_least postern_open_failures_total 3
e2e_equal holds 1 "$(value postern_holds_total)"
e2e_equal 'given up' 1 "$(value 'postern_give_ups_total{reason="open"}')"
e2e_assert at_least postern_wakes_total 1
e2e_assert at_least postern_table_publishes_total 2
e2e_assert at_least postern_log_lines_total 10
e2e_equal up 1 "$(value 'postern_destinations{health="up"}')"
e2e_equal 'the group is not up' 0 "$(value 'postern_group_health{group="partner",health="up"}')"
e2e_refute grep -Eq 'good\.test|partner\.test|someone' "$E2E_DIR/metrics"

# Nothing but metrics by TCP.
e2e_assert grep -q '^HTTP/1.1 404 ' < <(http $port 'GET /retry?destination=partner HTTP/1.1')
e2e_assert grep -q '^HTTP/1.1 404 ' < <(http $port 'GET /metricsx HTTP/1.1')
e2e_assert grep -q '^HTTP/1.1 405 ' < <(http $port 'POST /forget?destination=partner HTTP/1.1')
e2e_equal 'HEAD has no body' '' "$(http $port 'HEAD /metrics HTTP/1.1' | sed '1,/^\r$/d')"

# Clients that say nothing are closed, be they ever so many.
for i in {1..30}; do
    exec {idle}<> "/dev/tcp/127.0.0.1/$port"
done
answers() {
    by_tcp | grep '^postern_build_info' > /dev/null
}
e2e_wait_for 3 answers
e2e_send "$E2E_SENDER" another@good.test > /dev/null
e2e_wait_for 10 e2e_delivered 127.0.0.3 another@good.test

# A reload moves it, and ends it.
config "127.0.0.2:9155" | e2e_config
kill -HUP "$sandbox_posternd"
moved() {
    timeout 1 bash -c 'exec 3<> /dev/tcp/127.0.0.2/9155' 2> /dev/null
}
e2e_wait_for 5 moved
e2e_refute bash -c "exec 3<> /dev/tcp/127.0.0.1/$port" 2> /dev/null
config '' | e2e_config
kill -HUP "$sandbox_posternd"
gone() {
    ! moved
}
e2e_wait_for 5 gone
e2e_assert well_formed < <(by_socket)

# A port that cannot be had costs the metrics by TCP and nothing else; an open address is refused.
config '127.0.0.3:25' | e2e_config
kill -HUP "$sandbox_posternd"
e2e_wait_for 5 e2e_posternd_says 'metrics.listen: .*127.0.0.3:25.*cannot listen.*control.sock only'
e2e_assert well_formed < <(by_socket)
config "0.0.0.0:$port" | e2e_config
e2e_assert grep -q 'metrics.listen is "0.0.0.0:9154"; it must be a loopback address' < <(
    "$PREFIX/sbin/posternd" -t -c "$E2E_DIR/postern.conf" 2>&1)
