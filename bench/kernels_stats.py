# SPDX-License-Identifier: MPL-2.0
"""Rows of the kernel benchmark for stats: NumPy, SciPy, bottleneck, pandas, and loops a Numba user would write."""
import ctypes
import math

import numpy as np
import scipy.fft
import scipy.linalg
import scipy.signal
import scipy.special
import scipy.stats

from kernels_row import Row, njit

try:
    import bottleneck
except ImportError:
    bottleneck = None
try:
    import pandas
except ImportError:
    pandas = None

ROWS = []


def row(name, function=None):
    """Decorates a maker: make(n, x, peers) fills peers, returns the arguments (or None: not at this size)."""
    def add(maker):
        def make(n):
            peers = {}
            arguments = maker(n, np.random.default_rng(n).standard_normal(n) * 3.5 + 100, peers)
            return None if arguments is None else (arguments, peers)
        ROWS.append(Row(name, function or name, make))
        return maker
    return add


# ---- what a Numba user would write

if njit:
    fast = njit(fastmath=True)

    @fast
    def nb_mean(x):
        s = 0.0
        for i in range(x.size):
            s += x[i]
        return s / x.size

    @fast
    def nb_var(x):
        m, s = nb_mean(x), 0.0
        for i in range(x.size):
            s += (x[i] - m) * (x[i] - m)
        return s / x.size

    @fast
    def nb_std(x):
        return math.sqrt(nb_var(x))

    @fast
    def nb_min_max(x):
        a = b = x[0]
        for i in range(x.size):
            a, b = min(a, x[i]), max(b, x[i])
        return a, b

    @fast
    def nb_shape(x):
        m, a, b, c = nb_mean(x), 0.0, 0.0, 0.0
        for i in range(x.size):
            d = x[i] - m
            q = d * d
            a, b, c = a + q, b + q * d, c + q * q
        n = x.size
        return (b / n) / (a / n) ** 1.5, (c / n) / (a / n) ** 2 - 3

    @fast
    def nb_pearson(x, y):
        mx, my, a, b, c = nb_mean(x), nb_mean(y), 0.0, 0.0, 0.0
        for i in range(x.size):
            d, e = x[i] - mx, y[i] - my
            a, b, c = a + d * d, b + e * e, c + d * e
        return c / math.sqrt(a * b)

    @fast
    def nb_zscore(x, out):
        m, r = nb_mean(x), 1 / nb_std(x)
        for i in range(x.size):
            out[i] = (x[i] - m) * r

    @fast
    def nb_cumsum(x, out):
        s = 0.0
        for i in range(x.size):
            s += x[i]
            out[i] = s

    @fast
    def nb_pdf(x, out):
        for i in range(x.size):
            out[i] = 0.3989422804014327 * math.exp(-0.5 * x[i] * x[i])

    @fast
    def nb_cdf(x, out):
        for i in range(x.size):
            out[i] = 0.5 * math.erfc(-x[i] * 0.7071067811865476)

    @njit
    def nb_gamma(x, out):
        for i in range(x.size):
            out[i] = math.gamma(x[i])

    @njit
    def nb_gammaln(x, out):
        for i in range(x.size):
            out[i] = math.lgamma(x[i])

    @njit
    def nb_histogram(x, low, high, bins):
        h, scale = np.zeros(bins, np.int64), bins / (high - low)
        for i in range(x.size):
            k = int((x[i] - low) * scale)
            if k == bins:
                k -= 1
            if 0 <= k < bins:
                h[k] += 1
        return h


def numba(peers, call):
    if njit:
        peers["Numba"] = call


# ---- moments

@row("mean")
def _(n, x, peers):
    peers["NumPy"] = lambda: np.mean(x)
    numba(peers, lambda: nb_mean(x))
    return {"x": x}


@row("std")
def _(n, x, peers):
    peers["NumPy"] = lambda: np.std(x)
    numba(peers, lambda: nb_std(x))
    if bottleneck:
        peers["bottleneck"] = lambda: bottleneck.nanstd(x)
    return {"x": x}


@row("ptp (min and max)", "ptp")
def _(n, x, peers):
    peers["NumPy"] = lambda: np.ptp(x)
    numba(peers, lambda: nb_min_max(x))
    return {"x": x}


@row("skew")
def _(n, x, peers):
    peers["SciPy"] = lambda: scipy.stats.skew(x)
    numba(peers, lambda: nb_shape(x))
    return {"x": x}


@row("kurtosis")
def _(n, x, peers):
    peers["SciPy"] = lambda: scipy.stats.kurtosis(x)
    numba(peers, lambda: nb_shape(x))
    return {"x": x}


@row("describe (moments, quartiles)", "describe")
def _(n, x, peers):
    peers["SciPy + NumPy"] = lambda: (scipy.stats.describe(x), np.percentile(x, [25, 50, 75]))
    if pandas:
        s = pandas.Series(x)
        peers["pandas"] = lambda: s.describe()
    return {"x": x}


