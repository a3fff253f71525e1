/* SPDX-License-Identifier: MPL-2.0 */
/* Two ways, both without a branch on the data:
 *
 *   - windows up to DOUBLING bars: the extremes of 2, 4, 8, .. bars are made from each other by whole vectors, and a window of any
 *     period is the union of two of them that overlap;
 *   - longer ones: the outputs are cut into blocks of `period`; a window is a tail of the bars before its block and a head
 *     of the block, and the extremes of both run along (van Herk 1992; Gil and Werman 1993).
 *
 * Few bars with a long window, as a live stream asks for, are searched one by one. */
#include "extremes.h"

#include <stdbool.h>

#include "kernel.h"

enum {
    DOUBLING = 128,
    FEW = 4, /* bars, for which the blocks of a long window are not worth their start */
    ROOM = KERNEL_CHUNK + DOUBLING
};

/* Where the later bar does not lose. */
ALWAYS_INLINE bool later_wins(bool greatest, double early, double late)
{
    return greatest ? late >= early : late <= early;
}

ALWAYS_INLINE double extreme_of(bool greatest, double early, double late)
{
    /* Written as what one vector instruction does. */
    return greatest ? (early > late ? early : late) : (early < late ? early : late);
}

/* Largest power of two, at least 1, that is less than the period: two such windows make up the whole one. */
static inline size_t half_of(size_t period)
{
    size_t half = 1;
    while (2 * half < period) {
        half *= 2;
    }
    return half;
}

size_t extremes_piece(size_t period)
{
    return period <= DOUBLING ? KERNEL_CHUNK : 4 * period;
}

/* ---- values -------------------------------------------------------------------------------------- */

ALWAYS_INLINE void pair_up(const double *restrict from, double *restrict to, size_t n, size_t distance,
                           bool greatest)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = extreme_of(greatest, from[i], from[i + distance]);
    }
}

ALWAYS_INLINE void quads(const double *restrict from, double *restrict to, size_t n, bool greatest)
{
    for (size_t i = 0; i < n; i++) {
        double early = extreme_of(greatest, from[i], from[i + 1]);
        double late = extreme_of(greatest, from[i + 2], from[i + 3]);
        to[i] = extreme_of(greatest, early, late);
    }
}

/* x: begins with the first window. */
ALWAYS_INLINE void doubling(const double *restrict x, size_t n, size_t period, double *restrict out,
                            bool greatest)
{
    double room[2][ROOM];
    const double *from = x;
    size_t half = half_of(period), done = 1, turn = 0, length = n + period - 1; /* windows of `done` bars */
    if (half >= 4) {
        length -= 3;
        quads(from, room[0], length, greatest);
        done = 4;
        from = room[0];
        turn = 1;
    }
    for (; done < half; done *= 2, turn ^= 1) {
        length -= done;
        pair_up(from, room[turn], length, done, greatest);
        from = room[turn];
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = extreme_of(greatest, from[i], from[i + period - half]) + 0.0;
    }
}

ALWAYS_INLINE void blocks(const double *restrict x, size_t begin, size_t end, size_t period,
                          double *restrict out, bool greatest)
{
    for (size_t from = begin; from < end; from += period) {
        size_t length = least(period, end - from);
        const double *now = x + from, *before = now + 1 - period; /* window of i: before[i] .. now[i] */
        double *block = out + from;
        double tail = before[period - 1];
        for (size_t j = period - 1; j >= length; j--) {
            tail = extreme_of(greatest, before[j], tail);
        }
        for (size_t j = length; j-- > 0;) {
            tail = extreme_of(greatest, before[j], tail);
            block[j] = tail;
        }
        double head = now[0];
        for (size_t i = 0; i < length; i++) {
            head = extreme_of(greatest, head, now[i]);
            block[i] = extreme_of(greatest, block[i], head) + 0.0;
        }
    }
}

ALWAYS_INLINE double search(const double *restrict x, size_t n, bool greatest)
{
    enum { LANES = 16 };
    double lane[LANES], found = x[0];
    for (size_t j = 0; j < LANES; j++) {
        lane[j] = x[0];
    }
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t j = 0; j < LANES; j++) {
            lane[j] = extreme_of(greatest, lane[j], x[i + j]);
        }
    }
    for (; i < n; i++) {
        found = extreme_of(greatest, found, x[i]);
    }
    for (size_t j = 0; j < LANES; j++) {
        found = extreme_of(greatest, found, lane[j]);
    }
    return found;
}

ALWAYS_INLINE void extremes(const double *restrict x, size_t begin, size_t end, size_t period,
                            double *restrict out, bool greatest)
{
    if (end - begin <= FEW) {
        for (size_t i = begin; i < end; i++) {
            out[i] = search(x + i + 1 - period, period, greatest) + 0.0;
        }
    } else if (period > DOUBLING) {
        blocks(x, begin, end, period, out, greatest);
    } else {
        for (size_t from = begin; from < end; from += KERNEL_CHUNK) {
            doubling(x + from + 1 - period, least(KERNEL_CHUNK, end - from), period, out + from, greatest);
        }
    }
}

