# SPDX-License-Identifier: MPL-2.0
"""What a worker must refuse: damaged payloads, and arguments that break their contract. Each answer names the field, the
value and what was expected; each is counted; no worker is harmed and the next good job is served."""
import struct

import pytest

from house import pack

THREE = struct.pack("<3d", 1, 2.385, 3)
INF, NAN = float("inf"), float("nan")


def nd(data=THREE, shape=(3,), type="<f8", **more):
    return {"nd": True, "type": type, "shape": list(shape), "data": data, **more}


def nested(depth):
    value = 2.385
    for _ in range(depth):
        value = [value]
    return value


@pytest.fixture(scope="module", autouse=True)
def unharmed(house):
    """After all of it: nobody died."""
    before = house.counters()
    yield
    moved = house.moved(before)
    assert not {"workers_lost", "workers_left", "workers_joined", "jobs_crashed", "worker_messages_bad"} & set(moved), moved
    assert all(p["restarts"] == 0 and p["state"] == "ready" for p in house.plugins().values())


def refused(house, producer, fn, payload, field, *words):
    before, row = house.counters(), house.function(fn)
    answer = producer.call_raw(fn, payload).expect("invalid", field, *words)
    assert house.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, jobs_ended=1)
    now = house.function(fn)
    assert now["errors"] == row["errors"] + 1 and now["statuses"]["invalid"] == row["statuses"].get("invalid", 0) + 1
    return answer


@pytest.mark.parametrize("payload, field, words", [
    (b"\xc1", None, "unused byte 0xc1 at byte 0"),
    (b"", None, "empty"),
    (b"hello", None, "byte 1 of 5"),
    (b"\x81\xa1x\x93\x01\x02", None, "announces 3 values at byte 3, but only 2 bytes follow"),
    (b"\x81\xa1x\xcb\x40\x00", None, "truncated"),
    (b"\x80\x80", None, "more follows"),
    (b"\x81\xa1x" + b"\x91" * 200000, None, "nested deeper than 24"),
    (pack({"x": nested(30)}), None, "nested deeper than 24"),
    (b"\x81\xa1x\xdd\xff\xff\xff\xff", None, "announces 4294967295 values"),
    (b"\xdf\xff\xff\xff\xff", None, "announces 8589934590 values"),
    (b"\x81\xa1x\xdf\x7f\xff\xff\xff\xa1a", None, "announces"),
    (b"\x81\xa1x\xc6\x7f\xff\xff\xff12", None, "truncated"),
    (b"\x81\xa1x\xdb\xff\xff\xff\xff12", None, "truncated"),
    (b"\x81\xa1x\xc7\x01\x05a", "x", "x is a msgpack extension"),
    (b"\x82\xa1x\x91\x01\xa1x\x91\x02", "x", '"x" is there twice'),
    (pack([1, 2]), None, "the payload is a list of 2, expected a map"),
    (pack(None), None, "the payload is null, expected a map"),
    (b"\x81\x01\x91\x01", None, "the key 1, expected a string"),
], ids=str)
def test_damaged_payload(house, producer, payload, field, words):
    refused(house, producer, "stats.mean", payload, field, words)
    producer.call("stats.mean", {"x": [1, 2.385]}).expect("ok")


