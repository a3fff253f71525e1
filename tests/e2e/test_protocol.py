# SPDX-License-Identifier: MPL-2.0
"""Messages the broker must refuse or understand, on both sockets. Nothing of this needs a daemon."""
import os

import msgpack
import pytest
import zmq

from house import House, Producer, pack, unpack


def refuse(house, producer, frames, status="invalid", *words, field=None):
    """The frames are answered `error`, counted bad, and nothing else moves."""
    before = house.counters()
    producer.send_raw(*frames)
    header, payloads = producer.recv()
    assert header["op"] == "error" and header["status"] == status and payloads == [], header
    assert header.get("field") == field, header
    for word in words:
        assert word in header["error"], header["error"]
    assert house.moves(before, messages_bad=1)
    return header


@pytest.mark.parametrize("frame, words", [
    (b"\xc1", "msgpack"),
    (b"hello", "header"),
    (b"\x81\xa2op", "truncated"),
    (b"\x81\xa2op\xa4ping!", "header"),
    (pack([1, 2]), "a list of 2, expected a map"),
    (pack(7), "7, expected a map"),
    (pack(None), "null, expected a map"),
], ids=["c1", "text", "truncated", "trailing", "list", "number", "null"])
def test_header_that_is_no_msgpack_map(broker, producer, frame, words):
    refuse(broker, producer, [frame], "invalid", words)


def test_empty_message(broker, producer):
    """A lone empty frame is a delimiter without a header."""
    before = broker.counters()
    producer.send_raw(b"")
    frames = producer.recv_raw()
    header = unpack(frames[-1])
    assert header["op"] == "error" and header["status"] == "invalid" and "empty" in header["error"]
    assert broker.moves(before, messages_bad=1)


def test_header_over_its_limit(broker, producer):
    big = pack({"op": "ping", "x": "a" * (1 << 20)})
    refuse(broker, producer, [big], "invalid", f"{len(big)} bytes", "1048576")
    fits = pack({"op": "ping", "x": "a" * ((1 << 20) - 16)})
    assert len(fits) <= 1 << 20
    producer.send_raw(fits)
    assert producer.recv()[0]["op"] == "pong"


def nested(depth):
    value = 2.385
    for _ in range(depth):
        value = [value]
    return value


def test_header_depth(broker, producer):
    header, _ = producer.ask({"op": "ping", "x": nested(7)})
    assert header["op"] == "pong"
    refuse(broker, producer, [pack({"op": "ping", "x": nested(8)})], "invalid", "nest")
    refuse(broker, producer, [b"\x82\xa2op\xa4ping\xa1x" + b"\x91" * 1000000 + b"\xc0"], "invalid", "header")


@pytest.mark.parametrize("bomb", [
    b"\x82\xa2op\xa4ping\xa1x\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff\xa2op\xa4ping",
    b"\x82\xa2op\xa4ping\xa1x\xdf\x7f\xff\xff\xff\xc0", b"\x82\xa2op\xa4ping\xa1x\xdb\xff\xff\xff\xffab",
    b"\x82\xa2op\xa4ping\xa1x\xc6\xff\xff\xff\xffab", b"\x82\xa2op\xa4ping\xa1x\xc9\xff\xff\xff\xff\x01a",
], ids=["list", "outer map", "map", "str", "bin", "ext"])
def test_header_count_bomb(broker, producer, bomb):
    """A count of four thousand million in a few bytes costs nothing and is refused."""
    rss = broker.stats()["broker"]["rss_bytes"]
    refuse(broker, producer, [bomb], "invalid", "header")
    assert broker.stats()["broker"]["rss_bytes"] < rss + (8 << 20)


