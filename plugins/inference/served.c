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
        return model_read(s->bytes, s->n_bytes, -1, o->budget, o->workspace, &s->model, why);
    }
    char int8[4096];
    const bool other = o->prefer_int8 && int8_path(s->path, int8, sizeof int8);
    return model_load(other ? int8 : s->path, o->budget, o->workspace, &s->model, why);
}

int served_load(struct served *s, const struct load_options *o, struct kiln_call *call)
{
    struct refusal why = {.status = KILN_OK};
    s->in_use = true; /* making room for a model must not take that one */
    int rc = read_it(s, o, &why);
    rc = rc ? rc : served_prove(s, o, &why);
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
    free(s->name);
    free(s->path);
}
