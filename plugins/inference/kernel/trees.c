/* SPDX-License-Identifier: MPL-2.0 */
#include "trees.h"

#include <kiln/status.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ABREAST = 8,
    FEW = 32 /* targets */,
    LOOK_AGAIN = 8 /* levels after which it is asked whether all have arrived */
};

struct place {
    float threshold;
    int32_t feature, left;
    int32_t leaf; /* its number; -1 in a node */
};

/* What the plain walk needs beside. */
struct kind {
    float threshold;
    uint8_t mode, nan_yes, turned; /* turned: the child `no` is the left one */
};

struct leaf_weight {
    int32_t target;
    float weight;
};

struct trees {
    size_t n_trees, n_targets, n_features;
    const struct place *places;
    const struct kind *kinds;
    const int32_t *roots, *depths;
    const int32_t *first; /* of leaf i: weights first[i] .. first[i + 1] */
    const struct leaf_weight *weights;
    const float
        *sums;  /* of leaf i: sums[i * n_targets ..], what all its weights add; NULL with many targets */
    bool plain; /* nodes that only the plain walk knows */
};

size_t trees_count(const struct trees *f)
{
    return f->n_trees;
}

/* ---- building ------------------------------------------------------------------------------------------ */

struct build {
    const struct tree_given *nodes;
    size_t n;
    size_t *order;    /* nodes by tree and id */
    int32_t *parents; /* how many a node has */
    char *why;
    size_t why_bytes;
};

static int refuse(struct build *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(b->why, b->why_bytes, format, args);
    va_end(args);
    return KILN_INVALID;
}

static int by_tree_and_id(const void *x, const void *y, void *nodes)
{
    const struct tree_given *a = (const struct tree_given *) nodes + *(const size_t *) x;
    const struct tree_given *b = (const struct tree_given *) nodes + *(const size_t *) y;
    return a->tree != b->tree ? (a->tree > b->tree) - (a->tree < b->tree) : (a->id > b->id) - (a->id < b->id);
}

