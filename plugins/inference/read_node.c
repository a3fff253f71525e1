/* SPDX-License-Identifier: MPL-2.0 */
#include <string.h>

#include "lists.h"
#include "ops.h"
#include "read.h"

/* AttributeProto.AttributeType of the ONNX schema. */
enum pb_type { PB_NONE, PB_FLOAT, PB_INT, PB_STRING, PB_TENSOR, PB_GRAPH, PB_FLOATS, PB_INTS, PB_STRINGS };

/* Files of the first years do not say which field is meant. */
static enum pb_type attribute_type(const Pb__Attribute *a, const struct lists *l)
{
    return a->type       ? (enum pb_type) a->type
           : a->g.data   ? PB_GRAPH
           : a->t        ? PB_TENSOR
           : l->n_floats ? PB_FLOATS
           : l->n_ints   ? PB_INTS
           : l->n_texts  ? PB_STRINGS
           : a->has_f    ? PB_FLOAT
           : a->has_i    ? PB_INT
           : a->has_s    ? PB_STRING
                         : PB_NONE;
}

static int read_value(struct reader *r, const Pb__Attribute *from, const struct lists *lists,
                      const char *what, struct attr *to)
{
    switch (attribute_type(from, lists)) {
    case PB_FLOAT:
        to->type = ATTR_FLOAT;
        to->f = from->f;
        break;
    case PB_INT:
        to->type = ATTR_INT;
        to->i = from->i;
        break;
    case PB_STRING:
        to->type = ATTR_TEXT;
        to->text = (struct text){pool_string(r->pool, (const char *) from->s.data, from->s.len), from->s.len};
        return to->text.chars ? KILN_OK : refuse_memory(r->why, what);
    case PB_TENSOR:
        to->type = ATTR_TENSOR;
        return from->t ? read_tensor(r, from->t, what, &to->tensor)
                       : refuse(r->why, KILN_INVALID, "%s is a tensor, but has none", what);
    case PB_FLOATS:
        to->type = ATTR_FLOATS;
        to->n = lists->n_floats;
        to->floats = lists->floats;
        break;
    case PB_INTS:
        to->type = ATTR_INTS;
        to->n = lists->n_ints;
        to->ints = lists->ints;
        break;
    case PB_STRINGS:
        to->type = ATTR_TEXTS;
        to->n = lists->n_texts;
        to->texts = lists->texts;
        break;
    case PB_GRAPH:
        return refuse(r->why, KILN_INVALID, "%s is a graph: control flow is not computed", what);
    default:
        return refuse(r->why, KILN_INVALID, "%s is of type %d, which no operator here takes", what,
                      (int) attribute_type(from, lists));
    }
    return KILN_OK;
}

static int refuse_damaged(struct reader *r, const char *label, size_t number)
{
    return refuse(r->why, KILN_INVALID, "%s: attribute %zu cannot be parsed, it is truncated or damaged",
                  label, number);
}

/* Attribute `number` of a node, after those before it in attrs. */
static int read_attribute(struct reader *r, ProtobufCBinaryData bytes, const char *label, size_t number,
                          struct attr *attrs)
{
    struct lists lists;
    switch (lists_take(r->pool, bytes.data, &bytes.len, &lists)) {
    case LISTS_DAMAGED:
        return refuse_damaged(r, label, number);
    case LISTS_NO_MEMORY:
        return refuse_memory(r->why, "attributes");
    case LISTS_OK:
        break;
    }
    const Pb__Attribute *a =
        (const Pb__Attribute *) read_message(r, &pb__attribute__descriptor, bytes.data, bytes.len);
    if (!a) {
        return refuse_damaged(r, label, number);
    }
    const char *name = a->name ? a->name : "";
    char what[200];
    snprintf(what, sizeof what, "%s: attribute %.40s", label, name);
    if (a->ref_attr_name && *a->ref_attr_name) {
        return refuse(r->why, KILN_INVALID, "%s refers to one of a function: functions are not computed",
                      what);
    }
    for (size_t k = 0; k < number; k++) {
        if (strcmp(attrs[k].name, name) == 0) {
            return refuse(r->why, KILN_INVALID, "%s is given twice", what);
        }
    }
    attrs[number].name = pool_string(r->pool, name, strlen(name));
    return attrs[number].name ? read_value(r, a, &lists, what, &attrs[number])
                              : refuse_memory(r->why, "attributes");
}

