/* SPDX-License-Identifier: MPL-2.0 */
#include "batch.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bind.h"
#include "calculate.h"
#include "levels.h"
#include "slots.h"

#define REQUESTS_MAX 1000000
#define PLANE_POINTS (LEVELS_AXIS * LEVELS_AXIS)
#define ROWS         (P_REQUEST_COUNT + 1) /* and "*", which no request of a batch has */

enum { P_REQUESTS, P_GRIDS };

enum {
    B_TABLE,
    B_OK,
#define NUMBER_OF(id, ...) B_##id,
#include "batch.def"
    B_FAILED,
    B_ERRORS,
    B_GRIDS,
    B_COUNT
};

static const struct kiln_row params[] = {
    [P_REQUESTS] = {.name = "requests",
                    .kind = KILN_VALUE,
                    .flags = KILN_REQUIRED,
                    .help = "a list of maps, each the arguments of staking.calculate"},
    [P_GRIDS] = {.name = "grids",
                 .kind = KILN_BOOL,
                 .fallback = "false",
                 .help = "whether the sensitivities are sent"},
};

static const struct kiln_row results[] = {
    [B_TABLE] = {.name = "results",
                 .kind = KILN_TABLE,
                 .shape = "requests",
                 .help = "a row a request; null where it failed"},
    [B_OK] = {.name = "results[].ok", .kind = KILN_BOOL, .help = "whether the request was computed"},
#define NUMBER_OF(id, named, in, words)                                                                      \
    [B_##id] = {.name = "results[]." named, .kind = KILN_FLOAT, .unit = in, .help = words},
#include "batch.def"
    [B_FAILED] = {.name = "failed", .kind = KILN_INT, .help = "how many requests failed"},
    [B_ERRORS] = {.name = "errors",
                  .kind = KILN_VALUE,
                  .help = "of each request that failed: index, status, field and error"},
    [B_GRIDS] =
        {.name = "grids",
         .kind = KILN_VALUE,
         .help = "of each request, null where it failed: sensitivity_analysis and sensitivity_analysis_2d as "
                 "maps of columns, the latter with eth_levels and sol_levels once; null unless asked for"},
};

/* Where calculate has what a column shows. */
static const size_t source[B_COUNT] = {
#define NUMBER_OF(id, ...) [B_##id] = R_##id,
#include "batch.def"
};

/* ---- one request: a call of its own, whose failure is noted instead of told ---------------------------- */

struct trial {
    struct kiln_call call; /* first: the services find the trial by it */
    struct kiln_host host;
    struct kiln_call *outer;
    double *line, *plane; /* columns of the sensitivities */
    char field[128], error[400];
};

#define LINE_COLUMNS  5
#define PLANE_COLUMNS 4

KILN_PRINTF(4, 5)
static int note(struct kiln_call *call, int status, const char *field, const char *format, ...)
{
    struct trial *t = (struct trial *) call;
    va_list ap;
    va_start(ap, format);
    vsnprintf(t->error, sizeof t->error, format, ap);
    va_end(ap);
    snprintf(t->field, sizeof t->field, "%s", field ? field : "");
    return status;
}

static void *trial_alloc(struct kiln_call *call, size_t bytes)
{
    struct kiln_call *outer = ((struct trial *) call)->outer;
    return outer->host->alloc(outer, bytes);
}

static void *trial_grow(struct kiln_call *call, size_t result, int64_t rows)
{
    (void) rows; /* never more than LEVELS_LINE_MAX */
    return ((struct trial *) call)->line + (result - R_LINE_LEVEL) * LEVELS_LINE_MAX;
}

static int trial_cancelled(struct kiln_call *call)
{
    struct kiln_call *outer = ((struct trial *) call)->outer;
    return outer->host->cancelled(outer);
}

static bool trial_memory(struct trial *t)
{
    size_t line = LINE_COLUMNS * LEVELS_LINE_MAX, plane = (PLANE_COLUMNS + 2) * PLANE_POINTS;
    t->line = trial_alloc(&t->call, (line + plane) * sizeof *t->line);
    t->plane = t->line + line;
    return t->line != NULL;
}

static void trial_make(struct kiln_call *outer, struct trial *t)
{
    *t = (struct trial){.outer = outer};
    t->host = (struct kiln_host){
        .struct_size = sizeof t->host,
        .abi_major = KILN_ABI_MAJOR,
        .fail = note,
        .alloc = trial_alloc,
        .grow = trial_grow,
        .cancelled = trial_cancelled,
    };
    t->call.host = &t->host;
    t->call.function = &calculate_function;
}

static int trial_run(struct trial *t, const struct kiln_slot *defaults, const struct kiln_value *map,
                     struct kiln_slot *out)
{
    struct kiln_slot args[ROWS];
    struct request request;
    memcpy(args, defaults, sizeof args);
    memset(out, 0, R_COUNT * sizeof *out);
    for (size_t i = R_PLANE_ETH; i <= R_PLANE_NET_BPS; i++) {
        out[i].array.data = t->plane + (i - R_PLANE_ETH) * PLANE_POINTS;
    }
    t->field[0] = t->error[0] = '\0';
    struct bind_unknown unknown;
    int rc = bind_map(&t->call, calculate_function.params, P_REQUEST_COUNT, map, args, &unknown);
    rc = rc == KILN_OK ? calculate_numbers(&t->call, args, out, &request) : rc;
    if (rc == KILN_OK && request.exact && unknown.path[0]) {
        rc = t->call.host->fail(
            &t->call, KILN_INVALID, unknown.path,
            "unknown argument \"%s\", expected one of the parameters of staking.calculate", unknown.path);
    }
    return rc;
}

/* ---- trees --------------------------------------------------------------------------------------------- */

static struct kiln_value text_value(struct kiln_call *call, const char *text)
{
    size_t bytes = strlen(text);
    char *copy = call->host->alloc(call, bytes + 1);
    if (copy == NULL) {
        return (struct kiln_value){.type = KILN_V_NULL};
    }
    memcpy(copy, text, bytes + 1);
    return (struct kiln_value){.type = KILN_V_STRING, .text = copy, .count = (uint32_t) bytes};
}

static struct kiln_value number_value(int64_t v)
{
    return (struct kiln_value){.type = KILN_V_INT, .i = v};
}

static struct kiln_value error_value(struct trial *t, size_t index, int status)
{
    struct kiln_pair *pairs = trial_alloc(&t->call, 4 * sizeof *pairs);
    if (pairs == NULL) {
        return (struct kiln_value){.type = KILN_V_NULL};
    }
    pairs[0] = (struct kiln_pair){"index", number_value((int64_t) index)};
    pairs[1] =
        (struct kiln_pair){"status", text_value(t->outer, status == KILN_INVALID ? "invalid" : "failed")};
    pairs[2] = (struct kiln_pair){"field", text_value(t->outer, t->field)};
    pairs[3] = (struct kiln_pair){"error", text_value(t->outer, t->error)};
    return (struct kiln_value){.type = KILN_V_MAP, .count = 4, .map = pairs};
}

static struct kiln_pair column(struct kiln_array *array, const char *key, double *data, size_t count)
{
    *array =
        (struct kiln_array){.data = data, .rank = 1, .shape = {(int64_t) count}, .count = (int64_t) count};
    return (struct kiln_pair){key, {.type = KILN_V_ARRAY, .array = array}};
}

/* The sensitivities of a trial, whose memory they keep. */
static struct kiln_value grids_value(struct trial *t, const struct kiln_slot *out)
{
    static const char *const names[] = {"tracking_error", "yield_benefit", "expected_shortfall",
                                        "net_benefit_bps"};
    struct kiln_array *arrays = trial_alloc(&t->call, 11 * sizeof *arrays);
    struct kiln_pair *pairs = trial_alloc(&t->call, 13 * sizeof *pairs);
    if (arrays == NULL || pairs == NULL) {
        return (struct kiln_value){.type = KILN_V_NULL};
    }
    size_t count = (size_t) out[R_LINE].i64;
    double *eth = t->plane, *sol = t->plane + PLANE_POINTS;
    for (size_t i = 0; i < LEVELS_AXIS; i++) { /* the first row and the first column */
        sol[i] = sol[i * LEVELS_AXIS];
    }
    pairs[0] = column(&arrays[0], "staking_level", t->line, count);
    pairs[5] = column(&arrays[5], "eth_levels", eth, LEVELS_AXIS);
    pairs[6] = column(&arrays[6], "sol_levels", sol, LEVELS_AXIS);
    for (size_t c = 0; c < PLANE_COLUMNS; c++) {
        pairs[1 + c] = column(&arrays[1 + c], names[c], t->line + (1 + c) * LEVELS_LINE_MAX, count);
        pairs[7 + c] = column(&arrays[7 + c], names[c], t->plane + (2 + c) * PLANE_POINTS, PLANE_POINTS);
    }
    pairs[11] = (struct kiln_pair){"sensitivity_analysis", {.type = KILN_V_MAP, .count = 5, .map = pairs}};
    pairs[12] =
        (struct kiln_pair){"sensitivity_analysis_2d", {.type = KILN_V_MAP, .count = 6, .map = pairs + 5}};
    return (struct kiln_value){.type = KILN_V_MAP, .count = 2, .map = pairs + 11};
}

static const struct kiln_value *list_value(struct kiln_call *call, const struct kiln_value *items,
                                           size_t count)
{
    struct kiln_value *list = call->host->alloc(call, sizeof *list);
    if (list != NULL) {
        *list = (struct kiln_value){.type = KILN_V_LIST, .count = (uint32_t) count, .list = items};
    }
    return list;
}

/* ---- the call ------------------------------------------------------------------------------------------ */

static int check_requests(struct kiln_call *call, const struct kiln_value *requests)
{
    if (requests->type != KILN_V_LIST || requests->count == 0 || requests->count > REQUESTS_MAX) {
        return call->host->fail(
            call, KILN_INVALID, "requests",
            "requests is not a list of 1 to %d maps, expected the arguments of calculate in each",
            REQUESTS_MAX);
    }
    return KILN_OK;
}

static void put_row(const struct kiln_slot *out, bool ok, size_t i, uint8_t *done, double *const *columns)
{
    done[i] = ok;
    for (size_t c = B_OK + 1; c < B_FAILED; c++) {
        columns[c][i] = ok ? out[source[c]].f64 : (double) NAN;
    }
}

static int run_all(struct kiln_call *call, const struct kiln_value *requests, bool grids, uint8_t *done,
                   double *const *columns, struct kiln_value *errors, struct kiln_value *trees,
                   size_t *ret_failed)
{
    struct trial t;
    struct kiln_slot defaults[ROWS], out[R_COUNT];
    trial_make(call, &t);
    memset(defaults, 0, sizeof defaults);
    if (bind_defaults(call, calculate_function.params, P_REQUEST_COUNT, defaults) != KILN_OK ||
        !trial_memory(&t)) {
        return KILN_RESOURCE;
    }
    *ret_failed = 0;
    for (size_t i = 0; i < requests->count; i++) {
        if (call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        if (grids && i > 0 && !trial_memory(&t)) {
            return KILN_RESOURCE;
        }
        int rc = trial_run(&t, defaults, &requests->list[i], out);
        if (rc == KILN_RESOURCE || rc == KILN_CANCELLED) { /* of the job, not of the request */
            return rc;
        }
        put_row(out, rc == KILN_OK, i, done, columns);
        if (rc != KILN_OK) {
            errors[(*ret_failed)++] = error_value(&t, i, rc);
        }
        if (grids) {
            trees[i] = rc == KILN_OK ? grids_value(&t, out) : (struct kiln_value){.type = KILN_V_NULL};
        }
    }
    return KILN_OK;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const struct kiln_value *requests = args[P_REQUESTS].value;
    bool grids = args[P_GRIDS].i64 != 0;
    int rc = check_requests(call, requests);
    if (rc != KILN_OK) {
        return rc;
    }
    size_t n = requests->count, failed;
    double *columns[B_FAILED];
    uint8_t *done = call->host->grow(call, B_OK, (int64_t) n);
    struct kiln_value *errors = call->host->alloc(call, n * sizeof *errors);
    struct kiln_value *trees = grids ? call->host->alloc(call, n * sizeof *trees) : NULL;
    bool spent = done == NULL || errors == NULL || (grids && trees == NULL);
    for (size_t c = B_OK + 1; c < B_FAILED; c++) {
        columns[c] = call->host->grow(call, c, (int64_t) n);
        spent |= columns[c] == NULL;
    }
    rc = spent ? KILN_RESOURCE : run_all(call, requests, grids, done, columns, errors, trees, &failed);
    if (rc != KILN_OK) {
        return rc;
    }
    out[B_TABLE].i64 = (int64_t) n;
    out[B_FAILED].i64 = (int64_t) failed;
    out[B_ERRORS].value = list_value(call, errors, failed);
    out[B_TABLE].present = out[B_FAILED].present = out[B_ERRORS].present = 1;
    if (grids) {
        out[B_GRIDS].value = list_value(call, trees, n);
        out[B_GRIDS].present = 1;
    }
    return out[B_ERRORS].value && (!grids || out[B_GRIDS].value) ? KILN_OK : KILN_RESOURCE;
}

static const char help[] =
    "Many requests of staking.calculate in one job. Each is a map with the same members, defaults, legacy "
    "form and mode, and is "
    "judged by the same rules; one that is refused leaves nulls in its row and an entry in errors, and the "
    "others are "
    "computed all the same. The columns are the numbers of decomposition and net_benefit and the optimal "
    "levels, equal to "
    "calculate's to the bit. The sensitivities are left out unless grids is true: they are five hundred "
    "times as large as "
    "the rest.\n"
    "\n"
    "Unknown members are refused in mode exact and else ignored; the requests are not echoed. Source: as "
    "staking.calculate.";

static const struct kiln_golden goldens[] = {
    {
        .title = "defaults, a bad request, a legacy one",
        .args = "{\"requests\":[{},{\"staking\":{\"eth\":{\"staking_pct\":1.5}}},{\"staking\":{\"eth_staking_"
                "pct\":0.9,"
                "\"sol_staking_pct\":0.9},\"yield_params\":{\"annual_staking_yield\":0.05}}]}",
        .result = "{\"results\":{\"ok\":[1,0,1],\"tracking_error\":[0.0026587862356369273,null,"
                  "0.002673466765699938],\"optimal_eth_level\":[0.8099999999999999,null,0.88]},\"failed\":1,"
                  "\"errors\":[{\"index\":1,\"status\":\"invalid\",\"field\":\"staking.eth.staking_pct\"}],"
                  "\"grids\":null}",
        .rtol = 1e-9,
    },
    {
        .title = "with sensitivities",
        .args = "{\"requests\":[{\"mode\":\"exact\"}],\"grids\":true}",
        .result = "{\"failed\":0,\"errors\":[]}",
    },
    {
        .title = "no list",
        .args = "{\"requests\":{}}",
        .status = KILN_INVALID,
        .result = "requests is not a list",
    },
};

const struct kiln_function batch_function = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE,
    .name = "batch",    .summary = "many requests of calculate in one job, each with a status of its own",
    .help = help,       TABLES(),
    .run = run,
};
