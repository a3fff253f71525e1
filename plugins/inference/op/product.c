/* SPDX-License-Identifier: MPL-2.0 */
#include "product.h"

#include <string.h>

/* The batch dimensions of a and b from the right, 1 where there is none. */
static int64_t batch_dim(const struct tensor *t, int from_right)
{
    return from_right < t->rank - 2 ? t->dims[t->rank - 3 - from_right] : 1;
}

static int set_batches(struct step *s, const struct tensor *a, const struct tensor *b,
                       struct product_shape *p)
{
    const int a_batch = a->rank > 2 ? a->rank - 2 : 0, b_batch = b->rank > 2 ? b->rank - 2 : 0;
    const int n = a_batch > b_batch ? a_batch : b_batch;
    int64_t a_step[TENSOR_RANK], b_step[TENSOR_RANK], a_next = (int64_t) (p->m * p->k),
                                                      b_next = (int64_t) (p->k * p->n);
    p->rank = n;
    int64_t batches = 1;
    for (int i = 0; i < n; i++) { /* from the right */
        const int64_t da = batch_dim(a, i), db = batch_dim(b, i);
        if (da != db && da != 1 && db != 1) {
            return step_fail(
                s, "dimensions %lld and %lld of the inputs do not go together, expected equal ones or 1",
                (long long) da, (long long) db);
        }
        const int64_t d = da == 1 ? db : da;
        p->dims[n - 1 - i] = d;
        a_step[i] = da == 1 ? 0 : a_next;
        b_step[i] = db == 1 ? 0 : b_next;
        a_next *= da;
        b_next *= db;
        if (__builtin_mul_overflow(batches, d, &batches) || batches > INT64_MAX / 16) {
            return step_fail(s, "more than 2^59 products");
        }
    }
    p->batches = (size_t) batches;
    if (b_batch == 0) {
        p->m *= p->batches;
        p->batches = batches > 0;
        batches = batches > 0;
    }
    int64_t *at = plan_alloc(s->plan, sizeof *at * 2 * (size_t) (batches + 1));
    if (!at) {
        return KILN_RESOURCE;
    }
    p->left = at;
    p->right = at + batches;
    int64_t index[TENSOR_RANK] = {0}, left = 0, right = 0;
    for (int64_t i = 0; i < batches; i++) {
        at[i] = left;
        at[batches + i] = right;
        for (int d = 0; d < n && b_batch > 0; d++) {
            left += a_step[d];
            right += b_step[d];
            if (++index[d] < p->dims[n - 1 - d]) {
                break;
            }
            left -= a_step[d] * index[d];
            right -= b_step[d] * index[d];
            index[d] = 0;
        }
    }
    return KILN_OK;
}

int product_shape(struct step *s, const struct tensor *a, const struct tensor *b, struct product_shape *ret)
{
    if (a->rank < 1 || b->rank < 1) {
        return step_fail(s, "an input has no dimensions, expected matrices");
    }
    const int64_t k = a->dims[a->rank - 1], kb = b->dims[b->rank > 1 ? b->rank - 2 : 0];
    if (k != kb) {
        return step_fail(s,
                         "rows of the first input have %lld elements, columns of the second %lld, expected "
                         "the same number",
                         (long long) k, (long long) kb);
    }
    struct product_shape p = {.k = (size_t) k};
    const int64_t m = a->rank > 1 ? a->dims[a->rank - 2] : 1, n = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    p.m = (size_t) m;
    p.n = (size_t) n;
    const int status = set_batches(s, a, b, &p);
    if (status != KILN_OK) {
        return status;
    }
    if (a->rank > 1) {
        p.dims[p.rank++] = m;
    }
    if (b->rank > 1) {
        p.dims[p.rank++] = n;
    }
    *ret = p;
    return KILN_OK;
}

#define PRODUCT(NAME, TYPE)                                                                                  \
    static void NAME(size_t m, size_t k, size_t n, const TYPE *a, const TYPE *b, TYPE *y,                    \
                     struct product_steps t)                                                                 \
    {                                                                                                        \
        for (size_t i = 0; i < m; i++, y += n, a += t.a_row) {                                               \
            for (size_t j = 0; j < n; j++) {                                                                 \
                y[j] = 0;                                                                                    \
            }                                                                                                \
            for (size_t l = 0; l < k; l++) {                                                                 \
                const TYPE x = a[(int64_t) l * t.a_k];                                                       \
                const TYPE *row = b + (int64_t) l * t.b_k;                                                   \
                if (t.b_column == 1) {                                                                       \
                    for (size_t j = 0; j < n; j++) {                                                         \
                        y[j] += x * row[j];                                                                  \
                    }                                                                                        \
                    continue;                                                                                \
                }                                                                                            \
                for (size_t j = 0; j < n; j++) {                                                             \
                    y[j] += x * row[(int64_t) j * t.b_column];                                               \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
    }

PRODUCT(floats, float)
PRODUCT(doubles, double)
PRODUCT(words, uint32_t)
PRODUCT(longs, uint64_t)

bool product_has(enum dtype dtype)
{
    return dtype == DT_F32 || dtype == DT_F64 || dtype == DT_I32 || dtype == DT_U32 || dtype == DT_I64 ||
           dtype == DT_U64;
}

void product_of(enum dtype dtype, size_t m, size_t k, size_t n, const void *a, const void *b, void *y,
                struct product_steps steps)
{
    if (n == 0) {
        return;
    }
    if (dtype == DT_F32) {
        floats(m, k, n, a, b, y, steps);
    } else if (dtype == DT_F64) {
        doubles(m, k, n, a, b, y, steps);
    } else if (dtype == DT_I32 || dtype == DT_U32) {
        words(m, k, n, a, b, y, steps);
    } else {
        longs(m, k, n, a, b, y, steps);
    }
}
