/* SPDX-License-Identifier: MPL-2.0 */
#include "axis.h"

#include <stdio.h>

#include <kiln/plugin.h>

enum { MAP, LIST, FROM, TO, STEPS };

#define DEFAULT_STEPS 30

bool axis_given(const struct kiln_slot *rows)
{
    return rows[LIST].present || rows[FROM].present || rows[TO].present || rows[STEPS].present;
}

int axis_read(struct kiln_call *call, const char *name, const struct kiln_slot *rows, double baseline,
              struct grid_axis *ret_axis)
{
    char field[32];
    if (rows[LIST].present) {
        if (rows[FROM].present || rows[TO].present || rows[STEPS].present) {
            snprintf(field, sizeof field, "%s.levels", name);
            return call->host->fail(call, KILN_INVALID, field,
                                    "%s is given beside from, to or steps, expected either the levels or "
                                    "their ends and steps",
                                    field);
        }
        *ret_axis = (struct grid_axis){(size_t) rows[LIST].array.count, rows[LIST].array.data};
    } else {
        double from = rows[FROM].present ? rows[FROM].f64 : baseline;
        double to = rows[TO].present ? rows[TO].f64 : 1.0;
        size_t steps = rows[STEPS].present ? (size_t) rows[STEPS].i64 : DEFAULT_STEPS;
        double *level = call->host->alloc(call, (steps + 1) * sizeof *level);
        if (level == NULL) {
            return KILN_RESOURCE;
        }
        double step = (to - from) / (double) steps;
        for (size_t i = 0; i < steps; i++) {
            level[i] = (double) i * step + from;
        }
        level[steps] = to;
        *ret_axis = (struct grid_axis){steps + 1, level};
    }
    if (ret_axis->count > AXIS_POINTS_MAX) {
        snprintf(field, sizeof field, "%s.levels", name);
        return call->host->fail(call, KILN_INVALID, field, "%s has %zu levels, expected at most %d", field,
                                ret_axis->count, AXIS_POINTS_MAX);
    }
    return KILN_OK;
}
