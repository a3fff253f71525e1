# SPDX-License-Identifier: MPL-2.0
"""A real systemd for the tests, booted in a container by systemd-nspawn, with Kiln installed below /usr/local.

    why = container.why_not()              # a reason to skip, or None
    with Container(stage) as c:            # stage: what `make install DESTDIR=` made, with PREFIX=/usr/local
        c.systemctl("start", "kilnd")
        c.show("kilnd", "ActiveState")     # "active"
        c.journal("kilnd")                 # its records, as dicts
        c.producer()                       # of the broker inside

The container has the host's /usr, empty /etc and /var in memory, and no network. It lives in a PID and a mount namespace of its
own that end with the process that made them, whatever happens to that: no process and no mount is left, and the control
group that it ran in is removed."""
import ctypes
import glob
import json
import os
import shutil
import signal
import subprocess

from house import Producer, until

PATIENCE = 60  # seconds: a machine may be slow
PROGRAMS = ["systemd-nspawn", "nsenter", "unshare", "setpriv"]
GROUP_ROOTS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
PR_SET_PDEATHSIG = 1
ALLOWED = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"  # which nspawn forbids, and a machine does not


def group_root():
    """The folder of the unified control groups."""
    return next((r for r in GROUP_ROOTS if os.path.exists(f"{r}/cgroup.procs") and os.access(r, os.W_OK)), None)


def why_not():
    if os.geteuid() != 0:
        return "a container can be booted by root only"
    missing = [p for p in PROGRAMS if not shutil.which(p)]
    if missing:
        return f"{', '.join(missing)}: not installed"
    if not group_root():
        return "there is no writable tree of unified control groups"
    return None


def remove_group(path):
    """Deepest first. Those of another run that still lives are busy, and stay."""
    for at, folders, _ in os.walk(path, topdown=False):
        for folder in folders:
            try:
                os.rmdir(os.path.join(at, folder))
            except OSError:
                pass
    try:
        os.rmdir(path)
    except OSError:
        pass


class CannotBoot(Exception):
    """systemd-nspawn ended by itself: this machine does not let it, as one that is a container itself may not."""


class Container:
    def __init__(self, stage):
        self.name = f"kiln-test-{os.getpid()}"
        self.log_path = f"{stage}/container.log"
        self.stage, self.usr_local = stage, f"{stage}/usr/local"
        self.group = f"{group_root()}/{self.name}"
        self.init = 0

    # ---- life

    def __enter__(self):
        for path in glob.glob(f"{group_root()}/kiln-test-*"):
            remove_group(path)  # of a run that was killed
        os.makedirs(self.group, exist_ok=True)
        nspawn = ["systemd-nspawn", "--directory=/", "--volatile=yes", "--bind-ro=/etc/alternatives",
                  f"--bind={self.usr_local}:/usr/local", "--boot", "--register=no", "--keep-unit", "--private-network",
                  "--console=pipe", f"--machine={self.name}", f"--system-call-filter={ALLOWED}", "systemd.unit=basic.target", "systemd.mask=systemd-firstboot.service"]
        with open(self.log_path, "wb") as log:
            self.popen = subprocess.Popen(["unshare", "--fork", "--pid", "--mount-proc", "--kill-child", *nspawn],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                          preexec_fn=self.prepare, env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
        try:
            until(self.booted, "the container to boot", PATIENCE)
        except (AssertionError, CannotBoot) as e:
            log = self.log()
            self.end()
            raise type(e)(f"{e}\n{log}") from None
        return self

    def prepare(self):
        """Of the child: it dies with us, and what it starts is in a group of its own."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with open(f"{self.group}/cgroup.procs", "w", encoding="ascii") as f:
            f.write("0")

    def children(self, pid):
        found = []
        for path in glob.glob(f"/proc/{pid}/task/*/children"):
            try:
                with open(path, encoding="ascii") as f:
                    found += [int(p) for p in f.read().split()]
            except OSError:
                pass
        return found

    def booted(self):
        if self.popen.poll() is not None:
            raise CannotBoot(f"systemd-nspawn ended with {self.popen.returncode}")
        for nspawn in self.children(self.popen.pid):
            for self.init in self.children(nspawn):
                if self.run("systemctl", "is-system-running", check=None).stdout.strip() in ("running", "degraded"):
                    return True
        return False

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()[-4000:]

    def end(self):
        """An orderly end first, as a machine's; then what is left is killed with its namespace."""
        if self.popen.poll() is None and self.init:
            try:
                self.run("systemctl", "poweroff", check=None)
                self.popen.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                pass
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        until(lambda: not self.processes(), "the processes of the container to end", PATIENCE)
        until(lambda: remove_group(self.group) or not os.path.exists(self.group), "the control group to be removed", PATIENCE)

    def processes(self):
        found = []
        for path in glob.glob(f"{self.group}/**/cgroup.procs", recursive=True):
            try:
                with open(path, encoding="ascii") as f:
                    found += f.read().split()
            except OSError:
                pass
        return found

    def __exit__(self, *_):
        self.end()

    # ---- inside

    def run(self, *words, check=0, user=None, seconds=PATIENCE, text=True, **more):
        """A command in the container; check: the exit status it must have, None for any."""
        who = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        args = ["env", "-i", "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8", "nsenter", "-t", str(self.init),
                "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", *who, *words]
        p = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=text, timeout=seconds,
                           check=False, **more)
        assert check is None or p.returncode == check, f"{words} ended with {p.returncode}:\n{p.stdout}"
        return p

    def systemctl(self, *words, **keys):
        return self.run("systemctl", "--no-pager", *words, **keys)

    def show(self, unit, name):
        return self.systemctl("show", unit, f"--property={name}", "--value").stdout.strip()

    def pid(self, unit):
        """Of its main process, as the host numbers it."""
        inside = int(self.show(unit, "MainPID"))
        return inside and next((p for p in self.pids(unit) if self.inside_pid(p) == inside), 0)

    def pids(self, unit):
        """Of all its processes, as the host numbers them."""
        path = self.show(unit, "ControlGroup")
        for procs in glob.glob(f"{self.group}/**{path}/cgroup.procs", recursive=True) if path else []:
            with open(procs, encoding="ascii") as f:
                return [int(p) for p in f.read().split()]
        return []

    def inside_pid(self, pid):
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            return next(int(l.split()[-1]) for l in f if l.startswith("NSpid:"))

    def journal(self, unit=None, *words, **fields):
        """Records with these fields, oldest first."""
        args = ["journalctl", "--no-pager", "--output=json", "--all", *(["--unit", unit] if unit else []), *words,
                *(f"{k}={v}" for k, v in fields.items())]
        return [json.loads(line) for line in self.run(*args).stdout.splitlines() if line.startswith("{")]

    def file(self, path):
        """Where the host sees it."""
        return f"/proc/{self.init}/root{path}"

    def write(self, path, text):
        path = self.file(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def producer(self, path="/run/kiln/kiln.sock"):
        return Producer(f"ipc://{self.file(path)}")
