/* SPDX-License-Identifier: MPL-2.0 */
#include "monte_carlo.h"

#include <math.h>
#include <string.h>

#include "portfolio.h"
#include "rows.h"
#include "slots.h"
#include "simulate.h"

#define WORK_MAX 2e10 /* draws: a few minutes */

enum { P_YEARS = N_PORTFOLIO_COUNT, P_SEED, P_STEPS };

static const struct kiln_row params[] = {
#define PARAM(id, ...) [N_##id] = {__VA_ARGS__},
#include "portfolio.def"
    [P_YEARS] = {.name = "years",
                 .kind = KILN_INT,
                 .min = 2,
                 .max = 1e9,
                 .fallback = "100000",
                 .unit = "year",
                 .help = "how many years are simulated"},
    [P_SEED] = {.name = "seed",
                .kind = KILN_INT,
                .min = 0,
                .max = 0x1p53,
                .fallback = "1",
                .help = "of the random numbers; equal seeds give equal answers on every machine"},
    [P_STEPS] = {.name = "steps",
                 .kind = KILN_STRING,
                 .choices = "interval|day",
                 .fallback = "\"interval\"",
                 .help =
                     "draw the sum of the days between two ends of unbonding at once, or every day apart"},
};

enum {
    R_TE,
    R_TE_ERROR,
    R_CLOSED,
    R_Z,
    R_MEAN,
    R_MEAN_ERROR,
    R_LOSS,
    R_LOSS_ERROR,
    R_LOSS_CLOSED,
    R_SKEW,
    R_KURTOSIS,
    R_REDEMPTIONS
};

static const struct kiln_row results[] = {
    [R_TE] = {YEARLY("tracking_error"), .help = "root of the mean squared yearly active return"},
    [R_TE_ERROR] = {YEARLY("standard_error"), .help = "its standard error"},
    [R_CLOSED] = {YEARLY("closed_form"), .help = "TE of staking.tracking_error"},
    [R_Z] = {NUMBER("z"), .help = "(tracking_error - closed_form) / standard_error; null when that is 0"},
    [R_MEAN] = {YEARLY("mean_return"), .help = "mean active return, expected 0"},
    [R_MEAN_ERROR] = {YEARLY("mean_standard_error"), .help = "its standard error"},
    [R_LOSS] = {YEARLY("expected_shortfall"), .help = "mean of min(0, active return)"},
    [R_LOSS_ERROR] = {YEARLY("expected_shortfall_standard_error"), .help = "its standard error"},
    [R_LOSS_CLOSED] = {YEARLY("expected_shortfall_closed_form"),
                       .help = "-TE sqrt(2/pi) / 2, which takes the active return for normal"},
    [R_SKEW] = {NUMBER("skewness"), .help = "of the active returns about 0; null when they are all 0"},
    [R_KURTOSIS] = {NUMBER("excess_kurtosis"),
                    .help = "likewise, less 3: what the normal assumption leaves out"},
    [R_REDEMPTIONS] = {YEARLY("redemptions_per_year"),
                       .help = "mean number of redemptions drawn, expected lambda"},
};

static void put_tally(struct kiln_slot *out, const struct tally *t, const struct measure *m)
{
    double n = t->years, second = t->second / n, fourth = t->fourth / n, loss = t->loss / n;
    double te = sqrt(second);
    /* sqrt by the delta method; the moments are about 0, which is the mean. */
    double error = te > 0 ? sqrt(fmax(0.0, fourth - second * second) / n) / (2 * te) : 0.0;
    put(&out[R_TE], te);
    put(&out[R_TE_ERROR], error);
    put(&out[R_CLOSED], m->tracking_error);
    if (error > 0) {
        put(&out[R_Z], (te - m->tracking_error) / error);
    }
    put(&out[R_MEAN], t->first / n);
    put(&out[R_MEAN_ERROR], sqrt(second / n));
    put(&out[R_LOSS], loss);
    put(&out[R_LOSS_ERROR], sqrt(fmax(0.0, t->loss_square / n - loss * loss) / n));
    put(&out[R_LOSS_CLOSED], m->shortfall);
    if (second > 0) {
        put(&out[R_SKEW], t->third / n / (second * te));
        put(&out[R_KURTOSIS], fourth / (second * second) - 3);
    }
    put(&out[R_REDEMPTIONS], t->redemptions / n);
}

