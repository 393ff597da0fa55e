# A destination that is down, at the door: put off (tempfail), refused when it has been down for as
# long as its policy tries (refuse-over-cap), or taken (accept). Without posternd or without the
# milter mail goes on.
. "$E2E_TOOLS/retrycap.sh"

put_off='450 4\.4\.1 partner\.test cannot be reached since 20[-0-9]+ [:0-9]+ .* attempts\): please try again later'
refused='550 5\.4\.7 partner\.test could not be reached: [0-9]+ attempts since 20[-0-9]+ [:0-9]+ \+0000 failed, and the policy "partner" of this mail system allows 4; last error: .*Connection refused'
taken='250 2\.1\.5'

# connected LIST: whether the milter is asked there.
connected() {
    postconf -h "$1" | grep -F "{ $retrycap_inside, default_action=accept"
}

# goes_down: and its first message waits.
goes_down() {
    local before
    before=$(grep -c 'partner: hold ' "$E2E_DIR/posternd.log" || true)
    e2e_host partner.test 127.0.0.3 refuse
    e2e_send "$E2E_SENDER" "$1" > /dev/null
    e2e_wait_for 12 eval "[ \$(grep -c 'partner: hold ' \$E2E_DIR/posternd.log) -gt $before ]"
}

retrycap_begin tempfail 100
e2e_assert connected smtpd_milters
e2e_refute connected non_smtpd_milters
e2e_equal smtpd_hard_error_limit 1000 "$(postconf -h smtpd_hard_error_limit)"

# Put off while it is down; others are taken, in the same transaction.
e2e_assert retrycap_hears "$taken" a@partner.test
goes_down first@partner.test
said=$(retrycap_talk "$retrycap_stranger" "$E2E_SENDER" '' '<a@partner.test>' '<b@good.test>' \
    '<c@partner.test>')
e2e_equal "put off" 2 "$(grep -Ec "^$put_off\$" <<< "$said")"
id=$(sed -nE 's/^250 .*queued as ([0-9A-Za-z]+)$/\1/p' <<< "$said")
e2e_wait_for 10 e2e_status "$id" b@good.test status=sent
e2e_refute e2e_status "$id" a@partner.test .
# Mail of sendmail(1) is taken: nobody is there to be put off.
id=$(e2e_send "$E2E_SENDER" mail@partner.test)
e2e_wait_for 5 e2e_status "$id" mail@partner.test status=deferred

e2e_host partner.test 127.0.0.3 accept
e2e_wait_for 15 e2e_posternd_says 'partner: up '
e2e_wait_for 10 e2e_delivered 127.0.0.3 mail@partner.test
e2e_assert retrycap_hears "$taken" back@partner.test
e2e_wait_for 10 e2e_delivered 127.0.0.3 back@partner.test

# Refused once it has been down for the whole of the cap, and not before.
retrycap_reload refuse-over-cap 4
goes_down second@partner.test
e2e_assert retrycap_hears "$taken" third@partner.test
e2e_wait_for 25 retrycap_hears "$refused" fourth@partner.test
e2e_assert retrycap_hears "$taken" fourth@good.test

retrycap_reload accept 100
e2e_assert retrycap_hears "$taken" fifth@partner.test
e2e_never 3 retrycap_told fifth@partner.test

# Without posternd nobody knows whether it is still down, without the milter nobody asks.
retrycap_reload tempfail 100
e2e_assert retrycap_hears "$put_off" sixth@partner.test
e2e_kill_posternd
e2e_wait_for 3 retrycap_hears "$taken" sixth@partner.test
e2e_start_posternd
e2e_wait_for 10 retrycap_hears "$put_off" seventh@partner.test
kill -KILL "$retrycap_milter"
wait "$retrycap_milter" || true
e2e_assert retrycap_hears "$taken" seventh@partner.test

# It does not run, and stays connected; away it goes to the byte.
retrycap_setup
e2e_refute grep 'retrycap is not running' "$E2E_DIR/setup.log"
e2e_assert connected smtpd_milters
sandbox_posternctl setup --remove > /dev/null 2>&1
for file in main.cf master.cf; do
    e2e_assert cmp "$E2E_DIR/before/$file" "/etc/postfix/$file"
done
retrycap_setup
e2e_assert grep "postern-retrycap is not running on $retrycap_socket: start it" "$E2E_DIR/setup.log"
e2e_refute connected smtpd_milters
