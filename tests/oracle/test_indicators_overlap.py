# SPDX-License-Identifier: MPL-2.0
"""Indicators of the groups overlap, prices, statistics, windows and cycles, compared with their definitions written out plainly in
extended precision, with TA-Lib's published check values, and with values that TA-Lib 0.6 gives for its 252 bars."""
import json
import math
import os
from fractions import Fraction

import numpy as np
import pytest

from plugin import MODE, ROOT, Plugin

LD = np.longdouble
NAN = float("nan")
TYPES = "sma|ema|wma|dema|tema|trima|kama|mama|t3".split("|")


@pytest.fixture(scope="module")
def kiln():
    with Plugin("indicators") as plugin:
        yield plugin


# ---- the definitions ---------------------------------------------------------------------------------

def blank(n):
    return np.full(n, NAN, dtype=LD)


def rolling(f, n, *series):
    """f of the last n values of each series."""
    out = blank(len(series[0]))
    for i in range(n - 1, len(out)):
        out[i] = f(*(x[i + 1 - n:i + 1] for x in series))
    return out


def weighted(weights):
    weights = np.array(weights, dtype=LD)
    return lambda x, n: rolling(lambda w: (weights * w).sum() / weights.sum(), len(weights), x)


def wma(x, n):
    return weighted(range(1, n + 1))(x, n)


def trima(x, n):
    return weighted([min(k + 1, n - k) for k in range(n)])(x, n)


def sma(x, n):
    return rolling(np.mean, n, x)


def ema(x, n):
    """Of what follows on leading NaN."""
    out, first = blank(len(x)), int(np.isnan(x).sum())
    if len(x) >= first + n:
        y = out[first + n - 1] = x[first:first + n].mean()
        for i in range(first + n, len(x)):
            y = out[i] = y + LD(2) / (n + 1) * (x[i] - y)
    return out


def emas(x, n, count):
    found = []
    for _ in range(count):
        x = ema(x, n)
        found.append(x)
    return found


def dema(x, n):
    e1, e2 = emas(x, n, 2)
    return 2 * e1 - e2


def tema(x, n):
    e1, e2, e3 = emas(x, n, 3)
    return 3 * e1 - 3 * e2 + e3


def t3(x, n, v=0.7):
    v, e = LD(v), emas(x, n, 6)
    return (-v ** 3 * e[5] + 3 * (v ** 2 + v ** 3) * e[4] + (-6 * v ** 2 - 3 * (v + v ** 3)) * e[3]
            + (1 + 3 * v + v ** 3 + 3 * v ** 2) * e[2])


def kama(x, n):
    out = blank(len(x))
    y = x[n - 1] if len(x) > n else NAN
    for i in range(n, len(x)):
        way, change = np.abs(np.diff(x[i - n:i + 1])).sum(), abs(x[i] - x[i - n])
        ratio = LD(1) if way < 1e-14 or way <= change else change / way
        y = out[i] = y + (ratio * (LD(2) / 3 - LD(2) / 31) + LD(2) / 31) ** 2 * (x[i] - y)
    return out


class Cycle:
    """Dominant cycle, from bar `start` on: everything earlier is 0."""

    def __init__(self, x, start):
        x = np.asarray(x, dtype=float)
        n = len(x)
        self.smooth, self.detrended, self.quadrature, self.period = (np.zeros(n) for _ in range(4))
        at = lambda a, i: a[i] if i >= start else 0.0
        hilbert = lambda a, i: .0962 * (at(a, i) - at(a, i - 6)) + .5769 * (at(a, i - 2) - at(a, i - 4))
        period = smooth_period = i2 = q2 = re = im = 0.0
        for i in range(start, n):
            tuning = 0.075 * period + 0.54
            self.smooth[i] = (4 * x[i] + 3 * x[i - 1] + 2 * x[i - 2] + x[i - 3]) / 10
            self.detrended[i] = hilbert(self.smooth, i) * tuning
            self.quadrature[i] = hilbert(self.detrended, i) * tuning
            ji, jq = hilbert(self.detrended, i - 3) * tuning, hilbert(self.quadrature, i) * tuning
            new_q2 = .2 * (self.quadrature[i] + ji) + .8 * q2
            new_i2 = .2 * (at(self.detrended, i - 3) - jq) + .8 * i2
            re = .2 * (new_i2 * i2 + new_q2 * q2) + .8 * re
            im = .2 * (new_i2 * q2 - new_q2 * i2) + .8 * im
            i2, q2, last = new_i2, new_q2, period
            if re and im:
                period = 360 / math.degrees(math.atan(im / re))
            period = .2 * min(max(max(min(period, 1.5 * last), .67 * last), 6.0), 50.0) + .8 * last
            smooth_period = self.period[i] = .33 * period + .67 * smooth_period
        self.in_phase = np.concatenate([np.zeros(min(3, n)), self.detrended[:-3]])[:n]


