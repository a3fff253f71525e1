/* SPDX-License-Identifier: MPL-2.0 */
#include "levels.h"

#include "extremes.h"
#include "touches.h"

int levels_begin(struct levels *l, struct kiln_call *call, size_t window, size_t windows)
{
    l->window = window;
    l->most = least(extremes_piece(window), windows);
    /* The extremes of a window stand where its last bar does. */
    size_t lead = window - 1, each = lead + l->most;
    size_t doubles = 3 * each + 5 * l->most;
    if (doubles > l->doubles) {
        l->room = analysis_room(call, doubles);
        l->doubles = doubles;
    }
    double *room = l->room;
    if (!room) {
        return KILN_RESOURCE;
    }
    l->low.level = room + lead;
    l->high.level = l->low.level + each;
    l->max_volume = l->high.level + each;
    room += 3 * each;
    l->low.touches = room;
    l->low.weight = room + l->most;
    l->high.touches = room + 2 * l->most;
    l->high.weight = room + 3 * l->most;
    l->tolerance = room + 4 * l->most;
    return KILN_OK;
}

int levels_next(struct levels *l, const double *low, const double *high, const double *volume,
                const double *close, size_t length, enum levels_weight weight, struct pace *pace)
{
    size_t window = l->window, lead = window - 1;
    extremes_min(low, lead, lead + length, window, l->low.level - lead);
    extremes_max(high, lead, lead + length, window, l->high.level - lead);
    extremes_max(volume, lead, lead + length, window, l->max_volume - lead);
    for (size_t i = 0; i < length; i++) {
        l->tolerance[i] = LEVELS_TOLERANCE * close[i];
    }
    bool first = weight == LEVELS_FIRST;
    for (size_t some, i = 0; i < length; i += some) {
        some = least(KERNEL_CHUNK, length - i);
        if (pace_stops(pace, some * window)) {
            return KILN_CANCELLED;
        }
        (first ? touches_low_first : touches_low_mean)(low + i, volume + i, l->low.level + i,
                                                       l->tolerance + i, some, window, l->low.touches + i,
                                                       l->low.weight + i);
        (first ? touches_high_first : touches_high_mean)(high + i, volume + i, l->high.level + i,
                                                         l->tolerance + i, some, window, l->high.touches + i,
                                                         l->high.weight + i);
    }
    return KILN_OK;
}
