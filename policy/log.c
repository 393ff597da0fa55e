#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "text.h"

/* LINE_MAX_BYTES stays below PIPE_BUF, so that the lines of two threads or programs do not mix. */
enum { MESSAGE_MAX = 2048, LABEL_MAX = 256, LINE_MAX_BYTES = MESSAGE_MAX + LABEL_MAX };

struct severity {
    int priority;
    const char *label;
};

/* The labels are Postfix's own, so that the log tools for Postfix understand them too. */
static const struct severity INFO = {LOG_INFO, ""};
static const struct severity WARNING = {LOG_WARNING, "warning: "};
static const struct severity ERROR = {LOG_ERR, "error: "};
static const struct severity FATAL = {LOG_CRIT, "fatal: "};
static const struct severity PANIC = {LOG_CRIT, "panic: "};

/* Set once by log_open, before there are threads. */
static const char *log_program = "postern";
static int log_to_syslog;
static bool log_to_journal;

/*
 * True when standard error is the journal's own stream (systemd.exec(5), JOURNAL_STREAM): the
 * journal then knows the program's name already, and takes the priority from "<N>" (sd-daemon(3)).
 */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device;
    uintmax_t inode;
    struct stat st;

    return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && device == (uintmax_t)st.st_dev &&
           inode == (uintmax_t)st.st_ino;
}

void log_open(const char *program, int to_syslog)
{
    log_program = program;
    log_to_syslog = to_syslog;
    log_to_journal = !to_syslog && is_journal();
    if (to_syslog)
        openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

static void write_all(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

/* One write for the whole line. */
static void write_line(const struct severity *severity, const char *message)
{
    char line[LINE_MAX_BYTES];
    size_t len = 0;
    const char priority[] = {'<', (char)('0' + severity->priority), '>', '\0'};
    const char *parts[] = {log_to_journal ? priority : log_program, log_to_journal ? "" : ": ",
                           severity->label, message};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        size_t n = strlen(parts[i]);

        if (n > sizeof(line) - 1 - len)
            n = sizeof(line) - 1 - len;
        memcpy(line + len, parts[i], n);
        len += n;
    }
    line[len++] = '\n';
    write_all(line, len);
}

static void say(const struct severity *severity, const char *format, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void say(const struct severity *severity, const char *format, va_list ap)
{
    char message[MESSAGE_MAX];
    int saved_errno = errno;

    text_print(message, sizeof(message), format, ap);
    if (log_to_syslog)
        syslog(LOG_MAIL | severity->priority, "%s%s", severity->label, message);
    else
        write_line(severity, message);
    errno = saved_errno;
}

void log_info(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(&INFO, format, ap);
    va_end(ap);
}

void log_warning(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(&WARNING, format, ap);
    va_end(ap);
}

void log_error(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(&ERROR, format, ap);
    va_end(ap);
}

void log_fatal(int exit_status, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(&FATAL, format, ap);
    va_end(ap);
    exit(exit_status);
}

void log_panic(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(&PANIC, format, ap);
    va_end(ap);
    abort();
}
