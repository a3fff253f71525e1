/* SPDX-License-Identifier: MPL-2.0 */
#include "design.h"

#include <string.h>

#include "kernels.h"

void design_panel(const struct fit_source *s, size_t index, struct fit_panel *ret)
{
    const struct design *d = s->of;
    *ret = (struct fit_panel){.hi = d->columns + index * s->k * FIT_ROWS,
                              .y = d->y + index * FIT_ROWS,
                              .weights = d->weights ? d->weights + index * FIT_ROWS : NULL};
}

/* Marks the observations to keep; returns how many. */
static size_t keep(const double *x, const double *y, const double *weights, size_t n, size_t m,
                   unsigned char *ret)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool good = y[i] == y[i] && !(weights && weights[i] != weights[i]);
        for (size_t j = 0; good && j < m; j++) {
            good = x[i * m + j] == x[i * m + j];
        }
        ret[i] = good;
        kept += good;
    }
    return kept;
}

/* A power of two that brings values of up to `most` to about 1, where squares might leave the range. */
static double safe_scale(double most)
{
    return most == 0 || (most > 0x1p-300 && most < 0x1p300)
               ? 1
               : ldexp(1, -ilogb(most) > 1000 ? 1000 : -ilogb(most));
}

/* The sum of magnitudes in a column of a panel, in lanes that compilers turn into vectors. */
static double column_size(const double *v)
{
    enum { LANES = 8 };
    double sums[LANES] = {0};
    for (size_t i = 0; i < FIT_ROWS; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            sums[l] += fabs(v[i + l]);
        }
    }
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/* Multiplies a column, one part of it in each panel, by its safe scale; 0 when it has an infinity. */
static double rescale(double *v, size_t stride, size_t panels)
{
    double most = 0;
    for (size_t t = 0; t < panels; t++) {
        most += column_size(v + t * stride);
    }
    if (most > 0x1p-290 && most < 0x1p290) {
        return 1;
    }
    most = 0;
    for (size_t t = 0; t < panels; t++) {
        for (size_t i = 0; i < FIT_ROWS; i++) {
            most = fmax(most, fabs(v[t * stride + i]));
        }
    }
    if (isinf(most)) {
        return 0;
    }
    const double scale = safe_scale(most);
    for (size_t t = 0; scale != 1 && t < panels; t++) {
        for (size_t i = 0; i < FIT_ROWS; i++) {
            v[t * stride + i] *= scale;
        }
    }
    return scale;
}

/* The columns of up to FIT_ROWS observations; ones in front when there is an intercept. */
static void fill_panel(const double *x, size_t rows, size_t m, bool intercept, double *to)
{
    if (intercept) {
        for (size_t i = 0; i < FIT_ROWS; i++) {
            to[i] = i < rows ? 1 : 0;
        }
        to += FIT_ROWS;
    }
    for (size_t j = 0; j < m; j++, to += FIT_ROWS) {
        for (size_t i = 0; i < rows; i++) {
            to[i] = x[i * m + j];
        }
        if (rows < FIT_ROWS) {
            memset(to + rows, 0, (FIT_ROWS - rows) * sizeof *to);
        }
    }
}

static double *padded(struct kiln_call *call, const double *x, size_t n)
{
    const size_t all = fit_panels(n) * FIT_ROWS;
    double *ret = call->host->alloc(call, all * sizeof *ret);
    if (ret) {
        memcpy(ret, x, n * sizeof *ret);
        memset(ret + n, 0, (all - n) * sizeof *ret);
    }
    return ret;
}

static int refuse_nan(struct kiln_call *call, const struct observations *d)
{
    for (size_t i = 0; i < d->n; i++) {
        for (size_t j = 0; j < d->m; j++) {
            if (isnan(d->x[i * d->m + j])) {
                return call->host->fail(
                    call, KILN_INVALID, "x",
                    "element [%zu,%zu] of x is NaN, expected numbers (nan_policy is raise)", i, j);
            }
        }
        if (isnan(d->y[i]) || (d->weights && isnan(d->weights[i]))) {
            const char *field = isnan(d->y[i]) ? "y" : "weights";
            return call->host->fail(call, KILN_INVALID, field,
                                    "element %zu of %s is NaN, expected numbers (nan_policy is raise)", i,
                                    field);
        }
    }
    return KILN_OK;
}

