#include "table_eval.h"

#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 2000 };

enum line_kind { LINE_RULE, LINE_IF, LINE_ENDIF };

struct line {
    enum line_kind kind;
    bool negated;
    regex_t pattern;
    char *result;
    size_t end; /* of an if: its endif */
};

struct table_eval {
    struct line lines[LINES_MAX];
    size_t count;
};

/* "[!]/pattern/", with the delimiter that comes first; returns what stands behind it. */
static char *read_pattern(struct line *line, char *at)
{
    char delimiter, *end;
    char why[200];
    int error;

    line->negated = *at == '!';
    at += line->negated;
    delimiter = *at++;
    for (end = at; *end != '\0' && *end != delimiter; end++) {
        if (*end == '\\' && end[1] != '\0')
            end++;
    }
    if (*end == '\0')
        fail_msg("no end of the pattern: %s", at);
    *end = '\0';
    error = regcomp(&line->pattern, at, REG_EXTENDED | REG_ICASE);
    if (error != 0) {
        regerror(error, &line->pattern, why, sizeof(why));
        fail_msg("%s: %s", at, why);
    }
    return end + 1;
}

static void read_line(struct table_eval *table, char *text, size_t *open, size_t *depth)
{
    struct line *line = &table->lines[table->count];
    char *rest;

    assert_true(table->count < LINES_MAX);
    if (strcmp(text, "endif") == 0) {
        assert_true(*depth > 0);
        line->kind = LINE_ENDIF;
        table->lines[open[--*depth]].end = table->count;
    } else if (strncmp(text, "if ", 3) == 0) {
        line->kind = LINE_IF;
        rest = read_pattern(line, text + 3);
        if (*rest != '\0')
            fail_msg("behind an if: %s", rest);
        open[(*depth)++] = table->count;
    } else {
        line->kind = LINE_RULE;
        rest = read_pattern(line, text);
        assert_true(*rest == ' ' && rest[1] != '\0' && !line->negated);
        line->result = strdup(rest + 1);
        assert_non_null(line->result);
    }
    table->count++;
}

struct table_eval *table_eval_new(const char *text)
{
    struct table_eval *table = calloc(1, sizeof(*table));
    char *copy = strdup(text), *save = NULL;
    size_t open[200], depth = 0;

    assert_true(table != NULL && copy != NULL);
    for (char *line = strtok_r(copy, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        /* A line that begins with a blank would go on with the one before. */
        assert_true(*line != ' ' && *line != '\t' && depth < 199);
        if (*line != '#')
            read_line(table, line, open, &depth);
    }
    assert_int_equal(depth, 0);
    free(copy);
    return table;
}

void table_eval_free(struct table_eval **table)
{
    for (size_t i = 0; i < (*table)->count; i++) {
        if ((*table)->lines[i].kind != LINE_ENDIF)
            regfree(&(*table)->lines[i].pattern);
        free((*table)->lines[i].result);
    }
    free(*table);
    *table = NULL;
}

static bool fits(const struct line *line, const char *key, regmatch_t matches[2])
{
    return (regexec(&line->pattern, key, 2, matches, 0) == 0) != line->negated;
}

static void expand(const char *result, const char *key, const regmatch_t *first, char *result_r,
                   size_t size)
{
    const char *dollar = strstr(result, "$1");

    if (dollar == NULL)
        snprintf(result_r, size, "%s", result);
    else
        snprintf(result_r, size, "%.*s%.*s%s", (int)(dollar - result), result,
                 (int)(first->rm_eo - first->rm_so), key + first->rm_so, dollar + 2);
}

bool table_eval(const struct table_eval *table, const char *key, char *result_r, size_t size)
{
    regmatch_t matches[2];

    for (size_t i = 0; i < table->count; i++) {
        const struct line *line = &table->lines[i];

        if (line->kind == LINE_ENDIF)
            continue;
        if (line->kind == LINE_IF && !fits(line, key, matches))
            i = line->end;
        if (line->kind == LINE_RULE && fits(line, key, matches)) {
            expand(line->result, key, &matches[1], result_r, size);
            return true;
        }
    }
    return false;
}
