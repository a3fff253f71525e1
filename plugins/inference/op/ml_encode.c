/* SPDX-License-Identifier: MPL-2.0 */
/* OneHotEncoder, LabelEncoder, CategoryMapper: keys become columns, or other values. */
#include <stdio.h>
#include <string.h>

#include "ml.h"
#include "ml_lookup.h"

enum { ENCODER }; /* number of what all plans share */

/* Made of attributes alone. */
struct encoder {
    struct ml_lookup keys, back; /* back: of nodes that go both ways, from values to keys */
    struct tensor values, names; /* of key i: element i */
    struct tensor other;         /* one element: for what is no key */
    struct tensor other_back;
    bool zeros; /* OneHotEncoder: what is in no category is a row of zeros, not an error */
};

static struct tensor list_of(enum dtype dtype, size_t n, const void *data)
{
    return (struct tensor){.dtype = dtype,
                           .rank = 1,
                           .dims = {(int64_t) n},
                           .count = (int64_t) n,
                           .data = (void *) (uintptr_t) data};
}

static struct tensor texts_of(struct step *s, const char *name)
{
    const struct text *texts;
    const size_t n = step_texts(s, name, &texts);
    return list_of(DT_STRING, n, texts);
}

static struct tensor ints_of(struct step *s, const char *name)
{
    const int64_t *ints;
    const size_t n = step_ints(s, name, &ints);
    return list_of(DT_I64, n, ints);
}

static struct tensor floats_of(struct step *s, const char *name)
{
    const float *floats;
    const size_t n = step_floats(s, name, &floats);
    return list_of(DT_F32, n, floats);
}

/* The encoder that all plans share, made by `read` the first time. */
static int shared_encoder(struct step *s, int (*read)(struct step *, struct encoder *), struct encoder **ret)
{
    void **shared = step_shared(s, ENCODER);
    if (!*shared) {
        struct encoder *e = model_alloc(s, sizeof *e);
        const int rc = e ? read(s, e) : KILN_RESOURCE;
        if (rc) {
            return rc;
        }
        *shared = e;
    }
    *ret = *shared;
    return KILN_OK;
}

/* One value that a default has. */
static int one_of(struct step *s, enum dtype dtype, const void *value, size_t bytes, struct tensor *ret)
{
    void *copy = model_alloc(s, bytes);
    if (!copy) {
        return KILN_RESOURCE;
    }
    memcpy(copy, value, bytes);
    *ret = list_of(dtype, 1, copy);
    return KILN_OK;
}

static int default_text(struct step *s, struct tensor *ret)
{
    const struct text text = step_text(s, "default_string", "_Unused");
    return one_of(s, DT_STRING, &text, sizeof text, ret);
}

static int default_int(struct step *s, struct tensor *ret)
{
    const int64_t i = step_int(s, "default_int64", -1);
    return one_of(s, DT_I64, &i, sizeof i, ret);
}

static int default_float(struct step *s, struct tensor *ret)
{
    const float f = step_float(s, "default_float", -0.0f);
    return one_of(s, DT_F32, &f, sizeof f, ret);
}

static int refuse_input(struct step *s, const char *expected)
{
    char shown[120];
    return step_fail(s, "the input is %s, expected %s", tensor_text(s->in[0], shown, sizeof shown), expected);
}

static const char *const kinds[] = {
    [ML_KEY_INT] = "numbers", [ML_KEY_FLOAT] = "floats", [ML_KEY_TEXT] = "strings"};

/* ---- OneHotEncoder */

static int read_one_hot(struct step *s, struct encoder *e)
{
    const struct tensor ints = ints_of(s, "cats_int64s"), texts = texts_of(s, "cats_strings");
    if (!ints.count == !texts.count) {
        return step_fail(s, "expected categories, either cats_int64s or cats_strings");
    }
    e->zeros = step_int(s, "zeros", 1) != 0;
    return ml_lookup_make(s, ints.count ? &ints : &texts, &e->keys);
}

