/*
 * postern-gate: asked by pipe(8), for one recipient, whether to wait or to give up.
 *
 * It must never keep mail that nobody watches over: when posternd is gone it takes Postern's routes
 * out of the table itself and wakes the message once more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "build.h"
#include "clock.h"
#include "gate.h"
#include "lock.h"
#include "log.h"
#include "options.h"
#include "table.h"
#include "text.h"

/* So long after the answer the message is back in the deferred queue, where it can be woken. */
enum { SETTLE_SECONDS = 2, WAKE_SLOTS = 8 };

struct request {
    const char *config;
    const char *state; /* its state_directory, for when the file cannot be read */
    struct slice queue_id;
    struct slice sender;
    struct slice recipient;
};

/* Everything the decision needs, kept alive while it is looked at. */
struct knowledge {
    struct destination_record to;
    struct recipient r;
    char last_error[RECORD_TEXT_MAX];
};

static void look_up_last_error(struct store *store, struct slice key, struct gate_question *q,
                               struct knowledge *k)
{
    static struct attempt_record attempts[RECORD_ATTEMPTS];
    size_t n;

    q->last_error = k->to.error;
    if (q->r == NULL || q->r->give_up == GIVE_UP_OPEN)
        return;
    n = record_load_attempts(store, key, attempts, RECORD_ATTEMPTS);
    if (n > 0) {
        slice_copy(k->last_error, sizeof(k->last_error), slice_of(attempts[n - 1].text));
        q->last_error = k->last_error;
    }
}

static bool find_destination(struct store *store, const struct config *config,
                             const struct request *request, struct gate_question *q,
                             struct knowledge *k)
{
    char domain[ROUTE_KEY_MAX];
    char name[sizeof(k->to.name)];
    size_t len = route_domain(domain, sizeof(domain), request->recipient);

    if (q->r && record_load_destination_id(store, q->r->destination, &k->to))
        return true;
    if (len == 0)
        return false;
    rules_name(config, (struct slice){domain, len}, name, sizeof(name));
    return record_load_destination(store, slice_of(name), &k->to);
}

static void look_up(struct store *store, const struct config *config, const struct request *request,
                    struct gate_question *q, struct knowledge *k)
{
    struct key key = {0, {0}};

    if (record_recipient_key(&key, request->queue_id, request->recipient) &&
        record_load_recipient(store, key_slice(&key), &k->r))
        q->r = &k->r;
    if (!find_destination(store, config, request, q, k))
        return;
    q->to = &k->to;
    look_up_last_error(store, key_slice(&key), q, k);
    q->rules = rules_of(config, q->to);
}

/* Runs on after the answer: pipe(8) waits for the process it started, and for its output. */
static void wake_later(const char *state_directory, const struct postfix *postfix,
                       const struct request *request)
{
    char queue_id[QUEUE_ID_MAX + 1];
    char *argv[] = {(char *)(uintptr_t)postfix_postqueue(postfix),
                    (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_config_directory(postfix),
                    (char *)(uintptr_t) "-i",
                    queue_id,
                    NULL};
    struct child_command command = {.argv = argv, .timeout_ms = 30000};
    char tables[4200];

    slice_copy(queue_id, sizeof(queue_id), request->queue_id);
    snprintf(tables, sizeof(tables), "%s/tables", state_directory);
    if (fork() != 0)
        return;
    setsid();
    if (freopen("/dev/null", "r", stdin) && freopen("/dev/null", "w", stdout) &&
        freopen("/dev/null", "w", stderr) && lock_slot(tables, "gate", WAKE_SLOTS)) {
        sleep(SETTLE_SECONDS);
        free(child_run(&command));
    }
    _exit(0);
}

/* A posternd that started this moment publishes what it wants itself. */
static void let_go(const char *state_directory, const char *postfix_directory,
                   const struct request *request, bool was_running)
{
    char error[512];
    struct postfix *postfix = postfix_open(postfix_directory, error, sizeof(error));

    if (postfix == NULL) {
        log_error("%s", error);
        return;
    }
    if ((was_running || !lock_is_held(state_directory)) &&
        !table_withdraw(state_directory, postfix, error, sizeof(error)))
        log_error("%s", error);
    wake_later(state_directory, postfix, request);
    postfix_free(&postfix);
}

static enum gate_answer decide(const struct config *config, const struct request *request,
                               bool running, char *text)
{
    struct gate_question q = {.sender = request->sender,
                              .recipient = request->recipient,
                              .enforce = config_enforce(config),
                              .running = running,
                              .last_error = "",
                              .now = clock_now()};
    struct knowledge k;
    char error[512];
    struct store *store =
        store_open(config_state_directory(config), false, (gid_t)-1, error, sizeof(error));
    enum gate_answer answer;

    if (store && store_begin(store))
        look_up(store, config, request, &q, &k);
    else if (store == NULL)
        log_error("%s", error);
    answer = gate_decide(&q, text);
    store_close(&store);
    return answer;
}

/*
 * The configuration cannot be read: a mistake in it, or its mode. A posternd that runs goes on with
 * the one it has; without it nobody else would let the mail go. pipe(8) passes MAIL_CONFIG on.
 */
static int answer_blindly(const struct request *request)
{
    const char *postfix_directory = getenv("MAIL_CONFIG");

    fputs("4.3.5 Postern's configuration cannot be read", stdout);
    fflush(stdout);
    if (request->state && postfix_directory && !lock_is_held(request->state))
        let_go(request->state, postfix_directory, request, false);
    return EX_TEMPFAIL;
}

static int answer(const struct request *request)
{
    static const int exit_status[] = {EX_TEMPFAIL, EX_UNAVAILABLE, EX_OK, EX_TEMPFAIL};
    char text[GATE_TEXT_MAX];
    char error[512];
    enum gate_answer verdict;
    bool running;
    struct config *config = config_load(request->config, error, sizeof(error));

    if (config == NULL) {
        log_error("%s", error);
        return answer_blindly(request);
    }
    running = lock_is_held(config_state_directory(config));
    verdict = decide(config, request, running, text);
    text_clean(text);
    fputs(text, stdout); /* pipe(8) would show a newline as a blank */
    fflush(stdout);
    if (verdict == GATE_LET_GO)
        let_go(config_state_directory(config), config_postfix_directory(config), request, running);
    config_free(&config);
    return exit_status[verdict];
}

int main(int argc, char **argv)
{
    static const char usage[] = "usage: postern-gate [-c FILE] [-s STATE_DIRECTORY] hold|expire "
                                "QUEUE_ID NEXTHOP SENDER RECIPIENT\n"
                                "Run by Postfix's pipe(8); see postern-gate(8).\n";
    struct request request = {.config = OPTIONS_DEFAULT_CONFIG};
    int option;

    log_open("postern-gate", 1);
    while ((option = getopt(argc, argv, "+c:s:Vh")) != -1) {
        if (option == 'c')
            request.config = optarg;
        else if (option == 's')
            request.state = optarg;
        else
            return options_common(option, "postern-gate", usage);
    }
    if (argc - optind != 5) {
        fputs(usage, stderr);
        return EX_TEMPFAIL; /* a mistake in master.cf must not bounce mail */
    }
    request.queue_id = slice_of(argv[optind + 1]);
    request.sender = slice_of(argv[optind + 3]);
    request.recipient = slice_of(argv[optind + 4]);
    return answer(&request);
}