/* The node that is called so; SIZE_MAX when there is none. */
static size_t find(const struct build *b, int64_t tree, int64_t id)
{
    size_t low = 0, high = b->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct tree_given *g = &b->nodes[b->order[middle]];
        if (g->tree < tree || (g->tree == tree && g->id < id)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool found = low < b->n && b->nodes[b->order[low]].tree == tree && b->nodes[b->order[low]].id == id;
    return found ? b->order[low] : SIZE_MAX;
}

static int check_nodes(struct build *b, size_t n_features)
{
    for (size_t i = 0; i < b->n; i++) {
        b->order[i] = i;
    }
    qsort_r(b->order, b->n, sizeof *b->order, by_tree_and_id, (void *) (uintptr_t) b->nodes);
    for (size_t i = 1; i < b->n; i++) {
        const struct tree_given *g = &b->nodes[b->order[i]];
        if (by_tree_and_id(&b->order[i - 1], &b->order[i], (void *) (uintptr_t) b->nodes) == 0) {
            return refuse(b, "tree %lld has the node %lld twice", (long long) g->tree, (long long) g->id);
        }
    }
    for (size_t i = 0; i < b->n; i++) {
        const struct tree_given *g = &b->nodes[i];
        if (g->mode == TREE_LEAF) {
            continue;
        }
        if (g->feature < 0 || (uint64_t) g->feature >= n_features) {
            return refuse(b, "tree %lld, node %lld asks for feature %lld, expected 0..%zu",
                          (long long) g->tree, (long long) g->id, (long long) g->feature, n_features - 1);
        }
        if (isnan(g->threshold)) {
            return refuse(b, "tree %lld, node %lld compares with NaN", (long long) g->tree,
                          (long long) g->id);
        }
        const int64_t children[] = {g->yes, g->no};
        for (size_t k = 0; k < 2; k++) {
            const size_t child = find(b, g->tree, children[k]);
            if (child == SIZE_MAX) {
                return refuse(b, "tree %lld, node %lld has the child %lld, which is not there",
                              (long long) g->tree, (long long) g->id, (long long) children[k]);
            }
            if (b->parents[child]++) {
                return refuse(b, "tree %lld, node %lld is the child of two", (long long) g->tree,
                              (long long) children[k]);
            }
        }
    }
    return KILN_OK;
}

/* The float before t: x < t exactly when x <= it. */
static float before(float t)
{
    return nextafterf(t, -INFINITY);
}

static bool is_quick(const struct tree_given *g)
{
    const bool less = g->mode == TREE_LT || g->mode == TREE_GTE;
    return g->mode != TREE_EQ && g->mode != TREE_NEQ && !(less && g->threshold == -INFINITY);
}

/* One tree, from the node that has no parent, level by level. `queue` holds the node of each place. Returns places used. */
static size_t lay_out(const struct build *b, size_t root, size_t from, size_t *queue, struct place *places,
                      struct kind *kinds, size_t *ret_depth, bool *plain)
{
    size_t end = from + 1, level_end = from + 1, depth = 0;
    queue[from] = root;
    for (size_t at = from; at < end; at++) {
        if (at == level_end) {
            level_end = end;
            depth++;
        }
        const struct tree_given *g = &b->nodes[queue[at]];
        struct place *p = &places[at];
        kinds[at] =
            (struct kind){.threshold = g->threshold, .mode = (uint8_t) g->mode, .nan_yes = g->nan_yes};
        if (g->mode == TREE_LEAF) {
            *p = (struct place){.threshold = INFINITY, .left = (int32_t) at, .leaf = (int32_t) queue[at]};
            continue;
        }
        const bool turned = g->mode == TREE_GTE || g->mode == TREE_GT;
        const bool less = g->mode == TREE_LT || g->mode == TREE_GTE;
        *plain |= !is_quick(g);
        kinds[at].turned = turned;
        *p = (struct place){.threshold = less ? before(g->threshold) : g->threshold,
                            .feature = (int32_t) g->feature,
                            .left = (int32_t) end,
                            .leaf = -1};
        queue[end++] = find(b, g->tree, turned ? g->no : g->yes);
        queue[end++] = find(b, g->tree, turned ? g->yes : g->no);
    }
    *ret_depth = depth;
    return end - from;
}

/* All trees one after the other. Nodes that no root leads to are in a circle. */
static int lay_out_all(struct build *b, struct trees *f, struct place *places, struct kind *kinds,
                       int32_t *roots, int32_t *depths, size_t *queue)
{
    size_t used = 0;
    for (size_t i = 0; i < b->n; i++) {
        const size_t node = b->order[i];
        if (b->parents[node]) {
            continue;
        }
        if (f->n_trees && b->nodes[queue[roots[f->n_trees - 1]]].tree == b->nodes[node].tree) {
            return refuse(
                b, "tree %lld has two roots, the nodes %lld and %lld", (long long) b->nodes[node].tree,
                (long long) b->nodes[queue[roots[f->n_trees - 1]]].id, (long long) b->nodes[node].id);
        }
        size_t depth;
        roots[f->n_trees] = (int32_t) used;
        used += lay_out(b, node, used, queue, places, kinds, &depth, &f->plain);
        depths[f->n_trees++] = (int32_t) depth;
    }
    if (used < b->n) {
        for (size_t i = 0; i < used; i++) {
            b->parents[queue[i]] = -1;
        }
        for (size_t i = 0; i < b->n; i++) {
            if (b->parents[i] >= 0) {
                return refuse(b, "tree %lld goes in a circle, at node %lld", (long long) b->nodes[i].tree,
                              (long long) b->nodes[i].id);
            }
        }
    }
    return KILN_OK;
}

/* Leaves are numbered as they are listed, so that their weights can be counted and placed in two passes. */
static int place_weights(struct build *b, const struct tree_weight *given, size_t n, size_t n_targets,
                         int32_t *first, struct leaf_weight *weights, float *sums)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < n; i++) {
            const size_t node = find(b, given[i].tree, given[i].id);
            if (node == SIZE_MAX) {
                return refuse(b, "a weight is for node %lld of tree %lld, which is not there",
                              (long long) given[i].id, (long long) given[i].tree);
            }
            if (b->nodes[node].mode != TREE_LEAF) {
                return refuse(b, "a weight is for node %lld of tree %lld, which is no leaf",
                              (long long) given[i].id, (long long) given[i].tree);
            }
            if (given[i].target < 0 || (uint64_t) given[i].target >= n_targets) {
                return refuse(b, "tree %lld, node %lld gives a weight to %lld, expected 0..%zu",
                              (long long) given[i].tree, (long long) given[i].id, (long long) given[i].target,
                              n_targets - 1);
            }
            if (pass == 0) {
                first[node + 1]++;
            } else {
                weights[first[node]++] = (struct leaf_weight){(int32_t) given[i].target, given[i].weight};
            }
        }
        for (size_t i = 0; pass == 0 && i < b->n; i++) {
            first[i + 1] += first[i];
        }
    }
    memmove(first + 1, first, b->n * sizeof *first); /* each stood behind its last */
    first[0] = 0;
    for (size_t i = 0; sums && i < b->n; i++) {
        for (int32_t k = first[i]; k < first[i + 1]; k++) {
            sums[i * n_targets + (size_t) weights[k].target] += weights[k].weight;
        }
    }
    return KILN_OK;
}

