/**
 * Forms of convolution for onnxruntime's own CPU kernels in blocked layout (`[N, C/B, H, W, B]`, B = the width of a
 * vector register). The inference optimiser uses them only for constant weights; a training step's weights change, so
 * we write the blocked nodes ourselves. They are internal to onnxruntime: `Target.blockSize` is what the runtime found
 * by trying (0: none), and exported models never contain them.
 */
import { concrete, type Shape, sizeOf } from '../../../core/shape.ts';
import type { OnnxAttribute } from '../../onnx/messages.ts';
import type { Emitter, Target } from '../../op.ts';
import type { Value } from '../../value.ts';
import type { ConvAttributes, WeightGradientAttributes } from './geometry.ts';

const domain = 'com.microsoft.nchwc';

const divides = (b: number, ...sizes: unknown[]): boolean => sizes.every((n) => typeof n === 'number' && n % b === 0);

const plain2d = (a: ConvAttributes, kernel: Shape): boolean => a.groups === 1 && kernel.length === 4;

/** True when `conv` has a blocked form: 2-D, one group, whole blocks of channels on both sides. */
export function canBlockConv(w: Shape, a: ConvAttributes, { blockSize: b }: Target): boolean {
  return b > 0 && plain2d(a, w) && divides(b, w[0], w[1]);
}

/** True when the input gradient has one: also no dilation, and every phase of the stride has equal size and taps. */
export function canBlockInputGradient(x: Shape, g: Shape, w: Shape, a: ConvAttributes, target: Target): boolean {
  if (!canBlockConv(w, a, target) || a.dilations.some((d) => d !== 1)) return false;
  return a.strides.every(
    (s, i) => divides(s, x[i + 2]) && phases(x, g, w, a, i).every((p) => p.taps > 0 && p.before >= 0 && p.after >= 0),
  );
}

/** True when the weight gradient has one: the batch and the filters come in whole blocks. */
export function canBlockWeightGradient(x: Shape, g: Shape, a: ConvAttributes, { blockSize: b }: Target): boolean {
  return b > 0 && plain2d(a, x) && divides(b, x[0], g[1]);
}

/** Channels into blocks. */
const toBlocks = (emit: Emitter, x: string): string => emit.node('ReorderInput', [x], {}, domain);

/** Blocks into channels. */
const fromBlocks = (emit: Emitter, x: string, channels: number): string =>
  emit.node('ReorderOutput', [x], { channels: { i: channels } }, domain);

/**
 * A kernel with its outputs innermost, `[C, taps, K]`, as blocks `[K/B, C/B, taps, B of C, B of K]`, declared
 * `[K, C, ...taps]`. Only whole vectors of K move.
 */
function blockKernel(emit: Emitter, w: string, [k, c, ...taps]: readonly number[]): string {
  const b = emit.target.blockSize;
  const cut = emit.node('Reshape', [w, emit.ints([c / b, b, sizeOf(taps), k / b, b])]);
  const turned = emit.node('Transpose', [cut], { perm: { ints: [3, 0, 2, 1, 4] } });
  return emit.node('Reshape', [turned, emit.ints([k, c, ...taps])]);
}

function attributes(
  kernel: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  pads: readonly number[],
): Record<string, OnnxAttribute> {
  return {
    kernel_shape: { ints: kernel },
    strides: { ints: strides },
    dilations: { ints: dilations },
    pads: { ints: pads },
    group: { i: 1 },
  };
}

export function emitBlockedConv(
  emit: Emitter,
  [x, w, ...bias]: readonly string[],
  kernel: Shape,
  a: ConvAttributes,
): string {
  const shape = concrete(kernel);
  const options = attributes(shape.slice(2), a.strides, a.dilations, [...a.padsBefore, ...a.padsAfter]);
  const rows = emit.node('Reshape', [w, emit.ints([shape[0], sizeOf(shape.slice(1))])]);
  const outputsLast = emit.node('Transpose', [rows], { perm: { ints: [1, 0] } });
  const y = emit.node('Conv', [toBlocks(emit, x), blockKernel(emit, outputsLast, shape), ...bias], options, domain);
  return fromBlocks(emit, y, shape[0]);
}

interface PhaseOfStride {
  /** First tap of the kernel that meets this phase, and how many there are, one stride apart. */
  first: number;
  taps: number;
  before: number;
  after: number;
}

