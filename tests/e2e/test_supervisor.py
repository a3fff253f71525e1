# SPDX-License-Identifier: MPL-2.0
"""kilnd and kiln-broker as processes: configuration, recycling, limits, systemd's protocol, what they leave behind."""
import os
import signal
import socket
import subprocess
import time

import pytest

from house import BUILD, MODE, PATIENCE, House, conf, environment, until


def run(program, *args):
    return subprocess.run([os.path.join(BUILD, program), *args], capture_output=True, text=True, check=False, env=environment(),
                          timeout=PATIENCE, cwd="/")


# ---- configuration

DAEMON = 'daemon = {{ broker = "ipc:///tmp/x"; run_dir = "/tmp/r"; plugins = ( {{ name = "echo"; {plugin} }} ); {daemon} }};'


@pytest.mark.parametrize("daemon, plugin, words", [
    ("slots = 0;", "", ["daemon.slots", "0", "1..4096"]),
    ("slots = \"x\";", "", ["daemon.slots", "x"]),
    ("colour = 5;", "", ["colour"]),
    ("broker = \"http://x\";", "", []),
    ("log_level = \"loud\";", "", ["log_level", "loud", "debug, info, warning or error"]),
    ("", "workers = 0;", ["workers", "0", "1..256"]),
    ("", "limits = { run_ms = 0; };", ["limits.run_ms", "0"]),
    ("", "limits = { memory_mb = 100; job_mb = 200; };", ["job_mb", "200", "memory_mb"]),
    ("", "limits = { memory = 100; };", ["memory"]),
    ("", "nice = 99;", ["nice", "99", "-20..19"]),
    ("", "required = 1;", ["required"]),
])
def test_wrong_configuration_of_the_daemon(tmp_path, daemon, plugin, words):
    path = tmp_path / "kiln.conf"
    path.write_text(DAEMON.format(daemon=daemon, plugin=plugin))
    p = run("kilnd", "-c", str(path), "--test-config")
    assert p.returncode != 0 and p.stdout == ""
    assert str(path) in p.stderr, p.stderr
    for word in words:
        assert word in p.stderr, p.stderr
    assert run("kilnd", "-c", str(path)).returncode == p.returncode  # and it does not start with it


@pytest.mark.parametrize("text, words", [
    ("daemon = {", ["syntax"]), ("", ["daemon"]), ("daemon = { };", ["plugins"]), ("daemon = { plugins = (); };", ["plugins", "empty"]),
    ("daemon = { plugins = ( { name = \"a\"; }, { name = \"a\"; } ); };", ["name", "\"a\""]),
    ("daemon = { plugins = ( { name = \"A B\"; } ); };", ["name", "A B"]),
    ("daemon = { plugins = ( { } ); };", ["name"]),
])
def test_daemon_configuration_that_is_none(tmp_path, text, words):
    path = tmp_path / "kiln.conf"
    path.write_text(text)
    p = run("kilnd", "-c", str(path), "--test-config")
    assert p.returncode != 0
    for word in words:
        assert word in p.stderr, p.stderr


@pytest.mark.parametrize("text, words", [
    ("broker = { queue_limit = 0; };", ["broker.queue_limit", "0"]),
    ("broker = { queue_limits = 5; };", ["queue_limits"]),
    ("broker = { frontend = []; };", ["frontend", "empty"]),
    ("broker = { beat_ms = 1000; lease_ms = 1500; };", ["lease_ms", "1500", "twice beat_ms"]),
    ("broker = { log_level = \"loud\"; };", ["log_level", "loud"]),
    ("broker = { max_bytes = 1.5; };", ["max_bytes"]),
    ("broker = {", ["syntax"]),
    ("brokr = { queue_limit = 5; };", ["brokr", ":1:", "expected broker or daemon"]),
    ("broker = { frontend = \"/run/kiln.sock\"; };", ["broker.frontend", "/run/kiln.sock", "ipc://"]),
    ("broker = { backend = [\"tcp://127.0.0.1\"]; };", ["broker.backend", "tcp://127.0.0.1", "expected an endpoint"]),
    ("broker = { frontend = \"tcp://127.0.0.1:7\"; };", ["broker.frontend", "tcp://127.0.0.1:7", "names no key", "insecure_tcp = true"]),
    ("broker = { backend = [\"ipc:///tmp/x\", \"tcp://*:7\"]; };", ["broker.backend", "tcp://*:7", "names no key"]),
    ("broker = { key = \"a.key_secret\"; };", ["broker.keys is not", "expected both"]),
    ("broker = { keys = \"a\"; };", ["broker.key is not", "expected both"]),
    ("broker = { key = \"a\"; keys = \"b\"; insecure_tcp = true; };", ["insecure_tcp", "expected one of them"]),
    ("broker = { frontend_mode = \"rw-rw----\"; };", ["frontend_mode", "rw-rw----", "octal"]),
    ("broker = { backend_mode = \"7777\"; };", ["backend_mode", "7777"]),
    ("broker = { handshake_ms = 1; };", ["handshake_ms", "50..600000"]),
])
def test_wrong_configuration_of_the_broker(tmp_path, text, words):
    path = tmp_path / "kiln.conf"
    path.write_text(text)
    p = run("kiln-broker", "-c", str(path), "--test-config")
    assert p.returncode == 3 and p.stdout == ""
    for word in words:
        assert word in p.stderr, p.stderr


