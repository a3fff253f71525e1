/* SPDX-License-Identifier: MPL-2.0 */
/* recurrent - RNN, GRU and LSTM: weights laid out for the kernels, and where everything lies. */
#ifndef INFERENCE_RECURRENT_H
#define INFERENCE_RECURRENT_H

#include "../kernel/gemm.h"
#include "../op.h"

enum { RECURRENT_DIRECTIONS = 2, RECURRENT_ACTS = 3 };
enum recurrent_kind { RNN = 1, GRU = 3, LSTM = 4 }; /* how many gates it has */

struct recurrent_act {
    enum act_kind kind;
    float a, b;
};

/* One direction's weights; both matrices turned round: [inputs][gates units], [units][gates units]. */
struct recurrent_weights {
    struct gemm input, state;
    struct gemm candidate;       /* GRU: the last gate's part of `state`, which then has the others */
    const float *bias;           /* both of ONNX's biases added: that of `input` */
    const float *candidate_bias; /* GRU with linear_before_reset: the state's bias of the last gate */
    const float *peephole;       /* LSTM: input, output, forget; or NULL */
};

struct recurrent {
    enum recurrent_kind kind;
    size_t steps, batch, inputs, units, directions;
    bool reverse[RECURRENT_DIRECTIONS];
    struct recurrent_act acts[RECURRENT_DIRECTIONS][RECURRENT_ACTS];
    bool usual; /* activations, of an LSTM without clip, peepholes and input_forget */
    bool linear_before_reset, input_forget;
    float clip;                              /* 0: none */
    size_t x_time, x_batch, y_time, y_batch; /* in rows: from step to step, from sample to sample */
    size_t y_direction, last_batch, last_direction;
    bool live; /* weights are not constant: laid out in each run */
    struct recurrent_weights *weights[RECURRENT_DIRECTIONS];
    size_t gates_at, h_at, c_at, more_at; /* floats in scratch */
};

/* How many steps of `samples` the scratch has gates for: as many as stay near, 64 KiB of them. */
static inline size_t recurrent_steps(const struct recurrent *p, size_t samples)
{
    enum { GATES = 1 << 14 };
    const size_t steps = GATES / (p->kind * p->units) / (samples ? samples : 1);
    return steps < 1 ? 1 : steps < p->steps ? steps : p->steps;
}

int recurrent_run(const struct step *s, struct run *r); /* recurrent_run.c */

/* recurrent_weights.c: bytes of one direction; and lays it out there. */
size_t recurrent_weights_bytes(const struct recurrent *p);
void recurrent_weights_fill(const struct recurrent *p, const struct step *s, size_t direction,
                            struct recurrent_weights *w);

#endif
