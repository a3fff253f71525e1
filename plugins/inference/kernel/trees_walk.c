/* SPDX-License-Identifier: MPL-2.0 */
/* Walking: see trees.h. */
#include <math.h>
#include <string.h>

#include "trees_layout.h"

enum {
    ABREAST = TREES_ABREAST,
    LOOK_FIRST = 8, /* levels after which it is asked whether all have arrived; */
    LOOK_AGAIN = 4  /* and again */
};

#define INLINE static inline __attribute__((always_inline))
#define EACH   _Pragma("GCC unroll 8") for (size_t k = 0; k < ABREAST; k++)

/* ---- arriving */

INLINE void join_one(double *to, double v, enum tree_join join)
{
    *to = join == TREE_SUM ? *to + v : join == TREE_MIN ? (v < *to ? v : *to) : v > *to ? v : *to;
}

INLINE void join_leaf(const struct trees *f, int32_t at, enum tree_join join, double *out)
{
    for (int32_t i = f->first[at]; i < f->first[at + 1]; i++) {
        join_one(out + f->weights[i].target, f->exact ? f->exact[i] : (double) f->weights[i].weight, join);
    }
}

/* What a leaf says; `targets` is a constant 1, 2, 3, or 0 for other numbers. */
INLINE void arrive(const struct trees *f, int32_t at, enum tree_join join, size_t targets, double *out)
{
    if (join != TREE_SUM || !f->sums) {
        join_leaf(f, at, join, out);
        return;
    }
    const size_t n = targets ? targets : f->n_targets;
    const float *from = f->sums + (size_t) at * n;
    for (size_t i = 0; i < n; i++) {
        out[i] += (double) from[i];
    }
}

/* ---- plainly */

static bool is_member(const double *set, double x)
{
    while (*set < x || *set > x) { /* neither: found, or the end */
        set++;
    }
    return *set == x;
}

static bool says_yes(const struct trees *f, const struct kind *k, double x)
{
    if (isnan(x)) {
        return k->nan_yes || k->mode == TREE_NEQ;
    }
    switch (k->mode) {
    case TREE_LEQ:
        return x <= k->threshold;
    case TREE_LT:
        return x < k->threshold;
    case TREE_GTE:
        return x >= k->threshold;
    case TREE_GT:
        return x > k->threshold;
    case TREE_EQ:
        return x == k->threshold;
    case TREE_MEMBER:
        return is_member(f->members + (size_t) k->threshold, x);
    default:
        return x != k->threshold;
    }
}

static double element(const struct tree_rows *rows, size_t row, int32_t column)
{
    const size_t at = row * rows->ldx + (size_t) column;
    return rows->doubles ? ((const double *) rows->x)[at] : (double) ((const float *) rows->x)[at];
}

void trees_run_plain(const struct trees *f, struct tree_rows rows, enum tree_join join, double *out)
{
    for (size_t r = 0; r < rows.n; r++) {
        for (size_t t = 0; t < f->n_trees; t++) {
            int32_t at = f->roots[t];
            while (!place_is_leaf(f->places, at)) {
                const struct place *p = &f->places[at];
                const struct kind *k = &f->kinds[at];
                const double x = element(&rows, r, f->used[p->x / ABREAST]);
                at = p->left + (says_yes(f, k, x) == (bool) k->turned);
            }
            join_leaf(f, at, join, out + r * f->n_targets);
        }
    }
}

/* ---- columns side by side */

static float rounded(double x, enum rounding rounding)
{
    const float y = (float) x;
    return rounding == ROUND_UP ? ((double) y < x ? nextafterf(y, INFINITY) : y)
           : (double) y > x     ? nextafterf(y, -INFINITY)
                                : y;
}

/* Up to eight rows from `from` on: column c of row k goes to to[c * 8 + k]. Behind them is the
 * column that leaves look at, which is never NaN. Returns whether there is a NaN. */
static bool gather(const struct trees *f, const struct tree_rows *rows, size_t from, float *to)
{
    const size_t n = rows->n - from < ABREAST ? rows->n - from : ABREAST;
    bool nan = false;
    for (size_t k = 0; k < n; k++) {
        const float *x = (const float *) rows->x + (from + k) * rows->ldx;
        const double *d = (const double *) rows->x + (from + k) * rows->ldx;
        for (size_t c = 0; c < f->n_used; c++) {
            const float v = rows->doubles ? rounded(d[f->used[c]], f->rounding) : x[f->used[c]];
            nan |= isnan(v);
            to[c * ABREAST + k] = v;
        }
        to[f->n_used * ABREAST + k] = 0;
    }
    return nan;
}

/* ---- walking */

