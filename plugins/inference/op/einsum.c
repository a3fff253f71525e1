/* SPDX-License-Identifier: MPL-2.0 */
/* Einsum of any number of inputs of float32, float64, int32, int64: for each element of the output, the sum over all letters
 * that it does not have. Exact in its generality rather than fast. */
#include <ctype.h>
#include <string.h>

#include "../op.h"

/* 52 letters, and the dimensions that "..." stands for behind them. */
enum { LETTERS = 52, LABELS = LETTERS + TENSOR_RANK, TERMS = 16 };

struct einsum {
    int n, n_terms; /* labels in use: those of the output first; inputs */
    int n_out;
    int64_t dims[LABELS];
    int64_t steps[TERMS][LABELS]; /* of each input along each label */
    int64_t sums;                 /* products for each output element */
};

struct term {
    int n, label[TENSOR_RANK];
};

static int label_of(char c)
{
    return c >= 'a' ? c - 'a' : c - 'A' + 26;
}

/* One comma-separated term: letters, and perhaps "..." for `ellipsis` dimensions. -1 when it is none. */
static int read_term(const char *text, size_t bytes, int ellipsis, struct term *ret)
{
    ret->n = 0;
    bool seen = false;
    for (size_t i = 0; i < bytes; i++) {
        int labels = 1, first;
        if (text[i] == ' ') {
            continue;
        }
        if (isalpha((unsigned char) text[i])) {
            first = label_of(text[i]);
        } else if (bytes - i >= 3 && memcmp(text + i, "...", 3) == 0 && !seen) {
            first = LETTERS + TENSOR_RANK - ellipsis; /* aligned at their end, as broadcasting is */
            labels = ellipsis;
            seen = true;
            i += 2;
        } else {
            return -1;
        }
        if (ret->n + labels > TENSOR_RANK) {
            return -1;
        }
        for (int k = 0; k < labels; k++) {
            ret->label[ret->n++] = first + k;
        }
    }
    return 0;
}

static size_t count_letters(const char *text, size_t bytes, bool *ret_dots)
{
    size_t n = 0;
    *ret_dots = false;
    for (size_t i = 0; i < bytes; i++) {
        n += isalpha((unsigned char) text[i]) != 0;
        *ret_dots = *ret_dots || text[i] == '.';
    }
    return n;
}

/* Adds input i with its labels to the dimensions known so far. */
static int add_input(struct step *s, struct einsum *p, int i, const struct term *term, int64_t *dims,
                     int64_t steps[TERMS][LABELS])
{
    const struct tensor *x = s->in[i];
    if (term->n != x->rank) {
        return step_fail(s, "input %d has %d dimensions, its term %d", i, x->rank, term->n);
    }
    (void) p;
    int64_t step = 1;
    for (int d = x->rank - 1; d >= 0; d--) {
        const int label = term->label[d];
        if (dims[label] >= 0 && dims[label] != x->dims[d] && dims[label] != 1 && x->dims[d] != 1) {
            return step_fail(s, "input %d has %lld where another has %lld", i, (long long) x->dims[d],
                             (long long) dims[label]);
        }
        if (dims[label] < 0 || dims[label] == 1) {
            dims[label] = x->dims[d];
        }
        steps[i][label] += x->dims[d] == 1 ? 0 : step;
        step *= x->dims[d];
    }
    return KILN_OK;
}

/* Steps of inputs whose dimension is 1 are 0 already, for they were added as such. */
static int order_labels(struct step *s, struct einsum *p, const struct term *out, const int64_t *dims,
                        int64_t steps[TERMS][LABELS])
{
    bool used[LABELS] = {false};
    int64_t out_dims[TENSOR_RANK], sums = 1;
    for (int d = 0; d < out->n; d++) {
        if (used[out->label[d]] || dims[out->label[d]] < 0) {
            return step_fail(s, "the output has a letter twice, or one that no input has");
        }
        used[out->label[d]] = true;
        out_dims[d] = dims[out->label[d]];
    }
    int order[LABELS];
    for (int d = 0; d < out->n; d++) {
        order[d] = out->label[d];
    }
    p->n = p->n_out = out->n;
    for (int label = 0; label < LABELS; label++) {
        if (dims[label] >= 0 && !used[label]) {
            order[p->n++] = label;
            if (__builtin_mul_overflow(sums, dims[label], &sums)) {
                return step_fail(s, "sums of more than 2^63 products");
            }
        }
    }
    p->sums = sums;
    for (int l = 0; l < p->n; l++) {
        p->dims[l] = dims[order[l]];
        for (int i = 0; i < p->n_terms; i++) {
            p->steps[i][l] = steps[i][order[l]];
        }
    }
    return step_output(s, 0, s->in[0]->dtype, out->n, out_dims);
}

/* Moves to the next index of labels first .. last - 1, the last fastest. */
static void advance(const struct einsum *p, int first, int last, int64_t *index, int64_t *at)
{
    for (int l = last - 1; l >= first; l--) {
        for (int i = 0; i < p->n_terms; i++) {
            at[i] += p->steps[i][l];
        }
        if (++index[l] < p->dims[l]) {
            return;
        }
        for (int i = 0; i < p->n_terms; i++) {
            at[i] -= p->steps[i][l] * p->dims[l];
        }
        index[l] = 0;
    }
}

