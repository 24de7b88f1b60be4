/** Batch normalisation with the batch's own statistics as one operator (its gradient in closed form), and `stopGradient`. */

import { ShapeError } from '../../core/errors.ts';
import { concrete, sizeOf } from '../../core/shape.ts';
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
      const squares = emit.node('ReduceSumSquare', [centred], { axes, keepdims: { i: 0 } });
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