@pytest.mark.parametrize("fn, args, field, words", [
    # unknown and missing
    ("stats.mean", {"x": [1], "y": [2]}, "y", 'unknown argument "y", expected one of x, data, axis, nan_policy'),
    ("stats.mean", {}, "x", "x is missing, expected x or data"),
    ("stats.mean", {"x": None}, "x", "x is missing, expected x or data"),
    ("echo.scale", {"x": [1], "form": "zip"}, "form", 'form is "zip", expected list|rows|nd'),
    ("echo.scale", {"x": [1], "form": 5}, "form", "form is 5"),
    ("stats.correlation", {"x": [1, 2]}, "y", "y is missing"),
    # of the wrong type
    ("stats.mean", {"x": True}, "x", "x is true, expected a list of numbers"),
    ("stats.mean", {"x": "abc"}, "x", 'x is "abc"'),
    ("stats.mean", {"x": {"a": 1}}, "x", 'the key "a", expected a list of numbers, or nd, type, shape and data'),
    ("stats.mean", {"x": [1, "a"]}, "x", 'x[1] is "a", expected a number'),
    ("stats.mean", {"x": [1, True]}, "x", "x[1] is true, expected a number"),
    ("stats.mean", {"x": [1, [2]]}, "x", "x[1] is a list of 1, expected a number"),
    ("stats.mean", {"x": [1], "nan_policy": 7}, "nan_policy", "nan_policy is 7, expected propagate|omit|raise"),
    ("stats.mean", {"x": [1], "nan_policy": "some"}, "nan_policy", 'nan_policy is "some", expected propagate|omit|raise'),
    ("stats.var", {"x": [1, 2], "ddof": 0.5}, "ddof", "ddof is 0.5, expected a whole number"),
    ("stats.var", {"x": [1, 2], "ddof": "1"}, "ddof", 'ddof is "1", expected a whole number'),
    ("stats.var", {"x": [1, 2], "ddof": True}, "ddof", "ddof is true, expected a whole number"),
    ("stats.describe", {"x": [1, 2], "bias": 1}, "bias", "bias is 1, expected true or false"),
    ("echo.scale", {"x": [1], "k": "2"}, "k", 'k is "2", expected a number'),
    ("echo.echo", {"data": 5}, "data", "data is 5, expected"),
    ("staking.calculate", {"staking": 5}, "staking", "staking is 5, expected a map"),
    ("staking.calculate", {"redemption": {"distribution": [{"probability": 1, "size": 0.1}, 5]}}, "redemption.distribution",
     "redemption.distribution[1] is 5, expected a map"),
    # of the wrong shape, length, or empty
    ("stats.mean", {"x": []}, "x", "x is empty, expected at least 1 element"),
    ("stats.mean", {"x": [[1, 2], [3, 4]]}, "x", "x[0] is a list of 2"),
    ("stats.correlation", {"x": [1], "y": [1]}, "x", "x has 1 element, expected at least 2"),
    ("stats.correlation", {"x": [1, 2, 3], "y": [1, 2]}, "y", "y has 2 elements, expected 3 (n, as x)"),
    ("stats.correlation", {"data": [[1, 2], [3]]}, "data", "data[1]"),
    ("indicators.atr", {"high": [3, 4], "low": [1, 2], "close": [2]}, "close", "close has 1 element, expected 2 (n, as high)"),
    ("staking.calculate", {"redemption": {"distribution": {"probability": [1], "size": [0.1, 0.2]}}},
     "redemption.distribution[].size", "has 2 elements, expected 1"),
    ("staking.calculate", {"redemption": {"distribution": [{"probability": 1}]}}, "redemption.distribution[].size",
     "redemption.distribution[0].size is missing"),
    # out of range
    ("stats.var", {"x": [1, 2], "ddof": -1}, "ddof", "ddof is -1, expected >= 0"),
    ("stats.var", {"x": [1, 2], "ddof": 2}, "ddof", "ddof is 2, expected less than the 2 values of x"),
    ("stats.quantile", {"x": [1, 2], "q": [0.5, 1.5]}, "q", "q[1] is 1.5, expected 0..1"),
    ("stats.normal_pdf", {"x": [1], "sigma": 0}, "sigma", "sigma is 0, expected > 0"),
    ("echo.repeat", {"x": [1], "times": 1000001}, "times", "times is 1000001, expected 0..1000000"),
    ("echo.sleep", {"ms": 60001}, "ms", "ms is 60001, expected 0..60000"),
    ("indicators.rsi", {"close": [1, 2], "period": 1}, "period", "period is 1, expected 2..100000"),
    ("staking.calculate", {"staking": {"eth": {"staking_pct": 1.01}}}, "staking.eth.staking_pct", "is 1.01, expected 0..1"),
    ("stats.mean", {"x": [2**53 + 1]}, "x", "x[0] is 9007199254740993, expected a number that a double holds exactly"),
    ("stats.mean", {"x": [0, -2**63]}, "x", "x[1] is -9223372036854775808"),
    ("stats.mean", {"x": [2**64 - 1]}, "x", "x[0] is 18446744073709551615"),
    # NaN where forbidden
    ("echo.scale", {"x": [1], "k": NAN}, "k", "k is NaN, expected a finite number"),
    ("echo.scale", {"x": [1], "k": -INF}, "k", "infinit"),
    ("stats.quantile", {"x": [1], "q": [0.5, NAN]}, "q", "q[1] is NaN, expected a finite number"),
    ("stats.quantile", {"x": [1], "q": [None]}, "q", "q[0] is NaN"),
    ("stats.mean", {"x": [1, None], "nan_policy": "raise"}, "x", "element 1 of x is NaN"),
    ("staking.calculate", {"staking": {"sol": {"annual_yield": NAN}}}, "staking.sol.annual_yield", "is NaN, expected a finite number"),
    ("indicators.cvd", {"prices": [1, NAN], "volumes": [1, 1]}, "prices", "prices[1] is NaN"),
])
def test_argument_that_breaks_its_contract(house, producer, fn, args, field, words):
    refused(house, producer, fn, pack(args), field, words)


