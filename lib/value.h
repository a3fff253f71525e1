/* SPDX-License-Identifier: MPL-2.0 */
/* value - free-form data: msgpack <-> struct kiln_value, a tree in arena memory.
 *
 * Reading: the bytes must have passed scan_check(), which bounds the depth; what the tree needs is charged to
 * the arena. Writing: the tree is a plugin's, so nothing in it is believed: types, depth and pointers are
 * checked. */
#ifndef VALUE_H
#define VALUE_H

#include <kiln/plugin.h>

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "scan.h"

enum { VALUE_DEPTH = 24 }; /* as payloads: docs/PROTOCOL.md */

/* Consumes one value. KILN_INVALID (a map key that is no string, or twice; an integer over 2^63 - 1; ...) or
 * KILN_RESOURCE. `name` is the argument, for messages. */
int value_decode(struct scan *s, const char *name, struct arena *arena, struct kiln_value *ret_value,
                 struct err *err);

/* Refuses a key that is there twice. Uses the arena when there are many. */
int value_check_keys(const struct kiln_pair *pairs, uint32_t n, const char *name, struct arena *arena,
                     struct err *err);

/* Appends the tree. KILN_INTERNAL when it is not one. */
int value_put(struct buf *b, const struct kiln_value *value, const char *name, bool nd, struct err *err);

#endif
