/*
 * Feeds any bytes to the classifier, as the text of a log line and as a server's words in one, and
 * checks what it promises: a limit is only named for a split, it can be told again, and what stands
 * in an address makes no difference.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "classify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct classifier *the_classifier(void)
{
    static struct classifier *classifier;
    static const char *const patterns[] = {"transaction full", "^554 [^ ]+ voll$"};
    char error[512];

    if (classifier == NULL)
        classifier = classifier_new(patterns, 2, error, sizeof(error));
    CHECK(classifier != NULL);
    return classifier;
}

static void check_info(const struct classify_info *info, struct slice text)
{
    CHECK(info->source != NULL);
    CHECK(info->limit <= 100000);
    if (info->limit > 0)
        CHECK(info->kind == CLASSIFY_SPLIT);
    if (info->kind != CLASSIFY_OTHER) {
        CHECK(info->phase != REPLY_PHASE_OTHER && info->source[0] != '\0');
        CHECK(text.len <= CLASSIFY_TEXT_MAX && slice_starts(text, "host "));
    }
}

/* Writes 'x' over all of an address but what makes it one. False when there is none in < >. */
static bool blot_address(char *text)
{
    for (char *open = strchr(text, '<'); open != NULL; open = strchr(open + 1, '<')) {
        size_t len = strcspn(open + 1, "<>");
        char *at = memchr(open + 1, '@', len);

        if (at == NULL || open[1 + len] != '>' || memchr(open + 1, '"', len) != NULL)
            continue;
        for (char *p = open + 1; p < open + 1 + len; p++) {
            if (p != at)
                *p = 'x';
        }
        return true;
    }
    return false;
}

static void check_address(const struct classify_info *info, const char *text)
{
    char *other = strdup(text);
    struct classify_info blotted;

    CHECK(other != NULL);
    if (blot_address(other)) {
        classify_reply(the_classifier(), slice_of(other), &blotted);
        CHECK(blotted.kind == info->kind && blotted.limit == info->limit);
        CHECK(blotted.source == info->source);
    }
    free(other);
}

static void check_text(struct slice text)
{
    struct classify_info info, again;
    char *copy = strndup(text.at, text.len);

    CHECK(copy != NULL);
    CHECK(classify_reply(the_classifier(), text, &info) == info.kind);
    check_info(&info, text);
    CHECK(classify_reply(the_classifier(), text, &again) == info.kind && again.limit == info.limit);
    if (strlen(copy) == text.len)
        check_address(&info, copy);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char begin[] = "host mx[192.0.2.1] said: ", end[] = " (in reply to DATA command)";
    size_t len = strlen(begin) + size + strlen(end);
    /* Copies of just this size, so that a byte read too much is noticed. */
    char *bytes = malloc(size > 0 ? size : 1), *text = malloc(len);

    CHECK(bytes != NULL && text != NULL);
    if (size > 0)
        memcpy(bytes, data, size);
    memcpy(text, begin, strlen(begin));
    memcpy(text + strlen(begin), bytes, size);
    memcpy(text + strlen(begin) + size, end, strlen(end));
    check_text((struct slice){bytes, size});
    check_text((struct slice){text, len});
    free(text);
    free(bytes);
    return 0;
}
