/* Sockets inside queue_directory: their names, the folder, the link, and what is in the way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "inside.h"
#include "listen.h"
#include "queuedir.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- Names --- */

static void names(void **state)
{
    static const struct {
        const char *queue, *where, *path; /* "": none */
    } cases[] = {
        {"/var/spool/postfix", "unix:/run/postern/x.sock", "/var/spool/postfix/postern/x.sock"},
        {"/var/spool/postfix//", "unix:/run/postern/x.sock", "/var/spool/postfix/postern/x.sock"},
        {"/q", "unix:/run/a/b/c", "/q/postern/c"},
        {"/q", "unix:/qq/c", "/q/postern/c"},
        {"/q", "unix:/q/postern/c", ""},
        {"/q", "unix:/q/c", ""},
        {"/q", "unix:/run/", ""},
        {"/q", "unix:c", ""},
        {"/q", "unix:", ""},
        {"/q", "inet:24891@127.0.0.1", ""},
        {"/q", "", ""},
        {"/", "unix:/run/c", ""},
        {"", "unix:/run/c", ""},
        {"/q2345678901234567890123456789012345678901234567890123456789012345678901234567890123456",
         "unix:/run/123456789012", /* a path of 108 bytes: one too many */
         ""},
        {"/q234567890123456789012345678901234567890123456789012345678901234567890123456789012345",
         "unix:/run/123456789012",
         "/q234567890123456789012345678901234567890123456789012345678901234567890123456789012345"
         "/postern/123456789012"},
    };
    char path[INSIDE_PATH_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool has = inside_path(cases[i].queue, cases[i].where, path);
        if (strcmp(path, cases[i].path) != 0 || has != (path[0] != '\0'))
            fail_msg("%s, %s: \"%s\"", cases[i].queue, cases[i].where, path);
    }
}

/* --- A machine of our own --- */

struct machine {
    char directory[32];
    char queue[64], run[64];
    char place[96], inside[96], where[104];
    int calls;        /* of the opener */
    int fail;         /* so many of them fail */
    int fd;           /* what listens */
    char opened[256]; /* the last one */
};

static void text(char *to, size_t size, const char *a, const char *b)
{
    assert_true((size_t)snprintf(to, size, "%s%s", a, b) < size);
}

static int set_up(void **state)
{
    struct machine *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    strcpy(m->directory, "/tmp/test_inside.XXXXXX");
    assert_non_null(mkdtemp(m->directory));
    text(m->queue, sizeof(m->queue), m->directory, "/queue");
    text(m->run, sizeof(m->run), m->directory, "/run");
    text(m->place, sizeof(m->place), m->run, "/x.sock");
    text(m->inside, sizeof(m->inside), m->queue, "/postern/x.sock");
    text(m->where, sizeof(m->where), "unix:", m->place);
    assert_int_equal(mkdir(m->queue, 0755), 0);
    assert_int_equal(mkdir(m->run, 0755), 0);
    m->fd = -1;
    *state = m;
    return 0;
}

static int tear_down(void **state)
{
    struct machine *m = *state;
    char command[64];

    if (m->fd >= 0)
        close(m->fd);
    snprintf(command, sizeof(command), "rm -rf %s", m->directory);
    assert_int_equal(system(command), 0);
    free(m);
    return 0;
}

static bool opener(const char *where, void *context)
{
    struct machine *m = context;
    char error[512];

    m->calls++;
    text(m->opened, sizeof(m->opened), where, "");
    if (m->fail-- > 0) {
        errno = EACCES;
        return false;
    }
    m->fd = listen_open(where, error, sizeof(error));
    return m->fd >= 0;
}

/* Opens it. True: inside; false: at its own place. */
static bool open_it(struct machine *m)
{
    char path[INSIDE_PATH_MAX];

    assert_true(inside_open(m->where, m->queue, opener, m, path));
    if (path[0])
        assert_string_equal(path, m->inside);
    assert_true(listen_alive(m->where));
    return path[0] != '\0';
}

