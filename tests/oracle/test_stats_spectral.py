# SPDX-License-Identifier: MPL-2.0
"""Fourier transforms, windows and spectra of the plugin stats, beside numpy.fft and scipy.signal."""
import numpy as np
import pytest
import scipy.signal as sig

from plugin import MODE, Plugin

LENGTHS = [1, 2, 3, 4, 5, 7, 8, 13, 16, 31, 64, 97, 100, 127, 210, 256, 1000, 1009, 1024, 4096, 4099, 10000, 16384, 65537]
EPS = 2.0**-52


@pytest.fixture(scope="module")
def stats():
    with Plugin("stats") as p:
        yield p


def noise(n, seed=1):
    return np.random.default_rng(seed).standard_normal(n)


def pairs(result):
    assert set(result) == {"z"}
    z = np.asarray(result["z"], dtype=float)
    return z[:, 0] + 1j * z[:, 1]


def both(r):
    return r["re"] + 1j * r["im"]


def close(got, want, scale=1.0, digits=64):
    """Errors of a transform are a few eps of the largest value, whatever the value itself."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    most = np.max(np.abs(want)) if want.size else 0
    assert np.all(np.abs(got - want) <= digits * EPS * max(most, scale)), np.max(np.abs(got - want)) / max(most, scale)


def exact_dft(x):
    """The definition, in long double, with angles reduced in integers."""
    n = len(x)
    turns = np.outer(np.arange(n), np.arange(n)) % n
    angle = np.longdouble(-2) * np.arccos(np.longdouble(-1)) * turns.astype(np.longdouble) / n
    return (np.cos(angle) @ x.real - np.sin(angle) @ x.imag) + 1j * (np.sin(angle) @ x.real + np.cos(angle) @ x.imag)


@pytest.mark.parametrize("n", [1 << 19, 8 * 64 * 1025, 1 << 21], ids=str)
def test_many_values(stats, n):
    """Lengths that are taken apart into eight columns."""
    x, y = noise(n), noise(n, 2)
    want = np.fft.fft(x + 1j * y)
    for got in (both(stats("fft", re=x, im=y)), pairs(stats("fft", z=np.stack([x, y], axis=1)))):
        assert np.max(np.abs(got - want)) < 1e-12 * np.sqrt(n)
    back = pairs(stats("ifft", z=np.stack([want.real, want.imag], axis=1)))
    assert np.max(np.abs(back - (x + 1j * y))) < 1e-13
    x[n // 3] = np.nan
    assert np.all(np.isnan(pairs(stats("fft", z=np.stack([x, y], axis=1)))))


@pytest.mark.parametrize("n", LENGTHS)
def test_transforms_are_numpys(stats, n):
    x, y = noise(n), noise(n, 2)
    close(both(stats("fft", re=x, im=y)), np.fft.fft(x + 1j * y))
    close(both(stats("fft", re=x)), np.fft.fft(x))
    close(both(stats("ifft", re=x, im=y)), np.fft.ifft(x + 1j * y))
    close(both(stats("ifft", re=x)), np.fft.ifft(x))
    z = np.stack([x, y], axis=1)
    close(pairs(stats("fft", z=z)), np.fft.fft(x + 1j * y))
    close(pairs(stats("ifft", z=z)), np.fft.ifft(x + 1j * y))
    close(both(stats("rfft", x=x)), np.fft.rfft(x))
    back = stats("irfft", re=x[: n // 2 + 1], im=y[: n // 2 + 1], n=n)["x"]
    close(back, np.fft.irfft(x[: n // 2 + 1] + 1j * y[: n // 2 + 1], n))


@pytest.mark.parametrize("n", [1, 2, 3, 12, 37, 128, 331])
def test_transforms_hold_their_digits(stats, n):
    """Against the definition in long double: NumPy's own error is of no matter."""
    for shift in (0, 1e9):
        x = noise(n) + shift + 1j * (noise(n, 2) - shift)
        want = exact_dft(x.astype(np.clongdouble))
        close(both(stats("fft", re=x.real, im=x.imag)), want, digits=8)
        close(both(stats("fft", re=x.real)), exact_dft(x.real.astype(np.clongdouble)), digits=8)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_lengths_and_norms(stats, norm):
    x, y = noise(10), noise(10, 2)
    for n in (1, 2, 5, 9, 10, 11, 16, 33):
        close(both(stats("fft", re=x, im=y, n=n, norm=norm)), np.fft.fft(x + 1j * y, n, norm=norm))
        close(pairs(stats("fft", z=np.stack([x, y], axis=1), n=n, norm=norm)), np.fft.fft(x + 1j * y, n, norm=norm))
        close(pairs(stats("ifft", z=np.stack([x, y], axis=1), n=n, norm=norm)), np.fft.ifft(x + 1j * y, n, norm=norm))
        close(both(stats("fft", re=x, n=n, norm=norm)), np.fft.fft(x, n, norm=norm))
        close(both(stats("ifft", re=x, im=y, n=n, norm=norm)), np.fft.ifft(x + 1j * y, n, norm=norm))
        close(both(stats("ifft", re=x, n=n, norm=norm)), np.fft.ifft(x, n, norm=norm))
        close(both(stats("rfft", x=x, n=n, norm=norm)), np.fft.rfft(x, n, norm=norm))
        close(pairs(stats("rfft", x=x, n=n, norm=norm, pairs=True)), np.fft.rfft(x, n, norm=norm))
        close(stats("irfft", re=x, im=y, n=n, norm=norm)["x"], np.fft.irfft(x + 1j * y, n, norm=norm))
        close(stats("irfft", re=x, n=n, norm=norm)["x"], np.fft.irfft(x, n, norm=norm))
    close(stats("irfft", re=x, im=y)["x"], np.fft.irfft(x + 1j * y))


