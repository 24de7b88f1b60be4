"""Writes vit.json: outputs of small vision transformers, written here in PyTorch from the papers of DINOv2, registers,
DINOv3 and CLIP, on weights and images that follow from a formula.

Made with PyTorch 1.13 (Debian 12), from the root of the repository:
/usr/bin/python3 test/golden/vit.py && npx biome format --write test/golden/vit.json
"""
import json
import math
import os

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def made(shape, k):
    """Numbers from -0.5 to 0.5 that follow from the number of a tensor, rounded to float32."""
    n = math.prod(shape)
    i = torch.arange(n, dtype=torch.int64)
    values = ((i * 7919 + k * 104729 + (i * i) % 9973) % 1009).to(torch.float64) / 1009 - 0.5
    return values.to(torch.float32).to(torch.float64).reshape(shape)


def tensors_of(c):
    """Names and shapes, sorted by name."""
    d, p = c["width"], c["patch"]
    shapes = {"cls_token": [1, 1, d], "patch_embed.proj.weight": [d, 3, p, p], "norm.weight": [d], "norm.bias": [d]}
    if not c.get("clip"):
        shapes["patch_embed.proj.bias"] = [d]
    else:
        shapes["norm_pre.weight"] = shapes["norm_pre.bias"] = [d]
    if c.get("side"):
        shapes["pos_embed"] = [1, 1 + c["side"] ** 2, d]
    if c.get("registers"):
        shapes["register_tokens"] = [1, c["registers"], d]
    for i in range(c["depth"]):
        b = f"blocks.{i}."
        for layer, o, n in [("attn.qkv", 3 * d, d), ("attn.proj", d, d), ("mlp.fc1", 4 * d, d), ("mlp.fc2", d, 4 * d)]:
            shapes[b + layer + ".weight"] = [o, n]
            shapes[b + layer + ".bias"] = [o]
        for norm in ["norm1", "norm2"]:
            shapes[b + norm + ".weight"] = shapes[b + norm + ".bias"] = [d]
        if not c.get("clip"):
            shapes[b + "ls1.gamma"] = shapes[b + "ls2.gamma"] = [d]
    out = {}
    for k, name in enumerate(sorted(shapes)):
        v = made(shapes[name], k)
        if name.endswith("gamma") or ("norm" in name and name.endswith("weight")):
            v = 1 + 0.4 * v
        else:
            v = 0.3 * v
        out[name] = v.to(torch.float32).to(torch.float64)
    return out


def places(c, w, h, wide):
    """Learnt places on a grid of h x wide, as published with each network."""
    side, d = c["side"], c["width"]
    first, grid = w["pos_embed"][:, :1], w["pos_embed"][:, 1:]
    if (h, wide) != (side, side):
        grid = grid.reshape(1, side, side, d).permute(0, 3, 1, 2)
        if c["offset"]:
            scale = ((h + c["offset"]) / side, (wide + c["offset"]) / side)
            grid = F.interpolate(grid, scale_factor=scale, mode="bicubic", antialias=c["antialias"])
        else:
            grid = F.interpolate(grid, size=(h, wide), mode="bicubic", antialias=c["antialias"])
        assert grid.shape[-2:] == (h, wide)
        grid = grid.permute(0, 2, 3, 1).reshape(1, h * wide, d)
    return first, grid


