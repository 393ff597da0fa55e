/*
 * What the doctor makes of what it reads: pure and thread-safe. Texts that do not fit are cut.
 */
#ifndef POSTERN_DOCTOR_WORDS_H
#define POSTERN_DOCTOR_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "slice.h"

/* Who somebody is to the file system. */
enum { DOCTOR_GROUPS_MAX = 128 };
struct doctor_account {
    char name[64];
    uid_t uid;
    gid_t groups[DOCTOR_GROUPS_MAX];
    int group_count;
};
/* By owner, group and mode, as path_resolution(7) has it. `want`: R_OK, W_OK and X_OK. */
bool doctor_allowed(const struct doctor_account *account, mode_t mode, uid_t owner, gid_t group,
                    int want);
/* The line "Groups:" of /proc/PID/status. */
void doctor_read_groups(const char *status, struct doctor_account *account);

/* What the stamp of the last line of a log says, and when that was written (ms). */
enum doctor_clock { DOCTOR_CLOCK_FINE, DOCTOR_CLOCK_ZONE, DOCTOR_CLOCK_WRONG };
enum doctor_clock doctor_clock(int64_t stamp, int64_t written);
/* True when a stamp goes back by a time that looks like that between two time zones. */
bool doctor_zones_mixed(const int64_t *stamps, size_t count);

/* "Suppressed 123 messages from /system.slice/postfix.service", of a unit of Postfix's. */
enum { DOCTOR_UNIT_MAX = 128 };
bool doctor_suppressed(struct slice line, uint64_t *count_r, char unit_r[DOCTOR_UNIT_MAX]);

/* The "postfix" of "... host postfix/smtp[1]: ..." and "... host postfix/relay/smtp[1]: ...". */
bool doctor_log_tag(struct slice line, struct slice *tag_r);

/* Lists of main.cf (postfix_list.h), as they would be with a change. */
void doctor_list_without(const char *list, const char *word, char *list_r, size_t size);
void doctor_list_first(const char *list, const char *word, char *list_r, size_t size);
void doctor_list_with(const char *list, const char *word, char *list_r, size_t size);
/* With `entry` in the place of the n-th, from 0. */
void doctor_list_replaced(const char *list, size_t n, const char *entry, char *list_r, size_t size);

/* What an entry of milters or policy services ("{ unix:x, default_action=y }") sets `name` to;
 * empty: nothing. */
struct slice doctor_entry_setting(struct slice entry, const char *name);
/* The service behind the n-th check_policy_service of a list of restrictions. False: no such one.
 */
bool doctor_policy_entry(const char *restrictions, size_t n, struct slice *entry_r);

/* The value of a series without labels in Prometheus's text. False: it is not there. */
bool doctor_metric(const char *text, const char *name, double *value_r);
/* The value of the label "version" of postern_build_info. */
bool doctor_metric_version(const char *text, char *version_r, size_t size);

/* Whether /proc/locks has a lock on a file of this number. */
bool doctor_locks_have(const char *locks, uint64_t inode);

/* True when two texts have the same lines, in whatever order; false, too, without memory. */
bool doctor_same_lines(struct slice a, struct slice b);

/*
 * A command as it is for one of several instances: with "posternd@UNIT", and "postfix -c DIRECTORY
 * reload". Either may be "".
 */
void doctor_instance_command(const char *command, const char *unit, const char *directory,
                             char *command_r, size_t size);
/* "out" of DIRECTORY/out.conf, the %i of such units; "" of postern.conf, or of a file elsewhere. */
void doctor_unit_of(const char *path, const char *directory, char *unit_r, size_t size);

/* What installs a package, by /etc/os-release. */
const char *doctor_installer(const char *os_release);

#endif
