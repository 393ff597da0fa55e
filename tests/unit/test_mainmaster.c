/* What setup does to main.cf and master.cf: in again, out again, and nothing lost between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mainmaster.h"

#define TABLE "/var/lib/postern/tables/transport"
#define OURS "lmdb:" TABLE

static const struct mainmaster_want want = {
    .table = TABLE,
    .filter = "/var/lib/postern/tables/gate_filter.regexp",
    .account = "postern",
    .gate = "/usr/libexec/postern/postern-gate",
    .config = "/etc/postern/postern.conf",
};

/* String literals may hold NUL bytes: their length is not strlen(). */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static bool same(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static struct slice bytes_of(const struct mainmaster_edit *edit)
{
    return (struct slice){edit->bytes, edit->len};
}

/*
 * How Postfix reads a setting, written down a second time and in another way (one pass over the
 * bytes), to compare with. Returns false when it is not set; the last definition wins.
 */
static bool postfix_value(struct slice text, const char *name, char *value_r, size_t size)
{
    char *logical = calloc(1, text.len + 1);
    size_t len = 0;
    bool found = false;
    assert_non_null(logical);
    for (size_t i = 0; i <= text.len + 1;) {
        const char *newline = i < text.len ? memchr(text.at + i, '\n', text.len - i) : NULL;
        size_t end = newline != NULL ? (size_t)(newline - text.at) : text.len;
        end = end < i ? i : end;
        size_t word = i;
        while (word < end && memchr(" \t\v\f\r", text.at[word], 5) != NULL)
            word++;
        bool blank = word == end || text.at[word] == '#';
        bool column0 = i < end && word == i;
        if (i >= text.len || (column0 && !blank)) { /* the logical line before is complete */
            size_t n = strcspn(logical, " \t\v\f\r=");
            size_t eq = n + strspn(logical + n, " \t\v\f\r");
            if (n == strlen(name) && memcmp(logical, name, n) == 0 && logical[eq] == '=') {
                const char *v = logical + eq + 1 + strspn(logical + eq + 1, " \t\v\f\r");
                snprintf(value_r, size, "%s", v);
                for (size_t l = strlen(value_r); l > 0 && strchr(" \t\v\f\r", value_r[l - 1]); l--)
                    value_r[l - 1] = '\0';
                found = true;
            }
            len = 0;
        }
        if (!blank) {
            memcpy(logical + len, text.at + i, end - i);
            len += end - i;
        }
        logical[len] = '\0';
        i = end + 1;
    }
    free(logical);
    return found;
}

/* --- Shapes of main.cf --- */

struct main_case {
    const char *label;
    struct slice text;
    const char *maps; /* what transport_maps has to be after apply */
};

static const struct main_case main_cases[] = {
    {"empty file", TEXT(""), OURS},
    {"nothing about it", TEXT("myhostname = a.example\n"), OURS},
    {"no final newline", TEXT("myhostname = a.example"), OURS},
    {"only a newline", TEXT("\n"), OURS},
    {"one table", TEXT("transport_maps = hash:/etc/postfix/transport\nbiff = no\n"),
     OURS ", hash:/etc/postfix/transport"},
    {"no spaces", TEXT("transport_maps=hash:/x\n"), OURS ", hash:/x"},
    {"set to nothing", TEXT("transport_maps =\nbiff = no\n"), OURS},
    {"last line, no newline", TEXT("biff = no\ntransport_maps = hash:/x"), OURS ", hash:/x"},
    {"continued", TEXT("transport_maps = hash:/a,\n  hash:/b\n\thash:/c\nbiff = no\n"),
     OURS ", hash:/a,  hash:/b hash:/c"},
    {"comments and blank lines inside",
     TEXT(
         "transport_maps =\n# first\n  hash:/a\n\n   # second\n \n  hash:/b\n# after\nbiff = no\n"),
     OURS ", hash:/a  hash:/b"},
    {"value on the next line", TEXT("transport_maps\n = hash:/a\n"), OURS ", hash:/a"},
    {"defined twice", TEXT("transport_maps = hash:/a\nbiff = no\ntransport_maps = hash:/b\n"),
     OURS ", hash:/b"},
    {"part of another name",
     TEXT("address_verify_transport_maps = hash:/a\n"
          "transport_maps_x = hash:/b\n"),
     OURS},
    {"commented out", TEXT("#transport_maps = hash:/a\n # transport_maps = hash:/b\n"), OURS},
    {"in another setting's continuation", TEXT("mydestination = a,\n  transport_maps = x\n"), OURS},
    {"CRLF", TEXT("biff = no\r\ntransport_maps = hash:/a,\r\n  hash:/b\r\n"),
     OURS ", hash:/a,   hash:/b"},
    {"CRLF, no final newline", TEXT("biff = no\r\ntransport_maps = hash:/a"), OURS ", hash:/a"},
    {"our table set by hand", TEXT("transport_maps = " OURS ", hash:/a\n"), OURS ", hash:/a"},
    {"our table by hand, behind another", TEXT("transport_maps = hash:/a " OURS "\n"),
     "hash:/a " OURS},
    {"our table by hand, through proxymap", TEXT("transport_maps = proxy:" OURS "\n"),
     "proxy:" OURS},
    {"a table that only begins like ours", TEXT("transport_maps = " OURS ".old\n"),
     OURS ", " OURS ".old"},
    {"a limit set by hand", TEXT("postern-hold_destination_recipient_limit = 1\n"), OURS},
    {"commas around", TEXT("transport_maps = , hash:/a ,\n"), OURS ", hash:/a"},
    {"NUL byte", TEXT("transport_maps = hash:/a\0hidden\nbiff\0 = no\n"), OURS ", hash:/a"},
    {"other bytes", TEXT("mail_name = caf\xc3\xa9 \xff\ntransport_maps = hash:/\xff\n"),
     OURS ", hash:/\xff"},
    {"inline table", TEXT("transport_maps = inline:{ {a.example = smtp:[b], c} }\n"),
     OURS ", inline:{ {a.example = smtp:[b], c} }"},
    {"begins with a continuation", TEXT("  transport_maps = hash:/a\nbiff = no\n"), OURS},
};

/* The three promises of mainmaster.h about one file. */
static void check_promises(const char *label, struct slice text, mainmaster_function *apply,
                           mainmaster_function *remove)
{
    struct mainmaster_edit first, second, back;
    apply(text, &want, &first);
    if (first.result == MAINMASTER_CONFLICT)
        fail_msg("%s: conflict: line %zu: %s", label, first.line, first.message);
    apply(bytes_of(&first), &want, &second);
    if (second.result != MAINMASTER_SAME || !same(bytes_of(&second), bytes_of(&first)))
        fail_msg("%s: applied twice:\n%.*s", label, (int)second.len, second.bytes);
    remove(bytes_of(&first), &want, &back);
    if (!same(bytes_of(&back), text))
        fail_msg("%s: removed again:\n%.*s", label, (int)back.len, back.bytes);
    mainmaster_edit_free(&back);
    remove(text, &want, &back);
    if (back.result != MAINMASTER_SAME || !same(bytes_of(&back), text))
        fail_msg("%s: removed from what has nothing of ours:\n%.*s", label, (int)back.len,
                 back.bytes);
    mainmaster_edit_free(&back);
    mainmaster_edit_free(&second);
    mainmaster_edit_free(&first);
}

static void check_values(const char *label, struct slice text, const char *maps)
{
    struct mainmaster_edit edit;
    char value[1024] = "";
    mainmaster_apply_main(text, &want, &edit);
    if (!postfix_value(bytes_of(&edit), "transport_maps", value, sizeof(value)) ||
        strcmp(value, maps) != 0)
        fail_msg("%s: transport_maps = \"%s\"", label, value);
    assert_true(postfix_value(bytes_of(&edit), "postern-hold_destination_recipient_limit", value,
                              sizeof(value)));
    assert_string_equal(value, "1");
    assert_true(postfix_value(bytes_of(&edit), "postern-expire_destination_recipient_limit", value,
                              sizeof(value)));
    assert_string_equal(value, "1");
    mainmaster_edit_free(&edit);
}

static void test_main_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(main_cases) / sizeof(main_cases[0]); i++) {
        check_promises(main_cases[i].label, main_cases[i].text, mainmaster_apply_main,
                       mainmaster_remove_main);
        check_values(main_cases[i].label, main_cases[i].text, main_cases[i].maps);
    }
}

