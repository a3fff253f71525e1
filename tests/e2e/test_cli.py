# SPDX-License-Identifier: MPL-2.0
"""The `kiln` command: every verb, tables and JSON, exit statuses by kind of failure, and errors that say what to do next."""
import csv
import json
import os
import pty
import subprocess

import numpy
import pytest

from house import BUILD, PATIENCE, ROOT, House, environment, until

pytestmark = pytest.mark.usefixtures("house")

CSV = os.path.join(ROOT, "examples", "data", "crypto-daily-2021-2022.csv")
KILN = os.path.join(BUILD, "kiln")


@pytest.fixture
def kiln(house, tmp_path):
    """Runs the command; its standard output. `fails` is the exit status expected, `says` what standard error must hold."""

    def run(*args, fails=0, says=(), input=None, broker=None):
        p = subprocess.run([KILN, *args], capture_output=True, text=True, check=False, timeout=PATIENCE + 10, input=input, cwd=tmp_path,
                           env={**environment(), "KILN_BROKER": broker or house.front})
        assert p.returncode == fails, f"{args} ended with {p.returncode}:\n{p.stdout}{p.stderr}"
        for words in [says] if isinstance(says, str) else says:
            assert words in p.stderr, f"{words!r} is not in {p.stderr!r}"
        assert fails or says or p.stderr == "", p.stderr
        return p.stdout

    return run


@pytest.fixture
def prices(tmp_path):
    (tmp_path / "p.csv").write_text("date,close,asset\n2021,1.5,A\n2022,2.5,A\n2023,,A\n2024,9,B\n")


def bars(asset, column):
    with open(CSV, encoding="utf-8") as f:
        return numpy.array([float(r[column]) for r in csv.DictReader(f) if r["asset"] == asset])


# ---- call

def test_call_with_a_column(kiln, prices):
    assert json.loads(kiln("call", "stats.describe", "x=@p.csv:close?asset=A", "nan_policy=omit"))["mean"] == 2
    assert json.loads(kiln("call", "stats.mean", "x=@p.csv:close")) == {"mean": None}


def test_call_on_real_data(kiln):
    got = json.loads(kiln("call", "stats.describe", f"x=@{CSV}:close?asset=ETH"))
    eth = bars("ETH", "close")
    assert got["nobs"] == len(eth) and got["mean"] == pytest.approx(eth.mean(), rel=1e-12) and got["max"] == eth.max()
    got = json.loads(kiln("call", "indicators.sma", f"close=@{CSV}:close?asset=BTC&last=30", "period=30"))
    assert got["sma"][:29] == [None] * 29 and got["sma"][29] == pytest.approx(bars("BTC", "close")[-30:].mean(), rel=1e-12)


def test_call_with_json(kiln, tmp_path):
    request = {"staking": {"eth": {"staking_pct": 0.8}}}
    (tmp_path / "request.json").write_text(json.dumps(request))
    from_file = kiln("call", "staking.calculate", "--json", "request.json")
    assert from_file == kiln("call", "staking.calculate", "--json", "-", input=json.dumps(request))
    assert from_file == kiln("call", "staking.calculate", "staking.eth.staking_pct=0.8")
    over = json.loads(kiln("call", "staking.calculate", "--json", "request.json", "staking.eth.staking_pct=0.7"))
    assert over["parameters_used"]["staking"]["eth"]["staking_pct"] == 0.7
    rows = json.loads(kiln("call", "staking.calculate", "--form", "rows"))
    assert len(rows["sensitivity_analysis_2d"]) == 961 and rows["sensitivity_analysis_2d"][0]["eth_staking_level"] == 0.7


def test_words_of_every_kind(kiln, tmp_path):
    assert json.loads(kiln("call", "echo.scale", "x=[1, 2.385, null]", "k=2")) == {"y": [2, 4.77, None]}
    assert kiln("call", "echo.scale", "x=[1]", "k=-inf", fails=3, says=["k is", "inf", "expected a finite number"]) == ""
    (tmp_path / "m.bin").write_bytes(b"\x00\x01\xff")
    assert kiln("call", "echo.echo", "data=@m.bin")
    assert json.loads(kiln("call", "stats.describe", "x=[1,2,4]", "bias=false"))["nobs"] == 3


