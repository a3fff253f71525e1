/* SPDX-License-Identifier: MPL-2.0 */
/* convolve - convolution and correlation of two series, directly or by fast Fourier transform. */
#include <math.h>
#include <string.h>

#include "fft.h"
#include "functions.h"
#include "sample.h"

enum { A, V, MODE, METHOD, NAN_POLICY };

/* From this length of the shorter series on transforms are the faster way. */
enum { FFT_FROM = 400 };

enum {
    LONG = 1 << 17, /* a transform that no longer fits into the second-level cache */
    STEP = 1 << 22  /* products between two looks at whether the job is still wanted */
};

/* Sums of products of `weights` with every stretch of x, where x is thought to go on with zeros: sum i begins with
 * x[i - (m - 1)]. The wanted ones are first .. first + count - 1, of n + m - 1. */
struct slide {
    const double *x, *weights;
    size_t n, m; /* n >= m */
    size_t first, count;
};

/* Stretch i of length `count` as it lies there, zeros where x does not. */
static void stretch(const struct slide *s, size_t i, size_t count, double *out)
{
    const size_t before = i < s->m - 1 ? s->m - 1 - i : 0, from = i + before - (s->m - 1);
    const size_t zeros = before < count ? before : count;
    const size_t copied = from >= s->n ? 0 : s->n - from < count - zeros ? s->n - from : count - zeros;
    memset(out, 0, zeros * sizeof *out);
    if (copied) {
        memcpy(out + zeros, s->x + from, copied * sizeof *out);
    }
    memset(out + zeros + copied, 0, (count - zeros - copied) * sizeof *out);
}

/* Sum i by the definition: where weights are infinite, zeros must stay out. */
static double partial(const struct slide *s, size_t i)
{
    const size_t from = i < s->m - 1 ? s->m - 1 - i : 0, end = i < s->n ? s->m : s->n + s->m - 1 - i;
    double sum = 0;
    for (size_t j = from; j < end; j++) {
        sum += s->weights[j] * s->x[i + j - (s->m - 1)];
    }
    return sum;
}

