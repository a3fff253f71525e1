/* SPDX-License-Identifier: MPL-2.0 */
/* onnx_compare - plugins/inference beside ONNX Runtime, in one process, in turns, one thread.
 *
 *     onnx_compare LIBONNXRUNTIME MODEL.onnx ROW[,ROW...] [BATCH...]
 *     onnx_compare --start LIBONNXRUNTIME MODEL.onnx ROW[,ROW...]      from nothing to the first answers
 *     onnx_compare --resident LIBONNXRUNTIME MODEL.onnx ROW[,ROW...]   memory of a process with one of them: - is Kiln's plans
 *
 * LIBONNXRUNTIME may be -: Kiln's figures alone.
 *
 * MODEL has one float32 input whose dimension -1 is the batch: the others, ROW, are given as numbers, with "b" where the
 * batch is ("b,32"; "50,b,8"). Inputs rotate through thousands of rows; of
 * large ones through eight megabytes, for what a service computes with is in a cache when it has just been decoded. A line for each batch: the lowest and the median time of a call of both, in
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

enum {
    ROWS = 4096,
    ROUNDS = 60,
    STARTS = 21,
    WARM_BATCH = 64,
    MOST_BATCH = 4096,
    NAME = 64,
    ROTATED_BYTES = 8 << 20
};

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
    RELEASE_SESSION = 95,
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
    void *env, *options, *session, *memory;
    char *input, *output;
};

static void peer_create(struct peer *p, const char *model)
{
    check(CALL(CREATE_SESSION, (void *, const char *, void *, void **) )(p->env, model, p->options,
                                                                         &p->session));
}

static void peer_drop(struct peer *p)
{
    ((void (*)(void *))(uintptr_t) api[RELEASE_SESSION])(p->session);
}

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
    void *allocator;
    check(CALL(CREATE_ENV, (int, const char *, void **) )(LOG_ERRORS, "compare", &p.env));
    check(CALL(CREATE_OPTIONS, (void **) )(&p.options));
    check(CALL(INTRA_THREADS, (void *, int) )(p.options, 1));
    check(CALL(INTER_THREADS, (void *, int) )(p.options, 1));
    peer_create(&p, model);
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

static double median(double *values, int n)
{
    qsort(values, (size_t) n, sizeof *values, by_size);
    return values[n / 2];
}

/* Our side: a model with the memory it lives in. */
struct ours {
    struct budget budget;
    struct workspace workspace;
    struct model *model;
};

static void fail(const char *what, const struct refusal *why)
{
    fprintf(stderr, "%s: %s\n", what, why->text);
    exit(1);
}

static void ours_load(struct ours *o, const char *path)
{
    struct refusal why = {0};
    *o = (struct ours){.budget = {.limit = (size_t) 1 << 30}};
    workspace_init(&o->workspace, &o->budget);
    if (model_load(path, &o->budget, &o->workspace, &o->model, &why)) {
        fail(path, &why);
    }
}

static void ours_done(struct ours *o)
{
    model_free(&o->model);
    workspace_done(&o->workspace);
}

static struct plan *ours_plan(struct ours *o, const struct tensor *shape)
{
    struct refusal why = {0};
    struct plan *plan = model_plan(o->model, shape, &why);
    if (!plan) {
        fail("plan", &why);
    }
    return plan;
}

static void ours_run(struct plan *plan, float *rows)
{
    struct run r = {0};
    struct refusal why = {0};
    void *inputs[] = {rows};
    if (plan_run(plan, inputs, NULL, &r, &why)) {
        fail("run", &why);
    }
}

/* ---- many runs ---- */

/* The largest difference of the results of some rows, and the largest result. */
static void differences(struct plan *plan, const struct peer *peer, void **values, size_t places, float *rows,
                        size_t n)
{
    double worst = 0, most = 0;
    for (size_t i = 0; i<places; i += places> 64 ? places / 64 : 1) {
        void *result = peer_run(peer, values[i], NULL);
        ours_run(plan, rows + i * n);
        const struct tensor *out = plan_output(plan, 0);
        float *theirs;
        check(CALL(TENSOR_DATA, (void *, void **) )(result, (void **) &theirs));
        for (int64_t k = 0; k < out->count; k++) {
            worst = fmax(worst, fabs((double) ((float *) out->data)[k] - (double) theirs[k]));
            most = fmax(most, fabs((double) theirs[k]));
        }
        ((void (*)(void *))(uintptr_t) api[RELEASE_VALUE])(result);
    }
    printf("  off by %.2g of %.2g", worst, most);
}

/* peer: NULL where there is none. */
static void compare(struct ours *o, const struct peer *peer, const char *text, int64_t batch, float *rows)
{
    const struct tensor shape = shape_of(text, batch);
    const size_t n = (size_t) shape.count, room = ROTATED_BYTES / (n * sizeof *rows) + 1,
                 all = (size_t) (ROWS / (batch < ROWS ? batch : ROWS)), places = room < all ? room : all;
    struct plan *plan = ours_plan(o, &shape);
    void **values = calloc(places, sizeof *values);
    for (size_t i = 0; peer && i < places; i++) {
        values[i] = peer_value(peer, rows + i * n, &shape);
    }
    double ours[ROUNDS], theirs[ROUNDS];
    const int calls = batch * (int64_t) n > 100000 ? 20 : 500;
    size_t next = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct run r = {0};
        struct refusal why;
        double start = now_us();
        for (int i = 0; i < calls; i++, next = next + 1 == places ? 0 : next + 1) {
            void *inputs[] = {rows + next * n};
            plan_run(plan, inputs, NULL, &r, &why);
        }
        ours[round] = (now_us() - start) / calls;
        if (peer) {
            void *result = peer_run(peer, values[0], NULL);
            start = now_us();
            for (int i = 0; i < calls; i++, next = next + 1 == places ? 0 : next + 1) {
                peer_run(peer, values[next], result);
            }
            theirs[round] = (now_us() - start) / calls;
            ((void (*)(void *))(uintptr_t) api[RELEASE_VALUE])(result);
        }
    }
    const double a = median(ours, ROUNDS), b = peer ? median(theirs, ROUNDS) : 0;
    printf("batch %4lld: kiln %9.2f %9.2f", (long long) batch, ours[0], a);
    if (peer) {
        printf("  onnxruntime %9.2f %9.2f  ratio %5.2f %5.2f", theirs[0], b, theirs[0] / ours[0], b / a);
        differences(plan, peer, values, places, rows, n);
    }
    printf("\n");
    for (size_t i = 0; peer && i < places; i++) {
        ((void (*)(void *))(uintptr_t) api[RELEASE_VALUE])(values[i]);
    }
    free(values);
}

