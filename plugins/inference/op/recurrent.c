/* SPDX-License-Identifier: MPL-2.0 */
/* RNN, GRU, LSTM, of float32.
 *
 * What the inputs of all steps add to the gates is one product; each step then adds what the state does, in place. Samples go
 * through a step together, unless they have lengths of their own: then each goes by itself. */
#include "recurrent.h"

#include <string.h>
#include <strings.h>

#include "../kernel/kernels.h"

/* `n` samples at one step: their gates lie `ld` apart. */
struct at_step {
    size_t n, ld;
    float *gates, *h, *c, *more;
};

static void activate(const struct recurrent *p, struct recurrent_act act, float *x, size_t n)
{
    if (p->clip > 0) {
        act_apply(ACT_CLIP, x, n, -p->clip, p->clip);
    }
    act_apply(act.kind, x, n, act.a, act.b);
}

static void step_rnn(const struct recurrent *p, size_t direction, const struct at_step *t)
{
    gemm_run(&p->weights[direction]->state, t->n, t->h, p->units, t->gates, t->ld);
    for (size_t i = 0; i < t->n; i++) {
        activate(p, p->acts[direction][0], t->gates + i * t->ld, p->units);
        memcpy(t->h + i * p->units, t->gates + i * t->ld, p->units * sizeof *t->h);
    }
}

/* Gates: update z, reset r, candidate. */
static void step_gru(const struct recurrent *p, size_t direction, const struct at_step *t)
{
    const struct recurrent_weights *w = p->weights[direction];
    const size_t n = p->units;
    gemm_run(&w->state, t->n, t->h, n, t->gates, t->ld);
    if (p->linear_before_reset) {
        gemm_run(&w->candidate, t->n, t->h, n, t->more, n);
    }
    for (size_t i = 0; i < t->n; i++) {
        float *gates = t->gates + i * t->ld, *more = t->more + i * n;
        const float *reset = gates + n, *h = t->h + i * n;
        activate(p, p->acts[direction][0], gates, 2 * n);
        for (size_t j = 0; j < n; j++) {
            if (p->linear_before_reset) {
                gates[2 * n + j] += reset[j] * more[j];
            } else {
                more[j] = reset[j] * h[j];
            }
        }
    }
    if (!p->linear_before_reset) {
        gemm_run(&w->candidate, t->n, t->more, n, t->gates + 2 * n, t->ld);
    }
    for (size_t i = 0; i < t->n; i++) {
        float *gates = t->gates + i * t->ld;
        activate(p, p->acts[direction][1], gates + 2 * n, n);
        kernels()->mix(n, gates, gates + 2 * n, t->h + i * n);
    }
}

/* Gates: input, output, forget, cell. */
static void lstm_unusual(const struct recurrent *p, size_t direction, float *gates, float *c, float *h)
{
    const struct recurrent_act *acts = p->acts[direction];
    const float *peephole = p->weights[direction]->peephole;
    const size_t n = p->units;
    float *in = gates, *out = gates + n, *forget = out + n, *cell = forget + n;
    for (size_t j = 0; peephole && j < n; j++) {
        in[j] += peephole[j] * c[j];
        forget[j] += peephole[2 * n + j] * c[j];
    }
    activate(p, acts[0], in, n);
    activate(p, acts[0], forget, n);
    activate(p, acts[1], cell, n);
    for (size_t j = 0; j < n; j++) {
        const float keep = p->input_forget ? 1 - in[j] : forget[j];
        c[j] = keep * c[j] + in[j] * cell[j];
        out[j] += peephole ? peephole[n + j] * c[j] : 0;
        h[j] = c[j];
    }
    activate(p, acts[0], out, n);
    activate(p, acts[2], h, n);
    for (size_t j = 0; j < n; j++) {
        h[j] *= out[j];
    }
}

static void step_lstm(const struct recurrent *p, size_t direction, const struct at_step *t)
{
    gemm_run(&p->weights[direction]->state, t->n, t->h, p->units, t->gates, t->ld);
    for (size_t i = 0; i < t->n; i++) {
        float *gates = t->gates + i * t->ld, *c = t->c + i * p->units, *h = t->h + i * p->units;
        if (p->usual) {
            kernels()->lstm(p->units, gates, c, h);
        } else {
            lstm_unusual(p, direction, gates, c, h);
        }
    }
}

