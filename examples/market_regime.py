#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""A market-regime classifier: trained with scikit-learn on daily bars, written as ONNX, served by Kiln.

    examples/market_regime.py train examples/models/regime/1      model.onnx, golden.json, contract.json; figures on later days
    examples/market_regime.py check ipc:///run/kiln/kiln.sock     trains the same, then asks Kiln for every row and compares

From what is known when a day closes (returns, volatility, ranges, volume, takers; nothing of later days) it says whether the next five
days go up, down or neither by more than is usual for the asset. It is an example of how a model gets there, not advice: figures on the
days it was not trained on are printed beside those of a guess.

`train` and `check` need python3-sklearn, python3-onnx and, for `check`, python3-zmq and python3-msgpack. The features need nothing but
Python: whoever asks a model computes them with the function that it was trained with (the demo does)."""
import csv
import json
import math
import os
import sys

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "crypto-daily-2021-2022.csv")
ASSETS = ["BTC", "ETH", "XRP", "SOL", "ADA", "XLM"]
COLUMNS = ["return_1", "return_5", "return_20", "volatility_10", "volatility_30", "range_10", "place_20", "trend_10_50", "volume_z_20",
           "taker_share_5", "relative_20"]
HISTORY, AHEAD, USUAL = 50, 5, 0.5  # days behind and ahead; a move counts from half a usual one
LAST_TRAINED = "2022-04-30"         # labels look AHEAD days further; tests begin after those
TOLERANCE = 1e-5


# ---- features: Python's standard library only

def read_bars():
    bars = {asset: {"date": [], "open": [], "high": [], "low": [], "close": [], "volume": [], "taker_buy_volume": []}
            for asset in ASSETS}
    with open(DATA, encoding="ascii") as f:
        for row in csv.DictReader(f):
            for column, values in bars[row["asset"]].items():
                values.append(row[column] if column == "date" else float(row[column]))
    return bars


def mean(values):
    return sum(values) / len(values)


def deviation(values):
    m = mean(values)
    return math.sqrt(sum((v - m) ** 2 for v in values) / len(values))


def ratio(a, b, otherwise=0.0):
    return a / b if b else otherwise


def features(bars, asset, i):
    """COLUMNS of an asset at the end of day i, from that day and the HISTORY before it."""
    b = bars[asset]
    close, high, low, volume = (b[k][i - HISTORY:i + 1] for k in ("close", "high", "low", "volume"))
    steps = [math.log(y / x) for x, y in zip(close, close[1:])]
    market = mean([math.log(bars[a]["close"][i] / bars[a]["close"][i - 20]) for a in ASSETS])
    top, bottom = max(high[-20:]), min(low[-20:])
    return [
        steps[-1], sum(steps[-5:]), sum(steps[-20:]),
        deviation(steps[-10:]), deviation(steps[-30:]),
        mean([(h - l) / c for h, l, c in zip(high[-10:], low[-10:], close[-10:])]),
        ratio(close[-1] - bottom, top - bottom, 0.5),
        mean(close[-10:]) / mean(close[-50:]) - 1,
        ratio(volume[-1] - mean(volume[-20:]), deviation(volume[-20:])),
        ratio(sum(b["taker_buy_volume"][i - 4:i + 1]), sum(volume[-5:]), 0.5),
        sum(steps[-20:]) - market,
    ]


def regime(bars, asset, i):
    """What the AHEAD days after day i were: measured by the asset's volatility of the 30 days before."""
    close = bars[asset]["close"]
    usual = deviation([math.log(y / x) for x, y in zip(close[i - 30:i], close[i - 29:i + 1])]) * math.sqrt(AHEAD)
    move = math.log(close[i + AHEAD] / close[i])
    return "bull" if move > USUAL * usual else "bear" if move < -USUAL * usual else "flat"


def days(bars, asset):
    return range(HISTORY, len(bars[asset]["date"]))


# ---- training

def examples(bars):
    """Rows (float32, as the model takes them), labels, dates, assets of all days whose future is known."""
    import numpy as np
    found = [(features(bars, a, i), regime(bars, a, i), bars[a]["date"][i], a)
             for a in ASSETS for i in days(bars, a) if i + AHEAD < len(bars[a]["close"])]
    x, y, dates, assets = zip(*found)
    return np.array(x, np.float32), np.array(y), np.array(dates), np.array(assets)


