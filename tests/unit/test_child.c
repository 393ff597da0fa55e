/* Running commands: /bin/sh stands for whatever may go wrong in one. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"

/* What a caller of execve() needs: strings that may be written to. */
struct shell {
    char program[16];
    char option[4];
    char script[512];
    char *argv[4];
};

static char *const *shell_argv(struct shell *shell, const char *script)
{
    strcpy(shell->program, "/bin/sh");
    strcpy(shell->option, "-c");
    snprintf(shell->script, sizeof(shell->script), "%s", script);
    shell->argv[0] = shell->program;
    shell->argv[1] = shell->option;
    shell->argv[2] = shell->script;
    shell->argv[3] = NULL;
    return shell->argv;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct run_case {
    const char *label;
    const char *script;
    const char *input;
    int timeout_ms;
    int status;
    int error;
    int signal;
    const char *output;
    const char *errors;
};

static const struct run_case run_cases[] = {
    {"exit status 0", "exit 0", NULL, 5000, 0, 0, 0, "", ""},
    {"exit status 75", "exit 75", NULL, 5000, 75, 0, 0, "", ""},
    {"the two outputs stay apart", "echo out; echo err >&2", NULL, 5000, 0, 0, 0, "out\n", "err\n"},
    {"input arrives whole", "cat; exit 3", "a line\nanother\n", 5000, 3, 0, 0, "a line\nanother\n",
     ""},
    {"no input is an empty one", "cat", NULL, 5000, 0, 0, 0, "", ""},
    {"input of no bytes", "cat; echo end", "", 5000, 0, 0, 0, "end\n", ""},
    {"input nobody reads", "exit 4", "unread", 5000, 4, 0, 0, "", ""},
    {"a signal", "kill -9 $$", NULL, 5000, -1, ECANCELED, SIGKILL, "", ""},
    {"time is up", "echo before; exec sleep 60", NULL, 200, -1, ETIMEDOUT, 0, "before\n", ""},
    {"time is up for its children too", "sleep 60; echo never", NULL, 200, -1, ETIMEDOUT, 0, "",
     ""},
    {"outputs closed early", "exec >&- 2>&-; sleep 0.2; exit 5", NULL, 5000, 5, 0, 0, "", ""},
    {"a program left in the background is not waited for", "sleep 8 & echo started", NULL, 5000, 0,
     0, 0, "started\n", ""},
    {"the environment is clean", "echo $LANG $MAIL_CONFIG $POSTERN_TEST $HOME", NULL, 5000, 0, 0, 0,
     "C\n", ""},
    {"the directory is /", "pwd", NULL, 5000, 0, 0, 0, "/\n", ""},
    {"the umask is 022", "umask", NULL, 5000, 0, 0, 0, "0022\n", ""},
    /* Without a pipe or a list of the folder, for which the shell itself opens descriptors. */
    {"no other descriptors",
     "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ ! -e /proc/$$/fd/$n ] || echo $n; done", NULL,
     5000, 0, 0, 0, "0\n1\n2\n", ""},
    {"SIGPIPE (bit 12) has its default action",
     "grep -Ec 'SigIgn:.[0-9a-f]{12}[02468ace][0-9a-f]{3}$' /proc/$$/status", NULL, 5000, 0, 0, 0,
     "1\n", ""},
};

static void check_run_case(const struct run_case *c)
{
    struct shell shell;
    struct child_command command = {.argv = shell_argv(&shell, c->script),
                                    .input = c->input,
                                    .input_len = c->input != NULL ? strlen(c->input) : 0,
                                    .timeout_ms = c->timeout_ms};
    int64_t begin = now_ms();
    struct child_result *result = child_run(&command);
    assert_non_null(result);
    if (result->end.status != c->status || result->end.error != c->error ||
        result->end.signal != c->signal || strcmp(result->output, c->output) != 0 ||
        strcmp(result->errors, c->errors) != 0)
        fail_msg("%s: status %d, error %d, signal %d, output \"%s\", errors \"%s\"", c->label,
                 result->end.status, result->end.error, result->end.signal, result->output,
                 result->errors);
    if (now_ms() - begin > 4000)
        fail_msg("%s: took %d ms", c->label, (int)(now_ms() - begin));
    free(result);
}

static void test_run(void **state)
{
    (void)state;
    int inherited = open("/dev/null", O_RDONLY); /* on purpose not close-on-exec */
    mode_t mask = umask(077);
    signal(SIGPIPE, SIG_IGN);
    setenv("MAIL_CONFIG", "/nonexistent", 1);
    setenv("POSTERN_TEST", "seen", 1);
    for (size_t i = 0; i < sizeof(run_cases) / sizeof(run_cases[0]); i++)
        check_run_case(&run_cases[i]);
    signal(SIGPIPE, SIG_DFL);
    umask(mask);
    close(inherited);
}

/* Dead or, until somebody reaps it, a zombie: those have no command line. */
static bool is_dead(const char *pid)
{
    char path[64];
    int byte = EOF;
    snprintf(path, sizeof(path), "/proc/%.*s/cmdline", (int)strspn(pid, "0123456789"), pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        byte = fgetc(file);
        fclose(file);
    }
    return byte == EOF;
}

static void test_run_kills_the_group(void **state)
{
    struct shell shell;
    struct child_command command = {.argv = shell_argv(&shell, "sleep 60 & echo $!; wait"),
                                    .timeout_ms = 300};
    (void)state;
    struct child_result *result = child_run(&command);
    assert_non_null(result);
    assert_int_equal(result->end.error, ETIMEDOUT);
    assert_true(result->output_len > 1);
    int64_t begin = now_ms();
    while (!is_dead(result->output) && now_ms() - begin < 4000)
        poll(NULL, 0, 10);
    assert_true(is_dead(result->output));
    free(result);
}

static void test_run_bounds_output(void **state)
{
    struct shell shell;
    struct child_command command = {
        .argv = shell_argv(&shell, "head -c 3000000 /dev/zero | tr '\\0' x; echo tail >&2"),
        .timeout_ms = 20000};
    (void)state;
    struct child_result *result = child_run(&command);
    assert_non_null(result);
    assert_int_equal(result->end.status, 0);
    assert_int_equal(result->output_len, CHILD_OUTPUT_MAX);
    assert_int_equal(strspn(result->output, "x"), CHILD_OUTPUT_MAX);
    assert_string_equal(result->errors, "tail\n");
    free(result);
}

/* More than a pipe holds, to a command that writes it back meanwhile. */
static void test_run_large_input(void **state)
{
    struct shell shell;
    size_t len = 1000000;
    char *input = malloc(len);
    (void)state;
    assert_non_null(input);
    for (size_t i = 0; i < len; i++)
        input[i] = (char)('a' + i % 26);
    struct child_command command = {
        .argv = shell_argv(&shell, "cat"), .input = input, .input_len = len, .timeout_ms = 20000};
    struct child_result *result = child_run(&command);
    assert_non_null(result);
    assert_int_equal(result->output_len, len);
    assert_memory_equal(result->output, input, len);
    free(result);
    free(input);
}

static void test_run_no_program(void **state)
{
    char program[] = "/nonexistent/program";
    char *const argv[] = {program, NULL};
    struct child_command command = {.argv = argv, .timeout_ms = 1000};
    char text[128];
    (void)state;
    struct child_result *result = child_run(&command);
    assert_non_null(result);
    assert_int_equal(result->end.status, -1);
    assert_int_equal(result->end.error, ENOENT);
    child_explain(&result->end, text, sizeof(text));
    assert_string_equal(text, "could not be run: No such file or directory");
    free(result);
}

/* A shell that ignores SIGCHLD makes its commands ignore it, and then statuses are lost. */
static void test_run_under_ignored_sigchld(void **state)
{
    struct shell shell;
    struct child_command command = {.argv = shell_argv(&shell, "exit 7"), .timeout_ms = 5000};
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    struct child_result *result = child_run(&command);
    assert_non_null(result);
    assert_int_equal(result->end.status, 7);
    free(result);
    signal(SIGCHLD, SIG_DFL);
}

/* Only root can show it; without root the command has to be refused, not run as somebody else. */
static void test_run_as_account(void **state)
{
    struct shell shell;
    struct child_command command = {.argv = shell_argv(&shell, "id -u; id -g; id -G"),
                                    .timeout_ms = 5000,
                                    .as_account = true,
                                    .uid = 12345,
                                    .gid = 23456};
    (void)state;
    struct child_result *result = child_run(&command);
    assert_non_null(result);
    if (geteuid() == 0) {
        assert_string_equal(result->output, "12345\n23456\n23456\n");
    } else {
        assert_int_equal(result->end.status, -1);
        assert_int_equal(result->end.error, EPERM);
    }
    free(result);
}

struct explain_case {
    const char *label;
    struct child_end end;
    const char *text;
};

static const struct explain_case explain_cases[] = {
    {"status without words", {.status = 1, .text = ""}, "exit status 1"},
    {"status and two lines", {.status = 1, .text = "bad\nworse\n"}, "exit status 1: bad worse"},
    {"control characters", {.status = 2, .text = "a\033[1mb"}, "exit status 2: a [1mb"},
    {"time", {.status = -1, .error = ETIMEDOUT, .text = ""}, "did not end within its time"},
    {"signal", {.status = -1, .error = ECANCELED, .signal = 11}, "was killed by signal 11"},
    {"errno", {.status = -1, .error = EACCES}, "could not be run: Permission denied"},
};

static void test_explain(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(explain_cases) / sizeof(explain_cases[0]); i++) {
        char text[128];
        child_explain(&explain_cases[i].end, text, sizeof(text));
        if (strcmp(text, explain_cases[i].text) != 0)
            fail_msg("%s: \"%s\"", explain_cases[i].label, text);
    }
}

