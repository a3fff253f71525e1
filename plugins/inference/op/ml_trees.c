/* SPDX-License-Identifier: MPL-2.0 */
/* TreeEnsembleClassifier and TreeEnsembleRegressor.
 *
 * Two classes and weights for one of them only: the sum is the score of the second class. Where no post_transform says what
 * it is, weights of which none is negative are shares, so that more than a half decides, and others are signed, so that
 * more than nothing decides. */
#include "ml_trees.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOREST }; /* number of what all plans share */

/* ---- reading */

static int take_list(struct step *s, const char *name, size_t n, const int64_t **ret)
{
    const size_t found = step_ints(s, name, ret);
    return found == n ? KILN_OK
                      : step_fail(s, "attribute %s has %zu elements, expected %zu, as nodes_nodeids has",
                                  name, found, n);
}

/* The attribute `name`, or as doubles in the tensor NAME_as_tensor; *ret_n: 0 when there is neither. */
static int take_reals(struct step *s, const char *name, struct tree_reals *ret, size_t *ret_n)
{
    char as_tensor[80];
    snprintf(as_tensor, sizeof as_tensor, "%s_as_tensor", name);
    *ret = (struct tree_reals){0};
    *ret_n = step_floats(s, name, &ret->floats);
    const struct tensor *t = step_tensor(s, as_tensor);
    if (!t) {
        return KILN_OK;
    }
    if (*ret_n) {
        return step_fail(s, "attributes %s and %s are both given, expected one", name, as_tensor);
    }
    if (t->dtype != DT_F64 && t->dtype != DT_F32) {
        return step_fail(s, "attribute %s is of %s, expected float64 or float32", as_tensor,
                         dtype_name(t->dtype));
    }
    *ret_n = (size_t) t->count;
    ret->doubles = t->dtype == DT_F64 ? t->data : NULL;
    ret->floats = t->dtype == DT_F32 ? t->data : NULL;
    return KILN_OK;
}

static int take_mode(struct step *s, struct text given, uint8_t *ret)
{
    static const char names[][12] = {
        [TREE_LEQ] = "BRANCH_LEQ", [TREE_LT] = "BRANCH_LT", [TREE_GTE] = "BRANCH_GTE",
        [TREE_GT] = "BRANCH_GT",   [TREE_EQ] = "BRANCH_EQ", [TREE_NEQ] = "BRANCH_NEQ",
        [TREE_LEAF] = "LEAF",
    };
    char padded[sizeof *names] = {0};
    memcpy(padded, given.chars, given.bytes < sizeof padded ? given.bytes : sizeof padded);
    for (uint8_t i = TREE_LEQ; i <= TREE_LEAF; i++) {
        if (memcmp(padded, names[i], sizeof padded) == 0) {
            *ret = i;
            return KILN_OK;
        }
    }
    return step_fail(
        s, "attribute nodes_modes has \"%.*s\", expected BRANCH_LEQ, _LT, _GTE, _GT, _EQ, _NEQ or LEAF",
        (int) (given.bytes < 60 ? given.bytes : 60), given.chars);
}

/* All but the modes, of which there are as many. */
static int take_nodes(struct step *s, struct tree_nodes *l, const struct text **ret_modes)
{
    l->n = step_ints(s, "nodes_nodeids", &l->id);
    size_t n_thresholds;
    int rc = take_list(s, "nodes_treeids", l->n, &l->tree);
    rc = rc ? rc : take_list(s, "nodes_featureids", l->n, &l->feature);
    rc = rc ? rc : take_list(s, "nodes_truenodeids", l->n, &l->yes);
    rc = rc ? rc : take_list(s, "nodes_falsenodeids", l->n, &l->no);
    rc = rc ? rc : take_reals(s, "nodes_values", &l->threshold, &n_thresholds);
    if (rc) {
        return rc;
    }
    const size_t modes = step_texts(s, "nodes_modes", ret_modes);
    const size_t n_nan_yes = step_ints(s, "nodes_missing_value_tracks_true", &l->nan_yes);
    l->nan_yes = n_nan_yes ? l->nan_yes : NULL;
    if (modes != l->n || n_thresholds != l->n || (n_nan_yes && n_nan_yes != l->n)) {
        return step_fail(
            s,
            "there are %zu nodes_modes, %zu nodes_values and %zu nodes_missing_value_tracks_true, "
            "expected %zu each, as nodes_nodeids has (the last may be left out)",
            modes, n_thresholds, n_nan_yes, l->n);
    }
    return KILN_OK;
}

/* Attributes of weights begin with "class" or "target". */
struct weight_names {
    const char *trees, *nodes, *targets, *weights;
};

static int take_weights(struct step *s, const struct weight_names *names, struct tree_weights *ret)
{
    size_t n_weights;
    *ret = (struct tree_weights){0};
    ret->n = step_ints(s, names->targets, &ret->target);
    int rc = take_list(s, names->trees, ret->n, &ret->tree);
    rc = rc ? rc : take_list(s, names->nodes, ret->n, &ret->id);
    rc = rc ? rc : take_reals(s, names->weights, &ret->weight, &n_weights);
    if (rc == KILN_OK && n_weights != ret->n) {
        rc = step_fail(s, "attribute %s has %zu elements, expected %zu, as %s has", names->weights, n_weights,
                       ret->n, names->targets);
    }
    return rc;
}

