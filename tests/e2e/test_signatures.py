# SPDX-License-Identifier: MPL-2.0
"""Plugins that must be signed, with the tool that people have: minisign."""
import os
import shutil
import signal
import subprocess

import pytest

from house import BUILD, House, until


def minisign(*args):
    subprocess.run(["minisign", *args], check=True, capture_output=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def signer(tmp_path):
    """Signs with one of two pairs of keys. Returns where they lie, and the public ones."""
    public = []
    for name in ("ours", "theirs"):
        minisign("-G", "-W", "-p", str(tmp_path / f"{name}.pub"), "-s", str(tmp_path / name))
        public.append((tmp_path / f"{name}.pub").read_text().split("\n")[1])
    return (lambda path, name="ours": minisign("-S", "-s", str(tmp_path / name), "-m", path)), public


def refusal(house, d, plugin="echo"):
    d.popen.send_signal(signal.SIGHUP)
    return until(lambda: house.plugins()[plugin].get("why"), "the refusal to be told")


def test_only_what_is_signed_is_loaded(signer):
    sign, (ours, _) = signer
    with House() as house:
        path = shutil.copy(f"{BUILD}/plugins/echo.so", house.folder)
        stats = shutil.copy(f"{BUILD}/plugins/stats.so", house.folder)
        sign(path)
        house.start_daemon([{"name": "echo", "file": path}, {"name": "stats", "file": stats, "required": False}], trusted_keys=[ours])
        house.producer().call("echo.echo", {"data": "x"}).expect("ok")
        why = until(lambda: house.plugins()["stats"].get("why"), "the unsigned one to be refused")
        assert "stats.so.minisig" in why and "trusted_keys" in why and house.plugins()["stats"]["state"] == "failed"


@pytest.mark.parametrize("how, words", [
    ("missing", "No such file"), ("truncated", "cut short"), ("another's", "was made with key"), ("of another file", "does not fit"),
    ("empty", "cut short"), ("a folder", "Is a directory"),
])
def test_a_new_file_with_a_wrong_signature_changes_nothing(signer, how, words):
    """The old generation goes on serving and says why; with the right signature the new one takes over."""
    sign, (ours, theirs) = signer
    with House() as house:
        path = os.path.join(house.folder, "swap.so")
        bad = os.path.join(BUILD, "tests", "plugins")
        shutil.copy(f"{bad}/swap_1.so", path)
        sign(path)
        d = house.start_daemon([{"name": "swap", "file": path}], trusted_keys=[ours])
        before = house.plugins()["swap"]["build"]
        shutil.copy(f"{bad}/swap_2.so", path)
        with open(path + ".minisig", encoding="ascii") as f:
            text = f.read()
        os.unlink(path + ".minisig")
        if how == "another's":
            sign(path, "theirs")
        elif how == "a folder":
            os.mkdir(path + ".minisig")
        elif how != "missing":
            with open(path + ".minisig", "w", encoding="ascii") as f:
                f.write({"truncated": text[:150], "of another file": text, "empty": ""}[how])
        why = refusal(house, d, "swap")
        assert words in why and "swap.so.minisig" in why, why
        row = house.plugins()["swap"]
        assert row["build"] == before and row["state"] == "ready" and row["workers"] == 1
        if how == "a folder":
            os.rmdir(path + ".minisig")
        sign(path)
        d.popen.send_signal(signal.SIGHUP)
        until(lambda: house.plugins()["swap"]["build"] != before and not house.plugins()["swap"].get("why"), "the new one to serve")


def test_a_key_that_is_none(tmp_path):
    path = tmp_path / "kiln.conf"
    path.write_text('daemon = { run_dir = "/tmp/r"; trusted_keys = ["RWnonsense"]; plugins = ( { name = "echo"; } ); };')
    p = subprocess.run([f"{BUILD}/kilnd", "-c", str(path), "--test-config"], capture_output=True, text=True, check=False)
    assert p.returncode == 3 and "trusted_keys" in p.stderr and "RWnonsense" in p.stderr and ":1:" in p.stderr
