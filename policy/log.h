/*
 * What the programs say: to syslog (facility mail) as a daemon, to standard error otherwise, and
 * there as the journal wants it where standard error is the journal ("<4>warning: ...").
 *
 * info: an event an administrator may want to see. warning: something is not as it should be, and
 * Postern goes on. error: something asked for could not be done. fatal: the environment does not
 * let the program go on (it exits). panic: a bug of ours (it aborts). errno survives every call,
 * and is there for %m. Control characters and bytes that are not valid UTF-8 are written as '?'; a
 * message of 2048 bytes or more is cut and ends in "...". Each message is one line and one write.
 * Thread-safe, but for log_open().
 */
#ifndef POSTERN_LOG_H
#define POSTERN_LOG_H

#define LOG_PRINTF __attribute__((format(printf, 1, 2)))

/* Before the first message. `program` is kept, not copied. */
void log_open(const char *program, int to_syslog);

void log_info(const char *format, ...) LOG_PRINTF;
void log_warning(const char *format, ...) LOG_PRINTF;
void log_error(const char *format, ...) LOG_PRINTF;
_Noreturn void log_fatal(int exit_status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void log_panic(const char *format, ...) LOG_PRINTF;

#endif
