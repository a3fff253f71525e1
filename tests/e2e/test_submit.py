# SPDX-License-Identifier: MPL-2.0
"""submit, result, status, cancel, forget: jobs whose results are fetched later."""
import time

import pytest

from house import House, pack, until


@pytest.fixture
def w(broker):
    """A worker of its own plugin, without credit: jobs wait until the test lets it work."""
    return broker.worker()


def fn(w):
    return f"{w.plugin}.f"


@pytest.fixture
def id(request):
    return request.node.nodeid[-50:]


def test_submit_then_result(broker, producer, w, id):
    before = broker.counters()
    assert dict(producer.submit(fn(w), id, {"x": 1})) == {"id": id, "status": "accepted"}
    assert dict(producer.about("status", id)) == {"id": id, "state": "queued", "attempt": 0}
    w.credit(1)
    job = w.job()
    assert "left_ms" not in job and job.attempt == 1 and job.result == {"x": 1}
    assert producer.about("status", id).state == "running"
    answer = producer.result(id, wait_ms=0)
    assert answer.state == "running" and answer.result is None and answer.status is None
    w.done(job, {"y": 2.385})
    answer = producer.result(id)
    assert answer.expect("ok").state == "done" and answer.result == {"y": 2.385} and answer.worker == w.wid and answer.attempt == 1
    assert answer.timing["run_us"] == 24 and answer.timing["total_us"] >= answer.timing["queue_us"]
    assert producer.result(id, wait_ms=0).result == {"y": 2.385}  # reading does not remove it
    status = producer.about("status", id)
    assert status.state == "done" and status.status == "ok" and status.timing == answer.timing
    assert broker.moves(before, jobs_submitted=1, jobs_delivered=1, deliveries=1, jobs_ended=1)


def test_duplicate_id(broker, producer, w, id):
    before = broker.counters()
    assert producer.submit(fn(w), id, {"x": 1}).status == "accepted"
    assert producer.submit(fn(w), id, {"x": 2}).status == "duplicate"
    w.credit(5)
    job = w.job()
    assert job.result == {"x": 1}
    assert producer.submit(fn(w), id, {"x": 3}).status == "duplicate"
    w.done(job)
    producer.result(id).expect("ok")
    assert producer.submit(fn(w), id, {"x": 4}).status == "duplicate"
    assert w.nothing()
    assert broker.moves(before, jobs_submitted=1, jobs_duplicate=3, jobs_delivered=1, deliveries=1, jobs_ended=1)
    producer.about("forget", id)
    assert producer.submit(fn(w), id, {"x": 5}).status == "accepted"
    assert w.job().result == {"x": 5}


def test_duplicate_within_one_message(broker, producer, w, id):
    header, _ = producer.ask({"op": "submit", "fn": fn(w), "jobs": [{"id": id}, {"id": id}]}, {"x": 1}, {"x": 2})
    assert [j["status"] for j in header["jobs"]] == ["accepted", "duplicate"]


def test_ids_are_compared_byte_for_byte_with_their_type(broker, producer, w):
    for id in (17, "17", b"17"):
        assert producer.submit(fn(w), id).status == "accepted"
    assert producer.submit(fn(w), 17).status == "duplicate"
    # 17 packed as widely as msgpack can is the same number.
    producer.send_raw(pack({"op": "submit", "fn": fn(w)})[:1].replace(b"\x82", b"\x83") + pack({"op": "submit", "fn": fn(w)})[1:] +
                      b"\xa2id\xcf" + (17).to_bytes(8, "big"), pack({}))
    assert producer.recv()[0]["jobs"][0]["status"] == "duplicate"


def test_submit_list_with_good_and_bad_ones(broker, producer, w, id):
    before = broker.counters()
    header, payloads = producer.ask(
        {"op": "submit", "fn": fn(w), "jobs": [{"id": id + "0"}, {}, {"id": id + "2", "fn": "no.such"}, {"id": [], "keep_ms": 5},
                                               {"id": id + "4", "max_attempts": 101}]}, {}, {}, {}, {}, {})
    assert payloads == []
    got = [(j["id"], j["status"], j.get("field")) for j in header["jobs"]]
    assert got == [(id + "0", "accepted", None), (1, "invalid", "id"), (id + "2", "unknown_function", "fn"), (3, "invalid", "id"),
                   (id + "4", "invalid", "max_attempts")]
    assert "id is missing" in header["jobs"][1]["error"] and "101, expected a whole number 1..100" in header["jobs"][4]["error"]
    assert broker.moves(before, jobs_submitted=1, jobs_refused=4)
    assert producer.about("status", id + "2").expect("unknown_job").state == "unknown"


