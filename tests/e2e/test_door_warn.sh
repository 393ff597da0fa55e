# when_down = "warn": mail for a destination that is down is taken, and its sender told at once, if he
# is one of ours and a person; and not once more by warn_after_retries.
. "$E2E_TOOLS/retrycap.sh"
retrycap_begin warn 100
for list in smtpd_milters non_smtpd_milters; do
    e2e_assert grep -Eq "earlyndr\.sock.*$retrycap_inside" <(postconf -h "$list")
done

# told_alone FILE RECIPIENT...: the report is in form, and about these only.
told_alone() {
    local file=$1 arguments=() to
    for to in "${@:2}"; do
        arguments+=(--recipient "$to")
    done
    python3 "$E2E_TOOLS/../unit/check_dsn.py" "${arguments[@]}" < "$file" > "$E2E_DIR/check.out" 2>&1 ||
        e2e_fail "$(cat "$E2E_DIR/check.out" "$file")"
}

# assert_once RECIPIENT...
assert_once() {
    local to
    for to; do
        e2e_equal "reports of the delay of $to" 1 "$(retrycap_delayed "$to" | grep -c . || true)"
    done
}

# Nothing to be told of while it is not known to be down.
retrycap_send "$retrycap_ours" "$E2E_SENDER" '' '<first@partner.test>' > /dev/null
e2e_wait_for 12 e2e_posternd_says 'partner: hold '

# One report for all that are down; one who was named several times is in it once.
sent=$(e2e_now)
id=$(retrycap_send "$retrycap_ours" "$E2E_SENDER" '' '<a@partner.test>' '<fine@good.test>' \
    '<a@partner.test>' '<b@partner.test> ORCPT=rfc822;Bee@partner.test' '<a@PARTNER.test>' \
    '<never@partner.test> NOTIFY=NEVER' '<failure@partner.test> NOTIFY=FAILURE')
e2e_wait_for 10 retrycap_told a@partner.test
e2e_between "ms until the report" 0 3000 $(($(e2e_now) - sent))
file=$(retrycap_delayed a@partner.test)
told_alone "$file" a@partner.test b@partner.test
for words in '^Action: delayed' '^Status: 4\.4\.1' '^Will-Retry-Until: ' 'Subject: at the door' \
    '^Original-Recipient: rfc822; *Bee@partner.test' 'could not be reached' 'Connection refused'; do
    e2e_assert grep -q "$words" "$file"
done
for to in a b; do
    e2e_assert e2e_posternd_says "$id: delay-report to=<$to@partner.test> since=\"20"
done
e2e_wait_for 5 e2e_status "$id" fine@good.test status=sent
e2e_wait_for 5 e2e_status "$id" a@partner.test status=deferred

# Authenticated, by sendmail(1), and one who asks for it.
retrycap_send "$retrycap_stranger LOGIN=ann" "$E2E_SENDER" '' '<ann@partner.test>' > /dev/null
e2e_send "$E2E_SENDER" mail@partner.test > /dev/null
retrycap_send "$retrycap_ours" "$E2E_SENDER" '' '<asks@partner.test> NOTIFY=DELAY' > /dev/null
for to in ann mail asks; do
    e2e_wait_for 10 retrycap_told "$to@partner.test"
    told_alone "$(retrycap_delayed "$to@partner.test")" "$to@partner.test"
done

# Nobody else.
retrycap_send "$retrycap_stranger" "$E2E_SENDER" '' '<stranger@partner.test>' > /dev/null
retrycap_send "$retrycap_ours" '' '' '<null@partner.test>' > /dev/null
retrycap_send "$retrycap_ours" "$E2E_SENDER" $'List-Id: <news.sender.test>\n' '<list@partner.test>' \
    > /dev/null
e2e_never 4 eval '(ls -A /var/mail/root /var/mail/*/new; cat /var/mail/sender/new/*) 2> /dev/null |
    grep -E "(stranger|null|list|never|failure|first)@partner\.test"'

# warn_after_retries tells of those that nobody told of, and of no others.
retrycap_reload warn 100 'warn_after_retries = 2;'
id=$(retrycap_send "$retrycap_ours" "$E2E_SENDER" '' '<late@partner.test>' '<other@slow.test>')
e2e_wait_for 10 retrycap_told late@partner.test
told_alone "$(retrycap_delayed late@partner.test)" late@partner.test
e2e_wait_for 20 retrycap_told other@slow.test
told_alone "$(retrycap_delayed other@slow.test)" other@slow.test
e2e_assert e2e_posternd_says "$id: delay-report to=<other@slow.test>"
sleep 7
assert_once late@partner.test other@slow.test a@partner.test b@partner.test ann@partner.test \
    mail@partner.test asks@partner.test
for to in never failure list; do
    e2e_refute retrycap_told "$to@partner.test"
done

# Without posternd mail goes on, and nobody is told.
e2e_kill_posternd
e2e_wait_for 3 retrycap_send "$retrycap_ours" "$E2E_SENDER" '' '<gone@partner.test>'
e2e_never 3 retrycap_told gone@partner.test
e2e_start_posternd
assert_once late@partner.test

# All of it is delivered when it is back.
e2e_host partner.test 127.0.0.3 accept
for to in a stranger gone; do
    e2e_wait_for 30 e2e_delivered 127.0.0.3 "$to@partner.test"
done
