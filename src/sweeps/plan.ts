/**
 * The plan of a sweep as plain data: data sets × models × options × seeds. Its schema is made of those of a run and of the models,
 * so that a key which no training would take is refused before anything runs, with the path at which it stands.
 */
import * as z from 'zod';
import { ConfigError, factsOf, nameHint } from '../core/errors.ts';
import { propertiesOf } from '../core/schema.ts';
import { type AnyModel, findModel } from '../models/index.ts';
import { runOptions } from '../runs/index.ts';

/** Options of a run that a plan can set or vary: not those that a sweep gives itself, that are of the machine, or that need one run. */
export const sweepRunOptions = runOptions.omit({
  ...{ data: true, class: true, seed: true, preset: true, config: true, out: true, resume: true, overwrite: true },
  ...{
    device: true,
    threads: true,
    dataRoot: true,
    download: true,
    debug: true,
    profile: true,
    changes: true,
    choice: true,
  },
});
const runKeys = Object.keys(sweepRunOptions.shape);

const text = z.string().min(1);
const oneOrMore = z.union([text, z.array(text).min(1)]);

const range = z.strictObject({
  from: z.number().describe('The least value.'),
  to: z.number().describe('The largest value.'),
  scale: z.enum(['linear', 'log']).optional().describe('How values are spread between; default linear.'),
});
/** Between two values, both included: drawn, never listed. */
export type Range = z.infer<typeof range>;

const grid = z
  .record(z.string(), z.union([z.array(z.unknown()).min(1), range]))
  .describe('Options to vary, of a run or of models that have them: lists of values, or ranges to draw from.');
export type Grid = Readonly<Record<string, readonly unknown[] | Range>>;

const entry = z.strictObject({
  model: text.describe('Name of a model.'),
  preset: text.optional().describe("One of the model's named sets of options."),
  config: z.record(z.string(), z.unknown()).optional().describe('Options of the model that stay the same.'),
  grid: grid.optional(),
});

const random = z.strictObject({
  trials: z.int().min(1).max(100_000).describe('Draws for each model.'),
  seed: z.int().min(0).optional().describe('Decides the draws; default 1.'),
});

const halving = z.strictObject({
  by: z
    .enum(['items', 'epochs'])
    .optional()
    .describe('What early rounds have less of: training items, or epochs of models that have them; default items.'),
  least: z.int().min(2).optional().describe('Training items of the first round at least; default 30.'),
});

/** The schema of a plan. */
export const planSchema = z.strictObject({
  data: oneOrMore.describe('Data sets: names, folders of images, files of rows.'),
  models: z
    .union([text, z.array(z.union([text, entry])).min(1)])
    .describe('Models by name, or with options of their own.'),
  classes: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional()
    .describe('Classes that the protocol is about, each in turn.'),
  seeds: z.array(z.int().min(0)).min(1).optional().describe('Seeds; default 1.'),
  options: sweepRunOptions.optional().describe('Options of a run that stay the same.'),
  grid: grid.optional(),
  random: z
    .union([z.int().min(1), random])
    .optional()
    .describe('Draw so many combinations for each model instead of training all of them.'),
  halving: z
    .union([z.boolean(), halving])
    .optional()
    .describe('Train in rounds with growing parts of the data, and go on with the better third.'),
  chooseBy: text
    .optional()
    .describe(
      'A CSV file with a column "id" of labelled items by which is chosen; test figures are then of the others. Default: planted items.',
    ),
});

/** A plan as it is given. */
export type PlanInput = z.input<typeof planSchema>;

/** A model of a plan. */
export interface PlanEntry {
  readonly model: AnyModel;
  readonly preset?: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** What is varied for it, the plan's own and the entry's. */
  readonly grid: Grid;
  /** Where in the plan an option of it stands, by its name: of a run, or of the model. */
  readonly places: Readonly<Record<string, readonly string[]>>;
}

