# SPDX-License-Identifier: MPL-2.0
"""Indicators of the groups momentum, volatility and volume, compared with their definitions written out plainly in extended
precision, with TA-Lib's published check values, and with values that TA-Lib 0.6 gives for its 252 bars."""
import json
import os

import numpy as np
import pytest

from plugin import ROOT, Plugin

NAN = float("nan")
LD = np.longdouble
OPEN, HIGH, LOW, CLOSE, VOLUME = "open", "high", "low", "close", "volume"


@pytest.fixture(scope="module")
def kiln():
    with Plugin("indicators") as plugin:
        yield plugin


# ---- the definitions ---------------------------------------------------------------------------------

def blank(x):
    return np.full(len(x), NAN, dtype=LD)


def shift(x, k):
    out = blank(x)
    if k < len(x):
        out[k:] = x[:len(x) - k]
    return out


def windows(x, n):
    return np.lib.stride_tricks.sliding_window_view(x, n) if len(x) >= n else np.empty((0, n), dtype=LD)


def rolling(f, x, n):
    out = blank(x)
    if len(x) >= n:
        out[n - 1:] = f(windows(x, n), axis=1)
    return out


def seeded(x, n, weight, first=0):
    """Exponential average of x[first:], seeded with the mean of n values."""
    out = blank(x)
    if len(x) >= first + n:
        y = out[first + n - 1] = np.mean(x[first:first + n])
        for i in range(first + n, len(x)):
            y = out[i] = y + LD(weight) * (x[i] - y)
    return out


def ema(x, n, first=0):
    return seeded(x, n, LD(2) / (n + 1), first)


def average(x, n, kind, first):
    """sma or ema of the series that begins at `first`."""
    if n == 1:
        return np.where(np.arange(len(x)) >= first, x, LD(NAN))
    if kind == "ema":
        return ema(x, n, first)
    out = blank(x)
    out[first:] = rolling(np.mean, x[first:], n)
    return out


def safe(a, b, zero=0):
    """a/b, `zero` where b is nothing; NaN where b is not known."""
    with np.errstate(all="ignore"):
        return np.where(np.isnan(b), LD(NAN), np.where(np.abs(b) < 1e-14, LD(zero), a / b))


def true_range(b):
    before = shift(b[CLOSE], 1)
    return np.maximum(b[HIGH] - b[LOW], np.maximum(np.abs(b[HIGH] - before), np.abs(b[LOW] - before)))


def typical(b):
    return (b[HIGH] + b[LOW] + b[CLOSE]) / 3


def movements(b):
    up, down = b[HIGH] - shift(b[HIGH], 1), shift(b[LOW], 1) - b[LOW]
    return np.where((up > down) & (up > 0), up, LD(0)), np.where((down > up) & (down > 0), down, LD(0))


def wilder_sum(x, n, least):
    """Over bars 1 .. n-1, then losing 1/n of itself; from bar `least` on."""
    out, s = blank(x), LD(0)
    for i in range(1, len(x)):
        s = s + x[i] if i < n else s - s / n + x[i]
        if i >= least:
            out[i] = s
    return out


def dm(b, n, which):
    return wilder_sum(movements(b)[which], n, max(n - 1, 1))


def di(b, n, which):
    return (100 if n > 1 else 1) * safe(wilder_sum(movements(b)[which], n, n), wilder_sum(true_range(b), n, n))


def dx_or_nan(b, n):
    p, m = di(b, n, 0), di(b, n, 1)
    return safe(100 * np.abs(p - m), p + m, NAN)


def dx(b, n):
    out, held = dx_or_nan(b, n), LD(0)
    for i in range(n, len(out)):
        held = out[i] = held if np.isnan(out[i]) else out[i]
    return out


def adx(b, n):
    x = dx_or_nan(b, n)
    out = blank(x)
    if len(x) >= 2 * n:
        y = out[2 * n - 1] = np.nansum(x[n:2 * n]) / n
        for i in range(2 * n, len(x)):
            y = out[i] = y if np.isnan(x[i]) else ((n - 1) * y + x[i]) / n
    return out


