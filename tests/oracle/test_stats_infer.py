# SPDX-License-Identifier: MPL-2.0
"""Tests, correlations, distances and the bootstrap of stats beside SciPy; exact rational arithmetic where SciPy loses digits."""
from fractions import Fraction as F

import numpy as np
import pytest
from scipy import stats as S
from scipy.spatial import distance

from plugin import Plugin

ALTERNATIVES = ["two-sided", "less", "greater"]
pytestmark = pytest.mark.filterwarnings("ignore")  # SciPy's, of small samples
rng = np.random.default_rng(20240117)


@pytest.fixture(scope="module")
def stats():
    with Plugin("stats") as plugin:
        yield plugin


def close(a, b, rtol=1e-11, atol=0.0):
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def samples():
    yield rng.normal(size=5), rng.normal(size=7)
    yield rng.normal(size=40), rng.normal(1, 3, size=31)
    yield rng.normal(size=1000), rng.normal(0.1, 1, size=2500)
    yield np.round(rng.normal(size=60), 1), np.round(rng.normal(size=50), 1)
    yield rng.exponential(size=30) * 1e-200, rng.exponential(size=20) * 1e-200


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_t_tests(stats, alternative):
    for x, y in samples():
        unit = np.abs(x).max()
        if unit < 1e-100:  # where SciPy's squares vanish
            x1, y1 = x * 1e200, y * 1e200
        else:
            x1, y1 = x, y
        for equal in [True, False]:
            r = stats("ttest_ind", x=x, y=y, equal_var=equal, alternative=alternative)
            w = S.ttest_ind(x1, y1, equal_var=equal, alternative=alternative)
            close([r["statistic"], r["pvalue"]], [w.statistic, w.pvalue], 1e-10)
        mean = float(np.median(x))
        r = stats("ttest_1samp", x=x, popmean=mean, alternative=alternative, confidence_level=0.9)
        scale = np.abs(x1).max() / unit
        w = S.ttest_1samp(x1, mean * scale, alternative=alternative)
        ci = w.confidence_interval(0.9)
        close([r["statistic"], r["pvalue"], r["df"]], [w.statistic, w.pvalue, w.df], 1e-9)
        close(np.array([r["ci_low"], r["ci_high"]]) * scale, [ci.low, ci.high], 1e-6)
        t = (x1.mean() - r["ci_low"] * scale) / S.sem(x1)  # SciPy's quantile has 8 digits, its tails have all
        close(S.t.sf(t, w.df), {"two-sided": 0.05, "less": 0, "greater": 0.1}[alternative], 1e-11)
        n = min(len(x), len(y))
        r = stats("ttest_rel", x=x[:n], y=y[:n], alternative=alternative)
        w = S.ttest_rel(x1[:n], y1[:n], alternative=alternative)
        close([r["statistic"], r["pvalue"]], [w.statistic, w.pvalue], 1e-10)


def test_t_keeps_its_digits_far_from_zero(stats):
    x = 1e9 + rng.normal(size=1000)
    exact = [F(v) for v in x]
    mean = sum(exact) / len(exact)
    var = sum((v - mean) ** 2 for v in exact) / (len(exact) - 1)
    t = float(mean - 10**9) / float(var / len(exact)) ** 0.5
    close(stats("ttest_1samp", x=x, popmean=1e9)["statistic"], t, 1e-13)


