# SPDX-License-Identifier: MPL-2.0
"""Regression of stats: NIST's certified values to the digits that double input allows, exact rational solutions, NumPy elsewhere."""
import json
import os
from fractions import Fraction as F

import numpy as np
import pytest
from scipy import stats as S

from plugin import ROOT, Crashed, Plugin

rng = np.random.default_rng(7)
with open(os.path.join(ROOT, "tests", "data", "nist-linear.json"), encoding="utf-8") as f:
    NIST = json.load(f)["sets"]


@pytest.fixture(scope="module")
def stats():
    with Plugin("stats") as plugin:
        yield plugin


@pytest.fixture(scope="module", params=["plain", "baseline", "avx2", "auto"])
def each(request):
    try:
        plugin = Plugin("stats", {"simd": request.param})
        plugin("mean", x=[1.0])
    except Crashed:
        pytest.skip("this processor lacks the instructions")
    yield plugin
    plugin.close()


def lre(got, certified):
    """Digits that agree, the fewest of all; those after the point where zero is certified."""
    got, want = np.atleast_1d(got).astype(float), np.array([float(c) for c in np.atleast_1d(certified)])
    with np.errstate(divide="ignore"):
        return np.min(np.where(want == 0, -np.log10(np.abs(got)), -np.log10(np.abs(got - want) / np.abs(np.where(want == 0, 1, want)))))


@pytest.mark.parametrize("data", NIST, ids=lambda d: d["name"])
def test_nist(each, data):
    x, y, terms = np.array(data["x"]), np.array(data["y"]), data["terms"]
    results = []
    if terms.startswith("poly"):
        degree = int(terms[5:])
        fit = each("polyfit", x=x, y=y, degree=degree)
        results.append((fit["coef"][::-1], fit["stderr"][::-1], fit, 13.0))
        if data["name"] != "Filip":  # whose powers, rounded to doubles, are another problem with another solution
            fit = each("lstsq", x=np.cumprod(np.repeat(x[:, None], degree, 1), 1), y=y)
            results.append((fit["coef"], fit["stderr"], fit, 13.0))
        else:
            fit = each("lstsq", x=np.cumprod(np.repeat(x[:, None], degree, 1), 1), y=y)
            assert fit["rank"] == 11 and lre(fit["coef"], data["coef"]) >= data["min_lre"]
    else:
        fit = each("lstsq", x=x.reshape(len(y), -1), y=y, intercept=terms != "noint")
        results.append((fit["coef"], fit["stderr"], fit, 13.0))
    for coef, stderr, fit, digits in results:
        exact = data["name"] in ("Wampler1", "Wampler2")  # no residuals at all
        assert lre(coef, data["coef"]) >= max(digits, data["min_lre"])
        assert lre(stderr, data["stderr"]) >= (11 if exact else digits)
        assert lre(fit["residual_std"], data["residual_std"]) >= (11 if exact else digits)
        assert lre(fit["rsquared"], data["rsquared"]) >= digits


def solve(columns, y, weights=None):
    """The exact least squares solution of the numbers given, and the diagonal of the inverse normal matrix."""
    k, w = len(columns), [F(1)] * len(y) if weights is None else [F(v) for v in weights]
    x, y = [[F(v) for v in c] for c in columns], [F(v) for v in y]
    a = [[sum(p * q * r for p, q, r in zip(x[i], x[j], w)) for j in range(k)] + [F(int(i == j)) for j in range(k)]
         + [sum(p * q * r for p, q, r in zip(x[i], y, w))] for i in range(k)]
    for i in range(k):
        pivot = next(r for r in range(i, k) if a[r][i] != 0)
        a[i], a[pivot] = a[pivot], a[i]
        a[i] = [v / a[i][i] for v in a[i]]
        for r in range(k):
            if r != i and a[r][i] != 0:
                a[r] = [v - a[r][i] * u for v, u in zip(a[r], a[i])]
    b = [row[-1] for row in a]
    rss = sum(r * (v - sum(c * col[i] for c, col in zip(b, x))) ** 2 for i, (v, r) in enumerate(zip(y, w)))
    return [float(v) for v in b], [float(a[i][k + i]) ** 0.5 for i in range(k)], float(rss)


def check_exactly(stats, x, y, weights=None, rtol=2e-15, rtol_stderr=1e-10, **args):
    """Coefficients right to the last bits, whatever the columns."""
    if weights is not None:
        args["weights"] = weights
    r = stats("lstsq", x=x, y=y, **args)
    b, roots, rss = solve([np.ones(len(y)), *x.T], y, weights)
    np.testing.assert_allclose(r["coef"], b, rtol=rtol)
    np.testing.assert_allclose(r["rss"], rss, rtol=1e-9)
    df = len(y) - len(b)
    if df:
        np.testing.assert_allclose(r["stderr"], np.array(roots) * (rss / df) ** 0.5, rtol=rtol_stderr)
    return r


