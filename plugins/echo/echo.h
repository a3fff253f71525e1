/* SPDX-License-Identifier: MIT-0 */
/* What the files of this plugin share. */
#ifndef ECHO_H
#define ECHO_H

#include <kiln/plugin.h>

/* Made by init in plugin.c. */
struct echo_state {
    int64_t slice_ms;
    int64_t most_ms;
};

extern const struct kiln_function echo_function;   /* echo.c */
extern const struct kiln_function scale_function;  /* scale.c */
extern const struct kiln_function repeat_function; /* repeat.c */
extern const struct kiln_function sleep_function;  /* sleep.c */

#endif
