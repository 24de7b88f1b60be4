import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { float32, type Tensor } from '../../core/tensor.ts';
import type { OnnxAttribute, OnnxModel, OnnxNode } from './messages.ts';
import { decodeModel } from './read.ts';
import { storeWeights } from './store-weights.ts';
import { encodeModel } from './write.ts';

const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, OnnxAttribute> = {},
): OnnxNode => ({
  ...{ op, inputs, outputs, attributes },
});
const modelOf = (nodes: OnnxNode[], tensors: Record<string, Tensor>): OnnxModel => ({
  ...{ irVersion: 8, opsets: [{ domain: '', version: 17 }], producer: '', producerVersion: '', metadata: {} },
  graph: {
    ...{ name: 'main', nodes, inputs: [], outputs: [] },
    initializers: Object.entries(tensors).map(([name, tensor]) => ({ name, tensor })),
  },
});
const random = (...shape: number[]) => float32(new Rng(1).normals(shape.reduce((n, d) => n * d, 1)), shape);

/** How each weight is stored: its type, the axis of its scales, and the largest error of a value. */
function storedIn(model: OnnxModel, precision: 'fp16' | 'int8', name = 'w') {
  // What is in the bytes is what counts.
  const { graph } = decodeModel(encodeModel(storeWeights(model, precision)).model);
  const find = (wanted: string) => graph.initializers.find((i) => i.name === wanted);
  const given = model.graph.initializers.find((i) => i.name === name)!.tensor;
  const wide = graph.nodes.find((n) => n.outputs.includes(name));
  if (!wide) return { as: 'float32' };
  const stored = find(wide.inputs[0])!;
  const axis = wide.attributes.axis && 'i' in wide.attributes.axis ? wide.attributes.axis.i : undefined;
  const scales = find(wide.inputs[1])?.tensor.data as Float32Array | undefined;
  const inner = axis === undefined ? 1 : given.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
  const scaleAt = (i: number) => (scales ? scales[Math.floor(i / inner) % scales.length] : 1);
  const error = Math.max(
    ...Array.from(
      given.data as Float32Array,
      (v, i) => Math.abs(Number(stored.tensor.data[i]) * scaleAt(i) - v) / scaleAt(i),
    ),
  );
  return { as: stored.storedAs, axis, error };
}

describe('storeWeights', () => {
  it('gives each output channel its scale, also of weights that are scaled or transposed first', () => {
    const cases: [string, OnnxNode[], Tensor, number][] = [
      ['Conv', [node('Conv', ['x', 'w'], ['y'])], random(8, 4, 3, 3), 0],
      ['ConvTranspose', [node('ConvTranspose', ['x', 'w'], ['y'])], random(4, 8, 3, 3), 1],
      ['MatMul', [node('MatMul', ['x', 'w'], ['y'])], random(32, 16), 1],
      ['Gemm', [node('Gemm', ['x', 'w'], ['y'], { transB: { i: 1 } })], random(16, 32), 0],
      ['Mul', [node('Mul', ['w', 's'], ['v']), node('Conv', ['x', 'v'], ['y'])], random(8, 4, 3, 3), 0],
      [
        'Transpose',
        [node('Transpose', ['w'], ['v'], { perm: { ints: [1, 0] } }), node('MatMul', ['x', 'v'], ['y'])],
        random(16, 32),
        0,
      ],
    ];
    for (const [name, nodes, w, axis] of cases) {
      const found = storedIn(modelOf(nodes, { w }), 'int8');
      expect({ name, ...found }).toEqual({ name, as: 'int8', axis, error: expect.any(Number) });
      expect(found.error).toBeLessThan(0.501); // half a step of the scale
    }
  });

  it('stores as halves what int8 would hurt: banks that are looked up too, and readers that do not agree', () => {
    const bank = [node('MatMul', ['x', 'w'], ['y']), node('Gather', ['w', 'i'], ['z'])];
    const both = [node('Gemm', ['x', 'w'], ['y']), node('Gemm', ['x', 'w'], ['z'], { transB: { i: 1 } })];
    for (const nodes of [bank, both]) {
      const { as, error } = storedIn(modelOf(nodes, { w: random(32, 32) }), 'int8');
      expect(as).toBe('float16');
      expect(error).toBeLessThan(2 ** -10);
    }
  });

  it('leaves alone what is small, what halves cannot hold, and large whole numbers', () => {
    const sum = [node('Add', ['x', 'w'], ['y'])];
    for (const w of [
      random(10, 10),
      float32(Float32Array.from({ length: 300 }, (_, i) => 2000.5 + i * 300)),
      float32(Float32Array.from({ length: 300 }, (_, i) => i * 10)),
    ]) {
      expect(storedIn(modelOf(sum, { w }), 'fp16').as).toBe('float32');
    }
    expect(storedIn(modelOf(sum, { w: random(300) }), 'fp16').as).toBe('float16');
  });

  it('keeps types through reading and writing, also outside of the file', () => {
    const w = random(8, 4, 3, 3);
    const model = storeWeights(modelOf([node('Conv', ['x', 'w'], ['y'])], { w }), 'int8');
    const { model: bytes, external } = encodeModel(model, { externalAbove: 16 });
    const whole = encodeModel(model).model;
    expect(encodeModel(decodeModel(bytes, { external })).model).toEqual(whole);
    expect(encodeModel(decodeModel(whole)).model).toEqual(whole);
  });
});
