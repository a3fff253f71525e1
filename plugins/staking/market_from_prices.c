/* SPDX-License-Identifier: MPL-2.0 */
#include "market_from_prices.h"

#include <string.h>

#include "prices.h"
#include "rows.h"
#include "slots.h"

enum { P_PRICES, P_RETURNS, P_DDOF };
enum { R_ASSETS, R_RETURNS, R_MEAN, R_VOLATILITY, R_CORRELATION, R_COVARIANCE, R_NAMES };

static const struct kiln_row params[] = {
    [P_PRICES] =
        {.name = "prices", .kind = KILN_VALUE, .flags = KILN_REQUIRED, .unit = "price", .help = PRICES_HELP},
    [P_RETURNS] = {RETURNS_ROW("returns")},
    [P_DDOF] = {DDOF_ROW("ddof")},
};

static const struct kiln_row results[] = {
    [R_ASSETS] = {.name = "assets", .kind = KILN_INT, .help = "number of assets"},
    [R_RETURNS] = {.name = "returns", .kind = KILN_INT, .help = "number of returns, one less than of days"},
    [R_MEAN] = {.name = "mean_returns",
                .kind = KILN_ARRAY,
                .shape = "assets",
                .unit = "1/day",
                .help = "mean daily returns"},
    [R_VOLATILITY] = {.name = "volatilities",
                      .kind = KILN_ARRAY,
                      .shape = "assets",
                      .unit = "1/day",
                      .help = "daily volatilities: standard deviations of the returns"},
    [R_CORRELATION] = {.name = "correlations",
                       .kind = KILN_VALUE,
                       .help = "correlation matrix; null where a price never moves"},
    [R_COVARIANCE] = {.name = "covariance", .kind = KILN_VALUE, .help = "daily covariance matrix"},
    [R_NAMES] = {.name = "names",
                 .kind = KILN_VALUE,
                 .help = "names of the assets when prices are a map, else null"},
};

static const struct kiln_golden goldens[] = {
    {
        .title = "two assets over four days",
        .args = "{\"prices\":[[100,10],[110,10.5],[99,10.5],[108.9,9.45]],\"returns\":\"simple\"}",
        .result = "{\"assets\":2,\"returns\":3,\"mean_returns\":[0.03333333333333333,-0.01666666666666667],"
                  "\"volatilities\":[0.11547005383792516,0.07637626158259733],"
                  "\"correlations\":[[1,-0.1889822365046136],[-0.1889822365046136,1]],"
                  "\"covariance\":[[0.013333333333333334,-0.0016666666666666668],"
                  "[-0.0016666666666666668,0.005833333333333334]],\"names\":null}",
        .rtol = 1e-9,
    },
    {
        .title = "a series of its own name, logarithmic, one that never moves",
        .args = "{\"prices\":{\"a\":[1,2,1,2],\"cash\":[1,1,1,1]},\"ddof\":0}",
        .result = "{\"mean_returns\":[0.23104906018664842,0],\"volatilities\":[0.6535054289790312,0],"
                  "\"correlations\":[[1,null],[null,1]],\"names\":[\"a\",\"cash\"]}",
        .rtol = 1e-9,
    },
    {
        .title = "a price of 0",
        .args = "{\"prices\":{\"a\":[1,2,0,2]}}",
        .status = KILN_INVALID,
        .result = "prices.a[2] is 0, expected a finite price above 0",
    },
};

static const char help[] = "Volatilities, correlations and covariance of daily returns, as the other "
                           "functions take them, for any number of "
                           "assets. A return is ln(b / a) of successive prices a and b, or b / a - 1 with "
                           "returns \"simple\". With T "
                           "returns the covariance is sum (x - mean x)(y - mean y) / (T - ddof), taken in "
                           "two passes; the correlation is "
                           "that divided by both volatilities.\n"
                           "\n"
                           "prices is a matrix with a row a day and a column an asset, or a map of equally "
                           "long series. A price that is "
                           "missing, not finite or not above 0 is refused with its place. Correlations with "
                           "a price that never moves are "
                           "null. Source: NumPy's cov and corrcoef.";

/* ---- the call ------------------------------------------------------------------------------------ */

static int put_matrix(struct kiln_call *call, struct kiln_slot *slot, double *data, size_t n)
{
    struct kiln_array *array = call->host->alloc(call, sizeof *array);
    struct kiln_value *value = call->host->alloc(call, sizeof *value);
    if (array == NULL || value == NULL) {
        return KILN_RESOURCE;
    }
    *array = (struct kiln_array){
        .data = data, .rank = 2, .shape = {(int64_t) n, (int64_t) n}, .count = (int64_t) (n * n)};
    *value = (struct kiln_value){.type = KILN_V_ARRAY, .array = array};
    slot->value = value;
    slot->present = 1;
    return KILN_OK;
}

static int put_column(struct kiln_call *call, size_t result, const double *data, size_t n)
{
    double *to = call->host->grow(call, result, (int64_t) n);
    if (to == NULL) {
        return KILN_RESOURCE;
    }
    memcpy(to, data, n * sizeof *to);
    return KILN_OK;
}

/* Names are copied: the arguments are gone when the reply is encoded. */
static int put_names(struct kiln_call *call, struct kiln_slot *slot, const struct prices *p)
{
    struct kiln_value *root = call->host->alloc(call, sizeof *root);
    struct kiln_value *items = call->host->alloc(call, p->assets * sizeof *items);
    if (root == NULL || items == NULL) {
        return KILN_RESOURCE;
    }
    for (size_t a = 0; a < p->assets; a++) {
        size_t bytes = strlen(p->name[a]);
        char *text = call->host->alloc(call, bytes + 1);
        if (text == NULL) {
            return KILN_RESOURCE;
        }
        memcpy(text, p->name[a], bytes + 1);
        items[a] = (struct kiln_value){.type = KILN_V_STRING, .text = text, .count = (uint32_t) bytes};
    }
    *root = (struct kiln_value){.type = KILN_V_LIST, .list = items, .count = (uint32_t) p->assets};
    slot->value = root;
    slot->present = 1;
    return KILN_OK;
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct prices prices;
    struct moments m;
    int rc = prices_read(call, "prices", args[P_PRICES].value, NULL, 0, &prices);
    if (rc == KILN_OK) {
        rc = prices_estimate(call, "prices", "ddof", &prices, strcmp(args[P_RETURNS].text, "simple") == 0,
                             args[P_DDOF].i64, &m);
    }
    if (rc != KILN_OK) {
        return rc;
    }
    out[R_ASSETS].i64 = (int64_t) m.assets;
    out[R_RETURNS].i64 = (int64_t) prices.days - 1;
    out[R_ASSETS].present = out[R_RETURNS].present = 1;
    rc = put_column(call, R_MEAN, m.mean, m.assets);
    rc = rc == KILN_OK ? put_column(call, R_VOLATILITY, m.volatility, m.assets) : rc;
    rc = rc == KILN_OK ? put_matrix(call, &out[R_CORRELATION], m.correlation, m.assets) : rc;
    rc = rc == KILN_OK ? put_matrix(call, &out[R_COVARIANCE], m.covariance, m.assets) : rc;
    return rc == KILN_OK && prices.name != NULL ? put_names(call, &out[R_NAMES], &prices) : rc;
}

const struct kiln_function market_from_prices_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "market_from_prices",
    .summary = "daily volatilities, correlations and covariance of assets from series of prices",
    .help = help,
    TABLES(),
    .run = run,
};
