# SPDX-License-Identifier: MPL-2.0
"""A new generation on trial: on copies of live jobs (shadow), or with a share of them (canary), before it takes over."""
import pytest

from house import House, unpack, until
from swapping import Swapped, Traffic

FNS = ("trial.answer", "trial.twice")


class Trial:
    """A house with the plugin trial, called all the while."""

    def __init__(self, bad, workers=1, producers=2, under_way=4, ok=("ok",), fns=FNS, **keys):
        self.bad, self.args, self.traffic_args = bad, {"workers": workers, **keys}, {
            "producers": producers, "under_way": under_way, "ok": ok, "fns": fns}

    def __enter__(self):
        self.house = House()
        self.s = Swapped(self.house, self.bad, plugin="trial", **self.args)
        self.old = self.s.state()["build"]
        self.before = self.house.counters()
        self.traffic = Traffic(self.house, **self.traffic_args)
        return self

    def __exit__(self, kind, *rest):
        try:
            self.answers = self.traffic.end()
        finally:
            self.house.__exit__(kind, *rest)

    def reload(self, build, **keys):
        self.s.put(build)
        return self.s.one("trial", timeout_ms=90000, **keys)

    def still_old(self):
        state = self.s.state()
        assert state["build"] == self.old and state["state"] == "ready", state
        until(lambda: "coming_build" not in self.s.state() and len(self.house.workers("trial")) == self.args["workers"],
              "the new generation to be gone")

    def moved(self, counter):
        return self.house.counters()[counter] - self.before[counter]


# ---- shadow


def test_a_shadow_that_agrees_is_promoted(bad):
    with Trial(bad, workers=2) as t:
        done = t.reload(2, shadow=300)
        trial = done["trial"]
        assert done["result"] == "promoted" and done["plugin"].startswith("trial/0.2.0+"), done
        assert trial["jobs"] >= 300 and trial["differences"] == 0 and trial["deaths"] == 0 and trial["first"] == []
        assert {f["name"] for f in trial["functions"]} == set(FNS)
        assert 20 < trial["p50_us"] < 50000 and 20 < trial["was_p50_us"] < 50000  # the work takes 50
        assert t.moved("copies_sent") >= 300
        assert "denied" not in t.s.state()  # behind the walls all that a trial needs is there
        until(lambda: len(t.traffic.answers) and t.traffic.answers[-1][0].startswith("trial/0.2.0"), "the new one to answer")
        until(lambda: len(t.house.workers("trial")) == 2, "the old workers to be gone")
        assert {w["state"] for w in t.house.workers("trial")} == {"ready"}
        sent = t.moved("copies_sent")
        count = len(t.traffic.answers)
        until(lambda: len(t.traffic.answers) > count + 100, "more jobs")
        assert t.moved("copies_sent") == sent  # it is over
        row = t.house.function("trial.answer")
        assert (row["crashes"], row["retries"], row["errors"]) == (0, 0, 0)
    # Until it was promoted nobody heard of it; then everybody. Each answer is from one generation.
    assert {p.split("+")[0] for p, _ in t.answers} == {"trial/0.1.0", "trial/0.2.0"}


@pytest.mark.parametrize("build, fn, words", [
    ("off", None, ["sub.y", "expected 2"]),
    ("extra", None, ["extra", "no such member"]),
    ("less", "trial.twice", ["no such function"]),
    ("fails", None, ["failed", "expected ok", "one of three"]),
])
def test_a_shadow_that_differs_is_refused(bad, build, fn, words):
    with Trial(bad) as t:
        done = t.reload(build, shadow=100)
        trial = done["trial"]
        assert done["result"] == "refused" and "answers differ, allowed are 0" in done["why"], done
        assert 10 < trial["differences"] <= trial["jobs"] and len(trial["first"]) == 5
        first = trial["first"][0]
        assert first["function"] in FNS and (fn is None or first["function"] == fn), first
        for word in words:
            assert word in first["what"], first
        t.still_old()
        state = t.s.state()
        assert "differ" in state["why"] and state["last_swap"]["trial"]["differences"] == trial["differences"]
        assert state["swaps"]["refused"] == 1
        # It is not brought in by a later reload, unless someone insists.
        done = t.s.one()
        assert done["result"] == "unchanged" and "differ" in done["why"], done
    assert {p.split("+")[0] for p, _ in t.answers} == {"trial/0.1.0"}


