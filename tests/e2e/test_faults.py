# SPDX-License-Identifier: MPL-2.0
"""Deaths: of workers, daemons, brokers; and what they leave to whom."""
import os
import signal
import time

import pytest

from house import BUILD, MODE, SLOW, House, asleep, environment, until

BAD = os.path.join(BUILD, "tests", "plugins")


def bad(name, **keys):
    return {"name": name, "file": f"{BAD}/{name}.so", **keys}


def restarted(house, plugin, times):
    return until(lambda: (p := house.plugins().get(plugin)) and p["restarts"] == times and p["state"] == "ready" and p["workers"] >= 1,
                 f"{plugin} to be restarted {times} times")


def busy(house, fn):
    """A worker is computing it."""
    return until(lambda: house.function(fn)["running"] == 1, f"{fn} to run")


def pid(house, plugin):
    return until(lambda: house.workers(plugin), f"a worker of {plugin}")[0]["pid"]


def state(pid):
    """R running, S sleeping, Z dead and not yet buried, "" gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


# ---- workers

def test_worker_killed_mid_job():
    """kill -9 while it computes: noticed at once, charged, and the restarted worker answers. Nobody else notices."""
    with House() as house:
        house.start_daemon(["echo", "stats"])
        p, other = house.producer(), house.producer()
        first = pid(house, "echo")
        before = house.counters()
        p.send({"op": "call", "fn": "echo.sleep"}, {"ms": 300})
        busy(house, "echo.sleep")
        until(lambda: asleep(first), "the worker to sleep in the plugin, not in poll")
        began = time.monotonic()
        os.kill(first, signal.SIGKILL)
        header, payloads = p.recv()
        assert header["status"] == "ok" and header["attempt"] == 1 and payloads[0]["slept_ms"] >= 300
        assert time.monotonic() - began < 2.5 * SLOW  # not after lease_ms, which is ten minutes here
        assert pid(house, "echo") != first
        assert other.call("stats.mean", {"x": [2.385]}).status == "ok"
        moved = house.moved(before)
        assert moved.pop("deliveries") == moved.pop("jobs_delivered") == 3 and moved.pop("jobs_ended") == moved.pop("jobs_called") == 2
        assert moved == {"workers_lost": 1, "workers_joined": 1, "jobs_crashed": 1}
        assert house.function("echo.sleep")["crashes"] == 1
        restarted(house, "echo", 1)
        assert house.plugins()["stats"]["restarts"] == 0
        house.daemon.says("event=worker_died")
        assert "signal 9" in house.daemon.text()


@pytest.mark.parametrize("how", ["segv", "abort", "exit", "stack"])
def test_plugin_that_crashes(how):
    """Poison after three; every crash counted; other jobs and other plugins unharmed."""
    with House() as house:
        env = None
        if how in ("segv", "stack"):  # a sanitizer would report what is meant to happen
            env = environment()
            env["ASAN_OPTIONS"] += ":handle_segv=0:use_sigaltstack=0"
            env["TSAN_OPTIONS"] += ":handle_segv=0"
        house.start_daemon([bad("crash"), "echo"], env=env)
        p = house.producer()
        before = house.counters()
        p.call("crash.crash", {"how": how}).expect("poison", None, "killed 3 workers")
        assert house.moves(before, jobs_called=1, jobs_delivered=3, deliveries=3, jobs_crashed=3, jobs_poisoned=1, jobs_ended=1,
                           workers_lost=3, workers_joined=house.moved(before).get("workers_joined", 0))
        row = house.function("crash.crash")
        assert row["crashes"] == 3 and row["statuses"] == {"poison": 1}
        restarted(house, "crash", 3)
        p.call("crash.crash", {"how": "ok"}).expect("ok")
        p.call("echo.echo", {"data": "x"}).expect("ok")
        assert house.plugins()["echo"]["restarts"] == 0


def test_submitted_job_that_kills_its_workers():
    with House() as house:
        house.start_daemon([bad("crash")])
        p = house.producer()
        p.submit("crash.crash", "killer", {"how": "abort"})
        p.submit("crash.crash", "good", {"how": "ok"})
        answers = p.result("killer", "good")
        answers[0].expect("poison")
        answers[1].expect("ok")


def test_neighbours_of_a_crash_in_a_batch_run_again_unharmed():
    with House() as house:
        house.start_daemon([bad("batch_crash")])
        p = house.producer()
        before = house.counters()
        jobs = [{"x": n, "die": n == 5} for n in range(12)]
        answers = p.calls([{"fn": "batch_crash.f"}] * 12, jobs)
        for n, a in answers.items():
            if n == 5:
                a.expect("poison")
            else:
                assert a.expect("ok").result == {"y": 2.385 * n} and a.attempt == 1
        moved = house.moved(before)
        assert moved["jobs_poisoned"] == 1 and moved["jobs_crashed"] == 3 and moved["jobs_ended"] == 12
        assert moved["workers_lost"] in (3, 4) and moved["jobs_given_back"] >= 1
        assert house.function("batch_crash.f")["statuses"] == {"ok": 11, "poison": 1}


def test_plugin_that_hangs():
    """Past limits.run_ms its worker is killed, the job is answered `deadline`, and the next job is served."""
    with House() as house:
        house.start_daemon([bad("crash", limits={"run_ms": 150})])
        p = house.producer()
        before = house.counters()
        first = pid(house, "crash")
        began = time.monotonic()
        p.call("crash.crash", {"how": "hang"}).expect("deadline", None, "longer than its limit of 150 ms")
        assert 0.15 <= time.monotonic() - began < 2 * SLOW
        p.call("crash.crash", {"how": "ok"}).expect("ok")
        assert pid(house, "crash") != first
        assert house.moves(before, jobs_called=2, jobs_delivered=2, deliveries=2, jobs_ended=2, workers_lost=1, workers_joined=1)
        restarted(house, "crash", 1)


def test_run_ms_of_the_job_itself():
    with House() as house:
        house.start_daemon([bad("crash")])
        p = house.producer()
        p.call("crash.crash", {"how": "hang"}, run_ms=100).expect("deadline", None, "limit of 100 ms")
        p.submit("crash.crash", "h", {"how": "hang"}, run_ms=120)
        p.result("h").expect("deadline", None, "limit of 120 ms")
        assert house.function("crash.crash")["statuses"] == {"deadline": 2}


def test_what_waits_behind_a_hanging_job_is_served():
    with House() as house:
        house.start_daemon([bad("crash", limits={"run_ms": 200})])
        p = house.producer()
        answers = p.calls([{"fn": "crash.crash"}] * 4, [{"how": "ok"}, {"how": "hang"}, {"how": "ok"}, {"how": "ok"}])
        assert [answers[n].status for n in range(4)] == ["ok", "deadline", "ok", "ok"]


def test_call_that_times_out_while_its_worker_computes():
    """The producer hears at its own time; the worker is asked to stop and serves the next."""
    with House() as house:
        house.start_daemon(["echo"])
        p = house.producer()
        before = house.counters()
        began = time.monotonic()
        p.call("echo.sleep", {"ms": 60000}, timeout_ms=80).expect("deadline", None, "it was running")
        p.call("echo.echo", {"data": "next"}).expect("ok")
        assert time.monotonic() - began < 5 * SLOW  # it did not sleep to the end
        moved = house.moved(before)
        moved.pop("done_late", None)  # whether broker or worker saw the time pass first
        assert moved == {"jobs_called": 2, "jobs_delivered": 2, "deliveries": 2, "jobs_ended": 2}


@pytest.mark.parametrize("how, status, words", [
    ("failed", "failed", "does not converge after 2385 steps"), ("invalid", "invalid", "expected something better"),
    ("resource", "resource", ""), ("cancelled", "cancelled", ""), ("silent", "failed", ""), ("nonsense", "internal", "2385"),
    ("temporary", "temporary", "not yet: 1 of 1"), ("unsound", "internal", "said"),
])
def test_plugin_that_returns_an_error(errors, how, status, words):
    house, p = errors
    before = house.counters()
    answer = p.call("error_return.f", {"how": how}).expect(status)
    assert words in answer.error and answer.error
    assert how != "invalid" or answer.field == "how"
    assert house.moves(before, jobs_called=1, jobs_delivered=1, deliveries=1, jobs_ended=1)
    assert p.call("error_return.f", {"how": "ok", "key": 63}).expect("ok").result["said"] == "ok"


@pytest.fixture(scope="module")
def errors():
    with House() as house:
        house.start_daemon([bad("error_return")])
        yield house, house.producer()


def test_temporary_errors_of_a_plugin_are_retried(errors):
    house, p = errors
    before = house.counters()
    p.submit("error_return.f", "t", {"how": "temporary", "times": 2, "key": 7}, backoff_ms=10)
    answer = p.result("t").expect("ok")
    assert answer.attempt == 3 and answer.result["tries"] == 2
    assert house.moves(before, jobs_submitted=1, jobs_delivered=3, deliveries=3, jobs_retried=2, jobs_ended=1)


def test_errors_in_a_batch_stay_with_their_jobs(errors):
    _, p = errors
    hows = ["ok", "failed", "ok", "cancelled", "ok"]
    answers = p.calls([{"fn": "error_return.f"}] * 5, [{"how": h} for h in hows])
    assert [answers[n].status for n in range(5)] == hows


@pytest.mark.parametrize("by", [1, 8, -1, -8])
def test_plugin_that_writes_too_much(by):
    """Caught: answered `internal`, and the damaged worker is replaced before it can do harm."""
    env = environment()
    env["ASAN_OPTIONS"] += ":halt_on_error=1"
    with House() as house:
        house.start_daemon([bad("overrun")], env=env)
        p = house.producer()
        first = pid(house, "overrun")
        answer = p.call("overrun.f", {"x": [1, 2, 3], "by": by})
        assert answer.status == "internal" and "wr" in answer.error, dict(answer)
        until(lambda: (w := house.workers("overrun")) and w[0]["pid"] != first, "the worker to be replaced")
        assert p.call("overrun.f", {"x": [1, 2]}).expect("ok").result == {"y": [2.385, 4.77]}


def test_memory_limit():
    """A worker that eats memory is stopped at limits.memory_mb; the machine does not notice."""
    if MODE != "release":
        pytest.skip("the limit is not set under sanitizers, which reserve more than any limit")
    with House() as house:
        house.start_daemon([bad("crash", limits={"memory_mb": 100, "job_mb": 50}), "echo"])
        p = house.producer()
        before = house.counters()
        p.call("crash.crash", {"how": "oom", "mb": 1000}).expect("resource")
        first = pid(house, "crash")
        with open(f"/proc/{first}/status", encoding="ascii") as f:
            rss_kb = next(int(l.split()[1]) for l in f if l.startswith("VmHWM"))
        assert rss_kb < 140 * 1024
        assert "workers_lost" not in house.moved(before)
        p.call("echo.echo", {"data": "x"}).expect("ok")


# ---- the broker

def test_broker_killed_and_restarted_under_everybody():
    """kill -9 of the broker: workers say hello to the next by themselves, producers' sockets connect again."""
    with House() as house:
        house.start_daemon([{"name": "echo", "workers": 2}, "stats"])
        p = house.producer()
        p.call("echo.echo", {"data": "1"}).expect("ok")
        pids = {w["pid"] for w in house.workers("echo") + house.workers("stats")}
        for life in range(2):
            epoch = house.stats()["broker"]["epoch"]
            p.send({"op": "call", "fn": "echo.sleep"}, {"ms": 400})  # under way when it dies: never answered
            busy(house, "echo.sleep")
            house.broker.kill()
            assert house.daemon.alive()
            house.broker_conf["settle_ms"] = 5000
            house.start_broker()
            assert house.stats()["broker"]["epoch"] != epoch
            assert p.call("echo.echo", {"data": "2"}).expect("ok").result == {"data": b"2"}
            assert p.call("stats.mean", {"x": [2.385]}).expect("ok").result == {"mean": 2.385}
            until(lambda: len(house.workers("echo")) == 2, "both workers of echo")
            assert {w["pid"] for w in house.workers("echo") + house.workers("stats")} == pids  # the same processes
            until(lambda: house.plugins().get("echo", {}).get("workers") == 2, "the node to say hello")
        counters = house.counters()
        assert counters["workers_joined"] == 3 and counters["nodes_joined"] == 1 and counters["jobs_crashed"] == 0
        assert p.silent()


