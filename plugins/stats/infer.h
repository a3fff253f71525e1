/* SPDX-License-Identifier: MPL-2.0 */
/* infer - what the functions of inference share: rows, alternatives and the tails of a distribution. */
#ifndef INFER_H
#define INFER_H

#include "functions.h"
#include "sample.h"

enum alternative { TWO_SIDED, LESS, GREATER };

enum alternative alternative_of(const struct kiln_slot *slot);

/* p-values of a statistic that is distributed as the standard normal, or as Student's t. */
double pvalue_norm(double z, enum alternative alternative);
double pvalue_t(double t, double df, enum alternative alternative);

/* ret[i] with P(Z > ret[i]) = tails[i], 0 < tails[i] <= 0.5, right to 10 digits; ret may be tails. */
void quick_norm_isf(const struct kernels *k, const double *tails, size_t n, double *ret);

/* dist_t_isf to 12 digits within a microsecond or two. 0 < tail < 1. */
double quick_t_isf(double tail, double df);

/* Refuses a sample of fewer than `least` values. */
int sample_check_least(struct kiln_call *call, const struct sample *s, const char *field, size_t least);

/* Sets all scalar results from..to to NaN: what a NaN among the data makes of them. */
int give_nan(struct kiln_slot *results, size_t from, size_t to);

bool sample_has_nan(struct kiln_call *call, const struct sample *s);

static inline void give_int(struct kiln_slot *slot, int64_t value)
{
    slot->present = 1;
    slot->i64 = value;
}

#define ROW_VECTOR(id, dims, text)                                                                           \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = dims, .help = text                  \
    }
#define ROW_OPTIONAL(id, dims, text)                                                                         \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = dims, .help = text                                          \
    }
#define ROW_NUMBER(id, standard, text)                                                                       \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .flags = KILN_FINITE, .fallback = standard, .help = text             \
    }
#define ROW_SWITCH(id, standard, text)                                                                       \
    {                                                                                                        \
        .name = id, .kind = KILN_BOOL, .fallback = standard, .help = text                                    \
    }
#define ROW_CHOICE(id, list, standard, text)                                                                 \
    {                                                                                                        \
        .name = id, .kind = KILN_STRING, .choices = list, .fallback = "\"" standard "\"", .help = text       \
    }
#define ROW_ALTERNATIVE(text) ROW_CHOICE("alternative", "two-sided|less|greater", "two-sided", text)
#define ROW_CONFIDENCE                                                                                       \
    {                                                                                                        \
        .name = "confidence_level", .kind = KILN_FLOAT, .flags = KILN_OPEN_MIN | KILN_OPEN_MAX, .min = 0,    \
        .max = 1, .unit = "fraction", .fallback = "0.95", .help = "probability that the interval covers"     \
    }
#define ROW_RESULT(id, text)                                                                                 \
    {                                                                                                        \
        .name = id, .kind = KILN_FLOAT, .help = text                                                         \
    }
#define ROW_COUNT(id, text)                                                                                  \
    {                                                                                                        \
        .name = id, .kind = KILN_INT, .help = text                                                           \
    }
#define ROW_PVALUE                                                                                           \
    ROW_RESULT("pvalue", "probability of a statistic at least as extreme if the hypothesis holds")
#define ROW_COLUMN(id, dims, text)                                                                           \
    {                                                                                                        \
        .name = id, .kind = KILN_ARRAY, .shape = dims, .help = text                                          \
    }

#define HELP_NAN       "what a NaN does: make the results NaN, be left out, or be refused"
#define HELP_NAN_PAIRS "what a NaN does: make the results NaN, have its observation left out, or be refused"

#define FUNCTION(id, text, words)                                                                            \
    const struct kiln_function stats_##id = {                                                                \
        KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = #id,     .summary = text,                            \
        .help = words,      TABLES(id),         .run = id##_run,                                             \
    }

#endif
