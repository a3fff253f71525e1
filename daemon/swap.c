/* SPDX-License-Identifier: MPL-2.0 */
#include "swap.h"

#include <stdio.h>

#include "clock.h"
#include "wire.h"

enum { LABEL_BUILD = 8 };

static const struct {
    const char *name;
    bool good;
} results[] = {
#define X(NAME, name, good) [SWAP_##NAME] = {name, good},
    SWAP_RESULTS(X)
#undef X
};

const char *swap_result_name(enum swap_result result)
{
    return results[result].name;
}

bool swap_result_good(enum swap_result result)
{
    return results[result].good;
}

void swap_done(struct swap *s)
{
    buf_done(&s->trial);
    *s = (struct swap){0};
}

void swap_label(char *out, size_t bytes, const char *name, const char *version, const char *build)
{
    snprintf(out, bytes, "%s/%s%s%.*s", name, version,
             !build[0]              ? ""
             : strchr(version, '+') ? "."
                                    : "+",
             LABEL_BUILD, build);
}

uint32_t swap_pairs(const struct swap *s)
{
    return 4u + (s->why[0] != '\0') + (s->trial.bytes != 0);
}

void swap_put(const struct swap *s, struct buf *b)
{
    buf_put_str_const(b, "result");
    buf_put_text(b, swap_result_name(s->result));
    buf_put_str_const(b, "plugin");
    buf_put_text(b, s->label);
    buf_put_str_const(b, "generation");
    buf_put_u64(b, s->generation);
    buf_put_str_const(b, "seconds");
    buf_put_f64(b, (double) s->took_ns / (double) CLOCK_S);
    if (s->why[0]) {
        buf_put_str_const(b, "why");
        buf_put_text(b, s->why);
    }
    if (s->trial.bytes) {
        buf_put_str_const(b, "trial");
        buf_put_raw(b, s->trial.data, s->trial.bytes);
    }
}

/* ---- terms as they are asked for ---- */

/* Only with `shadow`, only with `canary_permille`, or with either. */
enum { SHADOW = 1, CANARY = 2 };

static const struct row {
    const char *key;
    size_t offset;
    uint64_t least, most;
    unsigned kinds;
} rows[] = {
    {"shadow", offsetof(struct trial_terms, jobs), 1, 1000000, SHADOW},
    {"canary_permille", offsetof(struct trial_terms, share_permille), 1, 500, CANARY},
    {"jobs", offsetof(struct trial_terms, jobs), 20, 100000000, CANARY},
    {"for_ms", offsetof(struct trial_terms, for_ms), 100, 86400000, SHADOW | CANARY},
    {"allow", offsetof(struct trial_terms, allow), 0, 1000000, SHADOW},
    {"slower_percent", offsetof(struct trial_terms, slower_percent), 100, 100000, SHADOW | CANARY},
};

int swap_terms_read(const msgpack_object_map *map, struct swap_terms *ret_terms, struct err *err)
{
    struct swap_terms t = {.trial = {.slower_percent = 200}};
    bool shadow = header_get(map, "shadow"), canary = header_get(map, "canary_permille");
    if (shadow && canary) {
        return err_set(err, KILN_INVALID, "shadow",
                       "shadow and canary_permille are both there, expected one of them");
    }
    unsigned kind = shadow ? SHADOW : canary ? CANARY : 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        if (header_get(map, r->key) && !(r->kinds & kind)) {
            return err_set(err, KILN_INVALID, r->key, "%s is there without %s, to which it belongs", r->key,
                           r->kinds == SHADOW   ? "shadow"
                           : r->kinds == CANARY ? "canary_permille"
                                                : "shadow or canary_permille");
        }
        uint64_t *at = (uint64_t *) (void *) ((char *) &t.trial + r->offset);
        if ((r->kinds & kind) && header_uint(map, r->key, r->least, r->most, at, err)) {
            return KILN_INVALID;
        }
    }
    if (header_bool(map, "impure", &t.trial.impure, err) || header_bool(map, "force", &t.force, err)) {
        return KILN_INVALID;
    }
    t.trial.kind = shadow ? TRIAL_SHADOW : canary ? TRIAL_CANARY : TRIAL_NONE;
    if (kind && !t.trial.for_ms) {
        t.trial.for_ms = shadow ? 60000 : t.trial.jobs ? 600000 : 30000;
    }
    *ret_terms = t;
    return 0;
}
