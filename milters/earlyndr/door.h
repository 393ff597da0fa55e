/*
 * What is made of a recipient that is known not to exist (DESIGN 3.4). Thread-safe.
 */
#ifndef POSTERN_DOOR_H
#define POSTERN_DOOR_H

#include "doorway.h"

enum door_answer {
    DOOR_PASS,
    DOOR_REFUSE,
};

enum { DOOR_TEXT_MAX = DOORWAY_DOUBLED_MAX };

/*
 * Looks it up; for an address that is to be tried again asks posternd whether by this message.
 * DOOR_REFUSE: *bad_r is what is known.
 */
enum door_answer door_ask(const struct config *config, struct slice recipient,
                          struct bad_record *bad_r);

/* The text behind "550 5.1.1 " (doorway_bad_text), as libmilter wants it. */
void door_text(const struct bad_record *bad, struct slice recipient, char text_r[DOOR_TEXT_MAX]);

#endif
