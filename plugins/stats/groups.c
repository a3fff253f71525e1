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

int groups_take(struct kiln_call *call, const struct kiln_slot *x, const struct kiln_slot *group,
                enum nan_policy policy, size_t least, struct groups *ret, bool *ret_nan)
{
    const struct kernels *k = call->state;
    const double *from = x->array.data;
    const int64_t *label = group->array.data;
    const size_t given = (size_t) x->array.count;
    struct sample s;
    const size_t first = k->find_nan(from, given);
    *ret_nan = first < given && policy == NAN_PROPAGATE;
    if (first < given && policy == NAN_RAISE) {
        return sample_take(call, x, "x", policy, &s); /* which refuses */
    }
    double *to = call->host->alloc(call, given * sizeof *to);
    int64_t *kept = call->host->alloc(call, given * sizeof *kept);
    double *all = call->host->alloc(call, given * sizeof *all);
    if (!to || !kept || !all) {
        return KILN_RESOURCE;
    }
    size_t n = 0;
    for (size_t i = 0; i < given; i++) {
        all[n] = from[i];
        kept[n] = label[i];
        n += from[i] == from[i] || *ret_nan;
    }
    if (n == 0) {
        return sample_take(call, x, "x", policy, &s); /* which refuses */
    }
    struct labels l;
    int status = labels_find(call, kept, n, &l);
    size_t *start = call->host->alloc(call, (l.k + 2) * sizeof *start);
    if (status || !start) {
        return status ? status : KILN_RESOURCE;
    }
    memset(start, 0, (l.k + 2) * sizeof *start);
    for (size_t i = 0; i < n;
         i++) { /* start[g + 2] counts sample g, then start[g + 1] is where to put its next */
        start[number_of(&l, kept[i]) + 2]++;
    }
    for (size_t g = 2; g < l.k + 2; g++) {
        start[g] += start[g - 1];
    }
    for (size_t i = 0; i < n; i++) {
        to[start[number_of(&l, kept[i]) + 1]++] = all[i];
    }
    *ret = (struct groups){.k = l.k, .n = n, .x = to, .start = start};
    return check(call, ret, &l, kept, least);
}
