#include "text.h"

#include <stdio.h>
#include <string.h>

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The length that a first byte announces, the bits it gives, and the least code point allowed. */
static size_t leader(unsigned char byte, uint32_t *code_r, uint32_t *least_r)
{
    if (byte < 0x80) {
        *code_r = byte;
        *least_r = 0;
        return 1;
    }
    if ((byte & 0xE0) == 0xC0) {
        *code_r = byte & 0x1F;
        *least_r = 0x80;
        return 2;
    }
    if ((byte & 0xF0) == 0xE0) {
        *code_r = byte & 0x0F;
        *least_r = 0x800;
        return 3;
    }
    if ((byte & 0xF8) == 0xF0) {
        *code_r = byte & 0x07;
        *least_r = 0x10000;
        return 4;
    }
    return 0;
}

static bool is_code_point(uint32_t code)
{
    return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

size_t text_utf8_decode(const char *at, size_t len, uint32_t *code_r)
{
    uint32_t code, least;
    size_t want = len > 0 ? leader((unsigned char)at[0], &code, &least) : 0;

    if (want == 0 || want > len)
        return 0;
    for (size_t i = 1; i < want; i++) {
        if (!is_continuation((unsigned char)at[i]))
            return 0;
        code = code << 6 | ((unsigned char)at[i] & 0x3F);
    }
    if (code < least || !is_code_point(code))
        return 0;
    *code_r = code;
    return want;
}

size_t text_utf8_length(const char *at, size_t len)
{
    uint32_t code;

    return text_utf8_decode(at, len, &code);
}

size_t text_utf8_encode(char at[4], uint32_t code)
{
    static const unsigned char leaders[] = {0, 0xC0, 0xE0, 0xF0};
    size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;

    if (!is_code_point(code))
        return 0;
    for (size_t i = more; i > 0; i--, code >>= 6)
        at[i] = (char)(0x80 | (code & 0x3F));
    at[0] = (char)(leaders[more] | code);
    return more + 1;
}

/* C1 (U+0080 to U+009F) is C2 80 to C2 9F; some terminals obey it as they obey ESC. */
static bool is_control(const char *at, size_t len)
{
    unsigned char byte = (unsigned char)at[0];

    if (len == 1)
        return byte < 0x20 || byte == 0x7F;
    return len == 2 && byte == 0xC2 && (unsigned char)at[1] < 0xA0;
}

static void mark_invalid(char *text, size_t left, bool controls_too)
{
    while (left > 0) {
        size_t len = text_utf8_length(text, left);
        size_t step = len > 0 ? len : 1;

        if (len == 0 || (controls_too && is_control(text, len)))
            memset(text, '?', step);
        text += step;
        left -= step;
    }
}

void text_clean(char *text)
{
    mark_invalid(text, strlen(text), true);
}

void text_make_utf8(char *text, size_t len)
{
    mark_invalid(text, len, false);
}

bool text_is_clean(const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t len = text_utf8_length(text, left);

        if (len == 0 || is_control(text, len))
            return false;
        text += len;
        left -= len;
    }
    return true;
}

/* Puts "..." at the end of a text that fills its buffer, in place of whole characters. */
static void mark_cut(char *buffer, size_t size)
{
    static const char mark[] = "...";
    size_t end;

    if (size <= sizeof(mark))
        return;
    end = size - sizeof(mark);
    while (end > 0 && is_continuation((unsigned char)buffer[end]))
        end--;
    memcpy(buffer + end, mark, sizeof(mark));
}

void text_print(char *buffer, size_t size, const char *format, va_list ap)
{
    int len = vsnprintf(buffer, size, format, ap);

    if (len < 0)
        snprintf(buffer, size, "%s", format);
    else if ((size_t)len >= size)
        mark_cut(buffer, size);
    text_clean(buffer);
}