/* What one asynchronous command left behind. */
struct outcome {
    int calls;
    int status;
    int error;
    size_t text_len;
    char text[CHILD_TEXT_MAX + 1];
    struct child_runner *runner; /* to start another from the callback */
};

static void on_done(void *arg, const struct child_end *end)
{
    struct outcome *outcome = arg;
    outcome->calls++;
    outcome->status = end->status;
    outcome->error = end->error;
    outcome->text_len = end->text_len;
    memcpy(outcome->text, end->text, end->text_len + 1);
}

/* Runs the loop until nothing runs, for 5 s at most. */
static void loop_until_idle(struct event_base *base, struct child_runner *runner)
{
    struct timeval most = {5, 0};
    event_base_loopexit(base, &most);
    while (child_running(runner) > 0 && !event_base_got_exit(base))
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(child_running(runner), 0);
}

struct start_case {
    const char *label;
    const char *script;
    const char *input;
    int timeout_ms;
    int status;
    int error;
    const char *text;
};

static const struct start_case start_cases[] = {
    {"status and both outputs", "echo out; echo err >&2; exit 9", NULL, 4000, 9, 0, "out\nerr\n"},
    {"input", "cat", "hello\n", 4000, 0, 0, "hello\n"},
    {"time is up", "echo before; sleep 60", NULL, 200, -1, ETIMEDOUT, "before\n"},
    {"a signal", "kill -11 $$", NULL, 4000, -1, ECANCELED, ""},
    {"outputs closed early", "exec >&- 2>&-; sleep 0.1; exit 6", NULL, 4000, 6, 0, ""},
    {"left in the background", "sleep 8 & exit 2", NULL, 4000, 2, 0, ""},
};

