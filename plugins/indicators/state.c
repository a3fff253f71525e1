/* SPDX-License-Identifier: MPL-2.0 */
#include "state.h"

#include <math.h>
#include <string.h>

enum { VERSION = 1, MAGIC_BYTES = 4, CHECK_BYTES = 8 };
static const char magic[MAGIC_BYTES + 1] = "KIST";

/* More bars than any stream will see, and few enough for numbers of bars never to overflow. */
static const uint64_t most_bars = (uint64_t) 1 << 53;

/* Every step can be undone, so one changed word always shows, and more of them but for one chance in 2^64. */
static uint64_t checksum(const unsigned char *bytes, size_t size)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ size;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8 && i + k < size; k++) {
            word |= (uint64_t) bytes[i + k] << 8 * k;
        }
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 29;
    }
    return hash;
}

/* ---- what both sides go through ---------------------------------------------------------------- */

/* Bars of the series at `line` that the strands read again. */
static size_t held_by(const struct panel *p, size_t line)
{
    size_t held = 0;
    for (size_t i = 0; i < p->n_strands; i++) {
        const struct strand *s = &p->strands[i];
        size_t history = walk_history(&s->walk);
        for (size_t k = 0; k < s->entry.indicator->n_series; k++) {
            held = s->line[k] == line && history > held ? history : held;
        }
    }
    return held;
}

/* Indices of the series that the strands take, in the order of their first use: callers may send them in any order. */
static size_t used_lines(const struct panel *p, size_t order[PANEL_SERIES])
{
    bool seen[PANEL_SERIES] = {false};
    size_t n = 0;
    for (size_t i = 0; i < p->n_strands; i++) {
        const struct strand *s = &p->strands[i];
        for (size_t k = 0; k < s->entry.indicator->n_series; k++) {
            if (!seen[s->line[k]]) {
                seen[s->line[k]] = true;
                order[n++] = s->line[k];
            }
        }
    }
    return n;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Counts while `at` is NULL. */
struct writer {
    unsigned char *at;
    size_t size;
};

static void put(struct writer *w, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes && w->at; i++) {
        w->at[w->size + i] = (unsigned char) (value >> 8 * i);
    }
    w->size += bytes;
}

static void put_double(struct writer *w, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    put(w, bits, 8);
}

static void put_doubles(struct writer *w, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_double(w, x[i]);
    }
}

static void put_text(struct writer *w, const char *text)
{
    size_t bytes = strlen(text);
    put(w, bytes, 1);
    for (size_t i = 0; i <= bytes; i++) {
        put(w, (unsigned char) text[i], 1);
    }
}

static void put_arg(struct writer *w, const struct entry *e, size_t arg)
{
    const struct kiln_row *row = entry_row(e, arg);
    const struct kiln_slot *slot = &e->args[arg];
    put_text(w, row->name);
    if (!entry_has(e, arg)) {
        put(w, 0, 1);
        return;
    }
    put(w, row->kind, 1);
    if (row->kind == KILN_STRING) {
        put_text(w, slot->text);
    } else if (row->kind == KILN_FLOAT) {
        put_double(w, slot->f64);
    } else {
        put(w, (uint64_t) slot->i64, 8);
    }
}

static void put_strand(struct writer *w, const struct strand *s)
{
    put_text(w, s->entry.indicator->function->name);
    put_text(w, s->entry.label);
    for (size_t k = 0; k < s->entry.indicator->n_series; k++) {
        put_text(w, s->entry.source[k]);
    }
    put(w, entry_args(&s->entry), 1);
    for (size_t i = 0; i < entry_args(&s->entry); i++) {
        put_arg(w, &s->entry, i);
    }
    put(w, s->walk.bars, 8);
    put(w, s->walk.ended, 1);
    put(w, s->walk.plan.state, 4);
    put_doubles(w, s->walk.state, s->walk.plan.state);
}