/* As kill -9 leaves it. */
static void die(struct machine *m)
{
    close(m->fd);
    m->fd = -1;
}

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static bool is_socket(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

/* --- What becomes of it --- */

static void it_comes_and_goes(void **state)
{
    struct machine *m = *state;
    struct stat st;
    char folder[96];

    inside_make_folder(m->queue, geteuid(), getegid());
    text(folder, sizeof(folder), m->queue, "/postern");
    assert_int_equal(lstat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    assert_true(open_it(m));
    assert_true(is_socket(m->inside));
    assert_true(inside_leads(m->where, m->inside));
    assert_false(inside_leads(m->where, ""));
    assert_false(inside_leads("inet:24891@127.0.0.1", m->inside));
    die(m);
    inside_remove(m->where, m->inside);
    assert_false(is_there(m->inside));
    assert_false(is_there(m->place));
}

static void killed_and_started_again(void **state)
{
    struct machine *m = *state;

    inside_make_folder(m->queue, geteuid(), getegid());
    assert_true(open_it(m));
    die(m);
    assert_false(listen_alive(m->where));
    assert_true(open_it(m));
    /* The link was taken away, as by a cleaner of /run. */
    die(m);
    unlink(m->place);
    assert_true(open_it(m));
    /* A version that knew no link left its socket. */
    die(m);
    unlink(m->place);
    m->fd = listen_open(m->where, (char[512]){0}, 512);
    die(m);
    assert_true(is_socket(m->place));
    assert_true(open_it(m));
}

/* Another queue_directory: what is left in the first one goes. */
static void it_moves(void **state)
{
    struct machine *m = *state;
    char first[96];

    inside_make_folder(m->queue, geteuid(), getegid());
    assert_true(open_it(m));
    die(m);
    strcpy(first, m->inside);
    text(m->queue, sizeof(m->queue), m->directory, "/second");
    text(m->inside, sizeof(m->inside), m->queue, "/postern/x.sock");
    assert_int_equal(mkdir(m->queue, 0755), 0);
    inside_make_folder(m->queue, geteuid(), getegid());
    assert_true(open_it(m));
    assert_false(is_there(first));
    assert_true(is_socket(m->inside));
}

static void a_live_one_stays(void **state)
{
    struct machine *m = *state;
    char path[INSIDE_PATH_MAX];
    char error[512];
    int other;

    inside_make_folder(m->queue, geteuid(), getegid());
    assert_true(open_it(m));
    m->calls = 0;
    assert_false(inside_open(m->where, m->queue, opener, m, path));
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(m->calls, 0);
    assert_true(listen_alive(m->where));
    /* One that another program has inside, by the same name. */
    die(m);
    unlink(m->place);
    text(m->opened, sizeof(m->opened), "unix:", m->inside);
    other = listen_open(m->opened, error, sizeof(error));
    assert_true(other >= 0);
    assert_false(open_it(m));
    assert_true(is_socket(m->place));
    assert_true(is_socket(m->inside));
    text(m->opened, sizeof(m->opened), "unix:", m->inside);
    assert_true(listen_alive(m->opened));
    die(m);
    inside_remove(m->where, "");
    assert_true(is_socket(m->inside));
    assert_false(is_there(m->place));
    close(other);
}

/* --- Where it cannot be --- */

static void stay_outside(struct machine *m)
{
    m->calls = 0;
    assert_false(open_it(m));
    assert_int_equal(m->calls, 1);
    assert_string_equal(m->opened, m->where);
    assert_true(is_socket(m->place));
    die(m);
}

static void no_folder(void **state)
{
    struct machine *m = *state;
    char folder[96];
    char target[96];

    text(folder, sizeof(folder), m->queue, "/postern");
    text(target, sizeof(target), m->directory, "/target");
    stay_outside(m);
    /* A link, for those who make it and for those who use it. */
    assert_int_equal(mkdir(target, 0700), 0);
    assert_int_equal(symlink(target, folder), 0);
    inside_make_folder(m->queue, geteuid(), getegid());
    stay_outside(m);
    assert_int_equal(rmdir(target), 0);
    unlink(folder);
    /* Open to others, either. */
    inside_make_folder(m->queue, geteuid(), getegid());
    assert_int_equal(chmod(folder, 0777), 0);
    stay_outside(m);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(chmod(m->queue, 0775), 0);
    inside_make_folder(m->queue, geteuid(), getegid());
    assert_false(is_there(folder));
    stay_outside(m);
    assert_int_equal(chmod(m->queue, 0755), 0);
    inside_make_folder(m->queue, geteuid(), getegid());
    assert_true(open_it(m));
    /* It was inside, and is not any more. */
    die(m);
    assert_int_equal(chmod(m->queue, 0775), 0);
    stay_outside(m);
}

static void the_opener_fails(void **state)
{
    struct machine *m = *state;
    char path[INSIDE_PATH_MAX];

    inside_make_folder(m->queue, geteuid(), getegid());
    m->fail = 1;
    assert_false(open_it(m));
    assert_int_equal(m->calls, 2);
    assert_true(is_socket(m->place));
    die(m);
    m->fail = 2;
    assert_false(inside_open(m->where, m->queue, opener, m, path));
    assert_int_equal(errno, EACCES);
    assert_string_equal(path, "");
    /* No queue_directory, and no UNIX socket. */
    assert_true(inside_open(m->where, NULL, opener, m, path));
    assert_string_equal(path, "");
    die(m);
    m->fail = 1;
    assert_false(inside_open("inet:127.0.0.1:1", m->queue, opener, m, path));
    assert_string_equal(m->opened, "inet:127.0.0.1:1");
}

/* What is no socket and no link of ours is neither followed nor taken away. */
static void others_stay(void **state)
{
    struct machine *m = *state;
    char path[INSIDE_PATH_MAX];
    char precious[96];

    inside_make_folder(m->queue, geteuid(), getegid());
    text(precious, sizeof(precious), m->directory, "/precious");
    write_file(precious, "x");
    assert_int_equal(symlink(precious, m->place), 0);
    assert_false(inside_open(m->where, m->queue, opener, m, path));
    inside_remove(m->where, path);
    assert_true(is_there(m->place));
    unlink(m->place);
    write_file(m->place, "x");
    assert_false(inside_open(m->where, m->queue, opener, m, path));
    inside_remove(m->where, path);
    assert_true(is_there(m->place));
    unlink(m->place);
    assert_int_equal(symlink(precious, m->inside), 0);
    assert_false(open_it(m));
    assert_true(is_there(m->inside));
    assert_true(is_there(precious));
}

/* --- queue_directory --- */

static void queue_directories(void **state)
{
    static const struct {
        const char *main, *path;
    } cases[] = {
        {"", "/var/spool/postfix"},
        {"queue_directory = /q\n", "/q"},
        {"queue_directory=/q", "/q"},
        {"queue_directory = /q\nqueue_directory = /r \n", "/r"},
        {"# queue_directory = /q\n", "/var/spool/postfix"},
        {"queue_directory =\n# a comment\n  /q\n", "/q"},
        {"a = b\n  queue_directory = /q\n", "/var/spool/postfix"},
        {"my_queue_directory = /q\nqueue_directory_2 = /r\n", "/var/spool/postfix"},
        {"queue_directory = $data_directory/q\n", NULL},
        {"queue_directory = q\n", NULL},
        {"queue_directory =\n", NULL},
    };
    struct machine *m = *state;
    char file[96];
    char error[512];
    char *path;

    text(file, sizeof(file), m->directory, "/main.cf");
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_file(file, cases[i].main);
        path = queuedir_read(m->directory, error, sizeof(error));
        if ((path == NULL) != (cases[i].path == NULL) || (path && strcmp(path, cases[i].path) != 0))
            fail_msg("%s: %s", cases[i].main, path ? path : error);
        if (path == NULL)
            assert_non_null(strstr(error, "no plain path"));
        free(path);
    }
    unlink(file);
    assert_null(queuedir_read(m->directory, error, sizeof(error)));
    assert_non_null(strstr(error, "/main.cf: No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test_setup_teardown(it_comes_and_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_and_started_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_moves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_live_one_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_opener_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(queue_directories, set_up, tear_down),
    };

    umask(022);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
