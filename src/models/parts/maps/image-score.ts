/**
 * The score of an image from the scores of its places: the largest, which the smallest defect raises, and so does noise; the mean
 * of a top share, for defects that cover several places; the largest of the blurred map, between both.
 */
import * as z from 'zod';
import { option, type Said, say } from '../../../core/text.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';

/** What the ways are, in words. */
const words = {
  all: 'adds them up',
  largest: 'takes the largest',
  top: 'averages the highest',
  smoothed: 'takes the largest of the blurred map',
};
/** How places become the score of an image. */
export type ImageScore = keyof typeof words;

/** Options of models whose score follows from those of places; the first of the ways is the default. */
export const imageScoreOptions = <const W extends ImageScore>(ways: readonly W[]) => ({
  imageScore: z
    .enum(ways)
    .default(ways[0] as never)
    .describe(`How places become the score of the image: ${ways.map((way) => `"${way}" ${words[way]}`).join(', ')}.`),
  top: z
    .number()
    .positive()
    .max(1)
    .default(0.005)
    .describe('Share of the places that imageScore=top averages, at least one place.'),
});

/** The mean of the highest of places `[N, ...]`, one number per item; at least one of them. */
export function meanOfTop(places: Value, top: number): Value {
  const flat = places.shape.length > 2 ? g.flatten(places) : places; // [N,P]
  const count = Math.max(1, Math.round(top * Number(flat.shape[1])));
  return g.reduceMean(g.topK(flat, count).values, { axes: [1] });
}

/** The score `[N]` from places `[N, P]` and the map that was made of them, `[N, 1, H, W]`. */
export function scoreOfPlaces(how: Exclude<ImageScore, 'all'>, top: number, places: Value, map: Value): Value {
  if (how === 'top') return meanOfTop(places, top);
  return how === 'largest' ? g.reduceMax(places, { axes: [1] }) : g.reduceMax(map, { axes: [1, 2, 3] });
}

/** A sentence where something goes with one way only, and another is set. */
export const onlyWith = (is: boolean, what: string, way: ImageScore, set: ImageScore): Said | undefined =>
  is && set !== way ? say`${what} ${option('config.imageScore', way)}, got ${set}.` : undefined;
