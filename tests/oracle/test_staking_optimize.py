# SPDX-License-Identifier: MPL-2.0
"""optimize against grids of the literal model, and against SciPy's minimisers started at the best points of these."""
import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from plugin import Plugin
from staking_model import overweight_cost
from test_staking_portfolio import random_case


@pytest.fixture(scope="module")
def staking():
    with Plugin("staking") as plugin:
        yield plugin


class Objective:
    """Net benefit, benefit and TE of many levels at once."""

    def __init__(self, case):
        held, r, fund = case["staking"], case["redemption"], case["fund_details"]
        self.w = case["weights"][held["asset"]]
        days, rate = held["unbonding_period_days"], r["expected_redemptions_per_year"]
        k = overweight_cost(case["covariance"], case["weights"], held["asset"])
        self.h = rate * k * np.minimum.outer(days, days)
        self.p, self.r = np.asarray(r["distribution"]["probability"]), np.asarray(r["distribution"]["size"])
        self.p = self.p / self.p.sum()
        self.income, self.episodes = self.w * held["annual_yield"], rate * days / 365
        self.baseline, self.budget = held["baseline_staking_pct"], fund["cap_td"] - fund["current_td"]

    def __call__(self, levels):
        x = np.maximum(0, self.r - (1 - levels[..., None]))
        second = np.einsum("...aj,...bj,j->...ab", x, x, self.p)
        te = np.sqrt(np.maximum(0, (second * self.h).sum((-1, -2))))
        benefit = (self.income * (np.maximum(0, levels - self.baseline) + self.episodes * (x @ self.p))).sum(-1)
        return benefit + np.minimum(0, self.budget - te / np.sqrt(2 * np.pi)), benefit, te


def grid_of(low, high, steps, kinks):
    axes = [np.unique(np.concatenate([np.linspace(a, b, steps), [k for k in kink if a <= k <= b]]))
            for a, b, kink in zip(low, high, kinks)]
    return np.array(list(itertools.product(*axes)))


def check(staking, case, objective, cap, low, high, steps, seed):
    f = Objective(case)
    request = dict(case, objective=objective, min_levels=low, max_levels=high)
    if cap is not None:
        request["te_cap"] = cap
    kinks = [np.append(1 - f.r, b) for b in f.baseline]
    grid = grid_of(low, high, steps, kinks)
    net, benefit, te = f(grid)
    values = np.where(te <= (np.inf if cap is None else cap), benefit if objective == "yield" else net, -np.inf)
    if values.max() == -np.inf:
        return
    have = staking("optimize", **request)
    best, te_limit = have["total_yield_benefit" if objective == "yield" else "net_benefit"], np.inf if cap is None else cap
    levels = have["optimal_staking_levels"]
    assert (levels >= low).all() and (levels <= high).all() and have["tracking_error"] <= te_limit * (1 + 2e-12)
    own = f(levels)
    np.testing.assert_allclose([have["net_benefit"], have["total_yield_benefit"], have["tracking_error"]], own, rtol=1e-9, atol=1e-13)
    slack = 1e-10 * max(abs(best), 1e-9) + 1e-15
    assert have["proven"] and best <= have["upper_bound"] + slack
    assert best >= values.max() - slack, (best, values.max())
    assert have["cap_binds"] == (cap is not None and have["tracking_error"] >= cap * (1 - 1e-9))
    # Nothing near the best points of the grid, or of the answer, is better either.
    rng = np.random.default_rng(seed)
    scale = max(abs(best), 1e-6)
    for start in [levels, *grid[np.argsort(values)[-3:]]]:
        for width in (1e-1, 1e-3, 1e-6):
            near = np.clip(start + width * rng.normal(size=(2000, len(low))), low, high)
            net, benefit, te = f(near)
            assert np.where(te <= te_limit, benefit if objective == "yield" else net, -np.inf).max() <= best + slack
        if cap is None:
            found = minimize(lambda u: -f(np.clip(u, low, high))[1 if objective == "yield" else 0] / scale, start, method="Nelder-Mead",
                             options=dict(xatol=1e-10, fatol=1e-13, maxiter=600))
            assert -found.fun * scale <= best + slack


