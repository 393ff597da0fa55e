# posternctl setup: twice is once, --remove gives back what was there to the byte, and what the
# administrator set is never overridden.
e2e_start_postfix
sandbox_config < /dev/null
mkdir "$E2E_DIR/before"
cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$E2E_DIR/before/"
setup() {
    sandbox_posternctl setup "$@" > "$E2E_DIR/setup.log" 2>&1 ||
        e2e_fail "setup $*: $(cat "$E2E_DIR/setup.log")"
}

setup --print
for file in main.cf master.cf; do
    e2e_assert cmp "$E2E_DIR/before/$file" "/etc/postfix/$file"
done

setup --apply
e2e_assert postconf -M postern-hold/unix
e2e_assert postconf -M postern-expire/unix
e2e_assert grep -F "$E2E_DIR/postern/state/tables/transport" <<< "$(postconf -h transport_maps)"
mkdir "$E2E_DIR/once"
cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$E2E_DIR/once/"
setup --apply
for file in main.cf master.cf; do
    e2e_assert cmp "$E2E_DIR/once/$file" "/etc/postfix/$file"
done
postfix reload > /dev/null 2>&1
e2e_assert postfix check

setup --remove
for file in main.cf master.cf; do
    e2e_assert cmp "$E2E_DIR/before/$file" "/etc/postfix/$file"
done
setup --remove
for file in main.cf master.cf; do
    e2e_assert cmp "$E2E_DIR/before/$file" "/etc/postfix/$file"
done

# The administrator's own routes stay in force, in front of or behind Postern's.
echo 'own.test smtp:[127.0.0.9]' > /etc/postfix/transport
postmap hash:/etc/postfix/transport
postconf -e 'transport_maps=hash:/etc/postfix/transport'
sandbox_posternctl setup --apply > "$E2E_DIR/setup.log" 2>&1 || true
e2e_assert grep -F 'hash:/etc/postfix/transport' <<< "$(postconf -h transport_maps)"
setup --remove
e2e_equal transport_maps hash:/etc/postfix/transport "$(postconf -h transport_maps)"
