/* SPDX-License-Identifier: MPL-2.0 */
/* polyfit - polynomials through points, and their values. */
#include <string.h>

#include "fit.h"
#include "infer.h"
#include "kernels.h"
#include "reduce.h"

#define MOST_DEGREE      100
#define MOST_DEGREE_TEXT "100"

/* ---- polyfit ------------------------------------------------------------------------------------------- */

static const char polyfit_help[] =
    "The polynomial of a degree with the least sum of squared residuals (w (y - p(x)))^2; coef has the "
    "highest power "
    "first, as numpy.polyfit. Weights w multiply the residuals, not their squares (numpy).\n"
    "stderr[i] = residual_std sqrt of the diagonal of the inverse normal matrix; residual_std = sqrt(rss / "
    "(n - degree "
    "- 1)), null when that is 0. rsquared = 1 - rss / sum (w (y - mean))^2 with the weighted mean.\n"
    "Computed in powers of (x - c) / s, c in the middle of x and s about half its extent, by Householder "
    "reflections "
    "with refinement in twice the precision, and changed to powers of x in twice the precision: coefficients "
    "are right "
    "almost to the last digit also where the powers of x are nearly dependent (NIST StRD Filip: 13 digits).\n"
    "Refused when x has too few different values for the degree (numpy warns), or a value is infinite.";

enum { FIT_X, FIT_Y, FIT_DEGREE, FIT_W, FIT_NAN_POLICY };

static const struct kiln_row polyfit_params[] = {
    ROW_VECTOR("x", "n", "places"),
    ROW_VECTOR("y", "n", "value at each place"),
    {.name = "degree",
     .kind = KILN_INT,
     .flags = KILN_REQUIRED,
     .min = 0,
     .max = MOST_DEGREE,
     .help = "degree of the polynomial"},
    {.name = "w",
     .kind = KILN_ARRAY,
     .flags = KILN_OPEN_MIN,
     .shape = "n",
     .min = 0,
     .max = HUGE_VAL,
     .help = "weight of each residual, as 1 / standard deviation; 1 by default"},
    ROW_NAN_POLICY(HELP_NAN_PAIRS),
};

enum { FIT_COEF, FIT_STDERR, FIT_RSS, FIT_RESIDUAL_STD, FIT_RSQUARED };

static const struct kiln_row polyfit_results[] = {
    ROW_COLUMN("coef", "p", "coefficients, highest power first"),
    ROW_COLUMN("stderr", "p", "standard error of each"),
    ROW_RESULT("rss", "sum of squared weighted residuals"),
    ROW_RESULT("residual_std", "sqrt(rss / (n - degree - 1)); null when n is degree + 1"),
    ROW_RESULT("rsquared", "coefficient of determination; null when y has no spread"),
};

static const struct kiln_golden polyfit_goldens[] = {
    {.title = "a parabola",
     .args = "{\"x\":[0,1,2,3],\"y\":[1,6,17,34],\"degree\":2}",
     .result = "{\"coef\":[3,2,1],\"rss\":0,\"rsquared\":1}",
     .rtol = 1e-14,
     .atol = 1e-20},
    {.title = "a line",
     .args = "{\"x\":[1,2,3],\"y\":[1,2,4],\"degree\":1}",
     .result = "{\"coef\":[1.5,-0.6666666666666666],\"stderr\":[0.28867513459481287,0.6236095644623235],"
               "\"residual_std\":0.40824829046386296}",
     .rtol = 1e-14},
    {.title = "the same place twice",
     .args = "{\"x\":[2.385,2.385],\"y\":[1,2],\"degree\":1}",
     .status = KILN_INVALID,
     .result = "degree is 1, expected less than the number of different values of x"},
    {.title = "1,000 points",
     .args = "{\"x\":{\"$normal\":[1000,1]},\"y\":{\"$normal\":[1000,2]},\"degree\":3}"},
};

