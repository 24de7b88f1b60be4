/** Scores a run's exported artefact on its test part again: what it does today, from the bytes that are shipped. */
import { DataError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { dataPath, type Scaling } from '../data/index.ts';
import { withTest } from '../engine/judging/calibrate.ts';
import { judge, judgeBaselines } from '../engine/judging/judge.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { runnableBytes } from '../engine/scoring/artifact.ts';
import { wholeScores } from '../engine/scoring/whole.ts';
import { takesRows, windowOf } from '../engine/task/suitable.ts';
import type { Task } from '../engine/task/task.ts';
import type { Metric } from '../metrics/index.ts';
import { findModel } from '../models/index.ts';
import { type Device, openRuntime } from '../runtime/index.ts';
import { readArtifact } from './artifact.ts';
import { closed, opened } from './closing.ts';
import { checkDevice } from './device.ts';
import { type RunRecord, readFinishedRun } from './folder.ts';
import { loadTask } from './load-task.ts';
import { reportOf } from './report.ts';
import { readReport } from './report-file.ts';

/** Options of `test`. */
export interface TestOptions {
  /** The run's folder. */
  run: string;
  device?: Device | 'auto';
  /** Where data sets lie, when they have moved since. */
  dataRoot?: string;
  /** The folder or CSV file that the run was trained on, when it has moved since. */
  data?: string;
  /** Your own metrics, beside the others. */
  metrics?: readonly Metric[];
  onEvent?: Listener;
  signal?: AbortSignal;
}

/**
 * The run's report with scores made anew; nothing is written. Throws DataError `not-a-run`, `unfinished-run`, those of
 * `loadDetector`, and `data-changed` when the data or the split is no longer that of the run.
 */
export async function test(options: TestOptions): Promise<RunReport> {
  const begin = performance.now();
  const { run, device = 'auto', metrics, onEvent = silent, signal } = options;
  checkDevice(device);
  const record = await readFinishedRun(run);
  const artifact = await readArtifact(run);
  const task = await loadRunTask(run, record, options);
  const runtime = await opened(openRuntime(device, { threads: record.threads, onEvent }), signal);
  try {
    const session = await runtime.open(runnableBytes(artifact));
    const scores = wholeScores(findModel(record.model), record.config, task);
    const judged = await judge(session, task, {
      ...(scores && { scores }),
      threshold: artifact.info.threshold.value,
      mapThreshold: artifact.info.mapThreshold?.value ?? null,
      alarms: artifact.info.series?.alarms,
      smoothing: artifact.info.smoothing,
      metrics,
      onEvent,
      signal,
    });
    const baselines = await judgeBaselines(runtime, task, record.seed, { metrics, signal });
    const before = await readReport(run);
    const { info } = artifact;
    return reportOf({
      folder: run,
      record,
      task,
      device: runtime.device,
      judged,
      smoothing: info.smoothing,
      baselines,
      threshold: withTest(info.threshold, judged.scores, task.split.testLabels),
      validation: before?.validation ?? { mean: null, median: null, max: null },
      fitSeconds: 0,
      stepsPerSecond: null,
      begin,
    });
  } finally {
    await closed(runtime, signal);
    await task.source.close?.();
  }
}

/** The task of a run, loaded again and checked to be the same. */
export async function loadRunTask(
  run: string,
  record: RunRecord,
  options: { data?: string; dataRoot?: string; onEvent?: Listener; signal?: AbortSignal },
): Promise<Task> {
  const { onEvent, signal } = options;
  const data = options.data ?? record.data;
  const root = options.dataRoot ?? record.dataRoot;
  const model = findModel(record.model);
  const windowFor = (kind: string) => windowOf(model, record.config, kind);
  const scaling = record.scaling ?? (record.table?.scaling as Scaling | undefined); // defaults may have changed since
  const seen = { ofRows: takesRows(model), windowFor, ...(scaling && { scaling }) };
  const task = await loadTask({ ...record, ...seen, data, dataRoot: root, onEvent, signal });
  if (task.source.hash === record.dataHash && task.splitHash === record.splitHash) return task;
  await task.source.close?.();
  throw new DataError(
    'data-changed',
    `${run} must be tested on the data it was trained on, but ${dataPath(data) ? data : `${data} under ${root}`} ` +
      'has changed. Restore the data, or train again.',
  );
}
