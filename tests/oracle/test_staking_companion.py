# SPDX-License-Identifier: MPL-2.0
"""The companion models and small functions of staking beside NumPy and SciPy."""
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from plugin import Plugin

SIZES, WEIGHTS = np.array([.05, .1, .2, .3]), np.array([.667, .167, .111, .055])


@pytest.fixture(scope="module")
def staking():
    with Plugin("staking") as p:
        yield p


def excess(sizes, weights, tau, k):
    return float(np.sum(np.asarray(weights) / np.sum(weights) * np.maximum(np.asarray(sizes) - tau, 0) ** k))


@pytest.mark.parametrize("level", [0, 0.5, 0.75, 0.85, 0.93, 1])
def test_lists_of_sizes(staking, level):
    rng = np.random.default_rng(3)
    for args, sizes, weights in (({}, SIZES, WEIGHTS),
                                 ({"model": "homogeneous", "size": 0.4}, [0.4], [1]),
                                 ({"model": "two_point", "size_1": 0.2, "size_2": 0.6, "p": 0.7}, [0.2, 0.6], [0.7, 0.3]),
                                 *[({"sizes": s, "counts": c}, s, c) for s, c in [(rng.uniform(0, 1, 9), rng.integers(1, 9, 9) * 1.0)]]):
        got = staking("redemption_moments", staking_level=level, **args)
        for k in range(1, 5):
            assert got[f"excess_{k}"] == pytest.approx(excess(sizes, weights, 1 - level, k), rel=1e-11, abs=1e-18)
        assert got["size_mean"] == pytest.approx(excess(sizes, weights, 0, 1), rel=1e-13)
        assert got["size_2nd_moment"] == pytest.approx(excess(sizes, weights, 0, 2), rel=1e-13)


def test_a_mixture_is_what_its_parts_are(staking):
    retail = {"sizes": [0.02, 0.0], "probabilities": [0.5, 0.5]}
    institutional = {"sizes": [0.05, 0.1, 0.2, 0.3], "counts": [67, 17, 11, 6]}
    for share in (0, 0.3, 1):
        got = staking("redemption_moments", model="mixture", retail_share=share, staking_level=0.995)
        parts = [staking("redemption_moments", staking_level=0.995, **a)["excess_2"] for a in (retail, institutional)]
        assert got["excess_2"] == pytest.approx(share * parts[0] + (1 - share) * parts[1], rel=1e-13)


@pytest.mark.parametrize("a, b", [(2, 18), (0.5, 0.5), (0.05, 3), (3, 0.05), (1, 1), (40, 60), (10000, 10000), (5000, 2), (0.05, 0.05)])
def test_beta(staking, a, b):
    beta = scipy.stats.beta
    for level in (1, 0.99, 0.6, 0.5, 0.1):
        tau = 1 - level
        got = staking("redemption_moments", model="beta", a=a, b=b, staking_level=level)
        # E[(R - tau)+] and E[(R - tau)+^2] by the incomplete beta function
        mean, second = a / (a + b), a * (a + 1) / ((a + b) * (a + b + 1))
        s0, s1, s2 = (beta.sf(tau, a + i, b) for i in range(3))
        want = [s0, mean * s1 - tau * s0, second * s2 - 2 * tau * mean * s1 + tau * tau * s0]
        assert got["p_exceed"] == pytest.approx(want[0], rel=1e-9, abs=1e-13)
        assert got["excess_1"] == pytest.approx(want[1], rel=1e-8, abs=1e-13)
        assert got["excess_2"] == pytest.approx(want[2], rel=1e-8, abs=1e-13)
        assert got["size_mean"] == pytest.approx(mean, rel=1e-10)


