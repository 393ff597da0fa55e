#include "doctor_words.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "postfix_list.h"

enum {
    MINUTE = 60 * 1000,
    CLOCK_SLACK = 2 * MINUTE,
    ZONE_STEP = 15 * MINUTE, /* time zones differ by multiples of this */
    ZONE_LEAST = 28 * MINUTE,
    ZONE_MOST = 26 * 60 * MINUTE, /* from UTC-12 to UTC+14 */
};

/* --- Permissions --- */

static bool is_member(const struct doctor_account *account, gid_t group)
{
    for (int i = 0; i < account->group_count; i++)
        if (account->groups[i] == group)
            return true;
    return false;
}

bool doctor_allowed(const struct doctor_account *account, mode_t mode, uid_t owner, gid_t group,
                    int want)
{
    int shift = account->uid == owner ? 6 : is_member(account, group) ? 3 : 0;

    if (account->uid == 0)
        return true;
    return ((int)(mode >> shift) & 7 & want) == want; /* R_OK, W_OK and X_OK are these bits */
}

void doctor_read_groups(const char *status, struct doctor_account *account)
{
    const char *line = strstr(status, "\nGroups:");
    char *end;

    account->group_count = 0;
    if (line == NULL)
        return;
    line += strlen("\nGroups:");
    while (account->group_count < DOCTOR_GROUPS_MAX) {
        line += strspn(line, " \t");
        if (!isdigit((unsigned char)*line))
            return;
        account->groups[account->group_count++] = (gid_t)strtoul(line, &end, 10);
        line = end;
    }
}

/* --- Clocks --- */

static bool is_zone(int64_t difference)
{
    int64_t off = difference % ZONE_STEP;

    return difference >= ZONE_LEAST && difference <= ZONE_MOST &&
           (off <= CLOCK_SLACK || ZONE_STEP - off <= CLOCK_SLACK);
}

enum doctor_clock doctor_clock(int64_t stamp, int64_t written)
{
    int64_t difference = stamp > written ? stamp - written : written - stamp;

    if (difference <= CLOCK_SLACK)
        return DOCTOR_CLOCK_FINE;
    return is_zone(difference) ? DOCTOR_CLOCK_ZONE : DOCTOR_CLOCK_WRONG;
}

bool doctor_zones_mixed(const int64_t *stamps, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (stamps[i] < stamps[i - 1] && is_zone(stamps[i - 1] - stamps[i]))
            return true;
    return false;
}

/* --- The journal --- */

bool doctor_suppressed(struct slice line, uint64_t *count_r, char unit_r[DOCTOR_UNIT_MAX])
{
    static const char middle[] = " messages from ";
    char text[512];
    char *end;
    const char *unit;

    slice_copy(text, sizeof(text), line);
    if (strncmp(text, "Suppressed ", 11) != 0 || !isdigit((unsigned char)text[11]))
        return false;
    *count_r = strtoull(text + 11, &end, 10);
    if (strncmp(end, middle, strlen(middle)) != 0)
        return false;
    end += strlen(middle);
    end[strcspn(end, " \n")] = '\0';
    unit = strrchr(end, '/') ? strrchr(end, '/') + 1 : end;
    snprintf(unit_r, DOCTOR_UNIT_MAX, "%s", unit);
    return strncmp(unit, "postfix", 7) == 0;
}

bool doctor_log_tag(struct slice line, struct slice *tag_r)
{
    const char *end = memmem(line.at, line.len, "]: ", 3);
    const char *space = end ? memrchr(line.at, ' ', (size_t)(end - line.at)) : NULL;
    const char *slash = space ? memchr(space, '/', (size_t)(end - space)) : NULL;

    if (slash == NULL)
        return false;
    *tag_r = (struct slice){space + 1, (size_t)(slash - space - 1)};
    return tag_r->len > 0;
}

/* --- Lists --- */

struct writer {
    char *to;
    size_t size;
    size_t used;
};

