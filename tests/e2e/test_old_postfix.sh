# A Postfix that is too old is not touched, and one that logs addresses without quotes is worked with
# as far as its log can be believed. The version is what postconf(1) says of it.
e2e_host partner.test 127.0.0.2 refuse
# As all before 3.5 log; there postconf knows no such setting.
e2e_start_postfix info_log_address_format=internal \
    'virtual_alias_maps=inline:{ { list@sender.test = anna@partner.test } }'
postconf=$(postconf -h command_directory)/postconf
cp -p "$postconf" "$E2E_DIR/postconf"
cat > "$E2E_DIR/older" <<OLDER
#!/bin/sh
said=\$("$E2E_DIR/postconf" "\$@") || exit
[ -z "\$said" ] || printf '%s\n' "\$said" |
    sed -e "s/^mail_version = .*/mail_version = \$(cat "$E2E_DIR/version")/" -e /^info_log_address_format/d
OLDER
chmod 755 "$E2E_DIR/older" "$E2E_DIR"
mount --bind "$E2E_DIR/older" "$postconf"

says() { # COMMAND REGEX STATUS: of posternctl
    local status=0
    sandbox_posternctl $1 > "$E2E_DIR/said" 2>&1 || status=$?
    e2e_equal "$1: $(cat "$E2E_DIR/said")" "$3" "$status"
    e2e_assert grep -E "$2" "$E2E_DIR/said"
}

sandbox_config <<'CONF'
destinations = ( { name = "partner"; domains = ("partner.test"); max_open_retries = 100; } );
CONF
echo 3.3.22 > "$E2E_DIR/version"
before=$(cat /etc/postfix/main.cf /etc/postfix/master.cf)
says 'setup --apply' 'Postfix 3\.3\.22 is too old: Postern needs 3\.4' 69
says 'doctor' 'PROBLEM +postfix-version: Postfix 3\.3\.22 is too old: 3\.4 is the oldest' 1
e2e_equal "main.cf and master.cf" "$before" "$(cat /etc/postfix/main.cf /etc/postfix/master.cf)"

echo 3.4.29 > "$E2E_DIR/version"
says 'setup --apply' 'postfix reload' 0
e2e_start_posternd
plain=$(e2e_send "$E2E_SENDER" bert@partner.test)
e2e_wait_for 10 e2e_status "$plain" bert@partner.test 'status=deferred'
counted() { # QUEUEID
    sandbox_posternctl message "$1" | grep -q 'failed: .*of 100 attempts'
}
e2e_wait_for 10 counted "$plain"

# A recipient's address could imitate that line: it is not believed.
alias=$(e2e_send "$E2E_SENDER" list@sender.test)
e2e_wait_for 10 e2e_status "$alias" anna@partner.test 'orig_to=<list@sender\.test>, .*status=deferred'
last=$(e2e_send "$E2E_SENDER" cleo@partner.test)
e2e_wait_for 10 counted "$last"
e2e_refute counted "$alias"
says 'doctor' 'note +postfix-version: Postfix 3\.4\.29 logs addresses without quotes: no attempt for an alias' 0

# With the format that 3.5 brought it is.
umount "$postconf"
if [[ $(postconf -h mail_version) != 3.4.* ]]; then
    postconf -e info_log_address_format=external
    postfix reload > /dev/null 2>&1
    kill -HUP "$sandbox_posternd"
    alias=$(e2e_send "$E2E_SENDER" list@sender.test)
    e2e_wait_for 10 counted "$alias"
fi
