# The remote hosts of these tests, many at once, as a real Postfix meets them.
for i in $(seq 2 21); do
    e2e_host "d$i.test" "127.0.0.$i" accept
done
e2e_start_postfix
id=$(e2e_send "$E2E_SENDER" $(printf 'r@d%d.test ' {2..21}))
e2e_wait_for 15 e2e_log_line " $id: removed"
for i in $(seq 2 21); do
    e2e_assert e2e_delivered "127.0.0.$i" "r@d$i.test"
done

# 120 connections that stay open do not hinder the next one.
for i in $(seq 120); do
    exec {wire}<> /dev/tcp/127.0.0.2/25
done
e2e_equal "one more" $'220 127.0.0.2 ESMTP smtphost\n250 2.0.0 Ok' "$(e2e_talk 127.0.0.2 5 NOOP)"
