# SPDX-License-Identifier: MPL-2.0
"""A house for the tests: real processes on private sockets in a temporary folder, and peers of a few lines.

    with House(broker={"queue_limit": 3}) as house:     # kiln-broker runs
        house.start_daemon(plugins=["echo"])            # kilnd, ready
        p = house.producer()
        p.call("echo.echo", {"x": [2.385]}).result
        w = house.worker("p", ["f"])                    # a worker played by the test

Nothing here sleeps to give something time: until() waits for a condition. Leaving the house stops every process with
SIGTERM, expects exit status 0, and looks through the logs for sanitizer reports."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import msgpack
import zmq

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODE = os.environ.get("KILN_MODE", "release")
BUILD = os.path.join(ROOT, "build", MODE)
SLOW = {"release": 1, "asan": 4, "tsan": 8}[MODE]  # how much longer things may take
PATIENCE = 20 * SLOW                               # seconds before a wait is given up
REPORTS = re.compile(r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|Sanitizer:DEADLYSIGNAL|"
                     r"Assertion .* failed|FATAL: ThreadSanitizer")

CONTEXT = zmq.Context()


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def unpack(data):
    return msgpack.unpackb(data, raw=False, strict_map_key=False)


def until(condition, what="", seconds=PATIENCE):
    """The first true value of condition()."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what or condition}; last seen: {value!r}")
        time.sleep(0.004)


def asleep(pid):
    """Its process is in nanosleep or clock_nanosleep: 35 and 230 on x86-64, 101 and 115 on most others."""
    with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
        return f.read().split()[0] in (("35", "230") if os.uname().machine == "x86_64" else ("101", "115"))


def environment():
    """Sanitizers: a report ends the process with a status of its own. What is suppressed, and why: tests/tsan.supp."""
    found = dict(os.environ)
    found.update(ASAN_OPTIONS="exitcode=99:abort_on_error=0:allocator_may_return_null=1:detect_leaks=1",
                 LSAN_OPTIONS="exitcode=98",
                 UBSAN_OPTIONS="print_stacktrace=1:exitcode=97",
                 TSAN_OPTIONS=f"exitcode=96:suppressions={ROOT}/tests/tsan.supp")
    found.pop("NOTIFY_SOCKET", None)
    return found


def conf(value, indent=0):
    """A Python value as libconfig text: dict = group, list of dicts = list, other list = array."""
    pad = "  " * (indent + 1)
    if isinstance(value, dict):
        return "{\n" + "".join(f"{pad}{k} = {conf(v, indent + 1)};\n" for k, v in value.items()) + "  " * indent + "}"
    if isinstance(value, (list, tuple)):
        nested = any(isinstance(v, dict) for v in value)
        inside = ", ".join(conf(v, indent + 1) for v in value)
        return f"( {inside} )" if nested else f"[ {inside} ]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{value}L" if isinstance(value, int) and abs(value) > 2**31 - 1 else repr(value)


def over_tcp(*endpoints):
    """What the broker's configuration says beside its tcp endpoints: these are networks of the test alone."""
    return {"insecure_tcp": True} if endpoints else {}


