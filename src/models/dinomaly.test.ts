/** Dinomaly against its definition, on the plain reference with a tiny vision transformer of random weights. */
import { beforeAll, describe, expect, it } from 'vitest';
import { knowBackbone, tensorsOf } from '../backbones/index.ts';
import { vit } from '../backbones/vit.ts';
import { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import { evaluate } from '../graph/evaluate.ts';
import { gradients } from '../graph/grad.ts';
import { constant, input } from '../graph/leaf.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { initialize, Trace, truncatedNormal } from '../nn/index.ts';
import { assemble } from '../nn/training.ts';
import { dinomaly, mined, restored, targetsOf, warmCosine } from './dinomaly.ts';
import { linearAttention } from './parts/nets/linear-attention.ts';

const tinyVit = (depth: number) =>
  vit({
    ...{ name: `tiny-${depth}`, title: 'Tiny', paper: '', file: { from: '', licence: '' } },
    ...{ patch: 4, width: 8, depth, heads: 2, eps: 1e-6 },
    learnt: { side: 2, offset: 0.1, antialias: false },
  });
const options = (some: object) => dinomaly.config.parse(some);
const side = 8;
beforeAll(() => {
  for (const depth of [7, 9, 12, 24]) knowBackbone(tinyVit(depth));
});

describe('dinomaly', () => {
  it('restores the eight middle blocks, of deep networks every other; shallow ones are refused', () => {
    const taps = (backbone: string) => targetsOf(options({ backbone })).taps;
    expect(taps('tiny-12')).toBe('block2,block3,block4,block5,block6,block7,block8,block9');
    expect(taps('tiny-9')).toBe('block0,block1,block2,block3,block4,block5,block6,block7');
    expect(taps('tiny-24')).toBe('block4,block6,block8,block10,block12,block14,block16,block18');
    expect(taps('dinov2_vitb14_reg')).toBe(taps('tiny-12'));
    expect(taps('oddity')).toBe('');
    expect(() => taps('tiny-7')).toThrow('dinomaly restores 8 blocks of a vision transformer, but tiny-7 has 7.');
    expect(targetsOf(options({ backbone: 'tiny-7', taps: 'block1' })).taps).toBe('block1');
  });

  it('refuses an odd number of blocks and images of a single patch', () => {
    const shape = [1, 32, 32] as const;
    expect(String(dinomaly.unsuitable!(options({ blocks: 3 }), shape))).toContain('must be even, got 3');
    expect(dinomaly.unsuitable!(options({ backbone: 'tiny-12' }), [1, 4, 4])).toContain('at least 8');
    expect(dinomaly.unsuitable!(options({}), shape)).toBeUndefined();
  });

  it('compares two groups of four; the first group with the last blocks of the decoder', () => {
    const some = options({ backbone: 'tiny-12' });
    const trace = new Trace(false);
    const { groups, grid } = restored(some, (group) => trace.group(group), input('x', ['N', 1, side, side]));
    expect(grid).toEqual([2, 2]);
    expect(groups.map(([a, b]) => [a.shape, b.shape])).toEqual(
      Array(2).fill([
        ['N', 4, 8],
        ['N', 4, 8],
      ]),
    );
    const decoder = [...trace.parameters.values()].filter(({ spec }) => spec.name.startsWith('decoder.'));
    const count = decoder.reduce((n, { spec }) => n + sizeOf(spec.shape), 0);
    const block = 4 * 8 + 8 * 24 + 24 + 8 * 8 + 8 + 2 * 8 * 32 + 32 + 8;
    expect(count).toBe(8 * block + 2 * 8 * 32 + 32 + 8);
  });

  it('joins the taps of other backbones to one group', () => {
    const trace = new Trace(false);
    const some = options({ blocks: 2 });
    const { groups } = restored(some, (group) => trace.group(group), input('x', ['N', 1, 32, 32]));
    expect(groups).toHaveLength(1);
    expect(groups[0][0].shape).toEqual(groups[0][1].shape);
  });

  it('learns to restore what it sees', () => {
    const some = options({ backbone: 'tiny-12', blocks: 2, mining: 2 });
    const [{ phase }] = dinomaly.learns === 'gradient' ? dinomaly.phases(some, [1, side, side]) : [];
    const assembled = assemble(phase, { shape: [4, 1, side, side] });
    const frozen: Tensors = Object.fromEntries(
      [...tensorsOf(tinyVit(12))].map(([name, shape]) => [
        `backbone.${name}`,
        float32(new Rng(4).split(name).normals(sizeOf(shape), 0, 0.3), shape),
      ]),
    );
    let state: Tensors = assembled.pack({ ...initialize(assembled.specs, new Rng(1)), ...frozen });
    const losses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const feeds: Record<string, Tensor> = { ...state };
      for (const feed of assembled.feeds) {
        if (feed.kind === 'rate') feeds[feed.name] = float32(2e-3);
        else if (feed.kind === 'draw')
          feeds[feed.name] = float32(new Rng(i).split(feed.name).uniforms(sizeOf(feed.draw.shape)), feed.draw.shape);
        else feeds[feed.name] = float32(new Rng(7).uniforms(sizeOf(feed.shape)), feed.shape);
      }
      const names = Object.keys(assembled.program.outputs);
      const values = evaluate(Object.values(assembled.program.outputs), feeds);
      losses.push(Number(values[names.indexOf('decoder.loss')].data[0]));
      const next: Record<string, Tensor> = { ...state };
      for (const [output, name] of Object.entries(assembled.program.carry)) next[name] = values[names.indexOf(output)];
      state = next;
    }
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)!).toBeLessThan(0.9 * losses[0]);
    expect(assembled.unpack(state)['decoder.steps'].data[0]).toBe(12);
  });
});

