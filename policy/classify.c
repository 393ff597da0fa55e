#include "classify.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "classify_parts.h"
#include "classify_pattern.h"

/*
 * What an address may look like that a server shows without quoting it as RFC 5321 wants, so that
 * its end cannot be told. Then the words may be the sender's: nothing is decided by them.
 */
static const struct {
    const char *expression, *source;
} DOUBTFUL[] = {
    {"host [^ ]+ said: .*\"( *<[^<>]*)?@", "in doubt: a quoted address or name"},
    {"host [^ ]+ said: .*<[^<>@/]+>", "in doubt: < > without an address"},
};
enum { DOUBTFUL_LEN = sizeof(DOUBTFUL) / sizeof(DOUBTFUL[0]) };

static const char CONFIG_SOURCE[] = "recipient_limits.patterns";

struct classifier {
    struct classify_rule *rules; /* other, then wait, then split */
    size_t count;
    struct classify_limits *limits;
};

/* Takes over the expression, also when it fails. */
static bool add(struct classifier *classifier, enum reply_kind kind, const char *source,
                char *expression, char *error_r, size_t size)
{
    struct classify_rule *rule = &classifier->rules[classifier->count];
    char *anchored;
    int error;

    if (expression == NULL || asprintf(&anchored, "^%s", expression) < 0) {
        free(expression);
        snprintf(error_r, size, "out of memory");
        return false;
    }
    *rule = (struct classify_rule){.kind = kind, .source = source, .expression = expression};
    error = regcomp(&rule->compiled, anchored, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    free(anchored);
    if (error == 0) {
        classifier->count++;
        return true;
    }
    regerror(error, &rule->compiled, error_r, size);
    free(expression);
    return false;
}

/* A row of the table, or a pattern of the configuration. */
static bool add_pattern(struct classifier *classifier, enum reply_kind kind, const char *pattern,
                        const char *source, enum pattern_edge edge, char *error_r, size_t size)
{
    char why[256];
    char *expression = classify_pattern_expand(pattern, edge, why, sizeof(why));

    if (expression == NULL) {
        snprintf(error_r, size, "pattern \"%s\": %s", pattern, why);
        return false;
    }
    return add(classifier, kind, source, expression, error_r, size);
}

static bool add_rows(struct classifier *classifier, enum reply_kind kind, char *error_r,
                     size_t size)
{
    enum pattern_edge edge = kind == CLASSIFY_OTHER ? PATTERN_WHOLE_WORDS : PATTERN_WORDS;
    const struct classify_row *row;

    for (size_t i = 0; (row = classify_row_at(i)) != NULL; i++) {
        if (row->kind == kind &&
            !add_pattern(classifier, kind, row->pattern, row->source, edge, error_r, size))
            return false;
    }
    return true;
}

static bool fill(struct classifier *classifier, const char *const *patterns, size_t count,
                 char *error_r, size_t size)
{
    for (size_t i = 0; i < DOUBTFUL_LEN; i++) {
        if (!add(classifier, CLASSIFY_OTHER, DOUBTFUL[i].source, strdup(DOUBTFUL[i].expression),
                 error_r, size))
            return false;
    }
    if (!add_rows(classifier, CLASSIFY_OTHER, error_r, size) ||
        !add_rows(classifier, CLASSIFY_WAIT, error_r, size) ||
        !add_rows(classifier, CLASSIFY_SPLIT, error_r, size))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!add_pattern(classifier, CLASSIFY_SPLIT, patterns[i], CONFIG_SOURCE, PATTERN_ANYWHERE,
                         error_r, size))
            return false;
    }
    return true;
}

struct classifier *classifier_new(const char *const *patterns, size_t count, char *error_r,
                                  size_t size)
{
    struct classifier *classifier = calloc(1, sizeof(*classifier));
    size_t rows = 0;

    while (classify_row_at(rows) != NULL)
        rows++;
    if (classifier != NULL) {
        classifier->rules = calloc(DOUBTFUL_LEN + rows + count, sizeof(*classifier->rules));
        classifier->limits = classify_limits_new();
    }
    if (classifier == NULL || classifier->rules == NULL || classifier->limits == NULL)
        snprintf(error_r, size, "out of memory");
    else if (fill(classifier, patterns, count, error_r, size))
        return classifier;
    classifier_free(&classifier);
    return NULL;
}

struct classifier *classifier_of_config(const struct config *config, char *error_r, size_t size)
{
    size_t count = config_pattern_count(config);
    const char **patterns = calloc(count + 1, sizeof(*patterns));
    struct classifier *classifier;

