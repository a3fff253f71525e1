/* SPDX-License-Identifier: MPL-2.0 */
#include "view.h"

#include <string.h>

#include "loop.h"

enum { TILE = 16 };

/* The loops of a copy: rows, or planes that are transposed. */
struct copy {
    void (*row)(void *to, const void *from, int64_t n, int64_t stride);
    void (*plane)(void *to, const void *from, const struct copy *c);
    size_t size;       /* of an element */
    int64_t offset;    /* of the first one */
    int64_t n, stride; /* of a row */
    int64_t across,
        pitch; /* of a plane: the rows in it, and how far apart they are in the output; in the input, 1 */
    int rank;  /* loops around */
    int64_t dims[VIEW_RANK], in[VIEW_RANK], out[VIEW_RANK];
};

struct pair {
    uint64_t half[2];
};

#define ROW_AND_PLANE(SIZE, T)                                                                               \
    static void row_##SIZE(void *to, const void *from, int64_t n, int64_t stride)                            \
    {                                                                                                        \
        T *y = to;                                                                                           \
        const T *x = from;                                                                                   \
        if (stride == 1) {                                                                                   \
            memcpy(y, x, (size_t) n * sizeof(T));                                                            \
        } else if (stride == 0) {                                                                            \
            for (int64_t i = 0; i < n; i++) {                                                                \
                y[i] = *x;                                                                                   \
            }                                                                                                \
        } else {                                                                                             \
            for (int64_t i = 0; i < n; i++) {                                                                \
                y[i] = x[i * stride];                                                                        \
            }                                                                                                \
        }                                                                                                    \
    }                                                                                                        \
    static void plane_##SIZE(void *to, const void *from, const struct copy *c)                               \
    {                                                                                                        \
        T *y = to;                                                                                           \
        const T *x = from;                                                                                   \
        for (int64_t i0 = 0; i0 < c->across; i0 += TILE) {                                                   \
            const int64_t i1 = i0 + TILE < c->across ? i0 + TILE : c->across;                                \
            for (int64_t k0 = 0; k0 < c->n; k0 += TILE) {                                                    \
                const int64_t k1 = k0 + TILE < c->n ? k0 + TILE : c->n;                                      \
                for (int64_t i = i0; i < i1; i++) {                                                          \
                    for (int64_t k = k0; k < k1; k++) {                                                      \
                        y[i * c->pitch + k] = x[k * c->stride + i];                                          \
                    }                                                                                        \
                }                                                                                            \
            }                                                                                                \
        }                                                                                                    \
    }
ROW_AND_PLANE(1, uint8_t)
ROW_AND_PLANE(2, uint16_t)
ROW_AND_PLANE(4, uint32_t)
ROW_AND_PLANE(8, uint64_t)
ROW_AND_PLANE(16, struct pair)

void view_axis(struct view *v, int64_t dim, int64_t stride)
{
    v->empty = v->empty || dim == 0;
    if (dim == 1) {
        return;
    }
    const int last = v->rank - 1;
    if (last >= 0 && v->stride[last] == stride * dim) {
        v->dims[last] *= dim;
        v->stride[last] = stride;
        return;
    }
    v->dims[v->rank] = dim;
    v->stride[v->rank++] = stride;
}

int64_t view_stride(const struct tensor *t, int d)
{
    return tensor_inner(t, d + 1);
}

static int run_copy(const struct step *s, struct run *r)
{
    const struct copy *c = s->state;
    const char *x = (const char *) s->in[0]->data + c->offset * (int64_t) c->size;
    char *y = s->out[0]->data;
    int64_t index[VIEW_RANK] = {0};
    (void) r;
    for (int d = 0; d >= 0;) {
        if (c->plane) {
            c->plane(y, x, c);
        } else {
            c->row(y, x, c->n, c->stride);
        }
        for (d = c->rank - 1; d >= 0; d--) {
            const int64_t in = c->in[d] * (int64_t) c->size, out = c->out[d] * (int64_t) c->size;
            if (++index[d] < c->dims[d]) {
                x += in;
                y += out;
                break;
            }
            x -= in * (c->dims[d] - 1);
            y -= out * (c->dims[d] - 1);
            index[d] = 0;
        }
    }
    return KILN_OK;
}

static int run_nothing(const struct step *s, struct run *r)
{
    (void) s, (void) r;
    return KILN_OK;
}

/* The axis that, taken with the last one, makes planes worth transposing; -1 when there is none. */
static int plane_axis(const struct view *v)
{
    const int last = v->rank - 1;
    for (int d = last - 1; d >= 0 && v->stride[last] > 1 && v->dims[last] > 1; d--) {
        if (v->stride[d] == 1) {
            return d;
        }
    }
    return -1;
}

static void plan_copy(struct copy *c, const struct view *v, size_t size)
{
    static const struct {
        void (*row)(void *to, const void *from, int64_t n, int64_t stride);
        void (*plane)(void *to, const void *from, const struct copy *c);
    } by_size[17] = {[1] = {row_1, plane_1},
                     [2] = {row_2, plane_2},
                     [4] = {row_4, plane_4},
                     [8] = {row_8, plane_8},
                     [16] = {row_16, plane_16}};
    const int last = v->rank - 1, plane = v->rank > 1 ? plane_axis(v) : -1;
    int64_t pitch = 1, out[VIEW_RANK];
    for (int d = last; d >= 0; pitch *= v->dims[d--]) {
        out[d] = pitch;
    }
    c->row = by_size[size].row;
    c->size = size;
    c->offset = v->offset;
    c->n = last < 0 ? 1 : v->dims[last];
    c->stride = last < 0 ? 1 : v->stride[last];
    if (plane >= 0) {
        c->plane = by_size[size].plane;
        c->across = v->dims[plane];
        c->pitch = out[plane];
    }
    for (int d = 0; d < last; d++) {
        if (d != plane) {
            c->dims[c->rank] = v->dims[d];
            c->in[c->rank] = v->stride[d];
            c->out[c->rank++] = out[d];
        }
    }
}

int view_plan(struct step *s, const struct view *v, int rank, const int64_t *dims)
{
    const struct tensor *x = s->in[0];
    int rc = step_output(s, 0, x->dtype, rank, dims);
    if (rc || !s->out[0]) {
        return rc;
    }
    if (v->empty) {
        s->run = run_nothing;
        return KILN_OK;
    }
    if (s->out[0]->count == x->count && v->offset == 0 &&
        (v->rank == 0 || (v->rank == 1 && v->stride[0] == 1))) {
        s->alias = 0;
        return KILN_OK;
    }
    struct copy *c = plan_alloc(s->plan, sizeof(*c));
    if (!c) {
        return KILN_RESOURCE;
    }
    plan_copy(c, v, dtype_size(x->dtype));
    s->state = c;
    s->run = run_copy;
    return KILN_OK;
}