/* The whole text once: administrators read it. */
static void test_main_text(void **state)
{
    static const struct slice before = TEXT("transport_maps = hash:/a,\n  hash:/b\nbiff = no\n");
    static const char after[] =
        "#postern# transport_maps = hash:/a,\n"
        "#postern#   hash:/b\n"
        "biff = no\n"
        "# BEGIN postern\n"
        "# Written by \"posternctl setup --apply\"; \"posternctl setup --remove\" takes it out.\n"
        "# Postern's table comes first: a hold has to be seen before the routes behind it.\n"
        "# Those apply unchanged to all mail that is not held.\n"
        "transport_maps = " OURS ", hash:/a,  hash:/b\n"
        "# The gate's answer is about one recipient, so it is asked about each by itself.\n"
        "postern-hold_destination_recipient_limit = 1\n"
        "postern-expire_destination_recipient_limit = 1\n"
        "# END postern\n";
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main(before, &want, &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_string_equal(edit.bytes, after);
    assert_string_equal(edit.message, "");
    mainmaster_edit_free(&edit);
}

static void test_crlf_stays_crlf(void **state)
{
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main((struct slice)TEXT("biff = no\r\na = b"), &want, &edit);
    for (size_t i = 0; i < edit.len; i++)
        assert_true(edit.bytes[i] != '\n' || edit.bytes[i - 1] == '\r');
    mainmaster_edit_free(&edit);
}

/* --- Edits by the administrator between apply and remove --- */

struct edit_case {
    const char *label;
    const char *before;
    const char *from;    /* replaced in what apply gave ... */
    const char *to;      /* ... by this */
    const char *after;   /* what remove has to give */
    const char *message; /* that remove has to say, in part; NULL: none */
};

static const struct edit_case edit_cases[] = {
    {"another setting changed", "a = 1\ntransport_maps = hash:/x\n", "a = 1", "a = 2",
     "a = 2\ntransport_maps = hash:/x\n", NULL},
    {"a setting added at the end", "transport_maps = hash:/x\n", "# END postern\n",
     "# END postern\nb = 1\n", "transport_maps = hash:/x\nb = 1\n", NULL},
    {"a setting added at the end, where a newline was missing", "a = 1", "# END postern\n",
     "# END postern\nb = 1\n", "a = 1\nb = 1\n", NULL},
    {"a setting added before the block", "a = 1\n", "# BEGIN", "b = 1\n# BEGIN", "a = 1\nb = 1\n",
     NULL},
    {"a setting added inside the block", "a = 1\n", "# END", "b = 1\n  c\n# END",
     "a = 1\nb = 1\n  c\n", NULL},
    {"a setting added inside the block, where a newline was missing", "a = 1", "# END",
     "b = 1\n# END", "a = 1\nb = 1\n", NULL},
    {"the table added to with postconf -e", "transport_maps = hash:/x\n", "transport, hash:/x",
     "transport, hash:/x, hash:/y",
     "#transport_maps = hash:/x\ntransport_maps = hash:/x, hash:/y\n", "was changed"},
    {"a table set with postconf -e", "a = 1\n", "transport_maps = " OURS,
     "transport_maps = hash:/new", "a = 1\ntransport_maps = hash:/new\n", "was changed"},
    {"a table set with postconf -e, where a newline was missing", "a = 1", "transport_maps = " OURS,
     "transport_maps = hash:/new", "a = 1\ntransport_maps = hash:/new\n", "was changed"},
    {"ours put last", "transport_maps = hash:/x\n", OURS ", hash:/x", "hash:/x, " OURS,
     "transport_maps = hash:/x\n", NULL},
    {"all tables taken out", "a = 1\ntransport_maps = hash:/x\n",
     "transport_maps = " OURS ", hash:/x", "transport_maps =", "a = 1\n#transport_maps = hash:/x\n",
     "was changed"},
    {"all tables taken out, of the first line", "transport_maps = hash:/x\nb = 1\n",
     "transport_maps = " OURS ", hash:/x", "transport_maps =", "#transport_maps = hash:/x\nb = 1\n",
     "was changed"},
    {"the block deleted by hand but for its marks", "transport_maps = hash:/x\n",
     "transport_maps = " OURS ", hash:/x\n", "", "transport_maps = hash:/x\n", NULL},
    {"what was set aside deleted", "a = 1\ntransport_maps = hash:/x\nb = 1\n",
     "#postern# transport_maps = hash:/x\n", "", "a = 1\nb = 1\ntransport_maps = hash:/x\n",
     "was changed"},
};

/* Replaces the first `from`, which has to be there. free() the result. */
static char *replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *result = NULL;
    assert_non_null(at);
    assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >= 0);
    return result;
}

