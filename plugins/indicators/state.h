/* SPDX-License-Identifier: MPL-2.0 */
/* state - where the indicators of a stream stand, as bytes that a caller keeps and sends back with the next bars.
 *
 * Little-endian, doubles as their 64 bits, texts as a byte that counts, that many bytes and a NUL:
 *
 *     "KIST", u16 version, u16 number of entries, u64 bars so far
 *     of each entry    text fn, text as, text name of each series it takes, u8 number of arguments,
 *                      of each: text name, u8 kind (0: none; else enum kiln_kind), i64, f64 or text;
 *                      u64 clean bars, u8 ended, u32 number of doubles, the doubles
 *     u8 number of series, in the order of their first use; of each: text name, u32 bars held, the bars, oldest first
 *     u64 checksum of all before it
 *
 * The checksum catches accidents. A state may as well be forged: the entries in it are checked like those of a caller, every count
 * against the bytes that are left and against what plan() says of the parameters. What remains free, the doubles, never becomes an index
 * (indicator.h). Versions change when an indicator carries something else, or gives other bits. */
#ifndef STATE_H
#define STATE_H

#include "panel.h"

/* Sets up the strands as they were; the panel has its series already. */
int state_read(struct panel *p, const void *bytes, size_t size);

/* Where the strands stand now. The bytes live in the call's arena. */
int state_write(const struct panel *p, struct kiln_slot *ret_state);

#endif
