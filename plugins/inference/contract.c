/* SPDX-License-Identifier: MPL-2.0 */
#include "contract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

/* Shares of nothing would be infinitely far from any other: the customary floor. */
static const double least_share = 1e-4;

/* ---- reading */

struct parser {
    const char *path;
    struct pool *pool;
    struct refusal *why;
};

static bool number(const struct kiln_value *v, double *ret)
{
    if (v && (v->type == KILN_V_INT || v->type == KILN_V_FLOAT)) {
        *ret = v->type == KILN_V_INT ? (double) v->i : v->f;
        return isfinite(*ret);
    }
    return false;
}

static int only_known(const struct parser *p, const struct kiln_value *map, const char *what,
                      const char *known)
{
    for (uint32_t i = 0; i < map->count; i++) {
        char word[70];
        snprintf(word, sizeof word, "|%.60s|", map->map[i].key);
        if (!strstr(known, word)) {
            return refuse(p->why, KILN_INVALID, "%.200s: %s has \"%.60s\", expected one of %s", p->path, what,
                          map->map[i].key, known);
        }
    }
    return KILN_OK;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static int bin_of(const struct column *c, double x)
{
    int bin = 0;
    while (bin < c->n_bins - 1 && x > c->edges[bin]) {
        bin++;
    }
    return bin;
}

/* Bins between quantiles of the sample; equal quantiles (many equal values) make one. */
static void make_bins(struct column *c, double *sample, size_t n)
{
    qsort(sample, n, sizeof *sample, by_size);
    for (int i = 1; i < CONTRACT_BINS; i++) {
        const double edge = sample[(n - 1) * (size_t) i / CONTRACT_BINS];
        if (edge < sample[n - 1] && (!c->n_bins || edge > c->edges[c->n_bins - 1])) {
            c->edges[c->n_bins++] = edge;
        }
    }
    c->edges[c->n_bins++] = (double) INFINITY;
    for (size_t i = 0; i < n; i++) {
        c->expected[bin_of(c, sample[i])] += 1 / (double) n;
    }
}

static int read_sample(const struct parser *p, const struct kiln_value *v, struct column *c)
{
    if (!v) {
        return KILN_OK;
    }
    double *sample =
        v->type == KILN_V_LIST && v->count >= 2 ? pool_array(p->pool, v->count, sizeof *sample) : NULL;
    for (uint32_t i = 0; sample && i < v->count; i++) {
        sample = number(&v->list[i], &sample[i]) ? sample : NULL;
    }
    if (!sample) {
        return refuse(p->why, KILN_INVALID, "%.200s: sample of %.60s is no list of two numbers or more",
                      p->path, c->name);
    }
    make_bins(c, sample, v->count);
    return KILN_OK;
}

static int read_column(const struct parser *p, const struct kiln_value *v, int i, struct column *c)
{
    const struct kiln_value *name = value_member(v, "name"), *min = value_member(v, "min"),
                            *max = value_member(v, "max");
    *c = (struct column){.min = -(double) INFINITY, .max = (double) INFINITY};
    if (v->type != KILN_V_MAP || !name || name->type != KILN_V_STRING) {
        return refuse(p->why, KILN_INVALID, "%.200s: column %d is no object with a name", p->path, i + 1);
    }
    c->name = name->text;
    int rc = only_known(p, v, "a column", "|name|min|max|sample|");
    if (rc == KILN_OK &&
        ((min && !number(min, &c->min)) || (max && !number(max, &c->max)) || c->min > c->max)) {
        rc = refuse(p->why, KILN_INVALID, "%.200s: min and max of %.60s are no range", p->path, c->name);
    }
    return rc ? rc : read_sample(p, value_member(v, "sample"), c);
}

static int read_input(const struct parser *p, const struct kiln_value *v, const struct value *input,
                      struct contract_input *ret)
{
    const struct kiln_value *columns = value_member(v, "columns"), *how = value_member(v, "out_of_range");
    const struct tensor *t = &input->constant;
    if (v->type != KILN_V_MAP || !columns || columns->type != KILN_V_LIST || !columns->count ||
        t->dtype == DT_STRING) {
        return refuse(p->why, KILN_INVALID, "%.200s: input \"%.60s\" is no object with columns of numbers",
                      p->path, input->name);
    }
    const int64_t wanted = t->rank > 1 ? t->dims[t->rank - 1] : t->rank >= 0 ? 1 : -1;
    if (wanted >= 0 && wanted != columns->count) {
        return refuse(p->why, KILN_INVALID,
                      "%.200s: input \"%.60s\" has %u columns, expected %lld as in the model", p->path,
                      input->name, columns->count, (long long) wanted);
    }
    if (how && (how->type != KILN_V_STRING ||
                (strcmp(how->text, "count") != 0 && strcmp(how->text, "refuse") != 0))) {
        return refuse(p->why, KILN_INVALID, "%.200s: out_of_range is neither \"count\" nor \"refuse\"",
                      p->path);
    }
    int rc = only_known(p, v, "an input", "|columns|out_of_range|");
    ret->refuse = how && strcmp(how->text, "refuse") == 0;
    ret->n_columns = (int) columns->count;
    ret->columns = pool_array(p->pool, columns->count, sizeof *ret->columns);
    if (!ret->columns) {
        return refuse_memory(p->why, "a contract");
    }
    for (int i = 0; i < ret->n_columns && rc == KILN_OK; i++) {
        rc = read_column(p, &columns->list[i], i, &ret->columns[i]);
    }
    return rc;
}

static int read_classes(const struct parser *p, const struct kiln_value *v, struct contract *c)
{
    if (!v) {
        return KILN_OK;
    }
    bool ok = v->type == KILN_V_LIST && v->count > 0;
    const char **classes = ok ? pool_array(p->pool, v->count, sizeof *classes) : NULL;
    for (uint32_t i = 0; classes && i < v->count; i++) {
        ok = ok && v->list[i].type == KILN_V_STRING;
        classes[i] = v->list[i].text;
    }
    c->classes = classes;
    c->n_classes = (int) v->count;
    return ok && classes ? KILN_OK
                         : refuse(p->why, KILN_INVALID, "%.200s: classes is no list of strings", p->path);
}

static int read_all(const struct parser *p, const struct kiln_value *v, const struct model *m,
                    struct contract *c)
{
    const struct kiln_value *inputs = value_member(v, "inputs");
    if (v->type != KILN_V_MAP || (inputs && inputs->type != KILN_V_MAP)) {
        return refuse(p->why, KILN_INVALID, "%.200s is no object with inputs", p->path);
    }
    int rc = only_known(p, v, "the contract", "|inputs|classes|");
    for (uint32_t k = 0; inputs && k < inputs->count && rc == KILN_OK; k++) {
        int i = 0;
        while (i < m->graph.n_inputs &&
               strcmp(m->graph.values[m->graph.inputs[i]].name, inputs->map[k].key) != 0) {
            i++;
        }
        rc = i < m->graph.n_inputs
                 ? read_input(p, &inputs->map[k].value, &m->graph.values[m->graph.inputs[i]], &c->inputs[i])
                 : refuse(p->why, KILN_INVALID, "%.200s: the model has no input \"%.60s\"", p->path,
                          inputs->map[k].key);
    }
    return rc ? rc : read_classes(p, value_member(v, "classes"), c);
}

struct contract *contract_load(const char *path, const struct model *m, struct budget *budget,
                               struct refusal *why)
{
    struct pool pool;
    pool_init(&pool, budget);
    const struct kiln_value *v = json_file(path, &pool, why);
    struct contract *c = v ? pool_small(&pool, sizeof *c) : NULL;
    const struct parser p = {.path = path, .pool = &pool, .why = why};
    if (c) {
        c->inputs = pool_array(&pool, (size_t) m->graph.n_inputs, sizeof *c->inputs);
    }
    if (v && (!c || !c->inputs)) {
        refuse_memory(why, "a contract");
    } else if (v) {
        read_all(&p, v, m, c);
    }
    if (why->status || !c) {
        pool_done(&pool);
        return NULL;
    }
    c->pool = pool;
    return c;
}

void contract_free(struct contract **c)
{
    if (*c) {
        struct pool pool = (*c)->pool; /* the contract lies in it */
        pool_done(&pool);
        *c = NULL;
    }
}

/* ---- counting */

/* The first element that is out of its range, or -1. */
static int64_t count(const struct contract_input *in, const struct tensor *t)
{
    int64_t bad = -1;
    for (int64_t i = 0; i < t->count; i++) {
        struct column *c = &in->columns[i % in->n_columns];
        const double x = tensor_number(t, i);
        if (isnan(x)) {
            c->missing++;
            continue;
        }
        if (x < c->min || x > c->max) {
            c->out_of_range++;
            bad = bad < 0 ? i : bad;
        }
        c->seen++;
        if (c->n_bins) {
            c->counts[bin_of(c, x)]++;
        }
    }
    return bad;
}

int contract_see(struct contract *c, const struct model *m, int input, const struct tensor *t,
                 struct refusal *why)
{
    const struct contract_input *in = &c->inputs[input];
    if (!in->n_columns || (t->rank > 1 && t->dims[t->rank - 1] != in->n_columns)) {
        return KILN_OK;
    }
    const int64_t bad = count(in, t);
    if (bad < 0 || !in->refuse) {
        return KILN_OK;
    }
    const struct column *column = &in->columns[bad % in->n_columns];
    return refuse(why, KILN_INVALID, "inputs.%.60s: %.60s is %.9g in row %lld, expected %.9g to %.9g",
                  m->graph.values[m->graph.inputs[input]].name, column->name, tensor_number(t, bad),
                  (long long) (bad / in->n_columns), column->min, column->max);
}

double column_drift(const struct column *c)
{
    double sum = c->n_bins && c->seen ? 0 : (double) NAN;
    for (int i = 0; i < c->n_bins && c->seen; i++) {
        const double is = fmax((double) c->counts[i] / (double) c->seen, least_share),
                     was = fmax(c->expected[i], least_share);
        sum += (is - was) * log(is / was);
    }
    return sum;
}
