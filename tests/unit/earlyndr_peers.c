#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ask.h"
#include "clock.h"
#include "confref.h"
#include "earlyndr.h"
#include "earlyndr_peers.h"
#include "fixture.h"
#include "record.h"

enum { PATIENCE_SECONDS = 20 };

static const struct smfiDesc *const milter = &earlyndr_program.description;

/* --- posternd: what it is asked, and answers --- */

struct earlyndr_posternd posternd;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
/* Under `lock`: handed over by a thread of its own. */
static json_t *envelopes;
static int busy_for;
static size_t most_at_once;

json_t *__wrap_ask_json(const char *runtime_directory, const char *path, const json_t *body,
                        char *error_r, size_t size);
bool __wrap_ask_posternd(const char *runtime_directory, const char *verb, const char *what,
                         const char *name, bool *done_r, char *error_r, size_t size);

/* In the outbox's thread, where no assertion of cmocka's may fail. */
static json_t *take_envelopes(const json_t *list)
{
    bool busy;

    if (!json_is_array(list) || json_array_size(list) == 0)
        abort();
    pthread_mutex_lock(&lock);
    busy = busy_for > 0;
    busy_for -= busy;
    if (envelopes && !busy) {
        json_t *copy = json_deep_copy(list);
        json_array_extend(envelopes, copy);
        json_decref(copy);
    }
    if (json_array_size(list) > most_at_once)
        most_at_once = json_array_size(list);
    pthread_cond_signal(&arrived);
    pthread_mutex_unlock(&lock);
    return busy ? NULL : json_pack("{s:b}", "done", 1);
}

json_t *__wrap_ask_json(const char *runtime_directory, const char *path, const json_t *body,
                        char *error_r, size_t size)
{
    const char *answer;

    snprintf(error_r, size, "not there");
    if (strcmp(path, "envelopes") == 0)
        return take_envelopes(body);
    if (strcmp(path, "bounce") != 0 && strcmp(path, "report") != 0)
        abort();
    assert_string_equal(runtime_directory, folder);
    json_decref(posternd.question);
    posternd.question = json_deep_copy(body);
    posternd.questions++;
    if (posternd.watched && posternd.watched->deleted[0])
        posternd.too_early = true;
    answer = strcmp(path, "bounce") == 0 ? posternd.bounce : posternd.report;
    return answer ? json_loads(answer, JSON_DECODE_ANY, NULL) : NULL;
}

bool __wrap_ask_posternd(const char *runtime_directory, const char *verb, const char *what,
                         const char *name, bool *done_r, char *error_r, size_t size)
{
    size_t len = strlen(posternd.tested);

    assert_string_equal(runtime_directory, folder);
    assert_string_equal(verb, "test");
    snprintf(error_r, size, "not there");
    snprintf(posternd.tested + len, sizeof(posternd.tested) - len, "%s %s|", what, name);
    *done_r = posternd.test == YES;
    return posternd.test != UNASKABLE;
}

void assert_question(const char *label, const char *key, const char *want)
{
    json_t *value = json_object_get(posternd.question, key);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    assert_non_null(text);
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s is %s", label, key, text);
    free(text);
}

/* --- The state, and that posternd lives --- */

int set_up(void **state)
{
    (void)state;
    memset(&posternd, 0, sizeof(posternd));
    envelopes = json_array();
    return envelopes ? fixture_set_up("earlyndr") : -1;
}

int tear_down(void **state)
{
    (void)state;
    fixture_stop_posternd();
    json_decref(posternd.question);
    pthread_mutex_lock(&lock);
    json_decref(envelopes);
    envelopes = NULL;
    pthread_mutex_unlock(&lock);
    return confref_set(NULL, NULL) ? fixture_tear_down() : -1;
}

void know_bad_since(const char *address, int64_t learned, const char *text)
{
    struct bad_record bad;

    memset(&bad, 0, sizeof(bad));
    bad.b.learned = learned;
    strcpy(bad.queue_id, "3F1A72C0E9");
    strcpy(bad.status, "5.1.1");
    strcpy(bad.host, "mx.b.example");
    snprintf(bad.text, sizeof(bad.text), "%s", text);
    record_save_bad(store, slice_of(address), NULL, &bad);
}

int64_t know_bad(const char *address)
{
    int64_t learned = clock_now() - 1000;

    know_bad_since(address, learned,
                   "host mx.b.example[192.0.2.9] said: 550 5.1.1 no such user (in reply to RCPT "
                   "TO command)");
    return learned;
}

void know_message(const char *queue_id)
{
    struct message_record m = {.arrived = clock_now(), .json = slice_of("{}")};

    record_save_message(store, slice_of(queue_id), &m);
}

void go(void)
{
    fixture_end_state();
    fixture_start_posternd();
}

void use(const char *settings)
{
    char text[1024];
    struct config *config;

    snprintf(text, sizeof(text), "state_directory = \"%s\"; runtime_directory = \"%s\"; %s", folder,
             folder, settings);
    config = fixture_config(text);
    assert_true(confref_set(config, earlyndr_program.local(config)));
}

/* --- Postfix --- */

