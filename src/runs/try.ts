/** A few quick detectors on one's data, fitted within a time budget and ranked. Nothing is written. Node only. */
import { Cancelled, ConfigError, DataError, OddityError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { ItemKind } from '../core/item-shape.ts';
import { option, say } from '../core/text.ts';
import { findDataset, kindOfData, type Source } from '../data/index.ts';
import { type Jury, juryOf, type Trial, tryModel } from '../engine/judging/trial.ts';
import { headlineMetrics } from '../metrics/index.ts';
import { type AnyModel, findModel, models, startModel } from '../models/index.ts';
import type { Runtime } from '../runtime/index.ts';
import { checkRunOptions } from './check-options.ts';
import { openDevice } from './device.ts';
import { type StoredError, stored } from './folder.ts';
import { loadTask } from './load-task.ts';
import type { RunOptions } from './options.ts';
import { nodePlatform } from './platform.ts';

/** Options of `tryModels`. */
export interface TryOptions
  extends Pick<
    RunOptions,
    | 'size'
    | 'channels'
    | 'folderNames'
    | 'maxPixels'
    | 'protocol'
    | 'class'
    | 'columns'
    | 'missing'
    | 'decimal'
    | 'gaps'
    | 'kind'
    | 'scaling'
    | 'step'
    | 'trainShare'
    | 'window'
    | 'trainLimit'
    | 'testLimit'
    | 'acceptLicence'
    | 'seed'
    | 'dataRoot'
    | 'download'
    | 'device'
    | 'threads'
  > {
  /** As for `train`. */
  data: string | Source;
  /** Seconds for all of it, loading included; default 60. */
  budget?: number;
  /** Models to try, by name; default four or five quick ones that take such items. */
  models?: readonly string[];
  onEvent?: Listener;
  signal?: AbortSignal;
}

/** A model that was tried. */
export interface TriedModel extends Partial<Trial> {
  readonly model: string;
  /** Options other than its defaults. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Place by the first headline metric, from 1; absent where it could not be fitted. */
  readonly place?: number;
  /** Its value lies within the interval of the first: which is better may be chance. */
  readonly isLevel?: boolean;
  /** Why it has no figures. */
  readonly error?: StoredError;
}

/** What was tried. */
export interface TryResult {
  readonly data: string;
  readonly kind: ItemKind;
  /** Items that were trained on, and those that models were ranked by. */
  readonly counts: { readonly train: number; readonly normal: number; readonly anomalous: number };
  readonly by: Jury['by'];
  /** What was planted, and how often; absent where labels ranked. */
  readonly planted?: Jury['planted'];
  readonly budget: number;
  readonly seconds: number;
  /** The best first, those without figures last. */
  readonly tried: readonly TriedModel[];
  /**
   * The one to train: the first, unless the one to start with for such items – or, where the first is a baseline, another that is
   * none – may be as good. Absent where none has figures.
   */
  readonly advice?: TriedModel;
}

interface Entry {
  readonly model: AnyModel;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Seconds, unless the caller says. */
const BUDGET = 60;
/** Items of a quick look; a training uses all. */
const LIMITS: Readonly<Record<string, { readonly trainLimit: number; readonly testLimit: number }>> = {
  image: { trainLimit: 200, testLimit: 200 },
  table: { trainLimit: 5000, testLimit: 5000 },
  series: { trainLimit: 5000, testLimit: 5000 },
};

/** Height and width of image files. */
const SIZE = [256, 256] as const;

/** The quick ones by kind: baselines and those that cost least come first, and early the one to start with. */
const quickOnes: Readonly<Partial<Record<ItemKind, readonly (readonly [name: string, config?: Entry['config']])[]>>> = {
  image: [['mean-image'], ['pca'], ['patchcore'], ['dfm'], ['padim']],
  table: [['mean-image'], ['knn'], ['gmm'], ['extended-isolation-forest'], ['ensemble']],
  clip: [['mean-image'], ['frame-difference'], ['pca']],
  series: [['mean-image'], ['moving-z-score'], ['sub-pca'], ['knn'], ['matrix-profile'], ['isolation-forest']],
};

/**
 * Tries models on data and ranks them by the labelled anomalies of its test part, or by planted ones where there are none.
 * A model that does not suit, or for which no time is left, is in the list with the reason.
 * @throws ConfigError for names and options; DataError for data that cannot be read, `no-time` when the budget was spent
 * before any model was fitted; Cancelled.
 */
export async function tryModels(options: TryOptions): Promise<TryResult> {
  const begin = performance.now();
  const { budget = BUDGET, models: named, onEvent = silent, signal, ...run } = options;
  checkBudget(budget);
  checkRunOptions({ ...run });
  const chosen = named?.map((name): Entry => ({ model: findModel(name) }));
  const { data } = run;
  const kind = typeof data === 'string' ? await kindOfData(data, run) : data.kind;
  const limits = { ...LIMITS[kind], ...run };
  const task = await loadTask({
    ...limits,
    ...sizeFor(run, kind),
    seed: run.seed ?? 1,
    usualScaling: 'standard',
    onEvent,
    signal,
  });
  const { source } = task;
  let runtime: Runtime | undefined;
  try {
    const jury = await juryOf(task);
    const entries = chosen ?? quickEntries(source.kind);
    runtime = await openDevice(run.device ?? 'auto', { threads: run.threads, onEvent });
    const platform = nodePlatform({ root: run.dataRoot, download: run.download });
    const tried: TriedModel[] = [];
    for (const [i, { model, config }] of entries.entries()) {
      onEvent({ type: 'progress', task: 'try', done: i, total: entries.length, unit: 'model' });
      const left = budget - (performance.now() - begin) / 1000;
      const about = { model: model.name, ...(config && { config }) };
      tried.push({ ...about, ...(await oneOf(model, { task, jury, config }, { runtime, platform, left, signal })) });
    }
    onEvent({ type: 'progress', task: 'try', done: entries.length, total: entries.length, unit: 'model' });
    const seconds = (performance.now() - begin) / 1000;
    if (tried.every(({ error }) => error?.code === 'no-time')) throw noTime(budget, seconds);
    const anomalous = jury.labels.reduce((n, label) => n + label, 0);
    const order = ranked(tried);
    const advice = adviceOf(order, source.kind);
    return {
      data: typeof data === 'string' ? data : data.name,
      kind: source.kind,
      counts: { train: task.split.train.length, normal: jury.labels.length - anomalous, anomalous },
      by: jury.by,
      ...(jury.planted && { planted: jury.planted }),
      budget,
      seconds,
      tried: order,
      ...(advice && { advice }),
    };
  } finally {
    await runtime?.close();
    await source.close?.();
  }
}

function checkBudget(budget: number): void {
  if (Number.isFinite(budget) && budget > 0) return;
  throw new ConfigError('budget', `The budget must be a number of seconds above 0, got ${budget}.`);
}

const noTime = (budget: number, seconds: number) =>
  new DataError(
    'no-time',
    say`Nothing could be tried within ${budget} s: loading alone took ${seconds.toFixed(0)} s. Allow more time with
      ${option('budget', Math.ceil(seconds * 2))}, or use fewer items with ${option('trainLimit')}.`,
  );

/** One size for all models: files are read once. */
function sizeFor({ data, size }: Pick<RunOptions, 'data' | 'size'>, kind: ItemKind): Pick<RunOptions, 'size'> {
  if (size !== undefined) return { size };
  return typeof data === 'string' && kind === 'image' && findDataset(data).isOfFiles ? { size: SIZE } : {};
}

/** The quick models of a kind; of a kind from outside, those that take it and learn in one pass. */
function quickEntries(kind: ItemKind): Entry[] {
  const known = quickOnes[kind]?.map(([name, config]): Entry => ({ model: findModel(name), config }));
  const first = startModel(kind)?.model;
  const others = models.filter((m) => m.learns === 'statistics' && m.inputs.includes(kind) && m !== first);
  const entries = known ?? [...(first ? [first] : []), ...others].slice(0, 5).map((model) => ({ model }));
  if (entries.length > 0) return entries;
  throw new ConfigError(
    'unsuitable',
    say`No quick model takes items of the kind ${kind}. Name some with ${option('models')}.`,
  );
}

/** Fits one model in what time is left; what goes wrong with it is told in its line. */
async function oneOf(
  model: AnyModel,
  what: Parameters<typeof tryModel>[1],
  {
    left,
    signal,
    ...open
  }: Pick<Parameters<typeof tryModel>[2], 'runtime' | 'platform'> & {
    readonly left: number;
    readonly signal?: AbortSignal;
  },
): Promise<Partial<TriedModel>> {
  if (signal?.aborted) throw new Cancelled();
  const late = { code: 'no-time', message: 'No time was left for it.' };
  if (left <= 0) return { error: late };
  const time = AbortSignal.timeout(Math.ceil(1000 * left));
  try {
    const both = signal ? AbortSignal.any([signal, time]) : time;
    return await tryModel(model, what, { ...open, signal: both });
  } catch (error) {
    if (signal?.aborted || !(error instanceof OddityError)) throw error;
    if (error instanceof Cancelled)
      return { error: { ...late, message: 'It took longer than the time that was left.' } };
    return { error: stored(error) };
  }
}

/** See `TryResult.advice`. */
function adviceOf(order: readonly TriedModel[], kind: ItemKind): TriedModel | undefined {
  const level = order.filter(({ place, isLevel }) => place === 1 || isLevel);
  const start = startModel(kind)?.model.name;
  return (
    level.find(({ model }) => model === start) ??
    level.find(({ model }) => findModel(model).learning !== 'baseline') ??
    level[0]
  );
}

/** By the first headline metric, the best first; models without figures keep their order at the end. */
function ranked(tried: readonly TriedModel[]): TriedModel[] {
  const [{ name }] = headlineMetrics;
  const value = (one: TriedModel) => one.metrics?.[name] ?? Number.NEGATIVE_INFINITY;
  const sorted = [...tried].sort((a, b) => value(b) - value(a));
  const low = sorted[0]?.intervals?.[name]?.[0];
  return sorted.map((one, i) => {
    if (!one.metrics) return one;
    const isLevel = i > 0 && low !== undefined && value(one) >= low;
    return { ...one, place: i + 1, ...(isLevel && { isLevel }) };
  });
}
