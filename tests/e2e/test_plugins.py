# SPDX-License-Identifier: MPL-2.0
"""Plugins that never get to serve: each is FAILED, says why, and disturbs nobody. And `kiln check` on the same files."""
import json
import os
import re
import shutil
import subprocess

import pytest

from house import BUILD, PATIENCE, ROOT, House, environment, until

BAD = os.path.join(BUILD, "tests", "plugins")

# name -> what the reason must say
FAILING = {
    "wrong_abi": ["99"],
    "wrong_golden": ["4.77", "4.78", "two"],
    "wrong_batch": ["y"],
    "unwritten": ["step[0] is null, expected 0"],
    "bad_contract": ["n>"],
    "no_goldens": ["example"],
    "not_a_plugin": ["kiln_plugin"],
    "init_fails": ["2385 coefficients"],
    "init_crash": ["signal 11"],
}


def quiet_environment():
    """Sanitizers leave a SIGSEGV that is meant to the kernel."""
    env = environment()
    env["ASAN_OPTIONS"] += ":handle_segv=0"
    env["TSAN_OPTIONS"] += ":handle_segv=0"
    return env


@pytest.fixture(scope="module")
def zoo():
    """All of them in one daemon, beside a good one."""
    with House() as house:
        plugins = [{"name": n, "file": f"{BAD}/{n}.so", "required": False} for n in FAILING] + ["echo"]
        plugins.append({"name": "hang_warm", "file": f"{BAD}/hang_warm.so", "required": False, "limits": {"warm_ms": 500}})
        plugins.append({"name": "absent", "file": "/nonexistent/absent.so", "required": False})
        plugins.append({"name": "misnamed", "file": f"{BUILD}/plugins/echo.so", "required": False})
        house.start_daemon(plugins, env=quiet_environment())
        yield house


def failed(house, name):
    return until(lambda: (p := house.plugins().get(name)) and p["state"] == "failed" and p, f"{name} to have failed")


@pytest.mark.parametrize("name", FAILING)
def test_failing_plugin_says_why(zoo, name):
    p = failed(zoo, name)
    assert p["workers"] == 0
    for word in FAILING[name]:
        assert word in p["why"], p["why"]
    assert re.search(rf"event=plugin_failed plugin={name} ", zoo.daemon.text())


def test_plugin_that_hangs_while_warming(zoo):
    assert "limits.warm_ms = 500" in failed(zoo, "hang_warm")["why"]


def test_plugin_that_is_not_there(zoo):
    assert "/nonexistent/absent.so" in failed(zoo, "absent")["why"]


def test_plugin_under_another_name(zoo):
    why = failed(zoo, "misnamed")["why"]
    assert '"echo"' in why and '"misnamed"' in why


def test_the_good_one_beside_them_serves(zoo):
    for name in list(FAILING) + ["hang_warm", "absent", "misnamed"]:
        failed(zoo, name)
    p = zoo.producer()
    p.call("echo.echo", {"data": "fine"}).expect("ok")
    p.call("wrong_golden.f", {"x": 2}).expect("unknown_function", "fn")
    state = zoo.plugins()["echo"]
    assert state["state"] == "ready" and state["restarts"] == 0
    counters = zoo.counters()
    assert counters["workers_joined"] == 1 and counters["workers_lost"] == 0  # nothing unproven ever said hello


def test_required_plugin_that_fails_keeps_the_node_from_ready():
    with House() as house:
        d = house.start_daemon([{"name": "wrong_golden", "file": f"{BAD}/wrong_golden.so"}, "echo"], ready=False)
        failed(house, "wrong_golden")
        until(lambda: house.workers("echo"), "echo to serve all the same")
        house.producer().call("echo.echo", {"data": "x"}).expect("ok")
        assert "event=ready" not in d.text()


@pytest.mark.parametrize("mode, words", [(0o777, "0777"), (0o722, "0722")])
def test_plugin_that_others_may_write_is_refused(mode, words):
    with House() as house:
        folder = os.path.join(house.folder, "p")
        os.mkdir(folder, 0o755)
        path = shutil.copy(f"{BUILD}/plugins/echo.so", folder)
        os.chmod(path, mode)
        open_folder = os.path.join(house.folder, "q")
        os.mkdir(open_folder)
        inside = shutil.copy(f"{BUILD}/plugins/stats.so", open_folder)
        os.chmod(inside, 0o644)
        os.chmod(open_folder, mode)
        house.start_daemon([{"name": "echo", "file": path, "required": False}, {"name": "stats", "file": inside, "required": False}],
                           ready=False)
        why = failed(house, "echo")["why"]
        assert words in why and path in why and "chmod go-w" in why
        assert words in failed(house, "stats")["why"]


