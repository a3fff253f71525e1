/* SPDX-License-Identifier: MPL-2.0 */
#include "trees.h"

#include <kiln/status.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trees_layout.h"

enum {
    LAST = 256,
    MANY = 4096,          /* columns: of more, numbers are searched for */
    FEW = 32,             /* targets whose sums are kept in leaves */
    MOST = INT32_MAX / 16 /* nodes, weights, features */
};

size_t trees_count(const struct trees *f)
{
    return f->n_trees;
}

size_t trees_columns(const struct trees *f)
{
    return f->n_columns;
}

size_t trees_scratch(const struct trees *f)
{
    return (f->n_used + 1) * TREES_BLOCK * sizeof(float);
}

struct build {
    const struct tree_nodes *nodes;
    size_t n;
    int32_t *order;   /* nodes by tree and id */
    int32_t *queue;   /* the node of each place */
    int32_t *numbers; /* of each column among those used; NULL: searched for */
    int32_t *parents; /* how many a node has; then its place */
    int32_t *leaves;  /* the place of the leaf of each weight */
    int32_t *roots, *depths, *used;
    char *why;
    size_t why_bytes;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct build *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(b->why, b->why_bytes, format, args);
    va_end(args);
    return KILN_INVALID;
}

/* ---- what is given */

static int compare(const struct tree_nodes *nodes, size_t i, int64_t tree, int64_t id)
{
    const int64_t a = nodes->tree[i] != tree ? nodes->tree[i] : nodes->id[i];
    const int64_t b = nodes->tree[i] != tree ? tree : id;
    return (a > b) - (a < b);
}

static int by_tree_and_id(const void *x, const void *y, void *arg)
{
    const struct tree_nodes *nodes = arg;
    const int32_t b = *(const int32_t *) y;
    return compare(nodes, (size_t) * (const int32_t *) x, nodes->tree[b], nodes->id[b]);
}

static int by_number(const void *x, const void *y)
{
    const int32_t a = *(const int32_t *) x, b = *(const int32_t *) y;
    return (a > b) - (a < b);
}

static size_t search(const struct build *b, int64_t tree, int64_t id)
{
    size_t low = 0, high = b->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(b->nodes, (size_t) b->order[middle], tree, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const size_t found = low < b->n ? (size_t) b->order[low] : 0;
    return compare(b->nodes, found, tree, id) == 0 ? found : SIZE_MAX;
}

/* The node that is called so; SIZE_MAX when there is none. `near` is a node before or behind it: most files list the
 * nodes of a tree by id without a gap, and there the distance of ids is that of places. */
static size_t find(const struct build *b, size_t near, int64_t tree, int64_t id)
{
    const struct tree_nodes *nodes = b->nodes;
    const size_t likely = near + ((size_t) id - (size_t) nodes->id[near]);
    return likely < b->n && nodes->id[likely] == id && nodes->tree[likely] == tree ? likely
                                                                                   : search(b, tree, id);
}

static int sort_nodes(struct build *b)
{
    bool sorted = true;
    for (size_t i = 0; i < b->n; i++) {
        b->order[i] = (int32_t) i;
        sorted &= i == 0 || compare(b->nodes, i - 1, b->nodes->tree[i], b->nodes->id[i]) < 0;
    }
    if (sorted) { /* as most files are */
        return KILN_OK;
    }
    qsort_r(b->order, b->n, sizeof *b->order, by_tree_and_id, (void *) (uintptr_t) b->nodes);
    for (size_t i = 1; i < b->n; i++) {
        const int64_t tree = b->nodes->tree[b->order[i]], id = b->nodes->id[b->order[i]];
        if (compare(b->nodes, (size_t) b->order[i - 1], tree, id) == 0) {
            return refuse(b, "tree %lld has the node %lld twice", (long long) tree, (long long) id);
        }
    }
    return KILN_OK;
}

static int check_node(struct build *b, size_t i)
{
    const struct tree_nodes *g = b->nodes;
    const long long tree = g->tree[i], id = g->id[i];
    if (g->feature[i] < 0 || g->feature[i] >= MOST) {
        return refuse(b, "tree %lld, node %lld asks for feature %lld, expected 0..%d", tree, id,
                      (long long) g->feature[i], MOST - 1);
    }
    if (isnan(tree_real(g->threshold, i))) {
        return refuse(b, "tree %lld, node %lld compares with NaN", tree, id);
    }
    const int64_t children[] = {g->yes[i], g->no[i]};
    for (size_t k = 0; k < 2; k++) {
        const size_t child = find(b, i, tree, children[k]);
        if (child == SIZE_MAX) {
            return refuse(b, "tree %lld, node %lld has the child %lld, which is not there", tree, id,
                          (long long) children[k]);
        }
        if (b->parents[child]++) {
            return refuse(b, "tree %lld, node %lld is the child of two", tree, (long long) children[k]);
        }
    }
    return KILN_OK;
}

/* Every node is fit, and the columns that are asked for are known. */
static int check_nodes(struct build *b, struct trees *f)
{
    int rc = sort_nodes(b);
    int32_t last
        [LAST]; /* what was seen last of those with the same remainder: that often, few are left to be sorted */
    size_t n = 0;
    memset(last, -1, sizeof last);
    for (size_t i = 0; i < b->n && rc == KILN_OK; i++) {
        if (b->nodes->mode[i] != TREE_LEAF) {
            rc = check_node(b, i);
            const int32_t feature = (int32_t) b->nodes->feature[i];
            if (last[feature & (LAST - 1)] != feature) {
                b->used[n++] = last[feature & (LAST - 1)] = feature;
            }
        }
    }
    if (rc) {
        return rc;
    }
    qsort(b->used, n, sizeof *b->used, by_number);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || b->used[i] != b->used[i - 1]) {
            b->used[f->n_used++] = b->used[i];
        }
    }
    f->n_columns = n ? (size_t) b->used[f->n_used - 1] + 1 : 0;
    b->numbers = f->n_columns <= MANY ? malloc((f->n_columns + 1) * sizeof *b->numbers) : NULL;
    for (size_t i = 0; b->numbers && i < f->n_used; i++) {
        b->numbers[b->used[i]] = (int32_t) i;
    }
    return KILN_OK;
}

