/** `oddity sweep [plan.yaml]`: many trainings, ranked without the test part. */

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { Cancelled, ConfigError } from '../../core/errors.ts';
import { parseShard, type Shard, shardText } from '../../core/shard.ts';
import { openLocalQueue } from '../../jobs/local.ts';
import { memoryStore } from '../../jobs/memory.ts';
import { headlineMetrics } from '../../metrics/index.ts';
import type { RunOption } from '../../runs/options.ts';
import { checkPlan, type PlanInput, sweepRunOptions } from '../../sweeps/plan.ts';
import { type ConfigurationRow, caseOf, type Measured } from '../../sweeps/results.ts';
import { type Machine, type SweepResult, sweep } from '../../sweeps/sweep.ts';
import { chosenByText, nameOf, notUsedText, stateText } from '../../sweeps/words.ts';
import { act } from '../act.ts';
import { SOME_FAILED } from '../exit-codes.ts';
import { addDevice, addSpeech, commaList, integer, queueHelp, queueOf } from '../options.ts';
import { locatedInPlan, readPlanFile } from '../plan-file.ts';
import { fixed, table } from '../render.ts';
import { intervalText } from '../report.ts';
import { addRunFlags, givenFlags, optionsFrom } from '../run-flags.ts';
import type { SpeechOptions } from '../terminal.ts';
import { said } from '../words.ts';

interface Options extends SpeechOptions, Readonly<Record<string, unknown>> {
  readonly data?: string[];
  readonly models?: string[];
  readonly classes?: string[];
  readonly seeds?: string[];
  readonly grid?: Record<string, unknown>;
  readonly random?: number;
  readonly halving?: boolean;
  readonly chooseBy?: string;
  readonly workers?: number;
  readonly queue?: string;
  readonly shard?: Shard;
  readonly out?: string;
  readonly device?: Machine['device'];
  readonly threads?: number;
  readonly dataRoot?: string;
  readonly download?: boolean;
}

export function addSweep(command: Command): void {
  command
    .argument('[plan]', 'a plan in YAML (its keys: oddity schema sweep); flags add to it and win over it')
    .optionsGroup('Plan:')
    .option('--data <list>', 'data sets, by name or path', commaList)
    .option('--models <list>', 'models by name', commaList)
    .option('--classes <list>', 'classes that the protocol is about, each in turn', commaList)
    .option('--seeds <list>', 'seeds (default: 1)', commaList)
    .option(
      '--grid <key=values>',
      'vary an option of a run or of the models: k=1,5,10, or with --random k=1..50, or alpha=0.01..1,log; may be repeated',
      collectGrid,
    )
    .option('--random <n>', 'draw n combinations for each model instead of training all', integer('--random', 1))
    .option('--halving', 'train in rounds on growing parts of the data, and go on with the better third')
    .option('--choose-by <file.csv>', 'choose by labelled items, named in a column "id", instead of planted defects');
  addRunFlags(command, Object.keys(sweepRunOptions.shape) as RunOption[]);
  command
    .optionsGroup('Sweep:')
    .option('--workers <n>', 'trainings at once on this machine (default: 1)', integer('--workers', 1, 256))
    .option(
      '--queue <url>',
      'let the workers of a Redis train, on any machine that shares the folder: redis://…; see: oddity worker',
    )
    .option(
      '--shard <i/n>',
      'part i of n of the trials, for machines that know nothing of each other; see: oddity merge',
      parseShard,
    )
    .option(
      '--out <folder>',
      'the folder of the sweep (default: runs/sweeps/<name of the plan>); trials that are there are not trained again',
    )
    .option(
      '--threads <n>',
      'threads of each training (default: all cores, shared by the workers)',
      integer('--threads', 1),
    )
    .option('--data-root <folder>', 'where data sets lie (default: ODDITY_DATA, else the cache of the user)')
    .option('--no-download', 'fail when a data set is not on this machine');
  addDevice(command);
  command.addHelpText('after', queueHelp);
  addSpeech(command);
  act(command, async (terminal, options: Options, path?: string) => {
    const file = path === undefined ? undefined : await readPlanFile(path);
    const given = { ...file?.value, ...planOf(options, file?.value) };
    const { device, threads, dataRoot, download, workers, shard } = options;
    const { queue: url } = queueOf(options);
    if (url !== undefined && workers !== undefined)
      throw new ConfigError(
        'usage',
        '--workers is of this machine; with --queue it is an option of oddity worker. Leave one of both out.',
      );
    const out = options.out ?? join('runs', 'sweeps', path === undefined ? 'sweep' : basename(path, extname(path)));
    const several = workers !== undefined && workers > 1;
    const shared = threads ?? (several ? Math.max(1, Math.floor(availableParallelism() / workers)) : undefined);
    const machine = definedOnly({
      device,
      threads: shared,
      dataRoot,
      download: download === false ? false : undefined,
    });
    const logs = await mkdtemp(join(tmpdir(), 'oddity-sweep-'));
    const { listener: onEvent, signal } = terminal;
    try {
      const result = await sweep({
        ...{ plan: checkPlan(given), out, machine, shard, onEvent, signal },
        openQueue: async (listener) => {
          if (url === undefined) return openLocalQueue(memoryStore(), { ...listener, workers: workers ?? 1, logs });
          const { openRedisQueue } = await import('../../jobs/redis/queue.ts');
          return openRedisQueue({ ...listener, url, name: resolve(out), onConnection: onEvent });
        },
      });
      terminal.answer(result, sweepText(result));
      return result.trials.some(({ state }) => state === 'failed') ? SOME_FAILED : 0;
    } catch (error) {
      if (error instanceof Cancelled)
        throw new Cancelled(`Stopped. What is finished is kept in ${out}; the same command resumes the rest.`);
      throw file && error instanceof ConfigError ? locatedInPlan(error, file) : error;
    } finally {
      await rm(logs, { recursive: true, force: true });
    }
  });
}

