# SPDX-License-Identifier: MPL-2.0
"""tracking_error against the literal day-by-day model, its slopes against finite differences, and its symmetries."""
import numpy as np
import pytest

from plugin import Plugin
from staking_model import CORRELATIONS, ORDER, VOLATILITIES, WEIGHTS, covariance, overweight_cost, tracking_error


@pytest.fixture(scope="module")
def staking():
    with Plugin("staking") as plugin:
        yield plugin


def near(have, want, rtol=1e-9, atol=1e-15):
    np.testing.assert_allclose(np.asarray(have, float), np.asarray(want, float), rtol=rtol, atol=atol)


def random_case(seed, assets=None, held=None):
    rng = np.random.default_rng(seed)
    n = assets or int(rng.integers(2, 12))
    s = held or int(rng.integers(1, n))
    factors = rng.normal(size=(n, 2))
    rho = factors @ factors.T + np.diag(.2 + rng.random(n))
    d = np.sqrt(np.diag(rho))
    v = .01 + .08 * rng.random(n)
    sigma = rho / np.outer(d, d) * np.outer(v, v)
    j = int(rng.integers(1, 7))
    return dict(
        weights=rng.dirichlet(np.ones(n)), covariance=(sigma + sigma.T) / 2,
        staking=dict(asset=rng.permutation(n)[:s], staking_pct=rng.random(s), unbonding_period_days=rng.integers(0, 22, s),
                     annual_yield=.3 * rng.random(s), baseline_staking_pct=rng.random(s)),
        redemption=dict(expected_redemptions_per_year=40 * rng.random(),
                        distribution=dict(probability=rng.dirichlet(np.ones(j)), size=rng.random(j))),
        fund_details=dict(current_td=.002 * rng.random(), cap_td=.004 * rng.random()))


def literal(case, **change):
    held, r = {**case["staking"], **change}, case["redemption"]
    return tracking_error(case["covariance"], case["weights"], held["asset"], held["staking_pct"],
                          held["unbonding_period_days"], r["expected_redemptions_per_year"],
                          r["distribution"]["probability"], r["distribution"]["size"])


@pytest.mark.parametrize("seed", range(60))
def test_the_closed_form_is_the_sum_over_days(staking, seed):
    case = random_case(seed)
    have, held = staking("tracking_error", **case), case["staking"]
    near(have["exposure"], overweight_cost(case["covariance"], case["weights"], held["asset"]), atol=1e-18)
    te = literal(case)
    near(have["tracking_error"], te)
    near(have["variance"], te**2)
    one = np.eye(len(held["asset"]), dtype=bool)
    near(have["by_asset"]["te_only"], [literal(case, staking_pct=np.where(only, held["staking_pct"], 0)) for only in one])
    near(have["independence_approx"], np.sqrt((have["by_asset"]["te_only"]**2).sum()))
    near(have["correlation_cost"], te - have["independence_approx"], atol=1e-15)
    near(have["by_asset"]["variance"].sum() + have["pairs"]["variance"].sum(), te**2, atol=1e-18)
    near(have["windows"]["variance"].sum(), te**2, atol=1e-18)
    if te:
        near(have["by_asset"]["contribution_pct"].sum() + have["pairs"]["contribution_pct"].sum(), 100)
    assert list(have["windows"]["to_day"]) == sorted(set(d for d in held["unbonding_period_days"] if d > 0))
    near(have["net_benefit"], check_benefit(case, have))


def check_benefit(case, have):
    held, r = case["staking"], case["redemption"]
    w = case["weights"][held["asset"]]
    p, size = r["distribution"]["probability"], r["distribution"]["size"]
    base = w * np.maximum(0, held["staking_pct"] - held["baseline_staking_pct"]) * held["annual_yield"]
    over = [(p / p.sum()) @ np.maximum(0, size - (1 - s)) for s in held["staking_pct"]]
    extra = w * held["annual_yield"] * r["expected_redemptions_per_year"] * held["unbonding_period_days"] / 365 * over
    near(have["by_asset"]["benefit_baseline"], base)
    near(have["by_asset"]["benefit_marginal"], extra)
    near(have["total_yield_benefit"], (base + extra).sum())
    shortfall = have["tracking_error"] / np.sqrt(2 * np.pi)
    near(have["expected_shortfall"], -shortfall)
    return (base + extra).sum() + min(0, case["fund_details"]["cap_td"] - case["fund_details"]["current_td"] - shortfall)