def test_running_code_does_not_change_with_its_file():
    """A plugin is copied under its digest before it is opened: overwriting the file touches nobody."""
    with House() as house:
        path = os.path.join(house.folder, "echo.so")
        shutil.copy(f"{BUILD}/plugins/echo.so", path)
        house.start_daemon([{"name": "echo", "file": path}])
        p = house.producer()
        pid = house.workers("echo")[0]["pid"]
        with open(path, "r+b") as f:  # in place: the worst way
            f.write(bytes(os.path.getsize(path)))
        p.call("echo.scale", {"x": [1]}).expect("ok")
        with open(f"/proc/{pid}/maps", encoding="ascii") as f:
            maps = f.read()
        assert path not in maps and house.workers("echo")[0]["build"] in maps


def test_options_reach_the_plugin():
    with House() as house:
        house.start_daemon([{"name": "echo", "options": {"most_ms": 5, "slice_ms": 1}}])
        p = house.producer()
        p.call("echo.sleep", {"ms": 2}).expect("ok")
        p.call("echo.sleep", {"ms": 6}).expect("invalid", "ms", "5")


@pytest.mark.parametrize("options, words", [
    ({"slice_ms": 0}, ["slice_ms", "0", "1..1000"]), ({"slise_ms": 5}, ["slise_ms"]), ({"most_ms": "x"}, ["most_ms", "x"]),
])
def test_wrong_option(options, words):
    with House() as house:
        house.start_daemon([{"name": "echo", "options": options, "required": False}], ready=False)
        why = failed(house, "echo")["why"]
        assert all(w in why for w in words), why


# ---- kiln check

def check(*args):
    p = subprocess.run([os.path.join(BUILD, "kiln"), "check", *args], capture_output=True, text=True, check=False, env=quiet_environment(),
                       timeout=PATIENCE * 3, cwd="/")
    assert "Sanitizer" not in p.stderr, p.stderr
    return p


@pytest.mark.parametrize("name", ["echo", "stats", "staking", "indicators"])
def test_check_of_a_good_plugin(name):
    p = check(f"{BUILD}/plugins/{name}.so")
    assert p.returncode == 0, p.stdout + p.stderr
    assert name in p.stdout and "1.0.0" in p.stdout
    p = check(f"{BUILD}/plugins/{name}.so", "--json")
    assert p.returncode == 0
    report = json.loads(p.stdout)
    assert name in json.dumps(report)


@pytest.mark.parametrize("name", [*FAILING, "hang_warm"])
def test_check_of_a_bad_plugin(name):
    args = ["--timeout", "1"] if name == "hang_warm" else []
    p = check(f"{BAD}/{name}.so", *args)
    assert p.returncode != 0
    text = p.stdout + p.stderr
    for word in ["SIGSEGV"] if name == "init_crash" else FAILING.get(name, ["1 s"]):
        assert word in text, text


def test_check_of_a_leak():
    """Right answers, and memory lost with each call."""
    p = check(f"{BAD}/leaky.so")
    assert "leak" in (p.stdout + p.stderr).lower() or "bytes" in p.stdout, p.stdout + p.stderr


def test_check_of_no_file():
    p = check("/nonexistent.so")
    assert p.returncode != 0 and "/nonexistent.so" in p.stderr + p.stdout


def test_check_of_a_text_file(tmp_path):
    path = tmp_path / "x.so"
    path.write_text("not an object")
    os.chmod(path, 0o644)
    p = check(str(path))
    assert p.returncode != 0 and "x.so" in p.stderr + p.stdout


def test_plugins_export_one_symbol_and_need_nothing_of_the_host():
    for name in os.listdir(f"{BUILD}/plugins"):
        if name.endswith(".so"):
            out = subprocess.run(["nm", "-D", "--defined-only", f"{BUILD}/plugins/{name}"], capture_output=True, text=True, check=True).stdout
            symbols = [l.split()[-1] for l in out.split("\n") if l]
            assert symbols == ["kiln_plugin"], f"{name}: {symbols}"


def test_every_misbehaving_plugin_has_a_test():
    folder = os.path.join(ROOT, "tests", "e2e")
    tests = "".join(open(os.path.join(folder, f), encoding="utf-8").read() for f in os.listdir(folder) if f.endswith(".py"))
    for name in os.listdir(os.path.join(ROOT, "tests", "plugins")):
        if name.endswith(".c"):
            assert name[:-2] in tests, f"{name} is not used by a test"
