/* SPDX-License-Identifier: MPL-2.0 */
/* onnx_compare - plugins/inference beside ONNX Runtime, in one process, in turns, one thread.
 *
 *     onnx_compare LIBONNXRUNTIME MODEL.onnx ROW[,ROW...] [BATCH...]
 *
 * MODEL has one float32 input whose dimension -1 is the batch: the others, ROW, are given as numbers, with "b" where the
 * batch is ("b,32"; "50,b,8"). Inputs rotate through thousands of rows. A line for each batch: the lowest and the median time of a call of both, in
 * microseconds, their ratios, and the largest difference of the results beside the largest result.
 *
 * ONNX Runtime is reached through its C interface: a table of functions whose order never changes; those used here are
 * named by their place in it. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plan.h"

enum { ROWS = 4096, ROUNDS = 60, MOST_BATCH = 4096, NAME = 64 };

/* Places in the table of functions, and kinds of memory and elements. */
enum {
    GET_ERROR = 2,
    CREATE_ENV = 3,
    CREATE_SESSION = 7,
    RUN = 9,
    CREATE_OPTIONS = 10,
    INTRA_THREADS = 24,
    INTER_THREADS = 25,
    INPUT_NAME = 36,
    OUTPUT_NAME = 37,
    TENSOR_OF_DATA = 49,
    TENSOR_DATA = 51,
    CPU_MEMORY = 69,
    ALLOCATOR = 78,
    RELEASE_VALUE = 96
};
enum { API_VERSION = 12, ARENA = 1, DEFAULT_MEMORY = 0, FLOAT_ELEMENTS = 1, LOG_ERRORS = 3 };

struct api_base {
    const void *const *(*get)(uint32_t version);
    const char *(*version)(void);
};

static const void *const *api;

/* Calls of the table: each has its own type. */
#define CALL(place, types) ((void *(*) types)(uintptr_t) api[place])

static void check(void *status)
{
    if (status) {
        fprintf(stderr, "onnxruntime: %s\n",
                ((const char *(*) (const void *) )(uintptr_t) api[GET_ERROR])(status));
        exit(1);
    }
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec * 1e6 + (double) t.tv_nsec * 1e-3;
}

struct peer {
    void *session, *memory;
    char *input, *output;
};

static struct peer peer_new(const char *library, const char *model)
{
    void *lib = dlopen(library, RTLD_NOW);
    const struct api_base *(*base)(void) =
        lib ? (const struct api_base *(*) (void) )(uintptr_t) dlsym(lib, "OrtGetApiBase") : NULL;
    if (!base) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    api = base()->get(API_VERSION);
    struct peer p = {0};
    void *env, *options, *allocator;
    check(CALL(CREATE_ENV, (int, const char *, void **) )(LOG_ERRORS, "compare", &env));
    check(CALL(CREATE_OPTIONS, (void **) )(&options));
    check(CALL(INTRA_THREADS, (void *, int) )(options, 1));
    check(CALL(INTER_THREADS, (void *, int) )(options, 1));
    check(CALL(CREATE_SESSION, (void *, const char *, void *, void **) )(env, model, options, &p.session));
    check(CALL(CPU_MEMORY, (int, int, void **) )(ARENA, DEFAULT_MEMORY, &p.memory));
    check(CALL(ALLOCATOR, (void **) )(&allocator));
    check(CALL(INPUT_NAME, (void *, size_t, void *, char **) )(p.session, 0, allocator, &p.input));
    check(CALL(OUTPUT_NAME, (void *, size_t, void *, char **) )(p.session, 0, allocator, &p.output));
    return p;
}

static void *peer_value(const struct peer *p, float *data, const struct tensor *t)
{
    void *value;
    check(CALL(TENSOR_OF_DATA, (void *, void *, size_t, const int64_t *, size_t, int, void **) )(
        p->memory, data, tensor_bytes(t), t->dims, (size_t) t->rank, FLOAT_ELEMENTS, &value));
    return value;
}