def test_right_configuration(tmp_path):
    path = tmp_path / "kiln.conf"
    path.write_text("broker = { queue_limit = 5; };\n" + DAEMON.format(daemon=f'plugin_dir = "{BUILD}/plugins";', plugin=""))
    assert run("kiln-broker", "-c", str(path), "--test-config").returncode == 0
    assert run("kilnd", "-c", str(path), "--test-config").returncode == 0
    assert run("kilnd", "-c", "/nonexistent.conf", "--test-config").returncode != 0


@pytest.mark.parametrize("program", ["kiln-broker", "kilnd", "kiln"])
def test_help_and_version(program):
    p = run(program, "--version")
    assert p.returncode == 0 and "0.1.0" in p.stdout
    p = run(program, "--help")
    assert p.returncode == 0 and program in p.stdout and "--" in p.stdout
    assert run(program, "--no-such-option").returncode != 0


def test_broker_whose_endpoint_is_taken():
    with House() as house:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            house.write("taken.conf", f'broker = {{ frontend = "tcp://127.0.0.1:{s.getsockname()[1]}"; backend = "ipc://{house.folder}/x"; insecure_tcp = true; }};')
            p = run("kiln-broker", "-c", f"{house.folder}/taken.conf")
            assert p.returncode == 1 and "in use" in p.stderr and str(s.getsockname()[1]) in p.stderr


def test_second_broker_on_a_path():
    """It would take the socket file away from the first, unnoticed."""
    with House() as house:
        p = run("kiln-broker", "-c", f"{house.folder}/broker.conf")
        assert p.returncode == 1 and f"{house.folder}/f" in p.stderr, p.stderr
        assert house.producer().ask({"op": "ping"})[0]["op"] == "pong"


def test_socket_file_of_a_dead_broker_is_no_obstacle():
    with House() as house:
        house.broker.kill()
        assert os.path.exists(f"{house.folder}/f")
        house.start_broker()
        assert house.producer().ask({"op": "ping"})[0]["op"] == "pong"


