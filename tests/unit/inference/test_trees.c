/* SPDX-License-Identifier: MPL-2.0 */
/* Trees beside their plain walk: forests of every shape and kind of node, floats and doubles on thresholds and next to them,
 * missing values, all ways of joining; the plain walk beside trees that are written out; and what is no forest. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <kiln/status.h>

#include "../seeded.h"
#include "kernel/trees.h"

enum { MOST_NODES = 20000, COLUMNS = 7, MOST_TARGETS = 40, ROWS = 150 };

static uint64_t seed = 20;

static int64_t seeded_int(int64_t from, int64_t to)
{
    return from + (int64_t) seeded_below(&seed, (uint64_t) (to - from) + 1);
}

static double seeded_real(void)
{
    return seeded_unit(&seed);
}

/* ---- memory that the ensembles live in */

static struct {
    void *blocks[64];
    size_t n, left; /* left: blocks that may still be taken */
} memory;

static void *take(void *arg, size_t bytes)
{
    (void) arg;
    if (memory.left == 0) {
        return NULL;
    }
    memory.left--;
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    assert_non_null(p);
    memset(p, 0, bytes);
    memory.blocks[memory.n++] = p;
    return p;
}

static void release(void)
{
    while (memory.n) {
        free(memory.blocks[--memory.n]);
    }
    memory.left = 64;
}

/* ---- nodes and weights, one after the other */

struct tree_given {
    int64_t tree, id, feature, yes, no;
    double threshold;
    enum tree_mode mode;
    bool nan_yes;
};

struct tree_weight {
    int64_t tree, id, target;
    float weight;
};

/* The same, in columns; of more than there can be, none is there. */
static int build_rows(const struct tree_given *nodes, size_t n_nodes, const struct tree_weight *weights,
                      size_t n_weights, size_t targets, const struct trees **ret, char *why, size_t why_bytes)
{
    const size_t n = n_nodes > MOST_NODES ? 0 : n_nodes;
    int64_t *ints = calloc(6 * n + 3 * n_weights + 1, sizeof *ints);
    double *thresholds = calloc(n + 1, sizeof *thresholds);
    float *numbers = calloc(n_weights + 1, sizeof *numbers);
    uint8_t *modes = calloc(n + 1, 1);
    assert_true(ints && thresholds && numbers && modes);
    int64_t *w = ints + 6 * n;
    for (size_t i = 0; i < n; i++) {
        const struct tree_given *g = &nodes[i];
        const int64_t row[] = {g->tree, g->id, g->feature, g->yes, g->no, g->nan_yes};
        for (size_t k = 0; k < 6; k++) {
            ints[k * n + i] = row[k];
        }
        thresholds[i] = g->threshold;
        modes[i] = (uint8_t) g->mode;
    }
    for (size_t i = 0; i < n_weights; i++) {
        w[i] = weights[i].tree;
        w[n_weights + i] = weights[i].id;
        w[2 * n_weights + i] = weights[i].target + 7; /* numbers begin anywhere */
        numbers[i] = weights[i].weight;
    }
    const struct tree_nodes columns = {
        n_nodes, ints,        ints + n, ints + 2 * n, ints + 3 * n, ints + 4 * n, {.doubles = thresholds},
        modes,   ints + 5 * n};
    const struct tree_weights leaves = {n_weights,         w, w + n_weights,
                                        w + 2 * n_weights, 7, {.floats = numbers}};
    const int rc = trees_build(&columns, &leaves, targets, take, NULL, ret, why, why_bytes);
    free(ints);
    free(thresholds);
    free(numbers);
    free(modes);
    return rc;
}

/* ---- random forests */

struct forest {
    struct tree_given nodes[MOST_NODES];
    struct tree_weight weights[MOST_NODES];
    size_t n_nodes, n_weights, targets;
};

struct recipe {
    size_t trees, targets, depth;
    int first_mode, last_mode; /* of enum tree_mode */
    double leaf;               /* how often a node above `depth` is one */
    bool nan_yes, doubles;
};