static void put(struct writer *w, struct slice entry)
{
    int n = snprintf(w->to + w->used, w->size - w->used, "%s%.*s", w->used ? ", " : "",
                     (int)entry.len, entry.at);

    w->used += n > 0 ? (size_t)n : 0;
    if (w->used >= w->size)
        w->used = w->size - 1;
}

static void put_others(struct writer *w, const char *list, const char *word)
{
    struct slice entry;

    while ((entry = postfix_list_next(&list)).len > 0)
        if (!slice_equals(entry, word))
            put(w, entry);
}

void doctor_list_without(const char *list, const char *word, char *list_r, size_t size)
{
    struct writer w = {list_r, size, 0};

    list_r[0] = '\0';
    put_others(&w, list, word);
}

void doctor_list_first(const char *list, const char *word, char *list_r, size_t size)
{
    struct writer w = {list_r, size, 0};

    put(&w, slice_of(word));
    put_others(&w, list, word);
}

void doctor_list_with(const char *list, const char *word, char *list_r, size_t size)
{
    struct writer w = {list_r, size, 0};

    list_r[0] = '\0';
    put_others(&w, list, word);
    put(&w, slice_of(word));
}

void doctor_list_replaced(const char *list, size_t n, const char *entry, char *list_r, size_t size)
{
    struct writer w = {list_r, size, 0};
    struct slice found;

    list_r[0] = '\0';
    for (size_t i = 0; (found = postfix_list_next(&list)).len > 0; i++)
        put(&w, i == n ? slice_of(entry) : found);
}

/* The inside of braces as a list of its own; false when there are none, or it is too long. */
static bool open_braces(struct slice entry, char *inside, size_t size)
{
    if (entry.len < 2 || entry.at[0] != '{' || entry.len - 2 >= size)
        return false;
    slice_copy(inside, size, (struct slice){entry.at + 1, entry.len - 2});
    return true;
}

struct slice doctor_entry_setting(struct slice entry, const char *name)
{
    char inside[1024];
    const char *list = inside;
    size_t len = strlen(name);
    struct slice one;

    if (!open_braces(entry, inside, sizeof(inside)))
        return slice_of("");
    while ((one = postfix_list_next(&list)).len > 0)
        if (slice_starts(one, name) && one.len > len && one.at[len] == '=')
            return (struct slice){entry.at + 1 + (one.at - inside) + len + 1, one.len - len - 1};
    return slice_of("");
}

bool doctor_policy_entry(const char *restrictions, size_t n, struct slice *entry_r)
{
    struct slice word;

    while ((word = postfix_list_next(&restrictions)).len > 0) {
        if (!slice_equals(word, "check_policy_service"))
            continue;
        *entry_r = postfix_list_next(&restrictions);
        if (n-- == 0)
            return entry_r->len > 0;
    }
    return false;
}

/* --- Others --- */

bool doctor_metric(const char *text, const char *name, double *value_r)
{
    size_t len = strlen(name);

    for (const char *at = text; (at = strstr(at, name)) != NULL; at += len) {
        if ((at != text && at[-1] != '\n') || at[len] != ' ')
            continue;
        *value_r = strtod(at + len, NULL);
        return true;
    }
    return false;
}

bool doctor_metric_version(const char *text, char *version_r, size_t size)
{
    static const char begin[] = "\npostern_build_info{version=\"";
    const char *at = strstr(text, begin);

    if (at == NULL)
        return false;
    at += strlen(begin);
    snprintf(version_r, size, "%.*s", (int)strcspn(at, "\""), at);
    return true;
}

/* "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF" */
bool doctor_locks_have(const char *locks, uint64_t inode)
{
    char wanted[40];

    snprintf(wanted, sizeof(wanted), ":%llu ", (unsigned long long)inode);
    return strstr(locks, wanted) != NULL;
}

