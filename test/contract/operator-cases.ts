/**
 * Cases for every operator of the graph language, built through its public functions. Inputs keep away from kinks: where
 * an operator compares values, they are distinct and never zero.
 */
import type { Rng } from '../../dist/core/random.js';
import { float32, int64, type Tensor, tensor } from '../../dist/core/tensor.js';
import type { Value } from '../../dist/graph/index.js';
import * as g from '../../dist/graph/index.js';
import type { Target } from '../../dist/graph/op.js';
import {
  possibleConvForms,
  possibleInputGradientForms,
  possibleWeightGradientForms,
} from '../../dist/graph/ops/conv/choice.js';

/** Makes the values of one input. */
export interface Maker {
  (rng: Rng): Tensor;
  /** The leading size is a symbol in the graph. */
  symbolic?: boolean;
  /** No gradient is taken with respect to it. */
  frozen?: boolean;
}

export interface Case {
  label: string;
  inputs: Record<string, Maker>;
  build(values: Record<string, Value>): Value | readonly Value[];
}

const sizeOf = (shape: readonly number[]) => shape.reduce((n, d) => n * d, 1);
const normal =
  (...shape: number[]): Maker =>
  (rng) =>
    float32(rng.normals(sizeOf(shape)), shape);
/** Uniform in [0.5, 2). */
const positive =
  (...shape: number[]): Maker =>
  (rng) =>
    float32(rng.uniforms(sizeOf(shape), 0.5, 2), shape);
/** Shuffled values with gaps of 0.17, none zero. */
const distinct =
  (...shape: number[]): Maker =>
  (rng) => {
    const n = sizeOf(shape);
    return float32(
      Float32Array.from(rng.permutation(n), (i) => 0.17 * (i - n / 2 + 0.4)),
      shape,
    );
  };
const whole =
  (values: number[], shape: number[] = [values.length]): Maker =>
  () =>
    int64(values, shape);
const truth =
  (values: number[], shape: number[] = [values.length]): Maker =>
  () =>
    tensor('bool', shape, Uint8Array.from(values));
/** The same values; the graph knows the leading size only as a symbol. */
const batch = (maker: Maker): Maker => Object.assign((rng: Rng) => maker(rng), { symbolic: true });
const frozen = (maker: Maker): Maker => Object.assign((rng: Rng) => maker(rng), { ...maker, frozen: true });

const of = (label: string, inputs: Case['inputs'], build: Case['build']): Case => ({ label, inputs, build });

const unary = (f: (x: Value) => Value, make: typeof normal = normal): Case[] => [
  of('matrix', { x: make(3, 4) }, ({ x }) => f(x)),
  of('scalar', { x: make() }, ({ x }) => f(x)),
  of('any batch', { x: batch(make(2, 3)) }, ({ x }) => f(x)),
];

type Binary = (a: Value, b: Value) => Value;
const binary = (f: Binary, make: typeof normal = normal): Case[] => [
  of('same shape', { a: make(2, 3), b: make(2, 3) }, ({ a, b }) => f(a, b)),
  of('row', { a: make(2, 3), b: make(3) }, ({ a, b }) => f(a, b)),
  of('column and row', { a: make(2, 1), b: make(1, 3) }, ({ a, b }) => f(a, b)),
  of('channels', { a: make(1, 3, 1), b: make(2, 3, 2) }, ({ a, b }) => f(a, b)),
  of('scalar', { a: make(), b: make(2, 2) }, ({ a, b }) => f(a, b)),
  of('one value by itself', { a: make(4) }, ({ a }) => f(a, g.mul(a, 1.5))),
  of('any batch', { a: batch(make(3, 2)), b: make(1, 2) }, ({ a, b }) => f(a, b)),
];

/** Two operands in one draw, so that no value of one equals a value of the other. */
const comparing = (f: Binary): Case[] => [
  of('same shape', { x: distinct(2, 2, 3) }, ({ x }) => f(g.pick(x, 0, 0), g.pick(x, 0, 1))),
  of('row', { x: distinct(4, 3) }, ({ x }) => f(g.slice(x, { 0: [0, 3] }), g.pick(x, 0, 3))),
  of('column and row', { x: distinct(5) }, ({ x }) =>
    f(g.reshape(g.slice(x, { 0: [0, 2] }), [2, 1]), g.slice(x, { 0: [2, 5] })),
  ),
  of('number', { x: distinct(6) }, ({ x }) => f(x, g.constant(0.05))),
];

