/* SPDX-License-Identifier: MPL-2.0 */
/* spectrum - power over frequency of one series, and what two series have in common. */
#include <math.h>
#include <string.h>

#include "fft.h"
#include "functions.h"
#include "segments.h"

#define HELP_ONE_SIDED                                                                                       \
    "One-sided: frequencies 0 .. fs/2, where the power at frequencies other than 0 and fs/2 counts twice."

#define HELP_SEGMENTS                                                                                        \
    "Segments of nperseg values (256, or all when there are fewer), each noverlap values (half) into the "   \
    "one "                                                                                                   \
    "before it; an incomplete last one is left out. Each loses its mean or line (detrend), is weighed by "   \
    "the "                                                                                                   \
    "periodic window, lengthened with zeros to nfft, and transformed. A NaN makes every result NaN."

#define ROW_SERIES(letter, text)                                                                             \
    {                                                                                                        \
        .name = letter, .kind = KILN_ARRAY, .flags = KILN_REQUIRED, .shape = "n", .help = text               \
    }
#define ROW_FS                                                                                               \
    {                                                                                                        \
        .name = "fs", .kind = KILN_FLOAT, .unit = "1/time", .flags = KILN_OPEN_MIN | KILN_FINITE, .min = 0,  \
        .max = HUGE_VAL, .fallback = "1", .help = "samples per unit of time"                                 \
    }
#define ROWS_SEGMENTS                                                                                        \
    {.name = "nperseg",                                                                                      \
     .kind = KILN_INT,                                                                                       \
     .min = 1,                                                                                               \
     .max = FFT_MAX,                                                                                         \
     .help = "values in a segment; absent: 256; more than n: n"},                                            \
    {                                                                                                        \
        .name = "noverlap", .kind = KILN_INT, .min = 0, .max = FFT_MAX,                                      \
        .help = "values that neighbours share, less than nperseg; absent: half of them"                      \
    }
#define ROWS_TRANSFORM(standard)                                                                             \
    {.name = "nfft",                                                                                         \
     .kind = KILN_INT,                                                                                       \
     .min = 1,                                                                                               \
     .max = FFT_MAX,                                                                                         \
     .help = "length of the transform; absent: that of a segment"},                                          \
    {                                                                                                        \
        .name = "detrend", .kind = KILN_STRING, .choices = "constant|linear|none", .fallback = standard,     \
        .help = "what is taken away from each segment: its mean, its line, nothing"                          \
    }
#define ROW_SCALING                                                                                          \
    {                                                                                                        \
        .name = "scaling", .kind = KILN_STRING, .choices = "density|spectrum", .fallback = "\"density\"",    \
        .help = "power per unit of frequency, 1/(fs sum w^2), or power, 1/(sum w)^2"                         \
    }
#define ROW_AVERAGE                                                                                          \
    {                                                                                                        \
        .name = "average", .kind = KILN_STRING, .choices = "mean|median", .fallback = "\"mean\"",            \
        .help = "over the segments; a median is divided by its bias"                                         \
    }
#define ROW_F                                                                                                \
    {                                                                                                        \
        .name = "f", .kind = KILN_ARRAY, .shape = "k", .help = "frequencies, in units of fs"                 \
    }
#define ROW_P(text)                                                                                          \
    {                                                                                                        \
        .name = "pxx", .kind = KILN_ARRAY, .shape = "k", .help = text                                        \
    }

/* Places behind the series. */
enum {
    S_FS,
    S_WINDOW,
    S_NPERSEG = S_WINDOW + WINDOW_ROWS,
    S_NOVERLAP,
    S_NFFT,
    S_DETREND,
    S_SCALING,
    S_AVERAGE
};

/* ---- what they share ----------------------------------------------------------------------------------- */

/* Reads the rows behind the series into s, whose what, x, y and n are set. */
static int read_segments(struct kiln_call *call, const struct kiln_slot *rows, struct segments *s)
{
    const size_t asked = rows[S_NPERSEG].present ? (size_t) rows[S_NPERSEG].i64 : 256;
    s->length = asked < s->n ? asked : s->n;
    const size_t overlap = rows[S_NOVERLAP].present ? (size_t) rows[S_NOVERLAP].i64 : s->length / 2;
    if (overlap >= s->length) {
        return call->host->fail(call, KILN_INVALID, "noverlap",
                                "noverlap is %zu, expected less than the %zu values of a segment", overlap,
                                s->length);
    }
    s->step = s->length - overlap;
    s->nfft = rows[S_NFFT].present ? (size_t) rows[S_NFFT].i64 : s->length;
    if (s->nfft < s->length) {
        return call->host->fail(call, KILN_INVALID, "nfft",
                                "nfft is %zu, expected at least the %zu values of a segment", s->nfft,
                                s->length);
    }
    s->detrend = rows[S_DETREND].text[0];
    return KILN_OK;
}