def extreme_places(b, n):
    return (rolling(lambda w, axis: n - np.argmin(w[:, ::-1], axis=1), b[LOW], n + 1),
            rolling(lambda w, axis: n - np.argmax(w[:, ::-1], axis=1), b[HIGH], n + 1))


def percent_k(high, low, close, n):
    h, lo = rolling(np.max, high, n), rolling(np.min, low, n)
    with np.errstate(all="ignore"):
        return np.where(h == lo, LD(0), 100 * (close - lo) / (h - lo))


def net_and_moves(x, n):
    change = x - shift(x, 1)
    return seeded(change, n, LD(1) / n, 1), seeded(np.abs(change), n, LD(1) / n, 1)


def rsi(x, n):
    net, moves = net_and_moves(x, n)
    r = safe(50 * (net + moves), moves)
    for i in range(n + 1, len(r)):
        if x[i] == x[i - 1] and r[i]:
            r[i] = r[i - 1]
    return r


def cci(b, n):
    level = b[CLOSE][0]  # which the index does not depend on, but the digits of the mean do
    p = typical({k: v - level for k, v in b.items()})
    mean = rolling(np.mean, p, n)
    away = rolling(lambda w, axis: np.mean(np.abs(w - np.mean(w, axis=1)[:, None]), axis=1), p, n)
    return np.where(np.isnan(mean), LD(NAN), safe(p - mean, LD("0.015") * away))


def ultosc(b, *periods):
    bought = b[CLOSE] - np.minimum(b[LOW], shift(b[CLOSE], 1))
    parts = [safe(rolling(np.sum, bought, n), rolling(np.sum, true_range(b), n)) for n in sorted(periods)]
    return 100 * (4 * parts[0] + 2 * parts[1] + parts[2]) / 7


def mfi(b, n):
    p = typical(b)
    change, flow = np.diff(p, prepend=NAN), p * b[VOLUME]
    up = rolling(np.sum, np.where(change > 0, flow, LD(0)), n)
    down = rolling(np.sum, np.where(change < 0, flow, LD(0)), n)
    out = np.where(up + down < 1, LD(0), 100 * safe(up, up + down))
    out[:n] = NAN
    return out


def imi(b, n):
    change = b[CLOSE] - b[OPEN]
    up, down = rolling(np.sum, np.maximum(change, 0), n), rolling(np.sum, np.maximum(-change, 0), n)
    return 100 * safe(up, up + down, NAN)


def ad(b):
    share = safe((b[CLOSE] - b[LOW]) - (b[HIGH] - b[CLOSE]), b[HIGH] - b[LOW])
    return np.cumsum(share * b[VOLUME])


def adosc(b, fast, slow):
    line = ad(b)
    out = ema_from_first(line, fast) - ema_from_first(line, slow)
    out[:max(fast, slow) - 1] = NAN
    return out


def ema_from_first(x, n):
    return seeded(x, 1, LD(2) / (n + 1))


def triple(x, n):
    return ema(ema(ema(x, n), n, n - 1), n, 2 * (n - 1))


def change(x, k):
    return safe(100 * (x - shift(x, k)), shift(x, k))


def natr(b, n):
    r = true_range(b)
    return r if n == 1 else 100 * safe(seeded(r, n, LD(1) / n, 1), b[CLOSE])


def pair(x, fast, slow, kind):
    fast, slow = min(fast, slow), max(fast, slow)
    return average(x, fast, kind, 0), average(x, slow, kind, 0)


def apo(b, fast, slow, kind):
    f, s = pair(b[CLOSE], fast, slow, kind)
    return f - s


def ppo(b, fast, slow, kind):
    f, s = pair(b[CLOSE], fast, slow, kind)
    return 100 * safe(f - s, s)