static void put_panel(struct writer *w, const struct panel *p)
{
    for (size_t i = 0; i < MAGIC_BYTES; i++) {
        put(w, (unsigned char) magic[i], 1);
    }
    put(w, VERSION, 2);
    put(w, p->n_strands, 2);
    put(w, p->past + p->n, 8);
    for (size_t i = 0; i < p->n_strands; i++) {
        put_strand(w, &p->strands[i]);
    }
    size_t order[PANEL_SERIES], n = used_lines(p, order);
    put(w, n, 1);
    for (size_t i = 0; i < n; i++) {
        const struct line *line = &p->lines[order[i]];
        size_t held = held_by(p, order[i]);
        put_text(w, line->name);
        put(w, held, 4);
        put_doubles(w, line->bars + line->held + p->n - held, held);
    }
}

int state_write(const struct panel *p, struct kiln_slot *ret_state)
{
    struct writer count = {NULL, 0};
    put_panel(&count, p);
    struct writer w = {p->call->host->alloc(p->call, count.size + CHECK_BYTES), 0};
    if (!w.at) {
        return panel_no_memory(p->call);
    }
    put_panel(&w, p);
    put(&w, checksum(w.at, w.size), CHECK_BYTES);
    ret_state->text = (const char *) w.at;
    ret_state->text_bytes = w.size;
    ret_state->present = 1;
    return KILN_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    const unsigned char *at;
    size_t left;
    bool broken; /* it ended too early, or something did not fit; then all reads give nothing */
};

static bool take(struct reader *r, size_t bytes, const unsigned char **ret_at)
{
    if (r->broken || bytes > r->left) {
        r->broken = true;
        return false;
    }
    *ret_at = r->at;
    r->at += bytes;
    r->left -= bytes;
    return true;
}

static uint64_t get(struct reader *r, size_t bytes)
{
    const unsigned char *at;
    uint64_t value = 0;
    if (take(r, bytes, &at)) {
        for (size_t i = 0; i < bytes; i++) {
            value |= (uint64_t) at[i] << 8 * i;
        }
    }
    return value;
}

static double get_double(struct reader *r)
{
    uint64_t bits = get(r, 8);
    double x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/* n is one that the state has bytes for, or it is broken. */
static void get_doubles(struct reader *r, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = get_double(r);
    }
}

/* The text stays where it is. */
static struct kiln_value get_text(struct reader *r)
{
    const unsigned char *at;
    size_t bytes = (size_t) get(r, 1);
    if (!take(r, bytes + 1, &at) || memchr(at, 0, bytes + 1) != at + bytes) {
        r->broken = true;
        return (struct kiln_value){.type = KILN_V_STRING, .text = ""};
    }
    return (struct kiln_value){.type = KILN_V_STRING, .text = (const char *) at, .count = (uint32_t) bytes};
}

static struct kiln_value get_arg(struct reader *r)
{
    switch (get(r, 1)) {
    case 0:
        return (struct kiln_value){.type = KILN_V_NULL};
    case KILN_INT:
        return (struct kiln_value){.type = KILN_V_INT, .i = (int64_t) get(r, 8)};
    case KILN_BOOL:
        return (struct kiln_value){.type = KILN_V_BOOL, .i = get(r, 8) != 0};
    case KILN_FLOAT:
        return (struct kiln_value){.type = KILN_V_FLOAT, .f = get_double(r)};
    case KILN_STRING:
        return get_text(r);
    default:
        r->broken = true;
        return (struct kiln_value){.type = KILN_V_NULL};
    }
}

static int refuse(struct panel *p, const char *why)
{
    return p->call->host->fail(p->call, KILN_INVALID, "state",
                               "state %s, expected what a call of stream returned", why);
}

/* The entry as a caller would send it, to be judged like one. */
static int read_entry(struct panel *p, struct reader *r, size_t at, const char *path)
{
    enum { PAIRS = 2 + INDICATOR_SERIES + INDICATOR_PARAMS };
    struct kiln_pair pairs[PAIRS];
    uint32_t n = 0;
    pairs[n++] = (struct kiln_pair){"fn", get_text(r)};
    pairs[n++] = (struct kiln_pair){"as", get_text(r)};
    const struct indicator *indicator = indicator_find(pairs[0].value.text);
    if (r->broken || !indicator) {
        return refuse(p, r->broken ? "is cut short" : "has an indicator that is unknown here");
    }
    for (size_t k = 0; k < indicator->n_series; k++) {
        pairs[n++] = (struct kiln_pair){indicator->function->params[k].name, get_text(r)};
    }
    size_t args = (size_t) get(r, 1);
    for (size_t i = 0; i < args && n < PAIRS && !r->broken; i++) {
        const char *name = get_text(r).text;
        pairs[n++] = (struct kiln_pair){name, get_arg(r)};
    }
    if (r->broken || args > INDICATOR_PARAMS) {
        return refuse(p, "has parameters that are broken");
    }
    return entry_parse(p->call, path, &(struct kiln_value){.type = KILN_V_MAP, .count = n, .map = pairs},
                       &p->strands[at].entry);
}

