/*
 * Makes the canonical address of any bytes, and checks what is promised: it is short enough and
 * NUL-terminated, holds no control characters, has a plain domain, and is its own canonical form.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "address.h"
#include "check.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_domain(struct slice domain)
{
    bool literal = domain.len > 2 && domain.at[0] == '[' && domain.at[domain.len - 1] == ']';

    CHECK(domain.len > 0 && domain.at[0] != '.' && domain.at[domain.len - 1] != '.');
    for (size_t i = literal; i < domain.len - literal; i++) {
        char c = domain.at[i];

        CHECK(c > ' ' || (unsigned char)c >= 0x80);
        CHECK(strchr("\"<>()[],;@\\", c) == NULL && (c < 'A' || c > 'Z'));
        CHECK(c != ':' || literal);
    }
}

static void check_canonical(const char *canonical, size_t len)
{
    char clean[ADDRESS_MAX + 1], again[ADDRESS_MAX + 1];
    struct slice all = {canonical, len};
    struct slice domain = address_domain(all);

    CHECK(len <= ADDRESS_MAX && strlen(canonical) == len);
    memcpy(clean, canonical, len + 1);
    text_clean(clean);
    CHECK(strcmp(clean, canonical) == 0);
    CHECK(address_canonical(again, all) == len && strcmp(again, canonical) == 0);
    CHECK(domain.at > canonical + 1 && domain.at[-1] == '@');
    CHECK(domain.at + domain.len == canonical + len);
    check_domain(domain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of just this size, so that a byte read too much is noticed. */
    char *bytes = malloc(size > 0 ? size : 1);
    char canonical[ADDRESS_MAX + 1];
    size_t len;

    if (bytes == NULL)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    len = address_canonical(canonical, (struct slice){bytes, size});
    if (len > 0)
        check_canonical(canonical, len);
    else
        CHECK(canonical[0] == '\0');
    free(bytes);
    return 0;
}
