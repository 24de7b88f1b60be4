/** The four series that published implementations of the metrics of series were run on, and labels to go with them. */

/** x ← (1103515245·x + 12345) mod 2³¹ from 1 on; x / 2³¹. */
function congruential(n: number): Float64Array {
  let x = 1n;
  return Float64Array.from({ length: n }, () => {
    x = (1103515245n * x + 12345n) % 2147483648n;
    return Number(x) / 2147483648;
  });
}

/** Labels of `length` steps, 1 from each first step to each last one. */
export function labelsAt(length: number, ...runs: readonly (readonly [first: number, last: number])[]): Uint8Array {
  return Uint8Array.from({ length }, (_, t) => (runs.some(([first, last]) => t >= first && t <= last) ? 1 : 0));
}

const draws = congruential(200);

/** Steps 40 to 69 and 130 to 139 of 200. */
export const goldenLabels = labelsAt(200, [40, 69], [130, 139]);

const near = labelsAt(200, [43, 72], [133, 142]);

/** A: at random. B: raised, three steps late. C: perfect. D: one spike in each segment. */
export const goldenScores = {
  A: draws,
  B: draws.map((r, t) => (near[t] === 1 ? r + 0.5 : r)),
  C: draws.map((r, t) => (goldenLabels[t] === 1 ? 1 : r / 2)),
  D: draws.map((r, t) => (t === 55 || t === 135 ? 2 : r / 2)),
} as const;