static void test_edited_between(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(edit_cases) / sizeof(edit_cases[0]); i++) {
        const struct edit_case *c = &edit_cases[i];
        struct mainmaster_edit applied, removed, again, anew;
        mainmaster_apply_main(slice_of(c->before), &want, &applied);
        char *edited = replace(applied.bytes, c->from, c->to);
        mainmaster_remove_main(slice_of(edited), &want, &removed);
        if (removed.bytes == NULL || strcmp(removed.bytes, c->after) != 0)
            fail_msg("%s: %s\n%s", c->label, removed.message, removed.bytes);
        if (c->message == NULL ? *removed.message != '\0'
                               : strstr(removed.message, c->message) == NULL)
            fail_msg("%s: message \"%s\"", c->label, removed.message);
        mainmaster_apply_main(slice_of(edited), &want, &again);
        mainmaster_apply_main(bytes_of(&removed), &want, &anew);
        if (!same(bytes_of(&again), bytes_of(&anew)))
            fail_msg("%s: applied again:\n%s", c->label, again.bytes);
        mainmaster_edit_free(&anew);
        check_promises(c->label, bytes_of(&removed), mainmaster_apply_main, mainmaster_remove_main);
        mainmaster_edit_free(&again);
        mainmaster_edit_free(&removed);
        mainmaster_edit_free(&applied);
        free(edited);
    }
}

