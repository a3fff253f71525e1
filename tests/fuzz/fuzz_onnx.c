/* SPDX-License-Identifier: MPL-2.0 */
/* A model file: refused with words, or planned and run for small inputs without leaving its memory; all of
 * which is given back. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan.h"

enum { BUDGET = 32 << 20, ROWS = 2, MOST_INPUTS = 8, PATIENCE_MS = 100 };

static struct timespec began;

static int late(void *arg)
{
    (void) arg;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000 > PATIENCE_MS;
}

/* Bytes of the file itself as elements: indices, sizes and floats of every kind. */
static bool make_inputs(const struct model *m, const uint8_t *data, size_t bytes, struct tensor *inputs,
                        void **elements)
{
    for (int i = 0; i < m->graph.n_inputs; i++) {
        const struct tensor *declared = &m->graph.values[m->graph.inputs[i]].constant;
        int64_t dims[TENSOR_RANK];
        for (int d = 0; d < declared->rank; d++) {
            dims[d] = declared->dims[d] < 0 ? ROWS : declared->dims[d];
        }
        if (!tensor_set(&inputs[i], declared->dtype, declared->rank < 0 ? 0 : declared->rank, dims) ||
            tensor_bytes(&inputs[i]) > BUDGET / 8) {
            return false;
        }
        elements[i] = calloc(1, tensor_bytes(&inputs[i]) + 1);
        for (size_t k = 0; k < tensor_bytes(&inputs[i]) && declared->dtype != DT_STRING; k++) {
            ((uint8_t *) elements[i])[k] =
                data[(k * 7 + (size_t) i) % bytes] & (declared->dtype == DT_BOOL ? 1 : 0xff);
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct budget budget = {.limit = BUDGET};
    struct workspace workspace;
    workspace_init(&workspace, &budget);
    struct refusal why = {.status = KILN_OK};
    struct model *m = NULL;
    if (model_read(data, bytes, NULL, -1, &budget, &workspace, &m, &why) == KILN_OK &&
        m->graph.n_inputs <= MOST_INPUTS) {
        struct tensor inputs[MOST_INPUTS];
        void *elements[MOST_INPUTS] = {NULL};
        struct plan *p = make_inputs(m, data, bytes, inputs, elements) ? model_plan(m, inputs, &why) : NULL;
        struct run r = {.cancelled = late};
        clock_gettime(CLOCK_MONOTONIC, &began);
        for (int twice = 0; p && twice < 2; twice++) {
            plan_run(p, elements, NULL, &r, &why);
        }
        for (int i = 0; i < MOST_INPUTS; i++) {
            free(elements[i]);
        }
    } else if (!m && !why.text[0]) {
        abort(); /* a refusal without words */
    }
    model_free(&m);
    workspace_done(&workspace);
    if (budget.used) {
        abort();
    }
    return 0;
}
