/* SPDX-License-Identifier: MPL-2.0 */
/* Where: elements of one of two inputs, as a third says. */
#include "broadcast.h"
#include "loop.h"

struct word {
    uint64_t half[2];
};

typedef void where_fn(void *out, const uint8_t *c, const void *a, const void *b, int64_t n,
                      const int8_t *step);

#define WHERE(NAME, T)                                                                                       \
    static void NAME(void *out, const uint8_t *c, const void *a, const void *b, int64_t n,                   \
                     const int8_t *step)                                                                     \
    {                                                                                                        \
        T *r = out;                                                                                          \
        const T *x = a, *y = b;                                                                              \
        if (step[0] && step[1] && step[2]) {                                                                 \
            LOOP for (int64_t i = 0; i < n; i++)                                                             \
            {                                                                                                \
                T yes = x[i], no = y[i];                                                                     \
                r[i] = c[i] ? yes : no;                                                                      \
            }                                                                                                \
        } else {                                                                                             \
            for (int64_t i = 0; i < n; i++) {                                                                \
                r[i] = c[i * step[0]] ? x[i * step[1]] : y[i * step[2]];                                     \
            }                                                                                                \
        }                                                                                                    \
    }
WHERE(where_1, uint8_t)
WHERE(where_2, uint16_t)
WHERE(where_4, uint32_t)
WHERE(where_8, uint64_t)
WHERE(where_16, struct word)

struct where {
    struct broadcast walk;
    where_fn *fn;
    size_t size;
};

static int run_where(const struct step *s, struct run *r)
{
    const struct where *w = s->state;
    struct broadcast_row row = {0};
    (void) r;
    if (w->walk.empty) {
        return KILN_OK;
    }
    do {
        w->fn((char *) s->out[0]->data + (size_t) row.out * w->size,
              (const uint8_t *) s->in[0]->data + row.in[0],
              (const char *) s->in[1]->data + (size_t) row.in[1] * w->size,
              (const char *) s->in[2]->data + (size_t) row.in[2] * w->size, w->walk.n, w->walk.step);
    } while (broadcast_next(&w->walk, &row));
    return KILN_OK;
}

static int plan_where(struct step *s)
{
    static where_fn *const fns[17] = {
        [1] = where_1, [2] = where_2, [4] = where_4, [8] = where_8, [16] = where_16};
    if (s->in[0]->dtype != DT_BOOL || s->in[1]->dtype != s->in[2]->dtype) {
        return step_fail(s, "inputs are %s, %s and %s, expected bool and twice the same type",
                         dtype_name(s->in[0]->dtype), dtype_name(s->in[1]->dtype),
                         dtype_name(s->in[2]->dtype));
    }
    int rc = broadcast_output(s, 3, s->in[1]->dtype);
    if (rc || !s->out[0]) {
        return rc;
    }
    struct where *w = plan_alloc(s->plan, sizeof(*w));
    if (!w) {
        return KILN_RESOURCE;
    }
    const struct tensor *in[3] = {s->in[0], s->in[1], s->in[2]};
    broadcast_plan(&w->walk, s->out[0]->rank, s->out[0]->dims, in, 3);
    w->size = dtype_size(s->in[1]->dtype);
    w->fn = fns[w->size];
    s->state = w;
    s->run = run_where;
    return KILN_OK;
}

static const struct op ops[] = {
    {"", "Where", 9, 3, 3, 1, 1, plan_where},
};

const struct op_table op_where = {ops, sizeof(ops) / sizeof(ops[0])};
