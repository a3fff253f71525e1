/* SPDX-License-Identifier: MPL-2.0 */
/* workspace - the memory in which values of running plans lie. One run at a time: all plans of all models
 * share it, and it is as large as the largest of them. */
#ifndef INFERENCE_WORKSPACE_H
#define INFERENCE_WORKSPACE_H

#include "pool.h"

struct workspace {
    struct budget *budget;
    char *base; /* aligned to 64; moves when it grows */
    size_t bytes;
};

void workspace_init(struct workspace *w, struct budget *budget);
void workspace_done(struct workspace *w);
/* At least so large; what is in it stays. false when the budget is spent. */
bool workspace_reserve(struct workspace *w, size_t bytes);

#endif
