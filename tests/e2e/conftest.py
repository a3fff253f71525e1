# SPDX-License-Identifier: MPL-2.0
import os

import pytest

from house import BUILD, House

PLUGINS = ["echo", "stats", "staking", "indicators"]


@pytest.fixture(scope="module")
def broker():
    """A broker alone; tests play its workers, each a plugin of its own."""
    with House() as house:
        yield house


@pytest.fixture(scope="module")
def house():
    """Broker and daemon with every plugin of the project. For tests that do it no harm."""
    with House() as house:
        house.start_daemon([{"name": p, "workers": 2 if p == "echo" else 1} for p in PLUGINS])
        yield house


@pytest.fixture
def producer(request):
    """A producer of the whole house where the test or its module uses one, else of the broker alone."""
    name = "house" if "house" in request.fixturenames else "broker"
    p = request.getfixturevalue(name).producer()
    yield p
    p.close()


@pytest.fixture
def bad():
    """Path of a misbehaving plugin of tests/plugins."""

    def path(name):
        found = os.path.join(BUILD, "tests", "plugins", f"{name}.so")
        assert os.path.exists(found), f"{found} is not built"
        return found

    return path
