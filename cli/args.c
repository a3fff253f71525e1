/* SPDX-License-Identifier: MPL-2.0 */
#include "args.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "csv.h"
#include "json.h"
#include "mem.h"
#include "utf8.h"
#include "view.h"

enum { MOST_DEPTH = 24 };

/* The arguments as a tree: a node is a map of nodes, or a leaf of finished msgpack. A leaf that holds a map becomes a map
 * of nodes when a dotted name descends into it. */
struct node {
    char *name;
    struct buf leaf;           /* when it is no map */
    struct node *first, *last; /* when it is one */
    struct node *next;
    bool map;
    size_t n; /* members */
};

struct args {
    struct node root;
};

static void node_clear(struct node *n)
{
    while (n->first) {
        struct node *gone = n->first;
        n->first = gone->next;
        node_clear(gone);
        mem_free(gone->name);
        mem_free(gone);
    }
    buf_done(&n->leaf);
    n->last = NULL;
    n->n = 0;
    n->map = false;
}

/* The member of a map, made when it is not there. */
static struct node *node_member(struct node *map, const char *name, size_t bytes)
{
    for (struct node *m = map->first; m; m = m->next) {
        if (strlen(m->name) == bytes && memcmp(m->name, name, bytes) == 0) {
            return m;
        }
    }
    struct node *m = mem_alloc(sizeof *m);
    m->name = mem_alloc(bytes + 1);
    memcpy(m->name, name, bytes);
    *(map->first ? &map->last->next : &map->first) = m;
    map->last = m;
    map->n++;
    return m;
}

/* Makes a map of the node: of a leaf that holds one, with its members; else an empty one in the place of what was there. */
static void node_open(struct node *n)
{
    if (n->map) {
        return;
    }
    struct buf leaf = n->leaf;
    buf_init(&n->leaf, 0);
    struct view map = view_open(leaf.data, leaf.bytes);
    struct walk w = walk_map(&map);
    for (struct view key, value; walk_pair(&w, &key, &value);) {
        struct node *m = node_member(n, view_text_data(&key), (size_t) view_text_bytes(&key));
        buf_clear(&m->leaf);
        buf_put_raw(&m->leaf, value.data, value.bytes);
    }
    n->map = true;
    buf_done(&leaf);
}

static void node_pack(const struct node *n, struct buf *out)
{
    if (!n->map) {
        buf_put_raw(out, n->leaf.data, n->leaf.bytes);
        return;
    }
    buf_put_map(out, n->n);
    for (const struct node *m = n->first; m; m = m->next) {
        buf_put_text(out, m->name);
        node_pack(m, out);
    }
}

struct args *args_new(void)
{
    struct args *a = mem_alloc(sizeof *a);
    a->root.map = true;
    return a;
}

void args_free(struct args **args)
{
    if (*args) {
        node_clear(&(*args)->root);
        mem_free(*args);
        *args = NULL;
    }
}

void args_pack(const struct args *a, struct buf *out)
{
    node_pack(&a->root, out);
}

int args_json(struct args *a, const char *path, struct err *err)
{
    char *text = NULL;
    size_t bytes;
    int rc = csv_slurp(path, &text, &bytes, err);
    if (rc) {
        return rc;
    }
    struct buf packed = {0};
    rc = json_to_msgpack(text, bytes, NULL, &packed, err);
    mem_free(text);
    const char *shown = strcmp(path, "-") == 0 ? "standard input" : path;
    if (rc) {
        err_prefix(err, "%s", shown);
    } else {
        struct view v = view_open(packed.data, packed.bytes);
        if (!view_is(&v, SCAN_MAP)) {
            char what[80];
            rc = err_set(err, KILN_INVALID, NULL, "%s holds %s, expected a JSON object of arguments", shown,
                         scan_show(&v.token, what, sizeof what));
        }
    }
    if (rc) {
        buf_done(&packed);
        return rc;
    }
    node_clear(&a->root);
    a->root.leaf = packed;
    node_open(&a->root);
    return 0;
}

/* ---- values ---- */

static void put_numbers(struct buf *out, const double *values, size_t n)
{
    buf_put_list(out, n);
    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i])) {
            buf_put_nil(out);
        } else {
            buf_put_f64(out, values[i]);
        }
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcasecmp(text + n - m, end) == 0;
}

static int read_json(const char *text, size_t bytes, const char *what, struct buf *out, struct err *err)
{
    int rc = json_to_msgpack(text, bytes, NULL, out, err);
    if (rc) {
        err_prefix(err, "%s", what);
    }
    return rc;
}

static int read_whole(const char *path, struct buf *out, struct err *err)
{
    char *text = NULL;
    size_t bytes;
    int rc = csv_slurp(path, &text, &bytes, err);
    if (rc) {
        return rc;
    }
    if (ends_with(path, ".json")) {
        rc = read_json(text, bytes, path, out, err);
    } else if (ends_with(path, ".txt") && utf8_valid(text, bytes)) {
        buf_put_str(out, text, bytes);
    } else {
        buf_put_bin(out, text, bytes);
    }
    mem_free(text);
    return rc;
}

