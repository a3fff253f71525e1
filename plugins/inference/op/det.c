/* SPDX-License-Identifier: MPL-2.0 */
/* Det: determinants of square matrices of floats, by elimination in double. */
#include <math.h>

#include "../op.h"

static double determinant(double *a, size_t n)
{
    double product = 1;
    for (size_t c = 0; c < n; c++) {
        size_t pivot = c;
        for (size_t i = c + 1; i < n; i++) {
            pivot = fabs(a[i * n + c]) > fabs(a[pivot * n + c]) ? i : pivot;
        }
        const double top = a[pivot * n + c];
        if (top == 0) {
            return 0;
        }
        product *= pivot == c ? top : -top;
        for (size_t j = c; j < n; j++) {
            const double moved = a[pivot * n + j];
            a[pivot * n + j] = a[c * n + j];
            a[c * n + j] = moved;
        }
        for (size_t i = c + 1; i < n; i++) {
            const double by = a[i * n + c] / top;
            for (size_t j = c; j < n; j++) {
                a[i * n + j] -= by * a[c * n + j];
            }
        }
    }
    return product;
}

static int run_det(const struct step *s, struct run *r)
{
    const struct tensor *x = s->in[0];
    const size_t n = (size_t) x->dims[x->rank - 1];
    double *a = r->scratch;
    for (int64_t i = 0; i < s->out[0]->count; i++) {
        for (size_t j = 0; j < n * n; j++) {
            a[j] = tensor_number(x, i * (int64_t) (n * n) + (int64_t) j);
        }
        const double det = determinant(a, n);
        if (x->dtype == DT_F32) {
            ((float *) s->out[0]->data)[i] = (float) det;
        } else {
            ((double *) s->out[0]->data)[i] = det;
        }
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int plan_det(struct step *s)
{
    const struct tensor *x = s->in[0];
    if (!dtype_is_float(x->dtype) || x->rank < 2 || x->dims[x->rank - 1] != x->dims[x->rank - 2] ||
        x->dims[x->rank - 1] > 1 << 20) {
        char shape[80];
        return step_fail(s, "input is %s, expected square matrices of floats",
                         tensor_text(x, shape, sizeof shape));
    }
    const size_t n = (size_t) x->dims[x->rank - 1];
    s->scratch_bytes = n * n * sizeof(double);
    s->run = run_det;
    return step_output(s, 0, x->dtype, x->rank - 2, x->dims);
}

static const struct op ops[] = {
    {"", "Det", 11, 1, 1, 1, 1, plan_det},
};

const struct op_table op_det = {ops, sizeof ops / sizeof *ops};
