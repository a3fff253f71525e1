# SPDX-License-Identifier: MPL-2.0
"""call -> reply at the broker, with workers played by the test."""
import random
import time

import pytest

from house import House, pack, unpack, until


def test_one_call(broker, producer):
    w = broker.worker().credit(1)
    fn = f"{w.plugin}.f"
    before = broker.counters()
    producer.send_raw(pack({"op": "call", "fn": fn, "id": "a", "rid": 3}), pack({"x": [1.5, 2.385]}))  # nothing said of time
    job = w.job()
    assert job.fn == fn and job.result == {"x": [1.5, 2.385]} and job.attempt == 1
    assert 0 < job.left_ms <= 30000 and "run_ms" not in job and "solo" not in job
    w.done(job, {"y": 7})
    header, payloads = producer.recv()
    timing = header.pop("timing")
    assert header == {"op": "reply", "id": "a", "rid": 3, "status": "ok", "worker": w.wid, "plugin": f"{w.plugin}/1.2.3+b1",
                      "batch": 1, "attempt": 1}
    assert payloads == [{"y": 7}]
    assert (timing["decode_us"], timing["run_us"], timing["encode_us"]) == (2, 24, 3)
    assert 0 <= timing["queue_us"] <= timing["total_us"]
    assert broker.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, jobs_ended=1)
    row = broker.function(fn)
    assert (row["count"], row["ok"], row["errors"], row["statuses"], row["running"], row["queued"]) == (1, 1, 0, {"ok": 1}, 0, 0)
    assert row["plugin"].startswith(f"{w.plugin}/1.2.3") and row["workers"] == 1 and row["batch_mean"] == 1
    assert row["run"]["p50"] == pytest.approx(23.85, rel=0.1)
    assert broker.stats()["broker"]["jobs_known"] == 0  # nothing of a call is kept


def test_payloads_pass_untouched(broker, producer):
    """The broker never looks into a payload: what is no msgpack reaches the worker, and back."""
    w = broker.worker().credit(1)
    odd = b"\xc1\x00\xff not msgpack"
    producer.send_raw(pack({"op": "call", "fn": f"{w.plugin}.f"}), odd)
    frames = w.socket.recv_multipart()
    assert frames[1] == odd
    job = unpack(frames[0])["jobs"][0]
    w.done(job, odd)
    assert producer.recv_raw()[1] == odd


def test_error_of_a_worker_reaches_the_producer(broker, producer):
    w = broker.worker().credit(1)
    before = broker.counters()
    producer.send({"op": "call", "fn": f"{w.plugin}.f"}, {})
    w.done(w.job(), status="invalid", error="x is 5, expected less than 2.385", field="x")
    header, payloads = producer.recv()
    assert (header["status"], header["field"], header["error"]) == ("invalid", "x", "x is 5, expected less than 2.385")
    assert payloads == [None]
    assert broker.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, jobs_ended=1)
    row = broker.function(f"{w.plugin}.f")
    assert row["errors"] == 1 and row["statuses"] == {"invalid": 1}


@pytest.mark.parametrize("status", ["busy", "temporary", "unavailable"])
def test_a_call_is_tried_once_whatever_its_status(broker, producer, status):
    w = broker.worker().credit(2)
    producer.send({"op": "call", "fn": f"{w.plugin}.f"}, {})
    w.done(w.job(), status=status, error="later")
    assert producer.recv()[0]["status"] == status
    assert w.nothing()


def test_unknown_function(broker, producer):
    before = broker.counters()
    producer.call("no.such").expect("unknown_function", "fn", '"no.such"', "which no plugin offers")
    producer.call("x" * 300).expect("unknown_function", "fn")
    producer.call("").expect("unknown_function", "fn")
    header, _ = producer.ask({"op": "call"}, {})
    assert header["status"] == "invalid" and header["field"] == "fn" and "fn is missing" in header["error"]
    assert broker.moves(before, jobs_refused=4)


