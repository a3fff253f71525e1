# SPDX-License-Identifier: MPL-2.0
"""Jobs through the whole house: producer, broker, supervised worker, plugin, and back."""
import json
import math
import socket
import struct

import numpy
import pytest

from house import SLOW, House, until

pytestmark = pytest.mark.usefixtures("house")


def test_one_job_with_its_timings(house, producer):
    before = house.counters()
    answer = producer.call("stats.describe", {"x": [1, 2, 3, 4.5]}, id="d").expect("ok")
    assert answer.result["mean"] == 2.625 and answer.result["nobs"] == 4 and answer.result["max"] == 4.5
    assert answer.plugin.startswith("stats/1.0.0+") and answer.worker.startswith("node.stats.") and answer.batch == 1 and answer.attempt == 1
    t = answer.timing
    assert set(t) == {"queue_us", "decode_us", "run_us", "encode_us", "total_us"}
    assert 0 <= t["queue_us"] + t["decode_us"] + t["run_us"] + t["encode_us"] <= t["total_us"] + 2
    assert house.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, jobs_ended=1)


def test_run_time_is_told(producer):
    answer = producer.call("echo.sleep", {"ms": 50}).expect("ok")
    assert 50000 <= answer.timing["run_us"] <= answer.timing["total_us"]


def test_workers_are_described(house):
    for plugin, n in (("echo", 2), ("stats", 1), ("staking", 1), ("indicators", 1)):
        rows = house.workers(plugin)
        assert len(rows) == n and len({w["pid"] for w in rows}) == n
        for w in rows:
            assert w["node"] == "node" and w["state"] == "ready" and w["version"] == "1.0.0" and len(w["build"]) == 32
            report = w["report"]
            assert report["load_us"] > 0 and report["total_us"] >= report["load_us"] and report["rss_bytes"] > 1 << 20
            names = {f["name"] for f in house.stats()["functions"] if f["name"].startswith(plugin + ".")}
            assert {f"{plugin}.{f['name']}" for f in report["functions"]} == names
            for f in report["functions"]:
                assert f["cold_us"] > 0 and f["warm_us"] > 0 and f["ratio"] == pytest.approx(f["cold_us"] / f["warm_us"], rel=1e-6)
        state = house.plugins()[plugin]
        assert state["state"] == "ready" and state["workers"] == n and state["restarts"] == 0 and state["build"] == rows[0]["build"]


def test_functions_are_described(house, producer):
    header, contracts = producer.ask({"op": "describe"})
    assert len(header["functions"]) == len(contracts) >= 24
    for name, c in zip(header["functions"], contracts):
        assert name == f"{c['plugin']}.{c['name']}" and c["summary"] and c["results"] and c["examples"] and c["version"]
        for row in c["params"] + c["results"]:
            assert row["kind"] in ("float", "int", "bool", "string", "bytes", "array", "map", "table", "value"), row
            assert row["kind"] != "array" or row["shape"] and row["dtype"] in ("f64", "f32", "i64", "i32", "u8")


def same(got, want, rtol, atol, path=""):
    """As the contract says: members not named are not compared; null means NaN too."""
    if isinstance(want, dict):
        for k, v in want.items():
            assert k in got, f"{path}.{k} is missing"
            same(got[k], v, rtol, atol, f"{path}.{k}")
    elif isinstance(want, list):
        assert len(got) == len(want), f"{path} has {len(got)} items"
        for i, (g, w) in enumerate(zip(got, want)):
            same(g, w, rtol, atol, f"{path}[{i}]")
    elif want is None:
        assert got is None or math.isnan(got), f"{path} is {got}"
    elif isinstance(want, (int, float)) and not isinstance(want, bool):
        assert abs(got - want) <= atol + rtol * abs(want), f"{path} is {got}, expected {want}"
    else:
        assert got == want or got == str(want).encode(), f"{path} is {got!r}, expected {want!r}"


def test_every_example_of_every_contract(producer):
    """What a contract shows is what a producer gets."""
    header, contracts = producer.ask({"op": "describe"})
    ran = 0
    for name, c in zip(header["functions"], contracts):
        for e in c["examples"]:
            if "$" in e["args"] or name == "echo.sleep":
                continue  # arrays made by the host; a measured time, whose tolerance is not told
            answer = producer.call(name, json.loads(e["args"]))
            assert answer.status == e.get("status", "ok"), (name, e, dict(answer))
            if e.get("status", "ok") != "ok":
                assert not e.get("result") or e["result"] in answer.error, (name, e)
            elif e.get("result"):
                same(answer.result, json.loads(e["result"]), 1e-6, 1e-9, name)
            ran += 1
    assert ran >= len(contracts)


