#include "reporter.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "address.h"
#include "clock.h"
#include "counters.h"
#include "log.h"

enum { AT_ONCE = 4, COMMAND_TIMEOUT = 60 * 1000 };

struct reporter {
    struct child_runner *runner;
    const struct postfix *postfix;
    unsigned running;
    bool fails; /* said so already */
};

/* One that is under way. */
struct sending {
    struct reporter *reporter;
    reporter_done *done;
    void *arg;
    enum counter counter; /* when it is sent */
};

struct reporter *reporter_new(struct child_runner *runner, const struct postfix *postfix)
{
    struct reporter *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->runner = runner;
    r->postfix = postfix;
    return r;
}

void reporter_free(struct reporter **reporter)
{
    free(*reporter);
    *reporter = NULL;
}

unsigned reporter_room(const struct reporter *reporter)
{
    return reporter->running < AT_ONCE ? AT_ONCE - reporter->running : 0;
}

static void note(struct reporter *reporter, const struct child_end *end, enum counter counter)
{
    char why[512];
    bool works = end->status == 0;

    counters_add(works ? counter : COUNTER_REPORTS_FAILED);
    if (!works && !reporter->fails) {
        child_explain(end, why, sizeof(why));
        log_warning("sendmail (report): %s; trying again, and Postfix reports itself", why);
    } else if (works && reporter->fails) {
        log_info("reports are sent again");
    }
    reporter->fails = !works;
}

static void on_end(void *arg, const struct child_end *end)
{
    struct sending sending = *(struct sending *)arg;

    free(arg);
    sending.reporter->running--;
    note(sending.reporter, end, sending.counter);
    sending.done(sending.arg, end->status == 0);
}

static bool start(struct reporter *reporter, const char *to, const char *text, size_t len,
                  struct sending *sending)
{
    char *argv[] = {(char *)(uintptr_t)postfix_sendmail(reporter->postfix),
                    (char *)(uintptr_t) "-C",
                    (char *)(uintptr_t)postfix_config_directory(reporter->postfix),
                    (char *)(uintptr_t) "-i",
                    (char *)(uintptr_t) "-f",
                    (char *)(uintptr_t) "<>",
                    (char *)(uintptr_t) "--",
                    (char *)(uintptr_t)to,
                    NULL};
    struct child_end end = {.status = -1, .text = ""};

    if (child_start(reporter->runner, argv, text, len, COMMAND_TIMEOUT, on_end, sending) == 0)
        return true;
    end.error = errno;
    note(reporter, &end, sending->counter);
    return false;
}

bool reporter_send(struct reporter *reporter, const struct dsn_report *report, reporter_done *done,
                   void *arg)
{
    struct dsn_report whole = *report;
    struct sending *sending = malloc(sizeof(*sending));
    char to[ADDRESS_MAX + 1];
    char *text = NULL;
    size_t len = 0;
    bool begun = false;

    whole.host = postfix_myhostname(reporter->postfix);
    whole.now = clock_now();
    if (getrandom(&whole.nonce, sizeof(whole.nonce), 0) != (ssize_t)sizeof(whole.nonce))
        whole.nonce = (uint64_t)whole.now;
    /* In this form sendmail(1), which parses its arguments, cannot make two addresses of it. */
    if (sending && address_canonical(to, slice_of(report->to)) > 0)
        text = dsn_compose(&whole, &len);
    if (text) {
        *sending = (struct sending){reporter, done, arg,
                                    report->action == DSN_FAILED ? COUNTER_REPORTS_FAILURE
                                                                 : COUNTER_REPORTS_DELAY};
        begun = start(reporter, to, text, len, sending);
    }
    free(text);
    if (begun)
        reporter->running++;
    else
        free(sending);
    return begun;
}