def split(dates):
    """Earlier days to train, later ones to judge, and between them those whose labels look into the later ones: neither."""
    import numpy as np
    later = sorted(set(dates[dates > LAST_TRAINED]))
    return dates <= LAST_TRAINED, dates > later[AHEAD - 1] if later else np.zeros(len(dates), bool)


def train(x, y):
    """The same model for the same rows. Shallow trees, few of them: there is little to be learnt."""
    from sklearn.ensemble import GradientBoostingClassifier
    return GradientBoostingClassifier(n_estimators=40, max_depth=2, learning_rate=0.05, subsample=0.5, min_samples_leaf=30,
                                      random_state=7).fit(x, y)


def report(model, x, y, early, late):
    """Accuracy and log loss on days it was not trained on, beside those of always saying how often each class was."""
    import numpy as np
    shares = np.array([(y[early] == c).mean() for c in model.classes_])
    for name, rows in (("trained on", early), ("later days", late)):
        at = np.searchsorted(model.classes_, y[rows])
        p = model.predict_proba(x[rows])
        print(f"  {name}: {rows.sum()} rows, right {(p.argmax(1) == at).mean():.3f} (a guess {(shares.argmax() == at).mean():.3f}), "
              f"log loss {-np.log(p[np.arange(len(at)), at]).mean():.4f} (a guess {-np.log(shares[at]).mean():.4f})")


def fitted():
    """(model, rows, labels, dates): rows are all days."""
    x, y, dates, _ = examples(read_bars())
    early, late = split(dates)
    model = train(x[early], y[early])
    report(model, x, y, early, late)
    return model, x, y, dates


def golden(model, x):
    return {"inputs": {"x": x.tolist()}, "outputs": {"label": model.predict(x).tolist(), "probabilities": model.predict_proba(x).tolist()},
            "rtol": TOLERANCE, "atol": TOLERANCE}


def contract(model, x):
    """What rows look like: drift is measured against the quantiles of the training days."""
    import numpy as np
    quantiles = np.quantile(x, np.linspace(0, 1, 101), axis=0)
    return {"inputs": {"x": {"columns": [{"name": name, "sample": [round(float(v), 6) for v in quantiles[:, k]]}
                                         for k, name in enumerate(COLUMNS)]}}, "classes": model.classes_.tolist()}


def write(folder):
    import sk2onnx
    model, x, _, dates = fitted()
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(sk2onnx.convert(model, len(COLUMNS)).SerializeToString())
    for name, value in (("golden", golden(model, x[::len(x) // 12])), ("contract", contract(model, x[split(dates)[0]]))):
        with open(os.path.join(folder, f"{name}.json"), "w", encoding="ascii") as f:
            json.dump(value, f)
            f.write("\n")


# ---- checking what is served

def check(endpoint):
    """Every row, in jobs of 64: labels equal, probabilities within TOLERANCE."""
    import msgpack
    import numpy as np
    import zmq
    model, x, _, _ = fitted()
    socket = zmq.Context().socket(zmq.DEALER)
    socket.connect(endpoint)
    socket.setsockopt(zmq.RCVTIMEO, 30000)
    worst = wrong = 0
    for at in range(0, len(x), 64):
        rows = x[at:at + 64]
        socket.send_multipart([msgpack.packb({"op": "call", "fn": "inference.predict"}),
                               msgpack.packb({"model": "regime", "inputs": {"x": rows.tolist()}})])
        header, result = map(msgpack.unpackb, socket.recv_multipart())
        if header["status"] != "ok":
            raise SystemExit(f"rows {at}...: {header['status']}: {header.get('error')}")
        worst = max(worst, np.abs(np.array(result["outputs"]["probabilities"]) - model.predict_proba(rows)).max())
        wrong += (np.array(result["outputs"]["label"]) != model.predict(rows)).sum()
    print(f"  {len(x)} rows: {wrong} labels differ, probabilities differ by at most {worst:.2g}")
    return 1 if wrong or worst > TOLERANCE else 0


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("train", "check"):
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    return write(sys.argv[2]) if sys.argv[1] == "train" else check(sys.argv[2])


if __name__ == "__main__":
    sys.exit(main())
