#include "doctor.h"

#include <string.h>

#include "show_colour.h"
#include "show_parts.h"

static const char *word_of(const char *result)
{
    return strcmp(result, "problem") == 0   ? "PROBLEM"
           : strcmp(result, "unknown") == 0 ? "unknown"
                                            : result;
}

static enum show_colour colour_of(const char *result)
{
    if (strcmp(result, "problem") == 0)
        return SHOW_RED;
    if (strcmp(result, "ok") == 0)
        return SHOW_GREEN;
    return strcmp(result, "note") == 0 ? SHOW_YELLOW : SHOW_PLAIN;
}

/* What is to be typed stays on one line, to be copied. */
static void show_one(FILE *out, const json_t *one)
{
    const char *result = show_string(one, "result");
    const char *text = show_string(one, "text");
    const char *type = show_string(one, "type");

    show_coloured(out, word_of(result), colour_of(result));
    fprintf(out, "%*s  %s%s%s\n", 7 - (int)strlen(word_of(result)), "", show_string(one, "check"),
            text[0] ? ": " : "", text);
    if (type[0])
        fprintf(out, "         type: %s\n", type);
}

/* What was found first, then one line for all that is well. */
static void show_well(FILE *out, const json_t *checks)
{
    const json_t *one;
    size_t well = 0;
    size_t i;

    json_array_foreach(checks, i, one) well += strcmp(show_string(one, "result"), "ok") == 0;
    show_coloured(out, "ok", SHOW_GREEN);
    fprintf(out, "       %zu check%s found nothing\n", well, show_plural((long long)well));
}

void doctor_show(FILE *out, int width, const json_t *report)
{
    const json_t *checks = json_object_get(report, "checks");
    long long problems = show_number(report, "problems");
    long long notes = show_number(report, "notes");
    const json_t *one;
    size_t i;

    (void)width;
    json_array_foreach(checks, i, one) if (strcmp(show_string(one, "result"), "ok") != 0)
        show_one(out, one);
    show_well(out, checks);
    fprintf(out, "%lld problem%s, %lld note%s.%s\n", problems, show_plural(problems), notes,
            show_plural(notes), show_truth(report, "root") ? "" : " Root would see more.");
}
