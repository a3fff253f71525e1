# SPDX-License-Identifier: MPL-2.0
"""Special functions of the stats plugin against mpmath, with each set of kernels that runs here, and over sizes, NaN positions and edges."""
import math
import random
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
import scipy.special

from plugin import Plugin

mp.mp.dps = 40
nan, inf = math.nan, math.inf


@pytest.fixture(scope="module", params=["plain", "baseline", "avx2", "avx512"])
def kernels(request):
    flags = open("/proc/cpuinfo", encoding="utf-8").read()
    if {"avx2": "avx2 ", "avx512": "avx512dq "}.get(request.param, "") not in flags:
        pytest.skip("not on this processor")
    with Plugin("stats", {"simd": request.param}) as plugin:
        yield plugin


@pytest.fixture(scope="module")
def stats():
    with Plugin("stats") as plugin:
        yield plugin


def worst_ulp(got, x, reference):
    """The greatest error in units in the last place of the exact value, and where."""
    worst = (0.0, 0.0)
    for g, v in zip(got, x):
        exact = reference(mp.mpf(float(v)))
        if abs(exact) > 1.7976931348623157e308:
            assert math.isinf(g)
            continue
        unit = mp.mpf(2) ** max(mp.frexp(exact)[1] - 53, -1074)
        worst = max(worst, (float(abs(mp.mpf(float(g)) - exact) / unit), float(v)))
    return worst


def ndtr(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


KERNELS = [
    ("erf", mp.erf, [(-1, 1), (-6, 6), (-1e-3, 1e-3), (0.88, 0.9)], 2),
    ("erfc", mp.erfc, [(-6, 6), (0, 1), (1, 10), (10, 26.5), (26.5, 27.3)], 4.5),
    ("ndtr", ndtr, [(-8, 8), (-37, 0), (-38.6, -37)], 4.5),
    ("gamma", mp.gamma, [(0, 3), (3, 9), (9, 30), (30, 171.6), (-10, 0), (-170, -10)], 6),
    ("gammaln", lambda x: mp.re(mp.loggamma(x)), [(0, 3), (0.9, 1.1), (1.9, 2.1), (3, 8), (8, 20), (8, 1e6), (0, 1e-6)], 4.5),
]


@pytest.mark.parametrize("name, reference, ranges, limit", KERNELS)
def test_kernels_to_the_last_places(kernels, name, reference, ranges, limit):
    rng = np.random.default_rng(1)
    for low, high in ranges:
        x = np.concatenate([rng.uniform(low, high, 400), [np.nextafter(low, high), np.nextafter(high, low)]])
        if name in ("gamma", "gammaln"):
            x = x[(x > 0) | (x != np.floor(x))]
        worst = worst_ulp(kernels(name, x=x)["values"], x, reference)
        assert worst[0] <= limit, (name, low, high, worst)


def test_normal_cdf_with_mean_and_deviation(kernels):
    rng = np.random.default_rng(2)
    for mu, sigma in [(2.385, 0.37), (1e9, 3.5), (-1e-9, 1e-12), (1e200, 1e190)]:
        x = mu + sigma * rng.uniform(-37, 37, 300)
        for of, side in (("cdf", -1), ("sf", 1)):
            got = kernels("dist_norm", x=x, of=of, loc=mu, scale=sigma)["values"]
            worst = worst_ulp(got, x, lambda v, side=side, mu=mu, sigma=sigma: mp.erfc(side * (v - mp.mpf(mu)) / mp.mpf(sigma) / mp.sqrt(2)) / 2)
            assert worst[0] < 6, (mu, sigma, of, worst)


@pytest.mark.parametrize("name", [k[0] for k in KERNELS])
def test_kernels_at_all_sizes_and_nan_positions(kernels, name):
    rng = np.random.default_rng(3)
    whole = rng.uniform(0.1, 20, 70)
    alone = np.array([kernels(name, x=[v])["values"][0] for v in whole])
    for n in range(1, 71):
        np.testing.assert_allclose(kernels(name, x=whole[:n])["values"], alone[:n], rtol=2e-15)
    for i in range(24):
        x = whole[:24].copy()
        x[i] = nan
        got = kernels(name, x=x)["values"]
        assert np.isnan(got[i]) and not np.isnan(np.delete(got, i)).any()
        np.testing.assert_allclose(np.delete(got, i), np.delete(alone[:24], i), rtol=2e-15)


def test_kernels_at_edges(kernels):
    def at(name, *x, **args):
        return list(kernels(name, x=list(x), **args)["values"])
    assert at("erf", 0.0, -inf, inf, 6.5, -1e300, 5e-324) == [0, -1, 1, 1, -1, 5e-324]
    assert math.copysign(1, at("erf", -0.0)[0]) == -1
    assert at("erfc", 0.0, -inf, inf, 28.0, -7.0, 1e300) == [1, 2, 0, 0, 2, 0]
    assert at("ndtr", 0.0, -inf, inf, -39.0, 9.0, -1e300) == [0.5, 0, 1, 0, 1, 0]
    assert at("gamma", 1.0, 2.0, 3.0, 4.0, 172.0, inf, 1e300, 1e-309) == [1, 1, 2, 6, inf, inf, inf, inf]
    assert at("gamma", 171.62)[0] == pytest.approx(float(mp.gamma(mp.mpf(171.62))), rel=1e-14)
    assert at("gamma", 0.0, -0.0, poles="inf") == [inf, -inf]
    assert np.isnan(at("gamma", -1.0, -2.0, -9.0, -10.0, -11.0, -1e300, -inf, poles="inf")).all()
    assert at("gamma", -200.5)[0] == 0 and abs(at("gamma", -1e-310)[0]) == inf
    assert at("gammaln", 1.0, 2.0, inf, 2.56e305) == [0, 0, inf, inf]
    assert at("gammaln", 0.0, -0.0, -1.0, -7.0, -inf, poles="inf") == [inf] * 5
    for x in (2.5e305, 5e-324, 1e-301, 1e15):
        assert at("gammaln", x)[0] == pytest.approx(float(mp.loggamma(mp.mpf(x))), rel=4e-16)
    for name in ("gamma", "gammaln", "digamma"):
        for pole in (0.0, -0.0, -1.0, -2.0**60, -inf):
            refused = kernels.refused(name, x=[0.5, pole])
            assert (refused.status, refused.field) == ("invalid", "x") and "x[1]" in refused.text
    for name in ("gamma", "gammaln", "digamma", "erf", "erfc", "ndtr", "log_ndtr", "ndtri", "erfinv", "erfcinv"):
        assert kernels.refused(name, x=[0.5, nan], nan_policy="raise").field == "x"
        assert np.isnan(at(name, 0.5, nan)).tolist() == [False, True]


def test_gammaln_below_zero(stats):
    rng = np.random.default_rng(4)
    for x in np.concatenate([rng.uniform(-30, 0, 300), [-2.4570247382208, -2.7476826467, -3.1435808883499]]):
        exact = mp.log(abs(mp.gamma(mp.mpf(float(x)))))
        assert abs(stats("gammaln", x=[x])["values"][0] - exact) <= 1e-15 * max(1, abs(exact))


def test_digamma_and_polygamma(stats):
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.uniform(0, 5, 200), 10 ** rng.uniform(-300, 300, 100), rng.uniform(1.46, 1.463, 50), [1.4616321449683622]])
    got = stats("digamma", x=x)["values"]
    for g, v in zip(got, x):
        exact = mp.digamma(mp.mpf(float(v)))
        assert abs(g - exact) <= 2e-16 * abs(exact), v
    x = rng.uniform(-20, 0, 300)
    for g, v in zip(stats("digamma", x=x)["values"], x):
        exact = mp.digamma(mp.mpf(float(v)))
        assert abs(g - exact) <= 2e-16 * max(1, abs(exact)), v
    assert list(stats("digamma", x=[0.0, -0.0, inf], poles="inf")["values"]) == [-inf, inf, inf]
    assert np.isnan(stats("digamma", x=[-1.0, -inf], poles="inf")["values"]).all()
    for n in (0, 1, 2, 7, 33, 100):
        x = 10 ** rng.uniform(-2, 3, 30)
        for g, v in zip(stats("polygamma", n=n, x=x)["values"], x):
            exact = mp.psi(n, mp.mpf(float(v)))
            if 1e-290 < abs(exact) < 1e300:
                assert abs(g - exact) <= 3e-16 * abs(exact), (n, v)
    assert list(stats("polygamma", n=3, x=[inf, 1e-200])["values"]) == [0, inf]
    assert stats.refused("polygamma", n=1, x=[0.0]).field == "x" and stats.refused("polygamma", n=101, x=[1]).field == "n"


