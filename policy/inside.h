/*
 * Sockets where Postfix's chrooted services reach them. A UNIX socket that postern.conf has outside
 * of queue_directory is made in a folder inside, $queue_directory/postern, and the place that
 * postern.conf names becomes a symbolic link to it: connect(2) follows that, so everybody else
 * still finds the socket there. To Postfix it is "unix:postern/NAME", with and without a chroot.
 *
 * Where that cannot be, the socket is at its own place as if there were no chroot, and the log says
 * why. Not thread-safe: for the start and the end of a program.
 */
#ifndef POSTERN_INSIDE_H
#define POSTERN_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

enum { INSIDE_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) };

/*
 * Where the socket `where` ("unix:/run/postern/x.sock") is inside. False, and "": it has no such
 * place, as it is by TCP, inside already, or its path would be too long. Pure.
 */
bool inside_path(const char *queue_directory, const char *where, char path_r[INSIDE_PATH_MAX]);

/* True when the place in `where` is a link to this path. */
bool inside_leads(const char *where, const char *path);

/* As root: makes the folder, for the account that will work in it. inside_open() finds failures. */
void inside_make_folder(const char *queue_directory, uid_t uid, gid_t gid);

/* Listens on "unix:/path" or the like; false with errno. */
typedef bool inside_opener(const char *where, void *context);

/*
 * Has `opener` listen inside, or at the place in `where` itself: then path_r is "". NULL for
 * queue_directory: not known. A socket that was left over is replaced; one that a program still
 * listens on is left alone. False with errno, EADDRINUSE or the opener's.
 */
bool inside_open(const char *where, const char *queue_directory, inside_opener *opener,
                 void *context, char path_r[INSIDE_PATH_MAX]);

/* Takes away what inside_open() made. */
void inside_remove(const char *where, const char *path);

#endif
