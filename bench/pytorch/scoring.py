"""The exported autoencoder's network in PyTorch eager, two threads: reads {"batch": n, "runs": n}, prints seconds."""
import json, sys, time
import torch
from torch import nn

torch.set_num_threads(2)
torch.manual_seed(0)


class Autoencoder(nn.Module):
    """The default ("strided") network of oddity's autoencoder at 3 x 128 x 128: five halvings, code 32."""

    def __init__(self, channels=3, width=32, code=32, depth=5, side=128):
        super().__init__()
        widths = [channels] + [width << min(i, 3) for i in range(depth)]
        down, up = [], []
        for i in range(depth):
            down += [nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1, bias=False), nn.BatchNorm2d(widths[i + 1]), nn.LeakyReLU(0.2)]
        self.inner = (widths[depth], side >> depth, side >> depth)
        size = self.inner[0] * self.inner[1] * self.inner[2]
        self.down = nn.Sequential(*down)
        self.code, self.decode, self.norm = nn.Linear(size, code), nn.Linear(code, size, bias=False), nn.BatchNorm2d(widths[depth])
        for i in reversed(range(depth)):
            up += [nn.ConvTranspose2d(widths[i + 1], widths[i], 4, 2, 1, bias=i == 0)]
            if i > 0:
                up += [nn.BatchNorm2d(widths[i]), nn.LeakyReLU(0.2)]
        self.up = nn.Sequential(*up, nn.Sigmoid())

    def forward(self, x):
        h = self.decode(self.code(self.down(x).flatten(1))).view(-1, *self.inner)
        y = self.up(nn.functional.leaky_relu(self.norm(h), 0.2))
        error = ((x - y) ** 2).mean(1, keepdim=True)
        return error, error.mean((1, 2, 3)), y.clamp(0, 1)


net = Autoencoder().eval()
inputs = {}
for line in sys.stdin:
    request = json.loads(line)
    n = request["batch"]
    x = inputs.setdefault(n, torch.rand(n, 3, 128, 128))
    with torch.no_grad():
        started = time.perf_counter()
        for _ in range(request["runs"]):
            net(x)
        print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)
