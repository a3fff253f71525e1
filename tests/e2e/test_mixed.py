# SPDX-License-Identifier: MPL-2.0
"""Mixed loads: functions that take long and functions that take none, on the same workers. No flood of one keeps out the other;
counted in jobs and messages, so that no clock is asked."""
from house import Answer, House, until

SHORT, LONG = 10.0, 50000.0


def mixed_worker(house, middle=1500.0):
    return house.worker(functions=[{"name": "short", "max_batch": 64, "warm_us": SHORT}, {"name": "long", "max_batch": 1, "warm_us": LONG},
                                   {"name": "middle", "max_batch": 1, "warm_us": middle}])


def finish(w, jobs):
    us = {"short": SHORT, "long": LONG, "middle": 1500.0}[jobs[0].fn.split(".")[1]]
    w.done(jobs, run_ns=int(us * 1000 * len(jobs)))


def flood(house, p, fn, n):
    for at in range(0, n, 4000):
        k = min(4000, n - at)
        p.send({"op": "call", "fn": fn, "jobs": [{"id": at + i} for i in range(k)]}, *[{}] * k)
    until(lambda: house.function(fn)["queued"] == n, "the flood to wait")


def given(house, w):
    """The messages of jobs that came until now. When the first beat is answered, all that was said before is taken; figures are answered behind
    the workers' part of a turn; so the turn's deliveries are sent before the second beat is taken."""
    found = []
    for _ in range(2):
        w.send({"op": "beat"})
        while True:
            header, payloads = w.recv()
            if header["op"] == "beat":
                break
            if header["op"] == "jobs":
                found.append([Answer(j, p, {"fn": header["fn"]}) for j, p in zip(header["jobs"], payloads)])
        house.counters()
    return found


def overtaken(house, w, held, fn):
    """Messages that were given before one of fn came, while the worker always has work of the flood: it answers in slices, a third of
    what it has at a time, as a real one does, and is never idle."""
    seen = 0
    while True:
        slice = held[:max(1, len(held) // 3)]
        del held[:len(slice)]
        finish(w, slice)
        for jobs in given(house, w):
            held += jobs
            if jobs[0].fn == fn:
                return seen
            seen += 1
        assert held and seen < 50, "the flood keeps it out"


def test_a_flood_of_short_jobs_lets_long_ones_in():
    """A long job fits into no gap that is left ahead of a busy worker; it is its turn all the same."""
    with House({"queue_limit": 100000}) as house:
        for slow in ("long", "middle"):
            w, p, q = mixed_worker(house), house.producer(), house.producer()
            flood(house, p, f"{w.plugin}.short", 20000)
            w.credit(4000)
            for n in range(5):
                held = w.jobs()
                q.send({"op": "call", "fn": f"{w.plugin}.{slow}", "id": n}, {})
                until(lambda: house.function(f"{w.plugin}.{slow}")["queued"] + house.function(f"{w.plugin}.{slow}")["running"] == 1, "it to be taken")
                assert overtaken(house, w, held, f"{w.plugin}.{slow}") <= 6
                for jobs in (held[:-1], held[-1:]):  # the flood's, and the one
                    finish(w, jobs)
                assert q.recv()[0]["id"] == n
            assert house.function(f"{w.plugin}.short")["queued"] > 10000
            w.bye()


def test_a_flood_of_long_jobs_lets_short_ones_in():
    """A short job waits for the long one that runs, and at most for another: functions have turns."""
    with House({"queue_limit": 100000}) as house:
        w, p, q = mixed_worker(house), house.producer(), house.producer()
        flood(house, p, f"{w.plugin}.long", 500)
        w.credit(4000)
        for n in range(20):
            running = w.jobs()
            assert len(running) == 1 and running[0].fn.endswith(".long")
            q.send({"op": "call", "fn": f"{w.plugin}.short", "id": n}, {})
            until(lambda: house.function(f"{w.plugin}.short")["queued"] == 1, "it to wait")
            finish(w, running)
            jobs = w.jobs()
            if jobs[0].fn.endswith(".long"):
                finish(w, jobs)
                jobs = w.jobs()
            assert jobs[0].fn.endswith(".short")
            finish(w, jobs)
            assert q.recv()[0]["id"] == n
        assert house.function(f"{w.plugin}.long")["queued"] > 400


def test_real_workers_with_both_at_once():
    """Two workers, a flood of sleeps of 20 ms, a flood of echoes, and calls of each beside them: each call is answered while the floods
    still wait."""
    with House({"queue_limit": 100000}) as house:
        house.start_daemon([{"name": "echo", "workers": 2}])
        a, b, c = (house.producer() for _ in range(3))
        assert c.call("echo.sleep", {"ms": 20}).status == "ok"
        a.send({"op": "call", "fn": "echo.sleep", "jobs": [{}] * 2000}, *[{"ms": 20}] * 2000)
        until(lambda: house.function("echo.sleep")["queued"] > 1900, "the long flood to wait")
        for _ in range(20):
            assert c.call("echo.echo", {"data": b"x"}).status == "ok"
        assert house.function("echo.sleep")["queued"] > 1000
        for _ in range(10):
            b.send({"op": "call", "fn": "echo.scale", "jobs": [{}] * 4000}, *[{"x": [1.0] * 50}] * 4000)
        assert c.call("echo.repeat", {"x": [1.0], "times": 2}).status == "ok"
        assert house.function("echo.sleep")["queued"] > 500
