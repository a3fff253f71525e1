/* SPDX-License-Identifier: MPL-2.0 */
#include "window.h"

#include <math.h>
#include <string.h>

#include "functions.h"

static const double pi = 3.14159265358979323846;

/* The weight at place i of 0 .. n - 1, where i <= (n - 1) / 2 and n >= 2. The other half is its mirror. */
typedef double weight(size_t i, size_t n, double parameter);

/* a[0] - a[1] cos(t) + a[2] cos(2 t) - .., where t goes from 0 to 2 pi. */
static double cosines(size_t i, size_t n, const double *a, int count)
{
    const double t = 2 * pi * (double) i / (double) (n - 1);
    double sum = a[0];
    for (int k = 1; k < count; k++) {
        sum += (k % 2 ? -a[k] : a[k]) * cos(k * t);
    }
    return sum;
}

static double boxcar(size_t i, size_t n, double unused)
{
    (void) i, (void) n, (void) unused;
    return 1;
}

static double triang(size_t i, size_t n, double unused)
{
    (void) unused;
    return n % 2 ? 2 * (double) (i + 1) / (double) (n + 1) : (double) (2 * i + 1) / (double) n;
}

static double bartlett(size_t i, size_t n, double unused)
{
    (void) unused;
    return 2 * (double) i / (double) (n - 1);
}

static double cosine(size_t i, size_t n, double unused)
{
    (void) unused;
    return sin(pi / (double) n * ((double) i + 0.5));
}

static double gaussian(size_t i, size_t n, double std)
{
    const double z = ((double) i - (double) (n - 1) / 2) / std;
    return exp(-z * z / 2);
}

/* The modified Bessel function I0: a sum of positive terms, so nothing cancels. */
static double bessel_i0(double x)
{
    const double square = x * x / 4;
    double term = 1, sum = 1;
    for (double k = 1; term > sum * 0x1p-55; k++) {
        term *= square / (k * k);
        sum += term;
    }
    return sum;
}

static double kaiser(size_t i, size_t n, double beta)
{
    const double middle = (double) (n - 1) / 2, r = ((double) i - middle) / middle;
    return bessel_i0(beta * sqrt((1 - r) * (1 + r))) / bessel_i0(beta);
}

#define COSINES(name, ...)                                                                                   \
    static double name(size_t i, size_t n, double unused)                                                    \
    {                                                                                                        \
        static const double a[] = {__VA_ARGS__};                                                             \
        (void) unused;                                                                                       \
        return cosines(i, n, a, (int) KILN_COUNT(a));                                                        \
    }
COSINES(hann, 0.5, 0.5)
COSINES(hamming, 0.54, 0.46)
COSINES(blackman, 0.42, 0.50, 0.08)
COSINES(nuttall, 0.3635819, 0.4891775, 0.1365995, 0.0106411)
COSINES(blackmanharris, 0.35875, 0.48829, 0.14128, 0.01168)
COSINES(flattop, 0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368)

static const struct {
    const char *name;
    weight *at;
    int parameter; /* row of what it needs behind its name, or 0 */
} windows[] = {
    {"boxcar", boxcar, 0},   {"triang", triang, 0},   {"bartlett", bartlett, 0},
    {"hann", hann, 0},       {"hamming", hamming, 0}, {"blackman", blackman, 0},
    {"nuttall", nuttall, 0}, {"flattop", flattop, 0}, {"blackmanharris", blackmanharris, 0},
    {"cosine", cosine, 0},   {"kaiser", kaiser, 1},   {"gaussian", gaussian, 2},
};

static size_t find(const char *name)
{
    size_t i = 0;
    while (strcmp(windows[i].name, name) != 0) { /* one of the row's choices, all of which are here */
        i++;
    }
    return i;
}

int window_make(struct kiln_call *call, const struct kiln_slot *rows, size_t n, bool symmetric, double *out)
{
    static const char *const parameters[] = {NULL, "beta", "std"};
    const size_t which = find(rows[0].text);
    const int needed = windows[which].parameter;
    for (int p = 1; p < WINDOW_ROWS; p++) {
        if ((p == needed) != rows[p].present) {
            return call->host->fail(
                call, KILN_INVALID, parameters[p], "%s is %s, expected %s for the window %s", parameters[p],
                rows[p].present ? "given" : "missing", rows[p].present ? "none" : "a number", rows[0].text);
        }
    }
    if (n == 1) {
        out[0] = 1;
        return KILN_OK;
    }
    const double parameter = needed ? rows[needed].f64 : 0;
    const size_t whole = symmetric ? n : n + 1;
    for (size_t i = 0; i < (whole + 1) / 2; i++) {
        if (i % 4096 == 0 && call->host->cancelled(call)) {
            return KILN_CANCELLED;
        }
        out[i] = windows[which].at(i, whole, parameter);
    }
    for (size_t i = (whole + 1) / 2; i < n; i++) {
        out[i] = out[whole - 1 - i];
    }
    return KILN_OK;
}

/* ---- get_window ---------------------------------------------------------------------------------------- */

static const char get_window_help[] =
    "The nx weights of a window, as scipy.signal.get_window. sym false gives the periodic form for spectra "
    "(the first "
    "nx of nx + 1 symmetric ones), sym true the symmetric one for filters, with equal ends.\n"
    "hann, hamming, blackman, nuttall, blackmanharris and flattop are sums of cosines; triang and bartlett "
    "triangles "
    "without and with zeros at their ends; kaiser is I0(beta sqrt(1 - r^2)) / I0(beta), r from -1 to 1; "
    "gaussian "
    "exp(-(i - middle)^2 / (2 std^2)); cosine sin(pi (i + 1/2) / nx). One weight is 1.";

enum { GET_NX, GET_WINDOW, GET_SYM = GET_WINDOW + WINDOW_ROWS };

static const struct kiln_row get_window_params[] = {
    {.name = "nx",
     .kind = KILN_INT,
     .flags = KILN_REQUIRED,
     .min = 1,
     .max = 1e9,
     .help = "number of weights"},
    ROWS_WINDOW("\"hann\""),
    {.name = "sym", .kind = KILN_BOOL, .fallback = "false", .help = "symmetric instead of periodic"},
};

static const struct kiln_row get_window_results[] = {
    {.name = "window", .kind = KILN_ARRAY, .shape = "k", .help = "weights"},
};

static const struct kiln_golden get_window_goldens[] = {
    {.title = "hann, periodic", .args = "{\"nx\":4}", .result = "{\"window\":[0,0.5,1,0.5]}", .atol = 1e-15},
    {.title = "hann, symmetric",
     .args = "{\"nx\":5,\"sym\":true}",
     .result = "{\"window\":[0,0.5,1,0.5,0]}",
     .atol = 1e-15},
    {.title = "kaiser without its beta",
     .args = "{\"nx\":8,\"window\":\"kaiser\"}",
     .status = KILN_INVALID,
     .result = "beta is missing"},
    {.title = "a thousand weights", .args = "{\"nx\":1000,\"window\":\"kaiser\",\"beta\":8.6}"},
};

static int get_window_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    (void) results;
    double *out = call->host->grow(call, 0, args[GET_NX].i64);
    return out ? window_make(call, &args[GET_WINDOW], (size_t) args[GET_NX].i64, args[GET_SYM].i64, out)
               : KILN_RESOURCE;
}

const struct kiln_function stats_get_window = {
    KILN_FUNCTION_HEAD,      .flags = KILN_PURE, .name = "get_window",  .summary = "weights of a window",
    .help = get_window_help, TABLES(get_window), .run = get_window_run,
};
