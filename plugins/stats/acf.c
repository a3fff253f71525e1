/* SPDX-License-Identifier: MPL-2.0 */
/* acf - autocorrelation: how a series resembles itself some steps later. */
#define FFTW_NO_Complex /* complex numbers as pairs */
#include <cblas.h>
#include <string.h>

#include "fft.h"
#include "infer.h"
#include "kernels.h"
#include "reduce.h"

#define DIRECT_LAGS 200  /* with more of them a Fourier transform is quicker */
#define BLOCK       2048 /* values that stay in the first-level cache while all lags pass over them */

static const char autocorrelation_help[] =
    "Autocorrelation at lags 0 to nlags: acf[k] = sum over t of (x[t] - m) (x[t + k] - m) / sum (x[t] - "
    "m)^2, with the mean m "
    "of all values. This biased form divides both sums by n; adjusted divides the first by n - k instead "
    "(statsmodels "
    "acf; Box and Jenkins). nlags is the lesser of 10 log10(n), rounded down, and n - 1 by default.\n"
    "Up to 200 lags by sums of products, beyond that by a Fourier transform (right to about 1e-15). When all "
    "values are "
    "equal all are NaN. A NaN makes all results NaN; it cannot be left out, for that would move its "
    "neighbours together.";

enum { X, NLAGS, ADJUSTED, NAN_POLICY };

static const struct kiln_row autocorrelation_params[] = {
    ROW_X("values of a series, one after the other"),
    {.name = "nlags", .kind = KILN_INT, .min = 0, .max = HUGE_VAL, .help = "greatest lag, less than n"},
    ROW_SWITCH("adjusted", "false", "whether sums are divided by the number of their terms"),
    ROW_CHOICE("nan_policy", "propagate|raise", "propagate",
               "what a NaN in x does: make the results NaN, or be refused"),
};

static const struct kiln_row autocorrelation_results[] = {
    ROW_COLUMN("acf", "l", "autocorrelation at lags 0 to nlags"),
};

static const struct kiln_golden autocorrelation_goldens[] = {
    {.title = "1..4",
     .args = "{\"x\":[1,2,3,4],\"nlags\":3}",
     .result = "{\"acf\":[1,0.25,-0.3,-0.45]}",
     .rtol = 1e-14},
    {.title = "no spread", .args = "{\"x\":[2.385,2.385]}", .result = "{\"acf\":[null,null]}"},
    {.title = "too long a lag",
     .args = "{\"x\":[1,2],\"nlags\":2}",
     .status = KILN_INVALID,
     .result = "nlags is 2, expected less than the 2 values of x"},
    {.title = "1,000 values", .args = "{\"x\":{\"$normal\":[1000,1]}}"},
};

static int direct(struct kiln_call *call, const double *d, size_t n, size_t lags, double *ret)
{
    memset(ret, 0, lags * sizeof *ret);
    for (size_t from = 0; from < n; from += BLOCK) {
        for (size_t lag = 0; lag < lags && from + lag < n; lag++) {
            const size_t left = n - lag - from, count = left < BLOCK ? left : BLOCK;
            ret[lag] += cblas_ddot((int) count, d + from, 1, d + from + lag, 1);
        }
        if (from / BLOCK % 64 == 63 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

/* The products of all lags are the transform of the squared spectrum, once zeros keep both ends apart. */
static int transformed(struct kiln_call *call, const double *d, size_t n, size_t lags, double *ret)
{
    const size_t size = fft_quick_length(n + lags);
    double *x = call->host->alloc(call, size * sizeof *x);
    double *spectrum = call->host->alloc(call, 2 * (size / 2 + 1) * sizeof *spectrum);
    if (!x || !spectrum) {
        return KILN_RESOURCE;
    }
    memcpy(x, d, n * sizeof *x);
    memset(x + n, 0, (size - n) * sizeof *x);
    bool done = fft_run_real(size, x, spectrum);
    for (size_t i = 0; i < 2 * (size / 2 + 1); i += 2) {
        spectrum[i] = spectrum[i] * spectrum[i] + spectrum[i + 1] * spectrum[i + 1];
        spectrum[i + 1] = 0;
    }
    done = done && fft_run_inverse_real(size, spectrum, x);
    for (size_t lag = 0; lag < lags; lag++) {
        ret[lag] = x[lag] / (double) size;
    }
    return done ? KILN_OK : KILN_RESOURCE;
}

/* Deviations from the mean in units in which their squares are in range. */
static void deviations(const struct kernels *k, const double *x, size_t n, double *ret)
{
    struct reduction r;
    reduce_moments2(k, x, n, &r);
    const double deviation = r.m.m2 > 0 ? sqrt(r.m.m2 / r.m.n) : (double) NAN;
    const double *from = x;
    if (r.scale != 1) {
        for (size_t i = 0; i < n; i++) {
            ret[i] = x[i] * r.scale;
        }
        from = ret;
    }
    k->standardise(from, n, r.m.mean.hi, deviation, ret);
    const double off = r.m.mean.lo / deviation;
    for (size_t i = 0; off != 0 && i < n; i++) {
        ret[i] -= off;
    }
}

static int autocorrelation_run(struct kiln_call *call, const struct kiln_slot *args,
                               struct kiln_slot *results)
{
    (void) results; /* which grows */
    struct sample s;
    int status = sample_take(call, &args[X], "x", nan_policy_of(&args[NAN_POLICY]), &s);
    if (status) {
        return status;
    }
    const size_t standard = (size_t) (10 * log10((double) s.n));
    size_t lags = standard < s.n ? standard : s.n - 1;
    if (args[NLAGS].present) {
        if (args[NLAGS].i64 >= (int64_t) s.n) {
            return call->host->fail(call, KILN_INVALID, "nlags",
                                    "nlags is %lld, expected less than the %zu values of x",
                                    (long long) args[NLAGS].i64, s.n);
        }
        lags = (size_t) args[NLAGS].i64;
    }
    lags++;
    if (s.n > INT32_MAX / 2 - lags) {
        return call->host->fail(call, KILN_INVALID, "x", "%zu values, expected at most %d", s.n,
                                INT32_MAX / 4);
    }
    double *acf = call->host->grow(call, 0, (int64_t) lags), *d = call->host->alloc(call, s.n * sizeof *d);
    if (!acf || !d) {
        return KILN_RESOURCE;
    }
    deviations(call->state, s.x, s.n, d);
    const bool flat = isnan(d[0]) || sample_has_nan(call, &(struct sample){.x = d, .n = s.n});
    status = flat                  ? KILN_OK
             : lags <= DIRECT_LAGS ? direct(call, d, s.n, lags, acf)
                                   : transformed(call, d, s.n, lags, acf);
    const double all = flat ? (double) NAN : acf[0], n = (double) s.n;
    for (size_t lag = 0; lag < lags; lag++) {
        acf[lag] = flat ? all : acf[lag] / all * (args[ADJUSTED].i64 ? n / (n - (double) lag) : 1);
    }
    return status;
}

FUNCTION(autocorrelation, "autocorrelation of a series", autocorrelation_help);
