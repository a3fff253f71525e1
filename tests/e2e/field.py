# SPDX-License-Identifier: MPL-2.0
"""Several nodes for one broker: a house, and where its nodes stand. Fixtures: `far`, each node in a network namespace of its own
over tcp; `field`, that and all on one machine over ipc, in turns."""
import pytest

from house import SLOW, House, over_tcp
from network import Network

BEAT_MS, LEASE_MS = 50 * SLOW, 400 * SLOW
SLEEP = {"fn": "echo.sleep", "args": {"ms": 4}}


class Field:
    """A house, and where its nodes stand: all on one machine, or each in a namespace of its own."""

    def __init__(self, house, net=None):
        self.house, self.net, self.hosts, self.daemons = house, net, {}, {}
        house.broker_conf.update(beat_ms=BEAT_MS, lease_ms=LEASE_MS, settle_ms=5000)
        if net:
            at = self.hosts["broker"] = net.host("broker")
            self.endpoint = f"tcp://{at.address}:7720"
            self.public = f"tcp://{at.address}:7710"
            house.broker_conf.update(frontend=[house.front, self.public], backend=self.endpoint, **over_tcp(self.endpoint, self.public))
        self.start_broker()

    def start_broker(self):
        return self.house.start_broker(within=self.hosts["broker"].within if self.net else ())

    def node(self, name, workers=1, **keys):
        if self.net:
            self.hosts[name] = self.net.host(name)
            keys.update(within=self.hosts[name].within, broker=self.endpoint)
        self.daemons[name] = self.house.start_daemon([{"name": "echo", "workers": workers}], name, **keys)
        return self.daemons[name]

    def stats_of(self, name):
        return [w for w in self.house.stats()["workers"] if w["node"] == name]


@pytest.fixture
def far():
    with Network() as net, House(start=False) as house:
        yield Field(house, net)


@pytest.fixture(params=["ipc", "tcp"])
def field(request):
    if request.param == "tcp":
        yield request.getfixturevalue("far")
    else:
        with House(start=False) as house:
            yield Field(house)