static double *give_frequencies(struct kiln_call *call, size_t result, const struct segments *s, double fs)
{
    double *f = call->host->grow(call, result, (int64_t) s->half);
    for (size_t i = 0; f && i < s->half; i++) {
        f[i] = (double) i * (fs / (double) s->nfft);
    }
    return f;
}

/* One part as a result, times the factor, and twice that at frequencies that stand for their mirror, too. */
static double *give_part(struct kiln_call *call, size_t result, const struct segments *s, const double *part,
                         double factor)
{
    double *out = call->host->grow(call, result, (int64_t) s->half);
    for (size_t i = 0; out && i < s->half; i++) {
        out[i] = part[i] * (i == 0 || 2 * i == s->nfft ? factor : 2 * factor);
    }
    return out;
}

/* Frequencies and parts as results. */
static int give_spectrum(struct kiln_call *call, const struct segments *s, bool density, double fs)
{
    const double factor = segments_factor(s, density, fs);
    if (!isfinite(factor)) {
        return call->host->fail(call, KILN_INVALID, "window",
                                "the scale 1 / %s is %g, expected other weights or another fs",
                                density ? "(fs sum w^2)" : "(sum w)^2", factor);
    }
    const size_t parts = s->what == POWER ? 1 : 2;
    bool given = give_frequencies(call, 0, s, fs);
    for (size_t i = 0; i < parts; i++) {
        given = given && give_part(call, 1 + i, s, s->parts[i], factor);
    }
    return given ? KILN_OK : KILN_RESOURCE;
}

static int average_spectrum(struct kiln_call *call, struct segments *s, const struct kiln_slot *rows)
{
    s->median = rows[S_AVERAGE].text[2] == 'd'; /* me-d-ian */
    int status = read_segments(call, rows, s);
    if (status == KILN_OK) {
        status = segments_estimate(call, &rows[S_WINDOW], s);
    }
    return status ? status : give_spectrum(call, s, rows[S_SCALING].text[0] == 'd', rows[S_FS].f64);
}

/* ---- welch --------------------------------------------------------------------------------------------- */

static const char welch_help[] = "Power spectral density of x by Welch's method: |X|^2 averaged over "
                                 "overlapping segments, as scipy.signal.welch "
                                 "(P. D. Welch 1967).\n" HELP_SEGMENTS "\n" HELP_ONE_SIDED;

static const struct kiln_row welch_params[] = {
    ROW_SERIES("x", "values"),
    ROW_FS,
    ROWS_WINDOW("\"hann\""),
    ROWS_SEGMENTS,
    ROWS_TRANSFORM("\"constant\""),
    ROW_SCALING,
    ROW_AVERAGE,
};

static const struct kiln_row welch_results[] = {
    ROW_F,
    ROW_P("density of power, or power, at each frequency"),
};

static const struct kiln_golden welch_goldens[] = {
    {.title = "a wave of four samples, power 1/2",
     .args = "{\"x\":[1,0,-1,0,1,0,-1,0],\"nperseg\":4,\"window\":\"boxcar\",\"scaling\":\"spectrum\"}",
     .result = "{\"f\":[0,0.25,0.5],\"pxx\":[0,0.5,0]}",
     .atol = 1e-15},
    {.title = "a constant has no power once its mean is gone",
     .args = "{\"x\":[2.385,2.385,2.385,2.385]}",
     .result = "{\"pxx\":[0,0,0]}"},
    {.title = "too much in common",
     .args = "{\"x\":[1,2,3,4],\"nperseg\":2,\"noverlap\":2}",
     .status = KILN_INVALID,
     .result = "noverlap is 2, expected less than the 2 values"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int welch_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    struct segments s = {.what = POWER, .x = args[0].array.data, .n = (size_t) args[0].array.count};
    return average_spectrum(call, &s, args + 1);
}

const struct kiln_function stats_welch = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE,
    .name = "welch",    .summary = "power over frequency, by Welch's method",
    .help = welch_help, TABLES(welch),
    .run = welch_run,
};

/* ---- csd ----------------------------------------------------------------------------------------------- */

static const char csd_help[] =
    "Cross spectral density of x and y: conj(X) Y averaged over overlapping segments, as scipy.signal.csd. "
    "With y = x it "
    "is welch. A median is taken of real and imaginary parts apart.\n" HELP_SEGMENTS "\n" HELP_ONE_SIDED;

