/* SPDX-License-Identifier: MPL-2.0 */
/* inference.predict_ensemble - what several models say of the same rows, and how far they agree. */
#include <math.h>
#include <string.h>

#include "builtin.h"
#include "output.h"
#include "predict.h"

enum { MODELS, INPUTS, OUTPUT, THRESHOLDS };
enum { MEAN, STD, LOW, HIGH, UNCERTAINTY, QUALITY, MEMBERS };
enum { MOST_MEMBERS = 256, NAME = 80, N_THRESHOLDS = 3 };

static const double interval =
    1.96; /* of a normal distribution, 95 % lie within so many standard deviations */

static const struct kiln_row params[] = {
    [MODELS] = {.name = "models",
                .kind = KILN_VALUE,
                .flags = KILN_REQUIRED,
                .help = "A list of members: \"name\", or \"name:version\""},
    [INPUTS] = {.name = "inputs",
                .kind = KILN_VALUE,
                .flags = KILN_REQUIRED,
                .help = "What predict takes; all members get the same"},
    [OUTPUT] = {.name = "output",
                .kind = KILN_STRING,
                .help = "Name of the output; the first of numbers when it is not given"},
    [THRESHOLDS] = {.name = "thresholds",
                    .kind = KILN_ARRAY,
                    .shape = "3",
                    .flags = KILN_FINITE,
                    .min = 0,
                    .max = 1e300,
                    .fallback = "[0.1,0.2,0.3]",
                    .help = "Uncertainty below the first is excellent, below the second good, below the "
                            "third fair, else poor"},
};

static const struct kiln_row results[] = {
    [MEAN] = {.name = "mean", .kind = KILN_VALUE, .help = "Mean of the members"},
    [STD] = {.name = "std", .kind = KILN_VALUE, .help = "Population standard deviation of the members"},
    [LOW] = {.name = "low", .kind = KILN_VALUE, .help = "mean - 1.96 std"},
    [HIGH] = {.name = "high", .kind = KILN_VALUE, .help = "mean + 1.96 std"},
    [UNCERTAINTY] = {.name = "uncertainty",
                     .kind = KILN_VALUE,
                     .help = "std / |mean|; std where the mean is 0"},
    [QUALITY] = {.name = "quality",
                 .kind = KILN_VALUE,
                 .help = "excellent, good, fair or poor, in the order of the elements"},
    [MEMBERS] = {.name = "members",
                 .kind = KILN_VALUE,
                 .help = "A list of the members that answered: name and version"},
};

struct ensemble {
    int n;
    struct tensor shape; /* of the first member's output */
    double *answers;     /* [member][element] */
};

/* "name:version" */
static int parse_member(const struct kiln_value *v, char *name, int64_t *ret_version, struct refusal *why)
{
    const char *colon = v->type == KILN_V_STRING ? strrchr(v->text, ':') : NULL;
    const size_t n = v->type != KILN_V_STRING ? 0 : colon ? (size_t) (colon - v->text) : v->count;
    *ret_version = 0;
    for (const char *c = colon ? colon + 1 : ""; *c; c++) {
        if (*c < '0' || *c > '9' || c - colon > 18) {
            *ret_version = -1;
            break;
        }
        *ret_version = 10 * *ret_version + (*c - '0');
    }
    if (!n || n >= NAME || *ret_version < 0 || (colon && !*ret_version)) {
        return refuse(why, KILN_INVALID, "models holds %s%.80s%s, expected \"name\" or \"name:version\"",
                      v->type == KILN_V_STRING ? "\"" : "something that is no string",
                      v->type == KILN_V_STRING ? v->text : "", v->type == KILN_V_STRING ? "\"" : "");
    }
    memcpy(name, v->text, n);
    name[n] = 0;
    return KILN_OK;
}

