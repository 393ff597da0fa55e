#include "neighbours.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "postfix_list.h"

enum { POSTCONF_TIMEOUT_MS = 30000, WORDS = 5, DIRECTORY_MAX = 4000 };

struct neighbours {
    size_t count;
    struct neighbour list[NEIGHBOURS_MAX];
};

/* --- Asking --- */

/* What `postconf -c DIRECTORY WORD...` says, or NULL. */
static char *ask(const struct postfix *postfix, const char *directory,
                 const char *const words[WORDS])
{
    char *argv[3 + WORDS + 1] = {(char *)(uintptr_t)postfix_postconf(postfix),
                                 (char *)(uintptr_t) "-c", (char *)(uintptr_t)directory, NULL};
    struct child_command command = {.argv = argv, .timeout_ms = POSTCONF_TIMEOUT_MS};
    struct child_result *result;
    char *output = NULL;

    for (size_t i = 0; i < WORDS && words[i] != NULL; i++)
        argv[3 + i] = (char *)(uintptr_t)words[i];
    result = child_run(&command);
    if (result != NULL && result->end.status == 0)
        output = strdup(result->output);
    free(result);
    return output;
}

/* The next line, without its end; "" behind the last. */
static char *next_line(char **text)
{
    char *line = *text;
    size_t len = strcspn(line, "\n");

    *text = line + len + (line[len] == '\n');
    line[len] = '\0';
    return line;
}

/* Behind "relay/unix/syslog_name = ". Puts it at `end`, and returns the new end. */
static char *take_name(char *end, const char *line)
{
    const char *value = strstr(line, " = ");
    size_t len = value ? strlen(value + 3) : 0;

    if (len == 0)
        return end;
    *end++ = '\n';
    memcpy(end, value + 3, len + 1);
    return end + len;
}

/* `name`, and what master.cf names services with -o: each in a line. NULL: out of memory. */
static char *tags_of(const struct postfix *postfix, const char *directory, const char *name)
{
    static const char *const words[WORDS] = {"-x", "-P", "*/*/syslog_name"};
    char *output = ask(postfix, directory, words);
    char *rest = output;
    char *tags = malloc(strlen(name) + (output ? strlen(output) : 0) + 2);
    char *end;

    if (tags != NULL) {
        end = stpcpy(tags, name);
        while (rest != NULL && *rest != '\0')
            end = take_name(end, next_line(&rest));
    }
    free(output);
    return tags;
}

/* --- Who they are --- */

/* With what is asked of each. */
struct looking {
    struct neighbours *found;
    const struct postfix *postfix;
    const char *log;
    char *own_log; /* our maillog_file; "": syslog */
};

/* What syslog makes of a line is not known: two that write there share a log. */
static bool is_same_log(const struct looking *looking, const char *file)
{
    return strcmp(file, looking->own_log) == 0 || strcmp(file, looking->log) == 0;
}