static const struct kiln_row csd_params[] = {
    ROW_SERIES("x", "values"),
    ROW_SERIES("y", "as many values"),
    ROW_FS,
    ROWS_WINDOW("\"hann\""),
    ROWS_SEGMENTS,
    ROWS_TRANSFORM("\"constant\""),
    ROW_SCALING,
    ROW_AVERAGE,
};

static const struct kiln_row csd_results[] = {
    ROW_F,
    {.name = "re", .kind = KILN_ARRAY, .shape = "k", .help = "real part at each frequency"},
    {.name = "im", .kind = KILN_ARRAY, .shape = "k", .help = "imaginary part"},
};

static const struct kiln_golden csd_goldens[] = {
    {.title = "a wave and itself, a quarter later",
     .args = "{\"x\":[1,0,-1,0],\"y\":[0,1,0,-1],\"window\":\"boxcar\",\"scaling\":\"spectrum\"}",
     .result = "{\"f\":[0,0.25,0.5],\"re\":[0,0,0],\"im\":[0,-0.5,0]}",
     .atol = 1e-15},
    {.title = "unequal lengths", .args = "{\"x\":[1,2],\"y\":[1]}", .status = KILN_INVALID, .result = "y"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"y\":{\"$normal\":[10000,2]}}"},
};

static int csd_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    struct segments s = {
        .what = CROSS, .x = args[0].array.data, .y = args[1].array.data, .n = (size_t) args[0].array.count};
    return average_spectrum(call, &s, args + 2);
}

const struct kiln_function stats_csd = {
    KILN_FUNCTION_HEAD, .flags = KILN_PURE, .name = "csd",  .summary = "cross spectral density",
    .help = csd_help,   TABLES(csd),        .run = csd_run,
};

/* ---- coherence ----------------------------------------------------------------------------------------- */

static const char coherence_help[] =
    "Magnitude squared coherence |Pxy|^2 / (Pxx Pyy) of x and y at each frequency, 0 .. 1, as "
    "scipy.signal.coherence. "
    "With a single segment it is 1. Where x or y has no power it is NaN.\n" HELP_SEGMENTS;

static const struct kiln_row coherence_params[] = {
    ROW_SERIES("x", "values"),
    ROW_SERIES("y", "as many values"),
    ROW_FS,
    ROWS_WINDOW("\"hann\""),
    ROWS_SEGMENTS,
    ROWS_TRANSFORM("\"constant\""),
};

static const struct kiln_row coherence_results[] = {
    ROW_F,
    {.name = "cxy", .kind = KILN_ARRAY, .shape = "k", .help = "coherence at each frequency"},
};

static const struct kiln_golden coherence_goldens[] = {
    {.title = "twice the same",
     .args = "{\"x\":[1,3,-1,2],\"y\":[2,6,-2,4],\"nperseg\":2,\"noverlap\":0,\"window\":\"boxcar\"}",
     .result = "{\"f\":[0,0.5],\"cxy\":[null,1]}",
     .rtol = 1e-15},
    {.title = "unequal lengths", .args = "{\"x\":[1,2],\"y\":[1]}", .status = KILN_INVALID, .result = "y"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]},\"y\":{\"$normal\":[10000,2]}}"},
};

static int coherence_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    struct segments s = {.what = COHERENCE,
                         .x = args[0].array.data,
                         .y = args[1].array.data,
                         .n = (size_t) args[0].array.count};
    int status = read_segments(call, args + 2, &s);
    if (status == KILN_OK) {
        status = segments_estimate(call, &args[2 + S_WINDOW], &s);
    }
    if (status) {
        return status;
    }
    double *f = give_frequencies(call, 0, &s, args[2 + S_FS].f64);
    double *out = call->host->grow(call, 1, (int64_t) s.half);
    for (size_t i = 0; f && out && i < s.half; i++) { /* two quotients: products might leave the range */
        const double re = s.parts[0][i], im = s.parts[1][i], cross = hypot(re, im);
        out[i] = cross / s.parts[2][i] * (cross / s.parts[3][i]);
    }
    return f && out ? KILN_OK : KILN_RESOURCE;
}

const struct kiln_function stats_coherence = {
    KILN_FUNCTION_HEAD,     .flags = KILN_PURE,
    .name = "coherence",    .summary = "how far two series move together at each frequency",
    .help = coherence_help, TABLES(coherence),
    .run = coherence_run,
};

/* ---- periodogram --------------------------------------------------------------------------------------- */

static const char periodogram_help[] =
    "Power spectral density of x from one transform of the whole, as scipy.signal.periodogram. nfft less "
    "than n "
    "uses the first nfft values, more lengthens with zeros. A NaN makes every result NaN.\n" HELP_ONE_SIDED;

