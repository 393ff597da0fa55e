# mode = "ndr": who may be told gets a report at once instead of a refusal; others are refused.
. "$E2E_TOOLS/early.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad*' '"550 5.1.1 User unknown"'
e2e_start_postfix "${early_postfix[@]}" 'mynetworks=127.0.0.0/8, 192.0.2.0/24' \
    relay_domains=good.test
early_postern << 'CONF'
early_ndr = { mode = "ndr"; };
CONF
e2e_send "$E2E_SENDER" bad@good.test > /dev/null
e2e_send "$E2E_SENDER" bad2@good.test > /dev/null
e2e_wait_for 10 early_knows bad@good.test
e2e_wait_for 10 early_knows bad2@good.test
e2e_wait_for 10 early_told bad2@good.test
rm -f /var/mail/sender/new/*

# talk XCLIENT-ATTRIBUTES SENDER RECIPIENT-COMMAND...: what the client hears from the first RCPT on.
talk() {
    local attributes=$1 sender=$2
    shift 2
    e2e_talk 127.0.0.1 10 'EHLO c.test' "XCLIENT $attributes" 'EHLO c.test' \
        "MAIL FROM:<$sender>" "$@" DATA $'Subject: at the door\nMessage-ID: <door@e2e>\n\nHello\n.' QUIT |
        sed -n '6,$p'
}
ours='ADDR=192.0.2.9 NAME=c.test' strangers='ADDR=198.51.100.9 NAME=c.test'

# Of our networks, or authenticated: accepted, dropped, reported at once.
for who in "$ours" "$strangers LOGIN=ann"; do
    said=$(talk "$who" "$E2E_SENDER" 'RCPT TO:<bad@good.test> ORCPT=rfc822;Bad+40good.test' \
        'RCPT TO:<fine@good.test>')
    e2e_equal "$who: accepted" 2 "$(grep -c '^250 2.1.5' <<< "$said")"
    id=$(sed -nE 's/^250 .*queued as ([0-9A-Za-z]+)$/\1/p' <<< "$said")
    [ -n "$id" ] || e2e_fail "$who: $said"
    e2e_wait_for 10 early_told bad@good.test
    e2e_assert early_is bad@good.test
    e2e_ndr_says bad@good.test 'User unknown' 'Original-Recipient: rfc822; *Bad@good.test' \
        'Subject: at the door' 'earlier message'
    e2e_assert early_milter_says "$id: drop to=<bad@good.test> sender=<$E2E_SENDER>"
    e2e_wait_for 10 e2e_status "$id" fine@good.test status=sent
    e2e_refute e2e_status "$id" bad@good.test .
    early_assert_once bad@good.test
    rm -f /var/mail/sender/new/*
done

# Mail from here, by sendmail(1): nobody is there to be refused.
id=$(e2e_send "$E2E_SENDER" bad@good.test fine@good.test)
e2e_wait_for 10 early_told bad@good.test
e2e_wait_for 10 e2e_status "$id" fine@good.test status=sent
e2e_refute e2e_status "$id" bad@good.test .
early_assert_once bad@good.test
rm -f /var/mail/sender/new/*

# Strangers and the null sender are refused: no backscatter.
said=$(talk "$strangers" "$E2E_SENDER" 'RCPT TO:<bad@good.test>' 'RCPT TO:<fine@good.test>')
e2e_equal "a stranger" 1 "$(grep -c '^550 5\.1\.1' <<< "$said")"
said=$(talk "$ours" '' 'RCPT TO:<bad@good.test>')
e2e_equal "the null sender" 1 "$(grep -c '^550 5\.1\.1 ' <<< "$said")"
# Nobody is left: the message is refused, not accepted and dropped.
said=$(talk "$ours" "$E2E_SENDER" 'RCPT TO:<bad@good.test>' 'RCPT TO:<bad2@good.test>')
e2e_equal "all are bad" 1 "$(grep -c '^550 5\.1\.1 ' <<< "$said")"
e2e_equal "all are bad: accepted at RCPT" 2 "$(grep -c '^250 2.1.5' <<< "$said")"
# Who wants no report gets none.
said=$(talk "$ours" "$E2E_SENDER" 'RCPT TO:<bad@good.test> NOTIFY=NEVER' 'RCPT TO:<fine@good.test>')
id=$(sed -nE 's/^250 .*queued as ([0-9A-Za-z]+)$/\1/p' <<< "$said")
e2e_wait_for 10 e2e_status "$id" bad@good.test status=bounced
sleep 2
e2e_equal "reports to those who are not to get one" '' "$(ls /var/mail/sender/new)"

# When posternd is gone the recipient stays, and its server speaks for itself.
e2e_kill_posternd
sleep 1.2
said=$(talk "$ours" "$E2E_SENDER" 'RCPT TO:<bad@good.test>' 'RCPT TO:<fine@good.test>')
e2e_wait_for 10 early_told bad@good.test
e2e_refute early_is bad@good.test
