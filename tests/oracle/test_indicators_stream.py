# SPDX-License-Identifier: MPL-2.0
"""indicators.stream: the bits of the functions themselves however the bars are cut, and states that are damaged or forged."""
import os
import struct

import numpy as np
import pytest

from indicator_cases import arguments, bars, cases, indicators, same_bits
from plugin import MODE, Plugin, Refused

N = 400 if MODE == "release" else 200
NAMES = {}
with Plugin("indicators") as probe:
    NAMES = indicators(probe)


@pytest.fixture(scope="module")
def plugin():
    with Plugin("indicators") as p:
        yield p


def test_the_catalogue_is_covered():
    assert len(NAMES) >= 8 and {"sma", "ema", "bbands", "rsi", "macd", "atr", "obv", "vwap"} <= set(NAMES)


def play(plugin, entries, series, cuts, named=lambda k: True):
    """The values of all entries over bars cut at `cuts`: a list of {name of a result: array}."""
    state, parts = None, []
    n = len(next(iter(series.values())))
    for k, (begin, end) in enumerate(zip([0] + cuts, cuts + [n])):
        args = arguments(series, slice(begin, end))
        if state is not None:
            args["state"] = state
        if state is None or named(k):
            args["indicators"] = entries
        got = plugin("stream", **args)
        assert got["bars"] == end
        state = got["state"]
        parts.append(got["values"])
    return [{k: np.concatenate([np.asarray(part[i][k], float) for part in parts])
             for k in parts[0][i] if k not in ("fn", "as")} for i in range(len(entries))]


def cuts_of(rng, n, most):
    return sorted(int(c) for c in rng.choice(np.arange(1, n), size=rng.integers(1, most), replace=False))


def check(name, got, want, about):
    assert set(got) == set(want)
    for k in want:
        assert same_bits(got[k], want[k]), f"{name}.{k} with {about}: at {np.nonzero(got[k] != want[k])[0][:3]}"


@pytest.mark.parametrize("name", NAMES)
def test_any_cuts_same_bits(plugin, name):
    rng = np.random.default_rng(len(name) * 1009 + sum(map(ord, name)))
    data = bars(N, 7)
    for case, whole in cases(plugin, name, data, rng, 4):
        for cuts in (cuts_of(rng, N, 30), cuts_of(rng, N, 6)):
            got = play(plugin, [case.entry], case.series, cuts, lambda k: k % 3 == 1)[0]
            check(name, got, whole, (case.params, cuts))
    case, whole = cases(plugin, name, data, rng, 1, longest=12)[0]
    check(name, play(plugin, [case.entry], case.series, list(range(1, 90)))[0], whole, (case.params, "bar by bar"))


@pytest.mark.parametrize("name", NAMES)
def test_gaps_same_bits(plugin, name):
    rng = np.random.default_rng(sum(map(ord, name)))
    n = 120
    data = bars(n, 3)
    for case, _ in cases(plugin, name, data, rng, 2, longest=12):
        for where in (slice(0, 1), slice(0, 17), slice(60, 61), slice(0, n), slice(n - 1, n)):
            series = {k: v.copy() for k, v in case.series.items()}
            series[sorted(series)[0]][where] = np.nan
            series[sorted(series)[-1]][: 5 * (where.start == 0)] = np.nan
            case.series = series
            for cuts in ([16, 17, 18, 59, 60, 61, 100], [1, 2, 3, 4, 5, 6, 62], cuts_of(rng, n, 20)):
                check(name, play(plugin, [case.entry], series, cuts)[0], case.alone(plugin), (case.params, where, cuts))


def test_long_bars_and_long_periods(plugin):
    """Over several pieces, with blocks longer than a piece."""
    rng = np.random.default_rng(5)
    n = 150000 if MODE == "release" else 40000
    data = bars(n, 11)
    for name in NAMES if MODE == "release" else ("sma", "bbands", "vwap"):
        case, whole = cases(plugin, name, data, rng, 1, longest=60)[0]
        check(name, play(plugin, [case.entry], case.series, cuts_of(rng, n, 4))[0], whole, case.params)
    for period in (13000, 39000):
        entries = [{"fn": "sma", "period": period}, {"fn": "bbands", "period": period, "ma_type": "ema"},
                   {"fn": "vwap", "period": period}]
        got = play(plugin, entries, data, cuts_of(rng, n, 5))
        for entry, values in zip(entries, got):
            names = [k["name"] for k in plugin.contracts[entry["fn"]]["params"] if k["name"] in data]
            args = {k: v for k, v in entry.items() if k != "fn"}
            check(entry["fn"], values, plugin(entry["fn"], **{k: data[k] for k in names}, **args), period)


