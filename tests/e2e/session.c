#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "session.h"

enum {
    LINE_MOST = 65536,
};

struct session {
    struct session *next;
    struct session **link; /* what points to this session */
    const struct session_world *world;
    unsigned long id;
    char *address;
    struct bufferevent *wire;
    struct event *timer;
    char *answer; /* waits for the timer (delay, tarpit) */
    bool closing; /* nothing is read any more; ends when the output is written */
    bool refused; /* the greeting was 5xx: RFC 5321 section 3.1 leaves QUIT only */
    bool in_data;
    char *sender; /* NULL: no transaction */
    char **recipients;
    unsigned recipient_count;
    struct evbuffer *data;
};

static struct session *sessions;
static unsigned long last_id;
static unsigned long last_message;

static void run(struct session *session);

static const struct behaviour *behaviour_of(const struct session *session)
{
    return session->world->behaviour(session->address);
}

static void say_event(const struct session *session, const char *event, const char *detail)
{
    session->world->log(session->address, session->id, event, detail);
}

static void forget_transaction(struct session *session)
{
    for (unsigned i = 0; i < session->recipient_count; i++)
        free(session->recipients[i]);
    free(session->recipients);
    session->recipients = NULL;
    session->recipient_count = 0;
    free(session->sender);
    session->sender = NULL;
    session->in_data = false;
    evbuffer_drain(session->data, evbuffer_get_length(session->data));
}

/* `how` is for the log: who ended the connection. Answers given before it are not lost. */
static void session_end(struct session *session, const char *how)
{
    struct evbuffer *out = bufferevent_get_output(session->wire);

    evbuffer_unfreeze(out, 1);
    evbuffer_write(out, bufferevent_getfd(session->wire));
    say_event(session, "close", how);
    forget_transaction(session);
    *session->link = session->next;
    if (session->next != NULL)
        session->next->link = session->link;
    bufferevent_free(session->wire);
    event_free(session->timer);
    evbuffer_free(session->data);
    free(session->answer);
    free(session->address);
    free(session);
}

static void send_answer(struct session *session, const char *text)
{
    say_event(session, "reply", text);
    if (strncmp(text, "421", 3) == 0)
        session->closing = true;
    struct evbuffer *out = bufferevent_get_output(session->wire);
    evbuffer_add(out, text, strlen(text));
    evbuffer_add(out, "\r\n", 2);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct session *session = context;
    char *text = session->answer;

    (void)fd;
    (void)what;
    session->answer = NULL;
    send_answer(session, text);
    free(text);
    run(session);
}

/* Answers now, or later when the host is slow; until then nothing more is read. */
static void answer(struct session *session, const char *text, unsigned delay)
{
    if (delay == 0) {
        send_answer(session, text);
        return;
    }
    struct timeval wait = {.tv_sec = delay / 1000, .tv_usec = delay % 1000 * 1000};
    session->answer = strdup(text);
    event_add(session->timer, &wait);
}

static void answer_command(struct session *session, const char *text)
{
    answer(session, text, behaviour_of(session)->tarpit);
}

/* Returns the scripted answer at this stage or, when there is none, the ordinary one. */
static const char *scripted(const struct session *session, enum stage stage, const char *ordinary)
{
    const char *text = behaviour_reply(behaviour_of(session), stage, session->recipient_count);

    return text != NULL ? text : ordinary;
}

/* The address of "MAIL FROM:<a> SIZE=1" or "RCPT TO:<a>", without the brackets; freed by the
 * caller. */
static char *address_of(const char *command)
{
    const char *begin = strchr(command, '<');
    const char *end = strrchr(command, '>');

    if (begin == NULL || end == NULL || end < begin)
        return NULL;
    return strndup(begin + 1, (size_t)(end - begin - 1));
}

static void do_ehlo(struct session *session, const char *line)
{
    char text[256];

    forget_transaction(session);
    if (tolower((unsigned char)line[0]) == 'h')
        snprintf(text, sizeof(text), "250 %s", session->address);
    else
        snprintf(text, sizeof(text),
                 "250-%s\r\n250-PIPELINING\r\n250-SIZE 102400000\r\n250-8BITMIME\r\n"
                 "250-DSN\r\n250 ENHANCEDSTATUSCODES",
                 session->address);
    answer_command(session, scripted(session, STAGE_EHLO, text));
}

