/**
 * An image as a matrix: its windows laid out as columns, `[positions, taps · C]`, so that a convolution or its weight
 * gradient is a matrix product; and the kernel, dy and y in the layouts that such a product wants.
 */
import { concrete, sizeOf } from '../../../core/shape.ts';
import type { Emitter } from '../../op.ts';
import type { Value } from '../../value.ts';
import type { ConvAttributes, WeightGradientAttributes } from './geometry.ts';

/** x with its spatial padding written out; `spatialAxes` are the axes to pad. */
export function emitPad(
  emit: Emitter,
  x: string,
  rank: number,
  spatialAxes: readonly number[],
  a: ConvAttributes,
): string {
  if ([...a.padsBefore, ...a.padsAfter].every((n) => n === 0)) return x;
  const counts = (pads: readonly number[]) =>
    Array.from({ length: rank }, (_, i) => (spatialAxes.includes(i) ? pads[spatialAxes.indexOf(i)] : 0));
  return emit.node('Pad', [x, emit.ints([...counts(a.padsBefore), ...counts(a.padsAfter)])], {
    mode: { s: 'constant' },
  });
}

/** One strided window of a padded input per kernel position, in kernel order. */
export function emitWindows(
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

/**
 * The channels-last windows of x in kernel order, each as a matrix `[positions, width]`. Where the stride of the last
 * axis divides the kernel, that many neighbouring pixels count as one with more channels (width = stride · C): fewer,
 * wider windows, copied in long runs. Otherwise there is one window per kernel position (width = C).
 */
export function emitColumns(emit: Emitter, x: string, image: Value, g: Value, a: WeightGradientAttributes): string[] {
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
export const joinColumns = (emit: Emitter, windows: readonly string[]): string =>
  windows.length === 1 ? windows[0] : emit.node('Concat', windows, { axis: { i: 1 } });

/** `[K, taps · C]`, channels innermost, to `[K, C, ...kernel]`. */
export function emitKernel(emit: Emitter, product: string, k: number, c: number, kernel: readonly number[]): string {
  const split = emit.node('Reshape', [product, emit.ints([k, sizeOf(kernel), c])]);
  const turned = emit.node('Transpose', [split], { perm: { ints: [0, 2, 1] } });
  return emit.node('Reshape', [turned, emit.ints([k, c, ...kernel])]);
}

/** dy as a matrix `[positions, K]`, channels last. */
export function emitRows(emit: Emitter, dy: string, g: Value): string {
  const rank = g.shape.length;
  const order = [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
  const positions = sizeOf([g.shape[0], ...g.shape.slice(2)]);
  const turned = emit.node('Transpose', [dy], { perm: { ints: order } });
  return emit.node('Reshape', [turned, emit.ints([positions, Number(g.shape[1])])]);
}

/** A kernel `[K, C, ...]` as a matrix `[K, taps · C]`, channels innermost. */
export function emitTapsLast(emit: Emitter, w: string, kernel: Value): string {
  const [k, c] = [Number(kernel.shape[0]), Number(kernel.shape[1])];
  const taps = sizeOf(kernel.shape.slice(2));
  const split = emit.node('Reshape', [w, emit.ints([k, c, taps])]);
  return emit.node('Reshape', [
    emit.node('Transpose', [split], { perm: { ints: [0, 2, 1] } }),
    emit.ints([k, taps * c]),
  ]);
}

/** A matrix `[positions, K]` as the value `[N, K, ...]`. */
export function emitChannelsFirst(emit: Emitter, rows: string, y: Value): string {
  const [n, k, ...out] = y.shape as number[];
  const image = emit.node('Reshape', [rows, emit.ints([n, ...out, k])]);
  return emit.node('Transpose', [image], { perm: { ints: [0, out.length + 1, ...out.map((_, i) => i + 1)] } });
}
