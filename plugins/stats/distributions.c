/* SPDX-License-Identifier: MPL-2.0 */
/* distributions - densities and distribution functions. */
#include <math.h>

#include "functions.h"
#include "sample.h"

static const char normal_pdf_help[] =
    "Density of the normal distribution, exp(-z^2 / 2) / (sigma sqrt(2 pi)) with z = (x - mu) / sigma, as "
    "scipy.stats.norm.pdf.\n"
    "Right to two units in the last place, also far from mu, where rounding z would cost z^2 units; 0 at "
    "infinity. sigma <= 0 is refused. A NaN in x gives NaN in its place, also with nan_policy omit.";

enum { X, MU, SIGMA, NAN_POLICY };

static const struct kiln_row normal_pdf_params[] = {
    ROW_X("places at which the density is wanted"),
    {.name = "mu",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE,
     .fallback = "0",
     .help = "mean, in the unit of x"},
    {.name = "sigma",
     .kind = KILN_FLOAT,
     .flags = KILN_FINITE | KILN_OPEN_MIN,
     .min = 0,
     .max = HUGE_VAL,
     .fallback = "1",
     .help = "standard deviation, in the unit of x"},
    ROW_NAN_POLICY("what a NaN in x does: give NaN in its place (propagate and omit), or be refused"),
};

static const struct kiln_row normal_pdf_results[] = {
    {.name = "pdf", .kind = KILN_ARRAY, .shape = "n", .help = "density at each place, per unit of x"},
};

static const struct kiln_golden normal_pdf_goldens[] = {
    {.title = "standard normal",
     .args = "{\"x\":[0,null,40]}",
     .result = "{\"pdf\":[0.3989422804014327,null,0]}",
     .rtol = 1e-15},
    {.title = "at 1.5, mean 1, deviation 2",
     .args = "{\"x\":[1.5],\"mu\":1,\"sigma\":2}",
     .result = "{\"pdf\":[0.19333405840142465]}",
     .rtol = 1e-15},
    {.title = "no deviation",
     .args = "{\"x\":[1.5],\"sigma\":0}",
     .status = KILN_INVALID,
     .result = "sigma is 0"},
    {.title = "10,000 places", .args = "{\"x\":{\"$normal\":[10000,1]},\"mu\":0.1,\"sigma\":1.5}"},
};

static int normal_pdf_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *results)
{
    const struct kernels *k = call->state;
    if (nan_policy_of(&args[NAN_POLICY]) == NAN_RAISE) {
        struct sample s;
        int status = sample_take(call, &args[X], "x", NAN_RAISE, &s);
        if (status) {
            return status;
        }
    }
    k->normal_pdf(args[X].array.data, (size_t) args[X].array.count, args[MU].f64, args[SIGMA].f64,
                  results[0].array.data);
    return KILN_OK;
}

const struct kiln_function stats_normal_pdf = {
    KILN_FUNCTION_HEAD,      .flags = KILN_PURE,
    .name = "normal_pdf",    .summary = "density of the normal distribution",
    .help = normal_pdf_help, TABLES(normal_pdf),
    .run = normal_pdf_run,
};