def test_broker_stopped_and_restarted():
    """SIGTERM: those who wait are told, then the same."""
    with House() as house:
        w, p, q = house.worker().credit(1), house.producer(), house.producer()
        fn = f"{w.plugin}.f"
        p.send({"op": "call", "fn": fn, "jobs": [{}, {}]}, {}, {})
        assert w.job()
        q.submit(fn, "waits")
        q.send({"op": "result", "ids": ["waits"], "wait_ms": 600000})
        assert q.ask({"op": "ping"})[0]["op"] == "pong"
        until(lambda: house.function(fn)["queued"] == 2, "two to wait")
        house.broker.terminate()
        assert house.broker.wait() == 0
        answers = p.answers(2)
        assert all(a.status == "unavailable" and "stopping" in a.error for a in answers.values())
        header, _ = q.recv()
        assert header["jobs"][0]["status"] == "unavailable"
        house.start_broker()
        assert p.ask({"op": "ping"})[0]["op"] == "pong"
        w.send({"op": "beat"})
        w.recv("who")


def test_broker_stopped_with_results_on_their_way():
    """What its workers had sent before is an answer, and no reason to run the job elsewhere; calls that had come are told."""
    with House() as house:
        w, p, q = house.worker().credit(40), house.producer(), house.producer()
        fn = f"{w.plugin}.f"
        assert q.ask({"op": "ping"})[0]["op"] == "pong"
        p.send({"op": "call", "fn": fn, "jobs": [{}] * 20}, *[{}] * 20)
        jobs = w.gather(20)
        os.kill(house.broker.pid, signal.SIGSTOP)
        until(lambda: state(house.broker.pid) == "T", "the broker to stand still")
        for job in jobs:
            w.done(job)
        w.send({"op": "bye"})
        q.send({"op": "call", "fn": fn}, {})
        time.sleep(0.1)  # what ZeroMQ sends from threads of its own reaches the kernel
        house.broker.terminate()
        os.kill(house.broker.pid, signal.SIGCONT)
        assert [a.status for a in p.answers(20).values()] == ["ok"] * 20
        assert q.recv()[0]["status"] == "unavailable"
        assert house.broker.wait() == 0