/** What the flags say of the plan. */
function planOf(options: Options, file: Readonly<Record<string, unknown>> = {}): Partial<PlanInput> {
  const { data, models, classes, seeds, grid, random, halving, chooseBy } = options;
  const all = optionsFrom(givenFlags({ ...options, data: undefined }));
  const ofRuns = Object.fromEntries(Object.entries(all).filter(([name]) => name in sweepRunOptions.shape));
  const common = { ...(file.options as object | undefined), ...ofRuns };
  return definedOnly({
    ...{ data, models, classes, seeds: seeds?.map(integer('--seeds', 0)), random, halving, chooseBy },
    ...(grid && { grid: { ...(file.grid as object | undefined), ...grid } }),
    ...(Object.keys(ofRuns).length > 0 && { options: common }),
  }) as Partial<PlanInput>;
}

const definedOnly = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;

/** `k=1,5,10` as a list, `k=1..50` and `alpha=0.01..1,log` as ranges. */
export function collectGrid(text: string, before: Record<string, unknown> = {}): Record<string, unknown> {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new ConfigError('grid', `--grid takes key=values, got "${text}". For example: --grid k=1,5,10`);
  }
  const [key, values] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  const range = /^(-?[\d.e+-]*\d)\.\.(-?[\d.e+-]*\d)(,log)?$/i.exec(values);
  if (range) {
    const [, from, to, log] = range;
    return { ...before, [key]: { from: Number(from), to: Number(to), ...(log && { scale: 'log' }) } };
  }
  return { ...before, [key]: commaList(values).map(plainValue) };
}

/** A text as the number, truth value or text that it stands for. */
function plainValue(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return text !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
}

/** Configurations of a data set that the terminal shows. */
const SHOWN = 12;

export function sweepText({ configurations, chosenBy, trials, kept, files, shard }: SweepResult): string {
  const failed = trials.filter(({ state }) => state === 'failed');
  const count = `${trials.length} trial${trials.length === 1 ? '' : 's'}`;
  const parts = [
    `${shard ? `Shard ${shardText(shard)}: ` : ''}${count}${kept > 0 ? `; ${kept} ${kept === 1 ? 'training was' : 'trainings were'} there already` : ''}. ${chosenByText(chosenBy)} ${notUsedText(chosenBy)}`,
  ];
  for (const name of new Set(configurations.map(caseOf))) {
    parts.push(
      caseText(
        name,
        configurations.filter((one) => caseOf(one) === name),
      ),
    );
  }
  if (failed.length > 0)
    parts.push(
      `failed:\n${failed.map((row) => `  ${caseOf(row)}: ${nameOf(row)}, seed ${row.seed}: ${row.error ? said(row.error) : ''}`).join('\n')}`,
    );
  parts.push([files.csv, files.page].join('\n'));
  return parts.join('\n\n');
}

function caseText(name: string, own: readonly ConfigurationRow[]): string {
  const [choice] = headlineMetrics;
  const head = ['', 'configuration', 'seeds', `choice: ${choice.title}`, '95 %'];
  const tested = headlineMetrics.flatMap(({ title }) => [`test: ${title}`, '95 %']);
  const pair = (one?: Measured) => [fixed(one?.value), intervalText(one?.interval)];
  const rows = own
    .slice(0, SHOWN)
    .map((one) => [
      ...[one.isBest ? 'best' : '', nameOf(one), String(one.seeds.length), ...pair(one.choice)],
      ...[...headlineMetrics.flatMap((metric) => pair(one.test[metric.name])), stateText(one)],
    ]);
  const more = own.length > SHOWN ? `\n${own.length - SHOWN} more are in the table and on the page.` : '';
  return `${name}\n${table([...head, ...tested, 'state'], rows, [2, 3, 5, 7])}${more}`;
}
