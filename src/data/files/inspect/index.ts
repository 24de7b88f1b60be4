/** Inspection: what is wrong with the files of a data set. */
export type { Finding, Severity } from './check.ts';
export { type Look, lookOf, NEAR_BITS, nearBits } from './checks/duplicates.ts';
export { checks, type Diagnosis, diagnose } from './diagnose.ts';
export { type Examined, type ExamineOptions, examine } from './examine.ts';
export { type Inspection, type InspectOptions, inspect } from './inspect.ts';
export { type ClipsInspection, inspectClips } from './inspect-clips.ts';
export { inspectRows, type RowsFinding, type RowsInspection } from './inspect-rows.ts';
export { type ChannelFacts, inspectSeries, type SeriesInspection } from './inspect-series.ts';
