/* SPDX-License-Identifier: MPL-2.0 */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

/* A sentence may quote a peer's bytes, whole or cut: on the wire it must be text all the same. */
static void make_text(char *text)
{
    for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
        n = utf8_character(text, left);
        if (n == 0) {
            *text = '?';
            n = 1;
        }
    }
}

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
    make_text(made.field);
    make_text(made.text);
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
    make_text(made);
    memcpy(e->text, made, sizeof made);
    return e->status;
}