static int run(struct kiln_call *call, const struct kiln_slot *args, struct kiln_slot *out)
{
    struct portfolio p;
    struct measure m;
    int rc = portfolio_read(call, args, &p);
    rc = rc == KILN_OK ? portfolio_measure_init(call, &p, &m) : rc;
    rc = rc == KILN_OK ? portfolio_measure(call, &p, p.level, &m) : rc;
    if (rc != KILN_OK) {
        return rc;
    }
    const struct simulation simulation = {
        .years = args[P_YEARS].i64,
        .seed = (uint64_t) args[P_SEED].i64,
        .daily = strcmp(args[P_STEPS].text, "day") == 0,
    };
    double work = (double) simulation.years * (1 + p.redemptions) + simulate_work(&p, &simulation);
    if (!(work <= WORK_MAX)) {
        return call->host->fail(
            call, KILN_INVALID, "years",
            "years is %lld, which takes about %.3g random numbers with such redemptions, assets "
            "and windows, expected at most %g",
            (long long) simulation.years, work, WORK_MAX);
    }
    struct tally tally;
    rc = simulate_run(call, &p, &simulation, &tally);
    if (rc == KILN_OK) {
        put_tally(out, &tally, &m);
    }
    return rc;
}

static const char help[] =
    "An independent check of staking.tracking_error, whose arguments it takes: `years` years are drawn. A "
    "year has a "
    "Poisson number of redemptions with mean lambda, each of a size drawn by the distribution; each is an "
    "episode of its own, during whose unbonding the assets of the benchmark move by a multivariate normal "
    "with the "
    "daily covariance and mean 0. The active return of an episode is what the overweights still unbonding, "
    "with "
    "their least risky hedge, make of it. The year's is the sum of its episodes, which share no days: "
    "overlapping redemptions count as independent, as in the closed form.\n"
    "\n"
    "tracking_error is the root of the mean square, its standard error sqrt(var(square) / years) / (2 TE); z "
    "should "
    "look like a standard normal. expected_shortfall shows what the closed form leaves out: the sum is "
    "normal only given the "
    "redemptions, so its tails are heavier and its mean loss smaller.\n"
    "\n"
    "steps \"interval\" draws the days between two ends of unbonding at once, which has the same "
    "distribution as "
    "\"day\". Random numbers: eight xoshiro256++ streams seeded by splitmix64, normals by Box and Muller; "
    "equal seeds "
    "give equal answers on every machine.";

#define ONE                                                                                                  \
    "\"weights\":[0.5,0.5],\"covariance\":[[0.0016,0.0008],[0.0008,0.0025]],\"staking\":[{\"asset\":1,"      \
    "\"staking_pct\":0.8}]"

static const struct kiln_golden goldens[] = {
    {
        .title = "one size, ten days, 200 years",
        .args = "{" ONE
                ",\"redemption\":{\"expected_redemptions_per_year\":20,\"distribution\":[{\"probability\":1,"
                "\"size\":0.3}]},\"years\":200}",
        .result = "{\"closed_form\":0.035355339059327376}",
        .rtol = 1e-12,
    },
    {
        .title = "no redemption",
        .args = "{" ONE ",\"redemption\":{\"expected_redemptions_per_year\":0},\"years\":2}",
        .result = "{\"tracking_error\":0,\"z\":null,\"closed_form\":0,\"redemptions_per_year\":0}",
    },
    {
        .title = "too much",
        .args = "{" ONE ",\"redemption\":{\"expected_redemptions_per_year\":1000000},\"years\":1000000}",
        .status = KILN_INVALID,
        .result = "years is 1000000, which takes about",
    },
};

const struct kiln_function monte_carlo_function = {
    KILN_FUNCTION_HEAD,
    .flags = KILN_PURE,
    .name = "monte_carlo",
    .summary = "tracking error of simulated years beside the closed form",
    .help = help,
    TABLES(),
    .run = run,
};
