/** Scores of steps in their order, smoothed along each series or clip, as a model may ask for. */
import { gaussianFilter, type SeriesFacts, type SeriesSpan } from '../../data/pure.ts';

/**
 * The scores of the items at `items`, smoothed by a Gaussian of `sigma` steps along each run of neighbours: never from one series
 * or clip to another, over steps that were left out, or over scores that are no numbers.
 */
export function smoothed(
  scores: Float32Array,
  items: ArrayLike<number>,
  spans: readonly Pick<SeriesSpan, 'first' | 'steps'>[],
  sigma: number,
): Float32Array {
  const out = scores.slice();
  const starts = new Set(spans.map(({ first }) => first));
  const goesOn = (i: number) =>
    items[i] === items[i - 1] + 1 && !starts.has(items[i]) && Number.isNaN(scores[i]) === Number.isNaN(scores[i - 1]);
  for (let from = 0; from < scores.length; ) {
    let to = from + 1;
    while (to < scores.length && goesOn(to)) to++;
    out.set(gaussianFilter(scores.subarray(from, to), sigma), from);
    from = to;
  }
  return out;
}

/**
 * So many neighbouring scores move together and count as one where it is said how far a threshold can be trusted: those of
 * overlapping windows, and those that a Gaussian mixes – a mean over 2√π σ values has the spread that it leaves.
 */
export function movingTogether({ window }: Pick<SeriesFacts, 'window'>, sigma = 0): number {
  return window + Math.ceil(2 * Math.sqrt(Math.PI) * sigma);
}
