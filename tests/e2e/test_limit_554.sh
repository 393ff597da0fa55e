# A host that says so only at the end of the data, to all: the estimate is halved until it fits, or
# taken from the reply when it names the number.
. "$E2E_TOOLS/limits.sh"
e2e_host many.test 127.0.0.2 most dot 10 '"554 Transaction failed: Recipient count exceeds limit."'
e2e_host named.test 127.0.0.3 most dot 8 '"554 Transaction failed: Recipient count exceeds 8."'
e2e_start_postfix
e2e_postern < /dev/null
e2e_send "$E2E_SENDER" $(recipients named.test 60) > /dev/null
e2e_wait_for 25 all_delivered 60 127.0.0.3
e2e_assert e2e_posternd_says 'named\.test: lane takes=8 lane=postern-rcpt5'
e2e_send "$E2E_SENDER" $(recipients many.test 300) > /dev/null
e2e_wait_for 10 e2e_log_line 'many.test>.*said: 554'
limits_kept '554' 127.0.0.2 127.0.0.3