/* Told, with the place, but left alone: the administrator put it there. */
static void test_behind_others(void **state)
{
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main((struct slice)TEXT("a = 1\ntransport_maps = hash:/a " OURS "\n"), &want,
                          &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_int_equal(edit.line, 2);
    assert_non_null(strstr(edit.message, "behind others"));
    mainmaster_edit_free(&edit);
}

/* A new state directory: the old table goes, and no trace of it stays. */
static void test_settings_changed(void **state)
{
    struct mainmaster_want moved = want;
    struct mainmaster_edit first, second, direct;
    static const struct slice before = TEXT("transport_maps = hash:/x\n");
    (void)state;
    moved.table = "/srv/postern/tables/transport";
    mainmaster_apply_main(before, &want, &first);
    mainmaster_apply_main(bytes_of(&first), &moved, &second);
    mainmaster_apply_main(before, &moved, &direct);
    assert_int_equal(second.result, MAINMASTER_CHANGED);
    assert_string_equal(second.bytes, direct.bytes);
    assert_null(strstr(second.bytes, TABLE));
    mainmaster_edit_free(&first);
    mainmaster_edit_free(&second);
    mainmaster_edit_free(&direct);
}

/* --- master.cf --- */

static const char services[] =
    "postern-hold     unix -     n       n       -       20      pipe\n"
    "  -o pipe_delivery_status_filter=regexp:/var/lib/postern/tables/gate_filter.regexp\n"
    "  flags=q user=postern null_sender= argv=/usr/libexec/postern/postern-gate"
    " -c /etc/postern/postern.conf\n"
    "  hold ${queue_id} ${nexthop} ${sender} ${recipient}\n"
    "postern-expire   unix -     n       n       -       20      pipe\n"
    "  -o pipe_delivery_status_filter=regexp:/var/lib/postern/tables/gate_filter.regexp\n"
    "  flags=q user=postern null_sender= argv=/usr/libexec/postern/postern-gate"
    " -c /etc/postern/postern.conf\n"
    "  expire ${queue_id} ${nexthop} ${sender} ${recipient}\n";

static const struct main_case master_cases[] = {
    {"empty", TEXT(""), NULL},
    {"one service", TEXT("smtp      inet  n       -       y       -       -       smtpd\n"), NULL},
    {"no final newline", TEXT("smtp inet n - y - - smtpd\n  -o a=b"), NULL},
    {"CRLF", TEXT("smtp inet n - y - - smtpd\r\n"), NULL},
    {"ends in a comment", TEXT("smtp inet n - y - - smtpd\n#  -o a=b\n# the end"), NULL},
    {"a service of ours commented out", TEXT("#postern-hold unix - n n - - pipe\n"), NULL},
    {"a longer name", TEXT("postern-hold2 unix - n n - - pipe flags= user=x argv=/x\n"), NULL},
    {"a line that looks set aside", TEXT("#postern# smtp inet n - y - - smtpd\n"), NULL},
};

static void test_master_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(master_cases) / sizeof(master_cases[0]); i++)
        check_promises(master_cases[i].label, master_cases[i].text, mainmaster_apply_master,
                       mainmaster_remove_master);
}