def late(values, lookback):
    out = blank(len(values))
    out[lookback:] = values[lookback:]
    return out


def ht_dcperiod(x):
    return late(Cycle(x, 12).period, 32)


def ht_phasor(x):
    c = Cycle(x, 12)
    return {"in_phase": late(c.in_phase, 32), "quadrature": late(c.quadrature, 32)}


def phases(c):
    out, phase = np.zeros(len(c.smooth)), 0.0
    for i in range(37, len(out)):
        bars = int(c.period[i] + .5)
        turn = 2 * np.pi * np.arange(bars) / bars
        last = c.smooth[i - bars + 1:i + 1][::-1]
        sine, cosine = np.dot(np.sin(turn), last), np.dot(np.cos(turn), last)
        if cosine:
            phase = math.degrees(math.atan(sine / cosine))
        elif sine:
            phase += math.copysign(90, sine)
        phase += 90 + 360 / c.period[i] + (180 if cosine < 0 else 0)
        out[i] = phase = phase - 360 if phase > 315 else phase
    return out


def ht_dcphase(x):
    return late(phases(Cycle(x, 37)), 63)


def sines(phase):
    return np.sin(np.radians(phase)), np.sin(np.radians(phase + 45))


def ht_sine(x):
    sine, lead = sines(phases(Cycle(x, 37)))
    return {"sine": late(sine, 63), "lead_sine": late(lead, 63)}


def trendline(x, c):
    mean = np.zeros(len(x) + 3)
    for i in range(37, len(x)):
        bars = int(c.period[i] + .5)
        mean[i + 3] = np.mean(x[i - bars + 1:i + 1]) if bars else 0.0
    return (4 * mean[3:] + 3 * mean[2:-1] + 2 * mean[1:-2] + mean[:-3]) / 10


def ht_trendline(x):
    return late(trendline(x, Cycle(x, 37)), 63)


def ht_trendmode(x):
    c = Cycle(x, 37)
    phase, line = phases(c), trendline(x, c)
    sine, lead = sines(phase)
    sine[:37] = lead[:37] = 0
    out, days = np.zeros(len(x)), 0
    for i in range(37, len(x)):
        trend, turn, cycles = 1, phase[i] - phase[i - 1], 360 / c.period[i]
        if (sine[i] - lead[i]) * (1 if sine[i - 1] <= lead[i - 1] else -1) > 0 or \
           (sine[i] != lead[i] and sine[i - 1] == lead[i - 1]):
            days = trend = 0
        days += 1
        if days < .5 * c.period[i] or .67 * cycles < turn < 1.5 * cycles:
            trend = 0
        if line[i] and abs(c.smooth[i] / line[i] - 1) >= .015:
            trend = 1
        out[i] = trend
    return late(out, 63)


def mama(x, fast=0.5, slow=0.05):
    c = Cycle(x, 12)
    quick, calm = np.zeros(len(x)), np.zeros(len(x))
    last = 0.0
    for i in range(12, len(x)):
        phase = math.degrees(math.atan(c.quadrature[i] / c.in_phase[i])) if c.in_phase[i] else 0.0
        pace = max(fast / max(last - phase, 1.0), slow) if last - phase > 1 else fast
        last = phase
        quick[i] = quick[i - 1] + pace * (float(x[i]) - quick[i - 1])
        calm[i] = calm[i - 1] + pace / 2 * (quick[i] - calm[i - 1])
    return {"mama": late(quick, 32), "fama": late(calm, 32)}


def ma(x, period=30, ma_type="sma"):
    if period == 1:
        return x
    if ma_type == "mama":
        return mama(x)["mama"]
    return globals()[ma_type](x, period)


