/**
 * Convolution and its two gradients: three operators that are closed under differentiation, 1-D and 2-D, with strides,
 * dilation and groups. x is `[N, C, ...]`, the kernel `[K, C / groups, ...]`, y `[N, K, ...]`. As everywhere in the
 * field, "convolution" is cross-correlation.
 */
import { ShapeError } from '../../core/errors.ts';
import { concrete, type Dim, type Shape, show, sizeOf } from '../../core/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { OnnxAttribute } from '../onnx/messages.ts';
import { apply1, blank, defineOp, type Emitter, type Lowering, type Target } from '../op.ts';
import type { Node, Value } from '../value.ts';
import {
  canBlockConv,
  canBlockInputGradient,
  canBlockWeightGradient,
  emitBlockedConv,
  emitBlockedInputGradient,
  emitBlockedWeightGradient,
} from './conv-blocked.ts';
import { add, mul } from './elementwise.ts';
import { reshape } from './movement.ts';
import { reduceSum } from './reduce.ts';

export interface ConvAttributes {
  /** Per spatial axis. */
  strides: readonly number[];
  padsBefore: readonly number[];
  padsAfter: readonly number[];
  dilations: readonly number[];
  groups: number;
}

/** Output size of one axis: ⌊(n + pads − (dilation·(k − 1) + 1)) / stride⌋ + 1. */
function convolvedSize(size: Dim, kernel: Dim, a: ConvAttributes, axis: number): number {
  const [n, k] = concrete([size, kernel], 'A convolution');
  const reach = a.dilations[axis] * (k - 1) + 1;
  const padded = n + a.padsBefore[axis] + a.padsAfter[axis];
  if (padded < reach)
    throw new ShapeError(`a kernel that reaches over ${reach} does not fit into a padded size of ${padded}.`);
  return Math.floor((padded - reach) / a.strides[axis]) + 1;
}

function outputShape(x: Shape, w: Shape, a: ConvAttributes): Dim[] {
  if (x.length !== w.length || x.length < 3) {
    throw new ShapeError(`the input ${show(x)} and the kernel ${show(w)} must have one rank, [N,C,...] and [K,C,...].`);
  }
  const [c, perGroup, k] = [x[1], w[1], w[0]].map(Number);
  if (c !== perGroup * a.groups || k % a.groups !== 0) {
    throw new ShapeError(`${c} channels and ${a.groups} groups do not fit the kernel ${show(w)}.`);
  }
  return [x[0], w[0], ...w.slice(2).map((d, i) => convolvedSize(x[i + 2], d, a, i))];
}

function convAttributes(a: ConvAttributes, kernel: Shape): Record<string, OnnxAttribute> {
  return {
    kernel_shape: { ints: concrete(kernel.slice(2)) },
    strides: { ints: a.strides },
    pads: { ints: [...a.padsBefore, ...a.padsAfter] },
    dilations: { ints: a.dilations },
    group: { i: a.groups },
  };
}

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

/** True when the kernel is as large as the unpadded input, so that every output map is one pixel. */
function coversInput(x: Shape, w: Shape, a: ConvAttributes): boolean {
  return (
    a.groups === 1 &&
    w.slice(2).every((k, i) => k === x[i + 2] && a.padsBefore[i] === 0 && a.padsAfter[i] === 0) &&
    w.slice(2).every((k, i) => a.dilations[i] === 1 || k === 1)
  );
}

