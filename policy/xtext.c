#include "xtext.h"

#include <stdint.h>
#include <string.h>

#include "text.h"

static int hex_digit(char c, bool lower_too)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at;

    if (lower_too && c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* xtext is what a parameter may hold, but '+' and '='. */
static bool is_plain(char c)
{
    return c > ' ' && c < 0x7F && c != '+' && c != '=';
}

bool xtext_decode(char *decoded_r, const char *encoded)
{
    char *to = decoded_r;

    for (const char *at = encoded; *at; at++) {
        int high = at[0] == '+' ? hex_digit(at[1], false) : -1;
        int low = high >= 0 ? hex_digit(at[2], false) : -1;

        if (low >= 0)
            at += 2;
        else if (!is_plain(*at))
            return false;
        *to = low >= 0 ? (char)(high << 4 | low) : *at;
        if (*to < ' ' || *to > '~')
            return false;
        to++;
    }
    *to = '\0';
    return to > decoded_r;
}

/* The length of "\x{HEX}", with its value; 0: it is none. */
static size_t read_escape(const char *at, uint32_t *code_r)
{
    const char *start = at;
    int digit;

    if (strncmp(at, "\\x{", 3) != 0)
        return 0;
    *code_r = 0;
    for (at += 3; (digit = hex_digit(*at, true)) >= 0 && *code_r <= 0x10FFFF; at++)
        *code_r = *code_r << 4 | (uint32_t)digit;
    return *at == '}' && at > start + 3 ? (size_t)(at + 1 - start) : 0;
}

bool xtext_decode_utf8(char *decoded_r, const char *encoded)
{
    size_t left = strlen(encoded);
    char *to = decoded_r;

    while (left > 0) {
        uint32_t code = 0;
        size_t len =
            *encoded == '\\' ? read_escape(encoded, &code) : text_utf8_decode(encoded, left, &code);
        size_t written = len > 0 && code != 0 ? text_utf8_encode(to, code) : 0;

        if (written == 0 || (len == 1 && !is_plain(*encoded)))
            return false;
        encoded += len;
        left -= len;
        to += written;
    }
    *to = '\0';
    return to > decoded_r && text_is_clean(decoded_r);
}