@pytest.mark.parametrize("keys, words", [
    ({"fn": 7}, "fn is 7, expected a string"), ({"fn": ["a"]}, "fn is a list of 1"),
    ({"timeout_ms": 0}, "timeout_ms is 0, expected a whole number 1..86400000"), ({"timeout_ms": -1}, "-1"),
    ({"timeout_ms": 86400001}, "86400001"), ({"timeout_ms": "5"}, '"5"'), ({"timeout_ms": 2.5}, "2.5"),
    ({"priority": 10}, "priority is 10, expected a whole number 0..9"), ({"priority": -1}, "-1"), ({"priority": True}, "true"),
    ({"run_ms": 0}, "run_ms is 0, expected a whole number 1..86400000"), ({"run_ms": {}}, "a map"),
    ({"id": 2.5}, "id is 2.5, expected a string, binary or integer"), ({"id": "i" * 63}, "63 bytes, expected at most 62"),
])
def test_wrong_key_in_a_list_fails_that_job_alone(broker, producer, keys, words):
    w = broker.worker().credit(9)
    fn = f"{w.plugin}.f"
    before = broker.counters()
    producer.send({"op": "call", "fn": fn, "jobs": [{}, keys, {}]}, {"n": 0}, {"n": 1}, {"n": 2})
    got = w.gather(2)
    assert [j.result["n"] for j in got] == [0, 2]
    w.done(got)
    answers = producer.answers(3)
    answers[1].expect("invalid", next(iter(keys)), words)
    answers[0].expect("ok")
    answers[2].expect("ok")
    moved = broker.moved(before)
    assert moved["jobs_refused"] == 1 and moved["jobs_called"] == 2 and moved["jobs_ended"] == 2


@pytest.mark.parametrize("key", ["timeout_ms", "priority", "run_ms", "id"])
def test_wrong_key_of_a_single_call(broker, producer, key):
    w = broker.worker().credit(1)
    fn = f"{w.plugin}.f"
    producer.send({"op": "call", "fn": fn, key: [1]}, {})
    header, _ = producer.recv()
    assert header["status"] == "invalid" and header["field"] == key and "a list of 1" in header["error"]
    assert w.nothing()


def test_null_means_absent(broker, producer):
    w = broker.worker().credit(1)
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "id": None, "timeout_ms": None, "priority": None, "run_ms": None, "rid": None}, {})
    w.done(w.job())
    header, _ = producer.recv()
    assert header["status"] == "ok" and "id" not in header and "rid" not in header


def test_list_call_takes_from_the_outer_map_what_a_job_does_not_say(broker, producer):
    w = broker.worker(functions=["f", "g"]).credit(9)
    p = w.plugin
    producer.send({"op": "call", "fn": f"{p}.f", "timeout_ms": 7000, "run_ms": 50, "id": "outer",
                   "jobs": [{}, {"fn": f"{p}.g"}, {"timeout_ms": 100000, "run_ms": 77, "id": "mine"}]}, {}, {}, {})
    jobs = w.gather(3)
    seen = sorted((j.fn, j.run_ms, j.left_ms > 7000) for j in jobs)
    assert seen == [(f"{p}.f", 50, False), (f"{p}.f", 77, True), (f"{p}.g", 50, False)]
    for j in jobs:
        w.done(j)
    assert set(producer.answers(3)) == {0, 1, "mine"}


def test_something_that_is_no_map_in_the_list(broker, producer):
    w = broker.worker().credit(9)
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}, 7]}, {}, {})
    w.done(w.job())
    answers = producer.answers(2)
    answers[0].expect("ok")
    answers[1].expect("invalid", "jobs", "jobs[1] is not a map")


