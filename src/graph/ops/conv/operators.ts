/**
 * Convolution and its two gradients: three operators that are closed under differentiation, 1-D and 2-D, with strides,
 * dilation and groups. x is `[N, C, ...]`, the kernel `[K, C / groups, ...]`, y `[N, K, ...]`. As everywhere in the
 * field, "convolution" is cross-correlation.
 */
import { ShapeError } from '../../../core/errors.ts';
import { concrete, type Dim, type Shape, show, sizeOf } from '../../../core/shape.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { apply1, blank, defineOp } from '../../op.ts';
import type { Node, Value } from '../../value.ts';
import { add, mul } from '../elementwise.ts';
import { reshape } from '../movement.ts';
import { reduceSum } from '../reduce.ts';
import { chooseConv, chooseInputGradient, chooseWeightGradient } from './choice.ts';
import {
  attributesOf,
  type ConvAttributes,
  type ConvOptions,
  convolution,
  type InputGradientAttributes,
  outputShape,
  type WeightGradientAttributes,
} from './geometry.ts';
import { convForms, inputGradientForms, weightGradientForms } from './lowerings.ts';

/** Visits every product of a convolution as flat indices into x, w and y. Two spatial axes; 1-D has height 1. */
function visitProducts(
  x: readonly number[],
  w: readonly number[],
  y: readonly number[],
  a: ConvAttributes,
  visit: (ix: number, iw: number, iy: number) => void,
): void {
  const flat = x.length === 3;
  const spatial = (s: readonly number[]) => (flat ? [1, s[2]] : [s[2], s[3]]);
  const per = (v: readonly number[], fill: number) => (flat ? [fill, v[0]] : v);
  const [[xh, xw], [kh, kw], [yh, yw]] = [spatial(x), spatial(w), spatial(y)];
  const [strides, dilations, pads] = [per(a.strides, 1), per(a.dilations, 1), per(a.padsBefore, 0)];
  const perGroup = y[1] / a.groups;
  for (let n = 0; n < x[0]; n++)
    for (let k = 0; k < y[1]; k++)
      for (let c = 0; c < w[1]; c++) {
        const channel = Math.floor(k / perGroup) * w[1] + c;
        for (let i = 0; i < kh; i++)
          for (let j = 0; j < kw; j++)
            for (let p = 0; p < yh; p++) {
              const row = p * strides[0] + i * dilations[0] - pads[0];
              if (row < 0 || row >= xh) continue;
              for (let q = 0; q < yw; q++) {
                const column = q * strides[1] + j * dilations[1] - pads[1];
                if (column < 0 || column >= xw) continue;
                visit(
                  ((n * x[1] + channel) * xh + row) * xw + column,
                  ((k * w[1] + c) * kh + i) * kw + j,
                  ((n * y[1] + k) * yh + p) * yw + q,
                );
              }
            }
      }
}

const numbers = (t: Tensor) => t.data as Float64Array;

/** Starts a result `[N, K, ...]` from its bias. */
function addBias(out: Float64Array, shape: readonly number[], bias: Tensor | undefined): void {
  if (!bias) return;
  const positions = sizeOf(shape.slice(2));
  for (let i = 0; i < out.length; i++) out[i] = numbers(bias)[Math.floor(i / positions) % shape[1]];
}

/** Gradient of a per-channel bias. */
function sumChannels(dy: Value): Value {
  return reduceSum(dy, { axes: dy.shape.map((_, i) => i).filter((i) => i !== 1) });
}

const convOp = defineOp<ConvAttributes>({
  name: 'conv',
  shape: ([x, w], a) => [{ shape: outputShape(x.shape, w.shape, a), dtype: x.dtype }],
  gradient: ({ inputs: [x, w, bias], attributes: a, dy }) => [
    convInputGradient(dy[0]!, w, x.shape.slice(2), a),
    convWeightGradient(x, dy[0]!, w.shape, a),
    bias && sumChannels(dy[0]!),
  ],
  lowerings: convForms,
  choose: chooseConv,
  reference: ([x, w, bias], a, [type]) => {
    const out = blank(type) as Float64Array;
    addBias(out, type.shape, bias);
    visitProducts(x.shape, w.shape, type.shape, a, (ix, iw, iy) => {
      out[iy] += numbers(x)[ix] * numbers(w)[iw];
    });
    return [out];
  },
});

