/* SPDX-License-Identifier: MPL-2.0 */
/* cell_body - one step of an LSTM of n units with its usual activations. Included behind act_body.h, within SIMD_BEGIN and
 * SIMD_END. gates: input, output, forget, cell, n each, before activation; c and h are replaced. */

SIMD_INLINE vec lstm_unit(vec i, vec o, vec f, vec g, vec *c)
{
    *c = v_fma(v_sigmoid(f), *c, v_sigmoid(i) * v_tanh(g));
    return v_sigmoid(o) * v_tanh(*c);
}

static void lstm_over(size_t n, const float *gates, float *c, float *h)
{
    const float *i = gates, *o = gates + n, *f = o + n, *g = f + n;
    size_t at = 0;
    for (; at + W <= n; at += W) {
        vec cell = v_load(c + at);
        v_store(h + at, lstm_unit(v_load(i + at), v_load(o + at), v_load(f + at), v_load(g + at), &cell));
        v_store(c + at, cell);
    }
    if (at < n) {
        const size_t left = n - at;
        vec cell = v_part(c + at, left);
        const vec out = lstm_unit(v_part(i + at, left), v_part(o + at, left), v_part(f + at, left),
                                  v_part(g + at, left), &cell);
        v_store_part(h + at, left, out);
        v_store_part(c + at, left, cell);
    }
}

/* h = (1 - z) x + z h */
static void mix_over(size_t n, const float *z, const float *x, float *h)
{
    size_t at = 0;
    for (; at + W <= n; at += W) {
        const vec a = v_load(x + at);
        v_store(h + at, v_fma(v_load(z + at), v_load(h + at) - a, a));
    }
    if (at < n) {
        const size_t left = n - at;
        const vec a = v_part(x + at, left);
        v_store_part(h + at, left, v_fma(v_part(z + at, left), v_part(h + at, left) - a, a));
    }
}
