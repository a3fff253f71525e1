/* SPDX-License-Identifier: MPL-2.0 */
#include "portfolio.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <kiln/plugin.h>

#include "prices.h"
#include "request.h"
#include "solve.h"

#define WEIGHT_SLACK   1e-4
#define SYMMETRY_SLACK 1e-10 /* relative to the diagonal */
#define POLL           4000000 /* products between two questions whether the job is still wanted: some milliseconds */

/* ---- the benchmark ------------------------------------------------------------------------------- */

static int check_weights(struct kiln_call *call, const double *weight, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += weight[i];
    }
    if (!(fabs(sum - 1.0) <= WEIGHT_SLACK)) {
        return call->host->fail(call, KILN_INVALID, "weights", "weights sum to %.10g, expected 1 within %g",
                                sum, WEIGHT_SLACK);
    }
    return KILN_OK;
}

/* Both triangles of a matrix that must be symmetric, into one that is; scale: of the diagonal. */
static int read_symmetric(struct kiln_call *call, const char *field, const double *m, const double *scale,
                          size_t n, double *r)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            double low = m[i * n + j] / scale[i] / scale[j], high = m[j * n + i] / scale[i] / scale[j];
            if (!(fabs(low - high) <= SYMMETRY_SLACK)) {
                return call->host->fail(
                    call, KILN_INVALID, field,
                    "%s[%zu][%zu] is %g and %s[%zu][%zu] is %g, expected a symmetric matrix", field, i, j,
                    m[i * n + j], field, j, i, m[j * n + i]);
            }
            r[i * n + j] = r[j * n + i] = low;
        }
        r[i * n + i] = 1.0;
    }
    return KILN_OK;
}

static int read_covariance(struct kiln_call *call, const double *m, size_t n, double *volatility, double *r)
{
    for (size_t i = 0; i < n; i++) {
        volatility[i] = sqrt(m[i * n + i]);
        if (!(volatility[i] > 0)) {
            return call->host->fail(call, KILN_INVALID, "covariance",
                                    "covariance[%zu][%zu] is %g, expected a variance of more than 0", i, i,
                                    m[i * n + i]);
        }
    }
    return read_symmetric(call, "covariance", m, volatility, n, r);
}

static int read_correlations(struct kiln_call *call, const struct kiln_slot *args, size_t n,
                             double *volatility, double *r)
{
    const double *m = args[N_CORRELATIONS].array.data;
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(m[i * n + i] - 1.0) <= SYMMETRY_SLACK)) {
            return call->host->fail(call, KILN_INVALID, "correlations",
                                    "correlations[%zu][%zu] is %.12g, expected 1", i, i, m[i * n + i]);
        }
        volatility[i] = 1;
    }
    int rc = read_symmetric(call, "correlations", m, volatility, n, r);
    memcpy(volatility, args[N_VOLATILITIES].array.data, n * sizeof *volatility);
    return rc;
}

static int read_prices(struct kiln_call *call, const struct kiln_slot *args, size_t n, double *volatility,
                       double *r)
{
    struct prices prices;
    struct moments m;
    int rc = prices_read(call, "prices", args[N_PRICES].value, NULL, n, &prices);
    if (rc == KILN_OK) {
        rc = prices_estimate(call, "prices", "ddof", &prices, strcmp(args[N_RETURNS].text, "simple") == 0,
                             args[N_DDOF].i64, &m);
    }
    for (size_t i = 0; rc == KILN_OK && i < n; i++) {
        if (!(m.volatility[i] > 0)) {
            rc = call->host->fail(call, KILN_INVALID, "prices",
                                  "prices of asset %zu have a volatility of %g, expected prices that move", i,
                                  m.volatility[i]);
        }
    }
    if (rc == KILN_OK) {
        memcpy(volatility, m.volatility, n * sizeof *volatility);
        memcpy(r, m.correlation, n * n * sizeof *r);
    }
    return rc;
}

/* Exactly one of the three forms; *ret_field is the one, for messages. */
static int read_risk(struct kiln_call *call, const struct kiln_slot *args, size_t n, const char **ret_field,
                     struct risk *ret_risk)
{
    int by_covariance = args[N_COVARIANCE].present, by_prices = args[N_PRICES].present;
    int by_correlations = args[N_VOLATILITIES].present && args[N_CORRELATIONS].present;
    int begun = args[N_VOLATILITIES].present || args[N_CORRELATIONS].present;
    if (by_covariance + by_prices + by_correlations != 1 || begun != by_correlations) {
        return call->host->fail(
            call, KILN_INVALID, "covariance",
            "covariance, volatilities, correlations and prices are given as %d, %d, %d and "
            "%d, expected covariance, or volatilities and correlations, or prices",
            by_covariance, args[N_VOLATILITIES].present, args[N_CORRELATIONS].present, by_prices);
    }
    double *volatility = call->host->alloc(call, n * sizeof *volatility);
    double *r = call->host->alloc(call, n * n * sizeof *r);
    if (volatility == NULL || r == NULL) {
        return KILN_RESOURCE;
    }
    *ret_risk = (struct risk){n, volatility, r};
    *ret_field = by_covariance ? "covariance" : by_prices ? "prices" : "correlations";
    if (by_covariance) {
        return read_covariance(call, args[N_COVARIANCE].array.data, n, volatility, r);
    }
    return by_prices ? read_prices(call, args, n, volatility, r)
                     : read_correlations(call, args, n, volatility, r);
}

