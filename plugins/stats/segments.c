/* SPDX-License-Identifier: MPL-2.0 */
#include "segments.h"

#include <math.h>
#include <string.h>

#include "fft.h"
#include "reduce.h"
#include "select.h"

/* ---- one segment --------------------------------------------------------------------------------------- */

/* out = x - mean; the rounding of the mean is taken away, too. */
static void take_mean(const struct kernels *k, const double *x, size_t n, double *out)
{
    const double mean = reduce_mean(k, x, n);
    double rest = 0;
    for (size_t i = 0; i < n; i += KERNEL_BLOCK) {
        rest += k->center(x + i, n - i < KERNEL_BLOCK ? n - i : KERNEL_BLOCK, mean, out + i);
    }
    rest /= (double) n;
    for (size_t i = 0; i < n; i++) {
        out[i] -= rest;
    }
}

/* Takes the straight line of least squares away from x, whose mean is 0. */
static void take_slope(const struct kernels *k, double *x, size_t n)
{
    const double middle = (double) (n - 1) / 2, count = (double) n;
    double products[KERNEL_BLOCK], sum = 0;
    for (size_t from = 0; from < n; from += KERNEL_BLOCK) {
        const size_t block = n - from < KERNEL_BLOCK ? n - from : KERNEL_BLOCK;
        for (size_t i = 0; i < block; i++) {
            products[i] = ((double) (from + i) - middle) * x[from + i];
        }
        sum += k->sum(products, block);
    }
    const double slope = n > 1 ? sum / (count * (count - 1) * (count + 1) / 12) : 0;
    for (size_t i = 0; i < n; i++) {
        x[i] -= slope * ((double) i - middle);
    }
}

static void transform(const struct kernels *k, const struct segments *s, const struct fft_plan *plan,
                      const double *x, double *pairs)
{
    if (s->detrend == 'n') {
        memcpy(s->segment, x, s->length * sizeof *x);
    } else {
        take_mean(k, x, s->length, s->segment);
    }
    if (s->detrend == 'l') {
        take_slope(k, s->segment, s->length);
    }
    for (size_t i = 0; i < s->length; i++) {
        s->segment[i] *= s->window[i];
    }
    fft_real(plan, s->segment, pairs); /* zeros stand behind the segment */
}

static void add_square(const double *x, size_t half, double *sum)
{
    for (size_t i = 0; i < half; i++) {
        sum[i] += x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1];
    }
}

static void add_product(const double *x, const double *y, size_t half, double *re, double *im)
{
    for (size_t i = 0; i < half; i++) {
        re[i] += x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1];
        im[i] += x[2 * i] * y[2 * i + 1] - x[2 * i + 1] * y[2 * i];
    }
}

/* ---- all segments -------------------------------------------------------------------------------------- */

static int segments_parts(const struct segments *s)
{
    return s->what == POWER ? 1 : s->what == CROSS ? 2 : SEGMENT_PARTS;
}

static int take_memory(struct kiln_call *call, struct segments *s)
{
    const size_t rows = s->median ? s->count : 1;
    const size_t bytes = s->half * rows * sizeof(double); /* both at most FFT_MAX: no overflow */
    s->window = call->host->alloc(call, s->length * sizeof(double));
    s->segment = call->host->alloc(call, s->nfft * sizeof(double));
    s->pairs_x = call->host->alloc(call, 2 * s->half * sizeof(double));
    s->pairs_y = call->host->alloc(call, 2 * s->half * sizeof(double));
    for (int i = 0; i < segments_parts(s); i++) {
        s->parts[i] = call->host->alloc(call, bytes);
        if (!s->parts[i]) {
            return KILN_RESOURCE;
        }
        memset(s->parts[i], 0, bytes);
    }
    if (!s->window || !s->segment || !s->pairs_x || !s->pairs_y) {
        return KILN_RESOURCE;
    }
    memset(s->segment, 0, s->nfft * sizeof(double));
    return KILN_OK;
}