def lookback(kind, n):
    return {"dema": 2, "tema": 3, "t3": 6}.get(kind, 1) * (n - 1) + (kind == "kama") if kind != "mama" else 32


def mavp(x, periods, min_period=2, max_period=30, ma_type="sma"):
    out, start = blank(len(x)), lookback(ma_type, max_period)
    periods = np.clip(np.asarray(periods, dtype=float), min_period, max_period).astype(int)
    for n in set(periods[start:]):
        first = start - lookback(ma_type, n)
        values = ma(x[first:], int(n), ma_type)
        for i in range(start, len(x)):
            if periods[i] == n:
                out[i] = values[i - first]
    return out


def sarext(high, low, start_value=0.0, offset_on_reverse=0.0, acceleration_init_long=.02, acceleration_long=.02,
           acceleration_max_long=.2, acceleration_init_short=.02, acceleration_short=.02, acceleration_max_short=.2,
           sign=-1):
    high, low, out = np.asarray(high, float), np.asarray(low, float), blank(len(high))
    sides = {True: (acceleration_init_long, acceleration_long, acceleration_max_long),
             False: (acceleration_init_short, acceleration_short, acceleration_max_short)}
    sides = {is_long: (min(a, most), step, most) for is_long, (a, step, most) in sides.items()}
    for i in range(1, len(high)):
        last = max(i - 1, 1)
        highs, lows = max(high[last], high[i]), min(low[last], low[i])
        if i == 1:
            rise, fall = high[1] - high[0], low[0] - low[1]
            is_long = start_value > 0 or (start_value == 0 and not (fall > 0 and fall > rise))
            stop = abs(start_value) or (low[0] if is_long else high[0])
            extreme, pace = (high[1] if is_long else low[1]), sides[is_long][0]
        if (low[i] <= stop) if is_long else (high[i] >= stop):
            stop = max(extreme, highs) if is_long else min(extreme, lows)
            stop *= 1 + offset_on_reverse if is_long else 1 - offset_on_reverse
            is_long = not is_long
            out[i] = stop if is_long else sign * stop
            pace, extreme = sides[is_long][0], high[i] if is_long else low[i]
        else:
            out[i] = stop if is_long else sign * stop
            if (high[i] > extreme) if is_long else (low[i] < extreme):
                extreme = high[i] if is_long else low[i]
                pace = min(pace + sides[is_long][1], sides[is_long][2])
        stop += pace * (extreme - stop)
        stop = min(stop, lows) if is_long else max(stop, highs)
    return out


def sar(high, low, acceleration=.02, maximum=.2):
    return sarext(high, low, 0.0, 0.0, *[acceleration, acceleration, maximum] * 2, sign=1)


def accbands(high, low, close, period=20):
    total = high + low
    wide = np.where(np.abs(total) < 1e-14, 0, 4 * (high - low) / np.where(total == 0, 1, total))
    return {"upper_band": sma(high * (1 + wide), period), "middle_band": sma(close, period),
            "lower_band": sma(low * (1 - wide), period)}


def line(at):
    def value(x, period=14):
        k = np.arange(period, dtype=LD)
        middle = LD(period - 1) / 2

        def f(w):
            anchor = w[-1]
            slope = ((k - middle) * (w - anchor)).sum() / ((k - middle) ** 2).sum()
            return at(anchor + (w - anchor).mean(), slope, middle)
        return rolling(f, period, x)
    return value


def correl(x, y, period=30):
    def f(u, v):
        u, v = u - u.mean(), v - v.mean()
        scale = np.sqrt((u * u).sum()) * np.sqrt((v * v).sum())
        return (u * v).sum() / scale if scale else LD(0)
    return rolling(f, period, x, y)


def beta(x, y, period=5):
    u, v = (np.where(np.abs(s[:-1]) < 1e-14, 0, np.diff(s) / np.where(s[:-1] == 0, 1, s[:-1])) for s in (x, y))

    def f(u, v):
        u, v = u - u.mean(), v - v.mean()
        return (u * v).sum() / (u * u).sum() if period * (u * u).sum() >= 1e-14 else LD(0)
    return np.concatenate([blank(1), rolling(f, period, u, v)])


