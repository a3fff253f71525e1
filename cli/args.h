/* SPDX-License-Identifier: MPL-2.0 */
/* args - words of the command line into a msgpack map of arguments.
 *
 *     struct args *a = args_new();
 *     args_json(a, "request.json", &err);           a whole JSON object, "-" is standard input
 *     args_word(a, "x=@prices.csv:close", &err);    one member; a later word replaces what was there
 *     args_pack(a, &buf);
 *     args_free(&a);
 *
 * NAME is the name of an argument; dots descend into maps, which are made as needed. VALUE is
 *
 *     2.385  -7  true  false  null  nan  inf     as they read
 *     [1,2,3]  {"a":1}  "5"                      JSON
 *     @prices.csv:close                          a column of a CSV file, see csv.h for ?filters
 *     @request.json  @notes.txt  @model.bin      a file: JSON, text, or else bytes
 *     @@name                                     the text "@name"
 *     linear                                     text: whatever is none of these */
#ifndef ARGS_H
#define ARGS_H

#include "buf.h"
#include "err.h"

struct args;

struct args *args_new(void);
void args_free(struct args **args);

/* Each: 0, or KILN_INVALID with a sentence that names the argument or the file. */
int args_json(struct args *a, const char *path, struct err *err);
int args_word(struct args *a, const char *word, struct err *err);
int args_set_text(struct args *a, const char *name, const char *text, struct err *err); /* as it stands */

/* Appends the map. */
void args_pack(const struct args *a, struct buf *out);

#endif
