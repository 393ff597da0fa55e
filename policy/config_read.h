/*
 * Fills a struct config from text, by the table of settings. Part of config.c; nobody else includes
 * it.
 */
#ifndef POSTERN_CONFIG_READ_H
#define POSTERN_CONFIG_READ_H

#include <libconfig.h>

#include "config_source.h"
#include "config_table.h"

struct config_reader {
    struct config *config;
    const struct config_source *source;
    config_t lib;
    char *error; /* one line, cut to `size` */
    size_t size;
};

/* Each returns false with `error` set. What was read until then belongs to the config all the same.
 */
bool config_read_settings(struct config_reader *reader);

/* "FILE:LINE: " of a setting before the text. Always false. */
bool config_read_fail(const struct config_reader *reader, const config_setting_t *at,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));
bool config_read_fail_line(const struct config_reader *reader, unsigned line, const char *format,
                           ...) __attribute__((format(printf, 3, 4)));

/* Adds "FILE:LINE: TEXT" to the warnings (config_warning). False: no memory, and `error` is set. */
bool config_read_warn(const struct config_reader *reader, const config_setting_t *at,
                      const char *text);

#endif