/** A plan that was checked, with its defaults. */
export interface SweepPlan {
  readonly data: readonly string[];
  readonly entries: readonly PlanEntry[];
  readonly classes: readonly (string | number | undefined)[];
  readonly seeds: readonly number[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly random?: { readonly trials: number; readonly seed: number };
  readonly halving?: { readonly by: 'items' | 'epochs'; readonly least: number };
  readonly chooseBy?: string;
  /** As it was given. */
  readonly given: PlanInput;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isRange = (values: readonly unknown[] | Range): values is Range => !Array.isArray(values);

/**
 * Checks a plan. Every error is a ConfigError whose facts name the path of what is wrong: `['grid', 'k']`, `['models', '1', 'config']`.
 * @throws ConfigError `unknown-plan-key`, `plan`, `unknown-model`.
 */
export function checkPlan(given: unknown): SweepPlan {
  if (!isRecord(given)) throw wrong([], given, 'a list of "key: value" lines');
  checkNames(given);
  const parsed = planSchema.safeParse(given);
  if (!parsed.success) throw fromIssue(given, parsed.error.issues[0]);
  const plan = parsed.data;
  const isDrawn = plan.random !== undefined;
  const named = typeof plan.models === 'string' ? [plan.models] : plan.models;
  const models = named.map((one, i) => {
    const about = typeof one === 'string' ? { model: one } : one;
    const path =
      typeof one === 'string'
        ? ['models', ...(typeof plan.models === 'string' ? [] : [String(i)])]
        : ['models', String(i), 'model'];
    return { about, path: path.slice(0, 2), model: modelAt(about.model, path) };
  });
  for (const key of Object.keys(plan.grid ?? {}))
    checkGridKey(
      key,
      models.map(({ model }) => model),
      ['grid', key],
    );
  const entries = models.map(({ about, path, model }) => entryOf(plan, { about, path, model }));
  for (const { grid, places } of entries)
    for (const [key, values] of Object.entries(grid)) checkValues(values, places[key], isDrawn);
  const varied = entries.find(({ grid }) => 'trainLimit' in grid);
  if (plan.halving && varied) {
    throw wrong(
      varied.places.trainLimit,
      varied.grid.trainLimit,
      'left out: halving itself varies how many items train',
    );
  }
  return {
    data: typeof plan.data === 'string' ? [plan.data] : plan.data,
    entries,
    classes: plan.classes ?? [undefined],
    seeds: plan.seeds ?? [1],
    options: plan.options ?? {},
    ...(isDrawn && {
      random: { seed: 1, ...(typeof plan.random === 'number' ? { trials: plan.random } : plan.random!) },
    }),
    ...(plan.halving && {
      halving: { by: 'items' as const, least: 30, ...(typeof plan.halving === 'object' && plan.halving) },
    }),
    ...(plan.chooseBy !== undefined && { chooseBy: plan.chooseBy }),
    given: plan as PlanInput,
  };
}

type GivenEntry = z.infer<typeof entry>;

/** An entry with what the plan as a whole says of its model. */
function entryOf(
  plan: z.infer<typeof planSchema>,
  { about, path, model }: { about: GivenEntry; path: readonly string[]; model: AnyModel },
): PlanEntry {
  const { preset, config = {} } = about;
  for (const key of Object.keys(about.grid ?? {})) checkGridKey(key, [model], [...path, 'grid', key]);
  const own = new Set([...runKeys, ...optionsOf(model)]);
  const common = Object.entries(plan.grid ?? {}).filter(([key]) => own.has(key) && !(key in config));
  const varied = { ...Object.fromEntries(common), ...about.grid };
  const places: Record<string, readonly string[]> = {};
  for (const key of Object.keys(plan.options ?? {})) places[key] = ['options', key];
  for (const key of Object.keys(config)) places[key] = [...path, 'config', key];
  for (const [key] of common) places[key] = ['grid', key];
  for (const key of Object.keys(about.grid ?? {})) places[key] = [...path, 'grid', key];
  return {
    model,
    ...(preset !== undefined && { preset }),
    config,
    grid: varied,
    places: { ...places, preset: [...path, 'preset'] },
  };
}

const optionsOf = (model: AnyModel) => Object.keys(propertiesOf(model.config));

/** True for an option of a run; of the others the models know. */
export const isRunOption = (key: string): boolean => runKeys.includes(key);

/** Refuses keys that no part of a plan has, with the nearest. */
function checkNames(given: Readonly<Record<string, unknown>>): void {
  const check = (value: unknown, known: readonly string[], path: readonly string[], what: string) => {
    if (!isRecord(value)) return;
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) throw unknownKey(key, known, [...path, key], what);
    }
  };
  const checkGrid = (value: unknown, path: readonly string[]) => {
    if (!isRecord(value)) return;
    for (const [key, values] of Object.entries(value))
      check(values, Object.keys(range.shape), [...path, key], `The range of "${key}"`);
  };
  check(given, Object.keys(planSchema.shape), [], 'A plan');
  check(given.options, runKeys, ['options'], '"options" of a plan');
  check(given.random, Object.keys(random.shape), ['random'], '"random" of a plan');
  check(given.halving, Object.keys(halving.shape), ['halving'], '"halving" of a plan');
  checkGrid(given.grid, ['grid']);
  for (const [i, one] of (Array.isArray(given.models) ? given.models : []).entries()) {
    check(one, Object.keys(entry.shape), ['models', String(i)], 'A model of a plan');
    if (isRecord(one)) checkGrid(one.grid, ['models', String(i), 'grid']);
  }
}

