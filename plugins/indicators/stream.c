/* SPDX-License-Identifier: MPL-2.0 */
/* stream - indicators bar by bar: new bars and a state in, new values and a state out. */
#include "indicators.h"
#include "panel.h"
#include "state.h"

enum { STREAM_STATE = PANEL_INDICATORS + 1 };

static const struct kiln_row stream_params[] = {
    PANEL_ROWS,
    [PANEL_INDICATORS] = {.name = "indicators",
                          .kind = KILN_VALUE,
                          .help = "what to compute: a list like [{\"fn\": \"sma\", \"period\": 20}]; with a "
                                  "state it may be left out"},
    [STREAM_STATE] = {.name = "state",
                      .kind = KILN_BYTES,
                      .help = "what the call before returned; absent at the start"},
};

enum { STREAM_VALUES, STREAM_NEXT, STREAM_BARS };

static const struct kiln_row stream_results[] = {
    [STREAM_VALUES] = {.name = "values",
                       .kind = KILN_VALUE,
                       .help = "one map for each entry: fn, as, and its results at the new bars by name"},
    [STREAM_NEXT] = {.name = "state", .kind = KILN_BYTES, .help = "to be sent with the next bars"},
    [STREAM_BARS] = {.name = "bars",
                     .kind = KILN_INT,
                     .unit = "bars",
                     .help = "bars so far, missing ones too"},
};

static const struct kiln_golden stream_goldens[] = {
    {.title = "the first bars",
     .args =
         "{\"close\":[1,2,3,4],\"indicators\":[{\"fn\":\"sma\",\"period\":3},{\"fn\":\"ema\",\"period\":3}]}",
     .result = "{\"values\":[{\"fn\":\"sma\",\"as\":\"sma\",\"sma\":[null,null,2,3]},"
               "{\"fn\":\"ema\",\"as\":\"ema\",\"ema\":[null,null,2,3]}],\"bars\":4}",
     .rtol = 1e-14},
    {.title = "one bar, missing",
     .args = "{\"close\":[null],\"indicators\":{\"fn\":\"obv\",\"volume\":\"close\"}}",
     .result = "{\"values\":[{\"obv\":[null]}],\"bars\":1}"},
    {.title = "neither indicators nor a state",
     .args = "{\"close\":[1,2]}",
     .result = "indicators is missing",
     .status = KILN_INVALID},
    {.title = "bytes that are no state",
     .args = "{\"close\":[1,2],\"state\":\"KISTorwhatever\"}",
     .result = "state is damaged",
     .status = KILN_INVALID},
    {.args = "{\"close\":{\"$normal\":[1000,1]},\"indicators\":[{\"fn\":\"sma\"},{\"fn\":\"ema\"},"
             "{\"fn\":\"bbands\"},{\"fn\":\"rsi\"}]}"},
};

/* What is asked must be what the state has; the labels are those asked now. */
static int agree(struct panel *p, const struct kiln_value *list)
{
    struct panel asked = {.call = p->call};
    int status = panel_parse(&asked, "indicators", list);
    if (status != KILN_OK) {
        return status;
    }
    if (asked.n_strands != p->n_strands) {
        return p->call->host->fail(p->call, KILN_INVALID, "indicators",
                                   "indicators has %zu entries, the state holds %zu", asked.n_strands,
                                   p->n_strands);
    }
    for (size_t i = 0; i < p->n_strands; i++) {
        char path[ENTRY_PATH_BYTES], here[ENTRY_SHOWN_BYTES], there[ENTRY_SHOWN_BYTES];
        const char *member = "";
        if (!entry_same(&asked.strands[i].entry, &p->strands[i].entry, &member, here, there)) {
            return entry_refuse(p->call, panel_path("indicators", i, list->type == KILN_V_MAP, path), member,
                                "is %s, the state holds %s", here, there);
        }
        p->strands[i].entry.label = asked.strands[i].entry.label;
    }
    return KILN_OK;
}

static int start(struct panel *p, const struct kiln_slot *args)
{
    const struct kiln_slot *list = &args[PANEL_INDICATORS], *state = &args[STREAM_STATE];
    int status;
    if (!state->present) {
        if (!list->present) {
            return p->call->host->fail(p->call, KILN_INVALID, "indicators",
                                       "indicators is missing, expected where there is no state");
        }
        status = panel_parse(p, "indicators", list->value);
        return status == KILN_OK ? panel_start(p, "indicators") : status;
    }
    status = state_read(p, state->text, state->text_bytes);
    return status == KILN_OK && list->present ? agree(p, list->value) : status;
}

static int stream_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    struct panel p = {.call = call};
    int status = panel_series(&p, args);
    if (status == KILN_OK) {
        status = start(&p, args);
    }
    if (status == KILN_OK) {
        status = panel_advance(&p);
    }
    if (status == KILN_OK) {
        status = state_write(&p, &results[STREAM_NEXT]);
    }
    if (status != KILN_OK) {
        return status;
    }
    results[STREAM_BARS].i64 = (int64_t) (p.past + p.n);
    results[STREAM_BARS].present = 1;
    return panel_values(&p, &results[STREAM_VALUES]);
}

const struct kiln_function indicators_stream = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "stream",
    .summary = "Indicators bar by bar: new bars and a state in, new values and a state out",
    .help = PANEL_HELP
    "\n\nThe first call has no state. Every call returns one, which the caller keeps and sends with the "
    "bars that follow, one or many; the values are those of these new bars, equal to the last bit to what "
    "the function itself gives over all bars at once. With a state the list may be left out; when it is "
    "given, its parameters must be those in the state, and its labels count.\n\n"
    "A state holds the parameters, what the averages carry on and the last bars that windows read again: "
    "for most indicators as many as their period, once for all of them. It has a checksum "
    "against accidents and is refused when anything in it does not fit; it is not secret and not signed. "
    "Missing bars go by the rule of the functions, across calls: leading ones are passed over, a later one "
    "ends the indicator for good.",
    FUNCTION_TABLES(stream),
    .run = stream_run,
};