@pytest.mark.parametrize("likeness", [1, 1e-2, 1e-4, 1e-5, 1e-6, 1e-9, 1e-12])
def test_nearly_dependent_columns(each, likeness):
    for n, k in [(12, 3), (40, 4)]:
        x = rng.normal(size=(n, k))
        x[:, -1] = x[:, 0] - x[:, 1] + likeness * rng.normal(size=n)
        y = x @ np.arange(1, k + 1) + 3 + 0.1 * rng.normal(size=n)
        r = check_exactly(each, x, y)
        assert r["rank"] == k + 1
        check_exactly(each, x, y, weights=rng.exponential(size=n) + 0.01)
        check_exactly(each, 1e6 * likeness + x, y)


def test_more_observations_than_a_panel(each):
    for n in [255, 256, 257, 511, 1000]:
        x = np.round(rng.normal(size=(n, 2)), 3)
        check_exactly(each, x, np.round(x @ [2.0, -1] + rng.normal(size=n), 3))


def test_what_statsmodels_reports(stats):
    for n, k, intercept in [(50, 3, True), (50, 3, False), (3000, 7, True), (700, 60, True), (5, 4, True)]:
        x, w = rng.normal(size=(n, k)), rng.exponential(size=n) + 0.1
        y = x @ rng.normal(size=k) + rng.normal(size=n) + 1
        for weights in [None, w]:
            root = np.sqrt(weights)[:, None] if weights is not None else np.ones((n, 1))
            full = np.c_[np.ones(n), x] if intercept else x
            a, b = full * root, y * root[:, 0]
            beta, _, rank, _ = np.linalg.lstsq(a, b, rcond=None)
            r = stats("lstsq", x=x, y=y, intercept=intercept, residuals=True, **({} if weights is None else {"weights": weights}))
            np.testing.assert_allclose(r["coef"], beta, rtol=1e-9, atol=1e-11)
            np.testing.assert_allclose(r["residuals"], y - full @ beta, rtol=1e-8, atol=1e-11)
            df, model = n - rank, rank - intercept
            assert (r["rank"], r["df_resid"], r["df_model"]) == (rank, df, model)
            if df == 0:
                assert r["residual_std"] is None and np.all(np.isnan(r["stderr"])) and r["fvalue"] is None
                continue
            rss = np.sum((b - a @ beta) ** 2)
            mean = np.average(y, weights=weights) if intercept else 0
            tss = np.sum(root[:, 0] ** 2 * (y - mean) ** 2)
            se = np.sqrt(np.diag(np.linalg.inv(a.T @ a)) * rss / df)
            fvalue = (tss - rss) / model / (rss / df)
            np.testing.assert_allclose(r["stderr"], se, rtol=1e-8)
            np.testing.assert_allclose(r["tvalues"], beta / se, rtol=1e-7, atol=1e-9)
            np.testing.assert_allclose(r["pvalues"], 2 * S.t.sf(np.abs(beta / se), df), rtol=1e-5)
            np.testing.assert_allclose([r["rss"], r["residual_std"], r["rsquared"], r["fvalue"], r["f_pvalue"], r["rsquared_adj"]],
                                       [rss, (rss / df) ** 0.5, 1 - rss / tss, fvalue, S.f.sf(fvalue, model, df),
                                        1 - rss / tss * (n - intercept) / df], rtol=1e-7, atol=1e-200)


def test_dependent_columns_give_the_shortest_solution(each):
    for n, k, rank in [(20, 4, 2), (300, 6, 5), (3, 5, 3), (1, 3, 1)]:
        x = rng.integers(-5, 6, size=(n, rank)) @ rng.integers(-3, 4, size=(rank, k)) * np.array([1.0, 2, 4, 8, 16, 32])[:k]
        true = np.linalg.matrix_rank(x)
        y = rng.normal(size=n)
        r = each("lstsq", x=x, y=y, intercept=False)
        assert r["rank"] == true and r["df_resid"] == n - true
        np.testing.assert_allclose(r["coef"], np.linalg.pinv(x) @ y, rtol=1e-9, atol=1e-12)
        if n > true:
            assert np.isposinf(r["condition"])
            want = np.sqrt(np.diag(np.linalg.pinv(x.T @ x)) * r["rss"] / (n - true))
            np.testing.assert_allclose(r["stderr"], want, rtol=1e-7, atol=1e-12)
    zero = each("lstsq", x=np.zeros((4, 2)), y=[1, 2, 3, 4.0], intercept=False)
    assert zero["rank"] == 0 and list(zero["coef"]) == [0, 0] and zero["rss"] == 30
    constant = each("lstsq", x=np.full((4, 1), 2.5), y=[1, 2, 3, 4.0])
    assert constant["rank"] == 1 and constant["fvalue"] is None
    np.testing.assert_allclose(constant["coef"] @ [1, 2.5], 2.5)