static double threshold_of(const struct recipe *r)
{
    const double few[] = {
        0, -0.0, 1, 0x1.99999ap-4, HUGE_VAL, -HUGE_VAL, 3.4028234663852886e38, -3.4028234663852886e38, 1e-45};
    const int64_t k = seeded_int(0, 29);
    const double x = k < 9 ? few[k] : (double) seeded_int(-8, 8) / 4;
    return r->doubles && isfinite(x) ? x * (1 + 1e-12 * (double) seeded_int(-1, 1)) : x;
}

static int64_t grow(struct forest *f, const struct recipe *r, int64_t tree, int64_t *id, size_t depth)
{
    const int64_t me = *id;
    *id += seeded_int(1, 3); /* numbers need not follow each other */
    const size_t at = f->n_nodes++;
    assert_true(f->n_nodes < MOST_NODES - 2);
    if (depth == 0 || seeded_real() < r->leaf) {
        f->nodes[at] = (struct tree_given){
            .tree = tree, .id = me, .mode = TREE_LEAF, .threshold = (double) NAN, .feature = -7};
        for (int64_t k = seeded_int(0, 3); k > 0 && f->n_weights < MOST_NODES; k--) {
            f->weights[f->n_weights++] = (struct tree_weight){
                tree, me, seeded_int(0, (int64_t) r->targets - 1), (float) seeded_int(-64, 64) / 8};
        }
        return me;
    }
    const int64_t yes = grow(f, r, tree, id, depth - 1), no = grow(f, r, tree, id, depth - 1);
    f->nodes[at] = (struct tree_given){.tree = tree,
                                       .id = me,
                                       .feature = seeded_int(0, COLUMNS - 1),
                                       .yes = yes,
                                       .no = no,
                                       .threshold = threshold_of(r),
                                       .mode = (enum tree_mode) seeded_int(r->first_mode, r->last_mode),
                                       .nan_yes = r->nan_yes && seeded_int(0, 1)};
    return me;
}

static void shuffle(struct forest *f)
{
    for (size_t i = f->n_nodes; i > 1; i--) {
        const size_t k = (size_t) seeded_int(0, (int64_t) i - 1);
        const struct tree_given g = f->nodes[k];
        f->nodes[k] = f->nodes[i - 1];
        f->nodes[i - 1] = g;
    }
}

static void make_forest(struct forest *f, const struct recipe *r)
{
    *f = (struct forest){.targets = r->targets};
    for (size_t t = 0; t < r->trees; t++) {
        int64_t id = seeded_int(-5, 5);
        grow(f, r, (int64_t) t * 3 - 4, &id, (size_t) seeded_int(0, (int64_t) r->depth));
    }
    shuffle(f);
}

/* ---- the kernel beside the plain walk */

static float floats[ROWS * COLUMNS];
static double doubles[ROWS * COLUMNS];

static void make_rows(const struct forest *f, bool nans)
{
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        const struct tree_given *g = &f->nodes[seeded_int(0, (int64_t) f->n_nodes - 1)];
        const double t = g->mode == TREE_LEAF ? (double) seeded_int(-9, 9) / 4 : g->threshold;
        const int64_t side = seeded_int(-1, 1);
        floats[i] = (float) t;
        doubles[i] = t;
        if (side) {
            floats[i] = nextafterf(floats[i], side < 0 ? -INFINITY : INFINITY);
            doubles[i] = nextafter(t, side < 0 ? -HUGE_VAL : HUGE_VAL);
        }
        if (nans && seeded_int(0, 6) == 0) {
            floats[i] = NAN;
            doubles[i] = (double) NAN;
        }
    }
}

static const struct trees *build(const struct forest *f)
{
    const struct trees *t = NULL;
    char why[200] = "";
    const int rc =
        build_rows(f->nodes, f->n_nodes, f->weights, f->n_weights, f->targets, &t, why, sizeof why);
    if (rc) {
        print_error("%s\n", why);
    }
    assert_int_equal(rc, KILN_OK);
    return t;
}

