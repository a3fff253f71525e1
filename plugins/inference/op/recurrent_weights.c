/* SPDX-License-Identifier: MPL-2.0 */
#include "recurrent.h"

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

size_t recurrent_weights_bytes(const struct recurrent *p)
{
    const size_t wide = p->kind * p->units;
    return aligned(sizeof(struct recurrent_weights)) + aligned(gemm_bytes(p->inputs, wide)) +
           2 * aligned(gemm_bytes(p->units, wide)) + 2 * aligned(wide * sizeof(float));
}

static char *fill_bias(const struct recurrent *p, const struct step *s, size_t direction,
                       struct recurrent_weights *w, char *at)
{
    const size_t wide = p->kind * p->units;
    float *bias = (float *) (void *) at, *candidate = bias + wide;
    const float *b = s->n_in > 3 && s->in[3] ? (const float *) s->in[3]->data + direction * 2 * wide : NULL;
    for (size_t i = 0; i < wide; i++) {
        const bool apart = p->linear_before_reset && i >= 2 * p->units;
        bias[i] = !b ? 0 : apart ? b[i] : b[i] + b[wide + i];
        if (apart) {
            candidate[i - 2 * p->units] = b ? b[wide + i] : 0;
        }
    }
    w->bias = bias;
    w->candidate_bias = p->linear_before_reset ? candidate : NULL;
    return at + aligned(2 * wide * sizeof(float));
}

void recurrent_weights_fill(const struct recurrent *p, const struct step *s, size_t direction,
                            struct recurrent_weights *w)
{
    const size_t wide = p->kind * p->units, joined = p->kind == GRU ? 2 * p->units : wide;
    const float *input = (const float *) s->in[1]->data + direction * wide * p->inputs;
    const float *state = (const float *) s->in[2]->data + direction * wide * p->units;
    char *at = (char *) w + aligned(sizeof *w);
    at = fill_bias(p, s, direction, w, at);
    gemm_pack(&w->input, p->inputs, wide, input, 1, p->inputs, 1, at);
    w->input.bias = w->bias;
    at += aligned(gemm_bytes(p->inputs, wide));
    gemm_pack(&w->state, p->units, joined, state, 1, p->units, 1, at);
    w->state.add = true;
    at += aligned(gemm_bytes(p->units, joined));
    if (p->kind == GRU) {
        gemm_pack(&w->candidate, p->units, p->units, state + joined * p->units, 1, p->units, 1, at);
        w->candidate.add = !p->linear_before_reset;
        w->candidate.bias = w->candidate_bias;
    }
    const struct tensor *peephole = p->kind == LSTM && s->n_in > 7 ? s->in[7] : NULL;
    w->peephole = peephole ? (const float *) peephole->data + direction * 3 * p->units : NULL;
}
