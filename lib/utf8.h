/* SPDX-License-Identifier: MPL-2.0 */
/* utf8 - is this text? */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at `text` (1..4), or 0 when the bytes there are no UTF-8 (overlong forms, surrogates and
 * numbers over 0x10ffff are none). */
size_t utf8_character(const char *text, size_t bytes);

bool utf8_valid(const char *text, size_t bytes);

/* Of a text that was cut after `bytes` bytes: how many of them are whole characters. */
size_t utf8_whole(const char *text, size_t bytes);

#endif