/* ---- laying out */

/* The greatest float that is <= t, or with `less` < t; NaN when there is none. */
static float threshold_of(double t, bool less)
{
    const float f = (float) t;
    if ((double) f < t || (!less && (double) f == t)) {
        return f;
    }
    return f == -INFINITY ? NAN : nextafterf(f, -INFINITY);
}

static int32_t number_of(const struct build *b, const struct trees *f, int64_t feature)
{
    if (b->numbers) {
        return b->numbers[feature];
    }
    const int32_t key = (int32_t) feature;
    const int32_t *found = bsearch(&key, b->used, f->n_used, sizeof key, by_number);
    return (int32_t) (found - b->used);
}

static void put(struct build *b, struct trees *f, size_t at, size_t children, struct place *p, struct kind *k)
{
    const struct tree_nodes *g = b->nodes;
    const size_t i = (size_t) b->queue[at];
    const uint8_t mode = g->mode[i];
    const bool turned = mode == TREE_GTE || mode == TREE_GT, less = mode == TREE_LT || mode == TREE_GTE;
    const bool nan_yes = g->nan_yes && g->nan_yes[i];
    const double threshold = tree_real(g->threshold, i);
    *k = (struct kind){threshold, mode, nan_yes, turned};
    if (mode == TREE_LEAF) {
        *p = (struct place){INFINITY, (int32_t) f->n_used * TREES_ABREAST, (int32_t) at, 0};
        return;
    }
    *p = (struct place){.threshold = threshold_of(threshold, less),
                        .x = number_of(b, f, g->feature[i]) * TREES_ABREAST,
                        .left = (int32_t) children,
                        .nan_left = nan_yes != turned};
    f->plain |= mode == TREE_EQ || mode == TREE_NEQ || mode == TREE_MEMBER;
    f->nans |= p->nan_left;
    const enum rounding rounding = (double) (float) threshold != threshold ? ROUND_NOT
                                   : less                                  ? ROUND_DOWN
                                                                           : ROUND_UP;
    f->rounding = at == 0 || f->rounding == rounding ? rounding : ROUND_NOT;
}

/* One tree, from the node that has no parent, level by level. Returns places used. */
static size_t lay_out(struct build *b, struct trees *f, size_t root, size_t from, struct place *places,
                      struct kind *kinds, int32_t *ret_depth)
{
    size_t end = from + 1, level_end = from + 1;
    int32_t depth = 0;
    b->queue[from] = (int32_t) root;
    for (size_t at = from; at < end; at++) {
        if (at == level_end) {
            level_end = end;
            depth++;
        }
        put(b, f, at, end, &places[at], &kinds[at]);
        const size_t i = (size_t) b->queue[at];
        if (kinds[at].mode != TREE_LEAF) {
            const int64_t tree = b->nodes->tree[i], yes = b->nodes->yes[i], no = b->nodes->no[i];
            b->queue[end++] = (int32_t) find(b, i, tree, kinds[at].turned ? no : yes);
            b->queue[end++] = (int32_t) find(b, i, tree, kinds[at].turned ? yes : no);
        }
    }
    *ret_depth = depth;
    return end - from;
}