def test_table_output(kiln):
    assert kiln("call", "stats.mean", "x=[1,2,3.5]", "-o", "table").split() == ["mean", "2.166666667"]


def test_on_a_terminal_results_are_for_people(house):
    """Through a pseudo-terminal: aligned text, not JSON."""
    main, side = pty.openpty()
    p = subprocess.run([KILN, "-b", house.front, "call", "stats.mean", "x=[1,2,3.5]"], stdout=side, stderr=subprocess.PIPE, check=False,
                       timeout=PATIENCE, env=environment())
    os.close(side)
    text = os.read(main, 10000).decode()
    os.close(main)
    assert p.returncode == 0 and text.split() == ["mean", "2.166666667"]


def test_verbose(kiln):
    kiln("call", "stats.mean", "x=[1,2]", "-v", says=["queue ", "run ", "round trip ", "stats/1.0.0+"])


# ---- failures

@pytest.mark.parametrize("args, status, says", [
    (["call", "stats.mean", "x=[]"], 3, ["stats.mean: invalid: x is empty", "kiln describe stats.mean"]),
    (["call", "stats.mean"], 3, ["x is missing, expected x or data"]),
    (["call", "stats.meen", "x=[1]"], 4, ["unknown_function", "nearest:", "stats.mean", "kiln functions"]),
    (["call", "echo.sleep", "ms=60000", "--timeout", "50"], 7, ["deadline", "--timeout MS"]),
    (["describe", "no.such"], 4, ["no.such"]),
    (["result", "never-submitted"], 5, ["unknown_job"]),
    (["-b", "bogus", "ping"], 3, ["bogus"]),
    (["foo"], 2, ['no verb "foo"', "kiln help"]),
    (["call"], 2, ["FN is missing", "usage: kiln call"]),
    (["call", "stats.mean", "x"], 2, ['"x" is no argument', "NAME=VALUE"]),
    (["call", "stats.mean", "--colour"], 2, ["--colour"]),
    (["call", "stats.mean", "x=@nofile.csv:close"], 2, ["nofile.csv"]),
    (["call", "stats.mean", "x=@p.csv:nocol"], 2, ['no column "nocol"', "date, close, asset"]),
    (["call", "stats.mean", "x=[1,"], 2, ["x"]),
    (["call", "stats.mean", "--json", "nofile.json"], 2, ["nofile.json"]),
    (["call", "stats.mean", "x=[1]", "--priority", "10"], 2, ["--priority", "0..9"]),
    (["submit", "stats.mean", "x=[1]"], 2, ["id"]),
    (["result"], 2, ["ID"]),
])
def test_failure(kiln, prices, args, status, says):
    assert kiln(*args, fails=status, says=says) == ""


def test_no_broker(kiln):
    kiln("ping", fails=6, says=["no broker answers at ipc:///tmp/none-here", "does not exist", "KILN_BROKER", "start one:"],
         broker="ipc:///tmp/none-here")


def test_poison_and_full_queue():
    with House({"queue_limit": 1}) as house:
        house.start_daemon([{"name": "error_return", "file": f"{BUILD}/tests/plugins/error_return.so"}])

        def status(*args):
            return subprocess.run([KILN, "-b", house.front, *args], capture_output=True, text=True, check=False, timeout=PATIENCE,
                                  env=environment())

        for how, code in (("failed", 9), ("resource", 9), ("temporary", 6), ("cancelled", 8), ("nonsense", 10), ("ok", 0)):
            p = status("call", "error_return.f", f"how={how}")
            assert p.returncode == code, p.stderr
        w, p = house.worker(), house.producer()
        p.send({"op": "call", "fn": f"{w.plugin}.f"}, {})
        p.ask({"op": "ping"})
        busy = status("call", f"{w.plugin}.f")
        assert busy.returncode == 6 and "busy" in busy.stderr and "the same may work later" in busy.stderr


# ---- submit and what follows

