# Twenty thousand destinations go down in the same second: the probes are spread over the interval,
# and posternd stays small.
e2e_host fine.test 127.0.0.2 accept
e2e_start_postfix
e2e_postern << 'CONF'
retry = { open_interval = 300; hold_after = 1; };
unproven = { max_open_retries = 0; };
CONF
e2e_wait_for 10 e2e_posternd_says 'started'
stamp=$(date '+%b %e %H:%M:%S')
awk -v stamp="$stamp" 'BEGIN {
    for (i = 1; i <= 20000; i++)
        printf "%s mail postfix/smtp[99]: 4F%08X: to=<a@d%d.test>, relay=none, delay=0.1, " \
            "delays=0/0/0.1/0, dsn=4.4.1, status=deferred (connect to mx.d%d.test[192.0.2.1]:25: " \
            "Connection refused)\n", stamp, i, i, i
}' >> /var/log/mail.log

down() {
    sandbox_posternctl --json status | grep -Eq '"down": 20000(,|$)'
}
e2e_wait_for 60 down
sandbox_posternctl --json destinations |
    sed -nE 's/^ *"next_attempt": ([0-9]+).*/\1/p' | sort -n > "$E2E_DIR/next"
e2e_equal "planned probes" 20000 "$(wc -l < "$E2E_DIR/next")"
e2e_between "seconds that they are spread over" 290 301 \
    $(($(tail -n 1 "$E2E_DIR/next") - $(head -n 1 "$E2E_DIR/next")))
e2e_between "the most in one second" 1 200 "$(uniq -c "$E2E_DIR/next" | sort -n | tail -n 1 |
    awk '{ print $1 }')"

# All are held, and other mail goes out at once.
held() {
    [ "$(postmap -s "lmdb:$E2E_DIR/postern/state/tables/transport" | grep -c 'postern-hold:')" = 20001 ]
}
e2e_wait_for 60 held
e2e_send "$E2E_SENDER" a@fine.test > /dev/null
e2e_wait_for 10 e2e_delivered 127.0.0.2 a@fine.test
e2e_between "KiB that posternd takes" 1000 $((128 * 1024)) \
    "$(sed -nE 's/^VmHWM:[^0-9]*([0-9]+) kB/\1/p' "/proc/$sandbox_posternd/status")"
