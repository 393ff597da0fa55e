# Domains that this Postfix takes mail for keep their own transport: by a lane they would go to
# their MX host, which is this host, and Postfix would return the mail ("loops back to myself").
own()
{
    sandbox_dns mx-host=$1,mail.sender.test,10
}
route()
{
    postmap -q "$1" "lmdb:$E2E_DIR/postern/state/tables/transport"
}
sandbox_dns host-record=mail.sender.test,127.0.0.1
own sender.test
own inner.test
own hosted.test
own tagged.test
sandbox_host 127.0.0.4 accept
e2e_host fine.test 127.0.0.9 accept
e2e_start_postfix 'mailbox_transport=lmtp:unix:private/nobody-listens' \
    'relay_domains=/etc/postfix/relay_domains' 'relay_transport=smtp:[127.0.0.4]' \
    'virtual_mailbox_domains=tagged.test' 'virtual_transport=relay:[127.0.0.4]' 'virtual_mailbox_maps='
postconf -M 'relay/unix=relay unix - - n - - smtp -o syslog_name=postfix/$service_name'
printf '# ours\ninner.test\nhosted.test\n' > /etc/postfix/relay_domains
e2e_postern << 'CONF'
lanes = "proven";
CONF
for to in sender@sender.test a@inner.test a@sub.hosted.test a@tagged.test a@fine.test; do
    e2e_send "$E2E_SENDER" $to > /dev/null
done
e2e_wait_for 10 e2e_log_line 'to=<a@fine.test>.*status=sent'
e2e_wait_for 10 e2e_log_line 'to=<a@tagged.test>.*status=sent'
e2e_wait_for 10 e2e_log_line 'to=<a@inner.test>.*status=sent'
e2e_wait_for 10 e2e_log_line 'to=<sender@sender.test>.*status=deferred'
e2e_wait_for 10 route fine.test
e2e_assert e2e_posternd_says 'inner\.test: Postfix has a way of its own for it by relay_domains; no lane'
for domain in sender.test inner.test sub.hosted.test tagged.test; do
    e2e_refute route "$domain"
done
for to in sender@sender.test b@inner.test b@sub.hosted.test b@tagged.test; do
    e2e_send "$E2E_SENDER" $to > /dev/null
done
e2e_wait_for 10 e2e_log_line 'to=<b@tagged.test>.*status=sent'
e2e_wait_for 10 e2e_log_line 'to=<b@inner.test>.*status=sent'
e2e_wait_for 10 e2e_log_line 'to=<b@sub.hosted.test>.*status=sent'
e2e_refute e2e_log_line 'status=bounced'
