# postsuper -r gives the messages of an outage new queue ids: the old ones are forgotten, so that
# the probes go on and each NDR comes when it is due.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_postern << 'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 5; open_interval = 4; }
);
CONF
waiting() {
    sandbox_posternctl status --json | grep -Eq "\"waiting_recipients\": $1(,|\$)"
}
all_told() {
    local i
    for i in {0..20}; do
        e2e_has_ndr "a$i@partner.test" || return 1
    done
}
for i in {1..20}; do
    e2e_send "$E2E_SENDER" "a$i@partner.test" > /dev/null
done
e2e_wait_for 10 waiting 20
# pickup(8) looks for them when it is told of other mail.
postsuper -r ALL 2> /dev/null
e2e_send "$E2E_SENDER" "a0@partner.test" > /dev/null
requeued() {
    [ "$(grep -c ' orig_id=' /var/log/mail.log)" = 20 ]
}
e2e_wait_for 10 requeued
e2e_wait_for 10 waiting 21
e2e_wait_for 60 all_told
e2e_wait_for 10 e2e_queue_empty
e2e_wait_for 5 waiting 0