@pytest.mark.parametrize("header, status, field, words", [
    ({}, "invalid", "op", "op is missing"),
    ({"op": None}, "invalid", "op", "op is missing"),
    ({"op": 7}, "invalid", "op", "op is 7, expected a string"),
    ({"op": "dance"}, "unknown_op", "op", 'op is "dance", expected one of call'),
    ({"op": "hello", "role": "worker"}, "unknown_op", "op", "hello"),
    ({"op": "ping", "rid": 2.385}, "invalid", "rid", "2.385, expected a string, binary or integer"),
    ({"op": "ping", "rid": "r" * 63}, "invalid", "rid", "63 bytes, expected at most 62"),
    ({"op": "call", "fn": "a.b", "jobs": 3}, "invalid", "jobs", "3, expected a list"),
    ({"op": "result", "ids": []}, "invalid", "ids", "ids is empty"),
    ({"op": "result"}, "invalid", "ids", "ids is missing"),
    ({"op": "status", "ids": "a"}, "invalid", "ids", 'ids is "a", expected a list'),
    ({"op": "status", "ids": [[]]}, "invalid", "ids", "a list of 0, expected a string, binary or integer"),
    ({"op": "forget", "ids": ["x" * 63]}, "invalid", "ids", "at most 62"),
    ({"op": "cancel", "ids": list(range(4097))}, "invalid", "ids", "a list of 4097, expected a list of at most 4096"),
    ({"op": "result", "ids": ["a"], "wait_ms": -1}, "invalid", "wait_ms", "-1, expected a whole number 0..3600000"),
    ({"op": "result", "ids": ["a"], "wait_ms": 3600001}, "invalid", "wait_ms", "3600001"),
    ({"op": "describe", "fn": 3}, "invalid", "fn", "fn is 3"),
    ({"op": "describe", "fn": "no.such"}, "unknown_function", "fn", '"no.such"'),
])
def test_wrong_header(broker, producer, header, status, field, words):
    refuse(broker, producer, [pack(header)], status, words, field=field)


@pytest.mark.parametrize("header, payloads", [
    ({"op": "call", "fn": "a.b"}, 0), ({"op": "call", "fn": "a.b"}, 2),
    ({"op": "call", "jobs": [{"fn": "a.b"}, {"fn": "a.b"}]}, 1), ({"op": "call", "jobs": [{"fn": "a.b"}]}, 2),
    ({"op": "call", "jobs": []}, 1), ({"op": "submit", "fn": "a.b", "id": 1}, 0), ({"op": "submit", "fn": "a.b", "id": 1}, 5000),
    ({"op": "result", "ids": ["a"]}, 1),
])
def test_payload_count_that_does_not_match(broker, producer, header, payloads):
    jobs = len(header["jobs"]) if "jobs" in header else 1
    words = "payload frames came" if "ids" in header else f"{payloads} payload frames came with {jobs} jobs"
    refuse(broker, producer, [pack(header)] + [pack({})] * payloads, "invalid", words)


def test_no_jobs_at_all(broker, producer):
    refuse(broker, producer, [pack({"op": "call", "jobs": []})], "invalid", "jobs is empty", field="jobs")


def test_more_jobs_than_one_message_may_hold(broker, producer):
    refuse(broker, producer, [pack({"op": "call", "fn": "a.b", "jobs": [{}] * 4097})] + [b"\x80"] * 4097, "invalid",
           "at most 4096", field="jobs")


def test_rid_is_echoed_in_every_answer(broker, producer):
    with_f = broker.worker().credit(1)
    fn = f"{with_f.plugin}.f"
    for rid in (0, 7, -7, 2**63, 2**64 - 1, "r-1", "", b"\x00\xff", "x" * 62):
        for header, payloads in (({"op": "ping"}, []), ({"op": "stats"}, []), ({"op": "describe"}, []),
                                 ({"op": "status", "ids": [1]}, []), ({"op": "result", "ids": [1]}, []),
                                 ({"op": "cancel", "ids": [1]}, []), ({"op": "forget", "ids": [1]}, []),
                                 ({"op": "nonsense"}, []), ({"op": "call", "fn": "no.such"}, [{}]),
                                 ({"op": "call", "jobs": [{"fn": "no.such"}]}, [{}]),
                                 ({"op": "submit", "fn": "no.such", "id": "i"}, [{}])):
            producer.send({**header, "rid": rid}, *payloads)
            answer, _ = producer.recv()
            assert answer["rid"] == rid, (header, answer)
    producer.send({"op": "call", "fn": fn, "rid": "late"}, {})
    with_f.done(with_f.job())
    assert producer.recv()[0]["rid"] == "late"
    producer.send({"op": "ping"})
    assert "rid" not in producer.recv()[0]


def test_id_of_a_call_is_echoed_in_its_own_type(broker, producer):
    w = broker.worker().credit(4)
    for id in (5, -5, "five", b"\x05"):
        producer.send({"op": "call", "fn": f"{w.plugin}.f", "id": id}, {})
        w.done(w.job())
        header, _ = producer.recv()
        assert header["id"] == id and type(header["id"]) is type(id)
    answer = producer.call("no.such", id={"a": 1})
    answer.expect("invalid", "id", "a map, expected a string, binary or integer")


def test_unknown_keys_are_ignored(broker, producer):
    header, _ = producer.ask({"op": "ping", "colour": "green", "nested": {"a": [1, {"b": None}]}, 5: 6})
    assert header["op"] == "pong" and header["protocol"] == 1 and header["journal"] == "memory"
    assert header["version"] and header["epoch"] > 0 and header["uptime_ms"] >= 0


