/** Operators that look values up by index: gather, scatter-add and top-k. */
import { ShapeError } from '../../core/errors.ts';
import { concrete, normalizeAxis, sameShape, show, stridesOf } from '../../core/shape.ts';
import { int64, type Tensor } from '../../core/tensor.ts';
import { constant } from '../leaf.ts';
import { apply, apply1, blank, defineOp } from '../op.ts';
import type { Value } from '../value.ts';
import { broadcastTo, reshape, slice } from './movement.ts';

type Numbers = Float64Array;

/** Visits every element of `indices`: its position, and the flat index into a tensor of `shape` that it names. */
function visitElements(
  indices: Tensor,
  shape: readonly number[],
  axis: number,
  visit: (i: number, target: number) => void,
): void {
  const strides = stridesOf(shape);
  const own = stridesOf(indices.shape);
  for (let i = 0; i < indices.data.length; i++) {
    let target = 0;
    for (let a = 0; a < shape.length; a++) {
      const at = a === axis ? Number(indices.data[i]) : Math.floor(i / own[a]) % indices.shape[a];
      target += at * strides[a];
    }
    visit(i, target);
  }
}

const gatherElementsOp = defineOp<{ axis: number }>({
  name: 'gatherElements',
  shape: ([x, indices], { axis }) => {
    if (x.shape.length !== indices.shape.length) {
      throw new ShapeError(`values ${show(x.shape)} and indices ${show(indices.shape)} must have one rank.`);
    }
    if (x.shape.some((d, i) => i !== axis && d !== indices.shape[i])) {
      throw new ShapeError(`${show(x.shape)} and ${show(indices.shape)} must agree outside axis ${axis}.`);
    }
    return [{ shape: indices.shape, dtype: x.dtype }];
  },
  gradient: ({ inputs: [x, indices], attributes: { axis }, dy }) => [
    scatterAdd(dy[0]!, indices, axis, x.shape[axis] as number),
    undefined,
  ],
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [emit.node('GatherElements', inputs, { axis: { i: attributes.axis } })],
  },
  reference: ([x, indices], { axis }, [type]) => {
    const out = blank(type) as Numbers;
    visitElements(indices, x.shape, axis, (i, source) => {
      out[i] = (x.data as Numbers)[source];
    });
    return [out];
  },
});

/** For each entry of `indices` the value at that place of `axis`; the other coordinates are the entry's own. */
export function gatherElements(x: Value, indices: Value, axis: number): Value {
  return apply1(gatherElementsOp, [x, indices], { axis: normalizeAxis(axis, x.shape.length) });
}

const scatterAddOp = defineOp<{ axis: number; size: number }>({
  name: 'scatterAdd',
  shape: ([x, indices], { axis, size }) => {
    if (!sameShape(x.shape, indices.shape)) {
      throw new ShapeError(`values ${show(x.shape)} and indices ${show(indices.shape)} must have one shape.`);
    }
    return [{ shape: x.shape.map((d, i) => (i === axis ? size : d)), dtype: x.dtype }];
  },
  gradient: ({ inputs: [, indices], attributes: { axis }, dy }) => [gatherElements(dy[0]!, indices, axis), undefined],
  lowerings: {
    onnx: (emit, [x, indices], { attributes: { axis }, outputs: [y] }) => {
      const zeros = emit.node('Expand', [emit.scalar(0), emit.shape(y.shape)]);
      return [emit.node('ScatterElements', [zeros, indices, x], { axis: { i: axis }, reduction: { s: 'add' } })];
    },
  },
  reference: ([x, indices], { axis }, [type]) => {
    const out = blank(type) as Numbers;
    visitElements(indices, type.shape, axis, (i, target) => {
      out[target] += (x.data as Numbers)[i];
    });
    return [out];
  },
});

/** Zeros with each value of x added at the place of `axis` that `indices` (same shape as x) names. */
export function scatterAdd(x: Value, indices: Value, axis: number, size: number): Value {
  return apply1(scatterAddOp, [x, indices], { axis: normalizeAxis(axis, x.shape.length), size });
}

