# SPDX-License-Identifier: MPL-2.0
"""Packed messages: all payloads of a list in one frame, their lengths in the header, and what jobs have in common said once."""
import pytest

from house import pack, unpack


def pack_all(payloads):
    frames = [pack(p) for p in payloads]
    return [len(f) for f in frames], b"".join(frames)


def unpack_all(sizes, frame):
    assert sum(sizes) == len(frame)
    found, at = [], 0
    for size in sizes:
        found.append(unpack(frame[at:at + size]))
        at += size
    return found


def send(producer, header, payloads):
    sizes, frame = pack_all(payloads)
    producer.send_raw(pack({**header, "sizes": sizes}), frame)


def answers(producer, n):
    """Packed answers to a packed list, by id; each job takes from the map around it what it does not say itself."""
    found = {}
    while len(found) < n:
        frames = producer.recv_raw()
        header = unpack(frames[0])
        assert header["op"] == "reply" and len(frames) == 2, header
        jobs = header.pop("jobs")
        assert len(header["sizes"]) == len(jobs)
        for job, result in zip(jobs, unpack_all(header["sizes"], frames[1])):
            assert job["id"] not in found
            found[job["id"]] = ({**header, **job}, result)
    return found


def test_packed_call(broker, producer):
    w = broker.worker().credit(9)
    before = broker.counters()
    send(producer, {"op": "call", "fn": f"{w.plugin}.f", "rid": 5, "jobs": [{}, {"id": "mine"}, {}]}, [{"n": 0}, {"n": [1, 2]}, {"n": "two"}])
    jobs = w.gather(3)  # a worker that does not say `packed` gets a frame for each
    assert [j.result["n"] for j in jobs] == [0, [1, 2], "two"]
    w.done(jobs[:2])
    w.done(jobs[2], status="failed", error="no 2.385")
    got = answers(producer, 3)
    assert got[0][0]["status"] == got["mine"][0]["status"] == "ok" and got[0][1] == got["mine"][1] == {"y": 2.385}
    assert got[2][0]["status"] == "failed" and got[2][0]["error"] == "no 2.385" and got[2][1] is None
    for header, _ in got.values():
        assert header["rid"] == 5 and header["worker"] == w.wid and header["attempt"] == 1 and header["timing"]["total_us"] > 0
    assert got[0][0]["batch"] == 2 and got[2][0]["batch"] == 1
    moved = broker.moved(before)
    assert moved["jobs_called"] == moved["jobs_ended"] == 3


def test_who_does_not_send_sizes_is_never_answered_so(broker, producer):
    w = broker.worker().credit(2)
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}, {}]}, {}, {})
    w.done(w.gather(2))
    header, payloads = producer.recv()
    assert "sizes" not in header and len(payloads) == 2 and all(j["status"] == "ok" for j in header["jobs"])


def test_packed_submit(broker, producer):
    w = broker.worker().credit(2)
    send(producer, {"op": "submit", "fn": f"{w.plugin}.f", "jobs": [{"id": "pk1"}, {"id": "pk2"}]}, [{"n": 1}, {"n": 2}])
    header, payloads = producer.recv()
    assert [j["status"] for j in header["jobs"]] == ["accepted", "accepted"] and payloads == []
    jobs = w.gather(2)
    assert [j.result["n"] for j in jobs] == [1, 2]
    w.done(jobs)
    assert [a.status for a in producer.result("pk1", "pk2")] == ["ok", "ok"]


@pytest.mark.parametrize("sizes, frames, jobs", [
    ([1, 1], [b"\x80"], 2), ([1], [b"\x80\x80"], 2), ([1, 1, 1], [b"\x80\x80\x80"], 2), ([2, 1], [b"\x80\x80"], 2), ([1, 2], [b"\x80\x80"], 2),
    ([1, 1], [b"\x80", b"\x80"], 2), ([1, 1], [], 2), ([2**64 - 1, 3], [b"\x80\x80"], 2), ([2**63, 2**63 + 2], [b"\x80\x80"], 2), ([1, -1], [b"\x80"], 2),
    ([1, "1"], [b"\x80\x80"], 2), ([1, 0.5], [b"\x80"], 2), ("11", [b"\x80\x80"], 2), ([], [b""], 0), ([1] * 4097, [b"\x80" * 4097], 4097),
])
@pytest.mark.parametrize("op", ["call", "submit"])
def test_sizes_that_do_not_fit(broker, producer, op, sizes, frames, jobs):
    before = broker.counters()
    producer.send_raw(pack({"op": op, "fn": "a.b", "jobs": [{"id": n} for n in range(jobs)], "sizes": sizes}), *frames)
    header, payloads = producer.recv()
    assert header["op"] == "error" and header["status"] == "invalid" and header["error"] and payloads == [], header
    assert broker.moves(before, messages_bad=1)


