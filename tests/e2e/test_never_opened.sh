# Destinations that were never once opened have a cap of their own: one refuses, one is silent. One
# that had been open is not held to that cap.
e2e_address typo.test 127.0.0.2
e2e_host silent.test 127.0.0.3 silent
e2e_host proven.test 127.0.0.4 accept
e2e_start_postfix smtp_helo_timeout=2s smtp_connect_timeout=2s
e2e_postern <<'CONF'
retry = { max_open_retries = 0; open_interval = 3; };
unproven = { max_open_retries = 3; };
CONF

e2e_send "$E2E_SENDER" first@proven.test > /dev/null
e2e_wait_for 10 e2e_delivered 127.0.0.4 first@proven.test
sandbox_host 127.0.0.4 refuse

sent=$(e2e_now)
e2e_send "$E2E_SENDER" someone@typo.test > /dev/null
e2e_send "$E2E_SENDER" someone@silent.test > /dev/null
stays=$(e2e_send "$E2E_SENDER" second@proven.test)
e2e_wait_for 15 e2e_has_ndr someone@typo.test
e2e_between "refusing: ms until the NDR" 6000 13000 $(($(e2e_now) - sent))
e2e_ndr_says someone@typo.test 'Status: 5\.4\.7' '(^|[^0-9])3 (attempts|retries|times|tries)' \
    'Connection refused'

# Its third attempt begins at 6 s and takes 2 s.
e2e_wait_for 20 e2e_has_ndr someone@silent.test
e2e_between "silent: ms until the NDR" 7500 17000 $(($(e2e_now) - sent))
e2e_ndr_says someone@silent.test 'Status: 5\.4\.7' 'timed out'
e2e_equal "connections to the silent host" 3 "$(e2e_count_events 127.0.0.3 connect)"

e2e_refute e2e_has_ndr second@proven.test
e2e_assert e2e_queued "$stays"
