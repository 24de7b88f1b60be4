/** `oddity bench <name>`: the accuracy tables. Models on every class of a data set, or on folders of the data root. */
import { availableParallelism, cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Command } from 'commander';
import { Cancelled, ConfigError, unknownName } from '../../core/errors.ts';
import { dataRoot } from '../../data/index.ts';
import { makeFolder, writeAtomic } from '../../engine/files.ts';
import { type SweepJob, sweep } from '../../engine/sweep.ts';
import { oddityVersion } from '../../engine/versions.ts';
import { findModel } from '../../models/index.ts';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { csv } from '../csv.ts';
import { engine, type RunReport } from '../engine.ts';
import { addDevice, addSpeech, collectSetting, commaList, integer, modelSettings } from '../options.ts';
import { duration, fixed, table } from '../render.ts';

/** A data set, and the class that is normal where it has classes. */
interface Case {
  readonly data: string;
  readonly class?: string;
}

const classesOf = (data: string, count: number): Case[] =>
  Array.from({ length: count }, (_, i) => ({ data, class: String(i) }));

/** The benchmarks by name; a path lies below the data root. */
const benches: Readonly<Record<string, { readonly protocol: string; readonly cases: readonly Case[] }>> = {
  'mnist-one-class': { protocol: 'one-class', cases: classesOf('mnist', 10) },
  'fashion-one-class': { protocol: 'one-class', cases: classesOf('fashion-mnist', 10) },
  industrial: {
    protocol: 'folder',
    cases: [{ data: 'industrial/magnetic_tile' }, { data: 'industrial/deeppcb_20085' }],
  },
};

interface Options {
  readonly classes?: string[];
  readonly seeds: string[];
  readonly models: string[];
  readonly set?: Record<string, string>;
  readonly quick?: boolean;
  readonly device?: Device | 'auto';
  readonly threads?: number;
  readonly dataRoot?: string;
  readonly state?: string;
  readonly out?: string;
}

/** With `--quick`: enough to see that it works, not to quote. */
const quick = { classes: ['0', '1'], epochs: 2 };

export function addBench(program: Command): void {
  const command = program
    .command('bench')
    .description(`measure accuracy on every class or folder of a benchmark: ${Object.keys(benches).join(', ')}`)
    .argument('<name>', 'a benchmark')
    .option('--classes <list>', 'some classes only, for example 0,1', commaList)
    .option('--seeds <list>', 'seeds', commaList, ['1'])
    .option('--models <list>', 'models', commaList, ['autoencoder', 'pca', 'mean-image'])
    .option('--set <key=value>', 'set an option of the first model; may be repeated', collectSetting)
    .option('--quick', 'two classes and two epochs: shows that it works, nothing to quote')
    .option('--threads <n>', 'threads of the device (default: all cores)', integer('--threads', 1))
    .option('--data-root <folder>', 'where data sets lie (default: ODDITY_DATA, else the cache of the user)')
    .option(
      '--state <folder>',
      'where finished rows are kept (default: runs/bench/<name>); a stopped bench goes on there',
    )
    .option('--out <file.csv>', 'where the rows go (default: bench/results/<name>.csv)');
  addDevice(command);
  addSpeech(command);
  act(command, async (terminal, options: Options, name: string) => {
    if (!Object.hasOwn(benches, name)) throw unknownName('benchmark', name, Object.keys(benches));
    const jobs = jobsOf(name, options);
    const { train } = await engine();
    const { listener: onEvent, signal } = terminal;
    const folder = options.state ?? join('runs', 'bench', name);
    const reports = await sweep(jobs, { folder, train, onEvent, signal }).catch((error) => {
      if (!(error instanceof Cancelled)) throw error;
      throw new Cancelled('Stopped. What is finished is kept; the same command goes on.');
    });
    const out = options.out ?? join('bench', 'results', `${name}${options.quick ? '-quick' : ''}.csv`);
    const words = process.argv.slice(2).filter((word) => !['--json', '--quiet'].includes(word));
    const rows = reports.map((report) => rowOf(report, `oddity ${words.join(' ')}`));
    await makeFolder(dirname(out));
    await writeAtomic(
      out,
      csv(
        Object.keys(rows[0]),
        rows.map((row) => Object.values(row).map(String)),
      ),
    );
    terminal.answer({ name, out, means: meansOf(reports), rows }, `${tableOf(reports)}\n\n${out}`);
  });
}

