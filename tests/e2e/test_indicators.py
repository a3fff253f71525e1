# SPDX-License-Identifier: MPL-2.0
"""indicators.* through the whole house: TA-Lib's published check values, and plain loops that follow its conventions."""
import csv
import json
import math
import os

import numpy
import pytest

from house import MODE, ROOT

pytestmark = pytest.mark.usefixtures("house")

with open(os.path.join(ROOT, "tests", "data", "talib-regression-252.json"), encoding="utf-8") as f:
    TALIB = json.load(f)
BARS = {k: numpy.array(v) for k, v in TALIB["bars"].items()}


def real_bars():
    with open(os.path.join(ROOT, "examples", "data", "crypto-daily-2021-2022.csv"), encoding="utf-8") as f:
        rows = [r for r in csv.DictReader(f) if r["asset"] == "BTC"]
    return {k: numpy.array([float(r[k]) for r in rows]) for k in ("open", "high", "low", "close", "volume", "taker_buy_volume")}


def random_bars(n, seed):
    rng = numpy.random.default_rng([n, seed])
    close = 100 * numpy.exp(numpy.cumsum(0.02 * rng.standard_normal(n)))
    spread = numpy.abs(rng.standard_normal((2, n)))
    return {"high": close + spread[0], "low": close - spread[1], "close": close, "volume": rng.uniform(0, 1e6, n)}


SERIES = {"talib": BARS, "btc": real_bars(), **{f"random{n}": random_bars(n, 1) for n in (1, 2, 5, 14, 15, 40, 1000)}}
if MODE != "release":
    SERIES.pop("btc")


def nd(a):
    return {"nd": True, "type": "<f8", "shape": [len(a)], "data": numpy.ascontiguousarray(a, "<f8").tobytes()}


def call(producer, fn, **args):
    packed = {k: nd(v) if isinstance(v, numpy.ndarray) else v for k, v in args.items()}
    result = producer.call(f"indicators.{fn}", packed).expect("ok").result
    return {k: numpy.frombuffer(v["data"]) if isinstance(v, dict) else v for k, v in result.items()}


def near(got, want, rtol=1e-9):
    want = numpy.array(want, dtype=float)
    assert numpy.array_equal(numpy.isnan(got), numpy.isnan(want)), (numpy.isnan(got).sum(), numpy.isnan(want).sum())
    scale = numpy.nanmax(numpy.abs(want)) if numpy.isfinite(want).any() else 0
    numpy.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * scale, equal_nan=True)


# ---- plain loops

NAN = math.nan


def sma(x, n):
    return [NAN if i < n - 1 else math.fsum(x[i - n + 1:i + 1]) / n for i in range(len(x))]


def ema_from(x, n, first):
    """Seeded with the mean of the n values that end at `first`; NaN before."""
    out = [NAN] * len(x)
    if first < len(x):
        out[first] = math.fsum(x[first - n + 1:first + 1]) / n
        for i in range(first + 1, len(x)):
            out[i] = out[i - 1] + (x[i] - out[i - 1]) * 2 / (n + 1)
    return out


def ema(x, n):
    return ema_from(x, n, n - 1)


def rsi(x, n):
    out = [NAN] * len(x)
    if len(x) > n:
        d = [x[i] - x[i - 1] for i in range(1, len(x))]
        g, l = sum(max(v, 0) for v in d[:n]) / n, sum(max(-v, 0) for v in d[:n]) / n
        for i in range(n, len(x)):
            if i > n:
                g, l = (g * (n - 1) + max(d[i - 1], 0)) / n, (l * (n - 1) + max(-d[i - 1], 0)) / n
            out[i] = 100 * g / (g + l) if g + l >= 1e-14 else 0.0
    return out


def macd(x, fast, slow, signal):
    fast, slow = sorted((fast, slow))
    line = [a - b for a, b in zip(ema_from(x, fast, slow - 1), ema(x, slow))]
    start = slow - 1 + signal - 1
    sig = [NAN] * len(x)
    if start < len(x):
        sig[start] = math.fsum(line[slow - 1:start + 1]) / signal
        for i in range(start + 1, len(x)):
            sig[i] = sig[i - 1] + (line[i] - sig[i - 1]) * 2 / (signal + 1)
    line = [NAN if i < start else v for i, v in enumerate(line)]
    return line, sig, [a - b for a, b in zip(line, sig)]


def atr(h, l, c, n):
    tr = [NAN] + [max(h[i] - l[i], abs(h[i] - c[i - 1]), abs(l[i] - c[i - 1])) for i in range(1, len(c))]
    out = [NAN] * len(c)
    if len(c) > n:
        out[n] = math.fsum(tr[1:n + 1]) / n
        for i in range(n + 1, len(c)):
            out[i] = (out[i - 1] * (n - 1) + tr[i]) / n
    return out


@pytest.mark.parametrize("bars", SERIES.values(), ids=SERIES.keys())
@pytest.mark.parametrize("n", [2, 3, 14, 30])
def test_averages_rsi_atr(producer, bars, n):
    c = bars["close"]
    near(call(producer, "sma", close=c, period=n)["sma"], sma(c, n))
    near(call(producer, "ema", close=c, period=n)["ema"], ema(c, n))
    near(call(producer, "rsi", close=c, period=n)["rsi"], rsi(c, n))
    near(call(producer, "atr", high=bars["high"], low=bars["low"], close=c, period=n)["atr"], atr(bars["high"], bars["low"], c, n))


