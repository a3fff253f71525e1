# SPDX-License-Identifier: MPL-2.0
"""Fair shares by key, and quotas of keys."""
import signal
import subprocess

import pytest

from house import BUILD, House, conf, environment, pack, until


def flood(p, fn, n, **keys):
    """n calls in lists of 4,096, packed."""
    for at in range(0, n, 4096):
        k = min(4096, n - at)
        p.send_raw(pack({"op": "call", "fn": fn, "timeout_ms": 3600000, "jobs": [{"id": at + i} for i in range(k)], "sizes": [1] * k, **keys}),
                   b"\x80" * k)


@pytest.fixture(scope="module")
def wide():
    with House({"queue_limit": 100000}) as house:
        yield house


def test_a_flood_of_one_key_lets_others_pass(wide):
    """A hundred thousand jobs of one key wait; each job of another key is in the next delivery or the one after, always."""
    w, a, b = wide.worker(functions=[{"name": "f", "max_batch": 1, "warm_us": 900000.0}]), wide.producer(), wide.producer()
    fn = f"{w.plugin}.f"
    flood(a, fn, 100000, key="a")
    until(lambda: wide.function(fn)["queued"] == 100000, "the flood to wait")
    a_busy = wide.producer().call(fn, key="a").expect("busy", None, "100000 jobs", "queue_limit")
    assert a_busy.field is None
    w.credit(1)
    served = w.jobs()
    for n in range(300):  # the queue is full, and yet b's jobs are taken: the reserve
        b.send({"op": "call", "fn": fn, "id": n, "key": "b"}, {"b": n})
        until(lambda: wide.counters()["jobs_called"] == 100001 + n, "it to be taken")
        order = []
        while not any(j.result for j in order):
            w.done(served, run_ns=900000000)
            served = w.jobs()
            order += served
        assert len(order) <= 2 and order[-1].result == {"b": n}
        while not b.silent():
            b.recv()
    left = wide.function(fn)["queued"]
    assert left >= 100000 - 2 * 300
    w.send({"op": "bye"})
    assert wide.counters()["jobs_refused"] == 1


def test_without_keys_jobs_are_served_in_order(broker, producer):
    w, other = broker.worker(), broker.producer()
    fn = f"{w.plugin}.f"
    for n in range(4):
        (producer, other)[n % 2].send({"op": "call", "fn": fn}, {"n": n})
        until(lambda: broker.function(fn)["queued"] == n + 1, "it to wait")
    w.credit(4)
    jobs = w.gather(4)
    assert [j.result["n"] for j in jobs] == [0, 1, 2, 3]
    w.done(jobs)


def test_answers_of_a_key_do_not_wait_for_a_flood():
    """Through real workers: the other key's calls are all answered while most of the flood still waits."""
    with House({"queue_limit": 20000}) as house:
        house.start_daemon([{"name": "echo", "workers": 2}])
        a, b = house.producer(), house.producer()
        a.send({"op": "call", "fn": "echo.sleep", "jobs": [{}] * 3000, "key": "a"}, *[{"ms": 5}] * 3000)
        until(lambda: house.function("echo.sleep")["count"] > 20, "the flood to run")
        for _ in range(30):
            assert b.call("echo.sleep", {"ms": 1}, key="b").status == "ok"
        f = house.function("echo.sleep")
        assert f["queued"] > 1500, f  # served in turns, 30 of b cost a some 30 of its turns
        keys = {k["key"]: k for k in house.stats()["keys"]}
        assert keys["b"]["taken"] == 30 and keys["b"]["jobs"] == 0 and keys["a"]["jobs"] > 1500


