/**
 * Robust random cut forest (Guha, Mishra, Roy, Schrijvers 2016): trees of random cuts, each over a sample of the last points; a
 * point whose insertion would displace many others is anomalous (CoDisp, averaged over trees). A point is `shingle` steps, one
 * behind the other. Ours: a sample takes a new point with the chance sample / memory and drops one of its own at random, so
 * points are forgotten with age; channels are measured in deviations of the first points, which are held until they fill the
 * sample. Left out: imputation, and expected values.
 */
import * as z from 'zod';
import { Rng } from '../core/random.ts';
import { displacement, emptyTrees, forget, insert } from './cut-tree.ts';
import { defineStreamDetector } from './define.ts';

const config = z
  .strictObject({
    trees: z.int().min(1).max(1000).default(50).describe('Trees in the forest.'),
    sample: z.int().min(2).max(65_536).default(256).describe('Points of each tree; the warm-up, with the shingle.'),
    shingle: z.int().min(1).max(1024).default(4).describe('Last steps that make one point.'),
    memory: z
      .int()
      .min(2)
      .max(1_000_000_000)
      .default(2560)
      .describe('Steps that a point stays in a sample on average.'),
  })
  .refine(({ sample, memory }) => memory >= sample, { path: ['memory'], error: 'at least as large as the sample' });

/** Random cut forest: score 0 to the points of a tree. */
export const randomCutForest = defineStreamDetector({
  name: 'random-cut-forest',
  title: 'Random cut forest',
  summary:
    'Trees of random cuts over samples of the last points; points that would displace many others are anomalous.',
  config,
  learn({ trees: count, sample, shingle, memory }, channels, seeded) {
    const width = shingle * channels;
    const { trees, arrays } = emptyTrees(count, sample, width);
    /** The leaf of each place of each sample. */
    const members = new Int32Array(count * sample);
    const held = new Float64Array(sample * width);
    const scale = new Float64Array(channels).fill(1);
    /** The last steps as they came, the newest last, and the same in deviations. */
    const last = new Float64Array(width);
    const x = new Float64Array(width);
    /** Steps seen up to the shingle, points held or, once there are enough, `sample`. */
    const counters = new Int32Array(2);
    const random = Int32Array.from(seeded.state());
    let rng = seeded;
    const chance = Math.round((sample / memory) * 4294967296);

    const endWarmUp = () => {
      for (let c = 0; c < channels; c++) {
        // The newest step of each point held.
        const values = Float64Array.from({ length: sample }, (_, i) => held[(i + 1) * width - channels + c]);
        const mean = values.reduce((sum, value) => sum + value / sample, 0);
        const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / sample, 0));
        scale[c] = deviation > 0 ? 1 / deviation : 1;
      }
      for (let i = 0; i < sample; i++) {
        for (let k = 0; k < width; k++) x[k] = held[i * width + k] * scale[k % channels];
        for (let t = 0; t < count; t++) members[t * sample + i] = insert(trees[t], x, rng);
      }
      held.fill(0);
    };

    return {
      arrays: { counters, random, members, held, scale, last, ...arrays },
      beforeSave: () => random.set(rng.state()),
      afterRestore() {
        rng = new Rng(seeded.seed, seeded.path, [...random]);
      },
      push(point) {
        last.copyWithin(0, channels);
        last.set(point, width - channels);
        counters[0] = Math.min(shingle, counters[0] + 1);
        if (counters[0] < shingle) return { score: null };
        if (counters[1] < sample) {
          held.set(last, counters[1] * width);
          counters[1] += 1;
          if (counters[1] === sample) endWarmUp();
          return { score: null };
        }
        for (let k = 0; k < width; k++) x[k] = last[k] * scale[k % channels];
        const byStep = channels === 1 ? undefined : new Float64Array(width);
        let sum = 0;
        for (let t = 0; t < count; t++) {
          sum += displacement(trees[t], x, byStep);
          if (rng.bits() >= chance) continue;
          const place = t * sample + rng.int(sample);
          forget(trees[t], members[place]);
          members[place] = insert(trees[t], x, rng);
        }
        const parts = new Float64Array(channels);
        if (byStep === undefined) parts[0] = sum / count;
        else for (let k = 0; k < width; k++) parts[k % channels] += byStep[k] / count;
        return { score: sum / count, parts };
      },
    };
  },
});
