/* SPDX-License-Identifier: MPL-2.0 */
/* inference - answers of ONNX models. The plugin's state is the store of models. */
#include <stdlib.h>
#include <string.h>

#include "functions.h"

static const struct kiln_function *const functions[] = {
#define FUNCTION(name) &inference_##name,
#include "functions.def"
};

static const struct kiln_row options[] = {
    {.name = "folder",
     .kind = KILN_STRING,
     .help =
         "Folder of models: NAME/VERSION/model.onnx and NAME.onnx; absent: only the one that is built in"},
    {.name = "pinned",
     .kind = KILN_STRING,
     .fallback = "\"*\"",
     .help = "Models that are loaded at the start and stay: names between commas; * is all; others are "
             "loaded when first used"},
    {.name = "cache_mb",
     .kind = KILN_INT,
     .min = 1,
     .max = 1 << 20,
     .fallback = "512",
     .help = "Memory that models may take, with their plans; past it, the one unused longest goes"},
    {.name = "max_batch",
     .kind = KILN_INT,
     .min = 1,
     .max = 2048,
     .fallback = "64",
     .help = "Models are warmed for 1, 2, 4 ... and this number of rows"},
    {.name = "on_bad_model",
     .kind = KILN_STRING,
     .choices = "refuse|skip",
     .fallback = "\"refuse\"",
     .help = "A model without any version that works: refuse to start, so that what served before goes on; "
             "or skip it"},
    {.name = "prefer_int8",
     .kind = KILN_BOOL,
     .fallback = "false",
     .help = "Take X.int8.onnx where it lies beside X.onnx"},
    {.name = "quantize",
     .kind = KILN_STRING,
     .choices = "off|auto",
     .fallback = "\"off\"",
     .help = "auto: weights of products become bytes in models where that is faster on this machine, close "
             "enough, and meets the examples"},
};

static const struct kiln_value *option(struct kiln_call *call, const char *name)
{
    return call->host->option(call, name);
}

static int init(struct kiln_call *call, void **ret_state)
{
    struct state *state = calloc(1, sizeof *state);
    if (!state) {
        return KILN_RESOURCE;
    }
    *ret_state = state;
    const struct kiln_value *folder = option(call, "folder");
    const struct store_options o = {
        .folder = folder ? folder->text : NULL,
        .pinned = option(call, "pinned")->text,
        .cache_bytes = option(call, "cache_mb")->i << 20,
        .max_batch = option(call, "max_batch")->i,
        .skip_bad = strcmp(option(call, "on_bad_model")->text, "skip") == 0,
        .prefer_int8 = option(call, "prefer_int8")->i != 0,
        .quantize = strcmp(option(call, "quantize")->text, "auto") == 0,
    };
    struct refusal why = {.status = KILN_OK};
    return store_open(&state->store, &o, call, &why) ? fail_as(call, &why, NULL) : KILN_OK;
}

static void fini(void *state)
{
    if (state) {
        store_close(&((struct state *) state)->store);
        free(state);
    }
}

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
    KILN_PLUGIN_HEAD,       .name = "inference",
    .version = "1.0.0",     .summary = "answers of ONNX models, warm and proven",
    .functions = functions, .n_functions = KILN_COUNT(functions),
    .options = options,     .n_options = KILN_COUNT(options),
    .init = init,           .fini = fini,
};