def place(best):
    def value(x, period=30):
        out = blank(len(x))
        for i in range(period - 1, len(x)):
            out[i] = max(range(i + 1 - period, i + 1), key=lambda j: (best * x[j], j))
        return out
    return value


def deviation(x):
    variance = ((x - x.mean()) ** 2).mean()
    return np.sqrt(variance) if variance >= 1e-14 else LD(0)


def spread_of(x):
    x = x - x[-1]  # also extended precision has its end
    return np.abs(x - x.mean()).mean()


maxindex, minindex = place(1), place(-1)

# name: series, definition, parameters to try beside the defaults
TABLE = {
    "wma": ("close", lambda x, period=30: wma(x, period), [{"period": n} for n in (2, 3, 4, 5, 13, 31, 77)]),
    "dema": ("close", lambda x, period=30: dema(x, period), [{"period": n} for n in (2, 3, 14)]),
    "tema": ("close", lambda x, period=30: tema(x, period), [{"period": n} for n in (2, 3, 14)]),
    "trima": ("close", lambda x, period=30: trima(x, period), [{"period": n} for n in (2, 3, 4, 5, 6, 13, 31, 77)]),
    "kama": ("close", lambda x, period=30: kama(x, period), [{"period": n} for n in (2, 3, 10, 77)]),
    "t3": ("close", lambda x, period=5, vfactor=.7: t3(x, period, vfactor), [{"period": 2}, {"period": 9, "vfactor": .3}]),
    "mama": ("close", lambda x, fast_limit=.5, slow_limit=.05: mama(x, fast_limit, slow_limit),
             [{"fast_limit": .3, "slow_limit": .1}]),
    "ma": ("close", ma, [{"period": n, "ma_type": t} for t in TYPES for n in (1, 2, 9)]),
    "mavp": ("close periods", mavp, [{"min_period": 3, "max_period": 12, "ma_type": t} for t in TYPES]),
    "midpoint": ("close", lambda x, period=14: rolling(lambda w: (w.max() + w.min()) / 2, period, x),
                 [{"period": n} for n in (2, 3, 4, 5, 8, 9, 127, 128, 129)]),
    "midprice": ("high low", lambda h, l, period=14: rolling(lambda u, v: (u.max() + v.min()) / 2, period, h, l),
                 [{"period": n} for n in (2, 129)]),
    "sar": ("high low", sar, [{"acceleration": .1, "maximum": .05}, {"acceleration": 0}]),
    "sarext": ("high low", sarext, [
        {"start_value": 90, "offset_on_reverse": .05, "acceleration_init_long": .03, "acceleration_long": .04,
         "acceleration_max_long": .1, "acceleration_init_short": .02, "acceleration_short": .01, "acceleration_max_short": .3},
        {"start_value": -120, "acceleration_init_long": .3, "acceleration_max_long": .1, "acceleration_init_short": .5}]),
    "accbands": ("high low close", accbands, [{"period": 2}, {"period": 33}]),
    "ht_trendline": ("close", ht_trendline, []),
    "ht_dcperiod": ("close", ht_dcperiod, []),
    "ht_dcphase": ("close", ht_dcphase, []),
    "ht_phasor": ("close", ht_phasor, []),
    "ht_sine": ("close", ht_sine, []),
    "ht_trendmode": ("close", ht_trendmode, []),
    "avgprice": ("open high low close", lambda o, h, l, c: (o + h + l + c) / 4, []),
    "medprice": ("high low", lambda h, l: (h + l) / 2, []),
    "typprice": ("high low close", lambda h, l, c: (h + l + c) / 3, []),
    "wclprice": ("high low close", lambda h, l, c: (h + l + 2 * c) / 4, []),
    "stddev": ("close", lambda x, period=5, nbdev=1: nbdev * rolling(deviation, period, x), [{"period": 20, "nbdev": -2.5}]),
    "var": ("close", lambda x, period=5, nbdev=1: rolling(lambda w: ((w - w.mean()) ** 2).mean(), period, x),
            [{"period": 1}, {"period": 30, "nbdev": 3}]),
    "avgdev": ("close", lambda x, period=14: rolling(spread_of, period, x),
               [{"period": n} for n in (2, 15, 77)]),
    "linearreg": ("close", line(lambda mean, slope, middle: mean + slope * middle), [{"period": n} for n in (2, 3, 77)]),
    "linearreg_slope": ("close", line(lambda mean, slope, middle: slope), [{"period": n} for n in (2, 3, 77)]),
    "linearreg_intercept": ("close", line(lambda mean, slope, middle: mean - slope * middle), [{"period": n} for n in (2, 77)]),
    "linearreg_angle": ("close", line(lambda mean, slope, middle: np.degrees(np.arctan(slope))), [{"period": n} for n in (2, 77)]),
    "tsf": ("close", line(lambda mean, slope, middle: mean + slope * (middle + 1)), [{"period": n} for n in (2, 77)]),
    "correl": ("real0 real1", correl, [{"period": n} for n in (1, 2, 5, 77)]),
    "beta": ("real0 real1", beta, [{"period": n} for n in (1, 2, 30)]),
    "max": ("close", lambda x, period=30: rolling(np.max, period, x), [{"period": n} for n in (2, 3, 7, 128, 129, 200)]),
    "min": ("close", lambda x, period=30: rolling(np.min, period, x), [{"period": n} for n in (2, 3, 7, 128, 129, 200)]),
    "sum": ("close", lambda x, period=30: rolling(np.sum, period, x), [{"period": n} for n in (2, 3, 5, 77)]),
    "minmax": ("close", lambda x, period=30: {"min": rolling(np.min, period, x), "max": rolling(np.max, period, x)},
               [{"period": 6}]),
    "maxindex": ("close", maxindex, [{"period": n} for n in (2, 3, 4, 7, 128, 129, 200)]),
    "minindex": ("close", minindex, [{"period": n} for n in (2, 3, 4, 7, 128, 129, 200)]),
    "minmaxindex": ("close", lambda x, period=30: {"minindex": minindex(x, period), "maxindex": maxindex(x, period)},
                    [{"period": 6}]),
}
CYCLES = [name for name in TABLE if name.startswith("ht_")] + ["mama"]
CASES = [(name, params) for name, row in TABLE.items() for params in [{}] + row[2]]
KINDS = ("walk", "steps", "level")


