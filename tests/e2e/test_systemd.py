# SPDX-License-Identifier: MPL-2.0
"""The units under a real systemd, in a container: start, reload, stop, deaths, hangs, wrong configurations, instances."""
import os
import shutil
import signal
import tempfile
import threading

import pytest

import container
from house import BUILD, asleep, conf, pack, unpack, until
from test_install import tool

BROKER = {"beat_ms": 100, "lease_ms": 2000}
SWAP = {"name": "swap", "file": "/usr/local/lib/kiln/plugins/swap.so"}


# ---- the machine

@pytest.fixture(scope="module")
def machine():
    why = container.why_not()
    if why:
        pytest.skip(why)
    stage = tempfile.mkdtemp(prefix="kiln-systemd.")
    os.chmod(stage, 0o755)
    try:
        tool("install", stage, "/usr/local")
        with open(f"{stage}/usr/local/lib/sysusers.d/people.conf", "w", encoding="utf-8") as f:
            f.write("u alice -\nm alice kiln\nu mallory -\n")
        with container.Container(stage) as c:
            yield c
    except container.CannotBoot as e:
        pytest.skip(str(e))
    finally:
        shutil.rmtree(stage)


@pytest.fixture
def m(machine):
    """The machine with nothing of Kiln running, before and after, and nothing changed."""
    put(machine, 1)
    configure(machine, ["echo"])
    yield machine
    machine.systemctl("stop", "kiln.target", "kilnd", "kiln-broker", "kilnd@a", "kilnd@b", check=None)  # waits only for what it names
    changed = [p for u in ("kilnd", "kiln-broker") if os.path.exists(p := machine.file(f"/run/systemd/system/{u}.service.d"))]
    for path in changed:
        shutil.rmtree(path)
    if changed:
        machine.systemctl("daemon-reload")
    machine.systemctl("reset-failed")
    assert not machine.pids("kilnd") and not machine.pids("kiln-broker")


def configure(m, plugins, name="kiln", broker=BROKER, **daemon):
    plugins = [{"name": p} if isinstance(p, str) else p for p in plugins]
    group = {"plugin_dir": "/usr/local/lib/kiln/plugins", **daemon, "plugins": plugins}
    m.write(f"/usr/local/etc/kiln/{name}.conf", f"broker = {conf(broker)};\ndaemon = {conf(group)};\n")


def put(m, version):
    """The plugin swap, as a package would install it."""
    path = m.file(SWAP["file"])
    shutil.copyfile(os.path.join(BUILD, "tests", "plugins", f"swap_{version}.so"), path + ".new")
    os.chmod(path + ".new", 0o644)
    os.rename(path + ".new", path)


def drop_in(m, unit, text):
    m.write(f"/run/systemd/system/{unit}.service.d/test.conf", f"[Service]\n{text}\n")
    m.systemctl("daemon-reload")


def restarts(m, unit):
    return int(m.show(unit, "NRestarts"))


def status(m, unit):
    return m.show(unit, "StatusText")


def events(m, unit, event, since=0):
    """Records of the log event, newer than the n-th."""
    return m.journal(unit, KILN_EVENT=event)[since:]


def workers(m, unit="kilnd"):
    main = m.pid(unit)
    return [p for p in m.pids(unit) if p != main]


def gone(pids):
    return not any(os.path.exists(f"/proc/{p}") for p in pids)


