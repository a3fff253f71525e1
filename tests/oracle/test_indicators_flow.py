# SPDX-License-Identifier: MPL-2.0
"""Flows of trades, order books, published RSI and MACD, and the volume suite, compared with their definitions as plain loops."""
import math

import numpy as np
import pytest

from plugin import Plugin

NAN = float("nan")
SIZES = (1, 2, 3, 4, 5, 19, 20, 21, 50, 130, 400)
KINDS = ("walk", "ties", "still", "silent", "negative", "large", "spike")


@pytest.fixture(scope="module")
def kiln():
    with Plugin("indicators") as p:
        yield p


def make(n, kind, seed=5):
    """Trades; the volumes of "ties" are small whole numbers, so that comparisons with means are exact."""
    rng = np.random.default_rng([n, seed])
    t = {"prices": 100 * np.exp(np.cumsum(rng.normal(0, 0.0015, n) * rng.choice([0, 1, 1, 3], n))),
         "volumes": np.floor(rng.exponential(1000, n)) * rng.choice([0, 1, 1], n), "sides": rng.choice([-2.0, 0, 0.5, 1], n),
         "times": np.cumsum(rng.exponential(9, n) * rng.choice([0, 1], n)) + 1.7e9}
    if kind == "ties":
        t.update(prices=np.round(t["prices"]), volumes=rng.integers(0, 4, n) * 2.0, times=np.floor(t["times"] / 30) * 30)
    elif kind == "still":
        t.update(prices=np.full(n, 0.1), volumes=np.full(n, 0.3), times=np.full(n, -5.5))
    elif kind == "silent":
        t["volumes"] = np.zeros(n)
    elif kind == "negative":
        t["prices"] = t["prices"] - 100
    elif kind == "large":
        t.update(prices=t["prices"] * 2.0**200, volumes=t["volumes"] * 2.0**300)
    elif kind == "spike":
        t["volumes"][n // 3] = 1e17
    return {k: np.ascontiguousarray(v, dtype=float) for k, v in t.items()}


EVERY = [(n, kind) for n in SIZES for kind in KINDS]
every = pytest.mark.parametrize("n,kind", EVERY)


def near(got, want, about="", atol=0.0, rtol=1e-12):
    np.testing.assert_allclose(np.asarray(got, float), np.asarray(want, float), rtol=rtol, atol=1e-13 + atol, err_msg=str(about))


def pick(t, names):
    return {k: t[k] for k in names.split()}


def tick(t, since=-math.inf, weigh=lambda age: 1.0):
    p, v, times = t["prices"], t["volumes"], t["times"]
    chosen = [i for i in range(1, len(p)) if times[i] >= times[-1] - since] if since != -math.inf else range(1, len(p))
    B = math.fsum(v[i] * weigh(times[-1] - times[i]) for i in chosen if p[i] > p[i - 1])
    S = math.fsum(v[i] * weigh(times[-1] - times[i]) for i in chosen if p[i] < p[i - 1])
    return B, S


def balance(B, S):
    return (B - S) / (B + S) if B + S > 0 else 0.0


# ---- flows of trades ----------------------------------------------------------------------------------

@every
def test_scores(kiln, n, kind):
    t = make(n, kind)
    windows = [60, 300, 900, 3600, 1e-9, 30]
    want = [balance(*tick(t, w)) for w in windows]
    got = kiln("flow_score", **pick(t, "prices volumes times"), windows=windows)
    near(got["flow_score"], balance(*tick(t)))
    near([got["buy_volume"], got["sell_volume"]], tick(t))
    near(got["window_scores"], want)
    assert kiln("flow_score", **pick(t, "prices volumes"))["window_scores"] is None
    got = kiln("temporal_flow", **pick(t, "prices volumes times"), windows=windows)
    near(got["window_scores"], want)
    near(got["composite"], np.mean(want))
    assert len(kiln("temporal_flow", **pick(t, "prices volumes times"))["window_scores"]) == 4


@every
def test_trade_flow(kiln, n, kind):
    t = make(n, kind)
    for window in (0.5, 60, 300, 1e9):
        for decay, weigh in (("exp", lambda age, w=window: math.exp(-age / w)), ("none", lambda age: 1.0)):
            got = kiln("trade_flow", **pick(t, "prices volumes times"), window_s=window, decay=decay)
            want = tick(t, window, weigh)
            near([got["buy_pressure"], got["sell_pressure"]], want, (window, decay))
            near(got["flow_score"], balance(*want), (window, decay))


def test_weights_keep_their_digits(kiln):
    """The weight of one value, at ages over the whole range of the exponential."""
    for age in (0, 1e-300, 1e-9, 0.3, 0.5, 1, 1.5, 17.25, 200.3, 690.1, 999.5):
        got = kiln("order_flow_imbalance", bid=[1.0, 0], ask=[0.0, 1], times=[-age, 0.0], half_life_s=1)
        near(got["weighted_bid"] / got["weighted_ask"], 0.5**age, age, -1e-13, 4e-16)
    assert kiln("order_flow_imbalance", bid=[1.0, 0], ask=[0.0, 1], times=[-1e300, 0.0], half_life_s=1e-300)["weighted_bid"] == 0
    for share in np.linspace(0, 1, 101):
        got = kiln("trade_flow", prices=[1.0, 2, 3], volumes=[1.0, 1, 0], times=[-2.0, -share, 0], window_s=1)
        near(got["buy_pressure"], math.exp(-share), share, -1e-13, 5e-16)


@every
def test_cvd(kiln, n, kind):
    t = make(n, kind)
    p, v, s = t["prices"], t["volumes"], t["sides"]
    for sides, sign in ((s, np.sign(s)), (None, np.concatenate([[0], np.sign(np.diff(p))]))):
        given = {"sides": sides} if sides is not None else {}
        got = kiln("cvd", prices=p, volumes=v, **given)
        summary = kiln("cvd_summary", prices=p, volumes=v, **given)
        B, S = math.fsum(v[sign > 0]), math.fsum(v[sign < 0])
        near(got["cvd"], np.cumsum(sign * v), kind, 1e-15 * n * v.sum())
        near([got["buy_volume"], got["sell_volume"]], [B, S])
        near([summary["buy_volume"], summary["sell_volume"]], [B, S])
        near(summary["imbalance"], balance(B, S))
        near(summary["score"], 50 + 50 * balance(B, S))


@every
def test_cvd_levels(kiln, n, kind):
    t = make(n, kind)
    p, v, s = t["prices"], t["volumes"], t["sides"]
    levels, windows = [p[0], p[-1], p.mean(), 0.0, 1e9], [1, 7, 100, 10**9]
    got = kiln("cvd_levels", **pick(t, "prices volumes sides"), levels=levels, windows=windows)
    for a, P in enumerate(levels):
        for b, W in enumerate(windows):
            close = [i for i in range(max(0, n - W), n) if abs(p[i] - P) <= 0.001 * P]
            B, S = (math.fsum(v[i] for i in close if (s[i] > 0) == buys) for buys in (True, False))
            assert got["count"][a, b] == len(close)
            near(got["delta"][a, b], B - S, (P, W), 1e-15 * (B + S))


@every
def test_volume_delta(kiln, n, kind):
    t = make(n, kind)
    p, v = t["prices"], t["volumes"]
    for r in (np.sort(p)[:: max(1, n // 7)], [p[0]], [p.min() - 1, p.min() - 1, p.max() + 1], np.linspace(p.min(), p.max() + 1, 40)):
        r = np.asarray(r, float)
        k, b, s, out = 0, 0.0, 0.0, np.zeros(len(r))
        for price, volume in zip(p, v):
            while k < len(r) - 1 and price > r[k]:
                out[k] = b - s
                k += 1
            if k > 0:
                if price >= (r[k] + r[k - 1]) / 2:
                    b += volume
                else:
                    s += volume
        out[k:] = b - s
        near(kiln("volume_delta", prices=p, volumes=v, reference_prices=r)["delta"], out)


@every
def test_liquidity(kiln, n, kind):
    t = make(n, kind)
    p, v = t["prices"], t["volumes"]
    for levels in ([p[0]], [p[0], p[-1], p.mean() * 1.0004, -5.0, 0.0], list(np.linspace(p.min(), p.max(), 30))):
        for tolerance in (0, 0.001, 1):
            got = kiln("liquidity", **pick(t, "prices volumes times"), levels=levels, tolerance_pct=tolerance)
            close = np.array([[abs(x - P) <= tolerance * P for x in p] for P in levels])
            each = [math.fsum(v[row]) for row in close]
            near(got["level_volumes"], each)
            near(got["liquidity_score"], 100 * math.fsum(v[close.any(axis=0)]) / math.fsum(v) if v.any() else 0)
            near(got["concentration"], sum((x / sum(each)) ** 2 for x in each) if sum(each) else 0)


def aggressive(p, v, impact, multiple, window):
    moves, found = [], []
    for i in range(1, len(p)):
        if p[i - 1] > 0 and abs(p[i] - p[i - 1]) / p[i - 1] > impact:
            moves.append(i)
            before = v[:i + 1] if i < window else v[i - window:i]
            if v[i] > multiple * (math.fsum(before) / len(before)):
                found.append(i)
    return moves, found


@every
def test_aggression(kiln, n, kind):
    t = make(n, kind)
    p, v = t["prices"], t["volumes"]
    total = math.fsum(v)
    moves, found = aggressive(p, v, 0.001, 1.5, 20)
    got = kiln("aggression", prices=p, volumes=v)
    near([got["aggression_ratio"], got["full_aggression_ratio"]], [len(moves) / n, len(found) / n])
    near(got["aggressive_volume_ratio"], math.fsum(v[found]) / total if total else 0)
    if total:
        near(got["volume_weighted_price"], math.fsum((p * v)[1:]) / total, kind, 1e-14 * abs(p).max())
    else:
        assert got["volume_weighted_price"] is None
    for impact, multiple, window in ((0.001, 1.5, 20), (0, 0, 1), (0.0005, 1, 3), (0.002, 2, 100000)):
        moves, found = aggressive(p, v, impact, multiple, window)
        got = kiln("aggressive_trades", prices=p, volumes=v, times=t["times"], impact=impact, volume_multiple=multiple, window=window)
        assert got["aggressive_count"] == len(found)
        near(got["aggression_score"], len(found) / n)
        near(got["aggressive_volume_ratio"], math.fsum(v[found]) / total if total else 0)
        near(got["buy_aggressive_volume"], math.fsum(v[i] for i in found if p[i] > p[i - 1]))
        near(got["sell_aggressive_volume"], math.fsum(v[i] for i in found if p[i] < p[i - 1]))


# ---- order books --------------------------------------------------------------------------------------

@every
def test_books(kiln, n, kind):
    t = make(n, kind)
    bid, ask = t["volumes"], np.roll(t["volumes"], 3) * 0.7
    for w in ([1.0], [1, 0.8, 0.5, 0.0, 0.1], [0.0, 1.0], list(np.linspace(1, 0.01, 200))):
        want = []
        for i in range(n):
            b, a = (math.fsum(w[k] * x[i - k] for k in range(min(len(w), i + 1))) for x in (bid, ask))
            want.append(balance(b, a))
        near(kiln("imbalance", bid=bid, ask=ask, weights=w)["imbalance"], want)
    for half_life in (1, 60, 1e9):
        w = [0.5 ** ((t["times"][-1] - x) / half_life) for x in t["times"]]
        b, a = (math.fsum(np.multiply(w, x)) / math.fsum(w) for x in (bid, ask))
        got = kiln("order_flow_imbalance", bid=bid, ask=ask, times=t["times"], half_life_s=half_life)
        near([got["weighted_bid"], got["weighted_ask"]], [b, a])
        near(got["imbalance_score"], balance(b, a))
    for levels in (1, 10, 1000):
        top, bottom = (math.fsum(f(bid[k], ask[k]) / (k + 1) for k in range(min(n, levels))) for f in (np.subtract, np.add))
        near(kiln("book_imbalance", bid=bid, ask=ask, levels=levels)["imbalance"], top / bottom if bottom > 0 else 0)


@every
def test_spread(kiln, n, kind):
    t = make(n, kind)
    bid, ask, v = t["prices"], t["prices"] + np.abs(t["sides"]), t["volumes"]
    got = kiln("spread", bid=bid, ask=ask, volume=v)
    before = np.concatenate([[0], v[:-1]])
    near(got["spread"], ask - bid)
    near(got["relative_spread"], [(a - b) / ((a + b) / 2) if a + b else NAN for a, b in zip(ask, bid)])
    near(got["weighted_spread"], (ask - bid) * v / (before + v + 1e-8))


# ---- published RSI and MACD -----------------------------------------------------------------------------

def rsi(close, period, variant):
    n, out = len(close), np.zeros(len(close))
    if n < period + 1:
        return np.full(n, 50.0)
    gains, losses = np.maximum(np.diff(close), 0), np.maximum(-np.diff(close), 0)
    G = L = None
    for i in range(period, n):
        if variant == "simple" or G is None:
            G, L = (math.fsum(x[i - period:i]) / period for x in (gains, losses))
        else:
            G, L = ((m * (period - 1) + x[i - 1]) / period for m, x in ((G, gains), (L, losses)))
        out[i] = 100 if L == 0 else 100 - 100 / (1 + G / L)
    return out


@every
def test_rsi_published(kiln, n, kind):
    close = make(n, kind)["prices"]
    for period in (1, 2, 14, 30):
        for variant in ("wilder", "simple"):
            want = rsi(close, period, variant)
            near(kiln("rsi_published", close=close, period=period, variant=variant)["rsi"], want, (period, variant), 1e-10)
            near(kiln("rsi_summary", close=close, period=period, variant=variant)["rsi"], want[-1], (period, variant), 1e-10)


def ema(x, period):
    out, take = [x[0]], 2 / (period + 1)
    for value in x[1:]:
        out.append(take * value + (1 - take) * out[-1])
    return np.array(out)


@every
def test_macd_published(kiln, n, kind):
    close = make(n, kind)["prices"]
    for fast, slow, signal in ((12, 26, 9), (1, 1, 1), (26, 12, 100000)):
        params = {"fast_period": fast, "slow_period": slow, "signal_period": signal}
        macd = ema(close, fast) - ema(close, slow)
        line = ema(macd, signal)
        got, small = kiln("macd_published", close=close, **params), 1e-14 * np.abs(close).max()
        near(got["macd"], macd, params, small)
        near(got["macd_signal"], line, params, small)
        near(got["macd_hist"], macd - line, params, small)
        now = kiln("macd_summary", close=close, **params)
        assert now["macd"] == got["macd"][-1] and now["signal"] == got["macd_signal"][-1]
        m, s = now["macd"], now["signal"]
        near(now["score"], 50 + 50 * (m - s) / (abs(m) + abs(s)) if m or s else 50)


# ---- volume ---------------------------------------------------------------------------------------------

def windows(x, period):
    """The values that exist of each window."""
    for i in range(len(x)):
        part = x[max(0, i + 1 - period):i + 1]
        yield part[~np.isnan(part)]


def mean(x, period):
    return np.array([math.fsum(w) / len(w) if len(w) else NAN for w in windows(x, period)])


def variance(x, period):
    out = []
    for w in windows(np.asarray(x, np.longdouble), period):
        out.append(np.mean((w - w.mean()) ** 2) if len(w) else NAN)
    return np.array(out, float)


def suite(b, periods, nbdev, short, long):
    h, l, c, v = (b[k] for k in ("high", "low", "close", "volume"))
    n, r = len(c), {}
    tp = (h + l + c) / 3
    with np.errstate(all="ignore"):
        for k, w in enumerate(periods):
            vwap = np.array([math.fsum((tp * v)[max(0, i + 1 - w):i + 1]) / math.fsum(v[max(0, i + 1 - w):i + 1])
                             if v[max(0, i + 1 - w):i + 1].any() else NAN for i in range(n)])
            width = nbdev * np.sqrt(variance(tp - vwap, w))
            for key, x in (("vwap", vwap), ("vwap_upper", vwap + width), ("vwap_lower", vwap - width)):
                r.setdefault(key, np.full((n, len(periods)), NAN))[:, k] = x if n >= w else NAN
        r["volume_sma_short"], r["volume_sma_long"] = mean(v, short), mean(v, long)
        r["volume_ratio"] = v / r["volume_sma_short"]
        d = np.concatenate([[0], np.diff(c)])
        flow = r["money_flow"] = np.where(d > 0, v, -v)
        for key, w in (("cumulative_flow_short", short), ("cumulative_flow_long", long)):
            r[key] = np.array([math.fsum(x) for x in windows(flow, w)])
        r["volume_weighted_momentum"] = mean(d * r["volume_ratio"], short)
        r["volume_std"] = np.sqrt(variance(v, short))
        r["volume_zscore"] = np.where(r["volume_std"] > 0, (v - r["volume_sma_short"]) / r["volume_std"], NAN)
        rank = []
        for w in windows(v, long):
            less, equal, m = (w < w[-1]).sum(), (w == w[-1]).sum(), len(w)
            rank.append(2 * (less + (equal - 1) / 2) / (m - 1) - 1 if m > 1 else 0)
        r["volume_percentile"] = np.array(rank) / long * 100
        r["obv"] = np.cumsum(np.sign(d) * v)
        r["obv_sma"] = mean(r["obv"], short)
    return r


@pytest.mark.parametrize("n", (1, 2, 5, 21, 60, 300))
@pytest.mark.parametrize("kind", KINDS)
def test_volume_suite(kiln, n, kind):
    t = make(n, kind)
    c, v = t["prices"], t["volumes"]
    if kind == "ties":
        v[:n // 4] = 0  # no price by volume at first
    b = {"high": c + np.abs(c) * 0.01, "low": c - np.abs(c) * 0.02, "close": c, "volume": v}
    flow, price = 1e-14 * v.sum(), 1e-13 * np.abs(c).max()
    for periods, nbdev, short, long in (([20, 50, 100, 200], 2, 20, 50), ([1, 7, 300, 301], 0.5, 3, 130), ([13], 0, 13, 1)):
        got = kiln("volume_suite", **b, periods=periods, nbdev=nbdev, short_period=short, long_period=long)
        for key, want in suite(b, periods, nbdev, short, long).items():
            atol = price if "vwap" in key else price * 60 if "momentum" in key else flow if "flow" in key or "obv" in key else 0
            if key in ("vwap_upper", "vwap_lower"):
                atol = 1e-6 * np.abs(c).max() if kind == "still" else price * 10
            loose = {"rtol": 1e-7, "atol": 1e-7} if key == "volume_zscore" and kind == "spike" else {}
            near(got[key], want, (n, kind, key, periods), **{"rtol": 1e-10, "atol": atol, **loose})
    now = kiln("volume_flow_summary", close=c, volume=v)
    want = suite(b, [1], 2, 20, 50)
    for key, column in (("volume_ratio", "volume_ratio"), ("cumulative_flow", "cumulative_flow_short"), ("volume_zscore", "volume_zscore")):
        near(NAN if now[key] is None else now[key], want[column][-1], (n, kind, key), flow, 1e-9)


def test_a_spike_leaves_no_trace(kiln):
    t = make(400, "walk")
    c, v = t["prices"], t["volumes"].copy()
    v[100] = 1e17
    both = [kiln("volume_suite", high=c + 1, low=c - 1, close=c, volume=x) for x in (t["volumes"], v)]
    for key in ("volume_sma_short", "volume_sma_long", "volume_ratio", "cumulative_flow_long", "volume_std", "volume_zscore",
                "volume_weighted_momentum"):
        near(both[1][key][160:], both[0][key][160:], key, 1e-9)
    near(both[1]["vwap_upper"][305:, :2], both[0]["vwap_upper"][305:, :2], "vwap_upper")


# ---- refusals --------------------------------------------------------------------------------------------

TRADES = {"flow_score": "prices volumes times", "temporal_flow": "prices volumes times", "trade_flow": "prices volumes times",
          "cvd_summary": "prices volumes sides", "cvd_levels": "prices volumes sides", "volume_delta": "prices volumes",
          "liquidity": "prices volumes times", "aggression": "prices volumes", "aggressive_trades": "prices volumes times"}
MORE = {"cvd_levels": {"levels": [1.0], "windows": [3]}, "volume_delta": {"reference_prices": [1.0, 2.0]}, "liquidity": {"levels": [1.0]}}


@pytest.mark.parametrize("name", TRADES)
def test_trades_refused(kiln, name):
    given, more = pick(make(30, "walk"), TRADES[name]), MORE.get(name, {})
    for k, x in given.items():
        for bad in (NAN, math.inf, -math.inf):
            for at in (0, 17, 29):
                spoiled = x.copy()
                spoiled[at] = bad
                refused = kiln.refused(name, **{**given, k: spoiled}, **more)
                assert refused.field == k and f"{k}[{at}]" in refused.text
        if k != "prices":
            assert kiln.refused(name, **{**given, k: x[:-1]}, **more).field == k
    volumes = given["volumes"].copy()
    volumes[11] = -1
    assert "volumes[11]" in kiln.refused(name, **{**given, "volumes": volumes}, **more).text
    if "times" in given:
        times = given["times"].copy()
        times[12] = times[11] - 0.5
        refused = kiln.refused(name, **{**given, "times": times}, **more)
        assert (refused.status, refused.field) == ("invalid", "times") and "times[12]" in refused.text
    assert kiln.refused(name, **{k: [] for k in given}, **more).status == "invalid"


@pytest.mark.parametrize("name,field,bad", [
    ("flow_score", "windows", [0.0]), ("temporal_flow", "windows", [60, -1]), ("temporal_flow", "windows", []),
    ("trade_flow", "window_s", 0), ("trade_flow", "window_s", math.inf), ("trade_flow", "decay", "linear"),
    ("cvd_levels", "windows", [0]), ("cvd_levels", "windows", [1.5]), ("cvd_levels", "levels", [NAN]),
    ("volume_delta", "reference_prices", [2.0, 1.0]), ("volume_delta", "reference_prices", []),
    ("liquidity", "levels", [math.inf]), ("liquidity", "tolerance_pct", -0.1), ("liquidity", "tolerance_pct", 1.1),
    ("aggressive_trades", "impact", -1), ("aggressive_trades", "volume_multiple", NAN), ("aggressive_trades", "window", 0),
    ("aggressive_trades", "window", 100001)])
def test_parameters_refused(kiln, name, field, bad):
    given = {**pick(make(30, "walk"), TRADES[name]), **MORE.get(name, {})}
    assert kiln.refused(name, **{**given, field: bad}).field == field


def test_books_refused(kiln):
    for name, more in (("imbalance", {"weights": [1.0]}), ("order_flow_imbalance", {"times": [1.0, 2.0]}), ("book_imbalance", {})):
        for bad in ({"bid": [1.0, NAN]}, {"ask": [1.0, -2.0]}, {"ask": [1.0]}, {"bid": []}):
            field = next(iter(bad))
            assert kiln.refused(name, **{"bid": [1.0, 2], "ask": [3.0, 1], **more, **bad}).field in (field, "ask" if bad.get(field) == [] else field)
    assert kiln.refused("imbalance", bid=[1.0], ask=[1.0], weights=[-1.0]).field == "weights"
    assert kiln.refused("order_flow_imbalance", bid=[1.0, 1], ask=[1.0, 1], times=[2.0, 1.0]).text.startswith("times[1]")
    assert kiln.refused("order_flow_imbalance", bid=[1.0], ask=[1.0], times=[2.0], half_life_s=0).field == "half_life_s"
    for name in ("volume_suite", "volume_flow_summary"):
        rows = ("high", "low", "close", "volume") if name == "volume_suite" else ("close", "volume")
        for k in rows:
            assert kiln.refused(name, **{r: [1.0, NAN] if r == k else [1.0, 1.0] for r in rows}).field == k
    assert kiln.refused("volume_suite", high=[1.0], low=[1.0], close=[1.0], volume=[1.0], periods=[0]).field == "periods"