static int slide_directly(struct kiln_call *call, const struct slide *s, double *out)
{
    const struct kernels *k = call->state;
    const size_t step = STEP / s->m > 64 ? STEP / s->m : 64, end = s->first + s->count;
    const bool finite = all_finite(k, s->weights, s->m);
    double *edge = call->host->alloc(call, 2 * s->m * sizeof *edge);
    if (!edge) {
        return KILN_RESOURCE;
    }
    for (size_t i = s->first, count; i < end; i += count) {
        const size_t inner = s->m - 1, outer = s->n; /* sums inner .. outer - 1 are over x alone */
        const bool whole = i >= inner && i < outer;
        count = (whole ? outer : i < inner ? inner : end) - i;
        count = count > end - i ? end - i : count;
        count = count > step ? step : count;
        if (i > s->first && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        if (whole) {
            k->slide(s->x + (i - inner), count, s->weights, s->m, out + (i - s->first));
        } else if (finite) {
            count = count > s->m ? s->m : count;
            stretch(s, i, count + inner, edge);
            k->slide(edge, count, s->weights, s->m, out + (i - s->first));
        } else {
            for (size_t j = i; j < i + count; j++) {
                out[j - s->first] = partial(s, j);
            }
        }
    }
    return KILN_OK;
}

static size_t power_of_two(size_t n)
{
    size_t power = 1024;
    while (power < n) {
        power *= 2;
    }
    return power;
}

/* All at once when x is not much longer than the weights; else by overlap-save: of each transform's length the
 * last `length` - m + 1 sums are not mixed with those before. */
static int slide_by_transform(struct kiln_call *call, const struct slide *s, double *out)
{
    const size_t all = s->n + s->m - 1, part = 8 * s->m < LONG ? 8 * s->m : 2 * s->m;
    const bool once = all <= part;
    const size_t length = fft_quick_length(once ? all : power_of_two(part));
    const size_t bins = length / 2 + 1, valid = once ? s->count : length - (s->m - 1);
    double *x = call->host->alloc(call, length * sizeof *x);
    double *weights = call->host->alloc(call, 2 * bins * sizeof *weights);
    double *product = call->host->alloc(call, 2 * bins * sizeof *product);
    if (!x || !weights || !product || length > INT32_MAX) {
        return KILN_RESOURCE;
    }
    memset(x, 0, length * sizeof *x); /* the weights backwards: products of transforms convolve */
    for (size_t j = 0; j < s->m; j++) {
        x[j] = s->weights[s->m - 1 - j] / (double) length;
    }
    bool done = fft_run_real(length, x, weights);
    for (size_t i = 0; i < s->count && done; i += valid) {
        if (i > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        stretch(s, once ? s->m - 1 : s->first + i, length, x);
        done = fft_run_real(length, x, product);
        for (size_t b = 0; b < 2 * bins; b += 2) {
            const double re = product[b], im = product[b + 1];
            product[b] = re * weights[b] - im * weights[b + 1];
            product[b + 1] = re * weights[b + 1] + im * weights[b];
        }
        done = done && fft_run_inverse_real(length, product, x);
        memcpy(out + i, x + (once ? s->first : s->m - 1),
               (s->count - i < valid ? s->count - i : valid) * sizeof *out);
    }
    return done ? KILN_OK : KILN_RESOURCE;
}

static void reverse(double *x, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const double v = x[i];
        x[i] = x[n - 1 - i];
        x[n - 1 - i] = v;
    }
}

/* The transform is not for what is not finite, nor for products that leave the range of a double. */
static bool use_transform(struct kiln_call *call, const struct slide *s, const char *method)
{
    const struct kernels *k = call->state;
    if (method[0] == 'd' || (method[0] == 'a' && s->m < FFT_FROM)) {
        return false;
    }
    bool nan_x, nan_w;
    const double x = k->magnitude(s->x, s->n, &nan_x), w = k->magnitude(s->weights, s->m, &nan_w);
    return !nan_x && !nan_w && x < 0x1p450 && w < 0x1p450 && (x > 0x1p-450 || x == 0) &&
           (w > 0x1p-450 || w == 0);
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results, bool convolve)
{
    const struct kiln_array *a = &args[A].array, *v = &args[V].array;
    const bool swap = v->count > a->count; /* the longer one slides; a correlation comes out backwards then */
    const struct kiln_array *longer = swap ? v : a, *shorter = swap ? a : v;
    const size_t n = (size_t) longer->count, m = (size_t) shorter->count;
    if (sample_check_nan(call, &args[A], "a", &args[NAN_POLICY]) ||
        sample_check_nan(call, &args[V], "v", &args[NAN_POLICY])) {
        return KILN_INVALID;
    }
    struct slide s = {.x = longer->data, .weights = shorter->data, .n = n, .m = m};
    switch (args[MODE].text[0]) {
    case 'f':
        s.count = n + m - 1;
        break;
    case 's':
        s.first = convolve ? (m - 1) / 2 : m - 1 - m / 2;
        s.count = n;
        break;
    default:
        s.first = m - 1;
        s.count = n - m + 1;
        break;
    }
    if (convolve) {
        double *backwards = call->host->alloc(call, m * sizeof *backwards);
        if (!backwards) {
            return KILN_RESOURCE;
        }
        memcpy(backwards, shorter->data, m * sizeof *backwards);
        reverse(backwards, m);
        s.weights = backwards;
    }
    double *out = call->host->grow(call, 0, (int64_t) s.count);
    if (!out) {
        return KILN_RESOURCE;
    }
    results[0].present = 1;
    const int status = use_transform(call, &s, args[METHOD].text) ? slide_by_transform(call, &s, out)
                                                                  : slide_directly(call, &s, out);
    if (swap && !convolve) {
        reverse(out, s.count);
    }
    return status;
}

/* ---- functions ---------------------------------------------------------------------------------------------- */

#define HELP_CONVOLVE                                                                                        \
    "mode full gives all n + m - 1 sums, valid the max(n, m) - min(n, m) + 1 over all of the shorter one, "  \
    "same the max(n, m) in the middle of full.\n"                                                            \
    "method direct adds up the products: a NaN shows only in sums it is part of, and each is as exact as "   \
    "its "                                                                                                   \
    "terms allow. fft multiplies transforms, in a time that hardly grows with the shorter one, with errors " \
    "of "                                                                                                    \
    "some 1e-16 of the largest possible sum in every element. auto takes fft when the shorter one has 400 "  \
    "values or more. Data that is not finite, or beyond 1e135 or below 1e-135 as a whole, is done directly " \
    "in any case."

#define ROWS_CONVOLVE(standard)                                                                              \
    [A] = {.name = "a", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n", .help = "first series"},   \
    [V] = {.name = "v", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "m", .help = "second series"},  \
    [MODE] = {.name = "mode",                                                                                \
              .kind = KILN_STRING,                                                                           \
              .choices = "full|same|valid",                                                                  \
              .fallback = standard,                                                                          \
              .help = "which sums to give"},                                                                 \
    [METHOD] = {.name = "method",                                                                            \
                .kind = KILN_STRING,                                                                         \
                .choices = "auto|direct|fft",                                                                \
                .fallback = "\"auto\"",                                                                      \
                .help = "how to work them out"},                                                             \
    [NAN_POLICY] = ROW_NAN_RAISE("what a NaN does: show in the sums it is part of, or be refused")

static const char convolve_help[] =
    "Discrete convolution of two series, sum over j of a[j] v[k - j], as numpy.convolve.\n" HELP_CONVOLVE;

static const struct kiln_row convolve_params[] = {ROWS_CONVOLVE("\"full\"")};

static const struct kiln_row convolve_results[] = {
    {.name = "convolve", .kind = KILN_ARRAY, .shape = "k", .help = "the sums, from the least k on"},
};

static const struct kiln_golden convolve_goldens[] = {
    {.title = "all sums",
     .args = "{\"a\":[1,2,3],\"v\":[0,1,0.5]}",
     .result = "{\"convolve\":[0,1,2.5,4,1.5]}"},
    {.title = "as long as the longer one",
     .args = "{\"a\":[1,2,3],\"v\":[0,1,0.5],\"mode\":\"same\"}",
     .result = "{\"convolve\":[1,2.5,4]}"},
    {.title = "by transform",
     .args = "{\"a\":[1,2,3],\"v\":[0,1,0.5],\"mode\":\"valid\",\"method\":\"fft\"}",
     .result = "{\"convolve\":[2.5]}",
     .rtol = 1e-14},
    {.title = "nothing to convolve with",
     .args = "{\"a\":[1,2],\"v\":[]}",
     .status = KILN_INVALID,
     .result = "v"},
    {.title = "1,000 values", .args = "{\"a\":{\"$normal\":[1000,1]},\"v\":{\"$normal\":[50,2]}}"},
};

static int convolve_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return run(call, args, results, true);
}

