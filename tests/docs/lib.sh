# What runs the documents' commands on a machine. Sourced by by-source and by-package.
#
# Hooks hang on commands: before, after and instead hold the name of a function for "FILE: COMMAND"
# or, in any document, COMMAND (in one line, as in the list of extract); expect an exit status other
# than 0. value holds what to put for a word that the reader replaces, or that was another one when
# the document was written, such as a queue id.
set -Eeuo pipefail
docs=/docs
export E2E_TOOLS=$docs E2E_DIR=$docs/work SMTPHOST=$docs/smtphost PREFIX=/usr/local
mkdir -p "$E2E_DIR/taken"
: > "$E2E_DIR/dns.conf"
. "$docs/sandbox.sh"
export MAKEFLAGS="-j$(nproc)" DEB_BUILD_OPTIONS="nocheck noddebs parallel=$(nproc)" LC_ALL=C.UTF-8 COLUMNS=80 HOME=/root

declare -A before=() after=() instead=() expect=() value=()
number= kind= place= section= block= text=
# Where the test itself writes, wherever a command's output goes.
exec {tap}>&1

fail() {
    trap - ERR
    keep_said
    exec >&"$tap"
    echo "not ok - ${chapter:-the beginning}"
    {
        echo "failed: $*"
        [ ! -s "$docs/got/$number" ] || tail -n 40 "$docs/got/$number"
        systemctl --no-pager --full status 'postern*' postfix@-
        journalctl --no-pager -n 60 -o short
        timeout 10 mailq
    } 2>&1 | sed 's/^/# /'
    exit 0
}
# A server that hangs up is no reason to die.
trap '' PIPE
trap 'fail "line $LINENO: $BASH_COMMAND (at ${place:-no command})"' ERR

chapter() {
    [ -z "${chapter:-}" ] || echo "ok - $chapter"
    chapter=$1
}

wait_for() { # SECONDS COMMAND...
    sandbox_until "$@" > /dev/null 2>&1 || fail "not within $1 s: ${*:2}"
}

# --- What the documents say

is_excepted() { # COMMAND
    cut -f 1 "$docs/exceptions" | grep -Fqx -- "$1"
}

# items FILE: its lines of the list, but what leads to the end of Postern comes last.
items() {
    awk -F '\t' -v file="$1:" 'index($3, file) == 1 {
            line[++n] = $0; of[n] = $4
            if ($2 == "command" && $6 == "posternctl setup --remove") leaving[$4] = 1
        }
        END {
            for (i = 1; i <= n; i++) if (!(of[i] in leaving)) print line[i]
            for (i = 1; i <= n; i++) if (of[i] in leaving) print line[i]
        }' "$docs/items/list"
}

# hook NAME: the function that hangs on the command at hand in this array, if any.
hook() {
    local -n hooks=$1
    echo "${hooks["${place%:*}: $text"]:-${hooks[$text]:-}}"
}

run_hook() { # NAME
    local function
    function=$(hook "$1")
    [ -z "$function" ] || "$function"
}

command_text() {
    local command word
    command=$(< "$docs/items/$number.text")
    for word in "${!value[@]}"; do
        command=${command//"$word"/"${value[$word]}"}
    done
    echo "$command"
}

# In this shell: cd goes for what follows, as it does for the reader.
do_command() {
    local status=0 wanted command
    is_excepted "$text" && return
    run_hook before
    wanted=$(hook expect)
    command=$(command_text)
    if [ -n "$(hook instead)" ]; then
        run_hook instead
    else
        eval "$command" > "$docs/got/$number" 2>&1 < /dev/null || status=$?
        [ "$status" = "${wanted:-0}" ] || fail "$place: $command: exit status $status"
    fi
    printf '%s\t%s\n' "$place" "$text" >> "$docs/ran"
    run_hook after
}

do_item() { # NUMBER KIND PLACE SECTION BLOCK TEXT
    local number=$1 kind=$2 place=$3 section=$4 block=$5 text=$6
    case $kind in
    command | session) do_command ;;
    config)
        "${config_hook:-check_config}"
        printf '%s\t%s\n' "$place" "$text" >> "$docs/ran"
        ;;
    esac
}

do_items() { # reads lines of the list
    local lines line fields
    mapfile -t lines
    for line in "${lines[@]}"; do
        IFS=$'\t' read -ra fields <<< "$line"
        do_item "${fields[@]}"
    done
}

document() { # FILE
    do_items < <(items "$1")
}

# display FILE COMMAND: once more the whole display that has the command in it.
display() {
    do_items < <(items "$1" | awk -F '\t' -v command="$2" '
        { line[NR] = $0; of[NR] = $5; if ($2 == "command" && $6 == command) wanted = $5 }
        END { for (i = 1; i <= NR; i++) if (of[i] == wanted) print line[i] }')
}

# mention COMMAND: one that stands in running text.
mention() {
    local line fields number place text
    line=$(awk -F '\t' -v command="$1" '$2 == "mention" && $6 == command { print; exit }' \
        "$docs/items/list")
    [ -n "$line" ] || fail "no document mentions $1"
    IFS=$'\t' read -ra fields <<< "$line"
    number=${fields[0]} place=${fields[2]} text=${fields[5]}
    do_command
}

# mentions FILE...: those that were not run yet, and that no display has, in any document.
mentions() {
    local file line
    while IFS= read -r line; do
        cut -f 2 "$docs/ran" | awk -v mention="$line " 'index($0 " ", mention) == 1 { found = 1; exit }
            END { exit !found }' || is_excepted "$line" || mention "$line"
    done < <(for file; do items "$file"; done | awk -F '\t' '
        FNR == NR { if ($2 == "command" || $2 == "session") shown[$6] = 1; next }
        $2 == "mention" && !($6 in shown) { print $6 }' "$docs/items/list" - | sort -u)
}

# --- Configuration texts

# Each on its own: Postern takes it, or Postfix has no word against it.
check_config() {
    local folder=$docs/work/postfix output
    case $text in
    postern.conf)
        postern_config_is_right || fail "$place: $(cat "$docs/got/$number")"
        ;;
    main.cf | master.cf)
        rm -rf "$folder"
        cp -r /etc/postfix "$folder"
        cat "$docs/items/$number.text" >> "$folder/$text"
        output=$({ postconf -c "$folder" -n && postconf -c "$folder" -M; } 2>&1 > /dev/null |
            grep -v 'overriding earlier entry' || true)
        [ -z "$output" ] || fail "$place: $output"
        ;;
    *) fail "$place: what to do with $text?" ;;
    esac
}