class Traffic:
    """A producer that calls swap.answer without a pause; what is not answered in half a second is sent anew when `again`."""

    def __init__(self, m, under_way=20, again=False):
        self.m, self.under_way, self.again = m, under_way, again
        self.end_asked, self.ok, self.faults, self.repeated = threading.Event(), [], [], 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        p = self.m.producer()
        sent, waiting = 0, set()
        try:
            while not self.end_asked.is_set() or waiting:
                while len(waiting) < self.under_way and not self.end_asked.is_set():
                    sent += 1
                    waiting.add(sent)
                    p.send_raw(pack({"op": "call", "fn": "swap.answer", "id": sent, "timeout_ms": 60000}), pack({"x": sent}))
                if self.again and not p.socket.poll(500):
                    self.repeated += len(waiting)
                    waiting.clear()
                    continue
                frames = p.recv_raw()
                header, result = unpack(frames[0]), unpack(frames[1])
                late = header["id"] not in waiting
                waiting.discard(header["id"])
                if (late and not self.again) or header["status"] != "ok" or result["x"] != header["id"]:
                    self.faults.append((late, header, result))
                self.ok.append(result and result["version"])
        except Exception as e:  # noqa: BLE001: whatever it is, the test shall see it
            self.faults.append(repr(e))
        finally:
            p.close()

    def flows(self, more=200):
        seen = len(self.ok)
        until(lambda: len(self.ok) >= seen + more or self.faults or not self.thread.is_alive(), "traffic", container.PATIENCE)
        assert not self.faults, self.faults[:5]

    def end(self):
        self.end_asked.set()
        self.thread.join()
        assert not self.faults, self.faults[:5]
        return self.ok


# ---- units

def test_units_are_clean(m):
    """Without a word: systemd-analyze only warns of a key that it does not know."""
    p = m.run("systemd-analyze", "verify", "--recursive-errors=yes", "kiln.target", "kiln-broker.service", "kilnd.service", "kilnd@a.service")
    assert p.stdout == ""


@pytest.mark.parametrize("unit", ["kiln-broker", "kilnd", "kilnd@a"])
def test_exposure(m, unit):
    """Threshold 20: an exposure of 2.0."""
    m.run("systemd-analyze", "security", "--no-pager", "--threshold=20", f"{unit}.service")


def test_walls_are_in_force(m):
    configure(m, [{"name": "echo", "nice": 5}])
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    scores = []
    for pid in (m.pid("kiln-broker"), m.pid("kilnd"), workers(m)[0]):
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            words = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        assert words["NoNewPrivs"] == "1" and words["Seccomp"] == "2" and int(words["CapEff"], 16) == int(words["CapBnd"], 16) == 0
        assert words["Uid"].split()[0] == m.run("id", "-u", "kiln").stdout.strip()
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as f:
            scores.append(int(f.read()))
        with open(f"/proc/{pid}/mountinfo", encoding="ascii") as f:
            mounts = {line.split()[4]: line.split()[5].split(",") for line in f}
        assert "ro" in mounts["/"] and "rw" in mounts["/var/lib/kiln" if pid != m.pid("kiln-broker") else "/run/kiln"]
    assert scores[0] <= scores[1] and scores[2] == scores[1] + 200  # the worker goes first
    with open(f"/proc/{workers(m)[0]}/stat", encoding="ascii") as f:
        assert f.read().rsplit(")", 1)[1].split()[16] == "5"
    with open(f"/proc/{workers(m)[0]}/maps", encoding="ascii") as f:
        assert "/var/lib/kiln/kilnd/staged/" in f.read()


def test_producers_reach_the_frontend_and_nothing_else(m):
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    assert m.run("kiln", "call", "echo.scale", "x=[1.5,2]", user="alice").stdout == '{"y":[3.0,4.0]}\n'
    m.run("kiln", "--connect", "200", "ping", user="mallory", check=6)
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    for user, path, may in (("alice", "kiln.sock", True), ("alice", "work.sock", False), ("mallory", "kiln.sock", False),
                            ("mallory", "work.sock", False), ("kiln", "work.sock", True)):
        p = m.run("python3", "-c", connect, f"/run/kiln/{path}", user=user, check=None)
        assert (p.returncode == 0) == may and may == ("PermissionError" not in p.stdout), (user, path, p.stdout)
    assert "Permission denied" in m.run("ls", "/var/lib/kiln/kilnd", user="alice", check=2).stdout


# ---- start

