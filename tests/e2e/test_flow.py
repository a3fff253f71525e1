# SPDX-License-Identifier: MPL-2.0
"""Pause, drain, resume: by message and from the command line."""
import json
import os
import subprocess

import pytest

from house import BUILD, House, environment, until


@pytest.fixture(scope="module")
def nodes():
    """Two nodes of one echo worker each."""
    with House({"lease_ms": 5000}) as house:
        for name in ("north", "south"):
            house.start_daemon(["echo"], name)
        yield house


def kiln(house, *words, rc=0):
    ran = subprocess.run([os.path.join(BUILD, "kiln"), "--broker", house.front, *words], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), timeout=60)
    assert ran.returncode == rc, ran
    return ran.stdout if rc == 0 else ran.stderr


def states(house):
    stats = house.stats()
    return {n["wid"]: n["state"] for n in stats["nodes"]}, {w["wid"]: w["state"] for w in stats["workers"]}


def test_a_paused_function_waits_and_others_run(broker, producer):
    w = broker.worker(functions=["f", "g"]).credit(10)
    f, g = f"{w.plugin}.f", f"{w.plugin}.g"
    producer.send({"op": "call", "fn": f, "id": 0}, {})
    running = w.job()
    header, _ = producer.ask({"op": "pause", "name": f})
    assert header == {"op": "pause", "status": "ok", "functions": [f], "nodes": [], "workers": [], "queued": 0, "running": 1}
    for n in (1, 2):
        producer.send({"op": "call", "fn": f, "id": n}, {})
    until(lambda: broker.function(f)["queued"] == 2, "both to wait")
    assert w.nothing() and broker.function(f)["state"] == "paused"
    w.done(running)  # what runs is left to finish
    assert producer.recv()[0]["id"] == 0
    other = broker.producer()
    other.send({"op": "call", "fn": g}, {})
    w.done(w.job())
    assert other.recv()[0]["status"] == "ok"
    # Its limits hold: a deadline while it is paused.
    other.call(f, timeout_ms=30).expect("deadline", None, "the function is paused")
    header, _ = producer.ask({"op": "pause", "name": f})  # again: no harm
    assert header["queued"] == 2
    header, _ = producer.ask({"op": "resume", "name": f})
    assert header["functions"] == [f] and broker.function(f)["state"] == "run"
    w.done(w.gather(2))
    assert {producer.recv()[0]["id"] for _ in range(2)} == {1, 2}
    assert producer.ask({"op": "resume", "name": f})[0]["status"] == "ok"  # it runs already


def test_a_plugin_as_a_whole(broker, producer):
    w = broker.worker(functions=["f", "g"]).credit(10)
    operator = broker.producer()
    header, _ = operator.ask({"op": "pause", "name": f"{w.plugin}.*"})
    assert header["functions"] == [f"{w.plugin}.f", f"{w.plugin}.g"]
    producer.send({"op": "call", "jobs": [{"fn": f"{w.plugin}.f"}, {"fn": f"{w.plugin}.g"}]}, {}, {})
    until(lambda: broker.function(f"{w.plugin}.g")["queued"] == 1, "them to wait")
    assert w.nothing()
    operator.ask({"op": "resume", "name": f"{w.plugin}.f"})
    job = w.job()
    assert job.fn == f"{w.plugin}.f" and w.nothing()
    w.done(job)
    operator.ask({"op": "resume", "name": f"{w.plugin}.*"})
    w.done(w.job())
    assert set(producer.answers(2)) == {0, 1}


def test_a_paused_queue_is_bounded():
    with House({"queue_limit": 3}) as house:
        w, p = house.worker().credit(10), house.producer()
        fn = f"{w.plugin}.f"
        assert p.ask({"op": "pause", "name": "*"})[0]["functions"] == [fn]
        p.send({"op": "call", "fn": fn, "jobs": [{}] * 5}, *[{}] * 5)
        assert {a.status for a in p.answers(2).values()} == {"busy"}
        assert p.ask({"op": "resume", "name": "*"})[0]["queued"] == 3
        w.done(w.gather(3))
        assert len(p.answers(3)) == 3


@pytest.mark.parametrize("op", ["pause", "drain", "resume"])
def test_bad_names(broker, producer, op):
    def refused(status, *words, **keys):
        header, payloads = producer.ask({"op": op, "rid": 7, **keys})
        assert header["op"] == "error" and header["status"] == status and header["rid"] == 7 and not payloads, header
        assert header["field"] == "name" and all(w in header["error"] for w in words), header

    refused("invalid", "name is missing")
    refused("invalid", "name is 7", name=7)
    refused("invalid", "name", name="")
    refused("invalid", "name", name="x" * 300)
    refused("invalid", "name", name="a\0b")
    wrong = "unknown_function" if op == "pause" else "invalid"
    for name in ("nobody.f", "nobody.*", ".*", "**"):
        refused(wrong, name, name=name)


