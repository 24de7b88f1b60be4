/** Alarms of series: steps that reach the threshold, joined into segments. */

/** An alarm from its first step to the one behind its last. */
export interface Alarm {
  readonly start: number;
  readonly end: number;
  /** The highest score, and the step that has it. */
  readonly peak: number;
  readonly at: number;
}

/**
 * Runs of steps with a score at or above the threshold, in order; runs with at most `mergeGap` steps between them are one.
 * Steps without a score (NaN) end a run.
 */
export function alarmsOf(scores: ArrayLike<number>, threshold: number, mergeGap = 0): Alarm[] {
  const alarms: Alarm[] = [];
  for (let t = 0; t < scores.length; t++) {
    if (!(scores[t] >= threshold)) continue;
    const last = alarms.at(-1);
    if (last && t - last.end <= mergeGap && isScored(scores, last.end, t)) {
      const higher = scores[t] > last.peak ? { peak: scores[t], at: t } : { peak: last.peak, at: last.at };
      alarms[alarms.length - 1] = { start: last.start, end: t + 1, ...higher };
    } else alarms.push({ start: t, end: t + 1, peak: scores[t], at: t });
  }
  return alarms;
}

function isScored(scores: ArrayLike<number>, from: number, to: number): boolean {
  for (let t = from; t < to; t++) if (Number.isNaN(scores[t])) return false;
  return true;
}
