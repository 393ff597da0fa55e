# A bad address is reported within `after` + 2 s while another recipient's host says nothing for a
# minute, and exactly once in all.
. "$E2E_TOOLS/early.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad@*' '"550 5.1.1 <bad@good.test>: Recipient address rejected: User unknown"'
e2e_host slow.test 127.0.0.3 silent
e2e_start_postfix "${early_postfix[@]}" smtp_helo_timeout=60 smtp_connect_timeout=60
early_postern << 'CONF'
early_ndr = { after = 2; };
CONF

sent=$(e2e_now)
id=$(e2e_send -s "$E2E_SENDER" bad@good.test fine@good.test someone@slow.test)
e2e_wait_for 10 early_told bad@good.test
e2e_between "ms until the report" 2000 4000 $(($(e2e_now) - sent))
e2e_assert early_is bad@good.test
e2e_assert e2e_delivered 127.0.0.2 fine@good.test
e2e_assert e2e_posternd_says "$id: early-ndr to=<bad@good.test> sender=<$E2E_SENDER> status=5.1.1"
e2e_ndr_says bad@good.test 'Status: 5\.1\.1' 'Action: failed' 'User unknown' \
    'Remote-MTA: dns; *mx\.good\.test' 'Auto-Submitted: auto-replied'

# The pass ends after a minute: Postfix's own report is discarded.
e2e_wait_for 90 early_milter_says "discard of=$id reported=1"
e2e_never 3 [ "$(early_count bad@good.test)" != 1 ]
e2e_assert e2e_queued "$id"
early_assert_once bad@good.test
