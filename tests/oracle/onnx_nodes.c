/* SPDX-License-Identifier: MPL-2.0 */
/* onnx_nodes - runs ONNX's own tests of single operators on the core of plugins/inference;
 * test_onnx_nodes.py is its other side.
 *
 *     onnx_nodes [TOLERANCE] < LIST   each line a folder with model.onnx and test_data_set_*; each answered by a line
 *                             "ok", "refused: SENTENCE" (the model was not taken) or "wrong: SENTENCE"
 *
 * Every set of data is run twice with the same plan and once with one made anew: what a run leaves behind
 * must not matter. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"
#include "read.h"

enum { BUDGET = 512 << 20, MOST_ENDS = 64, PATH = 4096 };
static double relative = 1e-3, absolute = 1e-7; /* those of ONNX's own runner */

static struct budget budget = {.limit = BUDGET};
static struct workspace workspace;

static char *slurp(const char *path, size_t *ret_bytes)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        return NULL;
    }
    fseek(f, 0, SEEK_END);
    const long bytes = ftell(f);
    rewind(f);
    char *data = malloc((size_t) bytes + 1);
    *ret_bytes = data ? fread(data, 1, (size_t) bytes, f) : 0;
    fclose(f);
    return data;
}

/* false: there is no such file. A tensor whose type is none is one that could not be read. */
static bool load(struct model *m, const char *folder, const char *kind, int i, struct tensor *t,
                 struct refusal *why)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s_%d.pb", folder, kind, i);
    size_t bytes;
    char *data = slurp(path, &bytes);
    if (data && read_tensor_alone(m, data, bytes, t, why)) {
        *t = (struct tensor){.dtype = DT_NONE};
    }
    free(data);
    return data != NULL;
}

static bool equal(const struct tensor *got, const struct tensor *wanted, int64_t i)
{
    if (got->dtype == DT_STRING) {
        const struct text *a = (const struct text *) got->data + i,
                          *b = (const struct text *) wanted->data + i;
        return a->bytes == b->bytes && memcmp(a->chars, b->chars, a->bytes) == 0;
    }
    if (got->dtype == DT_I64 || got->dtype == DT_U64) {
        return tensor_int(got, i) == tensor_int(wanted, i);
    }
    const double a = tensor_number(got, i), b = tensor_number(wanted, i);
    if (isnan(a) || isnan(b) || isinf(a) || isinf(b)) {
        return (isnan(a) && isnan(b)) || a == b;
    }
    return fabs(a - b) <= absolute + relative * fabs(b);
}

/* The tests write bfloat16 as the integers of its bits. */
static void as_bfloat16(struct tensor *t, enum dtype dtype)
{
    if (dtype == DT_BF16 && t->dtype == DT_U16) {
        t->dtype = dtype;
    }
}

static int compare(const struct tensor *got, struct tensor *wanted, int k, struct refusal *why)
{
    char a[100], b[100];
    as_bfloat16(wanted, got->dtype);
    if (got->dtype != wanted->dtype || !tensor_same_shape(got, wanted)) {
        return refuse(why, KILN_FAILED, "output %d is %s, expected %s", k, tensor_text(got, a, sizeof a),
                      tensor_text(wanted, b, sizeof b));
    }
    for (int64_t i = 0; i < got->count; i++) {
        if (!equal(got, wanted, i)) {
            return refuse(why, KILN_FAILED, "output %d %s: element %lld is %.9g, expected %.9g", k,
                          tensor_text(got, a, sizeof a), (long long) i, tensor_number(got, i),
                          tensor_number(wanted, i));
        }
    }
    return KILN_OK;
}

static int run_and_compare(struct model *m, const struct tensor *inputs, struct tensor *wanted, int n_outputs,
                           bool into_arrays, struct refusal *why)
{
    struct plan *p = model_plan(m, inputs, why);
    if (!p) {
        return why->status;
    }
    void *in[MOST_ENDS], *out[MOST_ENDS] = {NULL};
    for (int i = 0; i < m->graph.n_inputs; i++) {
        in[i] = inputs[i].data;
    }
    for (int k = 0; into_arrays && k < n_outputs && p->static_shapes; k++) {
        out[k] = malloc(tensor_bytes(plan_output(p, k)) + 1);
    }
    struct run r = {.cancelled = NULL};
    int rc = plan_run(p, in, into_arrays ? out : NULL, &r, why);
    for (int k = 0; k < n_outputs && rc == KILN_OK; k++) {
        struct tensor got = *plan_output(p, k);
        got.data = out[k] ? out[k] : got.data;
        rc = compare(&got, &wanted[k], k, why);
    }
    for (int k = 0; k < n_outputs; k++) {
        free(out[k]);
    }
    return rc;
}

static int run_set(struct model *m, const char *folder, struct refusal *why)
{
    struct tensor inputs[MOST_ENDS], wanted[MOST_ENDS];
    const int n_in = m->graph.n_inputs, n_out = m->graph.n_outputs;
    if (n_in > MOST_ENDS || n_out > MOST_ENDS) {
        return refuse(why, KILN_INTERNAL, "more inputs or outputs than this program handles");
    }
    for (int i = 0; i < n_in; i++) {
        if (!load(m, folder, "input", i, &inputs[i], why) || inputs[i].dtype == DT_NONE) {
            return refuse(why, KILN_INTERNAL, "input_%d.pb is not there", i);
        }
        struct tensor *declared = &m->graph.values[m->graph.inputs[i]].constant;
        as_bfloat16(&inputs[i], declared->dtype);
        if (declared->rank >= 0 && !tensor_same_shape(declared, &inputs[i])) {
            declared->rank = -1; /* some files contradict their own data: the operator is the matter here */
        }
    }
    for (int k = 0; k < n_out; k++) {
        if (!load(m, folder, "output", k, &wanted[k], why) || wanted[k].dtype == DT_NONE) {
            return refuse(why, KILN_INTERNAL, "output_%d.pb is not there", k);
        }
    }
    int rc = run_and_compare(m, inputs, wanted, n_out, true, why);
    rc = rc ? rc : run_and_compare(m, inputs, wanted, n_out, false, why);
    model_forget_plans(m);
    return rc ? rc : run_and_compare(m, inputs, wanted, n_out, false, why);
}

static void test(const char *folder)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/model.onnx", folder);
    struct refusal why = {.status = KILN_OK};
    struct model *m = NULL;
    if (model_load(path, &budget, &workspace, &m, &why)) {
        printf("refused: %s\n", why.text);
        return;
    }
    int rc = KILN_OK, sets = 0;
    for (; rc == KILN_OK; sets++) {
        snprintf(path, sizeof path, "%s/test_data_set_%d", folder, sets);
        size_t bytes;
        char first[PATH + 16];
        snprintf(first, sizeof first, "%s/output_0.pb", path);
        char *there = slurp(first, &bytes);
        if (!there) {
            break;
        }
        free(there);
        rc = run_set(m, path, &why);
    }
    model_free(&m);
    if (rc || !sets) {
        printf("wrong: %s\n", sets ? why.text : "no data");
    } else if (budget.used != workspace.bytes) {
        printf("wrong: %zu bytes of the budget were not given back\n", budget.used - workspace.bytes);
    } else {
        printf("ok\n");
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        relative = absolute = strtod(argv[1], NULL);
    }
    workspace_init(&workspace, &budget);
    char line[PATH];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        test(line);
        fflush(stdout);
    }
    workspace_done(&workspace);
    return budget.used != 0;
}
