/* SPDX-License-Identifier: MPL-2.0 */
/* fourier - discrete Fourier transforms and the frequencies that belong to them. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fft.h"
#include "functions.h"

#define HELP_NORM                                                                                            \
    "norm says where the factor 1/n stands, as in NumPy: backward (at the inverse), ortho (1/sqrt(n) at "    \
    "both) or forward. n shortens the input, or lengthens it with zeros. Any length, primes included, "      \
    "takes "                                                                                                 \
    "a time of n log n. A NaN or an infinity makes every result NaN."

#define ROW_LENGTH(text)                                                                                     \
    {                                                                                                        \
        .name = "n", .kind = KILN_INT, .min = 1, .max = FFT_MAX, .help = text                                \
    }
#define ROW_NORM                                                                                             \
    {                                                                                                        \
        .name = "norm", .kind = KILN_STRING, .choices = "backward|ortho|forward",                            \
        .fallback = "\"backward\"", .help = "where the factor 1/n stands"                                    \
    }

/* ---- fft and ifft -------------------------------------------------------------------------------------- */

static const char fft_help[] =
    "Discrete Fourier transform X[k] = sum over j of x[j] exp(-2 pi i j k / n), k = 0 .. n - 1, of complex "
    "values re + i im, as numpy.fft.fft; without im the values are real. See rfft for real values without "
    "the mirrored half.\n" HELP_NORM;

static const char ifft_help[] =
    "Inverse discrete Fourier transform x[j] = 1/n sum over k of X[k] exp(2 pi i j k / n), as "
    "numpy.fft.ifft.\n" HELP_NORM;

enum { FFT_RE, FFT_IM, FFT_N, FFT_NORM, FFT_Z };
enum { FFT_OUT_RE, FFT_OUT_IM, FFT_OUT_Z };

static const struct kiln_row fft_params[] = {
    {.name = "re", .kind = KILN_ARRAY, .shape = "m", .help = "real parts"},
    {.name = "im", .kind = KILN_ARRAY, .shape = "m", .help = "imaginary parts; absent: zeros"},
    ROW_LENGTH("length of the transform; absent: as many as there are values"),
    ROW_NORM,
    {.name = "z",
     .kind = KILN_ARRAY,
     .shape = "m 2",
     .help = "instead of re and im: complex values as pairs re, im; an nd array of type <c16 is such. "
             "Quicker, for nothing "
             "is taken apart"},
};

static const struct kiln_row fft_results[] = {
    {.name = "re", .kind = KILN_ARRAY, .flags = KILN_OPTIONAL, .shape = "n", .help = "real parts"},
    {.name = "im", .kind = KILN_ARRAY, .flags = KILN_OPTIONAL, .shape = "n", .help = "imaginary parts"},
    {.name = "z",
     .kind = KILN_ARRAY,
     .flags = KILN_OPTIONAL,
     .shape = "n 2",
     .help = "pairs re, im, when z was given"},
};

#define ifft_params  fft_params
#define ifft_results fft_results

static const struct kiln_golden fft_goldens[] = {
    {.title = "1, 2, 3, 4",
     .args = "{\"re\":[1,2,3,4]}",
     .result = "{\"re\":[10,-2,-2,-2],\"im\":[0,2,0,-2]}",
     .atol = 1e-15},
    {.title = "pairs",
     .args = "{\"z\":[[1,0],[2,-1],[0.5,1]],\"n\":4}",
     .result = "{\"z\":[[3.5,0],[-0.5,-3],[-0.5,2],[1.5,1]]}",
     .atol = 1e-15},
    {.title = "pairs, and parts beside them",
     .args = "{\"z\":[[1,0]],\"re\":[1]}",
     .status = KILN_INVALID,
     .result = "z is given beside re or im"},
    {.title = "complex values, lengthened with a zero",
     .args = "{\"re\":[1,2,0.5],\"im\":[0,-1,1],\"n\":4}",
     .result = "{\"re\":[3.5,-0.5,-0.5,1.5],\"im\":[0,-3,2,1]}",
     .atol = 1e-15},
    {.title = "one value", .args = "{\"re\":[2.385]}", .result = "{\"re\":[2.385],\"im\":[0]}"},
    {.title = "a missing value",
     .args = "{\"re\":[1,null]}",
     .result = "{\"re\":[null,null],\"im\":[null,null]}"},
    {.title = "unequal lengths", .args = "{\"re\":[1,2],\"im\":[1]}", .status = KILN_INVALID, .result = "im"},
    {.title = "10,000 values", .args = "{\"re\":{\"$normal\":[10000,1]},\"im\":{\"$normal\":[10000,2]}}"},
};

