/* SPDX-License-Identifier: MPL-2.0 */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/* The length of the character at `at`, 0 when there is none. */
static size_t character(const unsigned char *at, size_t left)
{
    if (*at < 0x80) {
        return 1;
    }
    const size_t n = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
    if (*at < 0xc2 || *at > 0xf4 || n > left) {
        return 0;
    }
    uint32_t code = *at & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[i] & 0x3f);
    }
    const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least[n] || code > 0x10ffff || surrogate ? 0 : n;
}

void text_clean(char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        const size_t n = character((const unsigned char *) text + i, bytes - i);
        if (n == 0) {
            text[i] = '?';
        }
        i += n ? n : 1;
    }
}

void text_printable(char *text, size_t bytes)
{
    text_clean(text, bytes);
    for (size_t i = 0; i < bytes; i++) {
        text[i] = (unsigned char) text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    }
}