def test_last_of_repeated_keys_wins(broker, producer):
    producer.send_raw(b"\x82\xa2op\xa4stop\xa2op\xa4ping")
    assert producer.recv()[0]["op"] == "pong"


def test_req_socket_with_its_empty_delimiter(broker):
    req = broker.producer(kind=zmq.REQ)
    assert req.ask({"op": "ping"})[0]["op"] == "pong"
    w = broker.worker().credit(1)
    req.send({"op": "call", "fn": f"{w.plugin}.f"}, {"x": 2.385})
    w.done(w.job())
    header, payloads = req.recv()
    assert header["status"] == "ok" and payloads == [{"y": 2.385}]
    assert req.ask({"op": "submit", "fn": f"{w.plugin}.f", "id": "req"}, {})[0]["jobs"][0]["status"] == "accepted"
    assert req.ask({"op": "no"})[0]["status"] == "unknown_op"


def test_delimiter_is_echoed_to_a_dealer(broker, producer):
    producer.send_raw(b"", pack({"op": "ping", "rid": 1}))
    frames = producer.recv_raw()
    assert frames[0] == b"" and unpack(frames[1])["op"] == "pong"


def test_payload_larger_than_max_bytes():
    with House({"max_bytes": 100000}) as house:
        w = house.worker().credit(10)
        p = house.producer()
        fn = f"{w.plugin}.f"
        before = house.counters()
        p.call_raw(fn, b"\xc4" + bytes(100000)).expect("invalid", None, "100001 bytes", "100000", "max_bytes")
        assert house.moves(before, jobs_refused=1)
        # Its neighbour in the same message is served.
        p.send_raw(pack({"op": "call", "fn": fn, "jobs": [{"id": 1}, {"id": 2}]}), bytes(100001), pack({"x": 1}))
        w.done(w.job())
        answers = p.answers(2)
        answers[1].expect("invalid")
        answers[2].expect("ok")
        # A result over the limit is the worker's mistake: the job fails, nobody else does.
        p.send({"op": "call", "fn": fn}, {})
        w.done(w.job(), {"y": bytes(100001)})
        header, payloads = p.recv()
        assert header["status"] == "resource" and "max_bytes" in header["error"] and payloads == [None]


def test_frame_larger_than_twice_max_bytes_closes_that_connection_alone():
    with House({"max_bytes": 1 << 20}) as house:
        w = house.worker().credit(10)
        good, greedy = house.producer(), house.producer()
        good.send({"op": "call", "fn": f"{w.plugin}.f"}, {})
        job = w.job()
        before = house.counters()
        greedy.send_raw(pack({"op": "call", "fn": f"{w.plugin}.f"}), bytes((2 << 20) + 5000))
        assert greedy.silent(0.2)
        w.done(job)
        assert good.recv()[0]["status"] == "ok"
        assert house.moved(before) == {"jobs_ended": 1}
        assert greedy.ask({"op": "ping"})[0]["op"] == "pong"  # its socket connected again


# ---- the workers' socket

def who(broker, *frames):
    """Says the frames as a stranger; the answer."""
    s = broker.producer()
    s.socket.disconnect(broker.front)
    s.socket.connect(broker.back)
    s.send_raw(*frames)
    return s


def test_worker_messages_before_hello(broker):
    before = broker.counters()
    s = who(broker, pack({"op": "credit", "limit": 10}))
    assert s.recv()[0] == {"op": "who"}
    s.send({"op": "done", "seq": 1, "jobs": []})
    assert s.recv()[0] == {"op": "who"}
    assert broker.moves(before, worker_messages_bad=2)


def test_nonsense_on_the_workers_socket(broker):
    before = broker.counters()
    s = who(broker, b"\xc1")
    s.send_raw(pack([1]))
    s.send_raw(b"\x81\xa2op\xdd\xff\xff\xff\xff")
    s.send({"op": 3})
    assert broker.moves(before, worker_messages_bad=4)
    assert s.silent()


