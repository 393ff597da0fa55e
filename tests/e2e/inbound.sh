# For the tests of the limits at our own door: a client that pipelines, and what it hears.
# Sourced by them; not a test.

. "$E2E_TOOLS/limits.sh"

# For Postfix every refused recipient is an error of the client's (postern-rcptlimit(8)).
inbound_error_limits=(smtpd_soft_error_limit=1000 smtpd_hard_error_limit=1000)

# inbound_start_milter: once postern.conf is written; its process id is in inbound_milter.
inbound_start_milter() {
    "$PREFIX/sbin/postern-rcptlimit" -c "$E2E_DIR/postern.conf" -f \
        >> "$E2E_DIR/rcptlimit.log" 2>&1 &
    inbound_milter=$!
    e2e_wait_for 10 grep -q 'started' "$E2E_DIR/rcptlimit.log"
}

# inbound_rcpts FIRST LAST [DOMAIN]: the commands, to be sent at once.
inbound_rcpts() {
    seq -f "RCPT TO:<r%g@${3:-partner.test}>" "$1" "$2"
}

# inbound_count ANSWERS REGEX: how many answers begin so.
inbound_count() {
    grep -Ec "^$2" <<< "$1" || true
}

inbound_surplus='452 4\.5\.3 .*Too many recipients: 20 are allowed in one transaction; send'

# inbound_talk COMMAND...
inbound_talk() {
    e2e_talk 127.0.0.1 10 'EHLO client.test' "$@" QUIT
}

inbound_mail='MAIL FROM:<sender@sender.test>'

# inbound_pipelined: 50 recipients and a limit of 20, all commands at once; twice in a session, then
# twice more with RSET between, without a message.
inbound_pipelined() {
    local said message=$'Subject: limits\n\nHello\n.'
    said=$(inbound_talk "$inbound_mail"$'\n'"$(inbound_rcpts 1 50)"$'\nDATA' "$message" \
        "$inbound_mail"$'\n'"$(inbound_rcpts 51 100)"$'\nDATA' "$message" \
        "$inbound_mail"$'\n'"$(inbound_rcpts 101 150)"$'\nRSET\n'"$inbound_mail"$'\n'"$(
            inbound_rcpts 151 200)")
    e2e_equal "recipients accepted" 80 "$(inbound_count "$said" '250 2\.1\.5 ')"
    e2e_equal "recipients told to come again" 120 "$(inbound_count "$said" "$inbound_surplus")"
    e2e_equal "messages taken" 2 "$(inbound_count "$said" '250 .* queued as ')"
    e2e_equal "552" 0 "$(inbound_count "$said" 552)"
    e2e_wait_for 20 all_delivered 40 127.0.0.2
    e2e_equal "the first ones of each" "$({ seq -f 'to=<r%g@partner.test>' 1 20
        seq -f 'to=<r%g@partner.test>' 51 70; } | sort)" "$(delivered_to 127.0.0.2 | sort)"
}

# inbound_rejected_do_not_count: ten recipients that Postfix refuses, among thirty that it knows.
inbound_rejected_do_not_count() {
    local said
    said=$(inbound_talk "$inbound_mail"$'\n'"$(inbound_rcpts 1 5)"$'\n'"$(
        inbound_rcpts 1 10 sender.test)"$'\n'"$(inbound_rcpts 6 30)")
    e2e_equal "unknown users" 10 "$(inbound_count "$said" '550 5\.1\.1 ')"
    e2e_equal "recipients accepted" 20 "$(inbound_count "$said" '250 2\.1\.5 ')"
    e2e_equal "recipients told to come again" 10 "$(inbound_count "$said" "$inbound_surplus")"
}

# inbound_none_refused: what a client hears when nobody limits it; the mail is delivered.
inbound_none_refused() {
    local said
    said=$(inbound_talk "$inbound_mail"$'\n'"$(inbound_rcpts 1 50 "$1")"$'\nDATA' \
        $'Subject: all\n\nHello\n.')
    e2e_equal "recipients accepted" 50 "$(inbound_count "$said" '250 2\.1\.5 ')"
    e2e_equal "messages taken" 1 "$(inbound_count "$said" '250 .* queued as ')"
}
