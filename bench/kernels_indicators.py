# SPDX-License-Identifier: MPL-2.0
"""Rows of the kernel benchmark for indicators: TA-Lib, Tulip Indicators and pandas, whichever is there.

Each line of INDICATORS names Kiln's function, its series and parameters, TA-Lib's function with its options, Tulip's with its own,
and how many outputs those have. None: that library has none that computes the same."""
import ctypes
import time

import numpy as np

from kernels_row import Row, library, prices

try:
    import pandas
except ImportError:
    pandas = None

TALIB, TULIP = library("TALIB"), library("TULIP")
if TALIB:
    TALIB.TA_Initialize()
DOUBLES = ctypes.POINTER(ctypes.c_double)
ENOUGH = 0.08


class Library:
    """A call into a C library through ctypes; what the same call costs over one bar is taken off, which is ctypes' own time."""

    def __init__(self, make_call, n):
        self.whole, self.nothing = make_call(n), make_call(1)

    @staticmethod
    def _least(call, renew):
        best, end = 1 << 62, time.perf_counter() + ENOUGH
        while time.perf_counter() < end:
            renew()
            began = time.perf_counter_ns()
            call()
            best = min(best, time.perf_counter_ns() - began)
        return best

    def least(self, renew):
        return max(1, self._least(self.whole, renew) - self._least(self.nothing, lambda: None))


def pointer(a):
    return a.ctypes.data_as(DOUBLES)


def talib(name, series, options, outputs, kinds=None):
    begin, count = ctypes.c_int(), ctypes.c_int()
    out = [np.empty(series[0].size, np.int32 if kinds == "i" else float) for _ in range(outputs)]
    fixed = [pointer(s) for s in series] + [ctypes.c_double(o) if isinstance(o, float) else ctypes.c_int(o) for o in options]
    fixed += [ctypes.byref(begin), ctypes.byref(count)] + [ctypes.c_void_p(o.ctypes.data) for o in out]
    function = getattr(TALIB, f"TA_{name}")

    def make_call(n):
        last = ctypes.c_int(n - 1)

        def call(keep=(series, out)):
            function(0, last, *fixed)
        return call
    return Library(make_call, series[0].size)


def tulip(name, series, options, outputs):
    out = [np.empty(series[0].size) for _ in range(outputs)]
    inputs = (DOUBLES * len(series))(*[pointer(s) for s in series])
    results = (DOUBLES * outputs)(*[pointer(o) for o in out])
    numbers = (ctypes.c_double * max(1, len(options)))(*options)
    function = getattr(TULIP, f"ti_{name}")

    def make_call(n):
        size = ctypes.c_int(n)

        def call(keep=(series, out)):
            function(size, inputs, numbers, results)
        return call
    return Library(make_call, series[0].size)


O, H, L, C, V = range(5)
NAMES = ["open", "high", "low", "close", "volume"]