# ---- arrays

@pytest.mark.parametrize("type, format, values", [
    ("<f8", "d", (1, 2.385, -3)), ("<f4", "f", (1, 2.5, -3)), ("<i8", "q", (1, 2**53, -3)), ("<i4", "i", (1, 2, -3)), ("<i2", "h", (1, 2, -3)),
    ("|i1", "b", (1, 2, -3)), ("|u1", "B", (1, 2, 255)),
])
def test_every_type_of_array(producer, type, format, values):
    data = struct.pack(f"<3{format}", *values)
    answer = producer.call("echo.scale", {"x": {"nd": True, "type": type, "shape": [3], "data": data}, "k": 1}).expect("ok")
    y = answer.result["y"]
    assert y["nd"] is True and y["type"] == "<f8" and y["shape"] == [3]
    assert struct.unpack("<3d", y["data"]) == values
    assert producer.call("echo.scale", {"x": list(values), "k": 1}).expect("ok").result == {"y": list(values)}


def test_forms_of_a_reply(producer):
    packed = {"nd": True, "type": "<f8", "shape": [2], "data": struct.pack("<2d", 1, 2.385)}
    want = {"nd": True, "type": "<f8", "shape": [2], "data": struct.pack("<2d", 2, 4.77)}
    assert producer.call("echo.scale", {"x": [1, 2.385]}).result == {"y": [2, 4.77]}
    assert producer.call("echo.scale", {"x": packed}).result == {"y": want}
    assert producer.call("echo.scale", {"x": [1, 2.385], "form": "nd"}).result == {"y": want}
    assert producer.call("echo.scale", {"x": packed, "form": "list"}).result == {"y": [2, 4.77]}


def test_nan_and_infinity(producer):
    inf, nan = math.inf, math.nan
    assert producer.call("echo.scale", {"x": [None, 1, None]}).result == {"y": [None, 2, None]}
    got = producer.call("echo.scale", {"x": [nan, inf, -inf, 1]}).result["y"]
    assert got == [None, inf, -inf, 2]
    got = producer.call("echo.scale", {"x": [nan, inf], "form": "nd"}).result["y"]["data"]
    assert math.isnan(struct.unpack("<2d", got)[0]) and struct.unpack("<2d", got)[1] == inf


def test_numpy_arrays_in_msgpack_numpy_form_equal_lists(producer):
    """Written as the msgpack-numpy package writes them: keys as bin or str, `kind` among them."""
    rng = numpy.random.default_rng(2385)
    x = rng.standard_normal(1000)
    plain = producer.call("stats.describe", {"x": x.tolist()}).expect("ok").result
    for encode in (lambda k: k, lambda k: k.encode()):
        form = {encode("nd"): True, encode("type"): x.dtype.str, encode("kind"): b"", encode("shape"): list(x.shape), encode("data"): x.tobytes()}
        assert producer.call("stats.describe", {"x": form}).expect("ok").result == plain
    m = rng.standard_normal((3, 50))
    as_lists = producer.call("stats.correlation", {"data": m.tolist()}).expect("ok").result["matrix"]
    form = {"nd": True, "type": m.dtype.str, "kind": "", "shape": list(m.shape), "data": m.tobytes()}
    got = producer.call("stats.correlation", {"data": form}).expect("ok").result["matrix"]
    assert got["shape"] == [3, 3]
    assert numpy.array_equal(numpy.frombuffer(got["data"]).reshape(3, 3), numpy.array(as_lists))


def test_bytes(producer):
    for data in (b"", b"\x00\xff" * 100, bytes(1 << 20)):
        assert producer.call("echo.echo", {"data": data}).expect("ok").result == {"data": data}
    assert producer.call("echo.echo", {"data": "text"}).result == {"data": b"text"}


def test_results_that_grow(producer):
    assert producer.call("echo.repeat", {"x": [1, 2.385], "times": 3}).result == {"y": [1, 2.385] * 3}
    assert producer.call("echo.repeat", {"x": [1], "times": 0}).result == {"y": []}
    assert producer.call("echo.repeat", {"x": [], "times": 9}).result == {"y": []}
    many = producer.call("echo.repeat", {"x": [2.385], "times": 300000, "form": "nd"}).expect("ok").result["y"]
    assert many["shape"] == [300000] and many["data"] == struct.pack("<d", 2.385) * 300000


