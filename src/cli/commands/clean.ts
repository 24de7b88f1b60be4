/** `oddity clean <data>`: the odd ones among supposed normals. */
import type { Command } from 'commander';
import { reasonText } from '../../data/pure.ts';
import { findKind } from '../../kinds/index.ts';
import { headlineMetrics } from '../../metrics/index.ts';
import type { CleanResult } from '../../runs/clean.ts';
import { act } from '../act.ts';
import { engine } from '../engine.ts';
import { addSpeech, imageSize, integer } from '../options.ts';
import { duration, fixed, table } from '../render.ts';
import { addRunFlags, givenFlags, optionsFrom } from '../run-flags.ts';
import { quoted } from '../words.ts';

interface Options extends Readonly<Record<string, unknown>> {
  readonly top?: number;
  readonly unlabelled?: boolean;
  readonly backbone?: string;
  readonly references?: number;
  readonly size?: [number, number];
  readonly out?: string;
}

/** The options of a run that it obeys; `data` is its argument. */
const obeyed = [
  'channels',
  'folderNames',
  'maxPixels',
  'class',
  'columns',
  'missing',
  'decimal',
  'acceptLicence',
  'seed',
  'dataRoot',
  'download',
  'device',
  'threads',
] as const;

/** Lines of the list, unless more are odd. */
const TOP = 20;

export function addClean(command: Command): void {
  command
    .argument('<data>', 'a folder of images, a CSV file that lists them, a file of rows, or a data set by name')
    .option('--out <folder>', 'where scores.csv, odd.csv, clean.json, clean.html and maps go')
    .option('--top <n>', `show so many (default: ${TOP}, or all that stand out)`, integer('--top', 1))
    .option('--unlabelled', 'rank all items, whatever their labels, as MuSc does: no normal set at all')
    .option('--size <n|HxW>', 'bring image files to this height and width (default: 256x256)', imageSize)
    .option('--backbone <name>', 'the pretrained network that compares images (default: oddity)')
    .option(
      '--references <n>',
      'others that each is compared with at most (default: 32 images, 5000 rows)',
      integer('--references', 8),
    );
  addRunFlags(command, obeyed);
  addSpeech(command);
  act(command, async (terminal, options: Options, data: string) => {
    const { top, unlabelled, backbone, references, out, size, ...others } = options;
    const run = optionsFrom(givenFlags(others));
    const { listener: onEvent, signal } = terminal;
    const { clean } = await engine();
    const result = await clean({ ...run, data, size, unlabelled, backbone, references, out, onEvent, signal });
    terminal.answer(result, cleanText(result, top));
  });
}

function cleanText({ data, kind, counts, cut, ranked, metrics, seconds, files }: CleanResult, top?: number): string {
  const { item, items } = findKind(kind).words;
  const shown = ranked.slice(0, top ?? Math.max(TOP, counts.odd));
  const withColumns = shown.some(({ columns }) => columns);
  const rows = shown.map(({ id, score, isOdd, columns = [] }) => [
    score.toPrecision(4),
    isOdd ? 'leave out' : '',
    id,
    ...(withColumns ? [columns.slice(0, 3).map(reasonText).join('; ')] : []),
  ]);
  const said =
    cut === null
      ? `The scores of most ${items} are equal: no cut can be suggested.`
      : `${counts.odd} of ${counts.items} ${items} stand out above ${cut.toPrecision(4)}, the suggested cut.`;
  const measured = headlineMetrics.flatMap(({ title, name }) =>
    metrics?.[name] === undefined ? [] : [`${title} ${fixed(metrics[name])}`],
  );
  const hidden = ranked.length - shown.length;
  const rest = hidden > 0 ? `\nand ${hidden} with lower scores (--top ${ranked.length} shows all)` : '';
  const without = files && ['oddity', 'train', '--data', data, '--exclude', files.odd].map(quoted).join(' ');
  return [
    `${data}: ${counts.items} ${items} compared with one another in ${duration(seconds)}. ${said}`,
    `${table(['score', '', item, ...(withColumns ? ['columns'] : [])], rows, [0])}${rest}`,
    ...(measured.length > 0 ? [`Against the labels: ${measured.join(', ')}.`] : []),
    ...(files ? [`Pictures and list: ${files.page}`] : []),
    ...(counts.odd > 0
      ? [
          without
            ? `Look at them, take lines out of ${files.odd} that are fine, and train without the others:\n  ${without}`
            : 'Nothing was changed. --out <folder> writes the list for train --exclude, and a page with pictures.',
        ]
      : []),
  ].join('\n\n');
}
