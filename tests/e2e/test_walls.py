# SPDX-License-Identifier: MPL-2.0
"""What plugin code may not do: every attempt is refused, counted and shown; what it may do works, for all real plugins too."""
import errno
import json
import os
import re
import subprocess

import numpy as np
import pytest

from house import BUILD, environment, House, MODE, over_tcp, PATIENCE, until

BAD = os.path.join(BUILD, "tests", "plugins")
CLIMB = {"name": "climb", "file": f"{BAD}/climb.so"}

walled = pytest.mark.skipif(MODE != "release", reason="sanitizers need calls that plugins may not make, so there are no walls")

# way -> the system call that is counted
FORBIDDEN = {
    "execve": "execve", "ptrace": "ptrace", "socket": "socket", "connect": "connect", "write": "openat", "append": "openat",
    "create": "openat", "temporary": "openat", "fork": "clone", "thread": "clone", "kill": "kill",
    "mount": "mount", "bpf": "bpf", "io_uring": "io_uring_setup", "unlink": "unlink", "chmod": "chmod", "rename": "rename",
    "mkdir": "mkdir", "truncate": "truncate", "shrink_board": "ftruncate", "orphan": "prctl", "limit": "prlimit64",
    "processors": "sched_setaffinity", "memfd": "memfd_create", "setuid": "setuid",
}


def pid_of(house, plugin):
    return until(lambda: house.workers(plugin), f"a worker of {plugin}")[0]["pid"]


def denied(house, plugin="climb"):
    return house.plugins()[plugin].get("denied", 0)


@pytest.fixture(scope="module")
def climber():
    with House() as house:
        house.start_daemon([CLIMB])
        yield house, house.producer()


@walled
@pytest.mark.parametrize("way", FORBIDDEN)
def test_what_no_plugin_may(climber, tmp_path, way):
    house, p = climber
    path = tmp_path / "file"
    path.write_text("2.385")
    before, pid = denied(house), pid_of(house, "climb")
    answer = p.call("climb.climb", {"how": way, "path": str(tmp_path if way == "temporary" else path)}).expect("ok")
    assert answer.result["errno"] == errno.EPERM, os.strerror(answer.result["errno"])
    until(lambda: denied(house) == before + 1, "the refusal to be counted, once")
    row = house.plugins()["climb"]
    assert row["state"] == "ready" and row["restarts"] == 0 and pid_of(house, "climb") == pid
    assert re.search(rf"event=plugin_denied .*plugin=climb call={FORBIDDEN[way]}\n", house.daemon.text())
    assert path.read_text() == "2.385" and os.listdir(tmp_path) == ["file"] and path.stat().st_mode & 0o777 != 0o777


@walled
def test_a_shell_is_not_to_be_had(climber):
    house, p = climber
    before = denied(house)
    p.call("climb.climb", {"how": "system"}).expect("ok")
    until(lambda: denied(house) == before + 1, "the refusal to be counted, once")


@walled
def test_reading_is_not_refused(climber):
    house, p = climber
    before = denied(house)
    assert p.call("climb.climb", {"how": "read", "path": "/proc/self/status"}).expect("ok").result["errno"] == 0
    assert p.call("climb.climb", {"how": "read", "path": "/nonexistent"}).expect("ok").result["errno"] == errno.ENOENT
    p.call("climb.climb", {"how": "socket"}).expect("ok")  # and is not counted: only this is
    until(lambda: denied(house) == before + 1, "one refusal")


@walled
def test_refusals_are_shown(climber):
    house, p = climber
    p.call("climb.climb", {"how": "socket"})
    until(lambda: denied(house) > 0, "the refusal to be counted")
    out = subprocess.run([f"{BUILD}/kiln", "plugins"], capture_output=True, text=True, check=True, timeout=PATIENCE,
                         env={**environment(), "KILN_BROKER": house.front}).stdout.split("\n")
    at = out[0].split().index("denied")
    row = next(l for l in out if l.startswith("climb")).split()
    assert int(row[at]) >= 1 and house.plugins()["climb"]["denied_call"]


@walled
def test_a_plugin_that_asks_without_end():
    """The supervisor counts to a thousand; then the kernel answers alone."""
    with House() as house:
        house.start_daemon([CLIMB, "echo"])
        p = house.producer()
        pid = pid_of(house, "climb")
        assert p.call("climb.climb", {"how": "socket", "times": 20000}).expect("ok").result["errno"] == errno.ENOSYS
        until(lambda: denied(house) == 1000, "a thousand to be counted")
        assert p.call("climb.climb", {"how": "fork"}).expect("ok").result["errno"] == errno.ENOSYS
        p.call("echo.echo", {"data": "x"}).expect("ok")
        assert house.daemon.text().count("event=plugin_denied_uncounted") == 1 and house.daemon.text().count("event=plugin_denied ") == 1
        assert pid_of(house, "climb") == pid and house.plugins()["climb"]["restarts"] == 0


