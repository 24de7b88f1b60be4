/**
 * The forms of the three convolution operators as ONNX nodes, and where each exists; `choice.ts` picks one. The forms in
 * blocked layout have a file of their own.
 */
import { concrete, type Shape, sizeOf } from '../../../core/shape.ts';
import { float32 } from '../../../core/tensor.ts';
import type { OnnxAttribute } from '../../onnx/messages.ts';
import type { Lowering } from '../../op.ts';
import { emitBlockedConv, emitBlockedInputGradient, emitBlockedWeightGradient } from './blocked.ts';
import {
  emitChannelsFirst,
  emitColumns,
  emitKernel,
  emitPad,
  emitRows,
  emitTapsLast,
  emitWindows,
  joinColumns,
} from './columns.ts';
import type { ConvAttributes, InputGradientAttributes, WeightGradientAttributes } from './geometry.ts';

type Forms<A> = Readonly<Record<string, Lowering<A>>>;
type InputForm = Lowering<InputGradientAttributes>;
type WeightForm = Lowering<WeightGradientAttributes>;

function onnxAttributes(a: ConvAttributes, kernel: Shape): Record<string, OnnxAttribute> {
  return {
    kernel_shape: { ints: concrete(kernel.slice(2)) },
    strides: { ints: a.strides },
    pads: { ints: [...a.padsBefore, ...a.padsAfter] },
    dilations: { ints: a.dilations },
    group: { i: a.groups },
  };
}

/** Windows laid out as columns, which the weight gradient then shares, and one product over the whole batch. */
const convByColumns: Lowering<ConvAttributes> = (emit, [x, w, ...bias], { inputs, outputs: [y], attributes }) => {
  const [image, kernel] = inputs;
  const a = { ...attributes, kernel: concrete(kernel.shape.slice(2)) };
  const columns = joinColumns(emit, emitColumns(emit, x, image, y, a));
  const product = emit.node('Gemm', [columns, emitTapsLast(emit, w, kernel), ...bias], { transB: { i: 1 } });
  return [emitChannelsFirst(emit, product, y)];
};

/** The kernel covers the whole input: a dense layer. */
const convByDense: Lowering<ConvAttributes> = (emit, [x, w, ...bias], { inputs: [image, kernel] }) => {
  const [k, features] = [Number(kernel.shape[0]), sizeOf(kernel.shape.slice(1))];
  const rows = emit.node('Reshape', [x, emit.ints([-1, features])]);
  const columns = emit.node('Reshape', [w, emit.ints([k, features])]);
  const y = emit.node('Gemm', [rows, columns, ...bias], { transB: { i: 1 } });
  return [emit.node('Reshape', [y, emit.ints([-1, k, ...image.shape.slice(2).map(() => 1)])])];
};

/** Forms of `conv`. */
export const convForms: Forms<ConvAttributes> = {
  conv: (emit, inputs, { inputs: [, w], attributes }) => [
    emit.node('Conv', inputs, onnxAttributes(attributes, w.shape)),
  ],
  blocked: (emit, inputs, { inputs: [, w], attributes }) => [emitBlockedConv(emit, inputs, w.shape, attributes)],
  columns: convByColumns,
  dense: convByDense,
};

/** The kernel covers the whole input: the gradient of a dense layer. */
const inputByDense: InputForm = (emit, [dy, w, ...bias], { inputs: [, kernel], attributes: a }) => {
  const [k, c, taps] = [Number(kernel.shape[0]), Number(kernel.shape[1]), sizeOf(a.spatial)];
  const rows = emit.node('Reshape', [dy, emit.ints([-1, k])]);
  const columns = emit.node('Reshape', [w, emit.ints([k, c * taps])]);
  const flat = emit.node('Reshape', [emit.node('Gemm', [rows, columns]), emit.ints([-1, c, ...a.spatial])]);
  if (bias.length === 0) return [flat];
  return [emit.node('Add', [flat, emit.node('Reshape', [bias[0], emit.ints([1, c, ...a.spatial.map(() => 1)])])])];
};