def test_partial_answers_of_a_list(broker, producer):
    """Each job is answered when it is done: the slow half does not hold up the quick one."""
    w = broker.worker(functions=["quick", "slow"]).credit(9)
    p = w.plugin
    producer.send({"op": "call", "rid": "r", "jobs": [{"fn": f"{p}.slow"}, {"fn": f"{p}.quick"}, {"fn": f"{p}.quick"}]}, {}, {}, {})
    jobs = w.gather(3)
    w.done([j for j in jobs if j.fn.endswith("quick")])
    header, payloads = producer.recv()
    assert [j["id"] for j in header["jobs"]] == [1, 2] and header["rid"] == "r" and len(payloads) == 2
    assert header["worker"] == w.wid and header["plugin"].startswith(f"{p}/1.2.3")
    assert producer.silent()
    w.done([j for j in jobs if j.fn.endswith("slow")], status="failed", error="no")
    header, payloads = producer.recv()
    assert header["jobs"][0]["id"] == 0 and header["jobs"][0]["status"] == "failed" and payloads == [None]


def test_a_list_of_one_is_answered_as_a_list(broker, producer):
    w = broker.worker().credit(1)
    producer.send({"op": "call", "jobs": [{"fn": f"{w.plugin}.f"}]}, {})
    w.done(w.job())
    header, payloads = producer.recv()
    assert [j["id"] for j in header["jobs"]] == [0] and len(payloads) == 1


def test_4096_jobs_in_one_message(broker, producer):
    w = broker.worker().credit(4096)
    before = broker.counters()
    producer.send_raw(pack({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}] * 4096}), *[pack({"n": n}) for n in range(4096)])
    seen = 0
    while seen < 4096:
        jobs = w.jobs()
        assert [j.result["n"] for j in jobs] == list(range(seen, seen + len(jobs)))
        seen += len(jobs)
        w.done(jobs, {"y": seen}, run_ns=100)
    answers = producer.answers(4096)
    assert all(a.status == "ok" for a in answers.values()) and set(answers) == set(range(4096))
    moved = broker.moved(before)
    assert moved["jobs_called"] == moved["jobs_delivered"] == moved["jobs_ended"] == 4096 and moved["deliveries"] < 4096


def test_priorities(broker, producer):
    """9 is served first; equal ones in the order they came."""
    w = broker.worker()
    order = [(p, n) for p in range(10) for n in range(3)]
    random.Random(2385).shuffle(order)
    for p, n in order:
        producer.send({"op": "call", "fn": f"{w.plugin}.f", "priority": p, "id": 10 * p + n}, {"p": p, "n": n})
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "id": 999}, {"p": 4, "n": "default"})
    until(lambda: broker.function(f"{w.plugin}.f")["queued"] == 31, "all to be queued")
    w.credit(31)
    got = [(j.result["p"], j.result["n"]) for j in w.gather(31)]
    came = order + [(4, "default")]
    assert got == sorted(came, key=lambda x: (-x[0], came.index(x)))


def test_timeout_while_waiting(broker, producer):
    w = broker.worker()  # no credit
    before = broker.counters()
    producer.call(f"{w.plugin}.f", timeout_ms=30).expect("deadline", None, "not finished within 30 ms: it was waiting")
    assert broker.moves(before, jobs_called=1, jobs_ended=1)
    assert broker.function(f"{w.plugin}.f")["queued"] == 0
    w.credit(1)
    assert w.nothing()


def test_timeout_while_running_and_the_late_completion(broker, producer):
    w = broker.worker().credit(1)
    before = broker.counters()
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "timeout_ms": 40}, {})
    job = w.job()
    assert job.left_ms <= 40
    header, payloads = producer.recv()
    assert header["status"] == "deadline" and "it was running" in header["error"] and payloads == [None]
    w.done(job)  # too late: no second answer
    assert broker.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, jobs_ended=1, done_late=1)
    assert producer.silent()
    row = broker.function(f"{w.plugin}.f")
    assert row["running"] == 0 and row["statuses"] == {"deadline": 1}


