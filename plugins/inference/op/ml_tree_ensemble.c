/* SPDX-License-Identifier: MPL-2.0 */
/* TreeEnsemble, which took the place of TreeEnsembleClassifier and TreeEnsembleRegressor in opset 5: inner nodes in one set of lists,
 * leaves in another, trees known by their roots. Here they become nodes of (tree, id): an inner node's id is its place in the lists; a leaf
 * is a node of its own for each branch that ends there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml_trees.h"

struct lists {
    size_t n, n_leaves, n_roots;
    const int64_t *features, *yes, *no, *yes_is_leaf, *no_is_leaf, *nan_yes, *roots, *targets;
    const uint8_t *modes;
    struct tree_reals splits, weights, members;
    size_t n_members;
};

static int take_ints(struct step *s, const char *name, size_t n, const int64_t **ret)
{
    const size_t found = step_ints(s, name, ret);
    return found == n ? KILN_OK
                      : step_fail(s, "attribute %s has %zu elements, expected %zu, as nodes_featureids has",
                                  name, found, n);
}

/* A tensor of floats; *ret_n: 0 when it is absent. */
static int take_reals(struct step *s, const char *name, struct tree_reals *ret, size_t *ret_n)
{
    const struct tensor *t = step_tensor(s, name);
    *ret = (struct tree_reals){0};
    *ret_n = t ? (size_t) t->count : 0;
    if (t && t->dtype != DT_F32 && t->dtype != DT_F64) {
        return step_fail(s, "attribute %s is of %s, expected float32 or float64", name, dtype_name(t->dtype));
    }
    ret->floats = t && t->dtype == DT_F32 ? t->data : NULL;
    ret->doubles = t && t->dtype == DT_F64 ? t->data : NULL;
    return KILN_OK;
}

static int take_modes(struct step *s, struct lists *l)
{
    const struct tensor *t = step_tensor(s, "nodes_modes");
    if (!t || t->dtype != DT_U8 || (size_t) t->count != l->n) {
        char shown[100] = "absent";
        return step_fail(s, "attribute nodes_modes is %s, expected uint8[%zu], as nodes_featureids has",
                         t ? tensor_text(t, shown, sizeof shown) : shown, l->n);
    }
    l->modes = t->data;
    for (size_t i = 0; i < l->n; i++) {
        if (l->modes[i] > TREE_MEMBER) {
            return step_fail(s, "attribute nodes_modes has %d, expected 0 to %d", (int) l->modes[i],
                             (int) TREE_MEMBER);
        }
    }
    return KILN_OK;
}

static int take_lists(struct step *s, struct lists *l)
{
    size_t n_splits, n_weights;
    l->n = step_ints(s, "nodes_featureids", &l->features);
    l->n_leaves = step_ints(s, "leaf_targetids", &l->targets);
    l->n_roots = step_ints(s, "tree_roots", &l->roots);
    int rc = take_ints(s, "nodes_truenodeids", l->n, &l->yes);
    rc = rc ? rc : take_ints(s, "nodes_falsenodeids", l->n, &l->no);
    rc = rc ? rc : take_ints(s, "nodes_trueleafs", l->n, &l->yes_is_leaf);
    rc = rc ? rc : take_ints(s, "nodes_falseleafs", l->n, &l->no_is_leaf);
    rc = rc ? rc : take_modes(s, l);
    rc = rc ? rc : take_reals(s, "nodes_splits", &l->splits, &n_splits);
    rc = rc ? rc : take_reals(s, "leaf_weights", &l->weights, &n_weights);
    rc = rc ? rc : take_reals(s, "membership_values", &l->members, &l->n_members);
    if (rc == KILN_OK && step_has(s, "nodes_missing_value_tracks_true")) {
        rc = take_ints(s, "nodes_missing_value_tracks_true", l->n, &l->nan_yes);
    }
    if (rc == KILN_OK && n_splits != l->n) {
        rc = step_fail(s, "attribute nodes_splits has %zu elements, expected %zu, as nodes_featureids has",
                       n_splits, l->n);
    }
    if (rc == KILN_OK && n_weights != l->n_leaves) {
        rc = step_fail(s, "attribute leaf_weights has %zu elements, expected %zu, as leaf_targetids has",
                       n_weights, l->n_leaves);
    }
    return rc;
}

/* ---- from lists to nodes */

enum { TREE, ID, FEATURE, YES, NO, NAN_YES, LEAF_TREE, LEAF_ID, LEAF_TARGET, COLUMNS };

struct made {
    size_t room, n, n_leaves; /* nodes that there can be; nodes; leaves of these */
    int64_t *of[COLUMNS];
    double *thresholds, *weights, *members;
    uint8_t *modes;
    int64_t *tree_of; /* of an inner node; -1: not come by yet */
    int64_t *sets;    /* the number of its set */
};

