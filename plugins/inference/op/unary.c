/* SPDX-License-Identifier: MPL-2.0 */
#include "unary.h"

struct unary {
    unary_fn *fn;
    struct unary_params params;
};

static int run_unary(const struct step *s, struct run *r)
{
    const struct unary *u = s->state;
    (void) r;
    u->fn(s->out[0]->data, s->in[0]->data, s->out[0]->count, &u->params);
    return KILN_OK;
}

int unary_plan(struct step *s, unary_fn *const *fns, enum dtype result, double a, double b)
{
    const struct tensor *in = s->in[0];
    if (in->dtype >= DT_END || !fns[in->dtype]) {
        return step_fail(s, "an input of type %s is not supported", dtype_name(in->dtype));
    }
    result = result == DT_NONE ? in->dtype : result;
    struct unary *u = plan_alloc(s->plan, sizeof(*u));
    if (!u) {
        return KILN_RESOURCE;
    }
    *u = (struct unary){fns[in->dtype], {a, b}};
    s->state = u;
    s->run = run_unary;
    s->inplace = dtype_size(result) == dtype_size(in->dtype) ? 0 : -1;
    return step_output(s, 0, result, in->rank, in->dims);
}
