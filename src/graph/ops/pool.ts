/** Pooling and nearest-neighbour upsampling over `[N, C, H, W]` (or `[N, C, L]`). */
import { ShapeError } from '../../core/errors.ts';
import { concrete, type Dim, product, type Shape, show, sizeOf } from '../../core/shape.ts';
import { full } from '../leaf.ts';
import { apply, apply1, blank, defineOp } from '../op.ts';
import type { Value } from '../value.ts';
import { type ConvAttributes, type ConvOptions, convolution } from './conv/geometry.ts';
import { convInputGradient } from './conv/operators.ts';
import { cast, div, equal, mul } from './elementwise.ts';
import { scatterAdd } from './gather.ts';
import { reshape } from './movement.ts';
import { reduceMean } from './reduce.ts';

type Numbers = Float64Array;

interface Pool extends ConvAttributes {
  kernel: readonly number[];
}

function pooledShape(x: Shape, a: Pool): Dim[] {
  if (x.length !== a.kernel.length + 2)
    throw new ShapeError(`a window of ${a.kernel.length} axes does not fit ${show(x)}.`);
  const sizes = concrete(x.slice(2), 'Pooling').map((n, i) => {
    const padded = n + a.padsBefore[i] + a.padsAfter[i];
    if (padded < a.kernel[i])
      throw new ShapeError(`a window of ${a.kernel[i]} does not fit into a padded size of ${padded}.`);
    return Math.floor((padded - a.kernel[i]) / a.strides[i]) + 1;
  });
  return [x[0], x[1], ...sizes];
}

const tapsOf = ({ kernel }: Pool): number => kernel.reduce((n, k) => n * k, 1);

/** Whether the windows lie side by side and cover the image. */
const tiles = (x: Shape, a: Pool): boolean =>
  a.kernel.every(
    (k, i) => k === a.strides[i] && a.padsBefore[i] === 0 && a.padsAfter[i] === 0 && Number(x[i + 2]) % k === 0,
  );

const onnxAttributes = (a: Pool) => ({
  kernel_shape: { ints: a.kernel },
  strides: { ints: a.strides },
  pads: { ints: [...a.padsBefore, ...a.padsAfter] },
});

/** Visits the input places under each output place; 1-D has height 1. */
function visitWindows(
  x: readonly number[],
  y: readonly number[],
  a: Pool,
  visit: (o: number, i: number) => void,
): void {
  const flat = x.length === 3;
  const per = (v: readonly number[], fill: number) => (flat ? [fill, v[0]] : v);
  const [kernel, strides, pads] = [per(a.kernel, 1), per(a.strides, 1), per(a.padsBefore, 0)];
  const [xh, xw] = per(x.slice(2), 1);
  const [yh, yw] = per(y.slice(2), 1);
  for (let plane = 0; plane < x[0] * x[1]; plane++)
    for (let p = 0; p < yh; p++)
      for (let q = 0; q < yw; q++)
        for (let i = 0; i < kernel[0]; i++)
          for (let j = 0; j < kernel[1]; j++) {
            const [row, column] = [p * strides[0] + i - pads[0], q * strides[1] + j - pads[1]];
            if (row < 0 || row >= xh || column < 0 || column >= xw) continue;
            visit((plane * yh + p) * yw + q, (plane * xh + row) * xw + column);
          }
}

const maxPoolOp = defineOp<Pool>({
  name: 'maxPool',
  shape: ([x], a) => {
    const shape = pooledShape(x.shape, a);
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: 'int64' },
    ];
  },
  // The second output names the place of each maximum in the flattened input. Where the windows tile the image, the
  // gradient finds the maxima by comparing instead, and equal ones share it: ONNX Runtime takes an order of magnitude
  // longer over a pool that names places, and WebGPU has none.
  gradient: ({ inputs: [x], outputs: [y, indices], attributes: a, dy }) => {
    if (!dy[0]) return [undefined];
    if (tiles(x.shape, a)) {
      const hits = cast(equal(x, upsampleNearest(y, a.kernel)), x.dtype);
      const share = div(dy[0], mul(averagePool(hits, a.kernel), tapsOf(a)));
      return [mul(hits, upsampleNearest(share, a.kernel))];
    }
    const places = reshape(indices, [product(indices.shape)]);
    return [reshape(scatterAdd(reshape(dy[0], [product(dy[0].shape)]), places, 0, sizeOf(x.shape)), x.shape)];
  },
  // Only a gradient asks for the places.
  lowerings: {
    onnx: (emit, inputs, { attributes, outputs }) =>
      emit.nodes('MaxPool', inputs, onnxAttributes(attributes), emit.isUsed(outputs[1]) ? 2 : 1),
  },
  reference: ([x], a, types) => {
    const out = (blank(types[0]) as Numbers).fill(Number.NEGATIVE_INFINITY);
    const places = blank(types[1]) as BigInt64Array;
    visitWindows(x.shape, types[0].shape, a, (o, i) => {
      if ((x.data as Numbers)[i] > out[o]) {
        out[o] = (x.data as Numbers)[i];
        places[o] = BigInt(i);
      }
    });
    return [out, places];
  },
});