@pytest.mark.parametrize("key, value, range", [
    ("deadline_ms", 0, "1..2592000000"), ("deadline_ms", 2592000001, "1..2592000000"), ("ttl_ms", 0, "1..2592000000"),
    ("not_before_ms", -1, "0..2592000000"), ("not_before_ms", "soon", "0..2592000000"), ("max_attempts", 0, "1..100"),
    ("backoff_ms", 3600001, "0..3600000"), ("keep_ms", 2592000001, "0..2592000000"), ("priority", 10, "0..9"),
    ("run_ms", 0, "1..86400000"),
])
def test_key_out_of_range(broker, producer, w, id, key, value, range):
    header, _ = producer.ask({"op": "submit", "jobs": [{"fn": fn(w), "id": id, key: value}]}, {})
    row = header["jobs"][0]
    assert (row["status"], row["field"]) == ("invalid", key)
    assert f"{key} is" in row["error"] and f"expected a whole number {range}" in row["error"]


def test_result_waits_for_all_of_its_ids(broker, producer, w, id):
    other = broker.producer()
    for n in "ab":
        producer.submit(fn(w), id + n)
    other.send({"op": "result", "ids": [id + "a", "nobody's", id + "b"], "wait_ms": 600000, "rid": 5})
    w.credit(2)
    jobs = w.gather(2)
    w.done(jobs[0])
    producer.result(id + "a").expect("ok")
    assert other.silent()
    w.done(jobs[1], status="failed", error="2.385 is no answer", field="y")
    header, payloads = other.recv()
    assert header["rid"] == 5 and [j["id"] for j in header["jobs"]] == [id + "a", "nobody's", id + "b"]
    assert [j["state"] for j in header["jobs"]] == ["done", "unknown", "done"]
    assert [j["status"] for j in header["jobs"]] == ["ok", "unknown_job", "failed"]
    assert header["jobs"][2]["error"] == "2.385 is no answer" and header["jobs"][2]["field"] == "y"
    assert payloads == [{"y": 2.385}, None, None]


def test_result_answers_after_wait_ms_with_what_there_is(broker, producer, w, id):
    producer.submit(fn(w), id)
    began = time.monotonic()
    answer = producer.result(id, wait_ms=60)
    assert time.monotonic() - began >= 0.06
    assert answer.state == "queued" and answer.result is None
    # The waiter is gone: the end of the job is told to nobody.
    w.credit(1)
    w.done(w.job())
    producer.result(id).expect("ok")
    assert producer.silent()


def test_waiter_that_left(broker, producer, w, id):
    producer.submit(fn(w), id)
    other = broker.producer()
    other.send({"op": "result", "ids": [id], "wait_ms": 600000})
    assert other.ask({"op": "ping"})[0]["op"] == "pong"
    other.close()
    w.credit(1)
    w.done(w.job())
    producer.result(id).expect("ok")


def test_not_before(broker, producer, w, id):
    w.credit(2)
    began = time.monotonic()
    producer.submit(fn(w), id, not_before_ms=120)
    assert producer.about("status", id).state == "delayed"
    assert broker.function(fn(w))["delayed"] == 1
    job = w.job()
    assert time.monotonic() - began >= 0.12
    w.done(job)
    answer = producer.result(id)
    assert answer.timing["queue_us"] < answer.timing["total_us"] - 100000  # waiting on purpose is not queueing
    assert broker.function(fn(w))["delayed"] == 0


def test_ttl(broker, producer, w, id):
    before = broker.counters()
    producer.submit(fn(w), id, ttl_ms=30)
    producer.result(id).expect("expired", None, "not started within its ttl of 30 ms")
    assert broker.moves(before, jobs_submitted=1, jobs_ended=1)
    w.credit(1)
    assert w.nothing()