struct points {
    const struct fit_kernels *kernels;
    double *x, *y, *w; /* w is NULL where all are 1 */
    size_t n, k;
    double center, scale; /* t = (x - center) scale; scale is a power of two */
    double y_scale,
        w_scale; /* powers of two by which y and w were multiplied, so that squares stay in range */
    double *hi, *lo, *panel_y, *squares; /* one panel */
};

static void panel_of(const struct fit_source *s, size_t index, struct fit_panel *ret)
{
    const struct points *p = s->of;
    const size_t from = index * FIT_ROWS, rows = p->n - from < FIT_ROWS ? p->n - from : FIT_ROWS;
    double t_hi[FIT_ROWS] = {0}, t_lo[FIT_ROWS] = {0};
    for (size_t i = 0; i < rows; i++) {
        const struct dd t = dd_sum(p->x[from + i], -p->center);
        t_hi[i] = t.hi * p->scale;
        t_lo[i] = t.lo * p->scale;
    }
    p->kernels->powers(t_hi, t_lo, p->k, p->hi, p->lo);
    for (size_t i = 0; i < FIT_ROWS; i++) {
        p->panel_y[i] = i < rows ? p->y[from + i] : 0;
        if (p->w) {
            p->squares[i] = i < rows ? p->w[from + i] * p->w[from + i] : 0;
        } else if (i >= rows) {
            for (size_t j = 0; j < p->k; j++) {
                p->hi[j * FIT_ROWS + i] = p->lo[j * FIT_ROWS + i] = 0;
            }
        }
    }
    *ret = (struct fit_panel){.hi = p->hi, .lo = p->lo, .y = p->panel_y, .weights = p->w ? p->squares : NULL};
}

static int refuse_nan(struct kiln_call *call, const char *field, size_t at)
{
    return call->host->fail(call, KILN_INVALID, field,
                            "element %zu of %s is NaN, expected numbers (nan_policy is raise)", at, field);
}

static int refuse_infinite(struct kiln_call *call, const char *field, size_t at)
{
    return call->host->fail(call, KILN_INVALID, field,
                            "element %zu of %s is infinite, expected finite numbers", at, field);
}

/* Copies the points without NaN. *ret_nan: there is one, and the results shall have it. */
static int points_take(struct kiln_call *call, const struct kiln_slot *args, struct points *p, bool *ret_nan)
{
    static const size_t rows[] = {FIT_X, FIT_Y, FIT_W};
    static const char *const fields[] = {"x", "y", "w"};
    const enum nan_policy policy = nan_policy_of(&args[FIT_NAN_POLICY]);
    const size_t n = (size_t) args[FIT_X].array.count;
    const double *from[3] = {0};
    double *to[3] = {0};
    for (size_t f = 0; f < 3; f++) {
        if (args[rows[f]].present) {
            from[f] = args[rows[f]].array.data;
            to[f] = call->host->alloc(call, n * sizeof *to[f]);
            if (!to[f]) {
                return KILN_RESOURCE;
            }
        }
    }
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        bool good = true;
        for (size_t f = 0; f < 3; f++) {
            const double v = from[f] ? from[f][i] : 1;
            if (isinf(v)) {
                return refuse_infinite(call, fields[f], i);
            }
            if (isnan(v)) {
                if (policy == NAN_RAISE) {
                    return refuse_nan(call, fields[f], i);
                }
                good = false;
            }
            if (to[f]) {
                to[f][count] = v;
            }
        }
        *ret_nan = *ret_nan || (!good && policy == NAN_PROPAGATE);
        count += good;
    }
    if (count == 0 && !*ret_nan) {
        return call->host->fail(call, KILN_INVALID, "x",
                                "all %zu points have a NaN, expected at least one without", n);
    }
    p->x = to[0];
    p->y = to[1];
    p->w = to[2];
    p->n = count;
    return KILN_OK;
}

static double unit_of(const double *v, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        most = fabs(v[i]) > most ? fabs(v[i]) : most;
    }
    const int exponent = most > 0 ? -ilogb(most) : 0;
    return ldexp(1, exponent > 1000 ? 1000 : exponent);
}

