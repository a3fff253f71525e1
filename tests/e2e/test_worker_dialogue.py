# SPDX-License-Identifier: MPL-2.0
"""The workers' side of the protocol: hello, leases and their tokens, release, beat, gone, bye."""
import time

import pytest

from house import House, Worker, until


def node(house, wid):
    """A supervisor played by the test."""
    house.serial += 1
    n = Worker(house, "none", [], wid=wid, role="node")
    house.peers.append(n)
    n.hello()
    return n


def gone(n, w, kind, jobs, cause="signal 11 (Segmentation fault)"):
    n.send({"op": "gone", "wid": w.wid, "cause": cause, "kind": kind, "running": [j["token"] for j in jobs]})


@pytest.fixture
def call(broker, producer):
    """Sends n calls to the worker as one list; its jobs once they are there."""

    def send(w, n=1, **keys):
        producer.send({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}] * n, **keys}, *[{"n": i} for i in range(n)])
        return w.gather(n)

    return send


# ---- hello

def test_welcome(broker):
    before = broker.counters()
    w = broker.worker()
    assert w.welcome["status"] == "ok" and w.welcome["beat_ms"] == 50 and w.welcome["lease_ms"] == 600000
    assert w.welcome["max_bytes"] == 67108864 and w.welcome["journal"] == "memory" and "lost" not in w.welcome
    assert broker.moves(before, workers_joined=1)
    row, = broker.workers(w.plugin)
    report = row.pop("report")
    assert report == {"load_us": 7}
    assert row["wid"] == w.wid and row["version"] == "1.2.3" and row["build"] == "b1" and row["generation"] == 1
    assert row["state"] == "ready" and row["running"] == 0 and row["done"] == 0 and row["host"] == "h"
    w.bye()
    assert broker.moves(before, workers_joined=1, workers_left=1)


def test_contract_is_described(broker, producer):
    w = broker.worker(functions=["f", "g"])
    header, payloads = producer.ask({"op": "describe", "fn": f"{w.plugin}.g"})
    assert header["status"] == "ok" and header["functions"] == [f"{w.plugin}.g"]
    assert payloads == [{"name": "g", "plugin": w.plugin}]
    header, payloads = producer.ask({"op": "describe"})
    assert header["functions"] == sorted(header["functions"]) and f"{w.plugin}.f" in header["functions"]
    assert len(payloads) == len(header["functions"])


def test_same_name_in_another_session_takes_the_place(broker, producer, call):
    old = broker.worker("place", wid="place.w").credit(2)
    job, = call(old)
    before = broker.counters()
    new = broker.worker("place", wid="place.w", session="s2").credit(2)
    again = new.job()
    assert again.attempt == 1 and again.token != job.token
    old.send({"op": "beat"})
    assert old.recv()[0]["op"] == "who"
    new.done(again)
    producer.answers(1)[0].expect("ok")
    assert broker.moves(before, workers_joined=1, workers_lost=1, jobs_given_back=1, jobs_delivered=1, deliveries=1, jobs_ended=1,
                        worker_messages_bad=1)
    assert len(broker.workers("place")) == 1


def test_same_session_on_a_new_connection_keeps_what_it_names(broker, producer, call):
    w = broker.worker().credit(5)
    kept, dropped = call(w, 2)
    before = broker.counters()
    w.connect()
    w.hello(resume=[kept.token, 12345])
    assert w.welcome["lost"] == [12345]
    w.credit(5)
    again = w.job()  # the one it did not name comes back
    assert again.result == dropped.result and again.token != dropped.token
    w.done([kept, again])
    assert {a.status for a in producer.answers(2).values()} == {"ok"}
    assert broker.moves(before, jobs_given_back=1, jobs_delivered=1, deliveries=1, jobs_ended=2)


# ---- leases

def test_two_completions_of_one_lease(broker, producer, call):
    w = broker.worker().credit(1)
    job, = call(w)
    before = broker.counters()
    w.done(job, {"y": 1})
    w.done(job, {"y": 2})
    while not w.stale:
        w.recv("stored")
    assert w.stale == [job.token]
    assert producer.answers(1)[0].result == {"y": 1}
    assert producer.silent()
    assert broker.moves(before, jobs_ended=1, done_stale=1)
    assert broker.function(f"{w.plugin}.f")["count"] == 1


