#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""A worker without Kiln's daemon: serves pyworker.add from Python. docs/PROTOCOL.md, section 3.

    python_worker.py [BACKEND]      such as ipc:///tmp/kiln-demo-work.sock"""
import os
import sys
import time

import msgpack
import zmq

contract = {"name": "add", "plugin": "pyworker", "version": "1.0.0", "summary": "Adds two numbers", "flags": [], "examples": [],
            "params": [{"name": n, "kind": "float", "required": True} for n in "ab"], "results": [{"name": "sum", "kind": "float"}]}
hello = {"op": "hello", "role": "worker", "wid": f"py.{os.getpid()}", "session": str(time.time_ns()), "pid": os.getpid(),
         "plugin": "pyworker", "version": "1.0.0", "functions": [{"name": "add", "warm_us": 50}]}
socket = zmq.Context().socket(zmq.DEALER)
socket.connect(sys.argv[1] if len(sys.argv) > 1 else "ipc:///tmp/kiln-demo-work.sock")


def send(header, *payloads):
    socket.send_multipart([msgpack.packb(header)] + [msgpack.packb(p) for p in payloads])


def run(args):
    try:
        return {"status": "ok"}, {"sum": float(args["a"]) + float(args["b"])}
    except (KeyError, TypeError, ValueError) as e:
        return {"status": "invalid", "error": f"expected the numbers a and b: {e!r}"}, None


delivered = seq = 0
send(hello, contract)
while True:
    if not socket.poll(1000):
        send({"op": "beat"})  # its answer is `beat`, or `who` when the broker has forgotten us
        continue
    frames = [msgpack.unpackb(f) for f in socket.recv_multipart()]
    op = frames[0]["op"]
    if op == "who":
        delivered = 0
        send(hello, contract)
    elif op == "welcome":
        send({"op": "credit", "limit": 16})  # sixteen free slots
    elif op == "jobs":
        done = [run(args) for args in frames[1:]]
        delivered, seq = delivered + len(done), seq + 1
        outcomes = [{"token": job["token"], **said} for job, (said, _) in zip(frames[0]["jobs"], done)]
        send({"op": "done", "seq": seq, "credit": delivered + 16, "jobs": outcomes}, *[result for _, result in done])
