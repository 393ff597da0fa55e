# What the documents quote from logs, replies and reports, provoked on a real Postfix. Sourced by
# by-source. Nothing is asserted here: compare looks for each message in all that was said, and says
# which is missing.

soon() { # SECONDS COMMAND...: or not
    sandbox_until "$@" > /dev/null 2>&1 || true
}
soon_in_log() { # WORDS
    soon 30 journal_has "$1"
}
at_the_door() { # COMMAND...: of a client that is answered before it says the next
    talk 'EHLO client.example' 'MAIL FROM:<anna@home.example>' "$@" QUIT >> "$docs/said/log" || true
}
message=$'Subject: figures\r\n\r\nhere\r\n.'

unknown() { # DOMAIN: a host's words for nobody and the like
    echo "\"550 5.1.1 <nobody@$1>: Recipient address rejected: User unknown\""
}

# A partner and a good host without some addresses, one that says nothing, one that refuses late.
four_hosts() {
    from_nothing
    dns mx-host=partner.example,mx.partner.example,10 host-record=mx.partner.example,127.0.0.2 \
        mx-host=good.example,mx.good.example,10 host-record=mx.good.example,127.0.0.6 \
        mx-host=slow.example,mx.slow.example,10 host-record=mx.slow.example,127.0.0.7 \
        mx-host=late.example,mx.late.example,10 host-record=mx.late.example,127.0.0.8
    sandbox_host 127.0.0.2 rcpt 'nobody*@*' "$(unknown partner.example)"
    sandbox_host 127.0.0.6 rcpt 'nobody*@*' "$(unknown good.example)"
    sandbox_host 127.0.0.7 silent
    sandbox_host 127.0.0.8 delay 8 rcpt '*' '"550 5.1.1 gone"'
    postconf -e smtp_helo_timeout=12s
    postfix reload > /dev/null 2>&1
}

early_reports() {
    settings 'retry = { open_interval = 4; };' 'early_ndr = { after = 2; };'
    four_hosts
    send anna@home.example nobody@good.example > /dev/null
    send anna@home.example nobody@partner.example carl@slow.example > /dev/null
    send anna@home.example nobody2@partner.example gone@late.example > /dev/null
    soon_in_log 'discard of='
    soon_in_log 'reduce of='
    at_the_door 'RCPT TO:<nobody@partner.example>'
    settings 'early_ndr = { mode = "ndr"; networks = ("127.0.0.0/8"); };'
    at_the_door 'RCPT TO:<nobody@partner.example>' 'RCPT TO:<carl@partner.example>' DATA "$message"
    soon_in_log 'drop to='
}

observing() {
    settings 'enforce = false;' 'recipient_limits = { inbound = ( { limit = 2; } ); };'
    at_the_door 'RCPT TO:<nobody@partner.example>' 'RCPT TO:<nobody@good.example>'
    at_the_door 'RCPT TO:<a@good.example>' 'RCPT TO:<b@good.example>' 'RCPT TO:<c@good.example>' \
        DATA "$message"
}

an_address_works() {
    settings 'early_ndr = { after = 2; };'
    sandbox_host 127.0.0.2 accept
    send anna@home.example nobody@partner.example > /dev/null
    soon_in_log 'good-address to='
}

a_guard() {
    settings 'early_ndr = { guard = { sample = 5; ratio = 0.5; window = 10; }; };'
    sandbox_host 127.0.0.2 rcpt 'nobody*@*' "$(unknown partner.example)"
    send anna@home.example nobody{1..8}@partner.example > /dev/null
    soon_in_log ': guard rejected='
    soon_in_log ': guard-over'
}

delays() {
    settings 'retry = { open_interval = 3; warn_after_retries = 1; };'
    sandbox_host 127.0.0.2 refuse
    send anna@home.example anna@partner.example > /dev/null
    soon_in_log 'delay-report to=<anna@partner.example>'
}

