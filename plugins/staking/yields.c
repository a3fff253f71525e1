/* SPDX-License-Identifier: MPL-2.0 */
/* yields - what staking pays: compounding, projections, exits, slashing. */
#include "yields.h"

#include <math.h>

#include "rows.h"
#include "slots.h"

#define RATE(path) NUMBER(path), .flags = KILN_FINITE | KILN_REQUIRED, .min = 0, .max = 10, .unit = "1/year"
#define PART(path) NUMBER(path), .flags = KILN_FINITE | KILN_REQUIRED, .min = 0, .max = 1, .unit = "fraction"
#define PERIODS(path, value)                                                                                 \
    .name = path, .kind = KILN_INT, .min = 1, .max = 31622400, .fallback = value, .unit = "1/year"

/* (1 + r (1 - c) / n)^n - 1, without losing the digits of a small rate. */
static double apy_of(double apr, double commission, double periods)
{
    return expm1(periods * log1p(apr * (1 - commission) / periods));
}

/* ---- apr_to_apy ---------------------------------------------------------------------------------- */

enum { AA_APR, AA_PERIODS, AA_COMMISSION };
static const struct kiln_row apr_to_apy_params[] = {
    [AA_APR] = {RATE("apr"), .help = "yearly rate without compounding"},
    [AA_PERIODS] = {PERIODS("periods_per_year", "365"), .help = "how often rewards are compounded, n"},
    [AA_COMMISSION] = {FRACTION("commission", "0"),
                       .help = "part of the rewards that the validator keeps, c"},
};
static const struct kiln_row apr_to_apy_results[] = {
    {YEARLY("apy"), .help = "yearly rate with compounding"},
    {YEARLY("net_apr"), .help = "apr (1 - commission)"},
};
static const struct kiln_golden apr_to_apy_goldens[] = {
    {.title = "10 % in two halves",
     .args = "{\"apr\":0.1,\"periods_per_year\":2}",
     .result = "{\"apy\":0.1025}",
     .rtol = 1e-12},
    {.title = "a tenth of it kept",
     .args = "{\"apr\":0.1,\"periods_per_year\":1,\"commission\":0.1}",
     .result = "{\"apy\":0.09,\"net_apr\":0.09}",
     .rtol = 1e-12},
    {.title = "a negative rate", .args = "{\"apr\":-0.1}", .status = KILN_INVALID, .result = "apr is -0.1"},
};

static int apr_to_apy_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    put(&out[0], apy_of(args[AA_APR].f64, args[AA_COMMISSION].f64, (double) args[AA_PERIODS].i64));
    return put(&out[1], args[AA_APR].f64 * (1 - args[AA_COMMISSION].f64));
}

const struct kiln_function apr_to_apy_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "apr_to_apy",
    .summary = "yearly rate with compounding, after commission",
    .help = "apy = (1 + apr (1 - commission) / n)^n - 1, evaluated by expm1 and log1p so that small rates "
            "keep their digits.",
    TABLES(apr_to_apy_),
    .run = apr_to_apy_run,
};

/* ---- rewards ------------------------------------------------------------------------------------- */