void *forest_alloc(void *step, size_t bytes)
{
    return model_alloc(step, bytes);
}

static int build(struct step *s, struct forest *f, const struct tree_weights *weights)
{
    struct tree_nodes nodes = {0};
    const struct text *texts;
    int rc = take_nodes(s, &nodes, &texts);
    uint8_t *modes = rc ? NULL : malloc(nodes.n + 1);
    if (!modes) {
        return rc ? rc : KILN_RESOURCE;
    }
    for (size_t i = 0; i < nodes.n && rc == KILN_OK; i++) {
        if (i && texts[i].chars == texts[i - 1].chars) { /* as lists.c makes them */
            modes[i] = modes[i - 1];
        } else {
            rc = take_mode(s, texts[i], &modes[i]);
        }
    }
    nodes.mode = modes;
    if (rc == KILN_OK) {
        char why[200];
        rc = trees_build(&nodes, weights, f->targets, forest_alloc, s, &f->trees, why, sizeof why);
        rc = rc == KILN_INVALID ? step_fail(s, "%s", why) : rc;
    }
    free(modes);
    return rc;
}

/* One number for each target, or, where there is one score for two classes, the last one. */
static int take_base(struct step *s, struct forest *f)
{
    struct tree_reals base;
    size_t n;
    int rc = take_reals(s, "base_values", &base, &n);
    if (rc) {
        return rc;
    }
    if (n && n != f->targets && !(f->pair && n == 2)) {
        return step_fail(s, "attribute base_values has %zu elements, expected %zu", n, f->targets);
    }
    f->base = model_alloc(s, f->targets * sizeof *f->base);
    for (size_t i = 0; f->base && n && i < f->targets; i++) {
        f->base[i] = tree_real(base, n - f->targets + i);
    }
    return f->base ? KILN_OK : KILN_RESOURCE;
}

/* ---- running */

/* Elements of a block of rows, whole lines of 64 bytes. */
static size_t block_of(size_t rows, size_t columns)
{
    return ((rows < TREES_BLOCK ? rows : TREES_BLOCK) * columns + 7) / 8 * 8;
}

