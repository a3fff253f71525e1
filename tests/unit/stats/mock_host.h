/* SPDX-License-Identifier: MPL-2.0 */
/* mock_host - just enough of a host to call the plugin's functions with JSON arguments, without a daemon.
 *
 *     struct mock m;
 *     mock_open(&m, NULL);                                   // runs the plugin's init; or the option simd
 *     assert_int_equal(mock_run(&m, "mean", "{'x':[1,2]}"), KILN_OK);    // ' stands for "
 *     assert_true(mock_number(&m, "mean") == 1.5);
 *     mock_close(&m);
 *
 * It trusts the tests: of the rows it knows scalars, arrays of doubles and whole numbers, shapes, defaults,
 * ranges and choices. */
#ifndef MOCK_HOST_H
#define MOCK_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <kiln/plugin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOCK_SLOTS = 16, MOCK_BLOCKS = 64, MOCK_SYMBOLS = 8 };

struct mock {
    struct kiln_call call; /* first: the host's functions find the mock through it */
    struct kiln_host host;
    struct kiln_value simd;
    void *state;
    void *blocks[MOCK_BLOCKS];
    int n_blocks;
    int fail_alloc; /* n: the n-th allocation of the next run fails; 0: none */
    char field[96], error[512];
    const struct kiln_function *function;
    struct kiln_slot args[MOCK_SLOTS], results[MOCK_SLOTS];
    struct {
        char name[16];
        int64_t size;
    } symbols[MOCK_SYMBOLS];
    int n_symbols;
    json_t *json[MOCK_SLOTS]; /* keeps strings alive */
};

static inline int KILN_PRINTF(4, 5)
    mock_fail(struct kiln_call *call, int status, const char *field, const char *format, ...)
{
    struct mock *m = (struct mock *) call;
    va_list ap;
    va_start(ap, format);
    snprintf(m->field, sizeof m->field, "%s", field ? field : "");
    vsnprintf(m->error, sizeof m->error, format, ap);
    va_end(ap);
    return status;
}

static inline void *mock_block(struct mock *m, size_t bytes)
{
    assert_true(m->n_blocks < MOCK_BLOCKS);
    void *block = aligned_alloc(64, (bytes / 64 + 1) * 64);
    assert_non_null(block);
    memset(block, 0xa5, (bytes / 64 + 1) * 64); /* nobody may count on zeros */
    m->blocks[m->n_blocks++] = block;
    return block;
}

static inline void *mock_alloc(struct kiln_call *call, size_t bytes)
{
    struct mock *m = (struct mock *) call;
    if (m->fail_alloc && --m->fail_alloc == 0) {
        return NULL;
    }
    return mock_block(m, bytes);
}

/* Results of rank 1 with elements of 8 bytes. What was written before is not kept: tests' plugins grow once. */
static inline void *mock_grow(struct kiln_call *call, size_t result, int64_t rows)
{
    struct mock *m = (struct mock *) call;
    struct kiln_array *a = &m->results[result].array;
    assert_true(result < MOCK_SLOTS && !m->results[result].present && rows >= 0);
    if (m->fail_alloc && --m->fail_alloc == 0) {
        return NULL;
    }
    *a = (struct kiln_array){
        .data = mock_block(m, (size_t) rows * 8), .rank = 1, .shape = {rows}, .count = rows};
    a->dtype = m->function->results[result].dtype;
    m->results[result].present = 1;
    return a->data;
}

static inline const struct kiln_value *mock_option(struct kiln_call *call, const char *name)
{
    struct mock *m = (struct mock *) call;
    return strcmp(name, "simd") == 0 && m->simd.text ? &m->simd : NULL;
}

static inline int mock_cancelled(struct kiln_call *call)
{
    (void) call;
    return 0;
}