def with_signal(macd, first, n, kind):
    signal = average(macd, n, kind, first)
    macd = np.where(np.isnan(signal), LD(NAN), macd)
    return {"macd": macd, "macd_signal": signal, "macd_hist": macd - signal}


def macdext(b, fast, fast_kind, slow, slow_kind, signal, signal_kind):
    if slow < fast:
        fast, fast_kind, slow, slow_kind = slow, slow_kind, fast, fast_kind
    macd = average(b[CLOSE], fast, fast_kind, slow - fast) - average(b[CLOSE], slow, slow_kind, 0)
    return with_signal(macd, slow - 1, signal, signal_kind)


def macdfix(b, signal):
    macd = seeded(b[CLOSE], 12, LD(0.15), 14) - seeded(b[CLOSE], 26, LD(0.075))
    return with_signal(macd, 25, signal, "ema")


def together(**results):
    """All start when the last one does."""
    late = np.any([np.isnan(v) for v in results.values()], axis=0)
    return {k: np.where(late, LD(NAN), v) for k, v in results.items()}


def stochf(b, n, d, kind):
    k = percent_k(b[HIGH], b[LOW], b[CLOSE], n)
    return together(fastk=k, fastd=average(k, d, kind, n - 1))


def stoch(b, n, k_period, k_kind, d, d_kind):
    k = average(percent_k(b[HIGH], b[LOW], b[CLOSE], n), k_period, k_kind, n - 1)
    return together(slowk=k, slowd=average(k, d, d_kind, n + k_period - 2))


def stochrsi(b, n, k_period, d, kind):
    r = rsi(b[CLOSE], n)
    k = blank(r)
    k[n:] = percent_k(r[n:], r[n:], r[n:], k_period)
    return together(fastk=k, fastd=average(k, d, kind, n + k_period - 1))


def cmo(b, n):
    net, moves = net_and_moves(b[CLOSE], n)
    return 100 * safe(net, moves)


def aroon(b, n):
    low, high = extreme_places(b, n)
    return {"aroon_down": 100 * low / n, "aroon_up": 100 * high / n}


def aroonosc(b, n):
    low, high = extreme_places(b, n)
    return 100 * (high - low) / n


HL, HLC, HLCV = [HIGH, LOW], [HIGH, LOW, CLOSE], [HIGH, LOW, CLOSE, VOLUME]
PERIOD = ["period"]
STOCH = ["fastk_period", "slowk_period", "slowk_ma_type", "slowd_period", "slowd_ma_type"]
FAST = ["fastk_period", "fastd_period", "fastd_ma_type"]
PAIR = ["fast_period", "slow_period", "ma_type"]
MACDEXT = ["fast_period", "fast_ma_type", "slow_period", "slow_ma_type", "signal_period", "signal_ma_type"]
PERIODS = ["period1", "period2", "period3"]