static int omit(struct kiln_call *call, struct observations *d)
{
    d->kept = call->host->alloc(call, d->n);
    if (!d->kept) {
        return KILN_RESOURCE;
    }
    const size_t left = keep(d->x, d->y, d->weights, d->n, d->m, d->kept);
    double *x = call->host->alloc(call, left * d->m * sizeof *x),
           *y = call->host->alloc(call, left * sizeof *y),
           *weights = d->weights ? call->host->alloc(call, left * sizeof *weights) : NULL;
    if (!x || !y || (d->weights && !weights)) {
        return KILN_RESOURCE;
    }
    if (left == 0) {
        return call->host->fail(call, KILN_INVALID, "x",
                                "all %zu observations have a NaN, expected at least one without", d->n);
    }
    size_t to = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->kept[i]) {
            memcpy(x + to * d->m, d->x + i * d->m, d->m * sizeof *x);
            y[to] = d->y[i];
            if (weights) {
                weights[to] = d->weights[i];
            }
            to++;
        }
    }
    d->x = x;
    d->y = y;
    d->weights = weights;
    d->n = left;
    return KILN_OK;
}

int observations_take(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *y,
                      const struct kiln_slot *weights, enum nan_policy policy, struct observations *d,
                      bool *ret_nan)
{
    const struct kernels *k = call->state;
    *d = (struct observations){.x = x->array.data,
                               .y = y->array.data,
                               .weights = weights->present ? weights->array.data : NULL,
                               .n = (size_t) x->array.shape[0],
                               .m = (size_t) x->array.shape[1]};
    d->given = d->n;
    const bool nan = k->find_nan(d->x, d->n * d->m) < d->n * d->m || k->find_nan(d->y, d->n) < d->n ||
                     (d->weights && k->find_nan(d->weights, d->n) < d->n);
    *ret_nan = nan && policy == NAN_PROPAGATE;
    return !nan || *ret_nan ? KILN_OK : policy == NAN_RAISE ? refuse_nan(call, d) : omit(call, d);
}

/* One of the arrays has an infinity: says where. */
static int refuse_infinite(struct kiln_call *call, const struct observations *d)
{
    static const char *const fields[] = {"x", "y", "weights"};
    const double *const arrays[] = {d->x, d->y, d->weights};
    for (size_t f = 0; f < 3; f++) {
        const size_t columns = f == 0 ? d->m : 1;
        for (size_t i = 0; arrays[f] && i < d->n * columns; i++) {
            if (isinf(arrays[f][i])) {
                return call->host->fail(call, KILN_INVALID, fields[f],
                                        "%s of observation %zu is infinite, expected finite numbers",
                                        fields[f], i / columns);
            }
        }
    }
    return KILN_FAILED; /* not reached */
}

int design_make(struct kiln_call *call, const struct observations *data, bool intercept, size_t k,
                struct design *d)
{
    const size_t panels = fit_panels(data->n);
    d->columns = call->host->alloc(call, panels * k * FIT_ROWS * sizeof *d->columns);
    d->scales = call->host->alloc(call, k * sizeof *d->scales);
    d->y = padded(call, data->y, data->n);
    d->weights = data->weights ? padded(call, data->weights, data->n) : NULL;
    if (!d->columns || !d->scales || !d->y || (data->weights && !d->weights)) {
        return KILN_RESOURCE;
    }
    for (size_t t = 0; t < panels; t++) {
        const size_t from = t * FIT_ROWS, rows = data->n - from < FIT_ROWS ? data->n - from : FIT_ROWS;
        fill_panel(data->x + from * data->m, rows, data->m, intercept, d->columns + t * k * FIT_ROWS);
    }
    bool finite = true;
    for (size_t j = 0; j < k; j++) {
        d->scales[j] = rescale(d->columns + j * FIT_ROWS, k * FIT_ROWS, panels);
        finite = finite && d->scales[j] != 0;
    }
    d->y_scale = rescale(d->y, FIT_ROWS, panels);
    d->weight_scale = d->weights ? rescale(d->weights, FIT_ROWS, panels) : 1;
    return finite && d->y_scale != 0 && d->weight_scale != 0 ? KILN_OK : refuse_infinite(call, data);
}
