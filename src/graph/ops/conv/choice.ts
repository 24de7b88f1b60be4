/**
 * Which form of a convolution operator is written for given shapes and a device. The rules come from
 * `npm run bench -- lowerings`; run it again after a change here.
 */
import { type Shape, sizeOf } from '../../../core/shape.ts';
import type { Target } from '../../op.ts';
import type { Node } from '../../value.ts';
import { canBlockConv, canBlockInputGradient, canBlockWeightGradient } from './blocked.ts';
import {
  type ConvAttributes,
  coversInput,
  type InputGradientAttributes,
  type WeightGradientAttributes,
} from './geometry.ts';
import { canFlip, canScatter } from './lowerings.ts';

type NodeWith<A> = Node & { attributes: A };

/** The forms of `conv` that exist for these shapes. */
export function possibleConvForms(x: Shape, w: Shape, a: ConvAttributes, target: Target): string[] {
  return [
    'conv',
    ...(a.groups === 1 && typeof x[0] === 'number' ? ['columns'] : []),
    ...(coversInput(x, w, a) ? ['dense'] : []),
    ...(canBlockConv(w, a, target) ? ['blocked'] : []),
  ];
}

/** The forms of `convInputGradient` that exist for these shapes; g is the shape of dy. */
export function possibleInputGradientForms(x: Shape, g: Shape, w: Shape, a: ConvAttributes, target: Target): string[] {
  return [
    'transpose',
    ...(canFlip(w, a) ? ['flip'] : []),
    ...(canScatter(g, w, a) ? ['scatter'] : []),
    ...(coversInput(x, w, a) ? ['dense'] : []),
    ...(canBlockInputGradient(x, g, w, a, target) ? ['blocked'] : []),
  ];
}

/** The forms of `convWeightGradient` that exist for these shapes; g is the shape of dy. */
export function possibleWeightGradientForms(x: Shape, g: Shape, a: WeightGradientAttributes, target: Target): string[] {
  if (a.groups > 1) return ['image'];
  return [
    'conv',
    ...(canFlip([0, 0, ...a.kernel], a) ? ['mirror'] : []),
    'image',
    'columns',
    'taps',
    'windows',
    ...(coversInput(x, [0, x[1], ...a.kernel], a) ? ['dense'] : []),
    ...(canBlockWeightGradient(x, g, a, target) ? ['blocked'] : []),
  ];
}

const pointwise = (w: Shape): boolean => w.slice(2).every((k) => k === 1);

/**
 * On WebAssembly one large product is so much faster than one per image that laying out columns pays for small maps,
 * above all when a layer's products share them.
 */
function prefersProducts(x: Shape, g: Shape, a: ConvAttributes, { device }: Target): boolean {
  const small = g.slice(2).reduce<number>((n, d) => n * Number(d), 1) <= 256;
  return device === 'wasm' && a.groups === 1 && typeof x[0] === 'number' && Number(x[1]) > 4 && small;
}

export function chooseConv(
  { inputs: [x, w], outputs: [y], attributes: a }: NodeWith<ConvAttributes>,
  target: Target,
): string {
  if (coversInput(x.shape, w.shape, a)) return 'dense';
  if (prefersProducts(x.shape, y.shape, a, target)) return 'columns';
  if (!canBlockConv(w.shape, a, target) || pointwise(w.shape)) return 'conv';
  // Laying a kernel out in blocks costs more than it saves where the kernel is not smaller than the images.
  return typeof x.shape[0] === 'number' && sizeOf(w.shape) >= sizeOf(x.shape) ? 'columns' : 'blocked';
}

export function chooseInputGradient(
  { inputs: [g, w], outputs: [x], attributes: a }: NodeWith<InputGradientAttributes>,
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

export function chooseWeightGradient(
  { inputs: [x, g], attributes: a }: NodeWith<WeightGradientAttributes>,
  target: Target,
): string {
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
  // Of the two forms by convolution the one that lays out the fewer channels; beyond 8, products win.
  if (k <= 8 && k < c && canFlip([0, 0, ...a.kernel], a)) return 'mirror';
  if (c * k <= 64) return 'conv';
  // Over a large map the blocked form's kernel (dy itself) no longer fits the cache. With blocks of 16 (AVX-512) large
  // products gain more than it does.
  if (blockable && (wide ? positions < 256 && strided : positions <= 256)) return 'blocked';
  return positions < 256 ? 'taps' : 'windows';
}
