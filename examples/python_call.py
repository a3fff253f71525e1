#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""One call from Python: pyzmq and msgpack, no Kiln library.

    examples/python_call.py ipc:///run/kiln/kiln.sock"""
import sys

import msgpack
import zmq

socket = zmq.Context().socket(zmq.DEALER)
socket.connect(sys.argv[1])
socket.send_multipart([msgpack.packb({"op": "call", "fn": "stats.describe"}),
                       msgpack.packb({"x": [103.1, 101.4, 104.9, 102.385, 107.7]})])
if not socket.poll(35000):  # a little longer than the job's own timeout, 30 s
    sys.exit("no answer: is the broker there?")
header, result = map(msgpack.unpackb, socket.recv_multipart())
if header["status"] != "ok":
    sys.exit(f"{header['status']}: {header['error']}")
print(f"mean {result['mean']:.6f} std {result['std']:.6f} in {header['timing']['total_us']} us")
