/* SPDX-License-Identifier: MPL-2.0 */
/* engine_impl - an engine's inside, as loader, host, engine, engine_run and warm share it. Nobody else
 * includes this. */
#ifndef ENGINE_IMPL_H
#define ENGINE_IMPL_H

#include <kiln/plugin.h>

#include "arena.h"
#include "buf.h"
#include "contract.h"
#include "engine.h"

struct function {
    const struct kiln_function *theirs; /* in the shared object; may be shorter than ours */
    struct kiln_function desc;          /* our copy, of our size */
    struct contract *contract;
    void *instance;
    bool opened;
    uint32_t max_batch;                      /* 1 without run_batch */
    int64_t cold_ns, warm_ns, least_warm_ns; /* after engine_prove */
    size_t contract_at, contract_bytes;      /* in engine.contracts */
};

/* Where one job is computed. A plugin's kiln_call is the first member, so that a service finds the lane
 * again. */
struct lane {
    struct kiln_call call;
    struct engine *e;
    const struct function *fn; /* NULL during init */
    struct arena *arena;
    struct arena own;
    size_t job; /* its index among those of engine_run */
    struct err err;
    struct bound bound;
    struct kiln_slot *args, *results;
};

struct engine {
    void *handle; /* of dlopen; never closed */
    const struct kiln_plugin *theirs;
    struct kiln_plugin desc;
    struct engine_limits limits;
    struct function *functions;
    size_t n_functions;
    struct contract *options;
    struct kiln_slot *option_slots;
    struct kiln_value *option_values; /* KILN_V_NULL: neither set nor defaulted */
    void *state;
    bool inited;
    struct arena life;     /* memory taken in init and open, options */
    struct lane life_lane; /* the call of init and open */
    struct lane *lanes;
    struct kiln_item *items;
    uint32_t n_lanes;
    struct kiln_slot *slots; /* of all lanes */
    struct buf results;      /* of the last engine_run */
    size_t peak_results;     /* most bytes they had since the last engine_rest */
    struct buf contracts, report;
    const struct engine_watch *watch; /* during engine_run */
    bool damaged;
    bool proving; /* results are filled with a pattern first, so that one left unwritten shows */
    int64_t load_ns, init_ns;
};

/* loader.c: opens the file and judges what it describes, before any function of it is called (constructors of
 * the shared object do run, as the dynamic linker has it). Fills handle, theirs, desc, functions (theirs,
 * desc). */
int loader_open(const char *path, struct engine *e, struct err *err);

/* host.c */
const struct kiln_host *host_table(void);

/* engine.c */
void engine_step(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