enum { RW_AMOUNT, RW_APR, RW_DAYS, RW_PERIODS, RW_COMMISSION, RW_POINTS };
static const struct kiln_row rewards_params[] = {
    [RW_AMOUNT] = {NUMBER("amount"), .flags = KILN_FINITE | KILN_OPEN_MIN | KILN_REQUIRED, .min = 0,
                   .max = HUGE_VAL, .unit = "coins", .help = "staked at the beginning"},
    [RW_APR] = {RATE("apr"), .help = "yearly rate without compounding"},
    [RW_DAYS] = {NUMBER("days"), .flags = KILN_FINITE, .min = 0, .max = 36525, .fallback = "365",
                 .unit = "day", .help = "how long"},
    [RW_PERIODS] = {.name = "compounds_per_year",
                    .kind = KILN_INT,
                    .min = 0,
                    .max = 31622400,
                    .fallback = "365",
                    .unit = "1/year",
                    .help = "how often rewards are staked again; 0: never"},
    [RW_COMMISSION] = {FRACTION("commission", "0"), .help = "part of the rewards that the validator keeps"},
    [RW_POINTS] = {.name = "points",
                   .kind = KILN_INT,
                   .min = 1,
                   .max = 100000,
                   .fallback = "1",
                   .help = "points of the projection, the last at the end"},
};
static const struct kiln_row rewards_results[] = {
    {.name = "projection", .kind = KILN_TABLE, .shape = "points", .help = "equally spaced in time"},
    {NUMBER("projection[].day"), .unit = "day", .help = "time since the beginning"},
    {NUMBER("projection[].balance"), .unit = "coins", .help = "amount and rewards"},
    {NUMBER("balance"), .unit = "coins", .help = "at the end"},
    {NUMBER("reward"), .unit = "coins", .help = "balance - amount"},
    {NUMBER("commission_paid"), .unit = "coins", .help = "what the validator kept; it is not compounded"},
};
static const struct kiln_golden rewards_goldens[] = {
    {.title = "two years, compounded yearly",
     .args = "{\"amount\":100,\"apr\":0.1,\"days\":730,\"compounds_per_year\":1,\"points\":2}",
     .result = "{\"projection\":{\"day\":[365,730],\"balance\":[110,121]},\"balance\":121,\"reward\":21,"
               "\"commission_paid\":0}",
     .rtol = 1e-12},
    {.title = "half a year, never compounded",
     .args = "{\"amount\":100,\"apr\":0.1,\"days\":182.5,\"compounds_per_year\":0,\"commission\":0.2}",
     .result = "{\"balance\":104,\"commission_paid\":1}",
     .rtol = 1e-12},
    {.title = "nothing staked",
     .args = "{\"amount\":0,\"apr\":0.1}",
     .status = KILN_INVALID,
     .result = "amount is 0"},
};

/* Growth of one coin over `years`, and the part of it the validator would have had: whole periods compound, the rest of the
 * last one pays in proportion. */
static double growth(double rate, double periods, double years)
{
    if (periods == 0) {
        return rate * years;
    }
    double whole = floor(years * periods * (1 + 1e-14)), rest = fmax(0, years * periods - whole);
    double grown = expm1(whole * log1p(rate / periods));
    return grown + (1 + grown) * rate / periods * rest;
}

static int rewards_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const int64_t points = args[RW_POINTS].i64;
    const double amount = args[RW_AMOUNT].f64, days = args[RW_DAYS].f64, kept = args[RW_COMMISSION].f64;
    const double rate = args[RW_APR].f64 * (1 - kept), periods = (double) args[RW_PERIODS].i64;
    double *day = call->host->grow(call, 1, points), *balance = call->host->grow(call, 2, points);
    if (day == NULL || balance == NULL) {
        return KILN_RESOURCE;
    }
    out[0].present = 1;
    out[0].i64 = points;
    for (int64_t i = 0; i < points; i++) {
        day[i] = i + 1 == points ? days : days * (double) (i + 1) / (double) points;
        balance[i] = amount * (1 + growth(rate, periods, day[i] / 365));
    }
    const double reward = amount * growth(rate, periods, days / 365);
    if (!isfinite(reward)) {
        return call->host->fail(call, KILN_INVALID, "amount",
                                "amount is %g, expected less: the balance is beyond the range of double",
                                amount);
    }
    put(&out[3], amount + reward);
    put(&out[4], reward);
    /* Of every reward r (1 - c) that was paid, r c was kept. */
    return put(&out[5], kept < 1 ? reward * kept / (1 - kept) : amount * args[RW_APR].f64 * days / 365);
}

const struct kiln_function rewards_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "rewards",
    .summary = "balance over time, with rewards staked again",
    .help = "With rate r = apr (1 - commission) and n compoundings a year of 365 days the balance after k "
            "whole periods and the part f of "
            "the next is amount (1 + r/n)^k (1 + f r/n); without compounding amount (1 + r days / 365). "
            "points equally spaced times "
            "are returned, the last at the end.",
    TABLES(rewards_),
    .run = rewards_run,
};

/* ---- break_even ---------------------------------------------------------------------------------- */