const reductions = (f: typeof g.reduceSum, make: typeof normal): Case[] => [
  of('all', { x: make(2, 3, 2) }, ({ x }) => f(x)),
  of('middle axis', { x: make(2, 3, 2) }, ({ x }) => f(x, { axes: [1] })),
  of('negative axis, kept', { x: make(2, 3, 2) }, ({ x }) => f(x, { axes: [-1], keep: true })),
  of('first and last', { x: make(2, 3, 2) }, ({ x }) => f(x, { axes: [2, 0] })),
  of('all but the second, kept', { x: make(2, 3, 2, 2) }, ({ x }) => f(x, { axes: [0, 2, 3], keep: true })),
  of('no axis', { x: make(3) }, ({ x }) => f(x, { axes: [] })),
  of('a scalar', { x: make() }, ({ x }) => f(x)),
  of('any batch', { x: batch(make(3, 4)) }, ({ x }) => f(x, { axes: [1] })),
];

/** A convolution's sizes, for all three operators. */
interface Geometry {
  label: string;
  x: number[];
  w: number[];
  options?: g.ConvOptions;
  bias?: boolean;
}

const geometries: Geometry[] = [
  { label: '1-D', x: [2, 2, 6], w: [3, 2, 3], options: { padding: 1 }, bias: true },
  { label: '1-D, stride 2 of kernel 4', x: [1, 2, 8], w: [2, 2, 4], options: { stride: 2, padding: 1 } },
  { label: '1-D, stride 3, dilation 2, remainder', x: [2, 1, 12], w: [2, 1, 3], options: { stride: 3, dilation: 2 } },
  { label: '1-D, groups', x: [2, 4, 5], w: [6, 2, 2], options: { groups: 2 }, bias: true },
  { label: '2-D', x: [2, 2, 4, 3], w: [3, 2, 3, 2], bias: true },
  { label: '2-D, as the critics', x: [2, 2, 6, 4], w: [3, 2, 4, 4], options: { stride: 2, padding: 1 }, bias: true },
  { label: '2-D, same size', x: [1, 2, 4, 4], w: [2, 2, 3, 3], options: { padding: 1 } },
  { label: '2-D, many filters', x: [1, 1, 4, 3], w: [8, 1, 2, 2], options: { padding: [1, 0, 0, 1] } },
  { label: '2-D, one-sided padding', x: [2, 1, 4, 5], w: [2, 1, 3, 3], options: { stride: 2, padding: [0, 1, 1, 1] } },
  { label: '2-D, strides by axis', x: [1, 2, 5, 5], w: [2, 2, 3, 2], options: { stride: [1, 2], padding: 1 } },
  { label: '2-D, stride remainder', x: [2, 1, 6, 7], w: [2, 1, 3, 4], options: { stride: [2, 2] } },
  {
    label: '2-D, large stride remainder',
    x: [1, 1, 7, 8],
    w: [2, 1, 2, 3],
    options: { stride: 3, padding: [1, 0, 1, 0] },
  },
  { label: '2-D, dilation', x: [1, 2, 6, 5], w: [2, 2, 2, 2], options: { dilation: [3, 2], padding: 1 } },
  {
    label: '2-D, dilation and stride',
    x: [1, 1, 8, 7],
    w: [2, 1, 3, 2],
    options: { dilation: 2, stride: 2, padding: 1 },
  },
  { label: '2-D, groups and stride', x: [2, 4, 5, 4], w: [4, 2, 3, 2], options: { groups: 2, stride: 2, padding: 1 } },
  { label: 'depthwise', x: [2, 3, 4, 4], w: [3, 1, 3, 3], options: { groups: 3, padding: 1 }, bias: true },
  {
    label: 'depthwise, two filters each, stride 2',
    x: [1, 2, 5, 6],
    w: [4, 1, 2, 2],
    options: { groups: 2, stride: 2 },
  },
  { label: 'pointwise', x: [2, 3, 2, 3], w: [4, 3, 1, 1], bias: true },
  { label: 'pointwise, stride 2', x: [1, 2, 4, 5], w: [2, 2, 1, 1], options: { stride: 2 } },
  { label: 'padding beyond the kernel', x: [1, 1, 3, 3], w: [2, 1, 1, 2], options: { padding: 2 } },
  { label: 'kernel covers the input', x: [3, 2, 3, 2], w: [4, 2, 3, 2], bias: true },
  { label: '1-D, kernel covers the input', x: [2, 2, 4], w: [3, 2, 4] },
  { label: 'kernel covers the padded input', x: [2, 1, 2, 2], w: [2, 1, 4, 4], options: { padding: 1 } },
  { label: '16 channels', x: [16, 16, 3, 2], w: [16, 16, 3, 2], options: { padding: [1, 0, 1, 1] }, bias: true },
  { label: '16 channels, stride 2', x: [16, 16, 4, 2], w: [16, 16, 4, 4], options: { stride: 2, padding: 1 } },
  {
    label: '16 channels, dilation',
    x: [16, 16, 4, 3],
    w: [16, 16, 2, 2],
    options: { dilation: [3, 2], padding: [1, 0, 1, 0] },
  },
  { label: 'one pixel', x: [2, 3, 1, 1], w: [2, 3, 1, 1] },
];

