# SPDX-License-Identifier: MPL-2.0
"""indicators.bundle: what the functions give one by one, and the checks of a list of indicators."""
import numpy as np
import pytest

from indicator_cases import bars, cases, indicators, is_series, same_bits
from plugin import Plugin


@pytest.fixture(scope="module")
def plugin():
    with Plugin("indicators") as p:
        yield p


def test_one_by_one_and_together_same_bits(plugin):
    rng = np.random.default_rng(21)
    data = bars(300, 5)
    data["high"][:4] = np.nan
    data["volume"][200] = np.nan
    compared = 0
    for _ in range(3):
        chosen = [found for name in indicators(plugin) for found in cases(plugin, name, data, rng, 1)]
        chosen = [found for found in chosen if set(found[0].series) <= set(data)]
        got = plugin("bundle", **data, indicators=[{**case.entry, "as": f"{i}"} for i, (case, _) in enumerate(chosen)])
        assert len(got["values"]) == len(chosen)
        for i, ((case, whole), values) in enumerate(zip(chosen, got["values"])):
            assert (values.pop("fn"), values.pop("as")) == (case.name, f"{i}")
            assert set(values) == set(whole)
            for k, want in whole.items():
                assert same_bits(values[k], want), (case.entry, k)
                compared += 1
    assert compared > 30


def test_every_indicator_from_further_series(plugin):
    """All series under other names."""
    rng = np.random.default_rng(4)
    data = bars(90, 6)
    for name in indicators(plugin):
        case, whole = cases(plugin, name, data, rng, 1, longest=12)[0]
        other = {k: f"my {k}" for k in case.series}
        got = plugin("bundle", series={other[k]: v for k, v in case.series.items()}, indicators={**case.entry, **other})
        for k, want in whole.items():
            assert same_bits(got["values"][0][k], want), (case.entry, k)


def test_series_of_any_type(plugin):
    close = np.random.default_rng(9).integers(1, 200, 60)
    want = plugin("bundle", series={"x": close.astype(float)}, indicators={"fn": "sma", "period": 5, "close": "x"})["values"][0]["sma"]
    for dtype in (np.float32, np.int64, np.int32, np.int16, np.uint8):
        got = plugin("bundle", series={"x": close.astype(dtype)}, indicators={"fn": "sma", "period": 5, "close": "x"})
        assert same_bits(got["values"][0]["sma"], want), dtype


def test_the_same_twice(plugin):
    close = bars(100)["close"]
    got = plugin("bundle", close=close, indicators=[{"fn": "sma", "as": "a"}, {"fn": "sma", "period": 30}, {"fn": "sma", "period": 3}])
    a, b, c = got["values"]
    assert (a["as"], b["as"]) == ("a", "sma") and same_bits(a["sma"], b["sma"]) and not same_bits(a["sma"], c["sma"])


def test_as_many_as_there_may_be(plugin):
    entries = [{"fn": "sma", "period": 2 + i} for i in range(256)]
    got = plugin("bundle", close=bars(300)["close"], indicators=entries)["values"]
    assert len(got) == 256 and all(np.isnan(v["sma"]).sum() == 1 + i for i, v in enumerate(got))
    refused = plugin.refused("bundle", close=[1.0], indicators=entries + entries[:1])
    assert refused.text == "indicators has 257 entries, expected 1..256"


