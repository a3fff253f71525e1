/* SPDX-License-Identifier: MPL-2.0 */
#include "size_model.h"

#include <math.h>
#include <string.h>

#include "rows.h"

#define SUM_SLACK 0.01
#define ROUNDING  1e-15 /* 0.1 does not exceed 1 - 0.9, which is a little less than 0.1 */

static const double default_sizes[] = {0.05, 0.10, 0.20, 0.30};
static const double default_weights[] = {0.667, 0.167, 0.111, 0.055};
static const double institutional_weights[] = {0.67, 0.17, 0.11, 0.06};
static const double retail_sizes[] = {0.02, 0.0};

/* ---- reading ------------------------------------------------------------------------------------- */

/* Weights that sum to 1 from what was given, or equal ones. slack: how far from 1 their sum may be. */
static int normalise(struct kiln_call *call, const char *field, size_t count, const double *given,
                     double slack, const double **ret_weights)
{
    double *weights = call->host->alloc(call, count * sizeof *weights);
    if (weights == NULL) {
        return KILN_RESOURCE;
    }
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        weights[i] = given ? given[i] : 1.0;
        sum += weights[i];
    }
    if (!(sum > 0)) {
        return call->host->fail(call, KILN_INVALID, field, "%s sum to %g, expected more than 0", field, sum);
    }
    if (given && !(fabs(sum - 1) <= slack)) {
        return call->host->fail(call, KILN_INVALID, field, "%s sum to %.10g, expected 1 within %g", field,
                                sum, slack);
    }
    for (size_t i = 0; i < count; i++) {
        weights[i] /= sum;
    }
    *ret_weights = weights;
    return KILN_OK;
}

static int read_discrete(struct kiln_call *call, const struct kiln_slot *args, const double *fallback,
                         struct size_list *list)
{
    const struct kiln_slot *sizes = &args[SIZE_SIZES], *p = &args[SIZE_PROBABILITIES],
                           *counts = &args[SIZE_COUNTS];
    if (p->present && counts->present) {
        return call->host->fail(call, KILN_INVALID, "counts",
                                "counts are given beside probabilities, expected one of them");
    }
    if (!sizes->present && (p->present || counts->present)) {
        return call->host->fail(call, KILN_INVALID, "sizes", "sizes are missing, expected one for each of %s",
                                p->present ? "probabilities" : "counts");
    }
    if (!sizes->present) {
        *list = (struct size_list){KILN_COUNT(default_sizes), default_sizes, NULL};
        return normalise(call, "probabilities", list->count, fallback, 0.02, &list->weight);
    }
    *list = (struct size_list){(size_t) sizes->array.count, sizes->array.data, NULL};
    if (counts->present) {
        return normalise(call, "counts", list->count, counts->array.data, HUGE_VAL, &list->weight);
    }
    return normalise(call, "probabilities", list->count, p->present ? p->array.data : NULL, SUM_SLACK,
                     &list->weight);
}

static int read_retail(struct kiln_call *call, const struct kiln_slot *args, struct size_list *list)
{
    const struct kiln_slot *sizes = &args[SIZE_RETAIL_SIZES], *p = &args[SIZE_RETAIL_PROBABILITIES];
    if (!sizes->present && p->present) {
        return call->host->fail(call, KILN_INVALID, "retail_sizes",
                                "retail_sizes are missing, expected one for each of retail_probabilities");
    }
    *list = sizes->present ? (struct size_list){(size_t) sizes->array.count, sizes->array.data, NULL}
                           : (struct size_list){KILN_COUNT(retail_sizes), retail_sizes, NULL};
    return normalise(call, "retail_probabilities", list->count, p->present ? p->array.data : NULL, SUM_SLACK,
                     &list->weight);
}

static int read_points(struct kiln_call *call, const struct kiln_slot *args, bool two, struct size_list *list)
{
    double *both = call->host->alloc(call, 4 * sizeof *both);
    if (both == NULL) {
        return KILN_RESOURCE;
    }
    both[0] = two ? args[SIZE_SIZE_1].f64 : args[SIZE_SIZE].f64;
    both[1] = args[SIZE_SIZE_2].f64;
    both[2] = two ? args[SIZE_P].f64 : 1;
    both[3] = 1 - both[2];
    *list = (struct size_list){two ? 2 : 1, both, both + 2};
    return KILN_OK;
}