def test_differences_that_are_allowed(bad):
    with Trial(bad) as t:
        done = t.reload("fails", shadow=50, allow=50, slower_percent=1000)
        assert done["result"] == "promoted" and 5 < done["trial"]["differences"] <= 30, done
        t.traffic.ok = ("ok", "failed")
        t.traffic.faults.clear()
    # what it fails now is its right


def test_a_shadow_that_is_slower_is_refused(bad):
    with Trial(bad, producers=1, under_way=1) as t:
        done = t.reload("slow", shadow=120)
        assert done["result"] == "refused" and "p95 of run" in done["why"] and "more than 2 times" in done["why"], done
        assert done["trial"]["differences"] == 0 and done["trial"]["p50_us"] > 1000 > done["trial"]["was_p50_us"]
        t.still_old()
        assert t.s.one("trial", shadow=60, slower_percent=100000)["result"] == "promoted"  # a new trial may


def test_a_shadow_that_crashes_is_refused(bad):
    with Trial(bad) as t:
        done = t.reload("crash", shadow=1000)
        assert done["result"] == "refused" and "died by signal 6" in done["why"] and done["trial"]["deaths"] == 1, done
        assert done["trial"]["jobs"] < 200
        t.still_old()
        assert t.s.state()["restarts"] == 0 and t.house.function("trial.answer")["crashes"] == 0


def test_functions_that_are_not_pure(bad):
    with Trial(bad) as t:
        done = t.reload("impure", shadow=50)
        assert done["result"] == "refused" and "pure" in done["why"] and "--impure" in done["why"], done
        assert t.moved("copies_sent") == 0
        assert t.s.one("trial", shadow=50, impure=True)["result"] == "promoted"


def test_a_shadow_without_jobs(bad):
    with Trial(bad, producers=0) as t:
        done = t.reload(2, shadow=50, for_ms=300)
        assert done["result"] == "refused" and "only 0 of 50" in done["why"], done
        t.still_old()


def test_failures_are_compared_by_their_status(bad):
    """Bad requests are answered alike by both: no difference."""
    with Trial(bad, producers=0) as t:
        p, q = t.house.producer(), t.house.producer()
        t.s.put(2)
        q.send({"op": "reload", "plugins": ["trial"], "shadow": 40})
        until(lambda: t.s.state().get("coming_state", "").startswith("shadow"), "the shadow to run")
        while not q.socket.poll(0):
            assert p.call("trial.answer", {"x": "none"}).status == "invalid"
            assert p.call("trial.answer", {"x": 1.5, "a": {"nd": True, "type": "<f8", "shape": [2], "data": b"\0" * 16}, "form": "nd"}).status == "ok"
            p.call_raw("trial.answer", b"\xc1")
        header, payloads = q.recv()
        plugin = payloads[0]["nodes"][0]["plugins"][0]
        assert plugin["result"] == "promoted" and plugin["trial"]["differences"] == 0, plugin


# ---- canary


def test_a_canary_that_does_well_is_promoted(bad):
    with Trial(bad) as t:
        ended = t.moved("jobs_ended")
        done = t.reload(2, canary_permille=200, jobs=200, for_ms=60000)
        trial = done["trial"]
        assert done["result"] == "promoted" and trial["jobs"] >= 200 and trial["bad"] == 0 and trial["deaths"] == 0, done
        share = t.moved("canary_jobs") / (trial["jobs"] + trial["was_jobs"])
        assert 0.17 < share < 0.23, (share, trial)
        assert t.moved("jobs_ended") > ended
        until(lambda: len(t.house.workers("trial")) == 1, "the old worker to be gone")
        assert t.house.workers("trial")[0]["state"] == "ready"
        row = t.house.function("trial.answer")
        assert (row["crashes"], row["retries"], row["errors"]) == (0, 0, 0)


