# SPDX-License-Identifier: MPL-2.0
"""Basic statistics against NumPy and SciPy, and against fractions where those lose digits."""
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats as ss

from plugin import MODE, Plugin

SIZES = [1, 2, 3, 5, 8, 17, 64, 255, 1000, 1537, 5000] if MODE == "release" else [1, 2, 3, 8, 17, 300, 1537]
SETS = ["plain", "baseline", "auto"]
KINDS = {
    "normal": lambda r, n: r.standard_normal(n),
    "offset": lambda r, n: 1e9 + r.standard_normal(n),
    "integers": lambda r, n: r.integers(-5, 6, n).astype(float),
    "heavy": lambda r, n: r.standard_cauchy(n),
    "positive": lambda r, n: r.random(n) * 100 + 0.01,
    "denormal": lambda r, n: r.integers(-999, 999, n) * 5e-324,
    "huge": lambda r, n: r.standard_normal(n) * 1e300,
}


@pytest.fixture(scope="module", params=SETS)
def stats(request):
    with Plugin("stats", {"simd": request.param}) as plugin:
        yield plugin


@pytest.fixture(scope="module")
def one():
    with Plugin("stats") as plugin:
        yield plugin


def data(kind, n, seed=0):
    return KINDS[kind](np.random.default_rng([n, seed, 2385]), n)


def near(got, want, rtol=1e-12, atol=0.0):
    if got is None:
        got = math.nan
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, equal_nan=True)


def exact(x):
    """Mean and central moments 2..4 of finite numbers, rounded once."""
    f = [Fraction(v) for v in x.tolist()]
    mean = sum(f) / len(f)
    return mean, [sum((v - mean) ** k for v in f) / len(f) for k in (2, 3, 4)]