static int read_attributes(struct reader *r, const Pb__Node *from, const char *label, struct node *to)
{
    struct attr *attrs = pool_array(r->pool, from->n_attribute, sizeof *attrs);
    int rc = attrs ? KILN_OK : refuse_memory(r->why, "attributes");
    to->attrs = attrs;
    to->n_attrs = from->n_attribute;
    for (size_t i = 0; i < from->n_attribute && rc == KILN_OK; i++) {
        rc = read_attribute(r, from->attribute[i], label, i, attrs);
    }
    return rc;
}

static int check_ends(struct reader *r, const Pb__Node *from, const char *label, const struct op *op)
{
    const struct {
        const char *name;
        size_t n;
        int min, max;
    } ends[] = {{"inputs", from->n_input, op->min_in, op->max_in},
                {"outputs", from->n_output, op->min_out, op->max_out}};
    for (int i = 0; i < 2; i++) {
        if (ends[i].n > MOST_NODE_ENDS || (ends[i].min >= 0 && ends[i].n < (size_t) ends[i].min) ||
            (ends[i].max >= 0 && ends[i].n > (size_t) ends[i].max)) {
            char range[40] = "";
            if (ends[i].max >= 0) {
                snprintf(range, sizeof range, " to %d", ends[i].max);
            }
            return refuse(r->why, KILN_INVALID, "%s has %zu %s, expected %d%s", label, ends[i].n,
                          ends[i].name, ends[i].min < 0 ? 0 : ends[i].min, range);
        }
    }
    return KILN_OK;
}

static int find_op(struct reader *r, const char *label, const char *domain, const char *name,
                   const struct op **ret_op)
{
    const struct graph *g = &r->model->graph;
    const bool ml = strcmp(domain, "ai.onnx.ml") == 0;
    if (*domain && !ml) {
        return refuse(r->why, KILN_INVALID,
                      "%s: the domain \"%.60s\" is not known, expected ai.onnx or ai.onnx.ml", label, domain);
    }
    const int opset = ml ? g->opset_ml : g->opset;
    if (!opset) {
        return refuse(r->why, KILN_INVALID, "%s: the model does not say which version of %s it was made for",
                      label, ml ? "ai.onnx.ml" : "ai.onnx");
    }
    int oldest;
    *ret_op = ops_find(domain, name, opset, &oldest);
    if (*ret_op) {
        return KILN_OK;
    }
    return oldest ? refuse(r->why, KILN_INVALID, "%s: known since opset %d, the model was made for %d", label,
                           oldest, opset)
                  : refuse(r->why, KILN_INVALID, "%s: this operator is not known", label);
}

int read_node(struct reader *r, const Pb__Node *from, int number, struct node *ret_node)
{
    const char *type = from->op_type ? from->op_type : "", *domain = from->domain ? from->domain : "";
    const char *name = from->name && *from->name ? from->name
                       : from->n_output && from->output[0][0]
                           ? from->output[0] /* what files without names can be searched for */
                           : "";
    domain = strcmp(domain, "ai.onnx") == 0 ? "" : domain;
    char label[160];
    snprintf(label, sizeof label, "node %d \"%.60s\" (%.40s)", number, name, type);
    struct node node = {.name = pool_string(r->pool, name, strlen(name))};
    if (!node.name) {
        return refuse_memory(r->why, "nodes");
    }
    int rc = find_op(r, label, domain, type, &node.op);
    rc = rc ? rc : check_ends(r, from, label, node.op);
    rc = rc ? rc : read_attributes(r, from, label, &node);
    if (rc == KILN_OK) {
        *ret_node = node;
    }
    return rc;
}
