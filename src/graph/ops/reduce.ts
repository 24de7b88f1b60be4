/** Reductions, cumulative sums, softmax, and the index of the largest. */
import { normalizeAxes, normalizeAxis, type Shape, sizeOf, stridesOf } from '../../core/shape.ts';
import { int64 } from '../../core/tensor.ts';
import { apply1, blank, defineOp, type Lowering } from '../op.ts';
import type { Type, Value } from '../value.ts';
import { add, cast, div, equal, exp, log, mul, sub } from './elementwise.ts';
import { broadcastTo, reshape } from './movement.ts';

interface Axes {
  axes: readonly number[];
  keep: boolean;
}

export interface ReduceOptions {
  /** Axes to reduce; all by default, negative ones count from the end. */
  axes?: readonly number[];
  /** Keep the reduced axes with size 1. */
  keep?: boolean;
}

function reducedShape(shape: Shape, { axes, keep }: Axes): Shape {
  return keep ? shape.map((d, i) => (axes.includes(i) ? 1 : d)) : shape.filter((_, i) => !axes.includes(i));
}

const reduceType = ([x]: readonly Type[], attributes: Axes): Type[] => [
  { shape: reducedShape(x.shape, attributes), dtype: x.dtype },
];

/** A reduced value with its axes back as size 1, ready to broadcast against the input. */
function restore(y: Value, x: Value, { axes }: Axes): Value {
  return reshape(y, reducedShape(x.shape, { axes, keep: true }));
}

/** Calls `visit(input index, output index)` for every element. */
function walk(shape: readonly number[], axes: readonly number[], visit: (i: number, o: number) => void): void {
  const outStrides = stridesOf(shape.map((d, i) => (axes.includes(i) ? 1 : d))).map((s, i) =>
    axes.includes(i) ? 0 : s,
  );
  const inStrides = stridesOf(shape);
  const total = shape.reduce((n, d) => n * d, 1);
  for (let i = 0; i < total; i++) {
    let o = 0;
    for (let a = 0; a < shape.length; a++) o += (Math.floor(i / inStrides[a]) % shape[a]) * outStrides[a];
    visit(i, o);
  }
}

/** ReduceSum takes its axes as an input since opset 13, the others as an attribute until opset 18. */
const lower =
  (op: string): Lowering<Axes> =>
  (emit, [x], { attributes: { axes, keep } }) => {
    if (axes.length === 0) return [emit.node('Identity', [x])];
    const keepdims = { i: Number(keep) };
    return op === 'ReduceSum'
      ? [emit.node(op, [x, emit.ints(axes)], { keepdims })]
      : [emit.node(op, [x], { axes: { ints: axes }, keepdims })];
  };

const reduceSumOp = defineOp<Axes>({
  name: 'reduceSum',
  shape: reduceType,
  gradient: ({ inputs: [x], attributes, dy }) => [broadcastTo(restore(dy[0]!, x, attributes), x.shape)],
  lowerings: { onnx: lower('ReduceSum') },
  reference: ([x], { axes }, [type]) => {
    const out = blank(type) as Float64Array;
    walk(x.shape, axes, (i, o) => {
      out[o] += x.data[i] as number;
    });
    return [out];
  },
});

const reduceMeanOp = defineOp<Axes>({
  name: 'reduceMean',
  shape: reduceType,
  gradient: ({ inputs: [x], attributes, dy }) => {
    const count = sizeOf(attributes.axes.map((a) => x.shape[a]));
    return [broadcastTo(restore(div(dy[0]!, count), x, attributes), x.shape)];
  },
  lowerings: { onnx: lower('ReduceMean') },
  reference: ([x], { axes }, [type]) => {
    const out = blank(type) as Float64Array;
    const count = axes.reduce((n, a) => n * x.shape[a], 1);
    walk(x.shape, axes, (i, o) => {
      out[o] += Number(x.data[i]) / count;
    });
    return [out];
  },
});

const reduceMaxOp = defineOp<Axes>({
  name: 'reduceMax',
  shape: reduceType,
  gradient: ({ inputs: [x], outputs: [y], attributes, dy }) => {
    // Equal maxima share the gradient.
    const hits = cast(equal(x, restore(y, x, attributes)), x.dtype);
    const share = div(restore(dy[0]!, x, attributes), reduceSum(hits, { axes: attributes.axes, keep: true }));
    return [mul(hits, share)];
  },
  lowerings: { onnx: lower('ReduceMax') },
  reference: ([x], { axes }, [type]) => {
    const out = (blank(type) as Float64Array).fill(Number.NEGATIVE_INFINITY);
    walk(x.shape, axes, (i, o) => {
      out[o] = Math.max(out[o], Number(x.data[i]));
    });
    return [out];
  },
});

function reduce(op: typeof reduceSumOp, x: Value, options: ReduceOptions): Value {
  return apply1(op, [x], { axes: normalizeAxes(options.axes, x.shape.length), keep: options.keep ?? false });
}