/* Returns the status of the plugin's init. */
static inline int mock_open(struct mock *m, const char *simd)
{
    memset(m, 0, sizeof *m);
    m->host = (struct kiln_host){.struct_size = sizeof m->host,
                                 .abi_major = KILN_ABI_MAJOR,
                                 .abi_minor = KILN_ABI_MINOR,
                                 .fail = mock_fail,
                                 .alloc = mock_alloc,
                                 .grow = mock_grow,
                                 .option = mock_option,
                                 .cancelled = mock_cancelled};
    m->simd = (struct kiln_value){.type = KILN_V_STRING, .text = simd};
    m->call.host = &m->host;
    int status = kiln_plugin.init(&m->call, &m->state);
    m->call.state = m->state;
    return status;
}

static inline void mock_reset(struct mock *m)
{
    for (int i = 0; i < m->n_blocks; i++) {
        free(m->blocks[i]);
    }
    for (int i = 0; i < MOCK_SLOTS; i++) {
        json_decref(m->json[i]);
        m->json[i] = NULL;
    }
    m->n_blocks = m->n_symbols = 0;
    m->field[0] = m->error[0] = '\0';
    memset(m->args, 0, sizeof m->args);
    memset(m->results, 0, sizeof m->results);
}

static inline void mock_close(struct mock *m)
{
    mock_reset(m);
    if (kiln_plugin.fini) {
        kiln_plugin.fini(m->state);
    }
}

static inline int64_t *mock_symbol(struct mock *m, const char *name, size_t bytes)
{
    for (int i = 0; i < m->n_symbols; i++) {
        if (strlen(m->symbols[i].name) == bytes && memcmp(m->symbols[i].name, name, bytes) == 0) {
            return &m->symbols[i].size;
        }
    }
    assert_true(m->n_symbols < MOCK_SYMBOLS && bytes < sizeof m->symbols[0].name);
    memcpy(m->symbols[m->n_symbols].name, name, bytes);
    m->symbols[m->n_symbols].name[bytes] = '\0';
    m->symbols[m->n_symbols].size = -1;
    return &m->symbols[m->n_symbols++].size;
}

/* Binds the symbols of a shape to an argument's sizes, or gives a result the sizes bound before: 0 when one
 * of them is not bound. Tests of unequal sizes belong to the real host: such calls are mistakes
 * here. */
static inline int mock_shape(struct mock *m, const char *shape, struct kiln_array *a, int is_result)
{
    uint32_t rank = 0;
    for (const char *word = shape; *word; word += strcspn(word, " "), word += strspn(word, " ")) {
        int64_t *size = mock_symbol(m, word, strcspn(word, " >"));
        if (is_result) {
            if (*size < 0) {
                return 0;
            }
            a->shape[rank] = *size;
        } else {
            assert_true(rank < a->rank && (*size < 0 || *size == a->shape[rank]));
            *size = a->shape[rank];
        }
        rank++;
    }
    a->rank = rank;
    a->count = 1;
    for (uint32_t i = 0; i < rank; i++) {
        a->count *= a->shape[i];
    }
    return 1;
}

static inline double mock_value(const json_t *j)
{
    return json_is_null(j) ? (double) NAN : json_number_value(j);
}

/* Numbers without a pattern, the same for each seed. */
static inline void mock_noise(double *x, size_t n, uint64_t seed)
{
    uint64_t s = seed * 2654435769u + 12345;
    for (size_t i = 0; i < n; i++) {
        double sum = -6;
        for (int k = 0; k < 12; k++) { /* twelve uniform numbers are nearly a normal one */
            s = s * 6364136223846793005u + 1442695040888963407u;
            sum += (double) (s >> 11) * 0x1p-53;
        }
        x[i] = sum;
    }
}

