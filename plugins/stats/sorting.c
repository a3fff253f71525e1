/* SPDX-License-Identifier: MPL-2.0 */
#include "sorting.h"

#include <math.h>
#include <string.h>

enum {
    DIGIT_MOST = 11, /* bits of a digit: the counters of a pass fit into the first-level cache */
    DIGIT_FAR = 10,  /* the same where memory is far, so that not too many places are written at once */
    DIGIT_LEAST = 6,
    FAR = 1 << 18,
    PASSES = 8,
    SPARE_BITS = 14,    /* n values of log2(n) + these bits seldom agree in all of them */
    INSERTION_MOST = 20 /* values that insertion sorts faster */
};

#define BITS(n) (((uint64_t) 1 << (n)) - 1) /* n < 64 */

size_t sort_scratch_bytes(size_t n)
{
    return 2 * n * sizeof(uint64_t);
}

/* ---- doubles as integers of the same order ------------------------------------------------------------- */

static uint64_t key_of(double v)
{
    int64_t bits;
    v += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &v, sizeof bits);
    return (uint64_t) bits ^ ((uint64_t) (bits >> 63) | (uint64_t) INT64_MIN);
}

static double of_key(uint64_t key)
{
    const uint64_t bits = key ^ (((key >> 63) - 1) | (uint64_t) INT64_MIN);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static unsigned width_of(uint64_t v) /* bits that v takes */
{
    return v ? 64 - (unsigned) __builtin_clzll(v) : 0;
}

/* ---- integers ------------------------------------------------------------------------------------------ */

static void insertion(uint64_t *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const uint64_t v = a[i];
        size_t j = i;
        for (; j > 0 && a[j - 1] > v; j--) {
            a[j] = a[j - 1];
        }
        a[j] = v;
    }
}

/* Sorts by the `width` bits from `low` on, keeping the order of equal ones. The result is in a. */
static int radix(struct kiln_call *call, uint64_t *a, uint64_t *spare, size_t n, unsigned low, unsigned width)
{
    uint32_t count[PASSES][1 << DIGIT_MOST];
    unsigned most = width_of(n) - (width_of(n) > 2 ? 2 : 0);
    const unsigned cap = n > FAR ? DIGIT_FAR : DIGIT_MOST;
    most = most < DIGIT_LEAST ? DIGIT_LEAST : most > cap ? cap : most;
    const unsigned least_passes = (width + most - 1) / most;
    const unsigned passes = least_passes < PASSES ? least_passes : PASSES;
    const unsigned digit = (width + passes - 1) / passes;
    const uint64_t mask = BITS(digit);
    for (unsigned p = 0; p < passes; p++) {
        memset(count[p], 0, (mask + 1) * sizeof **count);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t v = a[i] >> low;
        for (unsigned p = 0; p < passes; p++, v >>= digit) {
            count[p][v & mask]++;
        }
    }
    uint64_t *from = a, *to = spare;
    for (unsigned p = 0; p < passes; p++) {
        const unsigned shift = low + p * digit;
        uint32_t *place = count[p], before = 0;
        if (n > FAR && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        for (size_t i = 0; i <= mask; i++) {
            const uint32_t here = place[i];
            place[i] = before;
            before += here;
        }
        for (size_t i = 0; i < n; i++) {
            to[place[(from[i] >> shift) & mask]++] = from[i];
        }
        uint64_t *other = from;
        from = to;
        to = other;
    }
    if (from != a) {
        memcpy(a, from, n * sizeof *a);
    }
    return KILN_OK;
}

/* Sorts integers whose bits below `low` ascend already where the others are equal. */
static int sort_integers(struct kiln_call *call, uint64_t *a, uint64_t *spare, size_t n, unsigned low)
{
    if (n <= INSERTION_MOST) {
        insertion(a, n);
        return KILN_OK;
    }
    uint64_t differ = 0;
    for (size_t i = 1; i < n; i++) {
        differ |= a[i] ^ a[0];
    }
    const unsigned high = width_of(differ);
    if (high <= low) {
        return KILN_OK;
    }
    const unsigned enough = width_of(n) + SPARE_BITS;
    const unsigned cut = high - low > enough ? high - enough : low;
    int status = radix(call, a, spare, n, cut, high - cut);
    for (size_t i = 0, end; cut > low && i < n && status == KILN_OK; i = end) {
        for (end = i + 1; end < n && (a[end] ^ a[i]) >> cut == 0; end++) {
        }
        if (end > i + 1) {
            status = sort_integers(call, a + i, spare, end - i, low);
        }
    }
    return status;
}

/* ---- values ---------------------------------------------------------------------------------------------- */

int sort_values(struct kiln_call *call, double *x, size_t n, void *scratch)
{
    uint64_t *keys = scratch, least = UINT64_MAX;
    size_t numbers = 0;
    for (size_t i = 0; i < n; i++) {
        const double v = x[i];
        if (v == v) {
            const uint64_t key = key_of(v);
            least = key < least ? key : least;
            keys[numbers++] = key;
        }
    }
    for (size_t i = 0; i < numbers; i++) {
        keys[i] -= least;
    }
    const int status = sort_integers(call, keys, keys + n, numbers, 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = i < numbers ? of_key(keys[i] + least) : (double) NAN;
    }
    return status;
}

/* ---- order ------------------------------------------------------------------------------------------------ */

struct ordered {
    uint64_t *at; /* from rank 0 on: the number of different values below, << 32, and the index */
    size_t numbers;
};

/* Sorts the values of a run that agree in the bits that were kept by those that were not: `lost` bits, which
 * go together with the index into an integer again. Numbers the values from `group` on. */
static int order_run(struct kiln_call *call, const double *x, uint64_t *run, uint64_t *spare, size_t n,
                     unsigned lost, unsigned index_bits, uint64_t least, uint64_t *group)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t index = run[i] & BITS(index_bits);
        run[i] = ((key_of(x[index]) - least) & BITS(lost)) << index_bits | index;
    }
    const int status = sort_integers(call, run, spare, n, index_bits);
    uint64_t last = run[0] >> index_bits;
    for (size_t i = 0; i < n; i++) {
        const uint64_t value = run[i] >> index_bits;
        *group += value != last;
        last = value;
        run[i] = *group << 32 | (run[i] & BITS(index_bits));
    }
    return status;
}