/* rows of [..][units] from or to an array in which samples lie `ld` apart */
static void copy_rows(float *to, size_t to_ld, const float *from, size_t from_ld, size_t n, size_t units)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(to + i * to_ld, from + i * from_ld, units * sizeof *to);
    }
}

static float *output(const struct step *s, int k)
{
    return k < s->n_out && s->out[k] ? s->out[k]->data : NULL;
}

/* `n` samples from `first` on through `length` steps. */
static int run_samples(const struct step *s, struct run *r, size_t direction, size_t first, size_t n,
                       size_t length)
{
    const struct recurrent *p = s->state;
    const size_t units = p->units, wide = p->kind * units;
    float *scratch = r->scratch, *y = output(s, 0);
    struct at_step t = {.n = n,
                        .ld = p->x_batch * wide,
                        .h = scratch + p->h_at,
                        .c = scratch + p->c_at,
                        .more = scratch + p->more_at};
    const size_t last = (first * p->last_batch + direction * p->last_direction) * units;
    for (int k = 0; k < 2; k++) { /* initial states */
        const struct tensor *start = s->n_in > 5 + k ? s->in[5 + k] : NULL;
        float *state = k ? t.c : t.h;
        memset(state, 0, n * units * sizeof *state);
        if (start && (k == 0 || p->kind == LSTM)) {
            copy_rows(state, units, (const float *) start->data + last, p->last_batch * units, n, units);
        }
    }
    for (size_t i = 0; i < length; i++) {
        const size_t time = p->reverse[direction] ? length - 1 - i : i;
        t.gates = scratch + p->gates_at + (time * p->x_time + first * p->x_batch) * wide;
        if (p->kind == LSTM) {
            step_lstm(p, direction, &t);
        } else if (p->kind == GRU) {
            step_gru(p, direction, &t);
        } else {
            step_rnn(p, direction, &t);
        }
        if (y) {
            const size_t at = time * p->y_time + first * p->y_batch + direction * p->y_direction;
            copy_rows(y + at * units, p->y_batch * units, t.h, units, n, units);
        }
        if (i % 64 == 63 && run_cancelled(r)) {
            return KILN_CANCELLED;
        }
    }
    if (output(s, 1)) {
        copy_rows(output(s, 1) + last, p->last_batch * units, t.h, units, n, units);
    }
    if (output(s, 2)) {
        copy_rows(output(s, 2) + last, p->last_batch * units, t.c, units, n, units);
    }
    return KILN_OK;
}

static int run_recurrent(const struct step *s, struct run *r)
{
    const struct recurrent *p = s->state;
    const int32_t *lengths = s->n_in > 4 && s->in[4] ? s->in[4]->data : NULL;
    for (size_t i = 0; lengths && i < p->batch; i++) {
        if (lengths[i] < 0 || (size_t) lengths[i] > p->steps) {
            return run_fail(r, "sequence_lens has %d, expected 0 .. %zu", lengths[i], p->steps);
        }
    }
    if (lengths && output(s, 0)) {
        memset(s->out[0]->data, 0, tensor_bytes(s->out[0]));
    }
    float *gates = (float *) r->scratch + p->gates_at;
    for (size_t d = 0; d < p->directions; d++) {
        if (p->live) {
            recurrent_weights_fill(p, s, d, p->weights[d]);
        }
        gemm_run(&p->weights[d]->input, p->steps * p->batch, s->in[0]->data, p->inputs, gates,
                 p->kind * p->units);
        int status = lengths ? KILN_OK : run_samples(s, r, d, 0, p->batch, p->steps);
        for (size_t i = 0; lengths && i < p->batch && status == KILN_OK; i++) {
            status = run_samples(s, r, d, i, 1, (size_t) lengths[i]);
        }
        if (status != KILN_OK) {
            return status;
        }
    }
    return KILN_OK;
}

/* ---- planning ------------------------------------------------------------------------------------ */

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
    s->run = run_recurrent;
    int status = plan_direction(s, p);
    if (status != KILN_OK || (status = plan_acts(s, p)) != KILN_OK ||
        (status = check_inputs(s, p, batch_first)) != KILN_OK ||
        (status = plan_outputs(s, p, batch_first)) != KILN_OK) {
        return status;
    }
    size_t floats, at = 0;
    if (__builtin_mul_overflow(p->steps, p->batch, &floats) ||
        __builtin_mul_overflow(floats, kind * p->units, &floats) || floats > SIZE_MAX / 64 ||
        p->batch > SIZE_MAX / 64 / p->units) {
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
