/* Other Postfix instances, and other Posterns, on this machine. */
#include "doctor_parts.h"

#include <glob.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lock.h"
#include "neighbours.h"

static void check_connection(struct patient *p)
{
    char type[PATH_MAX + 100];
    char file[PATH_MAX];
    bool runs;

    if (!setup_other_file(&p->plan, file, &runs))
        return;
    snprintf(type, sizeof(type), "posternctl -c %s doctor", file);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "the Postfix in %s is connected by %s, and this is about %s: is "
               "postfix.config_directory right there?",
               p->plan.directory, file, config_path(p->config));
}

static void check_table(struct patient *p)
{
    char postconf[DOCTOR_PATH_MAX];
    char *list = doctor_postconf(p, "transport_maps");
    char table[PATH_MAX];
    char value[2000];
    char type[DOCTOR_PATH_MAX * 2];

    if (setup_foreign_table(&p->plan, list, table)) {
        doctor_list_without(list, table, value, sizeof(value));
        snprintf(type, sizeof(type), "%s -e 'transport_maps = %s' && postfix -c %s reload",
                 doctor_postconf_command(p, postconf, sizeof(postconf)), value, p->plan.directory);
        doctor_say(p, DOCTOR_PROBLEM, type,
                   "transport_maps has %s, the table of another posternd: what that holds is held "
                   "here",
                   table);
    }
    free(list);
}

/* "postfix-out" for /etc/postfix-out. */
static void propose_name(const char *directory, char *name_r, size_t size)
{
    const char *slash = strrchr(directory, '/');
    const char *last = slash ? slash + 1 : directory;

    snprintf(name_r, size, "%s%.64s", strncmp(last, "postfix", 7) == 0 ? "" : "postfix-", last);
}

/* The default one keeps its name. */
static void check_name(struct patient *p, const struct neighbours *neighbours)
{
    const struct neighbour *other = neighbours_namesake(neighbours, p->plan.postfix);
    const char *change = p->plan.directory;
    char type[DOCTOR_PATH_MAX * 2 + 200];
    char name[100];

    if (other == NULL)
        return;
    if (strcmp(other->directory, postfix_default_directory(p->plan.postfix)) != 0)
        change = other->directory;
    propose_name(change, name, sizeof(name));
    snprintf(type, sizeof(type), "postconf -c %s -e 'syslog_name = %s' && postfix -c %s reload",
             change, name, change);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "the Postfix in %s logs as %s, too, to the same log: nothing tells its lines from "
               "those of %s, so none counts",
               other->directory, other->syslog_name, p->plan.directory);
}

/* --- Who watches them --- */

static bool same_directory(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

enum watch { WATCH_NOT, WATCH_STOPPED, WATCH_RUNS };

/* Whether a file is about that Postfix, and its posternd runs. */
static enum watch watch_by(const char *file, const char *directory)
{
    char error[1024];
    struct config *config = config_load(file, error, sizeof(error));
    enum watch watch = WATCH_NOT;

    if (config && same_directory(config_postfix_directory(config), directory))
        watch = lock_is_held(config_state_directory(config)) ? WATCH_RUNS : WATCH_STOPPED;
    config_free(&config);
    return watch;
}

/* By one of the files beside ours. */
static enum watch watch_of(const glob_t *files, const char *directory, const char **file_r)
{
    enum watch best = WATCH_NOT;

    for (size_t i = 0; i < files->gl_pathc && best != WATCH_RUNS; i++) {
        enum watch watch = watch_by(files->gl_pathv[i], directory);
        if (watch > best) {
            best = watch;
            *file_r = files->gl_pathv[i];
        }
    }
    return best;
}

static void check_watched(struct patient *p, const glob_t *files, const struct neighbour *other)
{
    const char *file = "";
    char type[DOCTOR_PATH_MAX];
    enum watch watch = watch_of(files, other->directory, &file);

    snprintf(type, sizeof(type), "posternctl -c %s doctor", file);
    if (watch == WATCH_STOPPED)
        doctor_say(p, DOCTOR_NOTE, type,
                   "the Postfix in %s: %s is about it, but its posternd does "
                   "not run",
                   other->directory, file);
    else if (watch == WATCH_NOT)
        doctor_say(p, DOCTOR_NOTE, "man 5 postern.conf",
                   "nobody watches the Postfix in %s (%s): that takes a configuration and a "
                   "posternd of its own, see \"Several instances\"",
                   other->directory, other->syslog_name);
}

/* The configurations where ours is. */
static void find_files(const struct patient *p, glob_t *files_r)
{
    char path[DOCTOR_PATH_MAX];
    char pattern[DOCTOR_PATH_MAX + 8];

    snprintf(path, sizeof(path), "%s", p->plan.config_path);
    snprintf(pattern, sizeof(pattern), "%s/*.conf", dirname(path));
    *files_r = (glob_t){.gl_pathc = 0};
    glob(pattern, 0, NULL, files_r);
}

void doctor_instances(struct patient *p)
{
    struct neighbours *neighbours = neighbours_ask(p->plan.postfix, config_log(p->config));
    const struct neighbour *other;
    glob_t files;

    check_connection(p);
    check_table(p);
    if (neighbours == NULL)
        return;
    check_name(p, neighbours);
    find_files(p, &files);
    for (size_t i = 0; (other = neighbours_at(neighbours, i)) != NULL; i++)
        check_watched(p, &files, other);
    globfree(&files);
    neighbours_free(&neighbours);
}
