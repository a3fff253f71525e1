# SPDX-License-Identifier: MPL-2.0
"""What becomes of workers and jobs when the supervisor is killed or stands still, and what it finds when it comes back."""
import os
import signal
import threading

import pytest

from house import BUILD, House, unpack, until

BAD = os.path.join(BUILD, "tests", "plugins")
FAST = {"lease_ms": 400, "beat_ms": 50}


def state(pid):
    """R running, S sleeping, T stopped; "" gone. Who is dead and not yet buried is gone, too: it runs nothing."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            found = f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""
    return "" if found == "Z" else found


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(p) for p in f.read().split()]


def staged(house):
    return sorted(f for _, _, files in os.walk(f"{house.folder}/run-node") for f in files if not f.startswith("."))


def busy(house, fn, n):
    until(lambda: (f := house.function(fn)) and f["running"] >= n, f"{n} of {fn} to run")


class Traffic:
    """A producer that calls echo.echo without a pause; every call must be answered once, and rightly."""

    def __init__(self, house, under_way=20):
        self.end_asked, self.answered, self.faults = threading.Event(), 0, []
        self.thread = threading.Thread(target=self.run, args=(house, under_way))
        self.thread.start()

    def run(self, house, under_way):
        p = house.producer()
        sent, waiting = 0, set()
        try:
            while not self.end_asked.is_set() or waiting:
                while len(waiting) < under_way and not self.end_asked.is_set():
                    sent += 1
                    waiting.add(sent)
                    p.send({"op": "call", "fn": "echo.echo", "id": sent}, {"data": str(sent)})
                frames = p.recv_raw()
                header, result = unpack(frames[0]), unpack(frames[1])
                waiting.remove(header["id"])  # a second answer has no place: KeyError
                if header["status"] != "ok" or result != {"data": str(header["id"]).encode()}:
                    self.faults.append((header, result))
                self.answered += 1
        except Exception as e:  # noqa: BLE001: whatever it is, the test shall see it
            self.faults.append(repr(e))

    def flows(self, more=200):
        seen = self.answered
        until(lambda: self.answered >= seen + more or self.faults, "traffic")
        assert not self.faults, self.faults[:5]

    def end(self):
        self.end_asked.set()
        self.thread.join()
        assert not self.faults, self.faults[:5]


def test_killed_under_load():
    """Idle, busy and warming workers all leave at once; the next daemon cleans up after the last one and answers what was taken."""
    with House(FAST) as house:
        plugins = [{"name": "echo", "workers": 3}, {"name": "stats"},
                   {"name": "hang_warm", "file": f"{BAD}/hang_warm.so", "required": False}]
        d = house.start_daemon(plugins)
        until(lambda: house.plugins()["hang_warm"]["state"] == "warming", "a worker to warm")
        traffic, p = Traffic(house), house.producer()
        p.send({"op": "call", "fn": "echo.sleep"}, {"ms": 500})
        busy(house, "echo.sleep", 1)
        traffic.flows()
        workers = children(d.pid)
        assert len(workers) == 5 and len(staged(house)) == 3
        d.kill()
        until(lambda: not any(state(w) for w in workers), "the workers to leave", 1)
        assert len(staged(house)) == 3  # nobody was there to clean up
        house.start_daemon(plugins[:2])
        traffic.flows()
        traffic.end()
        assert p.recv()[0]["status"] == "ok"
        assert len(staged(house)) == 2
        row = house.function("echo.echo")
        assert (row["crashes"], row["errors"]) == (0, 0)
        counters = house.counters()
        assert counters["nodes_joined"] == 2 and counters["workers_lost"] == 4  # what had said hello


def test_killed_again_and_again():
    """As a service manager that restarts it would see it: nothing adds up from life to life."""
    with House(FAST) as house:
        traffic = None
        for life in range(5):
            d = house.start_daemon([{"name": "echo", "workers": 2}])
            traffic = traffic or Traffic(house)
            traffic.flows(50)
            workers = children(d.pid)
            d.kill()
            until(lambda: not any(state(w) for w in workers), "the workers to leave", 1)
        house.start_daemon([{"name": "echo", "workers": 2}])
        traffic.flows()
        traffic.end()
        assert len(staged(house)) == 1
        until(lambda: len(house.workers("echo")) == 2 and len(house.stats()["nodes"]) == 1, "the dead to be forgotten")


@pytest.mark.parametrize("when", ["idle", "under load"])
def test_stands_still(when):
    """SIGSTOP: the node is silent, so it is dead for the broker, and its jobs go elsewhere; when it goes on, it and its workers
    say hello again, and what they had finished meanwhile answers nobody twice."""
    with House(FAST) as house:
        d = house.start_daemon([{"name": "echo", "workers": 2}])
        workers = children(d.pid)
        traffic = Traffic(house) if when == "under load" else None
        if traffic:
            traffic.flows()
        p = house.producer()
        before = house.counters()
        p.send({"op": "call", "fn": "echo.sleep"}, {"ms": 100})
        busy(house, "echo.sleep", 1)
        os.kill(d.pid, signal.SIGSTOP)
        until(lambda: house.moved(before).get("nodes_lost"), "the silence to be noticed")
        os.kill(d.pid, signal.SIGCONT)
        until(lambda: house.moved(before).get("nodes_joined"), "the node to come back")
        until(lambda: len(house.workers("echo")) == 2, "its workers to come back")
        assert p.recv()[0]["status"] == "ok" and p.silent()
        if traffic:
            traffic.flows()
            traffic.end()
        assert children(d.pid) == workers and house.plugins()["echo"]["restarts"] == 0  # the same processes
        assert "jobs_crashed" not in house.moved(before)


def test_killed_while_it_stands_still():
    """What a watchdog does. Stopped workers die, too."""
    with House(FAST) as house:
        d = house.start_daemon(["echo", "stats"])
        workers = children(d.pid)
        os.kill(d.pid, signal.SIGSTOP)  # first: a supervisor that sees a worker stand still kills it
        until(lambda: state(d.pid) == "T", "the supervisor to stand still")
        os.kill(workers[0], signal.SIGSTOP)
        until(lambda: state(workers[0]) == "T" and state(d.pid) == "T", "both to stand still")
        d.kill()
        until(lambda: not any(state(w) for w in workers), "the workers to leave", 1)
        house.start_daemon(["echo", "stats"])
        house.producer().call("echo.echo", {"data": "x"}).expect("ok")


def test_what_the_dead_had_is_given_to_the_living():
    """The next daemon has the name of the last one, and fewer workers: its beats must not keep those of the dead alive."""
    with House({"lease_ms": 60000, "beat_ms": 50}) as house:
        d = house.start_daemon([{"name": "echo", "workers": 3}])
        p = house.producer()
        for i in range(3):
            p.send({"op": "call", "fn": "echo.sleep", "id": i}, {"ms": 400})
        busy(house, "echo.sleep", 3)
        d.kill()
        house.start_daemon([{"name": "echo", "workers": 1}])
        assert sorted(p.recv()[0]["id"] for _ in range(3)) == [0, 1, 2]
        until(lambda: len(house.workers("echo")) == 1, "the dead to be forgotten")
