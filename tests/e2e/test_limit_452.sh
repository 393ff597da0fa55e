# The same with 452, as RFC 5321 wants it: the rest goes out at once, not in an hour.
. "$E2E_TOOLS/limits.sh"
e2e_host many.test 127.0.0.2 most rcpt 10 '"452 4.5.3 Error: too many recipients"'
e2e_start_postfix
e2e_postern < /dev/null
e2e_send "$E2E_SENDER" $(recipients many.test 300) > /dev/null
e2e_wait_for 10 e2e_log_line 'said: 452 4\.5\.3'
limits_kept '452' 127.0.0.2