static void test_master_text(void **state)
{
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_master((struct slice)TEXT("smtp inet n - y - - smtpd\n"), &want, &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_non_null(strstr(edit.bytes, services));
    mainmaster_edit_free(&edit);
}

/* Who follows contrib/postfix/README by hand has nothing left to do. */
static void test_master_by_hand(void **state)
{
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_master(slice_of(services), &want, &edit);
    assert_int_equal(edit.result, MAINMASTER_SAME);
    mainmaster_edit_free(&edit);
}

/* --- Conflicts: said, with the line, and nothing changed --- */

struct conflict_case {
    const char *label;
    mainmaster_function *edit;
    struct slice text;
    size_t line;
    const char *message;
};

static const struct conflict_case conflict_cases[] = {
    {"a limit of another value", mainmaster_apply_main,
     TEXT("a = 1\npostern-hold_destination_recipient_limit = 5\n"), 2, "Postern needs 1"},
    {"the other limit", mainmaster_apply_main,
     TEXT("postern-expire_destination_recipient_limit = $x\n"), 1, "Postern needs 1"},
    {"a service that is not ours", mainmaster_apply_master,
     TEXT("# comment\nsmtp inet n - y - - smtpd\n\npostern-hold unix - n n - - pipe\n"
          "  flags= user=nobody argv=/bin/false\n"),
     4, "a service of this name"},
    {"the other service", mainmaster_apply_master, TEXT("postern-expire unix - - n - - smtp\n"), 1,
     "a service of this name"},
    {"begin without end", mainmaster_remove_main, TEXT("a = 1\n# BEGIN postern\nb = 1\n"), 2,
     "without an \"# END postern\""},
    {"begin twice", mainmaster_apply_main,
     TEXT("# BEGIN postern\nb = 1\n# BEGIN postern\n# END postern\n"), 3, "a second"},
    {"end without begin", mainmaster_apply_master, TEXT("a unix - - n - - smtp\n# END postern\n"),
     2, "without a \"# BEGIN postern\""},
    {"half of what was set aside", mainmaster_remove_main,
     TEXT("mydestination = a\n#postern#   hash:/b\n"), 2, "belongs to"},
    {"set aside, but not transport_maps", mainmaster_remove_main, TEXT("#postern# a = b\n"), 1,
     "belongs to"},
    {"a continuation behind what was set aside", mainmaster_remove_main,
     TEXT("mydestination = a\n#postern# transport_maps = hash:/x\n  b\n"), 3, "become a part"},
};

static void test_conflicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(conflict_cases) / sizeof(conflict_cases[0]); i++) {
        const struct conflict_case *c = &conflict_cases[i];
        struct mainmaster_edit edit;
        c->edit(c->text, &want, &edit);
        if (edit.result != MAINMASTER_CONFLICT || edit.line != c->line || edit.bytes != NULL ||
            strstr(edit.message, c->message) == NULL)
            fail_msg("%s: result %d, line %zu, \"%s\"", c->label, edit.result, edit.line,
                     edit.message);
        mainmaster_edit_free(&edit);
    }
}