/** One training per case, seed and model; the cases of one seed stand together. */
function jobsOf(name: string, options: Options): SweepJob[] {
  const { protocol, cases } = benches[name];
  const wanted = options.classes ?? (options.quick ? quick.classes : undefined);
  const chosen = cases.filter((c) => c.class === undefined || !wanted || wanted.includes(c.class));
  const root = options.dataRoot ?? dataRoot();
  const models = options.models.map(findModel);
  const seeds = options.seeds.map(integer('--seeds', 0));
  if (models.length === 0 || chosen.length === 0 || seeds.length === 0) {
    throw new ConfigError('bench', 'A bench needs at least one model, one class and one seed.');
  }
  const settings = { ...(options.quick && { epochs: String(quick.epochs) }), ...options.set };
  return seeds.flatMap((seed) =>
    chosen.flatMap((about) =>
      models.map((model, i) => ({
        model: model.name,
        data: about.data.includes('/') ? join(root, about.data) : about.data,
        protocol,
        class: about.class,
        seed,
        config: i === 0 ? modelSettings(model, [], {}, settings) : {},
        device: options.device,
        threads: options.threads,
        dataRoot: options.dataRoot,
        maps: 0,
      })),
    ),
  );
}

/** A row of the CSV file: a claim with everything that is needed to repeat it. */
function rowOf(report: RunReport, command: string) {
  const { metrics, timings, versions } = report;
  return {
    model: report.model,
    data: basename(report.data),
    protocol: report.protocol,
    class: report.class,
    seed: report.seed,
    imageAuroc: metrics.imageAuroc ?? '',
    imageAp: metrics.imageAp ?? '',
    imageF1Max: metrics.imageF1Max ?? '',
    prevalence: metrics.prevalence ?? '',
    pixelAuroc: metrics.pixelAuroc ?? '',
    pixelAp: metrics.pixelAp ?? '',
    aupro: metrics.aupro ?? '',
    perType: JSON.stringify(report.perType.map(({ type, count, auroc }) => ({ type, count, auroc }))),
    fitSeconds: Number(timings.fitSeconds.toFixed(2)),
    totalSeconds: Number(timings.totalSeconds.toFixed(2)),
    device: report.device,
    config: JSON.stringify(report.config),
    version: oddityVersion(),
    node: versions.node,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    command,
  };
}

/** Mean of the values that are defined. */
function mean(values: readonly (number | null)[]): number | null {
  const defined = values.filter((v) => v !== null);
  return defined.length === 0 ? null : defined.reduce((sum, v) => sum + v, 0) / defined.length;
}

/** The means over classes and seeds, by model. */
function meansOf(reports: readonly RunReport[]) {
  const models = [...new Set(reports.map((r) => r.model))];
  return Object.fromEntries(
    models.map((model) => {
      const own = reports.filter((r) => r.model === model);
      const imageAuroc = mean(own.map((r) => r.metrics.imageAuroc));
      const imageAp = mean(own.map((r) => r.metrics.imageAp));
      return [model, { imageAuroc, imageAp, rows: own.length }];
    }),
  );
}

/** One line per class or folder and seed, AUROC and AP of each model (and AUPRO where there are masks), means below. */
function tableOf(reports: readonly RunReport[]): string {
  const models = [...new Set(reports.map((r) => r.model))];
  const hasMasks = reports.some((r) => r.metrics.aupro !== null);
  const keyOf = (r: RunReport) => `${basename(r.data)}\n${r.class}\n${r.seed}`;
  const lines = [...new Set(reports.map(keyOf))].map((key) => {
    const own = reports.filter((r) => keyOf(r) === key);
    const cells = models.flatMap((model) => {
      const metrics = own.find((r) => r.model === model)?.metrics;
      return [fixed(metrics?.imageAuroc), fixed(metrics?.imageAp), ...(hasMasks ? [fixed(metrics?.aupro)] : [])];
    });
    const seconds = own.reduce((sum, r) => sum + r.timings.totalSeconds, 0);
    const [data, about, seed] = key.split('\n');
    return [hasMasks ? data : about, seed, ...cells, fixed(own[0].metrics.prevalence), duration(seconds)];
  });
  const last = [
    'mean',
    '',
    ...models.flatMap((model) => {
      const own = reports.filter((r) => r.model === model).map((r) => r.metrics);
      const means = [mean(own.map((m) => m.imageAuroc)), mean(own.map((m) => m.imageAp))];
      return [...means, ...(hasMasks ? [mean(own.map((m) => m.aupro))] : [])].map((v) => fixed(v));
    }),
    fixed(mean(reports.map((r) => r.metrics.prevalence))),
    duration(reports.reduce((sum, r) => sum + r.timings.totalSeconds, 0)),
  ];
  const columns = models.flatMap((m) => [`${m} AUROC`, 'AP', ...(hasMasks ? ['AUPRO'] : [])]);
  const head = [hasMasks ? 'data' : 'class', 'seed', ...columns, 'prevalence', 'time'];
  return table(
    head,
    [...lines, last],
    head.map((_, c) => c).filter((c) => c > 0),
  );
}