def test_processors():
    """`cpus` of the broker, of the daemon, and of a plugin's workers."""
    def allowed(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            return next(l.split()[1] for l in f if l.startswith("Cpus_allowed_list"))

    mine = sorted(os.sched_getaffinity(0))
    with House({"cpus": [mine[0]]}) as house:
        house.start_daemon([{"name": "echo", "cpus": [mine[0]]}, "stats"], cpus=[mine[-1]])
        assert allowed(house.broker.pid) == allowed(house.workers("echo")[0]["pid"]) == str(mine[0])
        assert allowed(house.daemon.pid) == allowed(house.workers("stats")[0]["pid"]) == str(mine[-1])


def test_two_daemons_in_one_run_dir():
    with House() as house:
        house.start_daemon(["echo"])
        p = run("kilnd", "-c", f"{house.folder}/node.conf")
        assert p.returncode != 0 and "another kilnd runs there" in p.stderr


# ---- workers

def test_recycling_by_jobs():
    """After so many jobs a worker is replaced, by one that is warm before the old one goes: no job notices."""
    with House() as house:
        house.start_daemon([{"name": "echo", "recycle": {"jobs": 50}}])
        p = house.producer()
        before = house.counters()
        pids, n = set(), 0
        while len(pids) < 3:
            for _ in range(20):
                answer = p.call("echo.echo", {"data": "x"}).expect("ok")
                assert answer.attempt == 1
                n += 1
            pids |= {w["pid"] for w in house.workers("echo")}
            assert n < 100000
        moved = house.moved(before)
        assert moved["jobs_called"] == moved["jobs_ended"] == n and moved["workers_left"] >= 1
        assert "workers_lost" not in moved and "jobs_crashed" not in moved


def test_limits_of_a_worker():
    with House() as house:
        house.start_daemon([{"name": "echo", "nice": 7, "limits": {"files": 77, "memory_mb": 300, "job_mb": 100}}])
        pid = house.workers("echo")[0]["pid"]
        with open(f"/proc/{pid}/limits", encoding="ascii") as f:
            limits = {line[:26].strip(): line[26:].split()[0] for line in f}
        assert limits["Max open files"] == "77" and limits["Max core file size"] == "0"
        if MODE == "release":
            assert limits["Max data size"] == str(300 << 20)
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            assert f.read().rsplit(")", 1)[1].split()[16] == "7"
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            assert "NoNewPrivs:\t1" in f.read()


def test_worker_that_keeps_dying_backs_off():
    """A worker killed again and again restarts later and later; between deaths it serves."""
    with House() as house:
        house.start_daemon(["echo"])
        killed = set()
        for death in range(4):
            pid = until(lambda: {w["pid"] for w in house.workers("echo")} - killed, "a new worker").pop()
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
            until(lambda: house.plugins()["echo"]["restarts"] == death + 1, "the death to be noticed")
        house.producer().call("echo.echo", {"data": "x"}).expect("ok")
        text = house.daemon.text()
        pauses = [int(w.split("=")[1]) for w in text.split() if w.startswith("restart_ms=")]
        assert pauses == [0, 100, 200, 400]


def test_workers_ignore_signals_that_are_the_supervisors():
    with House() as house:
        house.start_daemon(["echo"])
        pid = house.workers("echo")[0]["pid"]
        for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, s)
        house.producer().call("echo.echo", {"data": "x"}).expect("ok")
        assert house.workers("echo")[0]["pid"] == pid and house.plugins()["echo"]["restarts"] == 0


def test_plugin_code_is_only_in_its_workers():
    with House() as house:
        house.start_daemon(["echo", "stats"])
        def maps(pid):
            with open(f"/proc/{pid}/maps", encoding="ascii") as f:
                return f.read()
        builds = {p: house.plugins()[p]["build"] for p in ("echo", "stats")}
        assert not any(b in maps(house.daemon.pid) + maps(house.broker.pid) for b in builds.values())
        for p, other in (("echo", "stats"), ("stats", "echo")):
            mine = maps(house.workers(p)[0]["pid"])
            assert builds[p] in mine and builds[other] not in mine


def staged(run_dir):
    return [f for _, _, files in os.walk(run_dir) for f in files if not f.startswith(".")]


def test_nothing_is_left_behind():
    with House() as house:
        d = house.start_daemon(["echo", "stats"])
        run_dir = f"{house.folder}/run-node"
        assert len(staged(run_dir)) == 2
        pids = [w["pid"] for p in ("echo", "stats") for w in house.workers(p)]
        d.terminate()
        assert d.wait() == 0
        assert staged(run_dir) == []
        assert not any(os.path.exists(f"/proc/{p}") for p in pids)


# ---- systemd

def notifications(house):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(f"{house.folder}/notify")
    s.settimeout(PATIENCE)
    env = environment()
    env["NOTIFY_SOCKET"] = f"{house.folder}/notify"
    return s, env


def test_daemon_tells_systemd():
    """READY=1 when every required plugin serves, STATUS, WATCHDOG=1, STOPPING=1."""
    with House() as house:
        s, env = notifications(house)
        env["WATCHDOG_USEC"] = "200000"
        d = house.start_daemon(["echo"], env=env)
        said = ""
        while not all(w in said for w in ("WATCHDOG=1", "READY=1", "STATUS=1 of 1 plugins serve")):
            said += s.recv(4096).decode() + "\n"
        with open(f"/proc/{house.workers('echo')[0]['pid']}/environ", "rb") as f:
            assert b"NOTIFY_SOCKET" not in f.read()
        d.terminate()
        while "STOPPING=1" not in said:
            said += s.recv(4096).decode() + "\n"
        assert d.wait() == 0
        s.close()


def test_broker_tells_systemd():
    with House(start=False) as house:
        s, env = notifications(house)
        path = house.write("b.conf", "broker = " + conf(house.broker_conf) + ";")
        b = house.run("kiln-broker", "-c", path, env=env)
        said = ""
        while "READY=1" not in said:
            said += s.recv(4096).decode() + "\n"
        b.terminate()
        while "STOPPING=1" not in said:
            said += s.recv(4096).decode() + "\n"
        assert b.wait() == 0
        s.close()


