/** What the options of a convolution mean for shapes. */
import { ShapeError } from '../../../core/errors.ts';
import { concrete, type Dim, type Shape, show } from '../../../core/shape.ts';

export interface ConvAttributes {
  /** Per spatial axis. */
  strides: readonly number[];
  padsBefore: readonly number[];
  padsAfter: readonly number[];
  dilations: readonly number[];
  groups: number;
}

/** Of the gradient for the input, which the options alone do not size: a stride leaves a remainder. */
export interface InputGradientAttributes extends ConvAttributes {
  /** Spatial size of x. */
  spatial: readonly number[];
}

/** Of the gradient for the kernel. */
export interface WeightGradientAttributes extends ConvAttributes {
  /** Spatial size of the kernel. */
  kernel: readonly number[];
}

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

/** The options alone, without what a gradient adds to them. */
export const attributesOf = (a: ConvAttributes): ConvAttributes => ({
  strides: a.strides,
  padsBefore: a.padsBefore,
  padsAfter: a.padsAfter,
  dilations: a.dilations,
  groups: a.groups,
});

/** Output size of one axis: ⌊(n + pads − (dilation·(k − 1) + 1)) / stride⌋ + 1. */
function convolvedSize(size: Dim, kernel: Dim, a: ConvAttributes, axis: number): number {
  const [n, k] = concrete([size, kernel], 'A convolution');
  const reach = a.dilations[axis] * (k - 1) + 1;
  const padded = n + a.padsBefore[axis] + a.padsAfter[axis];
  if (padded < reach)
    throw new ShapeError(`a kernel that reaches over ${reach} does not fit into a padded size of ${padded}.`);
  return Math.floor((padded - reach) / a.strides[axis]) + 1;
}

/** Shape of y; throws ShapeError when x and the kernel do not fit. */
export function outputShape(x: Shape, w: Shape, a: ConvAttributes): Dim[] {
  if (x.length !== w.length || x.length < 3) {
    throw new ShapeError(`the input ${show(x)} and the kernel ${show(w)} must have one rank, [N,C,...] and [K,C,...].`);
  }
  const [c, perGroup, k] = [x[1], w[1], w[0]].map(Number);
  if (c !== perGroup * a.groups || k % a.groups !== 0) {
    throw new ShapeError(`${c} channels and ${a.groups} groups do not fit the kernel ${show(w)}.`);
  }
  return [x[0], w[0], ...w.slice(2).map((d, i) => convolvedSize(x[i + 2], d, a, i))];
}

/** True when the kernel is as large as the unpadded input, so that every output map is one pixel. */
export function coversInput(x: Shape, w: Shape, a: ConvAttributes): boolean {
  return (
    a.groups === 1 &&
    w.slice(2).every((k, i) => k === x[i + 2] && a.padsBefore[i] === 0 && a.padsAfter[i] === 0) &&
    w.slice(2).every((k, i) => a.dilations[i] === 1 || k === 1)
  );
}