describe('the parts of its loss', () => {
  it('mining multiplies the gradients of the easiest share by .1 and leaves values', () => {
    const distances = constant(float32([0.1, 0.9, 0.3, 0.5, 0.7, 0.2, 0.8, 0.4], [2, 4]));
    const b = input('b', [2, 4, 1]);
    const of = (easy: number) => {
      const y = mined(b, distances, constant(easy));
      const [slope] = gradients(g.reduceSum(y), [b]);
      const feeds = { b: float32([1, 2, 3, 4, 5, 6, 7, 8], [2, 4, 1]) };
      const [value, gradient] = evaluate([y, slope], feeds);
      for (const [i, v] of Array.from(value.data, Number).entries()) expect(v).toBeCloseTo(i + 1, 5);
      return Array.from(gradient.data as Float32Array, (v) => Math.round(v * 10));
    };
    expect(of(0)).toEqual([10, 10, 10, 10, 10, 10, 10, 10]);
    // Of eight the hardest four are .9, .8, .7 and .5.
    expect(of(0.5)).toEqual([1, 10, 1, 10, 10, 1, 10, 1]);
  });

  it('linear attention weighs by (elu + 1) of queries and keys', () => {
    const trace = new Trace(false);
    const x = input('x', [1, 3, 2]);
    const y: Value = linearAttention(trace.group('a'), x, 1, truncatedNormal(1));
    const identity = [1, 0, 0, 1];
    const feeds: Tensors = {
      x: float32([1, -1, 0, 2, -2, 0.5], [1, 3, 2]),
      'a.qkv.weight': float32([1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1], [2, 6]),
      'a.qkv.bias': float32(new Float32Array(6), [6]),
      'a.proj.weight': float32(identity, [2, 2]),
      'a.proj.bias': float32(new Float32Array(2), [2]),
    };
    const rows = [
      [1, -1],
      [0, 2],
      [-2, 0.5],
    ];
    const phi = (v: number) => (v > 0 ? v + 1 : Math.exp(v));
    const expected = rows.flatMap((q) => {
      const weights = rows.map((k) => q.reduce((s, v, c) => s + phi(v) * phi(k[c]), 0));
      const sum = weights.reduce((a, b) => a + b);
      return [0, 1].map((c) => rows.reduce((s, v, i) => s + (weights[i] / sum) * v[c], 0));
    });
    const [{ data }] = evaluate([y], feeds);
    for (const [i, v] of Array.from(data, Number).entries()) expect(v).toBeCloseTo(expected[i], 5);
  });

  it('the rate rises over a tenth of the training and falls to a tenth', () => {
    const rates = Array.from({ length: 101 }, (_, i) => warmCosine(i, 100));
    expect(rates[0]).toBeCloseTo(0.1);
    expect(rates[10]).toBeCloseTo(1);
    expect(rates[100]).toBeCloseTo(0.1);
    expect(warmCosine(50, 10_000)).toBeCloseTo(0.51);
  });

  it('first values are none further than three deviations off', () => {
    const values = truncatedNormal(0.01)([20_000], new Rng(1), { in: 1, out: 1 });
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.03);
    expect(new Set(values).size).toBeGreaterThan(19_000);
  });
});
