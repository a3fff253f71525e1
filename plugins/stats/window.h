/* SPDX-License-Identifier: MPL-2.0 */
/* window - weights that fade towards both ends, by name. */
#ifndef WINDOW_H
#define WINDOW_H

#include <kiln/plugin.h>
#include <math.h>
#include <stdbool.h>

#define WINDOW_NAMES                                                                                         \
    "boxcar|triang|bartlett|hann|hamming|blackman|nuttall|blackmanharris|flattop|cosine|kaiser|gaussian"

/* The rows of a window, in this order: its name, and what two of them need. */
#define ROWS_WINDOW(standard)                                                                                \
    {.name = "window",                                                                                       \
     .kind = KILN_STRING,                                                                                    \
     .choices = WINDOW_NAMES,                                                                                \
     .fallback = standard,                                                                                   \
     .help = "weights, by scipy.signal.windows' names"},                                                     \
        {.name = "beta",                                                                                     \
         .kind = KILN_FLOAT,                                                                                 \
         .min = 0,                                                                                           \
         .max = 700,                                                                                         \
         .help = "shape of the kaiser window; needed there, refused elsewhere"},                             \
    {                                                                                                        \
        .name = "std", .kind = KILN_FLOAT, .unit = "samples", .flags = KILN_OPEN_MIN, .min = 0,              \
        .max = HUGE_VAL, .help = "width of the gaussian window; needed there, refused elsewhere"             \
    }
enum { WINDOW_ROWS = 3 };

/* The n >= 1 weights of the window that `rows` name. symmetric: for filters, with equal ends; else periodic:
 * the first n of n + 1, for spectra. */
int window_make(struct kiln_call *call, const struct kiln_slot *rows, size_t n, bool symmetric, double *out);

#endif
