/* SPDX-License-Identifier: MPL-2.0 */
/* errand - what a person asks of nodes (reload, rollback): handed to all of them or to one, and answered once, when each has ended
 * it, has vanished, or the time is over. The broker hands the terms on as they came: only nodes know what they mean.
 *
 *     errand_start(b, ask, "reload", &err)
 *     errand_ended(b, node, map, &err)     a node's answer
 *     errand_vanished(b, node, why)        it is about to be forgotten
 *     errand_again(b, node)                the same process said hello again: it may not have heard
 *     errands_close(b)                     the broker ends */
#ifndef ERRAND_H
#define ERRAND_H

#include "frontend.h"

enum { ERRANDS_MOST = 64 };

int errand_start(struct broker *b, struct ask *a, const char *op, struct err *err);
int errand_ended(struct broker *b, const struct node *n, const msgpack_object_map *map, struct err *err);
void errand_vanished(struct broker *b, const struct node *n, const char *why);
void errand_again(struct broker *b, const struct node *n);
void errands_close(struct broker *b);

#endif