@pytest.mark.parametrize("entries, field, text", [
    ([], "indicators", "has 0 entries"),
    ([1, 2], "indicators", "is no list of maps"),
    ("sma", "indicators", "is no list of maps"),
    ([{"fn": "sma"}, "ema"], "indicators[1]", 'is "ema", expected a map'),
    ([{}], "indicators[0].fn", "is missing"),
    ([{"fn": "smma"}], "indicators[0].fn", 'is "smma", expected the name of an indicator'),
    ([{"fn": "cvd"}], "indicators[0].fn", "expected the name"),
    ([{"fn": "bundle"}], "indicators[0].fn", "expected the name"),
    ([{"fn": 7}], "indicators[0].fn", "is 7"),
    ({"fn": "sma", "period": 1}, "indicators.period", "is 1, expected 2..100000"),
    ([{"fn": "sma"}, {"fn": "sma", "period": 100001}], "indicators[1].period", "is 100001, expected 2..100000"),
    ([{"fn": "sma", "period": 2.5}], "indicators[0].period", "is 2.5, expected a whole number"),
    ([{"fn": "sma", "period": 1e300}], "indicators[0].period", "expected a whole number"),
    ([{"fn": "sma", "period": float("nan")}], "indicators[0].period", "expected a whole number"),
    ([{"fn": "sma", "period": "20"}], "indicators[0].period", 'is "20", expected a whole number'),
    ([{"fn": "sma", "period": True}], "indicators[0].period", "is true"),
    ([{"fn": "sma", "period": [20]}], "indicators[0].period", "is a list"),
    ([{"fn": "sma", "perod": 20}], "indicators[0].perod", "is unknown"),
    ([{"fn": "sma", "x" * 300: 20}], None, "is unknown"),
    ([{"fn": "bbands", "nbdev_up": float("inf")}], "indicators[0].nbdev_up", "expected a finite number"),
    ([{"fn": "bbands", "nbdev_up": 1e38}], "indicators[0].nbdev_up", "is 1e+38"),
    ([{"fn": "bbands", "ma_type": "zma"}], "indicators[0].ma_type", 'is "zma", expected one of sma|'),
    ([{"fn": "bbands", "ma_type": "sma|ema"}], "indicators[0].ma_type", "expected one of"),
    ([{"fn": "bbands", "ma_type": 1}], "indicators[0].ma_type", "is 1, expected a string"),
    ([{"fn": "sma", "close": "volume"}], "volume", "volume is missing, indicators[0] (sma) takes it"),
    ([{"fn": "sma", "close": 3}], "indicators[0].close", "is 3, expected a name"),
    ([{"fn": "sma", "as": ""}], "indicators[0].as", "expected a name"),
    ([{"fn": "sma", "as": "x" * 65}], "indicators[0].as", "expected a name"),
    ([{"fn": "sma", "as": "é"}], "indicators[0].as", "expected a name"),
    ([{"fn": "sma"}, {"fn": "obv"}], "volume", "volume is missing, indicators[1] (obv) takes it"),
])
def test_refused(plugin, entries, field, text):
    refused = plugin.refused("bundle", close=[1.0, 2.0], indicators=entries)
    assert refused.status == "invalid" and text in refused.text
    assert field is None or refused.field == field


def test_accepted(plugin):
    ask = {"fn": "sma", "period": 2.0, "as": None, "close": None}
    assert list(plugin("bundle", close=[1, 2], indicators=ask)["values"][0]["sma"])[1] == 1.5
    assert len(plugin("bundle", close=[1, 2], indicators=[{"fn": "bbands", "nbdev_up": 2, "period": None}])["values"]) == 1


@pytest.mark.parametrize("series, field, text", [
    ({"x": [1.0, 2.0, 3.0]}, "series.x", "has 3 bars, expected as many as the others, 2"),
    ({"x": []}, "series.x", "has 0 bars"),
    ({"x": "abc"}, "series.x", "is no list of numbers"),
    ({"x": [1, "a"]}, "series.x", "is no list of numbers"),
    ({"x": [[1.0, 2.0], [1.0, 2.0]]}, "series.x", "is no list of numbers"),
    ({"close": [1.0, 2.0]}, "series.close", "is there already"),
    ({"x" * 65: [1.0, 2.0]}, None, "has a name that is too long"),
    ({f"x{i}": [1, 2] for i in range(40)}, "series", "has too many members"),
    ([1, 2], "series", "is no map"),
])
def test_series_refused(plugin, series, field, text):
    refused = plugin.refused("bundle", close=[1.0, 2.0], series=series, indicators=[{"fn": "sma"}])
    assert refused.status == "invalid" and text in refused.text
    assert field is None or refused.field == field


def test_series_of_integers_and_of_nothing(plugin):
    ask = [{"fn": "sma", "period": 2, "close": k} for k in ("whole", "none")]
    got = plugin("bundle", series={"whole": [1, 2, 4], "none": [None] * 3}, indicators=ask)["values"]
    assert list(got[0]["sma"])[1:] == [1.5, 3.0] and np.isnan(got[1]["sma"]).all()
    assert plugin.refused("bundle", indicators=ask).field == "close"


def test_ranges_of_elements_are_checked(plugin):
    data = bars(20)
    data["volume"][11] = -2.5
    refused = plugin.refused("bundle", **data, indicators=[{"fn": "obv"}, {"fn": "vwap"}])
    assert refused.field == "volume"
    assert refused.text == "volume[11] is -2.5, expected >= 0 by vwap, entry 1 of the list"
    assert len(plugin("bundle", **data, indicators=[{"fn": "obv"}])["values"]) == 1


def test_every_parameter_of_an_indicator_can_stand_in_a_list(plugin):
    for name in indicators(plugin):
        contract = plugin.contracts[name]
        kinds = {row["kind"] for row in contract["params"] if not is_series(row)}
        assert kinds <= {"int", "float", "bool", "string"}, name
        assert all(is_series(row) for row in contract["results"]), name
        assert not {"fn", "as"} & {row["name"] for row in contract["params"]}, name