def test_the_command_line_says_a_key():
    with House({"quotas": [{"key": "team", "jobs": 1, "weight": 2}]}) as house:
        house.start_daemon(["echo"])
        for words, rc in ((("call", "echo.sleep", "ms=1", "--share", "team"), 0), (("submit", "echo.sleep", "ms=1", "--id", "later", "--delay", "3600000", "--share", "team"), 0),
                          (("call", "echo.sleep", "ms=1", "--share", "team"), None), (("call", "echo.sleep", "ms=1"), 0)):
            ran = subprocess.run([f"{BUILD}/kiln", "--broker", house.front, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=environment(), timeout=60)
            if rc is None:
                assert ran.returncode != 0 and 'key "team" has 1 jobs waiting or running and may have 1' in ran.stderr, ran
            else:
                assert ran.returncode == rc, ran
        keys = {k["key"]: k for k in house.stats()["keys"]}
        assert keys["team"] == {"key": "team", "jobs": 1, "bytes": keys["team"]["bytes"], "taken": 2, "refused": 1, "weight": 2} and keys[""]["taken"] == 1
        assert house.producer().about("cancel", "later").status == "ok"


@pytest.mark.parametrize("key, shown", [(7, "key is 7"), ("k" * 65, "key is "), ("a\nb", "key is "), (["a"], "key is a list")])
def test_a_bad_key_is_refused(broker, producer, key, shown):
    w = broker.worker()
    producer.call(f"{w.plugin}.f", key=key).expect("invalid", "key", shown, "expected a string of at most 64 bytes")


@pytest.fixture(scope="module")
def limited():
    quotas = [{"key": "jobs", "jobs": 3}, {"key": "bytes", "bytes": 1000}, {"key": "rate", "rate": 1, "burst": 5},
              {"key": "*", "jobs": 50}, {"key": "", "jobs": 60}, {"key": "big", "weight": 3}]
    with House({"quotas": quotas}) as house:
        yield house


def test_quota_of_jobs(limited):
    w, p = limited.worker(), limited.producer()
    fn = f"{w.plugin}.f"
    before = limited.counters()
    p.send({"op": "call", "fn": fn, "key": "jobs", "jobs": [{}] * 5}, *[{}] * 5)
    refused = p.answers(2)
    assert set(refused) == {3, 4}
    refused[3].expect("busy", "key", 'key "jobs" has 3 jobs waiting or running and may have 3 (quotas.jobs)')
    assert limited.moves(before, jobs_called=3, jobs_refused=2, quota_jobs=2)
    other = limited.producer()
    other.send({"op": "call", "fn": fn}, {"other": 1})  # nobody else is touched
    w.credit(10)
    w.done(w.gather(4))
    assert other.recv()[0]["status"] == "ok" and len(p.answers(3)) == 3
    p.send({"op": "call", "fn": fn, "key": "jobs"}, {})  # there is room again
    w.done(w.job())
    assert p.recv()[0]["status"] == "ok"
    # Delayed jobs count, results do not.
    for n in range(3):
        assert p.submit(fn, f"q{n}", key="jobs", not_before_ms=600000).status == "accepted"
    p.submit(fn, "q3", key="jobs").expect("busy", "key")
    assert p.submit(fn, "q0", key="jobs").status == "duplicate"  # costs nothing
    assert p.about("cancel", "q0").status == "ok"
    assert p.submit(fn, "q3", key="jobs").status == "accepted"
    w.done(w.job())
    assert p.result("q3").status == "ok"
    assert [x.status for x in p.about("cancel", "q1", "q2")] == ["ok", "ok"]
    assert {k["key"]: k for k in limited.stats()["keys"]}["jobs"]["refused"] == 3


def test_quota_of_bytes(limited):
    w, p = limited.worker(), limited.producer()
    fn = f"{w.plugin}.f"
    before = limited.counters()
    p.send({"op": "call", "fn": fn, "key": "bytes"}, {"x": bytes(600)})
    p.call(fn, {"x": bytes(600)}, key="bytes").expect("busy", "key", 'key "bytes" hold 60', "may hold 1000 (quotas.bytes)")
    p.call(fn, {"x": bytes(1200)}, key="bytes").expect("invalid", "key", "expected at most 1000")
    assert limited.moves(before, jobs_called=1, jobs_refused=2, quota_bytes=2)
    w.credit(1)
    w.done(w.job())
    assert p.recv()[0]["status"] == "ok"
    p.send({"op": "call", "fn": fn, "key": "bytes"}, {"x": bytes(600)})
    w.credit(1)
    w.done(w.job())
    assert p.recv()[0]["status"] == "ok"


def test_quota_of_rate(limited):
    """Five at once; the sixth is told when to come again, and is taken some time later."""
    w, p = limited.worker(), limited.producer()
    fn = f"{w.plugin}.f"
    w.credit(100)
    before = limited.counters()
    p.send({"op": "call", "fn": fn, "key": "rate", "jobs": [{}] * 20}, *[{}] * 20)
    refused = p.answers(15)
    refused[19].expect("busy", "key", 'key "rate" has sent 5 jobs at once and may send 1 a second', "try again in ")
    assert limited.moves(before, jobs_called=5, jobs_refused=15, quota_rate=15, jobs_delivered=5, deliveries=1)
    w.done(w.gather(5))
    assert len(p.answers(5)) == 5
    p.send({"op": "call", "fn": fn, "key": "other"}, {})
    w.done(w.job())
    assert p.recv()[0]["status"] == "ok"

    def again():
        before = limited.counters()
        p.send({"op": "call", "fn": fn, "key": "rate"}, {})
        until(lambda: limited.moved(before), "it to be taken or not")
        if limited.moved(before).get("quota_rate"):
            assert p.recv()[0]["status"] == "busy"
            return False
        w.done(w.job())
        return p.recv()[0]["status"] == "ok"

    until(again, "the rate to allow one more")


def test_other_keys_have_the_row_of_others(limited):
    """Each for itself; and so has "" its own."""
    w, p = limited.worker(), limited.producer()
    fn = f"{w.plugin}.f"
    for key, n in (("x", 50), ("y", 50), (None, 60)):
        p.send({"op": "call", "fn": fn, "jobs": [{"key": key}] * 70}, *[{}] * 70)
        refused = p.answers(70 - n)
        assert set(refused) == set(range(n, 70)) and {a.status for a in refused.values()} == {"busy"}
    w.credit(200)
    left = 160
    while left:
        jobs = w.jobs()
        w.done(jobs)
        left -= len(jobs)


def test_weights_give_more_turns(limited):
    w, p = limited.worker(functions=[{"name": "f", "max_batch": 1, "warm_us": 900000.0}]), limited.producer()
    fn = f"{w.plugin}.f"
    for key in ("one", "big"):
        p.send({"op": "call", "fn": fn, "key": key, "jobs": [{}] * 45}, *[{"k": key}] * 45)
    until(lambda: limited.function(fn)["queued"] == 90, "all to wait")
    w.credit(1)
    got = []
    for _ in range(40):
        job = w.job()
        got.append(job.result["k"])
        w.done(job, run_ns=900000000)
    assert 29 <= got.count("big") <= 31, got


def test_wrong_quotas_are_refused(tmp_path):
    conf = tmp_path / "k.conf"
    for text, words in (('( { key = "a"; rate = -1; } )', "k.conf:2: broker.quotas.rate is -1, expected a whole number 0..10000000 jobs/s"),
                        ('( { key = "a"; }, { key = "a"; } )', 'the row of key "a" is there twice'),
                        ("7", "broker.quotas is no list")):
        conf.write_text("broker = {\n quotas = " + text + ";\n};\n")
        ran = subprocess.run([f"{BUILD}/kiln-broker", "--test-config", "-c", str(conf)], stderr=subprocess.PIPE, text=True)
        assert ran.returncode != 0 and words.replace('"', '\\"') in ran.stderr or words in ran.stderr, ran.stderr


def test_a_reload_changes_quotas():
    """SIGHUP: new rows hold for jobs that come from then on, also of keys that are known; wrong rows change nothing."""
    with House({"quotas": [{"key": "a", "jobs": 1}]}) as house:
        w, p = house.worker(), house.producer()
        fn = f"{w.plugin}.f"

        def reload(quotas, words):
            seen = house.broker.text().count(words)
            house.write("broker.conf", "broker = " + conf({**house.broker_conf, "quotas": quotas}) + ";\n")
            house.broker.popen.send_signal(signal.SIGHUP)
            until(lambda: house.broker.text().count(words) > seen, words)

        p.send({"op": "call", "fn": fn, "key": "a", "id": 0}, {})
        p.call(fn, key="a").expect("busy", "key", "may have 1")
        reload([{"key": "a", "jobs": -2}], "event=reload_refused")
        p.call(fn, key="a").expect("busy", "key", "may have 1")
        reload([{"key": "a", "jobs": 2}, {"key": "*", "jobs": 1}], "event=reloaded")
        p.send({"op": "call", "fn": fn, "key": "a", "id": 1}, {})
        p.call(fn, key="a").expect("busy", "key", "may have 2")
        p.send({"op": "call", "fn": fn, "key": "b", "id": 2}, {})
        p.call(fn, key="b").expect("busy", "key", "may have 1")
        reload([], "event=reloaded")
        p.send({"op": "call", "fn": fn, "key": "b", "id": 3}, {})
        until(lambda: house.function(fn)["queued"] == 4, "all to be taken")
        w.credit(4)
        w.done(w.gather(4))
        assert {p.recv()[0]["id"] for _ in range(4)} == {0, 1, 2, 3}
