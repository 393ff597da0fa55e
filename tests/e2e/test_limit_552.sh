# A host that takes 10 recipients a transaction and wrongly answers 552 to the rest: all 300 are
# delivered at once, and nobody gets an NDR.
. "$E2E_TOOLS/limits.sh"
e2e_host many.test 127.0.0.2 most rcpt 10 '"552 5.5.3 Too many recipients"'
e2e_start_postfix
e2e_postern < /dev/null
e2e_send "$E2E_SENDER" $(recipients many.test 300) > /dev/null
e2e_wait_for 10 e2e_log_line 'said: 552 5\.5\.3 Too many'
limits_kept '552' 127.0.0.2
e2e_assert e2e_posternd_says 'many\.test: lane takes=10 lane=postern-rcpt10'
