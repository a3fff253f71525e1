/* SPDX-License-Identifier: MPL-2.0 */
/* contract_range - ranges, finiteness and choices. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "contract_impl.h"

static int finite_range(const struct kiln_row *row)
{
    return isfinite(row->min) && isfinite(row->max);
}

const char *contract_range_text(const struct kiln_row *row, char *out, size_t bytes)
{
    bool open_min = row->flags & KILN_OPEN_MIN, open_max = row->flags & KILN_OPEN_MAX;
    if (finite_range(row) && !open_min && !open_max) {
        snprintf(out, bytes, "%.15g..%.15g", row->min, row->max);
    } else if (finite_range(row)) {
        snprintf(out, bytes, "%s %.15g and %s %.15g", open_min ? ">" : ">=", row->min,
                 open_max ? "<" : "<=", row->max);
    } else if (isfinite(row->min)) {
        snprintf(out, bytes, "%s %.15g", open_min ? ">" : ">=", row->min);
    } else {
        snprintf(out, bytes, "%s %.15g", open_max ? "<" : "<=", row->max);
    }
    return out;
}

static bool inside(const struct kiln_row *row, double v)
{
    bool above = row->flags & KILN_OPEN_MIN ? v > row->min : v >= row->min;
    bool below = row->flags & KILN_OPEN_MAX ? v < row->max : v <= row->max;
    return above && below;
}

static void show(double v, char *out, size_t bytes)
{
    if (isnan(v)) {
        snprintf(out, bytes, "NaN");
    } else if (isinf(v)) {
        snprintf(out, bytes, v > 0 ? "infinite" : "minus infinity");
    } else {
        snprintf(out, bytes, "%.15g", v);
    }
}

static int refuse(const struct member *m, const char *path, double v, struct err *err)
{
    char shown[40], range[100];
    show(v, shown, sizeof shown);
    if (!isfinite(v) && (m->row->flags & KILN_FINITE)) {
        return err_set(err, KILN_INVALID, m->path, "%s is %s, expected a finite number", path, shown);
    }
    return err_set(err, KILN_INVALID, m->path, "%s is %s, expected %s", path, shown,
                   contract_range_text(m->row, range, sizeof range));
}

int contract_check_scalar(const struct member *m, double v, struct err *err)
{
    if ((m->row->flags & KILN_FINITE && !isfinite(v)) || (m->ranged && !inside(m->row, v))) {
        return refuse(m, m->path, v, err);
    }
    return 0;
}

const char *contract_element(const struct member *m, const struct kiln_array *a, int64_t i, char *out,
                             size_t bytes)
{
    if (m->column) {
        snprintf(out, bytes, "%s[%lld].%s", m->parent->path, (long long) i, m->name);
        return out;
    }
    return array_path(m->path, a, i, out, bytes);
}

/* v - v is 0 for finite numbers and NaN for all others, so the sum stays 0 exactly when all are finite. Four
 * sums, because one addition waits for the one before it. */
static bool all_finite(const double *v, size_t n)
{
    double sums[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            sums[k] += v[i + k] - v[i + k];
        }
    }
    for (; i < n; i++) {
        sums[0] += v[i] - v[i];
    }
    return sums[0] + sums[1] + sums[2] + sums[3] == 0.0;
}

int contract_check_array(const struct member *m, const struct kiln_array *a, struct err *err)
{
    bool finite = m->row->flags & KILN_FINITE;
    if (!m->ranged && (!finite || (a->dtype == KILN_F64 && all_finite(a->data, (size_t) a->count)))) {
        return 0;
    }
    for (int64_t i = 0; i < a->count; i++) {
        double v =
            a->dtype == KILN_F64 ? ((const double *) a->data)[i] : array_get(a->dtype, a->data, (size_t) i);
        bool bad = isnan(v) ? finite : (finite && isinf(v)) || (m->ranged && !inside(m->row, v));
        if (bad) {
            char path[200];
            return refuse(m, contract_element(m, a, i, path, sizeof path), v, err);
        }
    }
    return 0;
}

bool contract_choice(const char *choices, const char *text, size_t bytes)
{
    for (const char *at = choices;;) {
        const char *bar = strchrnul(at, '|');
        if ((size_t) (bar - at) == bytes && memcmp(at, text, bytes) == 0) {
            return true;
        }
        if (*bar == '\0') {
            return false;
        }
        at = bar + 1;
    }
}