def test_t_tests_at_the_edges(stats):
    flat = stats("ttest_1samp", x=[2.5, 2.5, 2.5], popmean=2)
    assert np.isposinf(flat["statistic"]) and flat["pvalue"] == 0
    assert np.isnan(stats("ttest_ind", x=[1, 1], y=[1, 1])["statistic"])
    for fn in ["ttest_rel", "ttest_ind", "f_test"]:
        r = stats(fn, x=[1, 2, np.nan], y=[3, 5, 6.5])
        assert np.isnan(r["statistic"]) and np.isnan(r["pvalue"])
    close(stats("ttest_rel", x=[1, 2, np.nan, 5], y=[3, 5, 7, 5.5], nan_policy="omit")["statistic"],
          S.ttest_rel([1, 2, 5], [3, 5, 5.5]).statistic)
    close(stats("ttest_ind", x=[1, 2, np.nan, 5], y=[3, 5, 7, 5.5], nan_policy="omit")["statistic"],
          S.ttest_ind([1, 2, 5], [3, 5, 7, 5.5]).statistic)
    assert stats.refused("ttest_ind", x=[1.0], y=[1, 2]).field == "x"
    huge = stats("ttest_ind", x=[1e300, 2e300, 3e300], y=[2e300, 4e300, 5e300])
    close(huge["statistic"], S.ttest_ind([1, 2, 3], [2, 4, 5]).statistic)


def test_f_test(stats):
    for x, y in samples():
        r = stats("f_test", x=x, y=y)
        scale = 1 / np.abs(x).max()
        f = np.var(x * scale, ddof=1) / np.var(y * scale, ddof=1)
        d = S.f(len(x) - 1, len(y) - 1)
        close([r["statistic"], r["pvalue"]], [f, min(1, 2 * min(d.cdf(f), d.sf(f)))], 1e-10)


def groups(sizes, decimals=None):
    parts = [rng.normal(i / 3, 1 + i / 2, size=n) for i, n in enumerate(sizes)]
    if decimals is not None:
        parts = [np.round(p, decimals) for p in parts]
    return parts, np.concatenate(parts), np.concatenate([np.full(n, 7 - 3 * i) for i, n in enumerate(sizes)])


@pytest.mark.parametrize("sizes", [(5, 6), (3, 4, 5), (100, 3, 50, 20), (1000, 1500)])
@pytest.mark.parametrize("decimals", [None, 1])
def test_several_samples(stats, sizes, decimals):
    parts, x, group = groups(sizes, decimals)
    order = rng.permutation(len(x))
    x, group = x[order], group[order]
    for fn, args, want in [("f_oneway", {}, S.f_oneway(*parts)), ("kruskal", {}, S.kruskal(*parts)),
                           ("bartlett", {}, S.bartlett(*parts)),
                           ("levene", {}, S.levene(*parts)), ("levene", {"center": "mean"}, S.levene(*parts, center="mean")),
                           ("levene", {"center": "trimmed", "proportiontocut": 0.2},
                            S.levene(*parts, center="trimmed", proportiontocut=0.2))]:
        r = stats(fn, x=x, group=group, **args)
        close([r["statistic"], r["pvalue"]], list(want), 1e-9)
        far = stats(fn, x=x, group=group.astype(np.int64) * 10**15, **args)
        close(r["statistic"], far["statistic"], 1e-14)


def test_several_samples_at_the_edges(stats):
    x, group = np.array([1, np.nan, 2, 3, 5.0]), [0, 0, 0, 1, 1]
    for fn in ["f_oneway", "kruskal", "levene", "bartlett"]:
        assert np.isnan(stats(fn, x=x, group=group)["pvalue"])
        omitted = stats(fn, x=x, group=group, nan_policy="omit")
        close(omitted["statistic"], stats(fn, x=[1, 2, 3, 5.0], group=[0, 0, 1, 1])["statistic"])
        assert "element 1 of x is NaN" in stats.refused(fn, x=x, group=group, nan_policy="raise").text
        assert stats.refused(fn, x=[1, 2.0], group=[5, 5]).field == "group"
    assert np.isposinf(stats("f_oneway", x=[1, 1, 2, 2], group=[0, 0, 1, 1])["statistic"])
    offset = [1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 3, 1e9 + 4, 1e9 + 8]
    close(stats("f_oneway", x=offset, group=[0, 0, 0, 1, 1, 1])["statistic"], S.f_oneway([1, 2, 3], [3, 4, 8]).statistic)


