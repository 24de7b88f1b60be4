/**
 * oddity in a page: fit, score and load detectors without Node. Nothing here leads to a module of Node; bundlers need no
 * settings. The names are those of `oddity`, and files are the same: what a page saves, Node opens, and the other way round.
 */
export * from '../core/errors.ts';
export type { Event, Listener } from '../core/events.ts';
export type { RowObject, Series } from '../data/pure.ts';
export type {
  BatchScore,
  Detector,
  ItemScore,
  Judged,
  NearestPlace,
  ScoreEachOptions,
} from '../engine/scoring/detector.ts';
export type { ScoreSeriesOptions, SeriesScore } from '../engine/scoring/series.ts';
export type { FitInput, ItemArray } from '../engine/task/source-of.ts';
export type { ColumnShare, ImageInput, ImageRegion, Places, RawImage, Size } from '../kinds/index.ts';
export * from '../metrics/index.ts';
export * from '../models/index.ts';
export { type BrowserOptions, openBrowserRuntime } from '../runtime/browser.ts';
export type { Device, Runtime, Session } from '../runtime/runtime.ts';
export type { PageFile } from './bytes.ts';
export { type DetectorFiles, detectorFiles, loadDetector, type PageDetector } from './detector.ts';
export type { PageImage } from './drawn.ts';
export { type FitOptions, fit, type PageFitInput } from './fit.ts';
export { type OddityWorker, openWorker, type WorkerDetector, type WorkerOptions } from './open-worker.ts';
export type { PageDevice, PageOptions } from './platform.ts';
export { type ReadSeriesOptions, readRows, readSeries } from './rows.ts';