@pytest.mark.parametrize("x, words", [
    (nd(shape=(4,)), "24 bytes"), (nd(shape=(2,)), "24 bytes"), (nd(THREE[:-1]), "23 bytes"), (nd(b""), "0 bytes"),
    (nd(shape=(-3,)), "x.shape[0] is -3"), (nd(shape=(2**62,)), "24 bytes"), (nd(shape=(2**61,)), "24 bytes"),
    (nd(shape=(1, 3)), "2 dimensions, expected 1"), (nd(shape=(2**32, 2**32)), "2 dimensions"), (nd(shape=()), "24 bytes"),
    (nd(shape=(1,) * 5), "x.shape is"), ({**nd(), "shape": "3"}, "x.shape is"), ({**nd(), "shape": [2.385]}, "x.shape[0] is 2.385"),
    (nd(type=">f8"), '">f8", expected <f8 <f4 <i8'), (nd(type="<c8"), '"<c8"'), (nd(type="|O"), '"|O"'), (nd(type=5), "x.type is 5"),
    (nd(type="<f8<f8"), '"<f8<f8"'), (nd(b"", (0,)), "x is empty"), (nd("abc"), "3 bytes"), ({"nd": True}, "without type"),
    ({k: v for k, v in nd().items() if k != "data"}, "without data"), ({**nd(), "nd": False}, "without nd:true"),
    (nd(struct.pack("<3q", 1, 2, 2**53 + 1), type="<i8"), "x[2] is 9007199254740993"),
    ({**nd(), "more": [1, 2]}, "more"),
], ids=str)
def test_nd_array_that_is_none(house, producer, x, words):
    refused(house, producer, "stats.mean", pack({"x": x}), "x", words)


def numpy_number(value, type="<i8", form="<q"):
    """As msgpack-numpy writes one of NumPy's numbers."""
    return {b"nd": False, b"type": type, b"data": struct.pack(form, value)}


def test_one_number(producer):
    """A number where a list may be is a list of one; NumPy's own numbers are numbers."""
    assert producer.call("stats.mean", {"x": 2.385}).expect("ok").result == {"mean": 2.385}
    assert producer.call("stats.mean", {"x": numpy_number(2.385, "<f8", "<d")}).expect("ok").result == {"mean": 2.385}
    assert producer.call("echo.scale", {"x": [1, 2], "k": numpy_number(3)}).expect("ok").result["y"] == [3, 6]
    assert producer.call("echo.repeat", {"x": [7], "times": numpy_number(2)}).expect("ok").result["y"] == [7, 7]