static int points_prepare(struct kiln_call *call, struct points *p)
{
    const struct kernels *kernels = call->state;
    double least = p->x[0], greatest = p->x[0];
    for (size_t i = 1; i < p->n; i++) {
        least = p->x[i] < least ? p->x[i] : least;
        greatest = p->x[i] > greatest ? p->x[i] : greatest;
    }
    const double half = greatest / 2 - least / 2;
    p->kernels = &kernels->fit;
    p->center = greatest / 2 + least / 2;
    p->scale = half > 0 ? ldexp(1, ilogb(half) < -1000 ? 1000 : -ilogb(half) - 1) : 1;
    p->y_scale = unit_of(p->y, p->n);
    p->w_scale = p->w ? unit_of(p->w, p->n) : 1;
    for (size_t i = 0; i < p->n; i++) {
        p->y[i] *= p->y_scale;
    }
    for (size_t i = 0; p->w && i < p->n; i++) {
        p->w[i] *= p->w_scale;
    }
    p->hi = call->host->alloc(call, (2 * p->k + 2) * FIT_ROWS * sizeof *p->hi);
    if (!p->hi) {
        return KILN_RESOURCE;
    }
    p->lo = p->hi + p->k * FIT_ROWS;
    p->panel_y = p->lo + p->k * FIT_ROWS;
    p->squares = p->panel_y + FIT_ROWS;
    return KILN_OK;
}

/* Coefficients of powers of t become those of powers of x: Horner's scheme on polynomials. a ends with the lowest
 * power first. */
static void change_basis(struct dd *a, size_t k, double center, double scale)
{
    struct dd b[MOST_DEGREE + 1];
    memcpy(b, a, k * sizeof *b);
    for (size_t i = 0; i < k; i++) {
        a[i] = dd_of(0);
    }
    for (size_t j = k; j-- > 0;) {
        for (size_t i = k - 1 - j; i + 1 > 0; i--) { /* a = a (x - center) scale */
            const struct dd below = i > 0 ? a[i - 1] : dd_of(0);
            const struct dd v = dd_sub(below, dd_mul(a[i], dd_of(center)));
            a[i] = (struct dd){v.hi * scale, v.lo * scale};
        }
        a[0] = dd_add(a[0], b[j]);
    }
}

/* The weighted sum of squares about the mean, of y as scaled. */
static double total_squares(struct kiln_call *call, const struct points *p)
{
    if (!p->w) {
        struct reduction r;
        reduce_moments2(call->state, p->y, p->n, &r);
        return r.m.m2 / r.scale / r.scale;
    }
    double weights = 0, mean = 0, sum = 0, off = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double w = p->w[i] * p->w[i];
        weights += w;
        mean += weights > 0 ? (p->y[i] - mean) * (w / weights) : 0;
    }
    for (size_t i = 0; i < p->n; i++) {
        const double w = p->w[i] * p->w[i], e = p->y[i] - mean;
        sum += w * e * e;
        off += w * e;
    }
    return sum - off * off / weights;
}

static void give_polynomial(const struct points *p, struct fit *f, double tss, struct kiln_slot *results)
{
    const size_t k = p->k, df = p->n - k;
    const double deviation = sqrt(f->rss / (double) df); /* NaN or infinite when df is 0 */
    double *coef = results[FIT_COEF].array.data, *err = results[FIT_STDERR].array.data;
    struct dd column[MOST_DEGREE + 1];
    double squares[MOST_DEGREE + 1] = {0};
    for (size_t j = 0; j < k; j++) { /* the root of the covariances changes its basis column by column */
        for (size_t i = 0; i < k; i++) {
            column[i] = dd_of(f->root[i * k + j]);
        }
        change_basis(column, k, p->center, p->scale);
        for (size_t i = 0; i < k; i++) {
            squares[i] += column[i].hi * column[i].hi;
        }
    }
    change_basis(f->b, k, p->center, p->scale);
    for (size_t i = 0; i < k; i++) {
        coef[k - 1 - i] = dd_value(f->b[i]) / p->y_scale;
        err[k - 1 - i] = df ? sqrt(squares[i]) * deviation / p->y_scale : (double) NAN;
    }
    const double unit = p->y_scale * p->w_scale;
    give(&results[FIT_RSS], f->rss / unit / unit);
    if (df) {
        give(&results[FIT_RESIDUAL_STD], deviation / unit);
    }
    if (tss > 0) {
        give(&results[FIT_RSQUARED], 1 - f->rss / tss);
    }
}

