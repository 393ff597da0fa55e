#include "config_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* `base`: the struct that the table's offsets mean: struct config, or that of a list's entry. */
typedef bool read_function(struct config_reader *reader, const struct setting *setting,
                           const config_setting_t *value, void *base);

static bool fail_at(const struct config_reader *reader, unsigned line, const char *format,
                    va_list ap) __attribute__((format(printf, 3, 0)));

static bool fail_at(const struct config_reader *reader, unsigned line, const char *format,
                    va_list ap)
{
    unsigned file_line;
    const char *file = config_source_where(reader->source, line, &file_line);
    int len = snprintf(reader->error, reader->size, "%s:%u: ", file, file_line);

    if (len > 0 && (size_t)len < reader->size)
        text_print(reader->error + len, reader->size - (size_t)len, format, ap);
    text_clean(reader->error);
    return false;
}

bool config_read_fail_line(const struct config_reader *reader, unsigned line, const char *format,
                           ...)
{
    va_list ap;

    va_start(ap, format);
    fail_at(reader, line, format, ap);
    va_end(ap);
    return false;
}

bool config_read_fail(const struct config_reader *reader, const config_setting_t *at,
                      const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fail_at(reader, (unsigned)config_setting_source_line(at), format, ap);
    va_end(ap);
    return false;
}

static bool fail_memory(const struct config_reader *reader, const config_setting_t *at)
{
    return config_read_fail(reader, at, "out of memory");
}

/* What a value is, for people: "300", "true", "\"text\"", "a list". */
static void describe(const config_setting_t *value, char buffer[SETTING_TEXT_MAX])
{
    const char *text;

    switch (config_setting_type(value)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(buffer, SETTING_TEXT_MAX, "%lld", config_setting_get_int64(value));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(buffer, SETTING_TEXT_MAX, "the fraction %g", config_setting_get_float(value));
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(buffer, SETTING_TEXT_MAX, "%s", config_setting_get_bool(value) ? "true" : "false");
        break;
    case CONFIG_TYPE_STRING:
        text = config_setting_get_string(value);
        snprintf(buffer, SETTING_TEXT_MAX, "\"%.80s%s\"", text, strlen(text) > 80 ? "..." : "");
        break;
    default:
        snprintf(buffer, SETTING_TEXT_MAX, "%s",
                 config_setting_is_group(value)   ? "a group"
                 : config_setting_is_array(value) ? "an array"
                                                  : "a list");
    }
}

/* "retry.open_interval is "300"; it must be a whole number from 0 to 2592000" */
static bool fail_value(const struct config_reader *reader, const struct setting *setting,
                       const config_setting_t *value)
{
    char path[SETTING_TEXT_MAX], is[SETTING_TEXT_MAX], wanted[SETTING_TEXT_MAX];

    setting_path(setting, path);
    describe(value, is);
    setting_wanted(setting, wanted);
    return config_read_fail(reader, value, "%s is %s; it must be %s", path, is, wanted);
}

static bool fail_length(const struct config_reader *reader, const struct setting *setting,
                        const config_setting_t *value)
{
    char path[SETTING_TEXT_MAX];

    setting_path(setting, path);
    return config_read_fail(reader, value, "%s is too long; %lld bytes are the limit", path,
                            (long long)setting->most);
}

/* An element of a list or array. */
static bool fail_element(const struct config_reader *reader, const struct setting *setting,
                         const config_setting_t *element)
{
    char path[SETTING_TEXT_MAX], is[SETTING_TEXT_MAX], wanted[SETTING_TEXT_MAX];

    setting_path(setting, path);
    describe(element, is);
    setting_wanted(setting, wanted);
    return config_read_fail(reader, element, "%s holds %s; it must be %s", path, is, wanted);
}

static bool fail_count(const struct config_reader *reader, const struct setting *setting,
                       const config_setting_t *value)
{
    char path[SETTING_TEXT_MAX], wanted[SETTING_TEXT_MAX];
    int count = config_setting_length(value);

    setting_path(setting, path);
    setting_wanted(setting, wanted);
    return config_read_fail(reader, value, "%s %s; it must be %s", path,
                            count == 0 ? "is empty" : "is too long", wanted);
}