static inline void mock_array_of(struct mock *m, const json_t *j, struct kiln_array *a)
{
    const json_t *normal = json_object_get(j, "$normal");
    if (normal) {
        a->rank = 1;
        a->shape[0] = a->count = (int64_t) mock_value(json_array_get(normal, 0));
        a->data = mock_block(m, (size_t) a->count * sizeof(double));
        mock_noise(a->data, (size_t) a->count, (uint64_t) mock_value(json_array_get(normal, 1)));
        return;
    }
    const json_t *line = json_object_get(j, "$linspace");
    if (line) {
        a->rank = 1;
        a->shape[0] = a->count = (int64_t) mock_value(json_array_get(line, 2));
        double *to = a->data = mock_block(m, (size_t) a->count * sizeof(double));
        const double from = mock_value(json_array_get(line, 0)), last = mock_value(json_array_get(line, 1));
        for (int64_t i = 0; i < a->count; i++) {
            to[i] = from + (last - from) * (double) i / (double) (a->count - 1);
        }
        return;
    }
    assert_true(json_is_array(j));
    const size_t rows = json_array_size(j), nested = rows && json_is_array(json_array_get(j, 0));
    const size_t columns = nested ? json_array_size(json_array_get(j, 0)) : 1;
    double *to = mock_block(m, rows * columns * sizeof *to);
    a->data = to;
    a->rank = nested ? 2 : 1;
    a->shape[0] = (int64_t) rows;
    a->shape[1] = nested ? (int64_t) columns : 0;
    a->count = (int64_t) (rows * columns);
    for (size_t i = 0; i < rows; i++) {
        const json_t *row = json_array_get(j, i);
        for (size_t k = 0; k < columns; k++) {
            *to++ = mock_value(nested ? json_array_get(row, k) : row);
        }
    }
}

static inline int mock_out_of_range(struct mock *m, const struct kiln_row *row, double v)
{
    if ((row->min == 0 && row->max == 0) || isnan(v) || /* no range; missing */
        ((row->flags & KILN_OPEN_MIN ? v > row->min : v >= row->min) &&
         (row->flags & KILN_OPEN_MAX ? v < row->max : v <= row->max))) {
        return 0;
    }
    mock_fail(&m->call, KILN_INVALID, row->name, "%s is %.15g", row->name, v);
    return 1;
}