# The policy service, connected as posternd(8) shows it.
at_the_policy_service() {
    local before
    before=$(postconf -h smtpd_recipient_restrictions)
    cat "$(grep -l '^smtpd_recipient_restrictions' "$docs"/items/*.text)" >> /etc/postfix/main.cf
    settings 'retry = { open_interval = 3; max_open_retries = 4; };' \
        'milters = { retrycap = { when_down = "tempfail"; }; };'
    postfix reload > /dev/null 2>&1
    at_the_door 'RCPT TO:<nobody@good.example>'
    send anna@home.example carl@partner.example > /dev/null
    soon 30 shows 'partner.example +down'
    at_the_door 'RCPT TO:<carl@partner.example>'
    settings 'retry = { open_interval = 3; max_open_retries = 2; };' \
        'milters = { retrycap = { when_down = "refuse-over-cap"; }; };'
    at_the_door 'RCPT TO:<carl@partner.example>'
    settings 'enforce = false;'
    at_the_door 'RCPT TO:<nobody@good.example>'
    postconf -e "smtpd_recipient_restrictions=$before"
    postfix reload > /dev/null 2>&1
}

# The milter, with a group of that name.
at_the_milter() {
    local partner='destinations = ( { name = "partner"; domains = ("partner.example");
        open_interval = 3; max_open_retries = 3; } );'
    settings "$partner" 'milters = { retrycap = { when_down = "warn"; }; };'
    send anna@home.example bob@partner.example > /dev/null
    soon 30 shows '^partner +down'
    at_the_door 'RCPT TO:<bob@partner.example>' DATA "$message"
    soon_in_log 'warn to=<bob@partner.example>'
    settings "$partner" 'milters = { retrycap = { when_down = "warn"; }; };' 'enforce = false;'
    at_the_door 'RCPT TO:<bob@partner.example>' 'RCPT TO:<carl@partner.example>' DATA "$message"
    settings "$partner" 'milters = { retrycap = { when_down = "tempfail"; }; };' 'enforce = false;'
    at_the_door 'RCPT TO:<ok@good.example>' 'RCPT TO:<bob@partner.example>' DATA "$message"
    settings "$partner" 'milters = { retrycap = { when_down = "tempfail"; }; };'
    at_the_door 'RCPT TO:<bob@partner.example>'
    settings "$partner" 'milters = { retrycap = { when_down = "refuse-over-cap"; }; };'
    soon 30 shows '^partner +down +[3-9] '
    at_the_door 'RCPT TO:<bob@partner.example>'
}

too_many() {
    local to=() i
    for ((i = 1; i <= 21; i++)); do
        to+=("RCPT TO:<user$i@good.example>")
    done
    settings 'recipient_limits = { inbound = ( { limit = 20; } ); };'
    at_the_door "${to[@]}"
}

# What is wrong, each in turn; posternd looks at its start.
own_routes() { # TABLE...: Postfix has ways of its own, and posternd begins anew
    posternctl setup --remove > /dev/null 2>&1
    postconf -e "transport_maps = $*"
    posternctl setup --apply > /dev/null 2>&1
    from_nothing
}
warnings() {
    settings 'retry = { open_interval = 3; };' 'early_ndr = { after = 2; };'
    echo 'theirs.example smtp:[127.0.0.10]' > /etc/postfix/mine
    echo 'b.example smtp:' > /etc/postfix/relay
    postmap hash:/etc/postfix/mine hash:/etc/postfix/relay
    chmod 600 /etc/postfix/relay*
    sandbox_dns mx-host=a.example,mx.partner.example,10
    own_routes hash:/etc/postfix/mine
    send anna@home.example carl@theirs.example > /dev/null
    soon_in_log 'theirs.example: Postfix has a way of its own'
    own_routes hash:/etc/postfix/relay
    send anna@home.example carl@a.example > /dev/null
    soon_in_log 'no lane for '
    postconf -MX postern-probation/unix
    postconf -e authorized_submit_users=root,sender
    postfix reload > /dev/null 2>&1
    systemctl restart posternd
    send anna@home.example nobody7@good.example carl@slow.example > /dev/null
    soon_in_log 'lanes for silent hosts are not used'
    soon_in_log 'sendmail (report)'
    postconf -e internal_mail_filter_classes=
    systemctl restart posternd
    soon_in_log 'does not have "bounce"'
    postconf -X authorized_submit_users
    posternctl setup --remove > /dev/null 2>&1
    cp "$docs/work/main.cf" "$docs/work/master.cf" /etc/postfix/
    postfix reload > /dev/null 2>&1
}

a_mistake() {
    printf '\n%.0s' {1..11} > "$conf"
    echo 'retry = { max_open_retry = 4; };' >> "$conf"
    posternd -t >> "$docs/said/log" 2>&1 || true
}

say_all() {
    local scene
    for scene in early_reports observing an_address_works a_guard delays at_the_policy_service \
        at_the_milter too_many warnings a_mistake; do
        "$scene"
        keep_said
    done
}
