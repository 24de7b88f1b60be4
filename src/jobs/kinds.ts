/**
 * The kinds of jobs, one value each: which of the library's functions it calls, with which plain options, how it goes on when it was
 * interrupted, and what is kept of its result.
 */
import * as z from 'zod';
import { ConfigError, unknownName } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { propertiesOf, rangeOf } from '../core/schema.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { precisions } from '../graph/onnx/store-weights.ts';
import { headlineMetrics, readMetric } from '../metrics/index.ts';
import {
  clean,
  exportModel,
  makeReport,
  type RunOptions,
  runOptions,
  type TrainOptions,
  test,
  train,
  tryModels,
  update,
} from '../runs/index.ts';
import { runTrial } from '../runs/trial.ts';
import { deviceNames } from '../runtime/runtime.ts';
import { embed } from './embed.ts';
import { measureTrainings } from './measure.ts';

/** How a job is run: whom it tells, what ends it, and whether it was begun before. */
export interface JobContext {
  readonly onEvent: Listener;
  readonly signal: AbortSignal;
  readonly isAgain: boolean;
}

/** A kind of job. */
export interface JobKind {
  readonly name: string;
  /** What it does, for people. */
  readonly title: string;
  /** Its options, all of them plain data. */
  readonly options: z.ZodType<Readonly<Record<string, unknown>>>;
  /** The option that names the folder of a run that it writes, which one process at a time can. */
  readonly writes?: 'out' | 'run';
  /** A program's own: neither the command line nor the library has it by this name. */
  readonly isInternal?: boolean;
  /** Does it and gives what is kept: plain data, small. */
  begin(options: Readonly<Record<string, unknown>>, context: JobContext): Promise<unknown>;
}

function defineJobKind<const S extends z.ZodType<Readonly<Record<string, unknown>>>>(
  kind: Omit<JobKind, 'options' | 'begin'> & {
    readonly options: S;
    begin(options: z.output<S>, context: JobContext): Promise<unknown>;
  },
): JobKind {
  return kind as unknown as JobKind;
}

const text = z.string().min(1);
const texts = z.array(text).readonly();
const device = z.enum(['auto', ...deviceNames]).optional();
/** Options of a run as programs give them to a job: without those that only the program itself can know. */
const { resume: _, overwrite: __, changes: ___, choice: ____, profile: _____, ...ofRuns } = runOptions.shape;

/** Options of a training, with the folder that it writes. `model` is a name; without one it is chosen. */
const trainJob = z.strictObject({ ...ofRuns, model: text.optional(), data: text, out: text });

/** Of a sweep: a training, and whether it is judged by what is planted into its held-out normals. */
const trialJob = trainJob.extend({ model: text, isPlanted: z.boolean() });

/** Options of runs that `tryModels` and `clean` obey. */
type Obeyed<K extends keyof RunOptions> = Pick<typeof runOptions.shape, K>;
const pick = <const K extends keyof RunOptions>(names: readonly K[]) =>
  Object.fromEntries(names.map((name) => [name, runOptions.shape[name]])) as Obeyed<K>;

/** How rows are read. */
const reading = ['columns', 'missing', 'decimal'] as const;
const files = ['size', 'channels', 'folderNames', 'maxPixels', 'class', 'acceptLicence', ...reading] as const;
const machine = ['seed', 'dataRoot', 'download', 'device', 'threads'] as const;
const ofTasks = [
  'protocol',
  'gaps',
  'kind',
  'scaling',
  'step',
  'trainShare',
  'window',
  'trainLimit',
  'testLimit',
] as const;

const tryJob = z.strictObject({
  ...pick([...files, ...machine, ...ofTasks]),
  data: text,
  budget: z.number().positive().max(86_400).optional().describe('Seconds for all of it; default 60.'),
  models: texts.optional().describe('Models to try, by name; default a few quick ones.'),
});

const cleanJob = z.strictObject({
  ...pick([...files, ...machine]),
  data: text,
  unlabelled: z.boolean().optional(),
  backbone: text.optional(),
  references: z.int().min(1).optional(),
  out: text.optional(),
});

const updateJob = z.strictObject({
  ...{ run: text, out: text, add: texts.optional(), remove: texts.optional(), feedback: z.boolean().optional() },
  ...{ device, dataRoot: text.optional(), data: text.optional() },
});

const exportJob = z.strictObject({
  ...{ run: text, out: text.optional(), precision: z.enum(precisions).optional(), acceptLoss: z.boolean().optional() },
  ...{ verify: z.boolean().optional(), items: z.int().min(1).optional(), device, dataRoot: text.optional() },
});

const reportJob = z.strictObject({ run: text, device, dataRoot: text.optional(), pictures: z.boolean().optional() });
const testJob = z.strictObject({ run: text, device, dataRoot: text.optional(), data: text.optional() });

const measureJob = z.strictObject({
  /** Names the machine that is measured; nothing else. */
  machine: text.optional(),
  ...pick(reading),
  data: text,
  kind: z.enum(['image', 'table', 'series']),
  plans: z.array(z.strictObject({ name: text, options: z.record(z.string(), z.unknown()) })).readonly(),
});

