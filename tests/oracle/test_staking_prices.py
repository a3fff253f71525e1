# SPDX-License-Identifier: MPL-2.0
"""Markets estimated from prices: market_from_prices against NumPy and exact fractions, and inside calculate."""
from fractions import Fraction

import numpy as np
import pytest

from plugin import Plugin
from staking_model import ORDER, Fund


@pytest.fixture(scope="module")
def staking():
    with Plugin("staking") as plugin:
        yield plugin


def walk(seed, days, assets, daily=.03):
    rng = np.random.default_rng(seed)
    return 100 * np.exp(np.cumsum(daily * (rng.normal(size=(days, assets)) + rng.normal(size=(days, 1))), 0))


@pytest.mark.parametrize("days,assets", [(3, 1), (4, 2), (10, 3), (17, 6), (253, 6), (1000, 20), (101, 64)])
@pytest.mark.parametrize("returns,ddof", [("log", 1), ("simple", 0)])
def test_moments_are_numpys(staking, days, assets, returns, ddof):
    prices = walk(days, days, assets)
    have = staking("market_from_prices", prices=prices, returns=returns, ddof=ddof)
    x = np.diff(np.log(prices), axis=0) if returns == "log" else prices[1:] / prices[:-1] - 1
    want = np.cov(x.T, ddof=ddof).reshape(assets, assets)
    np.testing.assert_allclose(have["covariance"], want, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(have["volatilities"], x.std(0, ddof=ddof), rtol=1e-12)
    np.testing.assert_allclose(have["mean_returns"], x.mean(0), rtol=1e-10, atol=1e-16)
    rho = np.corrcoef(x.T).reshape(assets, assets)
    np.testing.assert_allclose(have["correlations"], rho, rtol=1e-10, atol=1e-13)
    assert (have["covariance"] == have["covariance"].T).all() and (np.diag(have["correlations"]) == 1).all()
    assert (have["assets"], have["returns"], have["names"]) == (assets, days - 1, None)


def test_every_form_of_prices_is_the_same(staking):
    prices = np.round(walk(5, 40, 3))
    forms = [prices, prices.tolist(), prices.astype(int).tolist(),
             {f"a{i}": prices[:, i].tolist() for i in range(3)}, {f"a{i}": prices[:, i] for i in range(3)}]
    for dtype in (np.float32, np.int32, np.int64, np.uint16):
        forms += [prices.astype(dtype), {f"a{i}": prices[:, i].astype(dtype) for i in range(3)}]
    first = staking("market_from_prices", prices=prices)
    for form in forms:
        have = staking("market_from_prices", prices=form)
        assert (have["covariance"] == first["covariance"]).all()
        assert have["names"] == (["a0", "a1", "a2"] if isinstance(form, dict) else None)


def test_nearly_constant_prices_keep_their_digits(staking):
    rng = np.random.default_rng(2)
    for prices in (1e9 + rng.integers(0, 5, (200, 2)), 1e300 * (1 + 1e-9 * rng.integers(0, 9, (200, 2))),
                   np.where(np.arange(200)[:, None] == 100, 1e6, 1 + 1e-6 * rng.integers(0, 9, (200, 2)))):
        prices = prices.astype(float)
        have = staking("market_from_prices", prices=prices, returns="simple")["covariance"]
        x = [[Fraction(b) / Fraction(a) - 1 for a, b in zip(c, c[1:])] for c in prices.T]
        mean = [sum(v) / len(v) for v in x]
        for a in range(2):
            for b in range(2):
                want = sum((p - mean[a]) * (q - mean[b]) for p, q in zip(x[a], x[b])) / (len(x[a]) - 1)
                scale = np.sqrt(have[a, a] * have[b, b])
                assert abs(have[a, b] - float(want)) <= 1e-13 * scale


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_bad_prices_are_named(staking, bad):
    prices = walk(1, 9, 3)
    for day, asset in ((0, 0), (4, 1), (8, 2)):
        broken = prices.copy()
        broken[day, asset] = bad
        refused = staking.refused("market_from_prices", prices=broken)
        assert refused.status == "invalid" and f"prices[{day}][{asset}] is" in refused.text
        refused = staking.refused("market_from_prices", prices={n: broken[:, i] for i, n in enumerate("abc")})
        assert f"prices.{'abc'[asset]}[{day}] is" in refused.text


def test_bad_forms(staking):
    good = walk(1, 9, 3)
    for prices in (7, "x", good[:, 0], [], {}, good[:2], [[1, 2], [3]], [[1, 2], "x", [3, 4]], {"a": [1, 2, 3], "b": [1, 2]},
                   {"a": 3}, np.ones((3, 3, 3)), np.zeros((0, 3)), np.zeros((5, 0)), [None, None, None], [True, True, True]):
        assert staking.refused("market_from_prices", prices=prices).field == "prices"
    assert staking.refused("market_from_prices", prices=good, ddof=8).field == "ddof"
    assert staking.refused("market_from_prices", prices=good, returns="both").field == "returns"
    assert "range of double" in staking.refused("market_from_prices", prices=[[1e-300], [1e300], [1]], returns="simple").text


@pytest.mark.parametrize("mode", ["compatible", "exact"])
def test_a_market_of_prices_in_calculate(staking, mode):
    prices = walk(3, 300, 6)
    sigma = np.cov(np.diff(np.log(prices), axis=0).T)
    request = dict(staking=dict(eth=dict(unbonding_period_days=4), sol=dict(unbonding_period_days=9)), mode=mode)
    want = Fund(sigma=sigma, **request).point(.9, .9)["net_benefit"]
    named = {name: prices[:, ORDER.index(name)] for name in reversed(ORDER)}
    for form in (prices, named):
        have = staking("calculate", market=dict(prices=form), **request)
        for name, value in want.items():
            np.testing.assert_allclose(have["net_benefit"][name], value, rtol=1e-9, atol=1e-15)
    used = have["parameters_used"]["market"]
    np.testing.assert_allclose(list(used["volatilities"].values()), np.sqrt(np.diag(sigma)), rtol=1e-12)
    np.testing.assert_allclose(used["correlation_matrix"], np.corrcoef(np.diff(np.log(prices), axis=0).T), rtol=1e-11)
    grid = staking("sensitivity_1d", market=dict(prices=prices), grid=dict(levels=[.9]), **request)
    p = Fund(sigma=sigma, **request)
    np.testing.assert_allclose(grid["sensitivity_analysis"]["tracking_error"], p.grid([.9], [.9])["tracking_error"], rtol=1e-9)


def test_prices_that_make_no_market(staking):
    prices = walk(3, 300, 6)
    refused = staking.refused("calculate", market=dict(prices=prices, volatilities=dict(btc=.04)))
    assert refused.field == "market.prices" and "market.volatilities" in refused.text
    assert "6" in staking.refused("calculate", market=dict(prices=prices[:, :5])).text
    copy = prices.copy()
    copy[:, 2] = copy[:, 1]
    assert "singular" in staking.refused("calculate", market=dict(prices=copy)).text
    assert "singular" in staking.refused("calculate", market=dict(prices=prices[:6])).text
    copy[:, 2] = 3
    assert staking.refused("calculate", market=dict(prices=copy)).field == "market.prices.xrp"
    short = {n: prices[:, i] for i, n in enumerate(ORDER) if n != "ada"} | {"doge": prices[:, 0]}
    assert "market.prices.ada is missing" in staking.refused("calculate", market=dict(prices=short)).text
    assert staking.refused("calculate", market=dict(prices=prices, ddof=299)).field == "market.ddof"
