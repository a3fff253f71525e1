/* SPDX-License-Identifier: MPL-2.0 */
/* backend - what workers and nodes say. One file per group of verbs:
 *
 *   backend.c        takes a message, finds who sent it, hands it to the verb; credit, release, beat, gone, bye
 *   backend_hello.c  hello and welcome
 *   backend_done.c   done and stored
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "broker.h"

/* Verbs; `f` and `map` are the message's. An error in err is logged with the peer's name by the caller. */
int backend_hello(struct broker *b, struct frames *f, const msgpack_object_map *map,
                  const struct speaker *speaker, struct err *err);
int backend_done(struct broker *b, struct worker *w, struct frames *f, const msgpack_object_map *map,
                 struct err *err);

/* Answers whoever may not speak here, or whose hello was refused. */
void backend_refuse(struct broker *b, struct frames *f, const struct err *err);

/* A worker leaves: its jobs are given back and it is forgotten. cause NULL: in peace; else it is logged as lost. */
void backend_lose(struct broker *b, struct worker *w, const char *cause);

/* A node is forgotten; who waits for it is told why. */
void backend_lose_node(struct broker *b, struct node *n, const char *why);

/* Tells a peer at once what its next beat would be answered. */
void backend_tell(struct broker *b, const struct peer_route *to, bool quiet);

/* Once a beat: silent nodes and workers are lost; results are reported stored. */
void backend_sweep(struct broker *b);

#endif
