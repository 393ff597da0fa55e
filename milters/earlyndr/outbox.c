#include "outbox.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "ask.h"
#include "log.h"

enum { LETTERS_MAX = 1000 };

struct letter {
    STAILQ_ENTRY(letter) link;
    char *directory;
    json_t *body;
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

static struct letter *take(void)
{
    struct letter *letter;

    pthread_mutex_lock(&lock);
    while (STAILQ_EMPTY(&letters))
        pthread_cond_wait(&filled, &lock);
    letter = STAILQ_FIRST(&letters);
    STAILQ_REMOVE_HEAD(&letters, link);
    count--;
    pthread_mutex_unlock(&lock);
    return letter;
}

/* Hands over one after the other; a failure is logged once, until it works again. */
static void *work(void *arg)
{
    bool fails = false;

    (void)arg;
    for (;;) {
        struct letter *letter = take();
        char error[512];
        json_t *answer =
            ask_json(letter->directory, "envelope", letter->body, error, sizeof(error));
        if (answer == NULL && !fails)
            log_warning("%s: what bounces is reported by Postfix, when it is done with the message",
                        error);
        else if (answer && fails)
            log_info("posternd takes envelopes again");
        fails = answer == NULL;
        json_decref(answer);
        drop(letter);
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
