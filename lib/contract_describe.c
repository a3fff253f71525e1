/* SPDX-License-Identifier: MPL-2.0 */
/* contract_describe - rows as msgpack, for those who ask what a function takes. */
#include <math.h>
#include <string.h>

#include "array.h"
#include "contract_impl.h"

static void text(struct buf *out, const char *key, const char *value, size_t *pairs)
{
    if (value && value[0]) {
        buf_put_text(out, key);
        buf_put_text(out, value);
        (*pairs)++;
    }
}

static void flag(struct buf *out, const char *key, bool on, size_t *pairs)
{
    if (on) {
        buf_put_text(out, key);
        buf_put_bool(out, true);
        (*pairs)++;
    }
}

static void number(struct buf *out, const char *key, double v, size_t *pairs)
{
    if (isfinite(v)) {
        buf_put_text(out, key);
        buf_put_f64(out, v);
        (*pairs)++;
    }
}

static void describe_row(const struct contract *c, const struct member *m, struct buf *out)
{
    const struct kiln_row *row = m->row;
    char shape[200] = "";
    size_t pairs = 0, head = out->bytes;
    /* The number of pairs is known at the end: a map16 head is patched then. */
    buf_put_raw(out, "\xde\0\0", 3);
    text(out, "name", row->name, &pairs);
    text(out, "kind", contract_kind_name(row->kind), &pairs);
    if (m->shape.rank) {
        contract_shape_show(c, &m->shape, shape, sizeof shape);
        text(out, "dtype", m->kind == KILN_TABLE ? NULL : array_dtype_name(m->dtype), &pairs);
        text(out, "shape", shape, &pairs);
    }
    text(out, "unit", row->unit, &pairs);
    if (m->ranged) {
        number(out, "min", row->min, &pairs);
        number(out, "max", row->max, &pairs);
        flag(out, "open_min", row->flags & KILN_OPEN_MIN && isfinite(row->min), &pairs);
        flag(out, "open_max", row->flags & KILN_OPEN_MAX && isfinite(row->max), &pairs);
    }
    flag(out, "required", row->flags & KILN_REQUIRED, &pairs);
    flag(out, "finite", row->flags & KILN_FINITE, &pairs);
    flag(out, "lenient", row->flags & KILN_LENIENT, &pairs);
    flag(out, "optional", row->flags & KILN_OPTIONAL, &pairs);
    text(out, "default", row->fallback, &pairs);
    text(out, "choices", row->choices, &pairs);
    text(out, "help", row->help, &pairs);
    if (!out->failed) {
        out->data[head + 2] = (uint8_t) pairs;
    }
}

static void describe_side(const struct contract *c, const struct side *side, struct buf *out)
{
    buf_put_list(out, side->n);
    for (size_t i = 0; i < side->n; i++) {
        describe_row(c, side->of_row[i], out);
    }
}

void contract_describe_params(const struct contract *c, struct buf *out)
{
    describe_side(c, &c->params, out);
}

void contract_describe(const struct contract *c, struct buf *out)
{
    buf_put_str_const(out, "params");
    describe_side(c, &c->params, out);
    buf_put_str_const(out, "results");
    describe_side(c, &c->results, out);
}
