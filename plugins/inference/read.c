/* SPDX-License-Identifier: MPL-2.0 */
#include "read.h"

#include <string.h>

#include "ops.h"

/* ---- what the parser allocates */

static void *take(void *pool, size_t bytes)
{
    return pool_raw(pool, 1, bytes);
}

static void give(void *pool, void *block)
{
    (void) pool; /* all at once, at the end */
    (void) block;
}

ProtobufCMessage *read_message(struct reader *r, const ProtobufCMessageDescriptor *type, const void *data,
                               size_t bytes)
{
    ProtobufCAllocator allocator = {.alloc = take, .free = give, .allocator_data = &r->temporary};
    return bytes ? protobuf_c_message_unpack(type, &allocator, bytes, data) : NULL;
}

static ProtobufCMessage *parse(struct reader *r, const ProtobufCMessageDescriptor *type, const void *data,
                               size_t bytes)
{
    ProtobufCMessage *message = read_message(r, type, data, bytes);
    if (!message) {
        refuse(r->why, KILN_INVALID,
               "not an ONNX model: its %zu bytes cannot be parsed, they are truncated or damaged%s", bytes,
               r->model->budget.used > r->model->budget.limit / 2 ? ", or larger than the budget of models"
                                                                  : "");
    }
    return message;
}

/* ---- values */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static int new_value(struct reader *r, const char *name, const char *what, int *ret_value)
{
    struct graph *g = &r->model->graph;
    char *copy = pool_string(r->pool, name, strlen(name));
    if (!copy) {
        return refuse_memory(r->why, "names");
    }
    if (!names_add(&r->values, copy, g->n_values)) {
        return refuse(r->why, KILN_INVALID, "%s \"%.60s\": the name is taken by another value", what, name);
    }
    g->values[g->n_values] = (struct value){.name = copy, .maker = -1, .constant.rank = -1};
    *ret_value = g->n_values++;
    return KILN_OK;
}

static int read_initializers(struct reader *r, const Pb__Graph *from)
{
    if (from->n_sparse_initializer) {
        return refuse(r->why, KILN_INVALID, "the graph has sparse initializers, which are not computed with");
    }
    for (size_t i = 0; i < from->n_initializer; i++) {
        const char *name = or_empty(from->initializer[i]->name);
        char what[100];
        snprintf(what, sizeof what, "initializer \"%.60s\"", name);
        int v;
        if (!*name) {
            return refuse(r->why, KILN_INVALID, "initializer %zu has no name", i);
        }
        int rc = new_value(r, name, "initializer", &v);
        rc = rc ? rc : read_tensor(r, from->initializer[i], what, &r->model->graph.values[v].constant);
        if (rc) {
            return rc;
        }
    }
    return KILN_OK;
}

static const char *other_type(const Pb__Type *type)
{
    return type->sequence_type.data        ? "a sequence"
           : type->map_type.data           ? "a map"
           : type->optional_type.data      ? "optional"
           : type->sparse_tensor_type.data ? "a sparse tensor"
                                           : "of no type";
}

static int read_shape(struct reader *r, const Pb__Shape *shape, int input, struct value *v)
{
    const char **names = pool_array(r->pool, TENSOR_RANK, sizeof *names);
    if (!names) {
        return refuse_memory(r->why, "names");
    }
    r->model->dim_names[input] = names;
    if (!shape) {
        return KILN_OK;
    }
    if (shape->n_dim > TENSOR_RANK) {
        return refuse(r->why, KILN_INVALID, "input \"%.60s\" has %zu dimensions, at most %d", v->name,
                      shape->n_dim, TENSOR_RANK);
    }
    v->constant.rank = (int) shape->n_dim;
    for (size_t d = 0; d < shape->n_dim; d++) {
        const Pb__Dimension *dim = shape->dim[d];
        v->constant.dims[d] = dim->has_dim_value ? dim->dim_value : -1;
        if (dim->has_dim_value && dim->dim_value < 0) {
            v->constant.dims[d] = -1; /* some exporters write a free dimension so */
        }
        if (dim->dim_param && *dim->dim_param &&
            !(names[d] = pool_string(r->pool, dim->dim_param, strlen(dim->dim_param)))) {
            return refuse_memory(r->why, "names");
        }
    }
    return KILN_OK;
}

