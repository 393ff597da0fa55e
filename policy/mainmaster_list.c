#include "mainmaster_work.h"

const struct mainmaster_list mainmaster_lists[MAINMASTER_LISTS] = {
    [MAINMASTER_ROUTES] = {.name = "transport_maps",
                           .head = "lmdb:",
                           .tail = "/tables/transport",
                           .inherited = "",
                           .most = 1,
                           .first = true},
    [MAINMASTER_STATUS] = {.name = "smtp_delivery_status_filter",
                           .head = "regexp:",
                           .tail = "/tables/status_filter.regexp",
                           .inherited = "$default_delivery_status_filter",
                           .most = 1},
    [MAINMASTER_SMTPD_MILTERS] = {.name = "smtpd_milters",
                                  .head = MILTER_HEAD,
                                  .tail = MILTER_TAIL,
                                  .inherited = "",
                                  .most = MAINMASTER_MILTERS,
                                  .braces = true,
                                  .other = "non_smtpd_milters"},
    [MAINMASTER_OTHER_MILTERS] = {.name = "non_smtpd_milters",
                                  .head = MILTER_HEAD,
                                  .tail = MILTER_TAIL,
                                  .inherited = "",
                                  .most = MAINMASTER_MILTERS,
                                  .braces = true,
                                  .other = "smtpd_milters"},
    [MAINMASTER_CLASSES] = {.name = "internal_mail_filter_classes",
                            .head = FILTER_CLASS,
                            .tail = "",
                            .inherited = "",
                            .most = 1},
    [MAINMASTER_DEFAULT_TRANSPORT] = {.name = "default_transport",
                                      .single = true,
                                      .head = PROBATION_SERVICE,
                                      .tail = "",
                                      .inherited = CLIENT_SERVICE},
};

size_t mainmaster_list_of(const char *name)
{
    size_t i = 0;
    while (i < MAINMASTER_LISTS && strcmp(name, mainmaster_lists[i].name) != 0)
        i++;
    return i;
}

/* Braces hold an entry together; "}" without a "{" is a letter (util/mystrtok.c, mystrtokq()). */
struct slice mainmaster_list_next(const struct mainmaster_list *list, const char **rest)
{
    const char *at = *rest + strspn(*rest, ", ");
    struct slice entry = {at, 0};
    int depth = 0;
    for (; *at != '\0' && (depth > 0 || (*at != ',' && *at != ' ')); at++)
        if (list->braces)
            depth += *at == '{' ? 1 : *at == '}' && depth > 0 ? -1 : 0;
    entry.len = (size_t)(at - entry.at);
    *rest = at;
    return entry;
}

bool mainmaster_list_is_whole(const char *value)
{
    int depth = 0;
    for (; *value != '\0'; value++)
        depth += *value == '{' ? 1 : *value == '}' && depth > 0 ? -1 : 0;
    return depth == 0;
}

char *mainmaster_trim_list(char *list)
{
    list += strspn(list, ", ");
    size_t len = strlen(list);
    while (len > 0 && (list[len - 1] == ' ' || list[len - 1] == ','))
        list[--len] = '\0';
    return list;
}

bool mainmaster_list_is_ours(const struct mainmaster_list *list, struct slice entry)
{
    size_t head = strlen(list->head), tail = strlen(list->tail);
    if (tail == 0)
        return slice_equals(entry, list->head);
    return slice_starts(entry, list->head) && entry.len > head + tail &&
           memcmp(entry.at + entry.len - tail, list->tail, tail) == 0;
}

static bool has_entry(const struct mainmaster_list *list, const char *value, struct slice wanted)
{
    struct slice entry;
    while ((entry = mainmaster_list_next(list, &value)).len > 0)
        if (entry.len == wanted.len && memcmp(entry.at, wanted.at, wanted.len) == 0)
            return true;
    return false;
}

const char *mainmaster_behind_service(const char *value, const char *service)
{
    size_t len = strlen(service);
    bool is_it = strncmp(value, service, len) == 0 && (value[len] == '\0' || value[len] == ':');
    return is_it ? value + len : NULL;
}

/* `inherited` is no longer than `head`, so it fits in. */
static char *single_without_ours(const struct mainmaster_list *list, char *value)
{
    size_t len = strlen(list->inherited);
    const char *rest = mainmaster_behind_service(value, list->head);
    if (rest != NULL) {
        memmove(value + len, rest, strlen(rest) + 1);
        memcpy(value, list->inherited, len);
    }
    return mainmaster_trim_list(value);
}

char *mainmaster_list_without_ours(const struct mainmaster_list *list, char *value,
                                   const char *former, const char *former_too)
{
    const char *rest = value;
    struct slice entry;
    size_t taken = 0;
    if (list->single)
        return single_without_ours(list, value);
    while (taken < list->most && (entry = mainmaster_list_next(list, &rest)).len > 0) {
        if (!mainmaster_list_is_ours(list, entry) || has_entry(list, former, entry) ||
            has_entry(list, former_too, entry))
            continue;
        char *to = value + (entry.at - value);
        const char *next = rest + strspn(rest, ", ");
        memmove(to, next, strlen(next) + 1);
        rest = to;
        taken++;
    }
    return mainmaster_trim_list(value);
}
