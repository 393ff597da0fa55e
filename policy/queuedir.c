#include "queuedir.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfile.h"
#include "cflines.h"

/* The default of all builds that distributions make (global/mail_params.h, DEF_QUEUE_DIR). */
static const char built_in[] = "/var/spool/postfix";

/* Takes the value of one logical line over into *value, when it is the one that is looked for. */
static bool take(char *line, char **value)
{
    char *name;
    char *text;

    if (!cflines_split_setting(line, &name, &text) || strcmp(name, "queue_directory") != 0)
        return true;
    free(*value);
    *value = strdup(text);
    return *value != NULL;
}

/* The last definition counts. False: out of memory. */
static bool find(struct slice text, char **value_r)
{
    struct cflines lines = {0};
    struct cfspan span = {0, 0};
    bool ok = true;

    *value_r = NULL;
    while (ok && text.len > 0)
        ok = cflines_add(&lines, (struct cfline){.text = cflines_take(&text)});
    while (ok && cflines_next(&lines, span.end, &span)) {
        char *line = cflines_join(&lines, span);
        ok = line && take(line, value_r);
        free(line);
    }
    cflines_free(&lines);
    if (ok && *value_r == NULL)
        *value_r = strdup(built_in);
    return ok && *value_r;
}

char *queuedir_read(const char *config_directory, char *error_r, size_t size)
{
    char path[4200];
    struct slice text;
    char *value = NULL;

    snprintf(path, sizeof(path), "%s/main.cf", config_directory);
    if (cfile_read(path, &text) != 0) {
        snprintf(error_r, size, "%s: %s", path, strerror(errno));
        return NULL;
    }
    if (!find(text, &value))
        snprintf(error_r, size, "%s: out of memory", path);
    free((char *)(uintptr_t)text.at);
    if (value && (value[0] != '/' || strchr(value, '$'))) {
        snprintf(error_r, size, "%s: queue_directory is \"%.200s\", which is no plain path", path,
                 value);
        free(value);
        value = NULL;
    }
    return value;
}