/* ---- what is staked ------------------------------------------------------------------------------ */

static int read_index(struct kiln_call *call, const int64_t *asset, struct portfolio *p)
{
    unsigned char *seen = call->host->alloc(call, p->assets);
    if (seen == NULL) {
        return KILN_RESOURCE;
    }
    memset(seen, 0, p->assets);
    for (size_t a = 0; a < p->held; a++) {
        if ((uint64_t) asset[a] >= p->assets || seen[asset[a]]) {
            const char *what = (uint64_t) asset[a] >= p->assets ? "expected less than the number of weights"
                                                                : "which is there twice";
            return call->host->fail(call, KILN_INVALID, "staking",
                                    "staking[%zu].asset is %lld, %s (%zu weights)", a, (long long) asset[a],
                                    what, p->assets);
        }
        seen[asset[a]] = 1;
        p->index[a] = (size_t) asset[a];
    }
    return KILN_OK;
}

static int take(struct kiln_call *call, struct portfolio *p)
{
    size_t n = p->held;
    p->index = call->host->alloc(call, n * sizeof *p->index);
    p->weight = call->host->alloc(call, n * sizeof(double));
    p->income = call->host->alloc(call, n * sizeof(double));
    p->episodes = call->host->alloc(call, n * sizeof(double));
    p->cost = call->host->alloc(call, n * n * sizeof(double));
    p->variance = call->host->alloc(call, n * n * sizeof(double));
    p->work = call->host->alloc(call, EXPOSURE_WORK(p->assets, n) * sizeof(double));
    return p->index && p->weight && p->income && p->episodes && p->cost && p->variance && p->work
               ? KILN_OK
               : KILN_RESOURCE;
}

static int check_counts(struct kiln_call *call, const struct portfolio *p)
{
    if (p->assets > PORTFOLIO_ASSETS_MAX) {
        return call->host->fail(call, KILN_INVALID, "weights", "weights has %zu assets, expected at most %d",
                                p->assets, PORTFOLIO_ASSETS_MAX);
    }
    if (p->held >= p->assets || p->held > PORTFOLIO_HELD_MAX) {
        return call->host->fail(
            call, KILN_INVALID, "staking",
            "staking has %zu of %zu assets, expected at most %d and at least one asset that is "
            "not staked: the fund hedges with it",
            p->held, p->assets, PORTFOLIO_HELD_MAX);
    }
    return KILN_OK;
}

static int settle(struct kiln_call *call, struct portfolio *p)
{
    double largest = p->redemptions;
    for (size_t a = 0; a < p->held; a++) {
        p->income[a] = p->weight[a] * p->yield[a];
        p->episodes[a] = p->redemptions * p->days[a] / 365;
        largest = fmax(largest, p->episodes[a]);
        for (size_t b = 0; b < p->held; b++) {
            double h = p->redemptions * fmin(p->days[a], p->days[b]) * p->cost[a * p->held + b];
            p->variance[a * p->held + b] = h;
            largest = fmax(largest, fabs(h));
        }
    }
    if (!(largest < DBL_MAX * 1e-20)) {
        return call->host->fail(call, KILN_INVALID, "redemption.expected_redemptions_per_year",
                                "redemption.expected_redemptions_per_year is %g, expected less: with such "
                                "unbonding the results are beyond the range of double",
                                p->redemptions);
    }
    return KILN_OK;
}

static int refuse_risk(struct kiln_call *call, const char *field, size_t n,
                       const struct exposure_fault *fault)
{
    if (fault->asset == n) {
        return call->host->fail(
            call, KILN_INVALID, field,
            "%s has volatilities too far apart: the covariance matrix is singular in double "
            "precision",
            field);
    }
    return call->host->fail(
        call, KILN_INVALID, field,
        "%s: the covariance matrix is %s (part of asset %zu that those before it do not explain: "
        "%.3g), expected a positive definite one",
        field, fabs(fault->part) <= SOLVE_TINY ? "singular" : "not positive definite", fault->asset,
        fault->part);
}

