# Two mail hosts of one domain with different limits.
. "$E2E_TOOLS/limits.sh"
e2e_host many.test 127.0.0.2 most rcpt 10 '"452 4.5.3 Too many recipients"'
sandbox_host 127.0.0.3 most rcpt 5 '"552 5.5.3 Too many recipients"'
sandbox_dns host-record=mx2.many.test,127.0.0.3 mx-host=many.test,mx2.many.test,10
e2e_start_postfix
e2e_postern < /dev/null
e2e_send "$E2E_SENDER" $(recipients many.test 300) > /dev/null
e2e_wait_for 10 e2e_log_line 'said: [45]52 [45]\.5\.3'
e2e_wait_for 30 all_delivered 300 127.0.0.2 127.0.0.3
e2e_equal "delivered twice" '' "$(delivered_to 127.0.0.2 127.0.0.3 | sort | uniq -d)"
e2e_equal "bounced" '' "$(e2e_log_line 'status=bounced' || true)"
