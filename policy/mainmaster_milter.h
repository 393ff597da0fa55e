/*
 * Postern's milters in main.cf: what is wanted, what became of it, and how the two sides write a
 * socket. Pure and thread-safe.
 *
 * A milter is put behind those of the administrator's lists, with settings of its own that let mail
 * go on without it, but only while it runs: one that does not would cost a warning of Postfix's for
 * each mail. One that is in the block already stays.
 *
 * A milter whose socket is inside queue_directory (inside.h) is named by that: it is right with and
 * without a chroot. While it does not run it keeps the name that it has.
 */
#ifndef POSTERN_MAINMASTER_MILTER_H
#define POSTERN_MAINMASTER_MILTER_H

#include "slice.h"

enum {
    MAINMASTER_EARLYNDR,
    MAINMASTER_RETRYCAP,
    MAINMASTER_RCPTLIMIT, /* comes last: it counts what the others have let pass */
    MAINMASTER_MILTERS,
};

/* Places where Postfix is told of milters; sums of them say where something is so. */
enum {
    MAINMASTER_AT_SMTPD = 1,   /* smtpd_milters: mail by SMTP */
    MAINMASTER_AT_CLEANUP = 2, /* non_smtpd_milters: other mail */
    MAINMASTER_AT_BOUNCES = 4, /* internal_mail_filter_classes: bounces are such other mail */
};

struct mainmaster_milters {
    const char *sockets[MAINMASTER_MILTERS]; /* as in postern.conf; NULL: not wanted */
    bool running[MAINMASTER_MILTERS];
    bool inside[MAINMASTER_MILTERS]; /* it listens there: mainmaster_socket_inside() */
    bool retrycap_refuses;           /* recipients, rather than warn of them */
    const char *queue_directory;
    unsigned chrooted; /* the places whose services see no path outside queue_directory */
};

/* What became of a milter, by places. Where the administrator has it himself, none is set. */
struct mainmaster_milter_result {
    unsigned connected;   /* it is in the block */
    unsigned idle;        /* it does not run */
    unsigned unreachable; /* its socket cannot be seen from there */
    unsigned inside;      /* connected by its socket inside queue_directory */
};

/* The name of the setting of main.cf for one place. */
const char *mainmaster_milter_setting(unsigned place);

/*
 * The places whose services are chrooted, of a master.cf; `by_default`: those with "-" in that
 * column are. A service with a list of its own (-o) does not count. All of them when memory runs
 * out.
 */
unsigned mainmaster_chrooted(struct slice master, bool by_default);

struct mainmaster_socket {
    char path[256]; /* "": host and port */
    char host[256]; /* without brackets */
    char port[16];
};

/* Reads libmilter's "unix:/path", "inet:PORT@HOST", "inet6:PORT@HOST". False: none of these. */
bool mainmaster_socket_parse(const char *text, struct mainmaster_socket *socket_r);

/* The same socket inside queue_directory; false: it has no place there (inside.h). */
bool mainmaster_socket_inside(const struct mainmaster_socket *socket, const char *queue_directory,
                              struct mainmaster_socket *inside_r);

/*
 * As Postfix writes it: "unix:/path", or relative to queue_directory when it is inside;
 * "inet:HOST:PORT". free() it; NULL: out of memory.
 */
char *mainmaster_socket_text(const struct mainmaster_socket *socket, const char *queue_directory);

/* True when what Postfix writes as `endpoint` is this socket. */
bool mainmaster_socket_is(const struct mainmaster_socket *socket, struct slice endpoint,
                          const char *queue_directory, bool chrooted);

/* True when a service sees this socket, chrooted or not. */
bool mainmaster_socket_visible(const struct mainmaster_socket *socket, const char *queue_directory,
                               bool chrooted);

#endif