int portfolio_read(struct kiln_call *call, const struct kiln_slot *args, struct portfolio *ret_portfolio)
{
    const double *weight = args[N_WEIGHTS].array.data;
    struct portfolio p = {
        .assets = (size_t) args[N_WEIGHTS].array.count,
        .held = (size_t) args[N_HELDS].i64,
        .level = args[N_STAKED].array.data,
        .days = args[N_UNBONDING].array.data,
        .yield = args[N_YIELDS].array.data,
        .baseline = args[N_BASELINES].array.data,
        .budget = args[N_CAP_TD].f64 - args[N_CURRENT_TD].f64,
    };
    const char *field = "covariance";
    struct exposure_fault fault;
    int rc = check_counts(call, &p);
    rc = rc == KILN_OK ? check_weights(call, weight, p.assets) : rc;
    rc = rc == KILN_OK ? take(call, &p) : rc;
    rc = rc == KILN_OK ? read_index(call, args[N_ASSET].array.data, &p) : rc;
    rc = rc == KILN_OK ? read_risk(call, args, p.assets, &field, &p.risk) : rc;
    rc = rc == KILN_OK ? request_redemption(call, &args[N_REDEMPTION], &p.redemptions, &p.buckets) : rc;
    if (rc != KILN_OK) {
        return rc;
    }
    for (size_t a = 0; a < p.held; a++) {
        p.weight[a] = weight[p.index[a]];
    }
    rc = exposure_make(call, &p.risk, p.held, p.index, p.weight, p.work, p.cost, &fault);
    if (rc == KILN_INVALID) {
        rc = refuse_risk(call, field, p.assets, &fault);
    }
    rc = rc == KILN_OK ? settle(call, &p) : rc;
    if (rc == KILN_OK) {
        *ret_portfolio = p;
    }
    return rc;
}

/* ---- the closed form ----------------------------------------------------------------------------- */

int portfolio_measure_init(struct kiln_call *call, const struct portfolio *p, struct measure *ret_measure)
{
    *ret_measure = (struct measure){
        .first = call->host->alloc(call,
                                   2 * p->held * sizeof(double)), /* the second half: one bucket's excesses */
        .second = call->host->alloc(call, p->held * p->held * sizeof(double)),
    };
    return ret_measure->first && ret_measure->second ? KILN_OK : KILN_RESOURCE;
}

double portfolio_benefit_baseline(const struct portfolio *p, size_t a, double level)
{
    return p->income[a] * fmax(0.0, level - p->baseline[a]);
}

double portfolio_benefit_marginal(const struct portfolio *p, size_t a, double first)
{
    return p->income[a] * p->episodes[a] * first;
}

static int moments(struct kiln_call *call, const struct portfolio *p, const double *level, struct measure *m)
{
    size_t n = p->held, work = 0;
    double *first = m->first, *second = m->second, *x = m->first + n;
    memset(first, 0, n * sizeof *first);
    memset(second, 0, n * n * sizeof *second);
    for (size_t j = 0; j < p->buckets.count; j++) {
        double w = p->buckets.weight[j];
        work += n * n;
        if (work > POLL) {
            work = 0;
            if (call->host->cancelled(call)) {
                return KILN_CANCELLED;
            }
        }
        for (size_t a = 0; a < n; a++) {
            x[a] = excess(p->buckets.size[j], level[a]);
            first[a] += w * x[a];
            if (x[a] > 0) {
                for (size_t b = 0; b <= a; b++) {
                    second[a * n + b] += w * x[a] * x[b];
                }
            }
        }
    }
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < a; b++) {
            second[b * n + a] = second[a * n + b];
        }
    }
    return KILN_OK;
}

int portfolio_measure(struct kiln_call *call, const struct portfolio *p, const double *level,
                      struct measure *m)
{
    size_t n = p->held;
    int rc = moments(call, p, level, m);
    if (rc != KILN_OK) {
        return rc;
    }
    double own = 0, cross = 0, benefit = 0;
    for (size_t a = 0; a < n; a++) {
        own += p->variance[a * n + a] * m->second[a * n + a];
        for (size_t b = 0; b < a; b++) {
            cross += 2 * p->variance[a * n + b] * m->second[a * n + b];
        }
        benefit += portfolio_benefit_baseline(p, a, level[a]) + portfolio_benefit_marginal(p, a, m->first[a]);
    }
    m->square = fmax(0.0, own + cross); /* definite, so less than 0 is only rounding */
    m->tracking_error = sqrt(m->square);
    m->benefit = benefit;
    m->shortfall = -m->tracking_error * POINT_SHORTFALL;
    m->deficit = fmin(0.0, p->budget + m->shortfall);
    m->net = m->benefit + m->deficit;
    return KILN_OK;
}