static const struct kiln_golden ifft_goldens[] = {
    {.title = "back to 1, 2, 3, 4",
     .args = "{\"re\":[10,-2,-2,-2],\"im\":[0,2,0,-2]}",
     .result = "{\"re\":[1,2,3,4],\"im\":[0,0,0,0]}",
     .atol = 1e-15},
    {.title = "a constant has one frequency",
     .args = "{\"re\":[7.5,0,0]}",
     .result = "{\"re\":[2.5,2.5,2.5],\"im\":[0,0,0]}",
     .atol = 1e-15},
    {.title = "no length", .args = "{\"re\":[1],\"n\":0}", .status = KILN_INVALID, .result = "expected"},
    {.title = "10,000 values", .args = "{\"re\":{\"$normal\":[10000,1]},\"im\":{\"$normal\":[10000,2]}}"},
};

/* The factor at a transform (or its inverse) of n values. */
static double norm_factor(const struct kiln_slot *norm, size_t n, bool inverse)
{
    switch (norm->text[0]) {
    case 'o':
        return 1 / sqrt((double) n);
    case 'f':
        return inverse ? 1 : 1 / (double) n;
    default:
        return inverse ? 1 / (double) n : 1;
    }
}

/* The first n values, followed by zeros where there are fewer: the argument itself when it is so long. NULL:
 * no memory. */
static const double *sized(struct kiln_call *call, const struct kiln_slot *slot, size_t n)
{
    const size_t have = (size_t) slot->array.count;
    if (have >= n) {
        return slot->array.data;
    }
    double *x = call->host->alloc(call, n * sizeof *x);
    if (x) {
        memcpy(x, slot->array.data, have * sizeof *x);
        memset(x + have, 0, (n - have) * sizeof *x);
    }
    return x;
}

/* Real values: the lower half is computed, the upper one is its mirror. */
static int transform_real(struct kiln_call *call, const double *x, size_t n, double factor, double *re,
                          double *im)
{
    const size_t half = n / 2 + 1;
    double *pairs = call->host->alloc(call, 2 * half * sizeof *pairs);
    const struct fft_plan *plan = pairs ? fft_plan(FFT_REAL, n) : NULL;
    if (!plan) {
        return KILN_RESOURCE;
    }
    fft_real(plan, x, pairs);
    fft_parts(pairs, half, factor, re, im);
    for (size_t k = half; k < n; k++) {
        re[k] = re[n - k];
        im[k] = -im[n - k];
    }
    return KILN_OK;
}

static int transform(struct kiln_call *call, const double *x, const double *y, size_t n, double factor,
                     double *re, double *im)
{
    double *pairs = call->host->alloc(call, 4 * n * sizeof *pairs), *out = pairs + 2 * n;
    const struct fft_plan *plan = pairs ? fft_plan(FFT_COMPLEX, n) : NULL;
    if (!plan) {
        return KILN_RESOURCE;
    }
    double *between = call->host->alloc(call, fft_between(plan) * sizeof *between);
    if (!between) {
        return KILN_RESOURCE;
    }
    fft_pairs(x, y, n, 1, pairs);
    fft_forward(plan, pairs, between, out);
    fft_parts(out, n, factor, re, im);
    return KILN_OK;
}

static void scale(double *values, size_t n, double factor)
{
    for (size_t i = 0; factor != 1 && i < n; i++) {
        values[i] *= factor;
    }
}

/* Complex values as pairs, from the argument straight into the result. */
static int transform_pairs(struct kiln_call *call, const struct kiln_slot *args, bool inverse)
{
    const struct kiln_array *z = &args[FFT_Z].array;
    const size_t have = (size_t) z->shape[0];
    const size_t n = args[FFT_N].present ? (size_t) args[FFT_N].i64 : have;
    if (n > FFT_MAX) {
        return call->host->fail(call, KILN_INVALID, "z", "z has %zu values, expected at most %d", n, FFT_MAX);
    }
    const double *in = z->data;
    if (n > have) {
        double *longer = call->host->alloc(call, 2 * n * sizeof *longer);
        if (!longer) {
            return KILN_RESOURCE;
        }
        memcpy(longer, in, 2 * have * sizeof *longer);
        memset(longer + 2 * have, 0, 2 * (n - have) * sizeof *longer);
        in = longer;
    }
    double *out = call->host->grow(call, FFT_OUT_Z, (int64_t) n);
    const struct fft_plan *plan = out ? fft_plan(FFT_COMPLEX, n) : NULL;
    double *between = plan ? call->host->alloc(call, fft_between(plan) * sizeof *between) : NULL;
    if (!between) {
        return KILN_RESOURCE;
    }
    fft_forward(plan, in, between, out);
    const double factor = norm_factor(&args[FFT_NORM], n, inverse);
    scale(out, 2 * n, factor);
    for (size_t i = 1; inverse && i < n - i; i++) { /* the inverse is the transform with time reversed */
        double *a = out + 2 * i, *b = out + 2 * (n - i), re = a[0], im = a[1];
        a[0] = b[0];
        a[1] = b[1];
        b[0] = re;
        b[1] = im;
    }
    return KILN_OK;
}