def test_all_at_once(plugin):
    """Every indicator in one stream: series are shared, held once, and each has its own gaps."""
    rng = np.random.default_rng(9)
    n = 150
    data = bars(n, 13)
    data["volume"][:7] = np.nan
    data["open"][90] = np.nan
    chosen = [cases(plugin, name, data, rng, 1, longest=20)[0] for name in NAMES]
    chosen = [(c, w) for c, w in chosen if set(c.series) <= set(data)]
    assert len(chosen) >= 8
    got = play(plugin, [c.entry for c, _ in chosen], data, cuts_of(rng, n, 40))
    for (case, whole), values in zip(chosen, got):
        check(case.name, values, whole, case.params)


def test_series_come_in_any_order_and_from_elsewhere(plugin):
    data = bars(60, 2)
    entries = [{"fn": "sma", "close": "odd", "period": 7}, {"fn": "atr", "close": "even", "low": "odd"}]
    whole = plugin("bundle", high=data["high"], series={"odd": data["open"], "even": data["close"]}, indicators=entries)
    first = plugin("stream", high=data["high"][:33], series={"odd": data["open"][:33], "even": data["close"][:33]},
                   indicators=entries)
    second = plugin("stream", high=data["high"][33:], series={"even": data["close"][33:], "odd": data["open"][33:]},
                    state=first["state"])
    for i, k in ((0, "sma"), (1, "atr")):
        assert same_bits(np.concatenate([first["values"][i][k], second["values"][i][k]]), whole["values"][i][k])


# ---- what does not fit ------------------------------------------------------------------------------------------------------

ENTRIES = [{"fn": "sma", "period": 20}, {"fn": "bbands", "period": 14, "nbdev_up": 2.5, "ma_type": "ema"}, {"fn": "obv"},
           {"fn": "macd", "as": "trend"}]


@pytest.fixture(scope="module")
def state(plugin):
    return plugin("stream", **arguments(bars(50), slice(None)), indicators=ENTRIES)["state"]


@pytest.mark.parametrize("asked, text", [
    ([{"fn": "sma", "period": 21}] + ENTRIES[1:], "indicators[0].period is 21, the state holds 20"),
    (ENTRIES[:1] + [{"fn": "bbands", "period": 14, "nbdev_up": 2.5}] + ENTRIES[2:],
     'indicators[1].ma_type is "sma", the state holds "ema"'),
    (ENTRIES[:1] + [{**ENTRIES[1], "nbdev_up": 2.25}] + ENTRIES[2:], "indicators[1].nbdev_up is 2.25, the state holds 2.5"),
    ([{"fn": "ema", "period": 20}] + ENTRIES[1:], 'indicators[0].fn is "ema", the state holds "sma"'),
    (ENTRIES[:2] + [{"fn": "obv", "close": "high"}] + ENTRIES[3:], 'indicators[2].close is "high", the state holds "close"'),
    (ENTRIES[:3], "indicators has 3 entries, the state holds 4"),
])
def test_another_question_than_the_state(plugin, state, asked, text):
    refused = plugin.refused("stream", **arguments(bars(3)), state=state, indicators=asked)
    assert refused.status == "invalid" and refused.text == text


def test_labels_are_those_asked_last(plugin, state):
    data = arguments(bars(3))
    assert [v["as"] for v in plugin("stream", **data, state=state)["values"]] == ["sma", "bbands", "obv", "trend"]
    asked = [{**e, "as": f"no {i}"} for i, e in enumerate(ENTRIES)]
    got = plugin("stream", **data, state=state, indicators=asked)
    assert [v["as"] for v in got["values"]] == ["no 0", "no 1", "no 2", "no 3"]


def test_a_state_without_its_series(plugin, state):
    refused = plugin.refused("stream", close=[1.0], state=state)
    assert refused.field == "volume" and "state.indicators[2] (obv)" in refused.text


@pytest.mark.parametrize("junk", [b"", b"K", b"KIST", b"KIST" + bytes(8), bytes(100), b"KIST" + os.urandom(300)])
def test_junk(plugin, junk):
    assert plugin.refused("stream", **arguments(bars(3)), state=junk, indicators=ENTRIES).field == "state"


def test_every_damaged_byte_shows(plugin, state):
    data = arguments(bars(3))
    for at in range(len(state)):
        bad = bytearray(state)
        bad[at] ^= 1 << at % 8
        assert plugin.refused("stream", **data, state=bytes(bad)).field == "state"
    for size in range(0, len(state), 7):
        assert plugin.refused("stream", **data, state=state[:size]).field == "state"


def sealed(body):
    """A state with its checksum, as a forger would make it."""
    h = 0x9E3779B97F4A7C15 ^ len(body)
    for i in range(0, len(body), 8):
        h = (h ^ int.from_bytes(body[i:i + 8], "little")) * 0xFF51AFD7ED558CCD % (1 << 64)
        h ^= h >> 29
    return bytes(body) + struct.pack("<Q", h)