static int read_strand(struct panel *p, struct reader *r, size_t at)
{
    char path[ENTRY_PATH_BYTES];
    panel_path("state.indicators", at, false, path);
    int status = read_entry(p, r, at, path);
    if (status == KILN_OK) {
        status = panel_plan(p, at, path);
    }
    if (status != KILN_OK) {
        return status;
    }
    struct walk *walk = &p->strands[at].walk;
    walk->bars = get(r, 8);
    uint64_t ended = get(r, 1);
    walk->ended = ended != 0;
    size_t doubles = (size_t) get(r, 4);
    if (r->broken || walk->bars > p->past || ended > 1) {
        return refuse(p, "has counts of bars that are broken");
    }
    if (doubles != walk->plan.state || doubles > r->left / sizeof(double)) {
        return refuse(p, "carries another number of values than its indicators");
    }
    get_doubles(r, doubles, walk->state);
    return KILN_OK;
}

static int read_line(struct panel *p, struct reader *r, size_t at)
{
    struct line *line = &p->lines[at];
    bool named = strcmp(get_text(r).text, line->name) == 0;
    size_t held = (size_t) get(r, 4);
    if (!named || r->broken || held != held_by(p, at) || held > r->left / sizeof(double)) {
        return refuse(p, "holds other bars than its indicators read");
    }
    double *past = p->call->host->alloc(p->call, held * sizeof(double));
    if (!past) {
        return panel_no_memory(p->call);
    }
    get_doubles(r, held, past);
    for (size_t i = 0; i < held; i++) {
        if (isnan(past[i])) {
            return refuse(p, "holds a bar that is missing");
        }
    }
    line->past = past;
    line->held = held;
    return KILN_OK;
}

static int read_lines(struct panel *p, struct reader *r)
{
    size_t order[PANEL_SERIES], n = used_lines(p, order);
    if (get(r, 1) != n) {
        return refuse(p, "has another number of series than its indicators");
    }
    for (size_t i = 0; i < n; i++) {
        int status = read_line(p, r, order[i]);
        if (status != KILN_OK) {
            return status;
        }
    }
    return r->left == 0 ? KILN_OK : refuse(p, "has bytes too many");
}

static int open_state(struct panel *p, const unsigned char *bytes, size_t size, struct reader *r)
{
    if (size < MAGIC_BYTES + CHECK_BYTES || memcmp(bytes, magic, MAGIC_BYTES) != 0) {
        return refuse(p, "does not begin like one");
    }
    *r = (struct reader){bytes + size - CHECK_BYTES, CHECK_BYTES, false};
    if (get(r, CHECK_BYTES) != checksum(bytes, size - CHECK_BYTES)) {
        return refuse(p, "is damaged: its checksum is wrong");
    }
    *r = (struct reader){bytes + MAGIC_BYTES, size - MAGIC_BYTES - CHECK_BYTES, false};
    uint64_t version = get(r, 2);
    if (version != VERSION) {
        return p->call->host->fail(p->call, KILN_INVALID, "state", "state has version %llu, expected %d",
                                   (unsigned long long) version, VERSION);
    }
    return KILN_OK;
}

int state_read(struct panel *p, const void *bytes, size_t size)
{
    struct reader r;
    int status = open_state(p, bytes, size, &r);
    if (status != KILN_OK) {
        return status;
    }
    size_t n = (size_t) get(&r, 2);
    p->past = get(&r, 8);
    if (r.broken || n == 0 || n > PANEL_ENTRIES || p->past > most_bars) {
        return refuse(p, "has counts that are broken");
    }
    status = panel_reserve(p, n);
    for (size_t i = 0; i < n && status == KILN_OK; i++) {
        status = read_strand(p, &r, i);
    }
    return status == KILN_OK ? read_lines(p, &r) : status;
}
