/* SPDX-License-Identifier: MPL-2.0 */
/* Constant and Identity: what every graph has. */
#include "../op.h"

static int constant(struct step *s)
{
    const struct tensor *t = step_tensor(s, "value");
    if (t) {
        return step_known(s, 0, t->dtype, t->rank, t->dims, t->data);
    }
    const bool text = step_has(s, "value_string"), real = step_has(s, "value_float"),
               whole = step_has(s, "value_int");
    const float *floats;
    const int64_t *ints;
    const struct text *texts;
    const size_t n_floats = step_floats(s, "value_floats", &floats),
                 n_ints = step_ints(s, "value_ints", &ints), n_texts = step_texts(s, "value_strings", &texts);
    const int rank = !(text || real || whole);
    const int64_t n = !rank ? 1 : floats ? (int64_t) n_floats : ints ? (int64_t) n_ints : (int64_t) n_texts;
    const enum dtype dtype = real || floats ? DT_F32 : whole || ints ? DT_I64 : DT_STRING;
    if (rank && !floats && !ints && !texts) {
        return step_fail(s,
                         "has none of the attributes value, value_float(s), value_int(s), value_string(s)");
    }
    void *data = plan_alloc(s->plan, (size_t) n * dtype_size(dtype));
    if (!data) {
        return KILN_RESOURCE;
    }
    for (int64_t i = 0; i < n; i++) {
        if (dtype == DT_F32) {
            ((float *) data)[i] = rank ? floats[i] : step_float(s, "value_float", 0);
        } else if (dtype == DT_I64) {
            ((int64_t *) data)[i] = rank ? ints[i] : step_int(s, "value_int", 0);
        } else {
            ((struct text *) data)[i] = rank ? texts[i] : step_text(s, "value_string", "");
        }
    }
    return step_known(s, 0, dtype, rank, &n, data);
}

static int identity(struct step *s)
{
    s->alias = 0;
    return step_output(s, 0, s->in[0]->dtype, s->in[0]->rank, s->in[0]->dims);
}

static const struct op ops[] = {
    {"", "Constant", 1, 0, 0, 1, 1, constant},
    {"", "Identity", 1, 1, 1, 1, 1, identity},
};

const struct op_table op_basic = {ops, sizeof ops / sizeof *ops};
