/**
 * Conformal p-values of scores, and what a false discovery rate makes of many of them. Split conformal prediction (Vovk, Gammerman,
 * Shafer, Algorithmic Learning in a Random World, 2005; of outliers Bates, Candès, Lei, Romano, Sesia, Annals of Statistics 51, 2023).
 * Left out: p-values weighted for a shift between calibration and new items, and Benjamini and Yekutieli's factor for dependence,
 * since p-values against one set of normals depend on each other in a way under which the plain rule holds.
 */
import { ConfigError } from '../core/errors.ts';
import { countFrom } from './ranked-points.ts';

/**
 * (1 + normals that score as high) / (n + 1), in (0, 1], from the n sorted scores of normal items that the detector did not learn
 * from; undefined without any. Of a normal item that is exchangeable with these, it is at most α with a probability of at most α.
 * It cannot be below 1 / (n + 1).
 */
export function pValueOf(sorted: ArrayLike<number>, score: number): number | undefined {
  const n = sorted.length;
  if (n === 0) return undefined;
  return (1 + countFrom(sorted, score)) / (n + 1);
}

/** What a false discovery rate makes of p-values. */
export interface Discoveries {
  /** Items whose p-value is at most this are taken for anomalous; 0 where none is. */
  readonly largest: number;
  readonly count: number;
}

/**
 * Benjamini and Hochberg (Journal of the Royal Statistical Society B 57, 1995): the k smallest of m p-values for the largest k whose
 * k-th is at most `rate` · k / m. The expected share of normal items among what is found is then at most `rate`.
 * @throws ConfigError `fdr` for a rate that is not in (0, 1).
 */
export function discoveriesOf(pValues: readonly number[], rate: number): Discoveries {
  if (!(rate > 0 && rate < 1))
    throw new ConfigError('fdr', { option: 'fdr', value: rate, must: 'a number above 0 and below 1' });
  const sorted = Float64Array.from(pValues).sort();
  for (let k = sorted.length; k > 0; k--)
    if (sorted[k - 1] <= (rate * k) / sorted.length) return { largest: sorted[k - 1], count: k };
  return { largest: 0, count: 0 };
}
