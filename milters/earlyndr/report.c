/*
 * Postfix's own reports, as they pass by (internal_mail_filter_classes = bounce): those recipients
 * are taken out that posternd has reported, and a report about nobody else is discarded.
 *
 * Anybody can send mail that looks like one. So posternd is asked, which knows from the log whether
 * Postfix made it (origins.h). In doubt it passes as it is: two reports at worst, never none.
 */
#include "parts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ask.h"
#include "log.h"
#include "record.h"
#include "state.h"

/* Postfix returns at most bounce_size_limit (50000 bytes by default) of the message. */
enum { BODY_MAX = 16 << 20 };

void report_header(struct postfix_report *report, const char *name, const char *value)
{
    if (strcasecmp(name, "Content-Type") != 0)
        return;
    /* Postfix writes one. Of two, its reader may believe the other one. */
    if (report->typed || !bounce_boundary(slice_of(value), report->boundary))
        report->unfit = true;
    report->typed = true;
}

bool report_body(struct postfix_report *report, const char *bytes, size_t len)
{
    if (report->boundary[0] == '\0' || report->unfit)
        return false;
    if (len > BODY_MAX - report->len)
        report->unfit = true;
    if (!report->unfit && report->len + len > report->room) {
        size_t room = (report->len + len) * 2;
        char *body = realloc(report->body, room);
        report->unfit = body == NULL;
        if (body) {
            report->body = body;
            report->room = room;
        }
    }
    if (report->unfit)
        return false;
    memcpy(report->body + report->len, bytes, len);
    report->len += len;
    return true;
}

/* Only what the door told posternd of can have been reported early. */
static bool is_known(const struct config *config, const char *queue_id)
{
    struct store *store = state_begin(config);
    struct message_record m;
    bool known;

    if (store == NULL)
        return false;
    known = record_load_message(store, slice_of(queue_id), &m);
    state_end(store);
    return known;
}

static json_t *question_about(const struct bounce *bounce, const char *report_id)
{
    json_t *list = json_array();

    for (size_t i = 0; i < bounce_count(bounce); i++)
        json_array_append_new(list, json_string(bounce_recipient(bounce, i)));
    return json_pack("{s:s, s:s, s:o}", "queue_id", bounce_queue_id(bounce), "report", report_id,
                     "recipients", list);
}

/* Which of them the sender knows of already; NULL: none, or in doubt. */
static json_t *ask_reported(const struct config *config, const struct bounce *bounce,
                            const char *report_id)
{
    json_t *question = question_about(bounce, report_id);
    json_t *list = NULL;
    json_t *answer = NULL;
    char error[512];

    if (question)
        answer =
            ask_json(config_runtime_directory(config), "bounce", question, error, sizeof(error));
    json_decref(question);
    if (json_is_true(json_object_get(answer, "done")))
        list = json_incref(json_object_get(answer, "reported"));
    json_decref(answer);
    if (json_is_array(list) && json_array_size(list) == bounce_count(bounce))
        return list;
    json_decref(list);
    return NULL;
}

static sfsistat reduce(SMFICTX *ctx, const struct bounce *bounce, const bool *drop, size_t dropped,
                       const char *report_id)
{
    size_t len;
    char *body = bounce_without(bounce, drop, &len);
    int done = body && len <= INT32_MAX ? smfi_replacebody(ctx, (unsigned char *)body, (int)len)
                                        : MI_FAILURE;

    free(body);
    if (done == MI_SUCCESS)
        log_info("%s: reduce of=%s reported=%zu left=%zu", report_id, bounce_queue_id(bounce),
                 dropped, bounce_count(bounce) - dropped);
    return SMFIS_CONTINUE;
}

static sfsistat take_out(SMFICTX *ctx, const struct bounce *bounce, const json_t *reported,
                         const char *report_id)
{
    size_t count = bounce_count(bounce);
    bool *drop = calloc(count, sizeof(*drop));
    sfsistat status = SMFIS_CONTINUE;
    size_t dropped = 0;

    for (size_t i = 0; drop && i < count; i++) {
        drop[i] = json_is_true(json_array_get(reported, i));
        dropped += drop[i];
    }
    if (dropped == count && count > 0) {
        log_info("%s: discard of=%s reported=%zu", report_id, bounce_queue_id(bounce), dropped);
        status = SMFIS_DISCARD;
    } else if (dropped > 0) {
        status = reduce(ctx, bounce, drop, dropped, report_id);
    }
    free(drop);
    return status;
}

sfsistat report_end(SMFICTX *ctx, const struct config *config, struct postfix_report *report,
                    const char *report_id)
{
    struct bounce *bounce = NULL;
    json_t *reported = NULL;
    sfsistat status = SMFIS_CONTINUE;

    if (report->boundary[0] && report->body && !report->unfit)
        bounce = bounce_parse(report->boundary, (struct slice){report->body, report->len});
    if (bounce && is_known(config, bounce_queue_id(bounce)))
        reported = ask_reported(config, bounce, report_id);
    if (reported)
        status = take_out(ctx, bounce, reported, report_id);
    json_decref(reported);
    bounce_free(&bounce);
    return status;
}

void report_free(struct postfix_report *report)
{
    free(report->body);
    *report = (struct postfix_report){.body = NULL};
}
