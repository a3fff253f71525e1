# SPDX-License-Identifier: MPL-2.0
"""Rolling windows, order, histograms and filters of the stats plugin, compared with what NumPy, SciPy and pandas define."""
import numpy as np
import pytest

from plugin import Plugin

RNG = np.random.default_rng(20240611)
NAN, INF = np.nan, np.inf


@pytest.fixture(scope="module", params=["auto", "baseline"])
def stats(request):
    with Plugin("stats", None if request.param == "auto" else {"simd": request.param}) as plugin:
        yield plugin


def same(got, want, rtol=1e-13, atol=0.0):
    np.testing.assert_allclose(np.asarray(got, float), np.asarray(want, float), rtol=rtol, atol=atol, equal_nan=True)


# ---- rolling windows: every window by itself, in long double ----------------------------------------------------------

def spread(v, ddof):
    d = v - v.mean()
    d -= d.mean()
    return (d * d).sum() / (len(v) - ddof) if len(v) > ddof else NAN


def zscore(v, last, ddof):
    s = np.sqrt(spread(v, ddof))
    return (last - v.mean()) / s if s != 0 else NAN


ROLLING = {
    "rolling_sum": lambda v, last, ddof: v.sum(),
    "rolling_mean": lambda v, last, ddof: v.mean(),
    "rolling_var": lambda v, last, ddof: spread(v, ddof),
    "rolling_std": lambda v, last, ddof: np.sqrt(spread(v, ddof)),
    "rolling_zscore": zscore,
    "rolling_min": lambda v, last, ddof: v.min(),
    "rolling_max": lambda v, last, ddof: v.max(),
    "rolling_median": lambda v, last, ddof: np.median(v),
}
WITH_DDOF = ["rolling_var", "rolling_std", "rolling_zscore"]


def by_window(of, x, window, min_periods=None, omit=False, ddof=0):
    min_periods = window if min_periods is None else min_periods
    out = np.full(len(x), NAN)
    with np.errstate(all="ignore"):
        for i in range(len(x)):
            w = np.asarray(x[max(0, i - window + 1):i + 1], np.longdouble)
            v = w[~np.isnan(w)]
            if len(v) >= min_periods and (omit or len(v) == len(w)):
                out[i] = of(v, w[-1], ddof)
    return out


