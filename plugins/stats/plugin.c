/* SPDX-License-Identifier: MPL-2.0 */
/* stats - statistics on arrays, by the conventions of NumPy and SciPy.
 *
 * The plugin's state is the set of kernels that this processor runs fastest, or the one that the option simd
 * names. */
#include <cblas.h>
#include <string.h>

#include "fft.h"
#include "files.h"
#include "functions.h"
#include "kernels.h"

static const struct kiln_function *const functions[] = {
#define FUNCTION(name) &stats_##name,
#include "functions.def"
};

static const struct kiln_row options[] = {
    {.name = "simd",
     .kind = KILN_STRING,
     .choices = "auto|plain|baseline|avx2|avx512",
     .fallback = "\"auto\"",
     .help = "vector instructions; the same on all machines makes results equal to the last bit"},
    FFT_OPTIONS,
    FILES_OPTIONS,
};

static int init(struct kiln_call *call, void **ret_state)
{
    openblas_set_num_threads(1); /* a worker is one thread; more of them are more workers */
    const struct kiln_value *simd = call->host->option(call, "simd");
    const struct kernels *k = kernels_best();
    if (simd && strcmp(simd->text, "auto") != 0) {
        k = kernels_find(simd->text);
        if (!k || !k->runs_here()) {
            return call->host->fail(
                call, KILN_INVALID, "simd",
                "simd is %s, which this processor does not have, expected auto or at most %s", simd->text,
                kernels_best()->name);
        }
    }
    fft_init(call);
    *ret_state = (void *) (uintptr_t) k;
    return KILN_OK;
}

static void fini(void *state)
{
    (void) state; /* constant */
    fft_done();
}

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,       .name = "stats",
    .version = "1.0.0",     .summary = "statistics on arrays",
    .functions = functions, .n_functions = KILN_COUNT(functions),
    .options = options,     .n_options = KILN_COUNT(options),
    .init = init,           .fini = fini,
};