def root(q):
    """The square root of a fraction of any size."""
    if q == 0:
        return 0.0
    shift = (q.denominator.bit_length() - q.numerator.bit_length() + 140) // 2 * 2
    scaled = q * Fraction(2) ** shift
    return math.ldexp(math.isqrt(int(scaled)), -shift // 2)


@pytest.mark.parametrize("kind", list(KINDS))
def test_moments_are_exact(stats, kind):
    for n in [s for s in SIZES if s <= 1600]:
        x = data(kind, n)
        mean, (m2, m3, m4) = exact(x)
        most = float(np.abs(x).max())
        near(stats("mean", x=x)["mean"], float(mean), 1e-14, 2e-16 * most + 5e-324)
        total = mean * n
        near(stats("sum", x=x)["sum"], float(total) if abs(total) < 1.7e308 else math.copysign(math.inf, total),
             1e-14, 2e-16 * float(np.abs(x / n).sum()) * n if kind != "huge" else 1e288)
        near(stats("std", x=x)["std"], root(m2), 1e-13, 1e-323)
        if n > 1:
            near(stats("std", x=x, ddof=1)["std"], root(m2 * n / (n - 1)), 1e-13, 1e-323)
            near(stats("sem", x=x)["sem"], root(m2 / (n - 1)), 1e-13, 1e-323)
        if mean and m2 and 1e-200 < abs(float(mean)):
            near(stats("variation", x=x)["variation"], root(m2 / mean**2) * (1 if mean > 0 else -1), 1e-12 if kind == "offset" else 1e-10)
        if m2:
            near(stats("skew", x=x)["skew"], root(m3 * m3 / m2**3) * (1 if m3 > 0 else -1), 1e-12, 1e-12)
            near(stats("kurtosis", x=x, fisher=False)["kurtosis"], float(m4 / m2 / m2), 1e-12)
        if kind in ("normal", "integers", "offset"):
            got = stats("moment", x=x, orders=[0, 1, 2, 3, 4])["moments"]
            near(got, [1, 0, float(m2), float(m3), float(m4)], 1e-12, 1e-11)


@pytest.mark.parametrize("bias", [True, False])
def test_shape_as_scipy(one, bias):
    for kind in ("normal", "positive", "integers", "heavy"):
        for n in SIZES:
            if n >= 4 and data(kind, n).std():
                x = data(kind, n)
                near(one("skew", x=x, bias=bias)["skew"], ss.skew(x, bias=bias), 1e-9, 1e-11)
                near(one("kurtosis", x=x, bias=bias)["kurtosis"], ss.kurtosis(x, bias=bias), 1e-9, 1e-11)
    assert one("skew", x=[1, 2], bias=False)["skew"] is None or math.isnan(one("skew", x=[1, 2], bias=False)["skew"])
    for order in range(9):
        x = data("normal", 200)
        near(one("moment", x=x, order=order)["moment"], ss.moment(x, order), 1e-11, 1e-15)


@pytest.mark.parametrize("name", ["mean", "var", "std", "sem", "variation", "sum", "min", "max", "ptp", "skew", "kurtosis",
                                      "moment", "median", "median_abs_deviation", "iqr", "mode", "gmean", "hmean", "entropy"])
def test_constants_and_single_values(one, name):
    function = name
    known = {"mean": 2.385, "var": 0, "std": 0, "sem": 0, "variation": 0, "min": 2.385, "max": 2.385, "ptp": 0, "skew": None,
             "kurtosis": None, "moment": 0, "median": 2.385, "median_abs_deviation": 0, "iqr": 0, "mode": 2.385, "gmean": 2.385,
             "hmean": 2.385}
    for n in (1, 2, 7, 3000):
        if function == "sem" and n == 1:
            assert one.refused("sem", x=[2.385]).field == "ddof"
            continue
        want = known.get(function, n * 2.385 if function == "sum" else math.log(n))
        near(one(function, x=np.full(n, 2.385))[function], math.nan if want is None else want, 1e-13, 1e-15)


REDUCERS = {
    "sum": (np.sum, {}), "mean": (np.mean, {}), "var": (np.var, {"ddof": 1}), "std": (np.std, {}), "sem": (ss.sem, {}),
    "variation": (ss.variation, {}), "min": (np.min, {}), "max": (np.max, {}), "ptp": (np.ptp, {}), "skew": (ss.skew, {}),
    "kurtosis": (ss.kurtosis, {"bias": False}), "median": (np.median, {}), "iqr": (ss.iqr, {}),
    "median_abs_deviation": (ss.median_abs_deviation, {}), "gmean": (ss.gmean, {}), "hmean": (ss.hmean, {}),
    "entropy": (ss.entropy, {"base": 2}), "moment": (lambda x, axis: ss.moment(x, 3, axis=axis), {"order": 3}),
    "trim_mean": (lambda x, axis: ss.trim_mean(x, 0.15, axis=axis), {"proportiontocut": 0.15}),
    "average": (np.average, {}),
}
SHAPES = [(1, 1), (1, 5), (5, 1), (4, 8), (9, 7), (255, 3), (257, 17), (1030, 9), (40, 100)]


@pytest.mark.parametrize("name", REDUCERS)
def test_along_an_axis(stats, name):
    function = name
    oracle, extra = REDUCERS[function]
    options = {k: v for k, v in extra.items() if k in ("ddof", "bias", "base") and function != "trim_mean"}
    for shape in SHAPES:
        x = np.random.default_rng([*shape, 5]).random(shape) * 100 + 1
        for axis in (0, 1):
            if shape[axis] < 4 and function in ("var", "sem", "kurtosis", "skew", "moment", "variation"):
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                want = oracle(x, axis=axis, **options)
            got = stats(function, data=x, axis=axis, **extra)
            near(got["values"], want, 1e-10, 1e-11)
            assert got[function] is None
            rows = x if axis else x.T  # and the same as slice by slice
            for i in (0, len(rows) - 1):
                near(got["values"][i], stats(function, x=np.ascontiguousarray(rows[i]), **extra)[function], 1e-11, 1e-12)


@pytest.mark.parametrize("axis", [0, 1])
def test_columns_keep_their_digits(stats, axis):
    """Columns that need another way than their neighbours: far from zero, out of range, equal, NaN, infinite."""
    n = 700
    columns = [data(kind, n, i) for i, kind in enumerate(KINDS)] + [
        np.full(n, 0.1), np.full(n, 1e308), np.r_[np.nan, np.ones(n - 1)], np.r_[np.inf, np.ones(n - 1)], data("normal", n) + 1e15]
    x = np.stack(columns, axis=1 - axis)
    for function in ("mean", "sum", "std", "var", "min", "max", "ptp", "skew", "kurtosis", "median", "mode"):
        values = stats(function, data=x, axis=axis)["values"]
        alone = [stats(function, x=np.ascontiguousarray(c))[function] for c in columns]
        near(values, [math.nan if v is None else v for v in alone], 1e-12, 1e-12)


@pytest.mark.parametrize("axis", [0, 1])
def test_nan_policies_along_an_axis(one, axis):
    rng = np.random.default_rng(7)
    x = rng.random((30, 11)) + 0.5
    x[rng.random(x.shape) < 0.2] = np.nan
    x[:, 4] = np.nan
    x[13, :] = np.nan
    x[13, 2] = 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for function, oracle in (("mean", np.nanmean), ("std", np.nanstd), ("min", np.nanmin), ("max", np.nanmax), ("median", np.nanmedian)):
            near(one(function, data=x, axis=axis, nan_policy="omit")["values"], oracle(x, axis=axis), 1e-13)
            plain = function if function != "median" else "median"
            near(one(function, data=x, axis=axis)["values"], getattr(np, plain)(x, axis=axis), 1e-13)
    refused = one.refused("mean", data=x, axis=axis, nan_policy="raise")
    at = np.argwhere(np.isnan(x))[0]
    assert (refused.status, refused.field) == ("invalid", "data") and f"[{at[0]},{at[1]}]" in refused.text
    w = np.arange(1.0, x.shape[axis] + 1)
    got = one("average", data=x, axis=axis, weights=w, nan_policy="omit")["values"]
    ma = np.ma.average(np.ma.masked_invalid(x), axis=axis, weights=w)
    near(got, ma.filled(np.nan), 1e-13)
    got = one("var", data=x, axis=axis, ddof=1, nan_policy="omit")["values"]  # single values have none
    assert np.isnan(got[13 if axis else 4])


def test_a_nan_at_each_place(stats):
    for n in (1, 2, 9, 33):
        for at in range(n):
            x = data("positive", n)
            x[at] = np.nan
            for function in ("mean", "sum", "var", "min", "max", "ptp", "median", "iqr", "mode", "gmean", "hmean", "entropy", "skew",
                             "kurtosis", "moment", "median_abs_deviation", "average"):
                got = stats(function, x=x)[function]
                assert got is None or math.isnan(got), (function, n, at)
                if n > 1:
                    kept = np.delete(x, at)
                    near(stats(function, x=x, nan_policy="omit")[function],
                         math.nan if stats(function, x=kept)[function] is None else stats(function, x=kept)[function], 1e-15)
                refused = stats.refused(function, x=x, nan_policy="raise")
                assert refused.status == "invalid" and f"element {at} of x" in refused.text


def test_extremes(stats):
    for n in list(range(1, 40)) + [1000]:
        for kind in KINDS:
            x = data(kind, n)
            got = stats("ptp", x=x)
            assert (got["min"], got["max"]) == (x.min(), x.max())
            assert stats("min", x=x)["min"] == x.min() and stats("max", x=x)["max"] == x.max()
    assert stats("max", x=[1, math.inf])["max"] == math.inf


def test_means(one):
    for n in SIZES:
        x, w = data("positive", n), np.random.default_rng(n).random(n) + 0.1
        near(one("gmean", x=x)["gmean"], ss.gmean(x), 1e-13)
        near(one("hmean", x=x)["hmean"], ss.hmean(x), 1e-13)
        near(one("gmean", x=x, weights=w)["gmean"], ss.gmean(x, weights=w), 1e-13)
        near(one("hmean", x=x, weights=w)["hmean"], ss.hmean(x, weights=w), 1e-13)
        near(one("average", x=x, weights=w)["average"], np.average(x, weights=w), 1e-13)
        for p in (-3, -1, -0.5, 0, 0.5, 1, 2, 3, 10):
            near(one("pmean", x=x, p=p)["pmean"], ss.pmean(x, p), 1e-12)
            near(one("pmean", x=x, p=p, weights=w)["pmean"], ss.pmean(x, p, weights=w), 1e-12)
            near(one("pmean", x=x * 1e300 / 100, p=p)["pmean"], ss.pmean(x, p) * 1e298, 1e-12)
            near(one("pmean", x=x * 1e-300, p=p)["pmean"], ss.pmean(x, p) * 1e-300, 1e-12)
    for function in ("gmean", "hmean"):
        assert one(function, x=[0, 1, 2])[function] == 0
        assert one.refused(function, x=[1, -1e-9]).field == "x"
        assert one.refused(function, x=[1, 2], weights=[0, 0]).field == "weights"
        near(one(function, x=[0, 4], weights=[0, 2])[function], 4, 1e-15)
    assert one("pmean", x=[0, 4], p=2)["pmean"] == math.sqrt(8)
    assert one("pmean", x=[0, 4], p=-2)["pmean"] == 0
    near(one("average", x=[1e308, 1.5e308], weights=[3, 1])["average"], 1.125e308, 1e-15)
    near(one("average", x=[1, 2, 4], weights=[2, -1, 3])["average"], 3, 1e-15)


def test_order_statistics(one):
    for kind in ("normal", "integers", "heavy", "offset"):
        for n in SIZES:
            x = data(kind, n)
            assert one("median", x=x)["median"] == np.median(x)
            near(one("median_abs_deviation", x=x, scale=0.6744897501960817)["median_abs_deviation"],
                 ss.median_abs_deviation(x, scale="normal"), 1e-14)
            near(one("iqr", x=x, rng=[10, 80], scale=2)["iqr"], ss.iqr(x, rng=(10, 80), scale=2), 1e-12, 1e-13)
            values, counts = np.unique(x, return_counts=True)
            got = one("mode", x=x)
            assert (got["mode"], got["count"]) == (values[counts.argmax()], counts.max())
            for p in (0, 0.05, 0.1, 0.25, 0.3, 0.49):
                near(one("trim_mean", x=x, proportiontocut=p)["trim_mean"], ss.trim_mean(x, p), 1e-12, 1e-14)
            for limits in ([0, 0], [0.1, 0.1], [0.3, 0], [0, 0.45], [0.5, 0.4]):
                got = one("winsorize", x=x, limits=limits)["winsorize"]
                np.testing.assert_array_equal(got, np.asarray(ss.mstats.winsorize(x, limits)))
    assert one("median", x=[1.7e308, 1.7e308])["median"] == 1.7e308
    assert one("median", x=[1.7e308, 1.5e308])["median"] == 1.6e308


def test_entropy(one):
    for n in SIZES:
        p, q = data("positive", n), data("positive", n, 1)
        near(one("entropy", x=p)["entropy"], ss.entropy(p), 1e-12, 1e-15)
        near(one("entropy", x=p, qk=q, base=2)["entropy"], ss.entropy(p, q, base=2), 1e-10, 1e-15)
    assert one("entropy", x=[1, 1], qk=[1, 0])["entropy"] == math.inf
    assert one("entropy", x=[1, 0], qk=[1, 0])["entropy"] == 0
    x = np.random.default_rng(3).random((9, 4))
    q = np.arange(1.0, 10)
    near(one("entropy", data=x, qk=q)["values"], ss.entropy(x, np.repeat(q[:, None], 4, axis=1)), 1e-12)
    assert one.refused("entropy", x=[1, -1]).field == "x"
    assert one.refused("entropy", x=[0, 0]).field == "x"
    assert one.refused("entropy", x=[1, 2], qk=[1]).field == "qk"


def test_scaling(one):
    for n in SIZES[1:]:
        x = data("normal", n)
        got = one("minmax_scale", x=x, feature_range=[-2, 3])["minmax_scale"]
        near(got, -2 + 5 * (x - x.min()) / np.ptp(x), 1e-13, 1e-14)
        assert got.min() == -2 and got.max() == 3
        q = np.quantile(x, [0.1, 0.5, 0.8])
        near(one("robust_scale", x=x, quantile_range=[10, 80])["robust_scale"], (x - np.median(x)) / (q[2] - q[0]), 1e-10, 1e-12)
        near(one("zscore", x=x)["zscore"], ss.zscore(x), 1e-11, 1e-13)
    assert list(one("minmax_scale", x=[-1.7e308, 0, 1.7e308])["minmax_scale"]) == [0, 0.5, 1]
    assert list(one("minmax_scale", x=[5, 5], zero_range="one")["minmax_scale"]) == [0, 0]
    for function in ("minmax_scale", "robust_scale"):
        assert one.refused(function, x=[5, 5]).field == "x"
        got = one(function, x=[1, math.nan, 2, 4], nan_policy="omit")[function]
        near(np.delete(got, 1), one(function, x=[1, 2, 4])[function], 1e-15)
        assert np.isnan(got[1]) and np.isnan(one(function, x=[1, math.nan, 2])[function]).all()


def test_outliers(one):
    rng = np.random.default_rng(11)
    x = rng.standard_normal(500)
    x[[3, 77]] = [9, -12]
    z = np.abs(ss.zscore(x)) > 3
    q1, q3 = np.quantile(x, [0.25, 0.75])
    fences = (x < q1 - 1.5 * (q3 - q1)) | (x > q3 + 1.5 * (q3 - q1))
    mad = 0.6744897501960817 * np.abs(x - np.median(x)) / ss.median_abs_deviation(x) > 3.5
    for method, want in (("z", z), ("iqr", fences), ("mad", mad)):
        got = one("outliers", x=x, method=method)
        assert list(got["indices"]) == list(np.flatnonzero(want)) and got["count"] == want.sum()
        assert list(got["values"]) == list(x[want])
        y = np.insert(x, 10, np.nan)
        assert list(one("outliers", x=y, method=method, nan_policy="omit")["indices"]) == list(np.flatnonzero(np.insert(want, 10, False)))
        assert one("outliers", x=y, method=method)["indices"] is None
    assert list(one("outliers", x=x, method="z", threshold=6)["indices"]) == [3, 77]
    assert one("outliers", x=[0.1] * 7, method="z")["count"] == 0


def test_running(stats):
    with np.errstate(all="ignore"):
        for n in [0] + SIZES:
            for kind in KINDS:
                x = data(kind, n)
                np.testing.assert_array_equal(stats("cumsum", x=x)["cumsum"], np.cumsum(x))
                np.testing.assert_array_equal(stats("cumprod", x=x)["cumprod"], np.cumprod(x))
                np.testing.assert_array_equal(stats("cummax", x=x)["cummax"], np.maximum.accumulate(x))
                np.testing.assert_array_equal(stats("cummin", x=x)["cummin"], np.minimum.accumulate(x))
                for order in (0, 1, 2, 5):
                    np.testing.assert_array_equal(stats("diff", x=x, n=order)["diff"], np.diff(x, n=order))
    x = np.array([np.nan, 2, np.nan, 1, 3, np.nan])
    np.testing.assert_array_equal(stats("cummax", x=x, nan_policy="omit")["cummax"], np.fmax.accumulate(x))
    np.testing.assert_array_equal(stats("cummin", x=x, nan_policy="omit")["cummin"], np.fmin.accumulate(x))
    np.testing.assert_array_equal(stats("cumprod", x=x, nan_policy="omit")["cumprod"], np.nancumprod(x))
    np.testing.assert_array_equal(stats("cummax", x=x[1:])["cummax"], np.maximum.accumulate(x[1:]))
    np.testing.assert_array_equal(stats("cummin", x=x[1:])["cummin"], np.minimum.accumulate(x[1:]))
    np.testing.assert_array_equal(stats("diff", x=x, nan_policy="omit")["diff"], [-1, 2])


SUMS = {
    "halves: each addition is a tie": lambda r, n: np.r_[2.0**53, r.integers(-3, 4, n) * 0.5 + 20],
    "ties below zero": lambda r, n: np.r_[-(2.0**53) - 2, -r.integers(-3, 4, n) * 0.5 - 20.25],
    "prices": lambda r, n: np.round(100 + r.random(n), 2),
    "every power of two": lambda r, n: 2.0 ** r.integers(-60, 60, n),
    "around a power of two": lambda r, n: np.r_[1024.0, r.standard_normal(n) * 1e-3],
    "mixed sizes": lambda r, n: r.standard_normal(n) * 2.0 ** r.integers(-8, 8, n),
    "floats": lambda r, n: r.random(n).astype("f4").astype(float) + 1e9,
    "whole numbers beyond 2^60": lambda r, n: 2.0**60 + r.integers(0, 2000, n),
    "to infinity": lambda r, n: np.abs(r.standard_normal(n)) * 1e307,
    "infinite": lambda r, n: np.r_[r.random(n), np.inf, r.random(n)],
    "NaN": lambda r, n: np.r_[100 + r.random(n), np.nan, r.random(n)],
    "smallest": lambda r, n: r.standard_normal(n) * 1e-310,
}


@pytest.mark.parametrize("what", SUMS)
def test_cumulative_sums_to_the_last_bit(stats, what):
    for n in [1, 31, 32, 33, 64, 100, 129, 1000, 20000 if MODE == "release" else 2000]:
        x = SUMS[what](np.random.default_rng([n, 17]), n)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(stats("cumsum", x=x)["cumsum"], np.cumsum(x))


def test_top_k(one):
    for kind in ("normal", "integers"):
        for n in SIZES:
            x = data(kind, n)
            for k in {1, min(n, 3), (n + 1) // 2, n}:
                for largest in (True, False):
                    order = np.argsort(-x if largest else x, kind="stable")[:k]
                    got = one("top_k", x=x, k=k, largest=largest)
                    assert list(got["indices"]) == list(order) and list(got["values"]) == list(x[order])
    assert one("top_k", x=[1, math.nan], k=1)["values"] is None
    assert one.refused("top_k", x=[1, math.nan], k=2, nan_policy="omit").field == "k"


def test_refusals(one):
    assert one.refused("mean").text.startswith("x is missing, expected x or data")
    assert one.refused("std", x=[1], data=[[1]]).field == "data"
    assert one.refused("var", data=[[1, 2]], ddof=1).field == "ddof"
    assert one.refused("mean", data=[[1, 2]], axis=2).field == "axis"
    assert one.refused("sum", data=[[]]).status == "invalid"
    assert one.refused("average", data=np.ones((2, 3)), axis=1, weights=[1, 1]).field == "weights"
    assert one.refused("minmax_scale", x=[1, 2], feature_range=[1, 1]).field == "feature_range"
    assert one.refused("moment", x=[1, 2], order=2, orders=[2]).field == "orders"


def test_ten_million_values(one):
    if MODE != "release":
        return
    x = np.random.default_rng(1).standard_normal((10**6, 10))
    near(one("mean", data=x)["values"], x.mean(axis=0), 1e-9, 1e-14)
    near(one("std", data=x)["values"], x.std(axis=0), 1e-12)
