/* SPDX-License-Identifier: MPL-2.0 */
/* Signals: window functions, MelWeightMatrix, DFT, STFT. Transforms take a product for every pair of a sample and a frequency, in
 * doubles, with one table of the circle: they are for the short frames that models have. */
#include <math.h>
#include <string.h>

#include "axes.h"

static const double pi = 3.14159265358979323846;

/* ---- windows: size -> a sum of cosines */

static int plan_window(struct step *s, double a0, double a1, double a2)
{
    const int64_t wanted = step_int(s, "output_datatype", DT_F32), periodic = step_int(s, "periodic", 1);
    int64_t n;
    int rc = ints_read_one(s, 0, "size", &n);
    if (rc) {
        return rc;
    }
    if (wanted != DT_F32 && wanted != DT_F64) {
        return step_fail(s, "attribute output_datatype is %lld, expected 1 or 11", (long long) wanted);
    }
    rc = step_output(s, 0, (enum dtype) wanted, 1, &n);
    void *data = rc || !s->out[0] ? NULL : plan_alloc(s->plan, tensor_bytes(s->out[0]));
    if (!data) {
        return rc || !s->out[0] ? rc : KILN_RESOURCE;
    }
    const int64_t over = periodic ? n : n - 1;
    for (int64_t i = 0; i < n; i++) {
        const double angle = over > 0 ? 2 * pi * (double) i / (double) over : 0;
        const double v = a0 - a1 * cos(angle) + a2 * cos(2 * angle);
        if (wanted == DT_F32) {
            ((float *) data)[i] = (float) v;
        } else {
            ((double *) data)[i] = v;
        }
    }
    return step_known(s, 0, (enum dtype) wanted, 1, &n, data);
}

static int plan_hann(struct step *s)
{
    return plan_window(s, 0.5, 0.5, 0);
}

static int plan_hamming(struct step *s)
{
    return plan_window(s, 25.0 / 46, 21.0 / 46, 0);
}

static int plan_blackman(struct step *s)
{
    return plan_window(s, 0.42, 0.5, 0.08);
}

/* ---- MelWeightMatrix: triangles over the bins of a spectrum, evenly spaced in mel */

static double to_mel(double hertz)
{
    return 2595 * log10(1 + hertz / 700);
}

/* The spectrum's bin of edge i of `edges`, -1 when it is none. */
static int64_t mel_bin(double low, double high, int64_t i, int64_t edges, int64_t length, double rate)
{
    const double mel = low + (double) i * (high - low) / (double) edges,
                 hertz = 700 * (pow(10, mel / 2595) - 1);
    const double bin = floor((double) (length + 1) * hertz / rate);
    return bin >= 0 && bin <= (double) (length / 2) ? (int64_t) bin : -1;
}

static void mel_triangle(float *column, int64_t stride, int64_t left, int64_t top, int64_t right)
{
    for (int64_t j = left; j <= top; j++) {
        column[j * stride] = left == top ? 1 : (float) (j - left) / (float) (top - left);
    }
    for (int64_t j = top; j < right; j++) {
        column[j * stride] = (float) (right - j) / (float) (right - top);
    }
}

static int plan_mel(struct step *s)
{
    for (int k = 0; k < 5; k++) {
        if (s->in[k]->count != 1 || s->in[k]->dtype == DT_STRING) {
            return step_fail(s, "input %d has %lld elements, expected one number", k,
                             (long long) s->in[k]->count);
        }
        if (!s->in[k]->data) {
            return step_needs(s, k);
        }
    }
    const int64_t n = tensor_int(s->in[0], 0), length = tensor_int(s->in[1], 0), dims[] = {length / 2 + 1, n};
    const double rate = tensor_number(s->in[2], 0), low = to_mel(tensor_number(s->in[3], 0));
    const double high = to_mel(tensor_number(s->in[4], 0));
    if (step_int(s, "output_datatype", DT_F32) != DT_F32 || n < 1 || n > INT32_MAX || length < 1 ||
        length > INT32_MAX || !(rate > 0)) {
        return step_fail(
            s, "%lld mel bins of %lld samples at %g Hz, expected positive numbers, and float32 of the output",
            (long long) n, (long long) length, rate);
    }
    int rc = step_output(s, 0, DT_F32, 2, dims);
    float *data = rc || !s->out[0] ? NULL : plan_alloc(s->plan, tensor_bytes(s->out[0]));
    if (!data) {
        return rc || !s->out[0] ? rc : KILN_RESOURCE;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t bin[3];
        for (int k = 0; k < 3; k++) {
            bin[k] = mel_bin(low, high, i + k, n + 2, length, rate);
            if (bin[k] < 0) {
                return step_fail(s, "an edge of mel bin %lld is outside of the spectrum", (long long) i);
            }
        }
        mel_triangle(data + i, n, bin[0], bin[1], bin[2]);
    }
    return step_known(s, 0, DT_F32, 2, dims, data);
}

