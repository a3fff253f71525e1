# SPDX-License-Identifier: MPL-2.0
"""Plugins that harm what is around them: descriptors, output, processes, memory, their supervisor. The job gets its status, its neighbours
are run again and are not charged, the worker is back, and supervisor and broker never notice more than that."""
import os
import re
import signal
import subprocess
import time

import pytest

from house import BUILD, MODE, SLOW, House, environment, until

BAD = os.path.join(BUILD, "tests", "plugins")


def bad(name, **keys):
    return {"name": name, "file": f"{BAD}/{name}.so", **keys}


def pid_of(house, plugin, besides=()):
    return until(lambda: [w["pid"] for w in house.workers(plugin) if w["pid"] not in besides], f"a worker of {plugin}")[0]


def state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def untouched(house, pids):
    """Supervisor and broker are who they were, and the others' worker too."""
    assert house.broker.alive() and house.daemon.alive()
    assert house.plugins()["echo"]["restarts"] == 0 and pid_of(house, "echo") == pids["echo"]
    house.producer().call("echo.echo", {"data": "x"}).expect("ok")


# A death is of one job, which is tried three times; the others' attempts are not counted.
@pytest.mark.parametrize("how", ["exit0", "exit_handlers", "stop", "close"])
def test_ways_to_die(how):
    with House() as house:
        env = environment()
        env["ASAN_OPTIONS"] += ":detect_leaks=0"  # exit() in the midst of a job
        house.start_daemon([bad("wreck"), "echo"], env=env)
        p, pids = house.producer(), {"echo": pid_of(house, "echo")}
        before = house.counters()
        jobs = [{"how": how if n == 3 else "ok", "n": n} for n in range(8)]
        answers = p.calls([{"fn": "wreck.wreck"}] * len(jobs), jobs)
        for n, a in answers.items():
            if n == 3:
                a.expect("poison", None, "killed 3 workers")
            else:
                assert a.expect("ok").result == {"n": n} and a.attempt == 1
        moved = house.moved(before)
        assert moved["jobs_poisoned"] == 1 and moved["jobs_crashed"] == 3 and moved["jobs_ended"] == 8, moved
        assert 3 <= moved["workers_lost"] <= 6  # the charged ones, and a few that died of what they had been given beside it
        until(lambda: house.plugins()["wreck"]["workers"] == 1, "the worker to be back")
        untouched(house, pids)


def test_a_worker_stopped_while_it_waits():
    """SIGSTOP from outside: noticed at once, replaced, and nobody is charged."""
    with House() as house:
        house.start_daemon(["echo"])
        p, first, before = house.producer(), pid_of(house, "echo"), house.counters()
        os.kill(first, signal.SIGSTOP)
        p.call("echo.echo", {"data": "x"}).expect("ok")
        assert pid_of(house, "echo") != first and state(first) in ("", "Z")
        assert "stopped by signal 19" in house.daemon.text()
        assert house.moves(before, jobs_called=1, jobs_ended=1, jobs_delivered=house.moved(before)["jobs_delivered"],
                           deliveries=house.moved(before)["deliveries"], workers_lost=1, workers_joined=1,
                           **({"jobs_given_back": 1} if house.moved(before)["jobs_delivered"] == 2 else {}))


def test_a_worker_stopped_while_it_computes():
    with House() as house:
        house.start_daemon(["echo"])
        p, first = house.producer(), pid_of(house, "echo")
        p.send({"op": "call", "fn": "echo.sleep"}, {"ms": 300})
        until(lambda: house.function("echo.sleep")["running"] == 1, "it to run")
        os.kill(first, signal.SIGSTOP)
        header, _ = p.recv()
        assert header["status"] == "ok" and header["attempt"] == 1
        assert pid_of(house, "echo") != first


def test_an_endless_loop():
    with House() as house:
        house.start_daemon([bad("wreck", limits={"run_ms": 150}), "echo"])
        p, pids = house.producer(), {"echo": pid_of(house, "echo")}
        answers = p.calls([{"fn": "wreck.wreck"}] * 3, [{"how": "ok"}, {"how": "spin"}, {"how": "ok"}])
        assert [answers[n].status for n in range(3)] == ["ok", "deadline", "ok"]
        untouched(house, pids)


