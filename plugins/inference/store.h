/* SPDX-License-Identifier: MPL-2.0 */
/* store - all models that this worker serves, and the memory they may take.
 *
 *     folder/NAME/VERSION/model.onnx     VERSION a whole number; or
 *     folder/NAME.onnx                   which is version 1
 *
 * Pinned models are loaded, warmed and proven in store_open and stay. Others are loaded when they are
 * asked for first; when the budget is spent, the one that was not used for longest goes, but never one
 * that is in use. The latest version of a name is its newest that did not fail. The list is made once:
 * changed files are the matter of a new generation of workers. */
#ifndef INFERENCE_STORE_H
#define INFERENCE_STORE_H

#include "served.h"

struct store_options {
    const char *folder; /* NULL: only what is built in */
    const char *pinned; /* names between commas; "*": all */
    int64_t cache_bytes, max_batch;
    bool skip_bad, prefer_int8, quantize;
};

struct store {
    struct budget budget;
    struct workspace workspace;
    struct workspace stack; /* inputs and outputs of jobs that are computed together */
    struct load_options load;
    struct served **models; /* by name, then newest version first */
    size_t n, room;
    uint64_t clock;
    uint64_t hits, misses, loads, evictions, failures;
};

/* KILN_OK, or why the models cannot be served: a name has no version that works, and bad ones are not to
 * be skipped. */
int store_open(struct store *s, const struct store_options *o, struct kiln_call *call, struct refusal *why);
void store_close(struct store *s);
/* The model, loaded and in use until store_release(). version 0: the latest. */
int store_take(struct store *s, const char *name, int64_t version, struct kiln_call *call,
               struct served **ret, struct refusal *why);
void store_release(struct served *served);
/* What stands for a name and version, loaded or not. */
struct served *store_find(struct store *s, const char *name, int64_t version);

/* folder.c. Adds what lies in the folder. */
int store_scan(struct store *s, const char *folder, struct refusal *why);
int store_add(struct store *s, const char *name, int64_t version, const char *path, struct served **ret);

#endif