enum { BE_APR, BE_DAYS, BE_COST, BE_COMMISSION, BE_PERIODS };
static const struct kiln_row break_even_params[] = {
    [BE_APR] = {RATE("apr"), .help = "yearly rate without compounding"},
    [BE_DAYS] = {NOT_NEGATIVE("unbonding_period_days", "0"), .unit = "day",
                 .help = "days at the end that earn nothing"},
    [BE_COST] = {FRACTION("exit_cost", "0"),
                 .help = "part of the amount that entering and leaving costs: fees, slippage, a discount"},
    [BE_COMMISSION] = {FRACTION("commission", "0"), .help = "part of the rewards that the validator keeps"},
    [BE_PERIODS] = {.name = "compounds_per_year",
                    .kind = KILN_INT,
                    .min = 0,
                    .max = 31622400,
                    .fallback = "0",
                    .unit = "1/year",
                    .help = "how often rewards are staked again; 0: never"},
};
static const struct kiln_row break_even_results[] = {
    {NUMBER("earning_days"), .unit = "day",
     .help = "days of rewards that pay for the exit; null when no time does"},
    {NUMBER("total_days"), .unit = "day", .help = "the same and the unbonding; null likewise"},
    {NUMBER("opportunity_cost"), .unit = "fraction",
     .help = "rewards that the unbonding period goes without"},
};
static const struct kiln_golden break_even_goldens[] = {
    {.title = "one per cent at 7.3 % a year",
     .args = "{\"apr\":0.073,\"exit_cost\":0.01,\"unbonding_period_days\":10}",
     .result = "{\"earning_days\":50,\"total_days\":60,\"opportunity_cost\":0.002}",
     .rtol = 1e-12},
    {.title = "no rewards never pay",
     .args = "{\"apr\":0,\"exit_cost\":0.01}",
     .result = "{\"earning_days\":null,\"total_days\":null}"},
    {.title = "a cost beyond everything",
     .args = "{\"apr\":0.1,\"exit_cost\":2}",
     .status = KILN_INVALID,
     .result = "exit_cost is 2"},
};

static int break_even_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    const double rate = args[BE_APR].f64 * (1 - args[BE_COMMISSION].f64), cost = args[BE_COST].f64;
    const double n = (double) args[BE_PERIODS].i64, wait = args[BE_DAYS].f64;
    /* Rewards g must leave (1 + g)(1 - cost) = 1. */
    const double wanted = cost < 1 ? cost / (1 - cost) : HUGE_VAL;
    const double simple = cost / rate; /* without compounding the cost is taken off the amount */
    const double years = cost == 0 ? 0 : n == 0 ? simple : log1p(wanted) / (n * log1p(rate / n));
    if (isfinite(years)) {
        put(&out[0], years * 365);
        put(&out[1], years * 365 + wait);
    }
    return put(&out[2], rate * wait / 365);
}

const struct kiln_function break_even_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "break_even",
    .summary = "how long stake must earn to pay for its exit",
    .help = "Without compounding exit_cost / rate years with rate = apr (1 - commission): rewards as large "
            "as the cost. With n compoundings a "
            "year ln(1 / (1 - exit_cost)) / (n ln(1 + rate / n)) years: what is left after the exit is what "
            "was staked. "
            "opportunity_cost = rate unbonding_period_days / 365.",
    TABLES(break_even_),
    .run = break_even_run,
};

/* ---- portfolio_yield ----------------------------------------------------------------------------- */

enum { PY_WEIGHTS, PY_YIELDS, PY_LEVELS, PY_COMMISSIONS };
#define PER_ASSET(path, low, high, word, text)                                                               \
    {                                                                                                        \
        .name = path, .kind = KILN_ARRAY, .flags = KILN_FINITE, .shape = "n", .min = low, .max = high,       \
        .unit = word, .help = text                                                                           \
    }
static const struct kiln_row portfolio_yield_params[] = {
    [PY_WEIGHTS] = {.name = "weights",
                    .kind = KILN_ARRAY,
                    .flags = KILN_REQUIRED | KILN_FINITE,
                    .shape = "n",
                    .min = 0,
                    .max = HUGE_VAL,
                    .help = "amounts or weights of the assets; they are normalised"},
    [PY_YIELDS] = {.name = "yields",
                   .kind = KILN_ARRAY,
                   .flags = KILN_REQUIRED | KILN_FINITE,
                   .shape = "n",
                   .min = 0,
                   .max = 10,
                   .unit = "1/year",
                   .help = "yearly yield of each when staked"},
    [PY_LEVELS] = PER_ASSET("levels", 0, 1, "fraction", "part of each that is staked; when absent all of it"),
    [PY_COMMISSIONS] = PER_ASSET("commissions", 0, 1, "fraction",
                                 "part of its rewards that the validator keeps; when absent none"),
};
static const struct kiln_row portfolio_yield_results[] = {
    {YEARLY("portfolio_yield"), .help = "of the whole portfolio"},
    {YEARLY("staked_yield"), .help = "of what is staked; null when nothing is"},
    {NUMBER("staked_share"), .unit = "fraction", .help = "part of the portfolio that is staked"},
    {.name = "contributions",
     .kind = KILN_ARRAY,
     .shape = "n",
     .unit = "1/year",
     .help = "each asset's part of portfolio_yield"},
};
static const struct kiln_golden portfolio_yield_goldens[] = {
    {.title = "two assets, one half staked",
     .args = "{\"weights\":[3,1],\"yields\":[0.04,0.08],\"levels\":[0.5,1]}",
     .result = "{\"portfolio_yield\":0.035,\"staked_yield\":0.056,\"staked_share\":0.625,\"contributions\":["
               "0.015,0.02]}",
     .rtol = 1e-12},
    {.title = "nothing staked",
     .args = "{\"weights\":[1],\"yields\":[0.04],\"levels\":[0]}",
     .result = "{\"portfolio_yield\":0,\"staked_yield\":null}"},
    {.title = "no weight at all",
     .args = "{\"weights\":[0,0],\"yields\":[0.04,0.08]}",
     .status = KILN_INVALID,
     .result = "weights sum to 0, expected more"},
};

