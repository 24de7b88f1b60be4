"""Deep SVDD's training steps on 28 x 28 digits in PyTorch eager, two threads, written after the published nets: a step of
the autoencoder, then one of the encoder. Reads one JSON line {"net": i, "steps": n} at a time, prints seconds."""
import json, sys, time
import torch
from torch import nn
from torch.nn.functional import interpolate, leaky_relu, max_pool2d

torch.set_num_threads(2)
torch.manual_seed(0)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-4, affine=False)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(1, 8, 5, bias=False, padding=2), norm(8)
        self.conv2, self.norm2 = nn.Conv2d(8, 4, 5, bias=False, padding=2), norm(4)
        self.code = nn.Linear(4 * 7 * 7, 32, bias=False)

    def forward(self, x):
        h = max_pool2d(leaky_relu(self.norm1(self.conv1(x))), 2)
        h = max_pool2d(leaky_relu(self.norm2(self.conv2(h))), 2)
        return self.code(h.flatten(1))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.up1, self.norm1 = nn.ConvTranspose2d(2, 4, 5, bias=False, padding=2), norm(4)
        self.up2, self.norm2 = nn.ConvTranspose2d(4, 8, 5, bias=False, padding=3), norm(8)
        self.up3 = nn.ConvTranspose2d(8, 1, 5, bias=False, padding=2)

    def forward(self, z):
        h = interpolate(leaky_relu(z.view(-1, 2, 4, 4)), scale_factor=2)
        h = interpolate(leaky_relu(self.norm1(self.up1(h))), scale_factor=2)
        h = interpolate(leaky_relu(self.norm2(self.up2(h))), scale_factor=2)
        return torch.sigmoid(self.up3(h))


class Case:
    def __init__(self, with_decoder):
        self.encoder, self.decoder = Encoder(), Decoder() if with_decoder else None
        weights = list(self.encoder.parameters()) + (list(self.decoder.parameters()) if with_decoder else [])
        self.optimizer = torch.optim.Adam(weights, 1e-4, weight_decay=5e-4 if with_decoder else 5e-7)
        self.x, self.centre = torch.rand(200, 1, 28, 28), torch.full((32,), .1)

    def step(self):
        self.optimizer.zero_grad()
        code = self.encoder(self.x)
        apart = (self.decoder(code) - self.x) ** 2 if self.decoder else (code - self.centre) ** 2
        loss = apart.flatten(1).sum(1).mean()
        loss.backward()
        self.optimizer.step()
        return loss


cases = [Case(True), Case(False)]
for line in sys.stdin:
    request = json.loads(line)
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(request["steps"]):
        loss = cases[request["net"]].step()
    print(json.dumps({"seconds": time.perf_counter() - started, "cpuSeconds": time.process_time() - cpu, "loss": float(loss)}), flush=True)
