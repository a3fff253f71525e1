#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""One call over tcp with keys, from Python: pyzmq and msgpack, no Kiln library.

    kiln keygen producer alice          # once; alice.key goes into the folder producers of broker.keys
    examples/python_curve.py tcp://10.0.0.7:7610 alice.key_secret broker.key"""
import sys

import msgpack
import zmq
import zmq.auth

endpoint, mine, brokers = sys.argv[1:]
socket = zmq.Context().socket(zmq.DEALER)
socket.linger = 0
socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(mine)
socket.curve_serverkey, _ = zmq.auth.load_certificate(brokers)
socket.connect(endpoint)
socket.send_multipart([msgpack.packb({"op": "call", "fn": "echo.echo"}), msgpack.packb({"data": "from afar"})])
if not socket.poll(35000):  # a refused key is silence here: a socket monitor would tell (zmq.EVENT_HANDSHAKE_FAILED_AUTH)
    sys.exit("no answer: is the broker there, and does it know this key?")
header, result = map(msgpack.unpackb, socket.recv_multipart())
if header["status"] != "ok":
    sys.exit(f"{header['status']}: {header['error']}")
print(f"{result['data']!r} in {header['timing']['total_us']} us")
