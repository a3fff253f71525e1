/* SPDX-License-Identifier: MPL-2.0 */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "kernels.h"

static int by_label(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

/* The different labels, ascending. */
struct labels {
    int64_t *sorted; /* NULL where labels are close enough to be indices */
    int64_t least;
    size_t *number; /* of the group, by label - least; its absence is n */
    size_t k;
};

static int labels_by_table(struct kiln_call *call, const int64_t *group, size_t n, size_t extent,
                           struct labels *l)
{
    l->number = call->host->alloc(call, extent * sizeof *l->number);
    if (!l->number) {
        return KILN_RESOURCE;
    }
    memset(l->number, 0, extent * sizeof *l->number);
    for (size_t i = 0; i < n; i++) {
        l->number[(uint64_t) group[i] - (uint64_t) l->least] = 1;
    }
    for (size_t i = 0; i < extent; i++) {
        const size_t used = l->number[i];
        l->number[i] = l->k;
        l->k += used;
    }
    return KILN_OK;
}

static int labels_by_sorting(struct kiln_call *call, const int64_t *group, size_t n, struct labels *l)
{
    l->sorted = call->host->alloc(call, n * sizeof *l->sorted);
    if (!l->sorted) {
        return KILN_RESOURCE;
    }
    memcpy(l->sorted, group, n * sizeof *group);
    qsort(l->sorted, n, sizeof *l->sorted, by_label);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || l->sorted[i] != l->sorted[l->k - 1]) {
            l->sorted[l->k++] = l->sorted[i];
        }
    }
    return KILN_OK;
}

static int labels_find(struct kiln_call *call, const int64_t *group, size_t n, struct labels *l)
{
    int64_t least = group[0], greatest = group[0];
    for (size_t i = 1; i < n; i++) {
        least = group[i] < least ? group[i] : least;
        greatest = group[i] > greatest ? group[i] : greatest;
    }
    *l = (struct labels){.least = least};
    const uint64_t extent = (uint64_t) greatest - (uint64_t) least;
    return extent < 4 * (uint64_t) n + 1024 ? labels_by_table(call, group, n, (size_t) extent + 1, l)
                                            : labels_by_sorting(call, group, n, l);
}

static size_t number_of(const struct labels *l, int64_t label)
{
    if (!l->sorted) {
        return l->number[(uint64_t) label - (uint64_t) l->least];
    }
    const int64_t *found = bsearch(&label, l->sorted, l->k, sizeof label, by_label);
    return (size_t) (found - l->sorted);
}

static int check(struct kiln_call *call, const struct groups *g, const struct labels *l, const int64_t *group,
                 size_t least)
{
    if (g->k < 2) {
        return call->host->fail(call, KILN_INVALID, "group", "group names one sample, expected at least 2");
    }
    for (size_t i = 0; i < g->k; i++) {
        const size_t count = g->start[i + 1] - g->start[i];
        if (count < least) {
            while (number_of(l, *group) != i) {
                group++;
            }
            return call->host->fail(call, KILN_INVALID, "group",
                                    "sample %lld has %zu value%s, expected at least %zu in each",
                                    (long long) *group, count, count == 1 ? "" : "s", least);
        }
    }
    return KILN_OK;
}

/* The values without NaN, with their labels. */
static int omit(struct kiln_call *call, const double **x, const int64_t **label, size_t *n)
{
    double *to = call->host->alloc(call, *n * sizeof *to);
    int64_t *kept = call->host->alloc(call, *n * sizeof *kept);
    size_t count = 0;
    if (!to || !kept) {
        return KILN_RESOURCE;
    }
    for (size_t i = 0; i < *n; i++) {
        to[count] = (*x)[i];
        kept[count] = (*label)[i];
        count += (*x)[i] == (*x)[i];
    }
    *x = to;
    *label = kept;
    *n = count;
    return KILN_OK;
}

/* Puts each value to its sample, in two steps: how many there are of each, then where they go. */
static int gather(struct kiln_call *call, const double *x, const int64_t *label, size_t n,
                  const struct labels *l, struct groups *ret)
{
    double *to = call->host->alloc(call, n * sizeof *to);
    uint32_t *number = call->host->alloc(call, n * sizeof *number);
    size_t *start = call->host->alloc(call, (l->k + 2) * sizeof *start);
    if (!to || !number || !start) {
        return KILN_RESOURCE;
    }
    memset(start, 0, (l->k + 2) * sizeof *start);
    for (size_t i = 0; i < n;
         i++) { /* start[g + 2] counts sample g, then start[g + 1] is where to put its next */
        number[i] = (uint32_t) number_of(l, label[i]);
        start[number[i] + 2]++;
    }
    for (size_t g = 2; g < l->k + 2; g++) {
        start[g] += start[g - 1];
    }
    for (size_t i = 0; i < n; i++) {
        to[start[number[i] + 1]++] = x[i];
    }
    *ret = (struct groups){.k = l->k, .n = n, .x = to, .start = start};
    return KILN_OK;
}

int groups_take(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *group,
                enum nan_policy policy, size_t least, struct groups *ret, bool *ret_nan)
{
    const struct kernels *k = call->state;
    const double *values = x->array.data;
    const int64_t *label = group->array.data;
    size_t n = (size_t) x->array.count;
    struct sample s;
    const bool nan = k->find_nan(values, n) < n;
    *ret_nan = nan && policy == NAN_PROPAGATE;
    if (n > UINT32_MAX) {
        return call->host->fail(call, KILN_INVALID, "x", "%zu values, expected at most %u", n, UINT32_MAX);
    }
    if (nan && policy == NAN_RAISE) {
        return sample_take(call, x, "x", policy, &s); /* which refuses */
    }
    int status = nan && policy == NAN_OMIT ? omit(call, &values, &label, &n) : KILN_OK;
    if (status || n == 0) {
        return status ? status : sample_take(call, x, "x", policy, &s); /* which refuses */
    }
    struct labels l;
    status = labels_find(call, label, n, &l);
    status = status ? status : gather(call, values, label, n, &l, ret);
    return status ? status : check(call, ret, &l, label, least);
}
