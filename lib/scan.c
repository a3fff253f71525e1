/* SPDX-License-Identifier: MPL-2.0 */
#include "scan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

enum { MOST_DEPTH = 64 };

/* What a lead byte says: how many bytes the head takes (itself included), and what follows the head. */
enum follow { NOTHING, BYTES, ITEMS, PAIRS, EXT_BYTES };

static uint64_t big(const uint8_t *p, size_t bytes)
{
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++) {
        v = v << 8 | p[i];
    }
    return v;
}

static uint32_t big32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static uint64_t big64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}

/* Bytes of the head of each form 0xc0..0xdf; 0 where msgpack has no such form. */
static const uint8_t heads[32] = {
    [0xc0 - 0xc0] = 1, [0xc2 - 0xc0] = 1, [0xc3 - 0xc0] = 1, [0xc4 - 0xc0] = 2, [0xc5 - 0xc0] = 3,
    [0xc6 - 0xc0] = 5, [0xc7 - 0xc0] = 3, [0xc8 - 0xc0] = 4, [0xc9 - 0xc0] = 6, [0xca - 0xc0] = 5,
    [0xcb - 0xc0] = 9, [0xcc - 0xc0] = 2, [0xcd - 0xc0] = 3, [0xce - 0xc0] = 5, [0xcf - 0xc0] = 9,
    [0xd0 - 0xc0] = 2, [0xd1 - 0xc0] = 3, [0xd2 - 0xc0] = 5, [0xd3 - 0xc0] = 9, [0xd4 - 0xc0] = 2,
    [0xd5 - 0xc0] = 2, [0xd6 - 0xc0] = 2, [0xd7 - 0xc0] = 2, [0xd8 - 0xc0] = 2, [0xd9 - 0xc0] = 2,
    [0xda - 0xc0] = 3, [0xdb - 0xc0] = 5, [0xdc - 0xc0] = 3, [0xdd - 0xc0] = 5, [0xde - 0xc0] = 3,
    [0xdf - 0xc0] = 5,
};

static int bad(struct err *err, const char *what, size_t at)
{
    return err_set(err, KILN_INVALID, NULL, "%s at byte %zu", what, at);
}

int scan_check(const void *data, size_t bytes, const struct scan_limits *limits, struct err *err)
{
    assert(limits->depth <= MOST_DEPTH);
    const uint8_t *start = data, *at = start, *end = start + bytes;
    uint64_t
        left[MOST_DEPTH + 1]; /* values still to come, for each open container; left[0] is the value itself */
    uint32_t depth = 0;
    uint64_t items = limits->items;
    left[0] = 1;
    if (bytes == 0) {
        return err_set(err, KILN_INVALID, NULL, "msgpack is empty, expected one value");
    }
    for (;;) {
        while (left[depth] == 0) {
            if (depth == 0) {
                if (at != end) {
                    return err_set(err, KILN_INVALID, NULL, "msgpack ends at byte %zu of %zu: more follows",
                                   (size_t) (at - start), bytes);
                }
                return 0;
            }
            depth--;
        }
        uint64_t n = left[depth];
        while (n && end - at >= 9 && *at == 0xcb) { /* lists of doubles: nearly all bytes that ever come */
            at += 9;
            n--;
        }
        while (n && end - at >= 9 &&
               (*at < 0x80 || *at >= 0xca)) { /* other numbers; most heads are the whole of them */
            uint8_t c = *at;
            if (c >= 0xd4 && c < 0xe0) {
                break;
            }
            at += c >= 0xca && c < 0xe0 ? heads[c - 0xc0] : 1;
            n--;
        }
        left[depth] = n;
        if (n == 0) {
            continue;
        }
        left[depth]--;
        if (at == end) {
            return err_set(err, KILN_INVALID, NULL, "msgpack is truncated at byte %zu of %zu", bytes, bytes);
        }
        uint8_t c = *at;
        size_t room = (size_t) (end - at), need = 1, count = 0;
        bool container = false;
        if (c < 0x80 || c >= 0xe0) {
            at++;
            continue;
        }
        if (c < 0x90) {
            container = true;
            count = (size_t) (c & 0x0f) * 2;
        } else if (c < 0xa0) {
            container = true;
            count = c & 0x0f;
        } else if (c < 0xc0) {
            need = 1 + (size_t) (c & 0x1f);
        } else {
            need = heads[c - 0xc0];
            if (need == 0) {
                return bad(err, "msgpack has the unused byte 0xc1", (size_t) (at - start));
            }
            if (need <= room) {
                switch (c) {
                case 0xc4:
                case 0xd9:
                case 0xc7:
                    need += at[1];
                    break;
                case 0xc5:
                case 0xda:
                case 0xc8:
                    need += (size_t) big(at + 1, 2);
                    break;
                case 0xc6:
                case 0xdb:
                case 0xc9:
                    need += big32(at + 1);
                    break;
                case 0xd4:
                case 0xd5:
                case 0xd6:
                case 0xd7:
                case 0xd8:
                    need += (size_t) 1 << (c - 0xd4);
                    break;
                case 0xdc:
                case 0xde:
                    container = true;
                    count = (size_t) big(at + 1, 2) * (c == 0xde ? 2 : 1);
                    break;
                case 0xdd:
                case 0xdf:
                    container = true;
                    count = (size_t) big32(at + 1) * (c == 0xdf ? 2 : 1);
                    break;
                default:
                    break;
                }
            }
        }
        if (need > room) {
            return err_set(err, KILN_INVALID, NULL, "msgpack is truncated at byte %zu of %zu", bytes, bytes);
        }
        if (container) {
            if (depth == limits->depth) {
                return err_set(err, KILN_INVALID, NULL, "msgpack is nested deeper than %u at byte %zu",
                               limits->depth, (size_t) (at - start));
            }
            if (count > room - need) { /* every item takes a byte at least */
                return err_set(err, KILN_INVALID, NULL,
                               "msgpack announces %zu values at byte %zu, but only %zu bytes follow", count,
                               (size_t) (at - start), room - need);
            }
            if (count > items) {
                return err_set(err, KILN_INVALID, NULL, "msgpack holds more than %u values", limits->items);
            }
            items -= count;
            left[++depth] = count;
        }
        at += need;
    }
}

