/* The policy service on its sockets: many clients, some of them bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "policyd.h"

#undef stop /* a macro of cmocka 2 */

enum { TALK_MS = 5000 };

struct service {
    char directory[64];
    char config_file[96];
    char path[96]; /* of the socket */
    struct event_base *base;
    struct config *config;
    struct policyd *policyd;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static const struct policyreq_hooks none = {.state = NULL};

static struct config *configure(const struct service *s, const char *where, const char *rules)
{
    char error[1024];
    struct config *config;
    FILE *file = fopen(s->config_file, "w");

    assert_non_null(file);
    fprintf(file, "policy = { socket = \"%s\"; }; recipient_limits = { inbound = ( %s ); };\n",
            where, rules);
    fclose(file);
    config = config_load(s->config_file, error, sizeof(error));
    if (config == NULL)
        fail_msg("%s", error);
    return config;
}

static struct service *start(const char *rules)
{
    struct service *s = calloc(1, sizeof(*s));
    char where[160];
    char error[512];

    assert_non_null(s);
    snprintf(s->directory, sizeof(s->directory), "/tmp/test_policyd.XXXXXX");
    assert_non_null(mkdtemp(s->directory));
    snprintf(s->config_file, sizeof(s->config_file), "%s/postern.conf", s->directory);
    snprintf(s->path, sizeof(s->path), "%s/policy.sock", s->directory);
    snprintf(where, sizeof(where), "unix:%s", s->path);
    s->config = configure(s, where, rules);
    s->base = event_base_new();
    s->policyd = policyd_new(s->base, s->config, NULL, &none, error, sizeof(error));
    if (s->policyd == NULL)
        fail_msg("%s", error);
    return s;
}

static void stop(struct service *s)
{
    policyd_free(&s->policyd);
    assert_null(s->policyd);
    assert_int_equal(access(s->path, F_OK), -1);
    event_base_free(s->base);
    config_free(&s->config);
    unlink(s->config_file);
    assert_int_equal(rmdir(s->directory), 0);
    free(s);
}

/* Lets the service work for a moment. */
static void turn(struct service *s)
{
    const struct timespec pause = {0, 1000000};

    event_base_loop(s->base, EVLOOP_NONBLOCK);
    nanosleep(&pause, NULL);
}

static int connect_to(struct service *s, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    if (connect(fd, address, len) != 0) {
        close(fd);
        return -1;
    }
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    turn(s);
    return fd;
}

static int dial(struct service *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->path);
    return connect_to(s, (const struct sockaddr *)&address, sizeof(address));
}

static void tell(struct service *s, int fd, const char *text)
{
    size_t len = strlen(text);
    int64_t end = now_ms() + TALK_MS;

    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        } else if (errno != EAGAIN) {
            fail_msg("write: %s", strerror(errno));
        }
        assert_true(now_ms() < end);
        turn(s);
    }
}

static void tell_rcpt(struct service *s, int fd, const char *instance)
{
    char text[512];

    snprintf(text, sizeof(text),
             "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.1\n"
             "sender=\nrecipient=r@b.example\nrecipient_count=0\ninstance=%s\n\n",
             instance);
    tell(s, fd, text);
}

/* Reads up to the empty line. Returns false when the connection ends instead. */
static bool hear(struct service *s, int fd, char *text, size_t size)
{
    size_t len = 0;
    int64_t end = now_ms() + TALK_MS;

    while (len < 2 || memcmp(text + len - 2, "\n\n", 2) != 0) {
        ssize_t n = read(fd, text + len, 1);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n > 0 && ++len >= size)
            fail_msg("an answer without an end");
        if (n < 0 && now_ms() >= end)
            fail_msg("no answer within %d ms", TALK_MS);
        if (n < 0)
            turn(s);
    }
    text[len - 2] = '\0';
    return true;
}

