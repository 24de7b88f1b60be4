import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OddityError } from '../../core/errors.ts';
import { float32, int64, type Tensor, tensor } from '../../core/tensor.ts';
import { evaluate } from '../evaluate.ts';
import { gradients } from '../grad.ts';
import { constant, input } from '../leaf.ts';
import { reduceSum } from '../ops/index.ts';
import { topological, type Value } from '../value.ts';
import { importOnnx, tensorsNeeded } from './import.ts';
import type { OnnxAttribute, OnnxModel, OnnxNode } from './messages.ts';

const node = (
  op: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, OnnxAttribute> = {},
): OnnxNode => ({
  op,
  inputs,
  outputs,
  attributes,
});

const modelOf = (nodes: OnnxNode[], tensors: Record<string, Tensor> = {}, opset = 17): OnnxModel => ({
  irVersion: 8,
  opsets: [{ domain: '', version: opset }],
  producer: '',
  producerVersion: '',
  metadata: {},
  graph: {
    name: 'main',
    nodes,
    inputs: [{ name: 'x', dtype: 'float32', shape: [1, 2, 4, 4] }],
    outputs: [],
    initializers: Object.entries(tensors).map(([name, value]) => ({ name, tensor: value })),
  },
});

/** Imports with the file's own numbers and runs the reference. */
const run = (model: OnnxModel, taps: string[], x: Tensor): Tensor[] => {
  const tensors = tensorsNeeded(model, taps);
  const fed = input('x', ['N', ...x.shape.slice(1)]);
  return evaluate(
    importOnnx(model, fed, taps, (name) => constant(tensors[name])),
    { x },
  );
};
const numbers = (t: Tensor) => Array.from(t.data as Float32Array);
const ramp = (...shape: number[]) =>
  float32(
    Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => (i % 7) - 3),
    shape,
  );
const withCode = (code: string) => expect.objectContaining({ code });

const tail = {
  w: ramp(3, 2, 3, 3),
  b: float32([1, -1, 0]),
  scale: float32([1, 2, 3]),
  shift: float32([0, 1, 2]),
  mean: float32([0.5, 0, -1]),
  variance: float32([1, 4, 0.25]),
};
const convolution = node('Conv', ['x', 'w', 'b'], ['conv'], { pads: { ints: [1, 1, 1, 1] } });
const normalization = node('BatchNormalization', ['conv', 'scale', 'shift', 'mean', 'variance'], ['norm']);
const network = modelOf([convolution, normalization, node('Relu', ['norm'], ['out'])], tail);