def test_timeout_with_no_worker_left(broker, producer):
    w = broker.worker()
    w.bye()
    producer.call(f"{w.plugin}.f", timeout_ms=20).expect("deadline", None, "there is none")


def test_producer_that_left(broker):
    """Its answers are dropped and counted from when its leaving has reached the broker; nobody else notices.  The kernel and
    ZeroMQ's own thread know earlier: an answer of that moment counts as sent."""
    n = 200
    w = broker.worker().credit(n)
    p = broker.producer()
    before = broker.counters()
    for _ in range(n):
        p.send({"op": "call", "fn": f"{w.plugin}.f"}, {})
    jobs = w.jobs()
    until(lambda: broker.moved(before).get("jobs_called") == n, "the broker to have them all")
    before = broker.counters()
    p.close()
    early = None
    for ended in range(1, n + 1):
        jobs = jobs or w.jobs()
        w.done(jobs.pop())
        if early is None:
            until(lambda: broker.moved(before).get("jobs_ended") == ended, "the job to end")
            if "answers_dropped" in broker.moved(before):
                early = ended - 1
            else:
                time.sleep(0.02)
    moved = until(lambda: (m := broker.moved(before)).get("jobs_ended") == n and m, "all to end")
    assert early is not None and moved["answers_dropped"] == n - early


def test_producer_that_never_reads():
    """Once its pipe is full its answers are dropped and counted; others are served as ever."""
    with House({"out_hwm": 100}) as house:
        w = house.worker().credit(100000)
        fn = f"{w.plugin}.f"
        deaf, good = house.producer(hwm=1), house.producer()
        before = house.counters()
        sent = 0
        while sent % 50 or "answers_dropped" not in house.moved(before):
            assert sent < 5000, "nothing was ever dropped"
            deaf.send({"op": "call", "fn": fn}, {})
            w.done(w.job(), {"y": bytes(50000)}, run_ns=100)
            sent += 1
        good.send({"op": "call", "fn": fn}, {})
        w.done(w.job())
        assert good.recv()[0]["status"] == "ok"
        moved = house.moved(before)
        assert moved["answers_dropped"] >= 1 and moved["jobs_ended"] == sent + 1 == moved["jobs_called"]


def test_calls_of_many_producers_get_their_own_answers(broker):
    w = broker.worker().credit(100000)
    fn = f"{w.plugin}.f"
    producers = [broker.producer() for _ in range(20)]
    for n in range(10):
        for k, p in enumerate(producers):
            p.send({"op": "call", "fn": fn, "id": n}, {"v": 100 * k + n})
    seen = 0
    while seen < 200:
        for j in w.jobs():
            w.done(j, {"v": j.result["v"]}, run_ns=100)
            seen += 1
    for k, p in enumerate(producers):
        got = {h["id"]: pl[0]["v"] for h, pl in (p.recv() for _ in range(10))}
        assert got == {n: 100 * k + n for n in range(10)}
        assert p.silent()


def test_calls_wait_for_their_function_after_a_start():
    """For settle_ms a new broker does not know yet what its workers offer, and queues instead of refusing."""
    with House({"settle_ms": 600000}) as house:
        p = house.producer()
        p.send({"op": "call", "fn": "late.f"}, {"x": 1})
        until(lambda: (house.function("late.f") or {}).get("queued") == 1, "the call to be queued")
        w = house.worker("late").credit(1)
        w.done(w.job())
        assert p.recv()[0]["status"] == "ok"
        p.call("Not A Name").expect("unknown_function", "fn")


def test_calls_of_a_function_that_never_comes():
    with House({"settle_ms": 300}) as house:
        p = house.producer()
        assert p.submit("never.f", "kept").status == "accepted"
        p.call("never.f").expect("unknown_function", "fn", '"never.f", which no plugin offers')
        assert p.result("kept").expect("unknown_function", "fn").state == "done"
        assert p.about("forget", "kept").status == "ok"
        p.call("never.f").expect("unknown_function", "fn")
        assert house.function("never.f") is None