@pytest.mark.parametrize("build, words", [
    ("fails", ["jobs failed", "in the generation that serves"]),
    ("slow", ["p95 of run", "more than 2 times"]),
    ("crash", ["workers of it died", "signal 6"]),
])
def test_a_canary_that_does_badly_is_taken_back(bad, build, words):
    ok = ("ok", "failed") if build == "fails" else ("ok",)
    with Trial(bad, ok=ok) as t:
        # 60 s are not waited for: it is taken back as soon as it shows.
        done = t.reload(build, canary_permille=100, for_ms=60000)
        assert done["result"] == "reverted" and done["seconds"] < 40, done
        for word in ["canary"] + words:
            assert word in done["why"], done
        t.still_old()
        assert t.s.state()["swaps"]["reverted"] == 1
        row = t.house.function("trial.answer")
        assert row["crashes"] == 0 and (row["errors"] == 0 or build == "fails"), row  # nobody's job was charged, or lost
        done = t.s.one()
        assert done["result"] == "unchanged" and "canary" in done["why"], done
        count = len(t.traffic.answers)
        until(lambda: len(t.traffic.answers) > count + 50, "the old one to answer")


def test_a_canary_with_too_few_jobs(bad):
    with Trial(bad, producers=0) as t:
        done = t.reload(2, canary_permille=50, for_ms=200)
        assert done["result"] == "reverted" and "only 0 jobs" in done["why"], done
        t.still_old()


def test_rollback_ends_a_trial(bad):
    with Trial(bad) as t:
        t.s.put(2)
        p = t.house.producer()
        p.send({"op": "reload", "plugins": ["trial"], "canary_permille": 100, "for_ms": 60000})
        until(lambda: t.s.state().get("coming_state", "").startswith("canary"), "the canary")
        assert t.s.one("trial", op="rollback")["result"] == "rolled_back"
        _, payloads = p.recv()
        plugin = payloads[0]["nodes"][0]["plugins"][0]
        assert plugin["result"] == "superseded" and plugin["trial"]["kind"] == "canary", plugin
        t.still_old()


def test_the_daemon_stops_during_a_trial(bad):
    with Trial(bad, producers=0) as t:
        t.s.put(2)
        p = t.house.producer()
        p.send({"op": "reload", "plugins": ["trial"], "shadow": 100})
        until(lambda: t.s.state().get("coming_state", "").startswith("shadow"), "the shadow")
        t.s.daemon.terminate()
        _, payloads = p.recv()
        assert payloads[0]["nodes"][0]["status"] == "unavailable"
        assert t.s.daemon.wait() == 0


@pytest.mark.parametrize("keys", [{"shadow": 100000, "for_ms": 80000}, {"canary_permille": 100, "for_ms": 80000}])
def test_the_broker_restarts_during_a_trial(bad, keys):
    with House() as house:
        s = Swapped(house, bad, workers=1, plugin="trial")
        s.put(2)
        p = house.producer()
        p.send({"op": "reload", "plugins": ["trial"], **keys})
        until(lambda: s.state().get("coming_state", "")[:6] in ("shadow", "canary"), "the trial")
        house.broker.terminate()
        assert house.broker.wait() == 0
        house.start_broker()
        until(lambda: house.plugins() and len(house.workers("trial")) == 2, "everybody to be back")
        assert sorted(w["state"] for w in house.workers("trial")) in (["ready", "shadow"], ["canary", "ready"])
        assert house.producer().call("trial.answer", {"x": 1.0}).expect("ok").plugin.startswith("trial/0.1.0")
        assert s.one("trial", op="rollback")["result"] == "rolled_back"
        until(lambda: len(house.workers("trial")) == 1, "the new one to be gone")


def test_as_a_person_does(bad):
    with Trial(bad) as t:
        t.s.put("off")
        status, out, err = t.s.kiln("reload", "trial", "--shadow", "60")
        assert status != 0 and "refused" in out and "60 differences" in out and "sub.y" in out, (out, err)
        t.s.put(2)
        status, out, err = t.s.kiln("reload", "trial", "--canary", "30%", "--jobs", "40", "--for", "1m", "--slower", "50")
        assert status == 0 and "promoted" in out and "canary: " in out, (out, err)
        status, out, err = t.s.kiln("plugins")
        assert "promoted" in out


# ---- what the broker makes of a trial, with workers played by the test


