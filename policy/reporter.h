/*
 * Hands posternd's own reports to Postfix, through sendmail(1): from the null sender, so that
 * nobody answers them. Runs in the event loop; one thread.
 */
#ifndef POSTERN_REPORTER_H
#define POSTERN_REPORTER_H

#include "child.h"
#include "dsn.h"
#include "postfix.h"

struct reporter;

/* `sent`: Postfix has the report on its disk. */
typedef void reporter_done(void *arg, bool sent);

/* Both must outlive it. NULL: no memory. */
struct reporter *reporter_new(struct child_runner *runner, const struct postfix *postfix);
void reporter_free(struct reporter **reporter);

/* How many more it takes now. */
unsigned reporter_room(const struct reporter *reporter);

/*
 * Composes the report and sends it to report->to, which has to be an address with a domain. host,
 * now and nonce are filled in here. False: it could not be begun, and then `done` is never called;
 * otherwise exactly once, but not from within this call. What is wrong is logged once, until it
 * works again.
 */
bool reporter_send(struct reporter *reporter, const struct dsn_report *report, reporter_done *done,
                   void *arg);

#endif