def test_twice_in_one_message(broker, producer, call):
    w = broker.worker().credit(1)
    job, = call(w)
    before = broker.counters()
    w.done([job, job])
    producer.answers(1)[0].expect("ok")
    assert broker.moves(before, jobs_ended=1, done_stale=1)


@pytest.mark.parametrize("nonsense", [{"status": "fine"}, {"status": 7}, {"run_ns": -5}, {"run_ns": 2.385}, {"error": 7}, {"batch": "x"}])
def test_outcome_that_cannot_be_understood_ends_its_job(broker, producer, call, nonsense):
    """The worker is done with it, so it must not wait for ever."""
    w = broker.worker().credit(2)
    jobs = call(w, 2)
    before = broker.counters()
    w.send({"op": "done", "seq": 1, "jobs": [{"token": jobs[0].token, "status": "ok", **nonsense}, {"token": jobs[1].token, "status": "ok"}]}, {}, {})
    answers = producer.answers(2)
    answers[jobs[0].result["n"]].expect("internal", None, "could not be understood")
    answers[jobs[1].result["n"]].expect("ok")
    assert broker.moves(before, worker_messages_bad=1, jobs_ended=2)


@pytest.mark.parametrize("token", [1, 2**32, 2**63, 2**64 - 1])
def test_token_that_never_was(broker, token):
    w = broker.worker()
    before = broker.counters()
    w.done({"token": token})
    while not w.stale:
        w.recv("stored")
    assert w.stale == [token]
    assert broker.moves(before, done_stale=1)


def test_token_of_another_worker(broker, producer, call):
    w, thief = broker.worker().credit(1), broker.worker()
    job, = call(w)
    before = broker.counters()
    thief.done(job, {"y": "stolen"})
    assert broker.moves(before, done_stale=1)
    thief.send({"op": "release", "tokens": [job.token]})
    assert thief.nothing() and broker.moves(before, done_stale=1)
    w.done(job, {"y": "mine"})
    assert producer.answers(1)[0].result == {"y": "mine"}


def test_stored_is_cumulative(broker, producer, call):
    w = broker.worker().credit(3)
    for job in call(w, 3):
        w.done(job)
    while w.stored < 3:
        w.recv("stored")
    assert w.stored == 3 and not w.stale
    assert len(producer.answers(3)) == 3


def test_stored_rides_on_the_next_jobs():
    with House({"beat_ms": 60000}) as house:  # so rarely that no beat tells it first
        w, p = house.worker().credit(2), house.producer()
        for n in range(2):
            p.send({"op": "call", "fn": f"{w.plugin}.f"}, {})
            w.done(w.job())
            p.recv()
        p.send({"op": "call", "fn": f"{w.plugin}.f"}, {})
        assert w.recv("jobs")[0]["stored"] == 2


# ---- release

def test_released_jobs_go_to_the_head_of_their_queue_uncharged(broker, producer):
    w = broker.worker()
    producer.send({"op": "call", "fn": f"{w.plugin}.f", "jobs": [{}] * 5}, *[{"n": n} for n in range(5)])
    until(lambda: broker.function(f"{w.plugin}.f")["queued"] == 5, "all to be queued")
    w.credit(3)
    jobs = w.gather(3)
    before = broker.counters()
    w.send({"op": "release", "tokens": [j.token for j in jobs[1:]]})
    assert broker.moves(before, jobs_given_back=2)
    w.credit(4)
    again = w.gather(4)
    assert [j.result["n"] for j in again] == [1, 2, 3, 4] and all(j.attempt == 1 for j in again)
    w.done(jobs[1])  # its old token is worth nothing
    while not w.stale:
        w.recv("stored")
    assert w.stale == [jobs[1].token]
    w.done([jobs[0]] + again)
    assert all(a.attempt == 1 and a.status == "ok" for a in producer.answers(5).values())
    assert broker.moves(before, jobs_given_back=2, jobs_delivered=4, deliveries=broker.moved(before)["deliveries"], jobs_ended=5,
                        done_stale=1)


def test_bye_gives_everything_back(broker, producer, call):
    w, other = broker.worker("bye", wid="bye.a").credit(2), broker.worker("bye", wid="bye.b")
    call(w, 2)
    before = broker.counters()
    w.bye()
    assert broker.moves(before, workers_left=1, jobs_given_back=2)
    other.credit(2)
    other.done(other.gather(2))
    assert {a.status for a in producer.answers(2).values()} == {"ok"}


# ---- silence

