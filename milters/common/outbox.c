#include "outbox.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "log.h"

enum {
    LETTERS_MAX = 1000,
    AT_ONCE = 50,
    WEIGHT_MAX = 2 << 20 /* bytes, about */,
    PER_RECIPIENT = 200,
    PATIENCE = 10 * 1000,
    PAUSE = 250 * 1000 /* µs */
};

/* What goes to one path of the control socket (control.h). */
struct outbox_kind {
    const char *path;
    const char *what;      /* these are, for people */
    const char *otherwise; /* what is when posternd cannot be asked */
    bool listed;           /* the body is a list of letters, or else one letter */
    int64_t patience;      /* ms; posternd may be starting again: so long they wait for it */
};

static const struct outbox_kind envelopes = {
    .path = "envelopes",
    .what = "envelopes",
    .otherwise = "what bounces is reported by Postfix, when it is done with the message",
    .listed = true,
    .patience = PATIENCE,
};
static const struct outbox_kind warnings = {
    .path = "warn",
    .what = "warnings",
    .otherwise = "senders are not told that a destination is down",
};

struct letter {
    STAILQ_ENTRY(letter) link;
    const struct outbox_kind *kind;
    char *directory;
    json_t *body;
    int64_t written; /* ms since the epoch */
    size_t weight;
};

STAILQ_HEAD(letters, letter);

static pthread_once_t started = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
/* Under `lock`. */
static struct letters letters = STAILQ_HEAD_INITIALIZER(letters);
static size_t count;

static void drop(struct letter *letter)
{
    json_decref(letter->body);
    free(letter->directory);
    free(letter);
}

/* All of one kind that are there, up to what one request may hold (control.c): waits for one. */
static const struct outbox_kind *take(struct letters *taken_r)
{
    const struct outbox_kind *kind;
    struct letter *first;
    size_t most;
    size_t weight = 0;

    STAILQ_INIT(taken_r);
    pthread_mutex_lock(&lock);
    while ((first = STAILQ_FIRST(&letters)) == NULL)
        pthread_cond_wait(&filled, &lock);
    kind = first->kind;
    for (most = kind->listed ? AT_ONCE : 1;
         most > 0 && weight < WEIGHT_MAX && first && first->kind == kind; most--) {
        weight += first->weight;
        STAILQ_REMOVE_HEAD(&letters, link);
        STAILQ_INSERT_TAIL(taken_r, first, link);
        count--;
        first = STAILQ_FIRST(&letters);
    }
    pthread_mutex_unlock(&lock);
    return kind;
}

static bool is_fresh(const struct letter *letter)
{
    int64_t age = clock_now() - letter->written;

    return age >= 0 && age < letter->kind->patience;
}

/* A new reference. */
static json_t *body_of(const struct letters *taken)
{
    struct letter *letter = STAILQ_FIRST(taken);
    json_t *list;

    if (!letter->kind->listed)
        return json_incref(letter->body);
    list = json_array();
    STAILQ_FOREACH(letter, taken, link)
    json_array_append(list, letter->body);
    return list;
}

/* True when posternd has answered: while the oldest is fresh, it is asked again. */
static bool hand_over(const struct letters *taken, char *error, size_t size)
{
    const struct letter *first = STAILQ_FIRST(taken);
    json_t *body = body_of(taken);
    json_t *answer;

    while ((answer = ask_json(first->directory, first->kind->path, body, error, size)) == NULL &&
           is_fresh(first))
        usleep(PAUSE);
    json_decref(answer);
    json_decref(body);
    return answer != NULL;
}

/* A failure is logged once, until it works again. */
static void *work(void *arg)
{
    struct letters taken;
    struct letter *letter;
    char error[512];
    bool fails = false;

    (void)arg;
    for (;;) {
        const struct outbox_kind *kind = take(&taken);
        bool done = hand_over(&taken, error, sizeof(error));
        if (!done && !fails)
            log_warning("%s: %s", error, kind->otherwise);
        else if (done && fails)
            log_info("posternd takes %s again", kind->what);
        fails = !done;
        while ((letter = STAILQ_FIRST(&taken)) != NULL) {
            STAILQ_REMOVE_HEAD(&taken, link);
            drop(letter);
        }
    }
    return NULL;
}

static void start(void)
{
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    error = pthread_create(&thread, NULL, work, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        pthread_detach(thread);
    else
        log_error("cannot start a thread: posternd is told of no message");
}

/* Takes the body over. */
static bool put(const struct outbox_kind *kind, const char *directory, json_t *body, size_t weight)
{
    struct letter *letter = calloc(1, sizeof(*letter));
    bool full;

    pthread_once(&started, start);
    if (letter == NULL) {
        json_decref(body);
        return false;
    }
    *letter = (struct letter){.kind = kind,
                              .directory = strdup(directory),
                              .body = body,
                              .written = clock_now(),
                              .weight = weight};
    pthread_mutex_lock(&lock);
    full = count >= LETTERS_MAX || letter->directory == NULL || letter->body == NULL;
    if (!full) {
        STAILQ_INSERT_TAIL(&letters, letter, link);
        count++;
        pthread_cond_signal(&filled);
    }
    pthread_mutex_unlock(&lock);
    if (full)
        drop(letter);
    return !full;
}

void outbox_envelope(const char *runtime_directory, const struct envelope *envelope)
{
    put(&envelopes, runtime_directory, envelope_to_json(envelope),
        envelope->header_len + envelope->body_len + envelope->count * PER_RECIPIENT);
}

bool outbox_warn(const char *runtime_directory, json_t *body)
{
    return put(&warnings, runtime_directory, body, 0);
}
