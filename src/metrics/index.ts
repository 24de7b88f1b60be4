/** Metrics: pure functions over raw scores (larger = more anomalous) and labels (1 = anomalous), and the registry of them. */

export { type Segment, segmentsOf } from '../core/segments.ts';
export {
  type AlarmThreshold,
  alarmRate,
  countAlarms,
  poissonInterval,
  type Stretches,
  thresholdForAlarmRate,
} from './alarm-rate.ts';
export { type Aupimo, type AupimoOptions, aupimo } from './aupimo.ts';
export * from './auroc.ts';
export { averagePrecision } from './average-precision.ts';
export {
  type BootstrapOptions,
  bootstrap,
  type Interval,
  type PairedDifference,
  pairedBootstrap,
  type Statistic,
} from './bootstrap.ts';
export { type Discoveries, discoveriesOf, pValueOf } from './conformal.ts';
export { type PrCurve, prCurve, type RocCurve, rocCurve } from './curves.ts';
export {
  defineMetric,
  type ItemInputs,
  type ItemMetric,
  type ItemNeed,
  type MapAccumulator,
  type MapContext,
  type MapInput,
  type MapMetric,
  type MapNeed,
  type Metric,
  type MetricDescription,
  type MetricLevel,
  type NoValue,
  type SeriesInputs,
  type SeriesMetric,
  type SeriesNeed,
} from './define.ts';
export { type F1Max, f1Max } from './f1-max.ts';
export { tnrAtFnr, tprAtFpr } from './fixed-rate.ts';
export { clopperPearson } from './interval.ts';
export {
  type ItemGiven,
  itemIntervals,
  type MapGiven,
  type MapMeasure,
  type Measured,
  type MeasuredMaps,
  measureItems,
  measureMaps,
  pairedIntervals,
  unmeasuredMaps,
} from './measure.ts';
export { type MeasuredSeries, measureSeries, type SeriesGiven } from './measure-series.ts';
export { type OperatingPoint, operatingPoint } from './operating-point.ts';
export { dice, iou, type Overlap, pooledOverlap } from './overlap.ts';
export type { OverlapCurve } from './per-region-overlap.ts';
export * from './pixel-metrics.ts';
export { type RankCounts, rankCounts, undefinedReason } from './rank-counts.ts';
export { countFrom, type HeldOutRate, heldOutRate, type RankedPoints, rankedPoints } from './ranked-points.ts';
export { FORECAST_CONFIDENCE, FORECAST_ITEMS, forecastRate } from './rate-forecast.ts';
export { connectedRegions, type Region, type Regions, regionsAbove } from './regions.ts';
export {
  type ByMetric,
  describeOwn,
  findMetric,
  headlineMetrics,
  idOf,
  type LevelValues,
  type MetricId,
  type MetricValue,
  type MetricValues,
  metrics,
  readMetric,
  registerMetric,
  withOwnMetrics,
} from './registry.ts';
export { type ReviewBand, reviewBand, type Verdict, verdict, verdictCounts } from './review-band.ts';
export {
  affiliation,
  affiliationMax,
} from './series/affiliation.ts';
export { type DetectionDelay, detectionDelay } from './series/detection-delay.ts';
export { eventF1, eventF1Max } from './series/event-f1.ts';
export {
  type NabBest,
  type NabFile,
  type NabProfile,
  type NabProfileName,
  type NabScore,
  nabBest,
  nabProbation,
  nabProfiles,
  nabScore,
  nabScoreAt,
} from './series/nab.ts';
export { pointAdjusted, pointAdjustedArea, pointAdjustedMax } from './series/point-adjusted.ts';
export { randomScore } from './series/random-score.ts';
export { rangeAuc, rangeVus } from './series/range-auc.ts';
export {
  type PositionBias,
  type RangeOptions,
  rangeF1,
  rangeF1AtCount,
  rangeF1Max,
  rangePrAuc,
  rangePrecisionRecall,
} from './series/range-based.ts';
export type { BestF1, PrecisionRecall } from './series/sweep.ts';
export { type SoftCurves, softCurves, type Volumes, vus, vusF1 } from './series/vus.ts';
export { metricsOf, shownMetrics, type TitleWords, titlesOf } from './tables.ts';
export {
  type FalseAlarmThreshold,
  independent,
  type Threshold,
  type ThresholdOrigin,
  thresholdByValue,
  thresholdForFalseAlarms,
} from './threshold.ts';
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
