# The sandbox's DNS: a broken domain, one without MX, one that does not exist; and no way out.
e2e_broken_dns broken.test
e2e_address typo.test 127.0.0.9
e2e_start_postfix
id=$(e2e_send "$E2E_SENDER" a@broken.test b@typo.test c@nowhere.test)
e2e_wait_for 5 e2e_status "$id" a@broken.test 'status=deferred .*Name service error .*try again'
e2e_wait_for 5 e2e_status "$id" b@typo.test \
    'status=deferred \(connect to typo.test\[127\.0\.0\.9\]:25: Connection refused'
e2e_wait_for 5 e2e_status "$id" c@nowhere.test 'status=bounced .*Host not found'
e2e_refute ip route get 192.0.2.1 2> /dev/null