# name: series, parameters, definition, sets of parameters to compare with (the first is the default)
TABLE = {
    "mom": ([CLOSE], PERIOD, lambda b, k: b[CLOSE] - shift(b[CLOSE], k), [[10], [1], [400]]),
    "roc": ([CLOSE], PERIOD, lambda b, k: change(b[CLOSE], k), [[10], [1]]),
    "rocp": ([CLOSE], PERIOD, lambda b, k: change(b[CLOSE], k) / 100, [[10], [1]]),
    "rocr": ([CLOSE], PERIOD, lambda b, k: safe(b[CLOSE], shift(b[CLOSE], k)), [[10], [1]]),
    "rocr100": ([CLOSE], PERIOD, lambda b, k: 100 * safe(b[CLOSE], shift(b[CLOSE], k)), [[10], [1]]),
    "cmo": ([CLOSE], PERIOD, cmo, [[14], [2], [60]]),
    "trix": ([CLOSE], PERIOD, lambda b, n: change(triple(b[CLOSE], n), 1), [[30], [1], [2], [5]]),
    "plus_dm": (HL, PERIOD, lambda b, n: dm(b, n, 0), [[14], [1], [2]]),
    "minus_dm": (HL, PERIOD, lambda b, n: dm(b, n, 1), [[14], [1], [2]]),
    "plus_di": (HLC, PERIOD, lambda b, n: di(b, n, 0), [[14], [1], [2]]),
    "minus_di": (HLC, PERIOD, lambda b, n: di(b, n, 1), [[14], [1], [2]]),
    "dx": (HLC, PERIOD, dx, [[14], [2]]),
    "adx": (HLC, PERIOD, adx, [[14], [2], [40]]),
    "adxr": (HLC, PERIOD, lambda b, n: (adx(b, n) + shift(adx(b, n), n - 1)) / 2, [[14], [2], [150]]),
    "bop": ([OPEN, HIGH, LOW, CLOSE], [], lambda b: safe(b[CLOSE] - b[OPEN], b[HIGH] - b[LOW]), [[]]),
    "imi": ([OPEN, CLOSE], PERIOD, imi, [[14], [2], [129], [700]]),
    "mfi": (HLCV, PERIOD, mfi, [[14], [2], [127], [513], [700]]),
    "ultosc": (HLC, PERIODS, ultosc, [[7, 14, 28], [28, 7, 14], [3, 20, 700], [600, 513, 512]]),
    "cci": (HLC, PERIOD, cci, [[14], [2], [20], [300]]),
    "stochf": (HLC, FAST, stochf, [[5, 3, "sma"], [1, 1, "sma"], [14, 3, "ema"], [200, 20, "sma"]]),
    "stoch": (HLC, STOCH, stoch, [[5, 3, "sma", 3, "sma"], [1, 1, "sma", 1, "ema"], [14, 3, "ema", 5, "sma"],
                                  [3, 150, "sma", 4, "ema"]]),
    "stochrsi": ([CLOSE], PERIOD + FAST, stochrsi, [[14, 5, 3, "sma"], [2, 1, 1, "sma"], [5, 200, 4, "ema"]]),
    "willr": (HLC, PERIOD, lambda b, n: percent_k(b[HIGH], b[LOW], b[CLOSE], n) - 100
              + 100 * (rolling(np.max, b[HIGH], n) == rolling(np.min, b[LOW], n)), [[14], [2], [200]]),
    "aroon": (HL, PERIOD, aroon, [[14], [2], [200]]),
    "aroonosc": (HL, PERIOD, aroonosc, [[14], [2], [200]]),
    "apo": ([CLOSE], PAIR, apo, [[12, 26, "sma"], [26, 12, "ema"], [2, 2, "sma"]]),
    "ppo": ([CLOSE], PAIR, ppo, [[12, 26, "sma"], [26, 12, "ema"]]),
    "macdext": ([CLOSE], MACDEXT, macdext, [[12, "sma", 26, "sma", 9, "sma"], [12, "ema", 26, "ema", 9, "ema"],
                                            [26, "sma", 12, "ema", 1, "sma"]]),
    "macdfix": ([CLOSE], ["signal_period"], macdfix, [[9], [1], [40]]),
    "trange": (HLC, [], true_range, [[]]),
    "natr": (HLC, PERIOD, natr, [[14], [1], [2]]),
    "ad": (HLCV, [], ad, [[]]),
    "adosc": (HLCV, ["fast_period", "slow_period"], adosc, [[3, 10], [10, 3]]),
}
CASES = [(name, params) for name, row in TABLE.items() for params in row[3]]


# ---- data --------------------------------------------------------------------------------------------

