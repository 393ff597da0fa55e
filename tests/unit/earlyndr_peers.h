/*
 * Whom postern-earlyndr stands between: Postfix, which calls its callbacks (a session as smtpd or
 * cleanup has it), and posternd, whose state is a real one (fixture.h) and whose control socket is
 * a fake that is linked in the place of ask.c (--wrap). The including file has cmocka's headers
 * before this one. Only what the outbox's thread touches is locked.
 */
#ifndef EARLYNDR_PEERS_H
#define EARLYNDR_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "fake_milter.h"

/* --- posternd --- */

enum may { UNASKABLE, NO, YES };

struct earlyndr_posternd {
    const char *bounce; /* the answers, as JSON; NULL: it cannot be asked */
    const char *report;
    enum may test;
    SMFICTX *watched; /* nothing may have been taken out of it before the report is asked for */
    bool too_early;
    json_t *question; /* of the last of these two */
    int questions;
    char tested[512]; /* what was asked about: "recipient a@b|" */
};

extern struct earlyndr_posternd posternd;

#define DONE "{\"done\":true}"

void assert_question(const char *label, const char *key, const char *want);

/* The next so many times it does not take envelopes. */
void envelopes_refuse(int times);
int envelopes_refusals_left(void);
/* How many it was handed at a time, at most, since the program began. */
size_t envelopes_most_at_once(void);
/* Waits for the envelope of that queue id; a new reference. */
json_t *await_envelope(const char *queue_id);
/* How many were handed over since it was asked the last time. */
size_t handed_over(SMFICTX *ctx);
/* What earlier tests left behind. */
void wait_for_the_outbox(void);

/* --- Its state and configuration --- */

#define REFUSE "early_ndr = { mode = \"refuse\"; };"
#define NDR "early_ndr = { mode = \"ndr\"; networks = (\"192.0.2.0/24\", \"2001:db8::/32\"); };"
#define OBSERVE "enforce = false; "
#define SAID "host mx.b.example[192.0.2.9] said: "
#define TO " (in reply to RCPT TO command)"

int set_up(void **state);
int tear_down(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

void know_bad_since(const char *address, int64_t learned, const char *text);
/* Since a second ago: returns when that was. */
int64_t know_bad(const char *address);
void know_message(const char *queue_id);
/* The state is complete, and posternd lives. */
void go(void);
void use(const char *settings);

/* --- Postfix --- */

#define ID "3F1A72C0E9"

/* Where mail comes from. */
enum source { SMTPD, CLEANUP };

struct rcpt {
    const char *address, *parameters;
};

void negotiate(SMFICTX *ctx, unsigned long steps);
sfsistat open_connection(SMFICTX *ctx, const char *address);
/* `parameters`: NULL, or words between blanks. */
sfsistat mail(SMFICTX *ctx, enum source source, const char *sender, const char *parameters);
sfsistat rcpt(SMFICTX *ctx, const char *recipient, const char *parameters);
sfsistat header(SMFICTX *ctx, const char *name, const char *value);
sfsistat body(SMFICTX *ctx, const char *text, size_t len);
sfsistat eom(SMFICTX *ctx, const char *queue_id);
/* A whole message; none of its recipients is refused. */
sfsistat send_to(SMFICTX *ctx, enum source source, const char *sender, const struct rcpt *list,
                 size_t count);

#endif