static void compare_rows(const struct trees *t, size_t targets, struct tree_rows rows, enum tree_join join)
{
    static double got[ROWS * MOST_TARGETS], wanted[ROWS * MOST_TARGETS];
    const double start = join == TREE_SUM ? 0.25 : join == TREE_MIN ? HUGE_VAL : -HUGE_VAL;
    for (size_t i = 0; i < rows.n * targets; i++) {
        got[i] = wanted[i] = start;
    }
    void *scratch = aligned_alloc(64, trees_scratch(t) + 64);
    assert_non_null(scratch);
    trees_run(t, rows, join, got, scratch);
    trees_run_plain(t, rows, join, wanted);
    free(scratch);
    assert_memory_equal(got, wanted,
                        rows.n * targets * sizeof *got); /* weights are eighths: sums are exact */
}

static void compare_all(const struct recipe *r)
{
    static struct forest f;
    make_forest(&f, r);
    const struct trees *t = build(&f);
    assert_int_equal(trees_count(t), r->trees);
    assert_true(trees_columns(t) <= COLUMNS);
    for (int nans = 0; nans < 2; nans++) {
        make_rows(&f, nans);
        static const size_t counts[] = {0, 1, 2, 7, 8, 9, 63, 64, 65, 129, ROWS - 1};
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            const size_t offset =
                counts[i] < ROWS ? (size_t) seeded_int(0, (int64_t) (ROWS - counts[i])) * COLUMNS : 0;
            const enum tree_join join = (enum tree_join) seeded_int(TREE_SUM, TREE_MAX);
            compare_rows(t, r->targets, (struct tree_rows){floats + offset, false, counts[i], COLUMNS},
                         TREE_SUM);
            compare_rows(t, r->targets, (struct tree_rows){doubles + offset, true, counts[i], COLUMNS},
                         TREE_SUM);
            compare_rows(t, r->targets, (struct tree_rows){floats + offset, false, counts[i], COLUMNS}, join);
            compare_rows(t, r->targets, (struct tree_rows){doubles + offset, true, counts[i], COLUMNS}, join);
        }
    }
    release();
}

static void forests_of_every_kind(void **state)
{
    (void) state;
    static const int modes[][2] = {{TREE_LEQ, TREE_LEQ}, {TREE_LT, TREE_LT},  {TREE_GTE, TREE_GTE},
                                   {TREE_GT, TREE_GT},   {TREE_EQ, TREE_EQ},  {TREE_NEQ, TREE_NEQ},
                                   {TREE_LEQ, TREE_GT},  {TREE_LEQ, TREE_NEQ}};
    static const size_t targets[] = {1, 2, 3, 4, MOST_TARGETS};
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        for (int k = 0; k < 20; k++) {
            compare_all(&(struct recipe){.trees = (size_t) seeded_int(1, 19),
                                         .targets = targets[k % 5],
                                         .depth = (size_t) seeded_int(0, 6),
                                         .first_mode = modes[m][0],
                                         .last_mode = modes[m][1],
                                         .leaf = seeded_real() / 2,
                                         .nan_yes = k & 1,
                                         .doubles = k & 2});
        }
    }
}

static void deep_trees(void **state)
{
    (void) state;
    for (int k = 0; k < 12; k++) {
        compare_all(&(struct recipe){
            .trees = 3, .targets = 2, .depth = 40, .leaf = 0.45, .last_mode = TREE_GT, .nan_yes = k & 1});
    }
}

/* A chain as long as there are nodes: no stack is used, and rows arrive at every depth. */
static void chain(void **state)
{
    (void) state;
    static struct forest f;
    enum { LONG = MOST_NODES / 2 - 2, ASIDE = 100000 };
    f = (struct forest){.targets = 1};
    for (int64_t i = 0; i < LONG; i++) {
        f.nodes[f.n_nodes++] =
            (struct tree_given){.id = i, .yes = ASIDE + i, .no = i + 1, .threshold = (double) i};
        f.nodes[f.n_nodes++] = (struct tree_given){.id = ASIDE + i, .mode = TREE_LEAF};
        f.weights[f.n_weights++] = (struct tree_weight){.id = ASIDE + i, .weight = (float) i};
    }
    f.nodes[f.n_nodes++] = (struct tree_given){.id = LONG, .mode = TREE_LEAF};
    const struct trees *t = build(&f);
    static float x[16];
    double out[16] = {0};
    for (int i = 0; i < 16; i++) {
        x[i] = (float) (i * LONG / 16);
    }
    void *scratch = aligned_alloc(64, trees_scratch(t) + 64);
    trees_run(t, (struct tree_rows){x, false, 16, 1}, TREE_SUM, out, scratch);
    free(scratch);
    for (int i = 0; i < 16; i++) {
        assert_true(out[i] == (double) x[i]);
    }
    release();
}