/** ONNX's own transposed convolution. */
const inputByTranspose: InputForm = (emit, inputs, { inputs: [dy, w], attributes: a }) => {
  // Positions that the forward convolution never read (stride remainder) come back as output padding.
  const outputPadding = a.spatial.map((size, i) => {
    const reach = a.dilations[i] * (Number(w.shape[i + 2]) - 1) + 1;
    return size - ((Number(dy.shape[i + 2]) - 1) * a.strides[i] + reach - a.padsBefore[i] - a.padsAfter[i]);
  });
  const attributes = { ...onnxAttributes(a, w.shape), output_padding: { ints: outputPadding } };
  return [emit.node('ConvTranspose', inputs, attributes)];
};

/** Stride 1: a convolution of dy with the kernel turned by 180° and its channel axes swapped. */
const inputByFlip: InputForm = (emit, [dy, w, ...bias], { inputs: [, kernel], attributes: a }) => {
  const axes = a.spatial.map((_, i) => i + 2);
  const turned = emit.node('Slice', [
    emit.node('Transpose', [w], { perm: { ints: [1, 0, ...axes] } }),
    emit.ints(axes.map((i) => Number(kernel.shape[i]) - 1)),
    emit.ints(axes.map(() => -2147483648)),
    emit.ints(axes),
    emit.ints(axes.map(() => -1)),
  ]);
  const reach = axes.map((axis, i) => a.dilations[i] * (Number(kernel.shape[axis]) - 1));
  const pads = {
    ...a,
    padsBefore: reach.map((r, i) => r - a.padsBefore[i]),
    padsAfter: reach.map((r, i) => r - a.padsAfter[i]),
  };
  return [emit.node('Conv', [dy, turned, ...bias], onnxAttributes(pads, kernel.shape))];
};

/** True when the turned-kernel form exists: stride 1, one group, pads within the reach of the kernel. */
export function canFlip(w: Shape, a: ConvAttributes): boolean {
  return (
    a.groups === 1 &&
    a.strides.every((s) => s === 1) &&
    a.dilations.every((d, i) => d * (Number(w[i + 2]) - 1) >= Math.max(a.padsBefore[i], a.padsAfter[i]))
  );
}

/**
 * One product over the whole batch, then every tap's share added where it came from. x, padded, is cut into blocks of
 * stride size whose pixels count as channels; then every tap of the blocked kernel (k/s per axis) adds a product
 * `[positions, s² · C]` at its own shift.
 */
const inputByScatter: InputForm = (emit, [dy, w, ...bias], { inputs: [g, kernel], attributes: a }) => {
  const rank = a.spatial.length;
  const [n, k] = g.shape as number[];
  const c = Number(kernel.shape[1]);
  const out = concrete(g.shape.slice(2));
  const size = concrete(kernel.shape.slice(2));
  const blocks = size.map((t, i) => t / a.strides[i]);
  const inner = sizeOf(a.strides);
  const counts = out.map((o, i) => o - 1 + blocks[i]);
  const axes = size.map((_, i) => i);
  // W as [K, block axes, inner axes, C], so that one product gives every tap its columns.
  const cut = emit.node('Reshape', [w, emit.ints([k, c, ...size.flatMap((_, i) => [blocks[i], a.strides[i]])])]);
  const order = [0, ...axes.map((i) => 2 + 2 * i), ...axes.map((i) => 3 + 2 * i), 1];
  const taps = sizeOf(blocks);
  const columns = emit.node('Reshape', [
    emit.node('Transpose', [cut], { perm: { ints: order } }),
    emit.ints([k, taps * inner * c]),
  ]);
  const rows = emitRows(emit, dy, g);
  const parts = taps === 1 ? [columns] : emit.nodes('Split', [columns], { axis: { i: 1 } }, taps);
  const positions = blocks.reduce<number[][]>(
    (all, b) => all.flatMap((p) => Array.from({ length: b }, (_, i) => [...p, i])),
    [[]],
  );
  const shares = positions.map((at, t) => {
    const product = emit.node('Gemm', [rows, parts[t]]);
    const image = emit.node('Reshape', [product, emit.ints([n, ...out, inner * c])]);
    const before = [0, ...at, 0];
    const after = [0, ...at.map((p, i) => blocks[i] - 1 - p), 0];
    return emit.node('Pad', [image, emit.ints([...before, ...after])], { mode: { s: 'constant' } });
  });
  const sum = shares.length === 1 ? shares[0] : emit.node('Sum', shares);
  // [N, counts, inner axes, C] → [N, count 0, inner 0, count 1, inner 1, C]
  const split = emit.node('Reshape', [sum, emit.ints([n, ...counts, ...a.strides, c])]);
  const merged = emit.node('Transpose', [split], {
    perm: { ints: [0, ...axes.flatMap((i) => [1 + i, 1 + rank + i]), 1 + 2 * rank] },
  });
  const padded = emit.node('Reshape', [merged, emit.ints([n, ...counts.map((b, i) => b * a.strides[i]), c])]);
  // Off with the padding; pixels that the convolution never reached come back as zeros.
  const before = [0, ...a.padsBefore.map((p) => -p), 0];
  const after = [0, ...a.spatial.map((s, i) => s + a.padsBefore[i] - counts[i] * a.strides[i]), 0];
  const image = emit.node('Pad', [padded, emit.ints([...before, ...after])], { mode: { s: 'constant' } });
  const biased = bias.length === 0 ? image : emit.node('Add', [image, bias[0]]);
  return [emit.node('Transpose', [biased], { perm: { ints: [0, rank + 1, ...axes.map((i) => i + 1)] } })];
};

