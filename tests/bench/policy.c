/*
 * Helper of tests/bench/policy.sh: makes a state for posternd, and plays the smtpd(8) processes
 * that ask a policy service.
 *
 *     policy fill DIRECTORY
 *     policy load ADDRESS SECONDS SESSION
 *
 * `load` talks to unix:PATH or inet:PORT (of 127.0.0.1): 50 connections, each with one request
 * under way. Prints requests a second, the seconds of CPU that the processes of SESSION used
 * meanwhile, and how many answers were 550, DEFER_IF_PERMIT, and others.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "record.h"

enum {
    CONNECTIONS = 50,
    WARM_UP = 1, /* s */
    DOMAINS = 1000,
    DOWN = 50, /* of them: the last */
    BAD = 100000,
    REQUESTS = 20000, /* different ones */
    BAD_PERCENT = 20,
    OPEN_INTERVAL = 500, /* s, as in policy.sh: nothing becomes due meanwhile */
    REQUEST_SIZE = 1024,
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* --- The state --- */

static void fill_bad(struct store *store, unsigned n, int64_t now)
{
    char address[64];
    struct bad_record r;

    memset(&r, 0, sizeof(r));
    snprintf(address, sizeof(address), "gone%06u@d%03u.example", n, n % DOMAINS);
    r.b = (struct bad){.learned = now - n, .destination = 1 + n % DOMAINS, .times = 1};
    strcpy(r.queue_id, "4dPz0000001z9B");
    strcpy(r.status, "5.1.1");
    snprintf(r.host, sizeof(r.host), "mx.d%03u.example", n % DOMAINS);
    snprintf(r.text, sizeof(r.text),
             "host mx.d%03u.example[192.0.2.1] said: 550 5.1.1 <%s>: Recipient address rejected: "
             "User unknown in local recipient table (in reply to RCPT TO command)",
             n % DOMAINS, address);
    record_save_bad(store, slice_of(address), NULL, &r);
}

static void fill_destination(struct store *store, unsigned n, int64_t now)
{
    struct destination_record r;

    memset(&r, 0, sizeof(r));
    snprintf(r.name, sizeof(r.name), "d:d%03u.example", n);
    r.d = (struct destination){.proven = true, .last_open = now};
    if (n >= DOMAINS - DOWN) {
        r.d.health = DESTINATION_DOWN;
        r.d.retries = 3;
        r.d.since = now;
        r.d.last_counted = now;
        r.d.next = now + OPEN_INTERVAL * 1000;
        strcpy(r.error, "connect to mx.example[192.0.2.1]:25: Connection timed out");
    }
    record_create_destination(store, &r);
}

static int fill(const char *directory)
{
    char error[512];
    int64_t now = clock_now();
    struct store *store = store_open(directory, true, (gid_t)-1, error, sizeof(error));

    if (store == NULL || !store_begin(store)) {
        fprintf(stderr, "%s\n", store ? store_error(store) : error);
        return 1;
    }
    for (unsigned n = 0; n < DOMAINS; n++)
        fill_destination(store, n, now);
    for (unsigned n = 0; n < BAD; n++)
        fill_bad(store, n, now);
    if (!store_commit(store)) {
        fprintf(stderr, "%s\n", store_error(store));
        return 1;
    }
    store_close(&store);
    return 0;
}

/* --- Requests --- */

static uint32_t random_below(uint32_t most)
{
    static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * most >> 32);
}

/* As smtpd(8) of Postfix 3.7 writes them, less what it says of TLS; three recipients in a message.
 */
static char *make_request(unsigned n)
{
    uint32_t bad = random_below(BAD);
    uint32_t domain = random_below(DOMAINS);
    char recipient[64];
    char *text = malloc(REQUEST_SIZE);

    if (text == NULL)
        fail("malloc");
    if (random_below(100) < BAD_PERCENT)
        snprintf(recipient, sizeof(recipient), "gone%06u@d%03u.example", bad, bad % DOMAINS);
    else
        snprintf(recipient, sizeof(recipient), "user%06u@d%03u.example", bad, domain);
    snprintf(text, REQUEST_SIZE,
             "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
             "client_address=198.51.100.%u\nclient_name=mail%u.sender.example\nclient_port=%u\n"
             "reverse_client_name=mail%u.sender.example\nserver_address=192.0.2.25\n"
             "server_port=25\nhelo_name=mail%u.sender.example\nsender=news-%u@sender.example\n"
             "recipient=%s\nrecipient_count=0\nqueue_id=%s%05X\ninstance=%x.%x.%x.0\nsize=18432\n"
             "etrn_domain=\nstress=\nsasl_method=\nsasl_username=\n\n",
             n % 250, n % 250, 1024 + n % 60000, n % 250, n % 250, n / 3, recipient,
             n % 3 ? "3F1A7" : "", n % 3 ? n / 3 : 0, 0x1000 + n % CONNECTIONS, 0x6ba80000 + n / 3,
             0x1e240 + n / 3);
    return text;
}