static int fft_either(struct kiln_call *call, const struct kiln_slot *args, bool inverse)
{
    if (args[FFT_Z].present) {
        return args[FFT_RE].present || args[FFT_IM].present
                   ? call->host->fail(call, KILN_INVALID, "z",
                                      "z is given beside re or im, expected one of the two")
                   : transform_pairs(call, args, inverse);
    }
    if (!args[FFT_RE].present) {
        return call->host->fail(call, KILN_INVALID, "re", "re is missing, expected re (and im), or z");
    }
    const size_t n = (size_t) (args[FFT_N].present ? args[FFT_N].i64 : args[FFT_RE].array.count);
    if (n > FFT_MAX) {
        return call->host->fail(call, KILN_INVALID, "re", "re has %zu values, expected at most %d", n,
                                FFT_MAX);
    }
    const bool complex = args[FFT_IM].present;
    const double *x = sized(call, &args[FFT_RE], n);
    const double *y = x && complex ? sized(call, &args[FFT_IM], n) : NULL;
    double *re = call->host->grow(call, FFT_OUT_RE, (int64_t) n),
           *im = call->host->grow(call, FFT_OUT_IM, (int64_t) n);
    if (!x || (complex && !y) || !re || !im) {
        return KILN_RESOURCE;
    }
    const double factor = norm_factor(&args[FFT_NORM], n, inverse);
    if (complex) { /* the inverse is the transform with re and im changing places, before and after */
        return inverse ? transform(call, y, x, n, factor, im, re) : transform(call, x, y, n, factor, re, im);
    }
    const int status = transform_real(call, x, n, factor, re, im);
    for (size_t k = 0; status == KILN_OK && inverse && k < n; k++) {
        im[k] = -im[k];
    }
    return status;
}

static int fft_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    return fft_either(call, args, false);
}

static int ifft_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    return fft_either(call, args, true);
}

const struct kiln_function stats_fft = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "fft",  .summary = "discrete Fourier transform",
    .help = fft_help,   TABLES(fft),        .run = fft_run,
};

const struct kiln_function stats_ifft = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "ifft",  .summary = "inverse discrete Fourier transform",
    .help = ifft_help,  TABLES(ifft),       .run = ifft_run,
};

/* ---- rfft and irfft ------------------------------------------------------------------------------------ */

static const char rfft_help[] = "Discrete Fourier transform of real values x: X[k] for k = 0 .. n/2 (rounded "
                                "down), as numpy.fft.rfft. The "
                                "others are their mirror, X[n - k] = conj(X[k]).\n" HELP_NORM;

enum { RFFT_X, RFFT_N, RFFT_NORM, RFFT_PAIRS };

static const struct kiln_row rfft_params[] = {
    {.name = "x", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "m", .help = "values"},
    ROW_LENGTH("length of the transform; absent: that of x"),
    ROW_NORM,
    {.name = "pairs",
     .kind = KILN_BOOL,
     .fallback = "false",
     .help = "gives z instead of re and im, which is quicker"},
};

static const struct kiln_row rfft_results[] = {
    {.name = "re",
     .kind = KILN_ARRAY,
     .flags = KILN_OPTIONAL,
     .shape = "h",
     .help = "real parts, n/2 + 1 of them"},
    {.name = "im", .kind = KILN_ARRAY, .flags = KILN_OPTIONAL, .shape = "h", .help = "imaginary parts"},
    {.name = "z", .kind = KILN_ARRAY, .flags = KILN_OPTIONAL, .shape = "h 2", .help = "pairs re, im"},
};

