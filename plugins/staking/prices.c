/* SPDX-License-Identifier: MPL-2.0 */
#include "prices.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <kiln/plugin.h>

#include "kernel.h"
#include "number.h"

#define DAYS_MIN 3       /* two returns: one does not vary */
#define LANES    8       /* sums are kept in so many parts, on every machine */
#define POLL     4000000 /* products between two questions whether the job is still wanted: some milliseconds */

/* ---- reading ------------------------------------------------------------------------------------- */

static bool is_series(const struct kiln_value *v)
{
    return v->type == KILN_V_ARRAY && v->array->rank == 1;
}

static int refuse_form(struct kiln_call *call, const char *field)
{
    return call->host->fail(call, KILN_INVALID, field,
                            "%s is not a matrix of prices, expected a row a day with a price of each asset, "
                            "or a map of equally long series",
                            field);
}

static int check_size(struct kiln_call *call, const char *field, size_t days, size_t assets, size_t expected)
{
    if (expected > 0 && assets != expected) {
        return call->host->fail(call, KILN_INVALID, field, "%s has %zu assets, expected %zu", field, assets,
                                expected);
    }
    if (days < DAYS_MIN || assets == 0) {
        return call->host->fail(call, KILN_INVALID, field,
                                "%s has %zu days of %zu assets, expected at least %d days", field, days,
                                assets, DAYS_MIN);
    }
    return KILN_OK;
}

static int take(struct kiln_call *call, size_t days, size_t assets, struct prices *p)
{
    size_t bytes;
    if (__builtin_mul_overflow(days, assets, &bytes) ||
        __builtin_mul_overflow(bytes, sizeof *p->price, &bytes)) {
        return KILN_RESOURCE;
    }
    *p = (struct prices){.days = days, .assets = assets, .price = call->host->alloc(call, bytes)};
    return p->price ? KILN_OK : KILN_RESOURCE;
}

static int put(struct kiln_call *call, const char *field, struct prices *p, size_t day, size_t asset,
               double v)
{
    if (!(v > 0) || isinf(v)) {
        char where[128];
        if (p->name != NULL) {
            snprintf(where, sizeof where, "%s.%s[%zu]", field, p->name[asset], day);
        } else {
            snprintf(where, sizeof where, "%s[%zu][%zu]", field, day, asset);
        }
        return call->host->fail(call, KILN_INVALID, field, "%s is %g, expected a finite price above 0", where,
                                v);
    }
    p->price[asset * p->days + day] = v;
    return KILN_OK;
}

static const struct kiln_value *find(const struct kiln_value *map, const char *name)
{
    for (uint32_t i = 0; i < map->count; i++) {
        if (strcmp(map->map[i].key, name) == 0) {
            return &map->map[i].value;
        }
    }
    return NULL;
}

static int read_map(struct kiln_call *call, const char *field, const struct kiln_value *map,
                    const char *const *names, size_t expected, struct prices *p)
{
    size_t assets = map->count, days = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct kiln_pair *pair = &map->map[i];
        if (!is_series(&pair->value)) {
            return call->host->fail(call, KILN_INVALID, field, "%s.%s is not a list of prices", field,
                                    pair->key);
        }
        size_t count = (size_t) pair->value.array->count;
        if (i > 0 && count != days) {
            return call->host->fail(call, KILN_INVALID, field, "%s.%s has %zu prices, expected %zu as %s.%s",
                                    field, pair->key, count, days, field, map->map[0].key);
        }
        days = count;
    }
    for (size_t a = 0; names != NULL && a < expected; a++) {
        if (find(map, names[a]) == NULL) {
            return call->host->fail(call, KILN_INVALID, field,
                                    "%s.%s is missing, expected a series of each of %zu "
                                    "assets",
                                    field, names[a], expected);
        }
    }
    int rc = check_size(call, field, days, assets, expected);
    rc = rc == KILN_OK ? take(call, days, assets, p) : rc;
    if (rc == KILN_OK && (p->name = call->host->alloc(call, assets * sizeof *p->name)) == NULL) {
        rc = KILN_RESOURCE;
    }
    for (size_t a = 0; rc == KILN_OK && a < assets; a++) {
        const struct kiln_value *series = names ? find(map, names[a]) : &map->map[a].value;
        p->name[a] = names ? names[a] : map->map[a].key;
        for (size_t t = 0; rc == KILN_OK && t < days; t++) {
            rc = put(call, field, p, t, a, number_at(series->array, t));
        }
    }
    return rc;
}

static int read_rows(struct kiln_call *call, const char *field, const struct kiln_value *list,
                     size_t expected, struct prices *p)
{
    size_t assets = 0;
    for (uint32_t t = 0; t < list->count; t++) {
        if (!is_series(&list->list[t])) {
            return call->host->fail(call, KILN_INVALID, field, "%s[%u] is not a list of prices", field, t);
        }
        size_t count = (size_t) list->list[t].array->count;
        if (t > 0 && count != assets) {
            return call->host->fail(call, KILN_INVALID, field, "%s[%u] has %zu prices, expected %zu as %s[0]",
                                    field, t, count, assets, field);
        }
        assets = count;
    }
    int rc = check_size(call, field, list->count, assets, expected);
    rc = rc == KILN_OK ? take(call, list->count, assets, p) : rc;
    for (size_t t = 0; rc == KILN_OK && t < p->days; t++) {
        for (size_t a = 0; rc == KILN_OK && a < assets; a++) {
            rc = put(call, field, p, t, a, number_at(list->list[t].array, a));
        }
    }
    return rc;
}

