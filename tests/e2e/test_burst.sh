# Twenty messages that fail within a second are one retry, as the X.400 connector counted them; and
# all of them are given up when the cap is reached.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
e2e_postern <<'CONF'
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 4; open_interval = 3; }
);
CONF

sent=$(e2e_now)
smtp-source -m 20 -s 5 -f "$E2E_SENDER" -t burst@partner.test -N 127.0.0.1:25
e2e_between "ms to send them" 0 2500 $(($(e2e_now) - sent))
# smtp-source numbers them: 7burst@ up to Postfix 3.7, burst7@ in later ones.
ndrs() {
    { grep -lrx 'Final-Recipient: rfc822; [0-9]*burst[0-9]*@partner.test' /var/mail/sender/new 2> /dev/null ||
        true; } | wc -l
}
all_bounced() {
    [ "$(ndrs)" = 20 ]
}
sleep 7
e2e_equal "NDRs before the cap" 0 "$(ndrs)"

# All over the cap at the same moment; the gate takes them one after another.
e2e_wait_for 20 e2e_log_line 'dsn=5\.4\.7, status=bounced'
e2e_between "ms until the first NDR" 9000 16000 $(($(e2e_now) - sent))
e2e_wait_for 20 all_bounced
e2e_wait_for 5 e2e_queue_empty
