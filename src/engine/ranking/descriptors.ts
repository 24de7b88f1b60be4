/**
 * Describes whole images by a few hundred numbers, such that images that look alike lie near each other: mean and spread over the
 * places of what a pretrained network sees. Nothing is learnt. Where a defect lies is lost; how it changes the image is kept.
 */
import type { Listener } from '../../core/events.ts';
import { Rng } from '../../core/random.ts';
import type { Tensors } from '../../core/tensor.ts';
import type { Source } from '../../data/pure.ts';
import * as g from '../../graph/ops/index.ts';
import type { Value } from '../../graph/value.ts';
import { tapped } from '../../models/parts/features.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { fitData } from '../fitting/items.ts';

export interface DescribeOptions {
  readonly source: Source;
  /** Numbers of the images. */
  readonly items: Uint32Array;
  /** Name of the network, and names of its taps with commas between. */
  readonly backbone: string;
  readonly taps: string;
  /** Tensors of the backbone, by their names in scoring graphs. */
  readonly pretrained: Tensors;
  readonly runtime: Runtime;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

export interface Described {
  /** `[items, width]`: of each tap mean and spread, each a unit vector. */
  readonly features: Float32Array;
  readonly width: number;
}

/** Images per call. */
const BATCH = 4;
/** Small beside the squares of any feature. */
const EPSILON = 1e-6;

/** Describes images. Throws Cancelled, and what reading images does. */
export async function describeImages({ items, backbone, taps, ...given }: DescribeOptions): Promise<Described> {
  const options = { backbone, weights: '', taps, preparation: 'own' } as const;
  const { through } = fitData({ ...given, train: items, rng: new Rng(0) }); // nothing is drawn from it
  const build: Parameters<typeof through>[1] = (net, x) => ({
    descriptor: g.concat(tapped(options, net, x).flatMap(pooled), 1),
  });
  const rows: Float32Array[] = [];
  for await (const { outputs } of through('describe', build, BATCH)) {
    rows.push(Float32Array.from(outputs.descriptor.data as Float32Array));
  }
  const features = new Float32Array(rows.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const row of rows) {
    features.set(row, at);
    at += row.length;
  }
  return { features, width: features.length / items.length };
}

/** Mean and standard deviation over the places of a grid `[N, C, h, w]`, each `[N, C]` of length one. */
function pooled(grid: Value): Value[] {
  const places = { axes: [2, 3], keep: true };
  const mean = g.reduceMean(grid, places);
  const spread = g.sqrt(g.add(g.reduceMean(g.square(g.sub(grid, mean)), places), EPSILON));
  return [mean, spread].map((one) => {
    const flat = g.flatten(one);
    return g.div(flat, g.sqrt(g.add(g.reduceSum(g.square(flat), { axes: [1], keep: true }), EPSILON)));
  });
}
