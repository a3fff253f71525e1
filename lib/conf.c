/* SPDX-License-Identifier: MPL-2.0 */
#include "conf.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

int conf_open(config_t *ret_file, const char *path, struct err *err)
{
    config_init(ret_file);
    if (config_read_file(ret_file, path)) {
        return 0;
    }
    if (config_error_type(ret_file) == CONFIG_ERR_PARSE) {
        const char *file = config_error_file(ret_file);
        err_set(err, KILN_INVALID, NULL, "%s:%d: %s", file ? file : path, config_error_line(ret_file),
                config_error_text(ret_file));
    } else {
        err_set(err, KILN_INVALID, NULL, "%s: cannot be read: %s", path, strerror(errno));
    }
    config_destroy(ret_file);
    return KILN_INVALID;
}

int conf_base(const char *path, char **ret_base, struct err *err)
{
    char base[PATH_MAX];
    if (!realpath(path, base)) {
        return err_set(err, KILN_INVALID, NULL, "%s: cannot be read: %s", path, strerrordesc_np(errno));
    }
    *strrchr(base, '/') = '\0';
    *ret_base = mem_text(base);
    return 0;
}

void conf_absolute(char **path, const char *base)
{
    if ((*path)[0] != '/') {
        size_t n = strlen(base) + strlen(*path) + 2;
        char *joined = mem_alloc(n);
        snprintf(joined, n, "%s/%s", base, *path);
        mem_free(*path);
        *path = joined;
    }
}

int conf_check_groups(const config_t *file, const char *path, struct err *err)
{
    const config_setting_t *root = config_root_setting(file);
    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *s = config_setting_get_elem(root, (unsigned) i);
        const char *name = config_setting_name(s);
        if (strcmp(name, "broker") != 0 && strcmp(name, "daemon") != 0) {
            return err_set(err, KILN_INVALID, name,
                           "%s:%u: there is no group \"%s\", expected broker or daemon", path,
                           config_setting_source_line(s), name);
        }
    }
    return 0;
}

int conf_check_endpoint(const char *endpoint, const char *key, struct err *err)
{
    const char *rest = strstr(endpoint, "://");
    bool known = rest && rest[3] && (strncmp(endpoint, "ipc:", 4) == 0 || strncmp(endpoint, "tcp:", 4) == 0);
    if (known && endpoint[0] == 't') {
        const char *port = strrchr(rest + 3, ':');
        known = port && port > rest + 3 && port[1];
    }
    if (!known) {
        return err_set(err, KILN_INVALID, key,
                       "%s is \"%.200s\", expected an endpoint such as ipc:///run/kiln/kiln.sock or "
                       "tcp://127.0.0.1:7411",
                       key, endpoint);
    }
    return 0;
}

static int bad(const config_setting_t *at, const char *group, const char *key, const char *got,
               const char *expected, struct err *err)
{
    const char *file = config_setting_source_file(at);
    return err_set(err, KILN_INVALID, key, "%s:%u: %s.%s is %s, expected %s", file ? file : "configuration",
                   config_setting_source_line(at), group, key, got, expected);
}

static const char *show(const config_setting_t *s, char *out, size_t bytes)
{
    switch (config_setting_type(s)) {
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        snprintf(out, bytes, "%lld", config_setting_get_int64(s));
        break;
    case CONFIG_TYPE_FLOAT:
        snprintf(out, bytes, "%g", config_setting_get_float(s));
        break;
    case CONFIG_TYPE_BOOL:
        snprintf(out, bytes, "%s", config_setting_get_bool(s) ? "true" : "false");
        break;
    case CONFIG_TYPE_STRING:
        snprintf(out, bytes, "\"%.60s\"", config_setting_get_string(s));
        break;
    case CONFIG_TYPE_GROUP:
        snprintf(out, bytes, "a group");
        break;
    default:
        snprintf(out, bytes, "a list of %d", config_setting_length(s));
    }
    return out;
}

static int read_int(const config_setting_t *s, const char *group, const struct conf_row *row, int64_t *ret,
                    struct err *err)
{
    char got[80], expected[120];
    int type = config_setting_type(s);
    bool whole = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
    int64_t v = whole ? config_setting_get_int64(s) : 0;
    if (!whole || v < row->least || v > row->most) {
        snprintf(expected, sizeof expected, "a whole number %" PRId64 "..%" PRId64 "%s%s", row->least,
                 row->most, row->unit ? " " : "", row->unit ? row->unit : "");
        return bad(s, group, row->key, show(s, got, sizeof got), expected, err);
    }
    *ret = v;
    return 0;
}