def test_inverses(stats):
    rng = random.Random(6)
    for _ in range(300):
        p = rng.choice([rng.random(), 10 ** rng.uniform(-307, 0), 1 - 10 ** rng.uniform(-16, 0), 0.5 + 10 ** rng.uniform(-16, -1)])
        y = mp.mpf(stats("ndtri", x=[p])["values"][0])
        if 0 < p < 1:
            assert abs((ndtr(y) - mp.mpf(p)) / mp.npdf(y)) <= 2e-16 * max(abs(y), mp.mpf(2) ** -1000), p
        v = 2 * p - 1
        if 0 < abs(v) < 1:
            y = mp.mpf(stats("erfinv", x=[v])["values"][0])
            assert abs((mp.erf(y) - mp.mpf(v)) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)) <= 2e-16 * abs(y), v
        if 0 < 2 * p < 2 and p != 0.5:
            y = mp.mpf(stats("erfcinv", x=[2 * p])["values"][0])
            assert abs((mp.erfc(y) - 2 * mp.mpf(p)) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)) <= 2e-16 * abs(y), p
    assert list(stats("ndtri", x=[0, 0.5, 1])["values"]) == [-inf, 0, inf]
    assert list(stats("erfinv", x=[-1, 0, 1, 1e-300])["values"])[:3] == [-inf, 0, inf]
    assert list(stats("erfcinv", x=[0, 1, 2])["values"]) == [inf, 0, -inf]
    for name, outside in (("ndtri", (-1e-9, 1.0000001)), ("erfinv", (-1.1, 1.1)), ("erfcinv", (-1e-9, 2.1))):
        for x in outside:
            assert stats.refused(name, x=[x]).field == "x"


