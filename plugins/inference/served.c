/* SPDX-License-Identifier: MPL-2.0 */
#include "served.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* model.int8.onnx for model.onnx. */
static bool int8_path(const char *path, char *out, size_t bytes)
{
    const size_t stem = strlen(path) - strlen(".onnx");
    return snprintf(out, bytes, "%.*s.int8.onnx", (int) stem, path) < (int) bytes && access(out, R_OK) == 0;
}

static int read_it(struct served *s, const struct load_options *o, struct refusal *why)
{
    if (!s->path) {
        return model_read(s->bytes, s->n_bytes, NULL, -1, o->budget, o->workspace, &s->model, why);
    }
    char int8[4096];
    const bool other = o->prefer_int8 && int8_path(s->path, int8, sizeof int8);
    return model_load(other ? int8 : s->path, o->budget, o->workspace, &s->model, why);
}

const char *served_beside(const struct served *s, const char *what, char *out, size_t bytes)
{
    const char *slash = strrchr(s->path, '/'), *file = slash ? slash + 1 : s->path;
    if (strcmp(file, "model.onnx") == 0) {
        snprintf(out, bytes, "%.*s%s.json", (int) (file - s->path), s->path, what);
    } else {
        snprintf(out, bytes, "%.*s.%s.json", (int) (strlen(s->path) - strlen(".onnx")), s->path, what);
    }
    return out;
}

static int read_contract(struct served *s, const struct load_options *o, struct refusal *why)
{
    char path[4096];
    if (s->path && !s->contract) {
        s->contract =
            contract_load(served_beside(s, "contract", path, sizeof path), s->model, o->budget, why);
    }
    return why->status;
}

/* Weights as bytes, where that pays. A model whose examples are then not met any more is read again and
 * stays as it was. */
static int quantize(struct served *s, const struct load_options *o, struct refusal *why)
{
    struct pool pool;
    pool_init(&pool, o->budget);
    bool guessed;
    struct refusal found = {.status = KILN_OK};
    const struct tensor *inputs = served_sample(s->model, 1, &pool, &guessed);
    int rc = inputs ? auto_int8(s->model, inputs, AUTO_INT8_BOUND, &s->int8, &found) : KILN_OK;
    pool_done(&pool);
    if (rc == KILN_OK && s->int8.used) {
        rc = served_prove(s, o, &found);
    }
    if (rc) {
        s->int8.used = false;
        model_free(&s->model);
        rc = read_it(s, o, why);
    }
    return rc;
}

int served_load(struct served *s, const struct load_options *o, struct kiln_call *call)
{
    struct refusal why = {.status = KILN_OK};
    s->in_use = true; /* making room for a model must not take that one */
    int rc = read_it(s, o, &why);
    rc = rc ? rc : read_contract(s, o, &why);
    rc = rc ? rc : served_prove(s, o, &why);
    rc = rc || !o->quantize ? rc : quantize(s, o, &why);
    s->why = why;
    rc = rc ? rc : served_warm(s, o, call);
    s->in_use = false;
    if (rc) {
        model_free(&s->model);
        s->state = rc == KILN_RESOURCE ? SERVED_COLD : SERVED_FAILED;
        return rc;
    }
    s->state = SERVED_READY;
    s->loads++;
    return KILN_OK;
}

void served_unload(struct served *s)
{
    model_free(&s->model);
    s->state = SERVED_COLD;
    s->n_warm = 0;
}

void served_done(struct served *s)
{
    model_free(&s->model);
    contract_free(&s->contract);
    free(s->name);
    free(s->path);
}