def test_there_and_back(stats):
    for n in (6, 1000, 10007):
        x, y = noise(n) * 1e6, noise(n, 2) * 1e-6
        f = stats("fft", re=x, im=y)
        close(both(stats("ifft", re=f["re"], im=f["im"])), x + 1j * y)
        f = stats("rfft", x=x)
        close(stats("irfft", re=f["re"], im=f["im"], n=n)["x"], x)


def test_equal_arguments_give_equal_bits_however_many_lengths_came_between(stats):
    x = noise(1000)
    first = stats("fft", re=x)
    for n in range(1, 200):
        stats("rfft", x=x, n=n)
        stats("fft", re=x, im=x, n=n)
    again = stats("fft", re=x)
    assert np.array_equal(first["re"], again["re"]) and np.array_equal(first["im"], again["im"])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [1, 2, 3, 16, 97, 100])
def test_what_is_not_finite_spreads_everywhere(stats, n, bad):
    for at in {0, n // 2, n - 1}:
        x, y = noise(n), noise(n, 2)
        x[at] = bad
        for result in (stats("rfft", x=x), stats("fft", re=x), stats("ifft", re=x), stats("fft", re=x, im=y), stats("ifft", re=y, im=x)):
            assert np.all(np.isnan(result["re"])) and np.all(np.isnan(result["im"]))
        assert np.all(np.isnan(stats("irfft", re=x, n=2 * n)["x"]))
        if 0 < at:
            assert np.all(np.isnan(stats("irfft", re=y, im=x, n=2 * n)["x"]))
        assert np.all(np.isnan(stats("welch", x=x, nperseg=n)["pxx"]))
        assert np.all(np.isnan(stats("periodogram", x=x, detrend="none")["pxx"]))


def test_extreme_values(stats):
    x = noise(64)
    close(both(stats("fft", re=x * 1e300)) / 1e300, np.fft.fft(x))
    close(both(stats("fft", re=x * 2.0**-1040)) * 2.0**1000 * 2.0**40, np.fft.fft(x), digits=2.0**30)
    assert np.all(stats("rfft", x=np.zeros(10))["re"] == 0)


def test_refusals(stats):
    assert stats.refused("irfft", re=[1]).field == "re"
    assert stats.refused("fft", re=[]).field == "re"
    assert stats.refused("fft", re=[1], n=0).field == "n"
    assert stats.refused("fft", re=[1], n=2**40).field == "n"
    assert stats.refused("fft", re=[1, 2], im=[1]).field == "im"
    assert stats.refused("fft", re=[1], n=2**30).status == "resource"
    assert stats.refused("fftfreq", n=2**30).status == "resource"
    assert stats.refused("fft", re=[1], norm="other").field == "norm"


def test_frequencies(stats):
    for n in (1, 2, 3, 8, 9, 1000, 1001):
        for d in (1, 0.25, 1 / 3, 1e-300, 1e300):
            np.testing.assert_allclose(stats("fftfreq", n=n, d=d)["freq"], np.fft.fftfreq(n, d), rtol=4 * EPS)
            np.testing.assert_allclose(stats("rfftfreq", n=n, d=d)["freq"], np.fft.rfftfreq(n, d), rtol=4 * EPS)


WINDOWS = ["boxcar", "triang", "bartlett", "hann", "hamming", "blackman", "nuttall", "blackmanharris", "flattop", "cosine",
           ("kaiser", 0.0), ("kaiser", 8.6), ("kaiser", 200.0), ("gaussian", 3.0), ("gaussian", 1e-3)]


def named(window):
    return {"window": window} if isinstance(window, str) else {"window": window[0], {"kaiser": "beta", "gaussian": "std"}[window[0]]: window[1]}


@pytest.mark.parametrize("window", WINDOWS)
def test_windows_are_scipys(stats, window):
    for n in [*range(1, 12), 64, 255, 1000]:
        for sym in (False, True):
            want = sig.get_window(window, n, fftbins=not sym)
            np.testing.assert_allclose(stats("get_window", nx=n, sym=sym, **named(window))["window"], want, rtol=1e-12, atol=4e-16)
            if sym:
                got = stats("get_window", nx=n, sym=True, **named(window))["window"]
                assert np.array_equal(got, got[::-1])


def test_windows_need_what_they_need(stats):
    assert stats.refused("get_window", nx=4, window="kaiser").field == "beta"
    assert stats.refused("get_window", nx=4, window="gaussian").field == "std"
    assert stats.refused("get_window", nx=4, window="hann", beta=1).field == "beta"
    assert stats.refused("get_window", nx=0).field == "nx"
    assert stats.refused("welch", x=[1, 2], window="kaiser").field == "beta"


def check(got, f, p, **tolerance):
    np.testing.assert_allclose(got["f"], f, rtol=8 * EPS)
    tolerance = {"rtol": 1e-11, "atol": 1e-15 * np.max(np.abs(p)), **tolerance}
    np.testing.assert_allclose(got["pxx"] if "pxx" in got else got.get("cxy", got.get("re")), p.real, **tolerance)
    if "im" in got:
        np.testing.assert_allclose(got["im"], p.imag, **tolerance)


SETTINGS = [
    {}, {"nperseg": 100}, {"nperseg": 101, "noverlap": 0}, {"nperseg": 64, "noverlap": 63}, {"nperseg": 100, "nfft": 128}, {"nperseg": 51, "nfft": 77},
    {"detrend": "linear"}, {"detrend": "none"}, {"scaling": "spectrum"}, {"average": "median"}, {"average": "median", "nperseg": 100},
    {"fs": 1000.0, "window": "blackman"}, {"nperseg": 5000}, {"nperseg": 1, "detrend": "none"}, {"nperseg": 2, "average": "median", "window": "boxcar"},
]


def scipys(kw):
    kw = dict(kw)
    kw["detrend"] = {"none": False}.get(kw.get("detrend"), kw.get("detrend", "constant"))
    return kw


@pytest.mark.filterwarnings("ignore:nperseg")
@pytest.mark.parametrize("n", [300, 1000, 1537])
@pytest.mark.parametrize("kw", SETTINGS)
def test_welch_and_csd_are_scipys(stats, n, kw):
    x = noise(n) + np.linspace(0, 3, n) + 5
    y = noise(n, 2) + 0.5 * x
    check(stats("welch", x=x, **kw), *sig.welch(x, **scipys(kw)))
    check(stats("csd", x=x, y=y, **kw), *sig.csd(x, y, **scipys(kw)))
    np.testing.assert_allclose(stats("csd", x=x, y=x, **kw)["re"], stats("welch", x=x, **kw)["pxx"], rtol=1e-14)
    if not {"scaling", "average"} & set(kw):
        with np.errstate(all="ignore"):
            f, c = sig.coherence(x, y, **scipys(kw))
        got = stats("coherence", x=x, y=y, **kw)
        solid = sig.welch(x, **scipys(kw))[1] > 1e-20
        np.testing.assert_allclose(got["f"], f, rtol=8 * EPS)
        np.testing.assert_allclose(got["cxy"][solid], c[solid], rtol=1e-10)


@pytest.mark.filterwarnings("ignore:nperseg")
def test_short_series(stats):
    for n in range(1, 12):
        x = noise(n) + 1
        for detrend in ("constant", "linear", "none"):
            kw = {"detrend": detrend}
            check(stats("welch", x=x, **kw), *sig.welch(x, **scipys(kw)), atol=1e-27)
            check(stats("periodogram", x=x, **kw), *sig.periodogram(x, **scipys(kw)), atol=1e-27)


@pytest.mark.parametrize("n", [2, 9, 100, 1001])
@pytest.mark.parametrize("kw", [{}, {"nfft": 50}, {"nfft": 2048}, {"detrend": "linear"}, {"scaling": "spectrum", "window": "hann"}, {"fs": 8.0, "detrend": "none"}])
def test_periodogram_is_scipys(stats, n, kw):
    x = noise(n) + 3
    check(stats("periodogram", x=x, **kw), *sig.periodogram(x, **scipys(kw)), atol=1e-27)


def test_a_drift_far_from_zero_does_not_drown_the_noise(stats):
    """1e9 + 1e4 i + noise: what is taken away must be taken away exactly."""
    n = 4096
    x = (noise(n) + 1e9 + 1e4 * np.arange(n)).astype(np.longdouble).astype(float)
    t = np.arange(n, dtype=np.longdouble) - np.longdouble(n - 1) / 2
    for detrend in ("constant", "linear"):
        rest = x.astype(np.longdouble) - x.astype(np.longdouble).mean()
        if detrend == "linear":
            rest -= (t @ rest) / (t @ t) * t
        f, want = sig.periodogram(rest.astype(float), detrend=False)
        got = stats("periodogram", x=x, detrend=detrend)["pxx"]
        np.testing.assert_allclose(got[1:], want[1:], rtol=1e-6, atol=1e-9 * np.median(want))


def test_power_spectrum(stats):
    for n in (1, 2, 5, 1000):
        x = noise(n)
        got = stats("power_spectrum", x=x, fs=3)
        np.testing.assert_allclose(got["power"], np.abs(np.fft.rfft(x)) ** 2 / n, rtol=1e-11, atol=1e-15)
        np.testing.assert_allclose(got["f"], np.fft.rfftfreq(n, 1 / 3), rtol=8 * EPS)


def test_spectra_refuse(stats):
    assert stats.refused("welch", x=[1, 2, 3], noverlap=3).field == "noverlap"
    assert stats.refused("welch", x=[1, 2, 3], nfft=2).field == "nfft"
    assert stats.refused("welch", x=[1, 2, 3], fs=0).field == "fs"
    assert stats.refused("csd", x=[1, 2, 3], y=[1, 2]).field == "y"
    assert stats.refused("periodogram", x=[1, 2, 3], window="gaussian", std=1e-300).field == "window"


def test_a_long_prime_length_and_many_values(stats):
    n = 1000003 if MODE == "release" else 100003
    x = noise(n)
    close(both(stats("rfft", x=x)), np.fft.rfft(x), digits=512)


def test_measured_plans_give_the_same(stats):
    x, y = noise(96), noise(96, 2)
    with Plugin("stats", {"fft_plan": "measure", "fft_plan_ms": 20}) as measured:
        for _ in range(20):
            got = measured("fft", re=x, im=y)
        close(both(got), np.fft.fft(x + 1j * y))
        for _ in range(20):
            got = measured("irfft", re=x, im=y)
        close(got["x"], np.fft.irfft(x + 1j * y))