/** True when the scattered form exists: one group, no dilation, strides that divide the kernel, N known. */
export function canScatter(g: Shape, w: Shape, a: ConvAttributes): boolean {
  return (
    a.groups === 1 &&
    typeof g[0] === 'number' &&
    w.slice(2).every((k, i) => Number(k) % a.strides[i] === 0 && a.dilations[i] === 1)
  );
}

/** Forms of `convInputGradient`. */
export const inputGradientForms: Forms<InputGradientAttributes> = {
  dense: inputByDense,
  transpose: inputByTranspose,
  blocked: (emit, inputs, { inputs: [g, w], outputs: [x], attributes }) => [
    emitBlockedInputGradient(emit, inputs, x, g, w.shape, attributes),
  ],
  scatter: inputByScatter,
  flip: inputByFlip,
};

// The weight gradient dW[k,c,i,j] = Σ_n Σ_p dy[n,k,p] · x[n,c,p·s + (i,j)·d]: a matrix product once x is laid out in columns.

/** One convolution of x with dy as its kernel, batch and channel axes swapped, stride and dilation exchanged. */
const weightsByConv: WeightForm = (emit, [x, dy], { inputs: [, g], attributes: a }) => {
  const axes = a.kernel.map((_, i) => i + 2);
  const swap = { perm: { ints: [1, 0, ...axes] } };
  const swapped = { ...a, strides: a.dilations, dilations: a.strides };
  const turned = [emit.node('Transpose', [x], swap), emit.node('Transpose', [dy], swap)];
  const full = emit.node('Conv', turned, onnxAttributes(swapped, g.shape));
  // A stride that leaves a remainder makes the result too large: cut it to the kernel.
  const cut = emit.node('Slice', [full, emit.ints(axes.map(() => 0)), emit.ints(a.kernel), emit.ints(axes)]);
  return [emit.node('Transpose', [cut], swap)];
};

/**
 * As by convolution, with the parts of x and dy exchanged: dy is the image and x the kernel, which gives the taps in
 * reverse. Only dy is laid out in columns: better where it has the fewer channels.
 */
const weightsByMirror: WeightForm = (emit, [x, dy], { inputs: [image], attributes: a }) => {
  const axes = a.kernel.map((_, i) => i + 2);
  const swap = { perm: { ints: [1, 0, ...axes] } };
  const reach = a.kernel.map((k, i) => a.dilations[i] * (k - 1));
  const mirrored = {
    ...a,
    strides: a.dilations,
    dilations: a.strides,
    padsBefore: reach.map((r, i) => r - a.padsBefore[i]),
    padsAfter: reach.map((r, i) => r - a.padsAfter[i]),
  };
  const turned = [emit.node('Transpose', [dy], swap), emit.node('Transpose', [x], swap)];
  const reversed = emit.node('Conv', turned, onnxAttributes(mirrored, image.shape)); // [K, C, ...kernel]
  return [
    emit.node('Slice', [
      reversed,
      emit.ints(a.kernel.map((k) => k - 1)),
      emit.ints(axes.map(() => -2147483648)),
      emit.ints(axes),
      emit.ints(axes.map(() => -1)),
    ]),
  ];
};