def make_bars(n, kind="walk", seed=3):
    rng = np.random.default_rng(seed)
    if kind == "level":
        close = 1e9 + rng.normal(size=n)
    else:
        close = 100 + np.cumsum(rng.normal(size=n))
        close = np.round(close) if kind == "steps" else close
    high, low = close + np.round(rng.random(n), 3), close - np.round(rng.random(n), 3)
    return {"open": (high + low) / 2, "high": high, "low": low, "close": close, "real0": close, "real1": high + rng.normal(size=n),
            "periods": rng.integers(0, 40, size=n) + .4}


def wanted(name, params, bars):
    want = TABLE[name][1](*(bars[s].astype(LD) for s in TABLE[name][0].split()), **params)
    return want if isinstance(want, dict) else {name: want}


def asked(kiln, name, params, bars):
    return kiln(name, **{s: bars[s] for s in TABLE[name][0].split()}, **params)


def compare(got, want, rtol, atol, about):
    assert list(got) == list(want), about
    for key, values in want.items():
        missing = np.isnan(values)
        assert (np.isnan(got[key]) == missing).all(), (about, key, "nulls")
        error = np.abs(got[key] - values)[~missing]
        limit = (atol + rtol * np.abs(values))[~missing]
        assert (error <= limit).all(), (about, key, int(np.argmax(error - limit)), float(error.max()))


# What a window at 1e9 may cost: the result's own last digit where it is as large as the prices, else some digits of the noise.
SMALL = {"stddev", "var", "avgdev", "linearreg_slope", "linearreg_angle", "correl", "beta"}


@pytest.mark.parametrize("name,params", CASES)
def test_definition(kiln, name, params):
    kinds = ("walk", "steps") if name in CYCLES or params.get("ma_type") == "mama" else KINDS
    for kind in kinds if MODE == "release" else kinds[:1]:
        if name == "ht_trendmode" and kind == "steps":
            continue  # phases that differ in the last digit, and decide
        bars = make_bars(260, kind)
        rtol = 1e-8 if name in CYCLES else 1e-12 if name in ("linearreg_slope", "linearreg_angle", "correl", "beta") else 1e-13
        # returns of prices around 1e9 are differences that have lost nine digits before they are divided
        rtol = 1e-6 if name == "beta" and kind == "level" else rtol
        scale = 1.0 if name in SMALL or name in CYCLES else np.abs(bars["close"]).max()
        compare(asked(kiln, name, params, bars), wanted(name, params, bars), rtol, rtol * scale, (name, params, kind))