def test_extreme_units(each):
    x, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    plain = each("lstsq", x=x, y=y)
    for a, b, c in [(2.0**900, 1.0, 1.0), (2.0**-900, 2.0**600, 2.0**400), (1.0, 2.0**-980, 2.0**-900)]:
        r = each("lstsq", x=x * [a, b], y=y * c)
        with np.errstate(over="ignore", under="ignore"):
            np.testing.assert_allclose(r["coef"], plain["coef"] / [1, a, b] * c, rtol=1e-11)
        np.testing.assert_allclose([r["rsquared"], r["fvalue"]], [plain["rsquared"], plain["fvalue"]], rtol=1e-11)
    far = each("lstsq", x=1e9 + np.round(x, 3), y=1e9 + np.round(y, 3))
    near = each("lstsq", x=(1e9 + np.round(x, 3)) - 1e9, y=(1e9 + np.round(y, 3)) - 1e9)
    np.testing.assert_allclose(far["coef"][1:], near["coef"][1:], rtol=1e-13)
    np.testing.assert_allclose([far["rss"], far["rsquared"]], [near["rss"], near["rsquared"]], rtol=1e-12)


def test_missing_and_infinite_values(stats):
    x, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    w = rng.exponential(size=40) + 0.1
    x[3, 1] = y[17] = w[20] = np.nan
    keep = ~(np.isnan(x).any(1) | np.isnan(y) | np.isnan(w))
    r = stats("lstsq", x=x, y=y, weights=w, nan_policy="omit", residuals=True)
    want = stats("lstsq", x=x[keep], y=y[keep], weights=w[keep], residuals=True)
    np.testing.assert_array_equal(r["coef"], want["coef"])
    np.testing.assert_array_equal(r["residuals"][keep], want["residuals"])
    assert np.isnan(r["residuals"][~keep]).all() and r["df_resid"] == 33
    spread = stats("lstsq", x=x, y=y, residuals=True)
    assert np.isnan(spread["coef"]).all() and np.isnan(spread["residuals"]).all() and np.isnan(spread["rsquared"])
    assert stats.refused("lstsq", x=x, y=y, nan_policy="raise").text.startswith("element [3,1] of x is NaN")
    assert stats.refused("lstsq", x=np.full((2, 1), np.nan), y=[1, 2.0], nan_policy="omit").field == "x"
    bad = np.where(np.arange(40) == 9, np.inf, 1.0)
    assert stats.refused("lstsq", x=bad[:, None], y=np.ones(40)).text.startswith("x of observation 9")
    assert stats.refused("lstsq", x=np.ones((40, 1)), y=bad).field == "y"
    assert stats.refused("lstsq", x=np.ones((40, 1)), y=np.ones(40), weights=bad).field == "weights"
    assert stats.refused("lstsq", x=np.ones((2, 1)), y=np.ones(2), weights=[1, 0]).field == "weights"


def test_kernels_agree(stats):
    x, y = rng.normal(size=(1000, 9)), rng.normal(size=1000)
    dependent = np.c_[x[:, :3], x[:, 0] + 1e-8 * x[:, 1]]
    rows = rng.normal(size=(13, 1100))
    for simd in ["plain", "baseline"]:
        with Plugin("stats", {"simd": simd}) as other:
            for data in [x, dependent]:
                a, b = stats("lstsq", x=data, y=y), other("lstsq", x=data, y=y)
                np.testing.assert_allclose(a["coef"], b["coef"], rtol=1e-14)
                np.testing.assert_allclose(a["stderr"], b["stderr"], rtol=1e-11)
            for fn in ["covariance", "correlation"]:
                np.testing.assert_allclose(stats(fn, data=rows)["matrix"], other(fn, data=rows)["matrix"], rtol=1e-12, atol=1e-14)


def test_matrices_of_many_rows(stats):
    for m, n in [(1, 7), (3, 511), (4, 513), (61, 1030), (300, 40)]:
        rows = 1e6 * np.arange(m)[:, None] + rng.normal(size=(m, n))
        near = rows - rows[:, :1]
        for fn, want in [("covariance", np.cov(near)), ("correlation", np.corrcoef(near))]:
            got = stats(fn, data=rows)["matrix"]
            np.testing.assert_allclose(got, np.atleast_2d(want), rtol=1e-9, atol=1e-12)
            assert np.array_equal(got, got.T)


