/**
 * How long trainings take on this machine, and how much memory: each is done with a small part of the data and with a part three
 * times as large, and what it grows by is carried on to the whole. Node only.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Cancelled, errorData } from '../core/errors.ts';
import { silent } from '../core/events.ts';
import { foldsFor } from '../engine/judging/folds.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { findModel } from '../models/index.ts';
import { type TrainOptions, train } from '../runs/index.ts';
import { loadTask } from '../runs/load-task.ts';
import type { JobContext } from './kinds.ts';

/** A training to measure: its options without data and folder. */
export interface Measured {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** How rows are read. */
type Reading = Pick<TrainOptions, 'columns' | 'missing' | 'decimal'>;

/** What was measured of one; the numbers are those of the whole data. */
export type Measurement =
  | {
      readonly name: string;
      /** As carried on. */
      readonly seconds: number;
      /** MiB at the most. */
      readonly memory: number;
      /** Items of the two parts, and of all. */
      readonly items: readonly [number, number, number];
    }
  | { readonly name: string; readonly problem: string };

/** Items of the larger part; images cost more than rows. */
const MOST: Readonly<Record<string, number>> = { image: 48, table: 3000, series: 6000 };
/** The smaller part is so much of the larger one. */
const SMALLER = 1 / 3;
/** Seconds that one training may take while it is measured. */
const PATIENCE = 120;

/** Measures trainings one after another, which are best given from the smallest to the largest: memory only grows. */
export async function measureTrainings(
  {
    data,
    kind,
    plans,
    machine: _,
    ...reading
  }: {
    readonly data: string;
    readonly kind: 'image' | 'table' | 'series';
    readonly plans: readonly Measured[];
    readonly machine?: string;
  } & Reading,
  { onEvent, signal }: Pick<JobContext, 'onEvent' | 'signal'>,
): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'oddity-measure-'));
  const parts = kind === 'image' ? await partsOfList(data) : await partsOfRows(data, kind, reading);
  try {
    const found: Measurement[] = [];
    for (const [i, { name, options }] of plans.entries()) {
      onEvent({ type: 'progress', task: 'measure', done: i, total: plans.length, unit: 'training' });
      found.push({
        name,
        ...(await measure({ ...options, ...reading, ...(kind === 'image' ? {} : { kind }) }, parts, folder, signal)),
      });
    }
    onEvent({ type: 'progress', task: 'measure', done: plans.length, total: plans.length, unit: 'training' });
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
    await parts.close();
  }
}

/** The data in two parts: what `train` is told to read each of them. */
interface Parts {
  readonly small: Part;
  readonly large: Part;
  readonly all: number;
  close(): Promise<void>;
}
interface Part {
  readonly items: number;
  readonly options: Pick<TrainOptions, 'data' | 'trainLimit' | 'testLimit'>;
}

/** Lines of a list of images at even distances, in lists beside it, since paths count from there. */
async function partsOfList(data: string): Promise<Parts> {
  const [head, ...lines] = (await readFile(data, 'utf8')).split(/\r?\n/).filter((line) => line !== '');
  const large = Math.min(lines.length, MOST.image);
  const part = async (items: number): Promise<Part> => {
    const path = join(dirname(data), `measure-${randomUUID()}.csv`);
    const some = Array.from({ length: items }, (_, i) => lines[Math.floor(((i + 0.5) * lines.length) / items)]);
    await writeFile(path, `${[head, ...some].join('\n')}\n`);
    return { items, options: { data: path } };
  };
  const made = [await part(Math.ceil(large * SMALLER)), await part(large)];
  return {
    ...{ small: made[0], large: made[1], all: lines.length },
    async close() {
      for (const { options } of made) await rm(options.data as string, { force: true });
    },
  };
}

/** Rows and steps are cheap to read: of all of them few train and test. */
async function partsOfRows(data: string, kind: 'table' | 'series', reading: Reading): Promise<Parts> {
  const task = await loadTask({ ...reading, data, kind, seed: 1, onEvent: silent });
  const { train: trained, validation, test: tested } = task.split;
  const [train, test] = [trained.length + validation.length, tested.length];
  await task.source.close?.();
  const all = train + test;
  const part = (items: number): Part => ({
    items,
    options: {
      data,
      trainLimit: Math.max(2, Math.round((train * items) / all)),
      testLimit: Math.max(2, Math.round((test * items) / all)),
    },
  });
  const large = Math.min(all, MOST[kind]);
  return { small: part(Math.ceil(large * SMALLER)), large: part(large), all, async close() {} };
}

async function measure(
  options: Readonly<Record<string, unknown>>,
  { small, large, all }: Parts,
  folder: string,
  signal: AbortSignal,
): Promise<Omit<Extract<Measurement, { seconds: number }>, 'name'> | { readonly problem: string }> {
  const late = AbortSignal.timeout(PATIENCE * 1000);
  const once = async (part: Part) => {
    const begin = performance.now();
    const given = { ...options, ...part.options, out: join(folder, randomUUID()), maps: 0, folds: 0 } as TrainOptions;
    const report = await train({ ...given, signal: AbortSignal.any([signal, late]) });
    // `maxRSS` is in KiB and never falls.
    const memory = process.resourceUsage().maxRSS / 1024;
    return { report, seconds: (performance.now() - begin) / 1000, fit: report.timings.fitSeconds, memory };
  };
  try {
    const [less, more] = [await once(small), await once(large)];
    const on = (a: number, b: number) =>
      b + (Math.max(0, b - a) / Math.max(1, large.items - small.items)) * (all - large.items);
    return {
      seconds: on(less.seconds, more.seconds) + secondsOfFolds(more.report, on(less.fit, more.fit), all / large.items),
      memory: on(less.memory, more.memory),
      items: [small.items, large.items, all],
    };
  } catch (error) {
    if (signal.aborted) throw new Cancelled();
    if (late.aborted) return { problem: `It takes longer than ${PATIENCE} s even with a small part of the data.` };
    return { problem: errorData(error).message };
  }
}

/** What the further fits for the threshold take: how many there are follows from counts, so that small data have more of them. */
function secondsOfFolds({ model, config, counts, window, timings }: RunReport, fit: number, times: number): number {
  const normals = Math.round((counts.train - counts.trainAnomalies) * times);
  const heldOut = Math.round(counts.validation * times);
  const folds = foldsFor(findModel(model), config, { normals, heldOut, window });
  return folds === 0 ? 0 : folds * fit + (normals * timings.scoreMsPerItem) / 1000;
}
