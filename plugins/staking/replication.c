/* SPDX-License-Identifier: MPL-2.0 */
/* replication - a fund that holds some of the benchmark's assets only. */
#include <math.h>
#include <stdbool.h>

#include "companion.h"
#include "rows.h"
#include "slots.h"

enum { P_ACTIVE, P_COVARIANCE, P_FREE };

static const struct kiln_row params[] = {
    [P_ACTIVE] = {.name = "active_weights",
                  .kind = KILN_ARRAY,
                  .flags = KILN_REQUIRED | KILN_FINITE,
                  .shape = "n",
                  .help = "weights of the fund less those of the benchmark, w"},
    [P_COVARIANCE] = {.name = "covariance",
                      .kind = KILN_ARRAY,
                      .flags = KILN_REQUIRED | KILN_FINITE,
                      .shape = "n n",
                      .unit = "1/year^2",
                      .help = "covariance of yearly returns, Sigma; symmetric"},
    [P_FREE] =
        {.name = "direction",
         .kind = KILN_ARRAY,
         .flags = KILN_FINITE,
         .shape = "n",
         .help =
             "s: change of the active weights with one more unit x of the asset whose weight is free (BTC); "
             "active_weights are those at x = 0"},
};

enum { R_TE, R_INCLUDED, R_EXCLUDED, R_LOWER, R_UPPER, R_FREE, R_BEST, R_CLIPPED };

static const struct kiln_row results[] = {
    [R_TE] = {YEARLY("tracking_error"), .help = "sqrt(w' Sigma w)"},
    [R_INCLUDED] = {YEARLY("te_overweight"), .help = "sI: of the overweights alone"},
    [R_EXCLUDED] = {YEARLY("te_underweight"), .help = "sE: of the underweights alone"},
    [R_LOWER] = {YEARLY("lower_bound"), .help = "|sI - sE|"},
    [R_UPPER] = {YEARLY("upper_bound"), .help = "sI + sE"},
    [R_FREE] = {NUMBER("optimal_weight"), .help = "x* in 0..1; null without direction"},
    [R_BEST] = {YEARLY("optimal_tracking_error"), .help = "TE at x*; null without direction"},
    [R_CLIPPED] = {.name = "clipped",
                   .kind = KILN_BOOL,
                   .help = "the best x lies outside 0..1; null without direction"},
};

static const struct kiln_golden goldens[] = {
    {.title = "two assets, one over and one under",
     .args = "{\"active_weights\":[0.5,-0.5],\"covariance\":[[0.04,0],[0,0.09]]}",
     .result = "{\"tracking_error\":0.18027756377319948,\"te_overweight\":0.1,\"te_underweight\":0.15,"
               "\"lower_bound\":0.05,\"upper_bound\":0.25,\"optimal_weight\":null}",
     .rtol = 1e-12},
    {.title = "a free weight",
     .args = "{\"active_weights\":[-0.6,0.6],\"covariance\":[[0.04,0.01],[0.01,0.09]],\"direction\":[1,-1]}",
     .result = "{\"optimal_weight\":0.6,\"optimal_tracking_error\":0,\"clipped\":false}",
     .rtol = 1e-9,
     .atol = 1e-12},
    {.title = "a covariance that is not symmetric",
     .args = "{\"active_weights\":[1,-1],\"covariance\":[[0.04,0.02],[0.01,0.09]]}",
     .status = KILN_INVALID,
     .result = "covariance[0][1] is 0.02"},
};

/* a' Sigma b */
static double product(size_t n, const double *a, const double *sigma, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double row = 0;
        for (size_t j = 0; j < n; j++) {
            row += sigma[i * n + j] * b[j];
        }
        sum += a[i] * row;
    }
    return sum;
}

static int check(struct kiln_call *call, const double *sigma, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++) {
            double above = sigma[i * n + j], below = sigma[j * n + i];
            if (fabs(above - below) > 1e-12 * fmax(fabs(above), fabs(below))) {
                return call->host->fail(
                    call, KILN_INVALID, "covariance",
                    "covariance[%zu][%zu] is %.10g, expected %.10g as covariance[%zu][%zu]", i, j, above,
                    below, j, i);
            }
        }
    }
    return KILN_OK;
}

/* sqrt(w' Sigma w); a variance below 0 beyond rounding means that Sigma is no covariance. */
static int error_of(struct kiln_call *call, size_t n, const double *w, const double *sigma, double *ret)
{
    double square = product(n, w, sigma, w), scale = 0;
    for (size_t i = 0; i < n; i++) {
        scale += fabs(w[i] * w[i] * sigma[i * n + i]);
    }
    if (!isfinite(square) || square < -1e-12 * scale) {
        return call->host->fail(call, KILN_INVALID, "covariance",
                                "covariance gives these weights a variance of %.10g, expected none below 0",
                                square);
    }
    *ret = sqrt(fmax(0, square));
    return KILN_OK;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const size_t n = (size_t) args[P_ACTIVE].array.count;
    const double *w = args[P_ACTIVE].array.data, *sigma = args[P_COVARIANCE].array.data;
    double *part = call->host->alloc(call, 2 * n * sizeof *part), te, side[2];
    if (part == NULL) {
        return KILN_RESOURCE;
    }
    int status = check(call, sigma, n);
    status = status ? status : error_of(call, n, w, sigma, &te);
    for (size_t s = 0; s < 2 && status == KILN_OK; s++) {
        for (size_t i = 0; i < n; i++) {
            part[i] = (s == 0) == (w[i] > 0) ? w[i] : 0;
        }
        status = error_of(call, n, part, sigma, &side[s]);
    }
    if (status) {
        return status;
    }
    put(&out[R_TE], te);
    put(&out[R_INCLUDED], side[0]);
    put(&out[R_EXCLUDED], side[1]);
    put(&out[R_LOWER], fabs(side[0] - side[1]));
    put(&out[R_UPPER], side[0] + side[1]);
    if (!args[P_FREE].present) {
        return KILN_OK;
    }
    const double *s = args[P_FREE].array.data;
    const double curvature = product(n, s, sigma, s);
    if (!(curvature > 0) || !isfinite(curvature)) {
        return call->host->fail(
            call, KILN_INVALID, "direction",
            "direction has a variance of %g, expected more than 0: the weight it changes makes no difference",
            curvature);
    }
    const double free_x = -product(n, s, sigma, w) / curvature, x = fmin(1, fmax(0, free_x));
    for (size_t i = 0; i < n; i++) {
        part[i] = w[i] + x * s[i];
    }
    status = error_of(call, n, part, sigma, &te);
    if (status == KILN_OK) {
        put(&out[R_FREE], x);
        put(&out[R_BEST], te);
        out[R_CLIPPED].present = 1;
        out[R_CLIPPED].i64 = x != free_x;
    }
    return status;
}

const struct kiln_function sample_replication_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "sample_replication",
    .summary =
        "tracking error of a fund that holds a sample of its benchmark, and the best weight of a free asset",
    .help = "TE = sqrt(w' Sigma w) of active weights w. With the overweights alone giving sI and the "
            "underweights sE, it lies "
            "between |sI - sE| and sI + sE whatever the correlation between the two sides. With a direction "
            "s the active weights "
            "are w + x s, and the tracking error is least at x* = -(s' Sigma w) / (s' Sigma s), taken into "
            "0..1. After the companion "
            "models of the published service.",
    TABLES(),
    .run = run,
};
