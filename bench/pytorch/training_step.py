"""The same networks in PyTorch eager, two threads. Reads one JSON line {"net": i, "steps": n} at a time, prints seconds."""
import json, sys, time
import torch
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(0)


def strided(width):
    w = [3, width, 2 * width, 4 * width]
    layers = []
    for i in range(3):
        layers += [nn.Conv2d(w[i], w[i + 1], 4, 2, 1), nn.BatchNorm2d(w[i + 1]), nn.ReLU()]
    for i in (3, 2):
        layers += [nn.ConvTranspose2d(w[i], w[i - 1], 4, 2, 1), nn.BatchNorm2d(w[i - 1]), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(w[1], 3, 4, 2, 1), nn.Sigmoid())


def seed():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 7),
        nn.ConvTranspose2d(64, 32, 7), nn.ReLU(), nn.ConvTranspose2d(32, 16, 3, 2, 1, 1), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 3, 2, 1, 1), nn.Tanh())


cases = [(lambda: strided(32), (64, 3, 32, 32)), (lambda: strided(64), (64, 3, 32, 32)),
         (lambda: strided(32), (16, 3, 128, 128)), (seed, (128, 1, 28, 28))]
built = {}
for line in sys.stdin:
    request = json.loads(line)
    i = request["net"]
    if i not in built:
        make, shape = cases[i]
        net = make()
        built[i] = (net, torch.optim.Adam(net.parameters(), 1e-3), torch.rand(shape))
    net, optimizer, x = built[i]
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(request["steps"]):
        optimizer.zero_grad()
        loss = ((net(x) - x) ** 2).mean()
        loss.backward()
        optimizer.step()
    print(json.dumps({"seconds": time.perf_counter() - started, "cpuSeconds": time.process_time() - cpu, "loss": float(loss)}), flush=True)