def test_descriptors_that_leak():
    """No more files for it; the connection is there already. When a new one must be made and cannot be, the worker is replaced."""
    with House({"settle_ms": 5000}) as house:
        house.start_daemon([bad("wreck", limits={"files": 64}), "echo"])
        p = house.producer()
        first = pid_of(house, "wreck")
        assert 0 < p.call("wreck.wreck", {"how": "leak_files"}).expect("ok").result["n"] < 64
        assert p.call("wreck.wreck", {"how": "ok"}).expect("ok") and pid_of(house, "wreck") == first
        house.broker.kill()
        house.start_broker()
        house.producer().call("wreck.wreck", {"how": "ok"}).expect("ok")
        house.producer().call("echo.echo", {"data": "x"}).expect("ok")


@pytest.mark.skipif(MODE != "release", reason="no walls under sanitizers, and this would be a real one")
def test_a_fork_bomb():
    with House() as house:
        house.start_daemon([bad("wreck"), "echo"])
        p, pids = house.producer(), {"echo": pid_of(house, "echo"), "wreck": pid_of(house, "wreck")}
        assert p.call("wreck.wreck", {"how": "fork_bomb", "n": 500}).expect("ok").result["n"] == 0
        until(lambda: house.plugins()["wreck"].get("denied") == 500, "all to be counted")
        assert pid_of(house, "wreck") == pids["wreck"]
        untouched(house, pids)


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_plugin_that_would_end_its_supervisor(sandbox):
    if MODE != "release" and sandbox:
        pytest.skip("no walls under sanitizers")
    with House() as house:
        house.start_daemon([bad("wreck", sandbox=sandbox), "echo"])
        p, pids = house.producer(), {"echo": pid_of(house, "echo")}
        said = p.call("wreck.wreck", {"how": "end_parent"}).expect("ok").result["n"]
        assert said == (0 if sandbox else 1)
        if not sandbox:
            house.daemon.says("event=signal_ignored ")
        untouched(house, pids)
        assert "event=stopping" not in house.daemon.text()


def test_a_flood_of_output():
    """Megabytes into both outputs: they are where the daemon's log is, and nobody else waits for them."""
    with House() as house:
        house.start_daemon([bad("wreck"), "echo"])
        p, pids = house.producer(), {"echo": pid_of(house, "echo")}
        assert p.call("wreck.wreck", {"how": "flood", "n": 4000}).expect("ok").result["n"] == 4000
        untouched(house, pids)


