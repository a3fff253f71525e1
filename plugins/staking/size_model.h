/* SPDX-License-Identifier: MPL-2.0 */
/* size_model - distributions of the size R of a redemption, as a part of the fund, and moments of what exceeds the liquid part.
 *
 *     homogeneous   R = size
 *     two_point     size_1 with probability p, else size_2
 *     discrete      sizes with probabilities, or with counts of what was observed (empirical)
 *     beta          Beta(a, b)
 *     mixture       of retail (retail_sizes, retail_probabilities; a part retail_share of all redemptions) and the discrete one
 *
 * E[(R - tau)+^k] is a sum, but for beta, where it is the integral of (r - tau)^k over the density from tau to 1, taken by
 * double exponential quadrature (Takahasi and Mori 1974), which bears the density's poles at 0 and 1. */
#ifndef STAKING_SIZE_MODEL_H
#define STAKING_SIZE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include <kiln/plugin.h>

/* The rows of a size model, which stand together at the beginning of a function's parameters, in this order. */
enum {
    SIZE_MODEL,
    SIZE_SIZE,
    SIZE_SIZE_1,
    SIZE_SIZE_2,
    SIZE_P,
    SIZE_SIZES,
    SIZE_PROBABILITIES,
    SIZE_COUNTS,
    SIZE_A,
    SIZE_B,
    SIZE_RETAIL_SHARE,
    SIZE_RETAIL_SIZES,
    SIZE_RETAIL_PROBABILITIES,
    SIZE_ROWS
};

#define SIZE_LIST(id, dims, text)                                                                            \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_FINITE, .shape = dims, .min = 0, .max = 1,             \
        .unit = "fraction", .help = text                                                                     \
    }

#define SIZE_MODEL_ROWS                                                                                      \
    [SIZE_MODEL] = {.name = "model",                                                                         \
                    .kind = KILN_STRING,                                                                     \
                    .choices = "discrete|homogeneous|two_point|beta|mixture",                                \
                    .fallback = "\"discrete\"",                                                              \
                    .help = "how sizes of redemptions are distributed"},                                     \
    [SIZE_SIZE] = {FRACTION("size", "0.1"), .help = "homogeneous: the size of every redemption"},            \
    [SIZE_SIZE_1] = {FRACTION("size_1", "0.05"), .help = "two_point: the one size"},                         \
    [SIZE_SIZE_2] = {FRACTION("size_2", "0.3"), .help = "two_point: the other"},                             \
    [SIZE_P] = {FRACTION("p", "0.9"), .help = "two_point: probability of size_1"},                           \
    [SIZE_SIZES] = SIZE_LIST("sizes", "m", "discrete and mixture: sizes; when absent 0.05, 0.1, 0.2, 0.3"),  \
    [SIZE_PROBABILITIES] = SIZE_LIST("probabilities", "m",                                                   \
                                     "their probabilities, which sum to 1 within 0.01 and are normalised; "  \
                                     "when absent, with sizes: equal"),                                      \
    [SIZE_COUNTS] = {.name = "counts",                                                                       \
                     .kind = KILN_ARRAY,                                                                     \
                     .flags = KILN_FINITE,                                                                   \
                     .shape = "m",                                                                           \
                     .min = 0,                                                                               \
                     .max = 1e15,                                                                            \
                     .help = "instead of probabilities: how often each size was observed"},                  \
    [SIZE_A] = {NUMBER("a"),  .flags = KILN_FINITE, .min = 0.05,                                             \
                .max = 10000, .fallback = "2",      .help = "beta: first shape parameter"},                  \
    [SIZE_B] = {NUMBER("b"),  .flags = KILN_FINITE, .min = 0.05,                                             \
                .max = 10000, .fallback = "18",     .help = "beta: second shape parameter"},                 \
    [SIZE_RETAIL_SHARE] = {FRACTION("retail_share", "0.5"),                                                  \
                           .help = "mixture: part of all redemptions that are of retail investors"},         \
    [SIZE_RETAIL_SIZES] =                                                                                    \
        SIZE_LIST("retail_sizes", "r", "mixture: sizes of retail redemptions; when absent 0.02 and 0"),      \
    [SIZE_RETAIL_PROBABILITIES] =                                                                            \
        SIZE_LIST("retail_probabilities", "r", "their probabilities; when absent equal")

struct size_list {
    size_t count;
    const double *size;
    const double *weight; /* sums to 1 */
};

struct size_model {
    bool beta;
    double a, b;
    double retail_share;
    struct size_list lists[2]; /* institutional or only; retail */
};

/* args: those of SIZE_MODEL_ROWS. Fails when the lists do not fit the model. */
int size_model_read(struct kiln_call *call, const struct kiln_slot *args, struct size_model *ret_model);

/* E[(R - tau)+^k], k = 0 .. 4: k = 0 is the probability that R > tau. KILN_FAILED when the quadrature does not converge. */
enum { SIZE_MOMENTS = 5 };
int size_model_moments(struct kiln_call *call, const struct size_model *model, double tau,
                       double ret_moments[SIZE_MOMENTS]);

#endif
