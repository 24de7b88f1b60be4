/**
 * Chooses a detector for series from the steps that train, without labels and without a fit. Where windows repeat, the nearest
 * neighbours of a window are the better detector, else the principal components of windows. Both see shapes and levels. How far
 * windows repeat is how far the autocorrelation rises again from its least value to the lag of a window.
 *
 * Chosen on 142 series of two seeds, half of each for training: generated ones of seven families with eight kinds of anomalies, and
 * such anomalies planted into SKAB's normal file and the training parts of SMD (src/bench/series). No series of NAB, UCR or TSB-AD
 * took part. Mean VUS-PR (window of each series) there, in brackets on 71 series of a new seed:
 *
 *     knn .624 (.616), sub-pca .589 (.561), mean-image .554 (.541), isolation-forest .549 (.543), pca .537 (.528),
 *     matrix-profile .498 (.501), poly .446 (.424), spectral-residual .343 (.322)
 *     the rule below .638 (.587); knn where the autocorrelation rises at all .626 (.618)
 *     the better of knn and sub-pca for each series .663 (.647), the best of the eight .736 (.756)
 *
 * So on one channel the rule is better than sub-pca alone, and no better than knn alone on series that it was not chosen on; on
 * several channels knn is the worse one.
 *
 * Looked at and left out: planting anomalies of five kinds into the end of the training part and taking what finds most of them.
 * Of six detectors the best there had .537, where nearest neighbours alone had .602 (110 series of the first two seeds that are long
 * enough); with a margin for them the choice came no further than they. `choose` of `models/parts/series`, which looks at the scores
 * of a whole series, had .474 with the training part alone, since what it looks for is not there. The bench `series-auto` repeats
 * the table. Of several channels the mean counts: on 48 pieces of SKAB's normal file and the training parts of SMD with 8 to 12
 * channels, planted into one or more, the rule had .530, nearest neighbours .469, components .528, the better of the two .573.
 */
import type { Source, Split } from '../../data/pure.ts';
import { choose } from '../../models/parts/series/choose.ts';

/** What was chosen, and why. */
export interface AutoChoice {
  /** Name of a model. */
  readonly model: string;
  /** A preset of it. */
  readonly preset?: string;
  /** One sentence with the figure that decided. */
  readonly reason: string;
}

/** A rise of the autocorrelation above this says that windows repeat: the middle of the plateau, .1 to .3. */
export const LEAST_RISE = 0.2;
/** Steps that are looked at, the last ones that train, and channels. */
const MOST = { steps: 20_000, channels: 64 };

/** Chooses by the longest stretch of steps that train; of a long one the last 20,000, which the reason says. */
export function chooseDetector({ source, split }: { source: Source; split: Split }): AutoChoice {
  const { window } = source.series!;
  const { names, values } = source.channels!;
  const { from, to } = longestRun(split.train.filter((_, i) => split.trainLabels[i] === 0));
  const start = Math.max(from, to - MOST.steps);
  const width = names.length;
  const rises: number[] = [];
  for (let c = 0; c < Math.min(width, MOST.channels); c++) {
    const x = Float64Array.from({ length: to - start }, (_, t) => values[(start + t) * width + c]);
    const rise = riseOf(x, window);
    if (rise !== undefined) rises.push(rise);
  }
  const looked = `${to - start} ${start > from ? `of ${to - from} ` : ''}training steps`;
  if (rises.length === 0) {
    const reason = `sub-pca: no channel varies in the ${looked}, or they are fewer than two windows of ${window} steps.`;
    return { model: 'sub-pca', reason };
  }
  const rise = rises.reduce((a, b) => a + b, 0) / rises.length;
  const figure = `in ${looked} the autocorrelation rises by ${rise.toFixed(2)} to the lag of a window (${window} steps${rises.length > 1 ? `; mean of ${rises.length} channels` : ''})`;
  return rise > LEAST_RISE
    ? {
        model: 'knn',
        reason: `knn: ${figure}, more than ${LEAST_RISE}, so windows repeat and are compared with each other.`,
      }
    : { model: 'sub-pca', reason: `sub-pca: ${figure}, not more than ${LEAST_RISE}, so windows hardly repeat.` };
}

/** Steps of a series that `choose` compares with each other at most: its cost grows with their square. */
const MOST_WHOLE = 30_000;

/**
 * Chooses where the steps that train are judged (protocol `whole`): by the scores that detectors give the series, which is what
 * published tables judge (`choose`). It knows one series of one channel; others get `sub-pca`.
 */
export function chooseForWhole({ series, channels: named }: Source): AutoChoice {
  const { spans, window, windowFrom } = series!;
  const { names, values } = named!;
  const [{ steps, buffer }] = spans;
  if (spans.length > 1 || names.length > 1 || steps > MOST_WHOLE) {
    const found =
      spans.length > 1 ? `${spans.length} series` : names.length > 1 ? `${names.length} channels` : `${steps} steps`;
    const reason = `sub-pca: detectors of a whole series are compared for one channel of at most ${MOST_WHOLE} steps, and here are ${found}.`;
    return { model: 'sub-pca', reason };
  }
  const { chosen, reason } = choose(values, { period: windowFrom === 'autocorrelation' ? buffer : window });
  if (chosen === 'mmpad')
    return { model: 'matrix-profile', preset: 'mmpad', reason: `matrix-profile with its preset mmpad. ${reason}` };
  // The mean of ranks and the point score are no models.
  const model = chosen === 'ranks' || chosen === 'point' ? 'poly' : chosen;
  const first = chosen === 'ranks' ? ', the first of those whose ranks would be joined' : '';
  return { model, reason: `${model}${first}. ${reason}` };
}

/** From the least autocorrelation at a shorter lag to that at `lag`, 0 to 2; undefined for a constant or too short series. */
export function riseOf(x: Float64Array, lag: number): number | undefined {
  const n = x.length;
  if (n < 2 * lag) return undefined;
  const mean = x.reduce((sum, value) => sum + value / n, 0);
  const centred = x.map((value) => value - mean);
  const at = (k: number) => {
    let sum = 0;
    for (let t = 0; t + k < n; t++) sum += centred[t] * centred[t + k];
    return sum;
  };
  const whole = at(0);
  if (!(whole > 1e-12 * n * Math.max(1, mean * mean))) return undefined;
  let least = 1;
  for (let k = 1; k <= lag; k++) least = Math.min(least, at(k) / whole);
  return at(lag) / whole - least;
}

/** The longest stretch of neighbouring steps `[from, to)`. */
function longestRun(steps: Uint32Array): { from: number; to: number } {
  let best = { from: 0, to: 0 };
  let from = 0;
  for (let i = 1; i <= steps.length; i++) {
    if (i < steps.length && steps[i] === steps[i - 1] + 1) continue;
    if (i - from > best.to - best.from) best = { from: steps[from], to: steps[i - 1] + 1 };
    from = i;
  }
  return best;
}