const gatherOp = defineOp<{ axis: number }>({
  name: 'gather',
  shape: ([x, indices], { axis }) => [
    { shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], dtype: x.dtype },
  ],
  // The same as gathering element by element with the index repeated over all other axes.
  gradient: ({ inputs: [x, indices], attributes: { axis }, dy }) => {
    const before = x.shape.slice(0, axis);
    const after = x.shape.slice(axis + 1);
    const count = concrete(indices.shape, 'gather').reduce((n, d) => n * d, 1);
    const shape = [...before, count, ...after];
    const places = reshape(
      indices,
      shape.map((_, i) => (i === axis ? count : 1)),
    );
    return [scatterAdd(reshape(dy[0]!, shape), broadcastTo(places, shape), axis, x.shape[axis] as number), undefined];
  },
  lowerings: {
    onnx: (emit, inputs, { attributes }) => [emit.node('Gather', inputs, { axis: { i: attributes.axis } })],
  },
  reference: ([x, indices], { axis }, [type]) => {
    const out = blank(type) as Numbers;
    const inner = x.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
    const count = indices.data.length;
    for (let o = 0; o < out.length; o++) {
      const outer = Math.floor(o / (inner * count));
      const at = Number(indices.data[Math.floor(o / inner) % count]);
      out[o] = (x.data as Numbers)[(outer * x.shape[axis] + at) * inner + (o % inner)];
    }
    return [out];
  },
});

/** Entries of an axis by int64 index; the axis is replaced by the axes of `indices`. */
export function gather(x: Value, indices: Value | readonly number[], axis = 0): Value {
  const places = Array.isArray(indices) ? constant(int64(indices as number[])) : (indices as Value);
  return apply1(gatherOp, [x, places], { axis: normalizeAxis(axis, x.shape.length) });
}

const topKOp = defineOp<{ k: number; axis: number; largest: boolean }>({
  name: 'topK',
  shape: ([x], { k, axis }) => {
    const size = x.shape[axis];
    if (!Number.isInteger(k) || k < 1 || (typeof size === 'number' && k > size)) {
      throw new ShapeError(`k must be a whole number from 1 to ${size}, got ${k}.`);
    }
    const shape = x.shape.map((d, i) => (i === axis ? k : d));
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: 'int64' },
    ];
  },
  gradient: ({ inputs: [x], outputs: [, indices], attributes: { axis }, dy }) => [
    dy[0] && scatterAdd(dy[0], indices, axis, x.shape[axis] as number),
  ],
  lowerings: {
    onnx: (emit, [x], { attributes: { k, axis, largest } }) =>
      emit.nodes(
        'TopK',
        [x, emit.ints([k])],
        { axis: { i: axis }, largest: { i: Number(largest) }, sorted: { i: 1 } },
        2,
      ),
  },
  reference: ([x], { k, axis, largest }, types) => {
    const values = blank(types[0]) as Numbers;
    const indices = blank(types[1]) as BigInt64Array;
    const size = x.shape[axis];
    const stride = stridesOf(x.shape)[axis];
    const data = x.data as Numbers;
    for (let line = 0; line < x.data.length / size; line++) {
      const start = Math.floor(line / stride) * stride * size + (line % stride);
      const order = Array.from({ length: size }, (_, i) => i);
      order.sort((a, b) => (largest ? 1 : -1) * (data[start + b * stride] - data[start + a * stride]) || a - b);
      for (let j = 0; j < k; j++) {
        const o = Math.floor(line / stride) * stride * k + (line % stride) + j * stride;
        values[o] = data[start + order[j] * stride];
        indices[o] = BigInt(order[j]);
      }
    }
    return [values, indices];
  },
});

/** The k largest (or smallest) values along an axis in order, and their int64 indices; equals keep their order. */
export function topK(
  x: Value,
  k: number,
  options: { axis?: number; largest?: boolean } = {},
): { values: Value; indices: Value } {
  const axis = normalizeAxis(options.axis ?? -1, x.shape.length);
  const [values, indices] = apply(topKOp, [x], { k, axis, largest: options.largest ?? true });
  return { values, indices };
}

/** Sorts along an axis, smallest first. */
export function sort(x: Value, axis = -1): Value {
  const at = normalizeAxis(axis, x.shape.length);
  return topK(x, concrete([x.shape[at]], 'sort')[0], { axis: at, largest: false }).values;
}

/** The entry at one place of an axis; the axis disappears. */
export function pick(x: Value, axis: number, at: number): Value {
  const cut = slice(x, { [axis]: [at, at + 1] });
  return reshape(cut, [...x.shape.slice(0, axis), ...x.shape.slice(axis + 1)]);
}

/** Mirrors the last two axes at their borders (without repeating the border pixel) by `size` pixels on each side. */
export function padReflect(x: Value, size: number): Value {
  let y = x;
  for (const axis of [x.shape.length - 2, x.shape.length - 1]) {
    const [n] = concrete([x.shape[axis]], 'padReflect');
    if (size >= n) throw new ShapeError(`padReflect: ${size} pixels cannot be mirrored on an axis of ${n}.`);
    const mirror = (i: number) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i);
    y = gather(
      y,
      Array.from({ length: n + 2 * size }, (_, i) => mirror(i - size)),
      axis,
    );
  }
  return y;
}
