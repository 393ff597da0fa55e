# postern-rcptlimit at Postfix's door: the first 20 recipients are kept and the rest told to come
# again, whatever the pipelining; when it is gone, mail goes on.
. "$E2E_TOOLS/inbound.sh"
e2e_host partner.test 127.0.0.2 accept
socket=unix:$E2E_DIR/postern/run/rcptlimit.sock
e2e_start_postfix "smtpd_milters=$socket" milter_default_action=accept \
    smtpd_authorized_xclient_hosts=127.0.0.1 "${inbound_error_limits[@]}"

# Nobody listens yet.
e2e_host early.test 127.0.0.3 accept
inbound_none_refused early.test
e2e_wait_for 10 all_delivered 50 127.0.0.3

e2e_config <<CONF
milters = { rcptlimit = { socket = "$socket"; }; };
recipient_limits = { inbound = (
  { limit = 20; },
  { logins = ("ann"); limit = 2; action = "reject"; },
  { networks = ("192.0.2.0/24"); limit = 3; }
); };
CONF
inbound_start_milter
inbound_pipelined
inbound_rejected_do_not_count
e2e_equal "account of the milter" postern "$(stat -c %U "/proc/$inbound_milter")"

# Refused at RCPT or at MAIL: the milter hears of neither.
postconf -e smtpd_delay_reject=no
postfix reload > /dev/null 2>&1
inbound_rejected_do_not_count

# Whom a rule is for, as Postfix tells the milter; XCLIENT stands in for other hosts.
# label; XCLIENT; accepted; code of the others
while IFS=';' read -r label attributes accepted code; do
    said=$(e2e_talk 127.0.0.1 10 'EHLO client.test' "XCLIENT $attributes" 'EHLO client.test' \
        "$inbound_mail"$'\n'"$(inbound_rcpts 1 30 sender.test | sed 's/r[0-9]*@/root@/')" QUIT)
    e2e_equal "$label: accepted" "$accepted" "$(inbound_count "$said" '250 2\.1\.5 ')"
    e2e_equal "$label: refused" "$((30 - accepted))" "$(inbound_count "$said" "$code ")"
done << 'TABLE'
another network;ADDR=198.51.100.1 NAME=other.test;20;452 4\.5\.3
the network;ADDR=192.0.2.9 NAME=partner.test;3;452 4\.5\.3
the network, IPv4-mapped;ADDR=IPV6:::ffff:192.0.2.9 NAME=partner.test;3;452 4\.5\.3
the login;ADDR=198.51.100.1 NAME=other.test LOGIN=ann;2;550 5\.5\.3
another login;ADDR=198.51.100.1 NAME=other.test LOGIN=bob;20;452 4\.5\.3
both;ADDR=192.0.2.9 NAME=partner.test LOGIN=ann;2;550 5\.5\.3
TABLE

# Reload: connections that are open keep their limit, new ones have the other.
exec {wire}<> /dev/tcp/127.0.0.1/25
e2e_answer "$wire" 10 > /dev/null
printf 'EHLO client.test\r\n' >&"$wire"
e2e_answer "$wire" 10 > /dev/null
sed -i 's/limit = 20;/limit = 1;/' "$E2E_DIR/postern.conf"
kill -HUP "$inbound_milter"
e2e_wait_for 10 grep -q 'read again' "$E2E_DIR/rcptlimit.log"
said=$(inbound_talk "$inbound_mail"$'\n'"$(inbound_rcpts 1 3)")
e2e_equal "the new limit" 2 "$(inbound_count "$said" '452 4\.5\.3 ')"
printf '%s\r\n' "$inbound_mail" 'RCPT TO:<r1@partner.test>' 'RCPT TO:<r2@partner.test>' >&"$wire"
for want in 250 250 250; do
    e2e_equal "an open connection" "$want" "$(e2e_answer "$wire" 10 | cut -c1-3)"
done

# Killed in the midst of a transaction: that goes on, and so does all other mail.
kill -KILL "$inbound_milter"
printf '%s\r\n' 'RCPT TO:<r3@partner.test>' 'RCPT TO:<r4@partner.test>' DATA >&"$wire"
for want in 250 250 354; do
    e2e_equal "a transaction goes on" "$want" "$(e2e_answer "$wire" 10 | cut -c1-3)"
done
exec {wire}>&-
e2e_host late.test 127.0.0.4 accept
inbound_none_refused late.test
e2e_wait_for 10 all_delivered 50 127.0.0.4
