/* SPDX-License-Identifier: MPL-2.0 */
/* The input of a convolution with its padding. */
#include "conv.h"

enum { SMALL = 1 << 16 }; /* elements that a padded input may always have */

static size_t reach_of(const struct window *w, int i)
{
    return (size_t) ((w->out[i] - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1);
}

bool image_plan(struct image *image, const struct window *w, size_t channels, const int64_t *phases)
{
    struct image made = {.same = true, .phase = 1, .channel = 1};
    const size_t most = 4 * channels * (size_t) w->in_size + SMALL;
    for (int i = 0; i < WINDOW_AXES; i++) {
        const size_t reach = reach_of(w, i);
        made.phases[i] = phases ? (size_t) phases[i] : 1;
        made.extent[i] = (reach + made.phases[i] - 1) / made.phases[i];
        made.same = made.same && !phases && w->begin[i] == 0 && reach <= (size_t) w->in[i];
    }
    for (int i = 0; i < WINDOW_AXES; i++) {
        made.extent[i] = made.same ? (size_t) w->in[i] : made.extent[i];
        if (__builtin_mul_overflow(made.phase, made.extent[i], &made.phase) ||
            __builtin_mul_overflow(made.channel, made.extent[i] * made.phases[i], &made.channel)) {
            return false;
        }
    }
    *image = made;
    return made.channel <= most / channels;
}

void image_places(const struct image *image, const struct window *w, size_t k, size_t *places)
{
    for (size_t i = 0; i < k; i++) {
        size_t left = i % (size_t) w->kernel_size, phase = 0, at = 0, tap[WINDOW_AXES];
        for (int axis = WINDOW_AXES - 1; axis >= 0; axis--) {
            tap[axis] = left % (size_t) w->kernel[axis] * (size_t) w->dilation[axis];
            left /= (size_t) w->kernel[axis];
        }
        for (int axis = 0; axis < WINDOW_AXES; axis++) {
            phase = phase * image->phases[axis] + tap[axis] % image->phases[axis];
            at = at * image->extent[axis] + tap[axis] / image->phases[axis];
        }
        places[i] = i / (size_t) w->kernel_size * image->channel + phase * image->phase + at;
    }
}

typedef float four __attribute__((vector_size(16)));

/* Every second element of x, which has `in`. */
static void copy_second(float *to, const float *x, size_t n, size_t in)
{
    size_t i = 0;
    for (; i + 4 <= n && 2 * i + 8 <= in; i += 4) {
        four a, b;
        memcpy(&a, x + 2 * i, sizeof a);
        memcpy(&b, x + 2 * i + 4, sizeof b);
        a = __builtin_shufflevector(a, b, 0, 2, 4, 6);
        memcpy(to + i, &a, sizeof a);
    }
    for (; i < n; i++) {
        to[i] = x[2 * i];
    }
}

/* What of an axis of the input is in a phase of the image: of its elements, which are every step-th from `first` on, those from
 * .. until - 1 are not padding. */
struct span {
    int64_t first, step, from, until;
};

static struct span span_of(const struct image *image, const struct window *w, int axis, size_t phase)
{
    struct span s = {.first = (int64_t) phase - w->begin[axis], .step = (int64_t) image->phases[axis]};
    const int64_t n = (int64_t) image->extent[axis], in = w->in[axis];
    s.from = s.first >= 0 ? 0 : (-s.first + s.step - 1) / s.step;
    s.until = s.first >= in ? 0 : (in - s.first + s.step - 1) / s.step;
    s.from = s.from < n ? s.from : n;
    s.until = s.until < n ? s.until : n;
    s.until = s.until < s.from ? s.from : s.until;
    return s;
}

/* One phase of the last two axes of a channel, in memory that is zero. */
static void fill_plane(const struct span *rows, const struct span *row, size_t pitch, const float *x,
                       int64_t in, float *to)
{
    const size_t n = (size_t) (row->until - row->from);
    const int64_t first = row->first + row->from * row->step;
    x += (rows->first + rows->from * rows->step) * in;
    to += (size_t) rows->from * pitch + (size_t) row->from;
    for (int64_t i = rows->from; n > 0 && i < rows->until; i++, x += rows->step * in, to += pitch) {
        if (row->step == 1) {
            copy_floats(to, x + first, n);
        } else if (row->step == 2) {
            copy_second(to, x + first, n, (size_t) (in - first));
        } else {
            for (size_t k = 0; k < n; k++) {
                to[k] = x[first + (int64_t) k * row->step];
            }
        }
    }
}

void image_fill(const struct image *image, const struct window *w, size_t channels, const float *x, float *to)
{
    const size_t plane = image->extent[1] * image->extent[2];
    memset(to, 0, channels * image->channel * sizeof *to);
    for (size_t c = 0; c < channels; c++, x += w->in_size) {
        for (size_t p0 = 0; p0 < image->phases[0]; p0++) {
            const struct span outer = span_of(image, w, 0, p0);
            for (size_t p1 = 0; p1 < image->phases[1]; p1++) {
                const struct span rows = span_of(image, w, 1, p1);
                for (size_t p2 = 0; p2 < image->phases[2]; p2++, to += image->phase) {
                    const struct span row = span_of(image, w, 2, p2);
                    for (int64_t i = outer.from; i < outer.until; i++) {
                        fill_plane(&rows, &row, image->extent[2],
                                   x + (outer.first + i * outer.step) * w->in[1] * w->in[2], w->in[2],
                                   to + (size_t) i * plane);
                    }
                }
            }
        }
    }
}
