/**
 * Ranks images without a normal set, by how little of each is found in the others. A set is scored against itself, so this is
 * no model: nothing is learnt that could score another image. See `models/parts/mutual.ts` for the paper.
 */
import { Cancelled } from '../../core/errors.ts';
import { type Listener, silent } from '../../core/events.ts';
import type { Rng } from '../../core/random.ts';
import { sizeOf } from '../../core/shape.ts';
import { float32, type Tensors } from '../../core/tensor.ts';
import type { Source } from '../../data/pure.ts';
import { constant, input } from '../../graph/leaf.ts';
import { asRows, wholeImage } from '../../models/parts/features.ts';
import { type MutualOptions, mutualFeatures, mutualScores } from '../../models/parts/mutual.ts';
import { Trace } from '../../nn/scope.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { fitData } from '../fitting/items.ts';
import { bind } from '../scoring/graph.ts';

/** What images are ranked with. */
export interface RankOptions {
  readonly source: Source;
  /** Numbers of the images; all in it are taken as one set. */
  readonly items: Uint32Array;
  readonly options: MutualOptions;
  /** Other images that each is compared with, at most. */
  readonly references: number;
  /** Tensors of the backbone, by their names in scoring graphs. */
  readonly pretrained: Tensors;
  readonly runtime: Runtime;
  readonly rng: Rng;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
  /** Takes each image with its map `[H, W]` and its score as they are made; `at` is its place in `items`. */
  readonly onImage?: (one: { at: number; image: Float32Array; map: Float32Array; score: number }) => void;
}

/** How images of a set differ from the rest of it. */
export interface RankedImages {
  /** Of each of the items, larger = less of it is found in the others. */
  readonly scores: Float32Array;
  /** A descriptor of each whole image, `[N, C]`. */
  readonly descriptors: Float32Array;
  /** The mean of each map, [0, 2]: cosine distance to the most alike images. */
  readonly means: Float32Array;
}

/** Images per call: each is compared with all references at once. */
const BATCH = 2;

/** Ranks images. Throws Cancelled, and what reading images does. */
export async function rankUnlabelled(given: RankOptions): Promise<RankedImages> {
  const { source, items, options, pretrained, runtime, rng, onEvent = silent, signal, onImage } = given;
  const size = Math.min(items.length, given.references);
  const chosen =
    size < items.length ? rng.split('references').permutation(items.length).subarray(0, size).sort() : undefined;
  const positions = chosen ?? Uint32Array.from(items.keys());
  const shared = { source, rng, runtime, pretrained, onEvent, ...(signal && { signal }) };
  const references = await referencesOf({ ...shared, train: positions.map((p) => items[p]) }, options);
  const x = input('x', ['N', ...source.shape]);
  const own = input('own', ['N', size]);
  const trace = new Trace(false, pretrained);
  const net = (group: string) => trace.group(group);
  const { map, score } = mutualScores(options, net, x, references, own);
  const descriptor = wholeImage(options, net, x);
  const outputs = bind('musc', { map, score, descriptor }, trace, pretrained);
  const session = await runtime.compile({ name: 'musc', outputs, carry: {} });
  const scores = new Float32Array(items.length);
  const means = new Float32Array(items.length);
  let descriptors = new Float32Array(0);
  const values = sizeOf(source.shape);
  const begin = performance.now();
  try {
    for (let at = 0; at < items.length; at += BATCH) {
      if (signal?.aborted) throw new Cancelled();
      const part = items.subarray(at, at + BATCH);
      const images = new Float32Array(part.length * values);
      await source.read(part, images);
      const selves = new Float32Array(part.length * size);
      for (const k of part.keys()) {
        const self = positions.indexOf(at + k);
        if (self >= 0) selves[k * size + self] = 1;
      }
      const feeds = { x: float32(images, [part.length, ...source.shape]), own: float32(selves, [part.length, size]) };
      const out = await session.run(feeds, { signal });
      scores.set(out.score.data as Float32Array, at);
      const maps = out.map.data as Float32Array;
      const area = maps.length / part.length;
      for (const k of part.keys()) {
        const map = maps.subarray(k * area, (k + 1) * area);
        means[at + k] = map.reduce((sum, v) => sum + v, 0) / area;
        onImage?.({ at: at + k, image: images.subarray(k * values, (k + 1) * values), map, score: scores[at + k] });
      }
      const width = out.descriptor.data.length / part.length;
      if (at === 0) descriptors = new Float32Array(items.length * width);
      descriptors.set(out.descriptor.data as Float32Array, at * width);
      const done = at + part.length;
      const rate = (1000 * done) / (performance.now() - begin);
      onEvent({ type: 'progress', task: 'compare', done, total: items.length, unit: 'image', rate });
    }
  } finally {
    session.close().catch(() => {}); // who cancels does not wait
  }
  return { scores, descriptors, means };
}

/** Features of the references, `[R, h·w, D]` of each tap and neighbourhood, as constants. */
async function referencesOf(data: Parameters<typeof fitData>[0], options: MutualOptions) {
  const all: { rows: Float32Array; shape: readonly number[] }[] = [];
  let at = 0;
  const { through } = fitData(data);
  const build: Parameters<typeof through>[1] = (net, x) =>
    Object.fromEntries(mutualFeatures(options, net, x).map((grid, i) => [`grid${i}`, asRows(grid)]));
  for await (const { count, outputs } of through('references', build, BATCH)) {
    for (const [i, { data: own, shape }] of Object.values(outputs).entries()) {
      all[i] ??= { rows: new Float32Array((own.length / count) * data.train.length), shape: shape.slice(1) };
      all[i].rows.set(own as Float32Array, at * (own.length / count));
    }
    at += count;
  }
  return all.map(({ rows, shape }) => constant(float32(rows, [data.train.length, ...shape])));
}

/**
 * RsCIN of the same paper: scores that look at those of the images that are most alike as whole images. Scores are brought
 * to [0, 1]; for each k the score of an image becomes the mean over its k most similar images, itself among them, weighted
 * by the cosine of descriptors `[N, C]`; and of these the mean is taken.
 */
export function neighbourScores(scores: Float32Array, descriptors: Float32Array, ks: readonly number[]): Float32Array {
  const count = scores.length;
  const width = descriptors.length / count;
  const low = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const unit = scores.map((score) => (high > low ? (score - low) / (high - low) : 0));
  const lengths = Float64Array.from({ length: count }, (_, i) =>
    Math.sqrt(descriptors.subarray(i * width, (i + 1) * width).reduce((sum, v) => sum + v * v, 1e-12)),
  );
  const cosine = (i: number, j: number) => {
    let dot = 0;
    for (let c = 0; c < width; c++) dot += descriptors[i * width + c] * descriptors[j * width + c];
    return Math.max(0, dot / lengths[i] / lengths[j]);
  };
  return unit.map((_, i) => {
    const near = Array.from({ length: count }, (_, j) => ({ j, weight: j === i ? 1 : cosine(i, j) }));
    near.sort((a, b) => b.weight - a.weight || a.j - b.j);
    const means = ks.map((k) => {
      const own = near.slice(0, k);
      const total = own.reduce((sum, { weight }) => sum + weight, 0);
      return own.reduce((sum, { j, weight }) => sum + weight * unit[j], 0) / total;
    });
    return means.reduce((sum, v) => sum + v, 0) / ks.length;
  });
}
