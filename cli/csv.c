/* SPDX-License-Identifier: MPL-2.0 */
#include "csv.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"

enum { MOST_FILTERS = 16, MOST_COLUMNS = 4096 };

enum test { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, MORE, MORE_EQUAL };

struct filter {
    char *name; /* and behind it the value, both in the copy of the query */
    char *value;
    enum test test;
    size_t column;
};

struct query {
    char *text; /* owned; the rest points into it */
    char *column;
    size_t column_at;
    struct filter filters[MOST_FILTERS];
    size_t n_filters;
    size_t first, last; /* SIZE_MAX: all */
};

struct reader {
    const char *path;
    char *at;              /* the file's text; fields are unquoted and ended in place */
    size_t line, row_line; /* where reading is, and where the row began */
    char separator;
    bool bare; /* no row of names: the columns are 1, 2, ... */
    bool held; /* the row in fields is still to be taken */
    char **fields;
    size_t n_fields, room;
};

int csv_slurp(const char *path, char **ret_text, size_t *ret_bytes, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "rb");
    if (!f) {
        return err_set(err, KILN_INVALID, NULL, "cannot read %s: %s", path, strerror(errno));
    }
    char *text = NULL;
    size_t used = 0, room = 0;
    bool failed = false;
    for (;;) {
        if (room - used < 2) {
            room = room ? 2 * room : 1 << 16;
            char *grown = mem_try_grow(text, room);
            if (!grown) {
                errno = ENOMEM;
                failed = true;
                break;
            }
            text = grown;
        }
        size_t n = fread(text + used, 1, room - used - 1, f);
        used += n;
        if (n == 0) {
            failed = ferror(f);
            break;
        }
    }
    int why = errno;
    if (!standard) {
        fclose(f);
    }
    if (failed) {
        mem_free(text);
        return err_set(err, KILN_INVALID, NULL, "cannot read %s: %s", standard ? "standard input" : path,
                       strerror(why));
    }
    text[used] = '\0';
    *ret_text = text;
    *ret_bytes = used;
    return 0;
}

/* ---- the query ---- */

static int parse_count(const char *text, const char *name, size_t *ret, struct err *err)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end || v < 1) {
        return err_set(err, KILN_INVALID, NULL, "%s is \"%s\", expected a whole number from 1", name, text);
    }
    *ret = (size_t) v;
    return 0;
}

static int parse_filter(struct query *q, char *word, struct err *err)
{
    size_t n = strcspn(word, "=<>!");
    char *op = word + n;
    bool doubled = op[0] && op[1] == '=';
    if (n == 0 || !op[0] || (op[0] == '!' && !doubled)) {
        return err_set(err, KILN_INVALID, NULL,
                       "filter \"%s\" is none, expected column=value, or with != < <= > >=", word);
    }
    struct filter f = {.name = word, .value = op + (doubled ? 2 : 1)};
    f.test = op[0] == '!'   ? NOT_EQUAL
             : op[0] == '<' ? (doubled ? LESS_EQUAL : LESS)
             : op[0] == '>' ? (doubled ? MORE_EQUAL : MORE)
                            : EQUAL;
    *op = '\0';
    if (f.test == EQUAL && strcmp(word, "first") == 0) {
        return parse_count(f.value, "first", &q->first, err);
    }
    if (f.test == EQUAL && strcmp(word, "last") == 0) {
        return parse_count(f.value, "last", &q->last, err);
    }
    if (q->n_filters == MOST_FILTERS) {
        return err_set(err, KILN_INVALID, NULL, "there are more than %d filters", MOST_FILTERS);
    }
    q->filters[q->n_filters++] = f;
    return 0;
}

static int parse_query(struct query *q, const char *text, struct err *err)
{
    *q = (struct query){.text = mem_text(text), .first = SIZE_MAX, .last = SIZE_MAX};
    char *rest = q->text;
    q->column = strsep(&rest, "?");
    for (char *word; (word = strsep(&rest, "&")) != NULL;) {
        int rc = parse_filter(q, word, err);
        if (rc) {
            return rc;
        }
    }
    return 0;
}