static int find_output(const struct served *m, const struct tensor *outputs, const char *name,
                       struct refusal *why)
{
    const struct graph *g = &m->model->graph;
    for (int k = 0; k < g->n_outputs; k++) {
        const bool numbers = outputs[k].dtype != DT_STRING;
        if (name ? strcmp(g->values[g->outputs[k]].name, name) == 0
                 : numbers && dtype_is_float(outputs[k].dtype)) {
            if (!numbers) {
                refuse(why, KILN_INVALID, "output is %.80s, which is of strings in model %s", name, m->name);
                return -1;
            }
            return k;
        }
    }
    refuse(why, KILN_INVALID, "output is %.80s, which model %s does not have", name ? name : "not given",
           m->name);
    return -1;
}

static int take_answer(struct kiln_call *call, struct ensemble *e, int i, const struct served *m,
                       const struct tensor *t, struct refusal *why)
{
    if (i == 0) {
        e->shape = *t;
        e->shape.dtype = DT_F64;
        if ((size_t) t->count > SIZE_MAX / 64 / (size_t) e->n) {
            return refuse(why, KILN_RESOURCE, "too many answers");
        }
        e->answers = call->host->alloc(call, (size_t) e->n * (size_t) t->count * sizeof *e->answers);
        if (!e->answers) {
            return refuse(why, KILN_RESOURCE, "no memory left for the answers");
        }
    } else if (!tensor_same_shape(&e->shape, t)) {
        char a[100], b[100];
        return refuse(why, KILN_INVALID,
                      "models differ: model %s answers %s, expected the shape of %s as of the first", m->name,
                      tensor_text(t, a, sizeof a), tensor_text(&e->shape, b, sizeof b));
    }
    for (int64_t k = 0; k < t->count; k++) {
        e->answers[(int64_t) i * t->count + k] = tensor_number(t, k);
    }
    return KILN_OK;
}

static int ask_member(struct kiln_call *call, const struct kiln_slot *args, struct ensemble *e, int i,
                      struct kiln_value *ret_member, struct refusal *why)
{
    char name[NAME];
    int64_t version;
    struct served *m;
    struct tensor *outputs;
    int rc = parse_member(&args[MODELS].value->list[i], name, &version, why);
    rc = rc ? rc : store_take(store_of(call), name, version, call, &m, why);
    if (rc) {
        return rc;
    }
    rc = predict_values(call, m, args[INPUTS].value, &outputs, why);
    const int k = rc ? -1 : find_output(m, outputs, args[OUTPUT].present ? args[OUTPUT].text : NULL, why);
    rc = k < 0 ? why->status : take_answer(call, e, i, m, &outputs[k], why);
    value_map(call, 2, ret_member);
    value_put(ret_member, "model", value_text(call, m->name));
    value_put(ret_member, "version", value_int(m->version));
    store_release(m);
    return rc;
}

static const char *quality(double u, const double *thresholds)
{
    return u < thresholds[0] ? "excellent" : u < thresholds[1] ? "good" : u < thresholds[2] ? "fair" : "poor";
}

/* Rows of `out`: mean, std, low, high, uncertainty. */
static void summarise(const struct ensemble *e, double *const *out)
{
    const int64_t count = e->shape.count;
    for (int64_t k = 0; k < count; k++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < e->n; i++) {
            sum += e->answers[i * count + k];
        }
        const double mean = sum / e->n;
        for (int i = 0; i < e->n; i++) {
            const double d = e->answers[i * count + k] - mean;
            squares += d * d;
        }
        const double std = sqrt(squares / e->n);
        out[MEAN][k] = mean;
        out[STD][k] = std;
        out[LOW][k] = mean - interval * std;
        out[HIGH][k] = mean + interval * std;
        out[UNCERTAINTY][k] = mean == 0 ? std : std / fabs(mean);
    }
}

