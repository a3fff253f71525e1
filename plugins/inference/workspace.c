/* SPDX-License-Identifier: MPL-2.0 */
#include "workspace.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

void workspace_init(struct workspace *w, struct budget *budget)
{
    *w = (struct workspace){.budget = budget};
}

void workspace_done(struct workspace *w)
{
    free(w->base);
    if (w->budget) {
        budget_give(w->budget, w->bytes);
    }
    *w = (struct workspace){.budget = w->budget};
}

bool workspace_reserve(struct workspace *w, size_t bytes)
{
    if (bytes <= w->bytes) {
        return true;
    }
    const size_t more = bytes - w->bytes;
    if (!budget_take(w->budget, more)) {
        return false;
    }
    void *base;
    if (posix_memalign(&base, ALIGNMENT, bytes) != 0) {
        budget_give(w->budget, more);
        return false;
    }
    if (w->base) {
        memcpy(base, w->base, w->bytes);
        free(w->base);
    }
    w->base = base;
    w->bytes = bytes;
    return true;
}
