/* SPDX-License-Identifier: MPL-2.0 */
#include "golden.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "scan.h"

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

/* ---- comparing ------------------------------------------------------------------------------- */

struct comparer {
    double rtol, atol;
    struct err *err;
    char path[200];
};

static bool is_number(const struct token *t)
{
    return t->type == SCAN_INT || t->type == SCAN_UINT || t->type == SCAN_FLOAT;
}

static bool is_nan(const struct token *t)
{
    return t->type == SCAN_NIL || (t->type == SCAN_FLOAT && isnan(t->f));
}

static bool is_text(const struct token *t)
{
    return t->type == SCAN_STR || t->type == SCAN_BIN;
}

static bool equal(const struct comparer *c, const struct token *want, const struct token *got)
{
    if (is_nan(want) || is_nan(got)) {
        return is_nan(want) && is_nan(got);
    }
    if (is_number(want) && is_number(got)) {
        if (want->type == SCAN_INT && got->type == SCAN_INT && want->i == got->i) {
            return true; /* beyond 2^53 too */
        }
        return want->f == got->f || fabs(got->f - want->f) <= c->atol + c->rtol * fabs(want->f);
    }
    if (is_text(want) && is_text(got)) {
        return want->count == got->count && memcmp(want->text, got->text, want->count) == 0;
    }
    return want->type == SCAN_BOOL && got->type == SCAN_BOOL && want->i == got->i;
}

static int differ(struct comparer *c, const struct token *want, const struct token *got)
{
    char a[80], b[80], within[40] = "";
    if (is_number(want) && is_number(got)) {
        snprintf(within, sizeof within, " within %.3g", c->atol + c->rtol * fabs(want->f));
        if (fabs(want->f - got->f) <= 1e-12 * fabs(want->f)) { /* 15 digits would look the same */
            snprintf(a, sizeof a, "%.17g", got->f);
            snprintf(b, sizeof b, "%.17g", want->f);
            return err_set(c->err, KILN_INTERNAL, NULL, "%s is %s, expected %s%s", c->path, a, b, within);
        }
    }
    return err_set(c->err, KILN_INTERNAL, NULL, "%s is %s, expected %s%s",
                   c->path[0] ? c->path : "the result", scan_show(got, a, sizeof a),
                   scan_show(want, b, sizeof b), within);
}

static int compare(struct comparer *c, struct scan *want, struct scan *got);

/* The value of `key` in the map whose first pair is at `map`; found fastest when asked in the order of the
 * map. */
static bool find(struct scan map, uint32_t pairs, const struct token *key, struct scan *ret_value)
{
    for (uint32_t i = 0; i < pairs; i++) {
        struct token t;
        if (!scan_next(&map, &t)) {
            return false;
        }
        if (is_text(&t) && t.count == key->count && memcmp(t.text, key->text, t.count) == 0) {
            *ret_value = map;
            return true;
        }
        if (!scan_skip(&map)) {
            return false;
        }
    }
    return false;
}

static int compare_map(struct comparer *c, struct scan *want, uint32_t n, const struct scan *got,
                       uint32_t got_n)
{
    size_t length = strlen(c->path);
    for (uint32_t i = 0; i < n; i++) {
        struct token key;
        struct scan value;
        if (!scan_next(want, &key)) {
            return err_set(c->err, KILN_INTERNAL, NULL, "the expected result is damaged");
        }
        snprintf(c->path + length, sizeof c->path - length, "%s%.*s", length ? "." : "",
                 key.count < 60 ? (int) key.count : 60, key.text);
        if (!find(*got, got_n, &key, &value)) {
            return err_set(c->err, KILN_INTERNAL, NULL, "%s is not in the result", c->path);
        }
        int status = compare(c, want, &value);
        if (status) {
            return status;
        }
        c->path[length] = '\0';
    }
    return 0;
}

static int compare_list(struct comparer *c, struct scan *want, struct scan *got, uint32_t n)
{
    size_t length = strlen(c->path);
    for (uint32_t i = 0; i < n; i++) {
        struct scan w = *want, g = *got;
        struct token a, b;
        if (scan_next(&w, &a) && scan_next(&g, &b) && a.type != SCAN_LIST && a.type != SCAN_MAP &&
            equal(c, &a, &b)) {
            *want = w; /* the way of nearly all: no text is made */
            *got = g;
            continue;
        }
        snprintf(c->path + length, sizeof c->path - length, "[%u]", i);
        int status = compare(c, want, got);
        if (status) {
            return status;
        }
        c->path[length] = '\0';
    }
    return 0;
}

/* Consumes one value of each. */
static int compare(struct comparer *c, struct scan *want, struct scan *got)
{
    struct token w, g;
    struct scan before = *got;
    if (!scan_next(want, &w) || !scan_next(got, &g)) {
        return err_set(c->err, KILN_INTERNAL, NULL, "%s ends early", c->path[0] ? c->path : "the result");
    }
    if (w.type == SCAN_MAP && g.type == SCAN_MAP) {
        int status = compare_map(c, want, w.count, got, g.count);
        *got = before;
        return status ? status : scan_skip(got) ? 0 : KILN_INTERNAL;
    }
    if (w.type == SCAN_LIST && g.type == SCAN_LIST && w.count == g.count) {
        return compare_list(c, want, got, w.count);
    }
    if (w.type == SCAN_MAP || w.type == SCAN_LIST || g.type == SCAN_MAP || g.type == SCAN_LIST ||
        !equal(c, &w, &g)) {
        return differ(c, &w, &g);
    }
    return 0;
}

int golden_compare(const void *expected, size_t expected_bytes, const void *actual, size_t actual_bytes,
                   double rtol, double atol, struct err *err)
{
    struct comparer c = {.rtol = rtol, .atol = atol, .err = err};
    struct scan want = scan_over(expected, expected_bytes), got = scan_over(actual, actual_bytes);
    return compare(&c, &want, &got);
}
