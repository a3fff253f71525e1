/* SPDX-License-Identifier: MPL-2.0 */
/* view - reads members of msgpack without building a tree: a value is a token and the bytes it lies in.
 *
 * Whatever is absent or of another type reads as nothing: "", the given number, an empty list. view_open() checks the bytes, which
 * must outlive every view into them. */
#ifndef VIEW_H
#define VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan.h"

struct view {
    bool there;
    struct token token;
    struct scan items; /* behind the head of a list or map */
    const void *data;  /* the value as a whole */
    size_t bytes;
};

struct view view_open(const void *data, size_t bytes); /* not there when the bytes are damaged */
struct view view_get(const struct view *map, const char *key);
/* A member that is a number; 0 when it is not there or none. */
int64_t view_get_int(const struct view *map, const char *key);
double view_get_number(const struct view *map, const char *key);

/* The next value at s, which moves on. Not there at the end. */
struct view view_next(struct scan *s);

/* Walks the items of a list, or the pairs of a map; nothing when the value is of another type.
 *     struct walk w = walk_list(&list);
 *     for (struct view item; walk_item(&w, &item);) { ... } */
struct walk {
    struct scan items;
    uint32_t left;
};

struct walk walk_list(const struct view *list);
struct walk walk_map(const struct view *map);
bool walk_item(struct walk *w, struct view *ret_item);
bool walk_pair(struct walk *w, struct view *ret_key, struct view *ret_value);

bool view_is(const struct view *v, enum scan_type type);
bool view_text_is(const struct view *v, const char *text);
int64_t view_int(const struct view *v, int64_t otherwise);
double view_number(const struct view *v, double otherwise);

/* A NUL-terminated copy, "" when it is no text (mem_free). */
char *view_text(const struct view *v);

/* For "%.*s": VIEW_TEXT(&v). */
#define VIEW_TEXT(v) view_text_bytes(v), view_text_data(v)
int view_text_bytes(const struct view *v);
const char *view_text_data(const struct view *v);

#endif
