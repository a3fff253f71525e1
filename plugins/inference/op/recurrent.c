/* SPDX-License-Identifier: MPL-2.0 */
/* Planning of RNN, GRU and LSTM: what their inputs may be, their activations, where everything lies. */
#include <string.h>
#include <strings.h>

#include "recurrent.h"

static const struct {
    const char *name;
    enum act_kind kind;
    int parameters;
    float a, b; /* ONNX's defaults */
} known_acts[] = {
    {"Relu", ACT_RELU, 0, 0, 0},
    {"Tanh", ACT_TANH, 0, 0, 0},
    {"Sigmoid", ACT_SIGMOID, 0, 0, 0},
    {"Softsign", ACT_SOFTSIGN, 0, 0, 0},
    {"Softplus", ACT_SOFTPLUS, 0, 0, 0},
    {"LeakyRelu", ACT_LEAKY_RELU, 1, 0.01F, 0},
    {"ThresholdedRelu", ACT_THRESHOLDED_RELU, 1, 1, 0},
    {"Elu", ACT_ELU, 1, 1, 0},
    {"Affine", ACT_AFFINE, 2, 1, 0},
    {"ScaledTanh", ACT_SCALED_TANH, 2, 1, 1},
    {"HardSigmoid", ACT_HARD_SIGMOID, 2, 0.2F, 0.5F},
};

/* Parameters are listed for those activations only that have some. */
static int plan_act(struct step *s, struct text name, size_t *a_used, size_t *b_used,
                    struct recurrent_act *ret)
{
    const float *a, *b;
    const size_t n_a = step_floats(s, "activation_alpha", &a), n_b = step_floats(s, "activation_beta", &b);
    for (size_t i = 0; i < sizeof known_acts / sizeof *known_acts; i++) {
        const char *known = known_acts[i].name;
        if (strlen(known) != name.bytes || strncasecmp(known, name.chars, name.bytes) != 0) {
            continue;
        }
        *ret = (struct recurrent_act){known_acts[i].kind, known_acts[i].a, known_acts[i].b};
        if (known_acts[i].parameters > 0 && *a_used < n_a) {
            ret->a = a[(*a_used)++];
        }
        if (known_acts[i].parameters > 1 && *b_used < n_b) {
            ret->b = b[(*b_used)++];
        }
        return KILN_OK;
    }
    return step_fail(s, "activation \"%.*s\" is not known", (int) (name.bytes < 40 ? name.bytes : 40),
                     name.chars);
}

static int plan_acts(struct step *s, struct recurrent *p)
{
    static const char *const usual[][RECURRENT_ACTS] = {
        [RNN] = {"Tanh"}, [GRU] = {"Sigmoid", "Tanh"}, [LSTM] = {"Sigmoid", "Tanh", "Tanh"}};
    const size_t each = p->kind == LSTM ? 3 : p->kind == GRU ? 2 : 1;
    const struct text *names;
    const size_t n = step_texts(s, "activations", &names);
    if (n != 0 && n != each * p->directions) {
        return step_fail(s, "attribute activations has %zu values, expected %zu", n, each * p->directions);
    }
    size_t a_used = 0, b_used = 0;
    p->usual = p->clip == 0 && !p->input_forget && !(s->n_in > 7 && s->in[7]);
    for (size_t d = 0; d < p->directions; d++) {
        for (size_t i = 0; i < each; i++) {
            const char *name = usual[p->kind][i];
            const struct text text = n ? names[d * each + i] : (struct text){name, strlen(name)};
            const int status = plan_act(s, text, &a_used, &b_used, &p->acts[d][i]);
            if (status != KILN_OK) {
                return status;
            }
            p->usual = p->usual && p->acts[d][i].kind == (i == 0 ? ACT_SIGMOID : ACT_TANH);
        }
    }
    return KILN_OK;
}

/* An input that must be there or may be, of these dimensions. */
static int check(struct step *s, int i, const char *name, enum dtype dtype, int rank, const size_t *dims)
{
    const struct tensor *t = i < s->n_in ? s->in[i] : NULL;
    bool right = !t || (t->dtype == dtype && t->rank == rank);
    for (int d = 0; right && t && d < rank; d++) {
        right = (size_t) t->dims[d] == dims[d];
    }
    if (!right) {
        char shape[80];
        return step_fail(s, "%s is %s, expected %s[%zu%s%zu%s%zu]", name, tensor_text(t, shape, sizeof shape),
                         dtype_name(dtype), dims[0], rank > 1 ? "," : " ...", rank > 1 ? dims[1] : 0,
                         rank > 2 ? "," : " ...", rank > 2 ? dims[2] : 0);
    }
    return KILN_OK;
}

static int check_inputs(struct step *s, const struct recurrent *p, bool batch_first)
{
    const size_t d = p->directions, wide = p->kind * p->units;
    const size_t first = batch_first ? p->batch : d, second = batch_first ? d : p->batch;
    const struct {
        const char *name;
        enum dtype dtype;
        int rank;
        size_t dims[3];
    } expected[] = {
        {"W", DT_F32, 3, {d, wide, p->inputs}},
        {"R", DT_F32, 3, {d, wide, p->units}},
        {"B", DT_F32, 2, {d, 2 * wide}},
        {"sequence_lens", DT_I32, 1, {p->batch}},
        {"initial_h", DT_F32, 3, {first, second, p->units}},
        {"initial_c", DT_F32, 3, {first, second, p->units}},
        {"P", DT_F32, 2, {d, 3 * p->units}},
    };
    for (int i = 0; i < 7; i++) {
        const int status =
            check(s, i + 1, expected[i].name, expected[i].dtype, expected[i].rank, expected[i].dims);
        if (status != KILN_OK) {
            return status;
        }
    }
    return KILN_OK;
}