def test_ttl_does_not_end_what_has_started(broker, producer, w, id):
    w.credit(1)
    producer.submit(fn(w), id, ttl_ms=50)
    job = w.job()
    assert producer.result(id, wait_ms=120).state == "running"
    w.done(job)
    producer.result(id).expect("ok")


def test_deadline(broker, producer, w, id):
    producer.submit(fn(w), id + "q", deadline_ms=30)
    producer.result(id + "q").expect("deadline", None, "not finished within 30 ms", "waiting")
    w.credit(1)
    producer.submit(fn(w), id + "r", deadline_ms=50)
    job = w.job()
    assert 1 <= job.left_ms <= 50
    producer.result(id + "r").expect("deadline", None, "running")
    before = broker.counters()
    w.done(job)
    assert broker.moves(before, done_late=1)
    producer.result(id + "r").expect("deadline")


def test_deadline_of_a_delayed_job(broker, producer, w, id):
    w.credit(1)
    producer.submit(fn(w), id, not_before_ms=600000, deadline_ms=30)
    producer.result(id).expect("deadline")
    assert broker.function(fn(w))["delayed"] == 0


@pytest.mark.parametrize("status", ["temporary", "unavailable", "busy"])
def test_retry_with_backoff(broker, producer, w, id, status):
    before = broker.counters()
    w.credit(1)
    producer.submit(fn(w), id, backoff_ms=40)
    times = []
    for attempt in (1, 2, 3):
        job = w.job()
        times.append(time.monotonic())
        assert job.attempt == attempt
        w.done(job, status=status, error=f"no {attempt}")
    answer = producer.result(id)
    assert answer.expect(status, None, "no 3").attempt == 3
    assert times[1] - times[0] >= 0.04 and times[2] - times[1] >= 0.08  # doubled
    assert broker.moves(before, jobs_submitted=1, jobs_delivered=3, deliveries=3, jobs_retried=2, jobs_ended=1)
    row = broker.function(fn(w))
    assert row["retries"] == 2 and row["count"] == 1 and row["statuses"] == {status: 1}


def test_retry_succeeds(broker, producer, w, id):
    w.credit(1)
    producer.submit(fn(w), id, backoff_ms=0, max_attempts=2)
    w.done(w.job(), status="temporary", error="not yet")
    w.done(w.job())
    assert producer.result(id).expect("ok").attempt == 2


def test_no_retry_of_what_would_fail_again(broker, producer, w, id):
    w.credit(2)
    before = broker.counters()
    for status in ("failed", "invalid", "resource", "internal", "cancelled"):
        producer.submit(fn(w), id + status)
        w.done(w.job(), status=status, error="no")
        producer.result(id + status).expect(status)
    assert broker.moved(before).get("jobs_retried") is None


def test_one_attempt(broker, producer, w, id):
    w.credit(1)
    producer.submit(fn(w), id, max_attempts=1)
    w.done(w.job(), status="temporary", error="no")
    assert producer.result(id).expect("temporary").attempt == 1


def test_cancel(broker, producer, w, id):
    before = broker.counters()
    waiting = broker.producer()
    producer.submit(fn(w), id + "queued")
    producer.submit(fn(w), id + "delayed", not_before_ms=600000)
    waiting.send({"op": "result", "ids": [id + "queued", id + "delayed"], "wait_ms": 600000})
    assert [a.status for a in producer.about("cancel", id + "queued", id + "delayed", "nobody's")] == ["ok", "ok", "unknown_job"]
    header, _ = waiting.recv()
    assert [j["status"] for j in header["jobs"]] == ["cancelled", "cancelled"]
    assert producer.about("cancel", id + "queued").status == "conflict"  # done already
    w.credit(1)
    producer.submit(fn(w), id + "running")
    job = w.job()
    assert producer.about("cancel", id + "running").status == "conflict"
    w.done(job)
    producer.result(id + "running").expect("ok")
    assert w.nothing()
    assert broker.moves(before, jobs_submitted=3, jobs_delivered=1, deliveries=1, jobs_ended=3)


