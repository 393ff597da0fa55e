#include "classify_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <jansson.h>

#include "classify.h"
#include "log.h"
#include "maillog.h"
#include "status_filter.h"
#include "text.h"

struct command {
    const struct config *config;
    const struct classifier *classifier;
    struct maillog_reader reader;
    json_t *replies; /* NULL: for people */
};

/* What stands for what was typed: the reason in a line of the log, or one made of a bare reply. */
static char *reason_of(struct command *command, const char *typed)
{
    struct maillog_line line;
    char *reason = NULL;

    if (maillog_parse(&command->reader, typed, strlen(typed), (int64_t)time(NULL) * 1000, &line) &&
        line.kind == MAILLOG_DELIVERY)
        return strndup(line.text.at, line.text.len);
    if (strspn(typed, "0123456789") != 3)
        return strdup(typed);
    if (asprintf(&reason, "host server[192.0.2.1] said: %s (in reply to RCPT TO command)", typed) <
        0)
        return NULL;
    return reason;
}

static const char *meaning_of(enum reply_kind kind)
{
    static const char *const meanings[] = {
        [CLASSIFY_OTHER] = "no limit of recipients, or in doubt",
        [CLASSIFY_SPLIT] = "a limit per transaction",
        [CLASSIFY_WAIT] = "a limit per time, or for the sender",
    };

    return meanings[kind];
}

/* What is done about it, with this configuration. */
static const char *action_of(const struct config *config, const struct classify_info *info)
{
    if (info->kind != CLASSIFY_SPLIT)
        return "nothing: it stays as it is";
    if (!config_outbound_limits(config))
        return "nothing: recipient_limits.outbound is off";
    if (!config_enforce(config))
        return "nothing: only observing (enforce is off)";
    return info->permanent
               ? "status 4.5.3 instead of a non-delivery report; learns the limit, sends the rest"
               : "learns the limit, sends the rest";
}

static void add_reply(json_t *replies, const char *typed, const char *action,
                      const struct classify_info *info)
{
    json_t *reply =
        json_pack("{s:s, s:s, s:b, s:s, s:s, s:s}", "text", typed, "kind",
                  reply_kind_name(info->kind), "permanent", info->permanent, "phase",
                  reply_phase_name(info->phase), "rule", info->source, "action", action);

    json_object_set_new(reply, "limit", info->limit > 0 ? json_integer(info->limit) : json_null());
    json_array_append_new(replies, reply);
}

static void print_reply(const char *typed, const char *action, const struct classify_info *info)
{
    printf("%s\n  kind    %s: %s\n", typed, reply_kind_name(info->kind), meaning_of(info->kind));
    if (info->phase != REPLY_PHASE_OTHER)
        printf("  reply   %s, to %s\n", info->permanent ? "permanent" : "temporary",
               reply_phase_name(info->phase));
    if (info->limit > 0)
        printf("  limit   %u recipients\n", (unsigned)info->limit);
    printf("  rule    %s\n  Postern %s\n", info->source[0] != '\0' ? info->source : "none", action);
}

static void classify_typed(struct command *command, char *typed)
{
    char *reason = reason_of(command, typed);
    struct classify_info info;
    const char *action;

    if (reason == NULL)
        log_fatal(EX_OSERR, "out of memory");
    classify_reply(command->classifier, slice_of(reason), &info);
    free(reason);
    action = action_of(command->config, &info);
    text_clean(typed);
    if (command->replies != NULL)
        add_reply(command->replies, typed, action, &info);
    else
        print_reply(typed, action, &info);
}

static void classify_input(struct command *command)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0')
            classify_typed(command, line);
    }
    free(line);
    if (ferror(stdin))
        log_fatal(EX_IOERR, "standard input: %m");
}

static void classify_text(struct command *command, const char *text)
{
    char *typed = strdup(text);

    if (typed == NULL)
        log_fatal(EX_OSERR, "out of memory");
    classify_typed(command, typed);
    free(typed);
}

static void print_table(const struct classifier *classifier)
{
    char *text = status_filter_text(classifier);

    if (text == NULL)
        log_fatal(EX_OSERR, "out of memory");
    fputs(text, stdout);
    free(text);
}

static void print_json(json_t *replies)
{
    json_t *report = json_pack("{s:o}", "replies", replies);

    json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(report);
}

int classify_command(const struct config *config, const char *what, bool json)
{
    char error[512];
    struct classifier *classifier = classifier_of_config(config, error, sizeof(error));
    struct command command = {.config = config, .classifier = classifier};

    if (classifier == NULL)
        log_fatal(EX_OSERR, "%s", error);
    if (strcmp(what, "--table") == 0) {
        print_table(classifier);
    } else {
        if (json)
            command.replies = json_array();
        if (strcmp(what, "-") == 0)
            classify_input(&command);
        else
            classify_text(&command, what);
        if (json)
            print_json(command.replies);
    }
    classifier_free(&classifier);
    return EX_OK;
}