static void made_done(struct made *m)
{
    free(m->of[0]);
    free(m->thresholds);
    free(m->modes);
}

/* At most each inner node and its two branches. */
static bool made_init(struct made *m, const struct lists *l)
{
    m->room = 3 * l->n + 1;
    m->of[0] = malloc((COLUMNS * m->room + 2 * l->n + 1) * sizeof(int64_t));
    m->thresholds = malloc((2 * m->room + l->n_members + 1) * sizeof(double));
    m->modes = malloc(m->room);
    if (!m->of[0] || !m->thresholds || !m->modes) {
        return false;
    }
    for (int c = 1; c < COLUMNS; c++) {
        m->of[c] = m->of[0] + (size_t) c * m->room;
    }
    m->tree_of = m->of[0] + COLUMNS * m->room;
    m->sets = m->tree_of + l->n;
    m->weights = m->thresholds + m->room;
    m->members = m->weights + m->room;
    return true;
}

static void add_leaf(struct made *m, const struct lists *l, int64_t tree, int64_t id, int64_t leaf)
{
    const size_t at = m->n++, k = m->n_leaves++;
    m->of[TREE][at] = tree;
    m->of[ID][at] = id;
    m->of[FEATURE][at] = m->of[YES][at] = m->of[NO][at] = m->of[NAN_YES][at] = 0;
    m->thresholds[at] = 0;
    m->modes[at] = TREE_LEAF;
    m->of[LEAF_TREE][k] = tree;
    m->of[LEAF_ID][k] = id;
    m->of[LEAF_TARGET][k] = l->targets[leaf];
    m->weights[k] = tree_real(l->weights, (size_t) leaf);
}

/* The node `i` of the lists, and the leaves its branches end in. */
static int add_node(struct step *s, struct made *m, const struct lists *l, int64_t tree, int64_t i)
{
    const size_t at = m->n++;
    const int64_t children[] = {l->yes[i], l->no[i]};
    const bool leaves[] = {l->yes_is_leaf[i] != 0, l->no_is_leaf[i] != 0};
    int64_t ids[2];
    for (int k = 0; k < 2; k++) {
        const size_t n = leaves[k] ? l->n_leaves : l->n;
        if (children[k] < 0 || (uint64_t) children[k] >= n) {
            return step_fail(s, "node %lld of the trees has the %s %lld, expected 0 to %lld", (long long) i,
                             leaves[k] ? "leaf" : "child", (long long) children[k], (long long) n - 1);
        }
        ids[k] = leaves[k] ? (int64_t) l->n + 2 * i + k : children[k];
    }
    m->of[TREE][at] = tree;
    m->of[ID][at] = i;
    m->of[FEATURE][at] = l->features[i];
    m->of[YES][at] = ids[0];
    m->of[NO][at] = ids[1];
    m->of[NAN_YES][at] = l->nan_yes && l->nan_yes[i];
    m->modes[at] = l->modes[i];
    m->thresholds[at] = l->modes[i] == TREE_MEMBER ? (double) m->sets[i] : tree_real(l->splits, (size_t) i);
    for (int k = 0; k < 2; k++) {
        if (leaves[k]) {
            add_leaf(m, l, tree, ids[k], children[k]);
        }
    }
    return KILN_OK;
}

/* All that a root leads to: an inner node is added when its tree is known, and makes that of its children known. */
static int add_tree(struct step *s, struct made *m, const struct lists *l, int64_t tree, int64_t *stack)
{
    size_t left = 0;
    if (l->roots[tree] < 0 || (uint64_t) l->roots[tree] >= l->n) {
        return step_fail(s, "attribute tree_roots has %lld, expected 0 to %lld", (long long) l->roots[tree],
                         (long long) l->n - 1);
    }
    stack[left++] = l->roots[tree];
    while (left) {
        const int64_t i = stack[--left];
        if (m->tree_of[i] >= 0) {
            return step_fail(s, "node %lld of the trees is reached twice, from the roots %lld and %lld",
                             (long long) i, (long long) l->roots[m->tree_of[i]], (long long) l->roots[tree]);
        }
        m->tree_of[i] = tree;
        const int rc = add_node(s, m, l, tree, i);
        if (rc) {
            return rc;
        }
        if (!l->no_is_leaf[i]) {
            stack[left++] = l->no[i];
        }
        if (!l->yes_is_leaf[i]) {
            stack[left++] = l->yes[i];
        }
    }
    return KILN_OK;
}

