# SPDX-License-Identifier: MPL-2.0
"""stats.* through the whole house, against NumPy and SciPy over random data of every size and shape of trouble."""
import math

import numpy
import pytest
import scipy.stats

from house import MODE

pytestmark = pytest.mark.usefixtures("house")

FEW = MODE != "release"
SIZES = [1, 2, 3, 7, 64, 1000] if FEW else [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 257, 1000, 4099, 30011]
KINDS = ["normal", "offset", "tiny", "mixed", "integers", "heavy"]


def data(n, kind, seed=0):
    rng = numpy.random.default_rng([n, KINDS.index(kind), seed, 2385])
    return {"normal": lambda: rng.standard_normal(n),
            "offset": lambda: 1e9 + rng.standard_normal(n),
            "tiny": lambda: 1e-300 * rng.standard_normal(n),
            "mixed": lambda: rng.standard_normal(n) * 10.0 ** rng.integers(-8, 8, n),
            "integers": lambda: rng.integers(-5, 6, n).astype(float),
            "heavy": lambda: rng.standard_cauchy(n)}[kind]()


def nd(a):
    a = numpy.ascontiguousarray(a, dtype="<f8")
    return {"nd": True, "type": "<f8", "shape": list(a.shape), "data": a.tobytes()}


def array(v):
    return numpy.frombuffer(v["data"], v["type"]).reshape(v["shape"])


def call(producer, fn, **args):
    return producer.call(f"stats.{fn}", args).expect("ok").result


def near(got, want, rtol=1e-12, atol=0.0):
    numpy.testing.assert_allclose(numpy.array(got, dtype=float), want, rtol=rtol, atol=atol, equal_nan=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", SIZES)
def test_moments(producer, n, kind):
    x = data(n, kind)
    exact = math.fsum(x) / n
    scale = float(numpy.abs(x).max()) or 1.0
    near(call(producer, "mean", x=nd(x))["mean"], exact, 1e-14, 1e-15 * scale)
    centred = x - exact
    most = float(numpy.abs(centred).max())
    spread = math.fsum((centred / (most or 1.0)) ** 2)  # scaled: the squares of tiny numbers would vanish
    for ddof in (0, 1):
        if n > ddof:
            std = most * math.sqrt(spread / (n - ddof))
            near(call(producer, "std", x=nd(x), ddof=ddof)["std"], std, 1e-11, 1e-7 * most if kind == "offset" else 0.0)
            near(call(producer, "var", x=nd(x), ddof=ddof)["var"], std * std, 1e-11, 1e-14 * most * most)
        else:
            producer.call("stats.var", {"x": nd(x), "ddof": ddof}).expect("invalid", "ddof")


@pytest.mark.parametrize("kind", ["normal", "mixed", "integers", "heavy"])
@pytest.mark.parametrize("n", SIZES)
def test_describe(producer, n, kind):
    x = data(n, kind)
    d = call(producer, "describe", x=nd(x))
    assert d["nobs"] == n and d["min"] == x.min() and d["max"] == x.max()
    near([d["q25"], d["median"], d["q75"]], numpy.quantile(x, [0.25, 0.5, 0.75]), 1e-13, 1e-15 * numpy.abs(x).max())
    near(d["sum"], math.fsum(x), 1e-12, 1e-13 * numpy.abs(x).sum())
    if n > 7 and x.std():
        near(d["skewness"], scipy.stats.skew(x), 1e-9, 1e-9)
        near(d["kurtosis"], scipy.stats.kurtosis(x), 1e-9, 1e-9)
        unbiased = call(producer, "describe", x=nd(x), bias=False, ddof=1)
        near(unbiased["skewness"], scipy.stats.skew(x, bias=False), 1e-9, 1e-9)
        near(unbiased["kurtosis"], scipy.stats.kurtosis(x, bias=False), 1e-9, 1e-9)
        near(unbiased["var"], x.var(ddof=1), 1e-11)


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "nearest", "midpoint", "inverted_cdf", "averaged_inverted_cdf",
                                    "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased",
                                    "normal_unbiased"])
@pytest.mark.parametrize("n", SIZES)
def test_quantiles(producer, n, method):
    q = numpy.concatenate([[0, 1, 0.5], numpy.random.default_rng(n).uniform(0, 1, 20)])
    for kind in ("normal", "integers"):
        x = data(n, kind, 1)
        got = call(producer, "quantile", x=nd(x), q=q.tolist(), method=method)["quantile"]
        want = closest_observation(x, q) if method == "closest_observation" else numpy.quantile(x, q, method=method)
        near(array(got), want, 1e-12, 1e-13)


def closest_observation(x, q):
    """Hyndman and Fan's third: the nearest order statistic, the even one on ties. NumPy before 2.0 takes the odd one."""
    h = len(x) * numpy.asarray(q) - 0.5
    j = numpy.floor(h)
    k = numpy.where((h == j) & (j % 2 == 0), j, j + 1)
    return numpy.sort(x)[numpy.clip(k.astype(int) - 1, 0, len(x) - 1)]


