# SPDX-License-Identifier: MPL-2.0
"""calculate, sensitivity_1d and sensitivity_2d against the literal model of staking_model.py."""
import json
import os

import numpy as np
import pytest

from plugin import ROOT, Plugin
from staking_model import CORRELATIONS, DISTRIBUTION, VOLATILITIES, WEIGHTS, Fund

COLUMNS = ["tracking_error", "yield_benefit", "expected_shortfall", "net_benefit_bps"]


@pytest.fixture(scope="module")
def staking():
    with Plugin("staking") as plugin:
        yield plugin


def near(have, want, rtol=1e-9, atol=1e-15):
    np.testing.assert_allclose(np.asarray(have, float), np.asarray(want, float), rtol=rtol, atol=atol)


def random_request(rng):
    def some(members):
        return {k: v for k, v in members.items() if rng.random() < .8}

    request = {"mode": str(rng.choice(["compatible", "exact"]))}
    if rng.random() < .9:
        request["staking"] = some({a: some(dict(
            staking_pct=rng.random(), unbonding_period_days=int(rng.integers(0, 30)), annual_yield=.2 * rng.random(),
            baseline_staking_pct=rng.choice([0, .7, .85, .9, .979, .99, 1, rng.random()]))) for a in ("eth", "sol")})
    if rng.random() < .9:
        n = int(rng.integers(1, 9))
        p = rng.dirichlet(np.ones(n)) * (1 + .009 * (2 * rng.random() - 1))
        request["redemption"] = dict(expected_redemptions_per_year=60 * rng.random(),
                                     distribution=[dict(probability=min(1, a), size=rng.random()) for a in p])
    if rng.random() < .8:
        w = rng.dirichlet(np.ones(6))
        request["market"] = some(dict(
            benchmark_weights=dict(zip(WEIGHTS, w)),
            volatilities=some({k: .01 + .1 * rng.random() for k in VOLATILITIES}),
            correlations=some({k: v + .1 * (rng.random() - .5) for k, v in CORRELATIONS.items()})))
    if rng.random() < .8:
        request["fund_details"] = some(dict(current_td=.01 * rng.random(), cap_td=.02 * rng.random()))
    return request


@pytest.mark.parametrize("seed", range(40))
def test_every_number_of_calculate(staking, seed):
    request = random_request(np.random.default_rng(seed))
    have, fund = staking("calculate", **request), Fund(**request)
    want = fund.point(fund_level(fund, 0), fund_level(fund, 1))
    for part in ("decomposition", "net_benefit"):
        assert have[part].keys() == want[part].keys()
        for name, value in want[part].items():
            te = want["net_benefit"]["tracking_error"]
            near(have[part][name], value, atol=1e-13 * te * (1e4 if "bps" in name else 1) + 1e-12 * ("pct" in name))
    line, levels = have["sensitivity_analysis"], fund.line_levels()
    assert list(line["staking_level"]) == levels
    want = fund.grid(levels, levels)
    for column in COLUMNS:
        near(line[column], want[column], atol=1e-13)
    if levels:
        best = levels.index(have["optimal_staking_level"])
        near(want["net_benefit_bps"][best], want["net_benefit_bps"].max())
    else:
        assert have["optimal_staking_level"] == .93
    check_plane(have, fund)


def fund_level(fund, a):
    return fund.asset[a]["staking_pct"]


def check_plane(have, fund):
    eth, sol = np.meshgrid(fund.axis_levels(0), fund.axis_levels(1))
    plane, want = have["sensitivity_analysis_2d"], fund.grid(eth.ravel(), sol.ravel())
    assert list(plane["eth_staking_level"]) == list(eth.ravel())
    assert list(plane["sol_staking_level"]) == list(sol.ravel())
    for column in COLUMNS:
        near(plane[column], want[column], atol=1e-13)
    best = have["optimal_staking_levels"]
    at = list(zip(eth.ravel(), sol.ravel())).index((best["eth"], best["sol"]))
    near(want["net_benefit_bps"][at], want["net_benefit_bps"].max())


def test_published_cases_in_both_forms(staking):
    with open(os.path.join(ROOT, "tests", "data", "staking-cases.json"), encoding="utf-8") as f:
        cases = json.load(f)["cases"]
    for case in cases:
        rows = staking("calculate", form="rows", **case["request"])
        columns = staking("calculate", **case["request"])
        for table in ("sensitivity_analysis", "sensitivity_analysis_2d"):
            assert list(columns[table]) == list(rows[table][0])
            for name, column in columns[table].items():
                assert list(column) == [row[name] for row in rows[table]]
        for index, point in case["expected"]["grid_points"].items():
            for name, value in point.items():
                near(columns["sensitivity_analysis_2d"][name][int(index)], value)