static void expect(struct service *s, int fd, const char *label, const char *want)
{
    char text[512];

    if (!hear(s, fd, text, sizeof(text)))
        fail_msg("%s: the connection ended", label);
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("%s: %s", label, text);
}

static void ask(struct service *s, int fd, const char *instance, const char *want)
{
    tell_rcpt(s, fd, instance);
    expect(s, fd, instance, want);
}

static bool is_closed(struct service *s, int fd)
{
    char byte;

    for (int i = 0; i < 20; i++)
        turn(s);
    return read(fd, &byte, 1) == 0 || errno != EAGAIN;
}

#define DUNNO "action=DUNNO"
#define SURPLUS "action=452 4.5.3 Too many recipients: 2 are allowed"

static void connections_share_the_transactions(void **state)
{
    struct service *s = start("{ limit = 2; }");
    int a = dial(s);
    int b = dial(s);

    (void)state;
    ask(s, a, "one", DUNNO);
    ask(s, b, "two", DUNNO);
    ask(s, b, "one", DUNNO);
    ask(s, a, "one", SURPLUS);
    ask(s, b, "one", SURPLUS);
    ask(s, a, "two", DUNNO);
    ask(s, a, "two", SURPLUS);
    close(b);
    ask(s, a, "two", SURPLUS);
    close(a);
    stop(s);
}

static void requests_come_in_any_pieces(void **state)
{
    static const char text[] = "request=smtpd_access_policy\nprotocol_state=RCPT\n"
                               "recipient=r@b.example\ninstance=one\n\n";
    struct service *s = start("{ limit = 2; }");
    int fd = dial(s);

    (void)state;
    for (const char *at = text; *at; at++) {
        char byte[2] = {*at, '\0'};
        tell(s, fd, byte);
    }
    expect(s, fd, "byte by byte", DUNNO);
    for (int i = 0; i < 30; i++)
        tell(s, fd, text);
    expect(s, fd, "pipelined", DUNNO);
    for (int i = 1; i < 30; i++)
        expect(s, fd, "pipelined", SURPLUS);
    close(fd);
    stop(s);
}

static void an_answer_goes_to_one_who_stopped_writing(void **state)
{
    struct service *s = start("{ limit = 2; }");
    int fd = dial(s);

    (void)state;
    tell_rcpt(s, fd, "one");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    expect(s, fd, "half-closed", DUNNO);
    assert_true(is_closed(s, fd));
    close(fd);
    stop(s);
}

/* A request that is too long is passed over, and the next one is understood. */
static void long_requests_are_passed_over(void **state)
{
    static const size_t lengths[] = {8192, 8193, 16384, 16385, 100000};
    struct service *s = start("{ limit = 2; }");
    int fd = dial(s);

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *text = malloc(lengths[i] + 1);
        char name[16];
        memset(text, 'x', lengths[i]);
        strcpy(text + lengths[i] - 2, "\n\n");
        tell(s, fd, text);
        free(text);
        expect(s, fd, "too long", DUNNO);
        snprintf(name, sizeof(name), "after%zu", i);
        ask(s, fd, name, DUNNO);
        ask(s, fd, name, DUNNO);
        ask(s, fd, name, SURPLUS);
    }
    close(fd);
    stop(s);
}

/* A RCPT of `len` bytes with the empty line. */
static void tell_long(struct service *s, int fd, size_t len)
{
    char *text = malloc(len + 1);
    int head;

    memset(text, 'x', len);
    head = snprintf(text, len,
                    "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=r@b.example\n"
                    "instance=one\nhelo_name=");
    text[head] = 'x';
    strcpy(text + len - 2, "\n\n");
    tell(s, fd, text);
    free(text);
}

static void requests_may_be_long(void **state)
{
    struct service *s = start("{ limit = 1; }");
    int fd = dial(s);

    (void)state;
    tell_long(s, fd, 8192);
    expect(s, fd, "first", DUNNO);
    tell_long(s, fd, 8192);
    expect(s, fd, "second", "action=452 4.5.3");
    tell_long(s, fd, 8193);
    expect(s, fd, "too long", DUNNO);
    close(fd);
    stop(s);
}