def test_active_when_all_plugins_are_ready(m):
    """Not before: until the broker has welcomed the workers the unit is activating, for as long as that takes."""
    configure(m, ["echo", SWAP])
    drop_in(m, "kilnd", "TimeoutStartSec=1")
    m.systemctl("start", "--no-block", "kilnd")
    until(lambda: len(events(m, "kilnd", "worker_proven")) >= 2, "the workers to be proven")
    since = float(m.show("kilnd", "ExecMainStartTimestampMonotonic")) / 1e6
    until(lambda: float(m.run("cat", "/proc/uptime").stdout.split()[0]) > since + 1.5, "more than TimeoutStartSec to pass")
    assert m.show("kilnd", "ActiveState") == "activating" and restarts(m, "kilnd") == 0
    assert "0 of 2 plugins serve" in status(m, "kilnd")
    m.systemctl("start", "kiln-broker")
    m.systemctl("start", "kilnd")  # returns when it is
    assert m.show("kilnd", "ActiveState") == "active"
    p = m.producer()
    for fn in ("echo.echo", "swap.answer"):
        p.call(fn, {"data": "x"} if fn == "echo.echo" else {}).expect("ok")
    p.close()
    until(lambda: status(m, "kilnd") == "2 of 2 plugins serve with 2 workers", "the status")
    until(lambda: status(m, "kiln-broker") == "2 workers on 1 node, journal memory", "the broker's status")


def test_journal_has_fields(m):
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    record = events(m, "kilnd", "ready")[-1]
    assert record["PRIORITY"] == "6" and record["SYSLOG_IDENTIFIER"] == "kilnd" and record["_SYSTEMD_UNIT"] == "kilnd.service"
    assert record["KILN_STATUS"] == "1 of 1 plugins serve with 1 workers" and int(record["KILN_AFTER_US"]) > 0
    assert record["MESSAGE"].startswith("event=ready after_us=") and record["_TRANSPORT"] == "journal"
    seen = len(events(m, "kilnd", "worker_died"))
    os.kill(workers(m)[0], signal.SIGKILL)
    died = until(lambda: events(m, "kilnd", "worker_died", seen), "the death in the journal")[0]
    assert died["PRIORITY"] == "4" and died["KILN_PLUGIN"] == "echo" and died["KILN_CAUSE"] == "signal 9 (Killed)"
    assert m.show("kilnd", "ActiveState") == "active" and restarts(m, "kilnd") == 0
    joined = events(m, "kiln-broker", "worker_joined")[-1]
    assert joined["SYSLOG_IDENTIFIER"] == "kiln-broker" and joined["KILN_PLUGIN"].startswith("echo/")


@pytest.mark.parametrize("unit, text, words", [
    ("kilnd", 'daemon = { slots = 0; plugins = ( { name = "echo"; } ); };', ["kiln.conf:1", "daemon.slots", "0", "1..4096"]),
    ("kilnd", "daemon = {", ["kiln.conf:", "syntax"]),
    ("kiln-broker", "broker = { queue_limit = 0; };", ["kiln.conf:1", "broker.queue_limit", "0"]),
], ids=["daemon", "syntax", "broker"])
def test_wrong_configuration(m, unit, text, words):
    """The start fails at once, is not tried again, and the journal says where and why."""
    m.write("/usr/local/etc/kiln/kiln.conf", text)
    seen = len(events(m, unit, "config_invalid"))
    assert "failed" in m.systemctl("start", unit, check=1).stdout
    assert m.show(unit, "ActiveState") == "failed" and restarts(m, unit) == 0 and m.show(unit, "ExecMainStatus") == "3"
    record, = until(lambda: events(m, unit, "config_invalid", seen), "the reason in the journal")
    assert record["PRIORITY"] == "3"
    for word in words:
        assert word in record["KILN_ERROR"], record["KILN_ERROR"]


