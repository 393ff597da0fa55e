# posternctl setup with lanes = "suspect", "proven" and "off": postern-probation is the
# administrator's own smtp service with a pool of its own, default_transport leads there in "proven"
# only, mail goes out in each mode without posternd, and --remove gives back what was there.
. "$E2E_TOOLS/probation.sh"

e2e_host many.test 127.0.0.2 accept
e2e_host gateway.test 127.0.0.3 accept
e2e_host inner.test 127.0.0.4 accept

# The administrator's own: an argument of smtp, its pace and its limit, a domain that is relayed.
postconf -P 'smtp/unix/smtp_helo_name=out.sender.test'
postconf -e 'smtp_destination_concurrency_limit=7' 'smtp_destination_recipient_limit=20' \
    'relay_domains=inner.test'
printf '%s' '  # the last line has no newline' >> /etc/postfix/main.cf
suspect=$E2E_DIR/suspect
keep "$before"

# "suspect": a service, and nothing leads there by itself.
lanes suspect
setup --print
unchanged "$before"
e2e_assert grep -q '^+postern-probation unix ' "$log"
e2e_assert grep -q 'could not be reached lately' "$log"
setup --apply
keep "$suspect"
e2e_equal "its processes" 250 "$(service | awk '{ print $7 }')"
e2e_equal "the argument of smtp" out.sender.test \
    "$(postconf -Ph postern-probation/unix/smtp_helo_name)"
e2e_equal "its pace" 7 "$(postconf -h postern-probation_destination_concurrency_limit)"
e2e_equal "its limit" 20 "$(postconf -h postern-probation_destination_recipient_limit)"
transport smtp
e2e_refute grep -E '^(#postern# )?default_transport' /etc/postfix/main.cf
e2e_assert postfix check
e2e_equal warnings '' "$(postconf -n 2>&1 > /dev/null)"
setup --apply
unchanged "$suspect"
e2e_assert grep -q 'Everything was in place already' "$log"

# In every mode Postfix delivers without posternd.
e2e_start_postfix
e2e_start_posternd
e2e_kill_posternd
goes smtp 127.0.0.2 a@many.test
route suspect.many.test postern-probation:many.test
sandbox_dns mx-host=suspect.many.test,mx.many.test,10
goes postern-probation/smtp 127.0.0.2 a@suspect.many.test

# "proven": all that default_transport is for, and only that. master(8) has the service before main.cf
# names it: one reload for each file.
count=$(reloads)
lanes proven
setup --print
unchanged "$suspect"
e2e_assert grep -qx '+default_transport = postern-probation' "$log"
e2e_assert grep -q 'default_transport: all mail begins there' "$log"
setup --apply
says 'lanes = "proven": all mail that default_transport is for begins in postern-probation'
keep "$proven"
transport postern-probation
e2e_assert cmp "$suspect/master.cf" "$proven/master.cf"
e2e_wait_for 5 [ "$(($(reloads) - count))" = 2 ]
e2e_equal warnings '' "$(postconf -n 2>&1 > /dev/null)"
goes postern-probation/smtp 127.0.0.2 b@many.test
goes relay/smtp 127.0.0.4 b@inner.test
e2e_equal "local mail" sent "$(id=$(e2e_send "$E2E_SENDER" "$E2E_SENDER")
    e2e_wait_for 10 e2e_status "$id" "$E2E_SENDER" 'relay=local, .*status=sent' && echo sent)"
sandbox_dns mx-host=proven.many.test,mx.many.test,10
route proven.many.test smtp:proven.many.test
goes smtp 127.0.0.2 b@proven.many.test
setup --apply
unchanged "$proven"
setup --print
e2e_assert grep -q 'Everything is in place' "$log"

# From one to the other, each replaces what was there.
apply off
e2e_refute grep -E 'postern-probation' /etc/postfix/main.cf /etc/postfix/master.cf
transport smtp
goes smtp 127.0.0.2 c@many.test
apply proven
unchanged "$proven"
goes postern-probation/smtp 127.0.0.2 c@many.test
apply suspect
unchanged "$suspect"
goes smtp 127.0.0.2 d@many.test
apply proven 'probation_processes = 31;'
e2e_equal "its processes" 31 "$(service | awk '{ print $7 }')"
setup --remove
unchanged "$before"
goes smtp 127.0.0.2 e@many.test

# While posternd only observes nothing would ever be sent elsewhere: the default stays.
apply proven 'enforce = false;'
unchanged "$suspect"
says 'default_transport is left as it is while posternd only observes'

# A next hop is kept; so is what others change meanwhile.
setup --remove
printf '\n%s\n' 'default_transport =' '# all by the gateway' '   smtp:[127.0.0.3]' \
    >> /etc/postfix/main.cf
keep "$before"
apply proven
transport 'postern-probation:[127.0.0.3]'
says 'all mail goes to [127.0.0.3]: postern-probation separates destinations only where'
goes postern-probation/smtp 127.0.0.3 f@many.test
postconf -e 'smtp_helo_timeout=9'
printf '%s\n' 'other unix - - n - - smtp' >> /etc/postfix/master.cf
apply suspect
transport 'smtp:[127.0.0.3]'
goes smtp 127.0.0.3 g@many.test
apply proven
setup --remove
e2e_equal "what others changed" 'smtp_helo_timeout=9' \
    "$(comm -13 <(sort "$before/main.cf") <(sort /etc/postfix/main.cf) | tr -d ' ')"
e2e_equal "what others added" 'other unix - - n - - smtp' \
    "$(comm -13 <(sort "$before/master.cf") <(sort /etc/postfix/master.cf))"
put "$before"

# A relayhost is kept, and it is said what that means.
postconf -X default_transport
postconf -e 'relayhost=[127.0.0.3]'
keep "$before"
apply proven
says 'all mail goes to [127.0.0.3]'
goes postern-probation/smtp 127.0.0.3 h@many.test

# All of it went at once.
e2e_refute e2e_log_line 'status=deferred|unavailable'
