/*
 * What postern-gate answers to pipe(8) for one recipient of one message. Pure and thread-safe.
 *
 * pipe(8) takes exit status and an enhanced status code at the beginning of the output: 75
 * with 4.x.x defers, 69 with 5.x.x bounces (global/pipe_command.c), and the text goes to the log,
 * to mailq and into the NDR, where an ordinary sender reads it.
 */
#ifndef POSTERN_GATE_H
#define POSTERN_GATE_H

#include "record.h"
#include "rules.h"

/* A message to this address, from the null sender, only makes the queue manager forget (wake.h). */
#define GATE_NUDGE_ADDRESS "postern-nudge@postern.invalid"

enum { GATE_TEXT_MAX = 1200 };

enum gate_answer {
    GATE_NOT_YET,  /* exit 75 */
    GATE_GIVEN_UP, /* exit 69 */
    GATE_TAKEN,    /* exit 0 */
    GATE_LET_GO,   /* exit 75, and nothing of Postern's may stand in the way of the next attempt */
};

/* What is known about this recipient. */
struct gate_question {
    struct slice sender; /* "MAILER-DAEMON" for the null sender, as pipe(8) gives it */
    struct slice recipient;
    bool enforce;
    bool running;                        /* posternd is */
    const struct destination_record *to; /* NULL: unknown */
    const struct recipient *r;           /* NULL: unknown */
    struct rules rules;
    const char *last_error; /* "" when none is known */
    int64_t now;
};

/* Fills text_r (GATE_TEXT_MAX bytes) with the line for pipe(8). */
enum gate_answer gate_decide(const struct gate_question *q, char *text_r);

#endif