static void do_mail(struct session *session, const char *line)
{
    if (session->sender != NULL) {
        answer_command(session, "503 5.5.1 Error: nested MAIL command");
        return;
    }
    char *sender = address_of(line);
    if (sender == NULL) {
        answer_command(session, "501 5.5.4 Syntax: MAIL FROM:<address>");
        return;
    }
    const char *text = scripted(session, STAGE_MAIL, "250 2.1.0 Ok");
    if (text[0] == '2')
        session->sender = sender;
    else
        free(sender);
    answer_command(session, text);
}

static void take_recipient(struct session *session, char *recipient)
{
    char **list = reallocarray(session->recipients, session->recipient_count + 1, sizeof(list[0]));

    if (list == NULL)
        abort();
    session->recipients = list;
    list[session->recipient_count++] = recipient;
}

static void do_rcpt(struct session *session, const char *line)
{
    char *recipient = address_of(line);

    if (session->sender == NULL || recipient == NULL) {
        free(recipient);
        answer_command(session, "503 5.5.1 Error: need MAIL command and RCPT TO:<address>");
        return;
    }
    const char *text = behaviour_rcpt(behaviour_of(session), recipient, session->recipient_count);
    if (text == NULL || text[0] == '2')
        take_recipient(session, recipient);
    else
        free(recipient);
    answer_command(session, text != NULL ? text : "250 2.1.5 Ok");
}

static void do_data(struct session *session, const char *line)
{
    (void)line;
    if (session->recipient_count == 0) {
        answer_command(session, "554 5.5.1 Error: no valid recipients");
        return;
    }
    const char *text = scripted(session, STAGE_DATA, "354 End data with <CR><LF>.<CR><LF>");
    session->in_data = text[0] == '3';
    answer_command(session, text);
}

static void do_rset(struct session *session, const char *line)
{
    (void)line;
    forget_transaction(session);
    answer_command(session, "250 2.0.0 Ok");
}

static void do_noop(struct session *session, const char *line)
{
    (void)line;
    answer_command(session, "250 2.0.0 Ok");
}

static void do_quit(struct session *session, const char *line)
{
    (void)line;
    session->closing = true;
    answer_command(session, "221 2.0.0 Bye");
}

/* Puts the envelope and the message into a file of the spool; its path goes to path_r. */
static void store_message(struct session *session, char *path_r, size_t size)
{
    snprintf(path_r, size, "%s/%06lu", session->world->spool, ++last_message);
    FILE *file = fopen(path_r, "wxe");
    if (file == NULL) {
        perror(path_r);
        exit(EXIT_FAILURE);
    }
    fprintf(file, "host=%s\ntime=%lld\nfrom=<%s>\n", session->address, (long long)time(NULL),
            session->sender);
    for (unsigned i = 0; i < session->recipient_count; i++)
        fprintf(file, "to=<%s>\n", session->recipients[i]);
    fputc('\n', file);
    size_t length = evbuffer_get_length(session->data);
    fwrite(evbuffer_pullup(session->data, -1), 1, length, file);
    fclose(file);
}

static void log_message(const struct session *session, const char *path)
{
    struct evbuffer *text = evbuffer_new();

    evbuffer_add_printf(text, "file=%s from=<%s> count=%u", path, session->sender,
                        session->recipient_count);
    for (unsigned i = 0; i < session->recipient_count; i++)
        evbuffer_add_printf(text, " to=<%s>", session->recipients[i]);
    evbuffer_add(text, "", 1);
    say_event(session, "message", (const char *)evbuffer_pullup(text, -1));
    evbuffer_free(text);
}

static void do_dot(struct session *session)
{
    char path[PATH_MAX];

    say_event(session, "command", ".");
    if (behaviour_of(session)->at[STAGE_DOT].drop) {
        session_end(session, "dropped");
        return;
    }
    const char *text = scripted(session, STAGE_DOT, "250 2.0.0 Ok: taken");
    if (text[0] == '2') {
        store_message(session, path, sizeof(path));
        log_message(session, path);
    }
    forget_transaction(session);
    answer_command(session, text);
}

