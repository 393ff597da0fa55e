# What another account put into the state directory is not followed by root.
e2e_host partner.test 127.0.0.2 refuse
e2e_start_postfix
state=$E2E_DIR/postern/state
as() { setpriv --reuid="$1" --regid="$2" --clear-groups sh -c "$3"; }
echo precious > "$E2E_DIR/precious"
mkdir "$E2E_DIR/precious.d"

# user = "postern": its folder of tables replaced by a link.
e2e_config < /dev/null
sandbox_posternctl setup --apply > /dev/null
as postern postern "mv $state/tables $state/old && ln -s $E2E_DIR/precious.d $state/tables"
sandbox_start_posternd || true
e2e_equal "owner of the folder" root "$(stat -c %U "$E2E_DIR/precious.d")"
e2e_kill_posternd TERM
rm -rf "$state"

# user = "": the gate runs as nobody, and the tables are its own.
sandbox_user=
e2e_config < /dev/null
rm -rf "$E2E_DIR/postern/run"
sandbox_posternctl setup --apply > /dev/null
e2e_start_posternd
e2e_kill_posternd TERM
for name in transport transport.lmdb status_filter.regexp; do
    as nobody nogroup "rm -f $state/tables/$name && ln -s $E2E_DIR/precious $state/tables/$name"
done
e2e_start_posternd
sleep 2
e2e_equal "owner of the file" root "$(stat -c %U "$E2E_DIR/precious")"
e2e_equal "the file" precious "$(cat "$E2E_DIR/precious")"
