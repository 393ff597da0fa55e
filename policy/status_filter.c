#include "status_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "classify_parts.h"

static const char BEGIN[] =
    "# Made by Postern from its table of patterns and recipient_limits.patterns; see\n"
    "# postern.conf(5). Changes are overwritten. It is asked with the status and the reason of "
    "each\n"
    "# delivery, such as\n"
    "#   5.5.3 host mx[192.0.2.1] said: 552 5.5.3 Too many recipients (in reply to RCPT TO "
    "command)\n"
    "# and answers for a limit of recipients per transaction, with 4.5.3 for 5.x.x. What does not "
    "get\n"
    "# through all that begins with \"if !\" stays as it is.\n"
    "\n"
    "if /^5[.][0-9]+[.][0-9]+ host [^ ]+ said: 5[0-9][0-9][ -].* "
    "[(]in reply to (RCPT TO|DATA|end of DATA) command[)]$/\n";

/* The status that Postfix puts before the reason (global/dsn_util.c). */
#define STATUS "^5[.][0-9]+[.][0-9]+ "

/* A delimiter that the expression does not hold; not '!', '#' and letters, which mean something. */
static char delimiter_for(const char *expression)
{
    static const char delimiters[] = "/,%~&;`\x01";
    const char *delimiter = delimiters;

    while (delimiter[1] != '\0' && strchr(expression, *delimiter) != NULL)
        delimiter++;
    return *delimiter;
}

static void write_if(FILE *out, bool fits, const struct classify_rule *rule)
{
    char delimiter = delimiter_for(rule->expression);

    fprintf(out, "# %s: %s\nif %s%c" STATUS "%s%c\n", reply_kind_name(rule->kind), rule->source,
            fits ? "" : "!", delimiter, rule->expression, delimiter);
}

/* What must not fit, each around all that follows; returns how many. */
static size_t write_guards(FILE *out, const struct classifier *classifier)
{
    const struct classify_rule *rule;
    size_t count = 1;

    /* (.{n}){m}, because POSIX allows no more than 255 repetitions (RE_DUP_MAX). */
    fprintf(out, "# other: longer than %d bytes\nif !/^[^ ]+ (.{200}){%d}./\n", CLASSIFY_TEXT_MAX,
            CLASSIFY_TEXT_MAX / 200);
    _Static_assert(CLASSIFY_TEXT_MAX % 200 == 0, "the expression above counts by 200");
    for (size_t i = 0; (rule = classifier_rule_at(classifier, i)) != NULL; i++) {
        if (rule->kind == CLASSIFY_SPLIT)
            continue;
        write_if(out, false, rule);
        count++;
    }
    return count;
}

static void write_limits(FILE *out, const struct classifier *classifier)
{
    const struct classify_rule *rule;

    for (size_t i = 0; (rule = classifier_rule_at(classifier, i)) != NULL; i++) {
        if (rule->kind != CLASSIFY_SPLIT)
            continue;
        write_if(out, true, rule);
        fputs("/^[^ ]+ (.*)$/ 4.5.3 $1\nendif\n", out);
    }
}

static void write_rules(FILE *out, const struct classifier *classifier)
{
    size_t guards;

    fputs(BEGIN, out);
    guards = write_guards(out, classifier);
    write_limits(out, classifier);
    for (size_t i = 0; i <= guards; i++)
        fputs("endif\n", out);
}

char *status_filter_text(const struct classifier *classifier)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    bool ok;

    if (out == NULL)
        return NULL;
    if (classifier != NULL)
        write_rules(out, classifier);
    else
        fputs("# Made by Postern: nothing is changed (recipient_limits.outbound or enforce is "
              "off).\n",
              out);
    ok = ferror(out) == 0;
    if (fclose(out) == 0 && ok)
        return text;
    free(text);
    return NULL;
}

static bool fail(const char *path, char *error_r, size_t size)
{
    snprintf(error_r, size, "%s: %s", path, strerror(errno));
    return false;
}

/* True when the file holds just this text. */
static bool is_there(const char *path, const char *text)
{
    size_t len = strlen(text), got;
    char *now = malloc(len + 1);
    FILE *in = now != NULL ? fopen(path, "re") : NULL;
    bool same = false;

    if (in != NULL) {
        got = fread(now, 1, len + 1, in);
        same = got == len && memcmp(now, text, len) == 0;
        fclose(in);
    }
    free(now);
    return same;
}

static bool write_new(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t done = write(fd, text, left);

        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            text += done;
            left -= (size_t)done;
        }
    }
    /* smtp(8) reads it as Postfix's own account. */
    return fchmod(fd, 0644) == 0 && fsync(fd) == 0;
}

/* `new_path` is a template of mkstemp(3), in the same folder. */
static bool replace(const char *path, char *new_path, const char *text, char *error_r, size_t size)
{
    int fd = mkostemp(new_path, O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return fail(new_path, error_r, size);
    ok = write_new(fd, text);
    if (close(fd) != 0)
        ok = false;
    if (ok && rename(new_path, path) == 0)
        return true;
    fail(path, error_r, size);
    unlink(new_path);
    return false;
}

bool status_filter_write(const char *state_directory, const struct classifier *classifier,
                         char *error_r, size_t size)
{
    char *text = status_filter_text(classifier);
    char *path = NULL, *new_path = NULL;
    bool ok = false;

    if (asprintf(&path, "%s/tables/status_filter.regexp", state_directory) < 0)
        path = NULL;
    if (path == NULL || asprintf(&new_path, "%s.XXXXXX", path) < 0)
        new_path = NULL;
    if (text == NULL || new_path == NULL)
        snprintf(error_r, size, "%s: out of memory", state_directory);
    else
        ok = is_there(path, text) || replace(path, new_path, text, error_r, size);
    free(new_path);
    free(path);
    free(text);
    return ok;
}
