/*
 * Asks a running posternd through its control socket (control.h): one request, one answer.
 * Thread-safe.
 */
#ifndef POSTERN_ASK_H
#define POSTERN_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include <jansson.h>

/* Where the socket is. False when the path is too long for one. */
bool ask_address(struct sockaddr_un *address, const char *runtime_directory);

/*
 * True when posternd answered: *done_r says whether there was such a thing. False, with a line in
 * error_r, when it could not be asked.
 */
bool ask_posternd(const char *runtime_directory, const char *verb, const char *what,
                  const char *name, bool *done_r, char *error_r, size_t size);

/*
 * The same with a body, for the requests that take one. The answer is a new reference; NULL, with a
 * line in error_r, when posternd could not be asked or did not answer within 5 s. Thread-safe.
 */
json_t *ask_json(const char *runtime_directory, const char *path, const json_t *body, char *error_r,
                 size_t size);

/* The body of an answer that is no JSON; free() it. NULL, with a line in error_r. */
char *ask_text(const char *runtime_directory, const char *path, char *error_r, size_t size);
/* The process that listens there; 0: none, or it may not be asked. */
pid_t ask_whom(const char *runtime_directory);

#endif
