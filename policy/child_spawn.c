#include "child_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the child tells its parent why the program could not be executed. */
enum { REPORT_FD = 3, FIRST_OTHER_FD = 4, CLOSE_MAX = 65536 };

static char path_variable[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin";
static char lang_variable[] = "LANG=C";
static char *const clean_environment[] = {path_variable, lang_variable, NULL};

int child_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    return fcntl(fds[0], F_SETFL, O_NONBLOCK);
}

void child_kill(pid_t pid)
{
    if (kill(-pid, SIGKILL) < 0)
        kill(pid, SIGKILL);
}

void child_set_end(struct child_end *end, int wait_status, bool timed_out)
{
    end->status = -1;
    end->error = 0;
    end->signal = 0;
    if (timed_out) {
        end->error = ETIMEDOUT;
    } else if (WIFEXITED(wait_status)) {
        end->status = WEXITSTATUS(wait_status);
    } else {
        end->error = ECANCELED;
        end->signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    }
}

/* Writes all bytes or returns -1 with errno. */
static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/*
 * The command's standard input. postmap(1) gives a table the mode of an input that is a regular
 * file, which this is: 0644, so that Postfix can read the table.
 */
static int input_open(const struct child_command *command)
{
    if (command->input == NULL)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fchmod(fd, 0644) < 0 || write_all(fd, command->input, command->input_len) < 0 ||
        lseek(fd, 0, SEEK_SET) < 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static void close_others(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)FIRST_OTHER_FD, UINT32_MAX, 0U) == 0)
        return;
#endif
    /* An older kernel. All of ours are close-on-exec anyway: this is for what we inherited. */
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = FIRST_OTHER_FD; fd < (most > 0 && most < CLOSE_MAX ? most : CLOSE_MAX); fd++)
        close(fd);
}

/* Ignored signals and the mask survive execve(); a daemon ignores SIGPIPE, its commands must not.
 */
static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int become(const struct child_command *command)
{
    if (!command->as_account)
        return 0;
    if (setgroups(1, &command->gid) < 0 || setgid(command->gid) < 0 || setuid(command->uid) < 0)
        return -1;
    return 0;
}

/* Moves the descriptors out of the way first: any of them may be one of 0 to 3 already. */
static int arrange_descriptors(int input, int output, int errors, int report)
{
    input = fcntl(input, F_DUPFD, FIRST_OTHER_FD);
    output = fcntl(output, F_DUPFD, FIRST_OTHER_FD);
    errors = fcntl(errors, F_DUPFD, FIRST_OTHER_FD);
    report = fcntl(report, F_DUPFD, FIRST_OTHER_FD);
    if (input < 0 || output < 0 || errors < 0 || report < 0)
        return -1;
    if (dup3(report, REPORT_FD, O_CLOEXEC) < 0 || dup2(input, STDIN_FILENO) < 0 ||
        dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
        return -1;
    close_others();
    return 0;
}

/* In the child: becomes the program, or tells the parent why not. */
static _Noreturn void child_exec(const struct child_command *command, int input, int output,
                                 int errors, int report)
{
    reset_signals();
    setpgid(0, 0);
    umask(022);
    if (arrange_descriptors(input, output, errors, report) == 0) {
        report = REPORT_FD;
        if (chdir("/") == 0 && become(command) == 0) {
            environ = (char **)clean_environment; /* execvp() takes PATH from there */
            execvp(command->argv[0], command->argv);
        }
    }
    int error = errno;
    ssize_t told = write(report, &error, sizeof(error));
    _exit(told == (ssize_t)sizeof(error) ? 126 : 127);
}

/* The errno the child sent, or 0 when the pipe was closed by a successful execve(). */
static int read_report(int fd)
{
    int error = 0;
    ssize_t n;
    do {
        n = read(fd, &error, sizeof(error));
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(error) ? error : 0;
}

/* Forks, and waits for the child's report. */
static pid_t spawn_with_input(const struct child_command *command, int input, int output,
                              int errors)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        child_exec(command, input, output, errors, report[1]);
    int error = errno;
    close(report[1]);
    if (pid > 0 && (error = read_report(report[0])) != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        pid = -1;
    }
    close(report[0]);
    errno = error;
    return pid;
}

pid_t child_spawn(const struct child_command *command, int output, int errors)
{
    int input = input_open(command);
    if (input < 0)
        return -1;
    pid_t pid = spawn_with_input(command, input, output, errors);
    int saved = errno;
    close(input);
    errno = saved;
    return pid;
}
