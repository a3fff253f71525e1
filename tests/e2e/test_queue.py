# SPDX-License-Identifier: MPL-2.0
"""Bounded queues, credit, and who gets what."""
import pytest

from house import House, until


@pytest.fixture(scope="module")
def small():
    with House({"queue_limit": 3, "memory_mb": 1, "batch_jobs": 4}) as house:
        yield house


def test_full_queue_is_busy(small):
    w, p = small.worker(), small.producer()
    fn = f"{w.plugin}.f"
    before = small.counters()
    for n in range(3):
        p.send({"op": "call", "fn": fn, "id": n}, {"n": n})
    p.call(fn).expect("busy", None, f"3 jobs of {fn} wait already", "queue_limit")
    p.submit(fn, "s").status == "busy"
    assert small.moves(before, jobs_called=3, jobs_refused=2)
    # Another function has a queue of its own.
    other = small.worker().credit(1)
    p2 = small.producer()
    p2.send({"op": "call", "fn": f"{other.plugin}.f"}, {})
    other.done(other.job())
    assert p2.recv()[0]["status"] == "ok"
    # And this one has room again when somebody works.
    w.credit(1)
    w.done(w.job(), credit=False)
    assert p.recv()[0]["id"] == 0
    p.send({"op": "call", "fn": fn, "id": 3}, {})
    w.credit(3)
    w.done(w.gather(3))
    assert {p.recv()[0]["id"] for _ in range(3)} == {1, 2, 3}


def test_delayed_jobs_take_room_too(small):
    w, p = small.worker(), small.producer()
    fn = f"{w.plugin}.f"
    for n in range(3):
        assert p.submit(fn, f"d{n}", not_before_ms=600000).status == "accepted"
    refused = p.submit(fn, "d3")
    assert refused.status == "busy" and "wait already" in refused.error
    assert p.about("status", "d3").state == "unknown"
    assert [a.status for a in p.about("cancel", "d0", "d1", "d2")] == ["ok"] * 3
    assert p.submit(fn, "d3").status == "accepted"


def test_list_that_fits_in_part(small):
    w, p = small.worker(), small.producer()
    p.send({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}] * 5}, *[{}] * 5)
    refused = p.answers(2)
    assert {i: a.status for i, a in refused.items()} == {3: "busy", 4: "busy"}
    w.credit(5)
    w.done(w.gather(3))
    assert {i: a.status for i, a in p.answers(3).items()} == {0: "ok", 1: "ok", 2: "ok"}


def test_payloads_of_waiting_jobs_have_a_budget(small):
    w, p = small.worker(), small.producer()
    fn = f"{w.plugin}.f"
    p.send({"op": "call", "fn": fn}, {"x": bytes(700000)})
    p.call(fn, {"x": bytes(700000)}).expect("busy", None, "memory_mb")
    p.send({"op": "call", "fn": fn}, {"x": bytes(10)})
    w.credit(2)
    w.done(w.gather(2))
    assert [p.recv()[0]["status"] for _ in range(2)] == ["ok", "ok"]
    # Its bytes are given back.
    p.send({"op": "call", "fn": fn}, {"x": bytes(700000)})
    w.credit(1)
    w.done(w.job())
    assert p.recv()[0]["status"] == "ok"


def test_no_delivery_without_credit(broker, producer):
    w = broker.worker()
    fn = f"{w.plugin}.f"
    producer.send({"op": "call", "fn": fn}, {})
    until(lambda: broker.function(fn)["queued"] == 1, "the call to be queued")
    assert w.nothing()
    w.credit(1)
    assert w.job()


