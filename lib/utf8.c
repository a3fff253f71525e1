/* SPDX-License-Identifier: MPL-2.0 */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

size_t utf8_character(const char *text, size_t bytes)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *) text;
    if (bytes == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    size_t n = p[0] >= 0xc0 && p[0] < 0xe0   ? 2
               : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
               : p[0] >= 0xf0 && p[0] < 0xf8 ? 4
                                             : 0;
    if (n == 0 || n > bytes) {
        return 0;
    }
    uint32_t c = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

bool utf8_valid(const char *text, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        uint64_t word;
        if (bytes - at >= 8 && (memcpy(&word, text + at, 8), (word & UINT64_C(0x8080808080808080)) == 0)) {
            at += 8;
            continue;
        }
        size_t n = utf8_character(text + at, bytes - at);
        if (n == 0) {
            return false;
        }
        at += n;
    }
    return true;
}

size_t utf8_whole(const char *text, size_t bytes)
{
    for (size_t back = 1; back <= 4 && back <= bytes; back++) {
        size_t at = bytes - back;
        if (((unsigned char) text[at] & 0xc0) != 0x80) { /* where the last character begins */
            return utf8_character(text + at, back) ? bytes : at;
        }
    }
    return bytes;
}
