/* SPDX-License-Identifier: MPL-2.0 */
/* Clip. Bounds are attributes before opset 11, then inputs, which may be computed; NaN stays. Where the lower bound is
 * over the upper one, the upper one holds. */
#include <math.h>

#include "../kernel/act.h"
#include "loop.h"
#include "../op.h"

typedef void clip_fn(void *out, const void *in, int64_t n, const void *least, const void *most);

struct clip {
    clip_fn *fn;
    union {
        float f32;
        double f64;
    } least, most;     /* the attributes */
    bool by_attribute; /* else by inputs 1 and 2, where they are */
};

#define CLIP(t, D)                                                                                           \
    static void clip_##t(void *out, const void *in, int64_t n, const void *least, const void *most)          \
    {                                                                                                        \
        const T_##t *x = in, low = least ? *(const T_##t *) least : LEAST_##t;                               \
        const T_##t high = most ? *(const T_##t *) most : MOST_##t;                                          \
        T_##t *r = out;                                                                                      \
        LOOP for (int64_t i = 0; i < n; i++)                                                                 \
        {                                                                                                    \
            T_##t v = x[i] < low ? low : x[i];                                                               \
            r[i] = v > high ? high : v;                                                                      \
        }                                                                                                    \
    }
#define ROW(t, D) [D] = clip_##t,
FOR_INTEGER(CLIP)
CLIP(f64, DT_F64)

static void clip_f32(void *out, const void *in, int64_t n, const void *least, const void *most)
{
    act_map(ACT_CLIP, in, out, (size_t) n, least ? *(const float *) least : LEAST_f32,
            most ? *(const float *) most : MOST_f32);
}

static int run_clip(const struct step *s, struct run *r)
{
    const struct clip *c = s->state;
    const struct tensor *out = s->out[0];
    (void) r;
    if (c->by_attribute) {
        c->fn(out->data, s->in[0]->data, out->count, &c->least, &c->most);
    } else {
        const struct tensor *least = s->n_in > 1 ? s->in[1] : NULL, *most = s->n_in > 2 ? s->in[2] : NULL;
        c->fn(out->data, s->in[0]->data, out->count, least ? least->data : NULL, most ? most->data : NULL);
    }
    return KILN_OK;
}

static int plan(struct step *s, struct clip **ret)
{
    static clip_fn *const fns[DT_END] = {FOR_NUMERIC(ROW)};
    const struct tensor *x = s->in[0];
    if (x->dtype >= DT_END || !fns[x->dtype]) {
        return step_fail(s, "an input of type %s is not supported", dtype_name(x->dtype));
    }
    struct clip *c = plan_alloc(s->plan, sizeof(*c));
    if (!c) {
        return KILN_RESOURCE;
    }
    c->fn = fns[x->dtype];
    s->state = *ret = c;
    s->run = run_clip;
    s->inplace = 0;
    return step_output(s, 0, x->dtype, x->rank, x->dims);
}

static int plan_attributes(struct step *s)
{
    if (!dtype_is_float(s->in[0]->dtype)) {
        return step_fail(s, "an input of type %s is not supported before opset 12",
                         dtype_name(s->in[0]->dtype));
    }
    const float least = step_float(s, "min", -HUGE_VALF), most = step_float(s, "max", HUGE_VALF);
    struct clip *c;
    int rc = plan(s, &c);
    if (rc) {
        return rc;
    }
    c->by_attribute = true;
    if (s->in[0]->dtype == DT_F32) {
        c->least.f32 = least;
        c->most.f32 = most;
    } else {
        c->least.f64 = (double) least;
        c->most.f64 = (double) most;
    }
    return KILN_OK;
}

static int plan_inputs(struct step *s)
{
    for (int k = 1; k < s->n_in; k++) {
        if (s->in[k] && (s->in[k]->dtype != s->in[0]->dtype || s->in[k]->count != 1)) {
            char text[80];
            return step_fail(s, "bound %s is %s, expected one %s", k == 1 ? "min" : "max",
                             tensor_text(s->in[k], text, sizeof(text)), dtype_name(s->in[0]->dtype));
        }
    }
    struct clip *c;
    return plan(s, &c);
}

static const struct op ops[] = {
    {"", "Clip", 6, 1, 1, 1, 1, plan_attributes},
    {"", "Clip", 11, 1, 3, 1, 1, plan_inputs},
};

const struct op_table op_clip = {ops, sizeof(ops) / sizeof(ops[0])};
