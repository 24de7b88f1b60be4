/** Runs: train, test, predict, export; runs, artefacts and detectors. */

export type { EpochRecord } from '../engine/fitting/contract.ts';
export type { Decision, MapThreshold, ReviewBand, ThresholdReport } from '../engine/judging/calibrate.ts';
export type { RunReport, TypeReport, Versions } from '../engine/judging/report-types.ts';
export type { Artifact, ArtifactInfo, PrecisionReport } from '../engine/scoring/artifact.ts';
export { withRegion, withTiles } from '../engine/scoring/view.ts';
export { resolveConfig } from '../engine/task/config.ts';
export type { RegionOption, Tiles } from '../engine/task/view-options.ts';
export { kindOfArtifact, readArtifact } from './artifact.ts';
export { chooseModel } from './auto.ts';
export { type Checkpoint, readCheckpoint } from './checkpoint.ts';
export { type CleanOptions, type CleanResult, clean, type RankedItem } from './clean.ts';
export {
  type ComparedItem,
  type ComparedMetric,
  type CompareOptions,
  type Comparison,
  compareRuns,
} from './compare.ts';
export { type DetectorOptions, loadDetector } from './detector.ts';
export { type ExportOptions, type ExportResult, exportModel } from './export.ts';
export { type FeedbackOptions, type FeedbackResult, feedback } from './feedback.ts';
export type {
  FeedbackEntry,
  FeedbackImage,
  FeedbackItem,
  FeedbackLabel,
  FeedbackRow,
  FeedbackSteps,
} from './feedback-file.ts';
export { type RunRecord, type RunStatus, readRun } from './folder.ts';
export { type ListedRun, type ListRunsOptions, listRuns, removeRun } from './list.ts';
export { type MapFormat, mapFormats } from './map-files.ts';
export { type AutoTrainOptions, type RunOptions, runOptions, type TrainOptions } from './options.ts';
export { type LoadedPlugin, loadPlugin } from './plugins.ts';
export {
  type FrameAlarm,
  type Prediction,
  type PredictOptions,
  type PredictResult,
  predict,
} from './predict.ts';
export { type PredictedInto, type PredictIntoOptions, predictInto } from './predict-into.ts';
export { makeReport, type ReportOptions } from './report-page.ts';
export {
  type StreamedStep,
  type StreamLinesOptions,
  type StreamRecord,
  type StreamSummary,
  streamLines,
} from './stream.ts';
export { type TestOptions, test } from './test.ts';
export { type ThresholdOptions, type ThresholdPolicy, type ThresholdResult, threshold } from './threshold.ts';
export { scoreTiled, type TiledOptions, type TiledScore } from './tiled.ts';
export { train } from './train.ts';
export { type TriedModel, type TryOptions, type TryResult, tryModels } from './try.ts';
export { type UpdateOptions, update } from './update.ts';
export type { OutputDifference, Verification } from './verify.ts';
export { oddityVersion, versionsOf } from './versions.ts';