enum { START_CASES = sizeof(start_cases) / sizeof(start_cases[0]) };

/* All at once: they must not be taken for one another. */
static void test_start(void **state)
{
    struct event_base *base = event_base_new();
    struct child_runner *runner = child_runner_new(base);
    static struct outcome outcomes[START_CASES];
    struct shell shell;
    (void)state;
    assert_non_null(runner);
    for (size_t i = 0; i < START_CASES; i++) {
        const struct start_case *c = &start_cases[i];
        size_t len = c->input != NULL ? strlen(c->input) : 0;
        assert_int_equal(child_start(runner, shell_argv(&shell, c->script), c->input, len,
                                     c->timeout_ms, on_done, &outcomes[i]),
                         0);
    }
    assert_int_equal(child_running(runner), START_CASES);
    loop_until_idle(base, runner);
    for (size_t i = 0; i < START_CASES; i++) {
        const struct start_case *c = &start_cases[i];
        const struct outcome *o = &outcomes[i];
        if (o->calls != 1 || o->status != c->status || o->error != c->error ||
            strcmp(o->text, c->text) != 0)
            fail_msg("%s: %d calls, status %d, error %d, text \"%s\"", c->label, o->calls,
                     o->status, o->error, o->text);
    }
    child_runner_free(&runner);
    assert_null(runner);
    event_base_free(base);
}

