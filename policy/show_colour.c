#include "show_colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool coloured;

static bool terminal_takes_it(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return (no == NULL || no[0] == '\0') && isatty(STDOUT_FILENO) && term && term[0] != '\0' &&
           strcmp(term, "dumb") != 0;
}

bool show_colour_set(const char *when)
{
    bool always = strcmp(when, "always") == 0;
    bool automatic = strcmp(when, "auto") == 0;

    coloured = always || (automatic && terminal_takes_it());
    return always || automatic || strcmp(when, "never") == 0;
}

void show_coloured(FILE *out, const char *text, enum show_colour colour)
{
    static const char *const codes[] = {
        [SHOW_PLAIN] = "", [SHOW_RED] = "31", [SHOW_YELLOW] = "33", [SHOW_GREEN] = "32"};

    if (!coloured || colour == SHOW_PLAIN)
        fputs(text, out);
    else
        fprintf(out, "\033[%sm%s\033[0m", codes[colour], text);
}

enum show_colour show_health_colour(const char *health)
{
    static const struct {
        const char *word;
        enum show_colour colour;
    } words[] = {{"up", SHOW_GREEN},
                 {"down", SHOW_RED},
                 {"failing", SHOW_YELLOW},
                 {"trying", SHOW_YELLOW},
                 {"draining", SHOW_YELLOW}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(health, words[i].word) == 0)
            return words[i].colour;
    return SHOW_PLAIN;
}
