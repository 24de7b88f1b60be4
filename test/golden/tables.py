"""Writes tables.json: scores of detectors of rows, of scikit-learn where it has them, else of short twins from the papers.

Made with scikit-learn 1.2.1 and NumPy 1.24.2 (Debian 12), from the root of the repository:
python3 test/golden/tables.py && npx biome format --write test/golden/tables.json
Rows are float32. LOF, GMM and the one-class SVM are scikit-learn's; ECOD, COPOD, HBOS, LODA and the extended isolation forest
are written here from the equations. Random parts (projections of LODA, a forest) are drawn here and stored with their scores.
"""
import json
import math
import os

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

rng = np.random.RandomState(7)


def rows(n):
    """Skewed, skewed to the left, of few values, and correlated columns, in two groups that lie well apart."""
    group = rng.randint(0, 2, n)
    a = rng.gamma(2.0, 0.3, n)
    b = -rng.gamma(1.5, 0.4, n) + 6.0 * group
    c = rng.randint(0, 4, n) * 0.25 + 0.01 * rng.randn(n) * (rng.rand(n) < 0.5)
    d = 0.6 * a + 0.3 * b + 0.1 * rng.randn(n)
    return np.stack([a, b, c, d], 1).astype(np.float32).astype(np.float64)


train = rows(120)
odd = np.array([[9, 0, 0, 0], [0.5, 3, 0.5, 1], [0.4, 5.5, 0.25, -2], [-1, -4, 2, -9], [0.6, -0.5, 0.6, 0.2]])
test = np.concatenate([train[:3], rows(9), odd]).astype(np.float32).astype(np.float64)


def tails(x):
    """Left and right tails of the rows with one more appended, and the one on the side of the skew."""
    both = np.concatenate([train, x[None]])
    left = -np.log((both <= x).sum(0) / len(both))
    right = -np.log((both >= x).sum(0) / len(both))
    skewness = ((train - train.mean(0)) ** 3).mean(0)
    return left, right, np.where(skewness < 0, left, right)


def ecod(x):
    return max(t.sum() for t in tails(x))


def copod(x):
    left, right, skewed = tails(x)
    return np.maximum(skewed, (left + right) / 2).sum()


def hbos(bins=10, alpha=0.1, tolerance=0.5):
    scores = np.zeros(len(test))
    for c in range(train.shape[1]):
        density, edges = np.histogram(train[:, c], bins=bins, density=True)
        logs = np.log2(density + alpha)
        place = np.clip(np.searchsorted(edges, test[:, c], side="right") - 1, 0, bins - 1)
        loss = logs.max() - logs[place]
        slack = (edges[1] - edges[0]) * tolerance
        outside = (test[:, c] < edges[0] - slack) | (test[:, c] > edges[-1] + slack)
        scores += np.where(outside, logs.max() - logs.min(), loss)
    return scores


def histogram(z, margin=1e-5):
    """The bins of Birgé and Rozenholc, and −log of the share of each."""
    n = len(z)
    m = margin * (z.max() - z.min())
    low, high = z.min() - m, z.max() + m
    best = None
    for b in range(1, int(n / math.log(n)) + 1):
        counts = np.bincount(np.minimum(((z - low) / (high - low) * b).astype(int), b - 1), minlength=b)
        seen = counts[counts > 0]
        worth = (seen * np.log(b * seen / n)).sum() - (b - 1 + math.log(b) ** 2.5)
        if best is None or worth > best[0]:
            best = (worth, b, counts)
    _, b, counts = best
    return low, (high - low) / b, -np.log(np.maximum(counts, 0.5) / n)


def loda(count=20):
    directions = np.zeros((count, train.shape[1]))
    for p in range(count):
        chosen = rng.permutation(train.shape[1])[:2]
        directions[p, chosen] = rng.randn(2)
    directions = directions.astype(np.float32).astype(np.float64)
    losses = np.zeros((len(test), count))
    bins = []
    for p in range(count):
        low, step, loss = histogram(train @ directions[p])
        bins.append(len(loss))
        place = np.floor((test @ directions[p] - low) / step).astype(int)
        empty = -math.log(0.5 / len(train))
        losses[:, p] = [loss[b] if 0 <= b < len(loss) else empty for b in place]
    uses = directions != 0
    maps = []
    for row in losses:
        t = []
        for c in range(train.shape[1]):
            own, others = row[uses[:, c]], row[~uses[:, c]]
            error = own.var(ddof=1) / len(own) + others.var(ddof=1) / len(others)
            t.append(max(0.0, (own.mean() - others.mean()) / math.sqrt(error + 1e-12)))
        maps.append(t)
    return {"directions": directions.tolist(), "bins": bins, "scores": losses.mean(1).tolist(), "maps": maps}


def usual(n):
    return 0.0 if n <= 1 else 1.0 if n == 2 else 2 * (math.log(n - 1) + np.euler_gamma) - 2 * (n - 1) / n


def forest(trees=10, sample=32):
    """Grown by algorithm 2, full extension; nested: [slopes, offset, left, right] or the number of rows in a leaf."""

    def grow(x, level):
        if level >= math.ceil(math.log2(sample)) or len(x) <= 1:
            return len(x)
        slope = rng.randn(x.shape[1])
        slope = (slope / np.linalg.norm(slope)).astype(np.float32).astype(np.float64)
        offset = float(np.float32(slope @ rng.uniform(x.min(0), x.max(0))))
        left = x @ slope <= offset
        return [slope.tolist(), offset, grow(x[left], level + 1), grow(x[~left], level + 1)]

    def length(tree, x, level=0):
        if isinstance(tree, int):
            return level + usual(tree)
        slope, offset, left, right = tree
        return length(left if np.dot(x, slope) <= offset else right, x, level + 1)

    grown = [grow(train[rng.permutation(len(train))[:sample]], 0) for _ in range(trees)]
    scores = [2 ** (-np.mean([length(t, x) for t in grown]) / usual(sample)) for x in test]
    return {"sample": sample, "trees": grown, "scores": [float(s) for s in scores]}


def gmm(k):
    fitted = GaussianMixture(k, reg_covar=1e-3, random_state=0).fit(train)
    return (-fitted.score_samples(test)).tolist()


def ocsvm(nu):
    fitted = OneClassSVM(nu=nu, tol=1e-9).fit(train)
    return (1 - fitted.decision_function(test) / (nu * len(train))).tolist()


out = {
    "scikit-learn": sklearn.__version__,
    "numpy": np.__version__,
    "train": train.tolist(),
    "test": test.tolist(),
    "ecod": [ecod(x) for x in test],
    "copod": [copod(x) for x in test],
    "hbos": hbos().tolist(),
    "lof": (-LocalOutlierFactor(n_neighbors=20, novelty=True).fit(train).score_samples(test)).tolist(),
    "gmm": {str(k): gmm(k) for k in (1, 2)},
    "ocsvm": {str(nu): ocsvm(nu) for nu in (0.1, 0.5)},
    "loda": loda(),
    "extended-isolation-forest": forest(),
}
with open(os.path.join(os.path.dirname(__file__), "tables.json"), "w") as f:
    json.dump(out, f)