int trees_build(const struct tree_given *nodes, size_t n_nodes, const struct tree_weight *weights,
                size_t n_weights, size_t n_targets, size_t n_features, trees_alloc_fn *alloc, void *arg,
                const struct trees **ret, char *why, size_t why_bytes)
{
    struct build b = {.nodes = nodes, .n = n_nodes, .why = why, .why_bytes = why_bytes};
    if (n_nodes == 0 || n_nodes > INT32_MAX / 4 || n_weights > INT32_MAX / 4 || n_targets > INT32_MAX ||
        n_features > INT32_MAX) {
        return refuse(&b, "there are %zu nodes and %zu weights, expected 1..%d", n_nodes, n_weights,
                      INT32_MAX / 4);
    }
    struct trees *f = alloc(arg, sizeof *f);
    struct place *places = alloc(arg, n_nodes * sizeof *places);
    struct kind *kinds = alloc(arg, n_nodes * sizeof *kinds);
    int32_t *first = alloc(arg, (n_nodes + 2) * sizeof *first);
    struct leaf_weight *placed = alloc(arg, (n_weights + 1) * sizeof *placed);
    const bool few = n_targets <= FEW;
    float *sums = few ? alloc(arg, n_nodes * n_targets * sizeof *sums) : NULL;
    b.order = malloc(n_nodes * sizeof *b.order);
    b.parents = calloc(n_nodes, sizeof *b.parents);
    size_t *queue = malloc(n_nodes * sizeof *queue);
    int32_t *roots = malloc(n_nodes * sizeof *roots), *depths = malloc(n_nodes * sizeof *depths);
    const bool room = f && places && kinds && first && placed && (sums || !few) && b.order && b.parents &&
                      queue && roots && depths;
    int status = room ? check_nodes(&b, n_features) : KILN_RESOURCE;
    if (status == KILN_OK) {
        *f = (struct trees){.n_targets = n_targets,
                            .n_features = n_features,
                            .places = places,
                            .kinds = kinds,
                            .first = first,
                            .weights = placed};
        status = lay_out_all(&b, f, places, kinds, roots, depths, queue);
    }
    if (status == KILN_OK) {
        status = place_weights(&b, weights, n_weights, n_targets, first, placed, sums);
    }
    if (status == KILN_OK) {
        int32_t *kept_roots = alloc(arg, f->n_trees * sizeof *roots),
                *kept_depths = alloc(arg, f->n_trees * sizeof *depths);
        if (kept_roots && kept_depths) {
            memcpy(kept_roots, roots, f->n_trees * sizeof *roots);
            memcpy(kept_depths, depths, f->n_trees * sizeof *depths);
            f->roots = kept_roots;
            f->depths = kept_depths;
            f->sums = sums;
            *ret = f;
        } else {
            status = KILN_RESOURCE;
        }
    }
    free(b.order);
    free(b.parents);
    free(queue);
    free(roots);
    free(depths);
    return status;
}

/* ---- walking ------------------------------------------------------------------------------------------- */

static inline void join_one(double *to, double v, enum tree_join join)
{
    *to = join == TREE_SUM ? *to + v : join == TREE_MIN ? (v < *to ? v : *to) : v > *to ? v : *to;
}

static inline void join_leaf(const struct trees *f, int32_t leaf, enum tree_join join, double *out)
{
    for (int32_t i = f->first[leaf]; i < f->first[leaf + 1]; i++) {
        join_one(out + f->weights[i].target, (double) f->weights[i].weight, join);
    }
}

/* What a leaf says, quickly when it is to be added. */
static inline __attribute__((always_inline)) void arrive(const struct trees *f, int32_t leaf,
                                                         enum tree_join join, double *out)
{
    if (join != TREE_SUM || !f->sums) {
        join_leaf(f, leaf, join, out);
        return;
    }
    const size_t n = f->n_targets;
    const float *from = f->sums + (size_t) leaf * n;
    for (size_t i = 0; i < n; i++) {
        out[i] += (double) from[i];
    }
}

