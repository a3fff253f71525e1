# SPDX-License-Identifier: MPL-2.0
import pytest

from contracts import Function, functions
from plugin import Plugin


def pytest_generate_tests(metafunc):
    if "function" in metafunc.fixturenames:
        metafunc.parametrize("function", list(functions()), ids=".".join, indirect=True)


@pytest.fixture(scope="module")
def plugins():
    """Open plugins by name. One that crashed is taken out; the others must end without a complaint."""
    opened = {}
    yield opened
    for plugin in opened.values():
        plugin.close()


@pytest.fixture
def function(request, plugins):
    plugin, name = request.param
    if plugin not in plugins:
        plugins[plugin] = Plugin(plugin)
    try:
        yield Function(plugins[plugin], name)
    finally:
        if plugins[plugin].dead:
            del plugins[plugin]