def test_an_empty_payload_in_a_pack(broker, producer):
    """A size of 0 is a payload of no bytes: the worker refuses it, its neighbour is served."""
    w = broker.worker().credit(2)
    producer.send_raw(pack({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}, {}], "sizes": [0, 1]}), b"\x80")
    frames = w.socket.recv_multipart()
    header = unpack(frames[0])
    assert [len(f) for f in frames[1:]] == [0, 1]
    w.done(header["jobs"])
    assert len(answers(producer, 2)) == 2


def test_bad_jobs_in_a_pack(broker, producer):
    w = broker.worker().credit(9)
    send(producer, {"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}, {"fn": "no.such"}, {"priority": 10}, {}]}, [{"n": n} for n in range(4)])
    jobs = w.gather(2)
    assert [j.result["n"] for j in jobs] == [0, 3]
    w.done(jobs)
    got = answers(producer, 4)
    assert [got[n][0]["status"] for n in range(4)] == ["ok", "unknown_function", "invalid", "ok"]
    assert got[2][0]["field"] == "priority" and got[1][1] is None


def test_packed_worker(broker, producer):
    """A worker that says `packed` gets one frame, and what is common once; its done may be packed too."""
    w = broker.worker(packed=True).credit(9)
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "run_ms": 77, "jobs": [{}] * 5}, *[{"n": n} for n in range(5)])
    got = []
    while len(got) < 5:
        frames = w.socket.recv_multipart()
        header = unpack(frames[0])
        if header["op"] != "jobs":
            continue
        payloads = unpack_all(header["sizes"], frames[1]) if "sizes" in header else [unpack(f) for f in frames[1:]]
        for job, args in zip(header.pop("jobs"), payloads):
            got.append(({**header, **job}, args))
    assert [a["n"] for _, a in got] == list(range(5)) and all(j["run_ms"] == 77 and j["attempt"] == 1 for j, _ in got)
    sizes, frame = pack_all([{"y": n} for n in range(5)])
    w.socket.send_multipart([pack({"op": "done", "seq": 1, "credit": 14, "status": "ok", "decode_ns": 1, "run_ns": 24000, "encode_ns": 1, "batch": 5,
                                   "sizes": sizes, "jobs": [{"token": j["token"]} for j, _ in got]}), frame])
    found = producer.answers(5)
    assert [found[n].expect("ok").result for n in range(5)] == [{"y": n} for n in range(5)]
    assert found[0].batch == 5 and found[0].timing["run_us"] == 24


@pytest.mark.parametrize("sizes", [[1], [1, 5], [3, 2**64 - 1], "x"])
def test_packed_done_that_does_not_fit(broker, producer, sizes):
    w = broker.worker().credit(2)
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}, {}]}, {}, {})
    jobs = w.gather(2)
    before = broker.counters()
    w.socket.send_multipart([pack({"op": "done", "seq": 1, "status": "ok", "sizes": sizes, "jobs": [{"token": j.token} for j in jobs]}), b"\x80\x80"])
    assert broker.moves(before, worker_messages_bad=1)
    w.done(jobs)
    assert {a.status for a in producer.answers(2).values()} == {"ok"}


def test_packed_through_the_house(house):
    producer = house.producer()
    payloads = [{"x": [n, n + 1]} for n in range(500)]
    payloads[7] = {"x": []}
    send(producer, {"op": "call", "fn": "stats.mean", "jobs": [{}] * 500}, payloads)
    got = answers(producer, 500)
    for n in range(500):
        header, result = got[n]
        if n == 7:
            assert header["status"] == "invalid" and header["field"] == "x" and result is None
        else:
            assert header["status"] == "ok" and result == {"mean": n + 0.5}


def test_large_results_in_a_pack(house):
    """More than one message holds comes in several."""
    producer = house.producer()
    send(producer, {"op": "call", "fn": "echo.repeat", "jobs": [{}] * 20}, [{"x": [n], "times": 50000, "form": "nd"} for n in range(20)])
    got = answers(producer, 20)
    assert all(len(got[n][1]["y"]["data"]) == 400000 for n in range(20))
