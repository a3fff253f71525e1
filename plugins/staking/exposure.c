/* SPDX-License-Identifier: MPL-2.0 */
#include "exposure.h"

#include <string.h>

#include <kiln/plugin.h>

#include "solve.h"

/* Products between two questions whether the job is still wanted: some milliseconds. */
#define POLL 4000000

/* The factor, some columns at a time when it takes long. */
static int factor(struct kiln_call *call, const struct risk *risk, struct exposure_fault *fault)
{
    size_t n = risk->assets;
    size_t step = POLL / (n * n) + 1; /* a column costs at most n^2 products */
    for (size_t from = 0; from < n; from += step) {
        if (from > 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        size_t to = from + step < n ? from + step : n;
        size_t row = solve_factor_part(n, risk->correlation, from, to, &fault->part);
        if (row < to) {
            fault->asset = row;
            return KILN_INVALID;
        }
    }
    return KILN_OK;
}

/* C S^-1 C' from the rows of L^-1 D^-1 C'. */
static int gram(struct kiln_call *call, size_t n, size_t constraints, const double *c, double *g)
{
    size_t work = 0;
    memset(g, 0, constraints * constraints * sizeof *g);
    for (size_t i = 0; i < n; i++) {
        for (size_t a = 0; a < constraints; a++) {
            for (size_t b = 0; b < constraints; b++) {
                g[a * constraints + b] += c[i * constraints + a] * c[i * constraints + b];
            }
        }
        work += constraints * constraints;
        if (work > POLL) {
            work = 0;
            if (call->host->cancelled(call)) {
                return KILN_CANCELLED;
            }
        }
    }
    return KILN_OK;
}

int exposure_make(struct kiln_call *call, const struct risk *risk, size_t held, const size_t *index,
                  const double *weight, double *work, double *ret_k, struct exposure_fault *ret_fault)
{
    size_t n = risk->assets, constraints = held + 1;
    double *c = work, *g = c + n * constraints, *m = g + constraints * constraints;
    int rc = factor(call, risk, ret_fault);
    if (rc != KILN_OK) {
        return rc;
    }
    memset(c, 0, n * constraints * sizeof *c); /* D^-1 C', then L^-1 D^-1 C' */
    for (size_t i = 0; i < n; i++) {
        c[i * constraints] = 1.0 / risk->volatility[i];
    }
    for (size_t a = 0; a < held; a++) {
        c[index[a] * constraints + 1 + a] = 1.0 / risk->volatility[index[a]];
    }
    solve_forward(n, risk->correlation, constraints, c);
    rc = gram(call, n, constraints, c, g);
    if (rc != KILN_OK) {
        return rc;
    }
    if (solve_factor(constraints, g, &ret_fault->part) < constraints) {
        ret_fault->asset = n;
        return KILN_INVALID;
    }
    solve_invert(constraints, g, m);
    for (size_t a = 0; a < held; a++) {
        for (size_t b = 0; b <= a; b++) {
            double k = weight[a] * weight[b] * m[(1 + a) * constraints + 1 + b];
            ret_k[a * held + b] = ret_k[b * held + a] = k;
        }
    }
    return KILN_OK;
}

void exposure_returns(const struct risk *risk, size_t held, const double *weight, const double *work,
                      double *ret_loading)
{
    size_t n = risk->assets, constraints = held + 1;
    const double *c = work, *m = c + n * constraints + constraints * constraints;
    for (size_t i = 0; i < n; i++) {
        for (size_t a = 0; a < held; a++) {
            double sum = 0;
            for (size_t b = 0; b < constraints; b++) {
                sum += c[i * constraints + b] * m[b * constraints + 1 + a];
            }
            ret_loading[a * n + i] = weight[a] * sum;
        }
    }
}
