/* SPDX-License-Identifier: MPL-2.0 */
/* Conv and its fused form kiln.Conv: act(conv(x, w) + b), of float32 and float64. */
#include "conv.h"

#include "../kernel/kernels.h"

static int run_groups(const struct step *s, struct run *r)
{
    const struct conv *p = s->state;
    const struct tensor *bias = s->n_in > 2 ? s->in[2] : NULL;
    const size_t size = dtype_size(s->in[0]->dtype), in = p->channels_in * (size_t) p->w.in_size * size,
                 out = p->channels_out * (size_t) p->w.out_size * size,
                 weights = p->channels_out * p->k * size;
    const char *x = s->in[0]->data;
    char *y = s->out[0]->data;
    double work = 0;
    for (size_t i = 0; i < p->samples * p->groups; i++, x += in, y += out) {
        const size_t group = i % p->groups;
        const int status =
            p->run(p, r, group, x, (const char *) s->in[1]->data + group * weights,
                   bias ? (const char *) bias->data + group * p->channels_out * size : NULL, y);
        if (status != KILN_OK) {
            return status;
        }
        if (conv_cancelled(r, &work, p->work)) {
            return KILN_CANCELLED;
        }
    }
    return KILN_OK;
}

static int check_inputs(struct step *s, int64_t groups)
{
    const struct tensor *x = s->in[0], *w = s->in[1];
    char shape_x[80], shape_w[80];
    if (!dtype_is_float(x->dtype) || w->dtype != x->dtype || x->rank < 3 || x->rank != w->rank) {
        return step_fail(
            s,
            "input is %s with weights %s, expected the same float type and number of dimensions, from 3 on",
            tensor_text(x, shape_x, sizeof shape_x), tensor_text(w, shape_w, sizeof shape_w));
    }
    if (groups < 1 || groups > w->dims[0] || w->dims[0] % groups != 0 || x->dims[1] % groups != 0 ||
        w->dims[1] != x->dims[1] / groups) {
        return step_fail(s, "input %s, weights %s and %lld groups do not go together",
                         tensor_text(x, shape_x, sizeof shape_x), tensor_text(w, shape_w, sizeof shape_w),
                         (long long) groups);
    }
    const struct tensor *bias = s->n_in > 2 ? s->in[2] : NULL;
    if (bias && (bias->dtype != x->dtype || bias->count != w->dims[0])) {
        return step_fail(s, "bias is %s, expected %s[%lld]", tensor_text(bias, shape_x, sizeof shape_x),
                         dtype_name(x->dtype), (long long) w->dims[0]);
    }
    return KILN_OK;
}

/* ---- which way ---- */

/* Costs in vectors of multiplications. What is turned or moved in the end costs as much as some more of them. */
enum { TURNING = 7, MOVING = 2, FILLING = 12, TOGETHER = 1024 /* columns of one product */ };

static double vectors(size_t n)
{
    return (double) ((n + kernels()->lanes - 1) / kernels()->lanes);
}

static double channels_cost(const struct conv *p)
{
    return (double) p->w.out_size * vectors(p->channels_out) * (double) (p->k + TURNING);
}

static size_t rows_together(const struct conv *p, size_t pitch)
{
    const size_t high = (size_t) p->w.out[1], rows = TOGETHER / pitch;
    return rows < 1 ? 1 : rows < high ? rows : high;
}

static double positions_cost(const struct conv *p)
{
    const struct window *w = &p->w;
    const size_t wide = (size_t) w->out[2],
                 pitch = wide + (size_t) ((w->kernel[2] - 1) * w->dilation[2] / w->stride[2]),
                 rows = rows_together(p, pitch);
    const double products = (double) w->out[0] * (double) w->out[1] / (double) rows;
    return products * vectors((rows - 1) * pitch + wide) * (double) p->channels_out *
           (double) (p->k + (rows > 1 && pitch != wide ? MOVING : 0));
}

/* The weights of all groups, packed once for all plans; NULL: over budget. */
static const struct gemm *pack_weights(struct step *s, const struct conv *p)
{
    void **slot = step_shared(s, 0);
    const size_t each = (gemm_bytes(p->k, p->channels_out) + 63) / 64 * 64;
    const size_t heads = (p->groups * sizeof(struct gemm) + 63) / 64 * 64;
    char *memory = !slot || *slot ? NULL : model_alloc(s, heads + p->groups * each);
    if (memory) {
        struct gemm *g = (struct gemm *) (void *) memory;
        const float *weights = s->in[1]->data;
        for (size_t group = 0; group < p->groups; group++, weights += p->channels_out * p->k) {
            gemm_pack(&g[group], p->k, p->channels_out, weights, 1, p->k, 1, memory + heads + group * each);
        }
        *slot = g;
    }
    return slot ? *slot : NULL;
}

/* Both the image and the output are turned, and each weight serves one multiplication. */
static double depth_cost(const struct conv *p)
{
    const struct window *w = &p->w;
    return vectors(p->groups) *
           ((double) (w->in_size + w->out_size) * TURNING + (double) w->out_size * (double) p->k);
}

/* A product of one row loads a vector for each multiplication, mostly across two lines of the cache; and short rows of the
 * image are copied one by one. */
static double rows_cost(const struct conv *p)
{
    const double copying = p->w.axes > 1 ? FILLING * vectors((size_t) p->w.in_size) : 0;
    return (double) p->groups * (2 * positions_cost(p) + copying);
}

static const float *turn_weights(struct step *s, const struct conv *p)
{
    void **slot = step_shared(s, 1);
    float *turned = !slot || *slot ? NULL : model_alloc(s, p->k * p->pitch * sizeof *turned);
    if (turned) {
        kernels()->turn(p->channels_out, p->k, s->in[1]->data, p->k, turned, p->pitch);
        *slot = turned;
    }
    return slot ? *slot : NULL;
}