/** Sum over axes. */
export function reduceSum(x: Value, options: ReduceOptions = {}): Value {
  return reduce(reduceSumOp, x, options);
}

/** Mean over axes. */
export function reduceMean(x: Value, options: ReduceOptions = {}): Value {
  return reduce(reduceMeanOp, x, options);
}

/** Largest value over axes; equal maxima share the gradient. */
export function reduceMax(x: Value, options: ReduceOptions = {}): Value {
  return reduce(reduceMaxOp, x, options);
}

const softmaxOp = defineOp<{ axis: number }>({
  name: 'softmax',
  shape: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
  // dx = y · (dy − Σ dy·y)
  gradient: ({ outputs: [y], attributes: { axis }, dy }) => {
    const weighted = mul(dy[0]!, y);
    return [sub(weighted, mul(y, reduceSum(weighted, { axes: [axis], keep: true })))];
  },
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [emit.node('Softmax', inputs, { axis: { i: attributes.axis } })],
  },
  reference: ([x], { axis }, [type]) => {
    const out = blank(type) as Float64Array;
    const groups = x.data.length;
    const top = new Float64Array(groups).fill(Number.NEGATIVE_INFINITY);
    const sum = new Float64Array(groups);
    walk(x.shape, [axis], (i, o) => {
      top[o] = Math.max(top[o], Number(x.data[i]));
    });
    walk(x.shape, [axis], (i, o) => {
      sum[o] += Math.exp(Number(x.data[i]) - top[o]);
    });
    walk(x.shape, [axis], (i, o) => {
      out[i] = Math.exp(Number(x.data[i]) - top[o]) / sum[o];
    });
    return [out];
  },
});

/** `e^x / Σ e^x` along an axis. */
export function softmax(x: Value, axis = -1): Value {
  return apply1(softmaxOp, [x], { axis: normalizeAxis(axis, x.shape.length) });
}

/** `log Σ e^x` along axes, without overflow; the axes are kept with size 1 when `keep`. */
export function logSumExp(x: Value, options: ReduceOptions = {}): Value {
  const top = reduceMax(x, { axes: options.axes, keep: true });
  const sum = log(reduceSum(exp(sub(x, top)), { axes: options.axes, keep: true }));
  const result = add(top, sum);
  return options.keep
    ? result
    : reshape(result, reducedShape(x.shape, { axes: normalizeAxes(options.axes, x.shape.length), keep: false }));
}

/** `x − log Σ e^x` along an axis. */
export function logSoftmax(x: Value, axis = -1): Value {
  return sub(x, logSumExp(x, { axes: [axis], keep: true }));
}

const cumSumOp = defineOp<{ axis: number; reverse: boolean }>({
  name: 'cumSum',
  shape: ([x]) => [{ shape: x.shape, dtype: x.dtype }],
  gradient: ({ attributes: { axis, reverse }, dy }) => [cumSum(dy[0]!, axis, !reverse)],
  lowerings: {
    onnx: (emit, [x], { attributes: { axis, reverse } }) => [
      emit.node('CumSum', [x, emit.constant(int64(axis))], { reverse: { i: Number(reverse) } }),
    ],
  },
  reference: ([x], { axis, reverse }, [type]) => {
    const out = blank(type) as Float64Array;
    const stride = stridesOf(x.shape)[axis];
    const n = x.data.length;
    for (let k = 0; k < n; k++) {
      const i = reverse ? n - 1 - k : k;
      const position = Math.floor(i / stride) % x.shape[axis];
      const before = reverse ? i + stride : i - stride;
      out[i] = Number(x.data[i]) + (position === (reverse ? x.shape[axis] - 1 : 0) ? 0 : out[before]);
    }
    return [out];
  },
});

/** Running sum along an axis, from the end when `reverse`. */
export function cumSum(x: Value, axis: number, reverse = false): Value {
  return apply1(cumSumOp, [x], { axis: normalizeAxis(axis, x.shape.length), reverse });
}

const argMaxOp = defineOp<{ axis: number }>({
  name: 'argMax',
  shape: ([x], { axis }) => [{ shape: reducedShape(x.shape, { axes: [axis], keep: true }), dtype: 'int64' }],
  gradient: null,
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [
      emit.node('ArgMax', inputs, { axis: { i: attributes.axis }, keepdims: { i: 1 } }),
    ],
  },
  reference: ([x], { axis }, [type]) => {
    const out = blank(type) as BigInt64Array;
    const top = new Float64Array(out.length).fill(Number.NEGATIVE_INFINITY);
    const stride = stridesOf(x.shape)[axis];
    walk(x.shape, [axis], (i, o) => {
      if (Number(x.data[i]) > top[o]) {
        top[o] = Number(x.data[i]);
        out[o] = BigInt(Math.floor(i / stride) % x.shape[axis]);
      }
    });
    return [out];
  },
});

/** Index of the largest value along an axis (kept with size 1), the first of equals; int64, no gradient. */
export function argMax(x: Value, axis: number): Value {
  return apply1(argMaxOp, [x], { axis: normalizeAxis(axis, x.shape.length) });
}