@pytest.mark.parametrize("n", [s for s in SIZES if s > 1])
def test_pairs(producer, n):
    for kind in ("normal", "offset", "integers"):
        x, y = data(n, kind, 2), data(n, kind, 3)
        if not (x.std() and y.std()):
            continue
        got = call(producer, "correlation", x=nd(x), y=nd(y))["r"]
        # Near 1e9 NumPy itself has few digits left: compare with data shifted without loss.
        cx, cy = x - x[0], y - y[0]
        near(got, numpy.corrcoef(cx, cy)[0, 1], 1e-9, 1e-9)
        for ddof in (0, 1):
            near(call(producer, "covariance", x=nd(x), y=nd(y), ddof=ddof)["cov"], numpy.cov(cx, cy, ddof=ddof)[0, 1], 1e-8, 1e-10)


@pytest.mark.parametrize("m, k", [(1, 5), (2, 2), (3, 10), (6, 700), (20, 63)])
def test_matrices(producer, m, k):
    """Rows are variables, as in numpy.corrcoef."""
    x = numpy.random.default_rng([m, k]).standard_normal((m, k))
    got = array(call(producer, "correlation", data=nd(x))["matrix"])
    near(got, numpy.corrcoef(x).reshape(m, m), 1e-11, 1e-12)
    assert (numpy.diag(got) == 1).all() and (got == got.T).all()
    near(array(call(producer, "covariance", data=nd(x))["matrix"]), numpy.cov(x).reshape(m, m), 1e-11, 1e-12)
    near(call(producer, "correlation", data=x.tolist())["matrix"], got, 0, 0)


@pytest.mark.parametrize("n", SIZES)
def test_scores_and_sums(producer, n):
    x = data(n, "normal", 4)
    near(array(call(producer, "cumsum", x=nd(x))["cumsum"]), numpy.cumsum(x), 1e-12, 1e-12)
    near(array(call(producer, "normal_pdf", x=nd(x), mu=0.3, sigma=2.385)["pdf"]), scipy.stats.norm.pdf(x, 0.3, 2.385), 1e-13)
    if n > 1:
        near(array(call(producer, "zscore", x=nd(x))["zscore"]), scipy.stats.zscore(x), 1e-10, 1e-12)
        near(array(call(producer, "zscore", x=nd(x), ddof=1)["zscore"]), scipy.stats.zscore(x, ddof=1), 1e-10, 1e-12)


def test_check_values_of_the_definition(producer):
    x = list(range(1, 11))
    assert call(producer, "mean", x=x)["mean"] == 5.5 and call(producer, "var", x=x)["var"] == 8.25
    near(call(producer, "std", x=x)["std"], 2.8722813232690143, 1e-15)
    near(call(producer, "normal_pdf", x=[0, 1.5])["pdf"][0], 0.3989422804014327, 1e-15)
    near(call(producer, "normal_pdf", x=[1.5], mu=1, sigma=2)["pdf"], [0.19333405840142465], 1e-15)
    near(call(producer, "correlation", x=[1, 2, 3, 4], y=[1, 3, 2, 5])["r"], 0.8315218406202999, 1e-15)
    near(call(producer, "zscore", x=[1, 2, 3])["zscore"], [-1.224744871391589, 0, 1.224744871391589], 1e-15)


@pytest.mark.parametrize("fn", ["mean", "var", "std", "describe"])
def test_nan_policies(producer, fn):
    x = [1.0, None, 2.385, 4.0, None]
    kept = [1.0, 2.385, 4.0]
    plain = call(producer, fn, x=kept)
    assert call(producer, fn, x=x, nan_policy="omit") == plain
    propagated = call(producer, fn, x=x)
    assert all(v is None or math.isnan(v) for k, v in propagated.items() if k != "nobs")
    producer.call(f"stats.{fn}", {"x": x, "nan_policy": "raise"}).expect("invalid", "x", "element 1")


def test_degenerate_data(producer):
    assert call(producer, "var", x=[2.385])["var"] == 0
    assert call(producer, "correlation", x=[1, 1, 1], y=[1, 2, 3])["r"] is None
    assert call(producer, "zscore", x=[2.385] * 3, zero_std="zeros")["zscore"] == [0, 0, 0]
    producer.call("stats.zscore", {"x": [2.385] * 3}).expect("invalid", "x")
    assert call(producer, "cumsum", x=[])["cumsum"] == []
    assert call(producer, "quantile", x=[2.385], q=[0, 0.3, 1])["quantile"] == [2.385] * 3
    assert call(producer, "mean", x=[math.inf, 1])["mean"] == math.inf
    assert math.isnan(call(producer, "mean", x=[math.inf, -math.inf])["mean"])
    assert call(producer, "mean", x=[1.7e308, 1.7e308])["mean"] == pytest.approx(1.7e308)


def test_answers_do_not_depend_on_company(producer):
    """The same job alone, in a list, and beside others gives the same bits."""
    jobs = [{"x": nd(data(n, "mixed", 5))} for n in (3, 64, 257, 1000)]
    alone = [call(producer, "describe", **j) for j in jobs]
    answers = producer.calls([{"fn": "stats.describe"}] * 40, jobs * 10)
    assert all(answers[i].result == alone[i % 4] for i in range(40))