def test_a_silent_worker_is_lost_and_its_jobs_run_elsewhere():
    with House({"lease_ms": 200, "beat_ms": 20}) as house:
        w, p = house.worker("quiet", wid="quiet.a").credit(1), house.producer()
        p.send({"op": "call", "fn": "quiet.f"}, {})
        job = w.job()
        before = house.counters()
        assert house.moves(before, workers_lost=1, jobs_given_back=1)
        other = house.worker("quiet", wid="quiet.b").credit(1)
        other.done(other.job())
        assert p.recv()[0]["status"] == "ok"
        w.done(job)  # it was only slow: it learns that nobody knows it
        assert w.recv("who")
        assert p.silent()


def test_beats_keep_a_worker(broker):
    with House({"lease_ms": 300, "beat_ms": 30}) as house:
        w = house.worker()
        n = node(house, "n1")
        mine = house.worker(node="n1")
        for _ in range(50):
            w.send({"op": "beat"})
            n.send({"op": "beat", "plugins": []})
            assert w.recv("beat")[0]["state"] == "run" and n.recv("beat")[0]["state"] == "run"
            time.sleep(0.02)  # the pace of beats, not a wait for something
        assert house.workers(w.plugin) and house.workers(mine.plugin)  # the node's beat is its workers' too
        before = house.counters()
        until(lambda: house.moved(before) == {"workers_lost": 2, "nodes_lost": 1}, "all of them to be lost")


# ---- nodes

def test_what_a_node_says_of_its_plugins_is_shown(broker):
    n = node(broker, "shown")
    before = broker.counters()
    n.send({"op": "beat", "plugins": [{"name": "x", "state": "failed", "workers": 0, "restarts": 3, "why": "2.385"}]})
    assert n.recv("beat")
    row = next(r for r in broker.stats()["nodes"] if r["wid"] == "shown")
    assert row["plugins"] == [{"name": "x", "state": "failed", "workers": 0, "restarts": 3, "why": "2.385"}]
    n.send({"op": "bye"})
    until(lambda: all(r["wid"] != "shown" for r in broker.stats()["nodes"]), "the node to leave")
    assert broker.moved(before) == {}


def test_gone_by_crash_charges_the_one_running_job(broker, producer, call):
    n = node(broker, "crash")
    w = broker.worker("gc", wid="gc.a", node="crash").credit(3)
    jobs = call(w, 3)
    before = broker.counters()
    gone(n, w, "crash", jobs[:1])
    assert broker.moves(before, workers_lost=1, jobs_crashed=1, jobs_given_back=2)
    w2 = broker.worker("gc", wid="gc.b", node="crash").credit(3)
    again = w2.gather(3)
    assert {j.result["n"] for j in again} == {0, 1, 2} and all(j.attempt == 1 and "solo" not in j for j in again)
    w2.done(again)
    assert {a.status for a in producer.answers(3).values()} == {"ok"}
    assert broker.function("gc.f")["crashes"] == 1


def test_poison_after_three_crashes(broker, producer, call):
    n = node(broker, "poison")
    before = broker.counters()
    for life in range(3):
        w = broker.worker("gp", wid=f"gp.{life}", node="poison").credit(1)
        jobs = call(w) if life == 0 else [w.job()]
        gone(n, w, "crash", jobs)
    producer.answers(1)[0].expect("poison", None, "killed 3 workers", "signal 11")
    assert broker.moves(before, workers_joined=3, workers_lost=3, jobs_called=1, jobs_delivered=3, deliveries=3, jobs_crashed=3,
                        jobs_poisoned=1, jobs_ended=1)
    assert broker.function("gp.f")["statuses"] == {"poison": 1}


def test_a_crash_of_several_together_charges_nobody_and_runs_each_alone(broker, producer, call):
    n = node(broker, "batch")
    w = broker.worker("gb", wid="gb.a", node="batch").credit(4)
    jobs = call(w, 4)
    before = broker.counters()
    gone(n, w, "crash", jobs[:3])  # the fourth was not in plugin code
    assert broker.moves(before, workers_lost=1, jobs_given_back=4)
    w = broker.worker("gb", wid="gb.b", node="batch").credit(10)
    seen = {}
    while len(seen) < 4:
        delivered = w.jobs()
        for j in delivered:
            seen[j.result["n"]] = bool(j.get("solo"))
            assert not j.get("solo") or len(delivered) == 1
        w.done(delivered)
    assert seen == {0: True, 1: True, 2: True, 3: False}
    assert {a.status for a in producer.answers(4).values()} == {"ok"}


