/** Ranks of scores, which put detectors of different units on one scale. */

/** Ranks `[T]` from 0 to 1, equal scores sharing theirs; 0 for one step alone. */
export function ranksOf(scores: Float64Array): Float64Array {
  const n = scores.length;
  const order = Float64Array.from(scores, (_, t) => t).sort((a, b) => scores[a] - scores[b]);
  const ranks = new Float64Array(n);
  for (let i = 0; i < n; ) {
    let end = i + 1;
    while (end < n && scores[order[end]] === scores[order[i]]) end++;
    for (let k = i; k < end; k++) ranks[order[k]] = n > 1 ? (i + end - 1) / 2 / (n - 1) : 0;
    i = end;
  }
  return ranks;
}

/** The mean of the ranks of several scores `[T]` of the same steps. */
export function meanRanks(...scores: readonly Float64Array[]): Float64Array {
  const ranks = scores.map(ranksOf);
  return scores[0].map((_, t) => ranks.reduce((sum, one) => sum + one[t], 0) / ranks.length);
}
