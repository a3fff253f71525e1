/* SPDX-License-Identifier: MPL-2.0 */
#include "fft_large.h"

#include <fftw3.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    ROWS = 8,
    FINE = 64,    /* factors are products of a coarse and a fine one */
    TOGETHER = 4, /* columns that are woven at a time: a line of the cache of each row */
    LEAST = 1 << 19,
    MOST = 1 << 21, /* lengths; beyond, what lies between would be too much memory */
};

struct fft_large {
    size_t m;
    fftw_plan columns, row;
    double *coarse, *fine; /* ROWS x m / FINE and ROWS x FINE pairs */
};

bool fft_large_suits(size_t n)
{
    return n >= LEAST && n <= MOST && n % (ROWS * FINE) == 0;
}

/* exp(-2 pi i turns / n) */
static void unit(size_t turns, size_t n, double *ret)
{
    const long double angle = 2 * acosl(-1.0L) * (long double) (turns % n) / (long double) n;
    ret[0] = (double) cosl(angle);
    ret[1] = (double) -sinl(angle);
}

struct fft_large *fft_large_new(size_t n)
{
    struct fft_large *p = calloc(1, sizeof *p);
    if (!p) {
        return NULL;
    }
    const size_t m = p->m = n / ROWS, coarse = m / FINE;
    const int rows = ROWS, values = (int) m;
    static _Alignas(64) double somewhere[16]; /* an estimate looks at the addresses only */
    fftw_complex *a = (fftw_complex *) somewhere, *b = (fftw_complex *) (somewhere + 8);
    p->columns = fftw_plan_many_dft(1, &rows, values, a, NULL, values, 1, b, NULL, values, 1, FFTW_FORWARD,
                                    FFTW_ESTIMATE);
    p->row = fftw_plan_dft_1d(values, a, a, FFTW_FORWARD, FFTW_ESTIMATE);
    p->coarse = malloc(2 * ROWS * coarse * sizeof *p->coarse);
    p->fine = malloc(2 * ROWS * FINE * sizeof *p->fine);
    if (!p->columns || !p->row || !p->coarse || !p->fine) {
        fft_large_free(&p);
        return NULL;
    }
    for (size_t t = 0; t < ROWS; t++) {
        for (size_t i = 0; i < coarse; i++) {
            unit(FINE * i * t, n, p->coarse + 2 * (t * coarse + i));
        }
        for (size_t i = 0; i < FINE; i++) {
            unit(i * t, n, p->fine + 2 * (t * FINE + i));
        }
    }
    return p;
}

void fft_large_free(struct fft_large **plan)
{
    struct fft_large *p = *plan;
    *plan = NULL;
    if (p) {
        fftw_destroy_plan(p->columns);
        fftw_destroy_plan(p->row);
        free(p->coarse);
        free(p->fine);
        free(p);
    }
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
static void
turn(double *restrict row, size_t n, const double *restrict coarse, const double *restrict fine)
{
    for (size_t i = 0; i < n; i += FINE, coarse += 2, row += 2 * FINE) {
        const double cr = coarse[0], ci = coarse[1];
        for (size_t k = 0; k < FINE; k++) {
            const double fr = fine[2 * k], fi = fine[2 * k + 1], re = row[2 * k], im = row[2 * k + 1];
            const double wr = cr * fr - ci * fi, wi = cr * fi + ci * fr;
            row[2 * k] = re * wr - im * wi;
            row[2 * k + 1] = re * wi + im * wr;
        }
    }
}

static void weave(const double *restrict rows, size_t m, double *restrict out)
{
    for (size_t k = 0; k < m; k += TOGETHER) {
        for (size_t t = 0; t < ROWS; t++) {
            const double *from = rows + 2 * (t * m + k);
            for (size_t i = 0; i < TOGETHER; i++) {
                out[2 * (ROWS * (k + i) + t)] = from[2 * i];
                out[2 * (ROWS * (k + i) + t) + 1] = from[2 * i + 1];
            }
        }
    }
}

void fft_large_run(const struct fft_large *p, const double *in, double *between, double *out)
{
    const size_t coarse = p->m / FINE;
    double *input = (double *) (uintptr_t) in; /* kept as it is */
    fftw_execute_dft(p->columns, (fftw_complex *) input, (fftw_complex *) between);
    for (size_t t = 0; t < ROWS; t++) {
        double *row = between + 2 * t * p->m;
        if (t > 0) {
            turn(row, p->m, p->coarse + 2 * t * coarse, p->fine + 2 * t * FINE);
        }
        fftw_execute_dft(p->row, (fftw_complex *) row, (fftw_complex *) row);
    }
    weave(between, p->m, out);
}
