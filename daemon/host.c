/* SPDX-License-Identifier: MPL-2.0 */
/* host - the services a plugin may call: struct kiln_host of kiln/plugin.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "engine_impl.h"
#include "log.h"
#include "utf8.h"

enum { SENTENCE_BYTES = 400 };

static struct lane *lane_of(struct kiln_call *call)
{
    return (struct lane *) call; /* its first member */
}

/* The sentence goes onto the wire as a string: what is no UTF-8 in it (a character cut in two, too) becomes
 * '?'. */
static void make_utf8(char *text)
{
    for (size_t i = 0, bytes = strlen(text); i < bytes;) {
        size_t n = utf8_character(text + i, bytes - i);
        if (n == 0) {
            text[i] = '?';
        }
        i += n ? n : 1;
    }
}

KILN_PRINTF(4, 5)
static int host_fail(struct kiln_call *call, int status, const char *field, const char *format, ...)
{
    struct err *err = &lane_of(call)->err;
    char text[SENTENCE_BYTES + 1];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n < 0) {
        text[0] = '\0';
    }
    make_utf8(text);
    err_set(err, status, field, "%s", text);
    make_utf8(err->field);
    return status;
}

static void *host_alloc(struct kiln_call *call, size_t bytes)
{
    return arena_alloc(lane_of(call)->arena, bytes, "memory of host->alloc");
}

static void *host_grow(struct kiln_call *call, size_t result, int64_t rows)
{
    struct lane *lane = lane_of(call);
    return lane->fn && lane->results
               ? contract_grow(lane->fn->contract, &lane->bound, lane->arena, lane->results, result, rows)
               : NULL;
}

static int host_cancelled(struct kiln_call *call)
{
    struct lane *lane = lane_of(call);
    const struct engine_watch *watch = lane->e->watch;
    return watch && watch->cancelled ? watch->cancelled(watch->arg, lane->job) : 0;
}

static void host_progress(struct kiln_call *call, double fraction)
{
    struct lane *lane = lane_of(call);
    const struct engine_watch *watch = lane->e->watch;
    if (watch && watch->progress) {
        watch->progress(watch->arg, lane->job,
                        fraction >= 0 && fraction <= 1 ? fraction
                        : fraction > 1                 ? 1
                                                       : 0);
    }
}

static const struct kiln_value *host_option(struct kiln_call *call, const char *name)
{
    const struct engine *e = lane_of(call)->e;
    for (size_t i = 0; name && e->options && i < contract_params(e->options); i++) {
        if (strcmp(contract_param(e->options, i)->name, name) == 0) {
            return e->option_values[i].type == KILN_V_NULL ? NULL : &e->option_values[i];
        }
    }
    return NULL;
}

static int64_t host_clock_ns(struct kiln_call *call)
{
    (void) call;
    return clock_ns();
}

KILN_PRINTF(3, 4)
static void host_log(struct kiln_call *call, enum kiln_log_level level, const char *format, ...)
{
    char text[SENTENCE_BYTES + 1];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    enum log_level mine = level <= KILN_LOG_DEBUG     ? LOG_LEVEL_DEBUG
                          : level == KILN_LOG_INFO    ? LOG_LEVEL_INFO
                          : level == KILN_LOG_WARNING ? LOG_LEVEL_WARNING
                                                      : LOG_LEVEL_ERROR;
    log_event(mine, "plugin", "plugin=%s text=%s", lane_of(call)->e->desc.name, log_quote(text));
}

static const struct kiln_host table = {
    .struct_size = sizeof table,
    .abi_major = KILN_ABI_MAJOR,
    .abi_minor = KILN_ABI_MINOR,
    .fail = host_fail,
    .alloc = host_alloc,
    .grow = host_grow,
    .cancelled = host_cancelled,
    .progress = host_progress,
    .option = host_option,
    .clock_ns = host_clock_ns,
    .log = host_log,
};

const struct kiln_host *host_table(void)
{
    return &table;
}