static int polyfit_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct points p = {.k = (size_t) args[FIT_DEGREE].i64 + 1};
    struct fit f;
    bool nan = false;
    int status = points_take(call, args, &p, &nan);
    if (status) {
        return status;
    }
    double *coef = call->host->grow(call, FIT_COEF, (int64_t) p.k),
           *err = call->host->grow(call, FIT_STDERR, (int64_t) p.k);
    if (!coef || !err) {
        return KILN_RESOURCE;
    }
    if (nan) {
        for (size_t i = 0; i < p.k; i++) {
            coef[i] = err[i] = (double) NAN;
        }
        return give_nan(results, FIT_RSS, FIT_RSQUARED);
    }
    status = points_prepare(call, &p);
    const struct fit_source s = {.n = p.n, .k = p.k, .panel = panel_of, .of = &p, .rcond = 1e-24};
    status = status ? status : fit_solve(call, &s, &f);
    if (status) {
        return status;
    }
    if (f.rank < p.k) {
        return call->host->fail(call, KILN_INVALID, "degree",
                                "degree is %zu, expected less than the number of different values of x",
                                p.k - 1);
    }
    give_polynomial(&p, &f, total_squares(call, &p), results);
    return KILN_OK;
}

FUNCTION(polyfit, "polynomial of least squares through points", polyfit_help);

/* ---- polyval ------------------------------------------------------------------------------------------- */

static const char polyval_help[] =
    "Values of the polynomial p[0] x^(k - 1) + ... + p[k - 1], highest power first as numpy.polyval.\n"
    "By Horner's scheme with a second one for what rounding takes away, so that values near multiple roots "
    "keep "
    "their digits: as if computed in twice the precision and rounded once. A NaN in p or x makes its values "
    "NaN.";

enum { VAL_P, VAL_X, VAL_NAN_POLICY };

static const struct kiln_row polyval_params[] = {
    ROW_VECTOR("p", "k", "coefficients, highest power first"),
    ROW_VECTOR("x", "n", "places"),
    ROW_NAN_POLICY("what a NaN in x does: give NaN in its place (propagate and omit), or be refused"),
};

static const struct kiln_row polyval_results[] = {
    ROW_COLUMN("y", "n", "value at each place"),
};

static const struct kiln_golden polyval_goldens[] = {
    {.title = "3 x^2 + 1", .args = "{\"p\":[3,0,1],\"x\":[5,-2,null]}", .result = "{\"y\":[76,13,null]}"},
    {.title = "near a triple root",
     .args = "{\"p\":[1,-3,3,-1],\"x\":[1.0001]}",
     .result = "{\"y\":[9.999999999996696e-13]}",
     .rtol = 1e-13},
    {.title = "a missing value refused",
     .args = "{\"p\":[1,2],\"x\":[1,null],\"nan_policy\":\"raise\"}",
     .status = KILN_INVALID,
     .result = "element 1 of x is NaN"},
    {.title = "10,000 places", .args = "{\"p\":[1,2,3,4],\"x\":{\"$normal\":[10000,1]}}"},
};

static int polyval_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    struct sample s;
    if (nan_policy_of(&args[VAL_NAN_POLICY]) == NAN_RAISE) {
        int status = sample_take(call, &args[VAL_X], "x", NAN_RAISE, &s);
        if (status) {
            return status;
        }
    }
    k->fit.polyval(args[VAL_P].array.data, (size_t) args[VAL_P].array.count, args[VAL_X].array.data,
                   (size_t) args[VAL_X].array.count, results[0].array.data);
    return KILN_OK;
}

FUNCTION(polyval, "values of a polynomial", polyval_help);