static bool take(struct scan *s, struct token *t, size_t head, uint64_t count, enum scan_type type)
{
    if ((uint64_t) (s->end - s->at) - head < count) {
        return false;
    }
    t->type = type;
    t->count = (uint32_t) count;
    t->text = (const char *) s->at + head;
    s->at += head + count;
    return true;
}

static bool integer(struct scan *s, struct token *t, size_t head, int64_t v)
{
    t->type = SCAN_INT;
    t->i = v;
    t->f = (double) v;
    s->at += head;
    return true;
}

static bool container(struct scan *s, struct token *t, size_t head, uint32_t count, enum scan_type type)
{
    t->type = type;
    t->count = count;
    s->at += head;
    return true;
}

bool scan_next(struct scan *s, struct token *t)
{
    if (s->at >= s->end) {
        return false;
    }
    const uint8_t *p = s->at;
    uint8_t c = *p;
    if (c < 0x80) {
        return integer(s, t, 1, c);
    }
    if (c >= 0xe0) {
        return integer(s, t, 1, (int8_t) c);
    }
    if (c < 0x90) {
        return container(s, t, 1, c & 0x0f, SCAN_MAP);
    }
    if (c < 0xa0) {
        return container(s, t, 1, c & 0x0f, SCAN_LIST);
    }
    if (c < 0xc0) {
        return take(s, t, 1, c & 0x1f, SCAN_STR);
    }
    size_t head = heads[c - 0xc0];
    if (head == 0 || (size_t) (s->end - p) < head) {
        return false;
    }
    switch (c) {
    case 0xc0:
        t->type = SCAN_NIL;
        s->at++;
        return true;
    case 0xc2:
    case 0xc3:
        t->type = SCAN_BOOL;
        t->i = c & 1;
        s->at++;
        return true;
    case 0xc4:
        return take(s, t, head, p[1], SCAN_BIN);
    case 0xc5:
        return take(s, t, head, big(p + 1, 2), SCAN_BIN);
    case 0xc6:
        return take(s, t, head, big32(p + 1), SCAN_BIN);
    case 0xc7:
        return take(s, t, head, p[1], SCAN_EXT);
    case 0xc8:
        return take(s, t, head, big(p + 1, 2), SCAN_EXT);
    case 0xc9:
        return take(s, t, head, big32(p + 1), SCAN_EXT);
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        return take(s, t, head, UINT64_C(1) << (c - 0xd4), SCAN_EXT);
    case 0xca: {
        uint32_t bits = big32(p + 1);
        float f;
        memcpy(&f, &bits, 4);
        t->type = SCAN_FLOAT;
        t->f = (double) f;
        s->at += head;
        return true;
    }
    case 0xcb: {
        uint64_t bits = big64(p + 1);
        memcpy(&t->f, &bits, 8);
        t->type = SCAN_FLOAT;
        s->at += head;
        return true;
    }
    case 0xcc:
        return integer(s, t, head, p[1]);
    case 0xcd:
        return integer(s, t, head, (int64_t) big(p + 1, 2));
    case 0xce:
        return integer(s, t, head, big32(p + 1));
    case 0xcf: {
        uint64_t u = big64(p + 1);
        if (u <= INT64_MAX) {
            return integer(s, t, head, (int64_t) u);
        }
        t->type = SCAN_UINT;
        t->u = u;
        t->f = (double) u;
        s->at += head;
        return true;
    }
    case 0xd0:
        return integer(s, t, head, (int8_t) p[1]);
    case 0xd1:
        return integer(s, t, head, (int16_t) big(p + 1, 2));
    case 0xd2:
        return integer(s, t, head, (int32_t) big32(p + 1));
    case 0xd3:
        return integer(s, t, head, (int64_t) big64(p + 1));
    case 0xd9:
        return take(s, t, head, p[1], SCAN_STR);
    case 0xda:
        return take(s, t, head, big(p + 1, 2), SCAN_STR);
    case 0xdb:
        return take(s, t, head, big32(p + 1), SCAN_STR);
    case 0xdc:
        return container(s, t, head, (uint32_t) big(p + 1, 2), SCAN_LIST);
    case 0xdd:
        return container(s, t, head, big32(p + 1), SCAN_LIST);
    case 0xde:
        return container(s, t, head, (uint32_t) big(p + 1, 2), SCAN_MAP);
    case 0xdf:
        return container(s, t, head, big32(p + 1), SCAN_MAP);
    default:
        return false;
    }
}