const convOp = defineOp<ConvAttributes>({
  name: 'conv',
  shape: ([x, w], a) => [{ shape: outputShape(x.shape, w.shape, a), dtype: x.dtype }],
  gradient: ({ inputs: [x, w, bias], attributes: a, dy }) => [
    convInputGradient(dy[0]!, w, x.shape.slice(2), a),
    convWeightGradient(x, dy[0]!, w.shape, a),
    bias && sumChannels(dy[0]!),
  ],
  lowerings: {
    conv: (emit, inputs, { inputs: [, w], attributes }) => [
      emit.node('Conv', inputs, convAttributes(attributes, w.shape)),
    ],
    blocked: (emit, inputs, { inputs: [, w], attributes }) => [emitBlockedConv(emit, inputs, w.shape, attributes)],
    // Windows laid out as columns, which the weight gradient then shares, and one product over the whole batch.
    columns: (emit, [x, w, ...bias], { inputs: [image, kernel], outputs: [y], attributes }) => {
      const a = { ...attributes, kernel: concrete(kernel.shape.slice(2)) };
      const columns = joinColumns(emit, emitColumns(emit, x, image, y, a));
      const product = emit.node('Gemm', [columns, emitTapsLast(emit, w, kernel), ...bias], { transB: { i: 1 } });
      return [emitChannelsFirst(emit, product, y)];
    },
    // The kernel covers the whole input: a dense layer.
    dense: (emit, [x, w, ...bias], { inputs: [image, kernel] }) => {
      const [k, features] = [Number(kernel.shape[0]), sizeOf(kernel.shape.slice(1))];
      const rows = emit.node('Reshape', [x, emit.ints([-1, features])]);
      const columns = emit.node('Reshape', [w, emit.ints([k, features])]);
      const y = emit.node('Gemm', [rows, columns, ...bias], { transB: { i: 1 } });
      return [emit.node('Reshape', [y, emit.ints([-1, k, ...image.shape.slice(2).map(() => 1)])])];
    },
  },
  choose: (node, target) => chooseConv(node, target),
  reference: ([x, w, bias], a, [type]) => {
    const out = blank(type) as Float64Array;
    addBias(out, type.shape, bias);
    visitProducts(x.shape, w.shape, type.shape, a, (ix, iw, iy) => {
      out[iy] += numbers(x)[ix] * numbers(w)[iw];
    });
    return [out];
  },
});

const convInputGradientOp = defineOp<ConvAttributes & { spatial: readonly number[] }>({
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
  lowerings: {
    dense: (emit, [dy, w, ...bias], { inputs: [, kernel], attributes: a }) => {
      const [k, c, taps] = [Number(kernel.shape[0]), Number(kernel.shape[1]), sizeOf(a.spatial)];
      const rows = emit.node('Reshape', [dy, emit.ints([-1, k])]);
      const columns = emit.node('Reshape', [w, emit.ints([k, c * taps])]);
      const flat = emit.node('Reshape', [emit.node('Gemm', [rows, columns]), emit.ints([-1, c, ...a.spatial])]);
      if (bias.length === 0) return [flat];
      return [emit.node('Add', [flat, emit.node('Reshape', [bias[0], emit.ints([1, c, ...a.spatial.map(() => 1)])])])];
    },
    transpose: (emit, inputs, { inputs: [dy, w], attributes: a }) => {
      // Positions that the forward convolution never read (stride remainder) come back as output padding.
      const outputPadding = a.spatial.map((size, i) => {
        const reach = a.dilations[i] * (Number(w.shape[i + 2]) - 1) + 1;
        return size - ((Number(dy.shape[i + 2]) - 1) * a.strides[i] + reach - a.padsBefore[i] - a.padsAfter[i]);
      });
      return [
        emit.node('ConvTranspose', inputs, { ...convAttributes(a, w.shape), output_padding: { ints: outputPadding } }),
      ];
    },
    blocked: (emit, inputs, { inputs: [g, w], outputs: [x], attributes }) => [
      emitBlockedInputGradient(emit, inputs, x, g, w.shape, attributes),
    ],
    // One product over the whole batch, then every tap's share added where it came from.
    scatter: (emit, [dy, w, ...bias], { inputs: [g, kernel], attributes: a }) => [
      emitScatter(emit, dy, w, bias, g, kernel, a),
    ],
    // Stride 1: a convolution of dy with the kernel turned by 180° and its channel axes swapped.
    flip: (emit, [dy, w, ...bias], { inputs: [, kernel], attributes: a }) => {
      const rank = a.spatial.length;
      const axes = Array.from({ length: rank }, (_, i) => i + 2);
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
      return [emit.node('Conv', [dy, turned, ...bias], convAttributes(pads, kernel.shape))];
    },
  },
  choose: (node, target) => chooseInputGradient(node, target),
  reference: ([dy, w, bias], a, [type]) => {
    const out = blank(type) as Float64Array;
    addBias(out, type.shape, bias);
    visitProducts(type.shape, w.shape, dy.shape, a, (ix, iw, iy) => {
      out[ix] += numbers(dy)[iy] * numbers(w)[iw];
    });
    return [out];
  },
});

/**
 * The input gradient over s × s blocks: x, padded, is cut into blocks of stride size whose pixels count as channels; then
 * every tap of the blocked kernel (k/s per axis) adds a product `[positions, s² · C]` at its own shift.
 */
