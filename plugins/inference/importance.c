/* SPDX-License-Identifier: MPL-2.0 */
/* inference.importance - which features a model of trees, or a linear one, decides by. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "functions.h"

enum { MODEL, VERSION, TOP };
enum { OUT_MODEL, OUT_VERSION, METHOD, FEATURES };
enum { MOST_FEATURES = 1 << 20 };

static const struct kiln_row params[] = {
    [MODEL] = {.name = "model", .kind = KILN_STRING, .flags = KILN_REQUIRED, .help = "Name of the model"},
    [VERSION] = {.name = "version",
                 .kind = KILN_INT,
                 .min = 1,
                 .max = 1e18,
                 .help = "Its version; the newest that works when it is not given"},
    [TOP] = {.name = "top",
             .kind = KILN_INT,
             .min = 1,
             .max = 100000,
             .fallback = "10",
             .help = "How many features"},
};

static const struct kiln_row results[] = {
    [OUT_MODEL] = {.name = "model", .kind = KILN_STRING, .help = "Name of the model"},
    [OUT_VERSION] = {.name = "version", .kind = KILN_INT, .help = "Its version"},
    [METHOD] = {.name = "method", .kind = KILN_STRING, .help = "splits or coefficients"},
    [FEATURES] = {.name = "features",
                  .kind = KILN_VALUE,
                  .help = "A list of maps, the most important first: index, name (of the model's contract, "
                          "else null), importance"},
};

/* Shares by feature, in the call's memory. */
struct shares {
    const char *method;
    int64_t n;
    double *of;
};

static const struct attr *attribute(const struct node *node, const char *name, enum attr_type type)
{
    for (size_t i = 0; i < node->n_attrs; i++) {
        if (strcmp(node->attrs[i].name, name) == 0 && node->attrs[i].type == type) {
            return &node->attrs[i];
        }
    }
    return NULL;
}

static bool make_room(struct kiln_call *call, struct shares *s, int64_t n)
{
    if (n <= s->n) {
        return true;
    }
    double *more = n <= MOST_FEATURES ? call->host->alloc(call, (size_t) n * sizeof *more) : NULL;
    if (more) {
        memset(more, 0, (size_t) n * sizeof *more);
        if (s->n) {
            memcpy(more, s->of, (size_t) s->n * sizeof *more);
        }
        s->of = more;
        s->n = n;
    }
    return more != NULL;
}

/* How often a feature is asked for. */
static int add_trees(struct kiln_call *call, const struct node *node, struct shares *s)
{
    const struct attr *features = attribute(node, "nodes_featureids", ATTR_INTS),
                      *modes = attribute(node, "nodes_modes", ATTR_TEXTS);
    int64_t most = -1;
    for (size_t i = 0; features && modes && i < features->n; i++) {
        most = features->ints[i] > most ? features->ints[i] : most;
    }
    if (most < 0 || !make_room(call, s, most + 1)) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < features->n && i < modes->n; i++) {
        if (features->ints[i] >= 0 && !text_is(modes->texts[i], "LEAF")) {
            s->of[features->ints[i]]++;
        }
    }
    s->method = "splits";
    return KILN_OK;
}

/* coefficients[k][n]: a feature's size, over all classes or targets. */
static int add_coefficients(struct kiln_call *call, const struct node *node, int64_t n, struct shares *s)
{
    const struct attr *a = attribute(node, "coefficients", ATTR_FLOATS);
    if (!a || n < 1 || a->n % (size_t) n || !make_room(call, s, n)) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < a->n; i++) {
        s->of[i % (size_t) n] += fabs((double) a->floats[i]);
    }
    s->method = "coefficients";
    return KILN_OK;
}

