# What the stories share: one on Debian packages, one on RPM packages, and tests/selinux/story.
# Sourced on a machine with systemd and Postfix, whose only process besides theirs the story is.
# Each chapter prints "ok - ..."; the first that fails is the last.
#
# Set before: postfix_unit. patience: times as long as usual is waited for something (default: 1).
set -Eeuo pipefail
export E2E_TOOLS=/packages E2E_DIR=/packages/work SMTPHOST=/packages/smtphost PREFIX=/usr
. /packages/sandbox.sh

fail() {
    trap - ERR
    echo "not ok - ${chapter:-the beginning}"
    {
        echo "failed: $*"
        [ ! -s "$E2E_DIR/output" ] || tail -n 40 "$E2E_DIR/output"
        systemctl --no-pager --full status 'postern*' "$postfix_unit"
        journalctl --no-pager -n 100 -o short
        timeout 10 mailq
        tail -n 30 "$E2E_DIR/smtphost.log"
    } 2>&1 | sed 's/^/# /'
    exit 1
}
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR

chapter() {
    [ -z "${chapter:-}" ] || echo "ok - $chapter"
    chapter=$1
}

quietly() {
    "$@" > "$E2E_DIR/output" 2>&1 || fail "$*"
}

wait_for() {
    sandbox_until $(($1 * ${patience:-1})) "${@:2}" > /dev/null || fail "not within $1 s: ${*:2}"
}

# --- Mail

host() { # DOMAIN ADDRESS BEHAVIOUR...
    sandbox_host "${@:2}"
    sandbox_dns "host-record=mx.$1,$2" "mx-host=$1,mx.$1,10"
}

send() { # TO...
    printf 'From: sender@sender.test\nSubject: figures\n\nhere\n' |
        runuser -u sender -- sendmail -i -f sender@sender.test -- "$@"
}

# has_ndr RECIPIENT: an NDR about it came back to the sender.
has_ndr() {
    grep -qsix "Final-Recipient: rfc822; *$1" /var/mail/sender
}

# held DOMAIN: the published table sends its mail to postern-hold.
held() {
    postmap -q "$1" lmdb:/var/lib/postern/tables/transport | grep '^postern-hold'
}

number=0
# Postfix takes mail at the door and delivers it: after each chapter.
postfix_works() {
    local to
    number=$((number + 1))
    to=fine$number@fine.test
    {
        sandbox_until 10 [ -S /var/spool/postfix/public/pickup ]
        exec 5<> /dev/tcp/127.0.0.1/25
        printf '%s\r\n' 'HELO client' 'MAIL FROM:<sender@sender.test>' "RCPT TO:<$to>" DATA >&5
        printf '%s\r\n' 'Subject: hello' '' 'hello' . QUIT >&5
        cat <&5
        exec 5>&-
    } > "$E2E_DIR/output" 2>&1
    grep -q '^250 .*queued as' "$E2E_DIR/output" || fail "mail was not taken"
    wait_for 15 sandbox_delivered 127.0.0.5 "$to"
}

postfix_is_as_before() {
    cmp "$E2E_DIR/before/main.cf" /etc/postfix/main.cf
    cmp "$E2E_DIR/before/master.cf" /etc/postfix/master.cf
}

# --- Services

milters='postern-earlyndr postern-rcptlimit postern-retrycap'

property() { # SERVICE PROPERTY
    systemctl show --value -p "$2" "$1"
}

is() { # SERVICE PROPERTY VALUE
    [ "$(property "$1" "$2")" = "$3" ]
}

active() {
    local service
    for service; do
        is "$service" ActiveState active || return
    done
}

process_has() { # PID NAME VALUE, of /proc/PID/status
    grep -Eq "^$2:\s*$3\$" "/proc/$1/status"
}

# Neither capabilities nor ways to get some, but set-gid is left to posternd.
confined() { # SERVICE NO-NEW-PRIVILEGES
    local pid name
    pid=$(property "$1" MainPID)
    process_has "$pid" Uid "($(id -u postern)\s*){4}"
    for name in CapInh CapPrm CapEff CapAmb; do
        process_has "$pid" $name 0+
    done
    process_has "$pid" Seccomp 2
    process_has "$pid" NoNewPrivs "$2"
}

# --- The machine

list_files() {
    find / -xdev \( -path /packages -o -path "/var/spool/postfix*" -o -path /var/log -o \
        -path /var/lib/apt -o -path /var/cache -o -path /root \) -prune -o -print | sort
    getent passwd | cut -d : -f 1,6,7
    getent group | cut -d : -f 1,4
    dpkg-query -W -f '${Package} ${Status}\n'
}

configure() { # FURTHER-SETTING...
    cat > /etc/postern/postern.conf << 'CONF'
postfix = { log = "journal"; };
destinations = (
  { name = "partner"; domains = ("partner.test"); max_open_retries = 3; open_interval = 3; },
  { name = "back"; domains = ("back.test"); max_open_retries = 100; open_interval = 3; }
);
early_ndr = { after = 2; };
recipient_limits = { inbound = ( { limit = 20; } ); };
CONF
    printf '%s\n' "$@" >> /etc/postern/postern.conf
}

# What needs postqueue(1), postmap(1) and sendmail(1), all run by posternd.
everything_works() { # a word that makes the addresses new ones
    sandbox_host 127.0.0.4 refuse
    send "someone$1@partner.test"
    send "one$1@back.test"
    send "bad$1@good.test" "fine$1@good.test" "someone$1@slow.test"
    wait_for 20 has_ndr "bad$1@good.test"
    wait_for 40 has_ndr "someone$1@partner.test"
    wait_for 15 held back.test
    sandbox_host 127.0.0.4 accept
    wait_for 30 sandbox_delivered 127.0.0.4 "one$1@back.test"
}

# The remote hosts, and a Postfix that works.
begin() {
    mkdir -p "$E2E_DIR/before" "$E2E_DIR/taken"
    : > "$E2E_DIR/dns.conf"
    chapter="systemd and Postfix run"
    wait_for 60 systemctl is-active "$postfix_unit"
    host partner.test 127.0.0.2 refuse
    host slow.test 127.0.0.3 silent
    host back.test 127.0.0.4 accept
    host fine.test 127.0.0.5 accept
    host good.test 127.0.0.6 rcpt 'bad*@*' '"550 5.1.1 User unknown"'
    cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$E2E_DIR/before/"
    postfix_works
}

# The machine is as it was for another story, which wants the same addresses.
finish() {
    local pid
    chapter ""
    for pid in "$sandbox_smtphost" $(cat "$E2E_DIR/dns.pid"); do
        kill -KILL "$pid"
        while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
    done
    rm -rf "$E2E_DIR"
}