static int read_matrix(struct kiln_call *call, const char *field, const struct kiln_array *m, size_t expected,
                       struct prices *p)
{
    if (m->rank != 2) {
        return refuse_form(call, field);
    }
    int rc = check_size(call, field, (size_t) m->shape[0], (size_t) m->shape[1], expected);
    rc = rc == KILN_OK ? take(call, (size_t) m->shape[0], (size_t) m->shape[1], p) : rc;
    for (size_t t = 0; rc == KILN_OK && t < p->days; t++) {
        for (size_t a = 0; rc == KILN_OK && a < p->assets; a++) {
            rc = put(call, field, p, t, a, number_at(m, t * p->assets + a));
        }
    }
    return rc;
}

int prices_read(struct kiln_call *call, const char *field, const struct kiln_value *value,
                const char *const *names, size_t assets, struct prices *ret_prices)
{
    switch (value->type) {
    case KILN_V_MAP:
        return read_map(call, field, value, names, assets, ret_prices);
    case KILN_V_LIST:
        return read_rows(call, field, value, assets, ret_prices);
    case KILN_V_ARRAY:
        return read_matrix(call, field, value->array, assets, ret_prices);
    default:
        return refuse_form(call, field);
    }
}

/* ---- estimating ---------------------------------------------------------------------------------- */

static double sum_lanes(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

KERNEL static double product(const double *x, const double *y, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            lane[l] += x[i + l] * y[i + l];
        }
    }
    for (; i < n; i++) {
        lane[i % LANES] += x[i] * y[i];
    }
    return sum_lanes(lane);
}

static double total(const double *x, size_t n)
{
    double lane[LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        lane[i % LANES] += x[i];
    }
    return sum_lanes(lane);
}

/* Prices to returns about their mean, in place; the mean. */
static double centre(double *x, size_t n, bool simple)
{
    for (size_t t = 0; t < n; t++) {
        double r =
            (x[t + 1] - x[t]) / x[t]; /* the difference of near prices is exact, their quotient is not */
        x[t] = simple ? r : log1p(r);
    }
    double mean = total(x, n) / (double) n;
    for (size_t t = 0; t < n; t++) {
        x[t] -= mean;
    }
    double rest = total(x, n) / (double) n;
    for (size_t t = 0; t < n; t++) {
        x[t] -= rest;
    }
    return mean + rest;
}

static int products(struct kiln_call *call, const struct prices *p, double divisor, const struct moments *m)
{
    size_t n = p->assets, returns = p->days - 1, work = 0;
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b <= a; b++) {
            work += returns;
            if (work > POLL) {
                work = 0;
                if (call->host->cancelled(call)) {
                    return KILN_CANCELLED;
                }
            }
            double c = product(p->price + a * p->days, p->price + b * p->days, returns) / divisor;
            m->covariance[a * n + b] = m->covariance[b * n + a] = c;
        }
        m->volatility[a] = sqrt(m->covariance[a * n + a]);
    }
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < a; b++) {
            double rho = m->covariance[a * n + b] / m->volatility[a] / m->volatility[b];
            rho = rho > 1 ? 1 : rho < -1 ? -1 : rho;
            m->correlation[a * n + b] = m->correlation[b * n + a] = rho;
        }
        m->correlation[a * n + a] = 1;
    }
    return KILN_OK;
}

int prices_estimate(struct kiln_call *call, const char *field, const char *ddof_field, struct prices *p,
                    bool simple, int64_t ddof, struct moments *ret_moments)
{
    size_t n = p->assets, returns = p->days - 1;
    if (ddof < 0 || (uint64_t) ddof >= returns) {
        return call->host->fail(call, KILN_INVALID, ddof_field,
                                "%s is %lld, expected less than the %zu returns of %s", ddof_field,
                                (long long) ddof, returns, field);
    }
    size_t square;
    if (__builtin_mul_overflow(n, n * sizeof(double), &square)) {
        return KILN_RESOURCE;
    }
    struct moments m = {
        .assets = n,
        .mean = call->host->alloc(call, n * sizeof(double)),
        .volatility = call->host->alloc(call, n * sizeof(double)),
        .covariance = call->host->alloc(call, square),
        .correlation = call->host->alloc(call, square),
    };
    if (m.mean == NULL || m.volatility == NULL || m.covariance == NULL || m.correlation == NULL) {
        return KILN_RESOURCE;
    }
    for (size_t a = 0; a < n; a++) {
        m.mean[a] = centre(p->price + a * p->days, returns, simple);
        if (!isfinite(m.mean[a])) {
            return call->host->fail(call, KILN_INVALID, field,
                                    "%s of asset %zu change by more than the range of double", field, a);
        }
    }
    int rc = products(call, p, (double) returns - (double) ddof, &m);
    if (rc == KILN_OK) {
        *ret_moments = m;
    }
    return rc;
}