static int answer(struct kiln_call *call, const struct ensemble *e, const double *thresholds,
                  struct kiln_value *members, struct kiln_slot *slots)
{
    struct kiln_value *values = call->host->alloc(call, MEMBERS * sizeof *values);
    double *out[UNCERTAINTY + 1];
    struct kiln_value *words = values ? value_list(call, (uint32_t) e->shape.count, &values[QUALITY]) : NULL;
    if (!words) {
        return KILN_RESOURCE;
    }
    for (int r = MEAN; r <= UNCERTAINTY; r++) {
        if (!(out[r] = call->host->alloc(call, (size_t) e->shape.count * sizeof **out))) {
            return KILN_RESOURCE;
        }
    }
    summarise(e, out);
    for (int r = MEAN; r <= UNCERTAINTY; r++) {
        struct tensor t = e->shape;
        t.data = out[r];
        if (output_value(call, &t, &values[r])) {
            return KILN_RESOURCE;
        }
    }
    for (int64_t k = 0; k < e->shape.count; k++) {
        const char *word = quality(out[UNCERTAINTY][k], thresholds);
        words[k] = (struct kiln_value){.type = KILN_V_STRING, .text = word, .count = (uint32_t) strlen(word)};
    }
    for (int r = MEAN; r <= QUALITY; r++) {
        slots[r] = (struct kiln_slot){.present = 1, .value = &values[r]};
    }
    slots[MEMBERS] = (struct kiln_slot){.present = 1, .value = members};
    return KILN_OK;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *slots)
{
    const struct kiln_value *models = args[MODELS].value;
    const double *thresholds = args[THRESHOLDS].array.data;
    if (models->type != KILN_V_LIST || !models->count || models->count > MOST_MEMBERS) {
        return call->host->fail(call, KILN_INVALID, "models", "models is no list of 1 to %d names",
                                (int) MOST_MEMBERS);
    }
    if (!(thresholds[0] <= thresholds[1] && thresholds[1] <= thresholds[N_THRESHOLDS - 1])) {
        return call->host->fail(call, KILN_INVALID, "thresholds",
                                "thresholds are %g, %g, %g, expected ascending numbers", thresholds[0],
                                thresholds[1], thresholds[2]);
    }
    struct refusal why = {.status = KILN_OK};
    struct ensemble e = {.n = (int) models->count};
    struct kiln_value *list = call->host->alloc(call, sizeof *list);
    struct kiln_value *members = list ? value_list(call, models->count, list) : NULL;
    int rc = members ? KILN_OK : KILN_RESOURCE;
    for (int i = 0; i < e.n && rc == KILN_OK; i++) {
        rc = ask_member(call, args, &e, i, &members[i], &why);
    }
    rc = rc ? rc : answer(call, &e, thresholds, list, slots);
    const char *field = strncmp(why.text, "inputs", 6) == 0   ? "inputs"
                        : strncmp(why.text, "output", 6) == 0 ? "output"
                                                              : "models";
    return rc && why.status ? fail_as(call, &why, field) : rc;
}

static const struct kiln_golden goldens[] = {
    {.title = "a model beside itself",
     .args = "{\"models\":[\"" BUILTIN_NAME "\",\"" BUILTIN_NAME ":1\"],\"inputs\":[1,2,3]}",
     .result = "{\"mean\":[[0.125,9]],\"std\":[[0,0]],\"low\":[[0.125,9]],\"high\":[[0.125,9]],"
               "\"uncertainty\":[[0,0]],"
               "\"quality\":[\"excellent\",\"excellent\"]}",
     .rtol = 1e-6,
     .atol = 1e-6},
    {.title = "a member that is not there",
     .args = "{\"models\":[\"none\"],\"inputs\":[1,2,3]}",
     .status = KILN_INVALID,
     .result = "model is none, expected one of"},
};

const struct kiln_function inference_predict_ensemble = {
    KILN_FUNCTION_HEAD,
    .name = "predict_ensemble",
    .summary = "Mean and spread of several models' answers to the same inputs",
    .help = "The interval is mean -+ 1.96 standard deviations of the members (population), the uncertainty "
            "their standard deviation beside the "
            "mean's size. One member has a spread of 0.",
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};