const convInputGradientOp = defineOp<InputGradientAttributes>({
  name: 'convInputGradient',
  shape: ([dy, w], a) => {
    const shape: Dim[] = [dy.shape[0], Number(w.shape[1]) * a.groups, ...a.spatial];
    const expected = outputShape(shape, w.shape, a);
    if (expected.some((d, i) => d !== dy.shape[i])) {
      throw new ShapeError(`an input of ${show(shape)} convolved gives ${show(expected)}, not ${show(dy.shape)}.`);
    }
    return [{ shape, dtype: dy.dtype }];
  },
  gradient: ({ inputs: [y, w, bias], attributes: a, dy }) => [
    apply1(convOp, [dy[0]!, w], attributesOf(a)),
    convWeightGradient(dy[0]!, y, w.shape, a),
    bias && sumChannels(dy[0]!),
  ],
  lowerings: inputGradientForms,
  choose: chooseInputGradient,
  reference: ([dy, w, bias], a, [type]) => {
    const out = blank(type) as Float64Array;
    addBias(out, type.shape, bias);
    visitProducts(type.shape, w.shape, dy.shape, a, (ix, iw, iy) => {
      out[ix] += numbers(dy)[iy] * numbers(w)[iw];
    });
    return [out];
  },
});

const convWeightGradientOp = defineOp<WeightGradientAttributes>({
  name: 'convWeightGradient',
  shape: ([x, dy], a) => {
    const shape = [dy.shape[1], Number(x.shape[1]) / a.groups, ...a.kernel];
    const expected = outputShape(x.shape, shape, a);
    if (expected.some((d, i) => d !== dy.shape[i])) {
      throw new ShapeError(
        `${show(x.shape)} convolved by ${show(shape)} gives ${show(expected)}, not ${show(dy.shape)}.`,
      );
    }
    return [{ shape, dtype: x.dtype }];
  },
  gradient: ({ inputs: [x, y], attributes: a, dy }) => [
    convInputGradient(y, dy[0]!, x.shape.slice(2), a),
    apply1(convOp, [x, dy[0]!], a),
  ],
  lowerings: weightGradientForms,
  choose: chooseWeightGradient,
  reference: ([x, dy], a, [type]) => {
    const out = blank(type) as Float64Array;
    visitProducts(x.shape, type.shape, dy.shape, a, (ix, iw, iy) => {
      out[iw] += numbers(x)[ix] * numbers(dy)[iy];
    });
    return [out];
  },
});

/** Convolution of x `[N, C, ...]` with w `[K, C / groups, ...]`, plus an optional bias `[K]`. */
export function conv(x: Value, w: Value, options: ConvOptions & { bias?: Value } = {}): Value {
  return apply1(convOp, options.bias ? [x, w, options.bias] : [x, w], convolution(w.shape.length - 2, options));
}

/**
 * Gradient of `conv` with respect to its input, plus an optional bias `[C]`: also the transposed convolution. `spatial`
 * is the size of x.
 */
export function convInputGradient(dy: Value, w: Value, spatial: Shape, a: ConvAttributes, bias?: Value): Value {
  return apply1(convInputGradientOp, bias ? [dy, w, bias] : [dy, w], {
    ...attributesOf(a),
    spatial: concrete(spatial, 'A transposed convolution'),
  });
}

/** Gradient of `conv` with respect to its kernel, whose whole shape is `kernel`. */
export function convWeightGradient(x: Value, dy: Value, kernel: Shape, a: ConvAttributes): Value {
  return apply1(convWeightGradientOp, [x, dy], {
    ...attributesOf(a),
    kernel: concrete(kernel.slice(2), 'A convolution'),
  });
}

/**
 * Transposed convolution of x `[N, K, ...]` with w `[K, C / groups, ...]`; size n becomes
 * (n − 1)·stride − 2·padding + dilation·(k − 1) + 1 + outputPadding.
 */
export function convTranspose(
  x: Value,
  w: Value,
  options: ConvOptions & { outputPadding?: number; bias?: Value } = {},
): Value {
  const a = convolution(w.shape.length - 2, options);
  const spatial = concrete(x.shape.slice(2), 'A transposed convolution').map((n, i) => {
    const reach = a.dilations[i] * (Number(w.shape[i + 2]) - 1) + 1;
    return (n - 1) * a.strides[i] - a.padsBefore[i] - a.padsAfter[i] + reach + (options.outputPadding ?? 0);
  });
  return convInputGradient(x, w, spatial, a, options.bias);
}

/**
 * `y · factor + offset` with one factor and offset `[C]` per channel (axis 1). Where y is a convolution, plain or
 * transposed, both go into its kernel and bias, so that the larger image is not walked again.
 */
export function scaleChannels(y: Value, factor: Value, offset: Value): Value {
  const channels = Number(y.shape[1]);
  const { op, inputs, attributes } = y.node as Node & { attributes: ConvAttributes };
  const [x, w, bias] = inputs;
  const along = (v: Value, axis: number, rank: number) =>
    reshape(
      v,
      Array.from({ length: rank }, (_, i) => (i === axis ? channels : 1)),
    );
  const foldable = op.name === convOp.name || (op.name === convInputGradientOp.name && attributes.groups === 1);
  if (!foldable) return add(mul(y, along(factor, 1, y.shape.length)), along(offset, 1, y.shape.length));
  const axis = op.name === convOp.name ? 0 : 1;
  const kernel = mul(w, along(factor, axis, w.shape.length));
  return apply1(op, [x, kernel, bias ? add(mul(bias, factor), offset) : offset], attributes);
}