function checkGridKey(key: string, models: readonly AnyModel[], path: readonly string[]): void {
  const known = [...new Set([...models.flatMap(optionsOf), ...runKeys])];
  if (known.includes(key)) return;
  const whose = models.length === 1 ? models[0].name : 'No model of the plan';
  throw unknownKey(key, known, path, models.length === 1 ? whose : `${whose}, and no run,`);
}

function unknownKey(key: string, known: readonly string[], path: readonly string[], what: string): ConfigError {
  const has = what.startsWith('No model') ? `has an option "${key}"` : `has no key "${key}"`;
  return new ConfigError('unknown-plan-key', `${what} ${has}. ${nameHint(key, known)}`, { option: path });
}

function modelAt(name: string, path: readonly string[]): AnyModel {
  try {
    return findModel(name);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.code, error.text, { option: path, value: name });
  }
}

function checkValues(values: readonly unknown[] | Range, path: readonly string[], isDrawn: boolean): void {
  if (!isRange(values)) return;
  if (!isDrawn)
    throw wrong(path, values, 'a list of values: ranges are for plans with "random", which draws from them');
  if (!(values.from < values.to)) throw wrong(path, values, 'a range with "from" below "to"');
  if (values.scale === 'log' && values.from <= 0) throw wrong(path, values, 'a range above 0, since it is logarithmic');
}

const musts: Readonly<Record<string, string>> = {
  data: 'the name or path of a data set, or a list of them',
  models: 'a list of models, each by its name or as "model: name" with "preset", "config" and "grid"',
  classes: 'a list of classes, by name or number',
  seeds: 'a list of whole numbers from 0',
  options: 'options of a run, "key: value" each',
  grid: 'options to vary, each a list of values, or a range with "from" and "to"',
  random: 'a number of draws of at least 1, or "trials" with a "seed"',
  halving: 'true, or "by" (items or epochs) and "least"',
  chooseBy: 'the path of a CSV file with a column "id"',
};

function fromIssue(given: object, { path, message }: z.core.$ZodIssue): ConfigError {
  const at = path.map(String);
  const value = at.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], given);
  const [first, second] = at;
  if (first === 'options' && second !== undefined)
    return wrong(at, value, message.replace(/^Invalid input: expected /, ''));
  if (value === undefined && at.length === 1)
    return new ConfigError('plan', `A plan needs "${first}": ${musts[first]}.`, { option: at });
  return wrong(at, value, musts[first] ?? message);
}

function wrong(path: readonly string[], value: unknown, must: string): ConfigError {
  const what = path.length === 0 ? 'A plan' : `"${path.join('.')}"`;
  return new ConfigError(
    'plan',
    `${what} must be ${must}; got ${JSON.stringify(value) ?? 'nothing'}.`,
    factsOf({ option: path, value, must }),
  );
}