static int run_one_hot(const struct step *s, struct run *r)
{
    const struct encoder *e = s->state;
    const struct tensor *in = s->in[0];
    float *y = s->out[0]->data;
    memset(y, 0, tensor_bytes(s->out[0]));
    for (int64_t i = 0; i < in->count; i++, y += e->keys.n) {
        const size_t k = ml_lookup_find(&e->keys, in, i);
        if (k < e->keys.n) {
            y[k] = 1;
        } else if (!e->zeros) {
            return run_fail(r, "element %lld of the input is in no category", (long long) i);
        }
    }
    return KILN_OK;
}

static int plan_one_hot(struct step *s)
{
    struct encoder *e;
    const int rc = shared_encoder(s, read_one_hot, &e);
    if (rc) {
        return rc;
    }
    if (!ml_lookup_fits(&e->keys, s->in[0]->dtype)) {
        return refuse_input(s, kinds[e->keys.kind]);
    }
    int64_t dims[TENSOR_RANK + 1];
    memcpy(dims, s->in[0]->dims, sizeof s->in[0]->dims);
    dims[s->in[0]->rank] = (int64_t) e->keys.n;
    s->state = e;
    s->run = run_one_hot;
    return step_output(s, 0, DT_F32, s->in[0]->rank + 1, dims);
}

/* ---- a value for each key */

static int run_map(const struct step *s, const struct ml_lookup *keys, const struct tensor *values,
                   const struct tensor *other)
{
    const struct tensor *in = s->in[0];
    const size_t size = dtype_size(values->dtype);
    char *y = s->out[0]->data;
    for (int64_t i = 0; i < in->count; i++, y += size) {
        const size_t k = ml_lookup_find(keys, in, i);
        memcpy(y, k < keys->n ? (const char *) values->data + k * size : other->data, size);
    }
    return KILN_OK;
}

static int run_there(const struct step *s, struct run *r)
{
    const struct encoder *e = s->state;
    (void) r;
    return run_map(s, &e->keys, &e->values, &e->other);
}

static int run_back(const struct step *s, struct run *r)
{
    const struct encoder *e = s->state;
    (void) r;
    return run_map(s, &e->back, &e->names, &e->other_back);
}

/* What goes both ways: strings become whole numbers, whole numbers strings. */
static int plan_both(struct step *s, int (*read)(struct step *, struct encoder *))
{
    struct encoder *e;
    const int rc = shared_encoder(s, read, &e);
    if (rc) {
        return rc;
    }
    const bool text = s->in[0]->dtype == DT_STRING;
    if (!text && s->in[0]->dtype != DT_I64) {
        return refuse_input(s, "strings or int64");
    }
    s->state = e;
    s->run = text ? run_there : run_back;
    return step_output(s, 0, text ? DT_I64 : DT_STRING, s->in[0]->rank, s->in[0]->dims);
}

static int read_both(struct step *s, struct encoder *e, struct tensor texts, struct tensor ints)
{
    e->names = texts;
    e->values = ints;
    int rc = ml_lookup_make(s, &texts, &e->keys);
    rc = rc ? rc : ml_lookup_make(s, &ints, &e->back);
    rc = rc ? rc : default_int(s, &e->other);
    return rc ? rc : default_text(s, &e->other_back);
}

static int read_mapper(struct step *s, struct encoder *e)
{
    const struct tensor texts = texts_of(s, "cats_strings"), ints = ints_of(s, "cats_int64s");
    return texts.count == ints.count
               ? read_both(s, e, texts, ints)
               : step_fail(s, "there are %lld cats_strings and %lld cats_int64s, expected as many of each",
                           (long long) texts.count, (long long) ints.count);
}

static int plan_mapper(struct step *s)
{
    return plan_both(s, read_mapper);
}

/* ---- LabelEncoder: until version 1 a list of classes and their places in it */

static int read_classes(struct step *s, struct encoder *e)
{
    const struct tensor texts = texts_of(s, "classes_strings");
    int64_t *places = model_alloc(s, ((size_t) texts.count + 1) * sizeof *places);
    for (int64_t i = 0; places && i < texts.count; i++) {
        places[i] = i;
    }
    return places ? read_both(s, e, texts, list_of(DT_I64, (size_t) texts.count, places)) : KILN_RESOURCE;
}