/* ---- from nothing to an answer ---- */

static void warm_ours(struct ours *o, const char *text, float *rows)
{
    for (int64_t batch = 1; batch <= WARM_BATCH; batch *= 2) {
        const struct tensor shape = shape_of(text, batch);
        ours_run(ours_plan(o, &shape), rows);
    }
}

static void warm_peer(const struct peer *p, const char *text, float *rows)
{
    for (int64_t batch = 1; batch <= WARM_BATCH; batch *= 2) {
        const struct tensor shape = shape_of(text, batch);
        void *value = peer_value(p, rows, &shape), *result = peer_run(p, value, NULL);
        ((void (*)(void *))(uintptr_t) api[RELEASE_VALUE])(result);
        ((void (*)(void *))(uintptr_t) api[RELEASE_VALUE])(value);
    }
}

static double start_ours(const char *path, const char *text, float *rows)
{
    const double begin = now_us();
    struct ours o;
    ours_load(&o, path);
    warm_ours(&o, text, rows);
    const double took = now_us() - begin;
    ours_done(&o);
    return took;
}

static double start_peer(const struct peer *peer, const char *path, const char *text, float *rows)
{
    const double begin = now_us();
    struct peer other = *peer;
    peer_create(&other, path);
    warm_peer(&other, text, rows);
    const double took = now_us() - begin;
    peer_drop(&other);
    return took;
}

static void print_start(const char *name, double ours, double theirs)
{
    printf("%s: kiln %9.0f", name, ours);
    if (theirs > 0) {
        printf("  onnxruntime %9.0f  ratio %5.2f", theirs, theirs / ours);
    }
    printf("\n");
}

/* Read, made ready and run once at 1, 2, 4 ... WARM_BATCH rows: for the first time in a process, the peer's with the
 * loading of its library; and again. */
static void start(const char *library, const char *path, const char *text, float *rows)
{
    double ours[STARTS], theirs[STARTS] = {0};
    const double first = start_ours(path, text, rows);
    double first_peer = 0;
    struct peer peer = {0};
    if (library) {
        const double begin = now_us();
        peer = peer_new(library, path);
        warm_peer(&peer, text, rows);
        first_peer = now_us() - begin;
    }
    for (int round = 0; round < STARTS; round++) {
        ours[round] = start_ours(path, text, rows);
        theirs[round] = library ? start_peer(&peer, path, text, rows) : 0;
    }
    print_start("first", first, first_peer);
    print_start("start", median(ours, STARTS), median(theirs, STARTS));
}

static void resident(const char *path, struct peer *peer, const char *text, float *rows)
{
    struct ours o;
    if (peer) {
        warm_peer(peer, text, rows);
    } else {
        ours_load(&o, path);
        warm_ours(&o, text, rows);
    }
    char line[128];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            printf("resident: %.1f MiB\n", (double) atoll(line + 6) / 1024);
        }
    }
    if (status) {
        fclose(status);
    }
    if (!peer) {
        ours_done(&o);
    }
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 && strncmp(argv[1], "--", 2) == 0 ? argv[1] : "";
    argv += *mode != 0;
    argc -= *mode != 0;
    if (argc < 4 || (*mode && strcmp(mode, "--start") != 0 && strcmp(mode, "--resident") != 0)) {
        fprintf(stderr,
                "usage: onnx_compare [--start | --resident] LIBONNXRUNTIME|- MODEL.onnx b,ROW [BATCH...]\n");
        return 2;
    }
    const char *path = argv[2], *text = argv[3];
    const char *library = strcmp(argv[1], "-") == 0 ? NULL : argv[1];
    const int64_t most =
        *mode ? WARM_BATCH : ROWS; /* a process whose memory is asked for has no more than it needs */
    float *rows = random_rows((size_t) most * (size_t) shape_of(text, 1).count);
    if (!rows) {
        return 1;
    }
    if (strcmp(mode, "--start") == 0) {
        start(library, path, text, rows);
        free(rows);
        return 0;
    }
    struct peer made = {0}, *peer = NULL;
    if (library) {
        made = peer_new(library, path);
        peer = &made;
    }
    static const int usual[] = {1, 16, 64, 256};
    if (strcmp(mode, "--resident") == 0) {
        resident(path, peer, text, rows);
    } else {
        struct ours o;
        ours_load(&o, path);
        for (int i = 0; i < (argc > 4 ? argc - 4 : 4); i++) {
            const int64_t batch = argc > 4 ? atoll(argv[4 + i]) : usual[i];
            if (batch < 1 || batch > MOST_BATCH) {
                fprintf(stderr, "BATCH is %s, expected 1 to %d\n", argv[4 + i], MOST_BATCH);
                return 2;
            }
            compare(&o, peer, text, batch, rows);
        }
        ours_done(&o);
    }
    free(rows);
    return 0;
}