def test_submit_and_result(kiln, house):
    before = house.counters()
    assert kiln("submit", "stats.mean", "--id", "c1", "x=[1,2]") == "c1 accepted\n"
    assert kiln("submit", "stats.mean", "--id", "c1", "x=[1,2]") == "c1 duplicate\n"
    assert json.loads(kiln("result", "c1", "--wait", "20000")) == {"mean": 1.5}
    assert kiln("status", "c1").split("\n")[1].split() == ["c1", "done", "1", "ok"]
    row, = json.loads(kiln("status", "c1", "--json"))
    assert row["id"] == "c1" and row["status"] == "ok" and row["state"] == "done"
    assert "conflict" in kiln("cancel", "c1", fails=5)
    assert "ok" in kiln("forget", "c1")
    kiln("result", "c1", fails=5, says="unknown_job")
    assert "unknown_job" in kiln("status", "c1", fails=5)
    moved = house.moved(before)
    assert moved["jobs_submitted"] == 1 and moved["jobs_duplicate"] == 1


def test_cancel(kiln):
    kiln("submit", "stats.mean", "--id", "c2", "--delay", "600000", "x=[1]")
    assert "delayed" in kiln("status", "c2")
    assert "ok" in kiln("cancel", "c2")
    kiln("result", "c2", fails=8, says="cancelled")


def test_a_job_that_failed(kiln):
    kiln("submit", "stats.mean", "--id", "c3", "x=[]")
    kiln("result", "c3", "--wait", "20000", fails=3, says="x is empty")


def test_ttl_and_deadline(kiln):
    kiln("submit", "stats.mean", "--id", "c4", "--delay", "600000", "--ttl", "20", "x=[1]")
    kiln("result", "c4", "--wait", "20000", fails=7, says="expired")
    kiln("submit", "stats.mean", "--id", "c5", "--delay", "600000", "--deadline", "20", "x=[1]")
    kiln("result", "c5", "--wait", "20000", fails=7, says="deadline")


# ---- what there is

def test_functions(kiln):
    names = [l.split()[0] for l in kiln("functions").strip().split("\n")[1:]]
    assert names == sorted(names) and {"stats.mean", "staking.calculate", "indicators.cvd", "echo.echo"} <= set(names)
    assert [f["name"] for f in json.loads(kiln("functions", "--json"))] == names
    assert [l.split()[0] for l in kiln("functions", "zscore").strip().split("\n")[1:]] == ["stats.zscore", "stats.rolling_zscore", "indicators.volume_flow_summary"]  # called so, in the name, in the help
    for word, fn in FOREIGN.items():
        found = kiln("functions", word)
        assert fn in found, (word, fn, found)


# How people of NumPy, SciPy, pandas and TA-Lib ask for a function.
FOREIGN = {"bollinger": "indicators.bbands", "RSI": "indicators.rsi", "BBANDS": "indicators.bbands", "stochastic": "indicators.stoch",
           "corrcoef": "stats.correlation", "percentile": "stats.quantile", "kstest": "stats.ks_1samp", "mad": "stats.median_abs_deviation", "acf": "stats.autocorrelation",
           "ols": "stats.lstsq", "pct_change": "indicators.rocp", "cov": "stats.covariance", "norm": "stats.dist_norm",
           "Mann-Whitney": "stats.mannwhitneyu", "Kolmogorov-Smirnov": "stats.ks_2samp", "polyfit": "stats.polyfit", "ewm": "stats.ewm_mean",
           "STOCH": "indicators.stoch", "ATR": "indicators.atr"}


@pytest.mark.parametrize("fn, words", [
    ("stats.mean", ["stats.mean", "PARAMETERS", "nan_policy", "propagate|omit|raise", "RESULTS", "EXAMPLES", "kiln call stats.mean"]),
    ("staking.calculate", ["staking.eth.staking_pct", "0..1", "redemption.distribution[]", "sensitivity_analysis_2d"]),
    ("indicators.rsi", ["period", "2..100000", "14"]),
])
def test_describe(kiln, fn, words):
    page = kiln("describe", fn)
    for word in words:
        assert word in page
    contract = json.loads(kiln("describe", fn, "--json"))
    assert f"{contract['plugin']}.{contract['name']}" == fn and contract["params"] and contract["results"]