const outputOf = ({ x, w, options }: Geometry): number[] =>
  g.conv(g.input('x', x), g.input('w', w), options).shape as number[];

const attributesOf = ({ w, options = {} }: Geometry) => g.convolution(w.length - 2, options);

const convolutions: Case[] = geometries.map((one) =>
  of(
    one.label,
    { x: normal(...one.x), w: normal(...one.w), ...(one.bias && { bias: normal(one.w[0]) }) },
    ({ x, w, bias }) => g.conv(x, w, { ...one.options, bias }),
  ),
);

const inputGradients: Case[] = geometries.map((one) => {
  const channels = one.w[1] * (one.options?.groups ?? 1);
  return of(
    one.label,
    { y: normal(...outputOf(one)), w: normal(...one.w), ...(one.bias && { bias: normal(channels) }) },
    ({ y, w, bias }) => g.convInputGradient(y, w, one.x.slice(2), attributesOf(one), bias),
  );
});

const weightGradients: Case[] = geometries.map((one) =>
  of(one.label, { x: normal(...one.x), y: normal(...outputOf(one)) }, ({ x, y }) =>
    g.convWeightGradient(x, y, one.w, attributesOf(one)),
  ),
);

const pools = (f: typeof g.averagePool, make: typeof normal): Case[] => [
  of('2 × 2', { x: make(2, 2, 4, 4) }, ({ x }) => f(x, 2)),
  of('2 × 2, remainder', { x: make(1, 2, 5, 4) }, ({ x }) => f(x, 2)),
  of('3 × 3, overlapping, padded', { x: make(1, 2, 5, 6) }, ({ x }) => f(x, 3, { stride: 2, padding: 1 })),
  of('by axis, one-sided', { x: make(2, 1, 4, 5) }, ({ x }) => f(x, [2, 3], { stride: [1, 2], padding: [1, 0, 0, 1] })),
  of('1-D', { x: make(2, 2, 6) }, ({ x }) => f(x, 3, { stride: 1, padding: 1 })),
  of('1-D, tiled', { x: make(2, 1, 6) }, ({ x }) => f(x, 2)),
  of('the whole image', { x: make(2, 2, 3, 2) }, ({ x }) => f(x, [3, 2])),
];

