/* SPDX-License-Identifier: MPL-2.0 */
/* entry - one indicator that is asked for in a list: {"fn": "sma", "period": 20, "as": "trend"}.
 *
 * Its members are checked against the rows of that function as the host checks arguments: type, whole number, range, choice; what
 * is not given gets the row's default, what no row has is refused. A member with the name of a series that the indicator takes names
 * another series to take instead: {"fn": "sma", "close": "volume"}. */
#ifndef ENTRY_H
#define ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "indicator.h"

enum {
    ENTRY_NAME_BYTES = 64,  /* most bytes of a label and of the name of a series */
    ENTRY_PATH_BYTES = 80,  /* "state.indicators[255]" and a member behind it, cut */
    ENTRY_SHOWN_BYTES = 80, /* a value in a sentence */
};

struct entry {
    const struct indicator *indicator;
    const char *label;                       /* "as"; the name of the function when not given */
    const char *source[INDICATOR_SERIES];    /* names of the series it takes */
    struct kiln_slot args[INDICATOR_PARAMS]; /* what plan() takes */
};

/* Row and number of the parameters behind the series. */
static inline const struct kiln_row *entry_row(const struct entry *e, size_t arg)
{
    return &e->indicator->function->params[e->indicator->n_series + arg];
}

static inline size_t entry_args(const struct entry *e)
{
    return e->indicator->function->n_params - e->indicator->n_series;
}

/* path: what the entry is called in a refusal. */
int entry_parse(struct kiln_call *call, const char *path, const struct kiln_value *value,
                struct entry *ret_entry);

/* Whether the argument has a value, its own or the row's default. */
bool entry_has(const struct entry *e, size_t arg);

/* Same function, series and arguments; labels do not count. Else *ret_member, when not NULL, is the first member that differs, and
 * `one` and `other` what they have there. */
bool entry_same(const struct entry *a, const struct entry *b, const char **ret_member,
                char one[ENTRY_SHOWN_BYTES], char other[ENTRY_SHOWN_BYTES]);

/* What a row allows, for a sentence. */
const char *entry_range_text(const struct kiln_row *row, char out[ENTRY_SHOWN_BYTES]);

/* Refuses a member: "<path>.<member> <sentence>". */
KILN_PRINTF(4, 5)
int entry_refuse(struct kiln_call *call, const char *path, const char *member, const char *format, ...);

#endif