@pytest.mark.parametrize("name", TABLE)
def test_lengths(kiln, name):
    """Short series give nulls; a null prefix shifts, and from a later null on there is nothing."""
    for n in (1, 2, 3, 5, 31, 33, 64, 65):
        bars = make_bars(n)
        compare(asked(kiln, name, {}, bars), wanted(name, {}, bars), 1e-8, 1e-8, (name, n))
    whole = make_bars(150)
    clean = asked(kiln, name, {}, whole)
    series = TABLE[name][0].split()
    for which in series:
        bars = {s: np.concatenate([np.full(7, 5.0), x]) for s, x in whole.items()}
        bars[which][:7] = NAN
        bars[which][-30] = NAN
        for key, got in asked(kiln, name, {}, bars).items():
            assert np.isnan(got[:7]).all() and np.isnan(got[-30:]).all()
            assert np.array_equal(got[7:-30], clean[key][:-30], equal_nan=True), (name, which, key)


@pytest.mark.parametrize("name", sorted(set(TABLE) - set(CYCLES) - {"sar", "sarext", "kama", "dema", "tema", "t3"}))
def test_a_spike_leaves_no_trace(kiln, name):
    """Once it has left the window, values are those without it, to the last bit."""
    for at in (40, 41, 70):
        calm = make_bars(200)
        wild = {s: x.copy() for s, x in calm.items()}
        for s in set(TABLE[name][0].split()) - {"periods"}:
            wild[s][at] = 1e17
        one, other = asked(kiln, name, {}, calm), asked(kiln, name, {}, wild)
        for key in one:
            assert np.array_equal(one[key][at + 61:], other[key][at + 61:]), (name, key, at)


@pytest.mark.parametrize("name", sorted(set(TABLE) - set(CYCLES)))
def test_equal_prices(kiln, name):
    bars = {s: np.full(200, 0.1) for s in make_bars(1)}
    bars["periods"] = np.full(200, 7.0)
    for key, got in asked(kiln, name, {}, bars).items():
        got = got[~np.isnan(got)]
        if name in SMALL:
            assert (got == 0).all()
        elif name in ("maxindex", "minindex", "minmaxindex"):
            assert (np.diff(got) == 1).all()
        elif name == "sum":
            assert np.allclose(got, 3, rtol=1e-15)
        elif name not in ("sar", "sarext", "typprice"):
            assert np.allclose(got, 0.1, rtol=3e-16 if name in ("t3", "accbands") else 0, atol=0), (name, key)


@pytest.mark.parametrize("name", TABLE)
def test_wild_values(kiln, name):
    """Infinities, the largest and the smallest numbers: values or nulls, and always answers."""
    rng = np.random.default_rng(1)
    for pick in ([1e308, -1e308], [5e-324, 1e-310, 0.0], [np.inf, 1.0], [0.0, -0.0], [1e300, 1.0, -1e-300]):
        bars = {s: rng.choice(pick, size=150) for s in make_bars(1)}
        for key, got in asked(kiln, name, {}, bars).items():
            assert len(got) == 150, (name, key)
            if name in ("max", "min", "minmax"):
                assert not np.isnan(got[29:]).any() and not np.signbit(got[got == 0]).any()
            if name == "correl":
                assert (np.abs(got[~np.isnan(got)]) <= 1).all()


def test_windows_are_exact_where_the_numbers_are(kiln):
    """Whole numbers: the results are the rational ones, correctly rounded up to a digit or two."""
    x = np.random.default_rng(2).integers(-1000, 1000, size=200).astype(float)
    for period in (2, 7, 30):
        total, slope = kiln("sum", close=x, period=period)["sum"], kiln("linearreg_slope", close=x, period=period)["linearreg_slope"]
        variance = kiln("var", close=x, period=period)["var"]
        for i in range(period - 1, len(x)):
            w = [Fraction(int(v)) for v in x[i + 1 - period:i + 1]]
            mean = sum(w) / period
            assert total[i] == sum(w)
            assert variance[i] == pytest.approx(float(sum((v - mean) ** 2 for v in w) / period), rel=1e-14)
            exact = sum((k - Fraction(period - 1, 2)) * v for k, v in enumerate(w)) * 12 / (period * (period ** 2 - 1))
            assert slope[i] == pytest.approx(float(exact), rel=1e-14, abs=1e-12)


