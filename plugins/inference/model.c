/* SPDX-License-Identifier: MPL-2.0 */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse.h"
#include "plan.h"
#include "read.h"

/* ---- reading */

static int prepare(struct model *m, struct refusal *why)
{
    int rc = fuse_quantized(m, why);
    rc = rc ? rc : plan_fold(m, why);
    struct pool temporary;
    pool_init(&temporary, &m->budget);
    rc = rc ? rc
            : graph_order(&m->graph, &temporary, why); /* what only made constants is not needed any more */
    pool_done(&temporary);
    return rc ? rc : fuse(m, why);
}

int model_read(const void *data, size_t bytes, struct pool *home, int folder, struct budget *budget,
               struct workspace *w, struct model **ret_model, struct refusal *why)
{
    struct model *m = budget_take(budget, sizeof *m) ? calloc(1, sizeof *m) : NULL;
    if (!m) {
        return refuse_memory(why, "a model");
    }
    m->budget = (struct budget){.limit = SIZE_MAX / 2, .used = sizeof *m, .parent = budget};
    m->workspace = w;
    pool_init(&m->pool, &m->budget);
    int rc = read_model(m, data, bytes, home, folder, why);
    rc = rc ? rc : prepare(m, why);
    if (rc) {
        model_free(&m);
        return rc;
    }
    *ret_model = m;
    return KILN_OK;
}

void model_free(struct model **m)
{
    if (*m) {
        model_forget_plans(*m);
        pool_done(&(*m)->pool);
        budget_give((*m)->budget.parent, sizeof **m);
        free(*m);
        *m = NULL;
    }
}

static int read_file(int file, struct pool *pool, const void **ret_data, size_t *ret_bytes,
                     struct refusal *why)
{
    struct stat about;
    if (fstat(file, &about) < 0 || !S_ISREG(about.st_mode)) {
        return refuse(why, KILN_INVALID, "no ordinary file");
    }
    const size_t bytes = (size_t) about.st_size;
    /* With a sixteenth more, into which all its tensors fit again, aligned: of a kilobyte each loses 63 bytes at most. */
    char *data = pool_raw(pool, bytes + bytes / 16, 1);
    if (!data) {
        return refuse(why, KILN_RESOURCE, "the file has %zu bytes, which the budget of models does not allow",
                      bytes);
    }
    size_t at = 0;
    while (at < bytes) {
        const ssize_t n = read(file, data + at, bytes - at);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            break;
        }
        at += n > 0 ? (size_t) n : 0;
    }
    if (at < bytes) {
        return refuse(why, KILN_INVALID, "the file became shorter while it was read");
    }
    *ret_data = data;
    *ret_bytes = bytes;
    return KILN_OK;
}

static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t) (slash - path)) : strdup(".");
    const int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    return fd;
}

int model_load(const char *path, struct budget *budget, struct workspace *w, struct model **ret_model,
               struct refusal *why)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) {
        return refuse(why, KILN_INVALID, "cannot be opened: %s", strerror(errno));
    }
    struct pool pool;
    pool_init(&pool, budget);
    const void *data = NULL;
    size_t bytes = 0;
    int rc = read_file(file, &pool, &data, &bytes, why);
    close(file);
    if (rc == KILN_OK) {
        const int folder = open_folder(path);
        rc = model_read(data, bytes, &pool, folder, budget, w, ret_model, why);
        if (folder >= 0) {
            close(folder);
        }
    }
    pool_done(&pool);
    return rc;
}

/* ---- plans */

static bool is_for(const struct model *m, const struct plan *p, const struct tensor *inputs)
{
    for (int i = 0; i < m->graph.n_inputs; i++) {
        if (p->inputs[i].dtype != inputs[i].dtype || !tensor_same_shape(&p->inputs[i], &inputs[i])) {
            return false;
        }
    }
    return true;
}

static void drop_last(struct model *m)
{
    struct plan **last = &m->plans;
    while ((*last)->next) {
        last = &(*last)->next;
    }
    plan_free(last);
    m->n_plans--;
}

/* Ever other shapes must not push other models out. The plan in use stays. */
static bool too_many(const struct model *m)
{
    size_t bytes = 0;
    for (const struct plan *p = m->plans; p; p = p->next) {
        bytes += plan_bytes(p);
    }
    return m->n_plans > MODEL_PLANS || (m->n_plans > 1 && bytes > MODEL_PLAN_BYTES + 2 * m->pool.bytes);
}

struct plan *model_plan(struct model *m, const struct tensor *inputs, struct refusal *why)
{
    for (struct plan **at = &m->plans; *at; at = &(*at)->next) {
        struct plan *p = *at;
        if (is_for(m, p, inputs)) {
            *at = p->next;
            p->next = m->plans;
            m->plans = p;
            return p;
        }
    }
    struct plan *made = plan_new(m, inputs, why);
    while (!made && why->status == KILN_RESOURCE && m->plans) { /* rather fewer plans than no answer */
        drop_last(m);
        *why = (struct refusal){.status = KILN_OK};
        made = plan_new(m, inputs, why);
    }
    if (made) {
        made->next = m->plans;
        m->plans = made;
        m->n_planned++;
        m->n_plans++;
        while (too_many(m)) {
            drop_last(m);
        }
    }
    return made;
}

void model_forget_plans(struct model *m)
{
    while (m->plans) {
        drop_last(m);
    }
}
