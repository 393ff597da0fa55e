# posternctl setup with recipient limits: lanes are the administrator's own smtp service but for the
# name and the limit, his filter is asked first, lanes follow the configuration, and --remove gives
# back what was there to the byte.
e2e_host many.test 127.0.0.2 accept
e2e_host one.test 127.0.0.3 accept
e2e_host few.test 127.0.0.4 most rcpt 3 '"552 5.5.3 Too many recipients"'
e2e_host gone.test 127.0.0.5 rcpt 'gone@*' '"550 5.1.1 no such user"'

# The administrator's own: an argument of smtp, its pace, a filter for all agents, a route.
postconf -P 'smtp/unix/smtp_helo_name=out.sender.test'
echo '/^5\.1\.1 (.*no such user.*)$/ 5.1.6 moved: $1' > /etc/postfix/own_filter
postconf -e 'smtp_destination_concurrency_limit=7' 'smtp_destination_rate_delay=0s' \
    'default_delivery_status_filter=regexp:/etc/postfix/own_filter'
printf '%s\n' '' 'transport_maps =' '# own routes' '  inline:{ few.test=smtp:[127.0.0.4] },' \
    >> /etc/postfix/main.cf
printf '%s' '  # the last line has no newline' >> /etc/postfix/main.cf
before=$E2E_DIR/before once=$E2E_DIR/once
mkdir "$before" "$once"
cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$before/"

log=$E2E_DIR/setup.log
tables=$E2E_DIR/postern/state/tables
lanes() { # NUMBERS [OUTBOUND [ENFORCE]]
    sandbox_config <<< "recipient_limits = { outbound = ${2:-true}; lanes = [$1]; };
        enforce = ${3:-true};"
}
setup() {
    sandbox_posternctl setup "$@" > "$log" 2>&1 || e2e_fail "setup $*: $(cat "$log")"
}
unchanged() { # DIRECTORY
    local file
    for file in main.cf master.cf; do
        e2e_assert cmp "$1/$file" "/etc/postfix/$file"
    done
}
service() {
    postconf -M "$1/unix" 2> /dev/null | grep -E "^$1 "
}
setting() { # NAME VALUE
    e2e_equal "$1" "$2" "$(postconf -h "$1")"
}

lanes '1, 2, 5'
setup --print
unchanged "$before"
e2e_assert grep -q '^+postern-rcpt5_destination_recipient_limit = 5' "$log"
e2e_refute test -e "$tables"

setup --apply
cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$once/"
e2e_assert setpriv --reuid=postfix --regid=postfix --clear-groups cat "$tables/status_filter.regexp"
setting smtp_delivery_status_filter \
    "\$default_delivery_status_filter, regexp:$tables/status_filter.regexp"
setting postern-rcpt1_destination_recipient_limit 1
setting postern-rcpt5_destination_recipient_limit 5
setting postern-rcpt5_destination_concurrency_limit 7
e2e_equal lanes 'postern-rcpt1 5 postern-rcpt2 10 postern-rcpt5 - ' \
    "$(postconf -M | awk '/^postern-rcpt/ { printf "%s %s ", $1, $7 }')"
e2e_equal "the argument of smtp" out.sender.test \
    "$(postconf -Ph postern-rcpt5/unix/smtp_helo_name)"
e2e_assert postfix check
e2e_equal warnings '' "$(postconf -n 2>&1 > /dev/null)"

setup --apply
unchanged "$once"
e2e_assert grep -q 'Everything was in place already' "$log"
setup --print
e2e_assert grep -q 'Everything is in place' "$log"

# Through the lanes, by a route written by hand.
e2e_start_postfix
setpriv --reuid=postern --regid=postern --clear-groups \
    postmap -i "lmdb:$tables/transport" <<'ROUTES'
many.test postern-rcpt5:
one.test postern-rcpt1:
ROUTES
sizes() { # ADDRESS: how many recipients each transaction had
    sed -nE "s/^[0-9.]+ ${1//./\\.} [0-9]+ message //p" "$E2E_DIR/smtphost.log" |
        awk '{ print gsub(/to=</, "") }' | sort -n | paste -sd' '
}
id=$(e2e_send "$E2E_SENDER" r{1..12}@many.test)
e2e_wait_for 20 e2e_log_line " $id: removed"
e2e_equal "transactions of at most 5" '2 5 5' "$(sizes 127.0.0.2)"
e2e_assert e2e_log_line "postfix/postern-rcpt5/smtp\[[0-9]+\]: $id: to=<r12@many.test>, .*=sent"
id=$(e2e_send "$E2E_SENDER" r{1..4}@one.test)
e2e_wait_for 20 e2e_log_line " $id: removed"
e2e_equal "transactions of 1" '1 1 1 1' "$(sizes 127.0.0.3)"