    if (patterns == NULL) {
        snprintf(error_r, size, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        patterns[i] = config_pattern_at(config, i);
    classifier = classifier_new(patterns, count, error_r, size);
    free(patterns);
    return classifier;
}

void classifier_free(struct classifier **classifier)
{
    struct classifier *c = *classifier;

    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++) {
        regfree(&c->rules[i].compiled);
        free(c->rules[i].expression);
    }
    free(c->rules);
    classify_limits_free(&c->limits);
    free(c);
    *classifier = NULL;
}

const struct classify_rule *classifier_rule_at(const struct classifier *classifier, size_t index)
{
    return index < classifier->count ? &classifier->rules[index] : NULL;
}

/* The texts of smtp/smtp_proto.c, xfer_request[]. */
static const struct {
    const char *end, *name;
} PHASES[] = {
    [REPLY_PHASE_OTHER] = {NULL, "other"},
    [REPLY_PHASE_RCPT] = {" (in reply to RCPT TO command)", "RCPT TO"},
    [REPLY_PHASE_DATA] = {" (in reply to DATA command)", "DATA"},
    [REPLY_PHASE_END_OF_DATA] = {" (in reply to end of DATA command)", "end of DATA"},
};

/* Without regard to case, as the table is read. */
static bool take_start(struct slice *s, const char *start)
{
    size_t len = strlen(start);

    if (s->len < len || strncasecmp(s->at, start, len) != 0)
        return false;
    s->at += len;
    s->len -= len;
    return true;
}

static bool take_end(struct slice *s, const char *end)
{
    size_t len = strlen(end);

    if (s->len < len || strncasecmp(s->at + s->len - len, end, len) != 0)
        return false;
    s->len -= len;
    return true;
}

static enum reply_phase take_phase(struct slice *s)
{
    for (int i = REPLY_PHASE_RCPT; i <= REPLY_PHASE_END_OF_DATA; i++) {
        if (take_end(s, PHASES[i].end))
            return (enum reply_phase)i;
    }
    return REPLY_PHASE_OTHER;
}

/* "552 " or "552-" */
static bool starts_with_code(struct slice s)
{
    return s.len >= 4 && (s.at[0] == '4' || s.at[0] == '5') && s.at[1] >= '0' && s.at[1] <= '9' &&
           s.at[2] >= '0' && s.at[2] <= '9' && (s.at[3] == ' ' || s.at[3] == '-');
}

/* The texts are made in smtp/smtp_proto.c. */
bool reply_parse(struct slice text, struct reply_parts *reply_r)
{
    const char *host_end;

    *reply_r = (struct reply_parts){0};
    if (text.len == 0 || text.len > CLASSIFY_TEXT_MAX || memchr(text.at, '\0', text.len) != NULL ||
        !take_start(&text, "host "))
        return false;
    host_end = memchr(text.at, ' ', text.len);
    if (host_end == NULL || host_end == text.at)
        return false;
    text.len -= (size_t)(host_end - text.at);
    text.at = host_end;
    if (!take_start(&text, " said: ") || !starts_with_code(text))
        return false;
    reply_r->permanent = text.at[0] == '5';
    reply_r->phase = take_phase(&text);
    reply_r->words = text;
    return text.len >= 4;
}

/* The first rule of a kind that fits, or NULL. */
static const struct classify_rule *find_rule(const struct classifier *classifier,
                                             enum reply_kind kind, const char *text)
{
    for (size_t i = 0; i < classifier->count; i++) {
        const struct classify_rule *rule = &classifier->rules[i];

        if (rule->kind == kind && regexec(&rule->compiled, text, 0, NULL, 0) == 0)
            return rule;
    }
    return NULL;
}

/* Most replies are about something else: what makes a limit is looked for first. */
static const struct classify_rule *decide(const struct classifier *classifier, const char *text)
{
    const struct classify_rule *split = find_rule(classifier, CLASSIFY_SPLIT, text);
    const struct classify_rule *rule;

    if (split == NULL)
        return NULL;
    rule = find_rule(classifier, CLASSIFY_OTHER, text);
    if (rule == NULL)
        rule = find_rule(classifier, CLASSIFY_WAIT, text);
    return rule != NULL ? rule : split;
}

enum reply_kind classify_reply(const struct classifier *classifier, struct slice text,
                               struct classify_info *info_r)
{
    struct classify_info info = {.kind = CLASSIFY_OTHER, .source = ""};
    const struct classify_rule *rule;
    char copy[CLASSIFY_TEXT_MAX + 1];
    struct reply_parts reply;
    bool understood = reply_parse(text, &reply);

    info.phase = reply.phase;
    info.permanent = reply.permanent;
    if (understood && reply.phase != REPLY_PHASE_OTHER) {
        slice_copy(copy, sizeof(copy), text);
        rule = decide(classifier, copy);
        if (rule != NULL) {
            info.kind = rule->kind;
            info.source = rule->source;
        }
        if (info.kind == CLASSIFY_SPLIT)
            info.limit = classify_limit(classifier->limits, reply.words);
    }
    if (info_r != NULL)
        *info_r = info;
    return info.kind;
}

const char *reply_kind_name(enum reply_kind kind)
{
    static const char *const names[] = {
        [CLASSIFY_OTHER] = "other", [CLASSIFY_SPLIT] = "split", [CLASSIFY_WAIT] = "wait"};

    return names[kind];
}

const char *reply_phase_name(enum reply_phase phase)
{
    return PHASES[phase].name;
}
