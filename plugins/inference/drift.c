/* SPDX-License-Identifier: MPL-2.0 */
/* inference.drift - how far what a model is asked lies from what it was trained on: contract.h. */
#include <math.h>
#include <string.h>

#include "builtin.h"
#include "functions.h"

enum { MODEL, VERSION };
enum { OUT_MODEL, OUT_VERSION, COLUMNS };
enum { MOST_KEYS = 10 };

/* Customary bounds: below the first nothing happened, above the second the population is another one. */
static const double moderate = 0.1, major = 0.25;

static const struct kiln_row params[] = {
    [MODEL] = {.name = "model", .kind = KILN_STRING, .flags = KILN_REQUIRED, .help = "Name of the model"},
    [VERSION] = {.name = "version",
                 .kind = KILN_INT,
                 .min = 1,
                 .max = 1e18,
                 .help = "Its version; the newest that works when it is not given"},
};

static const struct kiln_row results[] = {
    [OUT_MODEL] = {.name = "model", .kind = KILN_STRING, .help = "Name of the model"},
    [OUT_VERSION] = {.name = "version", .kind = KILN_INT, .help = "Its version"},
    [COLUMNS] = {.name = "columns",
                 .kind = KILN_VALUE,
                 .help = "A list of maps: input, column, seen, missing, out_of_range, psi, drift (none, "
                         "moderate, major; null without "
                         "a sample), counts and expected shares by bin"},
};

static struct kiln_value shares_of(struct kiln_call *call, const struct column *c)
{
    struct kiln_value list;
    struct kiln_value *items = value_list(call, (uint32_t) c->n_bins, &list);
    for (int i = 0; items && i < c->n_bins; i++) {
        items[i] = value_float(c->expected[i]);
    }
    return list;
}

static struct kiln_value counts_of(struct kiln_call *call, const struct column *c)
{
    struct kiln_value list;
    struct kiln_value *items = value_list(call, (uint32_t) c->n_bins, &list);
    for (int i = 0; items && i < c->n_bins; i++) {
        items[i] = value_int((int64_t) c->counts[i]);
    }
    return list;
}

static void put_column(struct kiln_call *call, const char *input, const struct column *c,
                       struct kiln_value *map)
{
    const double psi = column_drift(c);
    const struct kiln_value nothing = {.type = KILN_V_NULL};
    value_map(call, MOST_KEYS, map);
    value_put(map, "input", value_text(call, input));
    value_put(map, "column", value_text(call, c->name));
    value_put(map, "seen", value_int((int64_t) c->seen));
    value_put(map, "missing", value_int((int64_t) c->missing));
    value_put(map, "out_of_range", value_int((int64_t) c->out_of_range));
    value_put(map, "psi", isnan(psi) ? nothing : value_float(psi));
    value_put(map, "drift",
              isnan(psi) ? nothing
                         : value_text(call, psi < moderate ? "none"
                                            : psi < major  ? "moderate"
                                                           : "major"));
    value_put(map, "counts", counts_of(call, c));
    value_put(map, "expected", shares_of(call, c));
}

static int list_columns(struct kiln_call *call, const struct served *s, struct kiln_value *list)
{
    const struct graph *g = &s->model->graph;
    uint32_t n = 0;
    for (int i = 0; s->contract && i < g->n_inputs; i++) {
        n += (uint32_t) s->contract->inputs[i].n_columns;
    }
    struct kiln_value *items = value_list(call, n, list);
    for (int i = 0, k = 0; items && s->contract && i < g->n_inputs; i++) {
        const struct contract_input *in = &s->contract->inputs[i];
        for (int c = 0; c < in->n_columns; c++) {
            put_column(call, g->values[g->inputs[i]].name, &in->columns[c], &items[k++]);
        }
    }
    return items ? KILN_OK : KILN_RESOURCE;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *slots)
{
    struct refusal why = {.status = KILN_OK};
    struct served *s;
    if (store_take(store_of(call), args[MODEL].text, args[VERSION].present ? args[VERSION].i64 : 0, call, &s,
                   &why)) {
        return fail_as(call, &why, "model");
    }
    struct kiln_value *list = call->host->alloc(call, sizeof *list);
    const int rc = list ? list_columns(call, s, list) : KILN_RESOURCE;
    const struct kiln_value name = value_text(call, s->name);
    if (rc == KILN_OK && name.text) {
        slots[OUT_MODEL] = (struct kiln_slot){.present = 1, .text = name.text, .text_bytes = name.count};
        slots[OUT_VERSION] = (struct kiln_slot){.present = 1, .i64 = s->version};
        slots[COLUMNS] = (struct kiln_slot){.present = 1, .value = list};
    }
    store_release(s);
    return name.text ? rc : KILN_RESOURCE;
}

static const struct kiln_golden goldens[] = {
    {.title = "a model without a contract",
     .args = "{\"model\":\"" BUILTIN_NAME "\"}",
     .result = "{\"model\":\"" BUILTIN_NAME "\",\"version\":1,\"columns\":[]}"},
};

const struct kiln_function inference_drift = {
    KILN_FUNCTION_HEAD,
    .name = "drift",
    .summary = "Whether a model's inputs still look like its training data",
    .help = "The population stability index of a column is the sum over bins of (share now - share then) "
            "ln(share now / share then), shares "
            "being at least 0.0001; below 0.1 nothing happened, above 0.25 it is another population. "
            "Counters are those of the "
            "worker that answers, since it started.",
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
};