static int portfolio_yield_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    const size_t n = (size_t) args[PY_WEIGHTS].array.count;
    const double *weight = args[PY_WEIGHTS].array.data, *yield = args[PY_YIELDS].array.data;
    const double *level = args[PY_LEVELS].array.data, *commission = args[PY_COMMISSIONS].array.data;
    double *part = out[3].array.data, sum = 0, earned = 0, staked = 0;
    for (size_t i = 0; i < n; i++) {
        sum += weight[i];
    }
    if (!(sum > 0) || !isfinite(sum)) {
        return call->host->fail(call, KILN_INVALID, "weights",
                                "weights sum to %g, expected more than 0 and finite", sum);
    }
    for (size_t i = 0; i < n; i++) {
        double held = weight[i] / sum * (level ? level[i] : 1);
        part[i] = held * yield[i] * (1 - (commission ? commission[i] : 0));
        staked += held;
        earned += part[i];
    }
    put(&out[0], earned);
    put(&out[2], staked);
    return staked > 0 ? put(&out[1], earned / staked) : KILN_OK;
}

const struct kiln_function portfolio_yield_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "portfolio_yield",
    .summary = "weighted yield of a portfolio that is staked in part",
    .help = "sum w_i l_i y_i (1 - c_i) over the assets with normalised weights w, staked parts l, yields y "
            "and commissions c.",
    TABLES(portfolio_yield_),
    .run = portfolio_yield_run,
};

/* ---- liquid_staking ------------------------------------------------------------------------------ */

enum { LS_PRICE, LS_FAIR, LS_APR, LS_DAYS };
static const struct kiln_row liquid_staking_params[] = {
    [LS_PRICE] = {NUMBER("price"), .flags = KILN_FINITE | KILN_OPEN_MIN | KILN_REQUIRED, .min = 0,
                  .max = HUGE_VAL, .unit = "price", .help = "market price of the liquid staking token"},
    [LS_FAIR] = {NUMBER("fair_value"), .flags = KILN_FINITE | KILN_OPEN_MIN, .min = 0, .max = HUGE_VAL,
                 .fallback = "1", .unit = "price", .help = "what it can be redeemed for, in the same unit"},
    [LS_APR] = {NUMBER("apr"), .flags = KILN_FINITE, .min = 0, .max = 10, .fallback = "0", .unit = "1/year",
                .help = "yearly yield that redeeming goes without while it waits"},
    [LS_DAYS] = {NOT_NEGATIVE("redemption_days", "10"), .unit = "day", .help = "how long redeeming takes"},
};
static const struct kiln_row liquid_staking_results[] = {
    {NUMBER("discount"), .unit = "fraction", .help = "1 - price / fair_value; below 0: a premium"},
    {NUMBER("waiting_cost"), .unit = "fraction",
     .help = "apr redemption_days / 365: what waiting for the redemption costs instead"},
    {YEARLY("implied_rate"),
     .help = "yearly rate that buying at price and redeeming earns; null when redeeming takes no time"},
    {.name = "sell",
     .kind = KILN_BOOL,
     .help = "selling at the discount costs less than redeeming and waiting"},
};
static const struct kiln_golden liquid_staking_goldens[] = {
    {.title = "one per cent below",
     .args = "{\"price\":0.99,\"apr\":0.0365,\"redemption_days\":10}",
     .result =
         "{\"discount\":0.01,\"waiting_cost\":0.001,\"implied_rate\":0.3686868686868687,\"sell\":false}",
     .rtol = 1e-9},
    {.title = "a premium",
     .args = "{\"price\":1.01,\"redemption_days\":0}",
     .result = "{\"discount\":-0.01,\"implied_rate\":null,\"sell\":true}",
     .rtol = 1e-9},
    {.title = "no price", .args = "{\"price\":0}", .status = KILN_INVALID, .result = "price is 0"},
};

