/*
 * Which permanent replies say that an address does not exist, and that nothing somebody chose makes
 * them say so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "badreply.h"

enum { TEXT_SIZE = 4096 };

static struct badreply_context context_of(const char *recipient, const char *sender,
                                          const char *host)
{
    return (struct badreply_context){slice_of(recipient), slice_of(sender), slice_of(host)};
}

static bool is_bad(const char *reply, const char *command, const struct badreply_context *context)
{
    char text[TEXT_SIZE];

    snprintf(text, sizeof(text), "host mx.example.net[192.0.2.1] said: %s (in reply to %s command)",
             reply, command);
    return badreply_is_bad_address(slice_of(text), context);
}

static bool usual(const char *reply)
{
    const struct badreply_context context =
        context_of("u@example.com", "s@example.org", "mail.example.org");

    return is_bad(reply, "RCPT TO", &context);
}

/* tests/data: kind, reply, source */
static bool read_row(FILE *in, char line[TEXT_SIZE], char *fields[3])
{
    char *rest = line;

    do {
        if (fgets(line, TEXT_SIZE, in) == NULL)
            return false;
    } while (*line == '#');
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < 3; i++) {
        fields[i] = strsep(&rest, "\t");
        if (fields[i] == NULL || *fields[i] == '\0')
            fail_msg("a row without all its fields: %s", line);
    }
    assert_null(rest);
    return true;
}

static void replies_of_servers(void **state)
{
    const char *srcdir = getenv("srcdir");
    char path[1024], line[TEXT_SIZE], *fields[3];
    size_t count = 0, wrong = 0;
    FILE *in;

    (void)state;
    snprintf(path, sizeof(path), "%s/tests/data/bad-recipients.tsv", srcdir != NULL ? srcdir : ".");
    in = fopen(path, "r");
    if (in == NULL)
        fail_msg("cannot read %s", path);
    for (; read_row(in, line, fields); count++) {
        bool bad = usual(fields[1]);

        assert_true(strcmp(fields[0], "bad") == 0 || strcmp(fields[0], "other") == 0);
        if (bad != (strcmp(fields[0], "bad") == 0)) {
            print_error("want %s: %s (%s)\n", fields[0], fields[1], fields[2]);
            wrong++;
        }
    }
    fclose(in);
    assert_int_equal(wrong, 0);
    assert_true(count > 200);
}

/* What each row about something else is for, where no reply above needs it; with 5.1.1. */
static const char *const ABOUT_SOMETHING_ELSE[] = {
    "Mail from you is unwelcome",
    "The From address is bad",
    "The sending host is unwelcome",
    "Against the preferences of this user",
    "Suspicious mail",
    "A block is in place",
    "dnswl says no",
    "Not accepting mail from you",
    "Bad From header",
    "Invalid return path",
    "The address could not be verified",
    "We call back first",
    "Absender unbekannt",
    "Your network is unwelcome",
    "Your mail server is not welcome",
    "Your organization is unknown",
    "unknown client",
    "HELO must match",
    "Connection refused",
    "SPF fail",
    "Refused due to preference",
    "We only accept mail of friends",
    "The user refuses mail",
    "Attempt prohibited",
    "not in rcpthosts",
    "Relaying is off",
    "Relay attempt",
    "We do not relay",
    "This system is not configured for you",
    "Unsolicited mail",
    "Bad attachment",
    "Bad reputation",
    "A violation",
    "Blocked",
    "Found on a black list",
    "Found in RBL",
    "Refused, listed at a site",
    "Refused due to reasons of ours",
    "No bounces, please",
    "Not activated",
    "This account is closed",
    "Slow rate",
    "It is currently down",
    "Directory harvesting",
    "Internal trouble",
    "Directory unreachable",
    "DNS failure",
    "Mail loop",
    "no (in reply to end of DATA command)",
    "Conta bloqueado",
};

