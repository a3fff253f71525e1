/* SPDX-License-Identifier: MPL-2.0 */
/* performance - how a fund did beside its benchmark, after the fact. */
#include "performance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"
#include "slots.h"

/* ---- performance --------------------------------------------------------------------------------- */

enum { P_RETURNS, P_BENCHMARK, P_PERIODS, P_CONFIDENCE, P_DDOF };
static const struct kiln_row performance_params[] = {
    [P_RETURNS] = {.name = "returns",
                   .kind = KILN_ARRAY,
                   .flags = KILN_REQUIRED | KILN_FINITE,
                   .shape = "n>=2",
                   .min = -1,
                   .max = 1e6,
                   .unit = "1/period",
                   .help = "simple returns of the fund, oldest first"},
    [P_BENCHMARK] = {.name = "benchmark",
                     .kind = KILN_ARRAY,
                     .flags = KILN_FINITE,
                     .shape = "n>=2",
                     .min = -1,
                     .max = 1e6,
                     .unit = "1/period",
                     .help = "returns of the benchmark over the same periods"},
    [P_PERIODS] = {NUMBER("periods_per_year"), .flags = KILN_FINITE | KILN_OPEN_MIN, .min = 0, .max = 1e6,
                   .fallback = "252", .unit = "1/year", .help = "how many returns a year has"},
    [P_CONFIDENCE] = {NUMBER("confidence"), .flags = KILN_FINITE | KILN_OPEN_MIN | KILN_OPEN_MAX, .min = 0,
                      .max = 1, .fallback = "0.95", .help = "of value at risk and expected shortfall"},
    [P_DDOF] = {DDOF_ROW("ddof")},
};

enum {
    R_TOTAL,
    R_ANNUAL,
    R_VOLATILITY,
    R_VAR,
    R_ES,
    R_DRAWDOWN,
    R_PEAK,
    R_TROUGH,
    R_TE,
    R_TD,
    R_MEAN,
    R_IR,
    R_BETA,
    R_CORRELATION
};
static const struct kiln_row performance_results[] = {
    [R_TOTAL] = {NUMBER("total_return"), .help = "compounded over all periods"},
    [R_ANNUAL] = {YEARLY("annual_return"), .help = "the same a year; null after a loss of everything"},
    [R_VOLATILITY] = {YEARLY("volatility"), .help = "standard deviation times sqrt(periods_per_year)"},
    [R_VAR] = {NUMBER("value_at_risk"),
               .help =
                   "loss that a period exceeds with probability 1 - confidence, from the sample's quantile"},
    [R_ES] = {NUMBER("expected_shortfall"), .help = "mean loss of the periods that lose at least that much"},
    [R_DRAWDOWN] = {NUMBER("max_drawdown"), .help = "deepest fall below an earlier peak, as a part of it"},
    [R_PEAK] = {.name = "drawdown_from", .kind = KILN_INT, .help = "periods before that peak"},
    [R_TROUGH] = {.name = "drawdown_to", .kind = KILN_INT, .help = "periods before its lowest point"},
    [R_TE] = {YEARLY("tracking_error"),
              .help = "standard deviation of return differences times sqrt(periods_per_year); these and all "
                      "below null without benchmark"},
    [R_TD] = {YEARLY("tracking_difference"), .help = "annual return of the fund less that of the benchmark"},
    [R_MEAN] = {YEARLY("mean_difference"), .help = "mean of the differences times periods_per_year"},
    [R_IR] = {NUMBER("information_ratio"), .help = "mean_difference / tracking_error; null when that is 0"},
    [R_BETA] = {NUMBER("beta"),
                .help = "covariance with the benchmark over its variance; null when it never moves"},
    [R_CORRELATION] = {NUMBER("correlation"), .help = "with the benchmark; null when either never moves"},
};

