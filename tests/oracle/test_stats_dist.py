# SPDX-License-Identifier: MPL-2.0
"""Distributions of the stats plugin: SciPy where it is accurate, mpmath and fractions in the tails and for parameters where it is not."""
import random
from fractions import Fraction
from math import comb, inf, isinf, nan

import mpmath as mp
import numpy as np
import pytest
import scipy.stats

from plugin import Plugin

mp.mp.dps = 40


@pytest.fixture(scope="module")
def stats():
    with Plugin("stats") as plugin:
        yield plugin


# name, shape parameters, places in standard position
CONTINUOUS = [
    ("norm", {}, np.linspace(-5, 5, 41)),
    ("uniform", {}, np.linspace(-0.5, 1.5, 41)),
    ("expon", {}, np.linspace(-1, 30, 41)),
    ("gamma", {"a": 2.385}, np.linspace(-1, 30, 41)),
    ("gamma", {"a": 0.3}, np.linspace(-1, 30, 41)),
    ("beta", {"a": 2.385, "b": 0.7}, np.linspace(-0.1, 1.1, 37)),
    ("beta", {"a": 0.2, "b": 30}, np.linspace(-0.1, 1.1, 37)),
    ("t", {"df": 3.7}, np.linspace(-9, 9, 41)),
    ("t", {"df": 0.4}, np.linspace(-9, 9, 40)),
    ("chi2", {"df": 4}, np.linspace(-1, 40, 41)),
    ("f", {"dfn": 3, "dfd": 12.5}, np.linspace(-1, 9, 41)),
    ("f", {"dfn": 30, "dfd": 3.5}, np.linspace(-1, 9, 41)),
    ("lognorm", {"s": 0.7}, np.linspace(-1, 9, 41)),
    ("weibull_min", {"c": 1.7}, np.linspace(-1, 5, 41)),
    ("weibull_min", {"c": 0.6}, np.linspace(-1, 5, 40)),
    ("cauchy", {}, np.linspace(-99, 99, 41)),
    ("laplace", {}, np.linspace(-9, 9, 41)),
    ("logistic", {}, np.linspace(-9, 9, 41)),
    ("pareto", {"b": 2.7}, np.linspace(0, 9, 41)),
]
DISCRETE = [
    ("poisson", {"mu": 3.25}, np.arange(-2, 25)),
    ("poisson", {"mu": 0}, np.arange(-2, 5)),
    ("binom", {"n": 20, "p": 0.3}, np.arange(-2, 23)),
    ("binom", {"n": 7, "p": 0}, np.arange(-2, 9)),
    ("binom", {"n": 7, "p": 1}, np.arange(-2, 9)),
    ("geom", {"p": 0.3}, np.arange(-2, 40)),
    ("geom", {"p": 1}, np.arange(-2, 5)),
    ("nbinom", {"n": 2.5, "p": 0.3}, np.arange(-2, 40)),
    ("hypergeom", {"M": 50, "n": 20, "N": 11}, np.arange(-2, 14)),
    ("hypergeom", {"M": 20, "n": 15, "N": 12}, np.arange(-2, 14)),
]
TAILS = ["cdf", "logcdf", "sf", "logsf"]


