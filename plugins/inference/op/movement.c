/* SPDX-License-Identifier: MPL-2.0 */
/* Elements in another order: Transpose, Slice, Expand, Tile, DepthToSpace, SpaceToDepth. */
#include "axes.h"
#include "view.h"

static int plan_transpose(struct step *s)
{
    const struct tensor *x = s->in[0];
    const int64_t *perm;
    const size_t n = step_ints(s, "perm", &perm);
    bool seen[TENSOR_RANK] = {false};
    int64_t dims[TENSOR_RANK];
    struct view v = {0};
    if (step_has(s, "perm") && n != (size_t) x->rank) {
        return step_fail(s, "attribute perm has %zu elements for an input of rank %d", n, x->rank);
    }
    for (int d = 0; d < x->rank; d++) {
        const int from = perm ? axis_of(perm[d], x->rank) : x->rank - 1 - d;
        if (from < 0 || seen[from]) {
            return step_fail(s, "attribute perm is no order of %d axes", x->rank);
        }
        seen[from] = true;
        dims[d] = x->dims[from];
        view_axis(&v, dims[d], view_stride(x, from));
    }
    return view_plan(s, &v, x->rank, dims);
}

/* ---- Slice */

struct range {
    int64_t start, end, step;
};

/* As Python's slices: from the end when negative, cut to what is there. The number of elements; r->start is the first of them. */
static int64_t range_cut(struct range *r, int64_t dim)
{
    const int64_t low = r->step > 0 ? 0 : -1, high = r->step > 0 ? dim : dim - 1;
    r->start += r->start < 0 ? dim : 0;
    r->end += r->end < 0 ? dim : 0;
    r->start = r->start < low ? low : r->start > high ? high : r->start;
    r->end = r->end < low ? low : r->end > high ? high : r->end;
    if (r->step > 0) {
        return r->end > r->start ? (r->end - r->start - 1) / r->step + 1 : 0;
    }
    /* the least step has no opposite */
    return r->start > r->end ? (int64_t) ((uint64_t) (r->start - r->end - 1) / (0 - (uint64_t) r->step)) + 1
                             : 0;
}

struct slice {
    struct ints starts, ends, axes, steps;
};

static int plan_slice(struct step *s, const struct slice *l)
{
    const struct tensor *x = s->in[0];
    struct range of[TENSOR_RANK];
    bool seen[TENSOR_RANK] = {false};
    int64_t dims[TENSOR_RANK];
    struct view v = {0};
    if (l->starts.n != l->ends.n || (l->axes.given && l->axes.n != l->starts.n) ||
        (l->steps.given && l->steps.n != l->starts.n) || l->starts.n > x->rank) {
        return step_fail(
            s,
            "has %d starts, %d ends, %d axes and %d steps for an input of rank %d, expected as many of each",
            l->starts.n, l->ends.n, l->axes.n, l->steps.n, x->rank);
    }
    for (int i = 0; i < l->starts.n; i++) {
        const int64_t wanted = l->axes.given ? l->axes.of[i] : i, step = l->steps.given ? l->steps.of[i] : 1;
        const int axis = axis_of(wanted, x->rank);
        if (axis < 0 || seen[axis] || step == 0) {
            return step == 0 ? step_fail(s, "step %d is 0", i)
                             : step_fail(s, "axes has %lld twice, or it is none of an input of rank %d",
                                         (long long) wanted, x->rank);
        }
        seen[axis] = true;
        of[axis] = (struct range){l->starts.of[i], l->ends.of[i], step};
    }
    for (int d = 0; d < x->rank; d++) {
        struct range *r = &of[d];
        if (!seen[d]) {
            *r = (struct range){0, x->dims[d], 1};
        }
        dims[d] = range_cut(r, x->dims[d]);
        v.offset += dims[d] > 0 ? r->start * view_stride(x, d) : 0;
        view_axis(&v, dims[d], dims[d] > 1 ? r->step * view_stride(x, d) : 0);
    }
    return view_plan(s, &v, x->rank, dims);
}

static int plan_slice_attributes(struct step *s)
{
    struct slice l = {0};
    int rc = ints_read(s, -1, "starts", TENSOR_RANK, &l.starts);
    rc = rc ? rc : ints_read(s, -1, "ends", TENSOR_RANK, &l.ends);
    rc = rc ? rc : ints_read(s, -1, "axes", TENSOR_RANK, &l.axes);
    return rc ? rc : plan_slice(s, &l);
}

static int plan_slice_inputs(struct step *s)
{
    struct slice l = {0};
    int rc = ints_read(s, 1, "starts", TENSOR_RANK, &l.starts);
    rc = rc ? rc : ints_read(s, 2, "ends", TENSOR_RANK, &l.ends);
    rc = rc ? rc : ints_read(s, 3, "axes", TENSOR_RANK, &l.axes);
    rc = rc ? rc : ints_read(s, 4, "steps", TENSOR_RANK, &l.steps);
    return rc ? rc : plan_slice(s, &l);
}

/* ---- repeated */