static int run(const struct step *s, struct run *r, const struct forest *f, size_t rows, size_t columns)
{
    const struct tensor *in = s->in[0];
    const bool floats = in->dtype == DT_F32, doubles = in->dtype == DT_F64;
    float *scores = s->out[s->n_out - 1] ? s->out[s->n_out - 1]->data : NULL;
    scores = f->labels.n && s->n_out < 2 ? NULL : scores;
    double *wide = f->as_input && doubles ? s->out[0]->data : NULL;
    double *sums = r->scratch, *converted = sums + block_of(rows, f->targets);
    double *walk = converted + (floats || doubles ? 0 : block_of(rows, columns));
    for (size_t from = 0; from < rows; from += TREES_BLOCK) {
        const size_t n = rows - from < TREES_BLOCK ? rows - from : TREES_BLOCK;
        for (size_t i = 0; i < n * f->targets; i++) {
            sums[i] = f->start;
        }
        const struct tree_rows x = {
            .x = floats ? (const void *) ((const float *) in->data + from * columns)
                        : ml_doubles(in, (int64_t) (from * columns), (int64_t) (n * columns), converted),
            .doubles = !floats,
            .n = n,
            .ldx = columns,
        };
        trees_run(f->trees, x, f->join, sums, walk);
        for (size_t i = 0; i < n; i++) {
            double *row = sums + i * f->targets;
            for (size_t k = 0; k < f->targets; k++) {
                const bool nothing = row[k] == f->start && f->join != TREE_SUM;
                row[k] = (nothing ? 0 : row[k] * f->factor) + f->base[k];
            }
            if (wide) {
                ml_transform_doubles(f->transform, f->targets, row, wide + (from + i) * f->scores);
                continue;
            }
            float share[2];
            float *to = scores ? scores + (from + i) * f->scores : NULL;
            if (f->labels.n && s->out[0]) {
                const bool second = row[0] > (f->shares ? 0.5 : 0);
                ml_labels_put(&f->labels, s->out[0], (int64_t) (from + i),
                              f->pair ? second : ml_greatest(f->targets, row));
            }
            if (f->pair) {
                ml_transform_pair(f->transform, f->shares, row[0], to ? to : share);
            } else if (to) {
                ml_transform(f->transform, f->targets, row, to);
            }
        }
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int run_forest(const struct step *s, struct run *r)
{
    const struct tensor *in = s->in[0];
    const size_t columns = (size_t) in->dims[in->rank - 1];
    return run(s, r, s->state, in->rank == 2 ? (size_t) in->dims[0] : 1, columns);
}

/* ---- planning */

int forest_plan(struct step *s, int (*read)(struct step *, struct forest *))
{
    struct ml_table x;
    int rc = ml_table(s, 0, &x);
    if (rc) {
        return rc;
    }
    void **shared = step_shared(s, FOREST);
    if (!*shared) {
        struct forest *f = model_alloc(s, sizeof *f);
        rc = f ? read(s, f) : KILN_RESOURCE;
        if (rc) {
            return rc;
        }
        *shared = f;
    }
    struct forest *f = *shared;
    if (trees_columns(f->trees) > (uint64_t) x.columns) {
        return step_fail(s, "a tree asks for feature %zu, but the input has %lld columns",
                         trees_columns(f->trees) - 1, (long long) x.columns);
    }
    const size_t rows = (size_t) x.rows, converted = dtype_is_float(s->in[0]->dtype) ? 0 : (size_t) x.columns;
    s->scratch_bytes =
        (block_of(rows, f->targets) + block_of(rows, converted)) * sizeof(double) + trees_scratch(f->trees);
    s->state = f;
    s->run = run_forest;
    const int64_t dims[] = {x.rows, (int64_t) f->scores};
    if (f->labels.n) {
        rc = ml_labels_output(s, &f->labels, x.rows);
    }
    const enum dtype dtype = f->as_input ? s->in[0]->dtype : DT_F32;
    return rc ? rc : step_output(s, f->labels.n ? 1 : 0, dtype, 2, dims);
}

/* All weights are for one class, and of two. */
static bool is_pair(const struct forest *f, const struct tree_weights *w)
{
    bool pair = f->labels.n == 2 && w->n > 0;
    for (size_t i = 1; i < w->n && pair; i++) {
        pair = w->target[i] == w->target[0];
    }
    return pair && w->target[0] >= 0 && w->target[0] < 2;
}

static int read_classifier(struct step *s, struct forest *f)
{
    static const struct weight_names names = {"class_treeids", "class_nodeids", "class_ids", "class_weights"};
    *f = (struct forest){.join = TREE_SUM, .factor = 1};
    struct tree_weights w;
    int rc = ml_labels_read(s, &f->labels);
    rc = rc ? rc : ml_transform_read(s, &f->transform);
    rc = rc ? rc : take_weights(s, &names, &w);
    if (rc) {
        return rc;
    }
    bool negative = false;
    f->pair = is_pair(f, &w);
    for (size_t i = 0; i < w.n && f->pair; i++) {
        negative |= tree_real(w.weight, i) < 0;
    }
    w.first_target = f->pair ? w.target[0] : 0;
    f->shares = f->pair && !negative && f->transform != ML_LOGISTIC;
    f->scores = f->labels.n;
    f->targets = f->pair ? 1 : f->labels.n;
    rc = take_base(s, f);
    return rc ? rc : build(s, f, &w);
}

static int read_join(struct step *s, struct forest *f)
{
    static const struct {
        const char *name;
        enum tree_join join;
    } joins[] = {{"SUM", TREE_SUM}, {"AVERAGE", TREE_SUM}, {"MIN", TREE_MIN}, {"MAX", TREE_MAX}};
    const struct text given = step_text(s, "aggregate_function", "SUM");
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        if (text_is(given, joins[i].name)) {
            f->join = joins[i].join;
            f->start = f->join == TREE_MIN ? HUGE_VAL : f->join == TREE_MAX ? -HUGE_VAL : 0;
            return KILN_OK;
        }
    }
    return step_fail(s, "attribute aggregate_function is \"%.*s\", expected SUM, AVERAGE, MIN or MAX",
                     (int) (given.bytes < 60 ? given.bytes : 60), given.chars);
}

static int read_regressor(struct step *s, struct forest *f)
{
    static const struct weight_names names = {"target_treeids", "target_nodeids", "target_ids",
                                              "target_weights"};
    *f = (struct forest){.factor = 1};
    int rc = read_join(s, f);
    rc = rc ? rc : ml_transform_read(s, &f->transform);
    const int64_t targets = step_int(s, "n_targets", 1);
    if (rc == KILN_OK && (targets < 1 || targets > INT32_MAX / 16)) {
        return step_fail(s, "attribute n_targets is %lld, expected 1..%d", (long long) targets,
                         INT32_MAX / 16);
    }
    f->targets = f->scores = (size_t) targets;
    struct tree_weights w;
    rc = rc ? rc : take_base(s, f);
    rc = rc ? rc : take_weights(s, &names, &w);
    rc = rc ? rc : build(s, f, &w);
    if (rc == KILN_OK && text_is(step_text(s, "aggregate_function", "SUM"), "AVERAGE")) {
        f->factor = 1 / (double) trees_count(f->trees);
    }
    return rc;
}

static int plan_classifier(struct step *s)
{
    return forest_plan(s, read_classifier);
}

static int plan_regressor(struct step *s)
{
    return forest_plan(s, read_regressor);
}

static const struct op ops[] = {
    {"ai.onnx.ml", "TreeEnsembleClassifier", 1, 1, 1, 1, 2, plan_classifier},
    {"ai.onnx.ml", "TreeEnsembleRegressor", 1, 1, 1, 1, 1, plan_regressor},
};

const struct op_table op_ml_trees = {ops, sizeof ops / sizeof *ops};