static inline int mock_is_choice(const char *choices, const char *text)
{
    const size_t bytes = strlen(text);
    for (const char *word = choices; *word; word += strcspn(word, "|"), word += *word == '|') {
        if (strcspn(word, "|") == bytes && memcmp(word, text, bytes) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Fills one argument slot; KILN_INVALID when it is out of range. */
static inline int mock_argument(struct mock *m, const struct kiln_row *row, const json_t *j,
                                struct kiln_slot *slot)
{
    switch (row->kind) {
    case KILN_ARRAY:
        mock_array_of(m, j, &slot->array);
        if (slot->array.count == 0 && !strstr(row->shape, ">=0")) {
            return mock_fail(&m->call, KILN_INVALID, row->name, "%s has no elements", row->name);
        }
        mock_shape(m, row->shape, &slot->array, 0);
        for (int64_t i = 0; i < slot->array.count; i++) {
            if (mock_out_of_range(m, row, ((double *) slot->array.data)[i])) {
                return KILN_INVALID;
            }
        }
        if (row->dtype == KILN_I64) { /* in place: both have 8 bytes */
            slot->array.dtype = KILN_I64;
            for (int64_t i = 0; i < slot->array.count; i++) {
                const int64_t whole = (int64_t) ((double *) slot->array.data)[i];
                memcpy((double *) slot->array.data + i, &whole, sizeof whole);
            }
        }
        return KILN_OK;
    case KILN_STRING:
        slot->text = json_string_value(j);
        assert_non_null(slot->text);
        slot->text_bytes = strlen(slot->text);
        if (row->choices && !mock_is_choice(row->choices, slot->text)) {
            return mock_fail(&m->call, KILN_INVALID, row->name, "%s is \"%s\"", row->name, slot->text);
        }
        return KILN_OK;
    case KILN_BOOL:
        slot->i64 = json_is_true(j);
        return KILN_OK;
    default:
        assert_true(json_is_number(j));
        slot->f64 = json_number_value(j);
        slot->i64 = (int64_t) slot->f64;
        return mock_out_of_range(m, row, slot->f64) ? KILN_INVALID : KILN_OK;
    }
}

static inline const struct kiln_function *mock_function(const char *name)
{
    for (uint32_t i = 0; i < kiln_plugin.n_functions; i++) {
        if (strcmp(kiln_plugin.functions[i]->name, name) == 0) {
            return kiln_plugin.functions[i];
        }
    }
    fail_msg("the plugin has no function %s", name);
    return NULL;
}

static inline json_t *mock_parse(const char *text)
{
    char plain[4096];
    assert_true(strlen(text) < sizeof plain);
    size_t n = strlen(text);
    for (size_t i = 0; i <= n; i++) {
        plain[i] = text[i] == '\'' ? '"' : text[i];
    }
    json_error_t error;
    json_t *j = json_loads(plain, JSON_DECODE_ANY, &error);
    if (!j) {
        fail_msg("%s in %s", error.text, text);
    }
    return j;
}

/* Binds the arguments (steals `document`), runs, and returns the status. */
static inline int mock_run_json(struct mock *m, const char *name, json_t *document)
{
    mock_reset(m);
    const struct kiln_function *f = mock_function(name);
    m->function = f;
    m->call.function = f;
    assert_true(f->n_params < MOCK_SLOTS && f->n_results <= MOCK_SLOTS);
    m->json[MOCK_SLOTS - 1] = document;
    size_t used = 0;
    for (uint32_t i = 0; i < f->n_params; i++) {
        const struct kiln_row *row = &f->params[i];
        const json_t *j = json_object_get(document, row->name);
        used += j != NULL;
        m->args[i].present = j != NULL;
        if (!j && row->fallback) {
            j = m->json[i] = mock_parse(row->fallback);
        }
        if (!j && row->flags & KILN_REQUIRED) {
            return mock_fail(&m->call, KILN_INVALID, row->name, "argument \"%s\" is missing", row->name);
        }
        if (j) {
            int status = mock_argument(m, row, j, &m->args[i]);
            if (status) {
                return status;
            }
        }
    }
    assert_int_equal(used, json_object_size(document)); /* no misspelt arguments */
    for (uint32_t i = 0; i < f->n_results; i++) {
        struct kiln_slot *slot = &m->results[i];
        if (f->results[i].kind == KILN_ARRAY && mock_shape(m, f->results[i].shape, &slot->array, 1)) {
            slot->array.data = mock_block(m, (size_t) slot->array.count * sizeof(double));
            slot->array.dtype = f->results[i].dtype;
            slot->present = 1;
        }
    }
    return f->run(&m->call, m->args, m->results);
}

static inline int mock_run(struct mock *m, const char *name, const char *args)
{
    return mock_run_json(m, name, mock_parse(args));
}

static inline struct kiln_slot *mock_result(struct mock *m, const char *name)
{
    for (uint32_t i = 0; i < m->function->n_results; i++) {
        if (strcmp(m->function->results[i].name, name) == 0) {
            return &m->results[i];
        }
    }
    fail_msg("%s has no result %s", m->function->name, name);
    return NULL;
}

static inline double mock_number(struct mock *m, const char *name)
{
    struct kiln_slot *slot = mock_result(m, name);
    assert_int_equal(slot->present, 1);
    return slot->f64;
}

static inline const double *mock_array(struct mock *m, const char *name)
{
    struct kiln_slot *slot = mock_result(m, name);
    assert_int_equal(slot->present, 1);
    return slot->array.data;
}

static inline void mock_close_to(double got, double want, double rtol)
{
    if (isnan(want) ? !isnan(got) : !(got == want || fabs(got - want) <= rtol * fabs(want))) {
        fail_msg("%.17g, expected %.17g within %g", got, want, rtol);
    }
}

static inline void mock_refused(struct mock *m, int status, const char *field, const char *words)
{
    assert_int_equal(status, KILN_INVALID);
    assert_string_equal(m->field, field);
    if (!strstr(m->error, words)) {
        fail_msg("\"%s\" does not contain \"%s\"", m->error, words);
    }
}

#endif