@pytest.mark.parametrize("seed", range(30))
def test_two_assets_are_calculates_exact_mode(staking, seed):
    rng = np.random.default_rng(seed)
    correlations = {k: v + .1 * (rng.random() - .5) for k, v in CORRELATIONS.items()}
    sigma = covariance(VOLATILITIES, correlations)
    days, levels = rng.integers(0, 20, 2), rng.random(2)
    redemption = dict(expected_redemptions_per_year=18 * rng.random(),
                      distribution=dict(probability=[.6, .3, .1], size=rng.random(3)))
    yields = .2 * rng.random(2)
    two = staking("calculate", mode="exact", redemption=redemption, market=dict(correlations=correlations), staking={
        a: dict(staking_pct=levels[i], unbonding_period_days=days[i], annual_yield=yields[i]) for i, a in enumerate(("eth", "sol"))})
    rho = sigma / np.outer(np.sqrt(np.diag(sigma)), np.sqrt(np.diag(sigma)))
    for risk in (dict(covariance=sigma), dict(volatilities=list(VOLATILITIES.values()), correlations=rho)):
        have = staking("tracking_error", weights=[WEIGHTS[a] for a in ORDER], redemption=redemption, staking=dict(
            asset=[1, 3], staking_pct=levels, unbonding_period_days=days, annual_yield=yields), **risk)
        for name, value in two["decomposition"].items():
            if name in have:
                near(have[name], value, rtol=1e-13, atol=1e-14)
        near(have["tracking_error"], two["decomposition"]["tracking_error"], rtol=1e-14, atol=0)
        near(have["net_benefit_bps"], two["net_benefit"]["net_benefit_bps"], rtol=1e-13)


@pytest.mark.parametrize("seed", range(20))
def test_slopes_are_finite_differences(staking, seed):
    case = random_case(1000 + seed)
    held, h = case["staking"], 1e-6

    def at(levels, **change):
        have = staking("tracking_error", **{**case, **change, "staking": {**held, "staking_pct": levels}})
        return have["tracking_error"], have["net_benefit"]

    have = staking("tracking_error", **case)
    assert (np.isnan(have["by_asset"]["dte_dlevel"]) == (have["tracking_error"] == 0)).all()
    if have["tracking_error"] < 1e-6:
        return
    for a, level in enumerate(held["staking_pct"]):
        low, high = (held["staking_pct"] + d * (np.arange(len(held["asset"])) == a) for d in (-h, h))
        (te0, net0), (te1, net1) = at(low), at(high)
        near(have["by_asset"]["dte_dlevel"][a], (te1 - te0) / 2 / h, rtol=1e-5, atol=1e-8)
        near(have["by_asset"]["dnet_dlevel"][a], (net1 - net0) / 2 / h, rtol=1e-5, atol=1e-8)
    rate = case["redemption"]["expected_redemptions_per_year"]
    te = [at(held["staking_pct"], redemption={**case["redemption"], "expected_redemptions_per_year": rate * (1 + d)})[0]
          for d in (-1e-5, 1e-5)]
    near(have["dte_dlambda"], (te[1] - te[0]) / (2e-5 * rate), rtol=1e-7)


