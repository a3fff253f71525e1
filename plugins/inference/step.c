/* SPDX-License-Identifier: MPL-2.0 */
/* What operators call while they are planned and run (op.h). */
#include <string.h>

#include "plan.h"
#include "step.h"

int step_fail(struct step *s, const char *format, ...)
{
    char sentence[360];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    refuse(s->plan->why, KILN_INVALID, "node \"%.60s\" (%s): %s", s->node->name, s->node->op->name, sentence);
    return KILN_INVALID;
}

int run_fail(struct run *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->why, sizeof r->why, format, args);
    va_end(args);
    return KILN_INVALID;
}

int step_needs(struct step *s, int i)
{
    if (i < 0 || i >= s->n_in || !s->in[i] || s->in[i]->data) {
        return step_fail(s, "asks for the elements of input %d, which it has", i);
    }
    s->plan->stage->needs = s->node->in[i];
    return STEP_NEEDS;
}

int step_output(struct step *s, int k, enum dtype dtype, int rank, const int64_t *dims)
{
    if (k >= s->n_out || !s->out[k]) {
        return KILN_OK;
    }
    for (int i = 0; i < rank && i < TENSOR_RANK; i++) {
        if (dims[i] < 0) {
            return step_fail(s, "output %d would have dimension %d of %lld", k, i, (long long) dims[i]);
        }
    }
    if (rank > TENSOR_RANK) {
        return step_fail(s, "output %d would have rank %d, at most %d", k, rank, TENSOR_RANK);
    }
    return tensor_set(s->out[k], dtype, rank, dims) ? KILN_OK
                                                    : step_fail(s, "output %d would be too large", k);
}

int step_known(struct step *s, int k, enum dtype dtype, int rank, const int64_t *dims, void *data)
{
    static max_align_t nothing; /* known to have no elements */
    const int rc = step_output(s, k, dtype, rank, dims);
    if (rc == KILN_OK && k < s->n_out && s->out[k]) {
        s->out[k]->data = data ? data : &nothing;
    }
    return rc;
}

void *plan_alloc(struct plan *p, size_t bytes)
{
    return pool_alloc(&p->stage->pool, bytes);
}

void **step_shared(struct step *s, int number)
{
    struct graph *g = &s->plan->model->graph;
    return &g->nodes[s->node - g->nodes].shared[number];
}

void *model_alloc(struct step *s, size_t bytes)
{
    return pool_alloc(&s->plan->model->pool, bytes);
}

int step_opset(const struct step *s)
{
    const struct graph *g = &s->plan->model->graph;
    return strcmp(s->node->op->domain, "ai.onnx.ml") == 0 ? g->opset_ml : g->opset;
}

bool step_is_constant(const struct step *s, int i)
{
    return i < s->n_in && s->in[i] && s->plan->known[s->node->in[i]] == CONSTANT;
}

/* ---- attributes */

static const struct attr *find(const struct node *node, const char *name)
{
    for (size_t i = 0; i < node->n_attrs; i++) {
        if (strcmp(node->attrs[i].name, name) == 0) {
            return &node->attrs[i];
        }
    }
    return NULL;
}

static const char *const type_names[] = {
    [ATTR_INT] = "an int",
    [ATTR_FLOAT] = "a float",
    [ATTR_TEXT] = "a string",
    [ATTR_TENSOR] = "a tensor",
    [ATTR_INTS] = "a list of ints",
    [ATTR_FLOATS] = "a list of floats",
    [ATTR_TEXTS] = "a list of strings",
    [ATTR_GRAPH] = "a graph",
};

/* The attribute when it is there and of this type. */
static const struct attr *typed(struct step *s, const char *name, enum attr_type type)
{
    const struct attr *a = find(s->node, name);
    if (!a || a->type == type) {
        return a;
    }
    step_fail(s, "attribute %s is %s, expected %s", name, type_names[a->type], type_names[type]);
    s->plan->bad_attribute = true;
    return NULL;
}

int64_t step_int(struct step *s, const char *name, int64_t fallback)
{
    const struct attr *a = typed(s, name, ATTR_INT);
    return a ? a->i : fallback;
}

float step_float(struct step *s, const char *name, float fallback)
{
    const struct attr *a = typed(s, name, ATTR_FLOAT);
    return a ? a->f : fallback;
}

struct text step_text(struct step *s, const char *name, const char *fallback)
{
    const struct attr *a = typed(s, name, ATTR_TEXT);
    return a ? a->text : (struct text){fallback, fallback ? strlen(fallback) : 0};
}

size_t step_ints(struct step *s, const char *name, const int64_t **ret)
{
    const struct attr *a = typed(s, name, ATTR_INTS);
    *ret = a ? a->ints : NULL;
    return a ? a->n : 0;
}

size_t step_floats(struct step *s, const char *name, const float **ret)
{
    const struct attr *a = typed(s, name, ATTR_FLOATS);
    *ret = a ? a->floats : NULL;
    return a ? a->n : 0;
}

size_t step_texts(struct step *s, const char *name, const struct text **ret)
{
    const struct attr *a = typed(s, name, ATTR_TEXTS);
    *ret = a ? a->texts : NULL;
    return a ? a->n : 0;
}

const struct tensor *step_tensor(struct step *s, const char *name)
{
    const struct attr *a = typed(s, name, ATTR_TENSOR);
    return a ? &a->tensor : NULL;
}

bool step_has(const struct step *s, const char *name)
{
    return find(s->node, name) != NULL;
}

bool text_is(struct text t, const char *word)
{
    return t.bytes == strlen(word) && memcmp(t.chars, word, t.bytes) == 0;
}

int axis_of(int64_t axis, int rank)
{
    return axis < -rank || axis >= rank ? -1 : (int) (axis < 0 ? axis + rank : axis);
}
