/*
 * What is made at our own door of a recipient, from what posternd knows: its address does not exist
 * (DESIGN 3.4), or its destination cannot be reached (DESIGN 3.2, milters.retrycap.when_down). The
 * milters and the policy service ask the same questions here.
 *
 * Reads within the caller's transaction of the state. In doubt it is DOORWAY_PASS. The answers do
 * not depend on `enforce`: where it is false the caller says what it would do, and lets pass.
 * Thread-safe as far as the store is.
 */
#ifndef POSTERN_DOORWAY_H
#define POSTERN_DOORWAY_H

#include "config.h"
#include "record.h"
#include "route.h"

enum doorway_answer {
    DOORWAY_PASS,
    DOORWAY_BAD,      /* known to be bad: 550 5.1.1 */
    DOORWAY_TEST,     /* known to be bad, and one message may try it: ask posternd which */
    DOORWAY_WARN,     /* down: accept, and tell the sender */
    DOORWAY_TEMPFAIL, /* down: 450 4.4.1 */
    DOORWAY_REFUSE,   /* down for as long as the policy tries: 550 5.4.7 */
};

/* A recipient as on the wire or bare. *bad_r is filled in for BAD and TEST. */
enum doorway_answer doorway_address(struct store *store, const struct config *config,
                                    struct slice recipient, int64_t now, struct bad_record *bad_r);

/* A destination that is down. */
struct doorway_down {
    struct destination_record to;
    char domain[ROUTE_KEY_MAX]; /* the recipient's */
    const char *policy;         /* its name in postern.conf; belongs to the configuration */
    uint64_t failures;          /* open retries of the present outage */
    uint32_t cap;               /* of them; 0: none */
    uint32_t interval;          /* seconds between them */
    int64_t given_up; /* when a message that comes now is given up, if all goes on so; 0: never */
};

/*
 * By the recipient's domain. *down_r is filled in for all but PASS.
 *
 * Down is what is held, and what is being tried again by a message that is in the queue. When no
 * message is left to try it, the next one passes: nobody else would find out that it is back.
 *
 * A message that comes now has had no retry, and would be given all that the policy allows. It is
 * refused when the present outage has had as many: another message has just waited so long in vain,
 * and its sender was told no more than this one can be told at once.
 */
enum doorway_answer doorway_destination(struct store *store, const struct config *config,
                                        struct slice recipient, int64_t now,
                                        struct doorway_down *down_r);

/*
 * The texts behind "550 5.1.1 ", "450 4.4.1 " and "550 5.4.7 ": one line of printable ASCII of
 * less than DOORWAY_TEXT_MAX bytes (a line of a reply has at most 512, RFC 5321 section 4.5.3.1.5).
 * For libmilter each '%' has to be doubled, see doorway_double().
 */
enum { DOORWAY_TEXT_MAX = 480 };

/* An empty recipient is left out: Postfix names it in front of what a policy service says. */
void doorway_bad_text(const struct bad_record *bad, struct slice recipient,
                      char text_r[DOORWAY_TEXT_MAX]);
void doorway_down_text(const struct doorway_down *down, enum doorway_answer answer, int64_t now,
                       char text_r[DOORWAY_TEXT_MAX]);

/* The text with each '%' doubled: libmilter takes it for a format. */
enum { DOORWAY_DOUBLED_MAX = 2 * DOORWAY_TEXT_MAX };
void doorway_double(const char *text, char doubled_r[DOORWAY_DOUBLED_MAX]);

#endif
