/* SPDX-License-Identifier: MPL-2.0 */
/* retire - functions that no worker offers any more, because a person wants it so: the node that offered one last is here, and its beat
 * does not list the plugin any more, or lists it ready with another generation. New jobs are then refused as of an unknown function; what waits
 * goes on waiting, for a worker or its deadline; when nothing of it is left the function is forgotten, with its figures.
 * A function whose node went away stays: the node may come back. */
#ifndef RETIRE_H
#define RETIRE_H

#include "broker.h"

/* A beat of a node with the list of its plugins. */
void retire_by_beat(struct broker *b, const struct node *n, const msgpack_object_array *plugins);

/* Forgets retired functions of which nothing is left. */
void retire_sweep(struct broker *b);

#endif
