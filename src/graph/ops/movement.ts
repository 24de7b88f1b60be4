/** Operators that move values without changing them: reshape, transpose, broadcast, slice, pad, concat. */
import { ShapeError } from '../../core/errors.ts';
import {
  broadcastAxes,
  broadcastShapes,
  concrete,
  type Dim,
  normalizeAxis,
  product,
  quotient,
  type Shape,
  sameShape,
  show,
  stridesOf,
} from '../../core/shape.ts';
import { float32, type TypedArray } from '../../core/tensor.ts';
import { constant } from '../leaf.ts';
import { apply, apply1, blank, defineOp } from '../op.ts';
import type { Value } from '../value.ts';
import { reduceSum } from './reduce.ts';

type Numbers = Float64Array;

const reshapeOp = defineOp<{ shape: Shape }>({
  name: 'reshape',
  shape: ([x], { shape }) => {
    if (product(x.shape) !== product(shape)) {
      throw new ShapeError(`${show(x.shape)} has another number of elements than ${show(shape)}.`);
    }
    return [{ shape, dtype: x.dtype }];
  },
  gradient: ({ inputs: [x], dy }) => [reshape(dy[0]!, x.shape)],
  lowerings: {
    onnx: (emit, [x], { attributes: { shape } }) => {
      // One symbol may be written as −1, which needs no shape arithmetic at run time.
      const symbols = shape.filter((d) => typeof d === 'string').length;
      const sizes = shape.map((d) => (typeof d === 'string' ? -1 : d));
      return [emit.node('Reshape', [x, symbols <= 1 ? emit.ints(sizes) : emit.shape(shape)])];
    },
  },
  reference: ([x]) => [x.data],
});

/** The same values in another shape; one size may be −1 and is worked out. */
export function reshape(x: Value, shape: Shape): Value {
  let target: Dim[] = [...shape];
  const free = target.indexOf(-1);
  if (free >= 0) {
    const rest = product(target.filter((_, i) => i !== free));
    try {
      target[free] = quotient(product(x.shape), rest);
    } catch {
      throw new ShapeError(`reshape: ${show(x.shape)} does not fit into ${show(shape)}.`);
    }
  }
  target = target.map((d) => d);
  if (sameShape(x.shape, target)) return x;
  const source = x.node.op === reshapeOp ? x.node.inputs[0] : x;
  return sameShape(source.shape, target) ? source : apply1(reshapeOp, [source], { shape: target });
}

const transposeOp = defineOp<{ order: readonly number[] }>({
  name: 'transpose',
  shape: ([x], { order }) => {
    if (order.length !== x.shape.length || new Set(order).size !== order.length) {
      throw new ShapeError(`the order [${order}] is no permutation of the axes of ${show(x.shape)}.`);
    }
    return [{ shape: order.map((a) => x.shape[a]), dtype: x.dtype }];
  },
  gradient: ({ attributes: { order }, dy }) => [
    transpose(
      dy[0]!,
      order.map((_, i) => order.indexOf(i)),
    ),
  ],
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [emit.node('Transpose', inputs, { perm: { ints: attributes.order } })],
  },
  reference: ([x], { order }, [type]) => {
    const out = blank(type) as Numbers;
    const strides = stridesOf(x.shape);
    const outStrides = stridesOf(type.shape);
    for (let o = 0; o < out.length; o++) {
      let i = 0;
      for (let a = 0; a < order.length; a++) i += (Math.floor(o / outStrides[a]) % type.shape[a]) * strides[order[a]];
      out[o] = (x.data as Numbers)[i];
    }
    return [out];
  },
});

/** Reorders the axes: axis i of the result is axis `order[i]` of x. */
export function transpose(x: Value, order: readonly number[]): Value {
  return order.every((a, i) => a === i) ? x : apply1(transposeOp, [x], { order });
}