static bool says_yes(const struct kind *k, float x)
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
    default:
        return x != k->threshold;
    }
}

static void row_plain(const struct trees *f, const float *x, enum tree_join join, double *out)
{
    for (size_t t = 0; t < f->n_trees; t++) {
        int32_t at = f->roots[t];
        while (f->places[at].leaf < 0) {
            const struct kind *k = &f->kinds[at];
            at = f->places[at].left + (says_yes(k, x[f->places[at].feature]) == (bool) k->turned);
        }
        join_leaf(f, f->places[at].leaf, join, out);
    }
}

void trees_run_plain(const struct trees *f, const float *x, size_t rows, size_t ldx, enum tree_join join,
                     double *out)
{
    for (size_t r = 0; r < rows; r++) {
        row_plain(f, x + r * ldx, join, out + r * f->n_targets);
    }
}

static bool has_nan(const float *x, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * 0; /* an infinity is taken for one, too: it only costs time */
    }
    return sum != 0 || isnan(sum);
}

#define EACH _Pragma("GCC unroll 8") for (size_t k = 0; k < ABREAST; k++)

/* One step of each of the eight; returns whether one of them moved. */
static inline __attribute__((always_inline)) void step(const struct place *places, int32_t at[ABREAST],
                                                       const float *const x[ABREAST])
{
    EACH
    {
        const struct place *p = &places[at[k]];
        at[k] = p->left + !(x[k][p->feature] <= p->threshold);
    }
}

static inline __attribute__((always_inline)) void walk(const struct place *places, int32_t at[ABREAST],
                                                       const float *const x[ABREAST], int32_t depth)
{
    while (depth > 0) {
        const int32_t levels = depth < LOOK_AGAIN ? depth : LOOK_AGAIN;
        for (int32_t d = 0; d < levels; d++) {
            step(places, at, x);
        }
        depth -= levels;
        bool there = true;
        EACH
        {
            there &= places[at[k]].leaf >= 0;
        }
        if (there) {
            break;
        }
    }
}

/* One row through all trees, eight of them abreast. */
static void row_quick(const struct trees *f, const float *row, enum tree_join join, double *out)
{
    const float *const x[ABREAST] = {row, row, row, row, row, row, row, row};
    for (size_t t = 0; t < f->n_trees; t += ABREAST) {
        int32_t at[ABREAST], depth = 0;
        EACH
        {
            const size_t tree = t + k < f->n_trees ? t + k : f->n_trees - 1;
            at[k] = f->roots[tree];
            depth = f->depths[tree] > depth ? f->depths[tree] : depth;
        }
        walk(f->places, at, x, depth);
        const size_t n = f->n_trees - t < ABREAST ? f->n_trees - t : ABREAST;
        for (size_t k = 0; k < n; k++) {
            arrive(f, f->places[at[k]].leaf, join, out);
        }
    }
}

/* Eight rows through all trees. */
static void rows_quick(const struct trees *f, const float *rows, size_t ldx, enum tree_join join, double *out)
{
    const float *const x[ABREAST] = {rows,           rows + ldx,     rows + 2 * ldx, rows + 3 * ldx,
                                     rows + 4 * ldx, rows + 5 * ldx, rows + 6 * ldx, rows + 7 * ldx};
    for (size_t t = 0; t < f->n_trees; t++) {
        const int32_t root = f->roots[t];
        int32_t at[ABREAST] = {root, root, root, root, root, root, root, root};
        walk(f->places, at, x, f->depths[t]);
        for (size_t k = 0; k < ABREAST; k++) {
            arrive(f, f->places[at[k]].leaf, join, out + k * f->n_targets);
        }
    }
}

void trees_run(const struct trees *f, const float *x, size_t rows, size_t ldx, enum tree_join join,
               double *out)
{
    if (f->plain) {
        trees_run_plain(f, x, rows, ldx, join, out);
        return;
    }
    size_t r = 0;
    while (r < rows) {
        size_t quick = 0;
        while (quick < ABREAST && r + quick < rows && !has_nan(x + (r + quick) * ldx, f->n_features)) {
            quick++;
        }
        if (quick == ABREAST) {
            rows_quick(f, x + r * ldx, ldx, join, out + r * f->n_targets);
            r += ABREAST;
        } else if (quick) {
            row_quick(f, x + r * ldx, join, out + r * f->n_targets);
            r++;
        } else {
            row_plain(f, x + r * ldx, join, out + r * f->n_targets);
            r++;
        }
    }
}
