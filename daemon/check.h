/* SPDX-License-Identifier: MPL-2.0 */
/* check - `kilnd --check FILE.so`: is this plugin right?
 *
 * A child process loads, judges, proves and exercises the plugin; the parent survives whatever it does, and
 * says what it was doing when it crashed or hung. Exit status 0: fit to serve; 1: not. Hints do not change
 * it. */
#ifndef CHECK_H
#define CHECK_H

#include "buf.h"

/* The arguments of the program: [--check] FILE.so [--json] [--options JSON] [--timeout SECONDS], in any
 * order. */
int check_main(int argc, char **argv);

/* check_child.c: everything that happens in the child. Appends to `out` the msgpack map
 * {plugin?, version?, summary?, options?:[row], problems:[text], hints:[text], report?}. */
void check_child(const char *path, const void *options, size_t options_bytes, struct buf *out);

/* check_elf.c: what the shared object's symbols give away. Appends hints as msgpack strings; returns how
 * many. */
size_t check_elf(const char *path, struct buf *hints);

#endif
