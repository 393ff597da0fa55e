#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "behaviour.h"

static const char *const stage_names[STAGE_COUNT] = {
    "connect", "ehlo", "mail", "rcpt", "data", "dot",
};

/* The rest of a line that is being read; `why` is set on the first mistake. */
struct reader {
    char *rest;
    const char *why;
};

/* The next word, or NULL at the end of the line. */
static char *next_word(struct reader *in)
{
    char *word = in->rest + strspn(in->rest, " \t\r\n");

    if (*word == '\0' || *word == '#')
        return NULL;
    char *end;
    if (*word == '"') {
        word++;
        end = strchr(word, '"');
        if (end == NULL) {
            in->why = "a quote is not closed";
            return NULL;
        }
    } else {
        end = word + strcspn(word, " \t\r\n");
    }
    in->rest = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return word;
}

static char *need_text(struct reader *in)
{
    const char *word = next_word(in);

    if (word == NULL && in->why == NULL)
        in->why = "a value is missing";
    return strdup(word != NULL ? word : "");
}

static double need_number(struct reader *in)
{
    char *text = need_text(in);
    char *end;
    double value = strtod(text, &end);

    if (in->why == NULL && (end == text || *end != '\0' || !(value >= 0 && value <= 1e6)))
        in->why = "a number from 0 to 1000000 is expected";
    free(text);
    return in->why == NULL ? value : 0;
}

static enum stage need_stage(struct reader *in)
{
    char *text = need_text(in);
    int stage = 0;

    while (stage < STAGE_COUNT && strcasecmp(text, stage_names[stage]) != 0)
        stage++;
    free(text);
    if (stage < STAGE_COUNT)
        return (enum stage)stage;
    if (in->why == NULL)
        in->why = "no such stage (connect, ehlo, mail, rcpt, data, dot)";
    return STAGE_CONNECT;
}

static void replace(char **text, char *by)
{
    free(*text);
    *text = by;
}

static void add_rule(struct behaviour *host, struct reader *in)
{
    struct rcpt_rule *rules =
        reallocarray(host->rules, host->rule_count + 1, sizeof(host->rules[0]));

    if (rules == NULL)
        abort();
    host->rules = rules;
    rules[host->rule_count].pattern = need_text(in);
    rules[host->rule_count].text = need_text(in);
    host->rule_count++;
}

static void read_setting(struct behaviour *host, const char *word, struct reader *in)
{
    if (strcmp(word, "accept") == 0) {
        host->refuse = false;
    } else if (strcmp(word, "refuse") == 0) {
        host->refuse = true;
    } else if (strcmp(word, "silent") == 0) {
        host->silent = true;
    } else if (strcmp(word, "delay") == 0) {
        host->delay = (unsigned)(need_number(in) * 1000);
    } else if (strcmp(word, "tarpit") == 0) {
        host->tarpit = (unsigned)(need_number(in) * 1000);
    } else if (strcmp(word, "reply") == 0) {
        enum stage stage = need_stage(in);
        replace(&host->at[stage].reply, need_text(in));
    } else if (strcmp(word, "drop") == 0) {
        host->at[need_stage(in)].drop = true;
    } else if (strcmp(word, "rcpt") == 0) {
        add_rule(host, in);
    } else if (strcmp(word, "most") == 0) {
        enum stage stage = need_stage(in);
        host->at[stage].most = (unsigned)need_number(in);
        replace(&host->at[stage].most_text, need_text(in));
    } else {
        in->why = "no such word";
    }
}

/* One line, which is changed by it. Returns what is wrong, or NULL. */
static const char *read_line(struct script *script, char *line)
{
    struct reader in = {.rest = line};
    const char *address = next_word(&in);

    if (address == NULL)
        return in.why;
    struct behaviour *hosts =
        reallocarray(script->hosts, script->count + 1, sizeof(script->hosts[0]));
    if (hosts == NULL)
        abort();
    script->hosts = hosts;
    struct behaviour *host = &hosts[script->count++];
    *host = (struct behaviour){.address = strdup(address)};
    const char *word;
    while (in.why == NULL && (word = next_word(&in)) != NULL)
        read_setting(host, word, &in);
    return in.why;
}

struct script *script_load(const char *path, char *error_r, size_t size)
{
    FILE *file = fopen(path, "re");
    struct script *script = calloc(1, sizeof(*script));
    char *line = NULL;
    size_t room = 0;
    const char *why = NULL;
    unsigned number = 0;

    if (script == NULL)
        abort();
    if (file == NULL) {
        why = strerror(errno);
    } else {
        while (why == NULL && getline(&line, &room, file) >= 0) {
            number++;
            why = read_line(script, line);
        }
        free(line);
        fclose(file);
    }
    if (why != NULL) {
        snprintf(error_r, size, "%s:%u: %s", path, number, why);
        script_free(&script);
    }
    return script;
}

static void behaviour_clear(struct behaviour *host)
{
    free(host->address);
    for (size_t i = 0; i < host->rule_count; i++) {
        free(host->rules[i].pattern);
        free(host->rules[i].text);
    }
    free(host->rules);
    for (int i = 0; i < STAGE_COUNT; i++) {
        free(host->at[i].reply);
        free(host->at[i].most_text);
    }
}

void script_free(struct script **script)
{
    if (*script == NULL)
        return;
    for (size_t i = 0; i < (*script)->count; i++)
        behaviour_clear(&(*script)->hosts[i]);
    free((*script)->hosts);
    free(*script);
    *script = NULL;
}

const struct behaviour *script_find(const struct script *script, const char *address)
{
    for (size_t i = 0; i < script->count; i++) {
        if (strcmp(script->hosts[i].address, address) == 0)
            return &script->hosts[i];
    }
    return NULL;
}

const char *behaviour_rcpt(const struct behaviour *host, const char *recipient, unsigned taken)
{
    for (size_t i = 0; i < host->rule_count; i++) {
        if (fnmatch(host->rules[i].pattern, recipient, FNM_CASEFOLD) == 0)
            return host->rules[i].text;
    }
    if (host->at[STAGE_RCPT].most_text != NULL && taken >= host->at[STAGE_RCPT].most)
        return host->at[STAGE_RCPT].most_text;
    return host->at[STAGE_RCPT].reply;
}

const char *behaviour_reply(const struct behaviour *host, enum stage stage, unsigned taken)
{
    if (host->at[stage].most_text != NULL && taken > host->at[stage].most)
        return host->at[stage].most_text;
    return host->at[stage].reply;
}