def test_required_plugin_that_fails_fails_the_start(m):
    shutil.copyfile(os.path.join(BUILD, "tests", "plugins", "swap_wrong_golden.so"), m.file(SWAP["file"]))
    configure(m, ["echo", SWAP])
    drop_in(m, "kilnd", "TimeoutStartSec=1")
    m.systemctl("start", "kiln-broker")
    m.systemctl("start", "--no-block", "kilnd")
    seen = until(lambda: events(m, "kilnd", "not_ready"), "the reason in the journal")[-1]
    assert seen["PRIORITY"] == "3" and seen["KILN_REQUIRED"] == "swap" and "expected 4" in seen["KILN_STATUS"]
    p = m.producer()
    p.call("echo.echo", {"data": "x"}).expect("ok")  # meanwhile the others serve
    p.close()
    assert m.show("kilnd", "ActiveState") == "activating"
    until(lambda: restarts(m, "kilnd") == 1, "the manager's patience to end", container.PATIENCE)
    assert m.journal(None, UNIT="kilnd.service", UNIT_RESULT="timeout")


# ---- reload

def test_reload_under_load(m):
    """A new plugin in the configuration, then another file for one that runs; then a configuration that is wrong."""
    configure(m, [SWAP])
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    main, t = m.pid("kilnd"), Traffic(m)
    t.flows()
    configure(m, [SWAP, "echo"])
    m.systemctl("reload", "kilnd")
    until(lambda: status(m, "kilnd") == "2 of 2 plugins serve with 2 workers", "the new plugin")
    p = m.producer()
    p.call("echo.echo", {"data": "x"}).expect("ok")
    p.close()
    put(m, 2)
    done = len(events(m, "kilnd", "reloaded"))
    m.systemctl("reload", "kilnd")
    until(lambda: events(m, "kilnd", "reloaded", done), "the reload to end")
    until(lambda: m.show("kilnd", "ActiveState") == "active", "the unit to be active again")
    t.flows()
    assert t.ok[0] == 1 and t.ok[-1] == 2
    configure(m, [SWAP], slots=0)
    m.systemctl("reload", "kilnd")
    until(lambda: "reload refused" in status(m, "kilnd") and "daemon.slots" in status(m, "kilnd"), "the refusal")
    assert events(m, "kilnd", "reload_refused")[-1]["PRIORITY"] == "3"
    t.flows()
    until(lambda: m.show("kilnd", "ActiveState") == "active", "the unit to be active again")
    t.end()
    assert m.pid("kilnd") == main and restarts(m, "kilnd") == 0


def test_reload_of_the_broker(m):
    m.systemctl("start", "kiln-broker")
    main = m.pid("kiln-broker")
    configure(m, ["echo"], broker={**BROKER, "log_level": "debug"})
    m.systemctl("reload", "kiln-broker")
    until(lambda: events(m, "kiln-broker", "reloaded"), "the reload")
    configure(m, ["echo"], broker={**BROKER, "lease_ms": 5000})
    m.systemctl("reload", "kiln-broker")
    until(lambda: "reload refused" in status(m, "kiln-broker") and "lease_ms" in status(m, "kiln-broker"), "the refusal")
    until(lambda: m.show("kiln-broker", "ActiveState") == "active", "the unit to be active again")
    assert m.pid("kiln-broker") == main


# ---- stop

def test_stop_drains(m):
    """Every call that was taken is answered: what runs is finished, what waits in the broker waits for the daemon's return."""
    configure(m, ["echo", SWAP])
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    p, t = m.producer(), Traffic(m)
    t.flows()
    p.send({"op": "call", "fn": "echo.sleep"}, {"ms": 700})
    until(lambda: any(asleep(w) for w in workers(m)), "the job to run, not only to be on its way")
    m.systemctl("stop", "kilnd")
    assert m.show("kilnd", "Result") == "success" and m.show("kilnd", "ExecMainStatus") == "0" and not m.pids("kilnd")
    header, payloads = p.recv()
    assert header["status"] == "ok" and header["attempt"] == 1 and payloads[0]["slept_ms"] >= 700
    assert function(m, "swap.answer")["running"] == 0
    m.systemctl("start", "kilnd")
    t.flows()
    t.end()
    assert function(m, "swap.answer")["crashes"] == function(m, "swap.answer")["errors"] == 0
    p.close()


