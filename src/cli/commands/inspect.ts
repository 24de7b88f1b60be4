/** `oddity inspect <path>`: what a data set of image files or of rows holds, and what is wrong with it. */
import type { Command } from 'commander';
import { unknownName } from '../../core/errors.ts';
import { readPair } from '../../core/schema.ts';
import { write } from '../../core/text.ts';
import { visible } from '../../core/visible.ts';
import {
  type ClipsInspection,
  type ColumnFacts,
  type ColumnKind,
  dataPath,
  dataRoot,
  datasets,
  findDataset,
  inspect,
  inspectClips,
  inspectRows,
  inspectSeries,
  isOfClips,
  isOfRows,
  type RowsInspection,
  type SeriesInspection,
} from '../../data/index.ts';
import { act } from '../act.ts';
import { FAULTS_FOUND } from '../exit-codes.ts';
import { addSpeech, commaList, integer } from '../options.ts';
import { table } from '../render.ts';
import type { SpeechOptions } from '../terminal.ts';
import { commandWords } from '../words.ts';

interface Options extends SpeechOptions {
  readonly normal?: string[];
  readonly abnormal?: string[];
  readonly mask?: string[];
  readonly maxPixels?: number;
  readonly all?: boolean;
  readonly column?: Readonly<Record<string, ColumnKind>>;
  readonly label?: string;
  readonly missing?: string[];
  readonly decimal?: '.' | ',';
  readonly kind?: 'series' | 'table' | 'clip';
}

/** Columns that are shown of a table; `--all` and `--json` give the rest. */
const SHOWN_COLUMNS = 100;

/** Files that are shown of a finding; `--all` and `--json` give the rest. */
const SHOWN = 5;

export function addInspect(command: Command): void {
  command
    .argument(
      '<path>',
      'a folder of images or of files of rows, a CSV file of image paths, a file of rows, a set of series by name, clips',
    )
    .option(
      '--normal <names>',
      'folders of normal images (default: good, ok, normal, …); labels of normal rows',
      commaList,
    )
    .option('--abnormal <names>', 'folders of anomalous images (default: all others)', commaList)
    .option('--mask <names>', 'folders of masks (default: ground_truth, mask, …)', commaList)
    .option('--max-pixels <n>', 'refuse image files with more pixels (default: 100000000)', integer('--max-pixels', 1))
    .option('--column <name=kind>', 'what a column of rows is, as in train; may be repeated', pair, {})
    .option('--label <column>', 'the column of labels in a file of rows')
    .option('--missing <words>', 'further texts that mean a missing value in a file of rows', commaList)
    .option('--decimal <mark>', 'decimal mark of a file of rows: . or ,')
    .option('--kind <kind>', 'what the rows of a file are: series or table, or clip, as in train', kind)
    .option('--all', `name every file of a finding, not ${SHOWN}`);
  addSpeech(command);
  act(command, async (terminal, options: Options, path: string) => {
    const { normal, abnormal, mask, maxPixels, all = false } = options;
    const { listener: onEvent, signal } = terminal;
    const columns = columnsOf(options);
    if (isSetOfSeries(path)) {
      const source = await findDataset(path).load({ root: dataRoot(), onEvent, signal });
      const found = inspectSeries(source);
      if (found) {
        terminal.answer(found, tellSeries(found, all ? found.channels.length : SHOWN_COLUMNS));
        return 0;
      }
    }
    if (options.kind === 'clip' || (options.kind === undefined && (await isOfClips(path)))) {
      const found = await inspectClips(path, { maxPixels, onEvent, signal });
      terminal.answer(found, tellClips(found, all ? found.clips.length : SHOWN_COLUMNS));
      return 0;
    }
    if (await isOfRows(path, { columns })) {
      const { missing, decimal, kind } = options;
      const found = await inspectRows(path, {
        columns,
        missing,
        decimal,
        kind,
        ...(normal && { folderNames: { normal } }),
      });
      terminal.answer(found, tellRows(found, all ? found.columns.length : SHOWN_COLUMNS));
      return found.errors > 0 ? FAULTS_FOUND : 0;
    }
    const found = await inspect({ path, normal, abnormal, mask, maxPixels, onEvent, signal });
    const { findings, errors, warnings, notes, sizes, modes } = found;
    const facts = [found.explanation, `sizes: ${briefly(sizes)}`, `modes: ${briefly(modes)}`];
    const remarks = findings.map(({ severity, check, message, advice, paths, remarks }) => {
      const shown = all ? paths : paths.slice(0, SHOWN);
      const files = shown.map((file, i) => `    ${visible(file)}${remarks ? `  (${visible(remarks[i])})` : ''}`);
      if (shown.length < paths.length) files.push(`    and ${paths.length - shown.length} more (--all shows them)`);
      return [`${severity} ${check}: ${message} ${advice}`.trimEnd(), ...files].join('\n');
    });
    const total = `${amount(errors, 'error')}, ${amount(warnings, 'warning')}, ${amount(notes, 'note')}.`;
    terminal.answer(found, [facts.join('\n'), ...remarks, total].join('\n\n'));
    return errors > 0 ? FAULTS_FOUND : 0;
  });
}

