/* SPDX-License-Identifier: MPL-2.0 */
/* inference.describe_model - what a model takes and gives. */
#include <string.h>

#include "builtin.h"
#include "classes.h"
#include "functions.h"
#include "plan.h"

enum { MODEL, VERSION };
enum { OUT_MODEL, OUT_VERSION, INPUTS, OUTPUTS, OPS, OPSETS, PRODUCER, DOC, METADATA, CLASSES };
enum { MOST_KINDS = 200 };

static const struct kiln_row params[] = {
    [MODEL] = {.name = "model", .kind = KILN_STRING, .flags = KILN_REQUIRED, .help = "Name of the model"},
    [VERSION] = {.name = "version",
                 .kind = KILN_INT,
                 .min = 1,
                 .max = 1e18,
                 .help = "Its version; the newest that works when it is not given"},
};

static const struct kiln_row results[] = {
    [OUT_MODEL] = {.name = "model", .kind = KILN_STRING, .help = "Name of the model"},
    [OUT_VERSION] = {.name = "version", .kind = KILN_INT, .help = "Its version"},
    [INPUTS] = {.name = "inputs",
                .kind = KILN_VALUE,
                .help = "A list of maps: name, dtype, shape with a name or null where a dimension is free"},
    [OUTPUTS] = {.name = "outputs",
                 .kind = KILN_VALUE,
                 .help = "The same of the outputs, as they are for one row; without dtype and shape where "
                         "that is not known"},
    [OPS] = {.name = "ops",
             .kind = KILN_VALUE,
             .help = "How often each operator is computed, after folding and fusing"},
    [OPSETS] = {.name = "opsets",
                .kind = KILN_VALUE,
                .help = "The versions of operators that the model was made for"},
    [PRODUCER] = {.name = "producer", .kind = KILN_STRING, .help = "What program made it"},
    [DOC] = {.name = "doc", .kind = KILN_STRING, .help = "What it says about itself"},
    [METADATA] = {.name = "metadata", .kind = KILN_VALUE, .help = "A map of further texts in the file"},
    [CLASSES] = {.name = "classes",
                 .kind = KILN_VALUE,
                 .help = "Labels of a classifier in the order of its scores, as its contract or the model "
                         "has them; null when it is none"},
};

static struct kiln_value shape_of(struct kiln_call *call, const struct tensor *t, const char *const *names)
{
    struct kiln_value list;
    struct kiln_value *dims = value_list(call, (uint32_t) (t->rank > 0 ? t->rank : 0), &list);
    for (int d = 0; dims && d < t->rank; d++) {
        dims[d] = t->dims[d] >= 0 ? value_int(t->dims[d])
                  : names         ? value_text(call, names[d])
                                  : (struct kiln_value){.type = KILN_V_NULL};
    }
    return t->rank < 0 ? (struct kiln_value){.type = KILN_V_NULL} : list;
}

static struct kiln_value inputs_of(struct kiln_call *call, const struct model *m)
{
    struct kiln_value list;
    struct kiln_value *items = value_list(call, (uint32_t) m->graph.n_inputs, &list);
    for (int i = 0; items && i < m->graph.n_inputs; i++) {
        const struct value *v = &m->graph.values[m->graph.inputs[i]];
        value_map(call, 3, &items[i]);
        value_put(&items[i], "name", value_text(call, v->name));
        value_put(&items[i], "dtype", value_text(call, dtype_name(v->constant.dtype)));
        value_put(&items[i], "shape", shape_of(call, &v->constant, m->dim_names[i]));
    }
    return list;
}