/* Which set is whose follows from the order of the lists. */
static int number_sets(struct step *s, struct made *m, const struct lists *l)
{
    int64_t asked = 0, there = 0;
    for (size_t i = 0; i < l->n; i++) {
        m->tree_of[i] = -1;
        m->sets[i] = l->modes[i] == TREE_MEMBER ? asked++ : -1;
    }
    for (size_t i = 0; i < l->n_members; i++) {
        m->members[i] = tree_real(l->members, i);
        there += isnan(m->members[i]) || i + 1 == l->n_members; /* the last may stand without its NaN */
    }
    m->members[l->n_members] = (double) NAN;
    return asked == there
               ? KILN_OK
               : step_fail(
                     s,
                     "attribute membership_values has %lld sets, expected %lld, one for each node of mode 6",
                     (long long) there, (long long) asked);
}

static int add_trees(struct step *s, struct made *m, const struct lists *l)
{
    int rc = number_sets(s, m, l);
    int64_t *stack =
        malloc((l->n + 2) * sizeof *stack); /* a node lies there once, or is refused when it is taken */
    rc = stack || rc ? rc : KILN_RESOURCE;
    for (size_t t = 0; t < l->n_roots && rc == KILN_OK; t++) {
        rc = add_tree(s, m, l, (int64_t) t, stack);
    }
    free(stack);
    return rc;
}

static int build(struct step *s, struct forest *f, const struct lists *l)
{
    struct made m = {0};
    int rc = made_init(&m, l) ? add_trees(s, &m, l) : KILN_RESOURCE;
    if (rc == KILN_OK) {
        const struct tree_nodes nodes = {
            .n = m.n,
            .tree = m.of[TREE],
            .id = m.of[ID],
            .feature = m.of[FEATURE],
            .yes = m.of[YES],
            .no = m.of[NO],
            .threshold = {.doubles = m.thresholds},
            .mode = m.modes,
            .nan_yes = m.of[NAN_YES],
            .members = m.members,
            .n_members = l->n_members ? l->n_members + 1 : 0,
        };
        const struct tree_weights weights = {
            .n = m.n_leaves,
            .tree = m.of[LEAF_TREE],
            .id = m.of[LEAF_ID],
            .target = m.of[LEAF_TARGET],
            .weight = {.doubles = m.weights},
        };
        char why[200];
        rc = trees_build(&nodes, &weights, f->targets, forest_alloc, s, &f->trees, why, sizeof why);
        rc = rc == KILN_INVALID ? step_fail(s, "%s", why) : rc;
    }
    made_done(&m);
    return rc;
}

static int read_ensemble(struct step *s, struct forest *f)
{
    static const enum ml_transform transforms[] = {ML_NONE, ML_SOFTMAX, ML_LOGISTIC, ML_SOFTMAX_ZERO,
                                                   ML_PROBIT};
    enum { AVERAGE, SUM, MIN, MAX };
    const int64_t targets = step_int(s, "n_targets", 1), join = step_int(s, "aggregate_function", SUM),
                  transform = step_int(s, "post_transform", 0);
    if (targets < 1 || targets > INT32_MAX / 16) {
        return step_fail(s, "attribute n_targets is %lld, expected 1..%d", (long long) targets,
                         INT32_MAX / 16);
    }
    if (join < AVERAGE || join > MAX || transform < 0 || transform > 4) {
        return step_fail(
            s,
            "attributes aggregate_function and post_transform are %lld and %lld, expected 0 to 3 and 0 to 4",
            (long long) join, (long long) transform);
    }
    *f = (struct forest){
        .targets = (size_t) targets,
        .scores = (size_t) targets,
        .join = join == MIN   ? TREE_MIN
                : join == MAX ? TREE_MAX
                              : TREE_SUM,
        .start = join == MIN   ? HUGE_VAL
                 : join == MAX ? -HUGE_VAL
                               : 0,
        .factor = 1,
        .transform = transforms[transform],
        .as_input = s->in[0]->dtype == DT_F32 || s->in[0]->dtype == DT_F64,
        .base = model_alloc(s, (size_t) targets * sizeof(double)),
    };
    struct lists l = {0};
    int rc = f->base ? take_lists(s, &l) : KILN_RESOURCE;
    rc = rc ? rc : build(s, f, &l);
    if (rc == KILN_OK && join == AVERAGE) {
        f->factor = 1 / (double) trees_count(f->trees);
    }
    return rc;
}

static int plan_ensemble(struct step *s)
{
    return forest_plan(s, read_ensemble);
}

static const struct op ops[] = {
    {"ai.onnx.ml", "TreeEnsemble", 5, 1, 1, 1, 1, plan_ensemble},
};

const struct op_table op_ml_tree_ensemble = {ops, sizeof ops / sizeof *ops};
