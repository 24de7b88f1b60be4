/** From a plan to its trials: plain options of trainings, and the name of each, which says what it does. Node only. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../core/errors.ts';
import { Rng } from '../core/random.ts';
import { propertiesOf } from '../core/schema.ts';
import { dataPath } from '../data/index.ts';
import type { TrainOptions } from '../runs/index.ts';
import { resolveRun } from '../runs/resolve.ts';
import { oddityVersion } from '../runs/versions.ts';
import { isRange, isRunOption, type PlanEntry, type Range, type SweepPlan } from './plan.ts';

/** One training of a plan, without what is of a machine. */
export interface Trial {
  /** As the plan names it. */
  readonly data: string;
  readonly class?: string | number;
  readonly model: string;
  /** What sets it apart from others of its model: the options that were varied. */
  readonly varied: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** Options of the training but for its folder and those of the machine. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The same for all seeds, and for nothing else. */
  readonly configuration: string;
  /** The data set and class, between which nothing is compared. */
  readonly case: string;
}

/** All trials of a plan in its order; equal ones once. Throws ConfigError, with the path in the plan, for options that cannot be. */
export function trialsOf(plan: SweepPlan): Trial[] {
  const found = new Map<string, Trial>();
  for (const data of plan.data)
    for (const about of plan.classes)
      for (const [number, entry] of plan.entries.entries())
        for (const varied of combinations(entry, number, plan))
          for (const seed of plan.seeds) {
            const trial = trialOf(plan, entry, { data, about, varied, seed });
            const key = JSON.stringify([trial.configuration, seed]);
            if (!found.has(key)) found.set(key, trial);
          }
  const trials = [...found.values()];
  const checked = new Set<string>();
  for (const trial of trials) {
    if (!checked.has(trial.configuration)) checkTrial(trial, plan);
    checked.add(trial.configuration);
  }
  return trials;
}

function trialOf(
  plan: SweepPlan,
  { model, preset, config }: PlanEntry,
  {
    data,
    about,
    varied,
    seed,
  }: { data: string; about?: string | number; varied: Record<string, unknown>; seed: number },
): Trial {
  const ofRun = Object.entries(varied).filter(([key]) => isRunOption(key));
  const ofModel = Object.entries(varied).filter(([key]) => !isRunOption(key));
  const whole = { ...config, ...Object.fromEntries(ofModel) };
  const options = {
    ...plan.options,
    ...Object.fromEntries(ofRun),
    model: model.name,
    ...(preset !== undefined && { preset }),
    ...(Object.keys(whole).length > 0 && { config: whole }),
    data,
    ...(about !== undefined && { class: about }),
    seed,
  };
  const { seed: _, ...others } = options;
  return {
    data,
    ...(about !== undefined && { class: about }),
    ...{ model: model.name, varied, seed, options, configuration: JSON.stringify(sorted(others)) },
    case: JSON.stringify([data, about ?? null]),
  };
}

/** What is varied for a model: all combinations of the lists, or draws. Each draw has a stream of its own, so that more draws keep the first. */
function combinations({ model, grid }: PlanEntry, number: number, { random }: SweepPlan): Record<string, unknown>[] {
  if (random) {
    if (Object.keys(grid).length === 0) return [{}];
    const rng = new Rng(random.seed).split('sweep').split(number);
    const types = propertiesOf(model.config);
    return Array.from({ length: random.trials }, (_, i) => {
      const drawn = Object.entries(grid).map(([key, values]) => {
        const own = rng.split(i).split(key);
        const isWhole = types[key]?.type === 'integer' || isWholeRunOption(key);
        return [key, isRange(values) ? drawFrom(values, own, isWhole) : values[own.int(values.length)]];
      });
      return Object.fromEntries(drawn);
    });
  }
  return Object.entries(grid).reduce<Record<string, unknown>[]>(
    (before, [key, values]) =>
      before.flatMap((one) => (values as readonly unknown[]).map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

const isWholeRunOption = (key: string) => isRunOption(key) && /Limit$|^(folds|window)$/.test(key);

function drawFrom({ from, to, scale }: Range, rng: Rng, isWhole: boolean): number {
  const share = rng.uniform();
  if (isWhole && scale !== 'log')
    return Math.min(Math.floor(to), Math.ceil(from) + Math.floor(share * (Math.floor(to) - Math.ceil(from) + 1)));
  const value = scale === 'log' ? from * (to / from) ** share : from + share * (to - from);
  return isWhole ? Math.round(value) : Number(value.toPrecision(6));
}

/** What training would refuse before it reads data is refused here, with the place in the plan. */
function checkTrial({ options, model }: Trial, plan: SweepPlan): void {
  if (plan.chooseBy === undefined && options.validationFraction === 0) {
    throw new ConfigError(
      'plan',
      'Options are chosen by what is planted into held-out normals, so some must be held out: "validationFraction" must be above 0, or "chooseBy" name labelled items.',
      { option: plan.entries.map(({ places }) => places.validationFraction).find(Boolean) ?? ['options'] },
    );
  }
  try {
    resolveRun({ ...options, out: '.' } as unknown as TrainOptions);
  } catch (error) {
    if (!(error instanceof ConfigError) || !error.facts) throw error;
    const [first, second] = error.facts.option;
    const key = first === 'config' && second !== undefined ? second : first;
    const places = plan.entries.filter((entry) => entry.model.name === model).map((entry) => entry.places[key]);
    const path = places.find((place) => place !== undefined) ?? [key === 'class' ? 'classes' : key];
    throw new ConfigError(error.code, error.text, { ...error.facts, option: path });
  }
}

/**
 * The name of a training: a hash of its options, of the content of its data and of every file that an option names, and of the version.
 * What is of a machine, such as paths and threads, is not in it.
 */
export async function idOf(options: Trial['options'], content: string): Promise<string> {
  const { data: name, ...others } = options;
  const isFile = dataPath(name as string) !== undefined;
  const parts = {
    ...((await withContents(others)) as object),
    data: isFile ? content : [name, content],
    oddity: oddityVersion(),
  };
  return createHash('sha256')
    .update(JSON.stringify(sorted(parts)))
    .digest('hex')
    .slice(0, 16);
}

/** A value in which the path of each file that is there gives way to a hash of its content. */
async function withContents(value: unknown): Promise<unknown> {
  if (typeof value === 'string') {
    if (!/[./\\]/.test(value)) return value; // a word
    const bytes = await readFile(value).catch(() => undefined);
    return bytes ? createHash('sha256').update(bytes).digest('hex') : value;
  }
  if (Array.isArray(value)) return Promise.all(value.map(withContents));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await withContents(inner)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** The same value with the keys of its objects in order. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
