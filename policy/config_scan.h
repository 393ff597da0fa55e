/*
 * The tokens of one configuration file, as far as they must be known to find includes and numbers:
 * the rules are those of libconfig's scanner.l. Part of config_source.c; nobody else includes it.
 */
#ifndef POSTERN_CONFIG_SCAN_H
#define POSTERN_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct config_source;

/* One file on its way into the whole. */
struct config_scan {
    struct config_source *source;
    const char *file;
    const char *at;
    const char *end;
    unsigned line; /* of `at` */
    unsigned depth;
};

/* Passes everything on, each include replaced by its file and each whole number by a 64-bit one. */
bool config_scan_all(struct config_scan *scan);

/* What the scanner needs of config_source.c. All return false when the error was set. */
bool config_source_emit(struct config_source *source, const char *bytes, size_t len);
bool config_source_include(struct config_scan *scan, const char *name, size_t len);
/* Sets the error. Always false. */
bool config_source_fail(struct config_source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