void negotiate(SMFICTX *ctx, unsigned long steps)
{
    unsigned long actions_r, steps_r, f2, f3;

    assert_int_equal(milter->xxfi_negotiate(ctx, SMFIF_DELRCPT | SMFIF_CHGBODY | SMFIF_ADDHDRS,
                                            steps, 0, 0, &actions_r, &steps_r, &f2, &f3),
                     SMFIS_CONTINUE);
    assert_int_equal(actions_r, SMFIF_DELRCPT | SMFIF_CHGBODY);
    assert_int_equal(steps_r & ~steps, 0);
}

sfsistat open_connection(SMFICTX *ctx, const char *address)
{
    negotiate(ctx, SMFIP_SKIP | SMFIP_NOHELO);
    return fake_connect(ctx, milter, address);
}

static void split(char *argv[8], char *copy, size_t size, const char *address,
                  const char *parameters)
{
    char *rest = copy;
    int n = 0;

    snprintf(copy, size, "%s", parameters ? parameters : "");
    argv[n++] = (char *)(uintptr_t)address;
    for (char *word; n < 7 && (word = strsep(&rest, " ")) != NULL;)
        if (*word)
            argv[n++] = word;
    argv[n] = NULL;
}

sfsistat mail(SMFICTX *ctx, enum source source, const char *sender, const char *parameters)
{
    char copy[512];
    char *argv[8];

    fake_macro(ctx, "i", source == CLEANUP ? ID : NULL);
    split(argv, copy, sizeof(copy), sender, parameters);
    return milter->xxfi_envfrom(ctx, argv);
}

/* smtpd(8) makes the queue file before it asks about the first recipient. */
sfsistat rcpt(SMFICTX *ctx, const char *recipient, const char *parameters)
{
    char copy[512];
    char *argv[8];

    fake_macro(ctx, "i", ID);
    split(argv, copy, sizeof(copy), recipient, parameters);
    return milter->xxfi_envrcpt(ctx, argv);
}

sfsistat header(SMFICTX *ctx, const char *name, const char *value)
{
    return milter->xxfi_header(ctx, (char *)(uintptr_t)name, (char *)(uintptr_t)value);
}

sfsistat body(SMFICTX *ctx, const char *text, size_t len)
{
    return milter->xxfi_body(ctx, (unsigned char *)(uintptr_t)text, len);
}

sfsistat eom(SMFICTX *ctx, const char *queue_id)
{
    fake_macro(ctx, "i", queue_id);
    return milter->xxfi_eom(ctx);
}

sfsistat send_to(SMFICTX *ctx, enum source source, const char *sender, const struct rcpt *list,
                 size_t count)
{
    mail(ctx, source, sender, NULL);
    for (size_t i = 0; i < count && list[i].address; i++)
        assert_int_equal(rcpt(ctx, list[i].address, list[i].parameters), SMFIS_CONTINUE);
    header(ctx, "Subject", "figures");
    return eom(ctx, ID);
}

/* --- What is handed over to posternd --- */

json_t *await_envelope(const char *queue_id)
{
    struct timespec deadline;
    json_t *found = NULL;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_SECONDS;
    pthread_mutex_lock(&lock);
    while (found == NULL && error == 0) {
        size_t i;
        json_t *one;
        json_array_foreach(envelopes, i, one)
        {
            if (strcmp(json_string_value(json_object_get(one, "queue_id")), queue_id) == 0)
                found = json_incref(one);
        }
        if (found == NULL)
            error = pthread_cond_timedwait(&arrived, &lock, &deadline);
    }
    pthread_mutex_unlock(&lock);
    if (found == NULL)
        fail_msg("%s: not handed over", queue_id);
    return found;
}

/* They come in order, so what is not there before the next one was not handed over. */
size_t handed_over(SMFICTX *ctx)
{
    json_t *fence;
    size_t count;

    mail(ctx, SMTPD, "<fence@a.example>", NULL);
    rcpt(ctx, "<x@a.example>", NULL);
    rcpt(ctx, "<y@a.example>", NULL);
    eom(ctx, "FFFFFFFFF");
    fence = await_envelope("FFFFFFFFF");
    json_decref(fence);
    pthread_mutex_lock(&lock);
    count = json_array_size(envelopes) - 1;
    json_array_clear(envelopes);
    pthread_mutex_unlock(&lock);
    return count;
}

void wait_for_the_outbox(void)
{
    SMFICTX ctx = {NULL};

    open_connection(&ctx, "203.0.113.1");
    handed_over(&ctx);
    milter->xxfi_close(&ctx);
}

void envelopes_refuse(int times)
{
    pthread_mutex_lock(&lock);
    busy_for = times;
    pthread_mutex_unlock(&lock);
}

int envelopes_refusals_left(void)
{
    int left;

    pthread_mutex_lock(&lock);
    left = busy_for;
    pthread_mutex_unlock(&lock);
    return left;
}

size_t envelopes_most_at_once(void)
{
    size_t most;

    pthread_mutex_lock(&lock);
    most = most_at_once;
    pthread_mutex_unlock(&lock);
    return most;
}
