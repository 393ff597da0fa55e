/* What reaches standard error, and the cleaning of what strangers wrote. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

static void test_clean(void **state)
{
    static const struct {
        const char *label, *text, *want;
    } cases[] = {
        {"plain", "host said: 452 4.5.3", "host said: 452 4.5.3"},
        {"empty", "", ""},
        {"line end", "a\nfatal: b\r\n", "a?fatal: b??"},
        {"tab, escape and DEL", "a\tb\x1b[31mc\x7f", "a?b?[31mc?"},
        {"two, three and four bytes", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac"},
        {"C1", "a\xc2\x9b\x33\x31mb\xc2\x80", "a??31mb??"},
        {"no-break space is no control character", "\xc2\xa0", "\xc2\xa0"},
        {"lone continuation", "a\x80z", "a?z"},
        {"lone leader", "a\xc3z", "a?z"},
        {"cut sequence", "a\xe2\x82", "a??"},
        {"overlong", "\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf", "?????????"},
        {"surrogate", "\xed\xa0\x80", "???"},
        {"beyond Unicode", "\xf4\x90\x80\x80\xf8\xff", "??????"},
        {"last of Unicode", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
        {"latin-1", "M\xfcller <a>", "M?ller <a>"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[64];

        snprintf(text, sizeof(text), "%s", cases[i].text);
        text_clean(text);
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("%s: is \"%s\"", cases[i].label, text);
    }
}

static void test_make_utf8(void **state)
{
    static const struct {
        const char *label, *text, *want;
        size_t len;
    } cases[] = {
        {"empty", "", "", 0},
        {"control characters stay", "a\tb\n\x1b\xc2\x9b", "a\tb\n\x1b\xc2\x9b", 7},
        {"NUL stays", "a\0b\xff", "a\0b?", 4},
        {"latin-1 beside UTF-8", "M\xfcller \xc3\xa9", "M?ller \xc3\xa9", 9},
        {"cut sequence at the end", "a\xe2\x82\xac", "a??", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = malloc(cases[i].len + 1); /* its own, so that ASan sees the end */

        assert_non_null(text);
        memcpy(text, cases[i].text, cases[i].len);
        text_make_utf8(text, cases[i].len);
        if (memcmp(text, cases[i].want, cases[i].len) != 0)
            fail_msg("%s: is \"%.*s\"", cases[i].label, (int)cases[i].len, text);
        free(text);
    }
}

static void test_is_clean(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"", true},          {"a b", true},    {"\xc3\xa9\xc2\xa0", true},
        {"a\tb", false},     {"a\n", false},   {"\x7f", false},
        {"\xc2\x9b", false}, {"a\xff", false}, {"\xc3", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (text_is_clean(cases[i].text) != cases[i].want)
            fail_msg("case %zu: \"%s\"", i, cases[i].text);
}

