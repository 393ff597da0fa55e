#include "mainmaster_work.h"

#include <stdlib.h>

/* The columns of master.cf (master(5)). */
enum column { NAME, TYPE, PRIVATE, UNPRIVILEGED, CHROOT, WAKEUP, PROCESSES, COMMAND, COLUMNS };

/*
 * At a limit of 1 qmgr(8) keeps a queue for each recipient, not for each destination
 * (qmgr/qmgr_message.c, qmgr_message_resolve()), and counts concurrency by queue: a message to a
 * thousand people at one host would be sent over as many connections as there may be processes.
 * This number is then the only bound. At 2 the bound by destination works, and such a message
 * still makes five hundred transactions.
 */
static const struct {
    uint32_t lane;
    unsigned long processes;
} process_limits[] = {{1, 5}, {2, 10}};

/* The next word; in arguments, braces hold one together (master/master_ent.c). len 0: no more. */
static struct slice next_word(const char **rest, bool braces)
{
    int depth = 0;
    const char *at = *rest + strspn(*rest, " ");
    struct slice word = {at, 0};
    for (; *at != '\0' && (depth > 0 || *at != ' '); at++)
        if (braces)
            depth += *at == '{' ? 1 : *at == '}' && depth > 0 ? -1 : 0;
    word.len = (size_t)(at - word.at);
    *rest = at;
    return word;
}

/* Returns the arguments behind the columns. */
static const char *split_columns(const char *line, struct slice columns[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++)
        columns[i] = next_word(&line, false);
    return line;
}

bool mainmaster_is_client(const char *line, struct slice *command_r)
{
    struct slice columns[COLUMNS];
    split_columns(line, columns);
    *command_r = columns[COMMAND];
    return slice_equals(columns[NAME], CLIENT_SERVICE) && slice_equals(columns[TYPE], "unix");
}

static struct slice trim(struct slice s)
{
    for (; s.len > 0 && s.at[0] == ' '; s.len--)
        s.at++;
    while (s.len > 0 && s.at[s.len - 1] == ' ')
        s.len--;
    return s;
}

/* The value when "name=value" or "{ name = value }" sets this name. */
static bool takes(struct slice option, const char *name, struct slice *value_r)
{
    size_t len = strlen(name);
    if (option.len >= 2 && option.at[0] == '{' && option.at[option.len - 1] == '}')
        option = trim((struct slice){option.at + 1, option.len - 2});
    if (!slice_starts(option, name))
        return false;
    option = trim((struct slice){option.at + len, option.len - len});
    if (!slice_starts(option, "="))
        return false;
    *value_r = trim((struct slice){option.at + 1, option.len - 1});
    return true;
}

/* What stands behind "-o", joined to it or a word of its own. */
static struct slice option_of(struct slice word, const char **rest)
{
    struct slice option = {word.at + 2, word.len - 2};
    return option.len > 0 ? option : next_word(rest, true);
}

/* One argument or "-o" with its own, written on; what sets syslog_name is kept back instead. */
static void write_argument(FILE *out, struct slice word, const char **rest, struct slice *log_name)
{
    /* Only "-o" begins a line: a word with "#" at the beginning of one would be a comment. */
    if (!slice_starts(word, "-o")) {
        fprintf(out, " %.*s", (int)word.len, word.at);
        return;
    }
    struct slice option = option_of(word, rest);
    if (!takes(option, "syslog_name", log_name))
        fprintf(out, "\n  -o %.*s", (int)option.len, option.at);
}

/*
 * Each lane logs under a name of its own, behind that of the service it is copied from. One with
 * $service_name in it (Postfix 3.3) is the lane's own already.
 */
static void write_log_name(FILE *out, struct slice name, const char *lane)
{
    bool own = memmem(name.at, name.len, "$service_name", 13) != NULL ||
               memmem(name.at, name.len, "${service_name}", 15) != NULL;
    bool braces = memchr(name.at, ' ', name.len) != NULL;
    while (!own && name.len > 0 && name.at[name.len - 1] == '/')
        name.len--;
    fprintf(out, "\n  -o %ssyslog_name=%.*s", braces ? "{ " : "", (int)name.len, name.at);
    if (!own)
        fprintf(out, "/%s", lane);
    fputs(braces ? " }\n" : "\n", out);
}

