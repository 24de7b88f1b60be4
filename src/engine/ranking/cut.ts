/** Where a ranked set of supposed normals is cut: which of its scores lie far above the others. */

/** Deviations above the middle: of normally distributed values one in 2,000 lies so high. */
const DEVIATIONS = 3.3;

/**
 * The score from which items are suggested to be left out, for scores of 0 and more: 3.3 robust deviations (1.4826 times the
 * median distance from the median of those above it) above the median, of ln(score + median), whose upper tail is shorter than that
 * of the scores and still longer than the lower one.
 * As long as odd items are few they hardly move it. Infinity where few scores are above the middle, because most are equal: then
 * nothing says how far they spread.
 */
export function suggestCut(scores: ArrayLike<number>): number {
  const offset = medianOf(Float64Array.from(scores).sort());
  if (!(offset > 0)) return Number.POSITIVE_INFINITY;
  const logs = Float64Array.from(scores, (score) => Math.log(score + offset)).sort();
  const middle = medianOf(logs);
  const above = logs.filter((v) => v > middle).map((v) => v - middle);
  const spread = 1.4826 * medianOf(above);
  return above.length >= logs.length / 4 ? Math.exp(middle + DEVIATIONS * spread) - offset : Number.POSITIVE_INFINITY;
}

/** The middle of sorted values, the mean of both where there are two. */
export function medianOf(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