def test_daemon_with_no_broker_yet():
    """It starts, warms, waits; and serves as soon as there is one."""
    with House({"settle_ms": 5000}, start=False) as house:
        d = house.start_daemon(["echo", "stats"], ready=False)
        d.says("event=worker_proven")
        until(lambda: d.text().count("event=worker_proven") == 2, "both to be proven")
        assert "event=ready" not in d.text()
        p = house.producer()
        p.send({"op": "call", "fn": "echo.echo"}, {"data": "early"})
        house.start_broker()
        header, payloads = p.recv()
        assert header["status"] == "ok" and payloads == [{"data": b"early"}]
        d.says("event=ready ")


# ---- the daemon

def test_daemon_killed():
    """Its workers die with it; the broker gives their jobs back after lease_ms, and the next daemon answers them."""
    with House({"lease_ms": 400, "beat_ms": 50}) as house:
        d = house.start_daemon(["echo"])
        worker = pid(house, "echo")
        p = house.producer()
        p.send({"op": "call", "fn": "echo.sleep"}, {"ms": 200})
        busy(house, "echo.sleep")
        before = house.counters()
        d.kill()
        until(lambda: state(worker) in ("", "Z"), "its worker to die with it")
        assert house.moves(before, workers_lost=1, nodes_lost=1, jobs_given_back=1)
        house.start_daemon(["echo"], name="next")
        header, _ = p.recv()
        assert header["status"] == "ok" and header["attempt"] == 1 and header["worker"].startswith("next.echo.")