/** Whether a name is that of a set of series, and no path. */
const isSetOfSeries = (name: string) =>
  dataPath(name) === undefined && datasets.some((d) => d.kind === 'series' && d.name === name.split(/[/:]/)[0]);

function kind(text: string): 'series' | 'table' | 'clip' {
  if (text === 'series' || text === 'table' || text === 'clip') return text;
  throw unknownName('kind', text, ['series', 'table', 'clip']);
}

/** `name=kind`, added to those before. */
const pair = (text: string, before: Readonly<Record<string, ColumnKind>>) =>
  readPair(text, before, 'columns', ['amount', 'numeric']) as typeof before;

/** What the flags say of columns; undefined for nothing. */
function columnsOf({ column = {}, label }: Options): Readonly<Record<string, ColumnKind>> | undefined {
  const columns = { ...column, ...(label !== undefined && { [label]: 'label' as const }) };
  return Object.keys(columns).length > 0 ? columns : undefined;
}

/** Clips as a line each. */
function tellClips({ name, classes, clips }: ClipsInspection, most: number): string {
  const frames = clips.reduce((n, clip) => n + clip.frames, 0);
  const train = clips.reduce((n, clip) => n + clip.train, 0);
  const kinds = classes.length > 2 ? `; kinds of anomalies: ${classes.slice(1).join(', ')}` : '';
  const head = `${name}: ${amount(clips.length, 'clip')} of ${amount(frames, 'frame')}; ${train} are for training${kinds}.`;
  const rows = clips
    .slice(0, most)
    .map(({ id, frames: count, height, width, rate, train: own, segments, anomalous }) => [
      visible(id),
      String(count),
      `${height}x${width}`,
      rate === undefined ? '' : String(Number(rate.toFixed(3))),
      own === 0 ? 'test' : own === count ? 'train' : `first ${own} train`,
      anomalous === undefined ? '' : `${anomalous} in ${segments}`,
    ]);
  const hidden = clips.length - rows.length;
  const more = hidden > 0 ? `\nand ${hidden} more (--all shows them)` : '';
  return `${head}\n\n${table(['clip', 'frames', 'size', 'a second', 'part', 'anomalous frames in stretches'], rows, [1, 3])}${more}`;
}

/** A set of series as a line for each channel. */
function tellSeries({ explanation, channels }: SeriesInspection, most: number): string {
  const short = (value: number) => String(Number(value.toPrecision(5)));
  const rows = channels
    .slice(0, most)
    .map(({ name, range, mean }) => [
      name,
      `${short(range[0])} to ${short(range[1])}`,
      short(mean),
      range[0] === range[1] ? 'constant' : '',
    ]);
  const hidden = channels.length - rows.length;
  const more = hidden > 0 ? `\nand ${hidden} more (--all shows them)` : '';
  return `${explanation}\n\n${table(['channel', 'values', 'mean', ''], rows, [2])}${more}`;
}

/** A table as a line for each column, and the findings. */
function tellRows({ explanation, columns, findings, errors, warnings }: RowsInspection, most: number): string {
  const rows = columns
    .slice(0, most)
    .map((column) => [
      column.name,
      column.kind === 'ignore' ? 'left out' : column.kind,
      column.content,
      column.missing > 0 ? String(column.missing) : '',
      String(column.distinct),
      valuesOf(column),
      column.why ?? '',
    ]);
  const head = ['column', 'in training', 'holds', 'missing', 'distinct', 'values', 'why'];
  const remarks = findings.map(({ severity, code, text }) => `${severity} ${code}: ${write(text, commandWords)}`);
  const total = `${amount(errors, 'error')}, ${amount(warnings, 'warning')}.`;
  const hidden = columns.length - rows.length;
  const more = hidden > 0 ? `\nand ${hidden} more (--all shows them)` : '';
  return [explanation, `${table(head, rows, [3, 4])}${more}`, ...remarks, total].join('\n\n');
}

/** `0.3 to 41, such as 20.1` of numbers; else some values. */
function valuesOf({ range, examples, content }: ColumnFacts): string {
  const some = examples.slice(0, 3).map((text) => (text.length > 24 ? `${text.slice(0, 23)}…` : text));
  if (!range || content === 'times' || some.length === 0) return some.join(', ');
  const short = (value: number) => String(Number(value.toPrecision(5)));
  return `${short(range[0])} to ${short(range[1])}, such as ${some[0]}`;
}

const amount = (n: number, thing: string) => `${n} ${thing}${n === 1 ? '' : 's'}`;

/** The first six: `800x600 (120), 640x480 (3)`. */
function briefly(tally: Readonly<Record<string, number>>): string {
  const all = Object.entries(tally).map(([name, n]) => `${name} (${n})`);
  if (all.length === 0) return 'none';
  return `${all.slice(0, 6).join(', ')}${all.length > 6 ? ` and ${all.length - 6} more` : ''}`;
}
