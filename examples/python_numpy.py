#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""One call from Python with NumPy arrays, packed as the msgpack-numpy package does, here by hand.

    examples/python_numpy.py ipc:///run/kiln/kiln.sock"""
import sys

import msgpack
import numpy
import zmq


def pack(a):
    return {"nd": True, "type": a.dtype.str, "kind": "", "shape": a.shape, "data": a.tobytes()}


def unpack(m):
    return numpy.frombuffer(m["data"], m["type"]).reshape(m["shape"]) if m.get("nd") else m


socket = zmq.Context().socket(zmq.DEALER)
socket.connect(sys.argv[1])
x = numpy.array([103.1, 101.4, 104.9, 102.385, 107.7])
socket.send_multipart([msgpack.packb({"op": "call", "fn": "stats.zscore"}), msgpack.packb({"x": x}, default=pack)])
header, result = [msgpack.unpackb(f, object_hook=unpack) for f in socket.recv_multipart()]
print(header["status"], numpy.round(result["zscore"], 6))