def test_log_ndtr(stats):
    for x in (-1e10, -1000.0, -40.5, -39.5, -20.0, -1.0, 0.0, 1.0, 8.0, 20.0, 37.0):
        z = mp.mpf(x)
        exact = mp.log1p(-ndtr(-z)) if x > 0 else mp.log(ndtr(z)) if x > -1e4 else -z * z / 2 - mp.log(-z) - mp.log(2 * mp.pi) / 2
        assert abs(stats("log_ndtr", x=[x])["values"][0] - exact) <= 3e-16 * abs(exact), x
    assert list(stats("log_ndtr", x=[-inf, inf, 1e300])["values"]) == [-inf, 0, 0]


def test_beta_and_incomplete_functions(stats):
    rng = random.Random(7)
    for _ in range(200):
        a, b = 10 ** rng.uniform(-6, 6), 10 ** rng.uniform(-6, 6)
        exact = mp.loggamma(mp.mpf(a)) + mp.loggamma(mp.mpf(b)) - mp.loggamma(mp.mpf(a) + mp.mpf(b))
        assert abs(stats("betaln", a=[a], b=[b])["values"][0] - exact) <= 3e-16 * max(1, abs(exact)), (a, b)
        if abs(exact) < 700:
            assert abs(stats("beta", a=[a], b=[b])["values"][0] / mp.exp(exact) - 1) <= 1e-15 + 1e-18 * max(a, b), (a, b)
    assert stats("beta", a=[inf, 1e-310], b=[1, 1])["values"].tolist() == [0, inf]
    x = np.linspace(0, 40, 81)
    for a in (0.3, 1.0, 2.385, 30.0):
        np.testing.assert_allclose(stats("gammainc", a=a, x=x)["values"], scipy.special.gammainc(a, x), rtol=1e-12)
        np.testing.assert_allclose(stats("gammaincc", a=a, x=x)["values"], scipy.special.gammaincc(a, x), rtol=1e-11)
        np.testing.assert_allclose(stats("betainc", a=a, b=2.5, x=x / 40)["values"], scipy.special.betainc(a, 2.5, x / 40), rtol=1e-11)
        for name, ends in (("gammainc", [0, 1]), ("gammaincc", [1, 0])):
            got = stats(name, a=a, x=[0, inf, nan])["values"]
            assert list(got[:2]) == ends and np.isnan(got[2])
    for name, args in (("beta", {"a": [1], "b": [nan]}), ("betaln", {"a": [nan], "b": [1]}), ("gammainc", {"a": 1, "x": [nan]}),
                       ("gammaincc", {"a": 1, "x": [nan]}), ("betainc", {"a": 1, "b": 1, "x": [nan]})):
        assert np.isnan(stats(name, **args)["values"]).all()
        assert "NaN" in stats.refused(name, nan_policy="raise", **args).text
    for name, field in (("gammainc", "a"), ("gammaincc", "a")):
        assert stats.refused(name, a=1e-7, x=[1]).field == field and stats.refused(name, a=1, x=[-1e-300]).field == "x"
    assert stats.refused("betainc", a=1, b=1, x=[1.0000000000000002]).field == "x"
    assert stats.refused("beta", a=[1, 2], b=[1]).status == "invalid"


def test_comb_and_factorial(stats):
    n, k = np.meshgrid(np.arange(70), np.arange(70))
    got = stats("comb", n=n.ravel(), k=k.ravel())["values"]
    assert got.tolist() == [float(math.comb(int(i), int(j))) for i, j in zip(n.ravel(), k.ravel())] # correctly rounded
    for i, j in [(1000, 500), (10**6, 40), (2**53, 2), (2**53, 2**53 - 3), (1029, 514), (10**15, 19)]:
        exact = math.comb(i, min(j, i - j))
        got = stats("comb", n=[i], k=[j])["values"][0]
        assert got == inf if exact > 1.8e308 else abs(Fraction(got) / exact - 1) < Fraction(1, 10**15), (i, j, got)
    assert stats("comb", n=[2**53], k=[2**52])["values"][0] == inf
    assert stats("factorial", x=np.arange(171))["values"].tolist() == [float(math.factorial(i)) for i in range(171)]
    assert stats("factorial", x=[171, 2**53])["values"].tolist() == [inf, inf]
    for args in ({"n": [-1], "k": [0]}, {"n": [1], "k": [-1]}, {"n": [1.5], "k": [0]}, {"n": [1, 2], "k": [1]}):
        assert stats.refused("comb", **args).status == "invalid"
    assert stats.refused("factorial", x=[-1]).field == "x"


def test_ten_million_places(kernels):
    x = np.linspace(-9, 9, 10_000_000)
    got = kernels("ndtr", x=x)["values"]
    assert got[0] == kernels("ndtr", x=[-9.0])["values"][0] and (np.diff(got) >= -2.3e-16).all() and abs(got.mean() - 0.5) < 1e-9