/* ---- the plain walk by hand */

static double walk_one(enum tree_mode mode, bool nan_yes, double threshold, double x)
{
    const struct tree_given nodes[] = {{.id = 10,
                                        .feature = 1,
                                        .yes = 11,
                                        .no = 12,
                                        .threshold = threshold,
                                        .mode = mode,
                                        .nan_yes = nan_yes},
                                       {.id = 11, .mode = TREE_LEAF},
                                       {.id = 12, .mode = TREE_LEAF}};
    const struct tree_weight weights[] = {{.id = 11, .weight = 1}, {.id = 12, .weight = 2}};
    const struct trees *t = NULL;
    assert_int_equal(build_rows(nodes, 3, weights, 2, 1, &t, NULL, 0), KILN_OK);
    assert_int_equal(trees_columns(t), 2);
    const double row[] = {99, x};
    const float row32[] = {99, (float) x};
    double out = 0, out32 = 0;
    char *scratch = aligned_alloc(64, trees_scratch(t) + 64);
    trees_run(t, (struct tree_rows){row, true, 1, 2}, TREE_SUM, &out, scratch);
    trees_run(t, (struct tree_rows){row32, false, 1, 2}, TREE_SUM, &out32, scratch);
    free(scratch);
    assert_true((double) row32[1] != x || out == out32);
    release();
    return out;
}

static void nodes_of_every_kind(void **state)
{
    (void) state;
    static const struct {
        enum tree_mode mode;
        int below, at, above, missing; /* where it goes: 1 is yes */
    } rows[] = {{TREE_LEQ, 1, 1, 2, 2}, {TREE_LT, 1, 2, 2, 2}, {TREE_GTE, 2, 1, 1, 2},
                {TREE_GT, 2, 2, 1, 2},  {TREE_EQ, 2, 1, 2, 2}, {TREE_NEQ, 1, 2, 1, 1}};
    static const double thresholds[] = {0.5, -3, 0, 0.1, 1e300, 0x1p-149};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < sizeof thresholds / sizeof *thresholds; k++) {
            const double t = thresholds[k];
            assert_int_equal(walk_one(rows[i].mode, false, t, nextafter(t, -HUGE_VAL)), rows[i].below);
            assert_int_equal(walk_one(rows[i].mode, false, t, t), rows[i].at);
            assert_int_equal(walk_one(rows[i].mode, false, t, nextafter(t, HUGE_VAL)), rows[i].above);
            assert_int_equal(walk_one(rows[i].mode, false, t, (double) NAN), rows[i].missing);
            assert_int_equal(walk_one(rows[i].mode, true, t, (double) NAN), 1);
        }
        assert_int_equal(walk_one(rows[i].mode, false, HUGE_VAL, HUGE_VAL), rows[i].at);
        assert_int_equal(walk_one(rows[i].mode, false, -HUGE_VAL, -HUGE_VAL), rows[i].at);
    }
}

/* ---- what is no forest */

static void refused(const struct tree_given *nodes, size_t n, const struct tree_weight *weights,
                    size_t n_weights, size_t targets, const char *expected)
{
    const struct trees *t = NULL;
    char why[200] = "";
    assert_int_equal(build_rows(nodes, n, weights, n_weights, targets, &t, why, sizeof why), KILN_INVALID);
    assert_null(t);
    assert_string_equal(why, expected);
    release();
}