/* ---- rows ---- */

static int add_field(struct reader *r, char *field, struct err *err)
{
    if (r->n_fields == r->room) {
        if (r->room == MOST_COLUMNS) {
            return err_set(err, KILN_INVALID, NULL, "%s:%zu: more than %d columns", r->path, r->line,
                           MOST_COLUMNS);
        }
        r->room = r->room ? 2 * r->room : 16;
        r->fields = mem_grow(r->fields, r->room * sizeof *r->fields);
    }
    r->fields[r->n_fields++] = field;
    return 0;
}

/* Ends a quoted field in place and returns what follows its closing quote; NULL when there is none. */
static char *unquote(struct reader *r, char *field)
{
    char *to = field, *from = field + 1; /* behind the opening quote */
    for (;; from++) {
        if (*from == '\0') {
            return NULL;
        }
        if (*from == '"') {
            if (from[1] != '"') {
                break;
            }
            from++;
        }
        r->line += *from == '\n';
        *to++ = *from;
    }
    *to = '\0'; /* at or before the closing quote */
    return from + 1;
}

/* The next row that is not empty: 1, or 0 at the end of the file. A failure is negative, with err filled. */
static int next_row(struct reader *r, struct err *err)
{
    if (r->held) {
        r->held = false;
        return 1;
    }
    while (*r->at == '\n' || (*r->at == '\r' && r->at[1] == '\n')) {
        r->at += *r->at == '\r' ? 2 : 1;
        r->line++;
    }
    if (!*r->at) {
        return 0;
    }
    r->n_fields = 0;
    r->row_line = r->line;
    const char ends[] = {r->separator, '\r', '\n', '\0'};
    for (;;) {
        char *field = r->at, *end;
        if (*field == '"') {
            end = unquote(r, field);
            if (!end || (*end && !strchr(ends, *end))) {
                return -err_set(err, KILN_INVALID, NULL,
                                "%s:%zu: a quoted field does not end before a separator", r->path,
                                r->row_line);
            }
        } else {
            end = field;
            do {
                end += strcspn(end, ends);
            } while (*end == '\r' && end[1] != '\n' && *++end);
        }
        int rc = add_field(r, field, err);
        if (rc) {
            return -rc;
        }
        char was = *end;
        *end = '\0';
        r->at = was ? end + 1 : end;
        if (was == '\r') {
            r->at++; /* the newline */
        }
        if (was != r->separator) {
            r->line += was != '\0';
            return 1;
        }
    }
}

/* Blanks around a number are none of its business. */
static bool parse_number(const char *text, double *ret)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text) {
        return false;
    }
    end += strspn(end, " \t");
    if (*end) {
        return false;
    }
    *ret = v;
    return true;
}

static int find_column(struct reader *r, const char *name, size_t *ret_at, struct err *err)
{
    if (!*name && r->n_fields == 1) {
        *ret_at = 0;
        return 0;
    }
    char list[256] = "";
    for (size_t i = 0; i < r->n_fields; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        const char *heading = r->bare ? number : r->fields[i];
        if (strcmp(heading, name) == 0) {
            *ret_at = i;
            return 0;
        }
        size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", heading);
    }
    const char *none = r->bare ? " (its first row is numbers: no names)" : "";
    return err_set(err, KILN_INVALID, NULL,
                   *name ? "%s has no column \"%s\"; it has %s%s" : "%s: which column%s? It has %s%s",
                   r->path, name, list, none);
}