def test_one_asset_is_the_portfolio_of_one(staking):
    """single_asset gives what tracking_error gives for a benchmark of which one asset is staked."""
    vol = np.array([.039, .048, .053, .071, .055, .051])
    rho = np.full((6, 6), .6)
    rho[0, 1] = rho[1, 0] = .7
    np.fill_diagonal(rho, 1)
    sigma = np.outer(vol, vol) * rho
    c = np.vstack([np.ones(6), np.eye(6)[1]])
    unit = np.linalg.inv(c @ np.linalg.inv(sigma) @ c.T)[1, 1]
    default = next(r for r in staking.contracts["single_asset"]["params"] if r["name"] == "unit_variance")["default"]
    assert float(default) == pytest.approx(unit, rel=1e-7)
    got = staking("single_asset", staking_level=0.93, horizon_days=20)
    te = np.sqrt(18 * 10 * 0.1049**2 * float(default) * excess(SIZES, WEIGHTS, 1 - 0.93, 2))
    assert got["tracking_error"] == pytest.approx(te, rel=1e-12)
    assert got["horizon_tracking_error"] == pytest.approx(te * np.sqrt(20 / 252), rel=1e-12)
    for field, key, h in (("dte_dlambda", "expected_redemptions_per_year", 1e-4), ("dte_dlevel", "staking_level", 1e-7)):
        base = {"expected_redemptions_per_year": 18.0, "staking_level": 0.93}
        up, down = (staking("single_asset", **{**base, key: base[key] + s * h})["tracking_error"] for s in (1, -1))
        assert got[field] == pytest.approx((up - down) / (2 * h), rel=1e-5)


def test_compound_poisson_beside_simulation(staking):
    args = {"staking_level": 0.95, "expected_redemptions_per_year": 30.0, "unbonding_period_days": 7.0}
    got = staking("compound_poisson", confidence=0.9, years=4, **args)
    k = 0.1049**2 * 0.00096438416
    rng = np.random.default_rng(5)
    years = 200_000
    counts = rng.poisson(30, years)
    f = k * np.maximum(rng.choice(SIZES, counts.sum(), p=WEIGHTS / WEIGHTS.sum()) - 0.05, 0) ** 2 * 7
    variance = np.bincount(np.repeat(np.arange(years), counts), f, years)
    assert got["variance_mean"] == pytest.approx(variance.mean(), rel=0.01)
    assert got["variance_variance"] == pytest.approx(variance.var(), rel=0.03)
    error = np.sqrt(got["variance_variance"] / 4) / (2 * got["tracking_error"])
    z = scipy.stats.norm.ppf(0.95)
    assert got["standard_error"] == pytest.approx(error, rel=1e-12)
    assert got["high"] == pytest.approx(got["tracking_error"] + z * error, rel=1e-12)
    assert got["low"] == pytest.approx(max(0, got["tracking_error"] - z * error), rel=1e-11)
    narrow = staking("compound_poisson", mode="compatible", years=4, **args)
    assert narrow["standard_error"] == pytest.approx(error / np.sqrt(7), rel=1e-12)


@pytest.mark.parametrize("confidence", [1e-9, 0.01, 0.5, 0.9, 0.999, 1 - 1e-12])
def test_normal_quantiles_of_the_interval(staking, confidence):
    got = staking("compound_poisson", confidence=confidence, years=1e6)
    z = scipy.stats.norm.isf((1 - confidence) / 2)
    assert got["high"] - got["tracking_error"] == pytest.approx(z * got["standard_error"], rel=1e-4 if confidence < 1e-6 else 1e-8)


def test_sample_replication(staking):
    rng = np.random.default_rng(7)
    for n in (2, 5, 30):
        a = rng.standard_normal((n, 2 * n))
        sigma = a @ a.T / (2 * n)
        w, s = rng.standard_normal(n) / n, rng.standard_normal(n)
        got = staking("sample_replication", active_weights=w, covariance=sigma, direction=s)
        te = lambda v: np.sqrt(v @ sigma @ v)  # noqa: E731
        over, under = te(np.maximum(w, 0)), te(np.minimum(w, 0))
        assert got["tracking_error"] == pytest.approx(te(w), rel=1e-12)
        assert (got["lower_bound"], got["upper_bound"]) == pytest.approx((abs(over - under), over + under), rel=1e-12)
        assert got["lower_bound"] <= got["tracking_error"] * (1 + 1e-12) <= got["upper_bound"] * (1 + 2e-12)
        x = got["optimal_weight"]
        assert got["optimal_tracking_error"] == pytest.approx(te(w + x * s), rel=1e-9)
        assert all(te(w + y * s) >= got["optimal_tracking_error"] * (1 - 1e-12) for y in np.linspace(0, 1, 101))
    assert staking.refused("sample_replication", active_weights=[1.0, -1.0], covariance=[[1.0, 2.0], [2.0, 1.0]]).field == "covariance"
    assert staking.refused("sample_replication", active_weights=[1.0, -1.0], covariance=[[1.0, 0.0], [0.0, 1.0]],
                           direction=[0.0, 0.0]).field == "direction"


