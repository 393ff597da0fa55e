# Postfix alone: mail for a host that refuses stays deferred, and its sender hears nothing.
e2e_host down.test 127.0.0.2 refuse
e2e_host up.test 127.0.0.3 accept
e2e_start_postfix

id=$(e2e_send "$E2E_SENDER" someone@down.test other@up.test)
e2e_wait_for 5 e2e_status "$id" someone@down.test \
    'dsn=4\.4\.1, status=deferred .*Connection refused'
e2e_wait_for 5 e2e_delivered 127.0.0.3 other@up.test
e2e_never 8 e2e_has_ndr someone@down.test
e2e_assert e2e_queued "$id"

# The sandbox's other ends: SMTP submission, a domain that does not exist, and a bounce's way home.
id=$(e2e_send -s "$E2E_SENDER" nobody@nowhere.test)
e2e_wait_for 5 e2e_status "$id" nobody@nowhere.test 'dsn=5\.4\.4, status=bounced .*Host not found'
e2e_wait_for 5 e2e_has_ndr nobody@nowhere.test
e2e_ndr_says nobody@nowhere.test 'Host or domain name not found' 'Status: 5\.4\.4'
e2e_equal "retry schedule" 300s "$(postconf -h minimal_backoff_time)"
