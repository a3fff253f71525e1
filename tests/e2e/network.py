# SPDX-License-Identifier: MPL-2.0
"""A network of its own: namespaces joined by a bridge, whose cables can be pulled.

    with Network() as net:
        near, far = net.host("near"), net.host("far")
        run([*near.within, "program"])          # far.address is where near reaches far
        far.pull()                              # nothing more arrives there or comes from there; nobody is told
        far.plug()

Everything is in namespaces that are named after this process and deleted at the end, with all that is in them."""
import os
import shutil
import subprocess

import pytest


def ip(*words):
    ran = subprocess.run(["ip", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ran.returncode == 0, f"ip {' '.join(words)}: {ran.stdout}"


def why_not():
    """Why there can be no network here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "network namespaces need ip (iproute2)"
    name = f"kilntry{os.getpid()}"
    ran = subprocess.run(["ip", "netns", "add", name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ran.returncode == 0:
        subprocess.run(["ip", "netns", "del", name], check=False)
        return None
    return f"no network namespace can be made here: {ran.stdout.strip()}"


class Host:
    def __init__(self, net, name, number):
        self.net, self.space, self.cable = net, f"{net.name}-{name}", f"c{number}"
        self.address = f"10.77.0.{number}"
        self.within = ["ip", "netns", "exec", self.space]

    def pull(self):
        ip("-n", self.net.hub, "link", "set", self.cable, "down")

    def plug(self):
        ip("-n", self.net.hub, "link", "set", self.cable, "up")


class Network:
    serial = 0

    def __init__(self):
        reason = why_not()
        if reason:
            pytest.skip(reason)
        Network.serial += 1
        self.name, self.hosts, self.spaces = f"kiln{os.getpid()}n{Network.serial}", [], []
        self.hub = f"{self.name}-hub"

    def space(self, name):
        ip("netns", "add", name)
        self.spaces.append(name)
        ip("-n", name, "link", "set", "lo", "up")

    def __enter__(self):
        try:
            self.space(self.hub)
            ip("-n", self.hub, "link", "add", "name", "bridge0", "type", "bridge")
            ip("-n", self.hub, "link", "set", "bridge0", "up")
        except BaseException:
            self.close()
            raise
        return self

    def host(self, name):
        h = Host(self, name, len(self.hosts) + 1)
        self.space(h.space)
        self.hosts.append(h)
        ip("-n", self.hub, "link", "add", "name", h.cable, "type", "veth", "peer", "name", "eth0", "netns", h.space)
        ip("-n", self.hub, "link", "set", h.cable, "master", "bridge0")
        ip("-n", self.hub, "link", "set", h.cable, "up")
        ip("-n", h.space, "address", "add", f"{h.address}/24", "dev", "eth0")
        ip("-n", h.space, "link", "set", "eth0", "up")
        return h

    def close(self):
        for name in self.spaces:
            subprocess.run(["ip", "netns", "del", name], check=False)

    def __exit__(self, *_):
        self.close()
