"""Writes nn.json: small inputs and outputs of PyTorch's layers, losses and optimisers, and of SSIM in plain NumPy.

Made with PyTorch 1.13 and NumPy 1.24 (Debian 12), from the root of the repository:
python3 test/golden/nn.py && npx biome format --write test/golden/nn.json
Everything is computed in float64 from inputs of three decimals. Weights have the layout of src/nn ([in, out] for dense).
"""
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
rng = np.random.default_rng(7)
golden = {}


def values(*shape, scale=1.0, shift=0.0):
    return torch.tensor(np.round(rng.normal(size=shape) * scale + shift, 3))


def packed(x):
    x = x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)
    return {"shape": list(x.shape), "data": [float("%.9g" % v) for v in x.reshape(-1)]}


def case(name, **tensors):
    golden[name] = {k: packed(v) for k, v in tensors.items()}


def fill(module):
    """Gives every parameter values of three decimals and returns the module."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(values(*p.shape, scale=0.5))
    return module


# Norms ---------------------------------------------------------------------------------------------------------------

for name, layer, x in [
    ("batchNorm", nn.BatchNorm2d(3, momentum=0.2), values(2, 3, 2, 2, scale=2, shift=1)),
    ("batchNorm, rows", nn.BatchNorm1d(3), values(4, 3, scale=2)),
]:
    fill(layer)
    layer.running_mean.copy_(values(3))
    layer.running_var.copy_(values(3, scale=0.1, shift=1))
    start = [layer.running_mean.clone(), layer.running_var.clone()]
    y = layer(x)
    after = [layer.running_mean.clone(), layer.running_var.clone()]
    layer.eval()
    case(name, x=x, weight=layer.weight, bias=layer.bias, mean=start[0], var=start[1], y=y, nextMean=after[0],
         nextVar=after[1], evaluated=layer(x))

x = values(2, 3, 4)
layer = fill(nn.LayerNorm(4))
case("layerNormLast", x=x, weight=layer.weight, bias=layer.bias, y=layer(x))
x = values(3, 4)
case("layerNorm, rows", x=x, weight=layer.weight, bias=layer.bias, y=layer(x))
x = values(2, 4, 2, 3)
weight, bias = values(4), values(4)
case("layerNorm", x=x, weight=weight, bias=bias, y=F.group_norm(x, 1, weight, bias))
case("groupNorm", x=x, weight=weight, bias=bias, y=F.group_norm(x, 2, weight, bias))
case("instanceNorm", x=x, weight=weight, bias=bias, y=F.instance_norm(x, weight=weight, bias=bias))

# Convolutions and pools ----------------------------------------------------------------------------------------------

for name, layer, x in [
    ("conv", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=1, dilation=(1, 2), groups=2), values(2, 4, 5, 6)),
    ("conv, 1-D", nn.Conv1d(2, 3, 3, stride=2, padding=2, dilation=2), values(2, 2, 8)),
    ("convTranspose", nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, dilation=2),
     values(1, 4, 3, 2)),
    ("convTranspose, 1-D", nn.ConvTranspose1d(2, 3, 4, stride=3, padding=1, output_padding=2), values(2, 2, 3)),
]:
    fill(layer)
    case(name, x=x, weight=layer.weight, bias=layer.bias, y=layer(x))

x = values(1, 2, 5, 6)
case("pool", x=x, max=F.max_pool2d(x, 3, 2, 1), average=F.avg_pool2d(x, 3, 2, 1))

# Recurrent layers and attention --------------------------------------------------------------------------------------

x = values(2, 4, 3)
h, c = values(2, 2), values(2, 2)
for name, layer in [("lstm", nn.LSTM(3, 2, batch_first=True)), ("gru", nn.GRU(3, 2, batch_first=True))]:
    fill(layer)
    plain = layer(x)
    started = layer(x, (h[None], c[None]) if name == "lstm" else h[None])
    last = plain[1][0][0] if name == "lstm" else plain[1][0]
    case(name, x=x, h=h, c=c, inputWeight=layer.weight_ih_l0.T, inputBias=layer.bias_ih_l0,
         hiddenWeight=layer.weight_hh_l0.T, hiddenBias=layer.bias_hh_l0, states=plain[0], last=last, started=started[0],
         **({"cell": plain[1][1][0]} if name == "lstm" else {}))

layer = fill(nn.MultiheadAttention(4, 2, batch_first=True))
image = values(2, 4, 2, 3)
rows = image.flatten(2).transpose(1, 2)
x = values(2, 3, 4)
case("attention", x=x, image=image, inWeight=layer.in_proj_weight.T, inBias=layer.in_proj_bias,
     outWeight=layer.out_proj.weight.T, outBias=layer.out_proj.bias, y=layer(x, x, x)[0],
     imageY=layer(rows, rows, rows)[0].transpose(1, 2).reshape(image.shape))

# Activations and losses ----------------------------------------------------------------------------------------------

x = values(12, scale=3)
case("activations", x=x, silu=F.silu(x), gelu=F.gelu(x), elu=F.elu(x, 0.7), hardSigmoid=F.hardsigmoid(x),
     hardSwish=F.hardswish(x), softplus=F.softplus(x), leakyRelu=F.leaky_relu(x, 0.2))

logits, targets = values(6, scale=4), torch.tensor([0.0, 1, 1, 0, 0.5, 1])
case("bceWithLogits", logits=logits, targets=targets, y=F.binary_cross_entropy_with_logits(logits, targets))
logits, targets = values(4, 3, scale=2), F.one_hot(torch.tensor([0, 2, 1, 2]), 3).double()
p = F.softmax(logits, -1)
case("crossEntropy", logits=logits, targets=targets, y=F.cross_entropy(logits, targets),
     # Lin et al. 2017, equation 4, with gamma 2 and gamma 1.5
     focal=(-targets * (1 - p) ** 2 * p.log()).sum(-1).mean(),
     focal15=(-targets * (1 - p) ** 1.5 * p.log()).sum(-1).mean())
a, b = values(3, 5), values(3, 5)
normal = torch.distributions.Normal
case("distances", a=a, b=b, cosine=1 - F.cosine_similarity(a, b).mean(), l1=F.l1_loss(a, b), l2=F.mse_loss(a, b),
     kl=torch.distributions.kl_divergence(normal(a, (0.5 * b).exp()), normal(0.0, 1.0)).sum(-1).mean())

# Optimisers: five steps on ½ Σ curve·(x − centre)² ---------------------------------------------------------------------

curve, centre, start = values(4, shift=3), values(4), values(4)
steps = {}
for name, make in {
    "adam": lambda p: torch.optim.Adam(p, 0.1),
    "adamDecay": lambda p: torch.optim.Adam(p, 0.1, betas=(0.5, 0.9), weight_decay=0.1),
    "adamW": lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.2),
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.05),
    "rmsProp": lambda p: torch.optim.RMSprop(p, 0.1),
    "clipped": lambda p: torch.optim.SGD(p, 0.1),
}.items():
    x = start.clone().requires_grad_()
    optimizer = make([x])
    path = []
    for _ in range(5):
        optimizer.zero_grad()
        (0.5 * curve * (x - centre) ** 2).sum().backward()
        if name == "clipped":
            nn.utils.clip_grad_norm_([x], 1.5)
        optimizer.step()
        path.append(x.detach().clone())
    steps[name] = torch.stack(path)
case("optimizers", curve=curve, centre=centre, start=start, **steps)

# Resizing ------------------------------------------------------------------------------------------------------------

x = values(1, 2, 5, 7)
case("resize", x=x, **{
    f"{kind}{'Antialiased' if antialias else ''}": F.interpolate(
        x.float() if antialias else x, size, mode="bilinear", align_corners=False, antialias=antialias)
    for kind, size in {"up": (8, 9), "down": (2, 3), "mixed": (9, 4)}.items() for antialias in (False, True)})

# SSIM (Wang et al. 2004, equation 13): each pixel by its own 11 × 11 Gaussian window, mirrored border --------------------


def ssim_map(a, b, value_range=1.0, size=11, sigma=1.5):
    r = size // 2
    one = [math.exp(-(i - r) ** 2 / (2 * sigma**2)) for i in range(size)]
    window = np.outer(one, one) / np.outer(one, one).sum()
    c1, c2 = (0.01 * value_range) ** 2, (0.03 * value_range) ** 2
    pa, pb = np.pad(a, r, mode="reflect"), np.pad(b, r, mode="reflect")
    out = np.zeros_like(a)
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            u, v = pa[i : i + size, j : j + size], pb[i : i + size, j : j + size]
            mu, mv = (window * u).sum(), (window * v).sum()
            suu, svv = (window * (u - mu) ** 2).sum(), (window * (v - mv) ** 2).sum()
            suv = (window * (u - mu) * (v - mv)).sum()
            out[i, j] = (2 * mu * mv + c1) * (2 * suv + c2) / ((mu * mu + mv * mv + c1) * (suu + svv + c2))
    return out


a = np.round(rng.uniform(size=(7, 9)), 3)
b = np.round(np.clip(a + rng.normal(size=(7, 9)) * 0.1, 0, 1), 3)
case("ssim", a=a[None, None], b=b[None, None], map=ssim_map(a, b)[None, None], loss=1 - ssim_map(a, b).mean(),
     wide=ssim_map(a, b, value_range=2.0, size=7, sigma=1.0)[None, None])

# Spectral norm: one training step, then inference ------------------------------------------------------------------------

for name, layer, turned in [
    ("spectralNorm, conv", nn.Conv2d(2, 3, 2), False),
    ("spectralNorm, dense", nn.Linear(4, 3), True),
    ("spectralNorm, convTranspose", nn.ConvTranspose2d(2, 3, 2), False),
]:
    fill(layer)
    weight = layer.weight.detach().clone()
    layer = nn.utils.spectral_norm(layer)
    u = values(*layer.weight_u.shape)
    layer.weight_u.copy_(u)
    layer(torch.zeros((1, 4) if turned else (1, 2, 3, 3)))
    mapped = (lambda w: w.T) if turned else (lambda w: w)
    case(name, weight=mapped(weight), u=u, y=mapped(layer.weight), nextU=layer.weight_u)

# Initialisers: the counts that PyTorch's formulas use --------------------------------------------------------------------

fan = nn.init._calculate_fan_in_and_fan_out
case("fans", dense=fan(nn.Linear(6, 4).weight), conv=fan(nn.Conv2d(4, 6, 3, groups=2).weight),
     convTranspose=fan(nn.ConvTranspose2d(4, 6, 3, groups=2).weight), conv1=fan(nn.Conv1d(3, 5, 4).weight),
     attention=fan(nn.MultiheadAttention(4, 2).in_proj_weight),
     gains=[nn.init.calculate_gain("relu"), nn.init.calculate_gain("leaky_relu", 0.2)])

# StableAdamW, one tensor of the first three numbers and one of the others, from its formula -------------------------------

x, m, v, largest = start.numpy().copy(), *(np.zeros(len(start)) for _ in range(3))
path = []
for t in range(1, 6):
    grad = curve.numpy() * (x - centre.numpy())
    x = x * (1 - 0.1 * 0.2)
    m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
    largest = np.maximum(largest, v)
    denominator = np.sqrt(largest) / math.sqrt(1 - 0.999**t) + 1e-8
    for part in (slice(0, 3), slice(3, None)):
        rms = math.sqrt(np.mean((grad / denominator)[part] ** 2))
        x[part] -= 0.1 / (1 - 0.9**t) / max(1, rms) * (m / denominator)[part]
    path.append(x.copy())
golden["optimizers"]["stableAdamW"] = packed(np.stack(path))

golden["versions"] = {"torch": torch.__version__, "numpy": np.__version__}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nn.json")
with open(path, "w") as file:
    lines = [f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in golden.items()]
    file.write("{\n" + ",\n".join(lines) + "\n}\n")
