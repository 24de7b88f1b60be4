/** oddity: anomaly detection in TypeScript. The public face: re-exports only. */
export { alarmRule } from './core/alarm-rule.ts';
export {
  type Alarm,
  type AlarmChannel,
  type AlarmRule,
  type AlarmSpan,
  type AlarmState,
  alarmsOf,
  type EndedAlarm,
  type FullRule,
  fullRule,
  type JudgedStep,
  type KeptSpan,
  openAlarms,
  type SeverityLevel,
  severityOf,
} from './core/alarms.ts';
export * from './core/errors.ts';
export type { Event, Listener } from './core/events.ts';
export {
  type Action,
  type ActionReference,
  action,
  libraryWords,
  type OptionReference,
  option,
  type Reference,
  type Said,
  say,
  type Text,
  type Words,
  write,
} from './core/text.ts';
export type {
  BatchScore,
  Detector,
  ItemScore,
  Judged,
  NearestPlace,
  ScoreEachOptions,
} from './engine/scoring/detector.ts';
export type { ScoreSeriesOptions, SeriesScore } from './engine/scoring/series.ts';
export type { LastSteps, SeriesStep, SeriesStream, SeriesStreamOptions } from './engine/scoring/series-stream.ts';
export type { FitInput, ItemArray } from './engine/task/source-of.ts';
export type { ColumnShare, ImageInput, ImageRegion, Places, RawImage, Size } from './kinds/index.ts';
export { defineKind } from './kinds/index.ts';
export { defineMetric } from './metrics/index.ts';
export * from './models/index.ts';
export { type FitOptions, fit } from './runs/fit.ts';
export * from './runs/index.ts';
export { type Device, type DeviceStatus, deviceNames, listDevices } from './runtime/index.ts';
export * from './streaming/index.ts';