def test_commands_of_a_description_can_be_pasted(kiln, house):
    """Each `kiln call` line of stats.mean's page, run by a shell, prints what the page says."""
    lines = kiln("describe", "stats.mean").split("\n")
    ran = 0
    for i, line in enumerate(lines):
        if line.strip().startswith("kiln call "):
            p = subprocess.run(line.strip().replace("kiln", KILN, 1), shell=True, capture_output=True, text=True, check=False, timeout=PATIENCE,
                               env={**environment(), "KILN_BROKER": house.front})
            said = lines[i + 1].strip().removeprefix("-> ")
            ran += 1
            if said.startswith("{"):
                got, want = json.loads(p.stdout), json.loads(said)
                assert all(got[k] is None and v is None or got[k] == pytest.approx(v) for k, v in want.items())
            else:
                assert p.returncode == 3 and said.split(": ", 1)[1] in p.stderr
    assert ran >= 3


def test_plugins(kiln, house):
    page = kiln("plugins")
    for name in ("echo", "stats", "staking", "indicators"):
        row = next(l.split() for l in page.split("\n") if l.startswith(name + " "))
        assert row[1] == "ready" and row[2] == "1.0.0" and row[5] == row[6] == "0" and row[7] == "node"
    assert "cold us" in page and "warm us" in page and "ratio" in page and "stats.describe" in page
    data = json.loads(kiln("plugins", "--json"))
    assert {p["name"] for n in data["nodes"] for p in n["plugins"]} == {"echo", "stats", "staking", "indicators"}
    assert all(f["cold_us"] > 0 and f["warm_us"] > 0 for w in data["workers"] for f in w["report"]["functions"])


def test_plugins_that_failed_say_why():
    with House() as house:
        house.start_daemon([{"name": "wrong_golden", "file": f"{BUILD}/tests/plugins/wrong_golden.so", "required": False}], ready=False)
        until(lambda: house.plugins().get("wrong_golden", {}).get("state") == "failed", "it to fail")
        p = subprocess.run([KILN, "-b", house.front, "plugins"], capture_output=True, text=True, check=False, timeout=PATIENCE, env=environment())
        assert "failed" in p.stdout and "4.78" in p.stdout


def test_stats(kiln):
    kiln("call", "stats.var", "x=[1,2]")
    page = kiln("stats")
    row = next(l for l in page.split("\n") if l.startswith("stats.var "))
    assert int(row.split()[1]) >= 1 and row.count("/") == 6
    for word in ("count", "errors", "queue us", "run us", "total us", "p50 / p95 / p99"):
        assert word in page
    data = json.loads(kiln("stats", "--json"))
    f = next(f for f in data["functions"] if f["name"] == "stats.var")
    assert f["count"] >= 1 and all(f[t]["p50"] <= f[t]["p95"] <= f[t]["p99"] for t in ("queue", "run", "total"))
    assert data["broker"]["counters"]["jobs_called"] >= 1


def test_stats_of_everything(kiln):
    every = kiln("stats", "--all")
    assert len([l for l in every.split("\n") if l.startswith(("stats.", "staking.", "indicators.", "echo."))]) >= 24


def test_ping(kiln, house):
    assert "answered in" in kiln("ping") and house.front in kiln("ping")
    data = json.loads(kiln("ping", "--json"))
    assert data["protocol"] == 1 and data["journal"] == "memory" and data["round_us"] > 0


def test_help(kiln):
    page = kiln("help")
    for verb in ("call", "submit", "result", "status", "cancel", "forget", "functions", "describe", "plugins", "stats", "ping", "check", "help"):
        assert f"\n  {verb} " in page
        assert kiln("help", verb).startswith(f"kiln {verb}")
        assert kiln(verb, "--help") == kiln("help", verb)


def test_output_that_goes_nowhere(house):
    """A closed pipe ends it; nothing is said of it."""
    p = subprocess.run(f"{KILN} -b {house.front} call staking.calculate | head -c 1 >/dev/null", shell=True, capture_output=True, text=True,
                       check=False, timeout=PATIENCE, env=environment())
    assert p.returncode == 0 and p.stderr == ""
