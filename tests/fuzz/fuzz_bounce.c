/*
 * Feeds any bytes to the parser of non-delivery reports: the first line is the boundary, the rest
 * the body. Checks what it promises: a report understood names its recipients, and without some of
 * them it is a report about the others, all other bytes being the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bounce.h"
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice copy_of(const void *bytes, size_t len)
{
    /* A copy of just this size, so that a byte read too much is noticed. */
    char *copy = malloc(len > 0 ? len : 1);

    CHECK(copy != NULL);
    if (len > 0)
        memcpy(copy, bytes, len);
    return (struct slice){copy, len};
}

static void copy_free(struct slice copy)
{
    free((char *)(uintptr_t)copy.at);
}

static bool has(struct slice all, const char *text)
{
    return memmem(all.at, all.len, text, strlen(text)) != NULL;
}

/* Whether leaving bytes out of `all` can make it `part`. */
static bool is_left_of(struct slice part, struct slice all)
{
    size_t i = 0;

    for (size_t j = 0; j < all.len && i < part.len; j++)
        if (part.at[i] == all.at[j])
            i++;
    return i == part.len;
}

static struct slice without(const struct bounce *bounce, const bool *drop)
{
    struct slice rest;

    rest.at = bounce_without(bounce, drop, &rest.len);
    CHECK(rest.at != NULL);
    return rest;
}

/* About the same message, and only the recipients that are kept, in this order. */
static void check_kept(const struct bounce *before, const bool *drop, const struct bounce *after)
{
    size_t kept = 0;

    CHECK(after != NULL);
    CHECK(strcmp(bounce_queue_id(before), bounce_queue_id(after)) == 0);
    CHECK(strcmp(bounce_sender(before), bounce_sender(after)) == 0);
    for (size_t i = 0; i < bounce_count(before); i++) {
        if (drop[i])
            continue;
        CHECK(kept < bounce_count(after));
        CHECK(strcmp(bounce_recipient(before, i), bounce_recipient(after, kept)) == 0);
        kept++;
    }
    CHECK(kept == bounce_count(after));
}

/* Takes every `nth` out, all others after that, and compares with doing it the other way round. */
static void check_without(const struct bounce *bounce, const char *boundary, struct slice body,
                          size_t nth)
{
    size_t count = bounce_count(bounce), drops = 0;
    bool *drop = calloc(count, sizeof(*drop));
    struct slice rest;
    struct bounce *after;

    CHECK(drop != NULL);
    rest = without(bounce, drop);
    CHECK(rest.len == body.len && memcmp(rest.at, body.at, body.len) == 0);
    copy_free(rest);
    for (size_t i = 0; i < count; i++)
        drops += drop[i] = i % nth == nth - 1;
    rest = without(bounce, drop);
    CHECK(drops == 0 ? rest.len == body.len : rest.len < body.len);
    CHECK(is_left_of(rest, body));
    after = bounce_parse(boundary, rest);
    check_kept(bounce, drop, after);
    bounce_free(&after);
    copy_free(rest);
    free(drop);
}

/* Taking out one after the other leaves the same as taking them out at once. */
static void check_one_by_one(const struct bounce *bounce, const char *boundary, struct slice body)
{
    size_t count = bounce_count(bounce);
    bool *drop = calloc(count, sizeof(*drop));
    struct slice at_once, left = copy_of(body.at, body.len);

    CHECK(drop != NULL);
    for (size_t i = 0; i + 1 < count; i++) {
        struct bounce *step = bounce_parse(boundary, left);
        struct slice next;
        memset(drop, 0, count);
        drop[0] = true;
        CHECK(step != NULL && bounce_count(step) == count - i);
        next = without(step, drop);
        bounce_free(&step);
        copy_free(left);
        left = next;
    }
    memset(drop, true, count - 1);
    drop[count - 1] = false;
    at_once = without(bounce, drop);
    CHECK(at_once.len == left.len && memcmp(at_once.at, left.at, left.len) == 0);
    copy_free(at_once);
    copy_free(left);
    free(drop);
}

static void check_report(const struct bounce *bounce, const char *boundary, struct slice body)
{
    enum { MOST_AT_A_TIME = 3, FEW = 32 };
    size_t id_len = strlen(bounce_queue_id(bounce)), count = bounce_count(bounce);
    char type[BOUNCE_BOUNDARY_MAX + 80], again[BOUNCE_BOUNDARY_MAX];

    CHECK(id_len > 0 && strncmp(boundary, bounce_queue_id(bounce), id_len) == 0);
    CHECK(boundary[id_len] == '.' && has(body, bounce_queue_id(bounce)));
    CHECK(has(body, bounce_sender(bounce)));
    CHECK(count > 0 && count <= BOUNCE_RECIPIENTS_MAX);
    for (size_t i = 0; i < count; i++)
        CHECK(bounce_recipient(bounce, i)[0] != '\0' && has(body, bounce_recipient(bounce, i)));
    for (size_t nth = 2; nth <= MOST_AT_A_TIME; nth++)
        check_without(bounce, boundary, body, nth);
    if (count <= FEW)
        check_one_by_one(bounce, boundary, body);
    snprintf(type, sizeof(type),
             "multipart/report; report-type=delivery-status;\n\tboundary=\"%s\"", boundary);
    CHECK(bounce_boundary(slice_of(type), again) && strcmp(again, boundary) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t len = end ? (size_t)(end - data) : 0;
    struct slice first = copy_of(data, len);
    struct slice body = copy_of(data + (end ? len + 1 : 0), size - (end ? len + 1 : 0));
    char *boundary = strndup(first.at, first.len), found[BOUNCE_BOUNDARY_MAX];
    struct bounce *bounce;

    CHECK(boundary != NULL);
    if (bounce_boundary(first, found) || bounce_boundary(body, found))
        CHECK(found[0] != '\0' && strlen(found) < sizeof(found));
    bounce = bounce_parse(boundary, body);
    if (bounce != NULL)
        check_report(bounce, boundary, body);
    bounce_free(&bounce);
    free(boundary);
    copy_free(first);
    copy_free(body);
    return 0;
}
