"""Writes metrics.json: metrics of scikit-learn, SciPy and NumPy for inputs that both sides make from one random stream.

Made with scikit-learn 1.2.1, SciPy 1.10.1 and NumPy 1.24.2 (Debian 12), from the root of the repository:
python3 test/golden/metrics.py && npx biome format --write test/golden/metrics.json
AUPRO is written out from its definition with scipy.ndimage.label and numpy.trapz, in float64.
"""
import json
import os

import numpy as np
from scipy import ndimage
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    fbeta_score,
    jaccard_score,
    roc_auc_score,
    roc_curve,
)

EIGHT = np.ones((3, 3))


def stream(seed, n):
    """x <- (1103515245 x + 12345) mod 2^31; x / 2^31."""
    x, out = seed, []
    for _ in range(n):
        x = (1103515245 * x + 12345) % 2**31
        out.append(x / 2**31)
    return np.array(out)


golden = {}

# 400 items, a quarter anomalous, scores of two decimals: many ties.
r = stream(1, 800)
y = (r[:400] < 0.25).astype(int)
a = np.floor(100 * (r[400:] + 0.5 * y)) / 100
b = np.floor(100 * (stream(2, 400) + 0.3 * y)) / 100
fpr, tpr, _ = roc_curve(y, a, drop_intermediate=False)
rates = [0, 0.01, 0.05, 0.1, 0.3, 1]
golden["items"] = {
    "auroc": roc_auc_score(y, a),
    "ap": average_precision_score(y, a),
    "rates": rates,
    "tprAtFpr": [float(tpr[fpr <= rate].max()) for rate in rates],
    "tnrAtFnr": [float((1 - fpr)[1 - tpr <= rate].max()) for rate in rates],
}


def best(value):
    """The largest value over thresholds, of equal ones the lowest threshold."""
    return max((round(value(t), 12), -t) for t in np.unique(a))


golden["fBeta"] = [
    {"beta": beta, "value": v, "threshold": -t}
    for beta in (0.5, 1, 2)
    for v, t in [best(lambda t: fbeta_score(y, a >= t, beta=beta))]
]

costs = {"falseAlarm": 1, "miss": 20, "prevalence": 0.02}


def cost(t):
    miss = np.mean(a[y == 1] < t)
    false_alarm = np.mean(a[y == 0] >= t)
    p = costs["prevalence"]
    return p * costs["miss"] * miss + (1 - p) * costs["falseAlarm"] * false_alarm


v, t = best(lambda t: -cost(t))
golden["cost"] = {"costs": costs, "expected": -v, "threshold": -t}

# Stratified percentile bootstrap with NumPy's generator: 20,000 rounds, so the ends are known to about .001.
# AUROC = mean over drawn pairs of [anomalous > normal] + [equal] / 2: how often each item is drawn suffices.
rng = np.random.default_rng(7)
draws0 = rng.multinomial(np.sum(y == 0), np.full(np.sum(y == 0), 1 / np.sum(y == 0)), 20000)
draws1 = rng.multinomial(np.sum(y == 1), np.full(np.sum(y == 1), 1 / np.sum(y == 1)), 20000)


def drawn_auroc(s):
    d = s[y == 1][None, :] - s[y == 0][:, None]
    wins = np.where(d > 0, 1, np.where(d == 0, 0.5, 0))
    return np.sum(draws0 @ wins * draws1, axis=1) / np.sum(y == 0) / np.sum(y == 1)


rounds = np.stack([drawn_auroc(a), drawn_auroc(b)], axis=1)
golden["bootstrap"] = {
    "auroc": np.percentile(rounds[:, 0], [2.5, 97.5]).tolist(),
    "difference": roc_auc_score(y, a) - roc_auc_score(y, b),
    "differenceInterval": np.percentile(rounds[:, 0] - rounds[:, 1], [5, 95]).tolist(),
}

# Four maps of 24 x 20; the first mask is empty. Scores of two decimals.
masks, maps = [], []
for i in range(4):
    noise = stream(10 + i, 480).reshape(24, 20)
    mask = (noise < 0.06 * i).astype(int)
    masks.append(ndimage.binary_dilation(mask, structure=[[0, 0, 0], [0, 1, 1], [0, 0, 0]]).astype(int))
    maps.append(np.floor(100 * (stream(20 + i, 480).reshape(24, 20) + 0.4 * masks[i])) / 100)
masks, maps = np.array(masks), np.array(maps)
labelled = [ndimage.label(m, structure=EIGHT) for m in masks]
weights = np.zeros(masks.shape)  # 1 / |region|
for i, (label, n) in enumerate(labelled):
    for k in range(1, n + 1):
        weights[i][label == k] = 1 / np.sum(label == k)
count = sum(n for _, n in labelled)


def aupro(limit):
    thresholds = np.unique(maps)[::-1]
    x = [0.0] + [np.mean(maps[masks == 0] >= t) for t in thresholds]
    y = [0.0] + [np.sum(weights[maps >= t]) / count for t in thresholds]
    inside = [(u, v) for u, v in zip(x, y) if u < limit]
    inside.append((limit, np.interp(limit, x, y)))
    u, v = np.array(inside).T
    return float(np.trapz(v, u) / limit)


golden["pixels"] = {
    "auroc": roc_auc_score(masks.ravel(), maps.ravel()),
    "ap": average_precision_score(masks.ravel(), maps.ravel()),
    "aupro": [{"limit": limit, "value": aupro(limit)} for limit in (0.01, 0.05, 0.3, 1)],
    "dice": f1_score(masks.ravel(), (maps >= 0.9).ravel().astype(int)),
    "iou": jaccard_score(masks.ravel(), (maps >= 0.9).ravel().astype(int)),
}
# Each region as x, y, width, height, area, centre x, centre y, peak.
golden["regions"] = []
for i, (label, n) in enumerate(labelled):
    centres = ndimage.center_of_mass(masks[i], label, range(1, n + 1))
    peaks = ndimage.maximum(maps[i], label, range(1, n + 1))
    rows = []
    for k, (down, across) in enumerate(ndimage.find_objects(label)):
        box = [across.start, down.start, across.stop - across.start, down.stop - down.start]
        rows.append([*box, np.sum(label == k + 1), *centres[k][::-1], peaks[k]])
    golden["regions"].append([[round(float(v), 9) for v in row] for row in rows])

with open(os.path.join(os.path.dirname(__file__), "metrics.json"), "w") as f:
    json.dump(golden, f, indent=2, default=float)
    f.write("\n")