function emitScatter(
  emit: Emitter,
  dy: string,
  w: string,
  bias: readonly string[],
  g: Value,
  kernel: Value,
  a: ConvAttributes & { spatial: readonly number[] },
): string {
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
  return emit.node('Transpose', [biased], { perm: { ints: [0, rank + 1, ...axes.map((i) => i + 1)] } });
}

/** True when `emitScatter` exists: one group, no dilation, strides that divide the kernel, N known. */
export function canScatter(g: Shape, w: Shape, a: ConvAttributes): boolean {
  return (
    a.groups === 1 &&
    typeof g[0] === 'number' &&
    w.slice(2).every((k, i) => Number(k) % a.strides[i] === 0 && a.dilations[i] === 1)
  );
}

/** True when the turned-kernel form exists: stride 1, one group, pads within the reach of the kernel. */
export function canFlip(w: Shape, a: ConvAttributes): boolean {
  return (
    a.groups === 1 &&
    a.strides.every((s) => s === 1) &&
    a.dilations.every((d, i) => d * (Number(w[i + 2]) - 1) >= Math.max(a.padsBefore[i], a.padsAfter[i]))
  );
}

// The rules below come from `npm run bench -- lowerings`; run it again after a change here.

const pointwise = (w: Shape): boolean => w.slice(2).every((k) => k === 1);

/**
 * On WebAssembly one large product is so much faster than one per image that laying out columns pays for small maps,
 * above all when a layer's products share them.
 */
function prefersProducts(x: Shape, g: Shape, a: ConvAttributes, { device }: Target): boolean {
  const small = g.slice(2).reduce<number>((n, d) => n * Number(d), 1) <= 256;
  return device === 'wasm' && a.groups === 1 && typeof x[0] === 'number' && Number(x[1]) > 4 && small;
}

function chooseConv(
  { inputs: [x, w], outputs: [y], attributes: a }: Node & { attributes: ConvAttributes },
  target: Target,
): string {
  if (coversInput(x.shape, w.shape, a)) return 'dense';
  if (prefersProducts(x.shape, y.shape, a, target)) return 'columns';
  if (!canBlockConv(w.shape, a, target) || pointwise(w.shape)) return 'conv';
  // Laying a kernel out in blocks costs more than it saves where the kernel is not smaller than the images.
  return typeof x.shape[0] === 'number' && sizeOf(w.shape) >= sizeOf(x.shape) ? 'columns' : 'blocked';
}

function chooseInputGradient(
  { inputs: [g, w], outputs: [x], attributes: a }: Node & { attributes: ConvAttributes },
  target: Target,
): string {
  if (coversInput(x.shape, w.shape, a)) return 'dense';
  if (prefersProducts(x.shape, g.shape, a, target) && canScatter(g.shape, w.shape, a)) return 'scatter';
  // A stride that does not divide the kernel leaves the blocked form zeros to multiply; blocks of 16 (AVX-512) bear it.
  const isEven = a.strides.every((s, i) => Number(w.shape[i + 2]) % s === 0);
  const pays = isEven || target.blockSize === 16;
  if (pays && canBlockInputGradient(x.shape, g.shape, w.shape, a, target) && !pointwise(w.shape)) return 'blocked';
  return canFlip(w.shape, a) && Number(w.shape[1]) >= 4 ? 'flip' : 'transpose';
}

// The weight gradient dW[k,c,i,j] = Σ_n Σ_p dy[n,k,p] · x[n,c,p·s + (i,j)·d]: a matrix product once x is laid out in columns.

type WeightGradientNode = Node & { attributes: ConvAttributes & { kernel: readonly number[] } };

/** x with its spatial padding written out; `spatialAxes` are the axes to pad. */
function emitPad(emit: Emitter, x: string, rank: number, spatialAxes: readonly number[], a: ConvAttributes): string {
  if ([...a.padsBefore, ...a.padsAfter].every((n) => n === 0)) return x;
  const counts = (pads: readonly number[]) =>
    Array.from({ length: rank }, (_, i) => (spatialAxes.includes(i) ? pads[spatialAxes.indexOf(i)] : 0));
  return emit.node('Pad', [x, emit.ints([...counts(a.padsBefore), ...counts(a.padsAfter)])], {
    mode: { s: 'constant' },
  });
}

