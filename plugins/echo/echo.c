/* SPDX-License-Identifier: MIT-0 */
/* echo.echo - gives back the bytes it got.
 *
 * The least a function can be: one parameter, one result, one golden example. Nothing is copied
 * here: the result points at the argument, which outlives the call. Benchmarks of the queue use it,
 * because it costs nearly nothing. */
#include "echo.h"

/* One row for each parameter. args[DATA] in run is the slot of params[DATA]. An enum keeps the
 * two in step. */
enum { DATA };

static const struct kiln_row params[] = {
    [DATA] = {.name = "data",
              .kind = KILN_BYTES, /* msgpack str or bin */
              .flags = KILN_REQUIRED,
              .help = "Any bytes, or a string"},
};

static const struct kiln_row results[] = {
    [DATA] = {.name = "data", .kind = KILN_BYTES, .help = "The same bytes, always as msgpack bin"},
};

/* Arguments have been checked against their rows when run is called: here, that there is data and
 * that it is bytes. */
static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    out[DATA].text = args[DATA].text;
    out[DATA].text_bytes = args[DATA].text_bytes;
    out[DATA].present = 1; /* without this, the result is sent as null */
    return KILN_OK;
}

/* Optional: several jobs in one call. It pays where work can be shared between jobs (one matrix product
 * instead of many); here it only shows the form. Every item has its own status. */
static int run_batch(struct kiln_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        items[i].status = run(items[i].call, items[i].args, items[i].results);
    }
    return KILN_OK;
}

/* Examples are run before the function takes traffic, and compared. They are documentation too. */
static const struct kiln_golden goldens[] = {
    {.title = "a word", .args = "{\"data\":\"kiln\"}", .result = "{\"data\":\"kiln\"}"},
    {.title = "nothing", .args = "{\"data\":\"\"}", .result = "{\"data\":\"\"}"},
    /* An example may show a refusal. This one never reaches run: the host refuses it. */
    {.title = "no data", .args = "{}", .status = KILN_INVALID, .result = "\"data\" is missing"},
};

const struct kiln_function echo_function = {
    KILN_FUNCTION_HEAD,
    .name = "echo",
    .summary = "Gives back the bytes it got",
    .flags = KILN_PURE, /* equal arguments, equal results: may be cached */
    .params = params,
    .n_params = KILN_COUNT(params),
    .results = results,
    .n_results = KILN_COUNT(results),
    .goldens = goldens,
    .n_goldens = KILN_COUNT(goldens),
    .run = run,
    .run_batch = run_batch,
};
