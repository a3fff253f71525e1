/* SPDX-License-Identifier: MPL-2.0 */
/* refusal - why a model was not taken or a run failed: a status and a sentence. The first one stays. */
#ifndef INFERENCE_REFUSAL_H
#define INFERENCE_REFUSAL_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "op.h"
#include "text.h"

struct refusal {
    int status; /* KILN_OK: none yet */
    char text[480];
};

OP_PRINTF(3, 4) static inline int refuse(struct refusal *r, int status, const char *format, ...)
{
    if (r->status == KILN_OK) {
        r->status = status;
        va_list args;
        va_start(args, format);
        vsnprintf(r->text, sizeof r->text, format, args);
        va_end(args);
        text_printable(r->text, strlen(r->text));
    }
    return r->status;
}

/* The budget is spent. */
static inline int refuse_memory(struct refusal *r, const char *what)
{
    return refuse(r, KILN_RESOURCE, "no memory left for %s: the budget of models is spent", what);
}

#endif