/* ---- transforms */

struct transform {
    int64_t length, bins;    /* samples of a line, and frequencies wanted of it */
    int64_t have;            /* samples that there are; the others are 0 */
    int64_t outer, inner, n; /* lines: `inner` side by side, n long in the input */
    int64_t frames, hop;     /* STFT: lines that begin every hop samples; otherwise 1 */
    int parts;               /* 1: real, 2: complex */
    bool inverse;
    double (*circle)[2]; /* cosine and sine of i / length turns */
};

static double sample(const struct tensor *t, int64_t i)
{
    return t->dtype == DT_F32 ? (double) ((const float *) t->data)[i] : ((const double *) t->data)[i];
}

/* One line: `from` its first sample, `apart` the distance of the next, both in samples. */
static void transform_line(const struct transform *f, const struct step *s, const struct tensor *window,
                           int64_t from, int64_t apart, int64_t to, double (*line)[2])
{
    const struct tensor *x = s->in[0];
    struct tensor *y = s->out[0];
    for (int64_t i = 0; i < f->have; i++) {
        const double w = window ? sample(window, i) : 1;
        const int64_t at = (from + i * apart) * f->parts;
        line[i][0] = w * sample(x, at);
        line[i][1] = f->parts == 2 ? w * sample(x, at + 1) : 0;
    }
    for (int64_t k = 0; k < f->bins; k++) {
        double re = 0, im = 0;
        for (int64_t i = 0, turn = 0; i < f->have; i++) {
            const double c = f->circle[turn][0], d = f->inverse ? f->circle[turn][1] : -f->circle[turn][1];
            re += line[i][0] * c - line[i][1] * d;
            im += line[i][0] * d + line[i][1] * c;
            turn += k;
            turn -= turn >= f->length ? f->length : 0;
        }
        const double scale = f->inverse ? 1 / (double) f->length : 1;
        const int64_t at = 2 * (to + k * apart);
        if (y->dtype == DT_F32) {
            ((float *) y->data)[at] = (float) (re * scale);
            ((float *) y->data)[at + 1] = (float) (im * scale);
        } else {
            ((double *) y->data)[at] = re * scale;
            ((double *) y->data)[at + 1] = im * scale;
        }
    }
}

static int run_dft(const struct step *s, struct run *r)
{
    const struct transform *f = s->state;
    for (int64_t k = 0; k < f->outer * f->inner && f->bins > 0; k++) {
        const int64_t o = k / f->inner, i = k % f->inner;
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
        transform_line(f, s, NULL, o * f->n * f->inner + i, f->inner, o * f->bins * f->inner + i, r->scratch);
    }
    return KILN_OK;
}

static int run_stft(const struct step *s, struct run *r)
{
    const struct transform *f = s->state;
    const struct tensor *window = s->n_in > 2 ? s->in[2] : NULL;
    for (int64_t k = 0; k < f->outer * f->frames; k++) {
        if (run_cancelled(r)) {
            return KILN_CANCELLED;
        }
        transform_line(f, s, window, k / f->frames * f->n + k % f->frames * f->hop, 1, k * f->bins,
                       r->scratch);
    }
    return KILN_OK;
}

static struct transform *new_transform(struct step *s, int64_t length, bool half)
{
    if (length > INT32_MAX) {
        return NULL;
    }
    struct transform *f = plan_alloc(s->plan, sizeof(*f));
    void *circle = f ? plan_alloc(s->plan, (size_t) length * sizeof(*f->circle)) : NULL;
    if (!circle) {
        return NULL;
    }
    f->circle = circle;
    for (int64_t i = 0; i < length; i++) {
        f->circle[i][0] = cos(2 * pi * (double) i / (double) length);
        f->circle[i][1] = sin(2 * pi * (double) i / (double) length);
    }
    const struct tensor *x = s->in[0];
    f->parts = x->dims[x->rank - 1] == 2 ? 2 : 1;
    f->length = length;
    f->bins = half ? length / 2 + 1 : length;
    s->state = f;
    s->scratch_bytes = (size_t) length * sizeof(*f->circle);
    return f;
}