/* x W: the size of each row of W. */
static int add_product(struct kiln_call *call, const struct node *node, const struct tensor *w,
                       struct shares *s)
{
    const struct attr *turned = attribute(node, "transB", ATTR_INT);
    const bool by_column = turned && turned->i;
    const int64_t n = w->rank == 2 ? w->dims[by_column] : 0;
    if (n < 1 || !make_room(call, s, n)) {
        return KILN_RESOURCE;
    }
    for (int64_t i = 0; i < w->count; i++) {
        s->of[by_column ? i % n : i / w->dims[1]] += fabs(tensor_number(w, i));
    }
    s->method = "coefficients";
    return KILN_OK;
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Trees and linear operators, wherever they stand; a product only when it is the only one: more of them
 * are a network. */
static int add_all(struct kiln_call *call, const struct graph *g, struct shares *s)
{
    const struct node *product = NULL;
    int products = 0, found = 0, rc = KILN_OK;
    for (int n = 0; n < g->n_nodes && rc == KILN_OK; n++) {
        const struct node *node = &g->nodes[n];
        const char *name = node->op->name;
        if (starts(name, "TreeEnsemble")) {
            rc = add_trees(call, node, s);
            found++;
        } else if (starts(name, "Linear")) {
            const struct attr *classes = attribute(node, "intercepts", ATTR_FLOATS),
                              *a = attribute(node, "coefficients", ATTR_FLOATS);
            rc = add_coefficients(call, node, a && classes && classes->n ? (int64_t) (a->n / classes->n) : 0,
                                  s);
            found++;
        } else if ((strcmp(name, "Gemm") == 0 || strcmp(name, "MatMul") == 0 || strcmp(name, "Dense") == 0) &&
                   node->n_in > 1 && node->in[1] >= 0 && g->values[node->in[1]].constant.data) {
            product = node;
            products++;
        }
    }
    if (rc == KILN_OK && !found && products == 1) {
        rc = add_product(call, product, &g->values[product->in[1]].constant, s);
    }
    return rc;
}

/* ---- the answer */

struct feature {
    int64_t index;
    double importance;
};

static int by_importance(const void *a, const void *b)
{
    const struct feature *x = a, *y = b;
    return x->importance != y->importance ? (x->importance < y->importance) - (x->importance > y->importance)
                                          : (x->index > y->index) - (x->index < y->index);
}

static const char *name_of(const struct served *s, int64_t feature)
{
    const struct contract_input *in =
        s->contract && s->model->graph.n_inputs == 1 ? &s->contract->inputs[0] : NULL;
    return in && feature < in->n_columns ? in->columns[feature].name : NULL;
}

static int list_features(struct kiln_call *call, const struct served *s, const struct shares *shares,
                         int64_t top, struct kiln_value *list)
{
    struct feature *sorted = call->host->alloc(call, (size_t) shares->n * sizeof *sorted);
    const uint32_t n = (uint32_t) (top < shares->n ? top : shares->n);
    struct kiln_value *items = value_list(call, n, list);
    if (!sorted || !items) {
        return KILN_RESOURCE;
    }
    double sum = 0;
    for (int64_t i = 0; i < shares->n; i++) {
        sorted[i] = (struct feature){i, shares->of[i]};
        sum += shares->of[i];
    }
    qsort(sorted, (size_t) shares->n, sizeof *sorted, by_importance);
    for (uint32_t i = 0; i < n; i++) {
        value_map(call, 3, &items[i]);
        value_put(&items[i], "index", value_int(sorted[i].index));
        value_put(&items[i], "name", value_text(call, name_of(s, sorted[i].index)));
        value_put(&items[i], "importance", value_float(sum > 0 ? sorted[i].importance / sum : 0));
    }
    return KILN_OK;
}

static int answer(struct kiln_call *call, const struct served *s, int64_t top, struct kiln_slot *slots)
{
    struct shares shares = {.n = 0};
    int rc = add_all(call, &s->model->graph, &shares);
    if (rc == KILN_OK && !shares.method) {
        return call->host->fail(call, KILN_INVALID, "model", "model %s is neither of trees nor linear",
                                s->name);
    }
    struct kiln_value *list = call->host->alloc(call, sizeof *list);
    rc = rc ? rc : list ? list_features(call, s, &shares, top, list) : KILN_RESOURCE;
    const struct kiln_value name = value_text(call, s->name), method = value_text(call, shares.method);
    if (rc || !name.text || !method.text) {
        return KILN_RESOURCE;
    }
    slots[OUT_MODEL] = (struct kiln_slot){.present = 1, .text = name.text, .text_bytes = name.count};
    slots[OUT_VERSION] = (struct kiln_slot){.present = 1, .i64 = s->version};
    slots[METHOD] = (struct kiln_slot){.present = 1, .text = method.text, .text_bytes = method.count};
    slots[FEATURES] = (struct kiln_slot){.present = 1, .value = list};
    return KILN_OK;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *slots)
{
    struct refusal why = {.status = KILN_OK};
    struct served *s;
    if (store_take(store_of(call), args[MODEL].text, args[VERSION].present ? args[VERSION].i64 : 0, call, &s,
                   &why)) {
        return fail_as(call, &why, "model");
    }
    const int rc = answer(call, s, args[TOP].i64, slots);
    store_release(s);
    return rc;
}

static const struct kiln_golden goldens[] = {
    {.title = "a linear model",
     .args = "{\"model\":\"" BUILTIN_NAME "\",\"top\":2}",
     .result = "{\"method\":\"coefficients\",\"features\":[{\"index\":2,\"name\":null,\"importance\":0.5},"
               "{\"index\":1,\"name\":null,\"importance\":0.3055555555555556}]}",
     .rtol = 1e-9,
     .atol = 0},
};

const struct kiln_function inference_importance = {
    KILN_FUNCTION_HEAD,
    .name = "importance",
    .summary = "The features that a model of trees or a linear model decides by",
    .help = "Of trees: the share of all splits that ask for the feature. Of linear models: the share of the "
            "sum of the sizes of coefficients, over all "
            "classes or targets; it says something where features are of one scale, as behind a scaler.",
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};