def test_two_daemons_share_the_work():
    with House() as house:
        house.start_daemon(["echo"], name="a")
        house.start_daemon(["echo"], name="b")
        until(lambda: len(house.workers("echo")) == 2, "both")
        answers = house.producer().calls([{"fn": "echo.sleep"}] * 2, [{"ms": 150}] * 2)
        assert {a.worker.split(".")[0] for a in answers.values()} == {"a", "b"}
        assert len(house.stats()["nodes"]) == 2


def test_drain_under_load():
    """SIGTERM to one of two daemons while jobs pour in: every job is answered, by the one that stays or by the one that
    goes, and none is charged an attempt or a crash."""
    with House() as house:
        leaving = house.start_daemon(["echo"], name="leaving")
        house.start_daemon(["echo"], name="staying")
        until(lambda: len(house.workers("echo")) == 2, "both")
        p = house.producer()
        before = house.counters()
        n = 600
        for i in range(n):
            if i == 100:
                until(lambda: house.moved(before).get("jobs_ended", 0) > 5, "some to be done")
            if i == 150:
                leaving.terminate()
            p.send({"op": "call", "fn": "echo.sleep", "id": i}, {"ms": 2})
        got = {}
        for _ in range(n):
            header, _ = p.recv()
            assert header["status"] == "ok" and header["attempt"] == 1 and header["id"] not in got, header
            got[header["id"]] = header["worker"].split(".")[0]
        assert leaving.wait() == 0
        assert set(got.values()) == {"leaving", "staying"}
        moved = house.moved(before)
        assert moved["jobs_called"] == moved["jobs_ended"] == n
        until(lambda: house.moved(before).get("workers_left") == 1, "the worker to say bye")
        assert not {"jobs_crashed", "done_stale", "workers_lost"} & set(moved), moved


