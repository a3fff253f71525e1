/* SPDX-License-Identifier: MPL-2.0 */
/* leak - does memory grow when a function's examples run again and again? */
#ifndef LEAK_H
#define LEAK_H

#include <stdint.h>

#include "engine.h"

/* Bytes that one pass over the examples of function fn leaves behind; 0 when it settles, -1 when this cannot
 * be measured (another malloc than the C library's). After engine_prove. */
int64_t leak_per_pass(struct engine *e, size_t fn);

#endif