/** Windows in NCHW, one product per image (and group), summed over the batch. */
const weightsByImage: WeightForm = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [n, c, k] = [Number(image.shape[0]), Number(image.shape[1]), Number(g.shape[1])];
  const out = concrete(g.shape.slice(2));
  const positions = sizeOf(out);
  const taps = sizeOf(a.kernel);
  const perGroup = c / a.groups;
  const axes = a.kernel.map((_, i) => i + 2);
  const padded = emitPad(emit, x, image.shape.length, axes, a);
  const windows = emitWindows(emit, padded, a.kernel, out, axes, a).map((w) =>
    emit.node('Reshape', [w, emit.ints([n, a.groups, 1, perGroup, positions])]),
  );
  const joined = windows.length === 1 ? windows[0] : emit.node('Concat', windows, { axis: { i: 2 } });
  const columns = emit.node('Reshape', [joined, emit.ints([n, a.groups, taps * perGroup, positions])]);
  const rows = emit.node('Reshape', [dy, emit.ints([n, a.groups, k / a.groups, positions])]);
  const turned = emit.node('Transpose', [columns], { perm: { ints: [0, 1, 3, 2] } });
  const sum = emit.node('ReduceSum', [emit.node('MatMul', [rows, turned]), emit.ints([0])], { keepdims: { i: 0 } });
  return [emitKernel(emit, sum, k, perGroup, a.kernel)];
};

/** Windows in NHWC beside each other, one large product over the whole batch. */
const weightsByColumns: WeightForm = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [c, k] = [Number(image.shape[1]), Number(g.shape[1])];
  const columns = joinColumns(emit, emitColumns(emit, x, image, g, a));
  return [emitKernel(emit, emit.node('Gemm', [emitRows(emit, dy, g), columns], { transA: { i: 1 } }), k, c, a.kernel)];
};

/** Windows in NHWC, one product for each; nothing large is joined. */
const weightsByTaps: WeightForm = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [c, k] = [Number(image.shape[1]), Number(g.shape[1])];
  const rows = emitRows(emit, dy, g);
  const products = emitColumns(emit, x, image, g, a).map((columns) =>
    emit.node('Gemm', [rows, columns], { transA: { i: 1 } }),
  );
  const joined = products.length === 1 ? products[0] : emit.node('Concat', products, { axis: { i: 1 } });
  return [emitKernel(emit, joined, k, c, a.kernel)];
};

/** As by taps, but one product per image and window, summed at the end: dy is used as it lies. */
const weightsByWindows: WeightForm = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [n, c, k] = [Number(image.shape[0]), Number(image.shape[1]), Number(g.shape[1])];
  const positions = sizeOf(g.shape.slice(2));
  const rows = emit.node('Reshape', [dy, emit.ints([n, k, positions])]);
  const products = emitColumns(emit, x, image, g, a).map((columns) =>
    emit.node('MatMul', [rows, emit.node('Reshape', [columns, emit.ints([n, positions, -1])])]),
  );
  const joined = products.length === 1 ? products[0] : emit.node('Concat', products, { axis: { i: 2 } });
  // ReduceSum over a first axis takes several times as long as this product.
  const ones = emit.constant(float32(new Float32Array(n).fill(1), [1, n]));
  const sum = emit.node('MatMul', [ones, emit.node('Reshape', [joined, emit.ints([n, -1])])]);
  return [emitKernel(emit, sum, k, c, a.kernel)];
};

/** The kernel covers the whole input: the weight gradient of a dense layer. */
const weightsByDense: WeightForm = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [n, c, k] = [Number(image.shape[0]), Number(image.shape[1]), Number(g.shape[1])];
  const rows = emit.node('Reshape', [dy, emit.ints([n, k])]);
  const columns = emit.node('Reshape', [x, emit.ints([n, c * sizeOf(a.kernel)])]);
  return [
    emit.node('Reshape', [emit.node('Gemm', [rows, columns], { transA: { i: 1 } }), emit.ints([k, c, ...a.kernel])]),
  ];
};

/** Forms of `convWeightGradient`. */
export const weightGradientForms: Forms<WeightGradientAttributes> = {
  conv: weightsByConv,
  mirror: weightsByMirror,
  image: weightsByImage,
  columns: weightsByColumns,
  taps: weightsByTaps,
  windows: weightsByWindows,
  dense: weightsByDense,
  blocked: (emit, inputs, { inputs: [x, g], attributes }) => [
    emitBlockedWeightGradient(emit, inputs, x, g, attributes),
  ],
};