/* Asks without end and reads no answer: is cut off, and harms nobody. */
static void one_who_does_not_read_is_cut_off(void **state)
{
    struct service *s = start("{ limit = 2; }");
    int bad = dial(s);
    int good = dial(s);
    bool cut = false;

    (void)state;
    for (int i = 0; i < 100000 && !cut; i++) {
        ssize_t n = write(bad, "a=b\n\na=b\n\na=b\n\na=b\n\n", 20);
        cut = n < 0 && errno != EAGAIN;
        if (n < 0)
            turn(s);
        if (i % 1000 == 0)
            ask(s, good, "other", i < 2000 ? DUNNO : SURPLUS);
    }
    assert_true(cut);
    ask(s, good, "one", DUNNO);
    close(bad);
    close(good);
    stop(s);
}

/* Half a request has ten seconds; a client between two requests has more. */
static void half_a_request_has_its_time(void **state)
{
    struct service *s = start("{ limit = 2; }");
    int bad = dial(s);
    int silent = dial(s);
    int good = dial(s);
    int64_t began = now_ms();

    (void)state;
    ask(s, good, "one", DUNNO);
    while (now_ms() - began < 9000) {
        if (write(bad, "a", 1) != 1)
            fail_msg("cut off after %d ms", (int)(now_ms() - began));
        for (int i = 0; i < 100; i++)
            turn(s);
    }
    assert_false(is_closed(s, bad));
    assert_false(is_closed(s, silent));
    while (now_ms() - began < 11500)
        turn(s);
    assert_true(is_closed(s, bad));
    assert_true(is_closed(s, silent));
    ask(s, good, "one", DUNNO);
    ask(s, good, "one", SURPLUS);
    close(bad);
    close(silent);
    close(good);
    stop(s);
}

/* Of too many connections the one that has been silent the longest makes room. */
static void there_is_room_for_one_more(void **state)
{
    enum { MOST = 32 };
    struct rlimit saved;
    struct rlimit small;
    struct service *s;
    int fd[MOST];
    int next;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
    small = saved;
    small.rlim_cur = 2 * MOST; /* the service takes half of what there is */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
    s = start("{ limit = 2; }");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
    for (int i = 0; i < MOST; i++)
        fd[i] = dial(s);
    ask(s, fd[0], "one", DUNNO);
    next = dial(s);
    ask(s, next, "one", DUNNO);
    assert_true(is_closed(s, fd[1]));
    ask(s, fd[0], "one", SURPLUS);
    for (int i = 2; i < MOST; i++)
        ask(s, fd[i], "one", SURPLUS);
    close(next);
    for (int i = 0; i < MOST; i++)
        close(fd[i]);
    stop(s);
}

/* More come at once than are taken in a row. */
static void a_crowd_comes(void **state)
{
    enum { CROWD = 250 };
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct service *s = start("{ limit = 2; }");
    int fd[CROWD];

    (void)state;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", s->path);
    for (int i = 0; i < CROWD; i++) {
        fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        while (connect(fd[i], (const struct sockaddr *)&address, sizeof(address)) != 0)
            turn(s); /* the queue is full */
    }
    for (int i = 0; i < CROWD; i++) {
        char name[32];
        snprintf(name, sizeof(name), "crowd%d", i);
        ask(s, fd[i], name, DUNNO);
        close(fd[i]);
    }
    stop(s);
}

/* A port of the loopback interface that is free now. */
static int free_port(struct sockaddr_in *address_r)
{
    socklen_t len = sizeof(*address_r);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *address_r = (struct sockaddr_in){.sin_family = AF_INET};
    address_r->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)address_r, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)address_r, &len), 0);
    close(fd);
    return ntohs(address_r->sin_port);
}