static bool is_whole(const config_setting_t *value)
{
    return config_setting_type(value) == CONFIG_TYPE_INT ||
           config_setting_type(value) == CONFIG_TYPE_INT64;
}

static bool is_many(const config_setting_t *value)
{
    return config_setting_is_list(value) || config_setting_is_array(value);
}

/* Where the table says that the value goes, or NULL when it is only checked. */
static void *place_of(const struct setting *setting, void *base)
{
    return setting->offset != SETTING_NOT_KEPT ? (char *)base + setting->offset : NULL;
}

/* Where it says that the number of values goes, of a setting that is kept. */
static size_t *count_of(const struct setting *setting, void *base)
{
    return (size_t *)(void *)((char *)base + setting->count_offset);
}

static bool read_number(struct config_reader *reader, const struct setting *setting,
                        const config_setting_t *value, void *base)
{
    uint32_t *place = place_of(setting, base);
    long long number;

    if (!is_whole(value))
        return fail_value(reader, setting, value);
    number = config_setting_get_int64(value);
    if (number < setting->least || number > setting->most)
        return fail_value(reader, setting, value);
    if (place != NULL)
        *place = (uint32_t)number;
    return true;
}

static bool check_numbers(struct config_reader *reader, const struct setting *setting,
                          const config_setting_t *value)
{
    long long least = setting->least;

    if (!is_many(value))
        return fail_value(reader, setting, value);
    if (config_setting_length(value) == 0)
        return fail_count(reader, setting, value);
    for (int i = 0; i < config_setting_length(value); i++) {
        const config_setting_t *element = config_setting_get_elem(value, (unsigned)i);

        if (!is_whole(element) || config_setting_get_int64(element) < least ||
            config_setting_get_int64(element) > setting->most)
            return fail_element(reader, setting, element);
        least = config_setting_get_int64(element) + 1;
    }
    return true;
}

static bool read_numbers(struct config_reader *reader, const struct setting *setting,
                         const config_setting_t *value, void *base)
{
    uint32_t **place = place_of(setting, base);
    size_t count;

    if (!check_numbers(reader, setting, value))
        return false;
    count = (size_t)config_setting_length(value);
    free(*place); /* the default */
    *place = calloc(count, sizeof(**place));
    *count_of(setting, base) = *place != NULL ? count : 0;
    if (*place == NULL)
        return fail_memory(reader, value);
    for (size_t i = 0; i < count; i++)
        (*place)[i] =
            (uint32_t)config_setting_get_int64(config_setting_get_elem(value, (unsigned)i));
    return true;
}

static bool read_fraction(struct config_reader *reader, const struct setting *setting,
                          const config_setting_t *value, void *base)
{
    double *place = place_of(setting, base);
    double number;

    if (config_setting_type(value) == CONFIG_TYPE_FLOAT)
        number = config_setting_get_float(value);
    else if (is_whole(value))
        number = (double)config_setting_get_int64(value);
    else
        return fail_value(reader, setting, value);
    if (number < (double)setting->least || number > (double)setting->most)
        return fail_value(reader, setting, value);
    if (place != NULL)
        *place = number;
    return true;
}

static bool read_switch(struct config_reader *reader, const struct setting *setting,
                        const config_setting_t *value, void *base)
{
    bool *place = place_of(setting, base);

    if (config_setting_type(value) != CONFIG_TYPE_BOOL)
        return fail_value(reader, setting, value);
    if (place != NULL)
        *place = config_setting_get_bool(value) != 0;
    return true;
}

static bool read_text(struct config_reader *reader, const struct setting *setting,
                      const config_setting_t *value, void *base)
{
    char **place = place_of(setting, base);
    char why[SETTING_TEXT_MAX];
    const char *text;
    char *copy;

    if (config_setting_type(value) != CONFIG_TYPE_STRING)
        return fail_value(reader, setting, value);
    text = config_setting_get_string(value);
    if (!setting_accepts(setting, text, why))
        return fail_value(reader, setting, value);
    if (strlen(text) > (size_t)setting->most)
        return fail_length(reader, setting, value);
    if (place == NULL)
        return true;
    copy = strdup(text);
    if (copy == NULL)
        return fail_memory(reader, value);
    free(*place);
    *place = copy;
    return true;
}