const broadcastOp = defineOp<{ shape: Shape }>({
  name: 'broadcastTo',
  shape: ([x], { shape }) => {
    if (!sameShape(broadcastShapes(x.shape, shape), shape)) {
      throw new ShapeError(`${show(x.shape)} does not broadcast to ${show(shape)}.`);
    }
    return [{ shape, dtype: x.dtype }];
  },
  gradient: ({ inputs: [x], attributes: { shape }, dy }) => [
    reshape(reduceSum(dy[0]!, { axes: broadcastAxes(x.shape, shape), keep: true }), x.shape),
  ],
  lowerings: { onnx: (emit, [x], { attributes }) => [emit.node('Expand', [x, emit.shape(attributes.shape)])] },
  reference: ([x], _, [type]) => {
    const out = blank(type) as Numbers;
    const rank = type.shape.length;
    const outStrides = stridesOf(type.shape);
    const strides = stridesOf(x.shape);
    for (let o = 0; o < out.length; o++) {
      let i = 0;
      for (let a = 0; a < x.shape.length; a++) {
        const k = a + rank - x.shape.length;
        if (x.shape[a] > 1) i += (Math.floor(o / outStrides[k]) % type.shape[k]) * strides[a];
      }
      out[o] = (x.data as Numbers)[i];
    }
    return [out];
  },
});

/** Repeats x along axes of size 1 (and new leading axes) until it has `shape`. */
export function broadcastTo(x: Value, shape: Shape): Value {
  return sameShape(x.shape, shape) ? x : apply1(broadcastOp, [x], { shape });
}

interface Slice {
  axes: readonly number[];
  starts: readonly number[];
  ends: readonly number[];
  steps: readonly number[];
}

const sliceOp = defineOp<Slice>({
  name: 'slice',
  shape: ([x], { axes, starts, ends, steps }) => {
    const shape = [...x.shape];
    axes.forEach((axis, k) => {
      const size = x.shape[axis];
      if (typeof size !== 'number')
        throw new ShapeError(`the axis ${axis} has the symbolic size ${size} and cannot be cut.`);
      if (steps[k] === 0 || starts[k] < 0 || starts[k] >= size || ends[k] > size) {
        throw new ShapeError(
          `[${starts[k]}, ${ends[k]}) with step ${steps[k]} is outside axis ${axis} of ${show(x.shape)}.`,
        );
      }
      shape[axis] = Math.max(0, Math.ceil((ends[k] - starts[k]) / steps[k]));
    });
    return [{ shape, dtype: x.dtype }];
  },
  // Zeros between the taken values (steps), before the first and after the last.
  gradient: ({ inputs: [x], attributes: { axes, starts, steps }, dy }) => {
    let g = dy[0]!;
    axes.forEach((axis, k) => {
      const size = x.shape[axis] as number;
      const step = Math.abs(steps[k]);
      if (steps[k] < 0) g = flip(g, axis);
      g = dilate(g, axis, step);
      const length = g.shape[axis] as number;
      const first = steps[k] > 0 ? starts[k] : starts[k] - (length - 1);
      g = pad(g, axis, first, size - first - length);
    });
    return [g];
  },
  lowerings: {
    onnx: (emit, [x], { attributes: { axes, starts, ends, steps } }) => {
      // A negative step that runs to the front ends below 0; ONNX writes that as a very negative number.
      const stops = ends.map((end, k) => (steps[k] < 0 && end < 0 ? -2147483648 : end));
      return [emit.node('Slice', [x, emit.ints(starts), emit.ints(stops), emit.ints(axes), emit.ints(steps)])];
    },
  },
  reference: ([x], { axes, starts, steps }, [type]) => {
    const out = blank(type) as Numbers;
    const strides = stridesOf(x.shape);
    const outStrides = stridesOf(type.shape);
    for (let o = 0; o < out.length; o++) {
      let i = 0;
      for (let a = 0; a < type.shape.length; a++) {
        const at = Math.floor(o / outStrides[a]) % type.shape[a];
        const k = axes.indexOf(a);
        i += (k < 0 ? at : starts[k] + at * steps[k]) * strides[a];
      }
      out[o] = (x.data as Numbers)[i];
    }
    return [out];
  },
});

