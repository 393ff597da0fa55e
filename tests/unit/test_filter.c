/* Deliveries to a content filter are told apart from those to the destination. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filter.h"

static struct filters amavis(void)
{
    struct filters filters;

    filters_read(&filters, "smtp-amavis:[127.0.0.1]:10024",
                 "smtp/inet/content_filter = other:filter.example:10026\n"
                 "pickup/unix/content_filter = spam-pipe:dummy\n"
                 "127.0.0.1:10025/inet/content_filter = \n");
    return filters;
}

static void matches_only_the_filter(void **state)
{
    static const struct {
        const char *label;
        const char *relay;
        const char *text;
        bool want;
    } cases[] = {
        {"handed to amavis", "127.0.0.1[127.0.0.1]:10024", "250 2.0.0 from MTA", true},
        {"amavis is down", "none", "connect to 127.0.0.1[127.0.0.1]:10024: Connection refused",
         true},
        {"suspended for it", "none",
         "delivery temporarily suspended: connect to 127.0.0.1[127.0.0.1]:10024: Connection "
         "refused",
         true},
        {"the filter of one service", "filter.example[192.0.2.9]:10026", "250 ok", true},
        {"a port that begins alike", "127.0.0.1[127.0.0.1]:100245", "250 ok", false},
        {"the destination itself", "mx.example[192.0.2.1]:25", "250 ok", false},
        {"its words imitate the filter", "mx.example[192.0.2.1]:25",
         "connect to 127.0.0.1[127.0.0.1]:10024: hello", false},
        {"destination down", "none", "connect to mx.example[192.0.2.1]:25: Connection refused",
         false},
        {"nothing to see", "none", "Host or domain name not found", false},
    };
    const struct filters filters = amavis();

    (void)state;
    assert_int_equal(filters.count, 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct maillog_line line = {
            .kind = MAILLOG_DELIVERY,
            .status = MAILLOG_DEFERRED,
            .agent = strstr(cases[i].text, "suspended") ? MAILLOG_AGENT_QUEUE : MAILLOG_AGENT_SMTP,
            .dsn = slice_of("4.4.1"),
            .relay = slice_of(cases[i].relay),
            .text = slice_of(cases[i].text)};
        if (filters_match(&filters, &line) != cases[i].want)
            fail_msg("%s", cases[i].label);
    }
}

static void a_site_without_filters(void **state)
{
    struct filters filters;

    (void)state;
    filters_read(&filters, "", "");
    assert_int_equal(filters.count, 0);
    filters_read(&filters, "smtp:[mx.example]:25", "");
    assert_int_equal(filters.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_only_the_filter),
        cmocka_unit_test(a_site_without_filters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
