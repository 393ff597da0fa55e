/*
 * How many recipients one transaction at our own door may have: recipient_limits.inbound
 * (DESIGN 3.3).
 *
 * A transaction is what lies between MAIL and the end of data, RSET or the next MAIL (RFC 5321
 * section 3.3). Each rule that fits its client, login and sender counts, on its own, the accepted
 * recipients that fit the rule; a recipient is surplus when one of these rules has `limit` of them
 * already. Surplus and otherwise refused recipients count nowhere.
 *
 * Pure decisions, without I/O. A struct inbound is for one thread at a time; different ones are
 * independent. NULL stands for a transaction that no rule limits, and every function takes it.
 */
#ifndef POSTERN_INBOUND_H
#define POSTERN_INBOUND_H

#include "config.h"

struct inbound;

/* What is known at MAIL. Addresses as on the wire ("<a@b>") or bare, "" for the null sender. */
struct inbound_mail {
    struct slice client; /* its address (network_parse_address); "unknown" fits no network */
    struct slice login;  /* SASL login name, "" when not authenticated */
    struct slice sender;
};

/* What is to become of a recipient. */
struct inbound_answer {
    bool surplus;
    bool refuse;    /* surplus, and not merely observed (enforce = false) */
    bool first;     /* the first surplus one of the transaction */
    bool permanent; /* 550, not 452 */
    uint32_t limit;
};

/*
 * The beginning of a transaction. NULL when no rule applies, and when there is no memory: mail is
 * accepted then. `config` has to outlive it; `mail` need not.
 */
struct inbound *inbound_begin(const struct config *config, const struct inbound_mail *mail);
void inbound_free(struct inbound **inbound);

/* RCPT, once for each: decides, and counts the recipient if it may stay. */
struct inbound_answer inbound_rcpt(struct inbound *inbound, struct slice recipient);

/*
 * The reply to a surplus recipient: RFC 5321 section 4.5.3.1.10 wants 452 for "too many
 * recipients", RFC 3463 has X.5.3 for it. Never 552, which clients take for "mailbox full" and
 * return the mail.
 */
const char *inbound_code(const struct inbound_answer *answer);   /* "452" or "550" */
const char *inbound_status(const struct inbound_answer *answer); /* "4.5.3" or "5.5.3" */

enum { INBOUND_TEXT_MAX = 120 };
void inbound_text(const struct inbound_answer *answer, char text_r[INBOUND_TEXT_MAX]);

#endif
