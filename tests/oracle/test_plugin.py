# SPDX-License-Identifier: MPL-2.0
"""The harness itself, and what holds for every plugin of the project."""
import os
import re
import subprocess

import msgpack
import numpy as np
import pytest

from contracts import PLUGINS, jobs_of
from plugin import BUILD, ROOT, Crashed, Plugin, pack


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


@pytest.mark.parametrize("name", PLUGINS)
def test_contracts_are_complete(name):
    """What describe shows: every row explained, an example with a result."""
    with Plugin(name) as plugin:
        for function, c in plugin.contracts.items():
            for row in c["params"] + c["results"]:
                assert row.get("help") or name == "echo", f"{function}: {row['name']} has no help"
                assert not re.search(r"[^.]\.$", row.get("help", "")), f"{function}: {row['name']}"
            kinds = {e.get("status", "ok") for e in c["examples"] if e.get("result")}
            assert "ok" in kinds, f"{function} has no example with a result"


@pytest.mark.parametrize("name", PLUGINS)
def test_memory_that_is_not_there(name):
    """Every allocation fails in turn, as the memory of a job shrinks: the same answer, or `resource` - never another one."""
    with Plugin(name) as plugin:
        jobs = [(f, msgpack.packb({**args, "form": "nd"}, default=pack)) for f, c in plugin.contracts.items() if "pure" in c["flags"]
                for args in jobs_of(c)[:5]]
        right = [plugin.raw(f, payload)[:4] for f, payload in jobs]
    refused = 0
    for job_bytes in [int(256 * 1.3**k) for k in range(36)]:
        with Plugin(name, job_bytes=job_bytes) as plugin:
            for (f, payload), answer in zip(jobs, right):
                got = plugin.raw(f, payload)[:4]
                refused += got[0] == "resource"
                assert got == answer or (got[0] == "resource" and got[2]), f"{f} with {job_bytes} bytes: {got[:3]}, else {answer[:3]}"
    assert refused > len(jobs)


@pytest.mark.parametrize("simd", ["plain", "baseline", "avx2", "avx512"])
def test_every_set_of_kernels_proves_itself(simd):
    try:
        stats = Plugin("stats", {"simd": simd})
        stats.prove()
    except Crashed as e:
        assert "simd" in str(e) and "does not have" in str(e), e  # this processor has less
        pytest.skip(f"this processor has no {simd}")
    stats.close()
