# SPDX-License-Identifier: MPL-2.0
"""Several nodes for one broker: nodes that join, leave and stand still, and how work is shared among them. Producers keep up a
steady load, and in the end every call was answered exactly once and the broker has counted the same."""
import os
import signal

from field import SLEEP, far, field  # noqa: F401 (fixtures)
from house import until
from load import Load


def test_join_and_leave(field):
    """A node that comes gets work; one that is told to stop finishes what it has and leaves; nobody else notices."""
    field.node("a")
    with Load(field.house, **SLEEP) as load:
        load.serves("a", 30)
        field.node("b")
        load.serves("b", 30)
        a = field.daemons["a"]
        a.terminate()
        assert a.wait() == 0
        load.serves("b", 30)
        assert not field.stats_of("a")
        field.node("c")
        load.serves("c", 30)
    moved = load.settled()
    assert moved["workers_joined"] == 2 and moved["nodes_joined"] == 2 and moved["workers_left"] == 1
    assert not any(k in moved for k in ("workers_lost", "nodes_lost", "done_stale", "done_late", "jobs_crashed")), moved


def test_work_is_shared_by_free_slots(field):
    """A node with twice the workers does twice the work, and no worker less than its share."""
    field.node("small", 2)
    field.node("large", 4)
    with Load(field.house, producers=3, window=16, **SLEEP) as load:
        load.serves("large", 20)
        load.serves("small", 20)
        before = load.by_node()
        load.passes(900)
        after = load.by_node()
    small, large = (after[n] - before[n] for n in ("small", "large"))
    assert 1.5 < large / small < 2.7, (small, large)
    each = load.merged("workers")
    assert len(each) == 6 and max(each.values()) < 2 * min(each.values()), each
    load.settled()


def test_a_node_twice_as_fast_does_twice_the_work(broker):
    """Two workers of one function, one of which takes two ticks for a job: counted in ticks, so no clock is asked."""
    row = [{"name": "f", "max_batch": 1, "warm_us": 50000.0}]
    fast, slow = broker.worker("pace", row, wid="pace.fast").credit(50), broker.worker("pace", row, wid="pace.slow").credit(50)
    p = broker.producer()
    p.send({"op": "call", "fn": "pace.f", "jobs": [{}] * 90}, *[{}] * 90)
    done = {fast: 0, slow: 0}
    held = {fast: fast.job(), slow: slow.job()}
    tick = 0
    while sum(done.values()) < 60:
        tick += 1
        for w in (fast, slow) if tick % 2 == 0 else (fast,):
            w.done(held[w], run_ns=50000000)
            done[w] += 1
            held[w] = w.job()
    assert done[fast] == 2 * done[slow] == 40
    for w in (fast, slow):
        w.done(held[w], credit=False, run_ns=50000000)
    while (left := broker.function("pace.f")["queued"]) > 0:
        fast.done(fast.gather(1), run_ns=50000000)
        until(lambda: broker.function("pace.f")["queued"] < left or left == 0, "the next to be given")
    broker_counts = broker.function("pace.f")
    assert broker_counts["count"] >= 88


def test_a_node_that_stands_still(field):
    """Its workers are stopped: their supervisor replaces them, the few jobs in their hands run again, all others go elsewhere."""
    house = field.house
    field.node("a")
    field.node("b", 2)
    with Load(house, producers=3, window=8, **SLEEP) as load:
        load.serves("b", 40)
        pids = [w["pid"] for w in field.stats_of("b")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        load.serves("a", 150)
        load.serves("b", 20)
        assert not set(pids) & {w["pid"] for w in field.stats_of("b")}
    moved = load.settled()
    assert moved.get("workers_lost") == 2 and "nodes_lost" not in moved, moved
