#include "config_syntax.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "text.h"

enum { LABEL_MAX = 63 }; /* RFC 1035 section 2.3.4 */

/* Not <ctype.h>, which follows the locale. */
static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* True when `text` is not empty and made of letters, digits and `others`. */
static bool is_made_of(const char *text, const char *others)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (!is_alnum(*text) && strchr(others, *text) == NULL)
            return false;
    }
    return true;
}

bool config_syntax_path(const char *text)
{
    if (*text != '/')
        return false;
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7F || strchr(",$\"'\\", *text) != NULL)
            return false;
    }
    return true;
}

bool config_syntax_log(const char *text)
{
    return strcmp(text, "journal") == 0 || config_syntax_path(text);
}

bool config_syntax_user(const char *text)
{
    return *text == '\0' || (*text != '-' && is_made_of(text, "._-"));
}

bool config_syntax_instance(const char *text)
{
    static const char prefix[] = "postfix-"; /* postmulti(1) wants it in multi_instance_name */

    return config_syntax_user(text) && strncmp(text, prefix, sizeof(prefix) - 1) != 0;
}

bool config_syntax_name(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text >= 0x7F || strchr("\"'`\\", *text) != NULL)
            return false;
    }
    return true;
}

/* An A-label is at most 63 bytes; how long the A-label of a UTF-8 one becomes is not known here. */
static bool is_label(const char *at, size_t len)
{
    bool ascii = true;

    for (size_t i = 0; i < len;) {
        size_t step = text_utf8_length(at + i, len - i);

        if (step == 0 || (step == 1 && !is_alnum(at[i]) && at[i] != '-' && at[i] != '_'))
            return false;
        /* U+0080 to U+00A0: control characters and the no-break space */
        if (step == 2 && (unsigned char)at[i] == 0xC2 && (unsigned char)at[i + 1] <= 0xA0)
            return false;
        ascii = ascii && step == 1;
        i += step;
    }
    return len > 0 && (!ascii || len <= LABEL_MAX);
}

static bool is_name_of_labels(const char *text)
{
    for (;;) {
        size_t len = strcspn(text, ".");

        if (!is_label(text, len))
            return false;
        if (text[len] == '\0')
            return true;
        text += len + 1;
    }
}

static bool is_address_literal(const char *text)
{
    static const char tag[] = "IPv6:";
    char address[INET6_ADDRSTRLEN];
    struct in6_addr binary;
    size_t len = strlen(text);
    bool v6;

    if (len < 3 || text[0] != '[' || text[len - 1] != ']' || len - 2 >= sizeof(address) + 5)
        return false;
    v6 = strncasecmp(text + 1, tag, sizeof(tag) - 1) == 0;
    text += v6 ? sizeof(tag) : 1;
    len = strlen(text) - 1;
    if (len >= sizeof(address))
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    return inet_pton(v6 ? AF_INET6 : AF_INET, address, &binary) == 1;
}

static bool is_plain_domain(const char *text)
{
    if (strlen(text) > CONFIG_DOMAIN_MAX)
        return false;
    return *text == '[' ? is_address_literal(text) : is_name_of_labels(text);
}

bool config_syntax_domain(const char *text)
{
    if (strcmp(text, "*") == 0)
        return true;
    if (*text != '.')
        return is_plain_domain(text);
    return strlen(text) <= CONFIG_DOMAIN_MAX && is_name_of_labels(text + 1);
}

/* The address before the '/' in binary; returns its bits, 0 when it is none. */
static unsigned network_address(const char *text, size_t len, unsigned char binary_r[16])
{
    char address[INET6_ADDRSTRLEN];

    if (len >= sizeof(address))
        return 0;
    memcpy(address, text, len);
    address[len] = '\0';
    if (inet_pton(AF_INET, address, binary_r) == 1)
        return 32;
    return inet_pton(AF_INET6, address, binary_r) == 1 ? 128 : 0;
}

/* "0" to `most`, without other digits before. */
static bool read_prefix(const char *text, unsigned most, unsigned *prefix_r)
{
    size_t len = strspn(text, "0123456789");

    if (len == 0 || len > 3 || text[len] != '\0' || (text[0] == '0' && len > 1))
        return false;
    *prefix_r = (unsigned)strtoul(text, NULL, 10);
    return *prefix_r <= most;
}

bool config_syntax_network(const char *text)
{
    unsigned char binary[16];
    size_t len = strcspn(text, "/");
    unsigned bits = network_address(text, len, binary);
    unsigned prefix = bits;

    if (bits == 0 || (text[len] == '/' && !read_prefix(text + len + 1, bits, &prefix)))
        return false;
    for (unsigned i = prefix; i < bits; i++) {
        if ((binary[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    }
    return true;
}

bool config_syntax_login(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
            return false;
    }
    return len >= 1 && len <= 255;
}

/* What stands behind the prefix; NULL when text does not begin with it. */
static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* "unix:/path", with a path that fits into a socket address. */
static bool is_unix_socket(const char *text)
{
    const char *path = after(text, "unix:");

    return path != NULL && config_syntax_path(path) && path[1] != '\0' &&
           strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

/* Digits up to `end`, 1 to 65535. */
static bool is_port(const char *text, const char *end)
{
    unsigned long port = 0;

    if (end - text < 1 || end - text > 5)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        port = port * 10 + (unsigned long)(*text - '0');
    }
    return port >= 1 && port <= 65535;
}

static bool is_milter_socket(const char *text)
{
    const char *v6 = after(text, "inet6:");
    const char *v4 = after(text, "inet:");
    const char *port = v6 != NULL ? v6 : v4;
    const char *at;

    if (port == NULL)
        return is_unix_socket(text);
    at = strchr(port, '@');
    return at != NULL && is_port(port, at) && is_made_of(at + 1, v6 != NULL ? ".-_:[]" : ".-_");
}

bool config_syntax_milter_socket_or_none(const char *text)
{
    return *text == '\0' || is_milter_socket(text);
}

bool config_syntax_policy_socket(const char *text)
{
    const char *host = after(text, "inet:");
    const char *colon = host != NULL ? strrchr(host, ':') : NULL;
    char name[CONFIG_DOMAIN_MAX + 1];
    size_t len;

    if (host == NULL)
        return *text == '\0' || is_unix_socket(text);
    if (colon == NULL || !is_port(colon + 1, colon + strlen(colon)))
        return false;
    len = (size_t)(colon - host);
    if (len >= sizeof(name))
        return false;
    memcpy(name, host, len);
    name[len] = '\0';
    return is_made_of(name, name[0] == '[' ? ".-_:[]" : ".-_");
}

/* An address, not a name: what a name leads to, others decide. */
bool config_syntax_loopback(const char *text)
{
    const char *colon = strrchr(text, ':');
    char host[INET_ADDRSTRLEN];
    struct in_addr v4;
    size_t len;

    if (*text == '\0')
        return true;
    if (colon == NULL || !is_port(colon + 1, colon + strlen(colon)))
        return false;
    len = (size_t)(colon - text);
    if (len == strlen("[::1]") && strncmp(text, "[::1]", len) == 0)
        return true;
    if (len >= sizeof(host))
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}