static const struct kiln_golden performance_goldens[] = {
    {.title = "four periods",
     .args = "{\"returns\":[0.1,-0.5,0.2,0.1],\"benchmark\":[0.1,-0.1,0.1,-0.1],\"periods_per_year\":4,"
             "\"confidence\":0.5}",
     .result =
         "{\"total_return\":-0.274,\"annual_return\":-0.274,\"max_drawdown\":0.5,\"drawdown_from\":1,"
         "\"drawdown_to\":2,"
         "\"volatility\":0.6403124237432849,\"value_at_risk\":-0.1,\"tracking_error\":0.5259911279353167,"
         "\"mean_difference\":-0.1,\"information_ratio\":-0.19011727515734338,\"beta\":1.75}",
     .rtol = 1e-9,
     .atol = 1e-12},
    {.title = "a fund that never moves",
     .args = "{\"returns\":[0,0,0]}",
     .result = "{\"total_return\":0,\"volatility\":0,\"max_drawdown\":0,\"drawdown_from\":0,\"drawdown_to\":"
               "0,\"tracking_error\":null,\"beta\":null}"},
    {.title = "a loss of more than everything",
     .args = "{\"returns\":[0.1,-1.5]}",
     .status = KILN_INVALID,
     .result = "returns"},
};

struct growth {
    double total, drawdown;
    size_t peak, trough;
};

static struct growth grow_of(const double *r, size_t n)
{
    struct growth g = {.total = 1};
    double best = 1;
    size_t best_at = 0;
    for (size_t i = 0; i < n; i++) {
        g.total *= 1 + r[i];
        if (g.total > best) {
            best = g.total;
            best_at = i + 1;
        }
        double fall = 1 - g.total / best;
        if (fall > g.drawdown) {
            g.drawdown = fall;
            g.peak = best_at;
            g.trough = i + 1;
        }
    }
    return g;
}

/* In two passes: the second takes the rounding of the first mean out of it. */

static double mean_of(const double *x, size_t n)
{
    double sum = 0, rest = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    for (size_t i = 0; i < n; i++) {
        rest += x[i] - sum / (double) n;
    }
    return sum / (double) n + rest / (double) n;
}

static double products(const double *x, double mx, const double *y, double my, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (x[i] - mx) * (y[i] - my);
    }
    return sum;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

/* The quantile 1 - confidence of the returns, by linear interpolation (numpy.quantile), and the mean of those up to it. */
static void put_tail(struct kiln_slot *out, double *sorted, size_t n, double confidence)
{
    qsort(sorted, n, sizeof *sorted, ascending);
    const double h = (double) (n - 1) * (1 - confidence);
    const size_t low = (size_t) h, high = low + 1 < n ? low + 1 : low;
    const double at = sorted[low] + (h - (double) low) * (sorted[high] - sorted[low]);
    double sum = 0;
    size_t count = 0;
    while (count < n && sorted[count] <= at) {
        sum += sorted[count++];
    }
    put(&out[R_VAR], -at);
    put(&out[R_ES], -sum / (double) count); /* the smallest is never above the quantile */
}

static int put_beside(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out,
                      double mean, double square, double total)
{
    const size_t n = (size_t) args[P_RETURNS].array.count;
    const double *r = args[P_RETURNS].array.data, *b = args[P_BENCHMARK].array.data;
    const double periods = args[P_PERIODS].f64, left = (double) n - (double) args[P_DDOF].i64;
    double *difference = call->host->alloc(call, n * sizeof *difference);
    if (difference == NULL) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < n; i++) {
        difference[i] = r[i] - b[i];
    }
    const double mb = mean_of(b, n), md = mean_of(difference, n);
    const double sb = products(b, mb, b, mb, n), cross = products(r, mean, b, mb, n);
    const double error = sqrt(products(difference, md, difference, md, n) / left * periods);
    const double years = (double) n / periods, other = grow_of(b, n).total;
    put(&out[R_TE], error);
    put(&out[R_MEAN], md * periods);
    if (total > 0 && other > 0) {
        put(&out[R_TD], pow(total, 1 / years) - pow(other, 1 / years));
    }
    if (error > 0) {
        put(&out[R_IR], md * periods / error);
    }
    if (sb > 0) {
        put(&out[R_BETA], cross / sb);
    }
    if (sb > 0 && square > 0) {
        put(&out[R_CORRELATION], fmax(-1, fmin(1, cross / sqrt(sb) / sqrt(square))));
    }
    return KILN_OK;
}