@row("zscore")
def _(n, x, peers):
    out = np.empty_like(x)
    peers["NumPy"] = lambda: (x - x.mean()) / x.std()
    peers["SciPy"] = lambda: scipy.stats.zscore(x)
    numba(peers, lambda: nb_zscore(x, out))
    return {"x": x}


@row("cumsum")
def _(n, x, peers):
    out = np.empty_like(x)
    peers["NumPy"] = lambda: np.cumsum(x, out=out)
    numba(peers, lambda: nb_cumsum(x, out))
    return {"x": x}


# ---- order

@row("median")
def _(n, x, peers):
    peers["NumPy"] = lambda: np.median(x)
    if bottleneck:
        peers["bottleneck"] = lambda: bottleneck.median(x)
    return {"x": x}


@row("quantile (five)", "quantile")
def _(n, x, peers):
    q = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    peers["NumPy"] = lambda: np.quantile(x, q)
    if pandas:
        s = pandas.Series(x)
        peers["pandas"] = lambda: s.quantile(q)
    return {"x": x, "q": q}


@row("sort")
def _(n, x, peers):
    peers["NumPy"] = lambda: np.sort(x)
    return {"x": x}


@row("rankdata")
def _(n, x, peers):
    peers["SciPy"] = lambda: scipy.stats.rankdata(x)
    if bottleneck:
        peers["bottleneck"] = lambda: bottleneck.rankdata(x)
    if pandas:
        s = pandas.Series(x)
        peers["pandas"] = lambda: s.rank()
    return {"x": x}


@row("histogram (100 bins)", "histogram")
def _(n, x, peers):
    peers["NumPy"] = lambda: np.histogram(x, 100)
    if njit:
        peers["Numba"] = lambda: nb_histogram(x, *nb_min_max(x), 100)
    return {"x": x, "bins": 100}


# ---- windows

def rolling(kiln, in_bottleneck, in_pandas):
    @row(f"{kiln} (50)", kiln)
    def _(n, x, peers):
        if bottleneck and in_bottleneck:
            peers["bottleneck"] = lambda: getattr(bottleneck, in_bottleneck)(x, 50)
        if pandas:
            windows = pandas.Series(x).rolling(50)
            peers["pandas"] = lambda: getattr(windows, in_pandas)()
        return {"x": x, "window": 50}


rolling("rolling_mean", "move_mean", "mean")
rolling("rolling_sum", "move_sum", "sum")
rolling("rolling_std", "move_std", "std")
rolling("rolling_min", "move_min", "min")
rolling("rolling_max", "move_max", "max")
rolling("rolling_median", "move_median", "median")


@row("ewm_mean (span 20)", "ewm_mean")
def _(n, x, peers):
    if not pandas:
        return None
    windows = pandas.Series(x).ewm(span=20)
    peers["pandas"] = lambda: windows.mean()
    return {"x": x, "span": 20}


# ---- pairs and matrices

@row("correlation")
def _(n, x, peers):
    y = x + np.random.default_rng(7).standard_normal(n)
    peers["NumPy"] = lambda: np.corrcoef(x, y)
    numba(peers, lambda: nb_pearson(x, y))
    return {"x": x, "y": y}


@row("pearsonr (with p)", "pearsonr")
def _(n, x, peers):
    y = x + np.random.default_rng(7).standard_normal(n)
    peers["SciPy"] = lambda: scipy.stats.pearsonr(x, y)
    return {"x": x, "y": y}


@row("spearmanr")
def _(n, x, peers):
    y = x + np.random.default_rng(7).standard_normal(n)
    peers["SciPy"] = lambda: scipy.stats.spearmanr(x, y)
    return {"x": x, "y": y}


@row("kendalltau")
def _(n, x, peers):
    if n > 10000:
        return None
    y = x + np.random.default_rng(7).standard_normal(n)
    peers["SciPy"] = lambda: scipy.stats.kendalltau(x, y)
    return {"x": x, "y": y}


@row("linregress")
def _(n, x, peers):
    y = 2 * x + np.random.default_rng(7).standard_normal(n)
    peers["SciPy"] = lambda: scipy.stats.linregress(x, y)
    return {"x": x, "y": y}


@row("covariance (n x 50)", "covariance")
def _(n, x, peers):
    if n > 10000:
        return None
    data = np.random.default_rng(7).standard_normal((50, n))
    peers["NumPy"] = lambda: np.cov(data)

    def dsyrk():
        d = data - data.mean(axis=1, keepdims=True)
        return scipy.linalg.blas.dsyrk(1 / (n - 1), d.T, trans=1)

    peers["SciPy dsyrk"] = dsyrk
    return {"data": data}


