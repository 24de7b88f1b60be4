/** Metrics: pure functions over raw scores (larger = more anomalous) and labels (1 = anomalous). */
import { aurocOf } from './auroc.ts';
import { averagePrecisionOf } from './average-precision.ts';
import { f1MaxOf } from './f1-max.ts';
import { sweep, undefinedReason } from './sweep.ts';

export { aupro } from './aupro.ts';
export { auroc } from './auroc.ts';
export { averagePrecision } from './average-precision.ts';
export { type BootstrapOptions, bootstrap, type Metric, type PairedDifference, pairedBootstrap } from './bootstrap.ts';
export { type PrCurve, prCurve, type RocCurve, rocCurve } from './curves.ts';
export { type F1Max, f1Max } from './f1-max.ts';
export { tnrAtFnr, tprAtFpr } from './fixed-rate.ts';
export { clopperPearson } from './interval.ts';
export { type OperatingPoint, operatingPoint } from './operating-point.ts';
export { dice, iou, pooledOverlap } from './overlap.ts';
export { type PixelAccumulator, type PixelMetrics, type PixelMetricsOptions, pixelMetrics } from './pixel-metrics.ts';
export { connectedRegions, type Region, type Regions, regionsAbove } from './regions.ts';
export { type ReviewBand, reviewBand, type Verdict, verdict, verdictCounts } from './review-band.ts';
export { undefinedReason } from './sweep.ts';
export { type FalseAlarmThreshold, type Threshold, thresholdByValue, thresholdForFalseAlarms } from './threshold.ts';
export {
  type Costs,
  type CostThreshold,
  type FBetaThreshold,
  type LabelledThreshold,
  type MissRateThreshold,
  thresholdForCost,
  thresholdForFBeta,
  thresholdForMissRate,
} from './threshold-from-labels.ts';
export { type TopShare, topShare } from './top-share.ts';

/** Image-level metrics; a value is null when it is undefined, and `reasons` then says why. */
export interface ImageMetrics {
  /** Area under the ROC curve, [0, 1]. */
  readonly imageAuroc: number | null;
  /** Average precision, (0, 1]; compare it with `prevalence`, which is what a constant score gets. */
  readonly imageAp: number | null;
  /** Best F1 over all thresholds, (0, 1]. */
  readonly imageF1Max: number | null;
  /** The threshold of `imageF1Max`; an image is anomalous when its score is >= this. */
  readonly imageF1Threshold: number | null;
  /** Share of anomalous images, [0, 1]. */
  readonly prevalence: number | null;
  /** For each metric that is null, a sentence saying why. */
  readonly reasons: Readonly<Record<string, string>>;
}

/** All image-level metrics of raw scores and labels (1 = anomalous). Throws as `undefinedReason` does. */
export function imageMetrics(scores: ArrayLike<number>, labels: ArrayLike<number>): ImageMetrics {
  const reason = undefinedReason(scores, labels);
  const counts = sweep(scores, labels);
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i];
  const best = counts && f1MaxOf(counts);
  const metrics = {
    imageAuroc: counts && aurocOf(counts),
    imageAp: counts && averagePrecisionOf(counts),
    imageF1Max: best?.f1 ?? null,
    imageF1Threshold: best?.threshold ?? null,
    prevalence: labels.length === 0 ? null : positives / labels.length,
  };
  const reasons: Record<string, string> = {};
  for (const [name, value] of Object.entries(metrics)) if (value === null && reason) reasons[name] = reason;
  return { ...metrics, reasons };
}
