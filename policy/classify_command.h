/* posternctl classify: what Postern makes of a server's reply. */
#ifndef POSTERN_CLASSIFY_COMMAND_H
#define POSTERN_CLASSIFY_COMMAND_H

#include "config.h"

/*
 * `what` is a reply ("552 5.5.3 Too many recipients", taken as one to RCPT TO), the reason in a
 * line of the mail log, or such a line; "-": each line of standard input is one; "--table": prints
 * the table for smtp_delivery_status_filter instead. Returns posternctl's exit status.
 */
int classify_command(const struct config *config, const char *what, bool json);

#endif
