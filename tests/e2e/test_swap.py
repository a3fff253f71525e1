# SPDX-License-Identifier: MPL-2.0
"""Plugins swapped while traffic flows: by rename, in place, truncated first; bad ones, which leave the old one serving; and
configurations reloaded."""
import os
import signal
import time

import pytest

from house import MODE, House, until
from swapping import Swapped, Traffic


def test_swaps_under_load_fail_lose_and_repeat_nothing(bad):
    with House() as house:
        s = Swapped(house, bad)
        traffic = Traffic(house)
        ways = [s.put, s.overwrite, s.truncate_and_write] * 4
        for i, way in enumerate(ways):
            version = 2 - i % 2
            count = len(traffic.answers)
            until(lambda: len(traffic.answers) > count + 200, "traffic")
            way(version)
            s.reload()
            until(lambda: s.state()["version"] == f"0.{version}.0", "the new version")
        answers = traffic.end()
        assert len(answers) > 200 * len(ways)
        builds = {}
        for plugin, version in answers:  # each from one generation, which the reply names
            assert builds.setdefault(plugin, version) == version, answers
        assert sorted(builds.values()) == [1, 2]
        assert all(p.startswith(f"swap/0.{v}.0+") for p, v in builds.items())
        until(lambda: len(house.workers("swap")) == 2, "the old workers to be gone")
        assert s.state()["restarts"] == 0 and s.state()["generation"] == 1 + len(ways)
        row = next(f for f in house.stats()["functions"] if f["name"] == "swap.answer")
        assert (row["crashes"], row["retries"], row["errors"], row["ok"]) == (0, 0, 0, len(answers))


def test_watched_files_are_swapped_by_themselves(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1, watch=True)
        traffic = Traffic(house, producers=1)
        for version, way in ((2, s.put), (1, s.overwrite), (2, s.truncate_and_write), ("wrong_golden", s.put), (1, s.put)):
            way(version)
            if version == "wrong_golden":
                until(lambda: "expected 4" in s.state().get("why", ""), "the refusal")
            else:
                until(lambda: s.state()["version"] == f"0.{version}.0", f"version {version}")
        traffic.end()
        assert s.state()["restarts"] == 0


@pytest.mark.parametrize("version, words", [
    ("wrong_golden", ["version is 3", "expected 4"]),
    ("init_crash", ["signal 6"]),
    ("wrong_abi", ["99"]),
])
def test_a_bad_generation_leaves_the_old_one_serving(bad, version, words):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        pid = house.workers("swap")[0]["pid"]
        s.put(version)
        s.reload()
        why = until(lambda: s.state().get("why"), "the refusal")
        for word in words:
            assert word in why, why
        assert s.state()["state"] == "ready" and s.state()["version"] == "0.1.0"
        assert "event=swap_refused" in s.daemon.text()
        assert house.producer().call("swap.answer").expect("ok").result["version"] == 1
        assert house.workers("swap")[0]["pid"] == pid and s.state()["restarts"] == 0
        s.put(2)  # and a good one still comes
        s.reload()
        assert house.producer().call("swap.answer").expect("ok").result["version"] == 2
        until(lambda: not s.state().get("why"), "the refusal to be forgotten")


def test_a_generation_that_hangs_in_warm_up(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1, limits={"warm_ms": 1500})
        s.put("hangs")
        s.reload()
        why = until(lambda: s.state().get("why"), "the refusal")
        assert "warm_ms" in why and "swap.answer" in why, why
        assert house.producer().call("swap.answer").expect("ok").result["version"] == 1


@pytest.mark.parametrize("how", ["gone", "not a plugin", "truncated", "empty", "writable by all"])
def test_a_file_that_is_no_plugin(bad, how):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        if how == "gone":
            os.unlink(s.file)
        elif how == "writable by all":
            os.chmod(s.file, 0o777)
        else:
            with open(s.file, "rb+") as f:
                data = {"not a plugin": b"#!/bin/sh\n", "truncated": f.read(3000), "empty": b""}[how]
                f.seek(0)
                f.write(data)
                f.truncate(len(data))
        s.reload()
        until(lambda: s.state().get("why"), "the refusal")
        assert house.producer().call("swap.answer").expect("ok").result["version"] == 1


