/** Vision transformers against PyTorch code of the tests' own (vit.json, made by vit.py), on weights made by a formula. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { classToken, features, tensorsOf } from '../../src/backbones/define.ts';
import { type VitDesign, vit } from '../../src/backbones/vit.ts';
import { sizeOf } from '../../src/core/shape.ts';
import { float32, type Tensor, type Tensors } from '../../src/core/tensor.ts';
import * as g from '../../src/graph/index.ts';
import { Trace } from '../../src/nn/scope.ts';

interface Case {
  readonly name: string;
  readonly design: Omit<VitDesign, 'name' | 'title' | 'paper' | 'input' | 'learnt' | 'file'> & {
    readonly mean: number[];
    readonly std: number[];
    readonly side?: number;
    readonly offset?: number;
    readonly antialias?: boolean;
    readonly image: [number, number];
  };
  readonly outputs: Record<string, { shape: number[]; every: number; data: number[] }>;
}
const { cases }: { cases: Case[] } = JSON.parse(readFileSync(new URL('./vit.json', import.meta.url), 'utf8'));

/** Numbers from −½ to ½ that follow from the number of a tensor. */
const made = (shape: readonly number[], k: number): Tensor =>
  float32(
    Float32Array.from(
      { length: sizeOf(shape) },
      (_, i) => ((i * 7919 + k * 104729 + ((i * i) % 9973)) % 1009) / 1009 - 0.5,
    ),
    shape,
  );

/** Weights by the order of their names. */
const weights = (shapes: ReadonlyMap<string, readonly number[]>): Tensors =>
  Object.fromEntries(
    [...shapes.keys()].sort().map((name, k) => {
      const shape = shapes.get(name)!;
      const isScale = name.endsWith('gamma') || (name.includes('norm') && name.endsWith('weight'));
      const { data } = made(shape, k);
      return [
        name,
        float32(
          Float32Array.from(data as Float32Array, (v) => (isScale ? 1 + 0.4 * v : 0.3 * v)),
          shape,
        ),
      ];
    }),
  );

test.each(cases.map((c) => [c.name, c] as const))('%s: taps and class token to 1e-4', (name, { design, outputs }) => {
  const { mean, std, side, offset = 0, antialias = false, image, ...rest } = design;
  const backbone = vit({
    ...{ name, title: name, paper: '', file: { from: '', licence: '' } },
    ...rest,
    input: { order: 'rgb', scale: 1, mean, std },
    learnt: side ? { side, offset, antialias } : undefined,
  });
  const x = g.input('x', [1, 3, ...image]);
  const trace = new Trace(false);
  const taps = Object.keys(outputs).filter((tap) => tap !== 'class');
  const found = [
    ...features(backbone, trace.group('backbone'), x, taps),
    classToken(backbone, trace.group('backbone'), x)!,
  ];
  const tensors = weights(tensorsOf(backbone));
  const feeds: Record<string, Tensor> = {
    x: float32(
      Float32Array.from(made([3, ...image], 5).data as Float32Array, (v) => v + 0.5),
      [1, 3, ...image],
    ),
  };
  for (const [key, tensor] of Object.entries(tensors)) feeds[`backbone.${key}`] = tensor;
  const values = g.evaluate(found, feeds);
  for (const [i, tap] of [...taps, 'class'].entries()) {
    const { shape, every, data } = outputs[tap];
    expect(values[i].shape, tap).toEqual(shape);
    const worst = data.reduce(
      (w, v, k) => Math.max(w, Math.abs(v - Number(values[i].data[k * every])) / Math.max(1, Math.abs(v))),
      0,
    );
    expect(worst, tap).toBeLessThan(1e-4);
  }
});