def test_forget(broker, producer, w, id):
    w.credit(1)
    producer.submit(fn(w), id)
    job = w.job()
    assert producer.about("forget", id).status == "conflict"
    w.done(job)
    producer.result(id).expect("ok")
    known = broker.stats()["broker"]["jobs_known"]
    assert producer.about("forget", id).status == "ok"
    assert broker.stats()["broker"]["jobs_known"] == known - 1
    assert producer.result(id).expect("unknown_job").state == "unknown"
    assert producer.about("forget", id).status == "unknown_job"


def test_result_is_dropped_after_keep_ms(broker, producer, w, id):
    w.credit(2)
    producer.submit(fn(w), id + "short", keep_ms=60)
    producer.submit(fn(w), id + "long")
    jobs = w.gather(2)
    w.done(jobs)
    began = time.monotonic()
    producer.result(id + "short").expect("ok")
    until(lambda: producer.about("status", id + "short").state == "unknown", "the result to be dropped")
    assert time.monotonic() - began >= 0.05
    producer.result(id + "long", wait_ms=0).expect("ok")


def test_keep_ms_zero_serves_those_who_wait(broker, producer, w, id):
    w.credit(1)
    producer.submit(fn(w), id, keep_ms=0)
    producer.send({"op": "result", "ids": [id], "wait_ms": 600000})
    assert producer.ask({"op": "ping"})[0]["op"] == "pong"
    w.done(w.job())
    header, payloads = producer.recv()
    assert header["jobs"][0]["status"] == "ok" and payloads == [{"y": 2.385}]
    until(lambda: producer.about("status", id).state == "unknown", "the result to be dropped")


def test_budget_of_results():
    """The oldest go first, and are counted."""
    with House({"results_mb": 1}) as house:
        w, p = house.worker().credit(10), house.producer()
        before = house.counters()
        for n in range(4):
            p.submit(fn(w), n)
            w.done(w.job(), {"y": bytes(400000)})
            p.result(n).expect("ok")
        assert house.moved(before)["results_evicted"] == 2
        assert [a.state for a in p.about("status", 0, 1, 2, 3)] == ["unknown", "unknown", "done", "done"]
        assert house.stats()["broker"]["results_bytes"] <= 1 << 20
        # One result larger than the budget: it is given to who waits, and does not stay.
        p.submit(fn(w), "big")
        p.send({"op": "result", "ids": ["big"], "wait_ms": 600000})
        assert p.ask({"op": "ping"})[0]["op"] == "pong"  # it waits already
        w.done(w.job(), {"y": bytes(2 << 20)})
        header, payloads = p.recv()
        assert header["jobs"][0]["status"] == "ok" and len(payloads[0]["y"]) == 2 << 20
        assert p.about("status", "big", 3)[0].state == "unknown"
        assert house.stats()["broker"]["results_bytes"] == 0


def test_timeout_ms_is_not_a_key_of_submit(broker, producer, w, id):
    """A key of the other operation is a mistake that would otherwise be found too late; unknown ones are ignored."""
    before = broker.counters()
    producer.send({"op": "submit", "fn": fn(w), "id": id, "timeout_ms": 1}, {})
    job = producer.recv()[0]["jobs"][0]
    assert (job["id"], job["status"], job["field"]) == (id, "invalid", "timeout_ms") and "deadline_ms" in job["error"]
    producer.call_raw(fn(w), pack({}), ttl_ms=5).expect("invalid", "ttl_ms", "not a key of call")
    producer.submit(fn(w), id, no_such_key=1)
    w.credit(1)
    w.done(w.job())
    assert broker.moved(before)["jobs_refused"] == 2


def test_priorities_of_submitted_jobs(broker, producer, w, id):
    for p in (3, 9, 0, 4):
        producer.submit(fn(w), f"{id}{p}", {"p": p}, priority=p)
    w.credit(4)
    assert [j.result["p"] for j in w.gather(4)] == [9, 4, 3, 0]


def test_results_outlive_their_worker(broker, producer, w, id):
    w.credit(1)
    producer.submit(fn(w), id)
    w.done(w.job())
    producer.result(id).expect("ok")
    w.bye()
    assert producer.result(id).expect("ok").worker == w.wid
