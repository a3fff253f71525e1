/* SPDX-License-Identifier: MPL-2.0 */
#include "workspace.h"

#include <stdint.h>
#include <sys/mman.h>

/* Pages that are there move with the addresses: growing copies nothing, and touches nothing anew. */
enum { PAGE = 4096 };

void workspace_init(struct workspace *w, struct budget *budget)
{
    *w = (struct workspace){.budget = budget};
}

void workspace_done(struct workspace *w)
{
    if (w->base) {
        munmap(w->base, w->bytes);
    }
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
    const size_t whole = (bytes + PAGE - 1) / PAGE * PAGE, more = whole - w->bytes;
    if (bytes > SIZE_MAX / 2 || !budget_take(w->budget, more)) {
        return false;
    }
    void *base = w->base ? mremap(w->base, w->bytes, whole, MREMAP_MAYMOVE)
                         : mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        budget_give(w->budget, more);
        return false;
    }
    w->base = base;
    w->bytes = whole;
    return true;
}
