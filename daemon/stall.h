/* SPDX-License-Identifier: MPL-2.0 */
/* stall - time in which this thread could have run and did not, because no processor was free for it. Taken off what a clock says
 * it shows what code costs, on a busy machine too, and at low priority. */
#ifndef STALL_H
#define STALL_H

#include <stdint.h>

/* Once, by the thread that will ask, before plugin code runs. */
void stall_open(void);

/* Nanoseconds since the thread began; 0 always where the kernel does not tell. Costs about a microsecond. */
int64_t stall_ns(void);

#endif