static int read_inputs(struct reader *r, const Pb__Graph *from)
{
    struct graph *g = &r->model->graph;
    for (size_t i = 0; i < from->n_input; i++) {
        const Pb__ValueInfo *info = from->input[i];
        const char *name = or_empty(info->name);
        const int known = names_find(&r->values, name);
        if (known >= 0 && !g->values[known].is_input) { /* an initializer: it has the value that it has */
            continue;
        }
        if (!info->type || !info->type->tensor_type) {
            return refuse(r->why, KILN_INVALID, "input \"%.60s\" is %s, expected a tensor", name,
                          info->type ? other_type(info->type) : "of no type");
        }
        const Pb__TensorType *type = info->type->tensor_type;
        if (type->elem_type < 0 || !dtype_size((enum dtype) type->elem_type)) {
            return refuse(r->why, KILN_INVALID,
                          "input \"%.60s\" has element type %d, which Kiln does not compute with", name,
                          (int) type->elem_type);
        }
        int v;
        int rc = new_value(r, name, "input", &v);
        if (rc) {
            return rc;
        }
        g->values[v].is_input = true;
        g->values[v].constant.dtype = (enum dtype) type->elem_type;
        rc = read_shape(r, type->shape, g->n_inputs, &g->values[v]);
        if (rc) {
            return rc;
        }
        g->inputs[g->n_inputs++] = v;
    }
    return KILN_OK;
}

static int read_outputs(struct reader *r, const Pb__Graph *from)
{
    struct graph *g = &r->model->graph;
    for (size_t i = 0; i < from->n_output; i++) {
        const char *name = or_empty(from->output[i]->name);
        const int v = names_find(&r->values, name);
        if (v < 0) {
            return refuse(r->why, KILN_INVALID, "output \"%.60s\" is made by no node", name);
        }
        if (g->values[v].is_output) {
            return refuse(r->why, KILN_INVALID, "output \"%.60s\" is listed twice", name);
        }
        g->values[v].is_output = true;
        g->outputs[g->n_outputs++] = v;
    }
    return g->n_outputs ? KILN_OK : refuse(r->why, KILN_INVALID, "the graph has no outputs");
}

/* ---- nodes */

/* Outputs first: a node may read what a later one makes. */
static int read_node_outputs(struct reader *r, const Pb__Node *from, int number, struct node *node)
{
    int *ends = pool_array(r->pool, from->n_input + from->n_output, sizeof *ends);
    if (!ends) {
        return refuse_memory(r->why, "nodes");
    }
    node->in = ends;
    node->out = ends + from->n_input;
    node->n_in = (int) from->n_input;
    node->n_out = (int) from->n_output;
    for (int k = 0; k < node->n_out; k++) {
        node->out[k] = -1;
        if (from->output[k][0]) {
            char what[120];
            snprintf(what, sizeof what, "node %d (%.40s): output", number, node->op->name);
            const int rc = new_value(r, from->output[k], what, &node->out[k]);
            if (rc) {
                return rc;
            }
            r->model->graph.values[node->out[k]].maker = number;
        }
    }
    return KILN_OK;
}

static int read_node_inputs(struct reader *r, const Pb__Node *from, struct node *node)
{
    for (int i = 0; i < node->n_in; i++) {
        node->in[i] = -1;
        if (from->input[i][0] && (node->in[i] = names_find(&r->values, from->input[i])) < 0) {
            return refuse(r->why, KILN_INVALID, "node \"%.60s\" (%s): its input \"%.60s\" is made by no node",
                          node->name, node->op->name, from->input[i]);
        }
        if (node->in[i] < 0 && i < node->op->min_in) {
            return refuse(r->why, KILN_INVALID, "node \"%.60s\" (%s): input %d is not given", node->name,
                          node->op->name, i);
        }
    }
    return KILN_OK;
}

static int read_nodes(struct reader *r, const Pb__Graph *from)
{
    struct graph *g = &r->model->graph;
    for (size_t n = 0; n < from->n_node; n++) {
        int rc = read_node(r, from->node[n], (int) n, &g->nodes[n]);
        rc = rc ? rc : read_node_outputs(r, from->node[n], (int) n, &g->nodes[n]);
        if (rc) {
            return rc;
        }
    }
    g->n_nodes = (int) from->n_node;
    for (size_t n = 0; n < from->n_node; n++) {
        const int rc = read_node_inputs(r, from->node[n], &g->nodes[n]);
        if (rc) {
            return rc;
        }
    }
    return KILN_OK;
}

static int allocate(struct reader *r, const Pb__Graph *from)
{
    struct graph *g = &r->model->graph;
    if (from->n_node > MOST_NODES) {
        return refuse(r->why, KILN_INVALID, "the graph has %zu nodes, at most %d", from->n_node,
                      (int) MOST_NODES);
    }
    size_t most = from->n_initializer + from->n_input;
    for (size_t n = 0; n < from->n_node; n++) {
        most += from->node[n]->n_output;
    }
    g->values = pool_array(r->pool, most, sizeof *g->values);
    g->nodes = pool_array(r->pool, from->n_node, sizeof *g->nodes);
    g->inputs = pool_array(r->pool, from->n_input, sizeof *g->inputs);
    g->outputs = pool_array(r->pool, from->n_output, sizeof *g->outputs);
    r->model->dim_names = pool_array(r->pool, from->n_input, sizeof *r->model->dim_names);
    return most <= INT32_MAX / 2 && g->values && g->nodes && g->inputs && g->outputs && r->model->dim_names &&
                   names_init(&r->values, &r->temporary, most)
               ? KILN_OK
               : refuse_memory(r->why, "the graph");
}