describe('importOnnx', () => {
  it('folds the normalisation into the convolution before it, unless that is tapped', () => {
    const x = ramp(2, 2, 4, 4);
    const [conv, norm, out] = run(network, ['conv', 'norm', 'out'], x);
    expect(out.shape).toEqual([2, 3, 4, 4]);
    const wanted = numbers(conv).map((v, i) => {
      const c = Math.floor(i / 16) % 3;
      const [scale, shift, mean, variance] = [tail.scale, tail.shift, tail.mean, tail.variance].map(
        (t) => numbers(t)[c],
      );
      return ((v - mean) / Math.sqrt(variance + 1e-5)) * scale + shift;
    });
    numbers(norm).forEach((v, i) => {
      expect(v).toBeCloseTo(wanted[i], 3);
    });
    const [alone] = run(network, ['out'], x);
    numbers(alone).forEach((v, i) => {
      expect(v).toBeCloseTo(Math.max(0, wanted[i]), 3);
    });
    const tensors = tensorsNeeded(network, ['out']);
    const build = (taps: string[]) =>
      importOnnx(network, input('x', ['N', 2, 4, 4]), taps, (n) => constant(tensors[n]));
    const convs = (values: Value[]) => topological(values).filter((n) => n.op.name === 'conv').length;
    expect([convs(build(['out'])), convs(build(['conv', 'out']))]).toEqual([1, 1]);
  });

  it('gives values that gradients flow through, to the weights too', () => {
    const x = input('x', [1, 2, 4, 4]);
    const weights = new Map<string, Value>();
    const [out] = importOnnx(network, x, ['out'], (name, shape) => {
      weights.set(name, input(name, shape));
      return weights.get(name)!;
    });
    expect([...weights.keys()]).toEqual(['w', 'b', 'scale', 'shift', 'mean', 'variance']);
    const found = gradients(reduceSum(out), [x, weights.get('w')!]);
    const [dx, dw] = evaluate(found as Value[], { x: ramp(1, 2, 4, 4), ...tail });
    expect([dx.shape, dw.shape]).toEqual([
      [1, 2, 4, 4],
      [3, 2, 3, 3],
    ]);
    expect(numbers(dw).some((v) => v !== 0)).toBe(true);
  });

  it('frees a batch that the file fixes, also where its shapes name it', () => {
    const nodes = [
      node('Reshape', ['x', 'grouped'], ['g']),
      node('Transpose', ['g'], ['t'], { perm: { ints: [0, 2, 1, 3, 4] } }),
      node('Reshape', ['t', 'rows'], ['r']),
      node('Reshape', ['w', 'columns'], ['v']),
      node('MatMul', ['r', 'v'], ['out']),
    ];
    const model = modelOf(nodes, {
      grouped: int64([1, 2, 1, 4, 4]),
      rows: int64([1, -1]),
      columns: int64([32, 3]),
      w: ramp(2, 16, 3),
    });
    expect(Object.keys(tensorsNeeded(model, ['out']))).toEqual(['w']);
    const x = ramp(3, 2, 4, 4);
    const [out] = run(model, ['out'], x);
    expect(out.shape).toEqual([3, 3]);
    const second = { ...x, shape: [1, 2, 4, 4], data: x.data.slice(32, 64) };
    expect(numbers(run(model, ['out'], second)[0])).toEqual(numbers(out).slice(3, 6));
  });

  it('reads Softmax as its operator set means it', () => {
    const at = (opset: number) =>
      numbers(run(modelOf([node('Softmax', ['x'], ['y'])], {}, opset), ['y'], ramp(1, 2, 2, 2))[0]);
    expect(at(7).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    expect(at(13).reduce((a, b) => a + b)).toBeCloseTo(4, 6);
  });

  it('broadcasts from an axis on where old files ask for it', () => {
    const attributes = { broadcast: { i: 1 }, axis: { i: 1 } };
    const model = modelOf([node('Add', ['x', 'b'], ['y'], attributes)], { b: float32([10, 20]) }, 6);
    expect(numbers(run(model, ['y'], ramp(1, 2, 1, 2))[0])).toEqual([7, 8, 19, 20]);
  });

  it('finds settings behind Constant and Identity nodes', () => {
    const nodes = [
      node('Constant', [], ['c'], { value: { t: int64([0, 8, -1]) } }),
      node('Identity', ['c'], ['shape']),
      node('Constant', [], ['two'], { value_float: { f: 2 } }),
      node('Reshape', ['x', 'shape'], ['r']),
      node('Mul', ['r', 'two'], ['y']),
    ];
    const [y] = run(modelOf(nodes), ['y'], ramp(1, 2, 4, 4));
    expect(y.shape).toEqual([1, 8, 4]);
    expect(numbers(y)[0]).toBe(-6);
  });

  it('reads deep graphs', () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => node('Relu', [i ? `y${i - 1}` : 'x'], [`y${i}`]));
    const [y] = importOnnx(modelOf(nodes), input('x', [1, 2, 4, 4]), ['y19999'], () => constant(0));
    expect(y.shape).toEqual([1, 2, 4, 4]);
  });
});

describe('tensorsNeeded', () => {
  it('has the floats of the part, and numbers that would slow it down are 0', () => {
    const nodes = [
      node('Mul', ['x', 'w'], ['y']),
      node('Add', ['y', 'eps'], ['z']),
      node('Reshape', ['z', 'shape'], ['r']),
      node('Mul', ['r', 'unused'], ['later']),
    ];
    const model = modelOf(nodes, {
      unused: float32([1]),
      shape: int64([1, -1]),
      eps: float32(1e-38),
      w: float32([1e-40, -1e-31, 1e-29, 2], [1, 1, 1, 4]),
      wide: tensor('float64', [2], Float64Array.of(0.1, 1e-300)),
    });
    expect(tensorsNeeded(model, ['r'])).toEqual({ w: float32([0, 0, 1e-29, 2], [1, 1, 1, 4]), eps: float32(1e-38) });
    const wide = modelOf([node('Mul', ['x', 'wide'], ['y'])], { wide: model.graph.initializers[4].tensor });
    expect(tensorsNeeded(wide, ['y'])).toEqual({ wide: float32([0.1, 0]) });
  });

  it('names may be any text', () => {
    const model = modelOf([node('Add', ['x', '__proto__'], ['constructor'])]);
    model.graph.initializers.push({ name: '__proto__', tensor: float32(1) });
    expect(Object.entries(tensorsNeeded(model, ['constructor']))).toEqual([['__proto__', float32(1)]]);
  });
});

