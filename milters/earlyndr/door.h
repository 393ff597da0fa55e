/*
 * What is made of a recipient that is known not to exist (DESIGN 3.4). Thread-safe.
 */
#ifndef POSTERN_DOOR_H
#define POSTERN_DOOR_H

#include "config.h"
#include "record.h"

enum door_answer {
    DOOR_PASS,
    DOOR_REFUSE,
};

/* A line of a reply has at most 512 bytes (RFC 5321 section 4.5.3.1.5). */
enum { DOOR_TEXT_MAX = 480 };

/*
 * Looks it up; for an address that is to be tried again asks posternd whether by this message.
 * DOOR_REFUSE: *bad_r is what is known.
 */
enum door_answer door_ask(const struct config *config, struct slice recipient,
                          struct bad_record *bad_r);

/*
 * The text behind "550 5.1.1 ": what the remote host said, and when. One line of printable ASCII,
 * with each '%' doubled: libmilter takes it for a format.
 */
void door_text(const struct bad_record *bad, struct slice recipient, char text_r[DOOR_TEXT_MAX]);

#endif