@pytest.mark.parametrize("seed", range(10))
def test_symmetries(staking, seed):
    case = random_case(2000 + seed, assets=8, held=4)
    first = staking("tracking_error", **case)
    rng = np.random.default_rng(seed)
    # The order of the benchmark and of the staked assets is of no account.
    order = rng.permutation(8)
    moved = {**case, "weights": case["weights"][order], "covariance": case["covariance"][np.ix_(order, order)]}
    moved["staking"] = {**case["staking"], "asset": np.argsort(order)[case["staking"]["asset"]]}
    near(staking("tracking_error", **moved)["net_benefit"], first["net_benefit"], rtol=1e-10)
    turn = rng.permutation(4)
    moved = {**case, "staking": {k: np.asarray(v)[turn] for k, v in case["staking"].items()}}
    other = staking("tracking_error", **moved)
    near(other["tracking_error"], first["tracking_error"], rtol=1e-11)
    near(other["by_asset"]["dte_dlevel"], first["by_asset"]["dte_dlevel"][turn], rtol=1e-10)
    # Scaling the covariance, days or lambda by c^2 scales TE by c; more of lambda is never less.
    near(staking("tracking_error", **{**case, "covariance": 9 * case["covariance"]})["tracking_error"], 3 * first["tracking_error"])
    longer = {**case["staking"], "unbonding_period_days": case["staking"]["unbonding_period_days"] * 4}
    near(staking("tracking_error", **{**case, "staking": longer})["tracking_error"], 2 * first["tracking_error"])
    # A split of one size into two equal ones changes nothing.
    d = case["redemption"]["distribution"]
    split = dict(probability=np.append(d["probability"] / 2, d["probability"] / 2), size=np.append(d["size"], d["size"]))
    redemption = {**case["redemption"], "distribution": split}
    near(staking("tracking_error", **{**case, "redemption": redemption})["tracking_error"], first["tracking_error"])


def test_prices_in_place_of_a_covariance(staking):
    rng = np.random.default_rng(4)
    prices = 50 * np.exp(np.cumsum(.03 * rng.normal(size=(200, 5)), 0))
    case = random_case(7, assets=5, held=3)
    sigma = np.cov(np.diff(np.log(prices), axis=0).T)
    want = staking("tracking_error", **{**case, "covariance": sigma})
    case.pop("covariance")
    near(staking("tracking_error", prices=prices, **case)["tracking_error"], want["tracking_error"])
    named = {n: prices[:, i] for i, n in enumerate("vwxyz")}
    near(staking("tracking_error", prices=named, **case)["tracking_error"], want["tracking_error"])
    assert staking.refused("tracking_error", prices=prices[:, :4], **case).field == "prices"


def test_a_large_benchmark(staking):
    case = random_case(9, assets=300, held=40)
    near(staking("tracking_error", **case)["tracking_error"], literal(case), rtol=1e-8)


def test_refusals(staking):
    case = random_case(11, assets=4, held=2)

    def no(field, words="", **change):
        refused = staking.refused("tracking_error", **{k: v for k, v in {**case, **change}.items() if v is not None})
        assert (refused.status, refused.field) == ("invalid", field) and words in refused.text, refused

    sigma = case["covariance"]
    no("weights", "sum to", weights=[.1, .2, .3, .3])
    no("weights", weights=[-.1, .5, .3, .3])
    no("covariance", covariance=None)
    no("covariance", prices=np.ones((9, 4)))
    no("covariance", volatilities=[.1] * 4)
    no("covariance", "", covariance=sigma[:3, :3])
    skew = sigma.copy()
    skew[1, 2] *= 1.5
    no("covariance", "symmetric", covariance=skew)
    no("covariance", "singular", covariance=np.ones((4, 4)))
    no("covariance", "covariance[2][2] is 0", covariance=sigma * np.array([1, 1, 0, 1]))
    no("covariance", "positive definite", covariance=np.diag([.1] * 4) - .09 * (1 - np.eye(4)))
    no("covariance", covariance=sigma * np.nan)
    no("correlations", "expected 1", covariance=None, volatilities=[.1] * 4, correlations=np.eye(4) * .5)
    no("volatilities", covariance=None, volatilities=[.1, .1, 0, .1], correlations=np.eye(4))
    no("staking", "4 weights", staking=dict(asset=[4]))
    no("staking", "twice", staking=dict(asset=[1, 1]))
    no("staking", "4 of 4", staking=dict(asset=[0, 1, 2, 3]))
    no("staking[].staking_pct", "staking[1]", staking=dict(asset=[0, 1], staking_pct=[.5, 1.5]))
    no("redemption.distribution", "sum to", redemption=dict(distribution=dict(probability=[.5], size=[.5])))
    no("redemption.expected_redemptions_per_year", "range of double", redemption=dict(expected_redemptions_per_year=1e300),
       staking=dict(asset=[1], unbonding_period_days=[1e300]))
    n = 1001
    no("weights", "at most 1000", weights=np.full(n, 1 / n), covariance=np.eye(n))