/**
 * The input pixels r = s·q + phase of one axis meet the taps i ≡ phase + pad (mod s); over q that is a convolution of
 * dy with stride 1, the taps in reverse order and the padding given here.
 */
function phases(x: Shape, g: Shape, w: Shape, a: ConvAttributes, axis: number): PhaseOfStride[] {
  const [stride, pad] = [a.strides[axis], a.padsBefore[axis]];
  const [size, out, kernel] = [x[axis + 2], g[axis + 2], w[axis + 2]] as number[];
  return Array.from({ length: stride }, (_, phase) => {
    const first = (phase + pad) % stride;
    const taps = Math.ceil((kernel - first) / stride);
    const before = taps - 1 - (phase + pad - first) / stride;
    return { first, taps, before, after: size / stride - out - before + taps - 1 };
  });
}

/** One small stride-1 convolution per phase of the stride; their results are woven together in blocked layout. */
export function emitBlockedInputGradient(
  emit: Emitter,
  [dy, w, ...bias]: readonly string[],
  x: Value,
  g: Value,
  kernel: Shape,
  a: ConvAttributes,
): string {
  const b = emit.target.blockSize;
  const [k, c] = concrete(kernel);
  const [height, width] = concrete(x.shape.slice(2));
  const [sh, sw] = a.strides;
  const blocks = toBlocks(emit, dy);
  const channelsLast = emit.node('Transpose', [w], { perm: { ints: [0, 2, 3, 1] } }); // [K, taps, C]
  const part = (rows: PhaseOfStride, columns: PhaseOfStride): string => {
    const cut = emit.node('Slice', [
      channelsLast,
      emit.ints([rows.first + sh * (rows.taps - 1), columns.first + sw * (columns.taps - 1)]),
      emit.ints([-2147483648, -2147483648]),
      emit.ints([1, 2]),
      emit.ints([-sh, -sw]),
    ]);
    const taps = [rows.taps, columns.taps];
    const options = attributes(taps, [1, 1], [1, 1], [rows.before, columns.before, rows.after, columns.after]);
    return emit.node('Conv', [blocks, blockKernel(emit, cut, [c, k, ...taps]), ...bias], options, domain);
  };
  const across = phases(x.shape, g.shape, kernel, a, 1);
  const down = phases(x.shape, g.shape, kernel, a, 0).map((rows) => {
    const pieces = across.map((columns) => {
      return emit.node('Reshape', [part(rows, columns), emit.ints([-1, width / sw, 1, b])]);
    });
    const row = pieces.length === 1 ? pieces[0] : emit.node('Concat', pieces, { axis: { i: 2 } });
    return emit.node('Reshape', [row, emit.ints([-1, height / sh, 1, width * b])]);
  });
  const woven = down.length === 1 ? down[0] : emit.node('Concat', down, { axis: { i: 2 } });
  return fromBlocks(emit, emit.node('Reshape', [woven, emit.ints([-1, c, height, width])]), c);
}

/** x as a batch of C images with N channels, dy as the kernel (see `weightsByConv`). */
export function emitBlockedWeightGradient(
  emit: Emitter,
  [x, dy]: readonly string[],
  image: Value,
  g: Value,
  a: WeightGradientAttributes,
): string {
  const b = emit.target.blockSize;
  const [n, k, ...out] = concrete(g.shape);
  const c = Number(image.shape[1]);
  const swap = { perm: { ints: [1, 0, 2, 3] } };
  // dy in blocks is [N/B, B of N, K/B, positions, B of K]: only whole vectors move.
  const positions = sizeOf(out);
  const cut = emit.node('Reshape', [toBlocks(emit, dy), emit.ints([n / b, b, k / b, positions, b])]);
  const turned = emit.node('Transpose', [cut], { perm: { ints: [2, 0, 3, 1, 4] } });
  const filters = emit.node('Reshape', [turned, emit.ints([k, n, ...out])]);
  const input = toBlocks(emit, emit.node('Transpose', [x], swap));
  const options = attributes(out, a.dilations, a.strides, [...a.padsBefore, ...a.padsAfter]);
  const full = fromBlocks(emit, emit.node('Conv', [input, filters], options, domain), k); // [C, K, kernel and more]
  const kernel = emit.node('Slice', [full, emit.ints([0, 0]), emit.ints(a.kernel), emit.ints([2, 3])]);
  return emit.node('Reshape', [emit.node('Transpose', [kernel], swap), emit.ints([k, c, ...a.kernel])]);
}
