/* SPDX-License-Identifier: MPL-2.0 */
/* panel - a list of indicators over the same bars: what indicators.bundle and indicators.stream have in common.
 *
 *     panel_series()      takes the series sent, by name
 *     panel_parse()       reads the list of indicators
 *     panel_start()       plans each; all stand before the first bar (or state.h puts them where they stood)
 *     panel_advance()     computes the new bars
 *     panel_values()      the result
 *
 * The series are looked through for missing bars once, whatever the number of indicators; an entry that is there twice is computed
 * once. Everything lives in the call's arena. */
#ifndef PANEL_H
#define PANEL_H

#include <stdint.h>

#include "entry.h"
#include "walk.h"

enum {
    PANEL_ENTRIES = 256, /* most indicators of one call */
    PANEL_SERIES = 32,   /* most series */
};

/* A series: the bars held from earlier calls, and the new ones. */
struct line {
    const char *name;
    const double *sent; /* new bars */
    const double *past; /* earlier ones */
    size_t held;        /* how many of those */
    const double *bars; /* both; made by panel_advance() */
    struct span span;   /* clean part of the new ones */
    bool used;
};

struct strand {
    struct entry entry;
    struct walk walk;
    size_t line[INDICATOR_SERIES];  /* indices of the series it takes */
    double *out[INDICATOR_OUTPUTS]; /* new bars */
    const struct strand *twin;      /* the one before it that is the same; NULL: none */
};

struct panel {
    struct kiln_call *call;
    size_t n;      /* new bars */
    uint64_t past; /* earlier bars */
    struct line lines[PANEL_SERIES];
    size_t n_lines;
    struct strand *strands;
    size_t n_strands;
    bool alone; /* one map was sent, not a list */
};

/* The first parameters of both functions, and their places. */
enum { PANEL_OPEN, PANEL_HIGH, PANEL_LOW, PANEL_CLOSE, PANEL_VOLUME, PANEL_MORE, PANEL_INDICATORS };
#define PANEL_LINE(id, of_unit, says)                                                                        \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = "n", .unit = of_unit, .help = says                          \
    }
#define PANEL_ROWS                                                                                           \
    [PANEL_OPEN] = PANEL_LINE("open", "price", "opening price of each bar, null where missing"),             \
    [PANEL_HIGH] = PANEL_LINE("high", "price", "highest price of each bar"),                                 \
    [PANEL_LOW] = PANEL_LINE("low", "price", "lowest price of each bar"),                                    \
    [PANEL_CLOSE] = PANEL_LINE("close", "price", "closing price of each bar, oldest first"),                 \
    [PANEL_VOLUME] = PANEL_LINE("volume", NULL, "volume of each bar"),                                       \
    [PANEL_MORE] = {.name = "series",                                                                        \
                    .kind = KILN_VALUE,                                                                      \
                    .help = "further series by name, as long as the others: {\"real1\": [..]}"}

/* What an entry of the list is; for both help texts. */
#define PANEL_HELP                                                                                           \
    "indicators is a list of up to 256 maps, or one such map: fn is the name of an indicator of this "       \
    "plugin, as is a label for its results (else they carry fn), and the other members are the "             \
    "indicator's parameters by name, with the ranges and defaults of the function itself. A member with "    \
    "the name of a series that the indicator takes names another one to take: {\"fn\": \"sma\", "            \
    "\"close\": \"volume\"} is the mean of the volume. Series other than open, high, low, close and volume " \
    "come by name in series. All series have the same length; those that no indicator takes are left "       \
    "alone. values has one map for each entry, in the order asked: fn, as, and the results of that "         \
    "indicator by name. "

int panel_series(struct panel *p, const struct kiln_slot *args);
int panel_parse(struct panel *p, const char *path, const struct kiln_value *list);
int panel_start(struct panel *p, const char *path);
int panel_advance(struct panel *p);
int panel_values(const struct panel *p, struct kiln_slot *ret_values);

/* For state.h: room for n entries; plans the strand at i, whose entry is set. */
int panel_reserve(struct panel *p, size_t n);
int panel_plan(struct panel *p, size_t i, const char *path);

/* What the entry at i is called in a refusal: "<name>[i]", or just <name> when it is the only one and stands alone. */
const char *panel_path(const char *name, size_t i, bool alone, char out[ENTRY_PATH_BYTES]);

int panel_no_memory(struct kiln_call *call);

#endif