def test_stop_of_all_answers_everybody(m):
    """The daemon first, so that what runs is finished; then the broker, which tells the rest."""
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    p = m.producer()
    for i in range(5):
        p.send({"op": "call", "fn": "echo.sleep", "id": i}, {"ms": 400})
    until(lambda: any(asleep(w) for w in workers(m)), "a job to run, not only to be on its way")
    m.systemctl("stop", "kiln.target")
    found = [p.recv()[0] for _ in range(5)]
    assert sorted(h["id"] for h in found) == list(range(5))
    assert {h["status"] for h in found} == {"ok", "unavailable"}
    until(lambda: not m.pids("kilnd") and not m.pids("kiln-broker"), "both to have ended")
    p.close()


def function(m, name):
    p = m.producer()
    try:
        return next(f for f in p.ask({"op": "stats"})[1][0]["functions"] if f["name"] == name)
    finally:
        p.close()


# ---- deaths

def test_supervisor_killed_under_load(m):
    """Its workers leave, systemd starts it again, it cleans up and serves; no call is lost or answered twice."""
    configure(m, [SWAP])
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    t = Traffic(m)
    t.flows()
    main, old = m.pid("kilnd"), workers(m)
    os.kill(main, signal.SIGKILL)
    until(lambda: gone([main] + old), "the workers to leave", 10)
    until(lambda: restarts(m, "kilnd") == 1 and m.show("kilnd", "ActiveState") == "active", "the return", container.PATIENCE)
    assert m.pid("kilnd") != main and not set(workers(m)) & set(old)
    t.flows()
    t.end()
    assert len([f for f in os.listdir(m.file("/var/lib/kiln/kilnd/staged")) if f.endswith(".so")]) == 1


@pytest.mark.parametrize("unit", ["kilnd", "kiln-broker"])
def test_watchdog(m, unit):
    """A process that hangs is ended and started again; the other one goes on, and they find each other."""
    configure(m, [SWAP])
    drop_in(m, unit, "WatchdogSec=1")
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    t = Traffic(m, again=True)
    t.flows()
    other = "kilnd" if unit == "kiln-broker" else "kiln-broker"
    main, spared = m.pid(unit), m.pid(other)
    os.kill(main, signal.SIGSTOP)
    until(lambda: restarts(m, unit) == 1 and m.show(unit, "ActiveState") == "active", "the watchdog", container.PATIENCE)
    assert gone([main])
    assert m.journal(None, UNIT=f"{unit}.service", UNIT_RESULT="watchdog")
    t.flows()
    t.end()
    assert m.pid(other) == spared and restarts(m, other) == 0


def test_broker_killed_under_load(m):
    """It comes back, workers and producers by themselves; what it held is lost, as its journal says."""
    configure(m, [SWAP])
    m.systemctl("start", "kiln.target")
    m.systemctl("start", "kilnd")
    t = Traffic(m, again=True)
    t.flows()
    daemon, old = m.pid("kilnd"), workers(m)
    os.kill(m.pid("kiln-broker"), signal.SIGKILL)
    until(lambda: restarts(m, "kiln-broker") == 1 and m.show("kiln-broker", "ActiveState") == "active", "the return", container.PATIENCE)
    t.flows()
    t.end()
    assert m.pid("kilnd") == daemon and workers(m) == old and restarts(m, "kilnd") == 0


# ---- instances

def test_two_instances(m):
    """Each with a configuration, workers and folders of its own, at one broker."""
    configure(m, ["echo"], "a")
    configure(m, [SWAP], "b")
    m.systemctl("start", "kiln-broker", "kilnd@a", "kilnd@b")
    p = m.producer()
    p.call("echo.echo", {"data": "x"}).expect("ok")
    p.call("swap.answer").expect("ok")
    for i in "ab":
        assert len([f for f in os.listdir(m.file(f"/var/lib/kiln-{i}/kilnd/staged")) if f.endswith(".so")]) == 1
        assert os.path.isdir(m.file(f"/run/kiln-{i}"))
    main = m.pid("kilnd@b")
    m.systemctl("stop", "kilnd@a")
    p.call("swap.answer").expect("ok")
    assert m.pid("kilnd@b") == main and len(m.pids("kilnd@b")) == 2 and not m.pids("kilnd@a")
    p.close()