/* result: NULL, or that of an earlier call, into which this one then writes. */
static void *peer_run(const struct peer *p, void *input, void *result)
{
    const char *in[] = {p->input}, *out[] = {p->output};
    void *inputs[] = {input};
    check(CALL(RUN, (void *, void *, const char **, void **, size_t, const char **, size_t, void **) )(
        p->session, NULL, in, inputs, 1, out, 1, &result));
    return result;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static float *random_rows(size_t n)
{
    float *x = malloc(n * sizeof *x);
    uint64_t seed = 99;
    for (size_t i = 0; x && i < n; i++) { /* near enough to normal */
        double sum = -6;
        for (int k = 0; k < 12; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            sum += (double) (seed >> 11) * 0x1p-53;
        }
        x[i] = (float) sum;
    }
    return x;
}

static struct tensor shape_of(const char *text, int64_t batch)
{
    int64_t dims[TENSOR_RANK];
    int rank = 0;
    for (const char *at = text; at && rank < TENSOR_RANK; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        dims[rank++] = *at == 'b' ? batch : atoll(at);
    }
    struct tensor t;
    if (!tensor_set(&t, DT_F32, rank, dims)) {
        exit(2);
    }
    return t;
}

struct both {
    double ours[ROUNDS], theirs[ROUNDS];
};

static int compare(struct model *m, const struct peer *peer, const char *text, int64_t batch, float *rows)
{
    const struct tensor shape = shape_of(text, batch);
    const size_t n = (size_t) shape.count, places = (size_t) (ROWS / (batch < ROWS ? batch : ROWS));
    struct refusal why = {0};
    struct plan *plan = model_plan(m, &shape, &why);
    struct run r = {0};
    if (!plan) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    void **values = calloc(places, sizeof *values);
    for (size_t i = 0; i < places; i++) {
        values[i] = peer_value(peer, rows + i * n, &shape);
    }
    double worst = 0, most = 0;
    for (size_t i = 0; i<places; i += places> 64 ? places / 64 : 1) {
        void *inputs[] = {rows + i * n}, *result = peer_run(peer, values[i], NULL);
        if (plan_run(plan, inputs, NULL, &r, &why)) {
            fprintf(stderr, "%s\n", why.text);
            return 1;
        }
        const struct tensor *out = plan_output(plan, 0);
        float *theirs;
        check(CALL(TENSOR_DATA, (void *, void **) )(result, (void **) &theirs));
        for (int64_t k = 0; k < out->count; k++) {
            worst = fmax(worst, fabs((double) ((float *) out->data)[k] - (double) theirs[k]));
            most = fmax(most, fabs((double) theirs[k]));
        }
        ((void (*)(void *))(uintptr_t) api[RELEASE_VALUE])(result);
    }
    struct both times;
    const int calls = batch * (int64_t) n > 100000 ? 20 : 500;
    size_t next = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_us();
        for (int i = 0; i < calls; i++, next = next + 1 == places ? 0 : next + 1) {
            void *inputs[] = {rows + next * n};
            plan_run(plan, inputs, NULL, &r, &why);
        }
        times.ours[round] = (now_us() - start) / calls;
        void *result = peer_run(peer, values[0], NULL);
        start = now_us();
        for (int i = 0; i < calls; i++, next = next + 1 == places ? 0 : next + 1) {
            peer_run(peer, values[next], result);
        }
        times.theirs[round] = (now_us() - start) / calls;
        ((void (*)(void *))(uintptr_t) api[RELEASE_VALUE])(result);
    }
    qsort(times.ours, ROUNDS, sizeof *times.ours, by_size);
    qsort(times.theirs, ROUNDS, sizeof *times.theirs, by_size);
    const double *a = times.ours, *b = times.theirs;
    printf("batch %4lld: kiln %9.2f %9.2f  onnxruntime %9.2f %9.2f  ratio %5.2f %5.2f  off by %.2g of %.2g\n",
           (long long) batch, a[0], a[ROUNDS / 2], b[0], b[ROUNDS / 2], b[0] / a[0],
           b[ROUNDS / 2] / a[ROUNDS / 2], worst, most);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: onnx_compare LIBONNXRUNTIME MODEL.onnx b,ROW [BATCH...]\n");
        return 2;
    }
    const struct peer peer = peer_new(argv[1], argv[2]);
    struct budget budget = {.limit = (size_t) 1 << 30};
    struct workspace workspace;
    struct model *m = NULL;
    struct refusal why = {0};
    workspace_init(&workspace, &budget);
    if (model_load(argv[2], &budget, &workspace, &m, &why)) {
        fprintf(stderr, "%s: %s\n", argv[2], why.text);
        return 1;
    }
    float *rows = random_rows((size_t) ROWS * (size_t) shape_of(argv[3], 1).count);
    int rc = rows == NULL;
    static const int usual[] = {1, 16, 64, 256};
    for (int i = 0; i < (argc > 4 ? argc - 4 : 4) && !rc; i++) {
        const int64_t batch = argc > 4 ? atoll(argv[4 + i]) : usual[i];
        rc = batch < 1 || batch > MOST_BATCH || compare(m, &peer, argv[3], batch, rows);
    }
    free(rows);
    model_free(&m);
    workspace_done(&workspace);
    return rc;
}
