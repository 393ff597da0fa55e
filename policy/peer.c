#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "options.h"

enum { WORDS_MAX = 8192 };

/* The argument of -c in a command line of NUL-terminated words; the default without one. */
static const char *config_of(const char *words, size_t len)
{
    for (const char *at = words; at < words + len; at += strlen(at) + 1) {
        if (strncmp(at, "-c", 2) != 0)
            continue;
        if (at[2])
            return at + 2;
        return at + 3 < words + len ? at + 3 : "";
    }
    return OPTIONS_DEFAULT_CONFIG;
}

bool peer_config(pid_t pid, char found_r[PATH_MAX])
{
    char proc[64];
    char words[WORDS_MAX] = "";
    char path[PATH_MAX + 64];
    FILE *file;
    size_t len;
    const char *given;

    snprintf(proc, sizeof(proc), "/proc/%d/cmdline", (int)pid);
    file = pid > 0 ? fopen(proc, "re") : NULL;
    if (file == NULL)
        return false;
    len = fread(words, 1, sizeof(words) - 1, file);
    fclose(file);
    given = config_of(words, len);
    snprintf(path, sizeof(path), "%.4000s", given);
    if (len > 0 && given[0] != '/')
        snprintf(path, sizeof(path), "/proc/%d/cwd/%.4000s", (int)pid, given);
    return len > 0 && realpath(path, found_r) != NULL;
}
