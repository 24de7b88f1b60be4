/** Puts the report of a run together. Node only. */
import type { AugmentOptions } from '../data/index.ts';
import { countParameters } from '../engine/fitting/items.ts';
import type { Evaluation } from '../engine/judging/judge.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import type { MapNormalization } from '../engine/scoring/map-normalization.ts';
import type { Task } from '../engine/task/task.ts';
import { trainingItems } from '../engine/task/training-part.ts';
import type { RegionOption, Tiles } from '../engine/task/view-options.ts';
import { findModel } from '../models/index.ts';
import type { Device } from '../runtime/index.ts';
import { versionsOf } from './versions.ts';

/** Puts a report together. */
export function reportOf(made: {
  folder: string;
  plan: {
    model: { name: string };
    config: Record<string, unknown>;
    mapNormalization?: MapNormalization;
    augment?: AugmentOptions;
    tiles?: Tiles;
    region?: RegionOption;
    data: string;
    protocol: string;
    contamination?: number;
    trainLimit?: number;
    testLimit?: number;
    seed: number;
  };
  task: Task;
  device: Device;
  judged: Evaluation;
  baselines: RunReport['baselines'];
  threshold: RunReport['threshold'];
  validation: RunReport['validation'];
  fitSeconds: number;
  stepsPerSecond: number | null;
  begin: number;
}): RunReport {
  const { plan, task, judged } = made;
  const { split } = task;
  const model = findModel(plan.model.name);
  const { train, labels } = trainingItems(model, split);
  const { source } = task;
  const { tiles } = plan;
  const shape = tiles ? ([source.shape[0], tiles.height, tiles.width] as const) : source.shape; // what was trained on
  return {
    run: made.folder,
    model: plan.model.name,
    data: plan.data,
    kind: task.source.kind,
    shape,
    protocol: plan.protocol,
    class: task.class,
    seed: plan.seed,
    device: made.device,
    config: plan.config,
    description: split.description,
    parameters: countParameters(model, plan.config, { source, train, shape }),
    ...(plan.contamination && { contamination: plan.contamination }),
    ...(plan.trainLimit !== undefined && { trainLimit: plan.trainLimit }),
    ...(plan.testLimit !== undefined && { testLimit: plan.testLimit }),
    ...(plan.mapNormalization && { mapNormalization: plan.mapNormalization }),
    ...(plan.augment && { augment: plan.augment }),
    ...(plan.tiles && { tiles: plan.tiles }),
    ...(plan.region && { region: plan.region }),
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