# ---- polynomials -----------------------------------------------------------------------------------------------------


def test_polyfit_exactly(each):
    for n, degree, center in [(1, 0, 0), (2, 1, 5), (9, 2, 1e3), (25, 4, 0), (30, 6, 50), (40, 9, 3)]:
        x = center + rng.normal(size=n)
        y = np.cos(x) + 0.01 * rng.normal(size=n)
        r = each("polyfit", x=x, y=y, degree=degree)
        b, roots, rss = solve([[F(v) ** j for v in x] for j in range(degree, -1, -1)], y)
        np.testing.assert_allclose(r["coef"], b, rtol=1e-13)
        if n > degree + 1:
            np.testing.assert_allclose(r["stderr"], np.array(roots) * (rss / (n - degree - 1)) ** 0.5, rtol=1e-9)
            np.testing.assert_allclose(r["rss"], rss, rtol=1e-9)
        else:
            assert r["residual_std"] is None and np.isnan(r["stderr"]).all()


def test_polyfit_as_numpy(stats):
    x, y, w = rng.uniform(-2, 2, 600), rng.normal(size=600), rng.exponential(size=600) + 0.1
    for degree in [0, 1, 3, 7]:
        np.testing.assert_allclose(stats("polyfit", x=x, y=y, degree=degree)["coef"], np.polyfit(x, y, degree), rtol=1e-9, atol=1e-11)
        r, (want, cov) = stats("polyfit", x=x, y=y, degree=degree, w=w), np.polyfit(x, y, degree, w=w, cov=True)
        np.testing.assert_allclose(r["coef"], want, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(r["stderr"], np.sqrt(np.diag(cov)), rtol=1e-8)
    y[3] = x[100] = w[300] = np.nan
    keep = ~(np.isnan(x) | np.isnan(y) | np.isnan(w))
    r = stats("polyfit", x=x, y=y, degree=2, w=w, nan_policy="omit")
    np.testing.assert_allclose(r["coef"], np.polyfit(x[keep], y[keep], 2, w=w[keep]), rtol=1e-10)
    assert np.isnan(stats("polyfit", x=x, y=y, degree=2)["coef"]).all()
    assert stats.refused("polyfit", x=x, y=y, degree=2, nan_policy="raise").field == "y"


def test_polyfit_at_the_edges(stats):
    assert stats.refused("polyfit", x=[1, 1, 2.0], y=[1, 2, 3.0], degree=2).field == "degree"
    assert stats.refused("polyfit", x=[1, np.inf], y=[1, 2.0], degree=1).field == "x"
    assert stats.refused("polyfit", x=[1, 2.0], y=[1, 2.0], degree=101).field == "degree"
    np.testing.assert_allclose(stats("polyfit", x=[1e300, 2e300, 3e300], y=[1.0, 2, 3], degree=1)["coef"], [1e-300, 0], atol=1e-15)
    np.testing.assert_allclose(stats("polyfit", x=[1.0, 2, 3], y=[1e300, 2e300, 3e300], degree=1)["coef"], [1e300, 0], atol=1e285)
    x = np.linspace(-1, 1, 200)
    high = stats("polyfit", x=x, y=np.exp(x), degree=25)
    np.testing.assert_allclose(stats("polyval", p=high["coef"], x=x)["y"], np.exp(x), rtol=1e-13)


def test_polyval(each):
    for k, n in [(1, 1), (2, 7), (5, 64), (12, 1001)]:
        p, x = rng.normal(size=k), rng.normal(size=n)
        want = [float(sum(F(c) * F(v) ** (k - 1 - j) for j, c in enumerate(p))) for v in x]
        np.testing.assert_allclose(each("polyval", p=p, x=x)["y"], want, rtol=1e-15, atol=1e-300)
    binomial = [1, -7, 21, -35, 35, -21, 7, -1]  # (x - 1)^7, where Horner's scheme alone keeps no digit
    x = 1 + rng.uniform(-0.02, 0.02, 100)
    np.testing.assert_allclose(each("polyval", p=binomial, x=x)["y"], [float((F(v) - 1) ** 7) for v in x], rtol=1e-3, atol=1e-30)
    got = each("polyval", p=[1, 0, 2.0], x=[np.inf, -np.inf, np.nan, 1e200, 0])["y"]
    np.testing.assert_array_equal(got, [np.inf, np.inf, np.nan, np.inf, 2])
