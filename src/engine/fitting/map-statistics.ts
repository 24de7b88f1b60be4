/** Mean and deviation of every pixel of maps on held-out normals, for `scoring/map-normalization.ts`. */
import { DataError } from '../../core/errors.ts';
import type { Listener } from '../../core/events.ts';
import type { Rng } from '../../core/random.ts';
import { float32, type Tensors } from '../../core/tensor.ts';
import { option, say } from '../../core/text.ts';
import type { Source } from '../../data/pure.ts';
import type { Session } from '../../runtime/index.ts';
import { statisticsNames } from '../scoring/map-normalization.ts';
import { scoreItems } from '../scoring/stream.ts';

/** Normals that statistics need: from ten the deviation of a pixel is known to about a quarter. */
const LEAST = 10;
/**
 * Share of the map's overall deviation below which a pixel's own is not believed: a pixel that never varied on some
 * hundred normals, such as a dark border, would otherwise turn the least change into an anomaly.
 */
const FLOOR = 0.1;

/**
 * Halves the held-out normals at random: `statistics` and `threshold`, each ascending. Throws DataError
 * `too-few-normals`.
 */
export function halve(validation: Uint32Array, rng: Rng): { statistics: Uint32Array; threshold: Uint32Array } {
  const shuffled = rng.split('map-normalization').shuffle(validation.slice());
  const half = shuffled.length >> 1;
  if (half < LEAST) {
    throw new DataError(
      'too-few-normals',
      say`Z-scores of maps need at least ${2 * LEAST} held-out normal items, half of them for the threshold; there are
        ${validation.length}. Hold out more with ${option('validationFraction')}, or leave
        ${option('mapNormalization')} out.`,
    );
  }
  return { statistics: shuffled.slice(0, half).sort(), threshold: shuffled.slice(half).sort() };
}

/** Mean and deviation of every pixel over the maps of `items`, as tensors to keep with those of the model. */
export async function mapStatistics(
  session: Session,
  source: Source,
  items: Uint32Array,
  options: { onEvent?: Listener; signal?: AbortSignal },
): Promise<Tensors> {
  const [, height, width] = source.shape;
  const area = height * width;
  const mean = new Float64Array(area);
  const squares = new Float64Array(area); // sums of squared distances to the mean (Welford 1962)
  let n = 0;
  await scoreItems(session, source, items, {
    ...options,
    task: 'normalise maps',
    onMaps(maps, _at, count) {
      for (let k = 0; k < count; k++) {
        n++;
        for (let p = 0; p < area; p++) {
          const value = maps[k * area + p];
          const before = value - mean[p];
          mean[p] += before / n;
          squares[p] += before * (value - mean[p]);
        }
      }
    },
  });
  const variances = squares.map((s) => s / (n - 1));
  const floor = FLOOR ** 2 * (variances.reduce((a, b) => a + b, 0) / area);
  // A model that gives every normal image the same map has no deviation at all: 1 leaves its map as it is.
  const deviation = variances.map((v) => Math.sqrt(v + floor) || 1);
  return {
    [statisticsNames.mean]: float32(Float32Array.from(mean), [1, height, width]),
    [statisticsNames.deviation]: float32(Float32Array.from(deviation), [1, height, width]),
  };
}