static int performance_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const size_t n = (size_t) args[P_RETURNS].array.count;
    const double *r = args[P_RETURNS].array.data, periods = args[P_PERIODS].f64;
    if (args[P_DDOF].i64 >= (int64_t) n) {
        return call->host->fail(call, KILN_INVALID, "ddof",
                                "ddof is %lld, expected less than the %zu returns",
                                (long long) args[P_DDOF].i64, n);
    }
    double *sorted = call->host->alloc(call, n * sizeof *sorted);
    if (sorted == NULL) {
        return KILN_RESOURCE;
    }
    memcpy(sorted, r, n * sizeof *sorted);
    const double mean = mean_of(r, n), square = products(r, mean, r, mean, n);
    const struct growth g = grow_of(r, n);
    if (!isfinite(g.total)) {
        return call->host->fail(call, KILN_INVALID, "returns", "returns compound beyond the range of double");
    }
    put(&out[R_TOTAL], g.total - 1);
    if (g.total > 0) {
        put(&out[R_ANNUAL], expm1(log(g.total) * periods / (double) n));
    }
    put(&out[R_VOLATILITY], sqrt(square / ((double) n - (double) args[P_DDOF].i64) * periods));
    put_tail(out, sorted, n, args[P_CONFIDENCE].f64);
    put(&out[R_DRAWDOWN], g.drawdown);
    out[R_PEAK].present = out[R_TROUGH].present = 1;
    out[R_PEAK].i64 = (int64_t) g.peak;
    out[R_TROUGH].i64 = (int64_t) g.trough;
    return args[P_BENCHMARK].present ? put_beside(call, args, out, mean, square, g.total) : KILN_OK;
}

const struct kiln_function performance_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "performance",
    .summary =
        "tracking error and difference, information ratio, beta, value at risk, drawdown of realised returns",
    .help = "From simple returns of equal periods. tracking_error = std(r - b) sqrt(periods_per_year); "
            "information_ratio = mean(r - b) "
            "periods_per_year / tracking_error; beta = cov(r, b) / var(b). value_at_risk is the negative of "
            "the quantile 1 - confidence of "
            "the returns (linear interpolation), expected_shortfall the negative mean of the returns up to "
            "it. The drawdown is measured on "
            "the compounded value, which begins at 1.",
    TABLES(performance_),
    .run = performance_run,
};

/* ---- active_share -------------------------------------------------------------------------------- */

static const struct kiln_row active_share_params[] = {
    {.name = "weights",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED | KILN_FINITE,
     .shape = "n",
     .help = "of the fund"},
    {.name = "benchmark_weights",
     .kind = KILN_ARRAY,
     .flags = KILN_REQUIRED | KILN_FINITE,
     .shape = "n",
     .help = "of the benchmark, in the same order"},
};
static const struct kiln_row active_share_results[] = {
    {NUMBER("active_share"), .unit = "fraction",
     .help = "half of what differs: 0 the benchmark itself, 1 nothing in common"},
    {NUMBER("active_weight"), .help = "sum of weights less that of benchmark_weights; 0 when both are whole"},
};
static const struct kiln_golden active_share_goldens[] = {
    {.title = "a tenth moved",
     .args = "{\"weights\":[0.5,0.5],\"benchmark_weights\":[0.6,0.4]}",
     .result = "{\"active_share\":0.1,\"active_weight\":0}",
     .rtol = 1e-12,
     .atol = 1e-15},
    {.title = "unequal lengths",
     .args = "{\"weights\":[1],\"benchmark_weights\":[0.6,0.4]}",
     .status = KILN_INVALID,
     .result = "benchmark_weights"},
};

static int active_share_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    const double *w = args[0].array.data, *b = args[1].array.data;
    double apart = 0, sum = 0;
    for (int64_t i = 0; i < args[0].array.count; i++) {
        apart += fabs(w[i] - b[i]);
        sum += w[i] - b[i];
    }
    put(&out[0], apart / 2);
    return put(&out[1], sum);
}

const struct kiln_function active_share_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "active_share",
    .summary = "how much of a fund differs from its benchmark",
    .help = "sum |w_i - b_i| / 2 (Cremers and Petajisto 2009).",
    TABLES(active_share_),
    .run = active_share_run,
};
