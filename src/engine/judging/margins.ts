/**
 * How far steps lie from what a detector of series expects of them: margins of each channel from the errors of held-out normal
 * steps, so that a wanted share of new normal steps lies outside. Split-conformal, as the threshold is (Vovk et al. 2005, ch. 4),
 * half of the share on either side; no shape of the errors is assumed. Left out: margins that change along the series.
 */
import type { Margin, SeriesMargins } from '../scoring/artifact.ts';

/**
 * The k-th smallest and the k-th largest of some errors, k = ⌊rate / 2 · (n + 1)⌋: of new errors from the same law at most `rate`
 * lies outside on average. With too few errors for k = 1 the outermost ones. `errors` must be finite, at least one; `rate` in (0, 1).
 */
export function marginOf(errors: Float64Array, rate: number): Margin {
  const sorted = errors.slice().sort();
  const k = Math.max(1, rankOf(sorted.length, rate));
  return { lower: sorted[k - 1], upper: sorted[sorted.length - k] };
}

/** A product such as 0.29 · 100 may lie a little below the whole number that is meant. */
const rankOf = (n: number, rate: number) => Math.floor((rate / 2) * (n + 1) + 1e-9);

/** Margins from errors `[n, D]` in several parts, in the units of the channels. Steps with NaN do not count; undefined without others. */
export function marginsOf(parts: readonly Float64Array[], width: number, rate: number): SeriesMargins | undefined {
  const rows = parts.flatMap((errors) =>
    Array.from({ length: errors.length / width }, (_, i) => errors.subarray(i * width, (i + 1) * width)),
  );
  const whole = rows.filter((row) => row.every(Number.isFinite));
  const steps = whole.length;
  if (steps === 0) return undefined;
  const channels = Array.from({ length: width }, (_, c) =>
    marginOf(
      Float64Array.from(whole, (row) => row[c]),
      rate,
    ),
  );
  const isShort = rankOf(steps, rate) < 1;
  const reason = isShort
    ? `The margins are the outermost errors of ${steps} held-out steps: for a share of ${rate} outside there must be at least ${Math.ceil(2 / rate - 1 - 1e-9)}.`
    : null;
  return { rate, steps, reason, channels };
}