def test_a_flood_of_output_that_nobody_reads():
    """The daemon's error output is a pipe whose reader has stopped: the flooding job hangs and is ended; the others go on."""
    with House() as house:
        daemon_log = os.path.join(house.folder, "fifo")
        os.mkfifo(daemon_log)
        reader = os.open(daemon_log, os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(daemon_log, os.O_WRONLY)
        path = house.daemon_conf([bad("wreck", limits={"run_ms": 300}), "echo"])
        d = subprocess.Popen([f"{BUILD}/kilnd", "-c", path], stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, env=environment())
        os.close(writer)
        try:
            pid_of(house, "echo")
            pid_of(house, "wreck")
            p = house.producer()
            p.send({"op": "call", "fn": "wreck.wreck", "id": 1}, {"how": "flood", "n": 100000})
            assert p.call("echo.echo", {"data": "x"}, id=2).expect("ok").id == 2
            header, _ = p.recv(20 * SLOW)
            assert header["id"] == 1 and header["status"] == "deadline"
            # The supervisor, whose log is full as well, has replaced the worker and serves.
            p.call("wreck.wreck", {"how": "ok"}).expect("ok")
        finally:
            d.terminate()
            assert d.wait(20 * SLOW) == 0
            os.close(reader)


@pytest.mark.skipif(not os.access("/sys/fs/cgroup/memory", os.W_OK) and not os.access("/sys/fs/cgroup/cgroup.subtree_control", os.W_OK),
                    reason="no control group for memory can be made here")
@pytest.mark.skipif(MODE != "release", reason="sanitizers need more memory than the group may have")
def test_the_kernel_takes_a_worker_when_memory_runs_out():
    """In a group with 96 MiB: the worker dies, and not its supervisor; the answer says memory, not merely signal 9."""
    with House() as house:
        v1 = os.path.isdir("/sys/fs/cgroup/memory")
        group = f"/sys/fs/cgroup/{'memory/' if v1 else ''}{os.path.basename(house.folder)}"
        os.mkdir(group)
        try:
            with open(f"{group}/{'memory.limit_in_bytes' if v1 else 'memory.max'}", "w", encoding="ascii") as f:
                f.write(str(96 << 20))
            path = house.daemon_conf([bad("crash", limits={"memory_mb": 4096}), "echo"])
            script = f'echo $$ > {group}/cgroup.procs && exec "$0" "$@"'
            log = os.path.join(house.folder, "log")
            with open(log, "wb") as out:
                d = subprocess.Popen(["sh", "-c", script, f"{BUILD}/kilnd", "-c", path], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            pid_of(house, "echo")
            first, p = pid_of(house, "crash"), house.producer()
            p.call("crash.crash", {"how": "oom", "mb": 2000}).expect("poison")

            def deaths():
                with open(log, encoding="utf-8") as f:
                    return re.findall(r"event=worker_died wid=node\.crash\S* .* kind=(\w+) cause=(\"[^\"]*\")", f.read())

            until(lambda: len(deaths()) == 3, "three deaths to be logged")
            assert deaths() == [("memory", '"the kernel ended it: memory ran out"')] * 3
            assert d.poll() is None and pid_of(house, "crash") != first
            p.call("echo.echo", {"data": "x"}).expect("ok")
            assert house.plugins()["echo"]["restarts"] == 0
            # And another's kill -9 is told apart.
            time.sleep(1.1)  # the time within which a victim of the kernel explains a death
            victim = pid_of(house, "crash")
            os.kill(victim, signal.SIGKILL)
            pid_of(house, "crash", (victim,))
            assert deaths()[-1][0] == "crash" and len(deaths()) == 4
        finally:
            d.terminate()
            d.wait(20)
            until(lambda: not open(f"{group}/cgroup.procs", encoding="ascii").read(), "the group to be empty")
            os.rmdir(group)


def test_recycling_by_age_under_load():
    """A worker is replaced each second, by one that is warm: no job fails, none is charged."""
    with House() as house:
        house.start_daemon([{"name": "echo", "recycle": {"age_s": 1}}])
        p, before, pids, n = house.producer(), house.counters(), set(), 0
        while len(pids) < 3:
            answers = p.calls([{"fn": "echo.echo"}] * 50, [{"data": "x"}] * 50)
            assert all(a.status == "ok" and a.attempt == 1 for a in answers.values())
            n += 50
            pids |= {w["pid"] for w in house.workers("echo")}
        moved = house.moved(before)
        assert moved["jobs_called"] == moved["jobs_ended"] == n and moved["workers_left"] >= 1
        assert not {"workers_lost", "jobs_crashed"} & set(moved), moved  # what reaches one that leaves is given back, uncharged


def test_recycling_by_size_under_load():
    with House() as house:
        house.start_daemon([{"name": "echo", "recycle": {"resident_mb": 1}}])  # each is larger from the start
        p, before, pids, n = house.producer(), house.counters(), set(), 0
        while len(pids) < 3:
            answers = p.calls([{"fn": "echo.echo"}] * 50, [{"data": "x"}] * 50)
            assert all(a.status == "ok" and a.attempt == 1 for a in answers.values())
            n += 50
            pids |= {w["pid"] for w in house.workers("echo")}
        moved = house.moved(before)
        assert moved["jobs_ended"] == n and not {"workers_lost", "jobs_crashed"} & set(moved), moved


@pytest.mark.skipif(MODE != "release", reason="a figure")
def test_how_long_a_worker_is_away(capsys):
    """From the blow to the first answer of the next one; printed, and bounded only by what nobody could call milliseconds."""
    with House() as house:
        house.start_daemon(["echo"])
        p, times, dead = house.producer(), [], set()
        for _ in range(3):
            victim = pid_of(house, "echo", dead)
            dead.add(victim)
            began = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            until(lambda: state(victim) in ("", "Z"), "it to be dead")
            p.call("echo.echo", {"data": "x"}).expect("ok")
            times.append((time.monotonic() - began) * 1000)
        with capsys.disabled():
            print(f"\n  a killed worker was away for {times[0]:.1f} ms (then, with the pauses of back-off, {times[1]:.0f} and {times[2]:.0f})")
        assert times[0] < 2000
