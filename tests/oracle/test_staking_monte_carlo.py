# SPDX-License-Identifier: MPL-2.0
"""monte_carlo: agreement with the closed form, the distribution of its numbers, and repeatability."""
import numpy as np
import pytest

from plugin import Plugin
from test_staking_portfolio import random_case


@pytest.fixture(scope="module")
def staking():
    with Plugin("staking") as plugin:
        yield plugin


@pytest.mark.parametrize("steps", ["interval", "day"])
def test_z_is_a_standard_normal(staking, steps):
    case, years = random_case(42, assets=5, held=3), 4000 if steps == "interval" else 1000
    runs = [staking("monte_carlo", years=years, steps=steps, seed=seed, **case) for seed in range(60)]
    rate = case["redemption"]["expected_redemptions_per_year"]
    z = np.array([r["z"] for r in runs])
    mean = np.array([r["mean_return"] / r["mean_standard_error"] for r in runs])
    count = np.array([(r["redemptions_per_year"] - rate) / np.sqrt(rate / years) for r in runs])
    for name, sample in dict(z=z, mean=mean, count=count).items():
        assert abs(sample.mean()) < 4 / np.sqrt(60), (name, sample.mean())
        assert .6 < sample.std() < 1.45, (name, sample.std())
    assert len(set(z)) == 60


@pytest.mark.parametrize("seed", range(8))
def test_the_closed_form_holds(staking, seed):
    case = random_case(300 + seed)
    have = staking("monte_carlo", years=20000, seed=seed, **case)
    want = staking("tracking_error", **case)
    assert have["closed_form"] == want["tracking_error"]
    if want["tracking_error"] == 0:
        assert have["tracking_error"] == 0 and have["z"] is None and have["skewness"] is None
        return
    assert abs(have["z"]) < 4.5 and abs(have["mean_return"]) < 4.5 * have["mean_standard_error"]
    # A mixture of normals is never less peaked than one; half of it lies below 0.
    assert have["excess_kurtosis"] > -.3
    assert have["expected_shortfall_closed_form"] == want["expected_shortfall"]
    assert have["expected_shortfall"] > want["expected_shortfall"] - 5 * have["expected_shortfall_standard_error"]


def test_kurtosis_of_a_compound_poisson_sum(staking):
    # One size: given n redemptions the year is normal with variance n v, so the fourth moment is 3 v^2 (l + l^2).
    for rate, years in ((.5, 200000), (5, 200000), (400, 20000)):
        have = staking("monte_carlo", years=years, weights=[.5, .5], covariance=[[.0016, .0008], [.0008, .0025]],
                       staking=dict(asset=[1], staking_pct=[.8]),
                       redemption=dict(expected_redemptions_per_year=rate, distribution=dict(probability=[1], size=[.3])))
        assert abs(have["excess_kurtosis"] - 3 / rate) < .15 * (1 + 3 / rate)
        assert abs(have["redemptions_per_year"] - rate) < 5 * np.sqrt(rate / years)
        assert abs(have["z"]) < 4.5


def test_equal_seeds_equal_answers(staking):
    case = random_case(17, assets=4, held=2)
    first = staking("monte_carlo", years=3000, seed=7, **case)
    assert staking("monte_carlo", years=3000, seed=7, **case) == first
    assert staking("monte_carlo", years=3000, seed=8, **case)["tracking_error"] != first["tracking_error"]


def test_known_numbers(staking):
    # The same on every machine and in every build: a sum over 2,000 years agrees but for the last digits of the loadings.
    have = staking("monte_carlo", years=2000, seed=2385, weights=[.5, .5], covariance=[[.0016, .0008], [.0008, .0025]],
                   staking=dict(asset=[1], staking_pct=[.8]))
    np.testing.assert_allclose([have["tracking_error"], have["mean_return"], have["redemptions_per_year"]],
                               [0.008334231186655367, 7.228019561506605e-05, 18.165], rtol=1e-12)


def test_refusals(staking):
    case = random_case(17, assets=4, held=2)
    assert staking.refused("monte_carlo", years=1, **case).field == "years"
    assert staking.refused("monte_carlo", seed=-1, **case).field == "seed"
    assert staking.refused("monte_carlo", steps="hour", **case).field == "steps"
    case["staking"]["unbonding_period_days"] = np.array([1e12, 1e12])
    assert staking.refused("monte_carlo", steps="day", **case).field == "years"
    case["redemption"]["expected_redemptions_per_year"] = 1e15
    assert staking.refused("monte_carlo", **case).field == "years"
