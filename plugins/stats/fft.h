/* SPDX-License-Identifier: MPL-2.0 */
/* fft - Fourier transforms by FFTW, and the plans for them.
 *
 * fft_init() reads the options; fft_plan() gives the plan for a length, made at first sight and kept among
 * the most recently used; fft_forward(), fft_real() and fft_inverse_real() run it; fft_done() forgets
 * everything. FFTW's planner belongs to the process, and so do the plans.
 *
 * Planning. A plan is estimated, in micro- to milliseconds, never measured while a caller waits. For common
 * lengths fft_wisdom.h brings plans that were measured beforehand; they run up to twice as fast. So every
 * worker on the same kind of processor has the same plans, and equal arguments give equal results to the last
 * bit. With the option fft_plan = measure, a length that has been asked for often is planned once more by
 * measuring, for at most fft_plan_ms; what FFTW's system-wide wisdom file holds is used, too. Then workers
 * may differ in the last bit.
 *
 * Complex values lie as pairs re, im. Arrays are aligned to 16 bytes, as all of the host's are. */
#ifndef FFT_H
#define FFT_H

#include <kiln/plugin.h>
#include <stdbool.h>

#define FFT_MAX 1073741824 /* longest transform */

enum fft_kind {
    FFT_COMPLEX,      /* n complex values -> n complex values */
    FFT_REAL,         /* n values -> n/2 + 1 complex values */
    FFT_INVERSE_REAL, /* n/2 + 1 complex values -> n values, without the factor 1/n */
};

struct fft_plan;

/* The options, as rows of the plugin's table. */
#define FFT_OPTIONS                                                                                          \
    {.name = "fft_plan",                                                                                     \
     .kind = KILN_STRING,                                                                                    \
     .choices = "estimate|measure",                                                                          \
     .fallback = "\"estimate\"",                                                                             \
     .help = "measure: plan a length again by measuring once it was asked for often; last bits may change "  \
             "then"},                                                                                        \
    {                                                                                                        \
        .name = "fft_plan_ms", .kind = KILN_INT, .unit = "ms", .min = 1, .max = 60000, .fallback = "500",    \
        .help = "most time that such planning takes of a job"                                                \
    }

void fft_init(struct kiln_call *call);
void fft_done(void);

/* The plan for n values, 1 <= n <= FFT_MAX. Borrowed until the next call. NULL when memory is short. */
const struct fft_plan *fft_plan(enum fft_kind kind, size_t n);

/* How many values of memory between fft_forward wants; 0 for most lengths. */
size_t fft_between(const struct fft_plan *p);

/* X[k] = sum x[j] exp(-2 pi i j k / n). Arrays do not overlap. A NaN or an infinity among the values makes
 * every result NaN. */
void fft_forward(const struct fft_plan *p, const double *in, double *between, double *out);
void fft_real(const struct fft_plan *p, const double *in, double *out);
void fft_inverse_real(const struct fft_plan *p, double *in, double *out); /* destroys in */

/* Plan and transform in one. False when memory is short, or n above FFT_MAX. */
bool fft_run_real(size_t n, const double *in, double *out);
bool fft_run_inverse_real(size_t n, double *in, double *out);

/* The least length not below n whose only prime factors are 2, 3 and 5: those transform quickly. */
size_t fft_quick_length(size_t n);

bool fft_all_finite(const double *x, size_t n);

/* Two arrays to pairs and back, times a factor. im NULL: zeros. */
void fft_pairs(const double *re, const double *im, size_t n, double factor, double *out);
void fft_parts(const double *pairs, size_t n, double factor, double *re, double *im);

#endif