static int order(struct kiln_call *call, const double *x, size_t n, void *scratch, struct ordered *ret)
{
    uint64_t *a = scratch, *spare = a + n, least = UINT64_MAX, greatest = 0, group = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t key = key_of(x[i]);
        const uint64_t low = x[i] == x[i] ? key : UINT64_MAX, high = x[i] == x[i] ? key : 0;
        least = low < least ? low : least;
        greatest = high > greatest ? high : greatest;
    }
    const unsigned index_bits = width_of(n - 1), width = least <= greatest ? width_of(greatest - least) : 0;
    const unsigned lost = width + index_bits > 64 ? width + index_bits - 64 : 0;
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (x[i] == x[i]) {
            a[m++] = (key_of(x[i]) - least) >> lost << index_bits | i;
        }
    }
    int status = m ? sort_integers(call, a, spare, m, index_bits) : KILN_OK;
    for (size_t i = 0, end; i < m && status == KILN_OK; i = end, group++) {
        for (end = i + 1; end < m && (a[end] ^ a[i]) >> index_bits == 0; end++) {
        }
        if (lost && end > i + 1) {
            status = order_run(call, x, a + i, spare, end - i, lost, index_bits, least, &group);
            continue;
        }
        for (size_t j = i; j < end; j++) {
            a[j] = group << 32 | (a[j] & BITS(index_bits));
        }
    }
    *ret = (struct ordered){a, m};
    return status;
}

int sort_order(struct kiln_call *call, const double *x, size_t n, void *scratch, uint32_t *ret)
{
    struct ordered o;
    const int status = order(call, x, n, scratch, &o);
    for (size_t i = 0; i < o.numbers; i++) {
        ret[i] = (uint32_t) o.at[i];
    }
    for (size_t i = 0, at = o.numbers; at < n; i++) {
        if (isnan(x[i])) {
            ret[at++] = (uint32_t) i;
        }
    }
    return status;
}

/* ---- ranks ------------------------------------------------------------------------------------------------ */

static double rank_of_group(enum rank_method method, size_t first, size_t end, size_t groups_before)
{
    switch (method) {
    case RANK_MIN:
        return (double) (first + 1);
    case RANK_MAX:
        return (double) end;
    case RANK_DENSE:
        return (double) (groups_before + 1);
    default:
        return 0.5 * (double) (first + 1 + end);
    }
}

static void ties_add(struct ties *ties, size_t t)
{
    const double size = (double) t;
    ties->groups++;
    ties->tied += t > 1 ? t : 0;
    ties->cubes += size * (size * size - 1);
}

void ties_of_sorted(const double *x, size_t n, struct ties *ret)
{
    *ret = (struct ties){.numbers = n};
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && x[end] == x[i]; end++) {
        }
        ties_add(ret, end - i);
    }
}

int sort_ranks(struct kiln_call *call, const double *x, size_t n, enum rank_method method, void *scratch,
               double *ret, struct ties *ret_ties)
{
    struct ordered o;
    const int status = order(call, x, n, scratch, &o);
    struct ties ties = {.numbers = o.numbers};
    if (status) {
        return status;
    }
    for (size_t i = 0; o.numbers < n && i < n; i++) {
        ret[i] = isnan(x[i]) ? x[i] : 0;
    }
    for (size_t i = 0, end; i < o.numbers; i = end) {
        const uint64_t group = o.at[i] >> 32;
        for (end = i + 1; end < o.numbers && o.at[end] >> 32 == group; end++) {
        }
        const double rank = rank_of_group(method, i, end, ties.groups);
        for (size_t j = i; j < end; j++) {
            ret[(uint32_t) o.at[j]] = method == RANK_ORDINAL ? (double) (j + 1) : rank;
        }
        ties_add(&ties, end - i);
    }
    if (ret_ties) {
        *ret_ties = ties;
    }
    return KILN_OK;
}