static int plan_classes(struct step *s)
{
    return plan_both(s, read_classes);
}

/* From version 2 on keys and values, each of a type; from version 4 on also as tensors. */
static int read_side(struct step *s, const char *side, struct tensor *ret)
{
    static const char *const ends[] = {"strings", "int64s", "floats", "tensor"};
    int found = 0;
    for (int i = 0; i < 4; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s_%s", side, ends[i]);
        if (!step_has(s, name)) {
            continue;
        }
        const struct tensor *t = i == 3 ? step_tensor(s, name) : NULL;
        *ret = i == 0   ? texts_of(s, name)
               : i == 1 ? ints_of(s, name)
               : i == 2 ? floats_of(s, name)
               : t      ? *t
                        : (struct tensor){0};
        found += ret->count > 0;
        if (t && t->dtype != DT_STRING && !ml_is_number(t) && t->dtype != DT_I16) {
            return step_fail(
                s, "attribute %s is of %s, expected string, float32, float64, int64, int32 or int16", name,
                dtype_name(t->dtype));
        }
    }
    return found == 1
               ? KILN_OK
               : step_fail(
                     s,
                     "there are %d lists of %s, expected one of %s_strings, %s_int64s, %s_floats, %s_tensor",
                     found, side, side, side, side, side);
}

static int read_other(struct step *s, const struct tensor *values, struct tensor *ret)
{
    const struct tensor *t = step_tensor(s, "default_tensor");
    if (t) {
        *ret = *t;
        return t->dtype == values->dtype && t->count == 1
                   ? KILN_OK
                   : step_fail(s, "attribute default_tensor has %lld elements of %s, expected one of %s",
                               (long long) t->count, dtype_name(t->dtype), dtype_name(values->dtype));
    }
    static const uint64_t zero;
    return values->dtype == DT_STRING ? default_text(s, ret)
           : values->dtype == DT_I64  ? default_int(s, ret)
           : values->dtype == DT_F32  ? default_float(s, ret)
                                      : one_of(s, values->dtype, &zero, dtype_size(values->dtype), ret);
}

static int read_labels(struct step *s, struct encoder *e)
{
    struct tensor keys = {0};
    int rc = read_side(s, "keys", &keys);
    rc = rc ? rc : read_side(s, "values", &e->values);
    if (rc) {
        return rc;
    }
    if (keys.count != e->values.count) {
        return step_fail(s, "there are %lld keys and %lld values, expected as many of each",
                         (long long) keys.count, (long long) e->values.count);
    }
    rc = ml_lookup_make(s, &keys, &e->keys);
    return rc ? rc : read_other(s, &e->values, &e->other);
}

static int plan_labels(struct step *s)
{
    struct encoder *e;
    const int rc = shared_encoder(s, read_labels, &e);
    if (rc) {
        return rc;
    }
    const enum dtype dtype = s->in[0]->dtype;
    if (!ml_lookup_fits(&e->keys, dtype) || (e->keys.kind == ML_KEY_INT && dtype_is_float(dtype))) {
        return refuse_input(s, kinds[e->keys.kind]);
    }
    s->state = e;
    s->run = run_there;
    return step_output(s, 0, e->values.dtype, s->in[0]->rank, s->in[0]->dims);
}

static const struct op ops[] = {
    {"ai.onnx.ml", "OneHotEncoder", 1, 1, 1, 1, 1, plan_one_hot},
    {"ai.onnx.ml", "CategoryMapper", 1, 1, 1, 1, 1, plan_mapper},
    {"ai.onnx.ml", "LabelEncoder", 1, 1, 1, 1, 1, plan_classes},
    {"ai.onnx.ml", "LabelEncoder", 2, 1, 1, 1, 1, plan_labels},
};

const struct op_table op_ml_encode = {ops, sizeof ops / sizeof *ops};
