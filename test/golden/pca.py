"""Writes pca.json: image AUROC of scikit-learn's PCA (32 components) on MNIST and Fashion-MNIST, one class normal.

Made with scikit-learn 1.2.1 and NumPy 1.24.2 (Debian 12), from the root of the repository:
python3 test/golden/pca.py <folder of MNIST> <folder of Fashion-MNIST> && npx biome format --write test/golden/pca.json
The whole official training part of the class fits (nothing is held out), the whole official test part is scored.
residual: mean squared difference to the reconstruction; t2: sum of squared codes over their variances.
"""
import gzip
import json
import os
import sys

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score


def idx(folder, name):
    with gzip.open(os.path.join(folder, name + ".gz")) as f:
        data = f.read()
    rank = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def images(folder, part):
    x = idx(folder, part + "-images-idx3-ubyte")
    return x.reshape(len(x), -1) / 255.0, idx(folder, part + "-labels-idx1-ubyte")


out = {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "components": 32}
for name, folder in zip(["mnist", "fashion-mnist"], sys.argv[1:3]):
    train, train_labels = images(folder, "train")
    test, test_labels = images(folder, "t10k")
    rows = []
    for c in range(10):
        pca = PCA(n_components=32, svd_solver="full").fit(train[train_labels == c])
        codes = pca.transform(test)
        residual = ((test - pca.inverse_transform(codes)) ** 2).mean(axis=1)
        t2 = (codes**2 / pca.explained_variance_).sum(axis=1)
        aurocs = [float("%.6f" % roc_auc_score(test_labels != c, s)) for s in (residual, t2)]
        rows.append({"residual": aurocs[0], "t2": aurocs[1]})
        print(name, c, *aurocs)
    out[name] = rows
with open(os.path.join(os.path.dirname(__file__), "pca.json"), "w") as f:
    json.dump(out, f, indent=1)
