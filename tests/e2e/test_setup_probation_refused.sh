# posternctl setup and postern-probation, where something is in the way: what the administrator set
# stays, and main.cf never names a service that is not there, whenever setup dies.
. "$E2E_TOOLS/probation.sh"

e2e_host many.test 127.0.0.2 accept
e2e_host gateway.test 127.0.0.3 accept
e2e_start_postfix 'relayhost=[127.0.0.3]'
keep "$before"
apply proven
goes postern-probation/smtp 127.0.0.3 h@many.test

# Another default of the administrator's, set in the block: it stays, and lanes are as "off".
postconf -e 'default_transport=relay'
setup --apply
says 'the lanes will not be used: default_transport is relay'
says 'default_transport is left as it is'
transport relay
e2e_refute service
goes relay/smtp 127.0.0.3 i@many.test
setup --remove
transport relay
e2e_equal "what he set" 'default_transport = relay' "$(grep '^default_transport' /etc/postfix/main.cf)"

# In the way: nothing is done about lanes, all else is.
off() { # WORDS SETTING...
    put "$before"
    postconf -e "${@:2}"
    setup --print
    says "$1"
    e2e_refute grep '^+.*postern-probation' "$log"
    e2e_assert grep -q '^+postern-hold' "$log"
}
lanes proven
off 'lanes will not be used: default_transport is smtps:[gw]' 'default_transport=smtps:[gw]'
off 'sender_dependent_relayhost_maps is set' 'sender_dependent_relayhost_maps=hash:/x'
off 'sender_dependent_default_transport_maps is set' \
    'sender_dependent_default_transport_maps=hash:/x'
off 'defer_transports has smtp wait' 'defer_transports=smtp'
lanes suspect
off 'sender_dependent_relayhost_maps is set' 'sender_dependent_relayhost_maps=hash:/x'
lanes proven
off ': default_transport = $own is set here' 'own=smtp' 'default_transport=$own'
line=$(grep -n '^default_transport' /etc/postfix/main.cf)
e2e_assert grep -F "main.cf:${line%%:*}: " "$log"

# Whenever setup dies, main.cf names no service that is not there: what is written first is put back
# when the second cannot be replaced.
refused() { # STATUS REGEX ARGUMENT...
    local status=0
    keep "$now"
    sandbox_posternctl setup "${@:3}" > "$log" 2>&1 || status=$?
    e2e_equal "exit status: $(cat "$log")" "$1" "$status"
    e2e_assert grep -E "$2" "$log"
    unchanged "$now"
}
stuck() { # FILE REGEX ARGUMENT...
    mount --bind "/etc/postfix/$1" "/etc/postfix/$1"
    refused 74 "${@:2}"
    umount "/etc/postfix/$1"
}
put "$before"
lanes proven
stuck main.cf 'master\.cf is as it was' --apply
setup --apply
lanes off
stuck master.cf 'main\.cf is as it was' --apply
stuck master.cf 'main\.cf is as it was' --remove
goes postern-probation/smtp 127.0.0.3 j@many.test
keep "$proven"

# What a death between the two leaves works, and the same again completes it.
put "$before"
cp -p "$proven/master.cf" /etc/postfix/
postfix reload > /dev/null 2>&1
goes smtp 127.0.0.3 k@many.test
apply proven
unchanged "$proven"
cp -p "$before/main.cf" /etc/postfix/
postfix reload > /dev/null 2>&1
goes smtp 127.0.0.3 l@many.test
setup --remove
unchanged "$before"

# By hand and outside of the block, where the service would go: nothing is changed.
apply suspect
postconf -e 'default_transport=postern-probation'
refused 78 'main\.cf: default_transport is postern-probation outside of' --remove
lanes off
refused 78 'main\.cf: default_transport is postern-probation outside of' --apply
apply proven
transport postern-probation
setup --print
e2e_assert grep -q 'Everything is in place' "$log"

# A service of that name which is another's.
put "$before"
echo 'postern-probation unix - - n - - smtp' >> /etc/postfix/master.cf
refused 78 "master\.cf:$(wc -l < /etc/postfix/master.cf): a service of this name" --apply

# All of it went at once.
e2e_refute e2e_log_line 'status=deferred|unavailable'