/** Ranges of axes: `slice(x, { 2: [0, 8], 3: [1, 9, 2] })` takes rows 0–7 and columns 1, 3, 5, 7. */
export function slice(x: Value, ranges: Readonly<Record<number, readonly [number, number, number?]>>): Value {
  const axes = Object.keys(ranges).map(Number);
  const kept = axes.filter((a) => {
    const [start, end, step] = ranges[a];
    return start !== 0 || end !== x.shape[a] || (step ?? 1) !== 1;
  });
  if (kept.length === 0) return x;
  return apply1(sliceOp, [x], {
    axes: kept,
    starts: kept.map((a) => ranges[a][0]),
    ends: kept.map((a) => ranges[a][1]),
    steps: kept.map((a) => ranges[a][2] ?? 1),
  });
}

/** Reverses an axis. */
export function flip(x: Value, axis: number): Value {
  const [size] = concrete([x.shape[axis]], 'flip');
  return size === 1 ? x : apply1(sliceOp, [x], { axes: [axis], starts: [size - 1], ends: [-1], steps: [-1] });
}

/** Puts `step − 1` zeros between neighbours of an axis: size n becomes (n − 1)·step + 1. */
export function dilate(x: Value, axis: number, step: number): Value {
  if (step === 1) return x;
  const size = concrete([x.shape[axis]], 'dilate')[0];
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  const spread = pad(reshape(x, [...before, size, 1, ...after]), axis + 1, 0, step - 1);
  return slice(reshape(spread, [...before, size * step, ...after]), { [axis]: [0, (size - 1) * step + 1] });
}

interface Pads {
  before: readonly number[];
  after: readonly number[];
  value: number;
}

const padOp = defineOp<Pads>({
  name: 'pad',
  shape: ([x], { before, after }) => [
    {
      shape: x.shape.map((d, i) => {
        if (before[i] === 0 && after[i] === 0) return d;
        if (typeof d !== 'number')
          throw new ShapeError(`the axis ${i} has the symbolic size ${d} and cannot be padded.`);
        return d + before[i] + after[i];
      }),
      dtype: x.dtype,
    },
  ],
  gradient: ({ inputs: [x], attributes: { before }, dy }) => [
    slice(
      dy[0]!,
      Object.fromEntries(
        x.shape.flatMap((d, i) => (typeof d === 'number' ? [[i, [before[i], before[i] + d]] as const] : [])),
      ),
    ),
  ],
  lowerings: {
    onnx: (emit, [x], { attributes: { before, after, value } }) => [
      emit.node('Pad', [x, emit.ints([...before, ...after]), ...(value === 0 ? [] : [emit.scalar(value)])], {
        mode: { s: 'constant' },
      }),
    ],
  },
  reference: ([x], { before, value }, [type]) => {
    const out = (blank(type) as Numbers).fill(value);
    const strides = stridesOf(x.shape);
    const outStrides = stridesOf(type.shape);
    for (let i = 0; i < x.data.length; i++) {
      let o = 0;
      for (let a = 0; a < x.shape.length; a++)
        o += ((Math.floor(i / strides[a]) % x.shape[a]) + before[a]) * outStrides[a];
      out[o] = (x.data as Numbers)[i];
    }
    return [out];
  },
});

/** Adds `before` and `after` entries of a constant value to one axis. */
export function pad(x: Value, axis: number, before: number, after: number, value = 0): Value {
  const counts = (n: number) => x.shape.map((_, i) => (i === axis ? n : 0));
  return padAll(x, counts(before), counts(after), value);
}

/** Adds entries of a constant value to every axis. */
export function padAll(x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
  if (before.every((n) => n === 0) && after.every((n) => n === 0)) return x;
  if ([...before, ...after].some((n) => n < 0))
    throw new ShapeError(`pad: counts must be >= 0, got [${before}] and [${after}].`);
  return apply1(padOp, [x], { before, after, value });
}

