# What the tests of lanes = "suspect", "proven" and "off" have in common. Sourced by them.

before=$E2E_DIR/before proven=$E2E_DIR/proven now=$E2E_DIR/now
log=$E2E_DIR/setup.log
keep() { # DIRECTORY: what is there now
    mkdir -p "$1"
    cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$1/"
}
put() { # DIRECTORY
    cp -p "$1/main.cf" "$1/master.cf" /etc/postfix/
}
unchanged() { # DIRECTORY
    local file
    for file in main.cf master.cf; do
        e2e_assert cmp "$1/$file" "/etc/postfix/$file"
    done
}
lanes() { # MODE [MORE]
    sandbox_config <<< "lanes = \"$1\"; ${2:-}"
}
setup() {
    sandbox_posternctl setup "$@" > "$log" 2>&1 || e2e_fail "setup $*: $(cat "$log")"
}
apply() { # MODE [MORE]
    lanes "$@"
    setup --apply
}
says() { # WORDS, line breaks put aside
    local text
    text=$(tr -s ' \n' ' ' < "$log")
    [[ $text = *"$1"* ]] || e2e_fail "does not say '$1': $text"
}
service() {
    postconf -M postern-probation/unix 2> /dev/null | grep '^postern-probation '
}
transport() { # VALUE
    e2e_equal default_transport "$1" "$(postconf -h default_transport)"
}
# goes SERVICE ADDRESS RECIPIENT: a new message is delivered through it, at the first attempt.
goes() {
    local id
    id=$(e2e_send "$E2E_SENDER" "$3")
    e2e_wait_for 20 e2e_log_line "postfix/$1\[[0-9]+\]: $id: to=<$3>, relay=[^ ]*\[$2\]:25, .*=sent"
}
route() { # KEY ROUTE: as posternd would publish it
    setpriv --reuid=postern --regid=postern --clear-groups \
        postmap -i "lmdb:$E2E_DIR/postern/state/tables/transport" <<< "$1 $2"
}
reloads() {
    grep -c 'postfix/master\[.*: reload' /var/log/mail.log || true
}
