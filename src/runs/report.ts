/** Puts the report of a run together. Node only. */
import { countParameters } from '../engine/fitting/items.ts';
import type { Evaluation } from '../engine/judging/judge.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import type { Task } from '../engine/task/task.ts';
import { asTrainedOn, trainingItems } from '../engine/task/training-part.ts';
import { findModel } from '../models/index.ts';
import type { Device } from '../runtime/index.ts';
import { measuredOptions } from './check-options.ts';
import type { RunRecord } from './folder.ts';
import { versionsOf } from './versions.ts';

/** Puts a report together. */
export function reportOf(made: {
  folder: string;
  record: RunRecord;
  task: Task;
  device: Device;
  judged: Evaluation;
  baselines: RunReport['baselines'];
  smoothing?: number;
  threshold: RunReport['threshold'];
  validation: RunReport['validation'];
  fitSeconds: number;
  stepsPerSecond: number | null;
  begin: number;
}): RunReport {
  const { record, task, judged } = made;
  const { split } = task;
  const model = findModel(record.model);
  const { train, labels } = trainingItems(model, split);
  const { source } = task;
  const { tiles } = record;
  const { shape: own } = asTrainedOn(model, source);
  const shape = tiles ? ([own[0], tiles.height, tiles.width] as const) : own; // what was trained on
  return {
    run: made.folder,
    model: record.model,
    data: record.data,
    kind: task.source.kind,
    shape,
    protocol: record.protocol,
    class: task.class,
    seed: record.seed,
    device: made.device,
    config: record.config,
    description: split.description,
    ...(source.series && { window: source.series.window }),
    ...(made.smoothing !== undefined && { smoothing: made.smoothing }),
    parameters: countParameters(model, record.config, { source, train, shape }),
    ...measuredOptions(record),
    ...(record.choice && { choice: record.choice }),
    counts: {
      train: train.length,
      trainAnomalies: labels.reduce((n, y) => n + y, 0),
      ...(split.contaminants.length > 0 && { contaminants: split.contaminants.length }),
      validation: split.validation.length,
      test: split.test.length,
      testAnomalies: split.testLabels.reduce((n, y) => n + y, 0),
    },
    metrics: judged.metrics,
    intervals: judged.intervals,
    perType: judged.perType,
    ...(judged.perMap && { perMap: judged.perMap }),
    ...(judged.curves && { curves: judged.curves }),
    reasons: judged.reasons,
    ...(judged.ownMetrics && { ownMetrics: judged.ownMetrics }),
    leakFree: split.leakFree,
    baselines: made.baselines,
    threshold: made.threshold,
    validation: made.validation,
    timings: {
      loadSeconds: task.seconds,
      fitSeconds: made.fitSeconds,
      stepsPerSecond: made.stepsPerSecond,
      scoreMsPerItem: judged.scoreMsPerItem,
      totalSeconds: (performance.now() - made.begin) / 1000,
    },
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    versions: versionsOf(made.device),
  };
}
