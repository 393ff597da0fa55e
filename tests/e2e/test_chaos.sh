# Everything is killed and started again while mail comes in, in an order that RANDOM's seed fixes.
# At the end each recipient was delivered once, or has its NDR: twice at worst, where posternd was
# killed around it, never none.
. "$E2E_TOOLS/early.sh"
RANDOM=20
e2e_host good.test 127.0.0.2 rcpt 'bad*' '"550 5.1.1 User unknown"'
e2e_host partner.test 127.0.0.3 refuse
e2e_host many.test 127.0.0.4 most rcpt 10 '"552 5.5.3 Too many recipients"'
e2e_host flap.test 127.0.0.5 accept
e2e_host later.test 127.0.0.6 reply mail '"451 4.3.0 Temporary problem"'
e2e_start_postfix "${early_postfix[@]}" minimal_backoff_time=5 maximal_backoff_time=10 \
    queue_run_delay=5
early_postern << 'CONF'
retry = { open_interval = 3; };
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 5; open_interval = 3; }
);
early_ndr = { after = 3; };
CONF

asked=()
# Up to 24 recipients, each used once.
send() {
    local i to=() host=(good partner many flap later)
    for ((i = RANDOM % 24; i >= 0; i--)); do
        to+=("r$1-$i@${host[RANDOM % 5]}.test")
    done
    to+=("bad$1@good.test")
    e2e_send "$E2E_SENDER" "${to[@]}" > /dev/null
    asked+=("${to[@]}")
}
runs() {
    kill -0 "$1" 2> /dev/null
}
start_all() {
    runs "$sandbox_posternd" || e2e_start_posternd
    runs "$early_milter" || early_start_milter
}
act() {
    case $((RANDOM % 9)) in
    0 | 1) ! runs "$sandbox_posternd" || e2e_kill_posternd ;;
    2) ! runs "$early_milter" || early_kill_milter ;;
    3 | 4) start_all ;;
    5) pkill -KILL -x postern-gate || true ;;
    6) e2e_stop_postfix; e2e_start_postfix ;;
    7) e2e_host flap.test 127.0.0.5 refuse ;;
    8) e2e_host flap.test 127.0.0.5 accept ;;
    esac
}
for n in {1..24}; do
    send "$n"
    act
    sleep 0.$((RANDOM % 8))
done

e2e_host flap.test 127.0.0.5 accept
e2e_host later.test 127.0.0.6 accept
start_all
e2e_wait_for 75 e2e_queue_empty
# How often each was delivered, and how often an NDR tells of it.
delivered=$(grep -o ' message .*' "$E2E_DIR/smtphost.log" | grep -o 'to=<[^>]*' | sort | uniq -c)
told=$(grep -hoi '^Final-Recipient: rfc822; *[^ ]*' /var/mail/sender/new/* | sort | uniq -c)
# times LIST RECIPIENT
times() {
    awk -v who="$2" '{ sub(/^to=</, "", $NF) } $NF == who { n = $1 } END { print n + 0 }' <<< "$1"
}
for who in "${asked[@]}"; do
    case $who in
    bad* | *@partner.test)
        e2e_equal "$who delivered" 0 "$(times "$delivered" "$who")"
        e2e_between "NDRs of $who" 1 2 "$(times "$told" "$who")"
        ;;
    *)
        e2e_equal "$who delivered" 1 "$(times "$delivered" "$who")"
        e2e_equal "NDRs of $who" 0 "$(times "$told" "$who")"
        ;;
    esac
done
nobody_waits() {
    sandbox_posternctl status --json | grep -q '"waiting_recipients": 0,'
}
e2e_wait_for 10 nobody_waits
e2e_refute grep -Eq 'panic|corrupt' "$E2E_DIR/posternd.log" /var/log/mail.log