static int plan_direction(struct step *s, struct recurrent *p)
{
    const struct text name = step_text(s, "direction", "forward");
    p->directions = text_is(name, "bidirectional") ? 2 : 1;
    p->reverse[0] = text_is(name, "reverse");
    p->reverse[1] = true;
    if (p->directions == 1 && !p->reverse[0] && !text_is(name, "forward")) {
        return step_fail(s, "attribute direction is \"%.*s\", expected forward, reverse or bidirectional",
                         (int) (name.bytes < 40 ? name.bytes : 40), name.chars);
    }
    return KILN_OK;
}

static int plan_outputs(struct step *s, struct recurrent *p, bool batch_first)
{
    const int64_t steps = (int64_t) p->steps, batch = (int64_t) p->batch, d = (int64_t) p->directions,
                  units = (int64_t) p->units;
    const int64_t time_first_y[] = {steps, d, batch, units}, batch_first_y[] = {batch, steps, d, units};
    const int64_t time_first_last[] = {d, batch, units}, batch_first_last[] = {batch, d, units};
    int status = step_output(s, 0, DT_F32, 4, batch_first ? batch_first_y : time_first_y);
    for (int k = 1; k < s->n_out && status == KILN_OK; k++) {
        status = step_output(s, k, DT_F32, 3, batch_first ? batch_first_last : time_first_last);
    }
    p->x_time = batch_first ? 1 : p->batch;
    p->x_batch = batch_first ? p->steps : 1;
    p->y_time = batch_first ? p->directions : p->directions * p->batch;
    p->y_batch = batch_first ? p->steps * p->directions : 1;
    p->y_direction = batch_first ? 1 : p->batch;
    p->last_batch = batch_first ? p->directions : 1;
    p->last_direction = batch_first ? 1 : p->batch;
    return status;
}

static int plan_weights(struct step *s, struct recurrent *p)
{
    for (int i = 1; i < s->n_in; i++) {
        const bool weight = i < 4 || i == 7;
        p->live = p->live || (weight && s->in[i] && !step_is_constant(s, i));
    }
    for (size_t d = 0; d < p->directions; d++) {
        const size_t bytes = recurrent_weights_bytes(p);
        void **slot = p->live ? NULL : step_shared(s, (int) d);
        if (slot && *slot) {
            p->weights[d] = *slot;
            continue;
        }
        p->weights[d] = p->live ? plan_alloc(s->plan, bytes) : model_alloc(s, bytes);
        if (!p->weights[d]) {
            return KILN_RESOURCE;
        }
        if (slot) {
            recurrent_weights_fill(p, s, d, p->weights[d]);
            *slot = p->weights[d];
        }
    }
    return KILN_OK;
}

static size_t place(size_t *at, size_t floats)
{
    const size_t here = *at;
    *at += (floats + 15) / 16 * 16;
    return here;
}

static int plan_recurrent(struct step *s, enum recurrent_kind kind)
{
    const struct tensor *x = s->in[0];
    const int64_t units = step_int(s, "hidden_size", s->in[2]->rank == 3 ? s->in[2]->dims[2] : 0);
    if (x->dtype != DT_F32 || x->rank != 3 || units < 1 || units > 1 << 20) {
        char shape[80];
        return step_fail(s,
                         "X is %s with hidden_size %lld, expected float32 of 3 dimensions and 1 .. 1048576",
                         tensor_text(x, shape, sizeof shape), (long long) units);
    }
    struct recurrent *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    const bool batch_first = step_int(s, "layout", 0) != 0;
    p->kind = kind;
    p->steps = (size_t) x->dims[batch_first];
    p->batch = (size_t) x->dims[!batch_first];
    p->inputs = (size_t) x->dims[2];
    p->units = (size_t) units;
    p->clip = step_float(s, "clip", 0);
    p->input_forget = kind == LSTM && step_int(s, "input_forget", 0) != 0;
    p->linear_before_reset = kind == GRU && step_int(s, "linear_before_reset", 0) != 0;
    s->state = p;
    s->run = recurrent_run;
    int status = plan_direction(s, p);
    if (status != KILN_OK || (status = plan_acts(s, p)) != KILN_OK ||
        (status = check_inputs(s, p, batch_first)) != KILN_OK ||
        (status = plan_outputs(s, p, batch_first)) != KILN_OK) {
        return status;
    }
    const size_t together = recurrent_steps(p, p->batch), alone = recurrent_steps(p, 1);
    size_t samples, floats, at = 0;
    if (__builtin_mul_overflow(together, p->batch, &samples) ||
        __builtin_mul_overflow(samples < alone ? alone : samples, kind * p->units, &floats) ||
        floats > SIZE_MAX / 64) {
        return step_fail(s, "gates of more than 2^58 elements");
    }
    p->gates_at = place(&at, floats);
    p->h_at = place(&at, p->batch * p->units);
    p->c_at = place(&at, p->batch * p->units);
    p->more_at = place(&at, kind == GRU ? p->batch * p->units : 0);
    s->scratch_bytes = at * sizeof(float);
    return plan_weights(s, p);
}

static int plan_rnn(struct step *s)
{
    return plan_recurrent(s, RNN);
}

static int plan_gru(struct step *s)
{
    return plan_recurrent(s, GRU);
}

static int plan_lstm(struct step *s)
{
    return plan_recurrent(s, LSTM);
}

static const struct op ops[] = {
    {"", "RNN", 7, 3, 6, 0, 2, plan_rnn},
    {"", "GRU", 7, 3, 6, 0, 2, plan_gru},
    {"", "LSTM", 7, 3, 8, 0, 3, plan_lstm},
};

const struct op_table op_recurrent = {ops, sizeof ops / sizeof *ops};
