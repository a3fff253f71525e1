/* SPDX-License-Identifier: MPL-2.0 */
/* offer - what a worker's hello says of its functions, and their announcement: at once, or for a worker on trial when it serves. */
#ifndef OFFER_H
#define OFFER_H

#include "broker.h"

struct offer {
    char name[2 * CATALOGUE_NAME_BYTES + 2]; /* "stats.mean" */
    size_t name_bytes;
    uint64_t warm_us;   /* UINT64_MAX: not said */
    bool copies;        /* a shadow may run it */
    zmq_msg_t contract; /* of those that are kept */
};

/* All that can be wrong with the functions and payloads of a hello, before it changes anything. */
int offers_check(struct broker *b, const struct worker *w, const msgpack_object_array *functions,
                 struct frames *f, struct err *err);

/* They were checked. take: announces them. keep: in w->offers, for later. The contracts are moved out of the frames. */
void offers_take(struct broker *b, struct worker *w, const msgpack_object_array *functions, struct frames *f);
void offers_keep(struct worker *w, const msgpack_object_array *functions, struct frames *f);
void offers_forget(struct worker *w);

/* The worker offers that function from now on. contract: moved out, described from now on; NULL: what is known of the function
 * stays as it is. */
struct function *offer_announce(struct broker *b, struct worker *w, const struct offer *o,
                                zmq_msg_t *contract);

#endif