static void what_is_no_forest(void **state)
{
    (void) state;
    const struct tree_given leaf = {.tree = 4, .id = 1, .mode = TREE_LEAF};
#define NODES(...)                                                                                           \
    (const struct tree_given[]){__VA_ARGS__}, sizeof((const struct tree_given[]){__VA_ARGS__}) / sizeof(leaf)
#define NODE(ID, YES, NO, ...) {.tree = 4, .id = ID, .yes = YES, .no = NO, __VA_ARGS__}
#define LEAF(ID)                                                                                             \
    {                                                                                                        \
        .tree = 4, .id = ID, .mode = TREE_LEAF                                                               \
    }
    refused(&leaf, 0, NULL, 0, 1, "there are 0 nodes, 0 weights and 1 targets, expected 1..134217727");
    refused(&leaf, 1, NULL, 0, 0, "there are 1 nodes, 0 weights and 0 targets, expected 1..134217727");
    refused(&leaf, SIZE_MAX, NULL, 0, 1,
            "there are 18446744073709551615 nodes, 0 weights and 1 targets, expected 1..134217727");
    refused(NODES(LEAF(1), LEAF(1)), NULL, 0, 1, "tree 4 has the node 1 twice");
    refused(NODES(LEAF(1), LEAF(2)), NULL, 0, 1, "tree 4 has two roots, the nodes 1 and 2");
    refused(NODES(NODE(0, 1, 2), LEAF(1)), NULL, 0, 1, "tree 4, node 0 has the child 2, which is not there");
    refused(NODES(NODE(0, 1, 2), LEAF(1), {.tree = 5, .id = 2, .mode = TREE_LEAF}), NULL, 0, 1,
            "tree 4, node 0 has the child 2, which is not there");
    refused(NODES(NODE(0, 1, 1), LEAF(1)), NULL, 0, 1, "tree 4, node 1 is the child of two");
    refused(NODES(NODE(0, 1, 2), NODE(1, 2, 3), LEAF(2), LEAF(3)), NULL, 0, 1,
            "tree 4, node 2 is the child of two");
    refused(NODES(NODE(0, 0, 1), LEAF(1)), NULL, 0, 1, "tree 4 goes in a circle, at node 0");
    refused(NODES(LEAF(9), NODE(0, 1, 2), NODE(1, 0, 3), LEAF(2), LEAF(3)), NULL, 0, 1,
            "tree 4 goes in a circle, at node 0");
    refused(NODES(NODE(0, 1, 2, .feature = -1), LEAF(1), LEAF(2)), NULL, 0, 1,
            "tree 4, node 0 asks for feature -1, expected 0..134217726");
    refused(NODES(NODE(0, 1, 2, .feature = INT64_MAX), LEAF(1), LEAF(2)), NULL, 0, 1,
            "tree 4, node 0 asks for feature 9223372036854775807, expected 0..134217726");
    refused(NODES(NODE(0, 1, 2, .threshold = (double) NAN), LEAF(1), LEAF(2)), NULL, 0, 1,
            "tree 4, node 0 compares with NaN");
    const struct tree_weight elsewhere = {.tree = 4, .id = 7}, inside = {.tree = 4, .id = 0},
                             beyond = {.tree = 4, .id = 1, .target = 3},
                             before = {.tree = 4, .id = 1, .target = -1};
    refused(&leaf, 1, &elsewhere, 1, 1, "a weight is for node 7 of tree 4, which is not there");
    refused(NODES(NODE(0, 1, 2), LEAF(1), LEAF(2)), &inside, 1, 1,
            "a weight is for node 0 of tree 4, which is no leaf");
    refused(&leaf, 1, &beyond, 1, 3, "tree 4, node 1 gives a weight to 3, expected 0..2");
    refused(&leaf, 1, &before, 1, 3, "tree 4, node 1 gives a weight to -1, expected 0..2");
}

static void no_memory(void **state)
{
    (void) state;
    static struct forest f;
    make_forest(&f,
                &(struct recipe){.trees = 5, .targets = 2, .depth = 5, .leaf = 0.2, .last_mode = TREE_GT});
    const struct trees *t = NULL;
    size_t refusals = 0;
    for (size_t left = 0;; left++, refusals++) {
        char why[200];
        memory.left = left;
        const int rc = build_rows(f.nodes, f.n_nodes, f.weights, f.n_weights, 2, &t, why, sizeof why);
        if (rc == KILN_OK) {
            break;
        }
        assert_int_equal(rc, KILN_RESOURCE);
        assert_null(t);
        release();
    }
    assert_int_equal(refusals, memory.n);
    release();
}

int main(void)
{
    release();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_of_every_kind), cmocka_unit_test(forests_of_every_kind),
        cmocka_unit_test(deep_trees),          cmocka_unit_test(chain),
        cmocka_unit_test(what_is_no_forest),   cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