def close(got, wanted, rtol=2e-9, atol=0.0):
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name, shapes, z", CONTINUOUS)
@pytest.mark.parametrize("loc, scale", [(0, 1), (-2.385, 3.5)])
def test_continuous_as_scipy(stats, name, shapes, z, loc, scale):
    peer = getattr(scipy.stats, name)(**shapes, loc=loc, scale=scale)
    x = loc + scale * z
    for of in ["pdf", "logpdf"] + TAILS:
        got = stats(f"dist_{name}", x=x, of=of, loc=loc, scale=scale, **shapes)
        with np.errstate(all="ignore"):
            wanted = getattr(peer, of)(x)
        edge = np.isin(z, [0, 1]) & (of in ("pdf", "logpdf")) # SciPy differs by one rounding of x there
        close(got["values"][~edge], wanted[~edge], atol=1e-15 if "log" in of else 0)
        for moment, value in zip(("mean", "var"), peer.stats("mv")):
            if name == "t" and shapes["df"] <= 1 or name == "cauchy":
                assert got[moment] is None
            else:
                close(got[moment], value)
    p = np.concatenate([[1e-5], np.linspace(0.05, 0.95, 19), [0.9999]]) # further out SciPy's root finders lose digits
    for of in ["ppf", "isf"]:
        got = stats(f"dist_{name}", x=p, of=of, loc=loc, scale=scale, **shapes)["values"]
        close(got, getattr(peer, of)(p), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name, shapes, k", DISCRETE)
@pytest.mark.parametrize("loc", [0, -7])
def test_discrete_as_scipy(stats, name, shapes, k, loc):
    peer = getattr(scipy.stats, name)(**shapes, loc=loc)
    function = f"dist_{name}"
    for of in ["pmf", "logpmf"] + TAILS:
        got = stats(function, x=k + loc, of=of, loc=loc, **shapes)
        broken = name == "nbinom" and of == "logcdf" # in SciPy 1.10
        with np.errstate(all="ignore"):
            wanted = np.log(peer.cdf(k + loc)) if broken else getattr(peer, of)(k + loc)
        if name == "hypergeom" and of.startswith("log"):
            wanted = np.log(np.maximum(getattr(peer, of[3:])(k + loc), 1e-300))
            finite = got["values"] > -14
            close(got["values"][finite], wanted[finite], rtol=1e-8, atol=1e-12)
        elif not (name in ("poisson", "geom", "binom") and (0 in shapes.values() or 1 in shapes.values())):
            close(got["values"], wanted, atol=1e-15)
        close([got["mean"], got["var"]], [float(v) for v in peer.stats("mv")], atol=1e-300)
        between = stats(function, x=k + loc + 0.5, of=of, loc=loc, **shapes)["values"]
        if of == "pmf":
            assert not between.any()
        elif of in TAILS:
            assert np.array_equal(between, got["values"])
    mass = stats(function, x=k + loc, of="pmf", loc=loc, **shapes)["values"]
    cdf = stats(function, x=k + loc, of="cdf", loc=loc, **shapes)["values"]
    sf = stats(function, x=k + loc, of="sf", loc=loc, **shapes)["values"]
    close(np.cumsum(mass), cdf, rtol=1e-14)
    close(cdf + sf, np.ones(len(k)), rtol=1e-15)
    # the definition of the quantiles, at the steps themselves, beside them and between
    q = np.unique(np.concatenate([cdf, np.nextafter(cdf, 0), np.nextafter(cdf, 1), np.linspace(0.01, 0.99, 21)]))
    q = q[(q > 0) & (q < 1)]
    for of, tail in (("ppf", "cdf"), ("isf", "sf")):
        found = stats(function, x=q, of=of, loc=loc, **shapes)["values"]
        here = stats(function, x=found, of=tail, loc=loc, **shapes)["values"]
        before = stats(function, x=found - 1, of=tail, loc=loc, **shapes)["values"]
        assert np.all(here >= q if of == "ppf" else here <= q)
        assert np.all(before < q if of == "ppf" else before > q)
    low, high = peer.support()
    high = {("poisson", 0): loc, ("geom", 1): 1 + loc}.get((name, next(iter(shapes.values()))), high) # SciPy: inf
    assert list(stats(function, x=[0, 1], of="ppf", loc=loc, **shapes)["values"]) == [low - 1, high]
    assert list(stats(function, x=[0, 1], of="isf", loc=loc, **shapes)["values"]) == [high, low - 1]


# ---- accuracy: references with 40 digits ------------------------------------------------------------------------------


def gamma_tails(a, x):
    a, x = mp.mpf(a), mp.mpf(x)
    return mp.gammainc(a, 0, x, regularized=True), mp.gammainc(a, x, mp.inf, regularized=True)


def beta_series(a, b, x, y):
    log_norm = mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)
    return mp.exp(a * mp.log(x) + b * mp.log(y) - mp.log(a) - log_norm) * mp.hyp2f1(a + b, 1, a + 1, x)


def beta_tails(a, b, x, y=None):
    a, b, x = mp.mpf(a), mp.mpf(b), mp.mpf(x)
    y = 1 - x if y is None else y
    if x * b < y * a:
        lower = beta_series(a, b, x, y)
        return lower, 1 - lower
    upper = beta_series(b, a, y, x)
    return 1 - upper, upper


def spread(shape_count, low, high, count, seed):
    """Shape parameters log-uniform in low..high with a place each from far in one tail to far in the other."""
    rng = random.Random(seed)
    for _ in range(count):
        yield [10 ** rng.uniform(low, high) for _ in range(shape_count)], rng.uniform(-30, 30)


