/* SPDX-License-Identifier: MPL-2.0 */
/* cell_body - one step of an LSTM of n units with its usual activations. Included behind act_body.h, within SIMD_BEGIN and
 * SIMD_END. gates: input, output, forget, cell, n each, before activation; c and h are replaced. */

/* sigmoid(x) tanh(y), with one division for both: they are what takes longest. */
SIMD_INLINE vec sigmoid_times_tanh(vec x, vec y)
{
    const vec one = v_set(1), zero = v_set(0), e = v_exp(zero - v_abs(x));
    const vec f = v_expm1(v_min(v_set(20), v_abs(y) * v_set(2)));
    const vec above = v_less(x, zero, e, one) * f, below = (one + e) * (f + v_set(2));
    return v_sign(above / below, y);
}

SIMD_INLINE vec lstm_unit(vec i, vec o, vec f, vec g, vec *c)
{
    *c = v_fma(v_sigmoid(f), *c, sigmoid_times_tanh(i, g));
    return sigmoid_times_tanh(o, *c);
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