def test_sandbox_false_is_no_sandbox():
    with House() as house:
        house.start_daemon([{**CLIMB, "sandbox": False}])
        p = house.producer()
        for way in ("socket", "fork", "thread", "create"):
            assert p.call("climb.climb", {"how": way, "path": f"{house.folder}/made"}).expect("ok").result["errno"] == 0
        assert os.path.exists(f"{house.folder}/made")
        # What is shared with everybody is guarded all the same.
        assert p.call("climb.climb", {"how": "shrink_board"}).expect("ok").result["errno"] == errno.EPERM
        assert p.call("climb.climb", {"how": "mount", "path": house.folder}).expect("ok").result["errno"] == errno.EPERM
        assert denied(house) == 0


def test_what_a_worker_is_left_with():
    """No capabilities, no new privileges, and, of the three, the first that the kernel takes when memory runs out."""
    with House() as house:
        house.start_daemon(["echo"])
        pid = pid_of(house, "echo")
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as f:
                row = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
            assert row["NoNewPrivs"] == "1" and int(row["CapEff"], 16) == int(row["CapPrm"], 16) == 0
            assert MODE != "release" or row["Seccomp"] == "2", row["Name"]
            assert os.geteuid() != 0 or int(row["CapBnd"], 16) == 0

        def score(pid):
            with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as f:
                return int(f.read())

        assert score(pid) > score(house.daemon.pid) > score(house.broker.pid)
        assert ("event=sandbox_incomplete" in house.daemon.text()) == (MODE != "release")


@pytest.mark.parametrize("over", ["ipc", "tcp", "abstract"])
def test_real_plugins_notice_nothing(over, tmp_path):
    """All of them are warmed, proven and called within the walls, and libzmq connects to a broker that was killed and came back."""
    broker = {"settle_ms": 5000}
    with House(start=False) as house:
        if over == "abstract":
            house.back = house.broker_conf["backend"] = f"ipc://@{os.path.basename(house.folder)}"
        elif over == "tcp":
            import socket
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                house.back = house.broker_conf["backend"] = f"tcp://127.0.0.1:{s.getsockname()[1]}"
            house.broker_conf.update(over_tcp(house.back))
        house.broker_conf.update(broker)
        house.start_broker()
        plugins = ["echo", "indicators", "staking", {"name": "stats", "options": {"data_dirs": str(tmp_path)}}]
        house.start_daemon(plugins)
        np.save(tmp_path / "x.npy", np.array([1.0, 2.385]))
        names = ("echo", "indicators", "staking", "stats")
        pids = {n: pid_of(house, n) for n in names}
        for life in range(2):
            p = house.producer()
            p.call("echo.echo", {"data": "x"}).expect("ok")
            p.call("stats.mean", {"x": [2.385]}).expect("ok")
            p.call("stats.file_describe", {"path": str(tmp_path / "x.npy")}).expect("ok")
            p.call("indicators.sma", {"real": [1.0, 2.0, 3.0, 4.0], "period": 2})
            p.call("staking.calculate", {}).expect("ok")
            if life == 0:
                house.broker.kill()
                house.start_broker()
                until(lambda: len(house.workers("stats")) == 1 and len(house.plugins()) == 4, "all to say hello again")
        rows = house.plugins()
        assert {n: rows[n].get("denied", 0) for n in names} == dict.fromkeys(names, 0)
        assert {n: pid_of(house, n) for n in names} == pids


# ---- kiln check

def check(*args):
    return subprocess.run([f"{BUILD}/kiln", "check", *args], capture_output=True, text=True, check=False, env=environment(),
                          timeout=PATIENCE * 3, cwd="/")


@walled
def test_check_tells_what_was_denied():
    p = check(f"{BAD}/climb.so", "--options", '{"at_start":"thread"}')
    assert p.returncode == 0 and "denied: clone, 3 times" in p.stdout, p.stdout
    report = json.loads(check(f"{BAD}/climb.so", "--options", '{"at_start":"socket"}', "--json").stdout)
    assert report["ok"] and report["denied"] == {"socket": 3}
    assert "denied" not in check(f"{BAD}/climb.so", "--options", '{"at_start":"socket"}', "--no-sandbox").stdout
    assert json.loads(check(f"{BUILD}/plugins/echo.so", "--json").stdout)["denied"] == {}
