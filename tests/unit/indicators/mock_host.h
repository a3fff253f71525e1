/* SPDX-License-Identifier: MPL-2.0 */
/* mock_host - as much of a host as one call of a function needs: arguments from JSON checked against their rows, results filled
 * with a value that no function gives, so that what was left unwritten shows.
 *
 *     mock_start()   or the test fails
 *     mock_call()    binds the arguments, runs; the status, with m.field and m.error
 *     mock_result()  the array of a result by its name
 *     mock_stop()    frees everything */
#ifndef MOCK_HOST_H
#define MOCK_HOST_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

#include <kiln/plugin.h>

enum { MOCK_ROWS = 32, MOCK_BLOCKS = 1024 };
#define MOCK_UNWRITTEN (-7.7e77)

struct mock {
    struct kiln_call call; /* first: a call is a mock */
    struct kiln_host host;
    struct kiln_slot args[MOCK_ROWS], results[MOCK_ROWS];
    char field[96], error[512];
    void *blocks[MOCK_BLOCKS];
    size_t n_blocks;
    int no_memory; /* alloc() fails */
};

static inline struct mock *mock_of(struct kiln_call *call)
{
    return (struct mock *) (void *) call;
}

KILN_PRINTF(4, 5)
static inline int mock_fail(struct kiln_call *call, int status, const char *field, const char *format, ...)
{
    struct mock *m = mock_of(call);
    va_list args;
    va_start(args, format);
    vsnprintf(m->error, sizeof(m->error), format, args);
    va_end(args);
    snprintf(m->field, sizeof(m->field), "%s", field ? field : "");
    return status;
}

/* Aligned like an arena. The kernels' tests have rooms of exact size, where a sanitizer sees one step too far. */
static inline void *mock_block(struct mock *m, size_t bytes)
{
    assert_true(m->n_blocks < MOCK_BLOCKS);
    void *block = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_true(block || bytes == 0);
    m->blocks[m->n_blocks++] = block;
    return block;
}

static inline void *mock_alloc(struct kiln_call *call, size_t bytes)
{
    struct mock *m = mock_of(call);
    return m->no_memory ? NULL : mock_block(m, bytes);
}

static inline int mock_cancelled(struct kiln_call *call)
{
    (void) call;
    return 0;
}

static inline void mock_start(struct mock *m)
{
    memset(m, 0, sizeof(*m));
    m->host = (struct kiln_host){.struct_size = sizeof(m->host),
                                 .abi_major = KILN_ABI_MAJOR,
                                 .abi_minor = KILN_ABI_MINOR,
                                 .fail = mock_fail,
                                 .alloc = mock_alloc,
                                 .cancelled = mock_cancelled};
    m->call.host = &m->host;
}

static inline void mock_stop(struct mock *m)
{
    while (m->n_blocks > 0) {
        free(m->blocks[--m->n_blocks]);
    }
}

static inline struct kiln_array mock_array(struct mock *m, size_t n)
{
    return (struct kiln_array){.data = mock_block(m, n * sizeof(double)),
                               .dtype = KILN_F64,
                               .rank = 1,
                               .shape = {(int64_t) n},
                               .count = (int64_t) n};
}

/* {"$linspace":[from,to,n]}, {"$normal":[n,seed]}, or a list. */
static inline struct kiln_array mock_series(struct mock *m, const json_t *value)
{
    json_t *linspace = json_object_get(value, "$linspace"), *normal = json_object_get(value, "$normal");
    json_t *shape = linspace ? linspace : normal;
    size_t n = linspace ? (size_t) json_integer_value(json_array_get(linspace, 2))
               : normal ? (size_t) json_integer_value(json_array_get(normal, 0))
                        : json_array_size(value);
    struct kiln_array array = mock_array(m, n);
    double *x = array.data;
    uint64_t state = normal ? (uint64_t) json_integer_value(json_array_get(shape, 1)) : 0;
    for (size_t i = 0; i < n; i++) {
        if (linspace) {
            double from = json_number_value(json_array_get(shape, 0)),
                   to = json_number_value(json_array_get(shape, 1));
            x[i] = from + (to - from) * (double) i / (double) (n - 1);
        } else if (normal) {
            x[i] = -6.0; /* the sum of twelve: near enough */
            for (int k = 0; k < 12; k++) {
                state = state * 6364136223846793005u + 1442695040888963407u;
                x[i] += (double) (state >> 11) * 0x1p-53;
            }
        } else {
            const json_t *item = json_array_get(value, i);
            x[i] = json_is_null(item) ? (double) NAN : json_number_value(item);
        }
    }
    return array;
}

static inline int mock_refuse(struct mock *m, const struct kiln_row *row, const char *why)
{
    return mock_fail(&m->call, KILN_INVALID, row->name, "%s %s", row->name, why);
}