def test_correlation_of_small_and_of_large_numbers(kiln):
    """TA-Lib reads 0 where the product of the sums of squares is below 1e-14; here scale does not matter."""
    bars = make_bars(100)
    base = kiln("correl", real0=bars["real0"], real1=bars["real1"])["correl"]
    for scale in (2.0 ** -60, 2.0 ** -300, 2.0 ** 300):
        assert np.array_equal(kiln("correl", real0=bars["real0"] * scale, real1=bars["real1"] * scale)["correl"], base, equal_nan=True)


@pytest.mark.parametrize("ma_type", TYPES)
def test_bbands_around_any_average(kiln, ma_type):
    x = make_bars(200)["close"]
    got = kiln("bbands", close=x, period=9, nbdev_up=1.5, nbdev_dn=2.5, ma_type=ma_type)
    middle = ma(x.astype(LD), 9, ma_type)
    spread = rolling(deviation, 9, x.astype(LD))
    want = {"upper_band": middle + 1.5 * spread, "middle_band": middle, "lower_band": middle - 2.5 * spread}
    compare(got, want, 1e-9 if ma_type == "mama" else 1e-13, 1e-11, ma_type)


def test_mavp_with_long_periods(kiln):
    x, periods = make_bars(900)["close"], np.linspace(2, 600, 900)
    for ma_type in ("sma", "wma", "trima", "ema"):
        got = kiln("mavp", close=x, periods=periods, max_period=500, ma_type=ma_type)["mavp"]
        for i in (499, 500, 700, 749, 899):
            n = int(min(periods[i], 500))
            at = 499 - lookback(ma_type, n) if ma_type == "ema" else 0
            assert got[i] == pytest.approx(kiln("ma", close=x[at:], period=n, ma_type=ma_type)["ma"][i - at], rel=1e-13)
    refused = kiln.refused("mavp", close=x, periods=periods, max_period=2000, ma_type="tema")
    assert refused.field == "max_period" and "expected less than min_period + 1024" in refused.text


def test_the_number_of_a_bar_goes_on_in_a_stream(kiln):
    x, numbers, state = make_bars(300)["close"], [], None
    for at in range(0, 300, 60):
        args = {"close": x[at:at + 60]}
        args.update({"state": state} if state else {"indicators": [{"fn": "maxindex", "period": 5}]})
        got = kiln("stream", **args)
        state = got["state"]
        numbers.extend(got["values"][0]["maxindex"])
    assert np.array_equal(numbers, kiln("maxindex", close=x, period=5)["maxindex"], equal_nan=True)
    assert np.nanmax(numbers) > 290


# ---- TA-Lib ------------------------------------------------------------------------------------------

with open(os.path.join(ROOT, "tests", "data", "talib-regression-252.json"), encoding="utf-8") as f:
    REGRESSION = json.load(f)
PUBLISHED = {"STDDEV": ("period", "nbdev"), "CORREL": ("period",), "TRIMA": ("period",), "T3": ("period", "vfactor")}