/* Nodes that no root led to. */
static int refuse_circle(struct build *b, size_t used)
{
    for (size_t i = 0; i < used; i++) {
        b->parents[b->queue[i]] = -1;
    }
    size_t i = 0;
    while (b->parents[i] < 0) {
        i++;
    }
    return refuse(b, "tree %lld goes in a circle, at node %lld", (long long) b->nodes->tree[i],
                  (long long) b->nodes->id[i]);
}

/* All trees one after the other. */
static int lay_out_all(struct build *b, struct trees *f, struct place *places, struct kind *kinds)
{
    size_t used = 0;
    f->rounding = ROUND_UP;
    for (size_t i = 0; i < b->n; i++) {
        const size_t root = (size_t) b->order[i];
        if (b->parents[root]) {
            continue;
        }
        const size_t before = f->n_trees ? (size_t) b->queue[b->roots[f->n_trees - 1]] : root;
        if (f->n_trees && b->nodes->tree[before] == b->nodes->tree[root]) {
            return refuse(b, "tree %lld has two roots, the nodes %lld and %lld",
                          (long long) b->nodes->tree[root], (long long) b->nodes->id[before],
                          (long long) b->nodes->id[root]);
        }
        b->roots[f->n_trees] = (int32_t) used;
        used += lay_out(b, f, root, used, places, kinds, &b->depths[f->n_trees]);
        f->n_trees++;
    }
    return used < b->n ? refuse_circle(b, used) : KILN_OK;
}

/* *node_io: the node of the weight before, then of this one. */
static int check_weight(struct build *b, const struct tree_weights *w, size_t i, size_t n_targets,
                        size_t *node_io)
{
    const long long tree = w->tree[i], id = w->id[i];
    const int64_t target = w->target[i] - w->first_target;
    const size_t node = find(b, *node_io, tree, id);
    if (node == SIZE_MAX) {
        return refuse(b, "a weight is for node %lld of tree %lld, which is not there", id, tree);
    }
    if (b->nodes->mode[node] != TREE_LEAF) {
        return refuse(b, "a weight is for node %lld of tree %lld, which is no leaf", id, tree);
    }
    if (target < 0 || (uint64_t) target >= n_targets) {
        return refuse(b, "tree %lld, node %lld gives a weight to %lld, expected 0..%zu", tree, id,
                      (long long) target, n_targets - 1);
    }
    *node_io = node;
    return KILN_OK;
}

static bool are_floats(const struct tree_weights *w)
{
    bool all = true;
    for (size_t i = 0; w->weight.doubles && i < w->n && all; i++) {
        all = (double) (float) w->weight.doubles[i] == w->weight.doubles[i];
    }
    return all;
}

