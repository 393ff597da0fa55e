#include "outbox.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "log.h"

/* posternd may be starting again: so long a letter waits for it. */
enum {
    LETTERS_MAX = 1000,
    AT_ONCE = 50,
    WEIGHT_MAX = 2 << 20 /* bytes, about */,
    PER_RECIPIENT = 200,
    PATIENCE = 10 * 1000,
    PAUSE = 250 * 1000 /* µs */
};

struct letter {
    STAILQ_ENTRY(letter) link;
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

/* All that are there, up to what one request may hold (control.c): waits for one. */
static void take(struct letters *taken_r)
{
    size_t n = 0;
    size_t weight = 0;

    STAILQ_INIT(taken_r);
    pthread_mutex_lock(&lock);
    while (STAILQ_EMPTY(&letters))
        pthread_cond_wait(&filled, &lock);
    for (struct letter *first;
         n < AT_ONCE && weight < WEIGHT_MAX && (first = STAILQ_FIRST(&letters)) != NULL; n++) {
        weight += first->weight;
        STAILQ_REMOVE_HEAD(&letters, link);
        STAILQ_INSERT_TAIL(taken_r, first, link);
    }
    count -= n;
    pthread_mutex_unlock(&lock);
}

static bool is_fresh(const struct letter *letter)
{
    int64_t age = clock_now() - letter->written;

    return age >= 0 && age < PATIENCE;
}

/* True when posternd has answered: while the oldest is fresh, it is asked again. */
static bool hand_over(const struct letters *taken, char *error, size_t size)
{
    const struct letter *first = STAILQ_FIRST(taken);
    json_t *body = json_array();
    json_t *answer;
    struct letter *letter;

    STAILQ_FOREACH(letter, taken, link)
    json_array_append(body, letter->body);
    while ((answer = ask_json(first->directory, "envelopes", body, error, size)) == NULL &&
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
        take(&taken);
        bool done = hand_over(&taken, error, sizeof(error));
        if (!done && !fails)
            log_warning("%s: what bounces is reported by Postfix, when it is done with the message",
                        error);
        else if (done && fails)
            log_info("posternd takes envelopes again");
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
        log_error("cannot start a thread: what bounces is reported by Postfix alone");
}

void outbox_put(const char *runtime_directory, const struct envelope *envelope)
{
    struct letter *letter = calloc(1, sizeof(*letter));
    bool full;

    pthread_once(&started, start);
    if (letter == NULL)
        return;
    letter->written = clock_now();
    letter->weight = envelope->header_len + envelope->body_len + envelope->count * PER_RECIPIENT;
    letter->directory = strdup(runtime_directory);
    letter->body = envelope_to_json(envelope);
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
}