static int compare_lines(const void *a, const void *b)
{
    const struct slice *x = a;
    const struct slice *y = b;
    int order = memcmp(x->at, y->at, x->len < y->len ? x->len : y->len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* The lines of a text, sorted; free() it. NULL: no memory. */
static struct slice *sorted_lines(struct slice text, size_t *count_r)
{
    struct slice *list = calloc(text.len + 1, sizeof(*list));
    const char *at = text.at;
    const char *end = text.at + text.len;

    *count_r = 0;
    while (list && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = newline ? (size_t)(newline - at) : (size_t)(end - at);
        list[(*count_r)++] = (struct slice){at, len};
        at += len + 1;
    }
    if (list)
        qsort(list, *count_r, sizeof(*list), compare_lines);
    return list;
}

bool doctor_same_lines(struct slice a, struct slice b)
{
    size_t count_a;
    size_t count_b;
    struct slice *lines_a = sorted_lines(a, &count_a);
    struct slice *lines_b = sorted_lines(b, &count_b);
    bool same = lines_a && lines_b && count_a == count_b;

    for (size_t i = 0; same && i < count_a; i++)
        same = compare_lines(&lines_a[i], &lines_b[i]) == 0;
    free(lines_a);
    free(lines_b);
    return same;
}

const char *doctor_installer(const char *os_release)
{
    static const char *const red[] = {"rhel", "fedora", "centos", "suse"};
    const char *id = strstr(os_release, "ID_LIKE=");

    if (id == NULL)
        id = strstr(os_release, "ID=");
    for (size_t i = 0; id && i < sizeof(red) / sizeof(red[0]); i++) {
        const char *found = strstr(id, red[i]);
        if (found && found < id + strcspn(id, "\n"))
            return i == 3 ? "zypper install" : "dnf install";
    }
    return "apt-get install";
}

/* --- Commands for one of several instances --- */

/* systemd has a template of each besides: "posternd@.service". */
static bool is_unit(struct slice word)
{
    static const char *const units[] = {"posternd", "postern-earlyndr", "postern-rcptlimit",
                                        "postern-retrycap"};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (slice_equals(word, units[i]))
            return true;
    return false;
}

/* postfix(1), which is told what to do; not the unit of that name, nor where it has its -c. */
static bool is_control(struct slice word)
{
    static const char *const verbs[] = {" reload", " start", " stop", " check"};

    for (size_t i = 0; slice_equals(word, "postfix") && i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strncmp(word.at + word.len, verbs[i], strlen(verbs[i])) == 0)
            return true;
    return false;
}

void doctor_instance_command(const char *command, const char *unit, const char *directory,
                             char *command_r, size_t size)
{
    size_t used = 0;

    *command_r = '\0';
    while (*command != '\0' && used < size) {
        struct slice word = {command, strcspn(command, " ;")};
        size_t between = strspn(command + word.len, " ;");
        bool is_at = *unit && is_unit(word), is_in = *directory && is_control(word);

        used +=
            (size_t)snprintf(command_r + used, size - used, "%.*s%s%s%.*s", (int)word.len, word.at,
                             is_at   ? "@"
                             : is_in ? " -c "
                                     : "",
                             is_at   ? unit
                             : is_in ? directory
                                     : "",
                             (int)between, word.at + word.len);
        command += word.len + between;
    }
}

void doctor_unit_of(const char *path, const char *directory, char *unit_r, size_t size)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    static const char tail[] = ".conf";
    size_t len = strlen(directory);
    const char *name = path + len + 1;

    *unit_r = '\0';
    if (strncmp(path, directory, len) != 0 || path[len] != '/' || name[strspn(name, allowed)])
        return;
    len = strlen(name);
    if (len >= sizeof(tail) && strcmp(name + len - (sizeof(tail) - 1), tail) == 0 &&
        strcmp(name, "postern.conf") != 0)
        slice_copy(unit_r, size, (struct slice){name, len - (sizeof(tail) - 1)});
}