static int read_heading(struct reader *r, struct query *q, struct err *err)
{
    char *end = r->at + strcspn(r->at, "\r\n"), was = *end;
    *end = '\0';
    r->separator = strchr(r->at, ',') ? ',' : strchr(r->at, ';') ? ';' : strchr(r->at, '\t') ? '\t' : ',';
    *end = was;
    int rc = next_row(r, err);
    if (rc <= 0) {
        return rc < 0
                   ? -rc
                   : err_set(err, KILN_INVALID, NULL, "%s is empty, expected a row of column names", r->path);
    }
    r->bare = true;
    for (size_t i = 0; i < r->n_fields; i++) {
        double v;
        r->bare = r->bare && parse_number(r->fields[i], &v);
    }
    r->held = r->bare;
    rc = find_column(r, q->column, &q->column_at, err);
    for (size_t i = 0; !rc && i < q->n_filters; i++) {
        rc = find_column(r, q->filters[i].name, &q->filters[i].column, err);
    }
    return rc;
}

/* ---- values ---- */

static bool is_missing(const char *text)
{
    text += strspn(text, " \t");
    return !*text || strcasecmp(text, "na") == 0 || strcasecmp(text, "nan") == 0 ||
           strcasecmp(text, "null") == 0;
}

static bool passes(const struct filter *f, const char *field)
{
    double a, b;
    int order;
    if (parse_number(field, &a) && parse_number(f->value, &b)) {
        order = (a > b) - (a < b);
    } else {
        order = strcmp(field, f->value);
    }
    switch (f->test) {
    case EQUAL:
        return order == 0;
    case NOT_EQUAL:
        return order != 0;
    case LESS:
        return order < 0;
    case LESS_EQUAL:
        return order <= 0;
    case MORE:
        return order > 0;
    case MORE_EQUAL:
        break;
    }
    return order >= 0;
}

static int read_values(struct reader *r, const struct query *q, double **values, size_t *n, struct err *err)
{
    size_t width = r->n_fields, room = 0;
    for (;;) {
        int rc = next_row(r, err);
        if (rc <= 0) {
            return -rc;
        }
        if (r->n_fields != width) {
            return err_set(err, KILN_INVALID, NULL, "%s:%zu: %zu fields, but the heading has %zu", r->path,
                           r->row_line, r->n_fields, width);
        }
        bool keep = *n < q->first;
        for (size_t i = 0; keep && i < q->n_filters; i++) {
            keep = passes(&q->filters[i], r->fields[q->filters[i].column]);
        }
        if (!keep) {
            continue;
        }
        double v = (double) NAN;
        const char *field = r->fields[q->column_at];
        if (!is_missing(field) && !parse_number(field, &v)) {
            return err_set(err, KILN_INVALID, NULL, "%s:%zu: column \"%s\" is \"%.60s\", expected a number",
                           r->path, r->row_line, q->column, field);
        }
        if (*n == room) {
            room = room ? 2 * room : 1024;
            *values = mem_grow(*values, room * sizeof **values);
        }
        (*values)[(*n)++] = v;
    }
}

int csv_column(const char *path, const char *query, double **ret_values, size_t *ret_n, struct err *err)
{
    char *text = NULL;
    size_t bytes, n = 0;
    struct query q;
    int rc = parse_query(&q, query, err);
    if (!rc) {
        rc = csv_slurp(path, &text, &bytes, err);
    }
    if (!rc && memchr(text, '\0', bytes)) {
        rc = err_set(err, KILN_INVALID, NULL, "%s is not a text file", path);
    }
    struct reader r = {.path = path, .at = text, .line = 1};
    double *values = NULL;
    if (!rc) {
        r.at += strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* a byte order mark */
        rc = read_heading(&r, &q, err);
    }
    if (!rc) {
        rc = read_values(&r, &q, &values, &n, err);
    }
    if (!rc && n == 0) {
        rc = err_set(err, KILN_INVALID, NULL, "%s has no row that %s", path,
                     q.n_filters ? "passes the filters" : "follows its heading");
    }
    if (!rc && n > q.last) {
        memmove(values, values + (n - q.last), q.last * sizeof *values);
        n = q.last;
    }
    mem_free(text);
    mem_free(q.text);
    mem_free(r.fields);
    if (rc) {
        mem_free(values);
        return rc;
    }
    *ret_values = values;
    *ret_n = n;
    return 0;
}
