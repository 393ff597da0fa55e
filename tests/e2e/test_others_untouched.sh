# What is given up is one recipient of one destination. Co-recipients, other mail and other
# destinations that are down as well fare as without Postern.
e2e_host partner.test 127.0.0.2 refuse
e2e_host up.test 127.0.0.3 accept
e2e_host other.test 127.0.0.4 refuse
e2e_start_postfix
e2e_postern <<'CONF'
unproven = { max_open_retries = 0; };
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 3; open_interval = 3; }
);
CONF

id=$(e2e_send "$E2E_SENDER" down@partner.test fine@up.test waits@other.test)
e2e_wait_for 3 e2e_delivered 127.0.0.3 fine@up.test
e2e_wait_for 16 e2e_has_ndr down@partner.test
text=$(e2e_ndr_for down@partner.test)
e2e_refute grep -E 'fine@up\.test|waits@other\.test' <<< "${text%%Content-Type: message/rfc822*}"
e2e_refute e2e_has_ndr waits@other.test
e2e_refute e2e_has_ndr fine@up.test
e2e_assert e2e_queued "$id"
e2e_equal "deliveries" 1 "$(e2e_count_events 127.0.0.3 message)"

# The outage is remembered for the one, and new mail for the others passes it.
e2e_send "$E2E_SENDER" again@partner.test again@up.test > /dev/null
e2e_wait_for 3 e2e_delivered 127.0.0.3 again@up.test
sandbox_host 127.0.0.4 accept
posternctl=$(sandbox_posternctl retry other.test 2>&1) || e2e_fail "retry other.test: $posternctl"
e2e_wait_for 10 e2e_delivered 127.0.0.4 waits@other.test