/* --- CPU --- */

/* Clock ticks that this process has used, if it belongs to the session. */
static uint64_t ticks_of(const char *name, long session)
{
    char path[300];
    char line[1024];
    unsigned long user = 0;
    unsigned long system = 0;
    long its = -1;
    const char *rest;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%s/stat", name);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    rest = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    fclose(file);
    if (rest == NULL || sscanf(rest + 1, " %*c %*d %*d %ld %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                               &its, &user, &system) != 3)
        return 0;
    return its == session ? user + system : 0;
}

static double cpu_of(long session)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    uint64_t ticks = 0;

    if (proc == NULL)
        fail("/proc");
    while ((entry = readdir(proc)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            ticks += ticks_of(entry->d_name, session);
    closedir(proc);
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

/* --- Load --- */

struct connection {
    int fd;
    size_t len;
    char answer[2048];
};

struct load {
    char *requests[REQUESTS];
    unsigned next;
    uint64_t answers;
    uint64_t refused;
    uint64_t deferred;
};

static int dial(const char *where)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in remote = {.sin_family = AF_INET};
    bool is_local = strncmp(where, "unix:", 5) == 0;
    int fd = socket(is_local ? AF_UNIX : AF_INET, SOCK_STREAM, 0);

    snprintf(local.sun_path, sizeof(local.sun_path), "%s", where + 5);
    remote.sin_port = htons((uint16_t)atoi(where + 5));
    remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 ||
        connect(fd, is_local ? (const struct sockaddr *)&local : (const struct sockaddr *)&remote,
                is_local ? sizeof(local) : sizeof(remote)) != 0)
        fail(where);
    return fd;
}

static void ask(struct load *load, struct connection *c)
{
    const char *text = load->requests[load->next++ % REQUESTS];
    size_t len = strlen(text);

    c->len = 0;
    if (write(c->fd, text, len) != (ssize_t)len)
        fail("write");
}

static void hear(struct load *load, struct connection *c)
{
    ssize_t n = read(c->fd, c->answer + c->len, sizeof(c->answer) - c->len);

    if (n <= 0)
        fail("the service ended the connection");
    c->len += (size_t)n;
    if (c->len < 2 || memcmp(c->answer + c->len - 2, "\n\n", 2) != 0)
        return;
    load->answers++;
    load->refused += strncmp(c->answer, "action=550", 10) == 0;
    load->deferred += strncmp(c->answer, "action=DEFER", 12) == 0;
    ask(load, c);
}

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Returns how long it took. */
static double run_for(struct load *load, int poll, double wanted)
{
    struct epoll_event ready[CONNECTIONS];
    double begin = seconds();

    load->answers = load->refused = load->deferred = 0;
    while (seconds() - begin < wanted) {
        int n = epoll_wait(poll, ready, CONNECTIONS, 100);
        for (int i = 0; i < n; i++)
            hear(load, ready[i].data.ptr);
    }
    return seconds() - begin;
}

static int put_load(const char *where, double wanted, long session)
{
    static struct load load;
    static struct connection connections[CONNECTIONS];
    int poll = epoll_create1(0);
    double took;
    double cpu;

    for (unsigned n = 0; n < REQUESTS; n++)
        load.requests[n] = make_request(n);
    for (unsigned n = 0; n < CONNECTIONS; n++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[n]};
        connections[n].fd = dial(where);
        if (epoll_ctl(poll, EPOLL_CTL_ADD, connections[n].fd, &event) != 0)
            fail("epoll_ctl");
        ask(&load, &connections[n]);
    }
    run_for(&load, poll, WARM_UP);
    cpu = cpu_of(session);
    took = run_for(&load, poll, wanted);
    cpu = cpu_of(session) - cpu;
    printf("%.0f %.2f %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", (double)load.answers / took, cpu,
           load.refused, load.deferred, load.answers - load.refused - load.deferred);
    return load.answers > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "fill") == 0)
        return fill(argv[2]);
    if (argc == 5 && strcmp(argv[1], "load") == 0)
        return put_load(argv[2], atof(argv[3]), atol(argv[4]));
    fprintf(stderr, "usage: policy fill DIRECTORY | policy load ADDRESS SECONDS SESSION\n");
    return 64;
}
