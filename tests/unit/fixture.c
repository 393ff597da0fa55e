#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "lock.h"

char folder[64];
struct store *store;

static pid_t holder; /* of the lock */

int fixture_set_up(const char *name)
{
    snprintf(folder, sizeof(folder), "/tmp/postern-test-%s.XXXXXX", name);
    if (mkdtemp(folder) == NULL)
        return -1;
    fixture_begin_state();
    return 0;
}

int fixture_tear_down(void)
{
    char command[128];

    store_close(&store);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

void fixture_begin_state(void)
{
    char error[512];

    store = store_open(folder, true, (gid_t)-1, error, sizeof(error));
    if (store == NULL)
        fail_msg("%s", error);
    assert_true(store_begin(store));
}

void fixture_end_state(void)
{
    assert_true(store_commit(store));
    store_close(&store);
}

struct config *fixture_config(const char *text)
{
    char path[] = "/tmp/postern-test-conf.XXXXXX";
    char error[1024];
    int fd = mkstemp(path);
    struct config *config;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    config = config_load(path, error, sizeof(error));
    unlink(path);
    if (config == NULL)
        fail_msg("%s", error);
    return config;
}

void fixture_start_posternd(void)
{
    int ends[2];
    char ready;

    assert_int_equal(pipe(ends), 0);
    holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!lock_take(folder) || write(ends[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
}

void fixture_stop_posternd(void)
{
    if (holder > 0) {
        kill(holder, SIGKILL);
        waitpid(holder, NULL, 0);
    }
    holder = 0;
}