/* One for each row about bad addresses, without a code. */
static const char *const SAY_SO[] = {
    "Recipient is invalid",
    "User is un-known",
    "The person of that name does not exist",
    "The user you named could not be found",
    "Recipient not ok",
    "No such mail drop",
    "There is no one at this address",
    "Unknown or illegal alias",
    "Not a known address",
    "The account that you tried to reach does not exist",
    "Empf\?nger ung\?ltig",
    "Benutzer existiert nicht",
    "Unbekannter Benutzer",
    "Utilisateur inconnu",
    "Adresse d au moins un destinataire invalide",
    "Usuario desconocido",
    "No existe ese usuario",
    "Usu\?rio inexistente",
    "Nie ma takiego konta",
    "Konto nie istnieje",
};

static void rows_of_the_table(void **state)
{
    char reply[256];

    (void)state;
    for (size_t i = 0; i < sizeof(ABOUT_SOMETHING_ELSE) / sizeof(ABOUT_SOMETHING_ELSE[0]); i++) {
        snprintf(reply, sizeof(reply), "550 5.1.1 %s", ABOUT_SOMETHING_ELSE[i]);
        if (usual(reply))
            fail_msg("bad: %s", reply);
    }
    for (size_t i = 0; i < sizeof(SAY_SO) / sizeof(SAY_SO[0]); i++) {
        snprintf(reply, sizeof(reply), "550 %s", SAY_SO[i]);
        if (!usual(reply))
            fail_msg("not bad: %s", reply);
    }
}

/* Not in reply to RCPT TO, not permanent, or no reply at all. */
static void only_replies_to_rcpt(void **state)
{
    static const char *const commands[] = {"MAIL FROM", "DATA", "end of DATA", "EHLO", "RSET"};
    static const char *const texts[] = {
        "",
        "550 5.1.1 User unknown (in reply to RCPT TO command)",
        "unknown user: \"u\"",
        "User unknown in virtual mailbox table",
        "host mx[192.0.2.1] said: 550 5.1.1 User unknown",
        "host mx[192.0.2.1] said: 450 5.1.1 User unknown (in reply to RCPT TO command)",
        "host mx[192.0.2.1] refused to talk to me: 550 5.1.1 User unknown (in reply to RCPT TO "
        "command)",
        "host mx[192.0.2.1] said: 550 (in reply to RCPT TO command)",
        "host mx[192.0.2.1] said: 550  (in reply to RCPT TO command)",
        "host mx[192.0.2.1] said: 250 2.1.5 User unknown (in reply to RCPT TO command)",
        "host mx[192.0.2.1] said: 5.1.1 User unknown (in reply to RCPT TO command)",
    };
    const struct badreply_context context = context_of("u@example.com", "", "");

    (void)state;
    assert_true(is_bad("550 5.1.1 User unknown", "RCPT TO", &context));
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        assert_false(is_bad("550 5.1.1 User unknown", commands[i], &context));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (badreply_is_bad_address(slice_of(texts[i]), &context))
            fail_msg("\"%s\" is bad", texts[i]);
}

