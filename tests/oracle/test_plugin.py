# SPDX-License-Identifier: MPL-2.0
"""The harness itself, and what holds for every plugin of the project."""
import os
import subprocess

import numpy as np
import pytest

from plugin import BUILD, ROOT, Crashed, Plugin

PLUGINS = ["echo", "indicators", "staking", "stats"]


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_proves_itself(name):
    with Plugin(name) as plugin:
        plugin.prove()
        for contract in plugin.contracts.values():
            assert contract["summary"] and contract["examples"] and (contract.get("help") or name == "echo")


def test_the_harness_tells_results_refusals_and_times():
    with Plugin("stats") as stats:
        assert stats("mean", x=[1, 2, 4.5])["mean"] == 2.5
        assert np.isnan(stats("mean", x=[1, float("nan")])["mean"])
        assert list(stats("cumsum", x=np.arange(3.0))["cumsum"]) == [0, 1, 3]
        refused = stats.refused("mean", x=[])
        assert (refused.status, refused.field) == ("invalid", "x")
        assert stats.refused("mean_", x=[1]).status == "unknown_function"
        assert stats.time("mean", 3, x=np.arange(1000.0)) > 0


def test_the_harness_tells_a_crash():
    crasher = Plugin(os.path.join(BUILD, "tests", "plugins", "crash.so"))
    with pytest.raises(Crashed):
        crasher("crash", how="abort")


def test_the_page_of_functions_is_what_the_contracts_say():
    done = subprocess.run([os.path.join(ROOT, "tools", "list-functions"), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