#define EINSUM(NAME, TYPE, SUM)                                                                              \
    static int NAME(const struct step *s, struct run *r)                                                     \
    {                                                                                                        \
        const struct einsum *p = s->state;                                                                   \
        int64_t index[LABELS] = {0}, at[TERMS] = {0};                                                        \
        for (int64_t o = 0; o < s->out[0]->count; o++) {                                                     \
            SUM sum = 0;                                                                                     \
            for (int64_t k = 0; k < p->sums; k++) {                                                          \
                SUM product = (SUM) ((const TYPE *) s->in[0]->data)[at[0]];                                  \
                for (int i = 1; i < p->n_terms; i++) {                                                       \
                    product *= (SUM) ((const TYPE *) s->in[i]->data)[at[i]];                                 \
                }                                                                                            \
                sum += product;                                                                              \
                advance(p, p->n_out, p->n, index, at);                                                       \
                if (k % 65536 == 65535 && run_cancelled(r)) {                                                \
                    return KILN_CANCELLED;                                                                   \
                }                                                                                            \
            }                                                                                                \
            ((TYPE *) s->out[0]->data)[o] = (TYPE) sum;                                                      \
            advance(p, 0, p->n_out, index, at);                                                              \
            if (o % 4096 == 4095 && run_cancelled(r)) {                                                      \
                return KILN_CANCELLED;                                                                       \
            }                                                                                                \
        }                                                                                                    \
        return KILN_OK;                                                                                      \
    }

EINSUM(run_floats, float, double)
EINSUM(run_doubles, double, double)
EINSUM(run_words, uint32_t, uint32_t)
EINSUM(run_longs, uint64_t, uint64_t)

/* The output's term when it is not written: letters that occur once, in alphabetic order (capitals first), behind "...". */
static void implied(const struct term *terms, int n, int ellipsis, struct term *ret)
{
    int counts[LETTERS] = {0};
    ret->n = 0;
    for (int i = 0; i < n; i++) {
        for (int d = 0; d < terms[i].n; d++) {
            if (terms[i].label[d] < LETTERS) {
                counts[terms[i].label[d]]++;
            }
        }
    }
    for (int k = 0; k < ellipsis && ret->n < TENSOR_RANK; k++) {
        ret->label[ret->n++] = LETTERS + TENSOR_RANK - ellipsis + k;
    }
    for (int l = 0; l < LETTERS; l++) {
        const int label = (l + 26) % LETTERS;
        if (counts[label] == 1 && ret->n < TENSOR_RANK) {
            ret->label[ret->n++] = label;
        }
    }
}

static int plan_terms(struct step *s, struct einsum *p, struct text equation)
{
    const char *at = equation.chars, *end = at + equation.bytes;
    const char *arrow = memmem(at, equation.bytes, "->", 2);
    const char *inputs_end = arrow ? arrow : end;
    struct term terms[TERMS], out;
    int64_t dims[LABELS], steps[TERMS][LABELS] = {{0}};
    int widest = 0;
    for (int l = 0; l < LABELS; l++) {
        dims[l] = -1;
    }
    for (int i = 0; i < p->n_terms; i++) {
        const char *comma = memchr(at, ',', (size_t) (inputs_end - at));
        const char *to = comma ? comma : inputs_end;
        bool dots;
        const int letters = (int) count_letters(at, (size_t) (to - at), &dots),
                  ellipsis = dots ? s->in[i]->rank - letters : 0;
        if (ellipsis < 0 || (comma == NULL) != (i == p->n_terms - 1) ||
            read_term(at, (size_t) (to - at), ellipsis, &terms[i]) != 0) {
            return step_fail(s, "equation \"%.*s\" does not fit its %d inputs",
                             (int) (equation.bytes < 60 ? equation.bytes : 60), equation.chars, p->n_terms);
        }
        widest = ellipsis > widest ? ellipsis : widest;
        const int status = add_input(s, p, i, &terms[i], dims, steps);
        if (status != KILN_OK) {
            return status;
        }
        at = comma ? comma + 1 : to;
    }
    implied(terms, p->n_terms, widest, &out);
    if (arrow && read_term(arrow + 2, (size_t) (end - arrow - 2), widest, &out) != 0) {
        return step_fail(s, "equation \"%.*s\" has no output that can be read",
                         (int) (equation.bytes < 60 ? equation.bytes : 60), equation.chars);
    }
    return order_labels(s, p, &out, dims, steps);
}

static int plan_einsum(struct step *s)
{
    struct einsum *p = plan_alloc(s->plan, sizeof *p);
    if (!p) {
        return KILN_RESOURCE;
    }
    const enum dtype dtype = s->in[0] ? s->in[0]->dtype : DT_NONE;
    for (int i = 0; i < s->n_in; i++) {
        if (!s->in[i] || s->in[i]->dtype != dtype || s->n_in > TERMS) {
            return step_fail(s, "expected at most %d inputs, all of one type", TERMS);
        }
    }
    switch ((int) dtype) {
    case DT_F32:
        s->run = run_floats;
        break;
    case DT_F64:
        s->run = run_doubles;
        break;
    case DT_I32:
        s->run = run_words;
        break;
    case DT_I64:
        s->run = run_longs;
        break;
    default:
        return step_fail(s, "inputs are %s, expected float32, float64, int32 or int64", dtype_name(dtype));
    }
    p->n_terms = s->n_in;
    s->state = p;
    return plan_terms(s, p, step_text(s, "equation", ""));
}

static const struct op ops[] = {
    {"", "Einsum", 12, 1, -1, 1, 1, plan_einsum},
};

const struct op_table op_einsum = {ops, sizeof ops / sizeof *ops};