def test_broker_reload():
    """SIGHUP: limits and log level change under the jobs; what is wrong or needs a restart changes nothing; the manager hears it."""
    with House(start=False) as house:
        s, env = notifications(house)
        env["WATCHDOG_USEC"] = "200000"
        house.broker_conf.update(queue_limit=1)
        path = house.write("broker.conf", "broker = " + conf(house.broker_conf) + ";")
        b = house.run("kiln-broker", "-c", path, env=env)
        b.says("event=ready ")
        w = house.worker("p", ["f"])
        p = house.producer()

        def hear(*words):
            said = ""
            while not all(w in said for w in words):
                said += s.recv(4096).decode() + "\n"
            return said

        hear("READY=1", "WATCHDOG=1", "STATUS=1 worker on 0 nodes, journal memory")
        p.send({"op": "call", "fn": "p.f", "id": "waits"}, {})
        until(lambda: house.function("p.f")["queued"] == 1)
        p.call("p.f").expect("busy", None, "1")
        house.broker_conf.update(queue_limit=2, log_level="debug")
        house.write("broker.conf", "broker = " + conf(house.broker_conf) + ";")
        os.kill(b.pid, signal.SIGHUP)
        said = hear("RELOADING=1", "MONOTONIC_USEC=", "READY=1")
        assert said.index("RELOADING=1") < said.index("READY=1")
        b.says("event=reloaded log_level=debug queue_limit=2")
        p.send({"op": "call", "fn": "p.f", "id": "waits too"}, {})
        until(lambda: house.function("p.f")["queued"] == 2)
        for change, words in (({"queue_limit": 0}, "queue_limit is 0"), ({"queue_limit": 9, "beat_ms": 51}, "broker.beat_ms"),
                              ({"no_such": 1}, "no_such")):
            house.write("broker.conf", "broker = " + conf({**house.broker_conf, **change}) + ";")
            os.kill(b.pid, signal.SIGHUP)
            hear("RELOADING=1", "reload refused: ", words)
            p.call("p.f").expect("busy", None, "2")
        assert b.text().count("event=reload_refused") == 3
        house.write("broker.conf", "broker = " + conf(house.broker_conf) + ";")
        os.kill(b.pid, signal.SIGHUP)
        assert "refused" not in hear("RELOADING=1", "STATUS=1 worker on 0 nodes, journal memory\n")
        w.credit(2).done(w.gather(2))  # what waited all the while
        assert sorted(p.recv()[0]["id"] for _ in range(2)) == ["waits", "waits too"]
        s.close()


# ---- size

def test_resident_memory_and_idle_processor_time():
    """Broker and idle worker under 12 MB each; next to no processor time when nothing is to do."""
    if MODE != "release":
        pytest.skip("sanitizers change both")
    with House({"beat_ms": 1000}) as house:
        house.start_daemon(["echo"])
        worker = house.workers("echo")[0]["pid"]

        def ticks(pid):
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                row = f.read().rsplit(")", 1)[1].split()
            return int(row[11]) + int(row[12])

        for pid in (house.broker.pid, worker):
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                rss_kb = next(int(l.split()[1]) for l in f if l.startswith("VmRSS"))
            assert rss_kb < 12 * 1024, f"{pid} has {rss_kb} kB"
        pids = (house.broker.pid, house.daemon.pid, worker)
        before = [ticks(p) for p in pids]
        time.sleep(2)  # what is measured is idleness
        used = [ticks(p) - b for p, b in zip(pids, before)]
        assert all(u <= 2 for u in used), f"clock ticks of 10 ms in two seconds: {used}"


def test_a_second_broker_on_the_same_path_is_refused():
    """libzmq would give it the path without a word, and leave the workers with a broker nobody can reach."""
    with House() as house:
        w = house.worker("p")
        second = subprocess.run([os.path.join(BUILD, "kiln-broker"), "-c", os.path.join(house.folder, "broker.conf")], capture_output=True,
                                text=True, check=False, timeout=PATIENCE, env=environment())
        assert second.returncode == 1 and "is served by another process already" in second.stderr
        w.credit(1)
        producer = house.producer()
        producer.send({"op": "call", "fn": "p.f"}, {})
        w.done(w.job(), {"y": 1})
        assert producer.recv()[0]["status"] == "ok"