static int plan_expand(struct step *s)
{
    const struct tensor *x = s->in[0];
    struct ints shape;
    int rc = ints_read(s, 1, "shape", TENSOR_RANK, &shape);
    if (rc) {
        return rc;
    }
    const int rank = shape.n > x->rank ? shape.n : x->rank;
    int64_t dims[TENSOR_RANK];
    struct view v = {0};
    for (int d = 0; d < rank; d++) {
        const int own = d - (rank - x->rank), want = d - (rank - shape.n);
        const int64_t has = own < 0 ? 1 : x->dims[own], wanted = want < 0 ? 1 : shape.of[want];
        if (wanted < 0 || (has != 1 && wanted != 1 && has != wanted)) {
            return step_fail(s, "shape has %lld for an axis of %lld: they do not broadcast",
                             (long long) wanted, (long long) has);
        }
        dims[d] = has == 1 ? wanted : has;
    }
    rc = step_output(s, 0, x->dtype, rank, dims); /* before products of the dimensions are taken */
    for (int d = 0; d < rank && rc == KILN_OK; d++) {
        const int own = d - (rank - x->rank);
        view_axis(&v, dims[d], own < 0 || x->dims[own] == 1 ? 0 : view_stride(x, own));
    }
    return rc ? rc : view_plan(s, &v, rank, dims);
}

static int plan_tile(struct step *s)
{
    const struct tensor *x = s->in[0];
    struct ints repeats;
    int64_t dims[TENSOR_RANK];
    struct view v = {0};
    int rc = ints_read(s, 1, "repeats", TENSOR_RANK, &repeats);
    if (rc) {
        return rc;
    }
    if (repeats.n != x->rank) {
        return step_fail(s, "repeats has %d elements for an input of rank %d", repeats.n, x->rank);
    }
    for (int d = 0; d < x->rank; d++) {
        if (repeats.of[d] < 0 || __builtin_mul_overflow(x->dims[d], repeats.of[d], &dims[d])) {
            return step_fail(s, "repeats has %lld for an axis of %lld", (long long) repeats.of[d],
                             (long long) x->dims[d]);
        }
    }
    rc = step_output(s, 0, x->dtype, x->rank, dims);
    for (int d = 0; d < x->rank && rc == KILN_OK; d++) {
        view_axis(&v, repeats.of[d], 0);
        view_axis(&v, x->dims[d], view_stride(x, d));
    }
    return rc ? rc : view_plan(s, &v, x->rank, dims);
}

/* ---- blocks of an image */

static int read_blocks(struct step *s, int64_t *ret_block)
{
    const struct tensor *x = s->in[0];
    const int64_t block = step_int(s, "blocksize", 0);
    if (block < 1 || block > INT16_MAX || x->rank != 4) {
        return step_fail(s, "blocksize is %lld and the input of rank %d, expected 1 to %d and rank 4",
                         (long long) block, x->rank, INT16_MAX);
    }
    if (x->dims[2] > INT32_MAX || x->dims[3] > INT32_MAX) {
        return step_fail(s, "an image of %lld by %lld is too large", (long long) x->dims[2],
                         (long long) x->dims[3]);
    }
    *ret_block = block;
    return KILN_OK;
}

/* A view of x cut into parts, each given by its size and the distance of neighbours. */
static int plan_parts(struct step *s, const int64_t (*parts)[2], int n, const int64_t *dims)
{
    struct view v = {0};
    for (int i = 0; i < n; i++) {
        view_axis(&v, parts[i][0], parts[i][1]);
    }
    return view_plan(s, &v, 4, dims);
}

static int plan_depth_to_space(struct step *s)
{
    int64_t b;
    int rc = read_blocks(s, &b);
    if (rc) {
        return rc;
    }
    const struct tensor *x = s->in[0];
    const bool columns_first = text_is(step_text(s, "mode", "DCR"), "CRD");
    const int64_t h = x->dims[2], w = x->dims[3], c = x->dims[1] / (b * b);
    if (x->dims[1] % (b * b)) {
        return step_fail(s, "%lld channels are no multiple of blocksize %lld squared", (long long) x->dims[1],
                         (long long) b);
    }
    const int64_t block = columns_first ? h * w : c * h * w, channel = columns_first ? b * b * h * w : h * w;
    const int64_t parts[][2] = {
        {x->dims[0], x->dims[1] * h * w}, {c, channel}, {h, w}, {b, b * block}, {w, 1}, {b, block}};
    return plan_parts(s, parts, 6, (const int64_t[]){x->dims[0], c, h * b, w * b});
}

static int plan_space_to_depth(struct step *s)
{
    int64_t b;
    int rc = read_blocks(s, &b);
    if (rc) {
        return rc;
    }
    const struct tensor *x = s->in[0];
    const int64_t c = x->dims[1], h = x->dims[2], w = x->dims[3];
    if (h % b || w % b) {
        return step_fail(s, "an image of %lld by %lld has no blocks of %lld", (long long) h, (long long) w,
                         (long long) b);
    }
    const int64_t parts[][2] = {{x->dims[0], c * h * w}, {b, w},    {b, 1}, {c, h * w},
                                {h / b, b * w},          {w / b, b}};
    return plan_parts(s, parts, 6, (const int64_t[]){x->dims[0], c * b * b, h / b, w / b});
}

static const struct op ops[] = {
    {"", "Transpose", 1, 1, 1, 1, 1, plan_transpose},
    {"", "Slice", 1, 1, 1, 1, 1, plan_slice_attributes},
    {"", "Slice", 10, 3, 5, 1, 1, plan_slice_inputs},
    {"", "Expand", 8, 2, 2, 1, 1, plan_expand},
    {"", "Tile", 6, 2, 2, 1, 1, plan_tile},
    {"", "DepthToSpace", 1, 1, 1, 1, 1, plan_depth_to_space},
    {"", "SpaceToDepth", 1, 1, 1, 1, 1, plan_space_to_depth},
};

const struct op_table op_movement = {ops, sizeof(ops) / sizeof(ops[0])};