static const struct command {
    const char *verb;
    enum stage stage; /* STAGE_COUNT: none that a script can name */
    void (*answer)(struct session *session, const char *line);
} commands[] = {
    {"EHLO", STAGE_EHLO, do_ehlo},  {"HELO", STAGE_EHLO, do_ehlo},  {"MAIL", STAGE_MAIL, do_mail},
    {"RCPT", STAGE_RCPT, do_rcpt},  {"DATA", STAGE_DATA, do_data},  {"RSET", STAGE_COUNT, do_rset},
    {"NOOP", STAGE_COUNT, do_noop}, {"QUIT", STAGE_COUNT, do_quit},
};

static void do_command(struct session *session, const char *line)
{
    const struct command *command = commands;
    const struct command *end = commands + sizeof(commands) / sizeof(commands[0]);

    say_event(session, "command", line);
    while (command < end && strncasecmp(line, command->verb, strlen(command->verb)) != 0)
        command++;
    if (command == end)
        answer_command(session, "502 5.5.2 Error: command not recognized");
    else if (command->stage < STAGE_COUNT && behaviour_of(session)->at[command->stage].drop)
        session_end(session, "dropped");
    else if (session->refused && command->answer != do_quit)
        answer_command(session, "503 5.5.1 Error: not accepting mail");
    else
        command->answer(session, line);
}

/* Returns false when the line was the end of the data. */
static bool add_data(struct session *session, const char *line, size_t length)
{
    if (length == 1 && line[0] == '.')
        return false;
    size_t stuffed = length > 0 && line[0] == '.' ? 1 : 0;
    evbuffer_add(session->data, line + stuffed, length - stuffed);
    evbuffer_add(session->data, "\n", 1);
    return true;
}

/* Reads and answers lines until one has to wait, the input is empty or the session ends. */
static void run(struct session *session)
{
    struct evbuffer *in = bufferevent_get_input(session->wire);
    unsigned long id = session->id;

    while (!session->closing && session->answer == NULL) {
        size_t length;
        char *line = evbuffer_readln(in, &length, EVBUFFER_EOL_CRLF);
        if (line == NULL) {
            if (evbuffer_get_length(in) > LINE_MOST)
                session_end(session, "line too long");
            return;
        }
        if (!session->in_data)
            do_command(session, line);
        else if (!add_data(session, line, length))
            do_dot(session);
        free(line);
        /* The command may have ended the session; a new one is always put in front. */
        struct session *alive = sessions;
        while (alive != NULL && alive->id != id)
            alive = alive->next;
        if (alive == NULL)
            return;
    }
}

static void on_read(struct bufferevent *wire, void *context)
{
    struct session *session = context;

    (void)wire;
    if (session->closing)
        return;
    run(session);
}

static void on_written(struct bufferevent *wire, void *context)
{
    struct session *session = context;

    (void)wire;
    if (session->closing && session->answer == NULL)
        session_end(session, "by us");
}

static void on_event(struct bufferevent *wire, short what, void *context)
{
    (void)wire;
    (void)what;
    session_end(context, "by the client");
}

static void greet(struct session *session)
{
    const struct behaviour *host = behaviour_of(session);
    char text[256];

    if (host->at[STAGE_CONNECT].drop) {
        session_end(session, "dropped");
        return;
    }
    if (host->silent)
        return;
    snprintf(text, sizeof(text), "220 %s ESMTP smtphost", session->address);
    const char *greeting = scripted(session, STAGE_CONNECT, text);
    session->refused = greeting[0] == '5';
    answer(session, greeting, host->delay);
}

void session_start(const struct session_world *world, evutil_socket_t fd, const char *address,
                   const char *peer)
{
    struct session *session = calloc(1, sizeof(*session));

    if (session == NULL)
        abort();
    session->world = world;
    session->id = ++last_id;
    session->address = strdup(address);
    session->data = evbuffer_new();
    session->timer = evtimer_new(world->loop, on_timer, session);
    session->wire = bufferevent_socket_new(world->loop, fd, BEV_OPT_CLOSE_ON_FREE);
    session->next = sessions;
    session->link = &sessions;
    if (sessions != NULL)
        sessions->link = &session->next;
    sessions = session;
    say_event(session, "connect", peer);
    bufferevent_setcb(session->wire, on_read, on_written, on_event, session);
    bufferevent_enable(session->wire, EV_READ | EV_WRITE);
    greet(session);
}

void session_end_all(const char *address)
{
    struct session *session = sessions;

    while (session != NULL) {
        struct session *next = session->next;
        if (address == NULL || strcmp(session->address, address) == 0)
            session_end(session, "host went down");
        session = next;
    }
}
