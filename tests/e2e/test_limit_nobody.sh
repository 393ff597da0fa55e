# A server that answers 452 to everybody is not hammered: the message waits its normal turn.
. "$E2E_TOOLS/limits.sh"
e2e_host busy.test 127.0.0.2 reply rcpt '"452 4.5.3 Too many recipients"'
e2e_host hourly.test 127.0.0.3 most rcpt 10 '"452 4.5.3 Too many recipients received this hour"'
e2e_start_postfix
e2e_postern < /dev/null
e2e_send "$E2E_SENDER" $(recipients busy.test 20) > /dev/null
e2e_send "$E2E_SENDER" $(recipients hourly.test 20) > /dev/null
e2e_wait_for 10 e2e_log_line 'busy.test>.*said: 452'
sleep 30
e2e_between "connections of 30 s" 1 2 "$(e2e_count_events 127.0.0.2 connect)"
e2e_between "connections to the one that wants an hour" 1 2 "$(e2e_count_events 127.0.0.3 connect)"
e2e_refute e2e_posternd_says 'lane='