/** One strided window of a padded input per kernel position, in kernel order. */
function emitWindows(
  emit: Emitter,
  padded: string,
  kernel: readonly number[],
  out: readonly number[],
  axes: readonly number[],
  a: ConvAttributes,
): string[] {
  const positions = kernel.reduce<number[][]>(
    (all, k) => all.flatMap((p) => Array.from({ length: k }, (_, i) => [...p, i])),
    [[]],
  );
  return positions.map((position) => {
    const starts = position.map((p, i) => p * a.dilations[i]);
    const ends = starts.map((s, i) => s + (out[i] - 1) * a.strides[i] + 1);
    return emit.node('Slice', [padded, emit.ints(starts), emit.ints(ends), emit.ints(axes), emit.ints(a.strides)]);
  });
}

type WeightLowering = Lowering<ConvAttributes & { kernel: readonly number[] }>;

/** A: one convolution of x with dy as its kernel, batch and channel axes swapped, stride and dilation exchanged. */
const weightsByConv: WeightLowering = (emit, [x, dy], { inputs: [, g], attributes: a }) => {
  const axes = a.kernel.map((_, i) => i + 2);
  const swap = { perm: { ints: [1, 0, ...axes] } };
  const swapped = { ...a, strides: a.dilations, dilations: a.strides };
  const turned = [emit.node('Transpose', [x], swap), emit.node('Transpose', [dy], swap)];
  const full = emit.node('Conv', turned, convAttributes(swapped, g.shape));
  // A stride that leaves a remainder makes the result too large: cut it to the kernel.
  const cut = emit.node('Slice', [full, emit.ints(axes.map(() => 0)), emit.ints(a.kernel), emit.ints(axes)]);
  return [emit.node('Transpose', [cut], swap)];
};

/** B: windows in NCHW, one product per image (and group), summed over the batch. */
const weightsByImage: WeightLowering = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
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

/** `[K, taps · C]`, channels innermost, to `[K, C, ...kernel]`. */
function emitKernel(emit: Emitter, product: string, k: number, c: number, kernel: readonly number[]): string {
  const split = emit.node('Reshape', [product, emit.ints([k, sizeOf(kernel), c])]);
  const turned = emit.node('Transpose', [split], { perm: { ints: [0, 2, 1] } });
  return emit.node('Reshape', [turned, emit.ints([k, c, ...kernel])]);
}

/** dy as a matrix `[positions, K]`, channels last. */
function emitRows(emit: Emitter, dy: string, g: Value): string {
  const rank = g.shape.length;
  const order = [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
  const positions = sizeOf([g.shape[0], ...g.shape.slice(2)]);
  const turned = emit.node('Transpose', [dy], { perm: { ints: order } });
  return emit.node('Reshape', [turned, emit.ints([positions, Number(g.shape[1])])]);
}

/**
 * The channels-last windows of x in kernel order, each as a matrix `[positions, width]`. Where the stride of the last
 * axis divides the kernel, that many neighbouring pixels count as one with more channels (width = stride · C): fewer,
 * wider windows, copied in long runs. Otherwise there is one window per kernel position (width = C).
 */
function emitColumns(
  emit: Emitter,
  x: string,
  image: Value,
  g: Value,
  a: ConvAttributes & { kernel: readonly number[] },
): string[] {
  const spatial = a.kernel.map((_, i) => i + 1);
  const last = a.kernel.length - 1;
  const [n, c] = [Number(image.shape[0]), Number(image.shape[1])];
  const out = concrete(g.shape.slice(2));
  const stride = a.strides[last];
  const together = stride > 1 && a.dilations[last] === 1 && a.kernel[last] % stride === 0 ? stride : 1;
  const turned = emit.node('Transpose', [x], { perm: { ints: [0, ...spatial.map((i) => i + 1), 1] } });
  const blocks = out[last] - 1 + a.kernel[last] / together;
  // Exactly the pixels that the kernel reaches, so that the last axis divides; a negative pad crops.
  const reach = blocks * together - Number(image.shape[last + 2]) - a.padsBefore[last];
  const pads = together === 1 ? a : { ...a, padsAfter: a.padsAfter.map((p, i) => (i === last ? reach : p)) };
  let padded = emitPad(emit, turned, image.shape.length, spatial, pads);
  let [kernel, strides] = [a.kernel, a.strides];
  if (together > 1) {
    const rows = a.kernel.slice(0, last).map((_, i) => Number(image.shape[i + 2]) + a.padsBefore[i] + a.padsAfter[i]);
    padded = emit.node('Reshape', [padded, emit.ints([n, ...rows, blocks, together * c])]);
    kernel = a.kernel.map((k, i) => (i === last ? k / together : k));
    strides = a.strides.map((s, i) => (i === last ? 1 : s));
  }
  return emitWindows(emit, padded, kernel, out, spatial, { ...a, strides }).map((window) =>
    emit.node('Reshape', [window, emit.ints([n * sizeOf(out), together * c])]),
  );
}

/** Windows beside each other: `[positions, taps · C]`. */
const joinColumns = (emit: Emitter, windows: readonly string[]): string =>
  windows.length === 1 ? windows[0] : emit.node('Concat', windows, { axis: { i: 1 } });

/** A kernel `[K, C, ...]` as a matrix `[K, taps · C]`, channels innermost. */
function emitTapsLast(emit: Emitter, w: string, kernel: Value): string {
  const [k, c] = [Number(kernel.shape[0]), Number(kernel.shape[1])];
  const taps = sizeOf(kernel.shape.slice(2));
  const split = emit.node('Reshape', [w, emit.ints([k, c, taps])]);
  return emit.node('Reshape', [
    emit.node('Transpose', [split], { perm: { ints: [0, 2, 1] } }),
    emit.ints([k, taps * c]),
  ]);
}

/** A matrix `[positions, K]` as the value `[N, K, ...]`. */
function emitChannelsFirst(emit: Emitter, rows: string, y: Value): string {
  const [n, k, ...out] = y.shape as number[];
  const image = emit.node('Reshape', [rows, emit.ints([n, ...out, k])]);
  return emit.node('Transpose', [image], { perm: { ints: [0, out.length + 1, ...out.map((_, i) => i + 1)] } });
}

/** D: windows in NHWC beside each other, one large product over the whole batch. */
const weightsByColumns: WeightLowering = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [c, k] = [Number(image.shape[1]), Number(g.shape[1])];
  const columns = joinColumns(emit, emitColumns(emit, x, image, g, a));
  return [emitKernel(emit, emit.node('Gemm', [emitRows(emit, dy, g), columns], { transA: { i: 1 } }), k, c, a.kernel)];
};

