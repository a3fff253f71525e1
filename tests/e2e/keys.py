# SPDX-License-Identifier: MPL-2.0
"""A house whose broker listens on tcp with CURVE, and peers with keys."""
import os
import shutil
import socket
import subprocess

import zmq
import zmq.auth

from house import BUILD, House, Producer, Worker, environment, until


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def keygen(role, stem, status=0):
    p = subprocess.run([os.path.join(BUILD, "kiln"), "keygen", role, stem], capture_output=True, text=True, check=False, timeout=60,
                       env=environment())
    assert p.returncode == status, p.stdout + p.stderr
    return p


class Keys:
    """Of one peer: a pair of files, and the broker's public file."""

    def __init__(self, secret, server):
        self.secret, self.server = secret, server
        self.public_key, self.secret_key = (k.decode() for k in zmq.auth.load_certificate(secret))
        self.server_key = zmq.auth.load_certificate(server)[0].decode()

    def use(self, sock):
        sock.curve_serverkey, sock.curve_publickey, sock.curve_secretkey = (
            k.encode() for k in (self.server_key, self.public_key, self.secret_key))


class KeyedProducer(Producer):
    def __init__(self, endpoint, keys, identity=None, **options):
        self.keys, self.identity = keys, identity
        super().__init__(endpoint, **options)

    def before_connect(self):
        self.keys.use(self.socket)
        if self.identity:
            self.socket.routing_id = self.identity


class KeyedWorker(Worker):
    def __init__(self, house, keys, *args, **more):
        self.keys = keys
        super().__init__(house, *args, **more)

    def before_connect(self):
        self.keys.use(self.socket)


class KeyedHouse(House):
    """Producers also come by ipc, at self.local, so that a test can look on; all else by tcp."""

    def __init__(self, broker=None, start=True):
        super().__init__(broker, start=False)
        self.tcp_front, self.tcp_back = (f"tcp://127.0.0.1:{free_port()}" for _ in range(2))
        for role in ("producers", "workers", "admins"):
            os.makedirs(f"{self.folder}/keys/{role}")
        keygen("broker", f"{self.folder}/broker")
        self.broker_conf.update({"frontend": [self.front, self.tcp_front], "backend": [self.back, self.tcp_back],
                                 "key": "broker.key_secret", "keys": "keys", **(broker or {})})
        if start:
            self.start_broker()

    def keys(self, role, name, trust=True):
        """A new pair; in the broker's list from its next start or reload on."""
        keygen(role, f"{self.folder}/{name}")
        if trust:
            self.trust(role, name)
        return Keys(f"{self.folder}/{name}.key_secret", f"{self.folder}/broker.key")

    def trust(self, role, name):
        shutil.copy(f"{self.folder}/{name}.key", f"{self.folder}/keys/{role}s/{name}.key")

    def revoke(self, role, name):
        os.unlink(f"{self.folder}/keys/{role}s/{name}.key")

    def reload(self, says="event=keys_reloaded"):
        before = self.broker.text().count(says)
        self.broker.popen.send_signal(1)
        until(lambda: self.broker.text().count(says) > before, says)

    def keyed_producer(self, keys, endpoint=None, **options):
        p = KeyedProducer(endpoint or self.tcp_front, keys, **options)
        self.peers.append(p)
        return p

    def keyed_worker(self, keys, plugin, functions=("f",), **more):
        self.serial += 1
        w = KeyedWorker(self, keys, plugin, functions, endpoint=self.tcp_back, **more)
        self.peers.append(w)
        return w


def handshake_events(sock):
    """A monitor for what becomes of a socket's handshakes: call it before connect; the function returned waits for the next one."""
    from zmq.utils.monitor import recv_monitor_message
    monitor = sock.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                      zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_SUCCEEDED)

    def following(seconds):
        assert monitor.poll(seconds * 1000), "no handshake ended"
        message = recv_monitor_message(monitor)
        return message["event"], message["value"]
    return following
