# smtp_delivery_status_filter with the generated table: a limit of recipients that is permanent by
# mistake becomes temporary, and nothing else does. Nobody routes or wakes anything here.
e2e_config <<< ''
table=$E2E_DIR/status_filter.regexp
sandbox_posternctl classify --table > "$table"

# Postfix finds nothing wrong with the table, and answers as posternctl classify does.
data=$E2E_TOOLS/../data/too-many-recipients.tsv
while IFS=$'\t' read -r kind phase _ reply _; do
    [[ $kind != \#* ]] || continue
    echo "${reply:0:1}.0.0 host mx[192.0.2.1] said: $reply (in reply to $phase command)"
done < "$data" > "$E2E_DIR/keys"
postmap -q - "regexp:$table" < "$E2E_DIR/keys" > "$E2E_DIR/answers" 2> "$E2E_DIR/remarks"
e2e_equal "remarks of postmap" '' "$(cat "$E2E_DIR/remarks")"
e2e_equal "what Postfix changes" \
    "$(awk -F'\t' '$1 == "split" && $4 ~ /^5/' "$data" | wc -l)" "$(wc -l < "$E2E_DIR/answers")"
cut -d' ' -f2- "$E2E_DIR/keys" | sandbox_posternctl --json classify - > "$E2E_DIR/replies"
e2e_equal "what posternctl says" "$(awk -F'\t' '!/^#/ { print $1 }' "$data")" \
    "$(sed -nE 's/^ *"kind": "(.*)",?$/\1/p' "$E2E_DIR/replies")"
e2e_equal "its answers" "$(sed -nE 's/^5[^\t]*\t(.*)$/\1/p' "$E2E_DIR/answers")" \
    "$(sed -nE 's/^5[^\t]* host ([^\t]*)\t.*$/4.5.3 host \1/p' "$E2E_DIR/answers")"

# The hosts: one takes 10 of 30 and is wrong about the rest, one at the end of data; two are right.
e2e_host ten.test 127.0.0.2 most rcpt 10 '"552 5.5.3 Too many recipients"'
e2e_host dot.test 127.0.0.3 most dot 1 '"554 Transaction failed: Recipient count exceeds 1."'
e2e_host full.test 127.0.0.4 reply rcpt '"552 5.2.2 <too.many@recipients.test> over quota"'
e2e_host gone.test 127.0.0.5 reply rcpt '"550 5.1.1 <too.many@recipients.test> User unknown"'
e2e_start_postfix "smtp_delivery_status_filter=regexp:$table"

id=$(e2e_send "$E2E_SENDER" $(seq -f 'r%g@ten.test' 30) a@dot.test b@dot.test \
    too.many@full.test too.many.recipients@gone.test)
e2e_wait_for 10 e2e_status "$id" a@dot.test \
    'dsn=4\.5\.3, status=deferred \(host .* said: 554 Transaction failed: .* exceeds 1\. \(in reply'
e2e_wait_for 10 e2e_status "$id" too.many@full.test 'dsn=5\.2\.2, status=bounced'
e2e_wait_for 10 e2e_status "$id" too.many.recipients@gone.test 'dsn=5\.1\.1, status=bounced'
e2e_wait_for 10 e2e_has_ndr too.many@full.test
taken=$(e2e_log_line " $id: to=<r[0-9]+@ten.test>, .* status=sent" | wc -l)
later=$(e2e_log_line " $id: to=<r[0-9]+@ten.test>, .*dsn=4\.5\.3, status=deferred .* said: 552" |
    wc -l)
e2e_equal "taken at once" 10 "$taken"
e2e_equal "taken later" 20 "$later"
e2e_equal "bounced" 2 "$(e2e_log_line " $id: to=.*status=bounced" | wc -l)"
e2e_assert e2e_queued "$id"

# The lines of the log themselves, as posternctl reads them.
e2e_log_line " $id: to=<r[0-9]+@ten.test>, .*status=deferred" > "$E2E_DIR/lines"
e2e_equal "lines of the log" 20 \
    "$(sandbox_posternctl classify - < "$E2E_DIR/lines" | grep -c '^  kind    split')"