static const struct kiln_golden rfft_goldens[] = {
    {.title = "1, 2, 3, 4",
     .args = "{\"x\":[1,2,3,4]}",
     .result = "{\"re\":[10,-2,-2],\"im\":[0,2,0]}",
     .atol = 1e-15},
    {.title = "shortened to two, scaled",
     .args = "{\"x\":[1,2.5,9],\"n\":2,\"norm\":\"forward\"}",
     .result = "{\"re\":[1.75,-0.75],\"im\":[0,0]}",
     .rtol = 1e-15},
    {.title = "as pairs",
     .args = "{\"x\":[1,2,3,4],\"pairs\":true,\"norm\":\"forward\"}",
     .result = "{\"z\":[[2.5,0],[-0.5,0.5],[-0.5,0]]}",
     .atol = 1e-15},
    {.title = "an unknown norm",
     .args = "{\"x\":[1],\"norm\":\"none\"}",
     .status = KILN_INVALID,
     .result = "norm"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int rfft_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    const size_t n = (size_t) (args[RFFT_N].present ? args[RFFT_N].i64 : args[RFFT_X].array.count);
    if (n > FFT_MAX) {
        return call->host->fail(call, KILN_INVALID, "x", "x has %zu values, expected at most %d", n, FFT_MAX);
    }
    const size_t half = n / 2 + 1;
    const double *x = sized(call, &args[RFFT_X], n);
    const double factor = norm_factor(&args[RFFT_NORM], n, false);
    if (args[RFFT_PAIRS].i64) {
        double *z = call->host->grow(call, FFT_OUT_Z, (int64_t) half);
        const struct fft_plan *plan = x && z ? fft_plan(FFT_REAL, n) : NULL;
        if (!plan) {
            return KILN_RESOURCE;
        }
        fft_real(plan, x, z);
        scale(z, 2 * half, factor);
        return KILN_OK;
    }
    double *re = call->host->grow(call, FFT_OUT_RE, (int64_t) half);
    double *im = call->host->grow(call, FFT_OUT_IM, (int64_t) half);
    double *pairs = call->host->alloc(call, 2 * half * sizeof *pairs);
    const struct fft_plan *plan = x && re && im && pairs ? fft_plan(FFT_REAL, n) : NULL;
    if (!plan) {
        return KILN_RESOURCE;
    }
    fft_real(plan, x, pairs);
    fft_parts(pairs, half, factor, re, im);
    return KILN_OK;
}

const struct kiln_function stats_rfft = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "rfft",  .summary = "Fourier transform of real values",
    .help = rfft_help,  TABLES(rfft),       .run = rfft_run,
};

static const char irfft_help[] = "Inverse of rfft: n real values from X[k], k = 0 .. n/2, as "
                                 "numpy.fft.irfft. n is 2 (m - 1) by default, where m "
                                 "is the number of X; it must be given when it is odd, and when m is 1. The "
                                 "imaginary parts of X[0] and, for "
                                 "even n, of X[n/2] count as 0.\n" HELP_NORM;

static const struct kiln_row irfft_params[] = {
    {.name = "re", .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "m", .help = "real parts"},
    {.name = "im", .kind = KILN_ARRAY, .shape = "m", .help = "imaginary parts; absent: zeros"},
    ROW_LENGTH("number of values to give; absent: 2 (m - 1)"),
    ROW_NORM,
};

static const struct kiln_row irfft_results[] = {
    {.name = "x", .kind = KILN_ARRAY, .shape = "n", .help = "values"},
};

static const struct kiln_golden irfft_goldens[] = {
    {.title = "back to 1, 2, 3, 4",
     .args = "{\"re\":[10,-2,-2],\"im\":[0,2,0]}",
     .result = "{\"x\":[1,2,3,4]}",
     .atol = 1e-15},
    {.title = "an odd number of values",
     .args = "{\"re\":[6,0],\"n\":3}",
     .result = "{\"x\":[2,2,2]}",
     .rtol = 1e-15},
    {.title = "one frequency alone does not say how many values",
     .args = "{\"re\":[6]}",
     .status = KILN_INVALID,
     .result = "expected n to be given"},
    {.title = "10,000 values", .args = "{\"re\":{\"$normal\":[5001,1]},\"im\":{\"$normal\":[5001,2]}}"},
};