/* Outputs have no declaration that is believed: their shapes are those of a plan. */
static struct kiln_value outputs_of(struct kiln_call *call, const struct model *m)
{
    const struct plan *p = m->plans;
    while (p && p->next) {
        p = p->next; /* the first that was made: of one row, or of an example */
    }
    struct kiln_value list;
    struct kiln_value *items = value_list(call, (uint32_t) m->graph.n_outputs, &list);
    for (int k = 0; items && k < m->graph.n_outputs; k++) {
        value_map(call, 3, &items[k]);
        value_put(&items[k], "name", value_text(call, m->graph.values[m->graph.outputs[k]].name));
        const struct tensor *t = p ? plan_output(p, k) : NULL;
        if (t && t->dtype != DT_NONE) {
            value_put(&items[k], "dtype", value_text(call, dtype_name(t->dtype)));
            value_put(&items[k], "shape", shape_of(call, t, NULL));
        }
    }
    return list;
}

static struct kiln_value ops_of(struct kiln_call *call, const struct graph *g)
{
    struct kiln_value map;
    struct kiln_pair *pairs = value_map(call, MOST_KINDS, &map);
    for (int n = 0; pairs && n < g->n_nodes; n++) {
        uint32_t k = 0;
        while (k < map.count && strcmp(pairs[k].key, g->nodes[n].op->name) != 0) {
            k++;
        }
        if (k < map.count) {
            pairs[k].value.i++;
        } else if (k < MOST_KINDS) {
            value_put(&map, g->nodes[n].op->name, value_int(1));
        }
    }
    return map;
}

static struct kiln_value metadata_of(struct kiln_call *call, const struct model *m)
{
    struct kiln_value map;
    value_map(call, (uint32_t) m->n_metadata, &map);
    for (size_t i = 0; i < m->n_metadata; i++) {
        const struct kiln_value key = value_text(call, m->metadata[i].key);
        if (key.text) {
            value_put(&map, key.text, value_text(call, m->metadata[i].value));
        }
    }
    return map;
}

static struct kiln_value opsets_of(struct kiln_call *call, const struct graph *g)
{
    struct kiln_value map;
    value_map(call, 2, &map);
    if (g->opset) {
        value_put(&map, "ai.onnx", value_int(g->opset));
    }
    if (g->opset_ml) {
        value_put(&map, "ai.onnx.ml", value_int(g->opset_ml));
    }
    return map;
}

static struct kiln_slot text_slot(struct kiln_call *call, const char *text)
{
    const struct kiln_value v = value_text(call, text);
    return (struct kiln_slot){.present = v.text != NULL, .text = v.text, .text_bytes = v.count};
}

static int describe(struct kiln_call *call, const struct served *s, struct kiln_slot *slots)
{
    const struct model *m = s->model;
    struct kiln_value *values = call->host->alloc(call, 6 * sizeof *values);
    if (!values) {
        return KILN_RESOURCE;
    }
    values[0] = inputs_of(call, m);
    values[1] = outputs_of(call, m);
    values[2] = ops_of(call, &m->graph);
    values[3] = opsets_of(call, &m->graph);
    values[4] = metadata_of(call, m);
    values[5] = classes_names(call, s);
    for (int i = 0; i < 6; i++) {
        static const int rows[] = {INPUTS, OUTPUTS, OPS, OPSETS, METADATA, CLASSES};
        slots[rows[i]] = (struct kiln_slot){.present = 1, .value = &values[i]};
    }
    slots[OUT_MODEL] = text_slot(call, s->name);
    slots[OUT_VERSION] = (struct kiln_slot){.present = 1, .i64 = s->version};
    slots[PRODUCER] = text_slot(call, m->producer);
    slots[DOC] = text_slot(call, m->doc);
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
    const int rc = describe(call, s, slots);
    store_release(s);
    return rc;
}

static const struct kiln_golden goldens[] = {
    {.title = "the model that is built in",
     .args = "{\"model\":\"" BUILTIN_NAME "\"}",
     .result = "{\"model\":\"" BUILTIN_NAME
               "\",\"version\":1,\"inputs\":[{\"name\":\"x\",\"dtype\":\"float32\",\"shape\":[\"rows\",3]}],"
               "\"opsets\":{\"ai.onnx\":13}}"},
};

const struct kiln_function inference_describe_model = {
    KILN_FUNCTION_HEAD,
    .name = "describe_model",
    .summary = "Inputs, outputs, operators and metadata of a model",
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};