class Process:
    """One of our programs. `expected` is the exit status that close() asks for."""

    def __init__(self, name, args, log, env=None):
        self.name, self.log, self.expected = name, log, 0
        self.out = open(log, "ab")
        self.popen = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.out, env=env or environment())
        self.pid = self.popen.pid

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def alive(self):
        return self.popen.poll() is None

    def says(self, words, seconds=PATIENCE):
        until(lambda: words in self.text() or not self.alive(), f"{self.name} to log {words!r}", seconds)
        assert words in self.text(), f"{self.name} ended without logging {words!r}:\n{self.text()}"

    def kill(self):
        """As a crash or the OOM killer would."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()
        self.expected = -signal.SIGKILL

    def terminate(self):
        if self.alive():
            self.popen.send_signal(signal.SIGTERM)

    def wait(self, seconds=PATIENCE + 20):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.send_signal(signal.SIGABRT)
            self.popen.wait()
            raise AssertionError(f"{self.name} did not stop within {seconds} s of SIGTERM:\n{self.text()[-4000:]}") from None

    def close(self):
        self.terminate()
        status = self.wait()
        self.out.close()
        text = self.text()
        found = REPORTS.search(text)
        assert not found, f"{self.name} reported:\n{text[max(0, found.start() - 200):found.start() + 6000]}"
        assert status == self.expected, f"{self.name} ended with {status}, expected {self.expected}:\n{text[-4000:]}"


class House:
    def __init__(self, broker=None, start=True):
        self.folder = tempfile.mkdtemp(prefix="kh", dir="/tmp")
        self.front, self.back = f"ipc://{self.folder}/f", f"ipc://{self.folder}/b"
        # A worker played by a test does not beat: it may be silent. Tests of silence ask for less.
        self.broker_conf = {"frontend": self.front, "backend": self.back, "beat_ms": 50, "lease_ms": 600000, "settle_ms": 0}
        self.broker_conf.update(broker or {})
        self.processes, self.peers, self.serial = [], [], 0
        self.broker = self.daemon = None
        if start:
            self.start_broker()

    # ---- processes

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def run(self, program, *args, name=None, env=None, within=()):
        """within: words in front of the program, such as those that enter a network namespace."""
        self.serial += 1
        name = name or program
        p = Process(name, [*within, os.path.join(BUILD, program), *args], os.path.join(self.folder, f"{name}.{self.serial}.log"), env)
        self.processes.append(p)
        return p

    def start_broker(self, within=()):
        path = self.write("broker.conf", "broker = " + conf(self.broker_conf) + ";\n")
        self.broker = self.run("kiln-broker", "-c", path, within=within)
        self.broker.says("event=ready ")
        return self.broker

    def daemon_conf(self, plugins, name="node", **keys):
        made = []
        for p in plugins:
            p = {"name": p} if isinstance(p, str) else dict(p)
            made.append(p)
        group = {"broker": keys.pop("broker", self.back), "name": name, "run_dir": f"{self.folder}/run-{name}",
                 "plugin_dir": f"{BUILD}/plugins", "log_level": "info", **keys, "plugins": made}
        return self.write(f"{name}.conf", "daemon = " + conf(group) + ";\n")

    def start_daemon(self, plugins, name="node", ready=True, env=None, within=(), **keys):
        daemon = self.run("kilnd", "-c", self.daemon_conf(plugins, name, **keys), name=f"kilnd-{name}", env=env, within=within)
        self.daemon = self.daemon or daemon
        if ready:
            daemon.says("event=ready ")
            daemon.says("event=broker_joined ")  # its workers may have been faster
            until(lambda: self.serves(name, plugins), f"the broker to know that {name} is ready")
        return daemon

    def serves(self, name, plugins):
        """The node has told the broker that all plugins it cannot do without are ready."""
        wanted = {p if isinstance(p, str) else p["name"] for p in plugins if isinstance(p, str) or p.get("required", True)}
        node = next((n for n in self.stats()["nodes"] if n["wid"] == name), {"plugins": []})
        return wanted <= {p["name"] for p in node["plugins"] if p["state"] == "ready"}

    def close(self):
        """Daemons first, then brokers: as a person would. Every complaint is told, not only the first."""
        complaints = []
        for peer in self.peers:
            peer.close()
        for p in sorted(self.processes, key=lambda p: p.name.startswith("kiln-broker")):
            try:
                p.close()
            except AssertionError as e:
                complaints.append(str(e))
        if not complaints:
            shutil.rmtree(self.folder, ignore_errors=True)
        assert not complaints, f"logs in {self.folder}\n" + "\n".join(complaints)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.close()
        except AssertionError:
            if kind is None:
                raise

    # ---- peers

    def producer(self, **options):
        p = Producer(self.front, **options)
        self.peers.append(p)
        return p

    def worker(self, plugin=None, functions=("f",), hello=True, **keys):
        self.serial += 1
        w = Worker(self, plugin or f"p{self.serial}", functions, **keys)
        self.peers.append(w)
        if hello:
            w.hello()
        return w

    # ---- what the broker counts

    def stats(self):
        p = Producer(self.front)
        try:
            header, payloads = p.ask({"op": "stats"})
            assert header["status"] == "ok"
            return payloads[0]
        finally:
            p.close()

    def counters(self):
        return self.stats()["broker"]["counters"]

    def moved(self, before, ignore=("messages_in", "worker_messages_in", "answers_sent")):
        """What changed since `before`, without the noise of messages."""
        now = self.counters()
        return {k: v - before[k] for k, v in now.items() if v != before[k] and k not in ignore}

    def moves(self, before, **expected):
        """Waits until exactly these counters have moved by exactly so much: a late one has time, a surplus one has not."""
        end = time.monotonic() + PATIENCE
        while (now := self.moved(before)) != expected:
            over = {k: v for k, v in now.items() if v > expected.get(k, 0)}
            assert not over and time.monotonic() < end, f"counters moved by {now}, expected {expected}"
            time.sleep(0.004)
        return True

    def function(self, name):
        return next((f for f in self.stats()["functions"] if f["name"] == name), None)

    def plugins(self):
        """By name, of all nodes."""
        return {p["name"]: p for n in self.stats()["nodes"] for p in n["plugins"]}

    def workers(self, plugin):
        return [w for w in self.stats()["workers"] if w["plugin"] == plugin]


class Answer(dict):
    """The outcome of one job: header keys as items, and its payload."""

    def __init__(self, outcome, result, common=()):
        super().__init__(common)
        self.update(outcome)
        self.result = result

    def __getattr__(self, key):
        return self.get(key)

    def expect(self, status, field=None, *words):
        assert self.status == status, f"{dict(self)} {str(self.result)[:300]}"
        assert field is None or self.field == field, dict(self)
        for word in words:
            assert word in (self.error or ""), f"{word!r} is not in {self.error!r}"
        assert (self.result is not None) == (status == "ok")
        return self


class Producer:
    def __init__(self, endpoint, kind=zmq.DEALER, hwm=None):
        self.socket = CONTEXT.socket(kind)
        self.socket.linger = 0
        if hwm:
            self.socket.rcvhwm = hwm
        self.before_connect()
        self.socket.connect(endpoint)
        self.serial = 0

    def before_connect(self):
        """For keys, and monitors."""

    def close(self):
        self.socket.close()

    def send_raw(self, *frames):
        self.socket.send_multipart(frames)

    def recv_raw(self, seconds=PATIENCE):
        assert self.socket.poll(seconds * 1000), f"no answer within {seconds} s"
        return self.socket.recv_multipart()

    def send(self, header, *payloads):
        """Calls wait for an hour unless they say otherwise: what a test leaves behind in a shared broker must not end, and be
        counted, in the middle of another one."""
        if isinstance(header, dict) and header.get("op") == "call" and "timeout_ms" not in header:
            header = {**header, "timeout_ms": 3600000}
        self.send_raw(pack(header), *[pack(p) for p in payloads])

    def recv(self, seconds=PATIENCE):
        frames = self.recv_raw(seconds)
        return unpack(frames[0]), [unpack(f) for f in frames[1:]]

    def silent(self, seconds=0.0):
        return not self.socket.poll(seconds * 1000)

    def ask(self, header, *payloads):
        self.send(header, *payloads)
        return self.recv()

    def call_raw(self, fn, payload, **keys):
        """One call with a payload as bytes; its Answer."""
        self.send_raw(pack({"op": "call", "fn": fn, **keys}), payload)
        header, results = self.recv()
        assert header["op"] == "reply" and len(results) == 1, header
        return Answer(header, results[0])

    def call(self, fn, args=None, **keys):
        return self.call_raw(fn, pack(args or {}), **keys)

    def calls(self, jobs, payloads, **keys):
        """A list call; its Answers by id."""
        self.send({"op": "call", "jobs": jobs, **keys}, *payloads)
        return self.answers(len(jobs))

    def answers(self, n):
        found = {}
        while len(found) < n:
            header, results = self.recv()
            assert header["op"] == "reply", header
            assert len(header["jobs"]) == len(results)
            common = {k: header[k] for k in ("worker", "plugin", "rid") if k in header}
            for job, result in zip(header["jobs"], results):
                assert job["id"] not in found, f"answered twice: {job}"
                found[job["id"]] = Answer(job, result, common)
        return found

    def submit(self, fn, id, args=None, **keys):
        header, payloads = self.ask({"op": "submit", "fn": fn, "id": id, **keys}, args or {})
        assert header["op"] == "submitted" and not payloads
        return Answer(header["jobs"][0], None)

    def result(self, *ids, wait_ms=PATIENCE * 1000):
        header, payloads = self.ask({"op": "result", "ids": list(ids), "wait_ms": wait_ms})
        assert header["op"] == "result" and len(payloads) == len(ids)
        found = [Answer(j, p) for j, p in zip(header["jobs"], payloads)]
        return found[0] if len(found) == 1 else found

    def about(self, op, *ids):
        """status, cancel, forget."""
        header, payloads = self.ask({"op": op, "ids": list(ids)})
        assert header["op"] == op and not payloads, header
        found = [Answer(j, None) for j in header["jobs"]]
        return found[0] if len(found) == 1 else found


class Worker:
    """Speaks the worker's side of the protocol, and nothing by itself. It answers a job with what the test says."""

    def __init__(self, house, plugin, functions, wid=None, session="s", node=None, role="worker", endpoint=None, **hello):
        self.endpoint = endpoint or house.back
        self.house, self.plugin, self.functions, self.role = house, plugin, list(functions), role
        self.wid = wid or f"{plugin}.w{house.serial}"
        self.session, self.node, self.extra = session, node, hello
        self.seq = self.limit = 0
        self.stored, self.stale = 0, []
        self.socket = None
        self.connect()

    def connect(self):
        self.close()
        self.socket = CONTEXT.socket(zmq.DEALER)
        self.socket.linger = 200
        self.before_connect()
        self.socket.connect(self.endpoint)

    def before_connect(self):
        """For keys, and monitors."""

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send(self, header, *payloads):
        self.socket.send_multipart([pack(header)] + [p if isinstance(p, bytes) else pack(p) for p in payloads])

    def recv(self, op=None, seconds=PATIENCE):
        """The next message, or the next with this op; `stored` is noted on the way."""
        end = time.monotonic() + seconds
        while True:
            assert self.socket.poll(max(0, (end - time.monotonic()) * 1000)), f"no {op or 'message'} within {seconds} s"
            frames = self.socket.recv_multipart()
            header, payloads = unpack(frames[0]), [unpack(f) for f in frames[1:]]
            if header["op"] == "stored":
                self.stored = header["seq"]
                self.stale += header.get("stale", [])
            self.stored = max(self.stored, header.get("stored", 0))
            if op is None or header["op"] == op:
                return header, payloads

    def nothing(self, op="jobs"):
        """True when no such message came, after the broker has surely dealt with all that was sent before: its answer
        to a beat comes behind."""
        self.send({"op": "beat"})
        while True:
            header, _ = self.recv()
            if header["op"] == "beat":
                return True
            if header["op"] == op:
                return False

    def hello(self, resume=None):
        if self.role == "node":
            self.send({"op": "hello", "role": "node", "wid": self.wid, "session": self.session, **self.extra})
        else:
            rows = [{"name": f, "flags": [], "max_batch": 8, "warm_us": 5.0} if isinstance(f, str) else f for f in self.functions]
            header = {"op": "hello", "role": "worker", "wid": self.wid, "session": self.session, "plugin": self.plugin,
                      "version": "1.2.3", "build": "b1", "generation": 1, "pid": os.getpid(), "host": "h", "functions": rows,
                      **self.extra}
            if self.node:
                header["node"] = self.node
            if resume is not None:
                header["resume"] = resume
            contracts = [{"name": r["name"], "plugin": self.plugin} for r in rows]
            self.send(header, *contracts, {"load_us": 7})
        self.seq = self.limit = 0
        self.welcome, _ = self.recv("welcome")
        return self.welcome

    def credit(self, more):
        self.limit += more
        self.send({"op": "credit", "limit": self.limit})
        return self

    def jobs(self):
        """The jobs of the next delivery, each with `fn` and its arguments."""
        header, payloads = self.recv("jobs")
        assert len(header["jobs"]) == len(payloads)
        return [Answer(j, p, {"fn": header["fn"]}) for j, p in zip(header["jobs"], payloads)]

    def job(self):
        jobs = self.jobs()
        assert len(jobs) == 1, jobs
        return jobs[0]

    def gather(self, n):
        """Exactly n jobs, however delivered."""
        found = []
        while len(found) < n:
            found += self.jobs()
        assert len(found) == n
        return found

    def done(self, jobs, result=None, status="ok", credit=True, **keys):
        """Ends the jobs, all alike; gives the credit back."""
        jobs = jobs if isinstance(jobs, list) else [jobs]
        self.seq += 1
        outcomes = [{"token": j["token"], "status": status, "decode_ns": 1600, "run_ns": 23850, "encode_ns": 2600,
                     "batch": len(jobs), **keys} for j in jobs]
        header = {"op": "done", "seq": self.seq, "jobs": outcomes}
        if credit:
            self.limit += len(jobs)
            header["credit"] = self.limit
        results = [(result if result is not None else {"y": 2.385}) if status == "ok" else None] * len(jobs)
        self.send(header, *results)

    def bye(self):
        self.send({"op": "bye"})
        until(lambda: not any(w["wid"] == self.wid for w in self.house.stats()["workers"]), "the worker to leave")