enum { P_X, P_FS, P_WINDOW, P_NFFT = P_WINDOW + WINDOW_ROWS, P_DETREND, P_SCALING };

static const struct kiln_row periodogram_params[] = {
    ROW_SERIES("x", "values"), ROW_FS, ROWS_WINDOW("\"boxcar\""), ROWS_TRANSFORM("\"constant\""), ROW_SCALING,
};

#define periodogram_results welch_results

static const struct kiln_golden periodogram_goldens[] = {
    {.title = "a wave of four samples at 8 samples a second",
     .args = "{\"x\":[1,0,-1,0],\"fs\":8}",
     .result = "{\"f\":[0,2,4],\"pxx\":[0,0.25,0]}",
     .atol = 1e-15},
    {.title = "one value",
     .args = "{\"x\":[2.5],\"detrend\":\"none\"}",
     .result = "{\"f\":[0],\"pxx\":[6.25]}"},
    {.title = "no rate", .args = "{\"x\":[1,2],\"fs\":0}", .status = KILN_INVALID, .result = "fs"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int periodogram_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    const size_t n = (size_t) args[P_X].array.count,
                 nfft = args[P_NFFT].present ? (size_t) args[P_NFFT].i64 : n;
    const size_t length = nfft < n ? nfft : n;
    if (nfft > FFT_MAX) {
        return call->host->fail(call, KILN_INVALID, "x", "x has %zu values, expected at most %d", n, FFT_MAX);
    }
    struct segments s = {.what = POWER,
                         .x = args[P_X].array.data,
                         .n = length,
                         .length = length,
                         .step = 1,
                         .nfft = nfft,
                         .detrend = args[P_DETREND].text[0]};
    const int status = segments_estimate(call, &args[P_WINDOW], &s);
    return status ? status : give_spectrum(call, &s, args[P_SCALING].text[0] == 'd', args[P_FS].f64);
}

const struct kiln_function stats_periodogram = {
    KILN_FUNCTION_HEAD,       .flags = KILN_PURE,
    .name = "periodogram",    .summary = "power over frequency, from one transform",
    .help = periodogram_help, TABLES(periodogram),
    .run = periodogram_run,
};

/* ---- power_spectrum ------------------------------------------------------------------------------------ */

static const char power_spectrum_help[] =
    "Power |X[k]|^2 / n of the Fourier transform of x, for k = 0 .. n/2, as it is: without window, mean and "
    "doubling. See periodogram for densities. A NaN makes every result NaN.";

static const struct kiln_row power_spectrum_params[] = {ROW_SERIES("x", "values"), ROW_FS};

static const struct kiln_row power_spectrum_results[] = {
    ROW_F,
    {.name = "power", .kind = KILN_ARRAY, .shape = "k", .help = "|X|^2 / n at each frequency"},
};

static const struct kiln_golden power_spectrum_goldens[] = {
    {.title = "1, 2, 3, 4",
     .args = "{\"x\":[1,2,3,4]}",
     .result = "{\"f\":[0,0.25,0.5],\"power\":[25,2,1]}",
     .rtol = 1e-15},
    {.title = "no values", .args = "{\"x\":[]}", .status = KILN_INVALID, .result = "x"},
    {.title = "10,000 values", .args = "{\"x\":{\"$normal\":[10000,1]}}"},
};

static int power_spectrum_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    const size_t n = (size_t) args[0].array.count, half = n / 2 + 1;
    if (n > FFT_MAX) {
        return call->host->fail(call, KILN_INVALID, "x", "x has %zu values, expected at most %d", n, FFT_MAX);
    }
    const struct segments whole = {.nfft = n, .half = half};
    double *pairs = call->host->alloc(call, 2 * half * sizeof *pairs);
    double *power = call->host->grow(call, 1, (int64_t) half);
    const struct fft_plan *plan = pairs && power ? fft_plan(FFT_REAL, n) : NULL;
    if (!plan || !give_frequencies(call, 0, &whole, args[1].f64)) {
        return KILN_RESOURCE;
    }
    fft_real(plan, args[0].array.data, pairs);
    for (size_t i = 0; i < half; i++) {
        power[i] = (pairs[2 * i] * pairs[2 * i] + pairs[2 * i + 1] * pairs[2 * i + 1]) / (double) n;
    }
    return KILN_OK;
}

const struct kiln_function stats_power_spectrum = {
    KILN_FUNCTION_HEAD,          .flags = KILN_PURE,
    .name = "power_spectrum",    .summary = "squares of the Fourier transform",
    .help = power_spectrum_help, TABLES(power_spectrum),
    .run = power_spectrum_run,
};