def test_the_published_grids_are_the_default(staking):
    for mode in ("compatible", "exact"):
        whole = staking("calculate", mode=mode)
        line, plane = staking("sensitivity_1d", mode=mode), staking("sensitivity_2d", mode=mode)
        for name, column in whole["sensitivity_analysis"].items():
            assert list(line["sensitivity_analysis"][name]) == list(column)
        for name in COLUMNS:
            assert list(plane["sensitivity_analysis_2d"][name]) == list(whole["sensitivity_analysis_2d"][name])
        assert line["optimal_staking_level"] == whole["optimal_staking_level"]
        assert plane["optimal_staking_levels"] == whole["optimal_staking_levels"]


@pytest.mark.parametrize("seed", range(12))
def test_any_grid(staking, seed):
    rng = np.random.default_rng(100 + seed)
    request = random_request(rng)
    fund = Fund(**request)
    eth, sol = rng.random(int(rng.integers(1, 70))), rng.random(int(rng.integers(1, 70)))
    have = staking("sensitivity_2d", grid=dict(eth=dict(levels=eth), sol=dict(levels=sol)), **request)
    assert list(have["eth_levels"]) == list(eth) and list(have["sol_levels"]) == list(sol)
    x, y = np.meshgrid(eth, sol)
    want = fund.grid(x.ravel(), y.ravel())
    for name in COLUMNS:
        near(have["sensitivity_analysis_2d"][name], want[name], atol=1e-13)
    best = int(np.argmax(have["sensitivity_analysis_2d"]["net_benefit_bps"]))
    assert have["argmax"] == best
    assert have["optimal_staking_levels"] == dict(eth=x.ravel()[best], sol=y.ravel()[best])
    assert have["max_net_benefit_bps"] == have["sensitivity_analysis_2d"]["net_benefit_bps"][best]

    line = staking("sensitivity_1d", grid=dict(levels=eth), **request)
    want = fund.grid(eth, eth)
    for name in COLUMNS:
        near(line["sensitivity_analysis"][name], want[name], atol=1e-13)
    best = int(np.argmax(line["sensitivity_analysis"]["net_benefit_bps"]))
    assert line["argmax"] == best and line["optimal_staking_level"] == eth[best]


def test_ends_and_steps(staking):
    have = staking("sensitivity_2d", grid=dict(eth={"from": .9, "to": .3, "steps": 7}, sol=dict(steps=1)))
    near(have["eth_levels"], np.linspace(.9, .3, 8), rtol=1e-15)
    assert list(have["sol_levels"]) == [.7, 1]
    line = staking("sensitivity_1d", grid={"from": .1, "steps": 90})["sensitivity_analysis"]
    near(line["staking_level"], np.linspace(.1, 1, 91), rtol=1e-14)
    assert line["staking_level"][-1] == 1


def test_a_large_grid_and_one_too_large(staking):
    side = dict(steps=1999)
    have = staking("sensitivity_2d", grid=dict(eth=side, sol=side))
    assert len(have["sensitivity_analysis_2d"]["tracking_error"]) == 4000000
    refused = staking.refused("sensitivity_2d", grid=dict(eth=dict(steps=2000), sol=side))
    assert (refused.status, refused.field) == ("invalid", "grid") and "4002000" not in refused.text.split("expected")[1]
    assert staking.refused("sensitivity_1d", grid=dict(steps=4000000)).field == "grid.steps"
    assert staking.refused("sensitivity_1d", grid=dict(steps=0)).field == "grid.steps"
    assert staking.refused("sensitivity_2d", grid=dict(eth=dict(levels=[]))).field == "grid.eth.levels"
    assert staking.refused("sensitivity_2d", grid=dict(eth=dict(levels=[.5, float("nan")]))).field == "grid.eth.levels"
    assert staking.refused("sensitivity_2d", grid=dict(sol=dict(levels=[.5], to=1))).field == "grid.sol.levels"
    assert staking.refused("sensitivity_2d", gird=1).status == "invalid"


def test_variance_grows_with_lambda_and_scales_with_volatility(staking):
    rates = np.linspace(0, 60, 13)
    te = [staking("calculate", redemption=dict(expected_redemptions_per_year=v, distribution=DISTRIBUTION))
          ["decomposition"]["tracking_error"] for v in rates]
    near(te, te[-1] * np.sqrt(rates / 60), rtol=1e-13)
    double = {k: 2 * v for k, v in VOLATILITIES.items()}
    near(staking("calculate", market=dict(volatilities=double))["decomposition"]["tracking_error"],
         2 * staking("calculate", market={})["decomposition"]["tracking_error"], rtol=1e-13)