static bool read_word(struct config_reader *reader, const struct setting *setting,
                      const config_setting_t *value, void *base)
{
    unsigned *place = place_of(setting, base);
    char why[SETTING_TEXT_MAX];

    if (config_setting_type(value) != CONFIG_TYPE_STRING ||
        !setting_accepts(setting, config_setting_get_string(value), why))
        return fail_value(reader, setting, value);
    if (place != NULL)
        *place = setting_word(setting, config_setting_get_string(value));
    return true;
}

static bool check_text(struct config_reader *reader, const struct setting *setting,
                       const config_setting_t *element)
{
    char path[SETTING_TEXT_MAX], is[SETTING_TEXT_MAX], why[SETTING_TEXT_MAX];

    if (config_setting_type(element) != CONFIG_TYPE_STRING)
        return fail_element(reader, setting, element);
    if (setting_accepts(setting, config_setting_get_string(element), why))
        return true;
    if (why[0] == '\0')
        return fail_element(reader, setting, element);
    setting_path(setting, path);
    describe(element, is);
    return config_read_fail(reader, element, "%s holds %s: %s; it must be %s", path, is, why,
                            setting->form->wanted);
}

static bool check_texts(struct config_reader *reader, const struct setting *setting,
                        const config_setting_t *value)
{
    int count;

    if (!is_many(value))
        return fail_value(reader, setting, value);
    count = config_setting_length(value);
    if (count < setting->least || count > setting->most)
        return fail_count(reader, setting, value);
    for (int i = 0; i < count; i++) {
        if (!check_text(reader, setting, config_setting_get_elem(value, (unsigned)i)))
            return false;
    }
    return true;
}

static char *copy_text(const char *text, bool fold)
{
    char *copy = strdup(text);

    for (char *p = copy; fold && p != NULL && *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return copy;
}

static bool read_texts(struct config_reader *reader, const struct setting *setting,
                       const config_setting_t *value, void *base)
{
    char ***place = place_of(setting, base);
    size_t *count = count_of(setting, base);
    int wanted;

    if (!check_texts(reader, setting, value))
        return false;
    wanted = config_setting_length(value);
    *place = calloc((size_t)wanted + 1, sizeof(**place));
    if (*place == NULL)
        return fail_memory(reader, value);
    for (int i = 0; i < wanted; i++) {
        char *copy = copy_text(config_setting_get_string_elem(value, i), setting->form->fold);

        if (copy == NULL)
            return fail_memory(reader, value);
        (*place)[(*count)++] = copy;
    }
    return true;
}

static bool fail_unknown(const struct config_reader *reader, const char *scope,
                         const config_setting_t *value)
{
    const struct setting *near = setting_nearest(scope, config_setting_name(value));
    char list[SETTING_TEXT_MAX] = "";
    size_t len = 0;
    const struct setting *row;

    if (near != NULL)
        return config_read_fail(reader, value, "unknown setting %.64s; did you mean %s?",
                                config_setting_name(value), near->name);
    for (size_t i = 0; (row = setting_at(i)) != NULL; i++) {
        if (strcmp(row->scope, scope) == 0 && len < sizeof(list))
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len > 0 ? ", " : "",
                                    row->name);
    }
    return config_read_fail(reader, value, "unknown setting %.64s; %s may hold %s",
                            config_setting_name(value), scope[0] != '\0' ? scope : "the file",
                            list);
}

bool config_read_warn(const struct config_reader *reader, const config_setting_t *at,
                      const char *text)
{
    struct config *config = reader->config;
    unsigned line;
    const char *file =
        config_source_where(reader->source, (unsigned)config_setting_source_line(at), &line);
    char **warnings = realloc(config->warnings, (config->warning_count + 1) * sizeof(*warnings));

    if (warnings == NULL)
        return fail_memory(reader, at);
    config->warnings = warnings;
    if (asprintf(&warnings[config->warning_count], "%s:%u: %s", file, line, text) < 0)
        return fail_memory(reader, at);
    text_clean(warnings[config->warning_count++]);
    return true;
}