@pytest.mark.parametrize("bars", SERIES.values(), ids=SERIES.keys())
@pytest.mark.parametrize("periods", [(12, 26, 9), (3, 5, 2), (26, 12, 9)])
def test_macd(producer, bars, periods):
    got = call(producer, "macd", close=bars["close"], fast_period=periods[0], slow_period=periods[1], signal_period=periods[2])
    for name, want in zip(("macd", "macd_signal", "macd_hist"), macd(bars["close"], *periods)):
        near(got[name], want)


@pytest.mark.parametrize("bars", SERIES.values(), ids=SERIES.keys())
@pytest.mark.parametrize("n", [2, 5, 20])
def test_bbands(producer, bars, n):
    c = bars["close"]
    got = call(producer, "bbands", close=c, period=n, nbdev_up=2, nbdev_dn=1.5)
    mid = numpy.array(sma(c, n))
    dev = numpy.array([NAN if i < n - 1 else c[i - n + 1:i + 1].std() for i in range(len(c))])
    near(got["middle_band"], mid)
    near(got["upper_band"], mid + 2 * dev, 1e-8)
    near(got["lower_band"], mid - 1.5 * dev, 1e-8)


@pytest.mark.parametrize("bars", SERIES.values(), ids=SERIES.keys())
def test_obv(producer, bars):
    c, v = bars["close"], bars["volume"]
    want = [v[0]]
    for i in range(1, len(c)):
        want.append(want[-1] + (v[i] if c[i] > c[i - 1] else -v[i] if c[i] < c[i - 1] else 0))
    near(call(producer, "obv", close=c, volume=v)["obv"], want)


@pytest.mark.parametrize("bars", SERIES.values(), ids=SERIES.keys())
@pytest.mark.parametrize("n", [0, 2, 20])
def test_vwap(producer, bars, n):
    h, l, c, v = (bars[k] for k in ("high", "low", "close", "volume"))
    tp = (h + l + c) / 3
    got = call(producer, "vwap", high=h, low=l, close=c, volume=v, period=n)["vwap"]
    if n == 0:
        near(got, numpy.cumsum(tp * v) / numpy.cumsum(v))
    else:
        last = [i for i in range(len(c)) if i >= n - 1]
        want = [math.fsum((tp * v)[i - n + 1:i + 1]) / math.fsum(v[i - n + 1:i + 1]) for i in last]
        numpy.testing.assert_allclose(got[last], want, rtol=1e-9)


@pytest.mark.parametrize("bars", SERIES.values(), ids=SERIES.keys())
def test_cvd(producer, bars):
    c, v = bars["close"], bars["volume"]
    sign = numpy.concatenate([[0.0], numpy.sign(numpy.diff(c))])
    got = call(producer, "cvd", prices=c, volumes=v)
    near(got["cvd"], numpy.cumsum(sign * v))
    assert got["buy_volume"] == pytest.approx(v[sign > 0].sum()) and got["sell_volume"] == pytest.approx(v[sign < 0].sum())
    sides = numpy.random.default_rng(5).integers(-1, 2, len(c)).astype(float)
    near(call(producer, "cvd", prices=c, volumes=v, sides=sides)["cvd"], numpy.cumsum(sides * v))


def test_cvd_of_bars_that_tell_who_took(producer):
    bars = real_bars()
    got = call(producer, "cvd", volume=bars["volume"], taker_buy_volume=bars["taker_buy_volume"])
    near(got["cvd"], numpy.cumsum(2 * bars["taker_buy_volume"] - bars["volume"]))
    assert got["buy_volume"] == pytest.approx(bars["taker_buy_volume"].sum())


@pytest.mark.parametrize("check", [c for c in TALIB["checks"] if c["function"] in ("RSI", "ATR")],
                         ids=lambda c: f"{c['function']}-{c['index_in_series']}")
def test_published_check_values(producer, check):
    if check["function"] == "RSI":
        got = call(producer, "rsi", close=BARS["close"], period=check["params"][0])["rsi"]
    else:
        got = call(producer, "atr", high=BARS["high"], low=BARS["low"], close=BARS["close"], period=check["params"][0])["atr"]
    assert got[check["index_in_series"]] == pytest.approx(check["published"], abs=check["tolerance"])


def test_there_are_published_values_for_what_is_offered():
    assert sum(c["function"] in ("RSI", "ATR") for c in TALIB["checks"]) >= 4


def test_lists_say_null_where_there_is_no_value(producer):
    got = producer.call("indicators.sma", {"close": [1, 2, 3.5], "period": 2}).expect("ok").result
    assert got == {"sma": [None, 1.5, 2.75]}


def test_flat_prices(producer):
    flat = numpy.full(50, 2.385)
    assert (call(producer, "rsi", close=flat)["rsi"][14:] == 0).all()
    got = call(producer, "bbands", close=flat)
    assert (got["upper_band"][4:] == got["lower_band"][4:]).all()


@pytest.mark.parametrize("n, lead", [(14, 3), (5, 1)])
def test_leading_nan_shifts_the_start(producer, n, lead):
    c = numpy.concatenate([numpy.full(lead, NAN), BARS["close"]])
    for fn, plain in (("sma", sma), ("ema", ema), ("rsi", rsi)):
        near(call(producer, fn, close=c, period=n)[fn], [NAN] * lead + plain(BARS["close"], n))