const struct kiln_function stats_convolve = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE, .name = "convolve",  .summary = "convolution of two series",
    .help = convolve_help, TABLES(convolve),   .run = convolve_run,
};

static const char correlate_help[] =
    "Cross-correlation of two series, sum over j of a[j + k] v[j], as numpy.correlate, whose mode is valid "
    "unless given.\n" HELP_CONVOLVE;

static const struct kiln_row correlate_params[] = {ROWS_CONVOLVE("\"valid\"")};

static const struct kiln_row correlate_results[] = {
    {.name = "correlate", .kind = KILN_ARRAY, .shape = "k", .help = "the sums, from the least shift k on"},
};

static const struct kiln_golden correlate_goldens[] = {
    {.title = "one shift", .args = "{\"a\":[1,2,3],\"v\":[0,1,0.5]}", .result = "{\"correlate\":[3.5]}"},
    {.title = "all shifts",
     .args = "{\"a\":[1,2,3],\"v\":[0,1,0.5],\"mode\":\"full\"}",
     .result = "{\"correlate\":[0.5,2,3.5,3,0]}"},
    {.title = "nothing to correlate", .args = "{\"a\":[],\"v\":[1]}", .status = KILN_INVALID, .result = "a"},
    {.title = "1,000 values", .args = "{\"a\":{\"$normal\":[1000,1]},\"v\":{\"$normal\":[50,2]}}"},
};

static int correlate_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    return run(call, args, results, false);
}

const struct kiln_function stats_correlate = {
    KILN_FUNCTION_HEAD,     .flags = KILN_PURE,
    .name = "correlate",    .summary = "cross-correlation of two series",
    .help = correlate_help, TABLES(correlate),
    .run = correlate_run,
};
