/* SPDX-License-Identifier: MPL-2.0 */
/* text - what a file calls its things, made fit for logs and answers. */
#ifndef INFERENCE_TEXT_H
#define INFERENCE_TEXT_H

#include <stddef.h>

/* Bytes that are no UTF-8 become question marks; also a character that was cut in half. */
void text_clean(char *text, size_t bytes);
/* And control characters, for sentences. */
void text_printable(char *text, size_t bytes);

#endif
