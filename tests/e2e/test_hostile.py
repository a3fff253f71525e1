# SPDX-License-Identifier: MPL-2.0
"""Strangers at the tcp door: garbage, silence, crowds. Whoever has a key does not notice."""
import os
import re
import select
import socket

import pytest

from house import PATIENCE, until
from keys import KeyedHouse

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"CURVE".ljust(20, b"\0") + b"\0" + bytes(31)
CROWD = 300


@pytest.fixture(scope="module")
def door():
    with KeyedHouse({"handshake_ms": 400, "max_bytes": 65536}, start=False) as house:
        house.alice, house.node = house.keys("producer", "alice"), house.keys("worker", "node1")
        house.start_broker()
        house.worker1 = house.keyed_worker(house.node, "p")
        house.worker1.hello()
        house.worker1.credit(1)
        yield house


@pytest.fixture(autouse=True)
def served(door):
    """Before and after each test, and on the same connections, a job goes through."""
    p = door.keyed_producer(door.alice)

    def serve():
        p.send({"op": "call", "fn": "p.f"}, {"x": 2.385})
        door.worker1.done(door.worker1.job())
        assert p.recv()[0]["status"] == "ok"
    serve()
    yield serve
    serve()
    p.close()


def stranger(door, front=True):
    s = socket.create_connection(("127.0.0.1", int((door.tcp_front if front else door.tcp_back).rsplit(":", 1)[1])), PATIENCE)
    s.setblocking(False)
    return s


def closed(s):
    """Whether the broker has hung up; what it said before is passed over."""
    try:
        while True:
            if not s.recv(4096):
                return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def send(s, data):
    try:
        return s.send(data)
    except (BlockingIOError, ConnectionError):
        return 0


@pytest.mark.parametrize("front", [True, False])
@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(1000), b"\xff" * 1000, bytes(range(256)) * 40, b"\x16\x03\x01\x02\x00\x01",
    GREETING[:10] + b"\x7f\x01\x00" + bytes(51), GREETING + b"\x04\x05HELLO", GREETING + b"\x04\xc8\x05HELLO" + bytes(194),
    GREETING + b"\x00\x05hello", GREETING + b"\x06" + (1 << 62).to_bytes(8, "big"), GREETING + b"\x06" + b"\xff" * 8,
    GREETING.replace(b"CURVE", b"PLAIN"), GREETING.replace(b"CURVE", b"\0\0\0\0\0"), GREETING + os.urandom(2000),
], ids=range(14))
def test_garbage(door, served, front, data):
    before = door.counters()
    s = stranger(door, front)
    s.sendall(data)
    served()
    until(lambda: closed(s), "the broker to hang up")
    s.close()
    until(lambda: door.counters()["connections"] > before["connections"], "it to be counted")
    now = door.counters()
    assert now["connections"] == before["connections"] + 1 and now["handshakes_passed"] == before["handshakes_passed"]


def test_a_crowd_that_says_nothing(door, served):
    before = door.counters()["handshakes_failed"]
    crowd = [stranger(door) for _ in range(CROWD)]
    for s in crowd[::2]:
        send(s, GREETING[:20])
    served()
    until(lambda: all(closed(s) for s in crowd), "the broker to hang up on all")
    for s in crowd:
        s.close()
    until(lambda: door.counters()["handshakes_failed"] >= before + CROWD, "all to be counted")
    descriptors = lambda: len(os.listdir(f"/proc/{door.broker.pid}/fd"))
    until(lambda: descriptors() < 60, "descriptors to return")


def test_a_byte_at_a_time(door, served):
    """Slow is not a way round the limit: it is for the handshake as a whole."""
    crowd = [stranger(door) for _ in range(20)]
    at = 0

    def drip():
        nonlocal at
        for s in crowd:
            send(s, GREETING[at:at + 1] if at < len(GREETING) else b"\x04")
        at += 1
        select.select([], [], [], 0.01)  # the pace of the drip, not a wait for something
        return all(closed(s) for s in crowd)
    until(drip, "the broker to hang up on all")
    for s in crowd:
        s.close()
    served()


def test_the_log_stays_bounded(door):
    """Hundreds of refusals make tens of lines, and say how many they left out."""
    lines = lambda: len(re.findall(r"event=handshake_failed ", door.broker.text()))
    until(lambda: re.search(r"event=handshakes_failed more=\d+", door.broker.text()) or stranger(door).close(), "what was left out")
    counted = door.counters()["handshakes_failed"]
    assert counted > CROWD and lines() < counted / 2


def test_comes_and_goes(door, served):
    """A thousand connections that leave at once, as a port scanner or a load balancer's probe."""
    before = door.counters()["connections"]
    for _ in range(1000):
        stranger(door).close()
    served()
    until(lambda: door.counters()["connections"] >= before + 900, "them to be counted")


def test_a_message_too_large(door, served):
    """With a key one may come in, and still not fill the memory: that connection ends, and may come again."""
    p = door.keyed_producer(door.alice)
    assert p.ask({"op": "ping"})[0]["op"] == "pong"
    before = door.counters()
    p.send_raw(bytes(4 << 20), bytes(4 << 20))
    until(lambda: door.counters()["connections"] > before["connections"], "the socket to connect anew")
    assert p.ask({"op": "ping"})[0]["op"] == "pong"
    served()