static int irfft_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    const size_t m = (size_t) args[FFT_RE].array.count;
    const size_t n = args[FFT_N].present ? (size_t) args[FFT_N].i64 : 2 * (m - 1);
    if (n < 1 || n > FFT_MAX) {
        return call->host->fail(call, KILN_INVALID, "re",
                                "%zu values of re mean a length of %zu, expected n to be given, 1 .. %d", m,
                                n, FFT_MAX);
    }
    const size_t half = n / 2 + 1, have = m < half ? m : half;
    double *x = call->host->grow(call, 0, (int64_t) n);
    double *pairs = call->host->alloc(call, 2 * half * sizeof *pairs);
    const struct fft_plan *plan = x && pairs ? fft_plan(FFT_INVERSE_REAL, n) : NULL;
    if (!plan) {
        return KILN_RESOURCE;
    }
    fft_pairs(args[FFT_RE].array.data, args[FFT_IM].present ? args[FFT_IM].array.data : NULL, have,
              norm_factor(&args[FFT_NORM], n, true), pairs);
    memset(pairs + 2 * have, 0, 2 * (half - have) * sizeof *pairs);
    fft_inverse_real(plan, pairs, x);
    return KILN_OK;
}

const struct kiln_function stats_irfft = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE,
    .name = "irfft",    .summary = "real values from their Fourier transform",
    .help = irfft_help, TABLES(irfft),
    .run = irfft_run,
};

/* ---- frequencies and their order ----------------------------------------------------------------------- */

static const char fftfreq_help[] = "Frequencies of the values that fft gives, 0, 1, .., -2, -1 times 1 / (n "
                                   "d), as numpy.fft.fftfreq: those from "
                                   "(n + 1)/2 on (rounded down) are negative.";

static const char rfftfreq_help[] =
    "Frequencies of the values that rfft gives, 0, 1, .., n/2 (rounded down) times 1 / (n d), as "
    "numpy.fft.rfftfreq.";

enum { FREQ_N, FREQ_D };

static const struct kiln_row fftfreq_params[] = {
    {.name = "n",
     .kind = KILN_INT,
     .flags = KILN_REQUIRED,
     .min = 1,
     .max = FFT_MAX,
     .help = "length of the transform"},
    {.name = "d",
     .kind = KILN_FLOAT,
     .flags = KILN_OPEN_MIN | KILN_FINITE,
     .min = 0,
     .max = HUGE_VAL,
     .fallback = "1",
     .help = "distance of two samples, 1 / sampling rate"},
};

static const struct kiln_row fftfreq_results[] = {
    {.name = "freq", .kind = KILN_ARRAY, .shape = "k", .help = "frequencies, in cycles per unit of d"},
};

#define rfftfreq_params  fftfreq_params
#define rfftfreq_results fftfreq_results

static const struct kiln_golden fftfreq_goldens[] = {
    {.title = "an odd and an even half", .args = "{\"n\":5}", .result = "{\"freq\":[0,0.2,0.4,-0.4,-0.2]}"},
    {.title = "four samples a second", .args = "{\"n\":4,\"d\":0.25}", .result = "{\"freq\":[0,1,-2,-1]}"},
    {.title = "no distance", .args = "{\"n\":4,\"d\":0}", .status = KILN_INVALID, .result = "d"},
};

static const struct kiln_golden rfftfreq_goldens[] = {
    {.title = "four samples a second", .args = "{\"n\":4,\"d\":0.25}", .result = "{\"freq\":[0,1,2]}"},
    {.title = "five", .args = "{\"n\":5}", .result = "{\"freq\":[0,0.2,0.4]}"},
    {.title = "no distance", .args = "{\"n\":4,\"d\":0}", .status = KILN_INVALID, .result = "d"},
};

static int fftfreq_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    const int64_t n = args[FREQ_N].i64;
    const double span = (double) n * args[FREQ_D].f64;
    double *freq = call->host->grow(call, 0, n);
    for (int64_t i = 0; freq && i < n; i++) {
        freq[i] = (double) (i < (n + 1) / 2 ? i : i - n) / span;
    }
    return freq ? KILN_OK : KILN_RESOURCE;
}

static int rfftfreq_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    const int64_t n = args[FREQ_N].i64, half = n / 2 + 1;
    const double span = (double) n * args[FREQ_D].f64;
    double *freq = call->host->grow(call, 0, half);
    for (int64_t i = 0; freq && i < half; i++) {
        freq[i] = (double) i / span;
    }
    return freq ? KILN_OK : KILN_RESOURCE;
}

const struct kiln_function stats_fftfreq = {
    KILN_FUNCTION_HEAD,   .flags = KILN_PURE, .name = "fftfreq",  .summary = "frequencies of fft",
    .help = fftfreq_help, TABLES(fftfreq),    .run = fftfreq_run,
};

const struct kiln_function stats_rfftfreq = {
    KILN_FUNCTION_HEAD,    .flags = KILN_PURE, .name = "rfftfreq",  .summary = "frequencies of rfft",
    .help = rfftfreq_help, TABLES(rfftfreq),   .run = rfftfreq_run,
};