static int liquid_staking_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    const double price = args[LS_PRICE].f64, fair = args[LS_FAIR].f64, days = args[LS_DAYS].f64;
    const double discount = (fair - price) / fair, cost = args[LS_APR].f64 * days / 365;
    put(&out[0], discount);
    put(&out[1], cost);
    if (days > 0) {
        put(&out[2], (fair - price) / price * 365 / days);
    }
    out[3].present = 1;
    out[3].i64 = discount < cost;
    return KILN_OK;
}

const struct kiln_function liquid_staking_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "liquid_staking",
    .summary = "cost of selling a liquid staking token at its discount, beside redeeming it",
    .help = "discount = 1 - price / fair_value; waiting_cost = apr redemption_days / 365; implied_rate = "
            "(fair_value / price - 1) 365 / "
            "redemption_days, simple interest.",
    TABLES(liquid_staking_),
    .run = liquid_staking_run,
};

/* ---- slashing ------------------------------------------------------------------------------------ */

enum { SL_VALIDATORS, SL_P, SL_PENALTY, SL_CORRELATION, SL_COVERAGE };
static const struct kiln_row slashing_params[] = {
    [SL_VALIDATORS] = {.name = "validators",
                       .kind = KILN_INT,
                       .min = 1,
                       .max = 1e9,
                       .fallback = "1",
                       .help = "equal shares of the stake, m"},
    [SL_P] = {PART("probability"), .help = "that one of them is slashed within a year, q"},
    [SL_PENALTY] = {PART("penalty"), .help = "part of its stake that is lost then"},
    [SL_CORRELATION] = {FRACTION("correlation", "0"), .help = "of the slashings of two validators, rho"},
    [SL_COVERAGE] = {FRACTION("coverage", "0"), .help = "part of a loss that an insurance pays"},
};
static const struct kiln_row slashing_results[] = {
    {YEARLY("expected_loss"), .help = "part of the stake, q penalty (1 - coverage)"},
    {YEARLY("loss_std"), .help = "standard deviation of that part"},
    {NUMBER("p_any"), .help = "probability that any is slashed within a year; null when they are correlated"},
};
static const struct kiln_golden slashing_goldens[] = {
    {.title = "a hundred independent validators",
     .args = "{\"validators\":100,\"probability\":0.01,\"penalty\":0.5}",
     .result = "{\"expected_loss\":0.005,\"loss_std\":0.004974937185533100,\"p_any\":0.6339676587267709}",
     .rtol = 1e-9},
    {.title = "all or none",
     .args = "{\"validators\":100,\"probability\":0.5,\"penalty\":1,\"correlation\":1}",
     .result = "{\"expected_loss\":0.5,\"loss_std\":0.5,\"p_any\":null}",
     .rtol = 1e-9},
    {.title = "a probability above 1",
     .args = "{\"probability\":2,\"penalty\":1}",
     .status = KILN_INVALID,
     .result = "probability is 2"},
};

static int slashing_run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    (void) call;
    const double m = (double) args[SL_VALIDATORS].i64, q = args[SL_P].f64, rho = args[SL_CORRELATION].f64;
    const double lost = args[SL_PENALTY].f64 * (1 - args[SL_COVERAGE].f64);
    put(&out[0], q * lost);
    put(&out[1], lost * sqrt(q * (1 - q) * (1 + (m - 1) * rho) / m));
    return rho == 0 ? put(&out[2], q < 1 ? -expm1(m * log1p(-q)) : 1) : KILN_OK;
}

const struct kiln_function slashing_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "slashing",
    .summary = "expected loss by slashing, its spread, and the chance of any",
    .help = "The stake is spread equally over m validators, each slashed with probability q within a year "
            "and then losing penalty of its "
            "share, of which an insurance pays coverage. Mean q L and variance L^2 q (1 - q) (1 + (m - 1) "
            "rho) / m with L = penalty (1 - "
            "coverage). p_any = 1 - (1 - q)^m.",
    TABLES(slashing_),
    .run = slashing_run,
};
