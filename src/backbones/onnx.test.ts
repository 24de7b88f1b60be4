/** ONNX files whose taps are the tokens of a vision transformer, as backbones. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { sizeOf } from '../core/shape.ts';
import { float32, type Tensor, type Tensors } from '../core/tensor.ts';
import { bind } from '../engine/scoring/graph.ts';
import { emitProgram } from '../graph/emit.ts';
import { evaluate } from '../graph/evaluate.ts';
import { constant, input } from '../graph/leaf.ts';
import { tensorsNeeded } from '../graph/onnx/import.ts';
import type { OnnxModel } from '../graph/onnx/messages.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import { conv, layerNormLast, selfAttention, Trace } from '../nn/index.ts';
import { classToken, features } from './define.ts';
import { onnxBackbone } from './onnx.ts';

const made = (name: string, shape: readonly number[]): Tensor =>
  float32(new Rng(3).split(name).normals(sizeOf(shape), 0, 0.5), shape);

/** A block of a transformer on patches of 8 pixels behind `before` other tokens, for images of `height` × `width`. */
function transformer(before: number, [height, width]: readonly [number, number]): { model: OnnxModel; tokens: Value } {
  const trace = new Trace(false);
  const net = trace.group('net');
  const x = input('x', [1, 3, height, width]);
  const places = (height / 8) * (width / 8);
  const grid = conv(net.at('patch'), x, { filters: 6, kernel: 8, stride: 8 });
  const patches = g.transpose(g.reshape(grid, [1, 6, places]), [0, 2, 1]);
  const first = before > 0 ? [constant(made('first', [1, before, 6]))] : [];
  const all = first.length > 0 ? g.concat([...first, patches], 1) : patches;
  const y = g.add(all, selfAttention(net.at('attention'), layerNormLast(net.at('norm'), all), { heads: 2 }));
  const tensors: Tensors = Object.fromEntries(
    [...trace.parameters.values()].map(({ spec }) => [spec.name, made(spec.name, spec.shape)]),
  );
  const outputs = bind('vit', { tokens: y }, trace, tensors);
  return { model: emitProgram({ name: 'vit', outputs, carry: {} }, 'cpu'), tokens: outputs.tokens };
}

/** The name of the node output that becomes the graph's first output. */
function tapOf({ graph }: OnnxModel): string {
  const [{ name }] = graph.outputs;
  return name;
}

const image = (height: number, width: number) =>
  float32(new Rng(5).uniforms(3 * height * width), [1, 3, height, width]);

describe('tokens of an ONNX file', () => {
  const { model, tokens } = transformer(2, [32, 48]);
  const tap = tapOf(model);
  const backbone = onnxBackbone('a.onnx', model, [tap]);
  const weights = Object.fromEntries(
    Object.entries(tensorsNeeded(model, [tap])).map(([name, t]) => [`backbone.${name}`, t]),
  );
  const unit = { ...backbone, input: { order: 'rgb', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] } as const };

  it('become a grid without what stands before the patches, and the first is the class token', () => {
    expect(backbone.taps[tap]).toEqual({ channels: 6, stride: 8 });
    expect(backbone.classToken).toBe(6);
    const x = input('x', ['N', 3, 32, 48]);
    const net = new Trace(false).group('backbone');
    const [grid] = features(unit, net, x, [tap]);
    expect(grid.shape).toEqual(['N', 6, 4, 6]);
    const two = float32([...image(32, 48).data, ...image(32, 48).data].map(Number), [2, 3, 32, 48]);
    const [found, first] = evaluate([grid, classToken(unit, net, x)!], { x: two, ...weights });
    const [wanted] = evaluate([tokens], { x: image(32, 48) });
    for (let c = 0; c < 6; c++) {
      expect(Number(first.data[c])).toBeCloseTo(Number(wanted.data[c]), 4);
      for (let p = 0; p < 24; p++) {
        const token = Number(wanted.data[(2 + p) * 6 + c]);
        expect(Number(found.data[c * 24 + p])).toBeCloseTo(token, 4);
        expect(Number(found.data[(6 + c) * 24 + p])).toBeCloseTo(token, 4);
      }
    }
  });

  it('are of images of the size that the file names, whatever the size of the images', () => {
    const [grid] = features(unit, new Trace(false).group('backbone'), input('x', ['N', 3, 50, 40]), [tap]);
    expect(grid.shape).toEqual(['N', 6, 4, 6]);
  });

  it('of patches alone have no class token, and what is no grid is refused', () => {
    const bare = transformer(0, [16, 16]).model;
    expect(onnxBackbone('b.onnx', bare, [tapOf(bare)]).classToken).toBeUndefined();
    const odd = transformer(17, [16, 16]).model;
    expect(() => onnxBackbone('c.onnx', odd, [tapOf(odd)])).toThrow('or the tokens of patches [N,T,C]');
  });
});