/* What stands behind the @: "path", "path:column", "path:column?filters". A colon that is part of an existing file's name is no separator. */
static int read_file(const char *reference, struct buf *out, struct err *err)
{
    size_t path_bytes = strcspn(reference, "?");
    char *path = mem_alloc(path_bytes + 1);
    memcpy(path, reference, path_bytes);
    const char *query = reference + path_bytes;
    char *colon = strrchr(path, ':');
    if (colon && access(path, F_OK) != 0) {
        *colon = '\0';
        query = reference + (colon - path) + 1;
    } else {
        colon = NULL;
    }
    int rc;
    if (colon || *query || ends_with(path, ".csv") || ends_with(path, ".tsv")) {
        double *values = NULL;
        size_t n;
        rc = csv_column(path, query, &values, &n, err);
        if (!rc) {
            put_numbers(out, values, n);
            mem_free(values);
        }
    } else {
        rc = read_whole(path, out, err);
    }
    mem_free(path);
    return rc;
}

/* Numbers as C and JSON write them, also nan and inf, which JSON has not. */
static bool read_number(const char *text, struct buf *out)
{
    static const char *const special[] = {"nan", "inf", "+inf", "-inf", "infinity", "-infinity"};
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        if (strcasecmp(text, special[i]) == 0) {
            buf_put_f64(out, strtod(text, NULL));
            return true;
        }
    }
    const char *digits = text + (*text == '-' || *text == '+');
    char *end;
    if (*digits && !digits[strspn(digits, "0123456789")]) {
        errno = 0;
        long long i = strtoll(text, &end, 10);
        if (!errno) {
            buf_put_i64(out, i);
            return true;
        }
        errno = 0;
        unsigned long long u = strtoull(text, &end, 10);
        if (!errno && *text != '-') {
            buf_put_u64(out, u);
            return true;
        }
    }
    if (strspn(text, "+-.0123456789eE") != strlen(text) || !strpbrk(text, "0123456789")) {
        return false;
    }
    double v = strtod(text, &end);
    if (*end) {
        return false;
    }
    buf_put_f64(out, v);
    return true;
}

static int read_value(const char *text, struct buf *out, struct err *err)
{
    if (text[0] == '@' && text[1] != '@') {
        return read_file(text + 1, out, err);
    }
    if (text[0] == '[' || text[0] == '{' || text[0] == '"') {
        return read_json(text, strlen(text), "not JSON", out, err);
    }
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        buf_put_bool(out, text[0] == 't');
        return 0;
    }
    if (strcmp(text, "null") == 0) {
        buf_put_nil(out);
        return 0;
    }
    if (read_number(text, out)) {
        return 0;
    }
    text += text[0] == '@';
    if (!utf8_valid(text, strlen(text))) {
        return err_set(err, KILN_INVALID, NULL, "the text is no UTF-8");
    }
    json_put_text(out, text, strlen(text));
    return 0;
}

/* ---- words ---- */

/* The node of a dotted name, with the maps above it. */
static int find_node(struct args *a, const char *name, size_t bytes, struct node **ret_node, struct err *err)
{
    struct node *n = &a->root;
    const char *end = name + bytes;
    for (int depth = 0; name <= end; depth++) {
        const char *dot = memchr(name, '.', (size_t) (end - name));
        size_t part = (size_t) ((dot ? dot : end) - name);
        if (part == 0 || depth == MOST_DEPTH || !utf8_valid(name, part)) {
            return err_set(err, KILN_INVALID, NULL,
                           "\"%.*s\" is no name of an argument, expected NAME or NAME.MEMBER", (int) bytes,
                           end - bytes);
        }
        node_open(n);
        n = node_member(n, name, part);
        name += part + 1;
    }
    *ret_node = n;
    return 0;
}

int args_word(struct args *a, const char *word, struct err *err)
{
    size_t name_bytes = strcspn(word, "=");
    if (!word[name_bytes]) {
        return err_set(err, KILN_INVALID, NULL, "\"%s\" is no argument, expected NAME=VALUE", word);
    }
    struct node *n;
    struct buf value = {0};
    int rc = read_value(word + name_bytes + 1, &value, err);
    if (rc) {
        err_prefix(err, "%.*s", (int) name_bytes, word);
    } else {
        rc = find_node(a, word, name_bytes, &n, err);
    }
    if (rc) {
        buf_done(&value);
        return rc;
    }
    node_clear(n);
    n->leaf = value;
    return 0;
}

int args_set_text(struct args *a, const char *name, const char *text, struct err *err)
{
    struct node *n;
    int rc = find_node(a, name, strlen(name), &n, err);
    if (!rc) {
        node_clear(n);
        buf_put_text(&n->leaf, text);
    }
    return rc;
}