def check_tails(stats, name, x, shapes, lower, upper, rtol=1e-13):
    wanted = {"cdf": lower, "sf": upper,
              "logcdf": mp.log(lower) if lower < 0.5 else mp.log1p(-upper), "logsf": mp.log(upper) if upper < 0.5 else mp.log1p(-lower)}
    for of, value in wanted.items():
        if abs(value) > 1e-290:
            got = stats(name, x=[x], of=of, **shapes)["values"][0]
            assert abs(got - value) <= rtol * abs(value), (name, of, x, shapes, got, mp.nstr(value, 20))


@pytest.mark.parametrize("low, high", [(-6, -2), (-2, 1), (1, 3), (3, 5)])
def test_gamma_tails(stats, low, high):
    for (a,), z in spread(1, low, high, 40, seed=1):
        x = a * max(1 - 1 / (9 * a) + z / (3 * a ** 0.5), 1e-3) ** 3 # Wilson-Hilferty
        check_tails(stats, "dist_gamma", x, {"a": a}, *gamma_tails(a, x))
        check_tails(stats, "dist_chi2", 2 * x, {"df": 2 * a}, *gamma_tails(a, x))


@pytest.mark.parametrize("low, high", [(-6, -2), (-2, 1), (1, 3), (2.5, 4)])
def test_beta_tails(stats, low, high):
    for (a, b), z in spread(2, low, high, 40, seed=2):
        ratio = a / b * float(mp.exp(max(-600, min(600, z * (1 / a + 1 / b) ** 0.5))))
        x = ratio / (1 + ratio)
        if 0 < x < 1:
            check_tails(stats, "dist_beta", x, {"a": a, "b": b}, *beta_tails(a, b, x))
        r = mp.mpf(ratio) * (2 * mp.mpf(a)) / (2 * mp.mpf(b))
        check_tails(stats, "dist_f", ratio, {"dfn": 2 * a, "dfd": 2 * b}, *beta_tails(a, b, r / (1 + r), 1 / (1 + r)))


def t_upper(t, df):
    """By quadrature of the density where df is large, for the series of the beta function would take too long."""
    t, df = mp.mpf(t), mp.mpf(df)
    if df < 200:
        r = t * t / df
        return beta_tails(df / 2, 0.5, 1 / (1 + r), r / (1 + r))[0] / 2
    scale = min(1, 1 / t) if t else mp.mpf(1)
    area = mp.quad(lambda u: (((1 + u * u / df) / (1 + t * t / df)) ** (-(df + 1) / 2)), [t + scale * k for k in range(0, 200, 8)])
    return area * (1 + t * t / df) ** (-(df + 1) / 2) * mp.exp(mp.loggamma((df + 1) / 2) - mp.loggamma(df / 2)) / mp.sqrt(mp.pi * df)


def test_t_tails(stats):
    rng = random.Random(3)
    for decade in range(-5, 10):
        for _ in range(6):
            df, t = 10 ** rng.uniform(decade, decade + 1), rng.choice([rng.uniform(0, 30), 10 ** rng.uniform(-6, 1)])
            if decade == 2:
                t = min(t, 9)
            upper = t_upper(t, df)
            check_tails(stats, "dist_t", t, {"df": df}, 1 - upper, upper)
            check_tails(stats, "dist_t", -t, {"df": df}, upper, 1 - upper)


def test_huge_parameters(stats):
    """Against quadrature in 40 digits: parameters for which series would need a hundred thousand terms."""
    rng = random.Random(4)
    for decade in (5, 7, 9):
        for _ in range(3):
            a = 10 ** rng.uniform(decade, decade + 1)
            x = a + rng.uniform(-20, 20) * a ** 0.5
            am, xm, side = mp.mpf(a), mp.mpf(x), 1 if x > a else -1
            step = side / max(abs(xm - am) / xm, 1 / mp.sqrt(am))
            area = abs(mp.quad(lambda t: mp.exp((am - 1) * mp.log(t / xm) - (t - xm)), [xm + step * k for k in range(0, 100, 4)]))
            tail = area * mp.exp((am - 1) * mp.log(xm) - xm - mp.loggamma(am))
            check_tails(stats, "dist_gamma", x, {"a": a}, *((1 - tail, tail) if side > 0 else (tail, 1 - tail)))