struct plain_case {
    const char *label;
    const char *text;
    bool plain;
};

static const struct plain_case plain_cases[] = {
    {"a path", "/etc/postern/postern.conf", true},
    {"other characters", "/srv/a_b-c+d@e=f~g:h%i.1", true},
    {"empty", "", false},
    {"space", "/etc/my conf", false},
    {"dollar", "/etc/$x", false},
    {"brace", "/etc/{x", false},
    {"comma", "/etc/a,b", false},
    {"newline", "/etc/a\nb", false},
    {"not ASCII", "/etc/caf\xc3\xa9", false},
};

static void test_plain_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plain_cases) / sizeof(plain_cases[0]); i++) {
        struct mainmaster_want odd = want;
        struct mainmaster_edit edit;
        odd.config = plain_cases[i].text;
        mainmaster_apply_master((struct slice)TEXT(""), &odd, &edit);
        if (mainmaster_is_plain(odd.config) != plain_cases[i].plain ||
            (edit.result == MAINMASTER_CONFLICT) == plain_cases[i].plain)
            fail_msg("%s: result %d, \"%s\"", plain_cases[i].label, edit.result, edit.message);
        mainmaster_edit_free(&edit);
    }
}

/* --- Random files --- */

enum { RANDOM_FILES = 5000, RANDOM_MAX = 8192 };

/* xorshift64: the same files on every machine. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static const struct slice pieces[] = {
    TEXT("transport_maps"),
    TEXT(" = "),
    TEXT("="),
    TEXT("hash:/x"),
    TEXT(", "),
    TEXT("\n"),
    TEXT("\n"),
    TEXT("\n"),
    TEXT("\n  "),
    TEXT("\n\t"),
    TEXT("\r\n"),
    TEXT("# comment"),
    TEXT("\n#"),
    TEXT("biff = no"),
    TEXT("\0"),
    TEXT("\f"),
    TEXT("\n\ntransport_maps = lmdb:/y"),
    TEXT(OURS),
    TEXT(" "),
    TEXT("\npostern-hold unix"),
    TEXT("\r"),
    TEXT("\xff"),
    TEXT("\npostern-hold_destination_recipient_limit = 1"),
    TEXT("\ntransport_maps = "),
    TEXT("\nsmtp inet n - y - - smtpd"),
    TEXT("\n# END"),
    TEXT("#postern"),
};

/* Fills `bytes` with pieces, and `mark` on a line of its own somewhere between them. */
static size_t random_file(uint64_t *seed, char *bytes, const char *mark)
{
    size_t len = 0;
    size_t count = next_random(seed) % 40;
    size_t mark_at = next_random(seed) % (count + 1);
    for (size_t i = 0; i <= count; i++) {
        struct slice piece = pieces[next_random(seed) % (sizeof(pieces) / sizeof(pieces[0]))];
        memcpy(bytes + len, piece.at, piece.len);
        len += piece.len;
        if (i == mark_at)
            len += (size_t)sprintf(bytes + len, "\n%s\n", mark);
    }
    return len;
}

/* Puts `to`, which is as long, in the place of `from`. */
static void substitute(char *bytes, size_t len, const char *from, const char *to)
{
    char *at = memmem(bytes, len, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(to));
}

