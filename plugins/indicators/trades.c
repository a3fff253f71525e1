/* SPDX-License-Identifier: MPL-2.0 */
#include "trades.h"

#include <stdbool.h>

#include "decay.h"
#include "kernel.h"

enum { LANES = 4 };

typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));
typedef int64_t bits __attribute__((vector_size(LANES * sizeof(double)), aligned(8), may_alias));

/* Trades 0 .. n-1; prices[-1] can be read. Adds to the flow. */
KERNEL static void tick_sums(const double *restrict prices, const double *restrict volumes, size_t n,
                             struct flow *flow)
{
    lanes up = {0}, down = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        lanes now = *(const lanes *) (prices + i), before = *(const lanes *) (prices + i - 1);
        bits volume = *(const bits *) (volumes + i);
        up += (lanes) ((now > before) & volume);
        down += (lanes) ((now < before) & volume);
    }
    for (; i < n; i++) {
        up[0] += prices[i] > prices[i - 1] ? volumes[i] : 0.0;
        down[0] += prices[i] < prices[i - 1] ? volumes[i] : 0.0;
    }
    flow->bought += (up[0] + up[1]) + (up[2] + up[3]);
    flow->sold += (down[0] + down[1]) + (down[2] + down[3]);
}

struct flow trades_tick(const double *prices, const double *volumes, size_t from, size_t n)
{
    enum { CHUNK = 1024 };
    struct flow flow = {0.0, 0.0};
    for (size_t length, i = from > 0 ? from : 1; i < n; i += length) {
        length = least(CHUNK, n - i);
        tick_sums(prices + i, volumes + i, length, &flow);
    }
    return flow;
}

struct flow trades_tick_fading(const double *prices, const double *volumes, const double *times, size_t from,
                               size_t n, double newest, double span)
{
    struct flow flow = {0.0, 0.0};
    double weighed[KERNEL_CHUNK];
    for (size_t length, i = from > 0 ? from : 1; i < n; i += length) {
        length = least(KERNEL_CHUNK, n - i);
        decay_natural(times + i, length, newest, span, weighed);
        for (size_t k = 0; k < length; k++) {
            weighed[k] *= volumes[i + k];
        }
        tick_sums(prices + i, weighed, length, &flow);
    }
    return flow;
}

ALWAYS_INLINE size_t near_sums(const double *restrict prices, const double *restrict volumes,
                               const double *restrict sides, size_t n, double price, double reach,
                               bool by_side, struct flow *flow)
{
    lanes bought = {0}, sold = {0};
    bits count = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        lanes now = *(const lanes *) (prices + i);
        bits near = (now - price <= reach) & (price - now <= reach), volume = *(const bits *) (volumes + i);
        count -= near;
        if (by_side) {
            bits buys = *(const lanes *) (sides + i) > 0.0;
            bought += (lanes) (near & buys & volume);
            sold += (lanes) (near & ~buys & volume);
        } else {
            bought += (lanes) (near & volume);
        }
    }
    for (; i < n; i++) {
        if (prices[i] - price <= reach && price - prices[i] <= reach) {
            bool buys = !by_side || sides[i] > 0.0;
            count[0]++;
            bought[0] += buys ? volumes[i] : 0.0;
            sold[0] += buys ? 0.0 : volumes[i];
        }
    }
    flow->bought += (bought[0] + bought[1]) + (bought[2] + bought[3]);
    flow->sold += (sold[0] + sold[1]) + (sold[2] + sold[3]);
    return (size_t) (count[0] + count[1] + count[2] + count[3]);
}

KERNEL size_t trades_near(const double *prices, const double *volumes, const double *sides, size_t n,
                          double price, double reach, struct flow *flow)
{
    return sides ? near_sums(prices, volumes, sides, n, price, reach, true, flow)
                 : near_sums(prices, volumes, volumes, n, price, reach, false, flow);
}

KERNEL void trades_mark(const double *restrict prices, size_t n, double price, double reach,
                        uint8_t *restrict mark)
{
    for (size_t i = 0; i < n; i++) {
        mark[i] |= (prices[i] - price <= reach) & (price - prices[i] <= reach);
    }
}

size_t trades_since(const double *times, size_t n, double time)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times[middle] < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
