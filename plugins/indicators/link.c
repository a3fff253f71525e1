/* SPDX-License-Identifier: MPL-2.0 */
#include "link.h"

size_t link_scratch(const struct stage *stage, size_t room)
{
    return link_aligned(stage_scratch(stage, room)) + link_aligned(stage->history + room);
}

struct link link_open(const struct stage *stage, uint64_t first, double **state, double **scratch,
                      size_t room)
{
    struct link link = {.stage = *stage, .first = first, .kept = *state, .state = *state + stage->history};
    *state += link_state(stage);
    link.scratch = link_cut(scratch, stage_scratch(stage, room));
    link.in = carry_open(link.kept, link_cut(scratch, stage->history + room), stage->history);
    return link;
}

void link_average(struct link *link, uint64_t number, size_t length, double *out)
{
    memset(out, 0, length * sizeof(double));
    stage_average(&link->stage, link->in.next, number, length, link->first, link->state, link->scratch, out);
}

void link_close(struct link *link)
{
    carry_close(&link->in, link->kept);
}
