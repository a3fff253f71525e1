/* SPDX-License-Identifier: MPL-2.0 */
#include "classes.h"

#include <string.h>

#include "functions.h"
#include "op/ml_labels.h"
#include "output.h"

static bool are_scores(const struct tensor *t)
{
    return t->rank == 2 && dtype_is_float(t->dtype);
}

static bool are_labels(const struct tensor *t)
{
    return t->rank == 1 && (t->dtype == DT_I64 || t->dtype == DT_I32 || t->dtype == DT_STRING);
}

static struct kiln_value given_names(struct kiln_call *call, const struct contract *c)
{
    struct kiln_value list;
    struct kiln_value *items = value_list(call, (uint32_t) c->n_classes, &list);
    for (int i = 0; items && i < c->n_classes; i++) {
        items[i] = value_text(call, c->classes[i]);
    }
    return list;
}

/* Those of the last node that has any: a classifier of scikit-learn's, or the ZipMap behind it. */
static struct kiln_value own_names(struct kiln_call *call, const struct graph *g)
{
    struct ml_labels labels;
    struct kiln_value list = {.type = KILN_V_NULL};
    for (int n = g->n_nodes - 1; n >= 0; n--) {
        if (!ml_labels(&g->nodes[n], &labels) || labels.n > UINT32_MAX) {
            continue;
        }
        struct kiln_value *items = value_list(call, (uint32_t) labels.n, &list);
        for (size_t i = 0; items && i < labels.n; i++) {
            items[i] = labels.texts ? value_text(call, labels.texts[i].chars) : value_int(labels.ints[i]);
        }
        break;
    }
    return list;
}

struct kiln_value classes_names(struct kiln_call *call, const struct served *s)
{
    return s->contract && s->contract->n_classes ? given_names(call, s->contract)
                                                 : own_names(call, &s->model->graph);
}

/* NaN is never the highest. */
static int64_t highest(const struct tensor *t, int64_t row)
{
    const int64_t n = t->dims[1];
    int64_t best = 0;
    for (int64_t k = 1; k < n; k++) {
        if (tensor_number(t, row * n + k) > tensor_number(t, row * n + best) ||
            tensor_number(t, row * n + best) != tensor_number(t, row * n + best)) {
            best = k;
        }
    }
    return best;
}

static int from_scores(struct kiln_call *call, const struct contract *c, const struct tensor *t,
                       struct classes *ret)
{
    struct kiln_value *items = value_list(call, (uint32_t) t->dims[0], &ret->labels);
    if (!items) {
        return KILN_RESOURCE;
    }
    for (int64_t row = 0; row < t->dims[0]; row++) {
        items[row] = value_text(call, c->classes[highest(t, row)]);
    }
    return output_value(call, t, &ret->probabilities);
}

int classes_of(struct kiln_call *call, const struct served *s, const struct tensor *outputs,
               struct classes *ret, struct refusal *why)
{
    const struct contract *c = s->contract && s->contract->n_classes ? s->contract : NULL;
    const int n = s->model->graph.n_outputs;
    int rc;
    *ret = (struct classes){.names = classes_names(call, s)};
    if (n == 2 && are_labels(&outputs[0]) && are_scores(&outputs[1]) &&
        outputs[0].dims[0] == outputs[1].dims[0]) {
        rc = output_value(call, &outputs[0], &ret->labels);
        rc = rc ? rc : output_value(call, &outputs[1], &ret->probabilities);
    } else if (n == 1 && are_scores(&outputs[0]) && c && c->n_classes == outputs[0].dims[1]) {
        rc = from_scores(call, c, &outputs[0], ret);
    } else {
        return refuse(why, KILN_INVALID,
                      "labels are asked for, but model %s is no classifier: it has neither labels and scores "
                      "as outputs, "
                      "nor scores alone and as many classes in its contract",
                      s->name);
    }
    return rc ? refuse(why, rc, "no memory left for the labels") : KILN_OK;
}
