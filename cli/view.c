/* SPDX-License-Identifier: MPL-2.0 */
#include "view.h"

#include <limits.h>
#include <string.h>

#include "mem.h"

/* As many items as the largest payload has bytes: it is there already, and nothing is allocated for it. */
static const struct scan_limits limits = {.depth = 64, .items = UINT32_MAX};

struct view view_next(struct scan *s)
{
    struct view v = {0};
    struct scan at = *s;
    const uint8_t *from = s->at;
    if (from < s->end && scan_next(&at, &v.token) && scan_skip(s)) {
        v.there = true;
        v.items = at;
        v.data = from;
        v.bytes = (size_t) (s->at - from);
    }
    return v;
}

struct view view_open(const void *data, size_t bytes)
{
    struct view none = {0};
    if (!data || scan_check(data, bytes, &limits, NULL) != KILN_OK) {
        return none;
    }
    struct scan s = scan_over(data, bytes);
    return view_next(&s);
}

bool view_is(const struct view *v, enum scan_type type)
{
    return v->there && v->token.type == type;
}

struct walk walk_list(const struct view *list)
{
    return (struct walk){list->items, view_is(list, SCAN_LIST) ? list->token.count : 0};
}

struct walk walk_map(const struct view *map)
{
    return (struct walk){map->items, view_is(map, SCAN_MAP) ? map->token.count : 0};
}

bool walk_item(struct walk *w, struct view *ret_item)
{
    if (!w->left) {
        return false;
    }
    w->left--;
    *ret_item = view_next(&w->items);
    return ret_item->there;
}

bool walk_pair(struct walk *w, struct view *ret_key, struct view *ret_value)
{
    return walk_item(w, ret_key) && (*ret_value = view_next(&w->items)).there;
}

bool view_text_is(const struct view *v, const char *text)
{
    return view_is(v, SCAN_STR) && v->token.count == strlen(text) &&
           memcmp(v->token.text, text, v->token.count) == 0;
}

struct view view_get(const struct view *map, const char *key)
{
    struct walk w = walk_map(map);
    for (struct view k, v; walk_pair(&w, &k, &v);) {
        if (view_text_is(&k, key)) {
            return v;
        }
    }
    return (struct view){0};
}

int64_t view_int(const struct view *v, int64_t otherwise)
{
    return view_is(v, SCAN_INT) || view_is(v, SCAN_BOOL) ? v->token.i : otherwise;
}

double view_number(const struct view *v, double otherwise)
{
    return view_is(v, SCAN_INT) || view_is(v, SCAN_UINT) || view_is(v, SCAN_FLOAT) ? v->token.f : otherwise;
}

int64_t view_get_int(const struct view *map, const char *key)
{
    struct view v = view_get(map, key);
    return view_int(&v, 0);
}

double view_get_number(const struct view *map, const char *key)
{
    struct view v = view_get(map, key);
    return view_number(&v, 0);
}

int view_text_bytes(const struct view *v)
{
    return view_is(v, SCAN_STR) && v->token.count <= INT_MAX ? (int) v->token.count : 0;
}

const char *view_text_data(const struct view *v)
{
    return view_is(v, SCAN_STR) ? v->token.text : "";
}

char *view_text(const struct view *v)
{
    size_t n = (size_t) view_text_bytes(v);
    char *text = mem_alloc(n + 1);
    memcpy(text, view_text_data(v), n);
    return text;
}
