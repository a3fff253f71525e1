/* SPDX-License-Identifier: MPL-2.0 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int status, const char *field, const char *format, ...)
{
    if (!e) {
        return status;
    }
    struct err made = {.status = status}; /* apart: the arguments may point into *e */
    if (field) {
        snprintf(made.field, sizeof made.field, "%s", field);
    }
    va_list ap;
    va_start(ap, format);
    vsnprintf(made.text, sizeof made.text, format, ap);
    va_end(ap);
    *e = made;
    return status;
}

int err_prefix(struct err *e, const char *format, ...)
{
    if (!e) {
        return KILN_INTERNAL;
    }
    char made[sizeof e->text];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(made, sizeof made, format, ap);
    va_end(ap);
    if (n >= 0 && (size_t) n < sizeof made) {
        snprintf(made + n, sizeof made - (size_t) n, ": %s", e->text);
    }
    memcpy(e->text, made, sizeof made);
    return e->status;
}
