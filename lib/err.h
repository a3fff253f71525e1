/* SPDX-License-Identifier: MPL-2.0 */
/* err - why something failed: a status, the field at fault, and one sentence for a person.
 *
 * Of fixed size, lives on the caller's stack, owns nothing. Every function that fills one accepts
 * NULL. The last failure wins; success leaves it untouched. */
#ifndef ERR_H
#define ERR_H

#include <kiln/status.h>

struct err {
    int status;     /* enum kiln_status */
    char field[96]; /* "" when no single field is at fault */
    char text[512]; /* a sentence without full stop */
};

/* Fills e (unless NULL) and returns status, so that `return err_set(...)` reads well. */
int err_set(struct err *e, int status, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "prefix: " before the sentence; returns e->status (KILN_INTERNAL for NULL). */
int err_prefix(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