# The filters: the administrator's, then ours. Three are taken, the others are not returned.
id=$(e2e_send "$E2E_SENDER" gone@gone.test)
e2e_wait_for 20 e2e_status "$id" gone@gone.test 'dsn=5\.1\.6, status=bounced \(moved: '
id=$(e2e_send "$E2E_SENDER" r{1..5}@few.test)
e2e_wait_for 20 e2e_status "$id" r5@few.test 'dsn=4\.5\.3, status=deferred .*552 5\.5\.3 Too many'
e2e_assert e2e_status "$id" r4@few.test 'dsn=4\.5\.3, status=deferred'
e2e_assert e2e_status "$id" r3@few.test 'status=sent'
e2e_refute e2e_has_ndr r4@few.test

# What the gate says when it gives up reaches the sender; another failure of it does not.
gate_filter() {
    postmap -q "$1" "regexp:$tables/gate_filter.regexp" || true
}
e2e_equal "a cap" '' "$(gate_filter '5.4.7 given up')"
e2e_equal "too many, though it was one" '' "$(gate_filter '5.5.3 given up')"
e2e_equal "the gate failed" "4.3.0 Postern's gate failed: no such program" \
    "$(gate_filter '5.3.0 no such program')"

# Lanes come and go with the configuration.
lanes '2, 10'
setup --apply
e2e_refute service postern-rcpt1
e2e_refute service postern-rcpt5
e2e_assert service postern-rcpt2
e2e_assert service postern-rcpt10
e2e_equal limits 'postern-rcpt10 postern-rcpt2' \
    "$(sed -nE 's/^(postern-rcpt.*)_destination_recipient_limit = .*/\1/p' /etc/postfix/main.cf |
        sort | paste -sd' ')"
lanes '2, 10' false
setup --apply
e2e_refute grep -E 'postern-rcpt|status_filter\.regexp' /etc/postfix/main.cf /etc/postfix/master.cf
setting smtp_delivery_status_filter '$default_delivery_status_filter'
lanes '1, 2, 5'
setup --apply
unchanged "$once"

# Observing changes no status. A filter that is not what it should be is noticed, and put right.
status_filter() {
    postmap -q '5.5.3 host h[192.0.2.1] said: 552 5.5.3 Too many recipients (in reply to RCPT TO '\
'command)' "regexp:$tables/status_filter.regexp"
}
e2e_assert status_filter
lanes '1, 2, 5' true false
setup --print
e2e_assert grep -q 'brought up to date' "$log"
setup --apply
unchanged "$once"
e2e_refute status_filter
e2e_assert grep -q 'postfix reload' "$log"
lanes '1, 2, 5'
setup --apply
e2e_assert status_filter

setup --remove
unchanged "$before"

# Where lanes would take mail away from the administrator's own ways, setup says so.
printf '\n%s\n' 'sender_dependent_relayhost_maps = hash:/x' >> /etc/postfix/main.cf
setup --print
e2e_assert grep -q 'lanes will not be used: sender_dependent_relayhost_maps is set' "$log"
cp -p "$before/main.cf" /etc/postfix/main.cf

# In the way: a service that is not ours, and none to make lanes of. Nothing is changed.
refused() { # WHAT REGEX
    local status=0
    cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$once/"
    sandbox_posternctl setup --apply > "$log" 2>&1 || status=$?
    e2e_equal "$1: exit status" 78 "$status"
    e2e_assert grep -E "$2" "$log"
    unchanged "$once"
}
echo 'postern-rcpt5 unix - - n - - smtp' >> /etc/postfix/master.cf
line=$(wc -l < /etc/postfix/master.cf)
refused "a service of another's" "/etc/postfix/master\.cf:$line: a service of this name"
cp -p "$before/master.cf" /etc/postfix/master.cf
postconf -MX smtp/unix
refused "no smtp" '/etc/postfix/master\.cf: there is no service "smtp unix"'
