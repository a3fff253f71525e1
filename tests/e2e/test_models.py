# SPDX-License-Identifier: MPL-2.0
"""kiln models: what is served, in which state and why, as a table and as JSON; and what it says where nothing is."""
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from house import BUILD, PATIENCE, ROOT, House, environment

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
from onnx_models import linear, mlp, put  # noqa: E402

W, B = np.array([[0.5, -1.25], [2.0, 0.75], [-1.5, 3.0]], np.float32), np.array([0.125, -0.25], np.float32)


def kiln(house, *args, fails=0, says=""):
    p = subprocess.run([os.path.join(BUILD, "kiln"), *args], capture_output=True, text=True, check=False, timeout=PATIENCE + 10,
                       env={**environment(), "KILN_BROKER": house.front})
    assert p.returncode == fails and says in p.stderr, f"{args} ended with {p.returncode}:\n{p.stdout}{p.stderr}"
    return p.stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One good model in two versions, the newest of which fails its example; one that is wide enough for bytes; one not pinned."""
    folder = tmp_path_factory.mktemp("house") / "models"
    folder.mkdir()
    put(folder, "linear", linear(W, B), 1, {"inputs": {"x": [[1, 2, 3]]}, "outputs": {"y": [[0.125, 9]]}})
    put(folder, "linear", linear(W, B), 2, {"inputs": {"x": [[1, 2, 3]]}, "outputs": {"y": [[0.125, 8]]}})
    put(folder, "wide", mlp([128, 256, 256, 10])[0])
    put(folder, "late", linear(W, B))
    with House() as house:
        house.start_daemon([{"name": "inference",
                             "options": {"folder": str(folder), "pinned": "linear,wide", "max_batch": 8, "quantize": "auto"}}])
        yield house


def rows(text):
    return {line.split()[0]: line for line in text.split("\n\n")[0].splitlines()[1:]}


def test_table(served):
    producer = served.producer()
    for _ in range(3):
        producer.call("inference.predict", {"model": "linear", "inputs": [[1, 2, 3]]}).expect("ok")
    text = kiln(served, "models")
    found = rows(text)
    assert {"linear:1", "linear:2", "wide:1", "late:1"} < set(found), text
    assert " ready " in found["linear:1"] and "*" in found["linear:1"] and " 3 " in found["linear:1"]
    assert " failed " in found["linear:2"] and "expected 8" in found["linear:2"] and "*" not in found["linear:2"]
    assert "cold, not pinned" in found["late:1"]
    warm = [line for line in text.splitlines() if line.startswith("  linear:1")]
    assert len(warm) == 1 and [part.split(":")[0] for part in warm[0].split(None, 1)[1].split(", ")] == ["1", "2", "4", "8"]
    assert "int8 us" in text and any(line.startswith("  wide:1") and (" yes " in line or " no " in line) for line in text.splitlines())
    assert "of 512 MiB used" in text and "failures 1" in text and "inference/" in text


def test_one_model_and_json(served):
    text = kiln(served, "models", "late")
    assert set(rows(text)) == {"late:1"}
    found = json.loads(kiln(served, "models", "wide", "--json"))
    (wide,) = found["models"]
    assert wide["name"] == "wide" and wide["state"] == "ready" and wide["bytes"] > 4 * 128 * 256 and wide["ops"] >= 1
    assert [w["rows"] for w in wide["warm"]] == [1, 2, 4, 8] and wide["int8"]["layers"] >= 1 and wide["int8"]["float_us"] > 0
    assert found["cache"]["limit_bytes"] == 512 << 20


@pytest.mark.parametrize("args, status, says", [
    (["models", "nothing"], 3, "model is nothing, which is not served here"),
    (["models", ""], 3, "kiln describe inference.models"),
    (["models", "a", "b"], 2, '"b" is one word too many'),
])
def test_refusals(served, args, status, says):
    assert kiln(served, *args, fails=status, says=says) == ""


def test_without_the_plugin():
    with House() as house:
        for args in (["models"], ["models", "x", "--json"]):
            assert kiln(house, *args, fails=4, says="no worker serves models: the plugin inference is not there") == ""
        house.start_daemon(["echo"])
        assert kiln(house, "models", fails=4, says="name = \"inference\"") == ""
    with House() as house:
        house.start_daemon(["inference"])  # without a folder: the one that is built in
        assert set(rows(kiln(house, "models"))) == {"builtin-linear:1"}


def test_a_folder_relative_to_the_configuration(tmp_path):
    """A text among options that begins with ./ starts from the configuration file's folder, as data does."""
    with House() as house:
        models = os.path.join(os.path.dirname(house.daemon_conf(["echo"])), "models")
        os.mkdir(models)
        put(models, "linear", linear(W, B))
        house.start_daemon([{"name": "inference", "data": ["models"], "options": {"folder": "./models"}}])
        assert "linear:1" in rows(kiln(house, "models"))