KERNEL void extremes_max(const double *x, size_t begin, size_t end, size_t period, double *out)
{
    extremes(x, begin, end, period, out, true);
}

KERNEL void extremes_min(const double *x, size_t begin, size_t end, size_t period, double *out)
{
    extremes(x, begin, end, period, out, false);
}

/* ---- where they stand ------------------------------------------------------------------------------ */

/* Bars and their numbers, as doubles, which hold every whole number up to 2^53. */
struct marks {
    double value[ROOM], number[ROOM];
};

ALWAYS_INLINE void mark_pairs(const double *restrict x, double first, struct marks *restrict to, size_t n,
                              bool greatest)
{
    for (size_t i = 0; i < n; i++) {
        double number = first + (double) (int32_t) i;
        to->value[i] = extreme_of(greatest, x[i], x[i + 1]);
        to->number[i] = later_wins(greatest, x[i], x[i + 1]) ? number + 1.0 : number;
    }
}

ALWAYS_INLINE void merge_marks(const struct marks *restrict from, struct marks *restrict to, size_t n,
                               size_t distance, bool greatest)
{
    for (size_t i = 0; i < n; i++) {
        double early = from->value[i], late = from->value[i + distance];
        to->value[i] = extreme_of(greatest, early, late);
        to->number[i] = later_wins(greatest, early, late) ? from->number[i + distance] : from->number[i];
    }
}

/* period >= 2 */
ALWAYS_INLINE void doubling_at(const double *restrict x, double first, size_t n, size_t period,
                               double *restrict out, bool greatest)
{
    struct marks room[2];
    size_t half = half_of(period), done = 2, turn = 0, length = n + period - 2;
    mark_pairs(x, first, &room[0], length, greatest);
    for (; done < half; done *= 2, turn ^= 1) {
        length -= done;
        merge_marks(&room[turn], &room[turn ^ 1], length, done, greatest);
    }
    /* The windows of `done` bars; they are the whole one where the period is 2. */
    const struct marks *from = &room[turn];
    size_t distance = period - done;
    for (size_t i = 0; i < n; i++) {
        double early = from->value[i], late = from->value[i + distance];
        double at_early = from->number[i], at_late = from->number[i + distance];
        out[i] = later_wins(greatest, early, late) ? at_late : at_early;
    }
}

ALWAYS_INLINE void blocks_at(const double *restrict x, size_t begin, size_t end, size_t period, double origin,
                             double *restrict scratch, double *restrict out, bool greatest)
{
    for (size_t from = begin; from < end; from += period) {
        size_t length = least(period, end - from);
        const double *now = x + from, *before = now + 1 - period;
        double *block = out + from;
        double first = origin + (double) from;
        double tail = before[period - 1], at = first;
        for (size_t j = period; j-- > 0;) {
            bool better = !later_wins(greatest, before[j], tail);
            tail = better ? before[j] : tail;
            at = better ? first + (double) j - (double) (period - 1) : at;
            if (j < length) {
                scratch[j] = tail;
                block[j] = at;
            }
        }
        double head = now[0];
        at = first;
        for (size_t i = 0; i < length; i++) {
            bool better = later_wins(greatest, head, now[i]);
            head = better ? now[i] : head;
            at = better ? first + (double) i : at;
            block[i] = later_wins(greatest, scratch[i], head) ? at : block[i];
        }
    }
}

/* Number of the first bar is 0. */
ALWAYS_INLINE double search_at(const double *restrict x, size_t n, bool greatest)
{
    double found = search(x, n, greatest);
    size_t i = n - 1;
    while (i > 0 && x[i] != found) {
        i--;
    }
    return (double) i;
}

ALWAYS_INLINE void extremes_at(const double *restrict x, size_t begin, size_t end, size_t period,
                               uint64_t origin, double *restrict scratch, double *restrict out, bool greatest)
{
    double first = (double) origin; /* the number of x[0] */
    if (period == 1) {
        for (size_t i = begin; i < end; i++) {
            out[i] = first + (double) i;
        }
    } else if (end - begin <= FEW) {
        for (size_t i = begin; i < end; i++) {
            size_t from = i + 1 - period;
            out[i] = first + (double) from + search_at(x + from, period, greatest);
        }
    } else if (period > DOUBLING) {
        blocks_at(x, begin, end, period, first, scratch, out, greatest);
    } else {
        for (size_t from = begin; from < end; from += KERNEL_CHUNK) {
            size_t window = from + 1 - period;
            doubling_at(x + window, first + (double) window, least(KERNEL_CHUNK, end - from), period,
                        out + from, greatest);
        }
    }
}

KERNEL void extremes_max_at(const double *x, size_t begin, size_t end, size_t period, uint64_t origin,
                            double *scratch, double *out)
{
    extremes_at(x, begin, end, period, origin, scratch, out, true);
}

KERNEL void extremes_min_at(const double *x, size_t begin, size_t end, size_t period, uint64_t origin,
                            double *scratch, double *out)
{
    extremes_at(x, begin, end, period, origin, scratch, out, false);
}
