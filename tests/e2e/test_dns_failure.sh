# A domain whose name servers fail was not opened either; one that does not exist is Postfix's own.
e2e_broken_dns broken.test
e2e_start_postfix
e2e_postern <<'CONF'
retry = { max_open_retries = 0; open_interval = 3; };
unproven = { max_open_retries = 3; };
CONF

sent=$(e2e_now)
e2e_send "$E2E_SENDER" a@broken.test c@nowhere.test > /dev/null
e2e_wait_for 5 e2e_has_ndr c@nowhere.test
e2e_ndr_says c@nowhere.test 'Status: 5\.4\.4'
e2e_wait_for 15 e2e_has_ndr a@broken.test
e2e_between "ms until the NDR" 6000 13000 $(($(e2e_now) - sent))
e2e_ndr_says a@broken.test 'Status: 5\.4\.7' 'name=broken\.test'
