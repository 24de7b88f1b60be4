/** Batch and group normalisation as one operator each (their gradients in closed form), and `stopGradient`. */

import { ShapeError } from '../../core/errors.ts';
import { concrete, product, type Shape, sizeOf } from '../../core/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { apply, apply1, blank, defineOp } from '../op.ts';
import type { Value } from '../value.ts';
import { add, div, mul, sqrt, sub } from './elementwise.ts';
import { broadcastTo, reshape } from './movement.ts';
import { reduceSum } from './reduce.ts';

type Numbers = Float64Array;

const batchNormalizeOp = defineOp<{ eps: number }>({
  name: 'batchNormalize',
  shape: ([x, scale, shift]) => {
    const channels = x.shape[1];
    if (scale.shape[0] !== channels || shift.shape[0] !== channels) {
      throw new ShapeError(
        `scale and shift must have ${channels} entries, got ${scale.shape[0]} and ${shift.shape[0]}.`,
      );
    }
    const statistics = { shape: [channels], dtype: x.dtype };
    return [{ shape: x.shape, dtype: x.dtype }, statistics, statistics];
  },
  // With c = x − mean, i = 1 / √(variance + eps), m values per channel:
  // dx = scale·i · (dy − Σdy / m − c · i² · Σ(dy·c) / m), plus what flows through the statistics themselves.
  gradient: ({ inputs: [x, scale], outputs: [, mean, variance], attributes: { eps }, dy: [dy, dMean, dVariance] }) => {
    const [channels] = concrete([x.shape[1]]);
    const axes = x.shape.map((_, i) => i).filter((i) => i !== 1);
    const wide = x.shape.map((_, i) => (i === 1 ? channels : 1));
    const count = sizeOf(x.shape) / channels;
    const centred = sub(x, reshape(mean, wide));
    let offset: Value | undefined; // per channel, added to dx
    let slope: Value | undefined; // per channel, times c
    let dScale: Value | undefined;
    let dShift: Value | undefined;
    let direct: Value | undefined;
    if (dy) {
      const inverse = div(1, sqrt(add(variance, eps)));
      const factor = mul(scale, inverse);
      dShift = reduceSum(dy, { axes });
      dScale = mul(reduceSum(mul(dy, centred), { axes }), inverse);
      offset = mul(mul(factor, dShift), -1 / count);
      slope = mul(mul(mul(factor, inverse), dScale), -1 / count);
      direct = mul(dy, reshape(factor, wide));
    }
    if (dMean) offset = add(offset ?? 0, mul(dMean, 1 / count));
    if (dVariance) slope = add(slope ?? 0, mul(dVariance, 2 / count));
    const parts = [direct, slope && mul(centred, reshape(slope, wide)), offset && reshape(offset, wide)];
    const dx = parts.filter((p): p is Value => p !== undefined).reduce((a, b) => add(a, b));
    return [broadcastTo(dx, x.shape), dScale, dShift];
  },
  lowerings: {
    onnx: (emit, [x, scale, shift], { inputs: [image], attributes: { eps } }) => {
      const channels = Number(image.shape[1]);
      const axes = { ints: image.shape.map((_, i) => i).filter((i) => i !== 1) };
      const wide = emit.ints(image.shape.map((_, i) => (i === 1 ? channels : 1)));
      const mean = emit.node('ReduceMean', [x], { axes, keepdims: { i: 0 } });
      const centred = emit.node('Sub', [x, emit.node('Reshape', [mean, wide])]);
      // ReduceSumSquare takes twice as long as the two together.
      const squares = emit.node('ReduceSum', [emit.node('Mul', [centred, centred]), emit.ints(axes.ints)], {
        keepdims: { i: 0 },
      });
      const variance = emit.node('Mul', [squares, emit.scalar(channels / sizeOf(image.shape))]);
      const deviation = emit.node('Sqrt', [emit.node('Add', [variance, emit.scalar(eps)])]);
      const factor = emit.node('Reshape', [emit.node('Div', [scale, deviation]), wide]);
      const y = emit.node('Add', [emit.node('Mul', [centred, factor]), emit.node('Reshape', [shift, wide])]);
      return [y, mean, variance];
    },
  },
  reference: ([x, scale, shift], { eps }, types) => {
    const [y, mean, variance] = types.map((t) => blank(t) as Numbers);
    const [n, channels] = x.shape;
    const pixels = x.data.length / (n * channels);
    const data = x.data as Numbers;
    const each = (c: number, visit: (i: number) => void) => {
      for (let b = 0; b < n; b++) for (let p = 0; p < pixels; p++) visit((b * channels + c) * pixels + p);
    };
    for (let c = 0; c < channels; c++) {
      each(c, (i) => {
        mean[c] += data[i] / (n * pixels);
      });
      each(c, (i) => {
        variance[c] += (data[i] - mean[c]) ** 2 / (n * pixels);
      });
      each(c, (i) => {
        y[i] =
          ((data[i] - mean[c]) / Math.sqrt(variance[c] + eps)) * (scale.data[c] as number) + (shift.data[c] as number);
      });
    }
    return [y, mean, variance];
  },
});