const embedJob = z.strictObject({
  ...pick(reading),
  data: text,
  kind: z.enum(['image', 'table']),
  out: text,
  items: text,
});

/** Rows of a ranking that are kept of `clean`: the others are in its files. */
const KEPT_ROWS = 200;

/** What is kept of a training or test. */
export interface RunResult {
  readonly model: string;
  /** By name, those that reports show first. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly counts: RunReport['counts'];
  readonly threshold: number | null;
}

function resultOf(report: RunReport): RunResult {
  const { model, metrics, counts, threshold } = report;
  const values = headlineMetrics.map((metric) => [metric.name, readMetric(metrics, metric) ?? null]);
  return { model, metrics: Object.fromEntries(values), counts, threshold: threshold.value };
}

const kinds: readonly JobKind[] = [
  defineJobKind({
    ...{ name: 'train', title: 'Train a detector', options: trainJob, writes: 'out' },
    // What was left is resumed from its checkpoint; a run that was done before it could be told is taken as it is.
    begin: async (options, { isAgain, ...heard }) =>
      resultOf(await train({ ...(options as TrainOptions), ...(isAgain && { resume: true }), ...heard })),
  }),
  defineJobKind({
    ...{ name: 'trial', title: 'Train a detector of a sweep', options: trialJob, writes: 'out', isInternal: true },
    // What is there is taken or resumed, however the job came to its worker.
    async begin({ isPlanted, ...options }, { onEvent, signal }) {
      const { report, planted } = await runTrial(options as TrainOptions & { out: string }, {
        isPlanted,
        onEvent,
        signal,
      });
      return { ...resultOf(report), ...(planted && { planted: planted.value }) };
    },
  }),
  defineJobKind({
    ...{ name: 'try', title: 'Try a few quick detectors', options: tryJob },
    begin: (options, { onEvent, signal }) => tryModels({ ...options, onEvent, signal }),
  }),
  defineJobKind({
    ...{ name: 'update', title: 'Update a detector with other normal items', options: updateJob, writes: 'out' },
    begin: async (options, { isAgain, ...heard }) =>
      resultOf(await update({ ...options, ...(isAgain && { overwrite: true }), ...heard })),
  }),
  defineJobKind({
    ...{ name: 'clean', title: 'Look for strangers among the normal items', options: cleanJob },
    async begin(options, { onEvent, signal }) {
      const { ranked, ...found } = await clean({ ...options, onEvent, signal });
      return { ...found, ranked: ranked.slice(0, KEPT_ROWS) };
    },
  }),
  defineJobKind({
    ...{ name: 'export', title: 'Export a detector', options: exportJob, writes: 'run' },
    begin: (options, { onEvent, signal }) => exportModel({ ...options, onEvent, signal }),
  }),
  defineJobKind({
    ...{ name: 'report', title: 'Make the report of a run again', options: reportJob, writes: 'run' },
    begin: (options, { onEvent, signal }) => makeReport({ ...options, onEvent, signal }),
  }),
  defineJobKind({
    ...{ name: 'test', title: 'Test a detector again', options: testJob },
    begin: async (options, { onEvent, signal }) => resultOf(await test({ ...options, onEvent, signal })),
  }),
  defineJobKind({
    ...{ name: 'measure', title: 'Measure how long trainings take here', options: measureJob },
    ...{ isInternal: true, begin: measureTrainings },
  }),
  defineJobKind({
    ...{ name: 'embed', title: 'Compare all items for a map', options: embedJob },
    ...{ isInternal: true, begin: embed },
  }),
];

/** Every kind by its name. */
export const jobKinds: ReadonlyMap<string, JobKind> = new Map(kinds.map((kind) => [kind.name, kind]));

/** Throws ConfigError `unknown-job-kind`, with the nearest name. */
export function findJobKind(name: string): JobKind {
  const found = jobKinds.get(name);
  if (!found) throw unknownName('job kind', name, [...jobKinds.keys()]);
  return found;
}

/** Throws ConfigError `unknown-option` or `option-range` for options that a kind cannot have. */
export function checkJobOptions({ name, options: schema }: JobKind, options: Readonly<Record<string, unknown>>): void {
  const parsed = schema.safeParse(options);
  if (parsed.success) return;
  const [{ code, path, message, ...issue }] = parsed.error.issues;
  if (code === 'unrecognized_keys') {
    const [key] = (issue as { keys: readonly string[] }).keys;
    throw new ConfigError('unknown-option', `${name} has no option named "${key}".`);
  }
  const at = path.map(String);
  const inner = at.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], options);
  const property = propertiesOf(schema)[at[0]];
  const must = at.length === 1 && property?.type ? rangeOf(property) : message;
  throw new ConfigError('option-range', {
    option: at,
    value: inner,
    must: must.replace(/^Invalid input: expected /, ''),
  });
}