def test_norm_tails(stats):
    for z in [0, 1e-300, 1e-9, 0.3, 1.5, 5, 8.3, 20, 37, 38.4]:
        upper = mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2
        check_tails(stats, "dist_norm", z, {}, 1 - upper, upper)
        check_tails(stats, "dist_lognorm", float(mp.exp(z)), {"s": 1}, *(lambda u: (1 - u, u))(mp.ncdf(-mp.log(mp.mpf(float(mp.exp(z)))))))
    for z in [50, 1e3, 1e10]:
        z = mp.mpf(z)
        wanted = mp.log(mp.erfc(z / mp.sqrt(2)) / 2) if z < 1e4 else -z * z / 2 - mp.log(z) - mp.log(2 * mp.pi) / 2
        close(stats("dist_norm", x=[float(-z)], of="logcdf")["values"], [float(wanted)], rtol=1e-15)


def test_closed_tails(stats):
    cases = [
        ("expon", {}, lambda z: mp.exp(-z), [1e-300, 1e-9, 0.5, 3, 600]),
        ("weibull_min", {"c": 2.5}, lambda z: mp.exp(-z ** mp.mpf(2.5)), [1e-99, 1e-9, 0.5, 3, 12]),
        ("pareto", {"b": 2.5}, lambda z: z ** -mp.mpf(2.5), [1 + 1e-9, 1.5, 3, 1e9, 1e100]),
        ("cauchy", {}, lambda z: mp.atan2(1, z) / mp.pi, [-1e200, -3, 0, 0.5, 1e9, 1e300]),
        ("laplace", {}, lambda z: mp.exp(-z) / 2 if z > 0 else 1 - mp.exp(z) / 2, [-600, -1e-9, 0.5, 40, 600]),
        ("logistic", {}, lambda z: 1 / (1 + mp.exp(z)), [-600, -1e-9, 0.5, 40, 600]),
        ("uniform", {}, lambda z: 1 - z, [1e-300, 0.3, 0.75, 1 - 1e-15]),
        ("geom", {"p": 1e-9}, lambda z: mp.exp(z * mp.log1p(-mp.mpf(1e-9))), [1, 10, 1e9, 1e11]),
    ]
    for name, shapes, upper, places in cases:
        for z in places:
            u = upper(mp.mpf(z))
            with mp.workdps(400):
                exact = upper(mp.mpf(z))
                lower = 1 - exact
            check_tails(stats, f"dist_{name}", z, shapes, lower, u)