/** Operator name → its cases. */
export const cases: Record<string, Case[]> = {
  neg: unary(g.neg),
  abs: unary(g.abs, distinct),
  sign: unary(g.sign, distinct),
  exp: unary(g.exp),
  log: unary(g.log, positive),
  sqrt: unary(g.sqrt, positive),
  reciprocal: unary(g.reciprocal, positive),
  sin: unary(g.sin),
  cos: unary(g.cos),
  tanh: unary(g.tanh),
  sigmoid: [...unary(g.sigmoid), of('large', { x: () => float32([-90, -20, 20, 90]) }, ({ x }) => g.sigmoid(x))],
  silu: [...unary(g.silu), of('large', { x: () => float32([-90, -20, 20, 90]) }, ({ x }) => g.silu(x))],
  softplus: [...unary(g.softplus), of('large', { x: () => float32([-90, -20, 20, 90]) }, ({ x }) => g.softplus(x))],
  erf: [...unary(g.erf), of('tails', { x: () => float32([-7, -3.5, -2.9, 3.1, 6.5]) }, ({ x }) => g.erf(x))],
  floor: unary(g.floor, distinct),
  step: unary(g.step, distinct),
  relu: unary(g.relu, distinct),
  leakyRelu: [
    ...unary((x) => g.leakyRelu(x), distinct),
    of('slope 0.01', { x: distinct(5) }, ({ x }) => g.leakyRelu(x, 0.01)),
  ],
  clip: [
    ...unary((x) => g.clip(x, -0.3, 0.5), distinct),
    of('one-sided', { x: distinct(7) }, ({ x }) => g.clip(x, 0.02, 1e30)),
  ],
  cast: [
    of('float to int64 and back', { x: distinct(2, 5) }, ({ x }) => g.cast(g.cast(x, 'int64'), 'float32')),
    of('float to int32', { x: distinct(6) }, ({ x }) => g.cast(x, 'int32')),
    of('float to bool', { x: () => float32([0, 0.5, -2, 0]) }, ({ x }) => g.cast(x, 'bool')),
    of('float to uint8', { x: positive(4) }, ({ x }) => g.cast(x, 'uint8')),
    of('int64 to float', { i: whole([-3, 0, 7]), x: normal(3) }, ({ i, x }) => g.mul(g.cast(i, 'float32'), x)),
    of('bool to float', { c: truth([1, 0, 1]), x: normal(3) }, ({ c, x }) => g.mul(g.cast(c, 'float32'), x)),
  ],
  add: binary(g.add),
  sub: binary(g.sub),
  mul: binary(g.mul),
  div: binary(g.div, positive),
  pow: [
    ...binary(g.pow, positive),
    of('square of any sign', { x: normal(5) }, ({ x }) => g.pow(x, 2)),
    of('a power of a number', { x: normal(4) }, ({ x }) => g.pow(0.9, x)),
  ],
  maximum: comparing(g.maximum),
  minimum: comparing(g.minimum),
  greater: [
    ...comparing(g.greater),
    of('integers', { a: whole([1, 5, 3]), b: whole([2, 2, 3]) }, ({ a, b }) => g.greater(a, b)),
  ],
  equal: [
    of('integers', { a: whole([1, 5, 3]), b: whole([2, 5, 3]) }, ({ a, b }) => g.equal(a, b)),
    of('integers, column and row', { a: whole([1, 2], [2, 1]), b: whole([2, 1, 0]) }, ({ a, b }) => g.equal(a, b)),
    of('floats', { x: distinct(3, 2) }, ({ x }) => g.equal(x, g.reduceMax(x, { axes: [0], keep: true }))),
    of('bools', { a: truth([1, 0, 0]), b: truth([1, 1, 0]) }, ({ a, b }) => g.equal(a, b)),
  ],
  mod: [
    of('signs', { a: whole([7, -7, 7, -7, 6]), b: whole([3, 3, -3, -3, 3]) }, ({ a, b }) => g.mod(a, b)),
    of('row', { a: whole([5, 6, 7, 8], [2, 2]), b: whole([3, 4]) }, ({ a, b }) => g.mod(a, b)),
  ],
  where: [
    of('same shape', { c: truth([1, 0, 1]), a: normal(3), b: normal(3) }, ({ c, a, b }) => g.where(c, a, b)),
    of('all broadcast', { c: truth([1, 0], [2, 1]), a: normal(1, 3), b: normal(2, 1, 1) }, ({ c, a, b }) =>
      g.where(c, a, b),
    ),
    of('wide condition', { c: truth([1, 0, 0, 1, 1, 0], [2, 3]), a: normal(), b: normal(3) }, ({ c, a, b }) =>
      g.where(c, a, b),
    ),
    of('a number', { c: truth([1, 0, 1], [3, 1]), a: normal(3, 2) }, ({ c, a }) => g.where(c, a, -4)),
    of('integers', { c: truth([1, 0]), a: whole([1, 2]), b: whole([3, 4]) }, ({ c, a, b }) => g.where(c, a, b)),
  ],

  reshape: [
    of('free size', { x: normal(2, 6) }, ({ x }) => g.reshape(x, [3, -1, 2])),
    of('to a scalar', { x: normal(1, 1) }, ({ x }) => g.reshape(x, [])),
    of('any batch', { x: batch(normal(2, 3, 2)) }, ({ x }) => g.flatten(x)),
    of('any batch, joined', { x: batch(normal(2, 3, 2)) }, ({ x }) => g.reshape(x, [-1, 2])),
    of('integers', { i: whole([1, 2, 3, 4]) }, ({ i }) => g.reshape(i, [2, 2])),
    of('a new axis', { x: normal(2, 3) }, ({ x }) => g.unsqueeze(x, -1)),
  ],
  transpose: [
    of('matrix', { x: normal(2, 3) }, ({ x }) => g.swapLast(x)),
    of('images to channels last', { x: normal(2, 3, 2, 2) }, ({ x }) => g.transpose(x, [0, 2, 3, 1])),
    of('a cycle', { x: normal(2, 3, 4) }, ({ x }) => g.transpose(x, [2, 0, 1])),
    of('any batch', { x: batch(normal(2, 3, 2)) }, ({ x }) => g.transpose(x, [1, 2, 0])),
  ],
  broadcastTo: [
    of('scalar', { x: normal() }, ({ x }) => g.broadcastTo(x, [2, 3])),
    of('new axes', { x: normal(3) }, ({ x }) => g.broadcastTo(x, [2, 2, 3])),
    of('column', { x: normal(2, 1) }, ({ x }) => g.broadcastTo(x, [2, 3])),
    of('both sides', { x: normal(2, 1, 2, 1) }, ({ x }) => g.broadcastTo(x, [2, 3, 2, 2])),
    of('to any batch', { x: batch(normal(3, 2)), row: normal(1, 2) }, ({ x, row }) =>
      g.concat([x, g.broadcastTo(row, x.shape)], 1),
    ),
  ],
  slice: [
    of('range', { x: normal(5, 3) }, ({ x }) => g.slice(x, { 0: [1, 4] })),
    of('steps on two axes', { x: normal(2, 7, 5) }, ({ x }) => g.slice(x, { 1: [1, 7, 2], 2: [0, 5, 3] })),
    of('backwards', { x: normal(2, 5) }, ({ x }) => g.slice(x, { 1: [4, 0, -2] })),
    of('flip', { x: normal(3, 4) }, ({ x }) => g.flip(x, 1)),
    of('one entry', { x: normal(3, 4) }, ({ x }) => g.pick(x, 0, 1)),
    of('dilate', { x: normal(2, 3) }, ({ x }) => g.dilate(x, 1, 3)),
    of('any batch', { x: batch(normal(2, 5)) }, ({ x }) => g.slice(x, { 1: [2, 4] })),
  ],
  pad: [
    of('one axis', { x: normal(2, 3) }, ({ x }) => g.pad(x, 1, 1, 2)),
    of('all axes', { x: normal(2, 2, 2) }, ({ x }) => g.padAll(x, [0, 1, 2], [1, 0, 1])),
    of('a value', { x: normal(3) }, ({ x }) => g.pad(x, 0, 2, 0, -1.5)),
    of('any batch', { x: batch(normal(2, 3)) }, ({ x }) => g.pad(x, 1, 1, 0)),
  ],
  concat: [
    of('rows', { a: normal(2, 3), b: normal(1, 3), c: normal(3, 3) }, ({ a, b, c }) => g.concat([a, b, c], 0)),
    of('negative axis', { a: normal(2, 2, 1), b: normal(2, 2, 3) }, ({ a, b }) => g.concat([a, b], -1)),
    of('the same twice', { a: normal(2, 2) }, ({ a }) => g.concat([a, a], 1)),
    of('integers', { a: whole([1, 2]), b: whole([3]) }, ({ a, b }) => g.concat([a, b], 0)),
  ],
  split: [
    of('rows', { x: normal(6, 2) }, ({ x }) => g.split(x, [1, 3, 2])),
    of('negative axis', { x: normal(2, 2, 5) }, ({ x }) => g.split(x, [2, 3], -1)),
    of('one part unused', { x: normal(5) }, ({ x }) => g.split(x, [2, 1, 2])[1]),
  ],

  reduceSum: reductions(g.reduceSum, normal),
  reduceMean: reductions(g.reduceMean, normal),
  reduceMax: [
    ...reductions(g.reduceMax, distinct),
    of('logSumExp', { x: distinct(3, 4) }, ({ x }) => g.logSumExp(x, { axes: [-1] })),
    of('logSoftmax of large values', { x: () => float32([90, 89, -90, 5, 6, 7], [2, 3]) }, ({ x }) => g.logSoftmax(x)),
  ],
  softmax: [
    of('last axis', { x: normal(2, 4) }, ({ x }) => g.softmax(x)),
    of('channels', { x: normal(2, 3, 2, 2) }, ({ x }) => g.softmax(x, 1)),
    of('first axis', { x: normal(4, 2) }, ({ x }) => g.softmax(x, 0)),
    of('large values', { x: () => float32([90, 89, 88.5]) }, ({ x }) => g.softmax(x)),
    of('any batch', { x: batch(normal(2, 3)) }, ({ x }) => g.softmax(x, -1)),
  ],
  cumSum: [
    of('last axis', { x: normal(2, 4) }, ({ x }) => g.cumSum(x, -1)),
    of('reverse', { x: normal(2, 4) }, ({ x }) => g.cumSum(x, 1, true)),
    of('middle axis', { x: normal(2, 3, 2) }, ({ x }) => g.cumSum(x, 1)),
    of('first axis, reverse', { x: normal(3, 2) }, ({ x }) => g.cumSum(x, 0, true)),
  ],
  argMax: [
    of('last axis', { x: distinct(3, 4) }, ({ x }) => g.argMax(x, -1)),
    of('channels', { x: distinct(2, 3, 2) }, ({ x }) => g.argMax(x, 1)),
    of('first of equals', { x: () => float32([1, 3, 3, 2, 2, 2], [2, 3]) }, ({ x }) => g.argMax(x, 1)),
  ],

  matMul: [
    of('plain', { a: normal(2, 3), b: normal(3, 4) }, ({ a, b }) => g.matMul(a, b)),
    of('left transposed', { a: normal(3, 2), b: normal(3, 4) }, ({ a, b }) => g.matMul(a, b, { transposeA: true })),
    of('right transposed', { a: normal(2, 3), b: normal(4, 3) }, ({ a, b }) => g.matMul(a, b, { transposeB: true })),
    of('both', { a: normal(3, 2), b: normal(4, 3) }, ({ a, b }) =>
      g.matMul(a, b, { transposeA: true, transposeB: true }),
    ),
    of('batched', { a: normal(2, 2, 3), b: normal(2, 3, 2) }, ({ a, b }) => g.matMul(a, b)),
    of('batched, both', { a: normal(2, 3, 2), b: normal(2, 2, 3) }, ({ a, b }) =>
      g.matMul(a, b, { transposeA: true, transposeB: true }),
    ),
    of('leading axes broadcast', { a: normal(2, 1, 2, 3), b: normal(3, 3, 2) }, ({ a, b }) => g.matMul(a, b)),
    of('one matrix for all', { a: normal(2, 2, 3), b: normal(4, 3) }, ({ a, b }) =>
      g.matMul(a, b, { transposeB: true }),
    ),
    of('one matrix before all', { a: normal(3, 2), b: normal(2, 3, 2) }, ({ a, b }) =>
      g.matMul(a, b, { transposeA: true }),
    ),
    of('dot of rows', { a: normal(2, 3), b: normal(3) }, ({ a, b }) => g.dot(a, b)),
    of('any batch', { a: batch(normal(3, 2)), b: normal(2, 2) }, ({ a, b }) => g.matMul(a, b)),
    of('resize up and down', { x: normal(1, 2, 3, 4) }, ({ x }) => g.resizeBilinear(x, [5, 2])),
    of('resize, antialiased', { x: normal(1, 1, 7, 5) }, ({ x }) => g.resizeBilinear(x, [3, 8], { antialias: true })),
  ],

  conv: [
    ...convolutions,
    of(
      'any batch',
      { x: batch(normal(2, 2, 4, 4)), w: frozen(normal(3, 2, 3, 3)), bias: normal(3) },
      ({ x, w, bias }) => g.conv(x, w, { stride: 2, padding: 1, bias }),
    ),
    of(
      'any batch, kernel covers the input',
      { x: batch(normal(2, 2, 3, 3)), w: frozen(normal(3, 2, 3, 3)) },
      ({ x, w }) => g.conv(x, w),
    ),
  ],
  convInputGradient: [
    ...inputGradients,
    of('output padding', { x: normal(1, 2, 3, 2), w: normal(2, 1, 3, 3), bias: normal(1) }, ({ x, w, bias }) =>
      g.convTranspose(x, w, { stride: 2, padding: 1, outputPadding: 1, bias }),
    ),
    of('output padding, 1-D, groups', { x: normal(2, 4, 3), w: normal(4, 2, 2) }, ({ x, w }) =>
      g.convTranspose(x, w, { stride: 3, outputPadding: 2, groups: 2 }),
    ),
    of('any batch', { x: batch(normal(2, 2, 2, 2)), w: frozen(normal(2, 3, 4, 4)) }, ({ x, w }) =>
      g.convTranspose(x, w, { stride: 2, padding: 1 }),
    ),
  ],
  convWeightGradient: weightGradients,

  maxPool: pools(g.maxPool, distinct),
  averagePool: [
    ...pools(g.averagePool, normal),
    of('global', { x: normal(2, 2, 3, 2) }, ({ x }) => g.averagePool(x, [3, 2])),
  ],
  upsampleNearest: [
    of('twice', { x: normal(1, 2, 2, 3) }, ({ x }) => g.upsampleNearest(x, 2)),
    of('by axis', { x: normal(2, 1, 2, 2) }, ({ x }) => g.upsampleNearest(x, [3, 1])),
    of('1-D', { x: normal(2, 2, 3) }, ({ x }) => g.upsampleNearest(x, 2)),
    of('any batch', { x: batch(normal(2, 1, 2, 2)) }, ({ x }) => g.upsampleNearest(x, 2)),
  ],

  gather: [
    of('rows, one twice', { x: normal(4, 3) }, ({ x }) => g.gather(x, [2, 0, 2])),
    of('last axis', { x: normal(2, 4) }, ({ x }) => g.gather(x, [3, 1], -1)),
    of('middle axis, index matrix', { x: normal(2, 3, 2), i: whole([0, 2, 2, 1], [2, 2]) }, ({ x, i }) =>
      g.gather(x, i, 1),
    ),
    of('mirrored border', { x: normal(1, 2, 4, 3) }, ({ x }) => g.padReflect(x, 2)),
    of('any number of rows', { x: normal(4, 2), i: whole([1, 1, 3]) }, ({ x, i }) => g.gather(x, i)),
  ],
  gatherElements: [
    of('rows', { x: normal(3, 2), i: whole([0, 2, 1, 1], [2, 2]) }, ({ x, i }) => g.gatherElements(x, i, 0)),
    of('last axis', { x: normal(2, 4), i: whole([3, 3, 0, 1, 2, 1], [2, 3]) }, ({ x, i }) =>
      g.gatherElements(x, i, -1),
    ),
  ],
  scatterAdd: [
    of('rows, some twice', { x: normal(3, 2), i: whole([0, 1, 3, 1, 0, 1], [3, 2]) }, ({ x, i }) =>
      g.scatterAdd(x, i, 0, 4),
    ),
    of('last axis', { x: normal(2, 3), i: whole([4, 0, 4, 1, 1, 1], [2, 3]) }, ({ x, i }) => g.scatterAdd(x, i, -1, 5)),
  ],
  topK: [
    of('largest', { x: distinct(3, 5) }, ({ x }) => Object.values(g.topK(x, 2))),
    of('smallest, first axis', { x: distinct(5, 2) }, ({ x }) =>
      Object.values(g.topK(x, 3, { axis: 0, largest: false })),
    ),
    of('middle axis', { x: distinct(2, 4, 2) }, ({ x }) => g.topK(x, 2, { axis: 1 }).values),
    of('equals keep their order', { x: frozen(() => float32([1, 2, 2, 2, 1])) }, ({ x }) =>
      Object.values(g.topK(x, 4)),
    ),
    of('sort', { x: distinct(2, 5) }, ({ x }) => g.sort(x)),
    of('sort, first axis', { x: distinct(4, 2) }, ({ x }) => g.sort(x, 0)),
    of('any batch', { x: batch(distinct(2, 4)) }, ({ x }) => g.topK(x, 2).values),
  ],

  batchNormalize: [
    of('images', { x: normal(2, 2, 2, 3), scale: normal(2), shift: normal(2) }, ({ x, scale, shift }) =>
      Object.values(g.batchNormalize(x, scale, shift, 1e-3)),
    ),
    of(
      'rows',
      { x: normal(5, 3), scale: normal(3), shift: normal(3) },
      ({ x, scale, shift }) => g.batchNormalize(x, scale, shift, 1e-5).y,
    ),
    of(
      'sequences, statistics alone',
      { x: normal(2, 2, 4), scale: normal(2), shift: normal(2) },
      ({ x, scale, shift }) => {
        const { mean, variance } = g.batchNormalize(x, scale, shift, 1e-5);
        return [mean, variance];
      },
    ),
  ],
  groupNormalize: [
    of('images', { x: normal(2, 4, 2, 3), scale: normal(4), shift: normal(4) }, ({ x, scale, shift }) =>
      Object.values(g.groupNormalize(x, scale, shift, { groups: 2, eps: 1e-3 })),
    ),
    of(
      'a group per channel, any batch',
      { x: batch(normal(2, 3, 4)), scale: normal(3), shift: normal(3) },
      ({ x, scale, shift }) => g.groupNormalize(x, scale, shift, { groups: 3, eps: 1e-3 }).y,
    ),
    of(
      'rows in one group',
      { x: normal(3, 5), scale: normal(5), shift: normal(5) },
      ({ x, scale, shift }) => g.groupNormalize(x, scale, shift, { groups: 1, eps: 1e-3 }).y,
    ),
    of('statistics alone', { x: normal(2, 4, 3), scale: normal(4), shift: normal(4) }, ({ x, scale, shift }) => {
      const { mean, inverse } = g.groupNormalize(x, scale, shift, { groups: 2, eps: 1e-3 });
      return [mean, inverse];
    }),
  ],
  repeat: [
    of('a root by Newton', { x: frozen(batch(positive(3, 2))), y: frozen(batch(positive(3, 2))) }, ({ x, y }) =>
      g.repeat(5, [y], ([root]) => [g.mul(g.add(root, g.div(x, root)), 0.5)]),
    ),
    of(
      'two states, one of them passed on, something computed outside',
      { x: frozen(normal(2, 3)), w: frozen(normal(3, 3)) },
      ({ x, w }) => g.repeat(3, [x, x], ([a, b]) => [g.tanh(g.matMul(b, g.square(w))), a]),
    ),
    of(
      'a search by gradient, and no turn at all',
      { z: frozen(normal(2, 3)), w: frozen(normal(3, 4)), x: frozen(normal(2, 4)) },
      ({ z, w, x }) => {
        const step = (at: Value) => {
          const [slope] = g.gradients(g.reduceSum(g.square(g.sub(g.matMul(at, w), x))), [at]);
          return g.sub(at, g.mul(slope, 0.05));
        };
        return [...g.repeat(4, [z], ([at]) => [step(at)]), ...g.repeat(0, [z], ([at]) => [step(at)])];
      },
    ),
  ],
  stopGradient: unary(g.stopGradient),
};

/** The forms of a node that exist for its shapes and target; an operator that is not listed has all forms everywhere. */
export const formsOf: Record<string, (node: g.Node, target: Target) => string[]> = {
  conv: ({ inputs: [x, w], attributes }, target) => possibleConvForms(x.shape, w.shape, conv(attributes), target),
  convInputGradient: ({ inputs: [y, w], outputs: [x], attributes }, target) =>
    possibleInputGradientForms(x.shape, y.shape, w.shape, conv(attributes), target),
  convWeightGradient: ({ inputs: [x, y], attributes }, target) =>
    possibleWeightGradientForms(x.shape, y.shape, conv(attributes), target),
  matMul: ({ inputs: [a, b] }) => (a.shape.length === 2 && b.shape.length === 2 ? ['gemm', 'matmul'] : ['matmul']),
};

const conv = (attributes: unknown) => attributes as g.ConvAttributes & { kernel: readonly number[] };
