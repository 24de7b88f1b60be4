/** The curves whose areas VUS averages, from the scores that a run kept: series by series, computed once while the run is open. */
import { setImmediate } from 'node:timers/promises';
import { testSeries } from '../../engine/judging/judge-steps.ts';
import { type SoftCurves, softCurves, undefinedReason } from '../../metrics/index.ts';
import { Problem } from '../../server/problem.ts';
import type { OpenRun } from '../inspect/open-runs.ts';
import type { SoftCurvesAnswer, SoftSeries } from './answers.ts';

interface Made {
  readonly facts: SoftSeries;
  readonly curves: SoftCurves | null;
}

const made = new WeakMap<OpenRun, Promise<readonly Made[]>>();

/** All series, and the curves of one by its number. Throws Problem 400 where the items are no steps of series, 404 for a number that none has. */
export async function softCurvesOf(run: OpenRun, number: number): Promise<SoftCurvesAnswer> {
  if (!run.task.source.channels || !run.task.source.series)
    throw new Problem(400, 'no-series', 'These curves are of series; this run has other items.');
  const before = made.get(run) ?? make(run);
  made.set(run, before);
  before.catch(() => made.delete(run));
  const all = await before;
  const one = all[number];
  if (!one)
    throw new Problem(
      404,
      'unknown-series',
      `The test part has ${all.length} series, counted from 0; found ${number}.`,
    );
  const { curves } = one;
  return {
    series: all.map(({ facts }) => facts),
    ...(curves && {
      curve: {
        thresholds: Array.from(curves.thresholds),
        recall: Array.from(curves.recall),
        precision: Array.from(curves.precision),
        areas: curves.areas,
      },
    }),
  };
}

async function make({ task, test }: OpenRun): Promise<readonly Made[]> {
  const found: Made[] = [];
  for (const { id, scores, labels, window } of testSeries(task, test)) {
    const reason = window === undefined ? 'Its buffer is not known.' : undefinedReason(scores, labels, 'steps');
    const curves = window === undefined ? null : softCurves(scores, labels, window);
    const facts = { id, buffer: window ?? null, volumes: curves?.volumes ?? null, ...(reason !== null && { reason }) };
    found.push({ facts, curves });
    await setImmediate(); // other requests are answered between two series
  }
  return found;
}