@row("lstsq (n x 10)", "lstsq")
def _(n, x, peers):
    if n > 10000:
        return None
    a = np.random.default_rng(7).standard_normal((n, 10))
    y = a @ np.arange(10.0) + x
    b = np.column_stack([np.ones(n), a])
    peers["NumPy lstsq"] = lambda: np.linalg.lstsq(b, y, rcond=None)
    peers["SciPy gelsy"] = lambda: scipy.linalg.lstsq(b, y, lapack_driver="gelsy")
    return {"x": a, "y": y}


@row("ttest_ind")
def _(n, x, peers):
    y = x + np.random.default_rng(7).standard_normal(n)
    peers["SciPy"] = lambda: scipy.stats.ttest_ind(x, y)
    return {"x": x, "y": y}


@row("ks_2samp")
def _(n, x, peers):
    if n > 10000:
        return None
    y = x + np.random.default_rng(7).standard_normal(n)
    peers["SciPy"] = lambda: scipy.stats.ks_2samp(x, y, method="asymp")
    return {"x": x, "y": y, "method": "asymp"}


@row("mannwhitneyu")
def _(n, x, peers):
    y = x + np.random.default_rng(7).standard_normal(n)
    peers["SciPy"] = lambda: scipy.stats.mannwhitneyu(x, y, method="asymptotic")
    return {"x": x, "y": y, "method": "asymptotic"}


# ---- functions of each value

@row("normal_pdf")
def _(n, x, peers):
    z, out = x - 100, np.empty_like(x)
    peers["NumPy"] = lambda: np.exp(-0.5 * z * z) * 0.3989422804014327
    peers["SciPy"] = lambda: scipy.stats.norm.pdf(z)
    numba(peers, lambda: nb_pdf(z, out))
    return {"x": z}


@row("ndtr (normal cdf)", "ndtr")
def _(n, x, peers):
    z, out = x - 100, np.empty_like(x)
    peers["SciPy"] = lambda: scipy.special.ndtr(z)
    numba(peers, lambda: nb_cdf(z, out))
    return {"x": z}


def special(name, peer, loop, low, high):
    @row(name)
    def _(n, x, peers):
        z, out = np.random.default_rng(n).uniform(low, high, n), np.empty(n)
        peers["SciPy"] = lambda: peer(z)
        if loop and njit:
            peers["Numba"] = lambda: globals()[loop](z, out)
        return {"x": z}


special("gamma", scipy.special.gamma, "nb_gamma", 0.1, 20)
special("gammaln", scipy.special.gammaln, "nb_gammaln", 0.1, 200)
special("erf", scipy.special.erf, None, -3, 3)
special("erfc", scipy.special.erfc, None, -3, 8)


# ---- spectra

@row("fft", "fft")
def _(n, x, peers):
    peers["NumPy"] = lambda: np.fft.fft(x)
    peers["SciPy"] = lambda: scipy.fft.fft(x)
    return {"re": x}


class Fftw:
    """FFTW itself, with a plan measured beforehand: its best, when nobody waits for the plan."""
    FORWARD, MEASURE = -1, 0

    def __init__(self, x):
        self.lib = ctypes.CDLL("libfftw3.so.3")
        self.x, self.out = x, np.empty(len(x) if x.dtype == complex else len(x) // 2 + 1, complex)
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (self.x, self.out)]
        plan, more = ((self.lib.fftw_plan_dft_1d, [self.FORWARD]) if x.dtype == complex else (self.lib.fftw_plan_dft_r2c_1d, []))
        plan.restype = ctypes.c_void_p
        values = x.copy()
        self.plan = ctypes.c_void_p(plan(len(x), *pointers, *more, self.MEASURE))
        x[:] = values  # planning writes over them

    def __call__(self):
        self.lib.fftw_execute(self.plan)


@row("fft of pairs (2^k)", "fft")
def _(n, x, peers):
    z = np.resize(x, 1 << (n - 1).bit_length()) * (1 + 0.5j)
    peers["NumPy"] = lambda: np.fft.fft(z)
    peers["SciPy"] = lambda: scipy.fft.fft(z)
    peers["FFTW"] = Fftw(z)
    return {"z": z.view(float).reshape(-1, 2)}


@row("rfft as pairs (2^k)", "rfft")
def _(n, x, peers):
    z = np.resize(x, 1 << (n - 1).bit_length())
    peers["NumPy"] = lambda: np.fft.rfft(z)
    peers["SciPy"] = lambda: scipy.fft.rfft(z)
    peers["FFTW"] = Fftw(z)
    return {"x": z, "pairs": True}


@row("rfft (2^k)", "rfft")
def _(n, x, peers):
    z = np.resize(x, 1 << (n - 1).bit_length())
    peers["NumPy"] = lambda: np.fft.rfft(z)
    peers["SciPy"] = lambda: scipy.fft.rfft(z)
    return {"x": z}


@row("welch (1024)", "welch")
def _(n, x, peers):
    if n < 10000:
        return None
    peers["SciPy"] = lambda: scipy.signal.welch(x, nperseg=1024)
    return {"x": x, "nperseg": 1024}
