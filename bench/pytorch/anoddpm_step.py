"""AnoDDPM's U-Net in PyTorch eager, two threads: training steps (loss, backward, clipping, AdamW, moving average of the
weights), reverse steps (no gradients) of the same batch, a walk of 25 steps and the fast mode on one image. Reads one
JSON line {"side": pixels, "kind": "train" | "reverse" | "walk" | "fast", "steps": n} at a time, prints seconds and the
process's peak memory in MiB."""
import json, math, resource, sys, time
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, interpolate, mse_loss, silu

torch.set_num_threads(2)
torch.manual_seed(0)


def zero(module):
    for p in module.parameters():
        nn.init.zeros_(p)
    return module


class Residual(nn.Module):
    def __init__(self, channels, known, filters, resample=None):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(32, channels), nn.Conv2d(channels, filters, 3, padding=1)
        self.step = nn.Linear(known, filters)
        self.norm2, self.conv2 = nn.GroupNorm(32, filters), zero(nn.Conv2d(filters, filters, 3, padding=1))
        self.skip = nn.Identity() if channels == filters else nn.Conv2d(channels, filters, 1)
        self.resample = resample or (lambda x: x)

    def forward(self, x, known):
        h = self.conv1(self.resample(silu(self.norm1(x))))
        h = h + self.step(silu(known))[:, :, None, None]
        return self.skip(self.resample(x)) + self.conv2(silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.norm, self.qkv = nn.GroupNorm(32, channels), nn.Conv1d(channels, 3 * channels, 1)
        self.out, self.heads = zero(nn.Conv1d(channels, channels, 1)), heads

    def forward(self, x, _):
        n, c, *sides = x.shape
        flat = x.reshape(n, c, -1)
        q, k, v = self.qkv(self.norm(flat)).reshape(n * self.heads, 3, c // self.heads, -1).unbind(1)
        scale = (c // self.heads) ** -.25
        weights = torch.softmax(torch.einsum("bct,bcs->bts", q * scale, k * scale), -1)
        seen = torch.einsum("bts,bcs->bct", weights, v).reshape(n, c, -1)
        return (flat + self.out(seen)).reshape(n, c, *sides)


class Unet(nn.Module):
    def __init__(self, side, width=32, heads=2, attention=32, blocks=2):
        super().__init__()
        multiples = [1, 2, 3, 4] if side <= 64 else [1, 1, 2, 3, 4]
        known, last = 4 * width, len(multiples) - 1
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, known), nn.SiLU(), nn.Linear(known, known))
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.down, self.middle, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        channels, skips = width, [width]
        attends = lambda s: [1] if 8 <= s <= attention else []
        for level, multiple in enumerate(multiples):
            for _ in range(blocks):
                parts = [Residual(channels, known, multiple * width)]
                channels = multiple * width
                self.down.append(nn.ModuleList(parts + [Attention(channels, heads) for _ in attends(side)]))
                skips.append(channels)
            if level < last:
                self.down.append(nn.ModuleList([Residual(channels, known, channels, lambda x: avg_pool2d(x, 2))]))
                skips.append(channels)
                side //= 2
        self.middle.extend([Residual(channels, known, channels), Attention(channels, heads), Residual(channels, known, channels)])
        for level in range(last, -1, -1):
            for i in range(blocks + 1):
                parts = [Residual(channels + skips.pop(), known, multiples[level] * width)]
                channels = multiples[level] * width
                parts += [Attention(channels, heads) for _ in attends(side)]
                if level and i == blocks:
                    parts.append(Residual(channels, known, channels, lambda x: interpolate(x, scale_factor=2)))
                    side *= 2
                self.up.append(nn.ModuleList(parts))
        self.norm, self.out = nn.GroupNorm(32, channels), zero(nn.Conv2d(channels, 1, 3, padding=1))

    def forward(self, x, t):
        half = self.width // 2
        angles = t[:, None] * torch.exp(-math.log(10000) / half * torch.arange(half))
        known = self.time(torch.cat([angles.cos(), angles.sin()], 1))
        h = self.first(x)
        skips = [h]
        for parts in self.down:
            for part in parts:
                h = part(h, known)
            skips.append(h)
        for part in self.middle:
            h = part(h, known)
        for parts in self.up:
            h = torch.cat([h, skips.pop()], 1)
            for part in parts:
                h = part(h, known)
        return self.out(silu(self.norm(h)))


class Case:
    def __init__(self, side, batch, count):
        self.net = Unet(side)
        self.weights = list(self.net.parameters())
        assert sum(p.numel() for p in self.weights) == count
        self.averages = [p.detach().clone() for p in self.weights]
        self.optimizer = torch.optim.AdamW(self.weights, 1e-4, weight_decay=0)
        self.x = torch.rand(batch, 1, side, side) * 2 - 1
        betas = torch.linspace(1e-4, .02, 1000, dtype=torch.float64)
        self.kept = torch.cumprod(1 - betas, 0)

    def step(self):
        t = torch.randint(0, 800, (len(self.x),))
        kept = self.kept[t].float()[:, None, None, None]
        noise = torch.randn_like(self.x)
        self.optimizer.zero_grad()
        loss = mse_loss(self.net(kept.sqrt() * self.x + (1 - kept).sqrt() * noise, t.float()), noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_mul_(self.averages, .999)
            torch._foreach_add_(self.averages, self.weights, alpha=1e-3)
        return loss

    @torch.no_grad()
    def reverse(self, x, t, to):
        """A deterministic step from t to `to`, of the steps 0 to 1000."""
        a, b = self.kept[t].item(), self.kept[to].item() if to >= 0 else 1.
        noise = self.net(x, torch.full((len(x),), float(t)))
        guess = ((x - (1 - a) ** .5 * noise) / a ** .5).clamp(-1, 1)
        left = (x - a ** .5 * guess) / (1 - a) ** .5
        return b ** .5 * guess + (1 - b) ** .5 * left

    def walk(self, turns):
        """One image covered with the noise of 250 steps and drawn again, and its squared difference."""
        image, kept = self.x[:1], self.kept[249].item()
        x = kept ** .5 * image + (1 - kept) ** .5 * torch.randn_like(image)
        at = [round(250 * (turns - i) / turns) - 1 for i in range(turns + 1)]
        for t, to in zip(at, at[1:]):
            x = self.reverse(x, t, to)
        return ((x - image) ** 2).mean()

    @torch.no_grad()
    def fast(self):
        """One step from 250 that a look from 400 leads, and the squared difference."""
        image = self.x[:1]
        a, b = self.kept[249].item(), self.kept[399].item()
        noise = torch.randn_like(image)
        near, distant = [k ** .5 * image + (1 - k) ** .5 * noise for k in (a, b)]
        found, far = self.net(torch.cat([near, distant]), torch.tensor([249., 399.])).split(1)
        guide = ((distant - (1 - b) ** .5 * far) / b ** .5).clamp(-1, 1)
        again = a ** .5 * guide + (1 - a) ** .5 * found
        led = found - (1 - a) ** .5 * (again - near)
        healed = ((near - (1 - a) ** .5 * led) / a ** .5).clamp(-1, 1)
        return ((healed - image) ** 2).mean()

    def do(self, kind, steps):
        for _ in range(steps):
            if kind == "train":
                result = self.step()
            elif kind == "reverse":
                result = self.reverse(self.x, 200, 150).mean()
            elif kind == "walk":
                result = self.walk(25)
            else:
                result = self.fast()
        return float(result)


cases = {64: 6076385, 128: 6269729}
built = {}
for line in sys.stdin:
    request = json.loads(line)
    side = request["side"]
    if side not in built:
        built[side] = Case(side, 8, cases[side])
    started, cpu = time.perf_counter(), time.process_time()
    built[side].do(request["kind"], request["steps"])
    print(json.dumps({"seconds": time.perf_counter() - started, "cpuSeconds": time.process_time() - cpu,
                      "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}), flush=True)