/* remove(apply(x) edited elsewhere) is x edited in the same way. Returns 1 unless in conflict. */
static int check_random(char *bytes, size_t len, mainmaster_function *apply,
                        mainmaster_function *remove)
{
    struct mainmaster_edit applied, removed;
    struct slice text = {bytes, len};
    apply(text, &want, &applied);
    if (applied.result == MAINMASTER_CONFLICT)
        return 0;
    check_promises("random", text, apply, remove);
    substitute(applied.bytes, applied.len, "edit_this = 1", "was_edited =2");
    substitute(bytes, len, "edit_this = 1", "was_edited =2");
    remove(bytes_of(&applied), &want, &removed);
    if (!same(bytes_of(&removed), text))
        fail_msg("edited:\n%.*s\nremoved: %s\n%.*s", (int)len, bytes, removed.message,
                 (int)removed.len, removed.bytes);
    mainmaster_edit_free(&removed);
    mainmaster_edit_free(&applied);
    return 1;
}

/* Whatever transport_maps was, it is ours and then that, unless ours was in it already. */
static void check_random_maps(struct slice text)
{
    char before[RANDOM_MAX] = "", after[RANDOM_MAX] = "";
    struct mainmaster_edit edit;
    mainmaster_apply_main(text, &want, &edit);
    postfix_value(text, "transport_maps", before, sizeof(before));
    assert_true(postfix_value(bytes_of(&edit), "transport_maps", after, sizeof(after)));
    size_t skip = strspn(before, ", \t\r\n\v\f");
    if (strstr(before, OURS) == NULL) {
        assert_memory_equal(after, OURS, strlen(OURS));
        for (size_t i = skip, j = strlen(OURS) + 2; before[i] != '\0' && after[j] != '\0'; i++, j++)
            if (before[i] != after[j] && !(after[j] == ' ' && before[i] < ' '))
                fail_msg("before \"%s\"\nafter \"%s\"", before, after);
    }
    mainmaster_edit_free(&edit);
}

static void test_random_files(void **state)
{
    char bytes[RANDOM_MAX], copy[RANDOM_MAX];
    uint64_t seed = 0x706f737465726e;
    int checked = 0;
    (void)state;
    for (int i = 0; i < RANDOM_FILES; i++) {
        size_t len = random_file(&seed, bytes, "edit_this = 1");
        memcpy(copy, bytes, len);
        if (check_random(copy, len, mainmaster_apply_main, mainmaster_remove_main)) {
            checked++;
            check_random_maps((struct slice){bytes, len});
        }
        memcpy(copy, bytes, len);
        checked += check_random(copy, len, mainmaster_apply_master, mainmaster_remove_master);
    }
    assert_true(checked > RANDOM_FILES); /* of twice as many: conflicts are the lesser part */
}

/* Files with our marks in odd places: a result, or a conflict that says where. */
static void test_random_damage(void **state)
{
    static const char *const marks[] = {"# BEGIN postern", "# END postern",
                                        "#postern# transport_maps = a", "#postern#   b",
                                        "# BEGIN postern (the line before this had no newline)"};
    char bytes[RANDOM_MAX];
    uint64_t seed = 0x64616d616765;
    int conflicts = 0;
    (void)state;
    for (int i = 0; i < RANDOM_FILES; i++) {
        struct mainmaster_edit edit;
        size_t len = random_file(&seed, bytes, marks[next_random(&seed) % 5]);
        len += random_file(&seed, bytes + len, marks[next_random(&seed) % 5]);
        mainmaster_remove_main((struct slice){bytes, len}, &want, &edit);
        if (edit.result == MAINMASTER_CONFLICT) {
            assert_null(edit.bytes);
            assert_true(edit.line > 0);
            conflicts++;
        } else {
            assert_int_equal(edit.result, MAINMASTER_CHANGED);
            assert_non_null(edit.bytes);
        }
        mainmaster_edit_free(&edit);
    }
    assert_in_range(conflicts, RANDOM_FILES / 10, RANDOM_FILES - RANDOM_FILES / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_main_shapes),     cmocka_unit_test(test_main_text),
        cmocka_unit_test(test_crlf_stays_crlf), cmocka_unit_test(test_edited_between),
        cmocka_unit_test(test_behind_others),   cmocka_unit_test(test_settings_changed),
        cmocka_unit_test(test_master_shapes),   cmocka_unit_test(test_master_text),
        cmocka_unit_test(test_master_by_hand),  cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_plain_names),     cmocka_unit_test(test_random_files),
        cmocka_unit_test(test_random_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