def make_bars(n, kind, seed=7):
    rng = np.random.default_rng([n, seed])
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, n)))
    bars = {OPEN: close * np.exp(rng.normal(0, 0.004, n)), CLOSE: close, VOLUME: np.floor(rng.random(n) * 1e5) + 1}
    bars[HIGH] = np.maximum(bars[OPEN], close) * (1 + np.abs(rng.normal(0, 0.003, n)))
    bars[LOW] = np.minimum(bars[OPEN], close) * (1 - np.abs(rng.normal(0, 0.003, n)))
    if kind == "level":
        bars = {k: v if k == VOLUME else np.round(v * 64) / 64 + 2.0 ** 30 for k, v in bars.items()}
    elif kind == "ties":
        bars = {k: v if k == VOLUME else np.round(v / 2) for k, v in bars.items()}
    elif kind == "spike":
        bars = {k: v.copy() for k, v in bars.items()}
        for k in (OPEN, HIGH, LOW, CLOSE):
            bars[k][n // 3] *= 1e9
    elif kind == "huge":
        bars = {k: v * 2.0 ** 300 for k, v in bars.items()}
    return bars


def expected(name, params, bars):
    series = {k: np.asarray(v, dtype=LD) for k, v in bars.items()}
    with np.errstate(all="ignore"):
        result = TABLE[name][2](series, *params)
    return result if isinstance(result, dict) else {name: result}


def ask(kiln, name, params, bars):
    row = TABLE[name]
    return kiln(name, **{k: bars[k] for k in row[0]}, **dict(zip(row[1], params)))


def compare(got, want, rtol, atol, about, floor=0.0):
    for key, w in want.items():
        w, g = np.asarray(w, dtype=float), got[key]
        scale = np.nanmax(np.abs(w), initial=0.0)
        np.testing.assert_allclose(g, w, rtol=rtol, atol=atol * scale + floor, err_msg=f"{about} {key}")


@pytest.mark.parametrize("name,params", CASES)
def test_definition(kiln, name, params):
    for n in (1, 2, 3, 17, 130, 1500):
        bars = make_bars(n, "walk")
        compare(ask(kiln, name, params, bars), expected(name, params, bars), 1e-11, 1e-13, (n, "walk"))
    for kind in ("ties", "huge"):
        bars = make_bars(900, kind)
        compare(ask(kiln, name, params, bars), expected(name, params, bars), 1e-11, 1e-13, kind)
    # Prices of 2^30 and some noise: an average has rounding of that size, a difference of prices has none.
    bars = make_bars(900, "level")
    floor = 1e-6 if "fast_period" in TABLE[name][1] or name == "macdfix" else 1e-13
    compare(ask(kiln, name, params, bars), expected(name, params, bars), 1e-9, 1e-12, "level", floor)


@pytest.mark.parametrize("name", TABLE)
def test_equal_bars(kiln, name):
    bars = {k: np.full(400, 0.1) for k in (OPEN, HIGH, LOW, CLOSE, VOLUME)}
    for params in TABLE[name][3]:
        for key, w in expected(name, params, bars).items():
            got, w = ask(kiln, name, params, bars)[key], np.asarray(w, dtype=float)
            if name in ("rocr", "rocr100", "aroon"):
                np.testing.assert_array_equal(got, w)
            else:
                np.testing.assert_array_equal(got, np.where(np.isnan(w), w, 0))


# Averages of unlimited memory remember a spike as they should; sums over a window must not.
@pytest.mark.parametrize("name", ["imi", "mfi", "ultosc", "cci", "stochf", "stoch", "willr", "aroon", "apo", "macdext", "mom"])
def test_a_spike_leaves_no_trace(kiln, name):
    params = TABLE[name][3][0]
    bars, spiked = make_bars(600, "walk"), make_bars(600, "spike")
    got, clean = ask(kiln, name, params, spiked), ask(kiln, name, params, bars)
    for key in clean:
        np.testing.assert_allclose(got[key][260:], clean[key][260:], rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("name", TABLE)
def test_missing_bars(kiln, name):
    """Leading ones shift the start, a later one ends the results, in whichever series it is."""
    params, series = TABLE[name][3][0], TABLE[name][0]
    bars = make_bars(200, "walk")
    whole = ask(kiln, name, params, {k: v[3:] for k, v in bars.items()})
    for k, s in enumerate(series):
        holed = {key: v.copy() for key, v in bars.items()}
        holed[series[-1]][:2] = NAN
        holed[s][2] = NAN
        holed[s][150 + k] = NAN
        for key, got in ask(kiln, name, params, holed).items():
            assert np.isnan(got[:3]).all() and np.isnan(got[150 + k:]).all()
            np.testing.assert_array_equal(got[3:150 + k], whole[key][:147 + k])


@pytest.mark.parametrize("name,params", CASES)
def test_a_stream_gives_the_same_bits(kiln, name, params):
    bars = make_bars(760, "ties")
    whole = ask(kiln, name, params, bars)
    entry = {"fn": name, **dict(zip(TABLE[name][1], params))}
    parts, state = {key: [] for key in whole}, None
    edges = [0, 1, 2, 3, 16, 17, 140, 512, 513, 514, 755, 756, 760]
    for begin, end in zip(edges, edges[1:]):
        reply = kiln("stream", indicators=[entry], **{k: bars[k][begin:end] for k in TABLE[name][0]},
                     **({"state": state} if state else {}))
        state = reply["state"]
        for key in whole:
            parts[key].append(np.asarray(reply["values"][0][key], dtype=float))
    for key in whole:
        assert np.concatenate(parts[key]).tobytes() == np.asarray(whole[key]).tobytes(), key


@pytest.mark.parametrize("name", TABLE)
def test_odd_numbers_do_no_harm(kiln, name):
    """Infinities, the largest and the smallest numbers at each place: a reply of the right length, whatever it says."""
    for value in (np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324, 0.0, -0.0):
        for series in TABLE[name][0]:
            for place in (0, 1, 20, 59):
                bars = make_bars(60, "walk")
                bars[series][place] = value
                for got in ask(kiln, name, TABLE[name][3][0], bars).values():
                    assert len(got) == 60


@pytest.mark.parametrize("name", TABLE)
def test_refusals(kiln, name):
    bars, row = make_bars(40, "walk"), TABLE[name]
    series = {k: bars[k] for k in row[0]}
    if len(series) > 1:
        short = dict(series, **{row[0][-1]: bars[row[0][-1]][:39]})
        assert kiln.refused(name, **short).field == row[0][-1]
    for key, value in zip(row[1], row[3][0]):
        bad = ["hull", 3] if isinstance(value, str) else [0, -1, 2.5, 100001, "x"]
        for b in bad:
            refused = kiln.refused(name, **series, **{key: b})
            assert (refused.status, refused.field) == ("invalid", key)
    assert kiln.refused(name, **{k: [] for k in row[0]}).status == "invalid"


def test_longest_periods(kiln):
    """Windows longer than the series give no values; long ones within it are right."""
    bars = make_bars(9000, "walk")
    for name, params in (("mfi", [100000]), ("adxr", [100000]), ("stochrsi", [100000, 100000, 100000, "sma"]),
                         ("ultosc", [100000, 1, 2]), ("cci", [100000]), ("aroon", [100000]), ("trix", [100000])):
        for got in ask(kiln, name, params, bars).values():
            assert np.isnan(got).all()
    for name, params in (("mfi", [4000]), ("ultosc", [7, 4000, 2000]), ("imi", [8000]), ("cci", [2000]), ("willr", [4000])):
        compare(ask(kiln, name, params, bars), expected(name, params, bars), 1e-10, 1e-12, name)


# ---- TA-Lib ------------------------------------------------------------------------------------------

with open(os.path.join(ROOT, "tests", "data", "talib-regression-252.json"), encoding="utf-8") as f:
    REGRESSION = json.load(f)


OURS = [c for c in REGRESSION["checks"] if c["function"].lower() in TABLE]  # the others: test_indicators_overlap.py


@pytest.mark.parametrize("check", OURS, ids=lambda c: f"{c['function']}-{c['index_in_series']}")
def test_published_values(kiln, check):
    name = check["function"].lower()
    params = ["sma" if (name, i) == ("apo", 2) else p for i, p in enumerate(check["params"])]
    got = list(ask(kiln, name, params, REGRESSION["bars"]).values())[0]
    assert got[check["index_in_series"]] == pytest.approx(check["published"], abs=check["tolerance"])


# What TA-Lib 0.6 computes of the 252 bars: function, parameters, its first bar, and the values there, at bar 130
# and at bar 251.
TALIB = [
    ("adx", [14], 27, [[22.999310364894765, 42.93438028958568, 15.52605835470341]]),
    ("adxr", [14], 40, [[19.86661034599718, 34.80142336960339, 20.492087787561218]]),
    ("apo", [12, 26, "sma"], 25, [[-3.312435897435904, 5.936410256410284, -0.16673076923076735]]),
    ("apo", [12, 26, "ema"], 25, [[-4.110290937686926, 5.499626787174918, 0.9040092995013111]]),
    ("aroon", [14], 14, [[100.0, 21.42857142857143, 21.42857142857143], [78.57142857142857, 100.0, 7.142857142857143]]),
    ("aroonosc", [14], 14, [[-21.42857142857143, 78.57142857142857, -14.285714285714286]]),
    ("bop", [], 0, [[-0.4, 0.11178247734139103, -0.4583333333333317]]),
    ("cci", [14], 13, [[-123.06431971659491, 126.29262926292624, -98.35950398707438]]),
    ("cci", [20], 19, [[-72.11100691754689, 140.80226144166875, -71.73120912215343]]),
    ("cmo", [14], 14, [[-1.7053206002728454, 54.88012468381328, -0.7357958582648902]]),
    ("dx", [14], 14, [[19.368900553569542, 65.55872669849686, 0.4722272415190555]]),
    ("imi", [14], 13, [[48.08380173735309, 79.43053510063821, 36.41835966892405]]),
    ("macdext", [12, "sma", 26, "sma", 9, "sma"], 33, [[-3.3537820512820247, 5.936410256410312, -0.16673076923072472], [-3.557133190883181, 4.892250712250761, 1.967713675213719], [0.20335113960115647, 1.0441595441595508, -2.1344444444444437]]),
    ("macdext", [12, "ema", 26, "ema", 9, "ema"], 33, [[-1.9738314311425853, 5.499626806410419, 0.9040092995013111], [-2.7071077420416256, 4.572748993561265, 1.4045942301721954], [0.7332763108990403, 0.9268778128491535, -0.5005849306708843]]),
    ("macdfix", [9], 33, [[-1.9519080159730606, 5.224837123391623, 0.876837551300298], [-2.6864648571209497, 4.3445377091974455, 1.3532906188355625], [0.7345568411478891, 0.8802994141941776, -0.4764530675352645]]),
    ("mfi", [14], 14, [[42.89233919198444, 80.6690116211452, 53.199678850628665]]),
    ("minus_di", [14], 14, [[30.168496492833185, 7.823263304372127, 21.198823355925374]]),
    ("minus_dm", [14], 13, [[12.995000000000005, 3.946824468379141, 9.677545370160704]]),
    ("mom", [10], 10, [[4.625, 14.689999999999998, -1.3199999999999932]]),
    ("plus_di", [14], 14, [[20.378164074412933, 37.606319021962435, 20.99955113609582]]),
    ("plus_dm", [14], 13, [[10.280000000000001, 18.972330894015013, 9.586574946187898]]),
    ("ppo", [12, 26, "sma"], 25, [[-3.639308817263378, 4.790250664680408, -0.15281087407114793]]),
    ("ppo", [12, 26, "ema"], 25, [[-4.515896613311364, 4.38566884827257, 0.8364459898540523]]),
    ("roc", [10], 10, [[5.054644808743158, 11.9314489928525, -1.2089019140946955]]),
    ("rocp", [10], 10, [[0.050546448087431695, 0.11931448992852499, -0.012089019140946912]]),
    ("rocr", [10], 10, [[1.0505464480874316, 1.119314489928525, 0.987910980859053]]),
    ("rocr100", [10], 10, [[105.05464480874316, 111.9314489928525, 98.7910980859053]]),
    ("stoch", [5, 3, "sma", 3, "sma"], 8, [[24.01218376003637, 89.44207278326076, 30.19478427095879], [36.25478945508407, 86.57687902778191, 43.69464490880773]]),
    ("stoch", [14, 3, "ema", 5, "ema"], 19, [[27.162214957383938, 94.89579033241216, 40.111487679370654], [26.751363803741594, 91.7513996962943, 35.03527365911932]]),
    ("stochf", [5, 3, "sma"], 6, [[12.11428571428574, 89.08188585607947, 30.266343825665892], [43.5898949251062, 89.44207278326076, 30.19478427095879]]),
    ("stochrsi", [14, 5, 3, "sma"], 20, [[0.0, 99.99999999999999, 0.0], [32.377091232625546, 98.29661682476184, 14.450340548488986]]),
    ("trix", [30], 88, [[0.2316740703399489, 0.4753075487693881, -0.0649871934694346]]),
    ("trix", [5], 13, [[0.2589627206960765, 0.9852946008740204, -0.09564680616473975]]),
    ("ultosc", [7, 14, 28], 28, [[47.17133589361285, 64.50438757168209, 40.08540297699178]]),
    ("willr", [14], 13, [[-90.19426456984272, -5.137186223000558, -59.15151515151509]]),
    ("natr", [14], 14, [[3.932103610675039, 2.6149071243360984, 3.0229067221360295]]),
    ("trange", [], 1, [[3.5349999999999966, 3.3100000000000023, 2.8799999999999955]]),
    ("ad", [], 0, [[-1631000.0, 36178148.337015755, 8328944.540596895]]),
    ("adosc", [3, 10], 9, [[841238.3254538102, 4262927.933519203, -1139932.7295189183]]),
    ("stoch", [5, 3, "wma", 3, "trima"], 8, [[24.216205246679817, 90.95572042594408, 29.178568847975015], [34.2759138880947, 88.76329371302893, 37.95688637611457]]),
    ("stochf", [5, 4, "kama"], 8, [[13.338414634146337, 89.08188585607947, 30.266343825665892], [44.49993790238645, 75.67462409731279, 52.629277855026714]]),
    ("apo", [5, 9, "dema"], 16, [[-0.9650635025128054, 0.7102621168225767, -0.3398431089474343]]),
    ("ppo", [5, 9, "tema"], 24, [[-0.5969895146066803, 0.03229843209255888, 0.0016928768022511174]]),
    ("apo", [3, 7, "t3"], 36, [[0.8278867393237874, 3.386381128140556, -0.3418666235662613]]),
    ("macdext", [5, "kama", 9, "t3", 2, "dema"], 50, [[-0.20553741759685806, 2.501756133481564, 0.4402367721465481], [-0.20553741759685806, 2.5142769402505967, 0.4500547527431884], [0.0, -0.012520806769032777, -0.009817980596640297]]),
    ("stochf", [5, 4, "mama"], 36, [[40.41159962581847, 89.08188585607947, 30.266343825665892], [41.69268996488995, 79.56721458462364, 36.18483736459981]]),
]


@pytest.mark.parametrize("name,params,first,values", TALIB, ids=lambda v: str(v) if isinstance(v, str) else None)
def test_values_of_talib(kiln, name, params, first, values):
    for got, want in zip(ask(kiln, name, params, REGRESSION["bars"]).values(), values):
        assert np.isnan(got[:first]).all() and not np.isnan(got[first:]).any()
        np.testing.assert_allclose(got[[first, 130, 251]], want, rtol=1e-10, atol=1e-11)
