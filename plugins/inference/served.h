/* SPDX-License-Identifier: MPL-2.0 */
/* served - one version of one model: its file, and once loaded, the model, warmed and proven.
 *
 * Loading reads it, runs its golden examples, warms a plan for every batch size that it will see (the
 * first run is timed as cold, the best of further ones as warm) and finds out whether rows of different
 * jobs may be computed together: its inputs and outputs have a free first dimension, and a batch gives
 * what its rows give alone. */
#ifndef INFERENCE_SERVED_H
#define INFERENCE_SERVED_H

#include <kiln/plugin.h>

#include "auto_int8.h"
#include "contract.h"
#include "model.h"

enum served_state { SERVED_COLD, SERVED_READY, SERVED_FAILED };
enum { SERVED_WARM = 12 }; /* batch sizes 1, 2, 4 ... 2048 */

struct warm_time {
    int64_t batch, cold_ns, warm_ns;
};

struct served {
    char *name;
    int64_t version;
    char *path;                 /* NULL: built in */
    const unsigned char *bytes; /* of one that is built in */
    size_t n_bytes;
    enum served_state state;
    struct refusal why; /* it failed; or what warming could not do */
    struct model *model;
    struct contract *contract; /* NULL: none beside it */
    bool pinned, in_use;
    bool stackable;
    struct auto_int8 int8; /* what quantising gave, when it was asked for */
    int n_goldens;
    int n_warm;
    struct warm_time warm[SERVED_WARM];
    uint64_t used_at; /* the store's clock, for the least recently used */
    uint64_t uses, loads, evictions;
};

struct load_options {
    struct budget *budget;
    struct workspace *workspace;
    int64_t max_batch;
    bool prefer_int8; /* X.int8.onnx beside X.onnx is taken instead */
    bool quantize;    /* weights become bytes where that is faster, and the examples are still met */
};

/* READY, or FAILED with `why`. KILN_RESOURCE leaves it COLD: another time there may be room. */
int served_load(struct served *s, const struct load_options *o, struct kiln_call *call);
void served_unload(struct served *s);
void served_done(struct served *s);

/* The path of something beside the model: "golden" is golden.json in its folder, or name.golden.json. */
const char *served_beside(const struct served *s, const char *what, char *out, size_t bytes);

/* warm.c */
int served_warm(struct served *s, const struct load_options *o, struct kiln_call *call);
int served_prove(struct served *s, const struct load_options *o, struct refusal *why);
/* Made-up inputs for so many rows. *ret_guessed: sizes of free dimensions other than the first were
 * guessed. NULL: no shapes are declared, or no memory is left. */
struct tensor *served_sample(const struct model *m, int64_t batch, struct pool *pool, bool *ret_guessed);

#endif
