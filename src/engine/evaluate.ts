/** Judges scores on a test part, beside baselines on the same split. */
import type { Listener } from '../core/events.ts';
import type { Program } from '../graph/program.ts';
import { imageMetrics } from '../metrics/index.ts';
import { type AnyModel, meanImage, random } from '../models/index.ts';
import type { Runtime, Session } from '../runtime/index.ts';
import { fitData } from './fit.ts';
import type { BaselineReport, RunReport } from './report.ts';
import { scoreItems } from './score.ts';
import { scoringProgram } from './scoring.ts';
import type { Task } from './task.ts';

export interface Judgement {
  readonly scores: Float32Array;
  readonly metrics: RunReport['metrics'];
  readonly reasons: RunReport['reasons'];
  readonly scoreMsPerItem: number;
}

/** Scores the test part with a session and computes the metrics. */
export async function judge(
  session: Session,
  task: Task,
  options: { onEvent?: Listener; signal?: AbortSignal },
): Promise<Judgement> {
  const { source, split } = task;
  const begin = performance.now();
  const scores = await scoreItems(session, source, split.test, { ...options, task: 'score test' });
  const scoreMsPerItem = (performance.now() - begin) / Math.max(1, split.test.length);
  const { imageAuroc, imageAp, imageF1Max, prevalence, reasons } = imageMetrics(scores, split.testLabels);
  return { scores, metrics: { imageAuroc, imageAp, imageF1Max, prevalence }, reasons, scoreMsPerItem };
}

/** The two detectors without learning, on the same split, fitted and scored here. */
export async function judgeBaselines(
  runtime: Runtime,
  task: Task,
  seed: number,
  signal?: AbortSignal,
): Promise<RunReport['baselines']> {
  const { source, split, rng } = task;
  const judgeOne = async (model: AnyModel, config: object): Promise<BaselineReport> => {
    const data = fitData({ source, train: split.train, rng, signal });
    const tensors = model.learns === 'statistics' ? await model.fit(config, data) : {};
    const session = await runtime.compile(scoringProgram(model, config, source.shape, tensors));
    try {
      const scores = await scoreItems(session, source, split.test, { signal });
      const { imageAuroc, imageAp } = imageMetrics(scores, split.testLabels);
      return { imageAuroc, imageAp };
    } finally {
      session.close().catch(() => {}); // who cancels does not wait
    }
  };
  return { 'mean-image': await judgeOne(meanImage, {}), random: await judgeOne(random, { seed }) };
}

/** Opens a scoring graph: the exported bytes, or the graph itself where a device runs no ONNX files. */
export function openScorer(runtime: Runtime, program: Program, bytes: Uint8Array, profile?: boolean): Promise<Session> {
  return runtime.device === 'reference' ? runtime.compile(program) : runtime.open(bytes, { profile });
}