static int sum_segments(struct kiln_call *call, const struct segments *s)
{
    const struct kernels *k = call->state;
    const struct fft_plan *plan = fft_plan(FFT_REAL, s->nfft);
    size_t since = 0;
    for (size_t i = 0; plan && i < s->count; i++) {
        const size_t at = s->median ? i * s->half : 0;
        since += s->nfft;
        if (since > 100000 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        since = since > 100000 ? 0 : since;
        transform(k, s, plan, s->x + i * s->step, s->pairs_x);
        if (s->what == POWER) {
            add_square(s->pairs_x, s->half, s->parts[0] + at);
            continue;
        }
        transform(k, s, plan, s->y + i * s->step, s->pairs_y);
        add_product(s->pairs_x, s->pairs_y, s->half, s->parts[0] + at, s->parts[1] + at);
        if (s->what == COHERENCE) {
            add_square(s->pairs_x, s->half, s->parts[2] + at);
            add_square(s->pairs_y, s->half, s->parts[3] + at);
        }
    }
    return plan ? KILN_OK : KILN_RESOURCE;
}

/* The mean of the median of n values with an exponential distribution, in units of their mean: 1 - 1/2 + 1/3
 * - .. */
static double median_bias(size_t n)
{
    double bias = 1;
    for (size_t i = 1; i <= (n - 1) / 2; i++) {
        const double even = 2 * (double) i;
        bias += 1 / (even + 1) - 1 / even;
    }
    return bias;
}

/* The median over the segments, in the first row. */
static void take_medians(const struct kernels *k, const struct segments *s, double *part, double *scratch)
{
    const size_t n = s->count, ranks[] = {(n - 1) / 2, n / 2}, n_ranks = n % 2 ? 1 : 2;
    double *column = scratch, middle[2];
    for (size_t i = 0; i < s->half; i++) {
        for (size_t j = 0; j < n; j++) {
            column[j] = part[j * s->half + i];
        }
        if (k->find_nan(column, n) < n) {
            part[i] = (double) NAN;
            continue;
        }
        select_ranks(k, column, n, ranks, n_ranks, SELECT_PATIENCE, scratch + n, middle);
        part[i] = n_ranks == 1 ? middle[0] : middle[0] + (middle[1] - middle[0]) / 2;
    }
}

static int take_averages(struct kiln_call *call, const struct segments *s)
{
    if (!s->median) {
        for (int part = 0; part < segments_parts(s); part++) {
            for (size_t i = 0; i < s->half; i++) {
                s->parts[part][i] /= (double) s->count;
            }
        }
        return KILN_OK;
    }
    double *scratch = call->host->alloc(call, s->count * sizeof *scratch + select_scratch_bytes(s->count));
    if (!scratch) {
        return KILN_RESOURCE;
    }
    const double bias = median_bias(s->count);
    for (int part = 0; part < segments_parts(s); part++) {
        take_medians(call->state, s, s->parts[part], scratch);
        for (size_t i = 0; i < s->half; i++) {
            s->parts[part][i] /= bias;
        }
    }
    return KILN_OK;
}

int segments_estimate(struct kiln_call *call, const struct kiln_slot *window, struct segments *s)
{
    s->count = (s->n - s->length) / s->step + 1;
    s->half = s->nfft / 2 + 1;
    int status = take_memory(call, s);
    if (status == KILN_OK) {
        status = window_make(call, window, s->length, false, s->window);
    }
    if (status == KILN_OK) {
        status = sum_segments(call, s);
    }
    return status ? status : take_averages(call, s);
}

double segments_factor(const struct segments *s, bool density, double fs)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < s->length; i++) {
        sum += s->window[i];
        squares += s->window[i] * s->window[i];
    }
    return density ? 1 / (fs * squares) : 1 / (sum * sum);
}