/* Counted first, then placed, in the order in which they are listed. */
static int place_weights(struct build *b, const struct tree_weights *given, size_t n_targets, int32_t *first,
                         struct leaf_weight *weights, double *exact, float *sums)
{
    for (size_t i = 0; i < b->n; i++) {
        b->parents[b->queue[i]] = (int32_t) i;
    }
    size_t node = 0;
    for (size_t i = 0; i < given->n; i++) {
        const int rc = check_weight(b, given, i, n_targets, &node);
        if (rc) {
            return rc;
        }
        b->leaves[i] = b->parents[node];
        first[b->leaves[i] + 1]++;
    }
    for (size_t i = 0; i < b->n; i++) {
        first[i + 1] += first[i];
    }
    for (size_t i = 0; i < given->n; i++) {
        const double weight = tree_real(given->weight, i);
        const int32_t at = first[b->leaves[i]]++;
        if (exact) {
            exact[at] = weight;
        }
        weights[at] = (struct leaf_weight){
            .target = (int32_t) (given->target[i] - given->first_target),
            .weight = (float) weight,
        };
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

/* ---- memory */

/* Where each set begins, so that a node's threshold can say it; a copy that ends with a NaN. */
static int take_sets(struct build *b, struct trees *f, struct kind *kinds, trees_alloc_fn *alloc, void *arg)
{
    const struct tree_nodes *g = b->nodes;
    size_t n_sets = 0;
    for (size_t i = 0; i < g->n_members; i++) {
        n_sets += isnan(g->members[i]);
    }
    double *members = alloc(arg, (g->n_members + 1) * sizeof *members);
    size_t *begins = malloc((n_sets + 1) * sizeof *begins);
    int rc = members && begins ? KILN_OK : KILN_RESOURCE;
    size_t set = 0;
    for (size_t i = 0; i < g->n_members && rc == KILN_OK; i++) {
        members[i] = g->members[i];
        if (i == 0 || isnan(g->members[i - 1])) {
            begins[set++] = i;
        }
    }
    for (size_t at = 0; at < b->n && rc == KILN_OK; at++) {
        if (kinds[at].mode == TREE_MEMBER) {
            const double number = kinds[at].threshold;
            if (!(number >= 0 && number < (double) n_sets)) {
                rc = refuse(b, "tree %lld, node %lld asks for set %g of %zu",
                            (long long) g->tree[b->queue[at]], (long long) g->id[b->queue[at]], number,
                            n_sets);
                break;
            }
            kinds[at].threshold = (double) begins[(size_t) number];
        }
    }
    free(begins);
    f->members = members;
    return rc;
}

/* Copies of what was counted only now. */
static bool keep(struct build *b, struct trees *f, trees_alloc_fn *alloc, void *arg)
{
    int32_t *roots = alloc(arg, f->n_trees * sizeof *roots),
            *depths = alloc(arg, f->n_trees * sizeof *depths),
            *used = alloc(arg, (f->n_used + 1) * sizeof *used);
    if (!roots || !depths || !used) {
        return false;
    }
    memcpy(roots, b->roots, f->n_trees * sizeof *roots);
    memcpy(depths, b->depths, f->n_trees * sizeof *depths);
    memcpy(used, b->used, f->n_used * sizeof *used);
    f->roots = roots;
    f->depths = depths;
    f->used = used;
    return true;
}

static int build(struct build *b, const struct tree_weights *weights, struct trees *f, trees_alloc_fn *alloc,
                 void *arg)
{
    struct place *places = alloc(arg, b->n * sizeof *places);
    struct kind *kinds = alloc(arg, b->n * sizeof *kinds);
    int32_t *first = alloc(arg, (b->n + 2) * sizeof *first);
    struct leaf_weight *placed = alloc(arg, (weights->n + 1) * sizeof *placed);
    const bool floats = are_floats(weights), few = f->n_targets <= FEW && floats;
    double *exact = floats ? NULL : alloc(arg, weights->n * sizeof *exact);
    float *sums = few ? alloc(arg, b->n * f->n_targets * sizeof *sums) : NULL;
    if (!places || !kinds || !first || !placed || (few && !sums) || (!floats && !exact)) {
        return KILN_RESOURCE;
    }
    int rc = check_nodes(b, f);
    rc = rc ? rc : lay_out_all(b, f, places, kinds);
    rc = rc ? rc : take_sets(b, f, kinds, alloc, arg);
    rc = rc ? rc : place_weights(b, weights, f->n_targets, first, placed, exact, sums);
    f->places = places;
    f->kinds = kinds;
    f->first = first;
    f->weights = placed;
    f->exact = exact;
    f->sums = sums;
    return rc || keep(b, f, alloc, arg) ? rc : KILN_RESOURCE;
}

int trees_build(const struct tree_nodes *nodes, const struct tree_weights *weights, size_t n_targets,
                trees_alloc_fn *alloc, void *arg, const struct trees **ret, char *why, size_t why_bytes)
{
    const size_t n_nodes = nodes->n;
    struct build b = {.nodes = nodes, .n = n_nodes, .why = why, .why_bytes = why_bytes};
    if (n_nodes == 0 || n_nodes > MOST || weights->n > MOST || n_targets == 0 || n_targets > MOST) {
        return refuse(&b, "there are %zu nodes, %zu weights and %zu targets, expected 1..%d", n_nodes,
                      weights->n, n_targets, MOST);
    }
    b.order = malloc(n_nodes * sizeof *b.order);
    b.queue = malloc(n_nodes * sizeof *b.queue);
    b.parents = calloc(n_nodes, sizeof *b.parents);
    b.roots = malloc(n_nodes * sizeof *b.roots);
    b.leaves = malloc((weights->n + 1) * sizeof *b.leaves);
    b.depths = malloc(n_nodes * sizeof *b.depths);
    b.used = malloc(n_nodes * sizeof *b.used);
    struct trees *f = alloc(arg, sizeof *f);
    int rc = KILN_RESOURCE;
    if (f && b.order && b.queue && b.parents && b.leaves && b.roots && b.depths && b.used) {
        f->n_targets = n_targets;
        rc = build(&b, weights, f, alloc, arg);
    }
    free(b.order);
    free(b.queue);
    free(b.parents);
    free(b.leaves);
    free(b.numbers);
    free(b.roots);
    free(b.depths);
    free(b.used);
    if (rc == KILN_OK) {
        *ret = f;
    }
    return rc;
}