def test_gone_by_memory_is_a_crash(broker, producer, call):
    n = node(broker, "memory")
    w = broker.worker("gm", wid="gm.a", node="memory").credit(1)
    before = broker.counters()
    gone(n, w, "memory", call(w), "out of memory")
    assert broker.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, workers_lost=1, jobs_crashed=1)
    w = broker.worker("gm", wid="gm.b", node="memory").credit(1)
    w.done(w.job())
    producer.answers(1)[0].expect("ok")


def test_gone_by_deadline_answers_the_job(broker, producer, call):
    n = node(broker, "deadline")
    w = broker.worker("gd", wid="gd.a", node="deadline").credit(2)
    jobs = call(w, 2)
    before = broker.counters()
    gone(n, w, "deadline", jobs[:1], "the job ran longer than its limit of 50 ms")
    header, _ = producer.recv()
    assert header["jobs"][0]["status"] == "deadline" and "limit of 50 ms" in header["jobs"][0]["error"]
    assert broker.moves(before, workers_lost=1, jobs_given_back=1, jobs_ended=1)
    w = broker.worker("gd", wid="gd.b", node="deadline").credit(2)
    w.done(w.job())
    producer.answers(1)[1].expect("ok")


def test_gone_by_stop_charges_nobody(broker, producer, call):
    n = node(broker, "stop")
    w = broker.worker("gs", wid="gs.a", node="stop").credit(1)
    before = broker.counters()
    gone(n, w, "stop", call(w))
    assert broker.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, workers_lost=1, jobs_given_back=1)
    w = broker.worker("gs", wid="gs.b", node="stop").credit(1)
    w.done(w.job())
    assert producer.answers(1)[0].expect("ok").attempt == 1


def test_nobody_can_bury_the_worker_of_another_node(broker, producer, call):
    node(broker, "owner")
    liar = node(broker, "liar")
    w = broker.worker("gl", wid="gl.a", node="owner").credit(1)
    job, = call(w)
    before = broker.counters()
    gone(liar, w, "crash", [job])
    gone(liar, type("W", (), {"wid": "nobody"}), "crash", [])
    liar.send({"op": "beat"})
    liar.recv("beat")
    assert broker.moves(before)
    w.done(job)
    producer.answers(1)[0].expect("ok")


def test_crashed_job_whose_deadline_has_passed(broker, producer):
    """It was answered already: the crash is nobody's."""
    n = node(broker, "late")
    w = broker.worker("glate", wid="glate.a", node="late").credit(1)
    producer.send({"op": "call", "fn": "glate.f", "timeout_ms": 30}, {})
    job = w.job()
    assert producer.recv()[0]["status"] == "deadline"
    before = broker.counters()
    gone(n, w, "crash", [job])
    assert broker.moves(before, workers_lost=1)
    assert broker.function("glate.f")["running"] == 0


def test_another_process_under_the_name_of_a_node(broker):
    """The workers of the one before died with it: what they had is given back. A worker of the new one may have been first."""
    n = broker.worker(role="node", wid="reborn", session="a")
    plain = broker.worker("reborn_p", ["f"], wid="reborn.1", node="reborn")
    told = broker.worker("reborn_q", ["f"], wid="reborn.2", node="reborn", node_session="a")
    early = broker.worker("reborn_r", ["f"], wid="reborn.3", node="reborn", node_session="b")
    p = broker.producer()
    for w in (plain, told, early):
        w.credit(1)
        p.send({"op": "call", "fn": f"{w.plugin}.f", "id": w.plugin}, {})
        assert w.job()
    before = broker.counters()
    n.hello()  # the same process, after a reconnection: nothing is lost
    assert broker.moves(before, nodes_joined=1)
    again = broker.worker(role="node", wid="reborn", session="b")
    assert broker.moves(before, nodes_joined=2, workers_lost=2, jobs_given_back=2)
    assert [w["wid"] for w in broker.stats()["workers"] if w["node"] == "reborn"] == ["reborn.3"]
    for plugin in ("reborn_p", "reborn_q"):
        w = broker.worker(plugin, ["f"], node="reborn", node_session="b").credit(1)
        job = w.job()
        w.done(job)
    answers = {p.recv()[0]["id"] for _ in range(2)}
    assert answers == {"reborn_p", "reborn_q"}
    again.bye()