def test_what_did_not_change_is_left_alone(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        pid = house.workers("swap")[0]["pid"]
        s.reload()
        s.put(1)  # the same contents in another file
        s.reload()
        assert house.workers("swap")[0]["pid"] == pid and s.state()["generation"] == 1


def test_the_last_of_several_reloads_wins(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        traffic = Traffic(house, producers=1)
        for version in (2, 1, 2, 1, 2):
            s.put(version)
            os.kill(s.daemon.pid, signal.SIGHUP)
            time.sleep(0.01)
        p = house.producer()
        until(lambda: p.call("swap.answer").expect("ok").result["version"] == 2 and "coming_build" not in s.state()
              and len(house.workers("swap")) == 1, "the last version, alone")
        traffic.end()


def test_workers_and_plugins_by_reload(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        traffic = Traffic(house, producers=2)
        house.daemon_conf([{**s.keys, "workers": 3}])
        s.reload()
        until(lambda: len(house.workers("swap")) == 3, "three workers")
        house.daemon_conf([{**s.keys, "workers": 2, "limits": {"run_ms": 1234}}, "echo"])
        s.reload()
        until(lambda: len(house.workers("swap")) == 2 and house.workers("echo"), "two workers, and echo")
        assert house.producer().call("echo.echo", {"data": "x"}).expect("ok")
        house.daemon_conf([{**s.keys, "workers": 2, "limits": {"run_ms": 1234}}])
        s.reload()
        until(lambda: not house.workers("echo"), "echo to be gone")  # as its worker says; what follows, the node does
        until(lambda: list(house.plugins()) == ["swap"], "the node to have swap alone")
        traffic.end()


@pytest.mark.parametrize("keys, words", [
    ({"slots": 0}, ["daemon.slots", "1..4096"]),
    ({"broker": "ipc:///elsewhere"}, ["daemon.broker", "/elsewhere", "restart"]),
    ({"colour": 5}, ["colour"]),
])
def test_a_wrong_configuration_changes_nothing(bad, keys, words):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        pid = house.workers("swap")[0]["pid"]
        house.daemon_conf([{**s.keys, "workers": 3}], **keys)
        s.reload("event=reload_refused ")
        line = next(l for l in s.daemon.text().splitlines() if "event=reload_refused" in l)
        for word in words:
            assert word in line, line
        assert [w["pid"] for w in house.workers("swap")] == [pid]
        house.daemon_conf([{**s.keys, "workers": 3}])
        s.reload()
        until(lambda: len(house.workers("swap")) == 3, "three workers")


def test_stopping_in_the_middle_of_a_swap(bad):
    with House() as house:
        s = Swapped(house, bad, workers=2)
        s.put("hangs")
        os.kill(s.daemon.pid, signal.SIGHUP)
        s.daemon.says("event=swap_begun")
        s.daemon.terminate()
        assert s.daemon.wait() == 0


class Held:
    """What a process holds: kilobytes, descriptors, memory maps."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            self.rss = next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))
        self.fds = len(os.listdir(f"/proc/{pid}/fd"))
        with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
            self.maps = sum(1 for _ in f)

    def __repr__(self):
        return f"{self.rss} KiB, {self.fds} descriptors, {self.maps} maps"


def test_a_hundred_swaps_leave_nothing_behind(bad):
    """Under load, with each way to end: promoted, refused, rolled back, on trial. Nothing fails, is lost, or is left."""
    with House() as house:
        s = Swapped(house, bad, workers=1)
        pids = [house.broker.pid, s.daemon.pid]
        traffic = Traffic(house, producers=2, under_way=8)
        before, results = None, {}
        for i in range(100):
            if i % 10 == 5:
                s.put("wrong_golden")
                done = s.one()
            elif i % 10 == 7:
                done = s.one("swap", op="rollback")
            elif i % 10 == 8:
                s.put(1 if s.state()["version"] == "0.2.0" else 2)
                done = s.one("swap", shadow=10)  # they differ in what they say
            elif i % 10 == 9:
                done = s.one("swap", canary_permille=500, jobs=20, slower_percent=100000)
            else:
                s.put(1 if s.state()["version"] == "0.2.0" else 2)
                done = s.one()
            results[done["result"]] = results.get(done["result"], 0) + 1
            if i == 29:
                before = [Held(p) for p in pids]
        assert results.pop("promoted") >= 70 and set(results) == {"refused", "rolled_back"}, results
        answers = traffic.end()
        assert len(answers) > 1000
        row = house.function("swap.answer")
        assert (row["crashes"], row["retries"], row["errors"], row["ok"]) == (0, 0, 0, len(answers))
        assert house.stats()["broker"]["leases_open"] == 0
        until(lambda: len(house.workers("swap")) == 1, "one worker")
        until(lambda: all(Held(p).fds <= then.fds for p, then in zip(pids, before)), "the descriptors")
        for pid, then in zip(pids, before):
            now = Held(pid)
            assert now.fds <= then.fds, (then, now)
            # Sanitizers keep what was freed.
            assert MODE != "release" or (now.maps <= then.maps + 8 and now.rss < then.rss + 1000), (then, now)
        until(lambda: len(s.staged()) == 2, "the copies that nobody needs to be gone")
        house.daemon_conf(["echo"])
        assert s.ask()["node"]["status"] == "ok"
        until(lambda: len(s.staged()) == 1 and house.function("swap.answer") is None, "all of the plugin to be gone")