def test_drain_finishes_what_runs():
    with House() as house:
        d = house.start_daemon(["echo"])
        p = house.producer()
        # Leased is not yet started, and what was not started is given back. The second starts as soon as the first is answered.
        p.send({"op": "call", "fn": "echo.sleep", "jobs": [{}, {}]}, {"ms": 50}, {"ms": 2000})
        p.answers(1)[0].expect("ok")
        time.sleep(0.5)
        d.terminate()
        second = p.answers(1)[1].expect("ok")
        assert second.result["slept_ms"] >= 2000
        assert d.wait() == 0
        until(lambda: not house.stats()["nodes"] and not house.workers("echo"), "both to have left")


def test_drain_has_an_end():
    """What does not finish within drain_ms is cut short and given back."""
    with House() as house:
        d = house.start_daemon([bad("crash")], drain_ms=200)
        p = house.producer()
        before = house.counters()
        p.send({"op": "call", "fn": "crash.crash"}, {"how": "hang"})
        busy(house, "crash.crash")
        d.terminate()
        assert d.wait() == 0
        until(lambda: house.function("crash.crash")["queued"] == 1, "the job to be given back")
        assert house.moved(before).get("jobs_crashed") is None


def test_a_second_signal_hastens():
    with House() as house:
        d = house.start_daemon(["echo"], drain_ms=600000)
        p = house.producer()
        worker = pid(house, "echo")
        p.send({"op": "call", "fn": "echo.sleep", "timeout_ms": 86400000}, {"ms": 60000})
        busy(house, "echo.sleep")
        until(lambda: asleep(worker), "the worker to sleep in the plugin, not in poll")
        d.terminate()
        d.says("event=stopping ")
        d.terminate()
        header, _ = p.recv()
        assert header["status"] == "unavailable" and "the daemon stops" in header["error"]  # retryable
        assert d.wait() == 0
