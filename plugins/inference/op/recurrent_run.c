/* SPDX-License-Identifier: MPL-2.0 */
/* Running of RNN, GRU, LSTM, of float32.
 *
 * What the inputs of some steps add to the gates is one product, as many steps as stay in the cache; each step then adds what the
 * state does, in place. Samples go through a step together, unless they have lengths of their own: then each goes by itself. */
#include "recurrent.h"

#include <string.h>

#include "../kernel/kernels.h"

/* `n` samples at one step. */
struct at_step {
    size_t n, ld; /* gates of a sample */
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

/* What the inputs of `n` samples from `first` on add at `steps` times from `time` on: [steps][n][gates of a sample]. */
static void add_inputs(const struct step *s, size_t direction, size_t first, size_t n, size_t time,
                       size_t steps, float *gates)
{
    const struct recurrent *p = s->state;
    const struct gemm *input = &p->weights[direction]->input;
    const size_t wide = p->kind * p->units;
    const float *x = (const float *) s->in[0]->data + (time * p->x_time + first * p->x_batch) * p->inputs;
    if (n == 1) {
        gemm_run(input, steps, x, p->x_time * p->inputs, gates, wide);
    } else if (p->x_time == n) { /* no other samples lie between */
        gemm_run(input, steps * n, x, p->inputs, gates, wide);
    } else {
        for (size_t i = 0; i < steps; i++) {
            gemm_run(input, n, x + i * p->x_time * p->inputs, p->x_batch * p->inputs, gates + i * n * wide,
                     wide);
        }
    }
}

/* `n` samples from `first` on through `length` steps. */
static int run_samples(const struct step *s, struct run *r, size_t direction, size_t first, size_t n,
                       size_t length)
{
    const struct recurrent *p = s->state;
    const size_t units = p->units, wide = p->kind * units;
    float *scratch = r->scratch, *y = output(s, 0);
    struct at_step t = {
        .n = n, .ld = wide, .h = scratch + p->h_at, .c = scratch + p->c_at, .more = scratch + p->more_at};
    const size_t last = (first * p->last_batch + direction * p->last_direction) * units;
    for (int k = 0; k < 2; k++) { /* initial states */
        const struct tensor *start = s->n_in > 5 + k ? s->in[5 + k] : NULL;
        float *state = k ? t.c : t.h;
        memset(state, 0, n * units * sizeof *state);
        if (start && (k == 0 || p->kind == LSTM)) {
            copy_rows(state, units, (const float *) start->data + last, p->last_batch * units, n, units);
        }
    }
    const size_t most = recurrent_steps(p, n);
    size_t known = 0, begin = 0; /* steps from `begin` on whose inputs were added */
    for (size_t i = 0; i < length; i++) {
        const size_t time = p->reverse[direction] ? length - 1 - i : i;
        if (time < begin || time - begin >= known) {
            known = most < length - i ? most : length - i;
            begin = p->reverse[direction] ? time + 1 - known : time;
            add_inputs(s, direction, first, n, begin, known, scratch + p->gates_at);
        }
        t.gates = scratch + p->gates_at + (time - begin) * n * wide;
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

int recurrent_run(const struct step *s, struct run *r)
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
    for (size_t d = 0; d < p->directions; d++) {
        if (p->live) {
            recurrent_weights_fill(p, s, d, p->weights[d]);
        }
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
