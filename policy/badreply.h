/*
 * Whether a permanent reply to RCPT says that the address does not exist (DESIGN 3.4). Pure and
 * thread-safe.
 *
 * It is asked with the reason as Postfix logs it: "host mx[192.0.2.1] said: 550 5.1.1 <a@b>: User
 * unknown (in reply to RCPT TO command)". Only what stands between Postfix's own words is the
 * server's. In doubt the answer is no: a good address taken for a bad one costs mail, the other way
 * round only time.
 *
 * As in classify.h what stands in <...>, and any word with an '@' in it, is an address: somebody
 * chose it, and it never decides. Neither do names with dots, links, local parts and what stands in
 * "", but for what they tell about us. Where the recipient or the sender holds a blank, < > or a
 * backslash, the end of an address cannot be told, and the answer is no.
 */
#ifndef POSTERN_BADREPLY_H
#define POSTERN_BADREPLY_H

#include <stdbool.h>

#include "slice.h"

/* What besides the words tells that the reply is about us, not about the recipient. */
struct badreply_context {
    struct slice recipient; /* as logged */
    struct slice sender;    /* of the message; empty: not known */
    struct slice host;      /* our own name (myhostname); empty: not known */
};

/*
 * True for a reply to RCPT TO with a 5xx code and the enhanced code 5.1.1, 5.1.2, 5.1.3, 5.1.6 or
 * 5.1.10 (RFC 3463, RFC 7505), or with no enhanced code at all and words that say so; unless there
 * is another enhanced code as well, it names the sender, our host or any IP address, or its words
 * are about the sender, the content, a policy, a block list, a rate, or a mailbox that exists.
 */
bool badreply_is_bad_address(struct slice text, const struct badreply_context *context);

#endif
