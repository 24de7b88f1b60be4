"""Approximate greedy selection (Roth et al. 2022, their code's "approx_greedy_coreset") in PyTorch eager, two threads.

Reads {"path": file of float32 rows, "width": n, "count": n}; prints seconds and the largest distance of a row to the
nearest chosen one. Distances begin as means to ten random rows; then the farthest row joins, one at a time.
"""
import json, sys, time
import numpy as np
import torch

torch.set_num_threads(2)
torch.manual_seed(0)


def distances(rows, squares, centre):
    """Distances of all rows to some, by |a|^2 + |b|^2 - 2ab."""
    products = rows @ centre.T
    return (squares[:, None] - 2 * products + (centre ** 2).sum(1)[None]).clamp(min=0).sqrt()


for line in sys.stdin:
    request = json.loads(line)
    rows = torch.from_numpy(np.fromfile(request["path"], dtype=np.float32).reshape(-1, request["width"]))
    with torch.no_grad():
        started = time.perf_counter()
        squares = (rows ** 2).sum(1)
        nearest = distances(rows, squares, rows[torch.randperm(len(rows))[:10]]).mean(1)
        chosen = []
        for _ in range(request["count"]):
            farthest = int(nearest.argmax())
            chosen.append(farthest)
            nearest = torch.minimum(nearest, distances(rows, squares, rows[farthest : farthest + 1])[:, 0])
        seconds = time.perf_counter() - started
        radius = torch.cat([distances(part, (part ** 2).sum(1), rows[chosen]).min(1).values for part in rows.split(4096)]).max()
    print(json.dumps({"seconds": seconds, "radius": float(radius)}), flush=True)