/* Who the reply names. */
static void the_context(void **state)
{
    static const struct {
        const char *label;
        const char *reply, *recipient, *sender, *host;
        bool want;
    } cases[] = {
        {"the recipient", "550 5.1.1 <u@example.com> no", "u@example.com", "s@example.org", "",
         true},
        {"the sender", "550 5.1.1 <s@example.org> no", "u@example.com", "s@example.org", "", false},
        {"the sender, written otherwise", "550 5.1.1 <\"s\"@EXAMPLE.org.> no", "u@example.com",
         "s@example.org", "", false},
        {"the sender, in quotes", "550 5.1.1 'S@example.org', no", "u@example.com", "S@example.org",
         "", false},
        {"the sender, with quotes of its own", "550 5.1.1 \"s..\"@example.org, no", "u@example.com",
         "\"s..\"@example.org", "", false},
        {"the sender, bare", "550 5.1.1 (s@example.org): no", "u@example.com", "s@example.org", "",
         false},
        {"not known who the sender is", "550 5.1.1 <s@example.org> no", "u@example.com", "", "",
         true},
        {"mail to oneself", "550 5.1.1 <u@example.com>: User unknown", "u@example.com",
         "U@example.com", "", true},
        {"mail to oneself, the same", "550 5.1.1 <u@example.com>: User unknown", "u@example.com",
         "u@example.com", "", true},
        {"the sender's domain", "550 5.1.1 example.org is not welcome", "u@example.com",
         "s@example.org", "", false},
        {"a domain of both", "550 5.1.1 no such user at example.com", "u@example.com",
         "s@example.com", "", true},
        {"another domain", "550 5.1.1 no such user at example.net", "u@example.com",
         "s@example.org", "", true},
        {"our host", "550 5.1.1 mail.example.org unknown", "u@example.com", "", "mail.example.org",
         false},
        {"our host, in brackets", "550 5.1.1 (MAIL.Example.Org[x]) unknown", "u@example.com", "",
         "mail.example.org", false},
        {"another host", "550 5.1.1 mx.example.net unknown", "u@example.com", "",
         "mail.example.org", true},
        {"an address of IPv4", "550 5.1.1 unknown 198.51.100.9", "u@example.com", "", "", false},
        {"with a port", "550 5.1.1 unknown [198.51.100.9]:25", "u@example.com", "", "", false},
        {"behind a name", "550 5.1.1 unknown mx[198.51.100.9]", "u@example.com", "", "", false},
        {"an address of IPv6", "550 5.1.1 unknown [2001:db8::9]", "u@example.com", "", "", false},
        {"an address of IPv6, tagged", "550 5.1.1 unknown IPv6:2001:DB8::9.", "u@example.com", "",
         "", false},
        {"in a link", "550 5.1.1 unknown https://example.net/?ip=198.51.100.9", "u@example.com", "",
         "", false},
        {"in a link between < >", "550 5.1.1 unknown <https://example.net/198.51.100.9>",
         "u@example.com", "", "", false},
        {"a time of day is none", "550 5.1.1 unknown 2024-01-02T12:34:56.789Z 12:34:56",
         "u@example.com", "", "", true},
        {"an odd recipient", "550 5.1.1 unknown", "\"user unknown\"@example.com", "", "", false},
        {"an odd sender", "550 5.1.1 unknown", "u@example.com", "\"a b\"@example.org", "", false},
        {"a bare odd recipient", "550 user unknown user@example.com",
         "user unknown user@example.com", "", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct badreply_context context =
            context_of(cases[i].recipient, cases[i].sender, cases[i].host);

        if (is_bad(cases[i].reply, "RCPT TO", &context) != cases[i].want)
            fail_msg("%s: %s", cases[i].label, cases[i].reply);
    }
}

/* Words of addresses, names and links neither make an address bad nor save it. */
static void chosen_words_do_not_decide(void **state)
{
    static const struct {
        const char *recipient, *reply;
        bool want;
    } cases[] = {
        {"unknown.user@example.com", "550 <unknown.user@example.com> no", false},
        {"user-unknown@example.com", "550 user-unknown@example.com: no", false},
        {"user-unknown@example.com", "550 user-unknown: no", false},
        {"user-unknown@example.com", "550 <user-unknown>: no", false},
        {"unknown@example.com", "550 user unknown", false},
        {"unknown@example.com", "550 No such user unknown", true},
        {"unknown@example.com", "550 5.1.1 <unknown@example.com>: User unknown", true},
        {"u@user-unknown.example", "550 user-unknown.example said no", false},
        {"u@example.com", "550 no: \"user unknown\"", false},
        {"u@example.com", "550 https://example.net/user-unknown", false},
        {"u@example.com", "550 https://example.net/?why=user&is=unknown", false},
        {"u@example.com", "550 \"user unknown\"@example.net: no", false},
        {"u@example.com", "550 5.1.1 \"user unknown\"@example.net: no", false},
        {"u@example.com", "550 <\"a> user unknown <b\"@example.net>: no", false},
        {"u@example.com", "550 <a> user unknown <b@example.net>: no", false},
        {"u@example.com", "550 <user unknown", false},
        {"u@example.com", "550 \"a\\\" user unknown \\\"b\"@example.net", false},
        {"\"a..\"@example.com", "550 5.1.1 <\"a..\"@example.com>... User Unknown", true},
        {"\"a..\"@example.com", "550 \"a..\"@example.com... User Unknown", true},
        {"\"user-unknown.\"@example.com", "550 \"user-unknown.\" is no name", false},
        {"u@example.com", "550 user <x@example.com> unknown", true},
        {"u@example.com", "550 User u unknown", true},
        {"spam@example.com", "550 5.1.1 <spam@example.com>: User unknown", true},
        {"spam@example.com", "550 spam@example.com... No such user", true},
        {"quota@spamhaus.example", "550 5.1.1 quota@spamhaus.example: unknown", true},
        {"sender@example.com", "550 5.1.1 <sender@example.com>... User unknown", true},
        {"5.7.1@example.com", "550 5.1.1 <5.7.1@example.com>... User unknown", true},
        {"5.1.1@example.com", "550 <5.1.1@example.com>... Rejected", false},
        {"u@example.com", "550 5.1.1 unknown 5.1.1.example.net", true},
        {"u@example.com", "550 5.1.1.example.net", false},
        /* In doubt: bare, they may be the server's own words. */
        {"spam@example.com", "550 5.1.1 No such user: spam", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct badreply_context context = context_of(cases[i].recipient, "s@example.org", "h");

        if (is_bad(cases[i].reply, "RCPT TO", &context) != cases[i].want)
            fail_msg("%s, to %s: want %d", cases[i].reply, cases[i].recipient, cases[i].want);
    }
}

/* The ways in which codes are written. */
static void codes(void **state)
{
    static const struct {
        const char *reply;
        bool want;
    } cases[] = {
        {"550 5.1.1 no", true},
        {"550-5.1.1 no 550 5.1.1 no", true},
        {"550 #5.1.1 no", true},
        {"550 no (#5.1.1)", true},
        {"550 no [5.1.1]", true},
        {"550 5.1.1: no", true},
        {"550 5.1.1<u@example.com> no", true},
        {"550 (5.1.1) no", true},
        {"553 5.1.2 no", true},
        {"501 5.1.3 no", true},
        {"551 5.1.6 no", true},
        {"556 5.1.10 no", true},
        {"550 5.1.11 User unknown", false},
        {"550 5.1.0 User unknown", false},
        {"550 5.1.4 User unknown", false},
        {"550 5.1.7 User unknown", false},
        {"550 5.1.8 User unknown", false},
        {"550 5.0.0 User unknown", false},
        {"550 4.1.1 User unknown", false},
        {"550 2.1.5 User unknown", false},
        {"550 5.1 User unknown", true},
        {"550 5.1.1.1 no", false},
        {"550 15.1.1 no", false},
        {"550 5.1.1000 no", false},
        {"550 5.1.1", true},
        {"550-User 550 unknown", true},
        {"550-User unknown 550-5.7.1 x 550 y", false},
        {"550 USER UNKNOWN", true},
        {"550 user  unknown", true},
        {"550 user-unknown", true},
        {"550 user unknown.", true},
        {"550 (user unknown)", true},
        {"550 user", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (usual(cases[i].reply) != cases[i].want)
            fail_msg("%s: want %d", cases[i].reply, cases[i].want);
}

/* The longest text, of as many words as there can be. */
static void the_longest(void **state)
{
    char reply[1300];
    size_t len = 0;

    (void)state;
    len += (size_t)snprintf(reply, sizeof(reply), "550 5.1.1 ");
    while (len < 1110)
        len += (size_t)snprintf(reply + len, sizeof(reply) - len, "x ");
    assert_true(usual(reply));
    memset(reply + 10, 'x', 1100);
    assert_true(usual(reply));
    memset(reply + 10, '.', 1100);
    assert_true(usual(reply));
    memset(reply + 10, '"', 1100);
    assert_true(usual(reply));
    while (len < 1250)
        len += (size_t)snprintf(reply + len, sizeof(reply) - len, "x ");
    assert_false(usual(reply));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_of_servers),
        cmocka_unit_test(rows_of_the_table),
        cmocka_unit_test(only_replies_to_rcpt),
        cmocka_unit_test(the_context),
        cmocka_unit_test(chosen_words_do_not_decide),
        cmocka_unit_test(codes),
        cmocka_unit_test(the_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
