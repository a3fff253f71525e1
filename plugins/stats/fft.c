/* SPDX-License-Identifier: MPL-2.0 */
#include "fft.h"

#include <fftw3.h>
#include <math.h>
#include <string.h>

#include "fft_large.h"
#include "fft_wisdom.h"

enum {
    PLANS = 64,             /* kept at most */
    OFTEN = 16,             /* uses after which measuring may pay */
    MEASURE_MAX = 1 << 20,  /* longest transform that is measured */
    PLANS_BYTES = 64 << 20, /* of tables that all plans but the latest may hold */
};

struct fft_plan {
    enum fft_kind kind;
    size_t n, bytes, uses;
    uint64_t last_use;
    fftw_plan plan;
    struct fft_large *large; /* instead of plan; NULL: none */
};

static struct {
    struct fft_plan plans[PLANS];
    size_t count, bytes;
    uint64_t clock;
    int64_t measure_ms; /* 0: never */
} cache;

void fft_init(struct kiln_call *call)
{
    memset(&cache, 0, sizeof cache);
    const struct kiln_value *how = call->host->option(call, "fft_plan");
    const struct kiln_value *limit = call->host->option(call, "fft_plan_ms");
    (void) fftw_import_wisdom_from_string(fft_wisdom);
    if (how && limit && how->text[0] == 'm') {
        cache.measure_ms = limit->i;
        (void) fftw_import_system_wisdom();
    }
}

static void forget(size_t i)
{
    cache.bytes -= cache.plans[i].bytes;
    fftw_destroy_plan(cache.plans[i].plan);
    fft_large_free(&cache.plans[i].large);
    cache.plans[i] = cache.plans[--cache.count];
}

void fft_done(void)
{
    while (cache.count) {
        forget(0);
    }
    fftw_cleanup();
}

/* Tables of a plan: about one complex factor for each value; lengths with a large prime factor need a
 * convolution of at least twice the length, with its own tables. */
static size_t plan_bytes(size_t n)
{
    size_t rest = n;
    for (size_t p = 2; p <= 13; p++) {
        while (rest % p == 0) {
            rest /= p;
        }
    }
    return 4096 + n * sizeof(fftw_complex) * (rest == 1 ? 1 : 6);
}

static fftw_plan make(enum fft_kind kind, size_t n, double *a, double *b, unsigned flags)
{
    switch (kind) {
    case FFT_COMPLEX:
        return fftw_plan_dft_1d((int) n, (fftw_complex *) a, (fftw_complex *) b, FFTW_FORWARD, flags);
    case FFT_REAL:
        return fftw_plan_dft_r2c_1d((int) n, a, (fftw_complex *) b, flags | FFTW_PRESERVE_INPUT);
    default:
        return fftw_plan_dft_c2r_1d((int) n, (fftw_complex *) a, b, flags | FFTW_DESTROY_INPUT);
    }
}

/* An estimate looks at the addresses only: that they are aligned, and two. */
static fftw_plan estimate(enum fft_kind kind, size_t n)
{
    static _Alignas(64) double somewhere[16];
    return make(kind, n, somewhere, somewhere + 8, FFTW_ESTIMATE);
}

/* NULL when there is no memory. When the time is over before it found something, it gives an estimate. */
static fftw_plan measure(enum fft_kind kind, size_t n)
{
    double *a = fftw_alloc_real(2 * n + 2), *b = fftw_alloc_real(2 * n + 2);
    fftw_plan plan = NULL;
    if (a && b) {
        memset(a, 0, (2 * n + 2) * sizeof *a);
        memset(b, 0, (2 * n + 2) * sizeof *b);
        fftw_set_timelimit((double) cache.measure_ms / 1e3);
        plan = make(kind, n, a, b, FFTW_MEASURE);
        fftw_set_timelimit(FFTW_NO_TIMELIMIT);
    }
    fftw_free(a);
    fftw_free(b);
    return plan;
}

static struct fft_plan *find(enum fft_kind kind, size_t n)
{
    for (size_t i = 0; i < cache.count; i++) {
        if (cache.plans[i].n == n && cache.plans[i].kind == kind) {
            return &cache.plans[i];
        }
    }
    return NULL;
}

static void make_room(size_t bytes)
{
    while (cache.count && (cache.count == PLANS || cache.bytes + bytes > PLANS_BYTES)) {
        size_t oldest = 0;
        for (size_t i = 1; i < cache.count; i++) {
            oldest = cache.plans[i].last_use < cache.plans[oldest].last_use ? i : oldest;
        }
        forget(oldest);
    }
}