/* The maxproc column: what the lane has, or may have at most, or less if the service has less. */
static void write_processes(FILE *out, struct slice column, const struct mainmaster_lane *lane)
{
    unsigned long set = strtoul(column.at, NULL, 10); /* "-", the default of 100, and 0, no limit */
    if (lane->processes > 0)
        fprintf(out, "%-7lu ", lane->processes);
    else if (lane->bound == 0 || (set > 0 && set < lane->bound))
        fprintf(out, "%-7.*s ", (int)column.len, column.at);
    else
        fprintf(out, "%-7lu ", lane->bound);
}

struct mainmaster_lane mainmaster_lane_of(uint32_t recipients)
{
    struct mainmaster_lane lane = {.processes = 0};
    snprintf(lane.name, sizeof(lane.name), LANE_SERVICE "%u", recipients);
    for (size_t i = 0; i < sizeof(process_limits) / sizeof(process_limits[0]); i++)
        if (process_limits[i].lane == recipients)
            lane.bound = process_limits[i].processes;
    return lane;
}

static void write_lane(FILE *out, const char *client, const struct mainmaster_lane *lane,
                       struct slice log_name)
{
    struct slice columns[COLUMNS], word;
    const char *rest = split_columns(client, columns);
    fprintf(out, "%-16s unix ", lane->name);
    for (int i = PRIVATE; i <= WAKEUP; i++)
        fprintf(out, i == PRIVATE ? "%-5.*s " : "%-7.*s ", (int)columns[i].len, columns[i].at);
    write_processes(out, columns[PROCESSES], lane);
    fprintf(out, "%.*s", (int)columns[COMMAND].len, columns[COMMAND].at);
    while ((word = next_word(&rest, true)).len > 0)
        write_argument(out, word, &rest, &log_name);
    write_log_name(out, log_name, lane->name);
}

char *mainmaster_lane_text(const char *client, const struct mainmaster_lane *lane,
                           const char *log_name)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    write_lane(out, client, lane, slice_of(log_name));
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* --- Which services are chrooted --- */

static bool sets(const char *arguments, const char *name)
{
    struct slice word, value;
    while ((word = next_word(&arguments, true)).len > 0)
        if (slice_starts(word, "-o") && takes(option_of(word, &arguments), name, &value))
            return true;
    return false;
}

/* The place that asks milters through this service when it is chrooted; 0: none. */
static unsigned chrooted_place(const char *line, bool by_default)
{
    struct slice columns[COLUMNS];
    const char *arguments = split_columns(line, columns);
    unsigned place = slice_equals(columns[COMMAND], "smtpd")     ? MAINMASTER_AT_SMTPD
                     : slice_equals(columns[COMMAND], "cleanup") ? MAINMASTER_AT_CLEANUP
                                                                 : 0;
    bool chrooted =
        slice_equals(columns[CHROOT], "y") || (slice_equals(columns[CHROOT], "-") && by_default);
    return chrooted && place != 0 && !sets(arguments, mainmaster_milter_setting(place)) ? place : 0;
}

/*
 * smtpd(8) passes its open connections on to cleanup(8) (milter/milter8.c, milter8_send()), so that
 * cleanup's chroot counts for the milters of other mail only.
 */
unsigned mainmaster_chrooted(struct slice master, bool by_default)
{
    struct cflines lines = {0};
    struct cfspan span = {0, 0};
    unsigned places = 0;
    bool ok = true;
    while (ok && master.len > 0)
        ok = cflines_add(&lines, (struct cfline){.text = cflines_take(&master)});
    while (ok && cflines_next(&lines, span.end, &span)) {
        char *line = cflines_join(&lines, span);
        ok = line != NULL;
        places |= ok ? chrooted_place(line, by_default) : 0;
        free(line);
    }
    cflines_free(&lines);
    return ok ? places : MAINMASTER_AT_SMTPD | MAINMASTER_AT_CLEANUP;
}