def test_hellos_of_trials(broker):
    for keys, word in [({"trial": "heron"}, "trial is"), ({"trial": "canary"}, "share_permille"),
                       ({"trial": "canary", "share_permille": 501}, "1..500"), ({"trial": 5}, "trial")]:
        w = broker.worker("hb", hello=False, **keys)
        assert w.hello()["status"] == "invalid" and word in w.welcome["error"], w.welcome


def test_copies_follow_the_answers(broker):
    p = broker.producer()
    node = broker.worker(role="node", wid="cn")
    w = broker.worker("cp", ["f", "g"], node="cn").credit(20)
    s = broker.worker("cp", [{"name": "f", "max_batch": 1, "warm_us": 1}, {"name": "g", "copies": False}], node="cn", trial="shadow")
    before = broker.counters()
    p.send({"op": "call", "fn": "cp.f", "rid": 1}, {"x": 1})
    w.done(w.job(), {"y": 5})
    p.recv()
    assert s.nothing("shadow") and broker.moved(before)["copies_left_out"] == 1  # no credit yet
    assert s.credit(2).nothing("shadow")  # the broker has heard it
    p.send({"op": "call", "fn": "cp.f", "jobs": [{"id": str(i)} for i in range(4)]}, *({"x": i} for i in range(4)))
    jobs = w.gather(4)  # they came together: a worker has two messages on their way, no more
    w.done(jobs[:1], {"y": 1})
    header, payloads = s.recv("shadow")
    assert header["fn"] == "cp.f" and header["jobs"] == [{"status": "ok", "run_ns": 23850, "batch": 1}]
    assert payloads == [jobs[0].result, {"y": 1}]
    w.done(jobs[1:2], status="failed", error="no")
    header, payloads = s.recv("shadow")
    assert header["jobs"][0]["status"] == "failed" and payloads == [jobs[1].result, None]
    w.done(jobs[2:], {"y": 2})
    assert {i: a.status for i, a in p.answers(4).items()} == {"0": "ok", "1": "failed", "2": "ok", "3": "ok"}
    assert s.nothing("shadow")  # its credit is used up
    assert s.credit(10).nothing("shadow")  # and nothing was kept for it
    p.send({"op": "call", "fn": "cp.g"}, {})
    w.done(w.job())
    p.recv()
    assert s.nothing("shadow")  # not pure
    assert s.nothing("jobs")    # and never a job itself
    # Passed: it announces what it offers, and gets jobs like any other.
    s.send({"op": "serve"})
    s.recv("serve")
    s.send({"op": "serve"})  # twice is once
    s.recv("serve")
    w.bye()
    p.send({"op": "call", "fn": "cp.f"}, {"x": 9})
    assert s.job()["fn"] == "cp.f"
    node.close()


def taken(*workers):
    """The worker that is given the next job, and the job."""
    while True:
        for w in workers:
            if w.socket.poll(1):
                frames = w.socket.recv_multipart()
                header = unpack(frames[0])
                if header["op"] == "jobs":
                    (job,) = header["jobs"]
                    return w, job


def test_a_canary_gets_its_share_and_not_a_job_more(broker):
    p = broker.producer()
    w = broker.worker("cs", ["f"]).credit(100000)
    c = broker.worker("cs", ["f"], trial="canary", share_permille=100).credit(100000)
    got = {w: 0, c: 0}
    for i in range(300):
        p.send({"op": "call", "fn": "cs.f"}, {})
        who, job = taken(w, c)
        who.done(job)
        got[who] += 1
        p.recv()
    assert abs(got[c] - 30) <= 2, got
    # Its death is not the job's: it is not charged, and the job goes to no canary again.
    n = broker.worker(role="node", wid="csn")
    c.bye()
    c = broker.worker("cs", ["f"], trial="canary", share_permille=500, node="csn").credit(100)
    for kind in ("crash", "deadline"):
        while True:
            p.send({"op": "call", "fn": "cs.f"}, {})
            who, job = taken(w, c)
            if who is c:
                break
            w.done(job)
            p.recv()
        n.send({"op": "gone", "wid": c.wid, "cause": "x", "kind": kind, "running": [job["token"]]})
        w.done(w.job())
        assert p.recv()[0]["status"] == "ok"
        assert broker.function("cs.f")["crashes"] == 0
        c = broker.worker("cs", ["f"], wid="c2" + kind, trial="canary", share_permille=500, node="csn").credit(100)