def test_discrete_tails(stats):
    """The sums themselves, in fractions or 40 digits."""
    for n, p in [(5, 0.25), (60, 1e-3), (300, 0.5), (900, 0.999)]:
        f, whole = Fraction(p).numerator, Fraction(p).denominator
        mass = [comb(n, k) * f ** k * (whole - f) ** (n - k) for k in range(n + 1)] # times whole ** n
        for k in [0, 1, n // 3, n // 2, n - 2, n - 1]:
            lower, upper = sum(mass[:k + 1]), sum(mass[k + 1:])
            check_tails(stats, "dist_binom", k, {"n": n, "p": p}, *(mp.mpf(v) / whole ** n for v in (lower, upper)))
            wanted = mp.mpf(mass[k]) / whole ** n
            if wanted > 1e-290:
                assert abs(stats("dist_binom", x=[k], n=n, p=p)["values"][0] / wanted - 1) < 1e-14
    for big, kind, drawn in [(50, 20, 11), (400, 150, 90), (1000, 30, 970)]:
        low, high = max(0, drawn - (big - kind)), min(kind, drawn)
        mass = {k: Fraction(comb(kind, k) * comb(big - kind, drawn - k), comb(big, drawn)) for k in range(low, high + 1)}
        for k in [low, low + 1, (low + high) // 2, high - 1]:
            tails = [sum(v for j, v in mass.items() if j <= k), sum(v for j, v in mass.items() if j > k)]
            shapes = {"M": big, "n": kind, "N": drawn}
            check_tails(stats, "dist_hypergeom", k, shapes, *(mp.mpf(v.numerator) / v.denominator for v in tails))
            assert abs(Fraction(stats("dist_hypergeom", x=[k], **shapes)["values"][0]) / mass[k] - 1) < 1e-14
    for mu in [1e-9, 0.5, 30, 800]:
        for k in [0, 3, int(mu), int(1.5 * mu) + 20]:
            upper, lower = gamma_tails(k + 1, mu)
            check_tails(stats, "dist_poisson", k, {"mu": mu}, lower, upper)
    for n, p in [(0.3, 0.01), (2.5, 0.7), (40, 0.1)]:
        for k in [0, 3, 50, 1000]:
            check_tails(stats, "dist_nbinom", k, {"n": n, "p": p}, *beta_tails(n, k + 1, p))
            wanted = mp.binomial(mp.mpf(n) + k - 1, k) * mp.mpf(p) ** n * (1 - mp.mpf(p)) ** k
            if wanted > 1e-290:
                close(stats("dist_nbinom", x=[k], n=n, p=p)["values"], [float(wanted)], rtol=1e-14)


def quantile_error(x, p, tail, density):
    """Relative error of x as the place of the tail p, from the tail there; a unit of p is allowed for."""
    return abs((tail - mp.mpf(p)) / density / x)


def test_quantiles(stats):
    rng = random.Random(5)
    for _ in range(150):
        a, b = 10 ** rng.uniform(-2, 3.5), 10 ** rng.uniform(-2, 3.5)
        p = rng.choice([10 ** rng.uniform(-300, 0), rng.random()])
        for of, side in (("ppf", 0), ("isf", 1)):
            x = stats("dist_gamma", x=[p], of=of, a=a)["values"][0]
            if 1e-290 < x < 1e300:
                density = mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))
                assert quantile_error(x, p, gamma_tails(a, x)[side], density) < 1e-13, (of, p, a, x)
            x = stats("dist_f", x=[p], of=of, dfn=2 * a, dfd=2 * b)["values"][0]
            if 1e-290 < x < 1e290:
                r = mp.mpf(x) * mp.mpf(a) / mp.mpf(b)
                u, v = r / (1 + r), 1 / (1 + r)
                density = mp.exp(a * mp.log(u) + b * mp.log(v) - mp.loggamma(a) - mp.loggamma(b) + mp.loggamma(mp.mpf(a) + b)) / x
                assert quantile_error(x, p, beta_tails(a, b, u, v)[side], density) < 1e-13, (of, p, a, b, x)
        z = stats("dist_norm", x=[p], of="isf")["values"][0]
        assert quantile_error(z, p, mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2, mp.npdf(z)) < 1e-14
    # near the median, where scipy.stats.t.ppf loses digits; 2.5705818366147395 is what it says for the first
    assert stats("dist_t", x=[0.975], of="ppf", df=5)["values"][0] == pytest.approx(2.5705818356363155, rel=1e-14)
    assert stats("dist_t", x=[0.5 + 2 ** -52], of="ppf", df=3)["values"][0] == pytest.approx(
        float(2 ** -52 / (2 / (mp.pi * mp.sqrt(3)))), rel=1e-13)


# ---- edges ---------------------------------------------------------------------------------------------------------------


ALL = sorted({(name, tuple(shapes.items())) for name, shapes, _ in CONTINUOUS + DISCRETE})


@pytest.mark.parametrize("name, shapes", ALL)
def test_places_without_a_number(stats, name, shapes):
    shapes, function = dict(shapes), f"dist_{name}"
    first = "pmf" if "pmf" in str(stats.contracts[function]) else "pdf"
    ends = {first: (0, 0), "log" + first: (-inf, -inf), "cdf": (0, 1), "logcdf": (-inf, 0), "sf": (1, 0), "logsf": (0, -inf)}
    for of, (below, above) in ends.items():
        values = stats(function, x=[nan, -inf, inf, -1e308, 1e308], of=of, **shapes)["values"]
        assert np.isnan(values[0]) and not np.isnan(values[1:]).any()
        assert (values[1], values[2]) == (below, above)
    for of in ("ppf", "isf"):
        values = stats(function, x=[nan, 0.5], of=of, **shapes)["values"]
        assert np.isnan(values[0]) and not np.isnan(values[1])
        for p in (-1e-300, 1.0000000000000002, inf, -inf):
            refused = stats.refused(function, x=[0.5, p], of=of, **shapes)
            assert (refused.status, refused.field) == ("invalid", "x") and "x[1]" in refused.text
    refused = stats.refused(function, x=[1, nan], nan_policy="raise", **shapes)
    assert (refused.status, refused.field) == ("invalid", "x")
    for shape in shapes:
        for value in (-1, nan, inf, 1e300):
            assert stats.refused(function, x=[1], **{**shapes, shape: value}).status == "invalid"
    if first == "pdf":
        for scale in (0, -1, inf, nan):
            assert stats.refused(function, x=[1], scale=scale, **shapes).field == "scale"