static void the_configuration_changes(void **state)
{
    struct service *s = start("{ limit = 2; }");
    struct config *old = s->config;
    struct sockaddr_in address;
    char where[160];
    int fd = dial(s);
    int other;

    (void)state;
    ask(s, fd, "one", DUNNO);
    /* Another limit: counts start again, connections stay. */
    snprintf(where, sizeof(where), "unix:%s", s->path);
    s->config = configure(s, where, "{ limit = 1; }");
    policyd_reconfigure(s->policyd, s->config, NULL);
    config_free(&old);
    ask(s, fd, "one", DUNNO);
    ask(s, fd, "one", "action=452 4.5.3 Too many recipients: 1 is");
    /* Another socket. */
    old = s->config;
    snprintf(where, sizeof(where), "inet:127.0.0.1:%d", free_port(&address));
    s->config = configure(s, where, "{ limit = 2; }");
    policyd_reconfigure(s->policyd, s->config, NULL);
    config_free(&old);
    assert_int_equal(dial(s), -1);
    other = connect_to(s, (struct sockaddr *)&address, sizeof(address));
    ask(s, other, "one", DUNNO);
    ask(s, fd, "one", DUNNO);
    ask(s, other, "one", SURPLUS);
    /* One that cannot be opened. */
    old = s->config;
    s->config = configure(s, "unix:/nonexistent/postern/policy.sock", "{ limit = 2; }");
    policyd_reconfigure(s->policyd, s->config, NULL);
    config_free(&old);
    ask(s, other, "one", DUNNO);
    assert_int_equal(connect_to(s, (struct sockaddr *)&address, sizeof(address)), -1);
    close(fd);
    close(other);
    stop(s);
}

static void what_cannot_be_listened_on(void **state)
{
    struct service *s = start("{ limit = 2; }");
    struct policyd *other;
    struct config *config;
    char error[512] = "";

    (void)state;
    config = configure(s, "unix:/nonexistent/postern/policy.sock", "{ limit = 2; }");
    assert_null(policyd_new(s->base, config, NULL, &none, error, sizeof(error)));
    assert_string_equal(
        error, "policy.socket: unix:/nonexistent/postern/policy.sock: cannot listen there: "
               "No such file or directory");
    config_free(&config);
    /* Nobody will miss it as long as there are no rules. */
    config = configure(s, "unix:/nonexistent/postern/policy.sock", "");
    other = policyd_new(s->base, config, NULL, &none, error, sizeof(error));
    assert_non_null(other);
    policyd_free(&other);
    config_free(&config);
    stop(s);
}

/* Postfix's account is another one than posternd's; what is no socket is not taken away. */
static void the_socket_is_for_all(void **state)
{
    struct service *s = start("{ limit = 2; }");
    struct policyd *other;
    struct config *config;
    char where[256];
    char error[512];
    struct stat st;

    (void)state;
    assert_int_equal(stat(s->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
    snprintf(where, sizeof(where), "unix:%s", s->config_file);
    config = configure(s, where, "{ limit = 2; }");
    other = policyd_new(s->base, config, NULL, &none, error, sizeof(error));
    assert_null(other);
    assert_int_equal(access(s->config_file, F_OK), 0);
    config_free(&config);
    stop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_share_the_transactions),
        cmocka_unit_test(requests_come_in_any_pieces),
        cmocka_unit_test(an_answer_goes_to_one_who_stopped_writing),
        cmocka_unit_test(long_requests_are_passed_over),
        cmocka_unit_test(requests_may_be_long),
        cmocka_unit_test(one_who_does_not_read_is_cut_off),
        cmocka_unit_test(half_a_request_has_its_time),
        cmocka_unit_test(there_is_room_for_one_more),
        cmocka_unit_test(a_crowd_comes),
        cmocka_unit_test(the_configuration_changes),
        cmocka_unit_test(what_cannot_be_listened_on),
        cmocka_unit_test(the_socket_is_for_all),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