def test_frequencies(stats):
    for obs in [[16, 18, 16, 14, 12, 12], [0, 3], rng.integers(0, 100, 50)]:
        r = stats("chisquare", f_obs=obs)
        close([r["statistic"], r["pvalue"]], list(S.chisquare(obs)))
        exp = np.sum(obs) * (lambda w: w / w.sum())(rng.random(len(obs)) + 0.1)
        r = stats("chisquare", f_obs=obs, f_exp=exp)
        close([r["statistic"], r["pvalue"]], list(S.chisquare(obs, exp)))
    assert stats.refused("chisquare", f_obs=[1, 2], f_exp=[2, 2]).field == "f_exp"
    assert stats.refused("chisquare", f_obs=[1, 2], ddof=1).field == "ddof"
    for shape in [(2, 2), (2, 3), (5, 4), (1, 4)]:
        table = rng.integers(1, 30, shape)
        for correction in [True, False]:
            r = stats("chi2_contingency", observed=table, correction=correction)
            w = S.chi2_contingency(table, correction=correction)
            close([r["statistic"], r["df"], r["pvalue"]], [w[0], w[2], w[1]])
            close(r["expected"], w[3])


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_fisher_exact(stats, alternative):
    tables = [rng.integers(0, high, (2, 2)) for high in [3, 10, 30, 300, 5000] for _ in range(25)]
    for table in tables:
        r, w = stats("fisher_exact", table=table, alternative=alternative), S.fisher_exact(table, alternative)
        close([r["statistic"], r["pvalue"]], list(w), 1e-9, 1e-300)
    assert 0 <= stats("fisher_exact", table=[[10**9, 10**9], [10**9, 10**9 - 5]])["pvalue"] <= 1


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_binomtest(stats, alternative):
    for n in [1, 2, 5, 30, 1000]:
        for k in sorted({0, 1, n // 3, n - 1, n}):
            for p in [0, 0.01, 0.3, 0.5, 1]:
                w = S.binomtest(k, n, p, alternative)
                for method in ["exact", "wilson", "wilsoncc"]:
                    r = stats("binomtest", k=k, n=n, p=p, alternative=alternative, ci_method=method, confidence_level=0.9)
                    ci = w.proportion_ci(0.9, method)
                    close([r["statistic"], r["pvalue"]], [w.statistic, w.pvalue], 1e-10)
                    close([r["ci_low"], r["ci_high"]], [ci.low, ci.high], 1e-9, 1e-15)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_ks_1samp(stats, alternative):
    for n in [1, 2, 5, 20, 141, 500, 3000]:
        for off, width in [(0, 1), (0.1, 1), (1, 0.7)]:
            x = rng.normal(off, width, size=n)
            for cdf, f in [("norm", S.norm(0.2, 1.3)), ("uniform", S.uniform(0.2, 1.3)), ("expon", S.expon(0.2, 1.3)),
                           ("logistic", S.logistic(0.2, 1.3)), ("laplace", S.laplace(0.2, 1.3)), ("cauchy", S.cauchy(0.2, 1.3))]:
                r = stats("ks_1samp", x=x, cdf=cdf, loc=0.2, scale=1.3, alternative=alternative)
                w = S.ks_1samp(x, f.cdf, alternative=alternative)
                close(r["statistic"], w.statistic, 1e-13)
                close(r["pvalue"], w.pvalue, 1e-8, 1e-14)
                at = r["statistic_location"]  # one of several places, perhaps
                f_x = np.mean(x <= at) if r["statistic_sign"] > 0 else np.mean(x < at)
                close(r["statistic_sign"] * (f_x - f.cdf(at)), w.statistic, 1e-12)
            for method in ["approx", "asymp"]:
                r = stats("ks_1samp", x=x, alternative=alternative, method=method)
                close(r["pvalue"], S.ks_1samp(x, S.norm.cdf, alternative=alternative, method=method).pvalue, 1e-9)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_ks_2samp(stats, alternative):
    for n, m in [(1, 1), (3, 5), (10, 10), (50, 31), (300, 200), (250, 250)]:
        for off, decimals in [(0, 12), (0.3, 1), (2, 12)]:
            x, y = np.round(rng.normal(size=n), decimals), np.round(rng.normal(off, size=m), decimals)
            for method in ["exact", "asymp"]:
                r, w = stats("ks_2samp", x=x, y=y, alternative=alternative, method=method), S.ks_2samp(x, y, alternative, method)
                close(r["statistic"], w.statistic, 1e-13)
                close(r["pvalue"], 1 if np.isnan(w.pvalue) else w.pvalue, 1e-8, 1e-14)  # SciPy: 1 of 1 value, rounded to 0
                at = r["statistic_location"]
                if w.statistic > 0:
                    close(r["statistic_sign"] * (np.mean(x <= at) - np.mean(y <= at)), w.statistic, 1e-12)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_mannwhitneyu(stats, alternative):
    for n, m, decimals in [(1, 1, 9), (3, 4, 9), (8, 30, 9), (8, 8, 0), (20, 25, 9), (20, 25, 1), (500, 700, 1), (60, 60, 9)]:
        x, y = np.round(rng.normal(size=n), decimals), np.round(rng.normal(0.3, size=m), decimals)
        for method in ["auto", "asymptotic"] + (["exact"] if n < 60 else []):
            for continuity in [True, False]:
                r = stats("mannwhitneyu", x=x, y=y, alternative=alternative, method=method, use_continuity=continuity)
                w = S.mannwhitneyu(x, y, continuity, alternative, method=method)
                close([r["statistic"], r["pvalue"]], list(w), 1e-9)


def test_mannwhitneyu_counts_large_samples_exactly(stats):
    x, y = np.arange(70) * 2.0, np.arange(80) * 1.7 + 3  # more ways than 2^126
    exact = stats("mannwhitneyu", x=x, y=y, method="exact")["pvalue"]
    close(exact, stats("mannwhitneyu", x=x, y=y, method="asymptotic")["pvalue"], 5e-3)
    apart = stats("mannwhitneyu", x=np.arange(8.0), y=10 + np.arange(100000.0), method="exact", alternative="less")
    total = F(1)
    for i in range(1, 9):
        total *= F(100000 + i, i)
    close(apart["pvalue"], float(1 / total), 1e-13)
    assert np.isnan(stats("mannwhitneyu", x=[1, 1], y=[1, 1, 1])["pvalue"])


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("zero_method", ["wilcox", "pratt", "zsplit"])
def test_wilcoxon(stats, alternative, zero_method):
    for n, decimals in [(1, 9), (5, 9), (15, 9), (50, 9), (51, 9), (60, 1), (12, 0), (2000, 2)]:
        x, y = np.round(rng.normal(0.2, size=n), decimals), np.round(rng.normal(size=n), decimals)
        d = x - y
        if decimals == 0:
            d[0] = 3
        tied = len(np.unique(np.abs(d))) < n or np.any(d == 0)
        for correction in [False, True]:
            method = "approx" if tied else "auto"
            r = stats("wilcoxon", x=d, zero_method=zero_method, correction=correction, alternative=alternative, method=method)
            w = S.wilcoxon(d, None, zero_method, correction, alternative, method)
            close([r["statistic"], r["pvalue"]], [w.statistic, w.pvalue], 1e-10)
    r = stats("wilcoxon", x=x, y=y, zero_method=zero_method, alternative=alternative)
    close(r["statistic"], S.wilcoxon(x, y, zero_method, alternative=alternative).statistic)


def test_exact_wilcoxon_is_for_differences_without_zeros(stats):
    assert stats.refused("wilcoxon", x=[0, 1, 2.0], method="exact").field == "method"
    tied = stats("wilcoxon", x=[1, -1, 2, 3, 3.0])  # SciPy 1.10 counts here as if nothing were tied
    close(tied["pvalue"], S.wilcoxon([1, -1, 2, 3, 3.0], method="approx").pvalue)
    assert stats.refused("wilcoxon", x=[1.0], y=[1.0]).field == "x"


def test_normality(stats):
    for x in [rng.normal(size=8), rng.normal(size=20), rng.exponential(size=300), rng.uniform(size=5000), 1e9 + rng.normal(size=400)]:
        z = x - 1e9 if x[0] > 1e8 else x  # SciPy, too, loses digits far from zero
        for fn in ["jarque_bera", "normaltest"]:
            r, w = stats(fn, x=x), getattr(S, fn)(z)
            close([r["statistic"], r["pvalue"]], [w.statistic, w.pvalue], 1e-8)
        for fn in ["skewtest", "kurtosistest"]:
            for alternative in ALTERNATIVES:
                r, w = stats(fn, x=x, alternative=alternative), getattr(S, fn)(z, alternative=alternative)
                close([r["statistic"], r["pvalue"]], [w.statistic, w.pvalue], 1e-8)
    assert stats("skewtest", x=np.arange(9.0))["statistic"] == pytest.approx(0, abs=1e-12)  # SciPy 1.10: not 0
    assert np.isnan(stats("normaltest", x=[1.0] * 10)["pvalue"])
    assert np.isnan(stats("jarque_bera", x=[1.0, np.nan, 3])["pvalue"])


PAIRS = [(2, 9), (3, 9), (5, 9), (33, 9), (34, 9), (60, 1), (200, 0), (3000, 9), (3000, 1)]


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_correlations(stats, alternative):
    for n, decimals in PAIRS:
        for slope in [0, 0.5, -3]:
            x = np.round(rng.normal(size=n), decimals)
            y = np.round(slope * x + rng.normal(size=n), decimals)
            r, w = stats("pearsonr", x=x, y=y, alternative=alternative, confidence_level=0.9), S.pearsonr(x, y, alternative=alternative)
            ci = w.confidence_interval(0.9)
            close([r["statistic"], r["ci_low"], r["ci_high"]], [w.statistic, ci.low, ci.high], 1e-9, 1e-12)
            close(r["pvalue"], w.pvalue, 1e-8, 1e-300)
            r, w = stats("spearmanr", x=x, y=y, alternative=alternative), S.spearmanr(x, y, alternative=alternative)
            close(r["statistic"], w.statistic, 1e-12, 1e-14)
            if abs(w.statistic) < 0.9999:  # SciPy divides by 1 - r, rounded
                close(r["pvalue"], w.pvalue, 1e-8, 1e-300)
            for variant in ["b", "c"]:
                r = stats("kendalltau", x=x, y=y, alternative=alternative, variant=variant)
                w = S.kendalltau(x, y, alternative=alternative, variant=variant)
                close([r["statistic"], r["pvalue"]], [w.statistic, w.pvalue], 1e-9, 1e-300)
            if n > 2:
                r = stats("kendalltau", x=x, y=y, alternative=alternative, method="asymptotic")
                close(r["pvalue"], S.kendalltau(x, y, method="asymptotic", alternative=alternative).pvalue, 1e-9, 1e-300)
            if n < 300 and decimals == 9:
                r = stats("kendalltau", x=x, y=y, alternative=alternative, method="exact")
                close(r["pvalue"], S.kendalltau(x, y, method="exact", alternative=alternative).pvalue, 1e-9, 1e-300)


def test_pearson_and_the_line_keep_their_digits_near_one(stats):
    for noise, rtol in [(1e-3, 1e-10), (1e-6, 1e-8), (1e-9, 1e-5)]:
        x = np.arange(50.0)
        y = x + noise * rng.normal(size=50)
        a, b = [F(v) for v in x], [F(v) for v in y]
        ma, mb = sum(a) / 50, sum(b) / 50
        sxx, syy = sum((v - ma) ** 2 for v in a), sum((v - mb) ** 2 for v in b)
        sxy = sum((v - ma) * (w - mb) for v, w in zip(a, b))
        square = sxy**2 / (sxx * syy)
        t = (48 * float(square / (1 - square))) ** 0.5
        r = stats("linregress", x=x, y=y)
        close(r["slope"] / r["stderr"], t, rtol)
        close(stats("pearsonr", x=x, y=y)["pvalue"], 2 * S.t.sf(t, 48), 50 * rtol)


def test_correlations_at_the_edges(stats):
    for fn in ["pearsonr", "spearmanr", "kendalltau"]:
        assert np.isnan(stats(fn, x=[1, 1, 1.0], y=[1, 2, 3.0])["statistic"])
        assert np.isnan(stats(fn, x=[1, np.nan, 1.0], y=[1, 2, 3.0])["pvalue"])
        r = stats(fn, x=[1, 5, np.nan, 3, 4.5], y=[2, 6, 3.0, np.nan, 4], nan_policy="omit")
        close(r["statistic"], stats(fn, x=[1, 5, 4.5], y=[2, 6, 4.0])["statistic"])
        assert stats.refused(fn, x=[1, np.nan], y=[1, 2.0], nan_policy="raise").field == "x"
    close(stats("pearsonr", x=[1e300, 2e300, 4e300], y=[1e-300, 3e-300, 4e-300])["statistic"], S.pearsonr([1, 2, 4], [1, 3, 4])[0])


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_linregress(stats, alternative):
    for n, decimals in PAIRS:
        x, e = np.round(rng.normal(3, size=n), decimals), rng.normal(size=n)
        for y in [e, 2 + 0.5 * x + e, -3 * x + e]:
            r, w = stats("linregress", x=x, y=y, alternative=alternative), S.linregress(x, y, alternative)
            keys = ["slope", "intercept", "rvalue", "stderr", "intercept_stderr"]
            if n > 2:
                close([r[k] for k in keys], [getattr(w, k) for k in keys], 1e-7 if n == 3 else 1e-9, 1e-12)
                close(r["pvalue"], w.pvalue, 1e-7, 1e-300)
            else:
                close([r["slope"], r["pvalue"], r["stderr"]], [w.slope, w.pvalue, 0], 1e-9)
    assert stats.refused("linregress", x=[2, 2, 2.0], y=[1, 2, 3.0]).field == "x"
    flat = stats("linregress", x=[1, 2, 3.0], y=[2, 2, 2.0])
    assert (flat["slope"], flat["pvalue"], flat["stderr"]) == (0, 1, 0)


def test_theilslopes(stats):
    for n, decimals in PAIRS[:7]:
        x, y = np.round(rng.normal(3, size=n), decimals), np.round(rng.normal(size=n), decimals)
        for method in ["separate", "joint"]:
            r = stats("theilslopes", x=x, y=y, method=method, confidence_level=0.9)
            close([r["slope"], r["intercept"], r["low_slope"], r["high_slope"]], list(S.theilslopes(y, x, 0.9, method)), 1e-12, 1e-14)
    assert stats.refused("theilslopes", x=[1, 1.0], y=[1, 2.0]).field == "x"
    tied = stats("theilslopes", x=[1, 1, 2.0], y=[3, 3, 3.0])
    assert tied["slope"] == 0 and tied["low_slope"] is None
    assert np.isnan(stats("theilslopes", x=[1, 2, 3.0], y=[np.inf, np.inf, 3])["slope"])


def acf_exactly(x, lags, adjusted):
    d = [v - sum(x) / len(x) for v in x]
    c = [sum(a * b for a, b in zip(d, d[lag:])) for lag in range(lags + 1)]
    return [float(v / c[0] * (F(len(x), len(x) - lag) if adjusted else 1)) for lag, v in enumerate(c)]


def test_autocorrelation(stats):
    for n in [1, 2, 3, 10, 50]:
        for x in [rng.normal(size=n), 1e9 + rng.normal(size=n)]:
            for lags in sorted({0, n // 2, n - 1}):
                for adjusted in [False, True]:
                    r = stats("autocorrelation", x=x, nlags=lags, adjusted=adjusted)["acf"]
                    if n == 1:
                        assert np.all(np.isnan(r))
                    else:
                        close(r, acf_exactly([F(v) for v in x], lags, adjusted), 1e-11, 1e-13)
                    close(stats("autocorrelation", x=x * 2.0**-950, nlags=lags, adjusted=adjusted)["acf"], r, 1e-14, 1e-300)
    x = rng.normal(size=5000).cumsum()
    d = x - x.mean()
    full = np.correlate(d, d, "full")[4999:] / (d @ d)
    assert len(stats("autocorrelation", x=x)["acf"]) == 37
    for lags in [30, 199, 200, 700, 4999]:
        close(stats("autocorrelation", x=x, nlags=lags)["acf"], full[: lags + 1], 1e-9, 1e-12)
    assert np.all(np.isnan(stats("autocorrelation", x=[1, np.nan, 3], nlags=1)["acf"]))
    assert stats.refused("autocorrelation", x=[1, np.nan, 3], nan_policy="raise").field == "x"
    assert stats.refused("autocorrelation", x=[1, 2], nlags=2).field == "nlags"


def test_shapiro(stats):
    for n in [3, 4, 5, 6, 11, 12, 50, 500, 5000]:
        for x in [rng.normal(size=n), rng.exponential(size=n), rng.uniform(size=n)]:
            r, w = stats("shapiro", x=x), S.shapiro(x)
            close(r["statistic"], w.statistic, 2e-5)  # SciPy computes in single precision
            close(r["pvalue"], w.pvalue, 2e-2, 1e-6)
            far = stats("shapiro", x=2.0**300 * x)
            close([far["statistic"], far["pvalue"]], [r["statistic"], r["pvalue"]], 1e-9)
    assert np.isnan(stats("shapiro", x=[1, 1, 1.0])["statistic"])
    assert np.isnan(stats("shapiro", x=[1, np.nan, 1.0])["statistic"])
    assert stats.refused("shapiro", x=[1, 2.0]).field == "x"


METRICS = ["euclidean", "sqeuclidean", "cityblock", "chebyshev", "cosine", "correlation", "mahalanobis"]


@pytest.mark.parametrize("metric", METRICS)
def test_distances(stats, metric):
    for m, p, k in [(1, 1, 2), (3, 70, 3), (40, 33, 7), (100, 32, 20), (65, 64, 50)]:
        a, b = rng.normal(size=(m, k)), rng.normal(0.5, 2, size=(p, k))
        args = {"VI": np.linalg.inv(np.cov(rng.normal(size=(k, 5 * k))))} if metric == "mahalanobis" else {}
        ours = {"vi": v for v in args.values()}
        close(stats("cdist", xa=a, xb=b, metric=metric, **ours)["distances"], distance.cdist(a, b, metric, **args), 1e-11, 1e-15)
        close(stats("pdist", x=b, metric=metric, **ours)["distances"], distance.pdist(b, metric, **args), 1e-11, 1e-15)
        if metric == "mahalanobis" and m + p > 2 * k:
            close(stats("cdist", xa=a, xb=b, metric=metric)["distances"], distance.cdist(a, b, metric), 1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_distances_of_hard_points(stats, metric):
    a = rng.normal(size=(40, 5))
    plain = stats("pdist", x=a, metric=metric)["distances"]
    for factor in [2.0**600, 2.0**-700]:
        power = {"sqeuclidean": factor * factor, "cosine": 1, "correlation": 1, "mahalanobis": 1}.get(metric, factor)
        with np.errstate(over="ignore"):
            close(stats("pdist", x=a * factor, metric=metric)["distances"], plain * power, 1e-12)
    if metric not in ["cosine"]:
        grid = np.round(a, 6)
        close(stats("pdist", x=2.0**20 + np.round(grid * 2**20) / 2**20, metric=metric)["distances"],
              stats("pdist", x=np.round(grid * 2**20) / 2**20, metric=metric)["distances"], 1e-9)
    a[7, 2] = np.nan
    found = stats("cdist", xa=a, xb=a, metric=metric, vi=np.eye(5))["distances"]
    bad = np.isnan(found)
    assert bad[7].all() and bad[:, 7].all() and not np.delete(np.delete(bad, 7, 0), 7, 1).any()
    assert np.isnan(stats("pdist", x=a, metric=metric, vi=np.eye(5))["distances"]).sum() == 39
    assert stats.refused("pdist", x=a, metric=metric, nan_policy="raise").field == "x"


def test_cosine_of_nearly_parallel_points(stats):
    a, b = np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 2.0, 3.000001]])
    dot, aa, bb = (sum(F(u) * F(v) for u, v in zip(p[0], q[0])) for p, q in [(a, b), (a, a), (b, b)])
    square = 1 - dot * dot / (aa * bb)  # sin^2
    close(stats("cdist", xa=a, xb=b, metric="cosine")["distances"][0, 0], float(square) / 2, 1e-9)


def test_distance_kernels_agree(stats):
    a, b = rng.normal(size=(9, 13)), rng.normal(size=(77, 13))
    for metric in METRICS:
        want = stats("cdist", xa=a, xb=b, metric=metric)["distances"]
        for simd in ["plain", "baseline", "avx2"]:
            with Plugin("stats", {"simd": simd}) as other:
                close(other("cdist", xa=a, xb=b, metric=metric)["distances"], want, 1e-12)


def resamples(seed, b, n):
    """The documented generator."""
    golden, mask = 0x9E3779B97F4A7C15, (1 << 64) - 1

    def mix(z):
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        return z ^ z >> 31

    for r in range(b):
        key = mix(seed + (r + 1) * golden & mask)
        yield [n * mix(key + (j + 1) * golden & mask) >> 64 for j in range(n)]


class Distribution:
    def __init__(self, values):
        self.bootstrap_distribution, self.standard_error = values, None


@pytest.mark.parametrize("statistic", ["mean", "median", "std", "var"])
def test_bootstrap(stats, statistic):
    for n, b in [(2, 40), (9, 200), (30, 300)]:
        x = 5 + rng.exponential(size=n)
        f = getattr(np, statistic)
        drawn = np.sort(x) if statistic == "median" else x
        values = np.array([f(drawn[places]) for places in resamples(12345, b, n)])
        for method in ["percentile", "basic", "bca"]:
            r = stats("bootstrap", x=x, statistic=statistic, n_resamples=b, method=method, seed=12345, confidence_level=0.9,
                      distribution=True)
            close(r["distribution"], values, 1e-11, 1e-13)
            close([r["estimate"], r["standard_error"]], [f(x), values.std(ddof=1)], 1e-11)
            w = S.bootstrap((x,), f, n_resamples=0, confidence_level=0.9, method=method,
                            bootstrap_result=Distribution(r["distribution"])).confidence_interval
            if not (method == "bca" and n == 2):
                close([r["ci_low"], r["ci_high"]], list(w), 1e-9)


def test_bootstrap_covers_and_repeats(stats):
    x = rng.normal(10, 2, size=400)
    r = stats("bootstrap", x=x, n_resamples=4000, seed=3)
    w = S.t.interval(0.95, 399, x.mean(), S.sem(x))
    close([r["ci_low"], r["ci_high"]], w, 3e-3)
    assert r == stats("bootstrap", x=x, n_resamples=4000, seed=3)
    assert r["ci_low"] != stats("bootstrap", x=x, n_resamples=4000, seed=4)["ci_low"]
    with Plugin("stats", {"simd": "plain"}) as other:
        close(other("bootstrap", x=x, n_resamples=4000, seed=3)["ci_low"], r["ci_low"], 1e-14)
    close(stats("bootstrap", x=x, n_resamples=400, statistic="std", ddof=1)["estimate"], x.std(ddof=1))
    far = stats("bootstrap", x=1e9 + x, n_resamples=400, statistic="std", seed=3)
    close(far["ci_low"], stats("bootstrap", x=(1e9 + x) - 1e9, n_resamples=400, statistic="std", seed=3)["ci_low"], 1e-12)
    assert np.isnan(stats("bootstrap", x=[1, np.nan, 2])["ci_low"])
    assert stats.refused("bootstrap", x=[1, 2], statistic="var", ddof=2).field == "ddof"