def test_drain_a_node(broker, producer):
    """By its name: workers of it take nothing, those that come later neither, until it is resumed or has left."""
    node = broker.worker(role="node", wid="n1")
    a, b = broker.worker("drain", wid="drain.a", node="n1").credit(5), broker.worker("drain", wid="drain.b").credit(0)
    producer.send({"op": "call", "fn": "drain.f", "id": 0}, {})
    job = a.job()
    header, _ = producer.ask({"op": "drain", "name": "n1"})
    assert header["nodes"] == ["n1"] and header["workers"] == ["drain.a"] and header["running"] == 1
    assert a.recv("beat")[0]["state"] == "quiet" == node.recv("beat")[0]["state"]  # told at once
    assert states(broker)[0]["n1"] == "draining" and states(broker)[1]["drain.a"] == "draining"
    producer.send({"op": "call", "fn": "drain.f", "id": 1}, {})
    assert a.nothing()
    a.done(job)
    assert producer.recv()[0]["id"] == 0
    until(lambda: states(broker)[1]["drain.a"] == "drained" == states(broker)[0]["n1"], "nothing to run there")
    late = broker.worker("drain", wid="drain.c", node="n1").credit(5)
    assert late.nothing() and a.nothing()
    b.credit(1)  # who is not of the node gets it
    b.done(b.job(), credit=False)
    assert producer.recv()[0]["id"] == 1
    node.connect()  # a new connection is no new node
    node.hello()
    assert states(broker)[0]["n1"] == "drained"
    a.connect()
    a.hello(resume=[])
    a.credit(5)
    producer.send({"op": "call", "fn": "drain.f", "id": 2}, {})
    assert a.nothing()
    header, _ = producer.ask({"op": "resume", "name": "n1"})
    assert sorted(header["workers"]) == ["drain.a", "drain.c"] and a.recv("beat")[0]["state"] == "run"
    until(lambda: any(w.socket.poll(0) for w in (a, late)), "it to be given to one of them")
    assert producer.ask({"op": "drain", "name": "n1"})[0]["status"] == "ok"
    node.send({"op": "bye"})
    until(lambda: "n1" not in states(broker)[0], "the node to leave")
    again = broker.worker(role="node", wid="n1", session="s2")  # left for good: a start is a new one
    assert states(broker)[0]["n1"] == "ready"
    again.close()


def test_drain_a_worker(broker, producer):
    a, b = broker.worker("drain1", wid="drain1.a").credit(5), broker.worker("drain1", wid="drain1.b").credit(5)
    assert producer.ask({"op": "drain", "name": "drain1.a"})[0]["workers"] == ["drain1.a"]
    for _ in range(3):
        producer.send({"op": "call", "fn": "drain1.f"}, {})
        b.done(b.job())
        assert producer.recv()[0]["status"] == "ok"
    assert a.nothing()
    producer.ask({"op": "resume", "name": "drain1.a"})
    b.bye()
    producer.send({"op": "call", "fn": "drain1.f"}, {})
    a.done(a.job())
    assert producer.recv()[0]["status"] == "ok"


# ---- for real

def test_from_the_command_line(nodes):
    p = nodes.producer()
    before = nodes.counters()
    assert "paused echo.sleep: 0 jobs wait, 0 run" in kiln(nodes, "pause", "echo.sleep")
    assert "echo.sleep (paused)" in kiln(nodes, "functions") and "echo.echo (" not in kiln(nodes, "functions")
    assert {f["name"]: f["state"] for f in json.loads(kiln(nodes, "functions", "--json"))}["echo.sleep"] == "paused"
    p.send({"op": "call", "fn": "echo.sleep"}, {"ms": 1})
    assert p.ask({"op": "ping"})[0]["op"] == "pong" and nodes.function("echo.sleep")["queued"] == 1
    assert json.loads(kiln(nodes, "resume", "echo.sleep", "--json"))["functions"] == ["echo.sleep"]
    assert p.recv()[0]["status"] == "ok"
    assert "which no function has" in kiln(nodes, "pause", "echo.slep", rc=4)
    assert "no node and no worker" in kiln(nodes, "drain", "west", rc=3)
    assert nodes.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, jobs_ended=1, pauses=1, messages_bad=2)


def test_drain_a_real_node(nodes):
    """It finishes what it has, its supervisor says so, everything goes to the other, and back when it is resumed."""
    p = nodes.producer()
    p.send({"op": "call", "fn": "echo.sleep", "jobs": [{}] * 2}, *[{"ms": 300}] * 2)
    until(lambda: nodes.function("echo.sleep")["running"] == 2, "both to run")
    assert "draining north" in kiln(nodes, "drain", "north", "--wait", "20000")
    found = {n["wid"]: n for n in json.loads(kiln(nodes, "nodes", "--json"))["nodes"]}
    assert found["north"]["state"] == "drained" and found["south"]["state"] == "ready" and found["north"]["running"] == 0
    assert len(p.answers(2)) == 2
    daemon = next(d for d in nodes.processes if d.name == "kilnd-north")
    daemon.says("event=drained")
    assert "north (drained)" in kiln(nodes, "plugins")
    table = kiln(nodes, "nodes").splitlines()
    assert table[0].split()[:4] == ["node", "plugin", "state", "running"] and any("drained" in line and "echo" in line for line in table)
    workers = {p.call("echo.echo", {"data": b"x"}).worker for _ in range(20)}
    assert len(workers) == 1 and workers <= {w["wid"] for w in nodes.stats()["workers"] if w["node"] == "south"}
    kiln(nodes, "resume", "north")
    daemon.says("event=resumed")
    p.send({"op": "call", "fn": "echo.sleep", "jobs": [{}] * 40}, *[{"ms": 5}] * 40)
    assert len({a.worker for a in p.answers(40).values()}) == 2


def test_a_drain_takes_as_long_as_the_jobs(nodes):
    p = nodes.producer()
    p.send({"op": "call", "fn": "echo.sleep", "jobs": [{}] * 2}, *[{"ms": 2000}] * 2)
    until(lambda: nodes.function("echo.sleep")["running"] == 2, "both to run")
    assert "1 jobs still run after 0 ms" in kiln(nodes, "drain", "south", "--wait", "0", rc=7)
    kiln(nodes, "resume", "south")
    assert len(p.answers(2)) == 2
