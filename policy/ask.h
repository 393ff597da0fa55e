/*
 * Asks a running posternd through its control socket (control.h): one request, one answer.
 */
#ifndef POSTERN_ASK_H
#define POSTERN_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

/* Where the socket is. False when the path is too long for one. */
bool ask_address(struct sockaddr_un *address, const char *runtime_directory);

/*
 * True when posternd answered: *done_r says whether there was such a thing. False, with a line in
 * error_r, when it could not be asked.
 */
bool ask_posternd(const char *runtime_directory, const char *verb, const char *what,
                  const char *name, bool *done_r, char *error_r, size_t size);

#endif