/* Each of the eight to a leaf. `lanes`: each has a row of its own, else all have the first. */
INLINE void walk(const struct place *places, int32_t at[ABREAST], const float *x, int32_t depth, bool lanes,
                 bool nan)
{
    for (int32_t levels = LOOK_FIRST; depth > 0; depth -= levels, levels = LOOK_AGAIN) {
        for (int32_t d = levels < depth ? levels : depth; d > 0; d--) {
            EACH
            {
                const struct place *p = &places[at[k]];
                const float v = x[(size_t) p->x + (lanes ? k : 0)];
                const int32_t right = !(v <= p->threshold);
                at[k] = p->left + (nan ? right & ~(p->nan_left & isnan(v)) : right);
            }
        }
        bool there = depth > levels;
        for (size_t k = 0; there && k < ABREAST; k++) {
            there = place_is_leaf(places, at[k]);
        }
        if (there) {
            break;
        }
    }
}

/* One row through all trees, eight of them abreast. */
INLINE void one_row(const struct trees *f, const float *x, enum tree_join join, size_t targets, bool nan,
                    double *out)
{
    for (size_t t = 0; t < f->n_trees; t += ABREAST) {
        const size_t n = f->n_trees - t < ABREAST ? f->n_trees - t : ABREAST;
        int32_t at[ABREAST], depth = 0;
        EACH
        {
            const size_t tree = k < n ? t + k : t;
            at[k] = f->roots[tree];
            depth = f->depths[tree] > depth ? f->depths[tree] : depth;
        }
        walk(f->places, at, x, depth, false, nan);
        for (size_t k = 0; k < n; k++) {
            arrive(f, at[k], join, targets, out);
        }
    }
}

/* Eight rows through one tree. */
INLINE void eight_rows(const struct trees *f, size_t tree, const float *x, enum tree_join join,
                       size_t targets, bool nan, double *out)
{
    const int32_t root = f->roots[tree];
    const size_t n = targets ? targets : f->n_targets;
    int32_t at[ABREAST] = {root, root, root, root, root, root, root, root};
    walk(f->places, at, x, f->depths[tree], true, nan);
    EACH
    {
        arrive(f, at[k], join, targets, out + k * n);
    }
}

/* Groups of eight rows, tree by tree, and then what is left of rows. */
INLINE void run_block(const struct trees *f, const struct tree_rows *rows, size_t from, size_t n,
                      enum tree_join join, size_t targets, double *out, float *scratch)
{
    const size_t group = (f->n_used + 1) * ABREAST, whole = n / ABREAST;
    bool nan = false;
    for (size_t g = 0; g * ABREAST < n; g++) {
        nan |= gather(f, rows, from + g * ABREAST, scratch + g * group);
    }
    nan = nan && f->nans;
    for (size_t t = 0; whole && t < f->n_trees; t++) {
        for (size_t g = 0; g < whole; g++) {
            double *to = out + g * ABREAST * f->n_targets;
            if (nan) {
                eight_rows(f, t, scratch + g * group, join, targets, true, to);
            } else {
                eight_rows(f, t, scratch + g * group, join, targets, false, to);
            }
        }
    }
    for (size_t r = whole * ABREAST; r < n; r++) {
        const float *x = scratch + whole * group + (r - whole * ABREAST);
        if (nan) {
            one_row(f, x, join, targets, true, out + r * f->n_targets);
        } else {
            one_row(f, x, join, targets, false, out + r * f->n_targets);
        }
    }
}

#define BLOCK(NAME, JOIN, TARGETS)                                                                           \
    static void NAME(const struct trees *f, const struct tree_rows *rows, size_t from, size_t n,             \
                     double *out, float *scratch, enum tree_join join)                                       \
    {                                                                                                        \
        (void) join;                                                                                         \
        run_block(f, rows, from, n, JOIN, TARGETS, out, scratch);                                            \
    }
BLOCK(sum_1, TREE_SUM, 1)
BLOCK(sum_2, TREE_SUM, 2)
BLOCK(sum_3, TREE_SUM, 3)
BLOCK(sum_n, TREE_SUM, 0)
BLOCK(join_n, join, 0)

typedef void block_fn(const struct trees *f, const struct tree_rows *rows, size_t from, size_t n, double *out,
                      float *scratch, enum tree_join join);

void trees_run(const struct trees *f, struct tree_rows rows, enum tree_join join, double *out, void *scratch)
{
    static block_fn *const sums[] = {sum_n, sum_1, sum_2, sum_3};
    if (f->plain || (rows.doubles && f->rounding == ROUND_NOT)) {
        trees_run_plain(f, rows, join, out);
        return;
    }
    block_fn *const run = join != TREE_SUM ? join_n : sums[f->n_targets <= 3 ? f->n_targets : 0];
    for (size_t r = 0; r < rows.n; r += TREES_BLOCK) {
        const size_t n = rows.n - r < TREES_BLOCK ? rows.n - r : TREES_BLOCK;
        run(f, &rows, r, n, out + r * f->n_targets, scratch, join);
    }
}
