/**
 * Vision transformers (Dosovitskiy et al. 2021, arXiv 2010.11929) as DINOv2 (Oquab et al. 2023, arXiv 2304.07193), with
 * and without registers (Darcet et al. 2024, arXiv 2309.16588), DINOv3 (Siméoni et al. 2025, arXiv 2508.10104) and CLIP's
 * image tower (Radford et al. 2021, arXiv 2103.00020) publish them. Their weights come with a file of the user; tensors
 * are named as in DINOv2, and `vit-files.ts` brings other layouts to these names. Taps are the patch tokens behind each
 * block as a grid, `block0` …, and the same under the last norm, `norm0` …; class token and registers are left out of
 * them. Images whose sides are no multiples of the patch are resampled to the nearest ones, so that the grid covers all of
 * them. Left out: CLIP's projection to the space of texts, gated networks of the largest models, and stochastic depth.
 */
import { concrete } from '../core/shape.ts';
import type { Tensors } from '../core/tensor.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { gelu } from '../nn/activations.ts';
import { onesInit, zerosInit } from '../nn/initializers.ts';
import { conv } from '../nn/layers.ts';
import { layerNormLast } from '../nn/norms.ts';
import type { Scope } from '../nn/scope.ts';
import { type Backbone, imagenet, type Preparation, type Tap } from './define.ts';
import { linear } from './layers.ts';
import { tensorsOfVit } from './vit-files.ts';
import { type Resampling, type Rotary, resampled, rotary, turned } from './vit-positions.ts';

/** What tells one vision transformer from another. */
export interface VitDesign {
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly input?: Preparation;
  /** Pixels of a patch's side. */
  readonly patch: number;
  /** Numbers of a token. */
  readonly width: number;
  /** Blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Register tokens; 0 by default. */
  readonly registers?: number;
  /** Learnt places: the side of the grid that they were learnt on, and how others are made; else rotary ones. */
  readonly learnt?: Resampling & { readonly side: number };
  /** CLIP's ways: a norm before the blocks, no bias of patches, no scale of layers, x · σ(1.702 x) as activation. */
  readonly clip?: boolean;
  /** What is added to the variance in norms. */
  readonly eps: number;
  /** Where its file is from, and its licence. */
  readonly file: NonNullable<Backbone['brought']>;
}

/** x · σ(1.702 x), CLIP's approximation of GELU. */
const quickGelu = (x: Value): Value => g.mul(x, g.sigmoid(g.mul(x, 1.702)));

function attention(net: Scope, x: Value, heads: number, places?: Rotary): Value {
  const [length, width] = concrete(x.shape.slice(1), 'Attention');
  const d = width / heads;
  const [query, key, value] = g
    .split(linear(net.at('qkv'), x, 3 * width), [width, width, width], 2)
    .map((part) => g.transpose(g.reshape(part, [x.shape[0], length, heads, d]), [0, 2, 1, 3])); // [N,heads,T,d]
  const [q, k] = places ? [turned(query, places), turned(key, places)] : [query, key];
  const weights = g.softmax(g.matMul(g.mul(q, 1 / Math.sqrt(d)), k, { transposeB: true }), -1);
  const seen = g.transpose(g.matMul(weights, value), [0, 2, 1, 3]);
  return linear(net.at('proj'), g.reshape(seen, x.shape), width);
}

function block(net: Scope, x: Value, { heads, eps, clip, width }: VitDesign, places?: Rotary): Value {
  const scaled = (name: string, y: Value) => (clip ? y : g.mul(y, net.at(name).parameter('gamma', [width], onesInit)));
  const attended = attention(net.at('attn'), layerNormLast(net.at('norm1'), x, eps), heads, places);
  const y = g.add(x, scaled('ls1', attended));
  const hidden = linear(net.at('mlp.fc1'), layerNormLast(net.at('norm2'), y, eps), 4 * width);
  return g.add(y, scaled('ls2', linear(net.at('mlp.fc2'), (clip ? quickGelu : gelu)(hidden), width)));
}

/** Tokens of an image whose sides are multiples of the patch: class token, registers, patches; `[N, T, D]`. */
function tokens(net: Scope, image: Value, grid: readonly [number, number], design: VitDesign): Value {
  const { patch, width, registers = 0, learnt, clip } = design;
  const embedded = conv(net.at('patch_embed.proj'), image, {
    filters: width,
    kernel: patch,
    stride: patch,
    bias: !clip,
    weightInit: zerosInit,
    biasInit: zerosInit,
  });
  const count = grid[0] * grid[1];
  let patches = g.transpose(g.reshape(embedded, [image.shape[0], width, count]), [0, 2, 1]);
  let first = net.parameter('cls_token', [1, 1, width], zerosInit);
  if (learnt) {
    const { side } = learnt;
    const all = net.parameter('pos_embed', [1, 1 + side * side, width], zerosInit);
    const [ofClass, ofPatches] = g.split(all, [1, side * side], 1);
    first = g.add(first, ofClass);
    patches = g.add(patches, resampled(ofPatches, side, grid, learnt));
  }
  const extra = registers > 0 ? [net.parameter('register_tokens', [1, registers, width], zerosInit)] : [];
  const before = extra.length > 0 ? g.concat([first, ...extra], 1) : first;
  return g.concat([g.broadcastTo(before, [image.shape[0], 1 + registers, width]), patches], 1);
}

