#include "selinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ROOT "/sys/fs/selinux"

enum { PATH_SIZE = 4200, ANSWER_SIZE = 512, QUESTION_SIZE = 2 * SELINUX_CONTEXT_MAX + 32 };
enum { PERMISSIVE = 1 }; /* of the answer's flags */

/* --- Pure parts --- */

bool selinux_type(const char *context, char type_r[SELINUX_CONTEXT_MAX])
{
    const char *role = strchr(context, ':');
    const char *type = role ? strchr(role + 1, ':') : NULL;
    size_t len = type ? strcspn(type + 1, ":") : 0;

    if (len == 0 || len >= SELINUX_CONTEXT_MAX)
        return false;
    memcpy(type_r, type + 1, len);
    type_r[len] = '\0';
    return true;
}

static bool has_level(const char *context)
{
    int colons = 0;

    for (; *context; context++)
        colons += *context == ':';
    return colons > 2;
}

void selinux_domain_context(const char *domain, const char *like,
                            char context_r[SELINUX_CONTEXT_MAX])
{
    snprintf(context_r, SELINUX_CONTEXT_MAX, "system_u:system_r:%s%s", domain,
             has_level(like) ? ":s0" : "");
}

/* "allowed decided auditallow auditdeny sequence flags"; older kernels have no flags. */
bool selinux_answer_allows(const char *answer, unsigned bits)
{
    unsigned allowed;
    unsigned flags = 0;
    int n = sscanf(answer, "%x %*x %*x %*x %*u %x", &allowed, &flags);

    return n < 1 || (flags & PERMISSIVE) || (allowed & bits) == bits;
}

/* --- The kernel --- */

/* A file of one line, without the end of it. */
static bool read_line(const char *path, char *line_r, size_t size)
{
    FILE *file = fopen(path, "re");
    bool ok = file && fgets(line_r, (int)size, file) != NULL;

    if (file)
        fclose(file);
    if (ok)
        line_r[strcspn(line_r, "\n")] = '\0';
    return ok;
}

/* Files that take a question and then have the answer. answer_r may be NULL. */
static bool ask(const char *path, const char *question, char answer_r[ANSWER_SIZE])
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ssize_t n = -1;

    if (fd < 0)
        return false;
    /* With the NUL: the kernel reads a string. */
    if (write(fd, question, strlen(question) + 1) >= 0)
        n = answer_r ? read(fd, answer_r, ANSWER_SIZE - 1) : 0;
    close(fd);
    if (n >= 0 && answer_r)
        answer_r[n] = '\0';
    return n >= 0;
}

static unsigned number_in(const char *path)
{
    char line[32];

    return read_line(path, line, sizeof(line)) ? (unsigned)strtoul(line, NULL, 10) : 0;
}

static unsigned class_number(const char *class)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), ROOT "/class/%s/index", class);
    return number_in(path);
}

/* Permissions are numbered from 1; one that the policy does not know takes no bit. */
static unsigned permission_bits(const char *class, const char *words)
{
    char path[PATH_SIZE];
    unsigned bits = 0;

    while (*(words += strspn(words, " "))) {
        int len = (int)strcspn(words, " ");
        snprintf(path, sizeof(path), ROOT "/class/%s/perms/%.*s", class, len, words);
        unsigned number = number_in(path);
        if (number >= 1 && number <= 32)
            bits |= 1U << (number - 1);
        words += len;
    }
    return bits;
}

bool selinux_enforcing(void)
{
    return number_in(ROOT "/enforce") == 1;
}

bool selinux_has_type(const char *type)
{
    char context[SELINUX_CONTEXT_MAX];

    snprintf(context, sizeof(context), "system_u:object_r:%.200s", type);
    if (ask(ROOT "/context", context, NULL))
        return true;
    snprintf(context, sizeof(context), "system_u:object_r:%.200s:s0", type);
    return ask(ROOT "/context", context, NULL);
}

bool selinux_context(const char *path, char context_r[SELINUX_CONTEXT_MAX])
{
    ssize_t n = getxattr(path, "security.selinux", context_r, SELINUX_CONTEXT_MAX - 1);

    if (n <= 0)
        return false;
    context_r[n] = '\0';
    return true;
}

/* Of the path, or of the next directory that is there: what is made in one takes its type. */
static bool context_to_be(const char *path, char context_r[SELINUX_CONTEXT_MAX])
{
    char at[PATH_SIZE];
    char *slash;

    snprintf(at, sizeof(at), "%s", path);
    while (access(at, F_OK) != 0 && (slash = strrchr(at, '/')) != NULL && slash > at)
        *slash = '\0';
    return selinux_context(at, context_r);
}

bool selinux_may(const char *domain, const char *path, const char *class, const char *permissions)
{
    char target[SELINUX_CONTEXT_MAX];
    char source[SELINUX_CONTEXT_MAX];
    char question[QUESTION_SIZE];
    char answer[ANSWER_SIZE];

    if (!context_to_be(path, target))
        return true;
    selinux_domain_context(domain, target, source);
    snprintf(question, sizeof(question), "%s %s %u", source, target, class_number(class));
    return !ask(ROOT "/access", question, answer) ||
           selinux_answer_allows(answer, permission_bits(class, permissions));
}

void selinux_domain_after(const char *domain, const char *path, char domain_r[SELINUX_CONTEXT_MAX])
{
    char program[SELINUX_CONTEXT_MAX];
    char source[SELINUX_CONTEXT_MAX];
    char question[QUESTION_SIZE];
    char answer[ANSWER_SIZE];

    snprintf(domain_r, SELINUX_CONTEXT_MAX, "%s", domain);
    if (!selinux_context(path, program))
        return;
    selinux_domain_context(domain, program, source);
    snprintf(question, sizeof(question), "%s %s %u", source, program, class_number("process"));
    if (ask(ROOT "/create", question, answer))
        selinux_type(answer, domain_r);
}
