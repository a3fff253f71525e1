/* SPDX-License-Identifier: MPL-2.0 */
#include "request.h"

#include <string.h>

#include "input.h"

enum { FIELD = 96, LIST = 240 };

static const struct value *input_of(const struct model *m, int i)
{
    return &m->graph.values[m->graph.inputs[i]];
}

static const char *field_of(const struct model *m, int i, char *out)
{
    snprintf(out, FIELD, "inputs.%.80s", input_of(m, i)->name);
    return out;
}

/* The names that a model expects, for messages. */
static const char *names_of(const struct model *m, char *out)
{
    int at = 0;
    *out = 0;
    for (int i = 0; i < m->graph.n_inputs && at < LIST - 1; i++) {
        at += snprintf(out + at, (size_t) (LIST - at), "%s\"%.60s\"", i ? ", " : "", input_of(m, i)->name);
    }
    return out;
}

/* Callers mostly send in the model's own order: then each is found at once. */
static int find_input(const struct model *m, const char *name, int guess)
{
    const int n = m->graph.n_inputs;
    for (int k = 0; k < n; k++) {
        const int i = guess + k < n ? guess + k : guess + k - n;
        if (strcmp(input_of(m, i)->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static int match_names(struct request *r, const struct kiln_value *map, struct refusal *why)
{
    const struct model *m = r->model;
    char text[LIST];
    for (uint32_t k = 0; k < map->count; k++) {
        const int i =
            find_input(m, map->map[k].key, (int) (k % (uint32_t) (m->graph.n_inputs + !m->graph.n_inputs)));
        if (i < 0) {
            return refuse(why, KILN_INVALID,
                          "inputs has the name \"%.60s\", which the model does not know, expected %s",
                          map->map[k].key, names_of(m, text));
        }
        r->values[i] = &map->map[k].value;
    }
    for (int i = 0; i < m->graph.n_inputs; i++) {
        if (!r->values[i]) {
            return refuse(why, KILN_INVALID, "inputs lacks \"%.60s\", expected %s", input_of(m, i)->name,
                          names_of(m, text));
        }
    }
    return KILN_OK;
}

/* Dimensions that the model calls by one name must be equal. */
static int check_names_of_dims(const struct request *r, struct refusal *why)
{
    const struct model *m = r->model;
    const char *names[16];
    int64_t sizes[16];
    int n = 0;
    for (int i = 0; i < m->graph.n_inputs; i++) {
        const struct tensor *t = &r->inputs[i];
        for (int d = 0; d < t->rank && d < input_of(m, i)->constant.rank; d++) {
            const char *name = m->dim_names[i][d];
            int k = 0;
            while (name && k < n && strcmp(names[k], name) != 0) {
                k++;
            }
            if (!name || (k == n && n == 16)) {
                continue;
            }
            if (k == n) {
                names[n] = name;
                sizes[n++] = t->dims[d];
            } else if (sizes[k] != t->dims[d]) {
                char field[FIELD];
                return refuse(why, KILN_INVALID,
                              "%s has size %lld in dimension %d (%.40s), expected %lld as in another input",
                              field_of(m, i, field), (long long) t->dims[d], d + 1, name,
                              (long long) sizes[k]);
            }
        }
    }
    return KILN_OK;
}

static int64_t rows_of(const struct request *r)
{
    int64_t rows = -1;
    for (int i = 0; i < r->model->graph.n_inputs; i++) {
        const struct tensor *t = &r->inputs[i];
        if (t->rank == 0 || (i && t->dims[0] != rows)) {
            return -1;
        }
        rows = t->dims[0];
    }
    return rows;
}

int request_bind(const struct model *m, const struct kiln_value *inputs, const struct memory *memory,
                 struct request *ret, struct refusal *why)
{
    const size_t n = (size_t) m->graph.n_inputs;
    struct request r = {.model = m,
                        .inputs = memory->take(memory->arg, (n + 1) * sizeof *r.inputs),
                        .values = memory->take(memory->arg, (n + 1) * sizeof *r.values)};
    if (!r.inputs || !r.values) {
        return refuse(why, KILN_RESOURCE, "no memory left for the inputs");
    }
    memset(r.values, 0, (n + 1) * sizeof *r.values);
    int rc = KILN_OK;
    if (inputs->type == KILN_V_MAP) {
        rc = match_names(&r, inputs, why);
    } else if (n == 1) {
        r.values[0] = inputs;
    } else {
        char text[LIST];
        rc = refuse(why, KILN_INVALID,
                    "inputs is no map, but the model has %zu inputs, expected a map with %s", n,
                    names_of(m, text));
    }
    for (int i = 0; i < (int) n && rc == KILN_OK; i++) {
        char field[FIELD];
        rc = input_shape(r.values[i], &input_of(m, i)->constant, field_of(m, i, field), &r.inputs[i], why);
    }
    rc = rc ? rc : check_names_of_dims(&r, why);
    if (rc == KILN_OK) {
        r.rows = rows_of(&r);
        *ret = r;
    }
    return rc;
}

int request_fill(const struct request *r, int input, void *data, struct refusal *why)
{
    char field[FIELD];
    return input_fill(r->values[input], &r->inputs[input], field_of(r->model, input, field), data, why);
}

int request_fill_all(struct request *r, const struct memory *memory, struct refusal *why)
{
    for (int i = 0; i < r->model->graph.n_inputs; i++) {
        struct tensor *t = &r->inputs[i];
        t->data = input_in_place(r->values[i], t);
        if (t->data) {
            continue;
        }
        t->data = memory->take(memory->arg, tensor_bytes(t));
        if (!t->data) {
            return refuse(why, KILN_RESOURCE, "no memory left for the inputs");
        }
        const int rc = request_fill(r, i, t->data, why);
        if (rc) {
            return rc;
        }
    }
    return KILN_OK;
}