@pytest.mark.parametrize("fn, args, field, words", [
    ("echo.repeat", {"x": [1], "times": numpy_number(2.5, "<f8", "<d")}, "times", "2.5, expected a whole number"),
    ("echo.repeat", {"x": [1], "times": {"a": 1}}, "times", "times is a map of 1, expected a whole number"),
    ("echo.scale", {"x": [1], "k": nd()}, "k", "k has 3 elements, expected one number"),
    ("stats.mean", {"x": [[1, 2], [3, 4]]}, "x", "x[0] is a list of 2, expected a number (a matrix goes into data)"),
    ("stats.mean", {"x": nd(shape=(1, 3))}, "x", "x has 2 dimensions, expected 1 (a matrix goes into data)"),
])
def test_number_or_list_that_is_none(house, producer, fn, args, field, words):
    refused(house, producer, fn, pack(args), field, words)


@pytest.mark.parametrize("pad", range(8))
def test_data_at_every_alignment(producer, pad):
    """Shapes encoded more and more widely move the bytes of `data` through every alignment."""
    shape = (b"\x03", b"\xcc\x03", b"\xcd\x00\x03", b"\xd1\x00\x03", b"\xce\x00\x00\x00\x03", b"\xcf" + bytes(7) + b"\x03")
    size = shape[pad % 6] if pad < 6 else shape[pad - 6]
    head = b"\x81\xa1x" if pad < 6 else b"\xde\x00\x01\xa1x"
    payload = (head + b"\x84\xc4\x02nd\xc3\xa4type\xa3<f8\xa5shape\x91" + size + b"\xa4data\xc4\x18" + THREE)
    answer = producer.call_raw("echo.scale", payload).expect("ok")
    assert struct.unpack("<3d", answer.result["y"]["data"]) == (2, 4.77, 6)


def test_every_prefix_of_a_good_payload(house, producer):
    """Truncated anywhere, it is refused; nobody reads beyond the end."""
    good = pack({"x": nd(), "nan_policy": "omit"})
    for n in range(len(good)):
        producer.call_raw("stats.mean", good[:n]).expect("invalid")
    producer.call_raw("stats.mean", good).expect("ok")


def test_every_byte_of_a_good_payload_changed(house, producer):
    """A damaged payload is refused or computed; the worker lives on."""
    good = pack({"redemption": {"distribution": [{"probability": 1.0, "size": 0.25}]}, "staking": {"eth": {"staking_pct": 0.5}}, "form": "nd"})
    for at in range(len(good)):
        for value in (0x00, 0x80, 0x8f, 0x9f, 0xa1, 0xc0, 0xc1, 0xc4, 0xcb, 0xd9, 0xdc, 0xdd, 0xdf, 0xff):
            answer = producer.call_raw("staking.calculate", good[:at] + bytes([value]) + good[at + 1:])
            assert answer.status in ("ok", "invalid"), dict(answer)
    producer.call_raw("staking.calculate", good).expect("ok")


def test_a_bad_job_does_not_fail_its_neighbours(house, producer):
    """In one message, and computed together."""
    jobs = [{"x": [1, 2]}, {"x": []}, {"x": [2.385]}, {"k": 2}, {"x": [3], "k": NAN}, {"x": [4]}]
    answers = producer.calls([{"fn": "echo.scale"}] * len(jobs), jobs)
    assert [answers[i].status for i in range(6)] == ["ok", "invalid", "ok", "invalid", "invalid", "ok"]
    assert [answers[i].field for i in (1, 3, 4)] == ["x", "x", "k"]
    assert answers[2].result == {"y": [4.77]} and answers[5].result == {"y": [8]}