/** C: windows in NHWC, one product for each; nothing large is joined. */
const weightsByTaps: WeightLowering = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [c, k] = [Number(image.shape[1]), Number(g.shape[1])];
  const rows = emitRows(emit, dy, g);
  const products = emitColumns(emit, x, image, g, a).map((columns) =>
    emit.node('Gemm', [rows, columns], { transA: { i: 1 } }),
  );
  const joined = products.length === 1 ? products[0] : emit.node('Concat', products, { axis: { i: 1 } });
  return [emitKernel(emit, joined, k, c, a.kernel)];
};

/** F: as C, but one product per image and window, summed at the end: dy is used as it lies. */
const weightsByWindows: WeightLowering = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [n, c, k] = [Number(image.shape[0]), Number(image.shape[1]), Number(g.shape[1])];
  const positions = sizeOf(g.shape.slice(2));
  const rows = emit.node('Reshape', [dy, emit.ints([n, k, positions])]);
  const products = emitColumns(emit, x, image, g, a).map((columns) =>
    emit.node('MatMul', [rows, emit.node('Reshape', [columns, emit.ints([n, positions, -1])])]),
  );
  const joined = products.length === 1 ? products[0] : emit.node('Concat', products, { axis: { i: 2 } });
  const sum = emit.node('ReduceSum', [joined, emit.ints([0])], { keepdims: { i: 0 } });
  return [emitKernel(emit, sum, k, c, a.kernel)];
};

/** The kernel covers the whole input: the weight gradient of a dense layer. */
const weightsByDense: WeightLowering = (emit, [x, dy], { inputs: [image, g], attributes: a }) => {
  const [n, c, k] = [Number(image.shape[0]), Number(image.shape[1]), Number(g.shape[1])];
  const rows = emit.node('Reshape', [dy, emit.ints([n, k])]);
  const columns = emit.node('Reshape', [x, emit.ints([n, c * sizeOf(a.kernel)])]);
  return [
    emit.node('Reshape', [emit.node('Gemm', [rows, columns], { transA: { i: 1 } }), emit.ints([k, c, ...a.kernel])]),
  ];
};

/** The forms of `conv` that exist for these shapes. */
export function convForms(x: Shape, w: Shape, a: ConvAttributes, target: Target): string[] {
  return [
    'conv',
    ...(a.groups === 1 && typeof x[0] === 'number' ? ['columns'] : []),
    ...(coversInput(x, w, a) ? ['dense'] : []),
    ...(canBlockConv(w, a, target) ? ['blocked'] : []),
  ];
}

