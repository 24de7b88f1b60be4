/** In which order items are looked at, and what a threshold makes of one. */
import type { ScoresAnswer } from '../../../src/studio/evaluate/answers.ts';

export const orders = ['errors', 'review', 'anomalous', 'normal', 'all'] as const;
export type Order = (typeof orders)[number];

export type VerdictName = 'missed' | 'found' | 'falseAlarm' | 'passed' | 'review' | 'unknown';

export function verdictOf(
  { label, score }: { readonly label: number; readonly score: number | null },
  threshold: number | null,
  review: number | undefined,
): VerdictName {
  if (threshold === null || score === null) return 'unknown';
  if (score >= threshold) return label === 1 ? 'found' : 'falseAlarm';
  if (review !== undefined && score >= review) return 'review';
  return label === 1 ? 'missed' : 'passed';
}

/** Places in the test part, in their order; of errors those farthest on the wrong side of the threshold come first. */
export function sorted(
  { scores, labels, classes }: ScoresAnswer,
  how: {
    readonly show: Order;
    readonly threshold: number | null;
    readonly review: number | undefined;
    readonly type: string | undefined;
  },
): number[] {
  const { show, threshold, review, type } = how;
  const scoreOf = (i: number) => scores[i] ?? Number.NEGATIVE_INFINITY;
  const isShown = (i: number) => {
    if (type !== undefined && classes[i] !== type) return false;
    const verdict = verdictOf({ label: labels[i], score: scores[i] }, threshold, review);
    if (show === 'errors') return verdict === 'missed' || verdict === 'falseAlarm';
    if (show === 'review') return verdict === 'review';
    return show === 'all' || (show === 'anomalous') === (labels[i] === 1);
  };
  const rank = (i: number) => {
    if (show === 'errors') return Math.abs(scoreOf(i) - (threshold ?? 0));
    return show === 'anomalous' ? -scoreOf(i) : scoreOf(i);
  };
  return [...scores.keys()].filter(isShown).sort((a, b) => rank(b) - rank(a) || a - b);
}