def test_large_payloads(producer):
    n = 1_000_000 // SLOW
    data = struct.pack("<d", 2.385) * n
    answer = producer.call("stats.mean", {"x": {"nd": True, "type": "<f8", "shape": [n], "data": data}}).expect("ok")
    assert answer.result["mean"] == pytest.approx(2.385, rel=1e-15)


def test_more_memory_than_a_job_may_use(house, producer):
    """limits.job_mb is 256: a result that needs more is refused, and the worker lives."""
    before = house.counters()
    producer.call("echo.repeat", {"x": [1.0] * 1000, "times": 1000000}).expect("resource")
    producer.call("echo.repeat", {"x": [2.385], "times": 2}).expect("ok")
    assert "workers_lost" not in house.moved(before)


def test_result_larger_than_a_message_may_be():
    """The worker knows the broker's max_bytes from its welcome: the job fails, the connection stays."""
    with House({"max_bytes": 1 << 20}) as small:
        small.start_daemon(["echo"])
        p, before = small.producer(), small.counters()
        p.call("echo.repeat", {"x": [2.385], "times": 140000, "form": "nd"}).expect("resource", None, "max_bytes")
        p.call("echo.repeat", {"x": [2.385], "times": 130000, "form": "nd"}).expect("ok")
        assert small.moves(before, jobs_called=2, jobs_delivered=2, deliveries=2, jobs_ended=2)


# ---- many

def test_batches(house, producer):
    """Jobs that wait together are computed together, with the answers of single ones."""
    until(lambda: house.function("echo.echo")["running"] == 0, "quiet")
    jobs = [{"data": f"{n}".encode()} for n in range(500)]
    answers = producer.calls([{"fn": "echo.echo"}] * 500, jobs)
    assert all(answers[n].result == jobs[n] for n in range(500))
    assert max(a.batch for a in answers.values()) > 1
    assert house.function("echo.echo")["batch_mean"] > 1


def test_a_pipeline_of_single_calls(house, producer):
    before = house.counters()
    n = 3000 // SLOW
    for i in range(n):
        producer.send({"op": "call", "fn": "echo.echo", "id": i}, {"data": f"{i}"})
    seen = {}
    for _ in range(n):
        header, payloads = producer.recv()
        assert header["status"] == "ok" and header["id"] not in seen
        seen[header["id"]] = payloads[0]["data"]
    assert all(seen[i] == f"{i}".encode() for i in range(n))
    assert house.moves(before, jobs_called=n, jobs_delivered=n, jobs_ended=n, deliveries=house.moved(before)["deliveries"])


def test_functions_of_all_plugins_in_one_message(producer):
    fns = {"echo.echo": {"data": "x"}, "stats.mean": {"x": [1, 2]}, "indicators.sma": {"close": [1, 2, 3], "period": 2},
           "staking.calculate": {}, "no.such": {}}
    answers = producer.calls([{"fn": f, "id": f} for f in fns], list(fns.values()))
    assert answers["no.such"].status == "unknown_function"
    assert answers["stats.mean"].result == {"mean": 1.5} and answers["indicators.sma"].result == {"sma": [None, 1.5, 2.5]}
    assert answers["staking.calculate"].expect("ok").plugin.startswith("staking/1.0.0+")


def test_work_is_spread_over_workers(house, producer):
    """echo has two workers: two sleeps take the time of one."""
    answers = producer.calls([{"fn": "echo.sleep"}] * 2, [{"ms": 200}] * 2)
    assert len({a.worker for a in answers.values()}) == 2
    assert all(a.timing["queue_us"] < 150000 for a in answers.values())


def test_submitted_jobs_through_the_house(house, producer):
    ids = [f"house-{n}" for n in range(50)]
    header, _ = producer.ask({"op": "submit", "fn": "stats.mean", "jobs": [{"id": i} for i in ids]}, *[{"x": [n, n + 1]} for n in range(50)])
    assert {j["status"] for j in header["jobs"]} == {"accepted"}
    answers = producer.result(*ids)
    assert [a.result["mean"] for a in answers] == [n + 0.5 for n in range(50)]
    assert all(a.state == "done" and a.timing["run_us"] >= 0 for a in answers)


def test_tcp_backend():
    """Daemon and broker over tcp on loopback."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with House({"backend": f"tcp://127.0.0.1:{port}", "insecure_tcp": True}) as h:
        h.back = f"tcp://127.0.0.1:{port}"
        h.start_daemon(["echo"])
        assert h.producer().call("echo.echo", {"data": "far"}).expect("ok").result == {"data": b"far"}
