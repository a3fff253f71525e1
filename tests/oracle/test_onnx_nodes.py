# SPDX-License-Identifier: MPL-2.0
"""ONNX's own tests of single operators: every folder whose operators are in scope passes, but for those explained here."""
import pytest

import onnx_nodes

# Why a folder in scope cannot pass.
EXPECTED = {
    "test_training_dropout": "expects the numbers that NumPy's generator gives for a seed",
    "test_training_dropout_default": "as above",
    "test_training_dropout_default_mask": "as above",
    "test_training_dropout_mask": "as above",
}
CASES = [c for c in onnx_nodes.cases() if c.in_scope]


@pytest.fixture(scope="module")
def results():
    return onnx_nodes.run(CASES)


def test_there_are_as_many_as_there_should_be():
    assert len(CASES) >= 715
    assert set(EXPECTED) <= {c.name for c in CASES}


@pytest.mark.parametrize("name", [c.name for c in CASES if c.name not in EXPECTED])
def test_node(results, name):
    assert results[name] == "ok"


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_cannot_pass_is_refused_and_not_wrong(results, name):
    assert results[name].startswith("refused"), f"{name} is expected to fail: {EXPECTED[name]}; it said {results[name]}"


def test_the_program_ended_well(results):
    assert "the program" not in results, results["the program"]