const concatOp = defineOp<{ axis: number }>({
  name: 'concat',
  shape: (inputs, { axis }) => {
    const [first] = inputs;
    for (const other of inputs) {
      if (other.shape.length !== first.shape.length || other.shape.some((d, i) => i !== axis && d !== first.shape[i])) {
        throw new ShapeError(`${show(first.shape)} and ${show(other.shape)} differ outside axis ${axis}.`);
      }
    }
    const total = concrete(
      inputs.map((x) => x.shape[axis]),
      'concat',
    ).reduce((n, d) => n + d, 0);
    return [{ shape: first.shape.map((d, i) => (i === axis ? total : d)), dtype: first.dtype }];
  },
  gradient: ({ inputs, attributes: { axis }, dy }) => {
    let start = 0;
    return inputs.map((x) => {
      const size = x.shape[axis] as number;
      const part = slice(dy[0]!, { [axis]: [start, start + size] });
      start += size;
      return part;
    });
  },
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [emit.node('Concat', inputs, { axis: { i: attributes.axis } })],
  },
  reference: (inputs, { axis }, [type]) => {
    const out = blank(type);
    const outer = type.shape.slice(0, axis).reduce((n, d) => n * d, 1);
    const block = out.length / outer;
    let at = 0;
    for (const x of inputs) {
      const length = x.data.length / outer;
      for (let k = 0; k < outer; k++) {
        (out as TypedArray & { set(a: unknown, o: number): void }).set(
          x.data.subarray(k * length, (k + 1) * length),
          k * block + at,
        );
      }
      at += length;
    }
    return [out];
  },
});

/** Joins values along an axis. */
export function concat(inputs: readonly Value[], axis: number): Value {
  if (inputs.length === 0) throw new ShapeError('concat: at least one value is needed.');
  return inputs.length === 1
    ? inputs[0]
    : apply1(concatOp, inputs, { axis: normalizeAxis(axis, inputs[0].shape.length) });
}

const splitOp = defineOp<{ sizes: readonly number[]; axis: number }>({
  name: 'split',
  shape: ([x], { sizes, axis }) => {
    const total = sizes.reduce((n, d) => n + d, 0);
    if (total !== x.shape[axis])
      throw new ShapeError(`parts of ${sizes.join(' + ')} do not make up axis ${axis} of ${show(x.shape)}.`);
    return sizes.map((size) => ({ shape: x.shape.map((d, i) => (i === axis ? size : d)), dtype: x.dtype }));
  },
  gradient: ({ outputs, attributes: { axis }, dy }) => [
    concat(
      outputs.map((y, i) => dy[i] ?? broadcastTo(constant(0), y.shape)),
      axis,
    ),
  ],
  lowerings: {
    onnx: (emit, [x], { attributes: { sizes, axis } }) =>
      emit.nodes('Split', [x, emit.ints(sizes)], { axis: { i: axis } }, sizes.length),
    slices: (emit, [x], { attributes: { sizes, axis } }) => {
      let end = 0;
      return sizes.map((size) => {
        end += size;
        return emit.node('Slice', [x, emit.ints([end - size]), emit.ints([end]), emit.ints([axis])]);
      });
    },
  },
  // A WebGPU kernel binds each part as a buffer of its own, and devices bind as few as 8.
  choose: ({ attributes: { sizes } }, { device }) => (device === 'webgpu' && sizes.length > 6 ? 'slices' : 'onnx'),
  reference: ([x], { axis }, types) => {
    const outer = x.shape.slice(0, axis).reduce((n, d) => n * d, 1);
    const block = x.data.length / outer;
    let at = 0;
    return types.map((type) => {
      const out = blank(type) as Numbers;
      const length = out.length / outer;
      for (let k = 0; k < outer; k++)
        out.set((x.data as Numbers).subarray(k * block + at, k * block + at + length), k * length);
      at += length;
      return out;
    });
  },
});

/** Cuts a value into parts of the given sizes along an axis. */
export function split(x: Value, sizes: readonly number[], axis = 0): Value[] {
  return sizes.length === 1 ? [x] : apply(splitOp, [x], { sizes, axis: normalizeAxis(axis, x.shape.length) });
}

/** A new axis of size 1. */
export function unsqueeze(x: Value, axis: number): Value {
  const at = axis < 0 ? axis + x.shape.length + 1 : axis;
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** All axes from `axis` on as one. */
export function flatten(x: Value, axis = 1): Value {
  return reshape(x, [...x.shape.slice(0, axis), product(x.shape.slice(axis))]);
}

/** 0, 1, … n − 1 as float32. */
export function iota(n: number): Value {
  return constant(float32(Float32Array.from({ length: n }, (_, i) => i)));
}