const averagePoolOp = defineOp<Pool>({
  name: 'averagePool',
  shape: ([x], a) => [{ shape: pooledShape(x.shape, a), dtype: x.dtype }],
  // Every place gets its window's share: a transposed depthwise convolution with a constant kernel.
  gradient: ({ inputs: [x], attributes: a, dy }) => {
    const taps = tapsOf(a);
    if (tiles(x.shape, a)) return [mul(upsampleNearest(dy[0]!, a.kernel), 1 / taps)];
    const channels = Number(x.shape[1]);
    return [
      convInputGradient(dy[0]!, full([channels, 1, ...a.kernel], 1 / taps), x.shape.slice(2), {
        ...a,
        groups: channels,
      }),
    ];
  },
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [
      emit.node('AveragePool', inputs, { ...onnxAttributes(attributes), count_include_pad: { i: 1 } }),
    ],
  },
  reference: ([x], a, [type]) => {
    const out = blank(type) as Numbers;
    const taps = tapsOf(a);
    visitWindows(x.shape, type.shape, a, (o, i) => {
      out[o] += (x.data as Numbers)[i] / taps;
    });
    return [out];
  },
});

const upsampleOp = defineOp<{ factors: readonly number[] }>({
  name: 'upsampleNearest',
  shape: ([x], { factors }) => [
    {
      shape: [...x.shape.slice(0, 2), ...concrete(x.shape.slice(2), 'upsampleNearest').map((n, i) => n * factors[i])],
      dtype: x.dtype,
    },
  ],
  gradient: ({ attributes: { factors }, dy }) => {
    const taps = factors.reduce((n, k) => n * k, 1);
    return [mul(averagePool(dy[0]!, factors), taps)];
  },
  lowerings: {
    onnx: (emit, [x], { attributes: { factors } }) => {
      const scales = {
        dtype: 'float32' as const,
        shape: [factors.length + 2],
        data: Float32Array.of(1, 1, ...factors),
      };
      return [
        emit.node('Resize', [x, '', emit.constant(scales)], {
          mode: { s: 'nearest' },
          coordinate_transformation_mode: { s: 'asymmetric' },
          nearest_mode: { s: 'floor' },
        }),
      ];
    },
  },
  reference: ([x], { factors }, [type]) => {
    const out = blank(type) as Numbers;
    const a: Pool = {
      kernel: factors,
      strides: factors,
      padsBefore: factors.map(() => 0),
      padsAfter: factors.map(() => 0),
      dilations: factors,
      groups: 1,
    };
    visitWindows(type.shape, x.shape, a, (small, large) => {
      out[large] = (x.data as Numbers)[small];
    });
    return [out];
  },
});

/** Stride (the window by default) and padding, as for convolutions. */
export type PoolOptions = Pick<ConvOptions, 'stride' | 'padding'>;

function pool(x: Value, kernel: number | readonly number[], options: PoolOptions): Pool {
  const rank = x.shape.length - 2;
  const window = typeof kernel === 'number' ? new Array<number>(rank).fill(kernel) : kernel;
  const { stride = window, padding } = options;
  return { ...convolution(rank, { stride, padding }), kernel: window };
}

/** Largest value of each window; the stride is the window unless given. Equal maxima share the gradient where windows tile x, else the first has it. */
export function maxPool(x: Value, kernel: number | readonly number[], options: PoolOptions = {}): Value {
  return apply(maxPoolOp, [x], pool(x, kernel, options))[0];
}

/** Mean of each window, padding counted as zeros; the stride is the window unless given. */
export function averagePool(x: Value, kernel: number | readonly number[], options: PoolOptions = {}): Value {
  return apply1(averagePoolOp, [x], pool(x, kernel, options));
}

/** Mean over all spatial axes: `[N, C, ...] → [N, C]`. */
export function globalAveragePool(x: Value): Value {
  return reduceMean(x, { axes: x.shape.slice(2).map((_, i) => i + 2) });
}

/** Repeats every pixel `factor` times along each spatial axis. */
export function upsampleNearest(x: Value, factor: number | readonly number[]): Value {
  const factors = typeof factor === 'number' ? x.shape.slice(2).map(() => factor) : factor;
  return apply1(upsampleOp, [x], { factors });
}
