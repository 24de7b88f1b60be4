/** `oddity bench <name>`: the accuracy tables, as text, as rows of a CSV file and as a page. */
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { benches, findBench } from '../../bench/benches.ts';
import { planBench } from '../../bench/jobs.ts';
import { recordOf } from '../../bench/merge.ts';
import type { TableSummary } from '../../bench/summary.ts';
import { jobsOfShard, sweep } from '../../bench/sweep.ts';
import { headsOf, publishedText, quickBanner, spreadText } from '../../bench/words.ts';
import { type WrittenBench, writeBench } from '../../bench/write.ts';
import { Cancelled } from '../../core/errors.ts';
import { parseShard, type Shard, shardText } from '../../core/shard.ts';
import { dataRoot } from '../../data/index.ts';
import { findModel } from '../../models/index.ts';
import { makeFolder } from '../../runs/files.ts';
import { writeShard } from '../../runs/shards.ts';
import type { Device } from '../../runtime/runtime.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addDevice, addSpeech, collectSetting, commaList, integer, modelSettings } from '../options.ts';
import { duration, fixed, table } from '../render.ts';

interface Options {
  readonly classes?: string[];
  readonly data?: string[];
  readonly seeds?: string[];
  readonly models?: string[];
  readonly set?: Record<string, string>;
  readonly quick?: boolean;
  readonly device?: Device | 'auto';
  readonly threads?: number;
  readonly dataRoot?: string;
  readonly state?: string;
  readonly shard?: Shard;
  readonly out?: string;
}

export function addBench(command: Command): void {
  command
    .argument('<name>', `a benchmark: ${benches.map((b) => b.name).join(', ')}`)
    .option('--classes <list>', 'some classes only, for example 0,1', commaList)
    .option('--data <list>', 'some data sets only, for example magnetic_tile', commaList)
    .option('--seeds <list>', 'seeds (default: those of the benchmark)', commaList)
    .option('--models <list>', 'models (default: those of the benchmark)', commaList)
    .option('--set <key=value>', 'set an option of the first model; may be repeated', collectSetting)
    .option('--quick', 'a few minutes: shows that it works; do not cite its numbers')
    .option('--threads <n>', 'threads of the device (default: all cores)', integer('--threads', 1))
    .option('--data-root <folder>', 'where data sets lie (default: ODDITY_DATA, else the cache of the user)')
    .option(
      '--state <folder>',
      'where finished rows are kept (default: runs/bench/<name>); a stopped bench goes on there',
    )
    .option(
      '--shard <i/n>',
      'train part i of n into the folder of --state, for machines that know nothing of each other; see: oddity merge',
      parseShard,
    )
    .option('--out <file.csv>', 'where the rows go, a page beside them (default: bench/results/<name>.csv)');
  addDevice(command);
  addSpeech(command);
  act(command, async (terminal, options: Options, name: string) => {
    const bench = findBench(name);
    const { quick = false, device, threads } = options;
    const root = options.dataRoot ?? dataRoot();
    const choice = {
      seeds: options.seeds?.map(integer('--seeds', 0)),
      classes: options.classes,
      data: options.data,
      models: options.models,
      settings: settingsOf(options, options.models?.[0] ?? bench.tables[0].entries[0].model),
      quick,
    };
    const planned = planBench(bench, { ...choice, dataRoot: root });
    const all = planned.flatMap((p) => p.jobs).map((job) => ({ ...job, device, threads, dataRoot: options.dataRoot }));
    const { shard } = options;
    const jobs = shard ? jobsOfShard(all, shard, root) : all;
    const { train } = await engine();
    const { listener: onEvent, signal } = terminal;
    const folder = options.state ?? join('runs', 'bench', shard ? `${name}-${shard.index}-of-${shard.count}` : name);
    const command = commandOf(process.argv.slice(2));
    const origin = { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), command, quick };
    const record = shard && recordOf(bench, { shard, choice, jobs: all, root, origin });
    if (record) {
      await makeFolder(folder);
      await writeShard(folder, { ...record, isDone: false });
    }
    const reports = await sweep(jobs, { folder, train, dataRoot: root, onEvent, signal }).catch((error) => {
      if (!(error instanceof Cancelled)) throw error;
      throw new Cancelled('Stopped. Finished rows are kept; run the same command again to resume.');
    });
    if (record) {
      await writeShard(folder, { ...record, isDone: true });
      const rows = `${jobs.length} of ${all.length} rows`;
      const next = `When all shards are there: oddity merge ${name}-shards/* --out ${name}`;
      terminal.answer(
        { name, quick, shard, folder, rows: jobs.length, of: all.length },
        `Shard ${shardText(record)}: ${rows} in ${folder}\n${next}`,
      );
      return;
    }
    const out = options.out ?? join('bench', 'results', `${name}${quick ? '-quick' : ''}.csv`);
    const written = await writeBench(
      bench,
      planned,
      reports.map((report) => ({ report, origin })),
      out,
    );
    terminal.answer({ name, quick, ...answerOf(written) }, benchText(written, quick));
  });
}

