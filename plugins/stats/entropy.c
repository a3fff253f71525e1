/* SPDX-License-Identifier: MPL-2.0 */
/* entropy - of a distribution, or relative to another one. */
#include <math.h>

#include "along.h"

static const char entropy_help[] =
    "Shannon entropy -sum(p log(p)) of the distribution p = x / sum(x), or with qk the relative entropy "
    "(Kullback-Leibler divergence) sum(p log(p / q)) with q = qk / sum(qk), as scipy.stats.entropy, whose pk "
    "is x.\n"
    "Where p is 0 nothing is added; where only q is 0 the result is infinite. In nats, or with base b in "
    "units of "
    "log(b): 2 gives bits. Negative values, and those whose sum is 0, are refused (scipy: -inf and NaN).";

enum { BASE = ALONG_COMPANION + 1 };

static const struct kiln_row entropy_params[] = {
    ROWS_ALONG("weights of the outcomes, which need not sum to 1", HELP_NAN_POLICY),
    {.name = "qk",
     .kind = KILN_ARRAY,
     .flags = KILN_FINITE,
     .shape = "q",
     .min = 0,
     .max = HUGE_VAL,
     .help = "weights of the same outcomes in another distribution: gives the relative entropy"},
    {.name = "base",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE | KILN_OPEN_MIN,
     .min = 1,
     .max = HUGE_VAL,
     .fallback = "2.718281828459045",
     .help = "base of the logarithm"},
};

static const struct kiln_row entropy_results[] = {
    {.name = "entropy", .kind = KILN_FLOAT, .help = "entropy, or relative entropy when qk is given"},
    ROW_ALONG_VALUES("entropy"),
};

static const struct kiln_golden entropy_goldens[] = {
    {.title = "a fair coin in bits",
     .args = "{\"x\":[1,1],\"base\":2}",
     .result = "{\"entropy\":1}",
     .rtol = 1e-15},
    {.title = "relative to another coin",
     .args = "{\"x\":[1,1],\"qk\":[9,1]}",
     .result = "{\"entropy\":0.5108256237659907}",
     .rtol = 1e-14},
    {.title = "columns, one of them certain",
     .args = "{\"data\":[[1,0],[1,3]],\"base\":2}",
     .result = "{\"values\":[1,0]}",
     .rtol = 1e-15},
    {.title = "a negative weight",
     .args = "{\"x\":[1,-2.5]}",
     .status = KILN_INVALID,
     .result = "x has the value -2.5, expected >= 0"},
    {.title = "nothing but zeros",
     .args = "{\"x\":[1,2],\"qk\":[0,0]}",
     .status = KILN_INVALID,
     .result = "qk has the sum 0, expected some weight"},
    {.title = "1,000 values", .args = "{\"x\":{\"$linspace\":[1,2,1000]}}"},
};

/* In blocks joined in pairs. */
static double entropy_terms(const struct kernels *k, const double *x, const double *q, size_t n, double sum,
                            double q_sum)
{
    double terms[KERNEL_BLOCK];
    if (n > KERNEL_BLOCK) {
        const size_t left = (n / KERNEL_BLOCK + 1) / 2 * KERNEL_BLOCK;
        return entropy_terms(k, x, q, left, sum, q_sum) +
               entropy_terms(k, x + left, q ? q + left : NULL, n - left, sum, q_sum);
    }
    for (size_t i = 0; i < n; i++) {
        const double p = x[i] / sum;
        terms[i] = p == 0 ? 0 : q ? p * log(p / (q[i] / q_sum)) : -p * log(p);
    }
    return k->sum(terms, n);
}

static int check_sum(struct kiln_call *call, const char *field, const char *name, double sum)
{
    if (sum > 0 && sum < HUGE_VAL) {
        return KILN_OK;
    }
    return call->host->fail(call, KILN_INVALID, field, "%s has the sum %.15g, expected some weight", name,
                            sum);
}

static int entropy_values(struct kiln_call *call, const struct kiln_slot *args, const struct slice *slice,
                          double *ret)
{
    const struct kernels *k = call->state;
    const struct sample *s = &slice->s;
    struct reduction r;
    reduce_sum(k, s->x, s->n, &r);
    const double sum = reduction_sum(&r);
    double q_sum = 1;
    if (isnan(sum) && k->find_nan(s->x, s->n) < s->n) {
        return ALONG_NO_ANSWER;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (s->x[i] < 0) {
            return call->host->fail(call, KILN_INVALID, slice_field(slice),
                                    "%s has the value %.15g, expected >= 0", slice_name(slice).text, s->x[i]);
        }
    }
    int status = check_sum(call, slice_field(slice), slice_name(slice).text, sum);
    if (status == KILN_OK && slice->companion) {
        reduce_sum(k, slice->companion, s->n, &r);
        q_sum = reduction_sum(&r);
        status = check_sum(call, "qk", "qk", q_sum);
    }
    if (status) {
        return status;
    }
    *ret = entropy_terms(k, s->x, slice->companion, s->n, sum, q_sum);
    if (args[BASE].present) { /* else the logarithm is natural, not that of a rounded e */
        *ret /= log(args[BASE].f64);
    }
    *ret = *ret < 0 ? 0 : *ret; /* relative entropies of equal distributions may round below 0 */
    return KILN_OK;
}

static const struct reducer entropy_reducer = {.outputs = 1, .companion = "qk", .of_values = entropy_values};

ALONG_FUNCTION(entropy, "entropy of a distribution, or relative to another")
