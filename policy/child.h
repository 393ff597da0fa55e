/*
 * Runs other programs: never through a shell, never with anything of ours but descriptors 0 to 2,
 * and with an environment of PATH and LANG=C only (a MAIL_CONFIG left over from a caller would
 * point Postfix's commands at another configuration).
 *
 * A command runs in a process group of its own with "/" as its directory and umask 022; when its
 * time is up the whole group is killed. Its input is handed over as a file in memory, so that
 * writing it neither blocks nor raises SIGPIPE. Times are in ms. Not thread-safe.
 */
#ifndef POSTERN_CHILD_H
#define POSTERN_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    CHILD_OUTPUT_MAX =
        1 << 20,           /* of each stream of child_run(); the rest is read and thrown away */
    CHILD_TEXT_MAX = 4096, /* of what child_start() passes on */
};

struct child_command {
    char *const *argv; /* argv[0] without a slash is looked for in a fixed PATH */
    const void *input; /* NULL: /dev/null */
    size_t input_len;
    int timeout_ms;
    bool as_account; /* run as uid and gid, with no other groups; takes root */
    uid_t uid;
    gid_t gid;
    bool show_output; /* let it write to our own output instead of capturing it (child_run only) */
};

/* How a command ended. */
struct child_end {
    int status; /* the exit status, or -1 when there is none, and then: */
    int error;  /* ETIMEDOUT: killed when its time was up. ECANCELED: `signal` ended it.
                 * Anything else: the errno of what failed (ENOENT: no such program) */
    int signal;
    const char *text; /* what it said, NUL-terminated */
    size_t text_len;
};

struct child_result {
    struct child_end end;              /* end.text is the standard error */
    char output[CHILD_OUTPUT_MAX + 1]; /* the standard output, NUL-terminated */
    size_t output_len;
    char errors[CHILD_OUTPUT_MAX + 1];
};

/* Runs a command and waits for it. The result is free()d by the caller; NULL: out of memory. */
struct child_result *child_run(const struct child_command *command);

/* "exit status 1: text", "was killed by signal 9", "did not end within its time" ..., on one line.
 */
void child_explain(const struct child_end *end, char *buffer, size_t size);

struct event_base;
struct child_runner;

/* `end` is valid during the call, which may start other commands but not free the runner. */
typedef void child_done(void *arg, const struct child_end *end);

/* Takes SIGCHLD on this base (libevent gives signals to one base of a process). NULL: no memory. */
struct child_runner *child_runner_new(struct event_base *base);

/* Kills what still runs; those commands get no callback. */
void child_runner_free(struct child_runner **runner);

/*
 * Starts a command; `input` is copied. end.text is the beginning of what it wrote to either output.
 * Returns 0, and then `done` is called exactly once; or -1 with errno, and then never.
 */
int child_start_command(struct child_runner *runner, const struct child_command *command,
                        child_done *done, void *arg);
/* The same without an account of its own. */
int child_start(struct child_runner *runner, char *const *argv, const void *input, size_t input_len,
                int timeout_ms, child_done *done, void *arg);

/* How many commands run now. */
size_t child_running(const struct child_runner *runner);

#endif