static void add(struct looking *looking, const char *directory)
{
    static const char *const words[WORDS] = {"-x", "-h", "queue_directory", "syslog_name",
                                             "maillog_file"};
    struct neighbour *new = &looking->found->list[looking->found->count];
    char *output = ask(looking->postfix, directory, words);
    char *rest = output;

    if (output == NULL)
        return;
    if (strcmp(next_line(&rest), postfix_queue_directory(looking->postfix)) != 0) {
        new->directory = strdup(directory);
        new->syslog_name = strdup(next_line(&rest));
        new->same_log = is_same_log(looking, next_line(&rest));
        new->tags =
            new->syslog_name ? tags_of(looking->postfix, directory, new->syslog_name) : NULL;
        looking->found->count++;
    }
    free(output);
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static bool is_known(const struct looking *looking, const char *directory)
{
    for (size_t i = 0; i < looking->found->count; i++)
        if (same_file(directory, looking->found->list[i].directory))
            return true;
    return same_file(directory, postfix_config_directory(looking->postfix));
}

static void look_at(struct looking *looking, struct slice word)
{
    char directory[DIRECTORY_MAX];

    if (looking->found->count == NEIGHBOURS_MAX || word.len >= sizeof(directory) ||
        word.at[0] != '/')
        return;
    slice_copy(directory, sizeof(directory), word);
    if (!is_known(looking, directory))
        add(looking, directory);
}

static void look(struct looking *looking)
{
    static const char *const words[WORDS] = {"-x", "-h", "multi_instance_directories",
                                             "alternate_config_directories"};
    const char *first = postfix_default_directory(looking->postfix);
    char *output = ask(looking->postfix, first, words);
    const char *rest = output;

    look_at(looking, slice_of(first));
    for (struct slice word; rest != NULL && (word = postfix_list_next(&rest)).len > 0;)
        look_at(looking, word);
    free(output);
}

static bool is_whole(const struct neighbours *neighbours)
{
    for (size_t i = 0; i < neighbours->count; i++)
        if (neighbours->list[i].directory == NULL || neighbours->list[i].tags == NULL)
            return false;
    return true;
}

struct neighbours *neighbours_ask(const struct postfix *postfix, const char *log)
{
    static const char *const words[WORDS] = {"-x", "-h", "maillog_file"};
    struct looking looking = {calloc(1, sizeof(*looking.found)), postfix, log, NULL};

    looking.own_log = ask(postfix, postfix_config_directory(postfix), words);
    if (looking.found != NULL && looking.own_log != NULL) {
        looking.own_log[strcspn(looking.own_log, "\n")] = '\0';
        look(&looking);
    }
    free(looking.own_log);
    if (looking.found != NULL && !is_whole(looking.found))
        neighbours_free(&looking.found);
    return looking.found;
}

void neighbours_free(struct neighbours **neighbours)
{
    if (*neighbours == NULL)
        return;
    for (size_t i = 0; i < (*neighbours)->count; i++) {
        free((*neighbours)->list[i].directory);
        free((*neighbours)->list[i].syslog_name);
        free((*neighbours)->list[i].tags);
    }
    free(*neighbours);
    *neighbours = NULL;
}

const struct neighbour *neighbours_at(const struct neighbours *neighbours, size_t index)
{
    return index < neighbours->count ? &neighbours->list[index] : NULL;
}

/* --- What is in the log --- */

const struct neighbour *neighbours_namesake(const struct neighbours *neighbours,
                                            const struct postfix *postfix)
{
    for (size_t i = 0; i < neighbours->count; i++)
        if (neighbours->list[i].same_log &&
            strcmp(neighbours->list[i].syslog_name, postfix_syslog_name(postfix)) == 0)
            return &neighbours->list[i];
    return NULL;
}

/* The tags of all that share our log, each in a line. NULL: nobody does. */
static char *their_tags(const struct neighbours *neighbours)
{
    size_t size = 1;
    bool any = false;
    char *tags;
    char *end;

    for (size_t i = 0; i < neighbours->count; i++) {
        any |= neighbours->list[i].same_log;
        size += strlen(neighbours->list[i].tags) + 1;
    }
    tags = any ? malloc(size) : NULL;
    if (tags == NULL)
        return NULL;
    *(end = tags) = '\0';
    for (size_t i = 0; i < neighbours->count; i++)
        if (neighbours->list[i].same_log)
            end = stpcpy(stpcpy(end, neighbours->list[i].tags), "\n");
    return tags;
}

struct logtags *neighbours_tags(const struct neighbours *neighbours, const struct postfix *postfix)
{
    char *others = their_tags(neighbours);
    char *ours =
        others ? tags_of(postfix, postfix_config_directory(postfix), postfix_syslog_name(postfix))
               : NULL;
    struct logtags *tags = ours ? logtags_new(ours, others) : NULL;

    free(ours);
    free(others);
    return tags;
}
