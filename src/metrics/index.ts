/** Metrics: pure functions over raw scores (larger = more anomalous) and labels (1 = anomalous), and the registry of them. */
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
  type SeriesMetric,
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
  measureItems,
  measureMaps,
  pairedIntervals,
  unmeasuredMaps,
} from './measure.ts';
export { type OperatingPoint, operatingPoint } from './operating-point.ts';
export { dice, iou, type Overlap, pooledOverlap } from './overlap.ts';
export * from './pixel-metrics.ts';
export { type RankCounts, rankCounts, undefinedReason } from './rank-counts.ts';
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
export { type Segment, segmentsOf } from './series/segments.ts';
export { type Volumes, vus } from './series/vus.ts';
export { metricsOf, shownMetrics, type TitleWords, titlesOf } from './tables.ts';
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
