/* What all programs' command lines have in common. */
#ifndef POSTERN_OPTIONS_H
#define POSTERN_OPTIONS_H

#define OPTIONS_DEFAULT_CONFIG SYSCONFDIR "/postern/postern.conf"

/* Answers -V and -h on standard output, anything else with the usage on standard error; exit
 * status. */
int options_common(int option, const char *program, const char *usage);

#endif