/** The forms of `convInputGradient` that exist for these shapes; g is the shape of dy. */
export function inputGradientForms(x: Shape, g: Shape, w: Shape, a: ConvAttributes, target: Target): string[] {
  return [
    'transpose',
    ...(canFlip(w, a) ? ['flip'] : []),
    ...(canScatter(g, w, a) ? ['scatter'] : []),
    ...(coversInput(x, w, a) ? ['dense'] : []),
    ...(canBlockInputGradient(x, g, w, a, target) ? ['blocked'] : []),
  ];
}

/** The forms of `convWeightGradient` that exist for these shapes; g is the shape of dy. */
export function weightGradientForms(
  x: Shape,
  g: Shape,
  a: ConvAttributes & { kernel: readonly number[] },
  target: Target,
): string[] {
  if (a.groups > 1) return ['image'];
  return [
    'conv',
    'image',
    'columns',
    'taps',
    'windows',
    ...(coversInput(x, [0, x[1], ...a.kernel], a) ? ['dense'] : []),
    ...(canBlockWeightGradient(x, g, a, target) ? ['blocked'] : []),
  ];
}

const convWeightGradientOp = defineOp<ConvAttributes & { kernel: readonly number[] }>({
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
  lowerings: {
    conv: weightsByConv,
    image: weightsByImage,
    columns: weightsByColumns,
    taps: weightsByTaps,
    windows: weightsByWindows,
    dense: weightsByDense,
    blocked: (emit, inputs, { inputs: [x, g], attributes }) => [
      emitBlockedWeightGradient(emit, inputs, x, g, attributes),
    ],
  },
  choose: (node, target) => chooseWeightGradient(node, target),
  reference: ([x, dy], a, [type]) => {
    const out = blank(type) as Float64Array;
    visitProducts(x.shape, type.shape, dy.shape, a, (ix, iw, iy) => {
      out[iw] += numbers(x)[ix] * numbers(dy)[iy];
    });
    return [out];
  },
});

function chooseWeightGradient({ inputs: [x, g], attributes: a }: WeightGradientNode, target: Target): string {
  if (a.groups > 1) return 'image';
  if (coversInput(x.shape, [0, x.shape[1], ...a.kernel], a)) return 'dense';
  if (pointwise([0, 0, ...a.kernel])) return 'image';
  if (prefersProducts(x.shape, g.shape, a, target)) return 'columns';
  const [c, k] = [Number(x.shape[1]), Number(g.shape[1])];
  const positions = sizeOf(g.shape.slice(2));
  const strided = a.strides.some((s) => s > 1);
  const blockable = canBlockWeightGradient(x.shape, g.shape, a, target);
  const wide = target.blockSize === 16;
  if (c <= 4) return strided && c > 2 ? (wide && blockable ? 'blocked' : 'windows') : 'conv';
  if (c * k <= 64) return 'conv';
  // Over a large map the blocked form's kernel (dy itself) no longer fits the cache. With blocks of 16 (AVX-512) large
  // products gain more than it does.
  if (blockable && (wide ? positions < 256 && strided : positions <= 256)) return 'blocked';
  return positions < 256 ? 'taps' : 'windows';
}

const attributesOf = (a: ConvAttributes): ConvAttributes => ({
  strides: a.strides,
  padsBefore: a.padsBefore,
  padsAfter: a.padsAfter,
  dilations: a.dilations,
  groups: a.groups,
});

/** Options of a convolution; one number stands for every spatial axis. */
export interface ConvOptions {
  stride?: number | readonly number[];
  /** Zeros on both sides of each axis, or `[before..., after...]` for all axes. */
  padding?: number | readonly number[];
  dilation?: number | readonly number[];
  groups?: number;
}

/** Options written out for a number of spatial axes. */
export function convolution(rank: number, options: ConvOptions): ConvAttributes {
  const each = (v: number | readonly number[] | undefined, fallback: number) =>
    v === undefined
      ? new Array<number>(rank).fill(fallback)
      : typeof v === 'number'
        ? new Array<number>(rank).fill(v)
        : v;
  const pads =
    typeof options.padding === 'object' ? options.padding : new Array<number>(2 * rank).fill(options.padding ?? 0);
  return {
    strides: each(options.stride, 1),
    padsBefore: pads.slice(0, rank),
    padsAfter: pads.slice(rank),
    dilations: each(options.dilation, 1),
    groups: options.groups ?? 1,
  };
}

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
