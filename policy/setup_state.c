#include "setup_plan.h"

#include "cfile.h"
#include "child.h"
#include "status_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { COMMAND_TIMEOUT_MS = 30000, EXPLANATION_MAX = 512 };

/*
 * What the gate itself says stays as it is; any other permanent status is a failure of ours and is
 * made temporary. See mainmaster_master.c.
 */
static const char filter_text[] =
    "# Written by \"posternctl setup\". The gate gives up with 5.4.7 (a cap is reached) or 5.5.3\n"
    "# (too many recipients, though it was one) and with nothing else: any other permanent\n"
    "# failure is one of the gate's own, and no reason to return mail.\n"
    "if !/^5\\.(4\\.7|5\\.3) /\n"
    "/^5\\.[0-9]+\\.[0-9]+ (.*)$/ 4.3.0 Postern's gate failed: $1\n"
    "endif\n";

static int complain(const struct setup_plan *plan, const char *path, int error)
{
    setup_complain("%s: %s (as the account %s)", path, strerror(error),
                   geteuid() == 0 ? "root" : plan->owner);
    return error == EACCES || error == EPERM ? EX_NOPERM : EX_CANTCREAT;
}

/*
 * What lies inside the state directory is made as its owner, so that root never follows what
 * another account put there. Returns 0 or an exit status.
 */
static int become_owner(const struct setup_plan *plan)
{
    if (geteuid() != 0 || plan->uid == 0)
        return 0;
    if (setegid(plan->gid) == 0 && seteuid(plan->uid) == 0)
        return 0;
    setup_complain("cannot act as %s: %s", plan->owner, strerror(errno));
    return EX_NOPERM;
}

static void become_root_again(void)
{
    if (getuid() == 0 && (seteuid(0) < 0 || setegid(0) < 0))
        abort(); /* to go on as somebody else would be worse */
}

/* A directory of ours, in the hands of its owner. An existing one is only looked at. */
static int make_directory(const struct setup_plan *plan, const char *path)
{
    struct stat st;
    bool made = mkdir(path, 0755) == 0;
    if (!made && errno != EEXIST)
        return complain(plan, path, errno);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (made ? O_NOFOLLOW : 0));
    if (fd < 0)
        return complain(plan, path, errno);
    int error = 0;
    if (made && (fchmod(fd, 0755) < 0 ||
                 (geteuid() == 0 && plan->uid != 0 && fchown(fd, plan->uid, plan->gid) < 0)))
        error = errno;
    if (error == 0 && fstat(fd, &st) < 0)
        error = errno;
    close(fd);
    if (error != 0)
        return complain(plan, path, error);
    if (st.st_uid == plan->uid)
        return 0;
    setup_complain("%s belongs to another account, and posternd, as %s, has to write there; run: "
                   "chown -R %s %s",
                   path, plan->owner, plan->owner, path);
    return EX_CANTCREAT;
}

/* A new file beside the old one and a rename: pipe(8) may read it at any moment. */
static int make_filter(const struct setup_plan *plan)
{
    char new[4200];
    size_t len = sizeof(filter_text) - 1;
    snprintf(new, sizeof(new), "%s.new", plan->filter);
    if (unlink(new) < 0 && errno != ENOENT)
        return complain(plan, new, errno);
    int fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return complain(plan, new, errno);
    bool ok =
        fchmod(fd, 0644) == 0 && write(fd, filter_text, len) == (ssize_t)len && fsync(fd) == 0;
    int error = errno;
    if (close(fd) < 0 || !ok)
        return complain(plan, new, ok ? errno : error);
    return rename(new, plan->filter) == 0 ? 0 : complain(plan, plan->filter, errno);
}

/* Runs postmap(1) on the table with one more option. NULL: out of memory. */
static struct child_result *postmap(const struct setup_plan *plan, const char *option,
                                    const char *key, uid_t uid, gid_t gid)
{
    char table[4200];
    char *argv[7];
    size_t n = 0;
    snprintf(table, sizeof(table), "lmdb:%s", plan->table);
    argv[n++] = (char *)(uintptr_t)postfix_postmap(plan->postfix);
    argv[n++] = (char *)(uintptr_t) "-c";
    argv[n++] = (char *)(uintptr_t)postfix_config_directory(plan->postfix);
    argv[n++] = (char *)(uintptr_t)option;
    if (key != NULL)
        argv[n++] = (char *)(uintptr_t)key;
    argv[n++] = table;
    argv[n] = NULL;
    struct child_command command = {.argv = argv,
                                    .input = "",
                                    .timeout_ms = COMMAND_TIMEOUT_MS,
                                    .as_account = geteuid() == 0 && uid != 0,
                                    .uid = uid,
                                    .gid = gid};
    return child_run(&command);
}