static void test_code_points(void **state)
{
    static const struct {
        uint32_t code;
        const char *text; /* "": no UTF-8 for it */
    } cases[] = {
        {'a', "a"},
        {0x7F, "\x7f"},
        {0x80, "\xc2\x80"},
        {0x7FF, "\xdf\xbf"},
        {0x800, "\xe0\xa0\x80"},
        {0xD7FF, "\xed\x9f\xbf"},
        {0xD800, ""},
        {0xDFFF, ""},
        {0xE000, "\xee\x80\x80"},
        {0xFFFF, "\xef\xbf\xbf"},
        {0x10000, "\xf0\x90\x80\x80"},
        {0x10FFFF, "\xf4\x8f\xbf\xbf"},
        {0x110000, ""},
        {UINT32_MAX, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t want = strlen(cases[i].text);
        char text[4];
        uint32_t code = 0;

        assert_int_equal(text_utf8_encode(text, cases[i].code), want);
        assert_memory_equal(text, cases[i].text, want);
        assert_int_equal(text_utf8_decode(cases[i].text, want, &code), want);
        assert_int_equal(code, want > 0 ? cases[i].code : 0);
    }
}

static void print(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void print(char *buffer, size_t size, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    text_print(buffer, size, format, ap);
    va_end(ap);
}

static void test_print_cuts_between_characters(void **state)
{
    static const struct {
        size_t size;
        const char *text, *want;
    } cases[] = {
        {12, "0123456789", "0123456789"},
        {11, "0123456789", "0123456789"},
        {10, "0123456789", "012345..."},
        {8, "0123456789", "0123..."},
        {5, "0123456789", "0..."},
        {4, "0123456789", "012"},
        {1, "0123456789", ""},
        {10, "01234\xc3\xa9xyz1", "01234..."},
        {11, "01234\xc3\xa9xyz1", "01234\xc3\xa9..."},
        {9, "0\xf0\x9f\x93\xac\xf0\x9f\x93\xac", "0\xf0\x9f\x93\xac..."},
        {8, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "..."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *buffer = malloc(cases[i].size); /* its own, so that ASan sees the end */

        assert_non_null(buffer);
        print(buffer, cases[i].size, "%s", cases[i].text);
        if (strcmp(buffer, cases[i].want) != 0)
            fail_msg("case %zu: is \"%s\", want \"%s\"", i, buffer, cases[i].want);
        free(buffer);
    }
}

/* Runs `say` in a child, and gives what it wrote to standard error and how it ended. */
static int capture(void (*say)(void), char *output, size_t size)
{
    int ends[2], status;
    size_t len = 0;
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        log_open("postern-test", false);
        say();
        _exit(0);
    }
    close(ends[1]);
    while (len < size - 1 && (n = read(ends[0], output + len, size - 1 - len)) > 0)
        len += (size_t)n;
    output[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void say_severities(void)
{
    log_info("state opened");
    log_warning("%s: odd", "4f9x");
    log_error("<%s>", "a\nb");
}

static void say_fatal(void)
{
    log_fatal(78, "cannot %s", "go on");
}

static void say_panic(void)
{
    log_panic("value %d", 7);
}

static void say_long(void)
{
    char text[5000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
}

/* errno is there for %m, and is there afterwards although the write fails. */
static void say_errno(void)
{
    errno = ENOENT;
    log_warning("%m");
    close(STDERR_FILENO);
    log_warning("unheard");
    if (errno != ENOENT)
        _exit(1);
}

static void test_severities(void **state)
{
    char output[8192];
    int status;

    (void)state;
    assert_int_equal(capture(say_severities, output, sizeof(output)), 0);
    assert_string_equal(output, "postern-test: state opened\n"
                                "postern-test: warning: 4f9x: odd\n"
                                "postern-test: error: <a?b>\n");
    status = capture(say_fatal, output, sizeof(output));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 78);
    assert_string_equal(output, "postern-test: fatal: cannot go on\n");
    status = capture(say_panic, output, sizeof(output));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_string_equal(output, "postern-test: panic: value 7\n");
}

/* What systemd sets for a unit whose standard error is the journal. */
static void name_stream(int inode_off)
{
    char stream[64];
    struct stat st;

    if (fstat(STDERR_FILENO, &st) != 0)
        _exit(1);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino + (uintmax_t)inode_off);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open("postern-test", 0);
    say_severities();
}

static void say_to_journal(void)
{
    name_stream(0);
}

/* Standard error was redirected: the variable is inherited and tells of another file. */
static void say_elsewhere(void)
{
    name_stream(1);
}

static void test_journal(void **state)
{
    char output[1024];

    (void)state;
    assert_int_equal(capture(say_to_journal, output, sizeof(output)), 0);
    assert_string_equal(output, "<6>state opened\n"
                                "<4>warning: 4f9x: odd\n"
                                "<3>error: <a?b>\n");
    assert_int_equal(capture(say_elsewhere, output, sizeof(output)), 0);
    assert_string_equal(output, "postern-test: state opened\n"
                                "postern-test: warning: 4f9x: odd\n"
                                "postern-test: error: <a?b>\n");
}

static void test_long_message(void **state)
{
    char output[8192];
    size_t len;

    (void)state;
    assert_int_equal(capture(say_long, output, sizeof(output)), 0);
    len = strlen(output);
    assert_int_equal(len, strlen("postern-test: ") + 2047 + 1);
    assert_string_equal(output + len - 5, "x...\n");
}

static void test_errno_survives(void **state)
{
    char output[256];

    (void)state;
    assert_int_equal(capture(say_errno, output, sizeof(output)), 0);
    assert_string_equal(output, "postern-test: warning: No such file or directory\n");
}

enum { THREADS = 4, MESSAGES = 200 };

static void *say_many(void *letter)
{
    char text[101];

    memset(text, *(const char *)letter, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < MESSAGES; i++)
        log_info("%s", text);
    return NULL;
}

static void say_in_threads(void)
{
    static const char letters[] = "abcd";
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, say_many, (void *)(uintptr_t)&letters[i]) != 0)
            _exit(1);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Lines of several threads do not mix. */
static void test_threads(void **state)
{
    static char output[256 * 1024];
    int lines = 0;

    (void)state;
    assert_int_equal(capture(say_in_threads, output, sizeof(output)), 0);
    for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        const char *text = line + strlen("postern-test: ");

        assert_memory_equal(line, "postern-test: ", strlen("postern-test: "));
        assert_int_equal(strlen(text), 100);
        assert_int_equal(strspn(text, (char[]){text[0], '\0'}), 100);
        lines++;
    }
    assert_int_equal(lines, THREADS * MESSAGES);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_make_utf8),
        cmocka_unit_test(test_is_clean),
        cmocka_unit_test(test_code_points),
        cmocka_unit_test(test_print_cuts_between_characters),
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_long_message),
        cmocka_unit_test(test_errno_survives),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
