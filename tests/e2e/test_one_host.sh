# Two domains behind one mail host: when it is dead for one, the other is held at its first message;
# and the first success of either ends it for both.
sandbox_host 127.0.0.2 refuse
sandbox_dns host-record=mx.provider.test,127.0.0.2 mx-host=a.test,mx.provider.test,10 \
    mx-host=b.test,mx.provider.test,10
e2e_start_postfix
e2e_postern << 'CONF'
retry = { open_interval = 8; };
unproven = { max_open_retries = 0; };
CONF
e2e_send "$E2E_SENDER" x@a.test > /dev/null
e2e_wait_for 20 e2e_posternd_says '^posternd: a\.test: hold open_retries=2'
e2e_send "$E2E_SENDER" x@b.test > /dev/null
e2e_wait_for 5 e2e_posternd_says '^posternd: b\.test: hold open_retries=1'
# It is said before the state has it.
e2e_wait_for 5 eval "sandbox_posternctl destination b.test |
    grep -Eq 'mail hosts: +mx\.provider\.test, down since'"

sandbox_host 127.0.0.2 accept
e2e_wait_for 20 e2e_delivered 127.0.0.2 x@a.test
back=$(e2e_now)
e2e_wait_for 10 e2e_delivered 127.0.0.2 x@b.test
e2e_between "ms that the other was behind" 0 4000 $(($(e2e_now) - back))
e2e_assert e2e_posternd_says 'b\.test: up'
