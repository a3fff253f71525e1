/* SPDX-License-Identifier: MPL-2.0 */
#include "golden.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "json.h"

/* ---- generated data -------------------------------------------------------------------------- */

enum { MOST_GENERATED = 10 * 1000 * 1000, MOST_KEPT = 20000 };

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double uniform(uint64_t *state) /* in (0, 1] */
{
    return (double) ((splitmix64(state) >> 11) + 1) * 0x1p-53;
}

/* Most functions warm with the same few arrays: each is made once and kept until golden_forget(). */
static struct made {
    size_t n;
    uint64_t seed;
    struct buf list;
} kept[8];
static size_t n_kept;

static void make_normal(struct buf *out, size_t n, uint64_t seed)
{
    uint64_t state = seed;
    buf_put_list(out, n);
    for (size_t i = 0; i < n && !out->failed; i += 2) {
        double r = sqrt(-2.0 * log(uniform(&state))), angle = 2.0 * 3.14159265358979323846 * uniform(&state);
        buf_put_f64(out, r * cos(angle));
        if (i + 1 < n) {
            buf_put_f64(out, r * sin(angle));
        }
    }
}

static void put_normal(struct buf *out, size_t n, uint64_t seed)
{
    size_t i = 0;
    while (i < n_kept && (kept[i].n != n || kept[i].seed != seed)) {
        i++;
    }
    if (i == n_kept && i < sizeof kept / sizeof *kept && n <= MOST_KEPT) {
        kept[n_kept++] = (struct made){.n = n, .seed = seed};
        make_normal(&kept[i].list, n, seed);
    }
    if (i < n_kept && !kept[i].list.failed) {
        buf_put_raw(out, kept[i].list.data, kept[i].list.bytes);
    } else {
        make_normal(out, n, seed);
    }
}

void golden_forget(void)
{
    while (n_kept > 0) {
        buf_done(&kept[--n_kept].list);
    }
}

static void put_linspace(struct buf *out, double from, double to, size_t n)
{
    buf_put_list(out, n);
    for (size_t i = 0; i < n && !out->failed; i++) {
        buf_put_f64(
            out, i + 1 == n && n > 1 ? to : from + (to - from) * (double) i / (double) (n > 1 ? n - 1 : 1));
    }
}

static int generate(const struct json_t *object, struct buf *out, struct err *err)
{
    const json_t *linspace = json_object_get(object, "$linspace"),
                 *normal = json_object_get(object, "$normal");
    const json_t *given = linspace ? linspace : normal;
    if (!given || json_object_size(object) != 1) {
        return 0;
    }
    size_t want = linspace ? 3 : 2;
    const json_t *count = json_array_get(given, linspace ? 2 : 0);
    bool sound = json_is_array(given) && json_array_size(given) == want && json_is_integer(count);
    for (size_t i = 0; i < want && sound; i++) {
        sound = json_is_number(json_array_get(given, i));
    }
    if (!sound || json_integer_value(count) < 0 || json_integer_value(count) > MOST_GENERATED) {
        return -err_set(err, KILN_INVALID, NULL, "%s takes %s, n at most %d",
                        linspace ? "$linspace" : "$normal", linspace ? "[from, to, n]" : "[n, seed]",
                        MOST_GENERATED);
    }
    size_t n = (size_t) json_integer_value(count);
    if (linspace) {
        put_linspace(out, json_number_value(json_array_get(given, 0)),
                     json_number_value(json_array_get(given, 1)), n);
    } else {
        put_normal(out, n, (uint64_t) json_integer_value(json_array_get(given, 1)));
    }
    return 1;
}

int golden_parse(const struct kiln_golden *row, size_t index, struct golden *ret_golden, struct err *err)
{
    static const struct json_hook hook = {generate};
    struct golden g = {.row = row};
    buf_init(&g.args, 0);
    buf_init(&g.expected, 0);
    if (row->title) {
        snprintf(g.title, sizeof g.title, "example \"%.60s\"", row->title);
    } else {
        snprintf(g.title, sizeof g.title, "example %zu", index + 1);
    }
    const char *args = row->args ? row->args : "{}";
    int status = json_to_msgpack(args, strlen(args), &hook, &g.args, err);
    if (status) {
        err_prefix(err, "%s, args", g.title);
    } else if (row->result && row->status == KILN_OK) {
        status = json_to_msgpack(row->result, strlen(row->result), &hook, &g.expected, err);
        if (status) {
            err_prefix(err, "%s, result", g.title);
        }
    }
    if (status == 0 && !(row->rtol >= 0 && row->atol >= 0)) {
        status = err_set(err, KILN_INVALID, NULL, "%s: rtol and atol must be numbers >= 0", g.title);
    }
    if (status == 0 && (row->status < 0 || row->status >= KILN_STATUS_COUNT)) {
        status =
            err_set(err, KILN_INVALID, NULL, "%s: status %d is none of kiln/status.h", g.title, row->status);
    }
    if (status) {
        golden_done(&g);
        return status;
    }
    *ret_golden = g;
    return 0;
}

void golden_done(struct golden *g)
{
    buf_done(&g->args);
    buf_done(&g->expected);
}

int golden_compare(const void *expected, size_t expected_bytes, const void *actual, size_t actual_bytes,
                   double rtol, double atol, struct err *err)
{
    const struct compare how = {.rtol = rtol, .atol = atol};
    return compare_results(&how, expected, expected_bytes, actual, actual_bytes, err);
}
