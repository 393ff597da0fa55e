/*
 * What SELinux allows others, by what the kernel says in /sys/fs/selinux: for the doctor and setup,
 * which tell what a policy will deny before it is denied. libselinux is not needed for that.
 * Thread-safe. What cannot be asked counts as allowed: it is for reports, never for access.
 */
#ifndef POSTERN_SELINUX_H
#define POSTERN_SELINUX_H

#include <stdbool.h>
#include <stddef.h>

enum { SELINUX_CONTEXT_MAX = 512 };

/* True when a policy is in force, and does more than to log. */
bool selinux_enforcing(void);

/* True when the policy has this type. */
bool selinux_has_type(const char *type);

/* The context of a file. False: it has none, or is not there. */
bool selinux_context(const char *path, char context_r[SELINUX_CONTEXT_MAX]);

/*
 * Whether a process of `domain` (a type) may do all of `permissions` (words) to what is at `path`,
 * an object of `class`. A directory's context is taken for a file that is not there yet.
 */
bool selinux_may(const char *domain, const char *path, const char *class, const char *permissions);

/* The domain of a process of `domain` that has run the program at `path`. */
void selinux_domain_after(const char *domain, const char *path, char domain_r[SELINUX_CONTEXT_MAX]);

/* --- Pure parts --- */

/* The type within a context, user:role:type[:level]. False: it is not one. */
bool selinux_type(const char *context, char type_r[SELINUX_CONTEXT_MAX]);
/* The context of a service's domain: with a level when `like`, another context, has one. */
void selinux_domain_context(const char *domain, const char *like,
                            char context_r[SELINUX_CONTEXT_MAX]);
/* The kernel's answer; true: all the bits are allowed, or denials of the domain are only logged. */
bool selinux_answer_allows(const char *answer, unsigned bits);

#endif