@pytest.mark.parametrize("name", list(ROLLING))
def test_rolling_over_shapes(stats, name):
    for n in [1, 2, 3, 5, 17, 40, 64, 100, 333]:
        x = RNG.normal(size=n)
        for window in {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 50, n // 2, n - 1, n}:
            if 1 <= window <= n:
                got = stats(name, x=x, window=window)[name]
                want = by_window(ROLLING[name], x, window)
                same(got, want, rtol=1e-12, atol=2e-13 if name == "rolling_sum" else 4e-15)


@pytest.mark.parametrize("name", list(ROLLING))
def test_rolling_with_a_gap_at_each_place(stats, name):
    x = RNG.normal(size=60)
    for at in range(60):
        for gap in [NAN, INF, -INF] if at % 7 == 0 else [NAN]:
            y = x.copy()
            y[at] = gap
            same(stats(name, x=y, window=9)[name], by_window(ROLLING[name], y, 9), 1e-12, 2e-14)


@pytest.mark.parametrize("name", list(ROLLING))
def test_rolling_with_few_values(stats, name):
    for n, window, least in [(40, 7, 1), (40, 7, 3), (40, 7, 7), (40, 100, 2), (300, 50, 20), (5, 5, 5), (1, 1, 1)]:
        x = RNG.normal(size=n)
        x[RNG.random(n) < 0.3] = NAN
        for omit in [False, True]:
            for ddof in [0, 1] if name in WITH_DDOF and window > 1 else [0]:
                more = {"ddof": ddof} if ddof else {}
                got = stats(name, x=x, window=window, min_periods=least,
                            nan_policy="omit" if omit else "propagate", **more)[name]
                same(got, by_window(ROLLING[name], x, window, least, omit, ddof), 1e-12, 2e-14)


def test_rolling_agrees_with_pandas(stats):
    pandas = pytest.importorskip("pandas")
    x = RNG.normal(size=400)
    x[RNG.random(400) < 0.1] = NAN
    for window, least in [(5, 5), (20, 4), (500, 3)]:
        r = pandas.Series(x).rolling(window, min_periods=least)
        for name, want in [("sum", r.sum()), ("mean", r.mean()), ("min", r.min()), ("max", r.max())]:
            got = stats("rolling_" + name, x=x, window=window, min_periods=least, nan_policy="omit")
            same(got["rolling_" + name], want, 1e-9, 1e-12)
        got = stats("rolling_std", x=x, window=window, min_periods=least, nan_policy="omit", ddof=1)["rolling_std"]
        same(got, r.std(), 1e-9, 1e-12)
        y = RNG.normal(size=400)
        for name, want in [("rolling_cov", r.cov(pandas.Series(y))), ("rolling_corr", r.corr(pandas.Series(y)))]:
            got = stats(name, x=x, y=y, window=window, min_periods=least, nan_policy="omit")[name]
            same(got, want, 1e-9, 1e-12)


@pytest.mark.parametrize("n, window", [(3000, 5), (3000, 50), (3000, 700)])
@pytest.mark.parametrize("kind", ["far", "spike", "spikes", "drift", "huge", "tiny", "wide"])
def test_rolling_keeps_its_digits(stats, kind, n, window):
    x = RNG.normal(size=n)
    if kind == "far":
        x = 1e9 + x
    elif kind == "spike":
        x[n // 3] = 1e12
    elif kind == "spikes":
        x[::97] = 1e14
    elif kind == "drift":
        x = np.cumsum(x) * 1e3
    elif kind == "huge":
        x *= 1e300
    elif kind == "tiny":
        x *= 1e-200
    elif kind == "wide":
        x = np.exp(20 * x)
    exact = x.astype(np.longdouble)
    windows = np.lib.stride_tricks.sliding_window_view(exact, window)
    mean = windows.mean(axis=1)
    deviations = windows - mean[:, None]
    var = (deviations ** 2).mean(axis=1)
    size = np.abs(windows).max(axis=1).astype(float)
    got = stats("rolling_mean", x=x, window=window)["rolling_mean"][window - 1:]
    assert (np.abs(got - mean.astype(float)) <= 3e-16 * np.sqrt(window) * size).all()
    # cancellation inside a window of a spike and its neighbours costs the digits of the window's length, no more
    limit = 1e-15 * window if kind in ["spike", "spikes", "wide"] else 1e-13
    got = stats("rolling_std", x=x, window=window)["rolling_std"][window - 1:]
    same(got, np.sqrt(var).astype(float), rtol=limit)
    got = stats("rolling_var", x=x, window=window)["rolling_var"][window - 1:]
    with np.errstate(over="ignore", under="ignore"):
        same(got, var.astype(float), rtol=2 * limit)


def test_rolling_constants(stats):
    for value in [0.0, 0.1, 1e300, -3.3, 5e-324]:
        x = np.full(500, value)
        same(stats("rolling_std", x=x, window=20)["rolling_std"][19:], np.zeros(481))
        assert (stats("rolling_mean", x=x, window=20)["rolling_mean"][19:] == value).all()
        assert np.isnan(stats("rolling_zscore", x=x, window=20)["rolling_zscore"]).all()


def test_rolling_sums_of_whole_numbers_are_exact(stats):
    x = RNG.integers(-10**6, 10**6, 5000)
    for window in [3, 50, 999]:
        want = np.convolve(x, np.ones(window, int), "valid")
        assert (stats("rolling_sum", x=x, window=window)["rolling_sum"][window - 1:] == want).all()


def test_rolling_pairs_far_from_zero(stats):
    x, y = RNG.normal(size=600), RNG.normal(size=600)
    want = [np.corrcoef(x[i - 49:i + 1], y[i - 49:i + 1])[0, 1] for i in range(49, 600)]
    got = stats("rolling_corr", x=x + 2.0**30, y=y * 1e200, window=50)["rolling_corr"][49:]
    near = stats("rolling_corr", x=(x + 2.0**30) - 2.0**30, y=y, window=50)["rolling_corr"][49:]
    same(got, near, 1e-12, 1e-14)
    same(near, want, 0, 1e-6)
    assert np.abs(got).max() <= 1


QUANTILES = ["linear", "lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf", "hazen",
             "interpolated_inverted_cdf", "weibull", "median_unbiased", "normal_unbiased"]


@pytest.mark.parametrize("method", QUANTILES)
def test_rolling_quantile(stats, method):
    for n, window, q in [(1, 1, 0.5), (50, 7, 0.25), (50, 50, 0.9), (400, 33, 0.0), (400, 34, 1.0), (2000, 3, 0.6), (2000, 300, 0.1)]:
        x = RNG.normal(size=n)
        x[::5] = np.round(x[::5])
        got = stats("rolling_quantile", x=x, window=window, q=q, method=method)["rolling_quantile"]
        want = np.quantile(np.lib.stride_tricks.sliding_window_view(x, window), q, axis=1, method=method)
        same(got[window - 1:], want, 1e-14, 1e-14)
        assert np.isnan(got[:window - 1]).all()


def test_rolling_median_over_clusters(stats):
    """Windows whose middle lies in one cluster or the other in turn, with thousands of ranks between them."""
    n, window = 40000, 4001
    x = np.where(np.arange(n) % 2 == 0, -1e6, 1e6) + RNG.normal(size=n)
    x[: window] = RNG.normal(size=window)
    for data in [x, np.sort(x), np.sort(x)[::-1], np.round(x / 1e6)]:
        got = stats("rolling_median", x=data, window=window)["rolling_median"]
        for i in [window - 1, window, window + 1, 2 * window, 20000, 20001, n - 2, n - 1]:
            assert got[i] == np.median(data[i - window + 1:i + 1])


@pytest.mark.parametrize("name", [*ROLLING, "rolling_cov", "rolling_corr"])
def test_rolling_refusals(stats, name):
    more = {"y": [1, 2, 3]} if name in ["rolling_cov", "rolling_corr"] else {}
    for field, args in [
        ("x", {"x": [], "window": 1}),
        ("window", {"x": [1, 2, 3]}),
        ("window", {"x": [1, 2, 3], "window": 0}),
        ("window", {"x": [1, 2, 3], "window": 4}),
        ("window", {"x": [1, 2, 3], "window": 2**62}),
        ("window", {"x": [1, 2, 3], "window": 1.5}),
        ("min_periods", {"x": [1, 2, 3], "window": 2, "min_periods": 3}),
        ("min_periods", {"x": [1, 2, 3], "window": 9, "min_periods": 4}),
        ("x", {"x": [1, NAN, 3], "window": 2, "nan_policy": "raise"}),
    ]:
        refused = stats.refused(name, **{**more, **args} if args["x"] else args | ({"y": []} if more else {}))
        assert (refused.status, refused.field) == ("invalid", field), refused
    if name in WITH_DDOF + ["rolling_cov"]:
        assert stats.refused(name, x=[1, 2, 3], window=2, ddof=2, **more).field == "ddof"


# ---- exponential weights ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["mean", "var", "std"])
def test_ewm_agrees_with_pandas(stats, name):
    pandas = pytest.importorskip("pandas")
    for n in [1, 2, 3, 50, 400]:
        for gaps in [0, 0.3]:
            x = 5 + RNG.normal(size=n)
            x[RNG.random(n) < gaps] = NAN
            for rate in [{"alpha": 0.3}, {"span": 1}, {"span": 20}, {"halflife": 2.5}, {"com": 0.5}, {"alpha": 1}]:
                for adjust in [True, False]:
                    for ignore_na in [True, False]:
                        for bias in [True, False] if name != "mean" else [None]:
                            least = min(n, 3) if ignore_na else 0
                            more = {} if bias is None else {"bias": bias}
                            e = pandas.Series(x).ewm(**rate, adjust=adjust, ignore_na=ignore_na, min_periods=least)
                            got = stats("ewm_" + name, x=x, **rate, adjust=adjust, ignore_na=ignore_na, min_periods=least, **more)
                            same(got["ewm_" + name], getattr(e, name)(**more), 1e-10, 1e-12)


def test_ewm_digits_and_policies(stats):
    x = 1e9 + RNG.normal(size=500)
    alpha, mean, spread, exact = 0.1, np.longdouble(x[0]), np.longdouble(0), [0.0]
    for v in x.astype(np.longdouble)[1:]:
        off = v - mean
        mean += np.longdouble(alpha) * off
        spread = (1 - np.longdouble(alpha)) * (spread + np.longdouble(alpha) * off * off)
        exact.append(float(spread))
    # the mean is rounded at every value: 1e-7 of the deviations
    same(stats("ewm_var", x=x, alpha=alpha, adjust=False, bias=True)["ewm_var"], exact, 3e-7)
    same(stats("ewm_std", x=(x - 1e9) * 1e300, span=9)["ewm_std"], stats("ewm_std", x=x - 1e9, span=9)["ewm_std"] * 1e300, 1e-12)
    same(stats("ewm_mean", x=np.full(99, 0.1), span=9)["ewm_mean"], np.full(99, 0.1), 0)
    same(stats("ewm_mean", x=[1, NAN, 2], span=3, nan_policy="propagate")["ewm_mean"], [1, NAN, NAN])
    assert stats.refused("ewm_mean", x=[1, NAN, 2], span=3, nan_policy="raise").field == "x"
    for field, args in [("alpha", {}), ("alpha", {"span": 2, "com": 1}), ("alpha", {"alpha": 0}), ("span", {"span": 0.5}),
                        ("halflife", {"halflife": 0}), ("com", {"com": -1}), ("min_periods", {"com": 1, "min_periods": 3})]:
        assert stats.refused("ewm_mean", x=[1, 2], **args).field == field


# ---- order --------------------------------------------------------------------------------------------------------

def samples():
    for n in [0, 1, 2, 3, 19, 20, 21, 22, 100, 1000, 30000]:
        z = RNG.normal(size=n)
        yield z
        yield 1e9 + z * 1e-5
        yield np.floor(3 * z)
        yield np.where(RNG.random(n) < 0.5, 0.0, -0.0)
        yield np.exp(200 * z)
        yield np.where(np.arange(n) % 2 == 0, 1e300 * z, 1 + 1e-15 * z)
        yield np.arange(n) * 1.0
        yield -np.arange(n) * 5e-324
        yield np.full(n, -2.385)
        yield np.where(RNG.random(n) < 0.1, np.where(z < 0, -INF, INF), z)


def with_nan(x):
    y = x.copy()
    if len(y):
        y[RNG.integers(0, len(y), max(1, len(y) // 10))] = NAN
        y[-1] = -NAN
    return y


def test_sort(stats):
    for x in samples():
        assert np.array_equal(stats("sort", x=x)["sort"], np.sort(x))
        assert np.array_equal(stats("sort", x=x, descending=True)["sort"], np.sort(x)[::-1])
        y = with_nan(x)
        assert np.array_equal(stats("sort", x=y)["sort"], np.sort(y), equal_nan=True)
        assert np.array_equal(stats("sort", x=y, nan_policy="omit")["sort"], np.sort(y[~np.isnan(y)]))


def test_argsort(stats):
    for x in samples():
        assert np.array_equal(stats("argsort", x=x)["argsort"], np.argsort(x, kind="stable"))
        assert np.array_equal(stats("argsort", x=x, descending=True)["argsort"], np.argsort(-x, kind="stable"))
        y = with_nan(x)
        want = np.argsort(y, kind="stable")
        assert np.array_equal(stats("argsort", x=y)["argsort"], want)
        assert np.array_equal(stats("argsort", x=y, nan_policy="omit")["argsort"], want[:np.sum(~np.isnan(y))])


@pytest.mark.parametrize("method", ["average", "min", "max", "dense", "ordinal"])
def test_rankdata(stats, method):
    scipy = pytest.importorskip("scipy.stats")

    def ranked(v):  # by way of whole numbers: SciPy takes infinities of both signs for a NaN
        return scipy.rankdata(np.unique(v, return_inverse=True)[1], method)

    for x in samples():
        same(stats("rankdata", x=x, method=method)["rankdata"], ranked(x), 0)
        y = with_nan(x)
        if len(y):
            assert np.isnan(stats("rankdata", x=y, method=method)["rankdata"]).all()
        want = y.copy()
        want[~np.isnan(y)] = ranked(y[~np.isnan(y)])
        same(stats("rankdata", x=y, method=method, nan_policy="omit")["rankdata"], want, 0)
        if len(y):
            assert stats.refused("rankdata", x=y, method=method, nan_policy="raise").field == "x"


# ---- bins ---------------------------------------------------------------------------------------------------------

def histograms():
    for n in [1, 2, 7, 8, 9, 100, 127, 128, 129, 300, 5000]:
        z = RNG.normal(size=n)
        for x in [z, np.round(3 * z), 1e9 + z, 1e9 + 1e-5 * z, 1e-300 * z, 1e300 * z, np.full(n, 2.385), np.linspace(0, 1, n)]:
            yield x


def test_histogram_equals_numpy(stats):
    for x in histograms():
        for bins in [1, 2, 10, 100, 333]:
            got = stats("histogram", x=x, bins=bins)
            edges = np.histogram_bin_edges(x, bins)
            assert np.array_equal(got["bin_edges"], edges)
            # by the definition of the bins; numpy moves a misplaced value by one bin only, and fails where 1 is nothing
            want = np.bincount(np.minimum(np.searchsorted(edges, x, "right") - 1, bins - 1), minlength=bins)
            assert np.array_equal(got["hist"], want)
            assert np.ptp(x) < 1e-3 or np.array_equal(want, np.histogram(x, bins)[0])


def test_histogram_of_values_at_the_edges(stats):
    for lo, hi, bins in [(0, 1, 10), (-3, 3, 7), (85, 115, 100), (0.1, 0.7, 33), (1e9, 1e9 + 1, 100)]:
        edges = np.linspace(lo, hi, bins + 1)
        x = np.concatenate([edges, np.nextafter(edges, -INF), np.nextafter(edges, INF), RNG.uniform(lo - 1, hi + 1, 500)])
        RNG.shuffle(x)
        got = stats("histogram", x=x, bins=bins, range=[lo, hi])
        hist, same_edges = np.histogram(x, bins, (lo, hi))
        assert np.array_equal(got["bin_edges"], same_edges) and np.array_equal(got["hist"], hist)
        y = np.concatenate([x, [NAN, INF, -INF, 1e300, -1e300, 5e-324]])
        assert np.array_equal(stats("histogram", x=y, bins=bins, range=[lo, hi])["hist"], np.histogram(y, bins, (lo, hi))[0])


def test_histogram_with_edges_weights_density(stats):
    for x in histograms():
        w = RNG.random(len(x))
        edges = np.sort(RNG.normal(size=12))
        if np.ptp(x) > 1e-3:
            same(stats("histogram", x=x, bins=7, weights=w)["hist"], np.histogram(x, 7, weights=w)[0], 1e-12)
        same(stats("histogram", x=x, edges=edges)["hist"], np.histogram(x, edges)[0], 0)
        same(stats("histogram", x=x, edges=edges, weights=w)["hist"], np.histogram(x, edges, weights=w)[0], 1e-12, 1e-15)
        with np.errstate(all="ignore"):
            same(stats("histogram", x=x, edges=edges, density=True)["hist"], np.histogram(x, edges, density=True)[0])
            same(stats("histogram", x=x, bins=7, range=[-9, 9], density=True)["hist"], np.histogram(x, 7, (-9, 9), density=True)[0])


def test_histogram_refusals(stats):
    for field, args in [
        ("x", {"x": []}),
        ("x", {"x": [1, NAN]}),
        ("x", {"x": [1, INF]}),
        ("x", {"x": [1, NAN], "range": [0, 1], "nan_policy": "raise"}),
        ("bins", {"x": [1], "bins": 0}),
        ("range", {"x": [1], "range": [2, 1]}),
        ("range", {"x": [1], "range": [2, NAN]}),
        ("range", {"x": [-1e308, 1e308]}),
        ("range", {"x": [1], "range": [1, 2], "edges": [1, 2]}),
        ("edges", {"x": [1], "edges": [1]}),
        ("edges", {"x": [1], "edges": [2, 1]}),
        ("weights", {"x": [1], "weights": [2, 1]}),
    ]:
        refused = stats.refused("histogram", **args)
        assert (refused.status, refused.field) == ("invalid", field), refused
    assert list(stats("histogram", x=[1, NAN, 2], bins=2, nan_policy="omit")["hist"]) == [1, 1]
    assert list(stats("histogram", x=[1, NAN, 2], bins=2, nan_policy="omit", weights=[2, 3, 5])["hist"]) == [2, 5]


def test_searchsorted_and_digitize(stats):
    for n, m in [(0, 1), (1, 1), (5, 2), (1000, 3), (1000, 64), (999, 1000), (70001, 101)]:
        a = np.sort(np.round(RNG.normal(size=m) * 4) / 4)
        v = np.concatenate([np.round(RNG.normal(size=n) * 8) / 8, [NAN, INF, -INF, 0.0, -0.0]])
        with_gaps = np.concatenate([a, [INF, NAN, NAN]])
        for side in ["left", "right"]:
            assert np.array_equal(stats("searchsorted", a=a, v=v, side=side)["searchsorted"], np.searchsorted(a, v, side))
            assert np.array_equal(stats("searchsorted", a=with_gaps, v=v, side=side)["searchsorted"],
                                  np.searchsorted(with_gaps, v, side))
        for bins in [a, a[::-1]]:
            for right in [False, True]:
                assert np.array_equal(stats("digitize", x=v, bins=bins, right=right)["digitize"], np.digitize(v, bins, right))
    assert list(stats("searchsorted", a=[], v=[1, 2])["searchsorted"]) == [0, 0]
    assert stats.refused("searchsorted", a=[NAN, 1], v=[1]).field == "a"
    assert stats.refused("digitize", x=[1], bins=[1, 3, 2]).field == "bins"
    assert stats.refused("digitize", x=[1], bins=[1, NAN, 2]).field == "bins"
    assert stats.refused("digitize", x=[1], bins=[]).field == "bins"


def test_bincount(stats):
    for n in [0, 1, 2, 1000]:
        x, w = RNG.integers(0, 50, n), RNG.random(n)
        assert np.array_equal(stats("bincount", x=x)["bincount"], np.bincount(x))
        assert np.array_equal(stats("bincount", x=x, minlength=77)["bincount"], np.bincount(x, minlength=77))
        if n:
            assert np.array_equal(stats("bincount", x=x, weights=w)["bincount"], np.bincount(x, w))
    assert stats.refused("bincount", x=[-1]).field == "x"
    assert stats.refused("bincount", x=[2**40]).field == "x"
    assert stats.refused("bincount", x=[1.5]).field == "x"
    assert stats.refused("bincount", x=[1, 2], weights=[1]).field == "weights"
    assert stats.refused("bincount", x=[2**32 - 2]).status == "resource"


# ---- filters ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_convolve_and_correlate(stats, name):
    for n, m in [(1, 1), (2, 1), (1, 2), (5, 4), (4, 5), (33, 32), (100, 7), (8, 100), (1000, 401), (401, 1000), (3000, 500)]:
        a, v = RNG.normal(size=n), RNG.normal(size=m)
        for mode in ["full", "same", "valid"]:
            want = getattr(np, name)(a, v, mode)
            size = np.sqrt((a**2).sum() * (v**2).sum())
            for method in ["direct", "fft", "auto"]:
                got = stats(name, a=a, v=v, mode=mode, method=method)[name]
                same(got, want, 0, 2e-15 * size if method != "direct" else 1e-15 * size)
    assert len(stats("convolve", a=[1, 2], v=[3])["convolve"]) == 2


def test_convolve_with_gaps(stats):
    for n, m in [(50, 7), (500, 450)]:
        for gap in [NAN, INF, -INF]:
            for where in ["a", "v"]:
                a, v = RNG.normal(size=n), RNG.normal(size=m)
                (a if where == "a" else v)[3] = gap
                for mode in ["full", "same", "valid"]:
                    for method in ["direct", "fft"]:
                        got = stats("convolve", a=a, v=v, mode=mode, method=method)["convolve"]
                        same(got, np.convolve(a, v, mode), 1e-9, 1e-11)


def test_convolve_huge_and_tiny(stats):
    a, v = RNG.normal(size=900), RNG.normal(size=500)
    want = np.convolve(a, v)
    same(stats("convolve", a=a * 1e200, v=v * 1e-150, method="fft")["convolve"], want * 1e50, 0, 1e39)
    same(stats("convolve", a=a * 1e-300, v=v, method="fft")["convolve"], want * 1e-300, 0, 1e-311)
    for n, m in [(20000, 600), (70000, 3000), (5000, 5000)]:
        a, v = RNG.integers(-9, 9, n), RNG.integers(-9, 9, m)
        assert np.abs(stats("convolve", a=a, v=v)["convolve"] - np.convolve(a, v)).max() < 1e-8


def test_interp(stats):
    for n, m in [(0, 1), (3, 1), (5, 2), (1000, 7), (70000, 1000)]:
        xp = np.unique(np.round(RNG.normal(size=m) * 2**20) / 2**20)
        fp = RNG.normal(size=len(xp))
        x = np.concatenate([RNG.normal(size=n) * 2, xp, [INF, -INF], [NAN] * (len(xp) > 1)])  # of one point numpy gives its value for NaN
        for sides in [{}, {"left": -7.5}, {"left": 1.0, "right": 2.0}]:
            same(stats("interp", x=x, xp=xp, fp=fp, **sides)["interp"], np.interp(x, xp, fp, **sides), 1e-14, 1e-15)
        got = stats("interp", x=x, xp=xp, fp=fp, outside="nan")["interp"]
        same(got, np.interp(x, xp, fp, left=NAN, right=NAN), 1e-14, 1e-15)
    fp = [1, NAN, 3, INF, 4, -1e308, 1e308]
    x = np.linspace(-0.5, 6.5, 29)
    same(stats("interp", x=x[:-6], xp=np.arange(7), fp=fp)["interp"], np.interp(x[:-6], np.arange(7), fp), 1e-14)
    same(stats("interp", x=[5.5, 5.25], xp=np.arange(7), fp=fp)["interp"], [0, -5e307], 1e-14)
    for field, args in [("xp", {"x": [1], "xp": [2, 1], "fp": [1, 2]}), ("xp", {"x": [1], "xp": [], "fp": []}),
                        ("fp", {"x": [1], "xp": [1, 2], "fp": [1]}), ("xp", {"x": [1], "xp": [1, NAN], "fp": [1, 2]}),
                        ("x", {"x": [0], "xp": [1, 2], "fp": [1, 2], "outside": "error"})]:
        assert stats.refused("interp", **args).field == field


def test_resample(stats):
    signal = pytest.importorskip("scipy.signal")
    for n in [1, 2, 3, 4, 5, 8, 97, 100, 1000]:
        x = RNG.normal(size=n)
        for num in [1, 2, 3, 4, 5, 7, 8, 50, 97, 100, 101, 1500]:
            if n > 1 or num == 1:
                same(stats("resample", x=x, num=num)["resample"], signal.resample(x, num), 1e-12, 1e-14)
            want = np.interp(np.linspace(0, n - 1, num), np.arange(n), x)
            same(stats("resample_linear", x=x, num=num)["resample_linear"], want, 0, 2e-12)
    same(stats("resample", x=[2.5], num=4)["resample"], [2.5] * 4)
    assert np.isnan(stats("resample", x=[1, NAN, 2], num=5)["resample"]).all()
    same(stats("resample_linear", x=[1, NAN, 2], num=5)["resample_linear"], [1, NAN, NAN, NAN, 2])
    assert stats.refused("resample", x=[1, NAN], num=5, nan_policy="raise").field == "x"
    assert stats.refused("resample", x=[1], num=0).field == "num"
    assert stats.refused("resample", x=[1], num=2**31).field == "num"
    assert stats.refused("resample_linear", x=[1], num=2**31 - 1).status == "resource"


def test_detrend(stats):
    signal = pytest.importorskip("scipy.signal")
    for n in [1, 2, 3, 10, 999, 5000]:
        x = RNG.normal(size=n) + np.arange(n) * 3
        same(stats("detrend", x=x, type="constant")["detrend"], x - x.mean(), 0, 1e-11 * n)
        for bp in [[], [n // 2], [0, n // 3, n // 2, n]]:
            stretches = np.unique([b for b in bp if 0 < b < n]).astype(int)
            same(stats("detrend", x=x, bp=bp)["detrend"], signal.detrend(x, bp=stretches), 0, 1e-11 * n)
            want = np.concatenate([part - part.mean() for part in np.split(x, stretches)])
            same(stats("detrend", x=x, type="constant", bp=bp)["detrend"], want, 0, 1e-11 * n)
    line = 1e9 + 0.5 * np.arange(3000)
    assert np.abs(stats("detrend", x=line)["detrend"]).max() < 1e-9
    same(stats("detrend", x=1e300 * np.array([1.0, 2, 6]))["detrend"], 1e300 * np.array([0.5, -1, 0.5]), 1e-14)
    x = np.array([1, NAN, 5, 8, 2.0])
    assert np.isnan(stats("detrend", x=x)["detrend"]).all()
    t = np.array([0, 2, 3, 4])
    left = x[t] - np.polyval(np.polyfit(t, x[t], 1), t)
    same(stats("detrend", x=x, nan_policy="omit")["detrend"], [left[0], NAN, *left[1:]], 1e-12)
    assert stats.refused("detrend", x=x, nan_policy="raise").field == "x"
    assert stats.refused("detrend", x=[1, 2], bp=[2, 1]).field == "bp"


def test_nan_is_refused_on_demand(stats):
    gap = [1.0, NAN, 3.0]
    for function, field, args in [
        ("convolve", "a", {"a": gap, "v": [1]}), ("correlate", "v", {"a": [1], "v": gap}),
        ("interp", "x", {"x": gap, "xp": [1, 2], "fp": [1, 2]}), ("resample_linear", "x", {"x": gap, "num": 2}),
        ("digitize", "x", {"x": gap, "bins": [1]}), ("searchsorted", "v", {"v": gap, "a": [1]}),
        ("bincount", "weights", {"x": [1, 2, 3], "weights": gap}), ("sort", "x", {"x": gap}), ("argsort", "x", {"x": gap}),
    ]:
        stats(function, **args)
        refused = stats.refused(function, **args, nan_policy="raise")
        assert (refused.status, refused.field) == ("invalid", field) and "is NaN" in refused.text


def test_ten_million_values():
    with Plugin("stats") as stats:
        x = np.random.default_rng(7).normal(size=10_000_000)
        assert stats("rolling_mean", x=x, window=9_999_999)["rolling_mean"][-1] == pytest.approx(x[1:].mean(), abs=2e-15)
        got = stats("sort", x=x)["sort"]
        assert (got[1:] >= got[:-1]).all() and got[123] == np.partition(x, 123)[123]
        assert stats("histogram", x=x, bins=1000)["hist"].sum() == len(x)
        x[5_000_000] = NAN
        assert np.isnan(stats("rolling_max", x=x, window=3)["rolling_max"]).sum() == 2 + 3