# From TA-Lib 0.6.0 with its default parameters on the 252 bars: bar, values. correl and beta are of high and low, the periods of mavp are
# 2, 3, .. 30, 2, 3, .. .
TALIB = {
    "accbands": [(63, 94.29393792924, 88.3755, 82.87143792924), (150, 136.9948366344, 127.297, 118.3298366344),
                 (251, 119.6565126772, 110.57, 101.8540126772)],
    "avgdev": [(63, 2.484081632653), (150, 2.252857142857), (251, 0.6959183673469)],
    "beta": [(63, 0.647037694232), (150, 0.682064958128), (251, 1.522784770044)],
    "correl": [(63, 0.9624432975304), (150, 0.9696986323549), (251, 0.9322133813677)],
    "dema": [(63, 88.11252092008), (150, 126.8603848778), (251, 109.1417434641)],
    "ht_dcperiod": [(63, 16.20395302052), (150, 25.28291686617), (251, 18.32436245092)],
    "ht_dcphase": [(63, 27.14310018022), (150, -2.031521156841), (251, 58.93415897137)],
    "ht_phasor": [(63, 3.320582099084, 2.29768795525), (150, -3.51544791452, -9.685112739911),
                  (251, -1.005212275054, 0.04453125523245)],
    "ht_sine": [(63, 0.4562144320092, 0.9518253405791), (150, -0.03544930422901, 0.6815959041201),
                (251, 0.8565748826146, 0.9705730883512)],
    "ht_trendline": [(63, 88.12522887258), (150, 129.0876183476), (251, 110.3855154971)],
    "ht_trendmode": [(63, 1.0), (150, 1.0), (251, 1.0)],
    "kama": [(63, 86.59002369764), (150, 128.0476590252), (251, 106.0828124676)],
    "linearreg": [(63, 90.07642857143), (150, 121.2242857143), (251, 108.8462857143)],
    "linearreg_angle": [(63, 22.31249215338), (150, -22.7877576452), (251, -1.518297480129)],
    "linearreg_intercept": [(63, 84.74142857143), (150, 126.6857142857), (251, 109.1908571429)],
    "linearreg_slope": [(63, 0.4103846153846), (150, -0.4201098901099), (251, -0.02650549450551)],
    "mama": [(63, 87.34196890119, 85.88353040773), (150, 122.7652745419, 125.479522215), (251, 109.2872510422, 108.5541538937)],
    "mavp": [(63, 89.28642857143), (150, 122.0985714286), (251, 110.3176190476)],
    "maxindex": [(63, 62.0), (150, 131.0), (251, 235.0)],
    "midpoint": [(63, 87.33), (150, 123.75), (251, 108.56)],
    "midprice": [(63, 87.6875), (150, 123.655), (251, 108.625)],
    "minindex": [(63, 54.0), (150, 147.0), (251, 222.0)],
    "minmaxindex": [(63, 54.0, 62.0), (150, 147.0, 131.0), (251, 222.0, 235.0)],
    "sar": [(1, 90.75), (20, 96.6587743082), (63, 84.1301829792), (150, 117.56), (251, 112.8033392035)],
    "sarext": [(1, 90.75), (20, -96.6587743082), (63, 84.1301829792), (150, 117.56), (251, -112.8033392035)],
    "stddev": [(63, 1.468795424831), (150, 2.037478834243), (251, 0.7143556537095)],
    "t3": [(63, 89.45474018835), (150, 121.2683301268), (251, 108.8791500045)],
    "tema": [(63, NAN), (150, 122.9241328246), (251, 111.4400146684)],
    "trima": [(63, 87.84975), (150, 130.184375), (251, 109.6941666667)],
    "tsf": [(63, 90.48681318681), (150, 120.8041758242), (251, 108.8197802198)],
    "var": [(63, 2.157360000006), (150, 4.15131999999), (251, 0.5103039999867)],
    "wma": [(63, 88.04465591398), (150, 126.7683225806), (251, 109.3412903226)],
}


def regression_bars():
    bars = {k: np.array(v, dtype=float) for k, v in REGRESSION["bars"].items()}
    return {**bars, "real0": bars["high"], "real1": bars["low"], "periods": 2.0 + np.arange(252) % 29}


def test_published_values(kiln):
    bars, checked = regression_bars(), 0
    for check in REGRESSION["checks"]:
        if check["function"] in PUBLISHED:
            name, params = check["function"].lower(), dict(zip(PUBLISHED[check["function"]], check["params"]))
            got = asked(kiln, name, params, bars)[name]
            at = check["index_in_series"]
            assert abs(got[at] - check["published"]) <= check["tolerance"], check
            checked += 1
    assert checked == 7


@pytest.mark.parametrize("name", TALIB)
def test_values_of_talib(kiln, name):
    got = asked(kiln, name, {}, regression_bars())
    for at, *values in TALIB[name]:
        for value, result in zip(values, got.values(), strict=True):
            # variances by running sums of squares, as TA-Lib has them, are good for ten digits here
            assert result[at] == pytest.approx(value, rel=1e-10 if name in ("var", "stddev") else 2e-12, abs=1e-12, nan_ok=True), at