def test_ends_of_the_support(stats):
    def at(name, x, **args):
        return list(stats(f"dist_{name}", x=x, **args)["values"])
    assert at("gamma", [0], a=0.5) == [inf] and at("gamma", [0], a=1) == [1] and at("gamma", [0], a=2) == [0]
    assert at("chi2", [0], df=1) == [inf] and at("chi2", [0], df=2) == [0.5] and at("chi2", [0], df=3) == [0]
    assert at("beta", [0, 1], a=1, b=3) == [3, 0] and at("beta", [0, 1], a=0.5, b=0.5) == [inf, inf]
    assert at("f", [0], dfn=2, dfd=3) == [1] and at("f", [0], dfn=1, dfd=3) == [inf]
    assert at("weibull_min", [0], c=1) == [1] and at("weibull_min", [0], c=0.5) == [inf] and at("weibull_min", [0], c=2) == [0]
    assert at("lognorm", [0, 0], s=1) == [0, 0] and at("pareto", [1], b=3) == [3]
    assert at("uniform", [0, 1, -1e-300, 1.0000000000000002]) == [1, 1, 0, 0]
    assert at("hypergeom", [0, 1], M=0, n=0, N=0) == [1, 0] and at("binom", [0], n=0, p=0.3) == [1]
    assert at("norm", [0.5], scale=1e-300, of="cdf") == [1] and at("norm", [1e300], scale=1e-300, of="logpdf") == [-inf]


def test_moments_that_do_not_exist(stats):
    def moments(name, **args):
        got = stats(f"dist_{name}", x=[1], **args)
        return got["mean"], got["var"]
    assert moments("t", df=1) == (None, None) and moments("t", df=2) == (0, inf) and moments("t", df=4) == (0, 2)
    assert moments("cauchy", loc=3) == (None, None)
    assert moments("f", dfn=3, dfd=2) == (inf, None) and moments("f", dfn=3, dfd=4) == (2, inf)
    assert moments("pareto", b=1) == (inf, None) and moments("pareto", b=2) == (2, inf)
    mean, var = moments("weibull_min", c=1e6)
    assert var == pytest.approx(float(mp.gamma(1 + mp.mpf(2) / 10**6) - mp.gamma(1 + mp.mpf(1) / 10**6) ** 2), rel=1e-10)


def test_hypergeom_shapes_that_contradict(stats):
    for args, field in (({"M": 5, "n": 6, "N": 1}, "n"), ({"M": 5, "n": 1, "N": 6}, "N")):
        assert stats.refused("dist_hypergeom", x=[1], **args).field == field


def test_extreme_parameters_answer_in_time(stats):
    """All corners of the shape parameters, at places and probabilities from end to end: an answer in 0..1 each, none slow."""
    probabilities = [1e-300, 1e-16, 0.3, 0.5, 0.7, 1 - 1e-16]
    corners = [1e-6, 1e-3, 0.9, 1, 999, 1001, 1e6, 1e10]
    cases = [("gamma", {"a": a}) for a in corners] + [("t", {"df": a}) for a in corners] + [("poisson", {"mu": a}) for a in corners]
    cases += [("beta", {"a": a, "b": b}) for a in corners for b in corners] + [("f", {"dfn": a, "dfd": b}) for a in corners for b in corners]
    cases += [("nbinom", {"n": a, "p": p}) for a in corners for p in (1e-10, 0.5, 1)] + [("binom", {"n": int(a), "p": p}) for a in corners for p in (1e-10, 0.5, 1)]
    cases += [("hypergeom", {"M": 10**9, "n": n, "N": m}) for n in (1, 10**6, 5 * 10**8) for m in (1, 10**6, 5 * 10**8)]
    cases += [("weibull_min", {"c": c}) for c in (1e-3, 1e6)] + [("lognorm", {"s": s}) for s in (1e-9, 1e3)] + [("geom", {"p": 1e-15})]
    for name, shapes in cases:
        for of in ("ppf", "isf"):
            x = stats(f"dist_{name}", x=probabilities, of=of, **shapes)["values"]
            steps = np.diff(x) if of == "ppf" else -np.diff(x)
            assert not np.isnan(x).any() and (steps[np.isfinite(steps)] >= 0).all(), (name, shapes, of, x)
            finite = x[np.isfinite(x)]
            if len(finite):
                for tail in ("cdf", "sf"):
                    values = stats(f"dist_{name}", x=finite, of=tail, **shapes)["values"]
                    assert ((values >= 0) & (values <= 1)).all(), (name, shapes, finite, values)