static int check_signal(struct step *s, int least_rank)
{
    const struct tensor *x = s->in[0];
    const int64_t parts = x->rank > 0 ? x->dims[x->rank - 1] : 0;
    if (!dtype_is_float(x->dtype) || x->rank < least_rank || (parts != 1 && parts != 2)) {
        char text[80];
        return step_fail(s, "the signal is %s, expected floats of rank %d or more, the last axis of 1 or 2",
                         tensor_text(x, text, sizeof(text)), least_rank);
    }
    return KILN_OK;
}

static int plan_dft(struct step *s, int64_t wanted)
{
    const struct tensor *x = s->in[0];
    const bool inverse = step_int(s, "inverse", 0) != 0, half = step_int(s, "onesided", 0) != 0;
    int64_t length = 0;
    int rc = check_signal(s, 2);
    rc = rc ? rc : s->n_in > 1 && s->in[1] ? ints_read_one(s, 1, "dft_length", &length) : KILN_OK;
    if (rc) {
        return rc;
    }
    const int axis = axis_of(wanted, x->rank);
    if (axis < 0 || axis == x->rank - 1) {
        return step_fail(s, "axis is %lld for a signal of rank %d", (long long) wanted, x->rank);
    }
    length = s->n_in > 1 && s->in[1] ? length : x->dims[axis];
    if (length < 1 || (inverse && half)) {
        return step_fail(s, "dft_length is %lld, expected at least 1, and inverse only without onesided",
                         (long long) length);
    }
    struct transform *f = new_transform(s, length, half);
    if (!f) {
        return KILN_RESOURCE;
    }
    int64_t dims[TENSOR_RANK];
    memcpy(dims, x->dims, sizeof(dims));
    dims[axis] = f->bins;
    dims[x->rank - 1] = 2;
    f->inverse = inverse;
    f->n = x->dims[axis];
    f->have = f->n < length ? f->n : length;
    f->outer = tensor_rows(x, axis);
    f->inner = tensor_inner(x, axis + 1) / x->dims[x->rank - 1];
    s->run = run_dft;
    return step_output(s, 0, x->dtype, x->rank, dims);
}

static int plan_dft_attribute(struct step *s)
{
    return plan_dft(s, step_int(s, "axis", 1));
}

static int plan_dft_input(struct step *s)
{
    int64_t axis = -2;
    int rc = s->n_in > 2 && s->in[2] ? ints_read_one(s, 2, "axis", &axis) : KILN_OK;
    return rc ? rc : plan_dft(s, axis);
}

static int plan_stft(struct step *s)
{
    const struct tensor *x = s->in[0], *window = s->n_in > 2 ? s->in[2] : NULL;
    const bool half = step_int(s, "onesided", 1) != 0, framed = s->n_in > 3 && s->in[3];
    int64_t hop, length = window ? window->count : 0;
    int rc = check_signal(s, 3);
    rc = rc ? rc : ints_read_one(s, 1, "frame_step", &hop);
    rc = rc || !framed ? rc : ints_read_one(s, 3, "frame_length", &length);
    if (rc) {
        return rc;
    }
    if (x->rank != 3 || hop < 1 || length < 1 || length > x->dims[1]) {
        return step_fail(s, "frames of %lld every %lld of a signal of rank %d and %lld samples",
                         (long long) length, (long long) hop, x->rank, (long long) x->dims[1]);
    }
    if (window && (window->dtype != x->dtype || window->rank != 1 || window->count != length)) {
        char text[80];
        return step_fail(s, "window is %s, expected %lld %s", tensor_text(window, text, sizeof(text)),
                         (long long) length, dtype_name(x->dtype));
    }
    struct transform *f = new_transform(s, length, half);
    if (!f) {
        return KILN_RESOURCE;
    }
    f->n = x->dims[1];
    f->have = length;
    f->outer = x->dims[0];
    f->hop = hop;
    f->frames = (x->dims[1] - length) / hop + 1;
    s->run = run_stft;
    return step_output(s, 0, x->dtype, 4, (const int64_t[]){x->dims[0], f->frames, f->bins, 2});
}

static const struct op ops[] = {
    {"", "HannWindow", 17, 1, 1, 1, 1, plan_hann},
    {"", "HammingWindow", 17, 1, 1, 1, 1, plan_hamming},
    {"", "BlackmanWindow", 17, 1, 1, 1, 1, plan_blackman},
    {"", "MelWeightMatrix", 17, 5, 5, 1, 1, plan_mel},
    {"", "DFT", 17, 1, 2, 1, 1, plan_dft_attribute},
    {"", "DFT", 20, 1, 3, 1, 1, plan_dft_input},
    {"", "STFT", 17, 2, 4, 1, 1, plan_stft},
};

const struct op_table op_signal = {ops, sizeof(ops) / sizeof(ops[0])};