static void texts_add(struct conf_texts *t, const char *text, size_t bytes)
{
    t->items = mem_grow(t->items, (t->n + 1) * sizeof *t->items);
    char *copy = mem_alloc(bytes + 1);
    memcpy(copy, text, bytes);
    t->items[t->n++] = copy;
}

static void fill_fallback(const struct conf_row *row, void *member)
{
    const char *text = row->fallback ? row->fallback : "";
    switch (row->kind) {
    case CONF_INT:
        *(int64_t *) member = strtoll(text, NULL, 10);
        break;
    case CONF_BOOL:
        *(bool *) member = strcmp(text, "true") == 0;
        break;
    case CONF_TEXT:
        *(char **) member = mem_text(text);
        break;
    case CONF_TEXTS:
        *(struct conf_texts *) member = (struct conf_texts){0};
        for (const char *at = text; *at; at += strspn(at, " ")) {
            size_t bytes = strcspn(at, " ");
            texts_add(member, at, bytes);
            at += bytes;
        }
        break;
    case CONF_INTS:
        *(struct conf_ints *) member = (struct conf_ints){0};
        break;
    case CONF_OTHER:
        break;
    }
}

static void release(const struct conf_row *row, void *member)
{
    if (row->kind == CONF_TEXT) {
        mem_free(*(char **) member);
        *(char **) member = NULL;
    } else if (row->kind == CONF_TEXTS) {
        struct conf_texts *t = member;
        for (size_t i = 0; i < t->n; i++) {
            mem_free(t->items[i]);
        }
        mem_free(t->items);
        *t = (struct conf_texts){0};
    } else if (row->kind == CONF_INTS) {
        mem_free(((struct conf_ints *) member)->items);
        *(struct conf_ints *) member = (struct conf_ints){0};
    }
}

static int read_texts(const config_setting_t *s, const char *group, const struct conf_row *row,
                      struct conf_texts *ret, struct err *err)
{
    char got[80];
    const char *one = config_setting_get_string(s);
    if (one) {
        texts_add(ret, one, strlen(one));
        return 0;
    }
    if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
        return bad(s, group, row->key, show(s, got, sizeof got), "a string or a list of strings", err);
    }
    for (int i = 0; i < config_setting_length(s); i++) {
        const config_setting_t *item = config_setting_get_elem(s, (unsigned) i);
        const char *text = config_setting_get_string(item);
        if (!text) {
            return bad(item, group, row->key, show(item, got, sizeof got), "a string", err);
        }
        texts_add(ret, text, strlen(text));
    }
    return 0;
}

static int read_ints(const config_setting_t *s, const char *group, const struct conf_row *row,
                     struct conf_ints *ret, struct err *err)
{
    char got[80];
    if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
        return bad(s, group, row->key, show(s, got, sizeof got), "a list of whole numbers", err);
    }
    for (int i = 0; i < config_setting_length(s); i++) {
        int64_t v;
        if (read_int(config_setting_get_elem(s, (unsigned) i), group, row, &v, err)) {
            return KILN_INVALID;
        }
        ret->items = mem_grow(ret->items, (ret->n + 1) * sizeof *ret->items);
        ret->items[ret->n++] = v;
    }
    return 0;
}

static int read_member(const config_setting_t *s, const char *group, const struct conf_row *row, void *member,
                       struct err *err)
{
    char got[80];
    switch (row->kind) {
    case CONF_INT:
        return read_int(s, group, row, member, err);
    case CONF_BOOL:
        if (config_setting_type(s) != CONFIG_TYPE_BOOL) {
            return bad(s, group, row->key, show(s, got, sizeof got), "true or false", err);
        }
        *(bool *) member = config_setting_get_bool(s);
        return 0;
    case CONF_TEXT:
        if (!config_setting_get_string(s)) {
            return bad(s, group, row->key, show(s, got, sizeof got), "a string", err);
        }
        release(row, member);
        *(char **) member = mem_text(config_setting_get_string(s));
        return 0;
    case CONF_TEXTS:
        release(row, member);
        return read_texts(s, group, row, member, err);
    case CONF_INTS:
        return read_ints(s, group, row, member, err);
    case CONF_OTHER:
        return 0;
    }
    return 0;
}