def forge(plugin, bad, data):
    try:
        plugin("stream", **data, state=sealed(bad))
        return 1
    except Refused as e:
        assert e.status in ("invalid", "resource"), e
        return 0


def test_forged_states(plugin, state):
    """Any byte changed, cut or added, with the right checksum: refused, or taken for other doubles; never a crash."""
    rng = np.random.default_rng(17)
    data = arguments(bars(3))
    body = bytearray(state[:-8])
    assert sealed(body) == state
    taken = 0
    for at in range(len(body)):
        for value in (0, 1, 0x7F, 0xFF, int(rng.integers(256))):
            bad = bytearray(body)
            bad[at] = value
            taken += forge(plugin, bad, data)
    assert 0 < taken < 5 * len(body)
    for _ in range(1000):
        bad = bytearray(body)
        for _ in range(int(rng.integers(1, 6))):
            at, size = int(rng.integers(len(bad))), int(rng.choice([1, 2, 4, 8]))
            bad[at:at + size] = int(rng.choice([0, 1, 255, 2**31 - 1, 2**32 - 1, 2**53, 2**63])).to_bytes(8, "little")[:size]
        forge(plugin, bad, data)
    for size in range(0, len(body), 5):
        assert forge(plugin, body[:size], data) == 0
    assert forge(plugin, body + bytes(1), data) == 0


@pytest.mark.parametrize("name", NAMES)
def test_forged_values(plugin, name):
    """Doubles that no kernel would leave behind, of each indicator: whatever comes out, it is no crash."""
    rng = np.random.default_rng(3)
    data = bars(80, 5)
    case, _ = cases(plugin, name, data, rng, 1, longest=12)[0]
    body = bytearray(plugin("stream", **arguments(case.series, slice(0, 60)), indicators=[case.entry])["state"][:-8])
    rest = arguments(case.series, slice(60, 80))
    wild = [struct.pack("<d", v) for v in (np.nan, np.inf, -np.inf, -1e308, 5e-324, 1e18, -1.0)]
    for _ in range(60):
        bad = bytearray(body)
        for _ in range(int(rng.integers(1, 8))):
            at = len(bad) - 8 * int(rng.integers(1, max(2, len(bad) // 8 - 6)))
            bad[at:at + 8] = wild[int(rng.integers(len(wild)))]
        forge(plugin, bad, rest)


def test_counts_of_bars(plugin):
    """Streams that are said to have run for ever, and further than they can have."""
    body = bytearray(plugin("stream", close=np.arange(1.0, 50.0), indicators=[{"fn": "ema", "period": 5}])["state"][:-8])
    assert struct.unpack_from("<Q", body, 8)[0] == 49
    at = body.index(struct.pack("<QB", 49, 0), 16)
    for bars_so_far, clean, fine in ((2**53, 2**53, 1), (2**53 + 1, 49, 0), (2**63, 2**63, 0), (49, 50, 0), (60, 49, 1)):
        struct.pack_into("<Q", body, 8, bars_so_far)
        struct.pack_into("<Q", body, at, clean)
        assert forge(plugin, body, {"close": [1.0, 2.0]}) == fine


def test_counts_of_held_bars(plugin):
    """Fewer and more bars than the windows read, with the bytes to match."""
    close = np.arange(1.0, 50.0)
    body = plugin("stream", close=close, indicators=[{"fn": "sma", "period": 20}])["state"][:-8]
    at = body.rindex(b"\x05close\0") + 7
    held, = struct.unpack_from("<I", body, at)
    assert held >= 19 and body[at + 4:] == close[-held:].tobytes()
    for count in range(2 * held):
        forged = body[:at] + struct.pack("<I", count) + np.resize(close, count).tobytes()
        assert forge(plugin, forged, {"close": [1.0, 2.0]}) == (count == held)
    for missing in range(held):
        values = close[-held:].copy()
        values[missing] = np.nan
        assert forge(plugin, body[:at + 4] + values.tobytes(), {"close": [1.0, 2.0]}) == 0


def test_the_same_twice(plugin):
    """Entries that are computed once stay apart in the state."""
    data, entries = bars(90, 8), [{"fn": "ema", "as": "a"}, {"fn": "ema", "as": "b"}, {"fn": "ema", "period": 7}]
    a, b, c = play(plugin, entries, {"close": data["close"]}, [10, 11, 40])
    assert same_bits(a["ema"], b["ema"]) and same_bits(a["ema"], plugin("ema", close=data["close"])["ema"])
    assert same_bits(c["ema"], plugin("ema", close=data["close"], period=7)["ema"])