static bool read_setting(struct config_reader *reader, const char *scope,
                         const config_setting_t *value, void *base);

static bool check_required(const struct config_reader *reader, const char *scope,
                           const config_setting_t *section)
{
    const struct setting *row;

    for (size_t i = 0; (row = setting_at(i)) != NULL; i++) {
        char wanted[SETTING_TEXT_MAX];

        if ((row->flags & SETTING_REQUIRED) == 0 || strcmp(row->scope, scope) != 0 ||
            config_setting_get_member(section, row->name) != NULL)
            continue;
        setting_wanted(row, wanted);
        return config_read_fail(reader, section, "an entry of %s without %s; it must be %s", scope,
                                row->name, wanted);
    }
    return true;
}

static bool read_members(struct config_reader *reader, const char *scope,
                         const config_setting_t *section, void *base)
{
    for (int i = 0; i < config_setting_length(section); i++) {
        if (!read_setting(reader, scope, config_setting_get_elem(section, (unsigned)i), base))
            return false;
    }
    return check_required(reader, scope, section);
}

static bool read_section(struct config_reader *reader, const struct setting *setting,
                         const config_setting_t *value, void *base)
{
    char path[SETTING_TEXT_MAX];

    if (!config_setting_is_group(value))
        return fail_value(reader, setting, value);
    setting_path(setting, path);
    return read_members(reader, path, value, base);
}

/* Where the next entry of a list is kept. One of `destinations` begins as `retry` has it. */
static void *next_entry(const struct config *config, const struct setting *setting, void *base)
{
    char **place = place_of(setting, base);
    void *entry = *place + (*count_of(setting, base))++ * setting->entry_size;

    if (setting->entry_size == sizeof(struct config_group) &&
        strcmp(setting->name, "destinations") == 0)
        ((struct config_group *)entry)->retry = config->retry;
    return entry;
}

static bool read_sections(struct config_reader *reader, const struct setting *setting,
                          const config_setting_t *value, void *base)
{
    void **place = place_of(setting, base);
    char path[SETTING_TEXT_MAX];
    int count;

    if (!config_setting_is_list(value))
        return fail_value(reader, setting, value);
    count = config_setting_length(value);
    if (count > setting->most)
        return fail_count(reader, setting, value);
    setting_path(setting, path);
    *place = calloc((size_t)count + 1, setting->entry_size);
    if (*place == NULL)
        return fail_memory(reader, value);
    for (int i = 0; i < count; i++) {
        const config_setting_t *entry = config_setting_get_elem(value, (unsigned)i);

        if (!config_setting_is_group(entry))
            return fail_element(reader, setting, entry);
        if (!read_members(reader, path, entry, next_entry(reader->config, setting, base)))
            return false;
    }
    return true;
}

static bool read_setting(struct config_reader *reader, const char *scope,
                         const config_setting_t *value, void *base)
{
    static read_function *const readers[] = {
        [SETTING_SECTION] = read_section,   [SETTING_SECTIONS] = read_sections,
        [SETTING_NUMBER] = read_number,     [SETTING_NUMBERS] = read_numbers,
        [SETTING_FRACTION] = read_fraction, [SETTING_SWITCH] = read_switch,
        [SETTING_TEXT] = read_text,         [SETTING_TEXTS] = read_texts,
        [SETTING_WORD] = read_word,
    };
    const struct setting *setting = setting_find(scope, config_setting_name(value));

    if (setting == NULL)
        return fail_unknown(reader, scope, value);
    return readers[setting->type](reader, setting, value, base);
}

bool config_read_settings(struct config_reader *reader)
{
    const config_setting_t *root = config_root_setting(&reader->lib);
    const config_setting_t *retry = config_setting_get_member(root, "retry");

    /* First, wherever it stands: the groups of `destinations` inherit from it. */
    if (retry != NULL && !read_setting(reader, "", retry, reader->config))
        return false;
    return read_members(reader, "", root, reader->config);
}