int size_model_read(struct kiln_call *call, const struct kiln_slot *args, struct size_model *ret_model)
{
    const char *name = args[SIZE_MODEL].text;
    struct size_model m = {.a = args[SIZE_A].f64, .b = args[SIZE_B].f64};
    int status = KILN_OK;
    if (strcmp(name, "beta") == 0) {
        m.beta = true;
    } else if (strcmp(name, "homogeneous") == 0 || strcmp(name, "two_point") == 0) {
        status = read_points(call, args, name[0] == 't', &m.lists[0]);
    } else if (strcmp(name, "mixture") == 0) {
        m.retail_share = args[SIZE_RETAIL_SHARE].f64;
        status = read_discrete(call, args, institutional_weights, &m.lists[0]);
        status = status ? status : read_retail(call, args, &m.lists[1]);
    } else {
        status = read_discrete(call, args, default_weights, &m.lists[0]);
    }
    if (status == KILN_OK) {
        *ret_model = m;
    }
    return status;
}

/* ---- moments ------------------------------------------------------------------------------------- */

static void add_list(const struct size_list *list, double share, double tau, double moments[SIZE_MOMENTS])
{
    for (size_t i = 0; i < list->count; i++) {
        double over = list->size[i] - tau;
        if (over > ROUNDING) {
            double term = share * list->weight[i];
            for (size_t k = 0; k < SIZE_MOMENTS; k++) {
                moments[k] += term;
                term *= over;
            }
        }
    }
}

/* Adds the integrand of every moment at the place u of the double exponential rule. With q = exp(-pi sinh u), the part of
 * [tau, 1] below the place is 1/(1+q) and the part above it q/(1+q): both are right to the last digit, also next to the ends. */
static void add_place(const struct size_model *m, double tau, double norm, double u, double h,
                      double moments[SIZE_MOMENTS])
{
    double s = M_PI * sinh(fabs(u)), q = exp(-s);
    double near = q / (1 + q), far = 1 / (1 + q);
    double below = (u < 0 ? near : far) * (1 - tau), above = (u < 0 ? far : near) * (1 - tau);
    double r = tau + below;
    double step = h * M_PI * cosh(u) * near * far * (1 - tau); /* dr */
    if (!(r > 0) || !(above > 0)) {
        return; /* beyond what a double can tell from the ends, where the step is 0 as well */
    }
    double term = step * exp((m->a - 1) * log(r) + (m->b - 1) * log(above) - norm);
    for (size_t k = 0; k < SIZE_MOMENTS; k++) {
        moments[k] += term;
        term *= below;
    }
}

enum { LEVELS = 13 };
#define REACH 6.0 /* exp(-pi sinh 6) is below the smallest double */

static int integrate(struct kiln_call *call, const struct size_model *m, double tau, double ret[SIZE_MOMENTS])
{
    double norm = lgamma(m->a) + lgamma(m->b) - lgamma(m->a + m->b), h = 0.5;
    double sum[SIZE_MOMENTS] = {
        0}; /* with step 1: each level adds the places between those before, and halves the step */
    for (double u = -REACH; u <= REACH; u += h) {
        add_place(m, tau, norm, u, 1, sum);
    }
    for (int level = 1; level < LEVELS; level++) {
        double before[SIZE_MOMENTS], worst = 0;
        for (size_t k = 0; k < SIZE_MOMENTS; k++) {
            before[k] = sum[k] * h;
        }
        for (double u = -REACH + h / 2; u < REACH; u += h) {
            add_place(m, tau, norm, u, 1, sum);
        }
        h /= 2;
        for (size_t k = 0; k < SIZE_MOMENTS; k++) {
            ret[k] = sum[k] * h;
            worst = fmax(worst, ret[k] > 1e-290 ? fabs(ret[k] - before[k]) / ret[k] : 0);
        }
        if (level > 3 && worst < 1e-10) { /* the error of the finer one is about the square of that */
            return KILN_OK;
        }
    }
    return call->host->fail(call, KILN_FAILED, "a", "the quadrature over Beta(%g, %g) did not converge", m->a,
                            m->b);
}

int size_model_moments(struct kiln_call *call, const struct size_model *model, double tau,
                       double ret_moments[SIZE_MOMENTS])
{
    memset(ret_moments, 0, SIZE_MOMENTS * sizeof *ret_moments);
    if (model->beta) {
        return tau < 1 ? integrate(call, model, tau, ret_moments) : KILN_OK;
    }
    add_list(&model->lists[0], 1 - model->retail_share, tau, ret_moments);
    add_list(&model->lists[1], model->retail_share, tau, ret_moments);
    return KILN_OK;
}
