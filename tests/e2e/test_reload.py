# SPDX-License-Identifier: MPL-2.0
"""Reload and rollback through the broker: every node answers when it has ended there; what was rolled back from does not come
again by itself."""
import json
import os
import signal

import pytest

from house import House, until
from swapping import Swapped, Traffic


def test_a_reload_is_answered_when_it_has_ended(bad):
    with House() as house:
        s = Swapped(house, bad)
        traffic = Traffic(house)
        before = house.counters()["errands"]
        s.put(2)
        done = s.one()
        assert done["result"] == "promoted" and done["plugin"].startswith("swap/0.2.0+") and done["generation"] == 2, done
        assert 0 < done["seconds"] < 60
        assert s.version() == 2 and s.state()["last_swap"]["result"] == "promoted"
        assert s.one("swap")["result"] == "unchanged"
        s.put("wrong_golden")
        done = s.one("swap")
        assert done["result"] == "refused" and "expected 4" in done["why"], done
        assert s.version() == 2 and s.state()["swaps"] == {"loaded": 1, "promoted": 1, "unchanged": 1, "refused": 1}
        os.unlink(s.file)
        done = s.one("swap")
        assert done["result"] == "refused" and "cannot be opened" in done["why"]
        s.put(1)
        assert s.one("swap")["result"] == "promoted"
        assert house.counters()["errands"] - before == 5
        traffic.end()