describe('what cannot be read', () => {
  const take = (model: OnnxModel, tap: string, shape: (number | string)[] = ['N', 2, 4, 4]) =>
    importOnnx(model, input('x', shape), [tap], (name, sizes) => input(name, sizes));
  const relu = node('Relu', ['x'], ['y']);

  it('is an unknown tap: the nearest is offered', () => {
    expect(() => take(network, 'nrom')).toThrow('There is no tap named "nrom". Did you mean "norm"?');
    expect(() => tensorsNeeded(network, ['x'])).toThrow(withCode('unknown-tap'));
    const many = Array.from({ length: 30 }, (_, i) => node('Relu', ['x'], [`layer${i}`]));
    expect(() => take(modelOf(many), 'pool')).toThrow(
      'There is no tap named "pool". The graph has 30 node outputs, from "layer0" to "layer29".',
    );
  });

  it.each([
    [
      node('LRN', ['y'], ['z']),
      'The node of "z" (LRN) cannot become part of a detector: the operator LRN is not supported',
    ],
    [{ ...node('Conv', ['y', 'w'], ['z']), domain: 'com.microsoft', name: 'n7' }, 'The node "n7" (Conv)'],
    [node('MaxPool', ['y'], ['z'], { kernel_shape: { ints: [2, 2] }, dilations: { ints: [2, 1] } }), 'is dilated'],
    [node('Pad', ['y', 'two'], ['z'], { mode: { s: 'reflect' } }), 'its mode is "reflect"'],
    [node('Reshape', ['y', 'y'], ['z']), 'its setting "y" is computed by the graph'],
    [node('Resize', ['y', '', 'two'], ['z'], { mode: { s: 'cubic' } }), 'by [2,2], and only repeated pixels'],
    [node('Resize', ['y', '', 'odd'], ['z']), 'it resizes by [1,1,2,0.3'],
    [node('BatchNormalization', ['y', 'v', 'v', 'v', 'v'], ['z'], { training_mode: { i: 1 } }), 'in training mode'],
    [node('Add', ['y', 'n'], ['z']), 'computes with "n" of type int64'],
  ] as const)('%o', (last, why) => {
    const tensors = { two: float32([1, 1, 2, 2]), odd: float32([1, 1, 2, 0.3]), v: float32([1, 1]), n: int64([1]) };
    const model = modelOf([relu, last as OnnxNode], { ...tensors, w: ramp(2, 2, 1, 1) });
    expect(() => take(model, 'z')).toThrow(withCode('onnx-unsupported'));
    expect(() => take(model, 'z')).toThrow(why);
    expect(() => take(model, 'z')).toThrow(/Choose a tap before it(, such as "y")?\./);
  });

  it('is the first unknown operator of the graph, and a part before it can be had', () => {
    const model = modelOf([relu, node('LRN', ['y'], ['z']), node('Einsum', ['z'], ['e'])]);
    expect(() => tensorsNeeded(model, ['e'])).toThrow('(LRN)');
    expect(take(model, 'y')).toHaveLength(1);
    expect(() => take(modelOf([node('LRN', ['x'], ['z'])]), 'z')).toThrow('export the network without it');
    const masked = modelOf([node('Dropout', ['x'], ['d', 'mask']), node('Relu', ['mask'], ['z'])]);
    expect(() => take(masked, 'z')).toThrow('its output "mask" is not computed here');
  });

  it('is an input that does not fit', () => {
    expect(() => take(network, 'out', ['N', 3, 4, 4])).toThrow(
      'The network\'s input "x" must be [1,2,4,4], but it would get [N,3,4,4]: the channels differ.',
    );
    expect(() => take(network, 'out', ['N', 4, 9, 9])).toThrow('export it with the channels first');
    expect(() => take(network, 'out', ['N', 2])).toThrow(withCode('onnx-input'));
    const two = modelOf([node('Add', ['x', 'other'], ['y'])]);
    two.graph.inputs.push({ name: 'other', dtype: 'float32' });
    expect(() => take(two, 'y')).toThrow('must have one input, but these taps need "x" and "other"');
  });

  it('is an image that is too small: the node is named', () => {
    const model = modelOf([node('Conv', ['x', 'w'], ['y'])], tail);
    expect(() => take(model, 'y', ['N', 2, 2, 2])).toThrow(
      'The node of "y" (Conv): conv: a kernel that reaches over 3 does not fit into a padded size of 2.',
    );
  });

  it.each([
    [[node('Relu', ['z'], ['y']), node('Relu', ['y'], ['z'])], 'depends on itself'],
    [[node('Relu', ['nowhere'], ['z'])], 'reads "nowhere", which nothing makes'],
    [[relu, node('Relu', ['y'], ['z']), node('Relu', ['x'], ['z'])], 'two nodes make "z"'],
    [[node('Conv', ['x'], ['z'])], 'must have 2 inputs and lacks number 2'],
    [[node('Conv', ['x', 'w'], ['z'], { strides: { ints: [0, 1] } })], 'strides of Conv must be 2 whole numbers'],
    [[node('Conv', ['x', 'w'], ['z'], { strides: { i: 2 } })], 'the attribute strides of Conv has the wrong type'],
    [[node('AveragePool', ['x'], ['z'])], 'kernel_shape of AveragePool must be 2 whole numbers from 1 on'],
    [
      [node('MaxPool', ['x'], ['z'], { kernel_shape: { ints: [2, 2] }, pads: { ints: [2, 0, 0, 0] } })],
      'as wide as its window',
    ],
    [[node('Transpose', ['x'], ['z'], { perm: { ints: [0, 1, 2, 9] } })], 'has the order [0,1,2,9]'],
    [[node('Reshape', ['x', 'shape'], ['z'])], 'has the shape [1,-7]'],
    [
      [node('AveragePool', ['x'], ['z'], { kernel_shape: { ints: [1, 1] }, strides: { ints: [1.5, 1] } })],
      'strides of AveragePool',
    ],
  ])('is a damaged graph: %#', (nodes, why) => {
    const model = modelOf(nodes, { w: ramp(2, 2, 1, 1), shape: int64([1, -7]) });
    expect(() => take(model, 'z')).toThrow(withCode('onnx-corrupt'));
    expect(() => take(model, 'z')).toThrow(why);
  });

  it('never fails in a way of its own', () => {
    const names = ['x', 'w', 'b', 'conv', 'norm', 'out', 'scale', ''];
    const ops = ['Conv', 'MaxPool', 'AveragePool', 'Gemm', 'MatMul', 'Concat', 'Flatten', 'Reshape', 'Pad', 'Resize'];
    const attribute = fc.oneof(
      fc.record({ i: fc.integer({ min: -3, max: 9 }) }),
      fc.record({ f: fc.float() }),
      fc.record({ ints: fc.array(fc.integer({ min: -3, max: 9 }), { maxLength: 4 }) }),
    );
    const keys = [
      'kernel_shape',
      'strides',
      'pads',
      'axis',
      'group',
      'shape',
      'perm',
      'scales',
      'ceil_mode',
      'dilations',
    ];
    const wild = fc.record({
      op: fc.constantFrom(...ops, 'Transpose', 'Softmax', 'Clip', 'Div'),
      inputs: fc.array(fc.constantFrom(...names), { maxLength: 4 }),
      attributes: fc.dictionary(fc.constantFrom(...keys), attribute, { maxKeys: 4 }),
    });
    let read = 0;
    fc.assert(
      fc.property(wild, (changed) => {
        const model = modelOf([convolution, normalization, { ...changed, outputs: ['out'] }], tail);
        try {
          take(model, 'out');
          read++;
        } catch (error) {
          expect(error).toBeInstanceOf(OddityError);
        }
      }),
      { numRuns: 3000, seed: 7 },
    );
    expect(read).toBeGreaterThan(30);
  });
});
