/** `oddity try <data>`: fits a few quick models within a time budget and ranks them. */
import type { Command } from 'commander';
import { findKind } from '../../kinds/index.ts';
import { headlineMetrics } from '../../metrics/index.ts';
import type { TriedModel, TryResult } from '../../runs/try.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addSpeech, commaList, number } from '../options.ts';
import { duration, fixed, table } from '../render.ts';
import { intervalText } from '../report.ts';
import { addRunFlags, givenFlags, optionsFrom } from '../run-flags.ts';
import { quoted, said } from '../words.ts';

interface Options extends Readonly<Record<string, unknown>> {
  readonly budget?: number;
  readonly models?: string[];
}

/** The options of a run that a try obeys; `data` is its argument. */
const obeyed = [
  'size',
  'channels',
  'folderNames',
  'maxPixels',
  'protocol',
  'class',
  'columns',
  'missing',
  'decimal',
  'kind',
  'window',
  'gaps',
  'step',
  'trainShare',
  'scaling',
  'trainLimit',
  'testLimit',
  'acceptLicence',
  'seed',
  'dataRoot',
  'download',
  'device',
  'threads',
] as const;

export function addTry(command: Command): void {
  command
    .argument('<data>', 'a folder of images, a file of rows, or a data set by name')
    .option('--budget <seconds>', 'time for all of it (default: 60)', number('--budget'))
    .option('--models <list>', 'models to try, with commas (default: quick ones that take such data)', commaList);
  addRunFlags(command, obeyed);
  addSpeech(command);
  act(command, async (terminal, options: Options, data: string) => {
    const { budget, models } = options;
    const run = optionsFrom(givenFlags(options));
    const { listener: onEvent, signal } = terminal;
    const result = await (await engine()).tryModels({ ...run, data, budget, models, onEvent, signal });
    terminal.answer(result, tryText(result));
  });
}

function tryText(result: TryResult): string {
  const { data, kind, counts, by, planted, budget, seconds, tried, advice } = result;
  const { items } = findKind(kind).words;
  const judged =
    by === 'labels'
      ? `Ranked by ${counts.anomalous} labelled anomalies among ${counts.normal + counts.anomalous} test ${items}.`
      : `No ${items} are labelled anomalous, so ${counts.anomalous} made-up anomalies (${Object.entries(planted ?? {})
          .map(([name, n]) => `${n} ${name}`)
          .join(
            ', ',
          )}) stand beside ${counts.normal} normal ${items}. The ranking says which model notices those, not which finds yours.`;
  const heads = headlineMetrics.flatMap(({ title }) => [title, '95 %']);
  const rows = tried.map((one) => [
    one.place === undefined ? '–' : String(one.place),
    nameOf(one),
    ...headlineMetrics.flatMap(({ name }) => [fixed(one.metrics?.[name]), intervalText(one.intervals?.[name])]),
    one.fitSeconds === undefined ? '–' : duration(one.fitSeconds),
    one.scoreMsPerItem === undefined ? '–' : `${fixed(one.scoreMsPerItem, 2)} ms`,
    one.isLevel ? 'may be as good as the first' : '',
  ]);
  const failed = tried.flatMap((one) => (one.error ? [`${nameOf(one)}: ${said(one.error)}`] : []));
  const why =
    !advice || advice.place === 1 ? '' : 'It may be as good as the first, and is the better one to start with. ';
  return [
    `${data}: trained on ${counts.train} normal ${items}; ${duration(seconds)} of ${budget} s. ${judged}`,
    table(['', 'model', ...heads, 'fit', `score, ${findKind(kind).words.item}`, ''], rows, [0, 2, 4]),
    ...(failed.length > 0 ? [failed.join('\n')] : []),
    ...(advice
      ? [
          `${why}Train ${advice.model} on all of the data:\n  ${['oddity', 'train', ...nameOf(advice).split(' '), '--data', data].map(quoted).join(' ')}`,
        ]
      : []),
  ].join('\n\n');
}

/** `pca --set statistic=t2`. */
const nameOf = ({ model, config = {} }: TriedModel) =>
  [model, ...Object.entries(config).map(([key, value]) => `--set ${key}=${value}`)].join(' ');