def rope(h, wide, d):
    """cos and sin of DINOv3's angles, [h*wide, d]."""
    y = 2 * (torch.arange(h) + 0.5) / h - 1
    x = 2 * (torch.arange(wide) + 0.5) / wide - 1
    coords = torch.stack(torch.meshgrid(y, x, indexing="ij"), dim=-1).reshape(-1, 2)
    periods = 100 ** (4 * torch.arange(d // 4) / d)
    angles = (2 * math.pi * coords[:, :, None] / periods).flatten(1)
    angles = torch.cat([angles, angles], dim=1)
    return angles.cos(), angles.sin()


def turn(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-b, a], dim=-1) * sin


def forward(c, w, image):
    d, heads, eps, clip = c["width"], c["heads"], c["eps"], c.get("clip", False)
    mean, std = c["mean"], c["std"]
    x = (image - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    x = F.conv2d(x, w["patch_embed.proj.weight"], w.get("patch_embed.proj.bias"), stride=c["patch"])
    n, _, h, wide = x.shape
    x = x.flatten(2).transpose(1, 2)
    first = w["cls_token"]
    if c.get("side"):
        own, grid = places(c, w, h, wide)
        first, x = first + own, x + grid
    before = [first] + ([w["register_tokens"]] if c.get("registers") else [])
    prefix = torch.cat(before, dim=1)
    x = torch.cat([prefix.expand(n, -1, -1), x], dim=1)
    norm = lambda y, name: F.layer_norm(y, [d], w[name + ".weight"], w[name + ".bias"], eps)
    if clip:
        x = norm(x, "norm_pre")
    start = prefix.shape[1]
    found = {}
    for i in range(c["depth"]):
        b = f"blocks.{i}."
        linear = lambda y, name: F.linear(y, w[b + name + ".weight"], w[b + name + ".bias"])
        qkv = linear(norm(x, b + "norm1"), "attn.qkv").reshape(n, -1, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv
        if not c.get("side"):
            cos, sin = rope(h, wide, d // heads)
            q, k = (torch.cat([t[:, :, :start], turn(t[:, :, start:], cos, sin)], dim=2) for t in (q, k))
        a = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(d // heads), dim=-1) @ v
        a = linear(a.transpose(1, 2).reshape(n, -1, d), "attn.proj")
        x = x + (a if clip else a * w[b + "ls1.gamma"])
        y = linear(norm(x, b + "norm2"), "mlp.fc1")
        y = y * torch.sigmoid(1.702 * y) if clip else F.gelu(y)
        y = linear(y, "mlp.fc2")
        x = x + (y if clip else y * w[b + "ls2.gamma"])
        grid = lambda t: t[:, start:].transpose(1, 2).reshape(n, d, h, wide)
        found[f"block{i}"] = grid(x)
        found[f"norm{i}"] = grid(norm(x, "norm"))
    found["class"] = norm(x, "norm")[:, 0]
    return found


IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
CLIP = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
tiny = {"width": 64, "depth": 2}
CASES = {
    "DINOv2": {**tiny, **IMAGENET, "heads": 4, "patch": 14, "side": 5, "offset": 0.1, "antialias": False, "eps": 1e-6,
               "image": [56, 98]},
    "DINOv2 on its own grid": {**tiny, **IMAGENET, "heads": 4, "patch": 14, "side": 5, "offset": 0.1,
                               "antialias": False, "eps": 1e-6, "image": [70, 70]},
    "DINOv2 with registers": {**tiny, **IMAGENET, "heads": 4, "patch": 14, "side": 5, "registers": 4, "offset": 0,
                              "antialias": True, "eps": 1e-6, "image": [42, 98]},
    "DINOv3": {**tiny, **IMAGENET, "heads": 2, "patch": 16, "registers": 4, "eps": 1e-5, "image": [48, 64]},
    "CLIP": {**tiny, **CLIP, "heads": 4, "patch": 8, "side": 4, "offset": 0, "antialias": False, "eps": 1e-5,
             "clip": True, "image": [40, 24]},
}
golden = []
for name, c in CASES.items():
    height, width = c["image"]
    image = made([1, 3, height, width], 5) + 0.5
    found = forward(c, tensors_of(c), image)
    outputs = {k: {"shape": list(v.shape), "every": 7, "data": [float("%.7g" % x) for x in v.flatten()[::7]]}
               for k, v in found.items() if k in ("block0", "norm1", "class")}
    golden.append({"name": name, "design": c, "outputs": outputs})
with open(os.path.join(os.path.dirname(__file__), "vit.json"), "w") as out:
    out.write(json.dumps({"madeBy": "PyTorch " + torch.__version__, "cases": golden}) + "\n")