const struct fft_plan *fft_plan(enum fft_kind kind, size_t n)
{
    struct fft_plan *found = find(kind, n);
    if (!found) {
        const size_t bytes = plan_bytes(n);
        make_room(bytes);
        const bool large = kind == FFT_COMPLEX && fft_large_suits(n);
        struct fft_plan made = {.kind = kind, .n = n, .bytes = bytes};
        if (large ? !(made.large = fft_large_new(n)) : !(made.plan = estimate(kind, n))) {
            return NULL;
        }
        found = &cache.plans[cache.count++];
        *found = made;
        cache.bytes += bytes;
    } else if (cache.measure_ms && found->plan && found->uses == OFTEN && n <= MEASURE_MAX) {
        fftw_plan better = measure(kind, n);
        if (better) {
            fftw_destroy_plan(found->plan);
            found->plan = better;
        }
    }
    found->uses++;
    found->last_use = ++cache.clock;
    return found;
}

size_t fft_between(const struct fft_plan *p)
{
    return p->large ? 2 * p->n : 0;
}

/* FFTW's own types leave no room for const, but these plans keep their input. */
static double *kept(const double *in)
{
    return (double *) (uintptr_t) in;
}

bool fft_all_finite(const double *x, size_t n)
{
    double zero[8] = {0}, all = 0; /* several sums: none waits for the other */
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t j = 0; j < 8; j++) {
            zero[j] += x[i + j] * 0;
        }
    }
    for (; i < n; i++) {
        all += x[i] * 0;
    }
    for (size_t j = 0; j < 8; j++) {
        all += zero[j];
    }
    return all == 0;
}

static void spoil(double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = (double) NAN;
    }
}

/* The first result is the sum of all values, so it tells whether it is worth looking at them. */
void fft_forward(const struct fft_plan *p, const double *in, double *between, double *out)
{
    if (p->large) {
        fft_large_run(p->large, in, between, out);
    } else {
        fftw_execute_dft(p->plan, (fftw_complex *) kept(in), (fftw_complex *) out);
    }
    if (!fft_all_finite(out, 2) && !fft_all_finite(in, 2 * p->n)) {
        spoil(out, 2 * p->n);
    }
}

void fft_real(const struct fft_plan *p, const double *in, double *out)
{
    fftw_execute_dft_r2c(p->plan, kept(in), (fftw_complex *) out);
    if (!fft_all_finite(out, 2) && !fft_all_finite(in, p->n)) {
        spoil(out, 2 * (p->n / 2 + 1));
    }
}

void fft_inverse_real(const struct fft_plan *p, double *in, double *out)
{
    /* FFTW overwrites the input, so it is looked at before. The first and the last imaginary part count for
     * nothing. */
    in[1] = 0;
    if (p->n % 2 == 0) {
        in[p->n + 1] = 0;
    }
    if (fft_all_finite(in, 2 * (p->n / 2 + 1))) {
        fftw_execute_dft_c2r(p->plan, (fftw_complex *) in, out);
    } else {
        spoil(out, p->n);
    }
}

void fft_pairs(const double *re, const double *im, size_t n, double factor, double *out)
{
    for (size_t i = 0; im && i < n; i++) {
        out[2 * i] = re[i] * factor;
        out[2 * i + 1] = im[i] * factor;
    }
    for (size_t i = 0; !im && i < n; i++) {
        out[2 * i] = re[i] * factor;
        out[2 * i + 1] = 0;
    }
}

void fft_parts(const double *pairs, size_t n, double factor, double *re, double *im)
{
    for (size_t i = 0; i < n; i++) {
        re[i] = pairs[2 * i] * factor;
        im[i] = pairs[2 * i + 1] * factor;
    }
}

bool fft_run_real(size_t n, const double *in, double *out)
{
    const struct fft_plan *p = n <= FFT_MAX ? fft_plan(FFT_REAL, n) : NULL;
    if (p) {
        fft_real(p, in, out);
    }
    return p != NULL;
}

bool fft_run_inverse_real(size_t n, double *in, double *out)
{
    const struct fft_plan *p = n <= FFT_MAX ? fft_plan(FFT_INVERSE_REAL, n) : NULL;
    if (p) {
        fft_inverse_real(p, in, out);
    }
    return p != NULL;
}

size_t fft_quick_length(size_t n)
{
    size_t best = 1;
    while (best < n) {
        best *= 2;
    }
    for (size_t fives = 1; fives < best; fives *= 5) {
        for (size_t threes = fives; threes < best; threes *= 3) {
            size_t length = threes;
            while (length < n) {
                length *= 2;
            }
            best = length < best ? length : best;
        }
    }
    return best;
}
