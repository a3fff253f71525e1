/* SPDX-License-Identifier: MPL-2.0 */
#include "panel.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"

int panel_no_memory(struct kiln_call *call)
{
    return call->host->fail(call, KILN_RESOURCE, NULL, "no memory for the bars of the indicators");
}

const char *panel_path(const char *name, size_t i, bool alone, char out[ENTRY_PATH_BYTES])
{
    if (alone) {
        snprintf(out, ENTRY_PATH_BYTES, "%s", name);
    } else {
        snprintf(out, ENTRY_PATH_BYTES, "%s[%zu]", name, i);
    }
    return out;
}

/* ---- series ---------------------------------------------------------------------------------- */

static size_t find_line(const struct panel *p, const char *name)
{
    size_t i = 0;
    while (i < p->n_lines && strcmp(p->lines[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* The numbers of a series as doubles; NULL when they are no numbers, or there is no memory. */
static const double *doubles_of(struct kiln_call *call, const struct kiln_value *v, size_t *ret_n)
{
    if (v->type == KILN_V_ARRAY && v->array->rank == 1 && v->array->dtype == KILN_F64) {
        *ret_n = (size_t) v->array->count;
        return v->array->data;
    }
    const struct kiln_array *a = v->type == KILN_V_ARRAY && v->array->rank == 1 ? v->array : NULL;
    if (!a && v->type != KILN_V_LIST) {
        return NULL;
    }
    size_t n = a ? (size_t) a->count : v->count;
    double *x = call->host->alloc(call, n * sizeof(double));
    for (size_t i = 0; x && i < n; i++) {
        if (a) {
            x[i] = a->dtype == KILN_F32   ? (double) ((const float *) a->data)[i]
                   : a->dtype == KILN_I64 ? (double) ((const int64_t *) a->data)[i]
                   : a->dtype == KILN_I32 ? (double) ((const int32_t *) a->data)[i]
                                          : (double) ((const uint8_t *) a->data)[i];
        } else if (v->list[i].type == KILN_V_NULL) { /* a list of nothing but null */
            x[i] = (double) NAN;
        } else {
            return NULL;
        }
    }
    *ret_n = n;
    return x;
}

static int add_line(struct panel *p, const char *name, const double *x, size_t n)
{
    if (p->n_lines == PANEL_SERIES) {
        return entry_refuse(p->call, "series", "", "has too many members, expected at most %d",
                            PANEL_SERIES - PANEL_MORE);
    }
    if (n == 0 || (p->n_lines > 0 && n != p->n)) {
        return entry_refuse(p->call, "series", name, "has %zu bars, expected %s%zu", n,
                            p->n_lines > 0 ? "as many as the others, " : "at least ",
                            p->n_lines > 0 ? p->n : 1);
    }
    p->lines[p->n_lines++] = (struct line){.name = name, .sent = x};
    p->n = n;
    return KILN_OK;
}

static int more_lines(struct panel *p, const struct kiln_value *more)
{
    if (more->type != KILN_V_MAP) {
        return entry_refuse(p->call, "series", "", "is no map, expected series by name: {\"real1\": [..]}");
    }
    for (size_t i = 0; i < more->count; i++) {
        const char *name = more->map[i].key;
        size_t n = 0;
        const double *x = doubles_of(p->call, &more->map[i].value, &n);
        if (find_line(p, name) < p->n_lines || strlen(name) > ENTRY_NAME_BYTES) {
            return entry_refuse(p->call, "series", name, "%s",
                                strlen(name) > ENTRY_NAME_BYTES ? "has a name that is too long"
                                                                : "is there already");
        }
        if (!x) {
            return entry_refuse(p->call, "series", name, "is no list of numbers");
        }
        int status = add_line(p, name, x, n);
        if (status != KILN_OK) {
            return status;
        }
    }
    return KILN_OK;
}

int panel_series(struct panel *p, const struct kiln_slot *args)
{
    static const char *const names[] = {"open", "high", "low", "close", "volume"};
    for (size_t i = PANEL_OPEN; i <= PANEL_VOLUME; i++) {
        if (args[i].present) {
            p->lines[p->n_lines++] = (struct line){.name = names[i], .sent = series_in(&args[i])};
            p->n = (size_t) args[i].array.count;
        }
    }
    int status = args[PANEL_MORE].present ? more_lines(p, args[PANEL_MORE].value) : KILN_OK;
    if (status == KILN_OK && p->n_lines == 0) {
        return p->call->host->fail(p->call, KILN_INVALID, "close",
                                   "no series is given, expected those that the indicators take");
    }
    return status;
}

/* ---- entries --------------------------------------------------------------------------------- */

int panel_reserve(struct panel *p, size_t n)
{
    p->strands = p->call->host->alloc(p->call, n * sizeof(*p->strands));
    if (!p->strands) {
        return panel_no_memory(p->call);
    }
    memset(p->strands, 0, n * sizeof(*p->strands));
    p->n_strands = n;
    return KILN_OK;
}

int panel_parse(struct panel *p, const char *path, const struct kiln_value *list)
{
    bool alone = p->alone = list->type == KILN_V_MAP;
    size_t n = alone ? 1 : list->count;
    if (!alone && (list->type != KILN_V_LIST || n == 0 || n > PANEL_ENTRIES)) {
        return entry_refuse(p->call, path, "",
                            list->type == KILN_V_LIST
                                ? "has %zu entries, expected 1..%d"
                                : "is no list of maps like {\"fn\": \"sma\", \"period\": 20}",
                            n, PANEL_ENTRIES);
    }
    int status = panel_reserve(p, n);
    for (size_t i = 0; i < n && status == KILN_OK; i++) {
        char name[ENTRY_PATH_BYTES];
        status = entry_parse(p->call, panel_path(path, i, alone, name), alone ? list : &list->list[i],
                             &p->strands[i].entry);
    }
    return status;
}

/* A call as plan() sees it: what it refuses is named with the entry's path before it. */
struct planning {
    struct kiln_call call; /* first */
    struct kiln_host host;
    struct kiln_call *real;
    const char *path;
};

static struct planning *planning_of(struct kiln_call *call)
{
    return (struct planning *) (void *) call;
}

KILN_PRINTF(4, 5)
static int planning_fail(struct kiln_call *call, int status, const char *field, const char *format, ...)
{
    struct planning *planning = planning_of(call);
    char path[ENTRY_PATH_BYTES], sentence[320];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    snprintf(path, sizeof(path), "%s%s%.40s", planning->path, field ? "." : "", field ? field : "");
    return planning->real->host->fail(planning->real, status, path, "%s: %s", planning->path, sentence);
}

static void *planning_alloc(struct kiln_call *call, size_t bytes)
{
    struct kiln_call *real = planning_of(call)->real;
    return real->host->alloc(real, bytes);
}

int panel_plan(struct panel *p, size_t i, const char *path)
{
    struct strand *s = &p->strands[i];
    struct planning planning = {.call = *p->call, .real = p->call, .path = path};
    planning.host = *p->call->host;
    planning.host.fail = planning_fail;
    planning.host.alloc = planning_alloc;
    planning.call.host = &planning.host;
    planning.call.function = s->entry.indicator->function;
    int status = walk_init(&planning.call, s->entry.indicator, s->entry.args, &s->walk);
    for (size_t k = 0; k < s->entry.indicator->n_series && status == KILN_OK; k++) {
        const char *name = s->entry.source[k];
        s->line[k] = find_line(p, name);
        if (s->line[k] == p->n_lines) {
            return p->call->host->fail(p->call, KILN_INVALID, name, "%s is missing, %s (%s) takes it", name,
                                       path, s->entry.indicator->function->name);
        }
        p->lines[s->line[k]].used = true;
    }
    return status;
}

int panel_start(struct panel *p, const char *path)
{
    int status = KILN_OK;
    for (size_t i = 0; i < p->n_strands && status == KILN_OK; i++) {
        char name[ENTRY_PATH_BYTES];
        status = panel_plan(p, i, panel_path(path, i, p->alone, name));
    }
    return status;
}

/* ---- bars ------------------------------------------------------------------------------------ */

/* What the rows of the series say about every element: a range, or that none is missing. */
static int check_elements(const struct panel *p, size_t at)
{
    const struct strand *s = &p->strands[at];
    for (size_t k = 0; k < s->entry.indicator->n_series; k++) {
        const struct kiln_row *row = &s->entry.indicator->function->params[k];
        const double *x = p->lines[s->line[k]].sent;
        bool ranged = row->min != 0.0 || row->max != 0.0, finite = row->flags & KILN_FINITE;
        char range[ENTRY_SHOWN_BYTES];
        for (size_t i = 0; i < p->n && (ranged || finite); i++) {
            if ((ranged && (x[i] < row->min || x[i] > row->max)) || (finite && !isfinite(x[i]))) {
                return p->call->host->fail(p->call, KILN_INVALID, s->entry.source[k],
                                           "%s[%zu] is %g, expected %s by %s, entry %zu of the list",
                                           s->entry.source[k], i, x[i], entry_range_text(row, range),
                                           s->entry.indicator->function->name, at);
            }
        }
    }
    return KILN_OK;
}

/* Each series in one piece, and its missing bars. */
static int join(struct panel *p)
{
    for (size_t i = 0; i < p->n_lines; i++) {
        struct line *line = &p->lines[i];
        if (!line->used) {
            continue;
        }
        line->bars = line->sent;
        if (line->held > 0) {
            double *bars = p->call->host->alloc(p->call, (line->held + p->n) * sizeof(double));
            if (!bars) {
                return panel_no_memory(p->call);
            }
            memcpy(bars, line->past, line->held * sizeof(double));
            memcpy(bars + line->held, line->sent, p->n * sizeof(double));
            line->bars = bars;
        }
        line->span = series_span(p->n, 1, &line->sent);
    }
    return KILN_OK;
}

/* Room for all results, one behind the other. A kernel's outputs have the indices of its inputs, which begin with history: room
 * for the longest one comes first. */
static int make_room(struct panel *p)
{
    size_t lead = 0, results = 0, stride = (p->n + 7) / 8 * 8, doubles;
    for (size_t i = 0; i < p->n_strands; i++) {
        size_t history = walk_history(&p->strands[i].walk);
        lead = history > lead ? history : lead;
        results += p->strands[i].twin ? 0 : p->strands[i].entry.indicator->function->n_results;
    }
    lead = (lead + 7) / 8 * 8;
    if (__builtin_mul_overflow(results, stride, &doubles) ||
        __builtin_add_overflow(doubles, lead, &doubles) || doubles > SIZE_MAX / 2 / sizeof(double)) {
        return panel_no_memory(p->call);
    }
    double *room = p->call->host->alloc(p->call, doubles * sizeof(double));
    if (!room) {
        return panel_no_memory(p->call);
    }
    room += lead;
    for (size_t i = 0; i < p->n_strands; i++) {
        struct strand *s = &p->strands[i];
        for (size_t k = 0; k < s->entry.indicator->function->n_results && !s->twin; k++, room += stride) {
            s->out[k] = room;
        }
    }
    return KILN_OK;
}

/* The clean part of the new bars in all series of a strand. Two leading gaps are one: the longer; and where
 * a series ends before another begins, series_span() looks on. */
static struct span span_of(const struct panel *p, const struct strand *s)
{
    struct span span = {0, p->n};
    const double *in[INDICATOR_SERIES];
    for (size_t k = 0; k < s->entry.indicator->n_series; k++) {
        const struct line *line = &p->lines[s->line[k]];
        span.begin = line->span.begin > span.begin ? line->span.begin : span.begin;
        span.end = least(span.end, line->span.end);
        in[k] = line->sent;
    }
    return span.begin < span.end ? span : series_span(p->n, s->entry.indicator->n_series, in);
}

static int advance_strand(struct panel *p, struct strand *s, struct scratch *scratch)
{
    const double *in[INDICATOR_SERIES] = {NULL};
    double *out[INDICATOR_OUTPUTS] = {NULL};
    size_t history = walk_history(&s->walk);
    for (size_t k = 0; k < s->entry.indicator->n_series; k++) {
        const struct line *line = &p->lines[s->line[k]];
        in[k] = line->bars + line->held - history;
    }
    for (size_t k = 0; k < s->entry.indicator->function->n_results; k++) {
        out[k] = s->out[k] - history;
    }
    return walk_on(p->call, &s->walk, p->n, span_of(p, s), in, out, scratch);
}

/* Strands that ask the same have come the same way: the later ones are computed with the first. */
static void find_twins(struct panel *p)
{
    for (size_t i = 1; i < p->n_strands; i++) {
        struct strand *s = &p->strands[i];
        for (size_t k = 0; k < i && !s->twin; k++) {
            const struct strand *other = &p->strands[k];
            s->twin = entry_same(&other->entry, &s->entry, NULL, NULL, NULL) ? other : NULL;
        }
    }
}

int panel_advance(struct panel *p)
{
    struct scratch scratch = {NULL, 0};
    find_twins(p);
    int status = join(p);
    if (status == KILN_OK) {
        status = make_room(p);
    }
    for (size_t i = 0; i < p->n_strands && status == KILN_OK; i++) {
        struct strand *s = &p->strands[i];
        if (s->twin) {
            s->walk = s->twin->walk;
            memcpy(s->out, s->twin->out, sizeof(s->out));
        } else if (p->call->host->cancelled(p->call)) {
            status = KILN_CANCELLED;
        } else {
            status = check_elements(p, i);
            status = status == KILN_OK ? advance_strand(p, s, &scratch) : status;
        }
    }
    return status;
}

/* ---- results --------------------------------------------------------------------------------- */

static struct kiln_value text_value(const char *text)
{
    return (struct kiln_value){.type = KILN_V_STRING, .text = text, .count = (uint32_t) strlen(text)};
}

/* The map of one strand, written into `pairs` and `arrays`, of which it takes as many as it has results (and two pairs more). */
static struct kiln_value strand_value(const struct strand *s, size_t n, struct kiln_pair *pairs,
                                      struct kiln_array *arrays)
{
    const struct kiln_function *fn = s->entry.indicator->function;
    pairs[0] = (struct kiln_pair){"fn", text_value(fn->name)};
    pairs[1] = (struct kiln_pair){"as", text_value(s->entry.label)};
    for (size_t k = 0; k < fn->n_results; k++) {
        arrays[k] = (struct kiln_array){
            .data = s->out[k], .dtype = KILN_F64, .rank = 1, .shape = {(int64_t) n}, .count = (int64_t) n};
        pairs[2 + k] = (struct kiln_pair){fn->results[k].name, {.type = KILN_V_ARRAY, .array = &arrays[k]}};
    }
    return (struct kiln_value){.type = KILN_V_MAP, .count = 2 + fn->n_results, .map = pairs};
}

int panel_values(const struct panel *p, struct kiln_slot *ret_values)
{
    enum { PAIRS = 2 + INDICATOR_OUTPUTS };
    const struct kiln_host *host = p->call->host;
    struct kiln_value *list = host->alloc(p->call, (p->n_strands + 1) * sizeof(*list));
    struct kiln_pair *pairs = host->alloc(p->call, p->n_strands * PAIRS * sizeof(*pairs));
    struct kiln_array *arrays = host->alloc(p->call, p->n_strands * INDICATOR_OUTPUTS * sizeof(*arrays));
    if (!list || !pairs || !arrays) {
        return panel_no_memory(p->call);
    }
    for (size_t i = 0; i < p->n_strands; i++) {
        list[i] = strand_value(&p->strands[i], p->n, pairs + i * PAIRS, arrays + i * INDICATOR_OUTPUTS);
    }
    struct kiln_value *all = &list[p->n_strands];
    *all = (struct kiln_value){.type = KILN_V_LIST, .count = (uint32_t) p->n_strands, .list = list};
    ret_values->value = all;
    ret_values->present = 1;
    return KILN_OK;
}
