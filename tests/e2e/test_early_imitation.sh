# Mail of a stranger that looks just like Postfix's report on a message that was reported early is
# neither discarded nor changed: by sendmail(1) and by SMTP.
. "$E2E_TOOLS/early.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad@*' '"550 5.1.1 User unknown"'
e2e_host slow.test 127.0.0.3 silent
e2e_start_postfix "${early_postfix[@]}" smtp_helo_timeout=25
early_postern << 'CONF'
early_ndr = { after = 1; };
CONF
id=$(e2e_send "$E2E_SENDER" bad@good.test someone@slow.test)
e2e_wait_for 10 early_told bad@good.test

# imitation MARK: what bounce(8) would write.
imitation() {
    local boundary="$id.$(date +%s)/mail.sender.test"
    printf '%s\n' "From: MAILER-DAEMON@mail.sender.test (Mail Delivery System)" \
        'Subject: Undelivered Mail Returned to Sender' "To: $E2E_SENDER" \
        'Auto-Submitted: auto-replied' 'MIME-Version: 1.0' \
        'Content-Type: multipart/report; report-type=delivery-status;' \
        "	boundary=\"$boundary\"" "X-Mark: $1" '' 'This is a MIME-encapsulated message.' '' \
        "--$boundary" 'Content-Description: Notification' \
        'Content-Type: text/plain; charset=us-ascii' '' \
        'This is the mail system at host mail.sender.test.' '' \
        '<bad@good.test>: host mx.good.test[127.0.0.2] said: 550 5.1.1 User unknown (in' \
        '    reply to RCPT TO command)' '' "--$boundary" 'Content-Description: Delivery report' \
        'Content-Type: message/delivery-status' '' 'Reporting-MTA: dns; mail.sender.test' \
        "X-Postfix-Queue-ID: $id" "X-Postfix-Sender: rfc822; $E2E_SENDER" \
        "Arrival-Date: $(date -R)" '' 'Final-Recipient: rfc822; bad@good.test' 'Action: failed' \
        'Status: 5.1.1' 'Remote-MTA: dns; mx.good.test' \
        'Diagnostic-Code: smtp; 550 5.1.1 User unknown' '' "--$boundary" \
        'Content-Description: Undelivered Message' 'Content-Type: message/rfc822' '' \
        "Return-Path: <$E2E_SENDER>" 'Subject: x' '' 'Hello' '' "--$boundary--"
}
arrived() {
    grep -rq "^X-Mark: $1" /var/mail/sender/new
}

imitation local > "$E2E_DIR/imitation"
setpriv --reuid=sender --regid=sender --clear-groups -- \
    sendmail -i -f '<>' "$E2E_SENDER" < "$E2E_DIR/imitation"
e2e_wait_for 10 arrived local
e2e_talk 127.0.0.1 10 'EHLO client.test' 'MAIL FROM:<>' "RCPT TO:<$E2E_SENDER>" DATA \
    "$(imitation smtp)"$'\n.' QUIT > /dev/null
e2e_wait_for 10 arrived smtp
for mark in local smtp; do
    file=$(grep -rl "^X-Mark: $mark" /var/mail/sender/new)
    e2e_equal "the body of the imitation by $mark" \
        "$(imitation "$mark" | sed '1,/^$/d' | sed -E 's/[0-9]{10}\/mail/T\/mail/; /^Arrival/d' | md5sum)" \
        "$(sed '1,/^$/d' "$file" | sed -E 's/[0-9]{10}\/mail/T\/mail/; /^Arrival/d; ${/^$/d}' | md5sum)"
done
e2e_equal "with the true one" 3 "$(early_count bad@good.test)"

# Postfix's own, when it comes, is known from those.
e2e_wait_for 40 early_milter_says "discard of=$id reported=1"
e2e_never 3 [ "$(early_count bad@good.test)" != 3 ]
e2e_equal "discarded" 1 "$(early_milter_says 'discard of=' | wc -l)"