static inline int mock_bind_array(struct mock *m, const struct kiln_row *row, struct kiln_slot *slot,
                                  const json_t *value, int64_t *n)
{
    slot->array = mock_series(m, value);
    if (*n < 0) {
        *n = slot->array.count;
    }
    if (slot->array.count != *n || *n == 0) {
        return mock_refuse(m, row, "has another length");
    }
    const double *x = slot->array.data;
    for (int64_t i = 0; i < *n; i++) {
        if ((row->flags & KILN_FINITE) && !isfinite(x[i])) {
            return mock_refuse(m, row, "is not finite");
        }
        if ((row->min != 0.0 || row->max != 0.0) && (x[i] < row->min || x[i] > row->max)) {
            char why[64];
            snprintf(why, sizeof(why), "is %g, out of range", x[i]);
            return mock_refuse(m, row, why);
        }
    }
    return KILN_OK;
}

static inline int mock_bind_scalar(struct mock *m, const struct kiln_row *row, struct kiln_slot *slot,
                                   const json_t *value)
{
    double number = json_number_value(value);
    if (row->kind == KILN_STRING) {
        char text[64], choices[256];
        snprintf(text, sizeof(text), "|%s|", json_string_value(value));
        snprintf(choices, sizeof(choices), "|%s|", row->choices);
        char *copy = mock_block(m, json_string_length(value) + 1);
        strcpy(copy, json_string_value(value));
        slot->text = copy;
        return strstr(choices, text) ? KILN_OK : mock_refuse(m, row, "is no choice");
    }
    if (row->kind == KILN_INT && number != floor(number)) {
        return mock_refuse(m, row, "is not whole");
    }
    if ((row->min != 0.0 || row->max != 0.0) && !(number >= row->min && number <= row->max)) {
        return mock_refuse(m, row, "is out of range");
    }
    slot->i64 = (int64_t) number;
    slot->f64 = number;
    return KILN_OK;
}

/* n: the length that the symbol "n" stands for, which every array here has. */
static inline int mock_bind(struct mock *m, const struct kiln_function *fn, const char *text, int64_t *n)
{
    int status = KILN_OK;
    json_error_t why;
    json_t *args = json_loads(text, 0, &why);
    if (!args) {
        fail_msg("%s: %s in %s", fn->name, why.text, text);
    }
    size_t known = 0;
    assert_true(fn->n_params <= MOCK_ROWS && fn->n_results <= MOCK_ROWS);
    for (size_t i = 0; i < fn->n_params && status == KILN_OK; i++) {
        const struct kiln_row *row = &fn->params[i];
        json_t *value = json_object_get(args, row->name), *fallback = NULL;
        known += value != NULL;
        m->args[i].present = value && !json_is_null(value);
        if (!m->args[i].present && row->fallback) {
            value = fallback = json_loads(row->fallback, JSON_DECODE_ANY, &why);
            assert_non_null(fallback);
        }
        if (m->args[i].present || fallback) {
            status = row->kind == KILN_ARRAY ? mock_bind_array(m, row, &m->args[i], value, n)
                                             : mock_bind_scalar(m, row, &m->args[i], value);
        } else if (row->flags & KILN_REQUIRED) {
            status = mock_refuse(m, row, "is missing");
        }
        json_decref(fallback);
    }
    if (status == KILN_OK && known != json_object_size(args)) {
        fail_msg("%s: an argument unknown in %s", fn->name, text);
    }
    json_decref(args);
    return status;
}

static inline int mock_call(struct mock *m, const struct kiln_function *fn, const char *args)
{
    int64_t n = -1;
    m->call.function = fn;
    memset(m->args, 0, sizeof(m->args));
    memset(m->results, 0, sizeof(m->results));
    int status = mock_bind(m, fn, args, &n);
    if (status != KILN_OK) {
        return status;
    }
    for (size_t i = 0; i < fn->n_results; i++) {
        if (fn->results[i].kind == KILN_ARRAY) {
            m->results[i].array = mock_array(m, n > 0 ? (size_t) n : 0);
            m->results[i].present = 1;
            for (int64_t j = 0; j < n; j++) {
                ((double *) m->results[i].array.data)[j] = MOCK_UNWRITTEN;
            }
        }
    }
    return fn->run(&m->call, m->args, m->results);
}

/* The result of this name; the test fails when there is none. */
static inline struct kiln_slot *mock_result(struct mock *m, const char *name)
{
    for (size_t i = 0; i < m->call.function->n_results; i++) {
        if (strcmp(m->call.function->results[i].name, name) == 0) {
            return &m->results[i];
        }
    }
    fail_msg("%s has no result %s", m->call.function->name, name);
    return NULL;
}

#endif
