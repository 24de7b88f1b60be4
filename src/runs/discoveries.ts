/** Predictions decided by a false discovery rate over all of them, instead of by the threshold of the detector. */
import { ConfigError, DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { option, say } from '../core/text.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import { findKind } from '../kinds/index.ts';
import { type Discoveries, discoveriesOf } from '../metrics/index.ts';
import type { Prediction, PredictResult } from './predict.ts';

/** What a false discovery rate made of predictions. */
export interface FoundByRate extends Discoveries {
  /** As asked for: the expected share of normal items among what is found is at most this. */
  readonly rate: number;
}

/**
 * Refuses a rate that cannot be, for steps and frames, whose neighbours score alike, and without held-out normals.
 * @throws ConfigError `fdr`, DataError `no-normals`.
 */
export function checkRate(
  { kind, info }: Detector,
  { fdr, run }: { readonly fdr?: number; readonly run: string },
): void {
  if (fdr === undefined) return;
  discoveriesOf([], fdr);
  if (kind === 'series' || kind === 'clip')
    throw new ConfigError(
      'fdr',
      say`A false discovery rate needs items that are drawn independently, but ${findKind(kind).words.items} score as their
        neighbours do. Leave ${option('fdr')} out.`,
    );
  if (info.normalScores.length === 0)
    throw new DataError(
      'no-normals',
      say`A false discovery rate needs scores of held-out normal items, but ${run} has none. Train with a
        ${option('validationFraction')} above 0.`,
    );
}

/** The predictions, anomalous where the rate finds them. Warns where no score, however high, could be found alone. */
export function decidedByRate(result: PredictResult, rate: number, onEvent: Listener = silent): PredictResult {
  const { predictions, threshold } = result;
  const pValues = predictions.map(({ pValue }) => pValue ?? 1);
  const found = discoveriesOf(pValues, rate);
  const { normals } = threshold;
  const alone = Math.ceil(pValues.length / (rate * (normals + 1)));
  if (alone > 1) {
    const needed = Math.ceil(pValues.length / rate) - 1;
    onEvent({
      type: 'warning',
      code: 'fdr-coarse',
      message:
        `p-values cannot be below 1 / ${normals + 1} with ${normals} held-out normals: of ${pValues.length} items at least ${alone} must ` +
        `score above all of these before any is found at a rate of ${rate}. Hold out ${needed} normals, or predict fewer items at once.`,
    });
  }
  const decided = predictions.map((one, i): Prediction => {
    const isAnomalous = pValues[i] <= found.largest;
    return { ...one, isAnomalous, decision: isAnomalous ? 'anomalous' : 'normal' };
  });
  return { ...result, predictions: decided, discoveries: { rate, ...found } };
}