# What it includes is there, and empty.
postern_config_is_right() {
    local folder=$docs/work/alone
    rm -rf "$folder"
    mkdir "$folder"
    cp "$docs/items/$number.text" "$folder/postern.conf"
    sed -n 's/^@include "\(.*\)".*/\1/p' "$folder/postern.conf" | (cd "$folder" && xargs -r touch)
    posternd -t -c "$folder/postern.conf" > "$docs/got/$number" 2>&1
}

# As printed, to the end of the file it is for.
write_config() {
    case $text in
    postern.conf)
        mkdir -p /etc/postern
        cat "$docs/items/$number.text" >> /etc/postern/postern.conf
        ;;
    *) check_config ;;
    esac
}

# --- Mail

host() { # DOMAIN ADDRESS BEHAVIOUR...
    sandbox_host "${@:2}"
    sandbox_dns "host-record=mx.$1,$2" "mx-host=$1,mx.$1,10"
}

address() { # DOMAIN ADDRESS: without an MX, such as a mistyped one
    sandbox_dns "host-record=$1,$2"
}

# send FROM TO...: prints the queue id.
send() {
    local id=$RANDOM.${EPOCHREALTIME/./}@docs
    printf '%s\n' "From: $1" "Message-ID: <$id>" 'Subject: figures' '' 'here' |
        runuser -u sender -- sendmail -i -f "$1" -- "${@:2}"
    sandbox_until 10 journal_has "message-id=<$id>" || fail "no message-id=<$id> in the log"
    postfix_log | sed -nE "s/.*cleanup\[[0-9]+\]: ([0-9A-Za-z]+): message-id=<$id>.*/\1/p"
}

postfix_log() {
    journalctl --no-pager -q -o short
}

journal_has() {
    postfix_log | grep -Fq -- "$1"
}

delivered() { # ADDRESS RECIPIENT
    sandbox_delivered "$@"
}

# talk COMMAND...: one SMTP session, at the door of this machine; what the server said.
talk() {
    local command line
    exec 5<> /dev/tcp/127.0.0.1/25
    read -r line <&5
    for command; do
        printf '%s\r\n' "$command" >&5 || break
        while IFS= read -r -t 30 line <&5 && printf '%s\n' "${line%$'\r'}" && [[ $line = ???-* ]]; do :; done
    done
    exec 5>&-
}

# Postern without a past: no state, no mail waiting, no log but what comes now.
from_nothing() {
    keep_said
    systemctl stop posternd
    postsuper -d ALL > /dev/null 2>&1 || true
    rm -f /var/lib/postern/state.mdb*
    journalctl -q --rotate --vacuum-time=1s > /dev/null 2>&1 || true
    sleep 1
    systemctl start posternd
    wait_for 10 posternctl status
}

# What was said until now, for the displays that are nobody's output.
keep_said() {
    {
        journalctl --no-pager -q -o cat
        journalctl --no-pager -q -o short
        cat /var/mail/sender
    } >> "$docs/said/log" 2>&1 || true
}

# A second Postfix instance, as postmulti makes one, at an address of its own and in the journal.
second_instance() {
    cp /etc/postfix/main.cf "$docs/work/connected.cf"
    ip address add 127.0.0.9/8 dev lo 2> /dev/null || true
    postmulti -e init
    mention 'postmulti -I postfix-out -e create'
    postmulti -i postfix-out -e enable
    postconf -c /etc/postfix-out -e master_service_disable= authorized_submit_users=static:anyone \
        myhostname=out.sender.test inet_interfaces=127.0.0.9 compatibility_level=3.6
    postmulti -i postfix-out -p start > /dev/null 2>&1
}
instance_is_gone() {
    posternctl -c /etc/postern/out.conf setup --remove > /dev/null 2>&1
    systemctl disable --now posternd@out postern-earlyndr@out > /dev/null 2>&1
    postmulti -i postfix-out -p stop > /dev/null 2>&1
    postmulti -i postfix-out -e disable
    rm -rf /etc/postfix-out /var/spool/postfix-out /var/lib/postfix-out /etc/postern/out.conf \
        /var/lib/postern-out /run/postern-out
    cp "$docs/work/connected.cf" /etc/postfix/main.cf
    postfix reload > /dev/null 2>&1
}

postfix_is_as_before() {
    cmp "$docs/work/main.cf" /etc/postfix/main.cf && cmp "$docs/work/master.cf" /etc/postfix/master.cf
}

begin() {
    chapter="systemd and Postfix run"
    wait_for 60 systemctl is-active postfix@-.service
    sandbox_start_dns
    # The documents' sender is somebody here.
    echo 'anna: sender' >> /etc/aliases
    newaliases
    postconf -e "mydestination=$(postconf -h mydestination), home.example"
    postfix reload > /dev/null 2>&1
    cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$docs/work/"
}