static void test_start_bounds_text(void **state)
{
    struct event_base *base = event_base_new();
    struct child_runner *runner = child_runner_new(base);
    static struct outcome outcome;
    struct shell shell;
    (void)state;
    assert_int_equal(child_start(runner, shell_argv(&shell, "head -c 500000 /dev/zero"), NULL, 0,
                                 4000, on_done, &outcome),
                     0);
    loop_until_idle(base, runner);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(outcome.status, 0);
    assert_int_equal(outcome.text_len, CHILD_TEXT_MAX);
    child_runner_free(&runner);
    event_base_free(base);
}

static void start_second(void *arg, const struct child_end *end)
{
    struct outcome *outcome = arg;
    struct shell shell;
    assert_int_equal(end->status, 1);
    assert_int_equal(
        child_start(outcome->runner, shell_argv(&shell, "exit 2"), NULL, 0, 4000, on_done, outcome),
        0);
}

static void test_start_from_callback(void **state)
{
    struct event_base *base = event_base_new();
    static struct outcome outcome;
    struct shell shell;
    (void)state;
    outcome.runner = child_runner_new(base);
    assert_int_equal(child_start(outcome.runner, shell_argv(&shell, "exit 1"), NULL, 0, 4000,
                                 start_second, &outcome),
                     0);
    loop_until_idle(base, outcome.runner);
    assert_int_equal(outcome.calls, 1);
    assert_int_equal(outcome.status, 2);
    child_runner_free(&outcome.runner);
    event_base_free(base);
}

static void test_start_no_program(void **state)
{
    struct event_base *base = event_base_new();
    struct child_runner *runner = child_runner_new(base);
    char program[] = "/nonexistent/program";
    char *const argv[] = {program, NULL};
    struct outcome outcome = {0};
    (void)state;
    assert_int_equal(child_start(runner, argv, NULL, 0, 1000, on_done, &outcome), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(child_running(runner), 0);
    child_runner_free(&runner);
    event_base_free(base);
    assert_int_equal(outcome.calls, 0);
}

/* What still runs is killed and reaped, and its owner, who is going away too, hears nothing. */
static void test_free_kills(void **state)
{
    struct event_base *base = event_base_new();
    struct child_runner *runner = child_runner_new(base);
    struct outcome outcome = {0};
    struct shell shell;
    (void)state;
    int64_t begin = now_ms();
    assert_int_equal(
        child_start(runner, shell_argv(&shell, "exec sleep 60"), NULL, 0, 60000, on_done, &outcome),
        0);
    child_runner_free(&runner);
    event_base_free(base);
    assert_true(now_ms() - begin < 4000);
    assert_int_equal(outcome.calls, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_run_kills_the_group),
        cmocka_unit_test(test_run_bounds_output),
        cmocka_unit_test(test_run_large_input),
        cmocka_unit_test(test_run_no_program),
        cmocka_unit_test(test_run_under_ignored_sigchld),
        cmocka_unit_test(test_run_as_account),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_start_bounds_text),
        cmocka_unit_test(test_start_from_callback),
        cmocka_unit_test(test_start_no_program),
        cmocka_unit_test(test_free_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