@pytest.mark.parametrize("change, words", [
    ({"role": "king"}, 'role is "king", expected worker or node'),
    ({"wid": None}, "wid is missing"),
    ({"wid": "a b"}, "blanks"),
    ({"wid": "w\n"}, "control characters"),
    ({"session": None}, "session is missing"),
    ({"plugin": None}, "plugin is missing"),
    ({"plugin": "Big Plugin"}, "plugin"),
    ({"plugin": "UPPER"}, "lower case"),
    ({"functions": [{"name": "f.g"}]}, "functions"),
    ({"functions": [7]}, "functions"),
    ({"functions": "f"}, "functions"),
    ({"pid": -4}, "pid is -4"),
    ({"wid": "w" * 201}, "at most 200 bytes"),
])
def test_wrong_hello_is_answered_and_nobody_joins(broker, change, words):
    before = broker.counters()
    header = {"op": "hello", "role": "worker", "wid": "w0", "session": "s", "plugin": "wrong", "version": "1", "functions": [{"name": "f"}]}
    header.update(change)
    s = who(broker, pack({k: v for k, v in header.items() if v is not None}), pack({}))
    answer, _ = s.recv()
    assert answer["op"] == "welcome" and answer["status"] == "invalid" and words in answer["error"], answer
    assert broker.moves(before, worker_messages_bad=1)
    assert not broker.workers("wrong") and broker.function("wrong.f") is None or not broker.function("wrong.f")["workers"]


def test_hello_with_the_wrong_number_of_contracts(broker):
    before = broker.counters()
    s = who(broker, pack({"op": "hello", "role": "worker", "wid": "w0", "session": "s", "plugin": "wrong",
                          "functions": [{"name": "f"}, {"name": "g"}]}), pack({}))
    assert "1 payloads" in s.recv()[0]["error"]
    assert broker.moves(before, worker_messages_bad=1)


@pytest.mark.parametrize("message, payloads", [
    ({"op": "dance"}, 0), ({"op": "credit", "limit": "many"}, 0), ({"op": "done", "seq": 0, "jobs": []}, 0),
    ({"op": "done", "seq": 1, "jobs": [{"token": 1, "status": "ok"}]}, 0), ({"op": "done", "seq": 1, "jobs": [{"status": "ok"}]}, 1),
    ({"op": "done", "seq": 1, "jobs": ["x"]}, 1),
    ({"op": "release", "tokens": 5}, 0), ({"op": "gone", "wid": "x"}, 0),
])
def test_worker_that_talks_nonsense_stays_and_serves(broker, producer, message, payloads):
    w = broker.worker().credit(2)
    before = broker.counters()
    w.send(message, *[{}] * payloads)
    assert broker.moves(before, worker_messages_bad=1)
    producer.send({"op": "call", "fn": f"{w.plugin}.f"}, {"x": 1})
    w.done(w.job())
    assert producer.recv()[0]["status"] == "ok"


def test_broker_listens_on_tcp_as_well():
    with House(start=False) as house:
        house.broker_conf.update(frontend=[house.front, "tcp://127.0.0.1:*"], insecure_tcp=True)
        house.start_broker()
        lines = open("/proc/net/tcp", encoding="ascii").read().split("\n")[1:]
        inodes = {l.split()[9]: int(l.split()[1].split(":")[1], 16) for l in lines if l and l.split()[3] == "0A"}
        held = {os.readlink(f"/proc/{house.broker.pid}/fd/{f}") for f in os.listdir(f"/proc/{house.broker.pid}/fd")}
        port = next(port for inode, port in inodes.items() if f"socket:[{inode}]" in held)
        p = Producer(f"tcp://127.0.0.1:{port}")
        assert p.ask({"op": "ping"})[0]["op"] == "pong"
        p.close()


def test_many_small_lies_leave_no_trace(broker, producer):
    """A thousand damaged headers, made from a good one byte by byte: each is answered, the broker is as before."""
    good = msgpack.packb({"op": "call", "jobs": [{"fn": "no.such", "id": 7, "priority": 3}], "rid": 9, "timeout_ms": 100})
    before = broker.stats()["broker"]
    sent = 0
    for at in range(len(good)):
        for value in (0x00, 0x80, 0x91, 0xc1, 0xc9, 0xd9, 0xdd, 0xdf, 0xff):
            producer.send_raw(good[:at] + bytes([value]) + good[at + 1:], b"\x80")
            sent += 1
    ops = set()
    for _ in range(sent):
        header = msgpack.unpackb(producer.recv_raw()[0], raw=True, strict_map_key=False)
        ops.add(header[b"op"].decode())
        header.get(b"error", b"").decode()  # whatever bytes it quotes, a sentence is text
    assert ops == {"error", "reply"}
    now = broker.stats()["broker"]
    assert all(now[k] == before[k] for k in ("jobs_known", "leases_open", "memory_bytes", "results_bytes"))
    assert all(now["counters"][k] == before["counters"][k] for k in ("jobs_called", "jobs_submitted", "jobs_ended", "jobs_delivered"))
