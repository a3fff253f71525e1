/* SPDX-License-Identifier: MPL-2.0 */
/* stats - the broker's figures as msgpack: docs/PROTOCOL.md section 7. */
#ifndef BROKER_STATS_H
#define BROKER_STATS_H

#include "broker.h"

void stats_put(struct broker *b, struct buf *out);

#endif