/** A written benchmark as JSON. */
export const answerOf = ({ out, page, tables, rows }: WrittenBench) => ({
  out,
  page,
  tables: tables.map(dataOf),
  rows,
});

/** The tables of a benchmark, and where its files are. */
export const benchText = ({ out, page, tables }: WrittenBench, quick: boolean): string =>
  [...(quick ? [quickBanner] : []), ...tables.map(tableText), `${out}\n${page}`].join('\n\n');

/** The command that makes the rows, without what changes none of them: how they are told, and where things lie on this machine. */
function commandOf(words: readonly string[]): string {
  const isFolder = (word = '') => ['--state', '--out', '--data-root', '--shard'].includes(word);
  const kept = words.filter(
    (word, i) => !['--json', '--quiet'].includes(word) && !isFolder(word.split('=')[0]) && !isFolder(words[i - 1]),
  );
  return `oddity ${kept.join(' ')}`;
}

/** What `--set` says of one model, by its name. */
function settingsOf({ set }: Options, first: string) {
  if (!set) return undefined;
  const model = findModel(first);
  return { [model.name]: modelSettings(model, [], {}, set) };
}

/** A summary as JSON: its table by title and protocol. */
const dataOf = ({ table: { title, protocol, notes = [] }, ...rest }: TableSummary) => ({
  title,
  protocol,
  notes,
  ...rest,
});

/** A table of the benchmark: a line per model, then the first metric by case, then what was published. */
function tableText({
  table: about,
  rows,
  cases,
  belowPrevalence,
  doubts,
  otherPublished,
  leftOut,
}: TableSummary): string {
  const metricHeads = headsOf(about.metrics, about.kind);
  const head = ['model', ...metricHeads, 'prevalence', 'parameters', 'time', 'seeds'];
  const lines = rows.map((row) => [
    row.label,
    ...about.metrics.map((m) => spreadText(row.metrics[m])),
    fixed(row.prevalence),
    String(row.parameters),
    duration(row.seconds),
    String(row.seeds),
  ]);
  const numbers = (n: number) => Array.from({ length: n - 1 }, (_, i) => i + 1);
  const parts = [`${about.title} (protocol ${about.protocol})\n${table(head, lines, numbers(head.length))}`];
  if (cases.length > 0) {
    const heads = ['case', ...rows.map((row) => row.label)];
    const cells = cases.map(({ label, values }) => [label, ...values.map(spreadText)]);
    parts.push(`${metricHeads[0]} by case\n${table(heads, cells, numbers(heads.length))}`);
  }
  const published = [...rows.flatMap((row) => row.published), ...otherPublished];
  if (published.length > 0) parts.push(`published:\n${published.map((f) => `  ${publishedText(f)}`).join('\n')}`);
  const remarks = [...doubts, ...belowPrevalence, ...(about.notes ?? []), ...leftOut];
  if (remarks.length > 0) parts.push(remarks.join('\n'));
  return parts.join('\n\n');
}
