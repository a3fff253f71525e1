/* SPDX-License-Identifier: MPL-2.0 */
#include "sample.h"

enum nan_policy nan_policy_of(const struct kiln_slot *slot)
{
    switch (slot->text[0]) { /* one of the row's choices */
    case 'o':
        return NAN_OMIT;
    case 'r':
        return NAN_RAISE;
    default:
        return NAN_PROPAGATE;
    }
}

static int refuse_nan(struct kiln_call *call, const char *field, size_t at)
{
    return call->host->fail(call, KILN_INVALID, field,
                            "element %zu of %s is NaN, expected numbers (nan_policy is raise)", at, field);
}

static int refuse_nothing(struct kiln_call *call, const char *field, int64_t count)
{
    return call->host->fail(call, KILN_INVALID, field,
                            "all %lld values are NaN, expected at least one number", (long long) count);
}

int sample_take(struct kiln_call *call, const struct kiln_slot *slot, const char *field,
                enum nan_policy policy, struct sample *ret)
{
    const struct kernels *k = call->state;
    const double *x = slot->array.data;
    const size_t n = (size_t) slot->array.count;
    size_t first = policy == NAN_PROPAGATE ? n : k->find_nan(x, n);
    if (first == n) {
        *ret = (struct sample){x, n, 0};
        return KILN_OK;
    }
    if (policy == NAN_RAISE) {
        return refuse_nan(call, field, first);
    }
    double *kept = call->host->alloc(call, n * sizeof *kept);
    if (!kept) {
        return KILN_RESOURCE;
    }
    size_t count = 0;
    for (size_t i = 0; i < n;
         i++) { /* without branches; each value is kept until the next one overwrites it */
        kept[count] = x[i];
        count += x[i] == x[i];
    }
    if (count == 0) {
        return refuse_nothing(call, field, slot->array.count);
    }
    *ret = (struct sample){kept, count, n - count};
    return KILN_OK;
}

int sample_take_pairs(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *y,
                      enum nan_policy policy, struct sample *ret_x, struct sample *ret_y)
{
    const struct kernels *k = call->state;
    const double *xs = x->array.data, *ys = y->array.data;
    const size_t n = (size_t) x->array.count;
    size_t first_x = policy == NAN_PROPAGATE ? n : k->find_nan(xs, n);
    size_t first_y = policy == NAN_PROPAGATE ? n : k->find_nan(ys, n);
    if (first_x == n && first_y == n) {
        *ret_x = (struct sample){xs, n, 0};
        *ret_y = (struct sample){ys, n, 0};
        return KILN_OK;
    }
    if (policy == NAN_RAISE) {
        return first_x < n ? refuse_nan(call, "x", first_x) : refuse_nan(call, "y", first_y);
    }
    double *kept = call->host->alloc(call, 2 * n * sizeof *kept);
    if (!kept) {
        return KILN_RESOURCE;
    }
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        kept[count] = xs[i];
        kept[n + count] = ys[i];
        count += xs[i] == xs[i] && ys[i] == ys[i];
    }
    if (count == 0) {
        return call->host->fail(call, KILN_INVALID, "x",
                                "all %zu pairs have a NaN in x or y, expected pairs of numbers", n);
    }
    *ret_x = (struct sample){kept, count, n - count};
    *ret_y = (struct sample){kept + n, count, n - count};
    return KILN_OK;
}

int sample_check_nan(struct kiln_call *call, const struct kiln_slot *slot, const char *field,
                     const struct kiln_slot *policy)
{
    const struct kernels *k = call->state;
    const size_t n = (size_t) slot->array.count;
    const size_t at = nan_policy_of(policy) == NAN_RAISE ? k->find_nan(slot->array.data, n) : n;
    return at < n ? refuse_nan(call, field, at) : KILN_OK;
}

int sample_check_ddof(struct kiln_call *call, const struct sample *s, const char *field, int64_t ddof)
{
    if ((int64_t) s->n > ddof) {
        return KILN_OK;
    }
    return call->host->fail(call, KILN_INVALID, "ddof",
                            "ddof is %lld, expected less than the %zu values of %s%s", (long long) ddof, s->n,
                            field, s->omitted ? " that are not NaN" : "");
}