static int plan_depth(struct step *s, struct conv *p)
{
    const size_t lanes = kernels()->lanes;
    p->channels_in = p->channels_out = p->groups;
    p->work *= (double) p->groups;
    p->groups = 1;
    p->pitch = (p->channels_out + lanes - 1) / lanes * lanes;
    p->turned = turn_weights(s, p);
    p->places = plan_alloc(s->plan, p->k * sizeof *p->places);
    if (!p->turned || !p->places) {
        return KILN_RESOURCE;
    }
    image_places(&p->image, &p->w, p->k, p->places);
    for (size_t k = 0; k < p->k; k++) {
        p->places[k] *= p->pitch;
    }
    p->run = conv_depth;
    p->behind = p->image.channel * p->pitch;
    s->scratch_bytes = (p->behind + (CONV_BLOCK + 1) * p->pitch) * sizeof(float);
    return KILN_OK;
}

static bool is_direct(const struct window *w)
{
    bool direct = w->kernel_size == 1;
    for (int i = 0; i < WINDOW_AXES; i++) {
        direct = direct && w->stride[i] == 1 && w->begin[i] == 0 && w->end[i] == 0;
    }
    return direct;
}

/* gemm_pack lays fewer than three columns out in another way, and needs the weights now. */
static bool may_pack(const struct step *s, const struct conv *p)
{
    return p->channels_out > 2 && step_is_constant(s, 1) && s->in[1]->data &&
           gemm_bytes(p->k, p->channels_out) > 0;
}

static int plan_floats(struct step *s, struct conv *p)
{
    const struct window *w = &p->w;
    if (p->k == 0) {
        p->run = conv_plain_floats;
        return KILN_OK;
    }
    if (is_direct(w)) {
        p->run = conv_direct;
        s->scratch_bytes = gemm_place_bytes(p->k, (size_t) w->out_size);
        return KILN_OK;
    }
    if (p->groups > 1 && p->channels_in == 1 && p->channels_out == 1 && step_is_constant(s, 1) &&
        s->in[1]->data && depth_cost(p) < rows_cost(p) && image_plan(&p->image, w, p->groups, NULL)) {
        return plan_depth(s, p);
    }
    size_t block = 0;
    if (may_pack(s, p) && channels_cost(p) < positions_cost(p) &&
        image_plan(&p->image, w, p->channels_in, NULL)) {
        p->packed = pack_weights(s, p);
        if (!p->packed) {
            return KILN_RESOURCE;
        }
        p->run = conv_channels;
        p->behind = p->image.same ? 0 : p->channels_in * p->image.channel;
        block = CONV_BLOCK * p->channels_out;
    } else if (image_plan(&p->image, w, p->channels_in, w->stride)) {
        p->run = conv_positions;
        p->behind = p->channels_in * p->image.channel + 4 * kernels()->lanes;
        p->rows = rows_together(p, p->image.extent[2]);
        block = p->rows > 1 ? p->rows * p->image.extent[2] * p->channels_out : 0;
    } else {
        p->run = conv_plain_floats;
        return KILN_OK;
    }
    p->places = plan_alloc(s->plan, p->k * sizeof *p->places);
    if (!p->places) {
        return KILN_RESOURCE;
    }
    image_places(&p->image, w, p->k, p->places);
    s->scratch_bytes = (p->behind + block) * sizeof(float);
    return KILN_OK;
}

static int plan_with(struct step *s, int act)
{
    const struct tensor *x = s->in[0], *weights = s->in[1];
    const int64_t groups = step_int(s, "group", 1);
    int status = check_inputs(s, groups);
    struct conv *p = plan_alloc(s->plan, sizeof *p);
    if (status != KILN_OK || !p) {
        return status != KILN_OK ? status : KILN_RESOURCE;
    }
    if ((status = window_plan(s, x, weights->dims + 2, &p->w)) != KILN_OK ||
        (status = window_output(s, x, x->dtype, weights->dims[0], &p->w, 0)) != KILN_OK) {
        return status;
    }
    p->groups = (size_t) groups;
    p->channels_in = (size_t) weights->dims[1];
    p->channels_out = (size_t) (weights->dims[0] / groups);
    p->k = p->channels_in * (size_t) p->w.kernel_size;
    p->work = (double) p->w.out_size * (double) p->k * (double) p->channels_out;
    p->samples = s->out[0]->count ? (size_t) x->dims[0] : 0;
    p->g.act = (enum act_kind) act;
    p->g.act_a = step_float(s, "act_a", 0);
    p->g.act_b = step_float(s, "act_b", 0);
    s->state = p;
    s->run = run_groups;
    if (x->dtype == DT_F64) {
        p->run = conv_plain_doubles;
        return act == ACT_NONE ? KILN_OK : step_fail(s, "activation of float64");
    }
    return s->out[0]->count ? plan_floats(s, p) : KILN_OK;
}

static int plan_conv(struct step *s)
{
    return plan_with(s, ACT_NONE);
}

static int plan_fused(struct step *s)
{
    const int64_t act = step_int(s, "act", ACT_NONE);
    return act >= 0 && act < ACT_KINDS ? plan_with(s, (int) act) : step_fail(s, "no such activation");
}

static const struct op ops[] = {
    {"", "Conv", 1, 2, 3, 1, 1, plan_conv},
    {"kiln", "Conv", 1, 2, 3, 1, 1, plan_fused},
};

const struct op_table op_conv = {ops, sizeof ops / sizeof *ops};
