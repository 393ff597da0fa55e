/*
 * Following a log: rotated, truncated, replaced, not there yet, and read on after a restart. Line n
 * is a "removed" of queue id n, so that what was read, and in which order, is a range of numbers.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logsource.h"
#include "logsource_ops.h"

static const int64_t NOW = 1700730000000;

struct fixture {
    char folder[64];
    char log[128];
    int saved_stderr;
    struct logsource *source;
};

static struct fixture fx;

static const char *path_of(const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", fx.folder, name);
    return path;
}

/* Warnings go to standard error, which is a file during a test. */
static int set_up(void **state)
{
    int fd;

    (void)state;
    fx = (struct fixture){.folder = "/tmp/postern-test-log.XXXXXX"};
    if (mkdtemp(fx.folder) == NULL || chmod(fx.folder, 0755) != 0)
        return -1;
    snprintf(fx.log, sizeof(fx.log), "%s/mail.log", fx.folder);
    fx.saved_stderr = dup(STDERR_FILENO);
    fd = open(path_of("stderr"), O_RDWR | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return 0;
}

static int tear_down(void **state)
{
    char command[256], bytes[4096];
    int fd = open(path_of("stderr"), O_RDONLY);
    ssize_t n;

    (void)state;
    logsource_close(&fx.source);
    dup2(fx.saved_stderr, STDERR_FILENO);
    close(fx.saved_stderr);
    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        if (write(STDERR_FILENO, bytes, (size_t)n) != n)
            break;
    close(fd);
    snprintf(command, sizeof(command), "rm -rf %s", fx.folder);
    return system(command);
}

/* How many times a text was logged since the beginning of the test. */
static int warnings(const char *text)
{
    static char all[1 << 16];
    int fd = open(path_of("stderr"), O_RDONLY), count = 0;
    ssize_t n = read(fd, all, sizeof(all) - 1);

    close(fd);
    assert_true(n >= 0);
    all[n] = '\0';
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void append_bytes(const char *name, const char *bytes, size_t len)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_APPEND, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
}

static size_t line_text(char *text, size_t size, int n)
{
    return (size_t)snprintf(text, size,
                            "2023-11-23T08:00:00.%06dZ mx postfix/qmgr[1]: %06X: removed\n", n, n);
}

/* Lines from `first` up to, not including, `end`. */
static void append(const char *name, int first, int end)
{
    for (int n = first; n < end; n++) {
        char text[128];

        append_bytes(name, text, line_text(text, sizeof(text), n));
    }
}

static void rotate(const char *from, const char *to)
{
    assert_int_equal(rename(path_of(from), path_of(to)), 0);
}

/* Like logrotate's copytruncate. */
static void copy(const char *from, const char *to)
{
    char command[600];

    snprintf(command, sizeof(command), "cp %s %s", path_of(from), path_of(to));
    assert_int_equal(system(command), 0);
}

static void open_at(const struct logsource_position *start)
{
    char error[256] = "";

    logsource_close(&fx.source);
    fx.source = logsource_open(fx.log, start, error, sizeof(error));
    assert_string_equal(error, "");
    assert_non_null(fx.source);
}

/* Reads one line that matters; -1: nothing more. */
static int next(void)
{
    struct maillog_line line;
    enum logsource_result result;
    char id[32];

    while ((result = logsource_next(fx.source, NOW, &line)) == LOGSOURCE_SKIP)
        ;
    if (result == LOGSOURCE_WAIT)
        return -1;
    assert_int_equal(line.kind, MAILLOG_REMOVED);
    slice_copy(id, sizeof(id), line.queue_id);
    return (int)strtol(id, NULL, 16);
}

static void expect_some(int first, int end)
{
    for (int n = first; n < end; n++)
        assert_int_equal(next(), n);
}

/* These lines and no more for now. */
static void expect(int first, int end)
{
    expect_some(first, end);
    assert_int_equal(next(), -1);
}

static struct logsource_position position(void)
{
    struct logsource_position p;

    logsource_position(fx.source, &p);
    return p;
}

static void test_grows(void **state)
{
    (void)state;
    append("mail.log", 1, 4);
    open_at(NULL);
    expect(1, 4);
    append("mail.log", 4, 10000);
    expect(4, 10000);
    assert_int_equal(warnings("warning"), 0);
}

static void test_half_a_line(void **state)
{
    char text[128];
    size_t len = line_text(text, sizeof(text), 2);
    struct logsource_position before;

    (void)state;
    append("mail.log", 1, 2);
    append_bytes("mail.log", text, 30);
    open_at(NULL);
    expect(1, 2);
    before = position();
    open_at(&before);
    expect(2, 2);
    append_bytes("mail.log", text + 30, len - 31);
    expect(2, 2);
    append_bytes("mail.log", "\n", 1);
    expect(2, 3);
}

/* Until the log is there its position is none, or the one given. */
static void test_not_there_yet(void **state)
{
    (void)state;
    open_at(NULL);
    expect(1, 1);
    assert_int_equal(position().len, 0);
    append("mail.log", 1, 3);
    expect(1, 3);
    assert_int_equal(warnings("warning"), 0);
}

static bool woken(void)
{
    struct pollfd p = {.fd = logsource_descriptor(fx.source), .events = POLLIN};
    bool readable;

    assert_true(p.fd >= 0);
    readable = poll(&p, 1, 2000) == 1;
    logsource_woken(fx.source);
    return readable;
}

static void assert_quiet(void)
{
    struct pollfd p = {.fd = logsource_descriptor(fx.source), .events = POLLIN};

    assert_int_equal(poll(&p, 1, 0), 0);
}

static void test_no_directory_yet(void **state)
{
    (void)state;
    snprintf(fx.log, sizeof(fx.log), "%s/a/b/mail.log", fx.folder);
    open_at(NULL);
    expect(1, 1);
    logsource_woken(fx.source);
    assert_quiet();
    assert_int_equal(mkdir(path_of("a"), 0755), 0);
    assert_true(woken());
    expect(1, 1);
    assert_int_equal(mkdir(path_of("a/b"), 0755), 0);
    assert_true(woken());
    expect(1, 1);
    append("a/b/mail.log", 1, 3);
    assert_true(woken());
    expect(1, 3);
    append("a/b/mail.log", 3, 4);
    assert_true(woken());
    expect(3, 4);
}

static void test_wakes(void **state)
{
    (void)state;
    append("mail.log", 1, 2);
    open_at(NULL);
    expect(1, 2);
    logsource_woken(fx.source);
    assert_quiet();
    append("mail.log", 2, 3);
    assert_true(woken());
    expect(2, 3);
    rotate("mail.log", "mail.log.1");
    assert_true(woken());
    expect(3, 3);
    append("mail.log.1", 3, 4);
    assert_true(woken());
    expect(3, 4);
    append("mail.log", 4, 5);
    assert_true(woken());
    expect(4, 5);
    append("mail.log", 5, 6);
    assert_true(woken());
    expect(5, 6);
    logsource_woken(fx.source);
    assert_quiet();
}

static void test_rotation(void **state)
{
    (void)state;
    append("mail.log", 1, 4);
    open_at(NULL);
    expect_some(1, 2);
    rotate("mail.log", "mail.log.1");
    append("mail.log.1", 4, 6);
    append("mail.log", 6, 8);
    expect(2, 8);
    /* An empty new file does not end the old one. */
    rotate("mail.log.1", "mail.log.2");
    rotate("mail.log", "mail.log.1");
    append("mail.log", 0, 0);
    append_bytes("mail.log", "", 0);
    append("mail.log.1", 8, 9);
    expect(8, 9);
    append("mail.log.1", 9, 10);
    expect(9, 10);
    append("mail.log", 10, 11);
    expect(10, 11);
    assert_int_equal(warnings("warning"), 0);
}

/* More than one rotation between two looks. */
static void test_rotation_missed(void **state)
{
    (void)state;
    append("mail.log", 1, 3);
    open_at(NULL);
    expect_some(1, 2);
    rotate("mail.log", "mail.log.1");
    append("mail.log", 3, 5);
    rotate("mail.log.1", "mail.log.2");
    rotate("mail.log", "mail.log.1");
    append("mail.log", 5, 7);
    expect(2, 7);
    assert_int_equal(warnings("warning"), 0);
}

static void test_rotated_half_line(void **state)
{
    (void)state;
    append("mail.log", 1, 2);
    append_bytes("mail.log", "2023", 4);
    open_at(NULL);
    expect(1, 2);
    rotate("mail.log", "mail.log.1");
    append("mail.log", 2, 3);
    expect(2, 3);
    assert_int_equal(warnings("half a line"), 1);
}

static void test_copytruncate(void **state)
{
    (void)state;
    append("mail.log", 1, 50);
    open_at(NULL);
    expect_some(1, 10);
    /* What is in the buffer is read from there or from the copy; nothing comes twice. */
    copy("mail.log", "mail.log.1");
    assert_int_equal(truncate(fx.log, 0), 0);
    expect(10, 50);
    append("mail.log", 50, 60);
    expect(50, 60);
    /* The tail is only in the copy. */
    append("mail.log", 60, 70);
    rotate("mail.log.1", "mail.log.2");
    copy("mail.log", "mail.log.1");
    assert_int_equal(truncate(fx.log, 0), 0);
    append("mail.log", 70, 72);
    expect(60, 72);
    /* Longer again than before when we look. */
    copy("mail.log", "mail.log.1");
    assert_int_equal(truncate(fx.log, 0), 0);
    append("mail.log", 72, 100);
    expect(72, 100);
    assert_int_equal(warnings("warning"), 0);
}

static void test_truncated_without_copy(void **state)
{
    (void)state;
    append("mail.log", 1, 5);
    open_at(NULL);
    expect(1, 5);
    assert_int_equal(truncate(fx.log, 0), 0);
    append("mail.log", 5, 7);
    expect(5, 7);
    assert_int_equal(warnings("may have been lost"), 1);
}

static void test_replaced_by_a_smaller_one(void **state)
{
    (void)state;
    append("mail.log", 1, 50);
    open_at(NULL);
    expect(1, 50);
    append("new", 50, 52);
    rotate("new", "mail.log");
    expect(50, 52);
}

static void test_removed(void **state)
{
    (void)state;
    append("mail.log", 1, 5);
    open_at(NULL);
    expect_some(1, 2);
    assert_int_equal(unlink(fx.log), 0);
    expect(2, 5);
    append("mail.log", 5, 7);
    expect(5, 7);
}

static void test_restart(void **state)
{
    struct logsource_position p;

    (void)state;
    append("mail.log", 1, 10);
    open_at(NULL);
    expect_some(1, 4);
    p = position();
    open_at(&p);
    expect_some(4, 6);
    p = position();
    append("mail.log", 10, 12);
    open_at(&p);
    expect(6, 12);
    assert_int_equal(warnings("warning"), 0);
}

/* What happens to the log between a position and the restart, and what is read then. */
static void rotate_twice(void)
{
    rotate("mail.log", "mail.log.1");
    append("mail.log", 10, 20);
    rotate("mail.log.1", "mail.log.2");
    rotate("mail.log", "mail.log.1");
    append("mail.log", 20, 30);
}

static void rotate_by_date(void)
{
    rotate("mail.log", "mail.log-20231123");
    append("mail.log-20231124", 10, 20);
    append("mail.log-20231122", 500, 510);
    append("mail.log", 20, 30);
}

/* logrotate(8) beside "postfix logrotate": names of two forms, which do not tell who is older. */
static void rotate_by_date_of_two_forms(void)
{
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    append("mail.log.20231121-060000", 500, 510);
    assert_int_equal(utimensat(AT_FDCWD, path_of("mail.log.20231121-060000"), times, 0), 0);
    rotate("mail.log", "mail.log-20231123");
    append("mail.log", 10, 30);
}

static void rotate_before_the_extension(void)
{
    rotate("mail.log", "mail-20231123.log");
    append("mail-20231124.log", 10, 20);
    append("mail-other.log", 500, 510);
    append("mail.log.gz", 500, 510);
    append("mail.log", 20, 30);
}

static void rotate_with_old_ones(void)
{
    append("mail.log.3", 500, 510);
    append("mail.log.2", 500, 510);
    rotate("mail.log", "mail.log.1");
    append("mail.log", 10, 30);
}

static void copytruncate_while_away(void)
{
    copy("mail.log", "mail.log.1");
    assert_int_equal(truncate(fx.log, 0), 0);
    append("mail.log", 10, 30);
}

static void rotate_and_not_begin(void)
{
    append("mail.log", 10, 30);
    rotate("mail.log", "mail.log.1");
}

static void copy_and_remove(void)
{
    copy("mail.log", "mail.log.1");
    assert_int_equal(unlink(fx.log), 0);
    append("mail.log", 10, 30);
}

static void grow(void)
{
    append("mail.log", 10, 30);
}

static void compress_and_rotate(void)
{
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    append("mail.log.3", 500, 510); /* older than where reading ended */
    assert_int_equal(utimensat(AT_FDCWD, path_of("mail.log.3"), times, 0), 0);
    rotate("mail.log", "mail.log.2.gz");
    times[0].tv_sec = times[1].tv_sec = 4102444800; /* newer */
    append("mail.log.1", 10, 20);
    assert_int_equal(utimensat(AT_FDCWD, path_of("mail.log.1"), times, 0), 0);
    append("mail.log", 20, 30);
}

static void start_afresh(void)
{
    assert_int_equal(unlink(fx.log), 0);
    append("mail.log", 10, 30);
}

static void truncate_while_away(void)
{
    assert_int_equal(truncate(fx.log, 0), 0);
    append("mail.log", 10, 30);
}

static void test_restart_after(void **state)
{
    static const struct {
        const char *label;
        void (*meanwhile)(void);
        int first; /* 4: nothing lost */
        int losses;
    } cases[] = {
        {"nothing", grow, 4, 0},
        {"two rotations", rotate_twice, 4, 0},
        {"rotation by date", rotate_by_date, 4, 0},
        {"rotation by dates of two forms", rotate_by_date_of_two_forms, 4, 0},
        {"rotation before the extension", rotate_before_the_extension, 4, 0},
        {"rotation with older ones there", rotate_with_old_ones, 4, 0},
        {"rotation, no new log yet", rotate_and_not_begin, 4, 0},
        {"copytruncate", copytruncate_while_away, 4, 0},
        {"copy, then another file", copy_and_remove, 4, 0},
        {"compression", compress_and_rotate, 10, 1},
        {"another file", start_afresh, 10, 1},
        {"truncation", truncate_while_away, 10, 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct logsource_position p;

        if (i > 0) { /* each in a folder of its own */
            assert_int_equal(tear_down(state), 0);
            assert_int_equal(set_up(state), 0);
        }
        append("mail.log", 1, 10);
        open_at(NULL);
        expect_some(1, 4);
        p = position();
        logsource_close(&fx.source);
        cases[i].meanwhile();
        open_at(&p);
        for (int n = cases[i].first; n < 30; n++) {
            int is = next();

            if (is != n)
                fail_msg("%s: %d instead of %d", cases[i].label, is, n);
        }
        assert_int_equal(next(), -1);
        if (warnings("may have been lost") != cases[i].losses)
            fail_msg("%s: %d warnings", cases[i].label, warnings("may have been lost"));
    }
}

/* The first bytes are the same, but the place where reading ended is no longer there. */
static void test_restart_after_shortening(void **state)
{
    struct logsource_position p;

    (void)state;
    append("mail.log", 1, 20);
    open_at(NULL);
    expect_some(1, 15);
    p = position();
    logsource_close(&fx.source);
    assert_int_equal(truncate(fx.log, 10 * 64), 0);
    append("mail.log", 20, 22);
    open_at(&p);
    expect_some(1, 11);
    expect(20, 22);
    assert_int_equal(warnings("may have been lost"), 1);
}

/* The writer still has the renamed file open. */
static void test_restart_in_rotated_file(void **state)
{
    struct logsource_position p;

    (void)state;
    append("mail.log", 1, 5);
    open_at(NULL);
    expect_some(1, 3);
    p = position();
    rotate("mail.log", "mail.log.1");
    open_at(&p);
    expect(3, 5);
    logsource_woken(fx.source);
    append("mail.log.1", 5, 6);
    assert_true(woken());
    expect(5, 6);
    append("mail.log", 6, 7);
    assert_true(woken());
    expect(6, 7);
    assert_int_equal(warnings("warning"), 0);
}

static void test_rewind(void **state)
{
    struct logsource_position p, q;

    (void)state;
    append("mail.log", 1, 10);
    open_at(NULL);
    expect_some(1, 4);
    p = position();
    expect_some(4, 8);
    q = position();
    logsource_rewind(fx.source, &p);
    assert_memory_equal(position().bytes, p.bytes, 26);
    expect(4, 10);
    logsource_rewind(fx.source, &q);
    expect(8, 10);
    rotate("mail.log", "mail.log.1");
    append("mail.log", 10, 12);
    expect(10, 12);
    logsource_rewind(fx.source, &p);
    expect(4, 12);
    assert_int_equal(warnings("warning"), 0);
}

static void test_bad_position(void **state)
{
    struct logsource_position p = {.len = 5, .bytes = "Fxxxx"};
    struct logsource_position journal = {.len = 5, .bytes = "Js=1;"};

    (void)state;
    append("mail.log", 1, 3);
    open_at(&p);
    expect(1, 3);
    assert_int_equal(warnings("not one of this version's"), 1);
    open_at(&journal);
    expect(1, 3);
    assert_int_equal(warnings("not of this kind"), 1);
}

/* A line of 1 MB is passed over, in the memory of a short one, and where it begins is kept. */
static void test_long_line(void **state)
{
    static char chunk[4096];
    struct maillog_line line;
    struct logsource_position p;

    (void)state;
    memset(chunk, 'x', sizeof(chunk));
    append("mail.log", 1, 2);
    for (int i = 0; i < 256; i++)
        append_bytes("mail.log", chunk, sizeof(chunk));
    open_at(NULL);
    expect(1, 2);
    p = position();
    append_bytes("mail.log", chunk, sizeof(chunk));
    append_bytes("mail.log", "\n", 1);
    append("mail.log", 2, 3);
    assert_int_equal(logsource_next(fx.source, NOW, &line), LOGSOURCE_SKIP);
    expect(2, 3);
    open_at(&p);
    assert_int_equal(logsource_next(fx.source, NOW, &line), LOGSOURCE_SKIP);
    expect(2, 3);
}

/* The end of a line too long to keep may look like a line of its own. */
static void test_end_of_long_line(void **state)
{
    static char filler[LOGSOURCE_LINE_MAX + 1];

    (void)state;
    memset(filler, 'x', sizeof(filler));
    append_bytes("mail.log", filler, sizeof(filler));
    open_at(NULL);
    expect(1, 1);
    expect(1, 1);
    append("mail.log", 500, 501);
    append("mail.log", 1, 2);
    expect(1, 2);
}

/* A line that just fits the buffer, and what is no line of Postfix's at all. */
static void test_odd_bytes(void **state)
{
    static char filler[LOGSOURCE_LINE_MAX + 1];
    struct maillog_line line;

    (void)state;
    memset(filler, 0, sizeof(filler));
    filler[sizeof(filler) - 1] = '\n';
    append_bytes("mail.log", filler, sizeof(filler));
    append_bytes("mail.log", "\n\0\n\r\n", 5);
    append("mail.log", 1, 2);
    append_bytes("mail.log", filler, sizeof(filler));
    append("mail.log", 2, 3);
    open_at(NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(logsource_next(fx.source, NOW, &line), LOGSOURCE_SKIP);
    assert_int_equal(logsource_next(fx.source, NOW, &line), LOGSOURCE_LINE);
    expect(2, 3);
}

static void test_permission_denied(void **state)
{
    bool root = geteuid() == 0;

    (void)state;
    append("mail.log", 1, 3);
    assert_int_equal(chmod(fx.log, 0000), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    open_at(NULL);
    expect(1, 1);
    expect(1, 1);
    logsource_woken(fx.source);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(fx.log, 0644), 0);
    if (root)
        assert_int_equal(seteuid(65534), 0);
    assert_true(woken());
    expect(1, 3);
    if (root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(warnings("Permission denied"), 1);
}

static void test_no_file_at_all(void **state)
{
    (void)state;
    assert_int_equal(mkdir(fx.log, 0755), 0);
    open_at(NULL);
    expect(1, 1);
    assert_int_equal(warnings("not a regular file"), 1);
    assert_int_equal(rmdir(fx.log), 0);
    assert_int_equal(mkfifo(fx.log, 0644), 0);
    expect(1, 1);
    assert_int_equal(unlink(fx.log), 0);
    append("mail.log", 1, 2);
    expect(1, 2);
}

static void test_symbolic_link(void **state)
{
    struct logsource_position p;

    (void)state;
    assert_int_equal(mkdir(path_of("data"), 0755), 0);
    assert_int_equal(symlink("data/real.log", fx.log), 0);
    open_at(NULL);
    expect(1, 1);
    logsource_woken(fx.source);
    append("data/real.log", 1, 10);
    assert_true(woken());
    expect_some(1, 4);
    p = position();
    rotate("data/real.log", "data/real.log.1");
    append("data/real.log", 10, 12);
    open_at(&p);
    expect(4, 12);
    logsource_woken(fx.source);
    append("data/real.log", 12, 13);
    assert_true(woken());
    expect(12, 13);
    assert_int_equal(warnings("warning"), 0);
}

#ifdef HAVE_LIBSYSTEMD

/* Makes a journal of entries in the export format; false when systemd-journal-remote is missing. */
static bool make_journal(const char *entries)
{
    static const char *const tools[] = {"/usr/lib/systemd/systemd-journal-remote",
                                        "/lib/systemd/systemd-journal-remote"};
    char command[512];

    append_bytes("export", entries, strlen(entries));
    for (size_t i = 0; i < 2; i++) {
        if (access(tools[i], X_OK) != 0)
            continue;
        (void)mkdir(path_of("journal"), 0755); /* it may be there from an earlier call */
        snprintf(command, sizeof(command), "%s --output=%s %s >/dev/null 2>&1", tools[i],
                 path_of("journal/system.journal"), path_of("export"));
        assert_int_equal(system(command), 0);
        assert_int_equal(unlink(path_of("export")), 0);
        return true;
    }
    return false;
}

static void open_journal(const struct logsource_position *start)
{
    char error[256] = "";

    logsource_close(&fx.source);
    fx.source = logsource_journal_open(path_of("journal"), start, error, sizeof(error));
    assert_string_equal(error, "");
    logsource_trust(fx.source, MAILLOG_QUOTING_EXTERNAL, 107);
}

#define ENTRY(at, uid, transport, name, message)                                                   \
    "__REALTIME_TIMESTAMP=" at "\n__MONOTONIC_TIMESTAMP=" at                                       \
    "\n_BOOT_ID=0123456789abcdef0123456789abcdef\n_UID=" uid "\n_TRANSPORT=" transport             \
    "\nSYSLOG_IDENTIFIER=" name "\nMESSAGE=" message "\n\n"

static const char entries[] =
    ENTRY("1700726400000001", "0", "syslog", "postfix/qmgr", "000001: removed")
        ENTRY("1700726400001000", "1000", "syslog", "postfix/qmgr", "000101: removed")
            ENTRY("1700726400002000", "107", "stdout", "postfix/qmgr", "000102: removed")
                ENTRY("1700726400003000", "107", "syslog", "sshd", "000103: removed")
                    ENTRY("1700726400004000", "107", "syslog", "postfix/qmgr", "000002: removed")
                        ENTRY("1700726400005999", "107", "syslog", "postfix-out/postsuper",
                              "000003: removed");

static const char more_entries[] =
    ENTRY("1700726500000000", "107", "syslog", "postfix/qmgr", "000004: removed");

static void test_journal(void **state)
{
    struct logsource_position p;
    struct maillog_line line;

    (void)state;
    if (!make_journal(entries))
        skip();
    open_journal(NULL);
    assert_int_equal(position().len, 0);
    assert_int_equal(logsource_next(fx.source, NOW, &line), LOGSOURCE_LINE);
    assert_int_equal(line.time, 1700726400000);
    assert_false(line.coarse);
    p = position();
    expect(2, 4);
    logsource_rewind(fx.source, &p);
    expect(2, 4);
    p = position();
    assert_true(make_journal(more_entries));
    assert_true(woken());
    expect(4, 5);
    open_journal(&p);
    expect(4, 5);
    assert_int_equal(warnings("warning"), 0);
}

/* The entry of the position was vacuumed away. */
static void test_journal_lost(void **state)
{
    struct logsource_position p;

    (void)state;
    if (!make_journal(entries))
        skip();
    open_journal(NULL);
    expect(1, 4);
    p = position();
    logsource_close(&fx.source);
    assert_int_equal(unlink(path_of("journal/system.journal")), 0);
    assert_true(make_journal(more_entries));
    open_journal(&p);
    expect(4, 5);
    assert_int_equal(warnings("may have been lost"), 1);
}

#else

static void test_no_journal(void **state)
{
    char error[256] = "";

    (void)state;
    assert_null(logsource_open("journal", NULL, error, sizeof(error)));
    assert_non_null(strstr(error, "without libsystemd"));
}

#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_grows),
        TEST(test_half_a_line),
        TEST(test_not_there_yet),
        TEST(test_no_directory_yet),
        TEST(test_wakes),
        TEST(test_rotation),
        TEST(test_rotation_missed),
        TEST(test_rotated_half_line),
        TEST(test_copytruncate),
        TEST(test_truncated_without_copy),
        TEST(test_replaced_by_a_smaller_one),
        TEST(test_removed),
        TEST(test_restart),
        TEST(test_restart_after),
        TEST(test_restart_after_shortening),
        TEST(test_restart_in_rotated_file),
        TEST(test_rewind),
        TEST(test_bad_position),
        TEST(test_long_line),
        TEST(test_end_of_long_line),
        TEST(test_odd_bytes),
        TEST(test_permission_denied),
        TEST(test_no_file_at_all),
        TEST(test_symbolic_link),
#ifdef HAVE_LIBSYSTEMD
        TEST(test_journal),
        TEST(test_journal_lost),
#else
        TEST(test_no_journal),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
