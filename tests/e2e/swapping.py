# SPDX-License-Identifier: MPL-2.0
"""The plugin `swap` in its builds (tests/plugins), put in the place of one another while producers call it."""
import os
import shutil
import signal
import subprocess
import threading

from house import BUILD, House, environment, until

BUILDS = {
    "swap": {1: "swap_1", 2: "swap_2", "wrong_golden": "swap_wrong_golden", "init_crash": "swap_init_crash",
             "wrong_abi": "swap_wrong_abi", "hangs": "swap_hangs"},
    "trial": {1: "trial_1", 2: "trial_2", "off": "trial_off", "slow": "trial_slow", "crash": "trial_crash", "extra": "trial_extra",
              "fails": "trial_fails", "impure": "trial_impure", "less": "trial_less"},
}


class Swapped:
    """A house with the plugin swap (or trial) in a folder of its own, and its configuration, which may be written anew."""

    def __init__(self, house, bad, workers=2, watch=False, plugin="swap", **keys):
        self.house, self.bad, self.plugin = house, bad, plugin
        self.file = os.path.join(house.folder, plugin + ".so")
        self.keys = {"name": plugin, "file": self.file, "workers": workers, "limits": {"warm_ms": 20000}, **keys}
        self.put(1)
        self.daemon = house.start_daemon([self.keys], watch=watch)
        until(house.plugins, "the node to have said hello")

    def build(self, version):
        return self.bad(BUILDS[self.plugin][version])

    def put(self, version):
        """As `install` or `mv` does: another file takes the name."""
        shutil.copyfile(self.build(version), self.file + ".new")
        os.chmod(self.file + ".new", 0o755)
        os.rename(self.file + ".new", self.file)

    def overwrite(self, version):
        with open(self.build(version), "rb") as f, open(self.file, "r+b") as to:
            data = f.read()
            to.write(data)
            to.truncate(len(data))

    def truncate_and_write(self, version):
        with open(self.build(version), "rb") as f, open(self.file, "wb") as to:
            data = f.read()
            for at in range(0, len(data), 4096):
                to.write(data[at:at + 4096])
                to.flush()

    def reload(self, says="event=reloaded "):
        seen = self.daemon.text().count(says)
        os.kill(self.daemon.pid, signal.SIGHUP)
        until(lambda: self.daemon.text().count(says) > seen, "the reload to end")

    def ask(self, *plugins, op="reload", **keys):
        """The operation itself; the answers by node."""
        p = self.house.producer()
        try:
            header, payloads = p.ask({"op": op, **({"plugins": list(plugins)} if plugins else {}), **keys})
        finally:
            p.close()
        assert header["op"] == op and header["status"] == "ok", header
        return {n["node"]: n for n in payloads[0]["nodes"]}

    def one(self, *plugins, **keys):
        """What came of the one plugin at the one node."""
        (node,) = self.ask(*plugins, **keys).values()
        (plugin,) = node["plugins"]
        assert (node["status"] == "ok") == (plugin["result"] in ("promoted", "unchanged", "loaded", "removed", "rolled_back")), node
        return plugin

    def kiln(self, *words):
        """As a person would; exit status, standard output, standard error."""
        done = subprocess.run([os.path.join(BUILD, "kiln"), "--broker", self.house.front, *words], capture_output=True,
                              text=True, env=environment(), check=False)
        return done.returncode, done.stdout, done.stderr

    def version(self):
        return self.house.producer().call("swap.answer").expect("ok").result["version"]

    def staged(self):
        return sorted(f for _, _, files in os.walk(f"{self.house.folder}/run-node") for f in files if f != ".lock")

    def state(self):
        return until(lambda: self.house.plugins().get(self.plugin), "the node's word about its plugins")


class Traffic:
    """Producers that call without a pause, several jobs under way each; every answer is kept."""

    def __init__(self, house, producers=3, under_way=20, fns=("swap.answer",), ok=("ok",)):
        self.fns, self.ok = fns, ok
        self.stop, self.answers, self.faults = threading.Event(), [], []
        self.threads = [threading.Thread(target=self.run, args=(house, under_way)) for _ in range(producers)]
        for t in self.threads:
            t.start()

    def run(self, house, under_way):
        p = house.producer()
        sent, waiting = 0, {}
        try:
            while not self.stop.is_set() or waiting:
                while len(waiting) < under_way and not self.stop.is_set():
                    sent += 1
                    p.send({"op": "call", "fn": self.fns[sent % len(self.fns)], "id": str(sent)}, {"x": float(sent)})
                    waiting[str(sent)] = float(sent)
                header, (result,) = p.recv()
                asked = waiting.pop(header["id"])  # a second answer to the same job has no place: KeyError
                if header["status"] not in self.ok or (result and result["x"] != asked):
                    self.faults.append((header, result))
                self.answers.append((header["plugin"], result and result.get("version")))
        except Exception as e:  # noqa: BLE001: whatever it is, the test shall see it
            self.faults.append(repr(e))

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()
        assert not self.faults, self.faults[:5]
        return self.answers