@pytest.mark.parametrize("seed", range(40))
def test_two_assets(staking, seed):
    rng = np.random.default_rng(seed)
    case = random_case(500 + seed, assets=int(rng.integers(3, 7)), held=2)
    top = Objective(case)(np.ones(2))[2]
    low = rng.random(2) * .5 * (seed % 2)
    high = 1 - rng.random(2) * .4 * (seed % 3 == 0)
    check(staking, case, ["net_benefit", "yield"][seed % 2], [None, .3 * top, .02 * top, 0][seed % 4], low, high, 60, seed)


@pytest.mark.parametrize("seed", range(12))
def test_three_assets(staking, seed):
    case = random_case(700 + seed, assets=6, held=3)
    top = Objective(case)(np.ones(3))[2]
    check(staking, case, ["yield", "net_benefit"][seed % 2], [None, .4 * top, .1 * top][seed % 3], np.zeros(3), np.ones(3), 18, seed)


@pytest.mark.parametrize("seed", range(6))
def test_one_asset_against_a_fine_line(staking, seed):
    case = random_case(900 + seed, assets=3, held=1)
    check(staking, case, "net_benefit", None, np.zeros(1), np.ones(1), 20001, seed)


def test_overweights_that_offset_each_other(staking):
    # Assets 1 and 3 move against each other, and nothing else moves much.
    sigma = np.array([[.5, 0, 0, 0], [0, 4, 0, -3.5], [0, 0, .5, 0], [0, -3.5, 0, 4]]) * 1e-3
    seen = 0
    for seed in range(10):
        case = random_case(40 + seed, assets=4, held=2)
        case["covariance"] = sigma
        case["staking"]["asset"] = np.array([1, 3])
        case["staking"]["unbonding_period_days"] = np.array([5, 9])
        seen += Objective(case).h[0, 1] < 0
        check(staking, case, "net_benefit", None, np.zeros(2), np.ones(2), 60, seed)
        check(staking, case, "yield", Objective(case)(np.ones(2))[2] * .7, np.zeros(2), np.ones(2), 60, seed)
    assert seen == 10


def test_frontier(staking):
    case = random_case(61, assets=5, held=3)
    top = Objective(case)(np.ones(3))[2]
    caps = np.linspace(0, 1.1 * top, 23)
    have = staking("optimize", objective="yield", caps=caps, **case)
    f = have["frontier"]
    assert (f["tracking_error"] <= caps * (1 + 2e-12)).all() and (np.diff(f["total_yield_benefit"]) >= -1e-15).all()
    assert f["proven"].all() and list(f["cap_binds"][-1:]) == [0]
    for i in (0, 5, 13, 22):
        one = staking("optimize", objective="yield", te_cap=caps[i], **case)
        assert list(have["frontier_levels"][i]) == list(one["optimal_staking_levels"])
        assert f["net_benefit_bps"][i] == one["net_benefit_bps"]
    low = staking("optimize", objective="yield", caps=[0, top], min_levels=[1, 1, 1], **case)["frontier"]
    assert np.isnan(low["tracking_error"][0]) and low["tracking_error"][1] > 0


def test_many_sizes_and_many_assets(staking):
    rng = np.random.default_rng(3)
    case = random_case(62, assets=5, held=2)
    case["redemption"]["distribution"] = dict(probability=rng.dirichlet(np.ones(50)), size=rng.random(50))
    check(staking, case, "net_benefit", None, np.zeros(2), np.ones(2), 10, 0)
    case = random_case(63, assets=12, held=8)
    have = staking("optimize", **case)
    sample = rng.random((20000, 8))
    assert Objective(case)(sample)[0].max() <= have["net_benefit"] <= have["upper_bound"] + 1e-15
    short = staking("optimize", max_boxes=3, **case)
    assert short["boxes"] <= 5 and short["net_benefit"] <= have["net_benefit"] + 1e-15
    assert short["upper_bound"] >= have["net_benefit"] - 1e-15


def test_refusals(staking):
    case = random_case(64, assets=5, held=2)
    assert staking.refused("optimize", te_cap=-1, **case).field == "te_cap"
    assert staking.refused("optimize", min_levels=[0, .6], max_levels=[1, .5], **case).field == "min_levels"
    assert staking.refused("optimize", min_levels=[0], **case).field == "min_levels"
    assert staking.refused("optimize", objective="most", **case).field == "objective"
    assert staking.refused("optimize", te_cap=0, min_levels=[1, 1], **case).field == "te_cap"
    assert staking.refused("optimize", caps=[float("nan")], **case).field == "caps"
    case = random_case(65, assets=60, held=51)
    assert staking.refused("optimize", **case).field == "staking"
