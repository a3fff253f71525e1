# SPDX-License-Identifier: MPL-2.0
"""Steady load: producers in threads, each with a window of calls under way, who keep account of every answer.

    with Load(house, producers=3, fn="echo.sleep", args={"ms": 5}) as load:
        load.passes(100)          # waits for a hundred more answers
        ...
    load.settled()                # every call was answered exactly once, with ok"""
import threading
import time

import zmq

from house import CONTEXT, PATIENCE, pack, unpack, until


class Stream(threading.Thread):
    def __init__(self, endpoint, window, patience_ms, header, payload):
        super().__init__(daemon=True)
        self.endpoint, self.window, self.patience_s = endpoint, window, patience_ms / 1e3
        self.header, self.payload = {"op": "call", "timeout_ms": 600000, **header}, pack(payload)
        self.sent, self.answered, self.twice, self.strange = 0, 0, 0, []
        self.statuses, self.workers, self.slowest_us = {}, {}, 0
        self.under_way, self.lost, self.lost_ever = {}, set(), 0  # id: when it was sent
        self.ending = False

    def take(self, socket):
        frames = socket.recv_multipart()
        header, now = unpack(frames[0]), time.monotonic()
        id = header.get("id")
        if header["op"] != "reply":
            self.strange.append(header)
        elif self.under_way.pop(id, None) is None and id not in self.lost:
            self.twice += 1
        else:
            if id in self.lost:  # late: it was not lost after all
                self.lost.discard(id)
                self.lost_ever -= 1
            self.answered += 1
            self.statuses[header["status"]] = self.statuses.get(header["status"], 0) + 1
            self.slowest_us = max(self.slowest_us, header["timing"]["total_us"] if "timing" in header else 0)
            worker = header.get("worker")
            self.workers[worker] = self.workers.get(worker, 0) + 1
        return now

    def stuck(self):
        """Does it wait for calls for much longer than any of them takes?"""
        now = time.monotonic()
        return any(now - at > self.patience_s * 0.9 for at in list(self.under_way.values()))

    def run(self):
        socket = CONTEXT.socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(self.endpoint)
        try:
            while not self.ending or self.under_way:
                while not self.ending and len(self.under_way) < self.window:
                    self.under_way[self.sent] = time.monotonic()
                    socket.send_multipart([pack({**self.header, "id": self.sent}), self.payload])
                    self.sent += 1
                if socket.poll(20):
                    self.take(socket)
                now = time.monotonic()
                for id in [i for i, at in self.under_way.items() if now - at > self.patience_s]:
                    del self.under_way[id]
                    self.lost.add(id)
                    self.lost_ever += 1
        finally:
            socket.close()


class Load:
    def __init__(self, house, producers=3, window=8, patience_ms=PATIENCE * 1000, fn="echo.sleep", args=None, **keys):
        self.streams = [Stream(house.front, window, patience_ms, {"fn": fn, **keys}, args or {}) for _ in range(producers)]
        self.before = house.counters()
        self.house = house

    def __enter__(self):
        for s in self.streams:
            s.start()
        return self

    def total(self, what):
        return sum(getattr(s, what) for s in self.streams)

    def merged(self, what):
        found = {}
        for s in self.streams:
            for k, v in list(getattr(s, what).items()):
                found[k] = found.get(k, 0) + v
        return found

    def passes(self, n):
        """Until n more answers have come."""
        goal = self.total("answered") + n
        until(lambda: self.total("answered") >= goal, f"{n} more answers")

    def by_node(self):
        """Answers by the node of the worker that gave them: workers are called node.plugin.number."""
        found = {}
        for worker, n in self.merged("workers").items():
            node = (worker or "").split(".")[0]
            found[node] = found.get(node, 0) + n
        return found

    def serves(self, node, n=10):
        """Until the node has given n more answers."""
        goal = self.by_node().get(node, 0) + n
        until(lambda: self.by_node().get(node, 0) >= goal, f"{n} more answers of {node}")

    def end(self):
        for s in self.streams:
            s.ending = True
        for s in self.streams:
            s.join(PATIENCE + 60)
            assert not s.is_alive(), f"{len(s.under_way)} calls are unanswered"

    def __exit__(self, *_):
        self.end()

    def settled(self):
        """Every call was answered exactly once, with ok; and the broker counted the same."""
        sent = self.total("sent")
        assert self.total("answered") == sent and self.total("twice") == 0 and not any(s.lost or s.strange for s in self.streams)
        assert self.merged("statuses") == {"ok": sent}
        moved = until(lambda: (m := self.house.moved(self.before)).get("jobs_ended") == sent and m, "the broker to count all ends")
        assert moved["jobs_called"] == sent and "jobs_refused" not in moved and "answers_dropped" not in moved, moved
        # What was delivered beyond once a job had been given back or had come back in some other counted way.
        assert moved["jobs_delivered"] == sent + moved.get("jobs_given_back", 0) + moved.get("jobs_crashed", 0), moved
        stats = self.house.stats()
        assert stats["broker"]["leases_open"] == 0 and all(f["queued"] == f["running"] == 0 for f in stats["functions"])
        return moved
