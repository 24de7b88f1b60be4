/** The trainings of a benchmark: one for each table, seed, case and model. */
import { basename, join } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { resolveConfig } from '../engine/task/config.ts';
import { takes } from '../engine/task/suitable.ts';
import { findKind } from '../kinds/index.ts';
import { type AnyModel, findModel } from '../models/index.ts';
import type { Bench, BenchEntry, BenchTable } from './bench.ts';
import { quickSlowSplit, quickSplits } from './benches.ts';
import type { SweepJob } from './sweep.ts';

/** What may be chosen of a benchmark. */
export interface BenchChoice {
  readonly seeds?: readonly number[];
  /** Only these classes. */
  readonly classes?: readonly string[];
  /** Only these data sets, by name or by the last folder of a path. */
  readonly data?: readonly string[];
  /** These models instead of those of the tables; one that no table has goes into all. */
  readonly models?: readonly string[];
  /** Options of a model by its name, over those of the benchmark. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Enough to see that it works, never to quote: one seed, two classes, few epochs, small parts. */
  readonly quick?: boolean;
  /** Where paths of cases lie. */
  readonly dataRoot: string;
}

/** A table with its trainings. */
export interface PlannedTable {
  readonly table: BenchTable;
  readonly jobs: readonly SweepJob[];
  /** What the row of each training is called, in the order of `jobs`. */
  readonly labels: readonly string[];
  /** Models that do not take such items, as sentences. */
  readonly leftOut: readonly string[];
}

/** What `--quick` cuts, beside the splits. */
const quick = { classes: 2, epochs: 2 };

/** The trainings in their order; those of one seed stand together. Throws ConfigError `bench` when nothing is left. */
export function planBench(bench: Bench, choice: BenchChoice): PlannedTable[] {
  const seeds = choice.quick && !choice.seeds ? bench.seeds.slice(0, 1) : (choice.seeds ?? bench.seeds);
  const planned = bench.tables.map((table) => planTable(bench, table, seeds, choice));
  if (planned.every(({ jobs }) => jobs.length === 0)) {
    const why = planned.flatMap(({ leftOut }) => leftOut);
    throw new ConfigError(
      'bench',
      `A bench needs at least one data set, one model, one class and one seed.${why.length > 0 ? ` ${why.join(' ')}` : ''}`,
    );
  }
  return planned;
}

function planTable(bench: Bench, table: BenchTable, seeds: readonly number[], choice: BenchChoice): PlannedTable {
  const own = [...new Set(table.cases.flatMap((c) => c.class ?? []))];
  const wanted = choice.classes ?? (choice.quick ? own.slice(0, quick.classes) : own);
  const cases = table.cases.filter(
    (c) => (c.class === undefined || wanted.includes(c.class)) && (choice.data?.includes(basename(c.data)) ?? true),
  );
  const named = choice.models?.flatMap((name): readonly BenchEntry[] => {
    const { name: model } = findModel(name);
    const own = table.entries.filter((entry) => entry.model === model);
    const isElsewhere = bench.tables.some(({ entries }) => entries.some((entry) => entry.model === model));
    return own.length > 0 || isElsewhere ? own : [{ model }];
  });
  const leftOut: string[] = [];
  const entries = (named ?? table.entries).filter(({ model }) => {
    const fits = takes(findModel(model), table.kind);
    if (!fits) leftOut.push(`${model} is left out: it takes no ${findKind(table.kind).words.items}.`);
    return fits;
  });
  const jobs = seeds.flatMap((seed) =>
    cases.flatMap((about) =>
      entries.map((entry): SweepJob => {
        const model = findModel(entry.model);
        const preset = entry.preset ?? (table.preset && table.preset in model.presets ? table.preset : undefined);
        return {
          model: model.name,
          data: about.data.includes('/') ? join(choice.dataRoot, about.data) : about.data,
          protocol: table.protocol,
          class: about.class,
          contamination: about.contamination,
          seed,
          preset,
          config: {
            ...entry.config,
            ...(choice.quick && quickConfig(model, table.quickEpochs)),
            ...choice.settings?.[model.name],
          },
          ...(about.folders && { folderNames: about.folders }),
          size: table.size,
          scaling: table.scaling,
          ...(table.channels && { channels: table.channels }),
          ...table.split,
          ...entry.split,
          ...(choice.quick && { ...quickSplits[table.kind], ...(entry.split && quickSlowSplit) }),
          maps: 0,
        };
      }),
    ),
  );
  const names = entries.map(({ label, model }) => label ?? model);
  return { table, jobs, labels: jobs.map((_, i) => names[i % names.length]), leftOut };
}

/** The same model, trained for a moment: every number of epochs that it has is cut. */
function quickConfig(model: AnyModel, epochs = quick.epochs): Record<string, unknown> {
  const lengths = Object.keys(resolveConfig(model)).filter((key) => /epochs$/i.test(key));
  return { ...Object.fromEntries(lengths.map((key) => [key, epochs])), ...model.quick };
}
