# SPDX-License-Identifier: MPL-2.0
"""Nodes that lose their power or are cut off and come back, under steady load: every call is answered exactly once; and a broker
that is killed, from which everybody recovers by himself."""
import os
import re
import subprocess

from field import BEAT_MS, LEASE_MS, SLEEP, far, field  # noqa: F401 (fixtures)
from house import BUILD, SLOW, environment, until
from load import Load


def test_power_cut(far):
    """The cable of a node is pulled: nothing arrives, no connection ends. After its leases its jobs run elsewhere."""
    house = far.house
    far.node("a")
    far.node("b", 2)
    with Load(house, producers=3, window=8, **SLEEP) as load:
        load.serves("b", 40)
        far.hosts["b"].pull()
        until(lambda: house.counters()["nodes_lost"] == 1, "the silence to be noticed")
        at = load.by_node()["b"]
        load.serves("a", 200)
        assert load.by_node()["b"] == at and not far.stats_of("b")
    moved = load.settled()
    assert moved["workers_lost"] == 2 and moved["nodes_lost"] == 1 and moved["jobs_given_back"] >= 1
    # Nobody waited for much longer than the lease and a beat; the bound is broad, a minute's patience would break it.
    assert max(s.slowest_us for s in load.streams) < (LEASE_MS + 10 * BEAT_MS) * 1000 + 3e6 * SLOW
    far.daemons["b"].expected = 0  # it still stops in peace, though it cannot say goodbye


def test_partition_and_heal(far):
    """Cut off until its leases have run out, then back: what it did meanwhile is refused by its tokens, and it works again."""
    house = far.house
    far.node("a")
    far.node("b", 2)
    with Load(house, producers=3, window=8, fn="echo.sleep", args={"ms": 60 * SLOW}) as load:
        load.serves("b", 6)
        for round in (1, 2):
            far.hosts["b"].pull()
            until(lambda: house.counters()["nodes_lost"] == round, "the silence to be noticed")
            load.serves("a", 3)
            far.hosts["b"].plug()
            load.serves("b", 6)
            assert far.daemons["b"].alive() and len(far.stats_of("b")) == 2
    moved = load.settled()
    assert moved["nodes_lost"] == 2 and moved["nodes_joined"] >= 2 and moved["workers_lost"] >= 4
    assert "jobs_crashed" not in moved and "event=worker_lost" not in far.daemons["b"].text()


def test_a_short_cut_costs_nothing(far):
    """Shorter than the lease: what was under way arrives late, and nobody is taken for dead."""
    house = far.house
    house.broker.kill()
    house.broker_conf["lease_ms"] = 60000
    far.start_broker()
    far.node("a")
    far.node("b")
    with Load(house, producers=2, window=6, **SLEEP) as load:
        for _ in range(3):
            load.serves("b", 20)
            at = load.by_node()["b"]
            far.hosts["b"].pull()
            load.serves("a", 20)
            assert load.by_node()["b"] <= at + 2 * 8
            far.hosts["b"].plug()
        load.serves("b", 20)
    moved = load.settled()
    assert not any(k in moved for k in ("workers_lost", "nodes_lost", "jobs_crashed")), moved


def test_the_broker_is_cut_off_from_all(far):
    """All nodes dark at once: jobs wait in the broker and are done when the network is back."""
    house = far.house
    for name in "ab":
        far.node(name)
    with Load(house, producers=2, window=6, **SLEEP) as load:
        load.serves("a")
        load.serves("b")
        far.hosts["broker"].pull()
        until(lambda: house.counters()["nodes_lost"] == 2, "both to be taken for dead")
        until(lambda: house.function("echo.sleep")["queued"] == 12, "all calls to wait")
        far.hosts["broker"].plug()
        load.serves("a")
        load.serves("b")
    load.settled()


def test_a_producer_on_another_machine(far):
    far.node("a")
    ran = subprocess.run([*far.hosts["a"].within, os.path.join(BUILD, "kiln"), "--broker", far.public, "call", "echo.scale", "x=[1,2]",
                          "k=2.5", "-o", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    assert ran.returncode == 0 and "[2.5,5.0]" in ran.stdout.replace(" ", ""), ran


def test_the_broker_is_killed_and_started_again(field):
    """What was queued is lost with the memory journal, and only that: everybody comes back by himself, and stays."""
    house = field.house
    field.node("a", 2)
    field.node("b", 2)
    window, producers = 6, 3
    with Load(house, producers=producers, window=window, patience_ms=1500 * SLOW, **SLEEP) as load:
        for _ in range(2):
            load.serves("a", 20)
            load.serves("b", 20)
            lost_before = load.total("lost_ever")
            house.broker.kill()
            field.start_broker()
            until(lambda: len(house.stats()["workers"]) == 4 and len(house.stats()["nodes"]) == 2, "all to be back")
            until(lambda: not any(s.stuck() for s in load.streams), "calls of before to be given up")
            assert load.total("lost_ever") - lost_before <= window * producers
        load.serves("a", 40)
        load.serves("b", 40)
    sent, answered, lost = (load.total(k) for k in ("sent", "answered", "lost_ever"))
    assert answered + lost == sent and load.total("twice") == 0 and load.merged("statuses") == {"ok": answered}
    counters = house.counters()
    assert counters["jobs_called"] == counters["jobs_ended"] and counters["workers_lost"] == 0
    stats = house.stats()
    assert stats["broker"]["leases_open"] == 0 and all(f["queued"] == f["running"] == 0 for f in stats["functions"])
    for d in field.daemons.values():
        assert d.alive() and not re.search(r"event=(worker_lost|worker_died|member_died)", d.text())