static int unknown(const config_setting_t *s, const char *group, const struct conf_row *rows, size_t n,
                   struct err *err)
{
    char known[300] = "";
    size_t at = 0;
    for (size_t i = 0; i < n && at < sizeof known; i++) {
        at += (size_t) snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", rows[i].key);
    }
    const char *file = config_setting_source_file(s);
    const char *name = config_setting_name(s);
    return err_set(err, KILN_INVALID, name, "%s:%u: %s has no key \"%s\", expected one of %s",
                   file ? file : "configuration", config_setting_source_line(s), group, name ? name : "",
                   known);
}

int conf_read(const config_setting_t *group, const char *name, const struct conf_row *rows, size_t n,
              void *target, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        fill_fallback(&rows[i], (char *) target + rows[i].offset);
    }
    if (!group) {
        return 0;
    }
    int status = 0;
    if (!config_setting_is_group(group)) {
        status =
            err_set(err, KILN_INVALID, name, "%s:%u: %s is not a group { ... }",
                    config_setting_source_file(group) ? config_setting_source_file(group) : "configuration",
                    config_setting_source_line(group), name);
    }
    for (int k = 0; !status && k < config_setting_length(group); k++) {
        const config_setting_t *s = config_setting_get_elem(group, (unsigned) k);
        size_t i = 0;
        while (i < n && strcmp(rows[i].key, config_setting_name(s)) != 0) {
            i++;
        }
        status = i == n ? unknown(s, name, rows, n, err)
                        : read_member(s, name, &rows[i], (char *) target + rows[i].offset, err);
    }
    if (status) {
        conf_done(rows, n, target);
    }
    return status;
}

/* ---- taking over ---- */

static size_t member_bytes(enum conf_kind kind)
{
    static const size_t bytes[] = {
        [CONF_INT] = sizeof(int64_t),           [CONF_BOOL] = sizeof(bool),
        [CONF_TEXT] = sizeof(char *),           [CONF_TEXTS] = sizeof(struct conf_texts),
        [CONF_INTS] = sizeof(struct conf_ints), [CONF_OTHER] = 0};
    return bytes[kind];
}

static bool same_texts(const struct conf_texts *a, const struct conf_texts *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++) {
        same = strcmp(a->items[i], b->items[i]) == 0;
    }
    return same;
}

static bool same(enum conf_kind kind, const void *a, const void *b)
{
    const struct conf_ints *left = a, *right = b;
    switch (kind) {
    case CONF_TEXT:
        return strcmp(*(char *const *) a, *(char *const *) b) == 0;
    case CONF_TEXTS:
        return same_texts(a, b);
    case CONF_INTS:
        return left->n == right->n &&
               (left->n == 0 || memcmp(left->items, right->items, left->n * sizeof *left->items) == 0);
    default:
        return memcmp(a, b, member_bytes(kind)) == 0;
    }
}

static void swap(void *a, void *b, size_t bytes)
{
    char held[sizeof(struct conf_texts)];
    memcpy(held, a, bytes);
    memcpy(a, b, bytes);
    memcpy(b, held, bytes);
}

int conf_take_over(const char *name, const struct conf_row *rows, size_t n, void *target, void *fresh,
                   struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct conf_row *r = &rows[i];
        if (!r->live && !same(r->kind, (char *) target + r->offset, (char *) fresh + r->offset)) {
            return err_set(
                err, KILN_INVALID, r->key,
                "%s.%s is not what it was at the start: a reload cannot change it, restart the program", name,
                r->key);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (rows[i].live) {
            swap((char *) target + rows[i].offset, (char *) fresh + rows[i].offset,
                 member_bytes(rows[i].kind));
        }
    }
    return 0;
}

void conf_done(const struct conf_row *rows, size_t n, void *target)
{
    for (size_t i = 0; i < n; i++) {
        release(&rows[i], (char *) target + rows[i].offset);
    }
}

void conf_help(FILE *out, const char *name, const struct conf_row *rows, size_t n)
{
    fprintf(out, "%s = {\n", name);
    for (size_t i = 0; i < n; i++) {
        const struct conf_row *r = &rows[i];
        char what[160];
        int at = snprintf(what, sizeof what, "%s = %s%s%s", r->key, r->kind == CONF_TEXT ? "\"" : "",
                          r->fallback ? r->fallback : "", r->kind == CONF_TEXT ? "\"" : "");
        if (r->unit && at > 0 && (size_t) at < sizeof what) {
            snprintf(what + at, sizeof what - (size_t) at, " (%s)", r->unit);
        }
        fprintf(out, "  %-44s %s\n", what, r->help);
    }
    fprintf(out, "}\n");
}