def test_credit_is_never_exceeded(broker, producer):
    """A hundred jobs to a worker that gives credit in dribs and drabs, repeats it and takes it back."""
    w = broker.worker()
    fn = f"{w.plugin}.f"
    producer.send({"op": "call", "fn": fn, "jobs": [{}] * 100}, *[{"n": n} for n in range(100)])
    until(lambda: broker.function(fn)["queued"] == 100, "all to be queued")
    held, got = [], 0
    for step in (1, 0, 3, 2, 0, 7, 1, 1, 20, 0, 5):
        w.credit(step)
        w.send({"op": "credit", "limit": w.limit})  # a repeat is harmless
        while got < w.limit:
            held.append(w.jobs())
            got += len(held[-1])
            assert got <= w.limit
            if len(held) == 2:  # as many deliveries as may be under way
                w.done(held[0] + held[1], credit=False, run_ns=100)
                held = []
        assert w.nothing()
    assert got == 40 == w.limit
    w.done([j for jobs in held for j in jobs], credit=False, run_ns=100)
    w.send({"op": "credit", "limit": 10})  # less than was delivered: nothing more comes
    assert w.nothing()
    w.credit(60)
    while got < 100:
        jobs = w.jobs()
        w.done(jobs, credit=False, run_ns=100)
        got += len(jobs)
    assert got == 100 and set(producer.answers(100)) == set(range(100))
    assert w.nothing()


def test_long_jobs_are_not_hoarded(broker, producer):
    """A worker said to need long for a job gets one at a time: the others go to whoever is idle."""
    slow = {"name": "f", "max_batch": 1, "warm_us": 500000.0}
    a, b = broker.worker("hoard", [slow], wid="hoard.a").credit(10), broker.worker("hoard", [slow], wid="hoard.b").credit(10)
    producer.send({"op": "call", "fn": "hoard.f", "jobs": [{}] * 3}, {}, {}, {})
    ja, jb = a.job(), b.job()
    assert a.nothing() and b.nothing()
    assert broker.function("hoard.f")["queued"] == 1
    b.done(jb, run_ns=500000000)
    third = b.job()
    assert a.nothing()
    b.done(third)
    a.done(ja)
    assert set(producer.answers(3)) == {0, 1, 2}


def test_short_jobs_travel_together(broker, producer):
    w = broker.worker(functions=[{"name": "f", "max_batch": 64, "warm_us": 2.0}])
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}] * 100}, *[{}] * 100)
    until(lambda: broker.function(f"{w.plugin}.f")["queued"] == 100, "all to be queued")
    before = broker.counters()
    w.credit(100)
    w.done(w.gather(100), run_ns=100)
    assert len(producer.answers(100)) == 100
    assert broker.moved(before)["deliveries"] <= 3


def test_batch_jobs_is_the_most_in_one_message(small):
    w, p = small.worker(functions=[{"name": "f", "max_batch": 64, "warm_us": 2.0}]), small.producer()
    p.send({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}] * 3}, {}, {}, {})
    until(lambda: small.function(f"{w.plugin}.f")["queued"] == 3, "all to be queued")
    w.credit(3)
    assert len(w.jobs()) <= 4


def test_functions_of_one_worker_take_turns(broker, producer):
    """A flood of one function does not starve the other."""
    slow = [{"name": n, "max_batch": 1, "warm_us": 900000.0} for n in "fg"]
    w = broker.worker(functions=slow)
    producer.send({"op": "call", "jobs": [{"fn": f"{w.plugin}.f"}] * 20 + [{"fn": f"{w.plugin}.g"}]}, *[{}] * 21)
    until(lambda: broker.function(f"{w.plugin}.g")["queued"] == 1, "all to be queued")
    w.credit(30)
    names = []
    for _ in range(3):
        job = w.job()
        names.append(job.fn[-1])
        w.done(job, run_ns=900000000)
    assert "g" in names


def test_work_is_shared_among_idle_workers(broker, producer):
    rows = [{"name": "f", "max_batch": 8, "warm_us": 300.0}]
    workers = [broker.worker("share", rows, wid=f"share.{n}") for n in range(4)]
    for w in workers:
        assert w.credit(8).nothing()
    producer.send({"op": "call", "fn": "share.f", "jobs": [{}] * 8}, *[{}] * 8)
    for w in workers:
        w.done(w.gather(2))
    assert len(producer.answers(8)) == 8