/** The nearest multiple of the patch, at least one patch. */
const fitting = (side: number, patch: number): number => Math.max(1, Math.round(side / patch)) * patch;

/** A vision transformer as a backbone. Taps are `[N, D, h, w]`, the class token, under the last norm, `[N, D]`. */
export function vit(design: VitDesign): Backbone {
  const { name, title, paper, patch, width, depth, heads, registers = 0, learnt, eps, clip } = design;
  const tap: Tap = { channels: width, stride: patch };
  const taps = Array.from({ length: depth }, (_, i) => [`block${i}`, `norm${i}`]).flat();
  return {
    ...{ name, title, paper, input: design.input ?? imagenet },
    taps: Object.fromEntries(taps.map((at) => [at, tap])),
    usual: [`norm${depth - 1}`],
    classToken: width,
    brought: design.file,
    adopt: (found: Tensors, file: string) => tensorsOfVit(design, found, file),
    *network(net, image) {
      const sides = concrete(image.shape.slice(2), title).map((side) => fitting(side, patch));
      const grid: [number, number] = [sides[0] / patch, sides[1] / patch];
      const places = learnt ? undefined : rotary(grid, width / heads);
      let x = tokens(net, g.resizeBilinear(image, sides), grid, design);
      if (clip) x = layerNormLast(net.at('norm_pre'), x, eps);
      const asGrid = (y: Value): Value => {
        const patches = g.slice(y, { 1: [1 + registers, 1 + registers + grid[0] * grid[1]] });
        return g.reshape(g.transpose(patches, [0, 2, 1]), [image.shape[0], width, ...grid]);
      };
      let normed = x;
      for (let i = 0; i < depth; i++) {
        x = block(net.at('blocks').at(i), x, design, places);
        yield [`block${i}`, asGrid(x)];
        normed = layerNormLast(net.at('norm'), x, eps);
        yield [`norm${i}`, asGrid(normed)];
      }
      yield ['class', g.pick(normed, 1, 0)];
    },
  };
}

const small = { width: 384, depth: 12, heads: 6 };
const base = { width: 768, depth: 12, heads: 12 };
const large = { width: 1024, depth: 24, heads: 16 };

/** DINOv2: 37 × 37 learnt places (518 pixels), with registers resampled in another way than without. */
function dinov2(letter: 's' | 'b', size: typeof small, registers: 0 | 4): Backbone {
  const name = `dinov2_vit${letter}14${registers > 0 ? '_reg' : ''}`;
  return vit({
    name,
    title: `DINOv2 ViT-${letter.toUpperCase()}/14${registers > 0 ? ' with registers' : ''}`,
    paper: 'Oquab et al., DINOv2: learning robust visual features without supervision, 2023.',
    ...size,
    patch: 14,
    registers,
    learnt: { side: 37, offset: registers > 0 ? 0 : 0.1, antialias: registers > 0 },
    eps: 1e-6,
    file: {
      from: `${name}${registers > 0 ? '4' : ''}_pretrain.pth of github.com/facebookresearch/dinov2, or a .safetensors file of the same network from Hugging Face`,
      licence: 'Apache-2.0',
    },
  });
}

const dinov3 = (letter: 's' | 'b', size: typeof small): Backbone =>
  vit({
    name: `dinov3_vit${letter}16`,
    title: `DINOv3 ViT-${letter.toUpperCase()}/16`,
    paper: 'Siméoni et al., DINOv3, 2025.',
    ...size,
    patch: 16,
    registers: 4,
    eps: 1e-5,
    file: {
      from: `facebook/dinov3-vit${letter}16-pretrain-lvd1689m of Hugging Face, or its .pth of github.com/facebookresearch/dinov3, both behind a form`,
      licence: 'DINOv3 License',
    },
  });

const clip = (name: string, size: typeof small, patch: number, side: number): Backbone =>
  vit({
    name: `clip_vit${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')}`,
    title: `CLIP ViT-${name}`,
    paper: 'Radford et al., Learning transferable visual models from natural language supervision, ICML 2021.',
    input: {
      order: 'rgb',
      scale: 1,
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
    },
    ...size,
    patch,
    learnt: { side, offset: 0, antialias: false },
    clip: true,
    eps: 1e-5,
    file: {
      from: `the .safetensors file of openai/clip-vit-${size === large ? 'large' : 'base'}-patch${patch}${side === 24 ? '-336' : ''} of Hugging Face`,
      licence: 'MIT',
    },
  });

/** Small ones first. */
export const visionTransformers: readonly Backbone[] = [
  dinov2('s', small, 0),
  dinov2('s', small, 4),
  dinov3('s', small),
  dinov2('b', base, 0),
  dinov2('b', base, 4),
  dinov3('b', base),
  clip('B/32', base, 32, 7),
  clip('B/16', base, 16, 14),
  clip('L/14-336', large, 14, 24),
];
