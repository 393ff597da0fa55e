# The remote hosts of these tests: before and at the greeting.
sandbox_host 127.0.0.2 refuse
sandbox_host 127.0.0.3 silent
sandbox_host 127.0.0.4 reply connect '"421 4.3.2 Service not available"'
sandbox_host 127.0.0.5 reply connect '"554 5.7.1 No mail from you"'
sandbox_host 127.0.0.6 delay 1.5
sandbox_host 127.0.0.7 drop connect
sandbox_host 127.0.0.8 accept

e2e_refute bash -c ': < /dev/tcp/127.0.0.2/25' 2> /dev/null
e2e_equal silent silence "$(e2e_talk 127.0.0.3 1 NOOP)"
e2e_equal 421 $'421 4.3.2 Service not available\nclosed' "$(e2e_talk 127.0.0.4 2 'EHLO me')"
e2e_equal 554 $'554 5.7.1 No mail from you\n503 5.5.1 Error: not accepting mail\n221 2.0.0 Bye' \
    "$(e2e_talk 127.0.0.5 2 'EHLO me' QUIT)"
before=$(e2e_now)
e2e_equal delay '220 127.0.0.6 ESMTP smtphost' "$(e2e_talk 127.0.0.6 5)"
e2e_between "the delay" 1450 2500 $(($(e2e_now) - before))
e2e_equal drop closed "$(e2e_talk 127.0.0.7 2 'EHLO me')"

# What changes while it runs: a host that goes down takes its open connections with it.
exec {open}<> /dev/tcp/127.0.0.8/25
e2e_equal greeting '220 127.0.0.8 ESMTP smtphost' "$(e2e_answer "$open" 2)"
sandbox_host 127.0.0.8 refuse
e2e_equal "open connection" closed "$(e2e_answer "$open" 2 || true)"
e2e_refute bash -c ': < /dev/tcp/127.0.0.8/25' 2> /dev/null
sandbox_host 127.0.0.8 accept
e2e_equal "back again" '220 127.0.0.8 ESMTP smtphost' "$(e2e_talk 127.0.0.8 2)"

# The times in its log are when it happened.
before=$(e2e_now)
e2e_talk 127.0.0.8 2 > /dev/null
sleep 1
e2e_talk 127.0.0.8 2 > /dev/null
mapfile -t times < <(e2e_events 127.0.0.8 connect | tail -n 2)
e2e_between "first connection" "$before" $((before + 300)) "${times[0]}"
e2e_spaced "connections" 1000 300 "${times[@]}"
e2e_equal "connections" 4 "$(e2e_count_events 127.0.0.8 connect)"

# A script with a mistake is reported, and the old one stays in force.
e2e_refute sandbox_host 127.0.0.8 reply nowhere '"250 Ok"' 2> /dev/null
e2e_assert grep -q 'smtphost.script:[0-9]*: no such stage' "$E2E_DIR/smtphost.log"
e2e_equal "old script" '220 127.0.0.8 ESMTP smtphost' "$(e2e_talk 127.0.0.8 2)"