/* ---- the file */

static int read_opsets(struct reader *r, const Pb__Model *from)
{
    struct graph *g = &r->model->graph;
    for (size_t i = 0; i < from->n_opset_import; i++) {
        const char *domain = or_empty(from->opset_import[i]->domain);
        const bool ml = strcmp(domain, "ai.onnx.ml") == 0;
        if (!ml && *domain && strcmp(domain, "ai.onnx") != 0) {
            continue; /* its nodes are refused, if there are any */
        }
        const int newest = ml ? OPSET_ML_NEWEST : OPSET_NEWEST;
        const int64_t version = from->opset_import[i]->version;
        if (version < 1 || version > newest) {
            return refuse(r->why, KILN_INVALID,
                          "made for version %lld of %s, expected 1 to %d, the newest known",
                          (long long) version, ml ? "ai.onnx.ml" : "ai.onnx", newest);
        }
        *(ml ? &g->opset_ml : &g->opset) = (int) version;
    }
    return KILN_OK;
}

static int read_about(struct reader *r, const Pb__Model *from)
{
    struct model *m = r->model;
    char producer[200];
    snprintf(producer, sizeof producer, "%.90s %.90s", or_empty(from->producer_name),
             or_empty(from->producer_version));
    const char *doc = or_empty(from->doc_string), *name = or_empty(from->graph->name);
    struct model_entry *entries = pool_array(r->pool, from->n_metadata_props, sizeof *entries);
    m->producer = pool_string(r->pool, producer, strlen(producer));
    m->doc = pool_string(r->pool, doc, strlen(doc));
    m->graph_name = pool_string(r->pool, name, strlen(name));
    m->version = from->model_version;
    bool ok = entries && m->producer && m->doc && m->graph_name;
    for (size_t i = 0; ok && i < from->n_metadata_props; i++) {
        const char *key = or_empty(from->metadata_props[i]->key),
                   *value = or_empty(from->metadata_props[i]->value);
        entries[i].key = pool_string(r->pool, key, strlen(key));
        entries[i].value = pool_string(r->pool, value, strlen(value));
        ok = entries[i].key && entries[i].value;
    }
    m->metadata = entries;
    m->n_metadata = from->n_metadata_props;
    return ok ? KILN_OK : refuse_memory(r->why, "metadata");
}

static int read_parsed(struct reader *r, const Pb__Model *from)
{
    if (!from->graph) {
        return refuse(r->why, KILN_INVALID, "not an ONNX model: it has no graph");
    }
    int rc = read_opsets(r, from);
    rc = rc ? rc : read_about(r, from);
    rc = rc ? rc : allocate(r, from->graph);
    rc = rc ? rc : read_initializers(r, from->graph);
    rc = rc ? rc : read_inputs(r, from->graph);
    rc = rc ? rc : read_nodes(r, from->graph);
    rc = rc ? rc : read_outputs(r, from->graph);
    return rc ? rc : graph_order(&r->model->graph, &r->temporary, r->why);
}

static void reader_init(struct reader *r, struct model *m, int folder, struct refusal *why)
{
    *r = (struct reader){.model = m, .pool = &m->pool, .why = why, .folder = folder};
    pool_init(&r->temporary, &m->budget);
}

int read_model(struct model *m, const void *data, size_t bytes, struct pool *home, int folder,
               struct refusal *why)
{
    struct reader r;
    reader_init(&r, m, folder, why);
    const ProtobufCMessage *parsed = parse(&r, &pb__model__descriptor, data, bytes);
    if (home) {
        pool_reuse(&m->pool, home);
    }
    const int rc = parsed ? read_parsed(&r, (const Pb__Model *) parsed) : why->status;
    pool_done(&r.temporary);
    return rc;
}

int read_tensor_alone(struct model *m, const void *data, size_t bytes, struct tensor *ret_tensor,
                      struct refusal *why)
{
    struct reader r;
    reader_init(&r, m, -1, why);
    const ProtobufCMessage *parsed = parse(&r, &pb__tensor__descriptor, data, bytes);
    const int rc = parsed ? read_tensor(&r, (const Pb__Tensor *) parsed, "tensor", ret_tensor) : why->status;
    pool_done(&r.temporary);
    return rc;
}
