/* SPDX-License-Identifier: MPL-2.0 */
#include "compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "scan.h"

struct comparer {
    double rtol, atol;
    bool strict;
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
        if (want->type == SCAN_INT && got->type == SCAN_INT && (c->strict || want->i == got->i)) {
            return want->i == got->i; /* beyond 2^53 too */
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

/* Every key of `got` is in `want`, too. */
static int compare_keys(struct comparer *c, struct scan want, uint32_t n, struct scan got, uint32_t got_n)
{
    for (uint32_t i = 0; i < got_n; i++) {
        struct token key;
        struct scan value;
        if (!scan_next(&got, &key) || !scan_skip(&got)) {
            return err_set(c->err, KILN_INTERNAL, NULL, "the result is damaged");
        }
        if (!find(want, n, &key, &value)) {
            return err_set(c->err, KILN_INTERNAL, NULL, "%s%s%.*s is in the result, expected no such member",
                           c->path, c->path[0] ? "." : "", key.count < 60 ? (int) key.count : 60,
                           key.text ? key.text : "");
        }
    }
    return 0;
}

static bool member(const struct scan *map, uint32_t pairs, const char *name, struct token *ret)
{
    struct token key = {.type = SCAN_STR, .count = (uint32_t) strlen(name), .text = name};
    struct scan value;
    return find(*map, pairs, &key, &value) && scan_next(&value, ret);
}

/* Numbers as they lie in packed data: of the kinds f4 and f8 within the tolerance, else byte for byte. */
static int compare_data(struct comparer *c, const struct token *want, const struct token *got, size_t item)
{
    size_t length = strlen(c->path);
    for (size_t i = 0; i < want->count / item; i++) {
        struct token a = {.type = SCAN_FLOAT}, b = {.type = SCAN_FLOAT};
        const char *at[2] = {want->text + i * item, got->text + i * item};
        if (memcmp(at[0], at[1], item) == 0) {
            continue;
        }
        if (item == sizeof(double)) {
            memcpy(&a.f, at[0], item);
            memcpy(&b.f, at[1], item);
        } else {
            float x, y;
            memcpy(&x, at[0], item);
            memcpy(&y, at[1], item);
            a.f = (double) x;
            b.f = (double) y;
        }
        if (!equal(c, &a, &b)) {
            snprintf(c->path + length, sizeof c->path - length, "[%zu]", i);
            return differ(c, &a, &b);
        }
    }
    return 0;
}

/* Both are packed arrays of the same kind of floats and as long: then *ret_status is what comparing their data gives, and their
 * other members are the map's matter. */
static bool compare_packed(struct comparer *c, const struct scan *want, uint32_t n, const struct scan *got,
                           uint32_t got_n, int *ret_status)
{
    struct token types[2], data[2];
    if (!member(want, n, "type", &types[0]) || !member(got, got_n, "type", &types[1]) ||
        !member(want, n, "data", &data[0]) || !member(got, got_n, "data", &data[1]) ||
        data[0].type != SCAN_BIN || data[1].type != SCAN_BIN || data[0].count != data[1].count ||
        !equal(c, &types[0], &types[1]) || !is_text(&types[0]) || types[0].count != 3 ||
        types[0].text[1] != 'f') {
        return false;
    }
    size_t item = types[0].text[2] == '4' ? 4 : 8;
    if (data[0].count % item) {
        return false;
    }
    *ret_status = compare_data(c, &data[0], &data[1], item);
    return true;
}

static int compare_map(struct comparer *c, struct scan *want, uint32_t n, const struct scan *got,
                       uint32_t got_n)
{
    size_t length = strlen(c->path);
    int status = c->strict ? compare_keys(c, *want, n, *got, got_n) : 0;
    bool packed = c->strict && !status && compare_packed(c, want, n, got, got_n, &status);
    if (status) {
        return status;
    }
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
        if (packed && key.count == 4 && memcmp(key.text, "data", 4) == 0) {
            scan_skip(want);
        } else if ((status = compare(c, want, &value))) {
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

int compare_results(const struct compare *how, const void *expected, size_t expected_bytes,
                    const void *actual, size_t actual_bytes, struct err *err)
{
    struct comparer c = {.rtol = how->rtol, .atol = how->atol, .strict = how->strict, .err = err};
    struct scan want = scan_over(expected, expected_bytes), got = scan_over(actual, actual_bytes);
    return compare(&c, &want, &got);
}
