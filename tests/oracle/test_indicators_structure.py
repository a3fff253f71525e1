# SPDX-License-Identifier: MPL-2.0
"""Support and resistance, order blocks and price structure, compared with their definitions as plain loops."""
import math

import numpy as np
import pytest

from plugin import Plugin

TOLERANCE = 0.001
SIZES = (1, 2, 4, 5, 11, 16, 41, 42, 51, 52, 103, 500)
KINDS = ("walk", "ties", "flat", "silent", "jumps", "negative", "huge", "level")


@pytest.fixture(scope="module")
def kiln():
    with Plugin("indicators") as p:
        yield p


def make(n, kind, seed=3):
    rng = np.random.default_rng([n, seed])
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    b = {"open": close * np.exp(rng.normal(0, 0.006, n)), "close": close,
         "volume": np.floor(rng.random(n) * 1000) * rng.choice([0, 1, 1, 4], n)}
    b["high"] = np.maximum(b["open"], close) * (1 + np.abs(rng.normal(0, 0.004, n)))
    b["low"] = np.minimum(b["open"], close) * (1 - np.abs(rng.normal(0, 0.004, n)))
    prices = ("open", "high", "low", "close")
    if kind == "ties":  # whole numbers: many touches, equal extremes, no range
        b.update({k: np.round(b[k] / 2) for k in prices})
        b["volume"] = np.round(b["volume"] / 500)
    elif kind == "flat":
        b.update({k: np.full(n, 0.1) for k in prices}, volume=np.full(n, 0.3))
    elif kind == "silent":
        b["volume"] = np.zeros(n)
    elif kind == "jumps":  # ranges of nothing, then a move
        quiet = rng.random(n) < 0.7
        b.update({k: np.where(quiet, 10.0, b[k] / 10 * rng.choice([1, 2])) for k in prices})
    elif kind == "negative":
        b.update({k: b[k] - 100 for k in prices})
    elif kind == "huge":
        b.update({k: b[k] * 2.0**300 for k in prices})
    elif kind == "level":
        b.update({k: 1e9 + b[k] for k in prices})
    return {k: np.ascontiguousarray(v, dtype=float) for k, v in b.items()}


def every(sizes=SIZES):
    return [(n, kind) for n in sizes for kind in KINDS]


def near(got, want, about):
    np.testing.assert_allclose(np.asarray(got, float), np.asarray(want, float), rtol=1e-12, atol=1e-13, err_msg=str(about))


def pick(b, names):
    return {k: b[k] for k in names.split()}


# ---- the definitions -----------------------------------------------------------------------------------

def side(x, volume, level, close, lookback):
    most = max(volume)
    at = list(x).index(level)
    touches = sum(abs(v - level) <= TOLERANCE * close for v in x)
    return 0.6 * (volume[at] / most if most > 0 else 0) + 0.4 * touches / lookback


def sr_detection(b, lookbacks):
    n = len(b["close"])
    support, resistance, strength = (np.zeros((n, len(lookbacks))) for _ in range(3))
    for k, L in enumerate(lookbacks):
        for i in range(L, n):
            low, high, volume = (b[name][i - L:i + 1] for name in ("low", "high", "volume"))
            support[i, k], resistance[i, k] = min(low), max(high)
            strength[i, k] = (side(low, volume, min(low), b["close"][i], L) + side(high, volume, max(high), b["close"][i], L)) / 2
    return support, resistance, strength


def sr_volume_confirmed(b, lookbacks):
    n = len(b["close"])
    support, resistance, strength = (np.zeros((n, len(lookbacks))) for _ in range(3))
    for k, L in enumerate(lookbacks):
        for i in range(L, n):
            volume = b["volume"][i - L:i + 1]
            mean = math.fsum(volume) / (L + 1)
            for name, sign, out in (("high", 1, resistance), ("low", -1, support)):
                x = [sign * v for v in b[name][i - L:i + 1]]
                at = x.index(max(x))
                if 0 < at < L and x[at] > x[at - 1] and x[at] > x[at + 1] and volume[at] > mean:
                    out[i, k] = sign * x[at]
                    strength[i, k] = volume[at] / mean
    return support, resistance, strength


