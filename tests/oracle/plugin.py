# SPDX-License-Identifier: MPL-2.0
"""One plugin, loaded by the worker's own engine in a process of its own (drive.c); no broker.

    with Plugin("stats") as stats:
        stats("mean", x=[1, 2, 4])["mean"]       a list, NumPy array or number for each argument; arrays come back as NumPy's
        stats.refused("mean", x=[])              -> Refused with .status, .field, .text; fails the test when it is accepted
        stats.time("mean", 100, x=a)             -> least run time in nanoseconds of 100 runs, without decoding and encoding
        stats.contracts                          -> {name: contract}, as docs/PROTOCOL.md section 6 shapes it
        stats.prove()                            all goldens, as before READY

NaN and infinities go both ways unharmed. A crash, a sanitizer's report included, is an error with what it printed."""
import fcntl
import os
import re
import struct
import subprocess
import sys
import tempfile

import msgpack
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODE = os.environ.get("KILN_MODE", "release")
BUILD = os.environ.get("KILN_BUILD", os.path.join(ROOT, "build", MODE))

with open(os.path.join(ROOT, "include", "kiln", "status.h"), encoding="utf-8") as f:
    STATUS = {int(n): word for n, word in re.findall(r'X\(\w+, (\d+), "(\w+)"', f.read())}


class Refused(Exception):
    """The plugin or its contract said no."""

    def __init__(self, status, field, text):
        super().__init__(f"{status} {field}: {text}")
        self.status, self.field, self.text = status, field, text


class Crashed(Exception):
    pass


def pack(value):
    if isinstance(value, np.ndarray):
        value = np.ascontiguousarray(value)
        return {"nd": True, "type": value.dtype.str, "shape": list(value.shape), "data": value.tobytes()}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot send a {type(value)}")


def unpack(value):
    if value.get("nd") is True and "data" in value:
        return np.frombuffer(value["data"], value["type"]).reshape(value["shape"])
    return value


class Plugin:
    def __init__(self, name, options=None, job_bytes=None):
        path = name if "/" in name else os.path.join(BUILD, "plugins", f"{name}.so")
        args, self._options = [os.path.join(BUILD, "tests", "drive"), path], None
        if options:
            self._options = tempfile.NamedTemporaryFile(suffix=".options")
            self._options.write(msgpack.packb(options))
            self._options.flush()
        args.append(self._options.name if options else "-")
        args += [str(job_bytes)] if job_bytes else []
        self.name, self._contracts, self._stderr = name, None, tempfile.TemporaryFile()
        self._process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr,
                                         env=self._environment())
        for pipe in (self._process.stdin, self._process.stdout):
            fcntl.fcntl(pipe, 1031, 1 << 20)  # F_SETPIPE_SZ

    @staticmethod
    def _environment():
        sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
        from house import environment
        return environment()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    @property
    def dead(self):
        return self._process is None or self._process.poll() is not None

    def kill(self):
        """Ends it; whoever waits for an answer finds it crashed."""
        self._process.kill()

    def close(self):
        if self._process:
            process, self._process = self._process, None
            process.stdin.close()
            status = process.wait(60)
            if status:
                raise Crashed(f"ended with {status}\n{self._said()}")

    def _said(self):
        self._stderr.seek(0)
        return self._stderr.read().decode("utf-8", "replace")[-6000:]

    def _read(self, size):
        data = self._process.stdout.read(size)
        if len(data) < size:
            process, self._process = self._process, None
            raise Crashed(f"ended with {process.wait(60)}\n{self._said()}")
        return data

    def raw(self, function, payload, repeat=1, keep_result=False):
        """Status, field, error, result bytes and times of a payload that is already msgpack. The payload may be a list of pieces.
        keep_result: it stays where it is, and none comes back."""
        name, pieces = function.encode(), payload if isinstance(payload, list) else [payload]
        head = struct.pack("=3I", len(name), sum(map(len, pieces)), repeat | keep_result << 31)
        try:
            for piece in [head + name, *pieces]:
                self._process.stdin.write(piece)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        status, field, error, result, *times = struct.unpack("=4I3q", self._read(40))
        field, error = self._read(field).decode(), self._read(error).decode()
        return STATUS[status], field, error, self._read(result), times

    def _call(self, function, args, repeat):
        args.setdefault("form", "nd")
        status, field, error, result, times = self.raw(function, msgpack.packb(args, default=pack), repeat)
        if status != "ok":
            raise Refused(status, field, error)
        return msgpack.unpackb(result, object_hook=unpack, strict_map_key=False), times

    def __call__(self, function, **args):
        return self._call(function, args, 1)[0]

    def refused(self, function, **args):
        try:
            result = self(function, **args)
        except Refused as e:
            return e
        raise AssertionError(f"{function} accepted {args} and gave {result}")

    def time(self, function, repeat, **args):
        return self._call(function, args, repeat)[1][1]

    def prove(self):
        status, _, error, _, _ = self.raw("!prove", b"\x80")
        assert status == "ok", error

    @property
    def contracts(self):
        if self._contracts is None:
            found = msgpack.unpackb(self.raw("", b"\x80")[3])
            self._contracts = {c["name"].split(".")[-1]: c for c in found}
        return self._contracts