def test_plugins_come_and_go_and_change(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        echo = {"name": "echo"}
        house.daemon_conf([{**s.keys, "workers": 2}, echo], drain_ms=1234)
        node = s.ask()["node"]
        assert {p["name"]: p["result"] for p in node["plugins"]} == {"swap": "promoted", "echo": "loaded"}
        until(lambda: len(house.workers("swap")) == 2, "two workers")
        house.daemon_conf([{**s.keys, "workers": 1}, {**echo, "workers": 2}])
        assert [p["name"] for p in s.ask("echo")["node"]["plugins"]] == ["echo"]
        assert len(house.workers("swap")) == 2  # it was not asked for
        house.daemon_conf([{**s.keys, "workers": 2}])
        assert {p["name"]: p["result"] for p in s.ask()["node"]["plugins"]} == {"swap": "unchanged", "echo": "removed"}
        assert list(house.plugins()) == ["swap"]


@pytest.mark.parametrize("keys, status, words", [
    ({"plugins": ["nobody"]}, "invalid", ["nobody"]),
    ({"plugins": "swap"}, "invalid", ["plugins"]),
    ({"plugins": [7]}, "invalid", ["plugins", "7"]),
    ({"plugins": ["swap"], "shadow": 0}, "invalid", ["shadow is 0", "1..1000000"]),
    ({"plugins": ["swap"], "shadow": 5, "canary_permille": 5}, "invalid", ["shadow", "canary_permille"]),
    ({"plugins": ["swap"], "allow": 5}, "invalid", ["allow", "shadow"]),
    ({"plugins": ["swap"], "shadow": 5, "force": "yes"}, "invalid", ["force"]),
    ({"shadow": 5}, "invalid", ["plugins is missing"]),
    ({"op": "rollback"}, "invalid", ["plugins is missing"]),
    ({"op": "rollback", "plugins": ["nobody"]}, "invalid", ["nobody"]),
])
def test_a_wrong_request_changes_nothing(bad, keys, status, words):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        s.put(2)
        keys = dict(keys)
        op = keys.pop("op", "reload")
        header, payloads = house.producer().ask({"op": op, **keys})
        node = payloads[0]["nodes"][0]
        assert header["status"] == "ok" and node["status"] == status and not node["plugins"], node
        for word in words:
            assert word in node["error"], node
        assert s.version() == 1 and s.state()["generation"] == 1


def test_a_wrong_configuration_is_answered_with_its_line(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        path = house.daemon_conf([{**s.keys, "workers": 3}], slots=0)
        s.put(2)
        node = s.ask()["node"]
        with open(path, encoding="utf-8") as f:
            line = next(i for i, l in enumerate(f, 1) if "slots" in l)
        assert node["status"] == "invalid" and "daemon.slots" in node["error"] and f":{line}" in node["error"], node
        assert s.version() == 1


def test_refusals_of_the_broker(broker):
    p = broker.producer()
    header, _ = p.ask({"op": "reload"})
    assert (header["op"], header["status"]) == ("error", "unavailable") and "kilnd" in header["error"]
    w = broker.worker(role="node", wid="lonely")
    header, _ = p.ask({"op": "reload", "node": "nobody"})
    assert (header["op"], header["status"], header["field"]) == ("error", "invalid", "node")
    p.send({"op": "reload", "plugins": ["x"], "node": "lonely", "colour": {"a": [1]}})
    asked, _ = w.recv("reload")
    assert asked["plugins"] == ["x"] and asked["colour"] == {"a": [1]} and "node" not in asked
    # A node that lies: another number, a status that is none, something that is no list. Then the truth, twice.
    w.send({"op": "reloaded", "number": asked["number"] + 1, "status": "ok"})
    w.send({"op": "reloaded", "number": asked["number"], "status": "splendid"})
    w.send({"op": "reloaded", "number": asked["number"], "status": "ok", "plugins": 5})
    for _ in range(2):
        w.send({"op": "reloaded", "number": asked["number"], "status": "failed", "error": "no", "plugins": [{"name": "x"}]})
    header, payloads = p.recv()
    assert payloads[0]["nodes"] == [{"node": "lonely", "status": "failed", "error": "no", "plugins": [{"name": "x"}]}]
    # Nobody answers: time is over. It vanishes: so is everything. It comes back as the same process: it is asked again.
    header, payloads = p.ask({"op": "rollback", "timeout_ms": 1})
    assert payloads[0]["nodes"][0]["status"] == "deadline"
    p.send({"op": "reload", "rid": 7})
    w.recv("reload")
    again, _ = w.recv("reload") if False else (w.hello() and w.recv("reload"))
    w.send({"op": "bye"})
    header, payloads = p.recv()
    assert header["rid"] == 7 and payloads[0]["nodes"][0]["status"] == "unavailable" and again["number"] > asked["number"]
    assert p.silent()


def test_two_nodes_one_of_which_vanishes(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        other = house.start_daemon([s.keys], name="other", watch=False)
        s.put(2)
        nodes = s.ask("swap")
        assert {n: a["plugins"][0]["result"] for n, a in nodes.items()} == {"node": "promoted", "other": "promoted"}
        s.put(1)
        assert list(s.ask("swap", node="other")) == ["other"]
        s.put("hangs")
        p = house.producer()
        p.send({"op": "reload", "plugins": ["swap"], "node": "other"})
        until(lambda: "coming_build" in next(n for n in house.stats()["nodes"] if n["wid"] == "other")["plugins"][0] or
              "event=swap_begun" in other.text().split("event=swapped")[-1], "the swap to begin")
        other.terminate()
        header, payloads = p.recv()
        (node,) = payloads[0]["nodes"]
        assert node["status"] == "unavailable" and "stopped" in node["error"], node
        assert other.wait() == 0 and s.version() == 2


def test_rollback(bad):
    with House() as house:
        s = Swapped(house, bad)
        assert s.one("swap", op="rollback") == {**s.one("swap", op="rollback"), "result": "unchanged"}
        s.put(2)
        s.one()
        assert len(s.staged()) == 2
        traffic = Traffic(house)
        done = s.one("swap", op="rollback")
        assert done["result"] == "rolled_back" and done["plugin"].startswith("swap/0.1.0+"), done
        assert s.version() == 1
        # The file is still the bad one. It does not come by itself, neither by reload, nor by SIGHUP; not when settings change.
        done = s.one()
        assert done["result"] == "unchanged" and "rolled back" in done["why"] and "--force" in done["why"], done
        s.reload()
        house.daemon_conf([{**s.keys, "workers": 3}])
        assert s.one()["result"] == "promoted"
        until(lambda: len(house.workers("swap")) == 3, "three workers")
        assert s.version() == 1
        done = s.one("swap", force=True)
        assert done["result"] == "promoted" and s.version() == 2
        assert s.one("swap", op="rollback")["result"] == "rolled_back" and s.version() == 1
        s.put(1)  # the file changed: what it was before counts no more
        assert s.one()["result"] == "unchanged"
        s.put(2)
        assert s.one()["result"] == "promoted" and s.version() == 2
        traffic.end()
        until(lambda: len(s.staged()) == 2, "the copies that nobody needs to be gone")


def test_rollback_of_settings(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        house.daemon_conf([{**s.keys, "workers": 2}])
        assert s.one()["result"] == "promoted"
        assert s.one("swap", op="rollback")["result"] == "rolled_back"
        until(lambda: len(house.workers("swap")) == 1, "one worker")
        assert s.one()["result"] == "unchanged"
        house.daemon_conf([{**s.keys, "workers": 3}])
        assert s.one()["result"] == "promoted"
        until(lambda: len(house.workers("swap")) == 3, "three workers")
        assert len(s.staged()) == 1


def test_a_rollback_needs_its_data(bad):
    with House() as house:
        folder, kept = f"{house.folder}/models", f"{house.folder}/model.kept"
        os.mkdir(folder)
        house.write("models/a", "one")
        s = Swapped(house, bad, workers=1, data=[folder])
        first = s.state()["build"]
        os.rename(f"{folder}/a", kept)
        house.write("models/a", "another")
        assert s.one()["result"] == "promoted"
        second = s.state()["build"]
        done = s.one("swap", op="rollback")
        assert done["result"] == "refused" and "data" in done["why"], done
        assert s.state()["build"] == second != first and s.version() == 1
        os.rename(kept, f"{folder}/a")
        assert s.one("swap", op="rollback")["result"] == "rolled_back"
        assert s.state()["build"] == first and "why" not in s.state()


def test_rollback_takes_back_what_is_under_way(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        s.put("hangs")
        p = house.producer()
        p.send({"op": "reload"})
        s.daemon.says("event=swap_begun")
        assert s.one("swap", op="rollback")["result"] == "rolled_back"
        _, payloads = p.recv()
        assert payloads[0]["nodes"][0]["plugins"][0]["result"] == "superseded"
        until(lambda: "coming_build" not in s.state() and len(house.workers("swap")) == 1, "it to be gone")
        assert s.version() == 1
        done = s.one()
        assert done["result"] == "unchanged" and "rolled back" in done["why"]


def test_a_rollback_that_cannot_be_proven_changes_nothing(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        s.put(2)
        s.one()
        path = next(os.path.join(f"{house.folder}/run-node/staged", f) for f in s.staged() if not s.state()["build"] in f)
        os.rename(house.write("spoilt", "spoilt"), path)  # another file: a worker that is about to end still has the old one
        done = s.one("swap", op="rollback")
        assert done["result"] == "refused" and s.version() == 2, done
        assert s.one("swap", op="rollback")["result"] == "refused"  # it is still there to be tried


def test_as_a_person_does(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        s.put(2)
        status, out, err = s.kiln("reload", "swap")
        assert status == 0 and "promoted" in out and "swap/0.2.0+" in out, (out, err)
        status, out, err = s.kiln("rollback", "swap", "--node", "node", "--json")
        assert status == 0 and json.loads(out)["nodes"][0]["plugins"][0]["result"] == "rolled_back"
        status, out, err = s.kiln("reload", "nobody")
        assert status == 2 or status != 0 and "nobody" in out, (status, out, err)
        s.put("init_crash")
        status, out, err = s.kiln("reload")
        assert status != 0 and "refused" in out and "signal 6" in out
        status, out, err = s.kiln("plugins")
        assert status == 0 and "refused" in out and "signal 6" in out, out
        for words in (["--canary", "77%"], ["--for", "5 weeks"], ["--slower", "0.5"], ["--shadow", "0"], ["--jobs", "3"]):
            status, out, err = s.kiln("reload", "swap", *words)
            assert status == 2 and words[0] in err and words[1] in err, (words, err)
        status, out, err = s.kiln("reload", "--node", "nobody")
        assert status != 0 and "nobody" in err
        status, out, err = s.kiln("rollback")
        assert status == 2 and "missing" in err


def test_two_reloads_at_once_have_one_end(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        s.put("hangs")
        ps = [house.producer() for _ in range(2)]
        for p in ps:
            p.send({"op": "reload"})
        until(lambda: s.daemon.text().count("event=reload ") == 2, "the daemon to have read both")
        s.put(2)
        assert s.one()["result"] == "promoted"
        for p in ps:
            _, payloads = p.recv()
            assert payloads[0]["nodes"][0]["plugins"][0]["result"] == "superseded"


def test_the_broker_goes_away_in_the_middle(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        s.put("hangs")
        p = house.producer()
        p.send({"op": "reload"})
        s.daemon.says("event=swap_begun")
        house.broker.terminate()
        _, payloads = p.recv()
        assert payloads[0]["nodes"][0]["status"] == "unavailable"
        assert house.broker.wait() == 0
        house.start_broker()
        s.put(2)
        until(lambda: house.stats()["nodes"], "the node to be back")
        assert s.one()["result"] == "promoted"
        until(lambda: len(house.workers("swap")) == 1, "one worker")
        assert s.version() == 2
        os.kill(s.daemon.pid, signal.SIGHUP)


# ---- functions that are offered no more


def test_functions_of_a_removed_plugin_are_forgotten(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1)
        house.daemon_conf([s.keys, "echo"])
        s.ask()
        p = house.producer()
        p.call("echo.echo", {"data": "x"}).expect("ok")
        p.ask({"op": "pause", "name": "echo.echo"})
        assert house.function("echo.echo")["state"] == "paused"
        before = house.counters()["functions_retired"]
        names = [f["name"] for f in house.stats()["functions"] if f["name"].startswith("echo.")]
        house.daemon_conf([s.keys])
        assert {n["name"]: n["result"] for n in s.ask()["node"]["plugins"]}["echo"] == "removed"
        until(lambda: house.function("echo.echo") is None, "the function to be forgotten")
        p.call("echo.echo", {"data": "x"}).expect("unknown_function", "fn")
        assert house.counters()["functions_retired"] - before == len(names)
        house.daemon_conf([s.keys, "echo"])
        s.ask()
        p.call("echo.echo", {"data": "x"}).expect("ok")  # who was forgotten is not paused any more


def test_a_function_that_the_new_generation_lacks(bad):
    with House() as house:
        s = Swapped(house, bad, workers=1, plugin="trial")
        p = house.producer()
        p.call("trial.twice", {"x": 1.0}).expect("ok")
        s.put("less")
        assert s.one()["result"] == "promoted"
        until(lambda: house.function("trial.twice") is None, "the function to be forgotten")
        p.call("trial.twice", {"x": 1.0}).expect("unknown_function", "fn")
        p.call("trial.answer", {"x": 1.0}).expect("ok")


def test_what_waits_for_a_retired_function_goes_on_waiting():
    with House() as house:
        p = house.producer()
        n = house.worker(role="node", wid="n")
        w = house.worker("r", ["f"], node="n").credit(0)
        p.send({"op": "call", "fn": "r.f", "id": "a"}, {})
        until(lambda: (house.function("r.f") or {}).get("queued") == 1, "the job to wait")
        n.send({"op": "beat", "plugins": []})  # while a worker offers it nothing happens
        n.recv("beat")
        assert house.counters()["functions_retired"] == 0
        w.bye()
        n.send({"op": "beat", "plugins": [5, {"name": 7}, {"name": "r", "state": "loading", "generation": 2, "workers": 0}]})
        n.recv("beat")
        n.send({"op": "beat", "plugins": [{"name": "r", "state": "ready", "generation": 1, "workers": 1}]})
        n.recv("beat")
        assert house.counters()["functions_retired"] == 0
        n.send({"op": "beat", "plugins": [{"name": "r", "state": "ready", "generation": 2, "workers": 1}]})
        n.recv("beat")
        assert house.counters()["functions_retired"] == 1
        q = house.producer()
        q.call("r.f").expect("unknown_function", "fn")
        assert house.function("r.f")["queued"] == 1 and p.silent()
        w = house.worker("r", ["f"], node="n").credit(1)
        w.done(w.job())
        assert p.recv()[0]["status"] == "ok"
        # A node that went away may come back: nobody is refused.
        n.send({"op": "bye"})
        w.bye()
        q.send({"op": "call", "fn": "r.f", "timeout_ms": 1}, {})
        assert q.recv()[0]["status"] == "deadline"
