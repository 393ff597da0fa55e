/*
 * Reads a non-delivery report that Postfix's bounce(8) composed (bounce/bounce_notify_util.c), and
 * takes recipients out of it.
 *
 * It only accepts just what bounce(8) writes, checked from end to end; anything else is not
 * understood, and left as it is. It proves nothing about who wrote it. Pure and thread-safe; works
 * on bytes with LF or CRLF line ends, and keeps all bytes that are not about a recipient taken out.
 */
#ifndef POSTERN_BOUNCE_H
#define POSTERN_BOUNCE_H

#include <stdbool.h>
#include <stddef.h>

#include "slice.h"

enum { BOUNCE_BOUNDARY_MAX = 256, BOUNCE_RECIPIENTS_MAX = 10000 };

/*
 * The boundary of "multipart/report; report-type=delivery-status;\n\tboundary=\"...\"", as the
 * value of Content-Type comes to a milter (folded, with LF or CRLF and blanks). False: it is none.
 */
bool bounce_boundary(struct slice content_type, char boundary_r[BOUNCE_BOUNDARY_MAX]);

struct bounce;

/*
 * `body` is the whole body of the message and has to outlive the result. NULL when it is no failure
 * report of Postfix's about one queue id (X-Postfix-Queue-ID; the boundary begins with it), with at
 * least one recipient, each with "Action: failed" and each named in the part for people, in the
 * same order; or when there is no memory. A copy for postmaster is understood just the same.
 */
struct bounce *bounce_parse(const char *boundary, struct slice body);
void bounce_free(struct bounce **bounce);

const char *bounce_queue_id(const struct bounce *bounce);
/*
 * X-Postfix-Sender, the sender of the returned message, in its quoted form (RFC 5322); "" when the
 * report does not say. MAILER-DAEMON@MYHOSTNAME stands for the null sender.
 */
const char *bounce_sender(const struct bounce *bounce);
size_t bounce_count(const struct bounce *bounce);
/*
 * The address of Final-Recipient, without its type: quoted, too (but not in the reports of local(8)
 * about an owner's alias), with '?' for what bounce(8) does not print, and "<>" for none.
 */
const char *bounce_recipient(const struct bounce *bounce, size_t index);

/*
 * The body without the recipients for which drop[index] is true; not all may be. free() it; it is
 * not terminated. NULL: no memory.
 */
char *bounce_without(const struct bounce *bounce, const bool *drop, size_t *len_r);

#endif
