# SPDX-License-Identifier: MPL-2.0
"""batch: each row is calculate's answer to the bit, and what calculate refuses is refused in the same words."""
import numpy as np
import pytest

from plugin import Plugin, Refused
from test_staking_calculate import random_request


@pytest.fixture(scope="module")
def staking():
    with Plugin("staking") as plugin:
        yield plugin


def alone(staking, request):
    try:
        return staking("calculate", **request)
    except Refused as refused:
        return refused


LEGACY = dict(staking=dict(eth_staking_pct=.8), yield_params=dict(annual_staking_yield=.1, baseline_staking_percentage=.5),
              redemption=dict(redemption_sizes=[.1, .2, .4], redemption_counts=[3, 2.0], expected_redemptions_per_year=7))
ODD = [
    {}, LEGACY, {"staking": None, "market": {}, "fund_details": {}}, {"unknown": 1, "staking": {"eth": {"x": [1, "a"]}}},
    {"staking": {"eth": {}, "sol": {"unbonding_period_days": 3.0}}},
    {"redemption": {"distribution": {"probability": [.5, .5], "size": [.1, .4]}}},
    {"redemption": {"distribution": [{"probability": 1, "size": .4, "note": "x"}]}}, {"mode": "exact"},
    {"market": {"prices": (100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, .03, (60, 6)), 0))).tolist(), "ddof": 0}},
    {"staking": {"eth": {"staking_pct": 0}}, "yield_params": None},
]
BAD = [
    {"mode": "Exact"}, {"mode": 1}, {"staking": 1}, {"staking": {"eth": 1}}, {"staking": {"eth": {"staking_pct": "0.9"}}},
    {"staking": {"eth": {"staking_pct": True}}}, {"staking": {"eth": {"staking_pct": -1}}},
    {"staking": {"sol": {"unbonding_period_days": 2.5}}}, {"staking": {"sol": {"unbonding_period_days": -1}}},
    {"staking": {"sol": {"annual_yield": .21}}}, {"redemption": {"distribution": []}}, {"redemption": {"distribution": 3}},
    {"redemption": {"distribution": [{"probability": 1}]}}, {"redemption": {"distribution": [{"probability": 1, "size": "x"}]}},
    {"redemption": {"distribution": [{"probability": 1, "size": 2}]}}, {"redemption": {"distribution": {"probability": [1]}}},
    {"redemption": {"distribution": {"probability": [1], "size": [.1, .2]}}}, {"redemption": {"distribution": [1, 2]}},
    {"redemption": {"expected_redemptions_per_year": float("nan")}}, {"redemption": {"expected_redemptions_per_year": 1e305}},
    {"redemption": {"expected_redemptions_per_year": float("inf")}}, {"market": {"volatilities": {"ada": 0}}},
    {"market": {"correlations": {"within_excluded": -.5}}}, {"market": {"benchmark_weights": {"xlm": .5}}},
    {"market": {"prices": [[1] * 6]}}, {"market": {"prices": 1}}, {"market": {"trading_days_per_year": 0}}, {"fund_details": {"nav": 0}},
    {"yield_params": {}, "redemption": {"redemption_counts": [0]}}, {"yield_params": {}, "redemption": {"redemption_counts": [1.5]}},
    {"yield_params": {}, "redemption": {"redemption_sizes": []}}, {"yield_params": {}, "redemption": {"redemption_sizes": [1.5]}},
]


def test_rows_are_calculates(staking):
    rng = np.random.default_rng(6)
    requests = ODD + BAD + [random_request(rng) for _ in range(60)]
    rng.shuffle(requests)
    have = staking("batch", requests=requests)
    rows, errors = have["results"], {e["index"]: e for e in have["errors"]}
    for i, request in enumerate(requests):
        want = alone(staking, request)
        if isinstance(want, Refused):
            assert request in BAD or "market" in request
            assert rows["ok"][i] == 0 and np.isnan(rows["net_benefit_bps"][i])
            assert (errors[i]["status"], errors[i]["field"]) == (want.status, want.field), (errors[i], want)
            continue
        assert rows["ok"][i] == 1 and i not in errors
        flat = {**want["decomposition"], **want["net_benefit"], "optimal_staking_level": want["optimal_staking_level"],
                "optimal_eth_level": want["optimal_staking_levels"]["eth"], "optimal_sol_level": want["optimal_staking_levels"]["sol"]}
        assert flat.keys() | {"ok"} == rows.keys()
        for name, value in flat.items():
            assert rows[name][i] == value, (i, name)
    assert have["failed"] == len(errors) == (rows["ok"] == 0).sum() >= len(BAD) and have["grids"] is None


def test_sensitivities_on_request(staking):
    requests = [{}, {"mode": 7}, {"mode": "exact", "staking": {"eth": {"baseline_staking_pct": .3}}},
                {"staking": {"eth": {"baseline_staking_pct": 1}, "sol": {"baseline_staking_pct": .995}}}]
    have = staking("batch", requests=requests, grids=True)["grids"]
    assert have[1] is None
    for i in (0, 2, 3):
        want, grid = alone(staking, requests[i]), have[i]
        for name, column in want["sensitivity_analysis"].items():
            assert list(grid["sensitivity_analysis"][name]) == list(column)
        plane = grid["sensitivity_analysis_2d"]
        eth, sol = np.meshgrid(plane.pop("eth_levels"), plane.pop("sol_levels"))
        plane.update(eth_staking_level=eth.ravel(), sol_staking_level=sol.ravel())
        for name, column in want["sensitivity_analysis_2d"].items():
            assert list(plane[name]) == list(column)


def test_a_thousand(staking):
    requests = [{"redemption": {"expected_redemptions_per_year": i / 10}} for i in range(1000)]
    te = staking("batch", requests=requests)["results"]["tracking_error"]
    np.testing.assert_allclose(te, te[-1] * np.sqrt(np.arange(1000) / 999), rtol=1e-13)


def test_no_list(staking):
    for requests in ([], {}, 1, "x", [1, 2], [1.5]):
        assert staking.refused("batch", requests=requests).field == "requests"
    have = staking("batch", requests=[{}, 1, None, [], "x"])
    assert list(have["results"]["ok"]) == [1, 0, 0, 0, 0] and have["errors"][0]["field"] == "requests"
