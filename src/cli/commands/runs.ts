/** `oddity runs [folder]`: the runs below a folder; `oddity runs remove <run...>`: away with some. */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { Cancelled, ConfigError, unknownName } from '../../core/errors.ts';
import { image } from '../../kinds/index.ts';
import {
  findMetric,
  headlineMetrics,
  type MetricDescription,
  metricsOf,
  readMetric,
  titlesOf,
} from '../../metrics/index.ts';
import type { RunStatus } from '../../runs/folder.ts';
import { requireRun, runStatuses, sortableMetrics } from '../../runs/list.ts';
import { act } from '../act.ts';
import { engine, type ListedRun } from '../engine.ts';
import { addSpeech } from '../options.ts';
import { duration, fixed, table } from '../render.ts';

interface Options {
  readonly model?: string;
  readonly data?: string;
  readonly status?: RunStatus;
  readonly since?: Date;
  readonly sort?: string;
}

export function addRuns(command: Command): void {
  command
    .enablePositionalOptions() // what stands behind `remove` is for it
    .argument('[folder]', 'where to look', 'runs')
    .option('--model <name>', 'only runs of this model')
    .option('--data <name>', 'only runs on this data set')
    .option('--status <name>', `only runs that are ${runStatuses.join(', ')}`, oneOf('status', runStatuses))
    .option('--since <when>', 'only runs since a date (2026-05-01) or for some time (90m, 12h, 7d)', since)
    .option('--sort <metric>', `the best first, by ${sortableMetrics.join(', ')}`);
  addSpeech(command);
  act(command, async (terminal, { model, data, status, since, sort }: Options, folder: string) => {
    const { listRuns } = await engine();
    const runs = await listRuns({ folder, model, data, status, since, sort, onEvent: terminal.listener });
    terminal.answer(
      { folder, runs },
      runs.length > 0 ? tableOf(runs, sort) : `There are no such runs below ${folder}.`,
    );
  });
  addRemove(command);
}

function addRemove(runs: Command): void {
  const command = runs
    .command('remove')
    .description('remove runs: the files that oddity wrote, and the folder when nothing else is in it')
    .argument('<run...>', 'run folders')
    .option('--yes', 'do not ask');
  addSpeech(command);
  act(command, async (terminal, { yes }: { yes?: boolean }, folders: string[]) => {
    const { removeRun } = await engine();
    // All of them first: nothing is removed when one is no run.
    for (const folder of folders) await requireRun(folder);
    if (!yes) await confirm(folders);
    const removed: Awaited<ReturnType<typeof removeRun>>[] = [];
    for (const folder of folders) removed.push(await removeRun(folder));
    const lines = removed.map(({ run, kept }) =>
      kept.length === 0 ? `removed ${run}` : `removed the run in ${run}; what is not of it stays: ${kept.join(', ')}`,
    );
    terminal.answer({ removed }, lines.join('\n'));
  });
}

/** Asks on the terminal; without one, `--yes` must say it. */
async function confirm(folders: readonly string[]): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new ConfigError('confirm', `Removing ${folders.join(', ')} must be confirmed. Pass --yes to do it unasked.`);
  }
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await ask.question(`Remove ${folders.join(', ')}? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new Cancelled('Nothing was removed.');
  } finally {
    ask.close();
  }
}

function tableOf(runs: readonly ListedRun[], sort: string | undefined): string {
  const known = metricsOf({ ownMetrics: runs.flatMap(({ ownMetrics = [] }) => ownMetrics) });
  const shown: MetricDescription[] = [...headlineMetrics];
  const sorting = sort === undefined ? undefined : findMetric(sort, known);
  if (sorting && !shown.includes(sorting)) shown.push(sorting);
  const rows = runs.map((r) => [
    r.run,
    r.model,
    r.data,
    r.class,
    String(r.seed),
    r.status,
    ...shown.map((metric) => fixed(readMetric(r.metrics ?? undefined, metric))),
    r.startedAt.slice(0, 16).replace('T', ' '),
    r.endedAt ? duration((Date.parse(r.endedAt) - Date.parse(r.startedAt)) / 1000) : '–',
  ]);
  const head = ['run', 'model', 'data', 'class', 'seed', 'status', ...titlesOf(shown, image.words)];
  return table([...head, 'began (UTC)', 'took'], rows, [4, ...shown.map((_, i) => 6 + i), 7 + shown.length]);
}

function oneOf<T extends string>(kind: string, known: readonly T[]) {
  return (text: string): T => {
    if (known.some((name) => name === text)) return text as T;
    throw unknownName(kind, text, known);
  };
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A date, or a time before now. */
function since(text: string): Date {
  const back = /^(\d+(?:\.\d+)?)([mhd])$/.exec(text);
  const date = back ? new Date(Date.now() - Number(back[1]) * UNITS[back[2] as keyof typeof UNITS]) : new Date(text);
  if (!Number.isNaN(date.getTime())) return date;
  throw new ConfigError(
    'option-range',
    `--since takes a date as 2026-05-01 or a time as 90m, 12h or 7d, got "${text}".`,
  );
}
