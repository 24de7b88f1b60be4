/**
 * What `auto` chooses from for images: detectors that learn in one pass, ways from the places of an image to its score, sizes of
 * images, backbones and their taps – and what each costs, counted in multiplications, so that a plan does not follow from the load
 * of the machine.
 */
import { type Backbone, features } from '../../backbones/index.ts';
import type { ImageShape } from '../../core/item-shape.ts';
import { sizeOf } from '../../core/shape.ts';
import { input } from '../../graph/leaf.ts';
import { topological, type Value } from '../../graph/value.ts';
import { Trace } from '../../nn/scope.ts';

/** Options by which the places of an image become its score. */
export type Way = Readonly<Record<string, string | number>>;

/** A detector that may be chosen. */
export interface DetectorChoice {
  readonly model: string;
  /** The first one decides where others are no better. */
  readonly ways: readonly Way[];
  /** Options that follow from how many places of how many images train. */
  config(places: number, images: number): Readonly<Record<string, number>>;
  /** Multiplications of learning from places of `channels` numbers, without the backbone, and passes through that. */
  fitCost(about: { readonly images: number; readonly places: number; readonly channels: number }): number;
  readonly passes: number;
  /** Multiplications for one image, without the backbone. */
  scoreCost(about: { readonly places: number; readonly channels: number }): number;
}

const top = (share: number): Way => ({ imageScore: 'top', top: share });

/** Rows of a bank at most: with more, a large image takes long, and few more defects are found. */
const BANK = 2048;
/** Multiplications of plain code that take as long as one of a device. */
const PLAIN = 40;

export const detectorChoices: readonly DetectorChoice[] = [
  {
    model: 'patchcore',
    ways: [{ imageScore: 'largest' }, { imageScore: 'smoothed' }, top(0.002), top(0.01)],
    config: (places, images) => ({ coreset: Math.min(0.01, Number((BANK / places / images).toPrecision(3))) }),
    fitCost: ({ images, places, channels }) => images * places * 128 * (channels + bankOf(places, images)),
    passes: 2,
    scoreCost: ({ places, channels }) => places * channels * BANK,
  },
  {
    model: 'padim',
    ways: [{ imageScore: 'smoothed' }, { imageScore: 'largest' }, top(0.002), top(0.01)],
    config: () => ({}),
    fitCost: ({ images, places }) => PLAIN * places * (images * 100 * 50 + 100 ** 3),
    passes: 1,
    scoreCost: ({ places }) => places * 100 * 100,
  },
  {
    model: 'dfm',
    ways: [{ imageScore: 'all' }, { imageScore: 'largest' }, top(0.02)],
    config: () => ({}),
    fitCost: ({ images, places, channels }) => (PLAIN * images * images * places * channels) / 16,
    passes: 1,
    scoreCost: ({ places, channels }) => (places * channels * 100) / 16,
  },
];

const bankOf = (places: number, images: number) => Math.min(BANK, 0.01 * places * images);

/** Multiplications of convolutions and of products of matrices for one item. */
export function countProducts(outputs: readonly Value[]): number {
  let count = 0;
  const sizes = (value: Value) => sizeOf(value.shape.map((side) => (typeof side === 'number' ? side : 1)));
  for (const { op, inputs, outputs: made } of topological(outputs)) {
    if (op.name === 'conv') count += sizes(made[0]) * sizeOf(inputs[1].shape.slice(1) as number[]);
    if (op.name === 'matMul') count += sizes(made[0]) * Number(inputs[0].shape.at(-1));
  }
  return count;
}

/** A backbone's features for images of a shape: multiplications, and the grid of each tap. */
export function measureBackbone(backbone: Backbone, shape: ImageShape, taps: readonly string[]) {
  const found = features(backbone, new Trace(false).group('backbone').frozen(), input('x', ['N', ...shape]), taps);
  return {
    products: countProducts(found),
    grids: new Map(taps.map((tap, i) => [tap, found[i].shape.slice(1) as number[]])),
  };
}

/** Strides of a pyramid of features. */
const PYRAMID = [4, 8, 16];

/**
 * The sets of taps that are tried, the usual one first: it, its finest tap alone, and the last tap of each of the strides 4, 8
 * and 16 where the backbone has all of them.
 */
export function tapSetsOf({ taps, usual }: Pick<Backbone, 'taps' | 'usual'>): string[][] {
  const finest = usual.reduce((a, b) => (taps[b].stride < taps[a].stride ? b : a));
  const all = Object.entries(taps);
  const stages = PYRAMID.map(
    (stride) => all.findLast(([name, tap]) => tap.stride === stride && !/^pool/.test(name))?.[0],
  );
  const pyramid = stages.every((stage) => stage !== undefined) ? (stages as string[]) : [];
  const sets = [[...usual], [finest], pyramid].filter((set) => set.length > 0);
  return sets.filter((set, i) => sets.findIndex((other) => other.join() === set.join()) === i);
}

/** Sides of images whose area is tried, beside their own. */
const SIDES = [256, 384];
/** Images are not enlarged by more. */
const MOST_LARGER = 2;

/** Sizes that are tried, the smallest first, their sides in multiples of 32 and at least 64: about 256², 384², and the own size. */
export function sizesOf([height, width]: readonly [number, number]): (readonly [number, number])[] {
  const scaled = SIDES.map((side) => side / Math.sqrt(height * width))
    .filter((factor) => factor <= MOST_LARGER)
    .map((factor) => [height, width].map((s) => Math.max(64, 32 * Math.round((s * factor) / 32))) as [number, number]);
  const sizes = [...scaled, [height, width] as const].sort((a, b) => a[0] * a[1] - b[0] * b[1]);
  return sizes.filter(([h, w], i) => sizes.findIndex(([y, x]) => y === h && x === w) === i);
}