/**
 * Normalises every channel (axis 1) by its mean and variance over all other axes, then scales and shifts it.
 * Also returns the statistics, `[C]` each, the variance divided by the number of values.
 */
export function batchNormalize(
  x: Value,
  scale: Value,
  shift: Value,
  eps: number,
): { y: Value; mean: Value; variance: Value } {
  const [y, mean, variance] = apply(batchNormalizeOp, [x, scale, shift], { eps });
  return { y, mean, variance };
}

interface Groups {
  groups: number;
  eps: number;
}

const valuesPerGroup = (x: { shape: Shape }, groups: number): number => sizeOf(x.shape.slice(1)) / groups;

const groupNormalizeOp = defineOp<Groups>({
  name: 'groupNormalize',
  shape: ([x, scale, shift], { groups }) => {
    const [channels] = concrete([x.shape[1]], 'Group norm');
    if (channels % groups !== 0) throw new ShapeError(`${groups} groups do not divide ${channels} channels.`);
    if (scale.shape[0] !== channels || shift.shape[0] !== channels) {
      throw new ShapeError(
        `scale and shift must have ${channels} entries, got ${scale.shape[0]} and ${shift.shape[0]}.`,
      );
    }
    const statistics = { shape: [x.shape[0], groups, 1], dtype: x.dtype };
    return [{ shape: x.shape, dtype: x.dtype }, statistics, statistics];
  },
  // With c = x − mean, i = 1 / √(variance + eps), m values per group and d = scale · dy:
  // dx = i · (d − Σd / m − c · i² · Σ(d·c) / m), sums over a group; each is made from sums over channels. Written with x in
  // place of c, which then need not be kept for it.
  gradient: ({ inputs: [x, scale], outputs: [, mean, inverse], attributes: { groups }, dy: [dy, dMean, dInverse] }) => {
    const [n, channels] = x.shape;
    const perGroup = Number(channels) / groups;
    const pixels = sizeOf(x.shape.slice(2));
    const count = perGroup * pixels;
    const wide = (v: Value) =>
      reshape(broadcastTo(v, [n, groups, perGroup]), [n, channels, ...x.shape.slice(2).map(() => 1)]);
    const factor = reshape(scale, [1, groups, perGroup]);
    const rows = product([n, channels]);
    const cube = mul(mul(inverse, inverse), inverse);
    let [offset, slope]: (Value | undefined)[] = []; // per group, added to dx, and times c
    let [direct, dScale, dShift]: (Value | undefined)[] = [];
    if (dy) {
      const sums = reshape(reduceSum(reshape(dy, [rows, pixels]), { axes: [1] }), [n, groups, perGroup]);
      // A product of a row by a column for each channel would need no third image, but takes three times as long.
      const withX = reduceSum(reshape(mul(dy, x), [rows, pixels]), { axes: [1] });
      const products = sub(reshape(withX, [n, groups, perGroup]), mul(sums, mean)); // Σ dy·c
      dShift = reshape(reduceSum(sums, { axes: [0] }), [channels]);
      dScale = reshape(reduceSum(mul(products, inverse), { axes: [0] }), [channels]);
      offset = mul(mul(reduceSum(mul(sums, factor), { axes: [2], keep: true }), inverse), -1 / count);
      slope = mul(mul(reduceSum(mul(products, factor), { axes: [2], keep: true }), cube), -1 / count);
      direct = mul(dy, wide(mul(inverse, factor)));
    }
    if (dMean) offset = add(offset ?? 0, mul(dMean, 1 / count));
    // i = (v + eps)^−½, so di/dx = −i³ · c / m
    if (dInverse) slope = sub(slope ?? 0, mul(mul(dInverse, cube), 1 / count));
    const constant = slope ? sub(offset ?? 0, mul(slope, mean)) : offset;
    const parts = [
      direct,
      slope && mul(x, wide(slope)),
      constant && (slope || direct ? wide(constant) : broadcastTo(wide(constant), x.shape)),
    ];
    return [parts.filter((p) => p !== undefined).reduce((a, b) => add(a, b)), dScale, dShift];
  },
  lowerings: {
    onnx: (emit, [x, scale, shift], { inputs: [image], attributes: { groups, eps } }) => {
      const channels = Number(image.shape[1]);
      const count = valuesPerGroup(image, groups);
      const pixels = image.shape.slice(2);
      // The batch may be a symbol.
      const free = (shape: Shape) => emit.ints(shape.map((d) => (typeof d === 'string' ? -1 : d)));
      const grouped = emit.node('Reshape', [x, free([image.shape[0], groups, count])]);
      const axes = { axes: { ints: [2] }, keepdims: { i: 1 } };
      const mean = emit.node('ReduceMean', [grouped], axes);
      const centred = emit.node('Sub', [grouped, mean]);
      const variance = emit.node('Mul', [emit.node('ReduceSumSquare', [centred], axes), emit.scalar(1 / count)]);
      const inverse = emit.node('Reciprocal', [emit.node('Sqrt', [emit.node('Add', [variance, emit.scalar(eps)])])]);
      // y = x · factor + (shift − mean · factor), each by channel.
      const perChannel = emit.ints([1, groups, channels / groups]);
      const factor = emit.node('Mul', [inverse, emit.node('Reshape', [scale, perChannel])]);
      const offset = emit.node('Sub', [emit.node('Reshape', [shift, perChannel]), emit.node('Mul', [mean, factor])]);
      const wide = free([image.shape[0], channels, ...pixels.map(() => 1)]);
      const scaled = emit.node('Mul', [x, emit.node('Reshape', [factor, wide])]);
      return [emit.node('Add', [scaled, emit.node('Reshape', [offset, wide])]), mean, inverse];
    },
  },
  reference: ([x, scale, shift], { groups, eps }, types) => {
    const [y, mean, inverse] = types.map((t) => blank(t) as Numbers);
    const data = x.data as Numbers;
    const count = valuesPerGroup(x, groups);
    const pixels = sizeOf(x.shape.slice(2));
    for (let at = 0; at < mean.length; at++) {
      const group = data.subarray(at * count, (at + 1) * count);
      let [sum, squares] = [0, 0];
      for (const v of group) sum += v;
      mean[at] = sum / count;
      for (const v of group) squares += (v - mean[at]) ** 2;
      inverse[at] = 1 / Math.sqrt(squares / count + eps);
      for (let i = 0; i < count; i++) {
        const channel = Math.floor((at * count + i) / pixels) % x.shape[1];
        y[at * count + i] = (group[i] - mean[at]) * inverse[at] * numberAt(scale, channel) + numberAt(shift, channel);
      }
    }
    return [y, mean, inverse];
  },
});

const numberAt = (t: Tensor, i: number): number => Number(t.data[i]);

/**
 * Normalises every group of channels of every item by its own mean and variance, then scales and shifts by channel. Also
 * returns mean and 1 / √(variance + eps), `[N, groups, 1]` each.
 */
export function groupNormalize(
  x: Value,
  scale: Value,
  shift: Value,
  options: Groups,
): { y: Value; mean: Value; inverse: Value } {
  const [y, mean, inverse] = apply(groupNormalizeOp, [x, scale, shift], options);
  return { y, mean, inverse };
}

const stopGradientOp = defineOp<Record<never, never>>({
  name: 'stopGradient',
  shape: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
  gradient: null,
  lowerings: { onnx: (_, inputs) => inputs },
  reference: ([x]) => [x.data],
});

/** The same values, through which no gradient flows. */
export function stopGradient(x: Value): Value {
  return apply1(stopGradientOp, [x], {});
}