def test_yields(staking):
    for apr in (0, 1e-12, 0.05, 3):
        for n in (1, 12, 365, 31622400):
            assert staking("apr_to_apy", apr=apr, periods_per_year=n, commission=0.1)["apy"] == pytest.approx(
                float(np.expm1(n * np.log1p(np.longdouble(apr) * np.longdouble(0.9) / n))), rel=1e-13)
    got = staking("rewards", amount=1000.0, apr=0.12, days=400.0, compounds_per_year=12, commission=0.25, points=40)
    whole, rest = divmod(400 / 365 * 12, 1)
    want = 1000 * 1.0075**whole * (1 + 0.0075 * rest)
    assert got["balance"] == pytest.approx(want, rel=1e-12) == got["projection"]["balance"][-1]
    assert list(got["projection"]["day"]) == pytest.approx(list(np.linspace(10, 400, 40)))
    assert np.all(np.diff(got["projection"]["balance"]) > 0)
    assert got["commission_paid"] == pytest.approx(got["reward"] / 3, rel=1e-12)
    days = staking("break_even", apr=0.08, exit_cost=0.02, compounds_per_year=365)["earning_days"]
    assert (1 + 0.08 / 365) ** days * 0.98 == pytest.approx(1, rel=1e-12)
    assert staking("break_even", apr=0.08, exit_cost=1, compounds_per_year=365)["earning_days"] is None


def test_slashing_beside_simulation(staking):
    got = staking("slashing", validators=20, probability=0.03, penalty=0.4, coverage=0.5)
    losses = np.random.default_rng(1).binomial(20, 0.03, 400_000) / 20 * 0.2
    assert got["expected_loss"] == pytest.approx(losses.mean(), rel=0.01)
    assert got["loss_std"] == pytest.approx(losses.std(), rel=0.01)
    assert got["p_any"] == pytest.approx(np.mean(losses > 0), rel=0.01)


def test_performance(staking):
    rng = np.random.default_rng(11)
    for n in (2, 3, 50, 1000):
        b = rng.standard_normal(n) * 0.02
        r = 0.8 * b + rng.standard_normal(n) * 0.005 + 0.0003
        got = staking("performance", returns=r, benchmark=b)
        value = np.concatenate([[1], np.cumprod(1 + r)])
        falls = 1 - value / np.maximum.accumulate(value)
        assert got["total_return"] == pytest.approx(value[-1] - 1, rel=1e-10)
        assert got["annual_return"] == pytest.approx(value[-1] ** (252 / n) - 1, rel=1e-9)
        assert got["max_drawdown"] == pytest.approx(falls.max(), rel=1e-12)
        if falls.max() > 0:
            assert got["drawdown_to"] == falls.argmax() and value[got["drawdown_from"]] == pytest.approx(np.max(value[:falls.argmax() + 1]))
        assert got["volatility"] == pytest.approx(r.std(ddof=1) * np.sqrt(252), rel=1e-12)
        assert got["tracking_error"] == pytest.approx((r - b).std(ddof=1) * np.sqrt(252), rel=1e-12)
        assert got["information_ratio"] == pytest.approx((r - b).mean() / (r - b).std(ddof=1) * np.sqrt(252), rel=1e-10)
        assert got["beta"] == pytest.approx(np.cov(r, b)[0, 1] / b.var(ddof=1), rel=1e-10)
        assert got["correlation"] == pytest.approx(np.corrcoef(r, b)[0, 1], rel=1e-10)
        q = np.quantile(r, 0.05)
        assert got["value_at_risk"] == pytest.approx(-q, rel=1e-9)
        assert got["expected_shortfall"] == pytest.approx(-r[r <= q].mean(), rel=1e-12)
    assert staking.refused("performance", returns=[0.1, 0.2], ddof=2).field == "ddof"
    w, b = rng.dirichlet(np.ones(9)), rng.dirichlet(np.ones(9))
    assert staking("active_share", weights=w, benchmark_weights=b)["active_share"] == pytest.approx(np.abs(w - b).sum() / 2, rel=1e-13)
