# What posternd knows of a recipient decides at RCPT through its policy service, without a milter: an
# address that does not exist, and a destination that is down.
. "$E2E_TOOLS/early.sh"
e2e_host good.test 127.0.0.2 rcpt 'bad@*' '"550 5.1.1 <bad@good.test>: 100% unknown"'
e2e_host partner.test 127.0.0.3 refuse
socket=unix:$E2E_DIR/postern/run/policy.sock
service="check_policy_service { $socket, default_action=DUNNO, try_limit=1, timeout=10s }"
behind='check_recipient_access inline:{ never@partner.test=REJECT }'
e2e_start_postfix "smtpd_recipient_restrictions=reject_unlisted_recipient, $service, $behind"

# settings WHEN_DOWN
settings() {
    cat <<CONF
policy = { socket = "$socket"; };
milters = { retrycap = { when_down = "$1"; }; };
recipient_limits = { inbound = ( { limit = 2; } ); };
early_ndr = { lifetime = 24; };
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 4; open_interval = 6; }
);
CONF
}

# reload WHEN_DOWN
reload() {
    local before
    before=$(e2e_posternd_says 'read again' | grep -c . || true)
    settings "$1" | e2e_config
    kill -HUP "$sandbox_posternd"
    e2e_wait_for 5 eval "[ \$(e2e_posternd_says 'read again' | grep -c .) -gt $before ]"
}

# talk RECIPIENT...: what a client hears at each RCPT.
talk() {
    local commands=() to
    for to; do
        commands+=("RCPT TO:<$to>")
    done
    e2e_talk 127.0.0.1 10 'EHLO client.test' "MAIL FROM:<$E2E_SENDER>" "${commands[@]}" QUIT |
        sed -n "4,$((3 + $#))p"
}

# hears REGEX RECIPIENT
hears() {
    talk "$2" | grep -Eq "^$1"
}

e2e_postern < <(settings tempfail)
e2e_wait_for 10 test -S "${socket#unix:}"
e2e_equal "before" "250 2.1.5 Ok" "$(talk bad@good.test)"
e2e_equal "before" "250 2.1.5 Ok" "$(talk someone@partner.test)"

# Known to be bad.
e2e_send "$E2E_SENDER" bad@good.test > /dev/null
e2e_send "$E2E_SENDER" first@partner.test > /dev/null
e2e_wait_for 10 early_knows bad@good.test
learned=$(e2e_now)
said=$(talk bad@good.test)
grep -Eq '^550 5\.1\.1 <bad@good\.test>: Recipient address rejected: mx\.good\.test said on 20[0-9-]+ [0-9:]+ .*: 550 5\.1\.1 <bad@good\.test>: 100% unknown$' <<< "$said" ||
    e2e_fail "at RCPT: $said"
# One that is refused does not count: two may come.
e2e_equal "in one transaction" "550 250 550 250 452 " "$(talk bad@good.test a@good.test \
    bad@good.test b@good.test c@good.test | cut -c1-3 | tr '\n' ' ')"

# Down: told to try again. What another restriction refuses for good is refused for good.
e2e_wait_for 12 e2e_posternd_says 'partner: hold '
e2e_send "$E2E_SENDER" second@partner.test > /dev/null
said=$(talk someone@Partner.test)
grep -Eq '^450 4\.4\.1 <someone@Partner\.test>: Recipient address rejected: partner\.test cannot be reached since 20[0-9-]+ [0-9:]+ .* \([0-9]+ s, [2-9] attempts\): please try again later$' <<< "$said" ||
    e2e_fail "at RCPT: $said"
e2e_equal "refused behind us" "554 5.7.1" "$(talk never@partner.test | cut -c1-9)"
e2e_equal "elsewhere" "250 2.1.5 Ok" "$(talk someone@good.test)"

# Over the cap of 4, and not before, it is refused.
reload refuse-over-cap
e2e_equal "before the cap" "250 2.1.5 Ok" "$(talk someone@partner.test)"
reload accept
e2e_equal "accept" "250 2.1.5 Ok" "$(talk someone@partner.test)"
reload warn
e2e_equal "warn" "250 2.1.5 Ok" "$(talk someone@partner.test)"
reload refuse-over-cap
e2e_wait_for 25 hears '550 5\.4\.7 ' someone@partner.test
said=$(talk someone@partner.test)
grep -Eq '^550 5\.4\.7 <someone@partner\.test>: Recipient address rejected: partner\.test could not be reached: [4-6] attempts since 20[0-9-]+ [0-9:]+ .* failed, and the policy "partner" of this mail system allows 4; last error: connect to mx\.partner\.test\[127\.0\.0\.3\]:25: Connection refused$' <<< "$said" ||
    e2e_fail "at RCPT: $said"

# After half its time a message may try the address; another, while it does, may not.
e2e_wait_for 15 eval "[ \$(e2e_now) -gt $((learned + 12500)) ]"
e2e_equal "one tries it" "250 550 " "$(talk bad@good.test bad@good.test | cut -c1-3 | tr '\n' ' ')"

# Nobody is left to try the destination: the next message does, or nobody would find that it is back.
e2e_wait_for 30 e2e_queue_empty
e2e_host partner.test 127.0.0.3 accept
e2e_wait_for 15 hears '250 ' someone@partner.test
e2e_send -s "$E2E_SENDER" someone@partner.test > /dev/null
e2e_wait_for 10 e2e_delivered 127.0.0.3 someone@partner.test
e2e_equal "back" "250 2.1.5 Ok" "$(talk someone@partner.test)"

# Killed: nobody is refused, and nobody waits.
e2e_send "$E2E_SENDER" bad@good.test > /dev/null
e2e_wait_for 10 hears '550 5\.1\.1 ' bad@good.test
e2e_kill_posternd
before=$(e2e_now)
e2e_equal "posternd is gone" "250 2.1.5 Ok" "$(talk bad@good.test)"
e2e_between "ms" 0 3000 $(($(e2e_now) - before))
e2e_send -s "$E2E_SENDER" other@good.test > /dev/null
e2e_wait_for 10 e2e_delivered 127.0.0.2 other@good.test
