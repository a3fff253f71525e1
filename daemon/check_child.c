/* SPDX-License-Identifier: MPL-2.0 */
/* check_child - what the child of `kilnd --check` does with the plugin. */
#include <stdio.h>

#include "check.h"
#include "engine.h"
#include "engine_impl.h"
#include "leak.h"

/* Texts gathered as a msgpack list, whose length is known at the end. */
struct texts {
    struct buf items;
    size_t n;
};

static void add(struct texts *t, const char *text)
{
    buf_put_text(&t->items, text);
    t->n++;
}

static void put_texts(struct buf *out, const struct texts *t)
{
    buf_put_list(out, t->n);
    buf_put_raw(out, t->items.data, t->items.bytes);
}

static void exercise(struct engine *e, struct texts *problems)
{
    for (size_t i = 0; i < engine_functions(e); i++) {
        engine_step("%s.%s, examples over and over", engine_name(e), engine_function_name(e, i));
        int64_t leak = leak_per_pass(e, i);
        if (leak > 0) {
            char text[256];
            snprintf(text, sizeof text,
                     "%s.%s: memory grows by %lld bytes each time its examples run, and never stops",
                     engine_name(e), engine_function_name(e, i), (long long) leak);
            add(problems, text);
        }
    }
}

void check_child(const char *path, const void *options, size_t options_bytes, struct buf *out)
{
    struct texts problems = {0}, hints = {0};
    const struct engine_limits limits = {
        .job_bytes = (size_t) 256 << 20, .payload_bytes = (size_t) 64 << 20, .max_batch = 64};
    struct engine *e = NULL;
    struct err err;
    if (engine_load(path, options, options_bytes, &limits, &e, &err)) {
        add(&problems, err.text);
    } else if (engine_prove(e, false, &err)) {
        add(&problems, err.text);
    } else {
        exercise(e, &problems);
    }
    if (e) { /* what was not loaded has no symbols worth a word */
        engine_step("looking at its symbols");
        hints.n += check_elf(path, &hints.items);
    }
    size_t report_bytes = 0;
    const void *report = e ? engine_report(e, &report_bytes) : NULL;
    buf_put_map(out, 2 + (e ? 4 : 0) + (report != NULL));
    if (e) {
        buf_put_str_const(out, "plugin");
        buf_put_text(out, engine_name(e));
        buf_put_str_const(out, "version");
        buf_put_text(out, engine_version(e));
        buf_put_str_const(out, "summary");
        buf_put_text(out, engine_summary(e));
        buf_put_str_const(out, "options");
        engine_describe_options(e, out);
    }
    if (report) {
        buf_put_str_const(out, "report");
        buf_put_raw(out, report, report_bytes);
    }
    engine_free(&e); /* may crash: then this report is never sent, and the parent tells where it was */
    buf_put_str_const(out, "problems");
    put_texts(out, &problems);
    buf_put_str_const(out, "hints");
    put_texts(out, &hints);
    buf_done(&problems.items);
    buf_done(&hints.items);
}