def order_blocks(b, threshold):
    o, h, l, c, v = (b[k] for k in ("open", "high", "low", "close", "volume"))
    n, rows = len(o), ([], [])
    for i in range(3, n - 1):
        if len(rows[0]) >= min(n // 4, 500) or len(rows[1]) >= min(n // 4, 500):
            break
        size = h[i] - l[i]
        up, down = c[i] > 1.005 * o[i], c[i] < 0.995 * o[i]
        if size == 0 or not (up or down):
            continue
        top, bottom = max(h[i - 3:i]), min(l[i - 3:i])
        P = top - bottom
        m = float(sum(v[max(0, i - 5):i])) / min(5, i)
        if not (size > 1.5 * P and v[i] >= m * threshold):
            continue
        by_volume = min(v[i] / (m * threshold), 3) if m * threshold > 0 else 0
        rows[0 if up else 1].append([i - 3, i - 1, bottom, top, (by_volume + (min(size / P, 3) if P else 3)) / 2])
    return rows


def order_block_wicks(b, volume_ratio, wick_ratio):
    n, out = len(b["open"]), np.zeros((len(b["open"]), 4))
    for i in range(10, n - 5):
        o, h, l, c, v = (b[k][i] for k in ("open", "high", "low", "close", "volume"))
        mean = float(sum(b["volume"][i - 10:i])) / 10
        upper, lower, body = h - max(o, c), min(o, c) - l, abs(c - o)
        if v > volume_ratio * mean and (upper > wick_ratio * body or lower > wick_ratio * body):
            strength = min(10, ((v / mean if mean > 0 else 0) + max(upper, lower) / (body + 1e-8)) / 2)
            out[i] = [1, strength, h, 1] if upper > wick_ratio * body else [1, strength, l, -1]
    return out


def swings(x, half, sign):
    x = [sign * v for v in x]
    return [i for i in range(half, len(x) - half) if all(x[i] > x[j] for j in range(i - half, i + half + 1) if j != i)]


def market_structure(b, half):
    n = len(b["high"])
    signals, count, prices = np.zeros(n), {}, {}
    for name, sign in (("high", 1), ("low", -1)):
        x, last, higher, lower = b[name], None, 0, 0
        prices[name] = np.full(n, np.nan)
        for i in swings(x, half, sign):
            prices[name][i] = x[i]
            if last is not None:
                higher, lower = higher + bool(x[i] > last), lower + bool(x[i] < last)
                signals[i] += np.sign(x[i] - last) if x[i] != last else 0
            last = x[i]
        count[name] = higher, lower
    return np.clip(signals, -1, 1), prices, count


def price_structure(b):
    h, l, c, v = (b[k] for k in ("high", "low", "close", "volume"))
    n = len(h)
    support, resistance, strength = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(50, n):
        for L in (20, 50):
            low, high, volume = l[i - L:i], h[i - L:i], v[i - L:i]
            s, r = min(low), max(high)
            touches = sum(abs(x - s) <= TOLERANCE * c[i] for x in low) + sum(abs(x - r) <= TOLERANCE * c[i] for x in high)
            traded = np.mean(volume[low == s]) + np.mean(volume[high == r])
            found = 0.6 * touches / L + (0.4 * traded / max(volume) if max(volume) > 0 else 0)
            if found > strength[i] * (1 + 1e-14):
                support[i], resistance[i], strength[i] = s, r, found
    blocks, total = [0, 0], 0.0
    for i in range(5, n - 1):
        mean = float(sum(v[i - 5:i])) / 5
        if v[i] >= 1.2 * mean and h[i] - l[i] > 1.3 * (max(h[i - 3:i]) - min(l[i - 3:i])):
            up, down = c[i] > 1.005 * c[i - 1], c[i] < 0.995 * c[i - 1]
            if up or down:
                blocks[0 if up else 1] += 1
                total += v[i] / mean if mean > 0 else 0
    beyond = []
    for x, sign in ((h, 1), (l, -1)):
        found = swings(x, 25, sign)
        beyond.append(0)
        for i in found:
            before = [sign * x[j] for j in found if i - 50 <= j <= i - 26]
            beyond[-1] += bool(before and sign * x[i] > max(before))
    return support, resistance, strength, blocks, total, beyond


# ---- compared -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("n,kind", every())
def test_sr_detection(kiln, n, kind):
    b, lookbacks = make(n, kind), [1, 3, 10, 4, 50] if n < 500 else [10, 20, 50, 130, 499, 500]
    got = kiln("sr_detection", **pick(b, "high low volume close"), lookbacks=lookbacks)
    for key, want in zip(("support", "resistance", "strength"), sr_detection(b, lookbacks)):
        near(got[key], want, (n, kind, key))
    default = kiln("sr_detection", **pick(b, "high low volume close"))
    assert default["support"].shape == (n, 3)


@pytest.mark.parametrize("n,kind", every())
def test_sr_volume_confirmed(kiln, n, kind):
    b, lookbacks = make(n, kind), [1, 2, 7, 16, 50] if n < 500 else [10, 20, 50, 130, 499, 500]
    got = kiln("sr_volume_confirmed", **pick(b, "high low volume"), lookbacks=lookbacks)
    for key, want in zip(("support", "resistance", "strength"), sr_volume_confirmed(b, lookbacks)):
        near(got[key], want, (n, kind, key))


@pytest.mark.parametrize("n,kind", every())
def test_sr_summary(kiln, n, kind):
    b, lookbacks = make(n, kind), [2, 10, 40]
    got = kiln("sr_summary", **pick(b, "high low volume close"), lookbacks=lookbacks)
    support, resistance, strength = (x[-1] for x in sr_detection(b, lookbacks))
    usable = [k for k, L in enumerate(lookbacks) if L < n]
    if not usable:
        assert got["current_support"] is None and got["proximity_score"] == 50
        return
    best = max(usable, key=lambda k: strength[k])
    near([got["current_support"], got["current_resistance"]], [support[best], resistance[best]], (n, kind))
    near(got["proximity_score"], proximity(b["close"][-1], support, resistance, strength, 0.02), (n, kind))


def proximity(price, supports, resistances, strengths, reach):
    if price <= 0:
        return 50
    B, R = (sum(w * max(0, 1 - abs(price - x) / (reach * price)) for x, w in zip(levels, strengths) if x > 0)
            for levels in (supports, resistances))
    return 50 + 50 * (B - R) / (B + R) if B + R > 0 else 50


def test_level_proximity(kiln):
    rng = np.random.default_rng(5)
    for m in (1, 2, 50):
        for reach in (0.001, 0.02, 1):
            s, r, w = 100 + rng.normal(0, 2, m), rng.choice([0, -5, 101, 100.5], m), rng.choice([0.0, 0.3, 2], m)
            got = kiln("level_proximity", price=100, supports=s, resistances=r, strengths=w, proximity_pct=reach)
            near(got["proximity_score"], proximity(100, s, r, w, reach), (m, reach))
    given = {"price": 100, "supports": [1.0], "resistances": [1.0], "strengths": [1.0]}
    for field, value in (("price", 0), ("price", -1), ("proximity_pct", 0), ("strengths", [-1.0]), ("resistances", [1.0, 2.0]),
                         ("supports", [np.nan])):
        assert kiln.refused("level_proximity", **{**given, field: value}).field == field


@pytest.mark.parametrize("n,kind", every())
def test_order_blocks(kiln, n, kind):
    b = make(n, kind)
    for threshold in (1.2, 0, 0.5):
        got = kiln("order_block_detection", **b, vol_threshold=threshold)
        want = order_blocks(b, threshold)
        for key, rows in zip(("bullish", "bearish"), want):
            assert got[key].shape == (len(rows), 5)
            near(got[key], np.reshape(rows, (-1, 5)), (n, kind, key))
        summary = kiln("order_block_summary", **b, vol_threshold=threshold)
        up, down = (sum(r[4] for r in rows) for rows in want)
        assert [summary["bullish_blocks"], summary["bearish_blocks"]] == [len(rows) for rows in want]
        near(summary["score"], 50 + 50 * (up - down) / (up + down) if up + down else 50, (n, kind))


def test_order_blocks_are_found_and_end(kiln):
    n, b = 4000, make(4000, "jumps")
    moves = np.arange(n) % 4 == 3
    b.update({k: np.full(n, 10.0) for k in ("open", "low")}, high=np.where(moves, 12.0, 10.5), close=np.where(moves, 11.0, 10),
             volume=np.where(moves, 9.0, 1))
    got = kiln("order_block_detection", **b)
    assert got["bullish"].shape == (500, 5) and len(order_blocks(b, 1.2)[0]) == 500
    near(got["bullish"], order_blocks(b, 1.2)[0], "many")


@pytest.mark.parametrize("n,kind", every())
def test_order_block_wicks(kiln, n, kind):
    b = make(n, kind)
    for volume_ratio, wick_ratio in ((2, 1.5), (0, 0), (1, 0.5)):
        got = kiln("order_block_wicks", **b, min_volume_ratio=volume_ratio, min_wick_ratio=wick_ratio)["blocks"]
        near(got, order_block_wicks(b, volume_ratio, wick_ratio), (n, kind))


@pytest.mark.parametrize("n,kind", every())
def test_market_structure(kiln, n, kind):
    b = make(n, kind)
    for half in (1, 2, 7, 20, 500):
        got = kiln("market_structure", **pick(b, "high low"), lookback=half)
        signals, prices, count = market_structure(b, half)
        np.testing.assert_array_equal(got["structure_signals"], signals)
        np.testing.assert_array_equal(got["swing_highs"], prices["high"])
        np.testing.assert_array_equal(got["swing_lows"], prices["low"])
        assert (got["higher_highs"], got["lower_highs"]) == count["high"] and (got["higher_lows"], got["lower_lows"]) == count["low"]
        assert got["score"] == count["high"][0] - count["low"][1]


@pytest.mark.parametrize("n,kind", every())
def test_market_structure_simple(kiln, n, kind):
    b = make(n, kind)
    h, l, c = b["high"], b["low"], b["close"]
    got = kiln("market_structure_simple", **pick(b, "high low close"), lookback=13)
    np.testing.assert_array_equal(got["support"], [min(l[i - 13:i + 1]) if i >= 13 else 0 for i in range(n)])
    np.testing.assert_array_equal(got["resistance"], [max(h[i - 13:i + 1]) if i >= 13 else 0 for i in range(n)])
    assert got["bullish_count"] == sum(c[i] > c[i - 1] for i in range(3, n - 1))
    assert got["bearish_count"] == sum(c[i] < c[i - 1] for i in range(3, n - 1))
    score = 0
    for i in range(20, n - 20):
        score += int(h[i] == max(h[i - 20:i + 21])) - int(l[i] == min(l[i - 20:i + 21]))
    assert got["score"] == score


@pytest.mark.parametrize("n,kind", every())
def test_price_structure(kiln, n, kind):
    b = make(n, kind)
    got = kiln("price_structure", **pick(b, "high low close volume"))
    support, resistance, strength, blocks, total, beyond = price_structure(b)
    for key, want in (("support", support), ("resistance", resistance), ("strength", strength), ("order_block_strength", total)):
        near(got[key], want, (n, kind, key))
    assert [got["bullish_blocks"], got["bearish_blocks"]] == blocks
    assert [got["higher_highs"], got["lower_lows"]] == beyond and got["structure_score"] == beyond[0] - beyond[1]


@pytest.mark.parametrize("period,counted", [(20, False), (40, True), (60, False)])
def test_price_structure_finds_swings(kiln, period, counted):
    """Waves that grow: every crest is above the one before, which must lie 26 to 50 bars back to count."""
    t = np.arange(400)
    x = 100 + t / 10 * np.sin(t * 2 * np.pi / period)
    b = {"high": x + 1, "low": x - 1, "close": x, "volume": np.ones(400)}
    got = kiln("price_structure", **b)
    beyond = price_structure(b)[5]
    assert [got["higher_highs"], got["lower_lows"]] == beyond and (min(beyond) > 5 if counted else beyond == [0, 0])


@pytest.mark.parametrize("n,kind", every())
def test_range_analysis(kiln, n, kind):
    b = make(n, kind)
    for lookback in (1, 2, 50):
        got = kiln("range_analysis", **pick(b, "high low close"), lookback=lookback)
        h, l, c = (b[k][-lookback:] for k in ("high", "low", "close"))
        top, bottom = max(h), min(l)
        R = top - bottom
        assert (got["range_high"], got["range_low"]) == (top, bottom)
        near(got["range_position"], (c[-1] - bottom) / R if R else 0.5, (n, kind))
        near(got["range_strength"], np.mean((c >= bottom + 0.1 * R) & (c <= top - 0.1 * R)) if R else 1, (n, kind))


@pytest.mark.parametrize("name", ["sr_detection", "sr_volume_confirmed", "sr_summary", "order_block_detection", "order_block_wicks",
                                  "order_block_summary", "market_structure", "market_structure_simple", "price_structure",
                                  "range_analysis"])
def test_refused(kiln, name):
    b = make(30, "walk")
    rows = [r["name"] for r in kiln.contracts[name]["params"] if r["name"] in b]
    given = {k: b[k] for k in rows}
    for k in rows:
        for bad in (np.nan, np.inf, -np.inf):
            for at in (0, 17, 29):
                spoiled = b[k].copy()
                spoiled[at] = bad
                refused = kiln.refused(name, **{**given, k: spoiled})
                assert refused.field == k and f"{k}[{at}]" in refused.text
        if k != rows[0]:
            assert kiln.refused(name, **{**given, k: b[k][:-1]}).field == k
    assert kiln.refused(name, **{k: [] for k in rows}).status == "invalid"
    if "volume" in rows:
        assert kiln.refused(name, **{**given, "volume": -b["volume"] - 1}).field == "volume"


@pytest.mark.parametrize("lookbacks", [[0], [-1], [100001], [2.5], [], [10, None], "x", [2**62]])
def test_lookbacks_refused(kiln, lookbacks):
    for name in ("sr_detection", "sr_volume_confirmed"):
        b = pick(make(30, "walk"), "high low volume close" if name == "sr_detection" else "high low volume")
        assert kiln.refused(name, **b, lookbacks=lookbacks).field == "lookbacks"


def test_long_lookbacks(kiln):
    b, lookbacks = make(3000, "walk"), [600, 2900, 2999, 100000]
    got = kiln("sr_detection", **pick(b, "high low volume close"), lookbacks=lookbacks)
    for k, L in enumerate(lookbacks[:3]):
        for i in (L, (L + 2999) // 2, 2999):
            part = {key: v[i - L:i + 1] for key, v in b.items()}
            for key, want in zip(("support", "resistance", "strength"), sr_detection(part, [L])):
                near(got[key][i, k], want[-1, 0], (L, i, key))
    assert not got["support"][:, 3].any()