bool scan_skip(struct scan *s)
{
    struct token t;
    for (uint64_t left = 1; left > 0; left--) {
        if (!scan_next(s, &t)) {
            return false;
        }
        if (t.type == SCAN_LIST) {
            left += t.count;
        } else if (t.type == SCAN_MAP) {
            left += (uint64_t) t.count * 2;
        }
    }
    return true;
}

/* Always UTF-8, whatever the peer sent: this goes into messages that travel. */
static void show_text(const struct token *t, char *out, size_t bytes)
{
    enum { MOST = 60 };
    char text[MOST + 8];
    size_t at = 0, i = 0;
    text[at++] = '"';
    while (i < t->count) {
        size_t n = utf8_character(t->text + i, t->count - i);
        unsigned char c = (unsigned char) t->text[i];
        if (i + (n ? n : 1) > MOST) {
            break;
        }
        if (n == 0 || c < 0x20 || c == 0x7f || c == '"') {
            text[at++] = '?';
            i++;
        } else {
            memcpy(text + at, t->text + i, n);
            at += n;
            i += n;
        }
    }
    snprintf(text + at, sizeof text - at, "%s\"", i < t->count ? "..." : "");
    snprintf(out, bytes, "%s", text);
}

const char *scan_show(const struct token *t, char *out, size_t bytes)
{
    switch (t->type) {
    case SCAN_NIL:
        snprintf(out, bytes, "null");
        break;
    case SCAN_BOOL:
        snprintf(out, bytes, t->i ? "true" : "false");
        break;
    case SCAN_INT:
        snprintf(out, bytes, "%lld", (long long) t->i);
        break;
    case SCAN_UINT:
        snprintf(out, bytes, "%llu", (unsigned long long) t->u);
        break;
    case SCAN_FLOAT:
        if (t->f != t->f) {
            snprintf(out, bytes, "NaN");
        } else {
            snprintf(out, bytes, "%.15g", t->f);
        }
        break;
    case SCAN_STR:
        show_text(t, out, bytes);
        break;
    case SCAN_BIN:
        snprintf(out, bytes, "%u bytes", t->count);
        break;
    case SCAN_LIST:
        snprintf(out, bytes, "a list of %u", t->count);
        break;
    case SCAN_MAP:
        snprintf(out, bytes, "a map of %u", t->count);
        break;
    default:
        snprintf(out, bytes, "a msgpack extension");
        break;
    }
    return out;
}
