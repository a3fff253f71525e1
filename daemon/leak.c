/* SPDX-License-Identifier: MPL-2.0 */
#include "leak.h"

#include <malloc.h>
#include <string.h>

#include "clock.h"
#include "engine_impl.h"
#include "golden.h"
#include "mem.h"

enum { WINDOWS = 5, MOST_PASSES = 500, LEAST_PASSES = 4, LEAST_LEAK = 8 };

static int64_t in_use(void)
{
    struct mallinfo2 m = mallinfo2();
    return (int64_t) m.uordblks + (int64_t) m.hblkhd;
}

static void pass(struct engine *e, size_t fn, const struct golden *goldens, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct engine_job job = {.payload = goldens[i].args.data, .payload_bytes = goldens[i].args.bytes};
        engine_run(e, fn, &job, 1, true, NULL);
    }
}

/* Growth that goes on in every window, at the same pace or more, is a leak; caches and pools fill up and
 * stop. */
static int64_t measure(struct engine *e, size_t fn, const struct golden *goldens, size_t n)
{
    int64_t begin = clock_ns();
    pass(e, fn, goldens, n);
    int64_t took = clock_ns() - begin, passes = 100 * CLOCK_MS / (took ? took : 1);
    passes = passes < LEAST_PASSES ? LEAST_PASSES : passes > MOST_PASSES ? MOST_PASSES : passes;
    int64_t least = INT64_MAX;
    for (int window = 0; window < WINDOWS; window++) {
        int64_t before = in_use();
        for (int64_t i = 0; i < passes; i++) {
            pass(e, fn, goldens, n);
        }
        int64_t grown = in_use() - before;
        if (window > 0 && grown < least) { /* the first one warms up */
            least = grown;
        }
    }
    return least >= passes * LEAST_LEAK ? least / passes : 0;
}

int64_t leak_per_pass(struct engine *e, size_t fn)
{
    int64_t before = in_use();
    void *probe = mem_alloc(5000);
    memset(probe, 1, 5000);
    int64_t probed = in_use();
    mem_free(probe);
    if (probed < before + 5000) {
        return -1;
    }
    const struct kiln_function *d = &e->functions[fn].desc;
    struct golden *goldens = mem_alloc(d->n_goldens * sizeof *goldens);
    struct kiln_golden *rows = mem_alloc(d->n_goldens * sizeof *rows);
    size_t n = 0;
    for (; n < d->n_goldens; n++) {
        memcpy(&rows[n], (const char *) d->goldens + n * d->golden_size, d->golden_size);
        if (golden_parse(&rows[n], n, &goldens[n], NULL)) {
            break; /* engine_prove has told already */
        }
    }
    int64_t leak = measure(e, fn, goldens, n);
    for (size_t i = 0; i < n; i++) {
        golden_done(&goldens[i]);
    }
    mem_free(goldens);
    mem_free(rows);
    return leak;
}