# Kiln's function, series, parameters; TA-Lib's (name, options, outputs); Tulip's (name, series, options, outputs)
INDICATORS = [
    ("sma", [C], {"period": 30}, ("SMA", [30], 1), ("sma", [C], [30], 1)),
    ("ema", [C], {"period": 30}, ("EMA", [30], 1), ("ema", [C], [30], 1)),
    ("wma", [C], {"period": 30}, ("WMA", [30], 1), ("wma", [C], [30], 1)),
    ("dema", [C], {"period": 30}, ("DEMA", [30], 1), ("dema", [C], [30], 1)),
    ("tema", [C], {"period": 30}, ("TEMA", [30], 1), ("tema", [C], [30], 1)),
    ("trima", [C], {"period": 30}, ("TRIMA", [30], 1), ("trima", [C], [30], 1)),
    ("kama", [C], {"period": 30}, ("KAMA", [30], 1), ("kama", [C], [30], 1)),
    ("t3", [C], {"period": 5}, ("T3", [5, 0.7], 1), None),
    ("mama", [C], {}, ("MAMA", [0.5, 0.05], 2), None),
    ("ht_trendline", [C], {}, ("HT_TRENDLINE", [], 1), None),
    ("ht_dcperiod", [C], {}, ("HT_DCPERIOD", [], 1), None),
    ("midpoint", [C], {"period": 14}, ("MIDPOINT", [14], 1), None),
    ("midprice", [H, L], {"period": 14}, ("MIDPRICE", [14], 1), None),
    ("bbands", [C], {"period": 20}, ("BBANDS", [20, 2.0, 2.0, 0], 3), ("bbands", [C], [20, 2], 3)),
    ("sar", [H, L], {}, ("SAR", [0.02, 0.2], 1), ("psar", [H, L], [0.02, 0.2], 1)),
    ("rsi", [C], {"period": 14}, ("RSI", [14], 1), ("rsi", [C], [14], 1)),
    ("cmo", [C], {"period": 14}, ("CMO", [14], 1), None),
    ("macd", [C], {}, ("MACD", [12, 26, 9], 3), ("macd", [C], [12, 26, 9], 3)),
    ("apo", [C], {"fast_period": 12, "slow_period": 26}, ("APO", [12, 26, 0], 1), None),
    ("ppo", [C], {"fast_period": 12, "slow_period": 26}, ("PPO", [12, 26, 0], 1), None),
    ("mom", [C], {"period": 10}, ("MOM", [10], 1), ("mom", [C], [10], 1)),
    ("roc", [C], {"period": 10}, ("ROC", [10], 1), ("roc", [C], [10], 1)),
    ("trix", [C], {"period": 30}, ("TRIX", [30], 1), ("trix", [C], [30], 1)),
    ("stoch", [H, L, C], {}, ("STOCH", [5, 3, 0, 3, 0], 2), ("stoch", [H, L, C], [5, 3, 3], 2)),
    ("stochf", [H, L, C], {}, ("STOCHF", [5, 3, 0], 2), None),
    ("stochrsi", [C], {}, ("STOCHRSI", [14, 5, 3, 0], 2), None),
    ("willr", [H, L, C], {"period": 14}, ("WILLR", [14], 1), ("willr", [H, L, C], [14], 1)),
    ("cci", [H, L, C], {"period": 14}, ("CCI", [14], 1), ("cci", [H, L, C], [14], 1)),
    ("ultosc", [H, L, C], {}, ("ULTOSC", [7, 14, 28], 1), ("ultosc", [H, L, C], [7, 14, 28], 1)),
    ("plus_di", [H, L, C], {"period": 14}, ("PLUS_DI", [14], 1), None),
    ("dx", [H, L, C], {"period": 14}, ("DX", [14], 1), ("dx", [H, L, C], [14], 1)),
    ("adx", [H, L, C], {"period": 14}, ("ADX", [14], 1), ("adx", [H, L, C], [14], 1)),
    ("adxr", [H, L, C], {"period": 14}, ("ADXR", [14], 1), ("adxr", [H, L, C], [14], 1)),
    ("aroon", [H, L], {"period": 14}, ("AROON", [14], 2), ("aroon", [H, L], [14], 2)),
    ("aroonosc", [H, L], {"period": 14}, ("AROONOSC", [14], 1), ("aroonosc", [H, L], [14], 1)),
    ("bop", [O, H, L, C], {}, ("BOP", [], 1), ("bop", [O, H, L, C], [], 1)),
    ("trange", [H, L, C], {}, ("TRANGE", [], 1), ("tr", [H, L, C], [], 1)),
    ("atr", [H, L, C], {"period": 14}, ("ATR", [14], 1), ("atr", [H, L, C], [14], 1)),
    ("natr", [H, L, C], {"period": 14}, ("NATR", [14], 1), ("natr", [H, L, C], [14], 1)),
    ("mfi", [H, L, C, V], {"period": 14}, ("MFI", [14], 1), ("mfi", [H, L, C, V], [14], 1)),
    ("ad", [H, L, C, V], {}, ("AD", [], 1), ("ad", [H, L, C, V], [], 1)),
    ("adosc", [H, L, C, V], {}, ("ADOSC", [3, 10], 1), ("adosc", [H, L, C, V], [3, 10], 1)),
    ("obv", [C, V], {}, ("OBV", [], 1), ("obv", [C, V], [], 1)),
    ("avgprice", [O, H, L, C], {}, ("AVGPRICE", [], 1), ("avgprice", [O, H, L, C], [], 1)),
    ("typprice", [H, L, C], {}, ("TYPPRICE", [], 1), ("typprice", [H, L, C], [], 1)),
    ("stddev", [C], {"period": 30}, ("STDDEV", [30, 1.0], 1), ("stddev", [C], [30], 1)),
    ("var", [C], {"period": 30}, ("VAR", [30, 1.0], 1), ("var", [C], [30], 1)),
    ("linearreg", [C], {"period": 14}, ("LINEARREG", [14], 1), ("linreg", [C], [14], 1)),
    ("linearreg_slope", [C], {"period": 14}, ("LINEARREG_SLOPE", [14], 1), ("linregslope", [C], [14], 1)),
    ("tsf", [C], {"period": 14}, ("TSF", [14], 1), ("tsf", [C], [14], 1)),
    ("correl", [H, L], {"period": 30}, ("CORREL", [30], 1), None),
    ("beta", [H, L], {"period": 5}, ("BETA", [5], 1), None),
    ("max", [C], {"period": 30}, ("MAX", [30], 1), ("max", [C], [30], 1)),
    ("min", [C], {"period": 30}, ("MIN", [30], 1), ("min", [C], [30], 1)),
    ("sum", [C], {"period": 30}, ("SUM", [30], 1), ("sum", [C], [30], 1)),
]

IN_PANDAS = {
    "sma": lambda s: s.rolling(30).mean(), "ema": lambda s: s.ewm(span=30, adjust=False).mean(), "max": lambda s: s.rolling(30).max(),
    "min": lambda s: s.rolling(30).min(), "sum": lambda s: s.rolling(30).sum(), "stddev": lambda s: s.rolling(30).std(ddof=0),
    "mom": lambda s: s.diff(10), "roc": lambda s: s.pct_change(10) * 100,
}

# Series by the names that Kiln's functions give them where they are not those of bars.
RENAMED = {"correl": ["real0", "real1"], "beta": ["real0", "real1"]}


def rows():
    for name, series, params, ta, ti in INDICATORS:
        def make(n, name=name, series=series, params=params, ta=ta, ti=ti):
            bars, peers = prices(n), {}
            if TALIB and ta:
                peers["TA-Lib"] = talib(ta[0], [bars[s] for s in series], *ta[1:])
            if TULIP and ti:
                peers["Tulip"] = tulip(ti[0], [bars[s] for s in ti[1]], *ti[2:])
            if pandas and name in IN_PANDAS:
                close = pandas.Series(bars[C])
                peers["pandas"] = lambda: IN_PANDAS[name](close)
            names = RENAMED.get(name) or [NAMES[s] for s in series]
            return {**dict(zip(names, (bars[s] for s in series))), **params}, peers
        yield Row(name, name, make)


ROWS = list(rows())
