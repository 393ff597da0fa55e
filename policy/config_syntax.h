/*
 * What the texts in postern.conf may look like. Pure and thread-safe; all answer yes or no.
 */
#ifndef POSTERN_CONFIG_SYNTAX_H
#define POSTERN_CONFIG_SYNTAX_H

#include <stdbool.h>

enum { CONFIG_DOMAIN_MAX = 255 };

/* Absolute, and safe inside main.cf, where blanks, commas and '$' mean something (postconf(5)). */
bool config_syntax_path(const char *text);
/* A path, or "journal". */
bool config_syntax_log(const char *text);
/* Letters, digits, '.', '_' and '-' (not first); or empty. */
bool config_syntax_user(const char *text);
/* The same, and without the "postfix-" of multi_instance_name. */
bool config_syntax_instance(const char *text);
/* Printable ASCII without blanks, quotes and backslashes; not empty. */
bool config_syntax_name(const char *text);
/*
 * "d", ".d", "*" or "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3); d in ASCII or,
 * for SMTPUTF8, in UTF-8. '_' as in Postfix (util/valid_hostname.c).
 */
bool config_syntax_domain(const char *text);
/* An IPv4 or IPv6 address, or a network "address/length" whose other bits are 0. */
bool config_syntax_network(const char *text);
/* 1 to 255 bytes, none of them a control character. */
bool config_syntax_login(const char *text);
/* Sendmail's way: "unix:/path", "inet:PORT@HOST", "inet6:PORT@HOST". */
bool config_syntax_milter_socket_or_none(const char *text);
/* Postfix's way (util/auto_clnt.c): "unix:/path", "inet:HOST:PORT"; or "". */
bool config_syntax_policy_socket(const char *text);
/* "127.0.0.1:PORT" (anything in 127.0.0.0/8), "[::1]:PORT", or "". */
bool config_syntax_loopback(const char *text);

#endif