/* `postmap -i` with no input makes a table without entries, and leaves an existing one alone. */
static int make_table(const struct setup_plan *plan)
{
    char why[EXPLANATION_MAX] = "out of memory";
    struct child_result *result = postmap(plan, "-i", NULL, plan->uid, plan->gid);
    int status = result != NULL ? result->end.status : -1;
    if (result != NULL)
        child_explain(&result->end, why, sizeof(why));
    free(result);
    if (status == 0)
        return 0;
    setup_complain("%s: postmap: %s", plan->table_file, why);
    return EX_CANTCREAT;
}

/*
 * A table that Postfix's own account cannot read makes smtpd(8) answer 451 to everybody. postmap -q
 * exits with 1 both for "not found" and for errors, and says something for the latter only.
 */
static int check_readable(const struct setup_plan *plan)
{
    const struct passwd *owner = getpwnam(postfix_mail_owner(plan->postfix));
    char why[EXPLANATION_MAX] = "out of memory";
    if (owner == NULL || geteuid() != 0)
        return 0;
    struct child_result *result =
        postmap(plan, "-q", "readable.postern.invalid", owner->pw_uid, owner->pw_gid);
    bool ok = result != NULL && (result->end.status == 0 || result->end.status == 1) &&
              result->end.text_len == 0;
    if (result != NULL)
        child_explain(&result->end, why, sizeof(why));
    free(result);
    if (ok)
        return 0;
    setup_complain("Postfix's account %s cannot read %s (%s); let it search every directory that "
                   "leads there",
                   owner->pw_name, plan->table_file, why);
    return EX_CANTCREAT;
}

/* Before main.cf names it: without the file smtp(8) changes nothing (util/dict_regexp.c). */
static int make_status_filter(const struct setup_plan *plan)
{
    char why[EXPLANATION_MAX];
    if (plan->status_filter == NULL || status_filter_write(config_state_directory(plan->config),
                                                           plan->classifier, why, sizeof(why)))
        return 0;
    setup_complain("%s", why);
    return EX_CANTCREAT;
}

int setup_state_plan(struct setup_plan *plan)
{
    char why[EXPLANATION_MAX];
    if (plan->status_filter == NULL || !config_enforce(plan->config))
        return 0;
    plan->classifier = classifier_of_config(plan->config, why, sizeof(why));
    if (plan->classifier != NULL)
        return 0;
    setup_complain("%s", why);
    return EX_CONFIG;
}

static bool file_says(const char *path, const char *text)
{
    struct slice found;
    if (cfile_read(path, &found) < 0)
        return false;
    bool same = slice_equals(found, text);
    free((char *)(uintptr_t)found.at);
    return same;
}

bool setup_state_differs(const struct setup_plan *plan)
{
    if (access(plan->table_file, F_OK) < 0 || !file_says(plan->filter, filter_text))
        return true;
    if (plan->status_filter == NULL)
        return false;
    char *text = status_filter_text(plan->classifier);
    bool differs = text == NULL || !file_says(plan->status_filter, text);
    free(text);
    return differs;
}

/* What is inside the state directory, but for the table. */
static int make_inside(const struct setup_plan *plan)
{
    int status = become_owner(plan);
    if (status == 0)
        status = make_directory(plan, plan->tables);
    if (status == 0)
        status = make_filter(plan);
    if (status == 0)
        status = make_status_filter(plan);
    become_root_again();
    return status;
}

int setup_state_make(const struct setup_plan *plan)
{
    int status = make_directory(plan, config_state_directory(plan->config));
    if (status == 0)
        status = make_inside(plan);
    if (status == 0)
        status = make_table(plan);
    if (status == 0)
        status = check_readable(plan);
    return status == 0 ? setup_selinux_check(plan) : status;
}
