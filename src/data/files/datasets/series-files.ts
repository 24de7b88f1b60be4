/** Files of rows as series: one file one series, a folder of files with the same channels several. Node only. */
import { basename, relative } from 'node:path';
import { messageOf, silent, warning } from '../../../core/events.ts';
import { libraryWords, option, type Said, say, write } from '../../../core/text.ts';
import type { Source } from '../../item.ts';
import { seriesFromTable } from '../../series/from-rows.ts';
import { regular, type SeriesRemark } from '../../series/regular.ts';
import { type Series, stepsOf } from '../../series/series.ts';
import { seriesSource } from '../../series/source.ts';
import type { TableEncoding } from '../../table/encoding.ts';
import { isSeries } from '../../table/remarks.ts';
import type { Rows } from '../../table/rows.ts';
import { type LabelledTable, readTable, type TableOptions } from '../../table/table.ts';
import { durationText, timeText } from '../../table/times.ts';
import { openRows } from '../open-rows.ts';
import type { LoadOptions } from './dataset.ts';

/** Whether the rows of a file that was understood are taken as the steps of a series. */
export const isTakenAsSeries = (read: LabelledTable, { kind, ofRows }: Pick<LoadOptions, 'kind' | 'ofRows'>): boolean =>
  kind === 'series' || (kind === undefined && !ofRows && isSeries(read));

/**
 * The series of files as a source; `first` is what was understood of the first of them. Everything that was done to them is
 * told. Throws as `readTable`, `seriesFromTable`, `regular` and `seriesSource`.
 */
export async function seriesOfFiles(
  path: string,
  files: readonly string[],
  { first, table }: { readonly first: LabelledTable; readonly table: TableOptions },
  options: LoadOptions,
): Promise<Source> {
  const { onEvent = silent, gaps, step, window, trainShare, parts } = options;
  const tellRemarks = teller(files.length, (code, message) => onEvent(warning(code, message)));
  const all: Series[] = [];
  for (const [i, file] of files.entries()) {
    const read = i === 0 ? first : readTable(await openRows(file), table);
    const id = files.length === 1 ? basename(file) : relative(path, file);
    const made = seriesFromTable(read, { id });
    const even = regular(made.series, { gaps, step });
    tellRemarks([...made.remarks, ...even.remarks]);
    onEvent({ type: 'log', level: 'info', message: describe(even.series) });
    all.push(even.series);
  }
  const name = basename(path);
  const source = await seriesSource({
    name,
    title: files.length === 1 ? `Series of ${name}` : `${files.length} series of ${name}`,
    licence: 'that of the data',
    series: all,
    window,
    trainShare,
    parts,
  });
  onEvent({ type: 'log', level: 'info', ...messageOf(describeWindows(source)) });
  return source;
}

/**
 * A file as a series for a detector: the columns of its encoding are the channels, read as in training; missing values and
 * steps are interpolated. Throws as `openRows`, `readTable` and `seriesFromTable`.
 */
export async function openSeries(
  path: string,
  encoding: TableEncoding | undefined,
): Promise<{ series: Series; remarks: readonly SeriesRemark[] }> {
  return seriesOfRows(await openRows(path), encoding);
}

/** Rows as a series for a detector. Throws as `openSeries`. */
export function seriesOfRows(
  rows: Rows,
  encoding: TableEncoding | undefined,
): { series: Series; remarks: readonly SeriesRemark[] } {
  const channels = encoding?.columns.map(({ name }) => name) ?? [];
  const columns = Object.fromEntries(
    channels.filter((name) => rows.heads.includes(name)).map((name) => [name, 'numeric' as const]),
  );
  const made = seriesFromTable(readTable(rows, { columns, ...encoding?.reading, kind: 'series' }));
  const even = regular(made.series);
  const told = made.remarks.filter(({ code }) => !aboutColumns.has(code));
  return { series: even.series, remarks: [...told, ...even.remarks] };
}

/** Remarks that matter to training alone. */
const aboutColumns = new Set([
  'columns-left-out',
  'labels-found',
  'perhaps-labels',
  'gives-labels-away',
  'texts-left-out',
]);

/** What training would make of a file as a series: sentences and remarks. Throws as `seriesFromTable` and `seriesSource`. */
export async function describeSeries(
  path: string,
  read: LabelledTable,
  { gaps, step, window }: Pick<LoadOptions, 'gaps' | 'step' | 'window'>,
): Promise<{ lines: readonly string[]; remarks: readonly SeriesRemark[] }> {
  const name = basename(path);
  const made = seriesFromTable(read, { id: name });
  const even = regular(made.series, { gaps, step });
  const source = await seriesSource({ name, title: name, licence: 'that of the data', series: [even.series], window });
  const lines = [describe(even.series), write(describeWindows(source, false), libraryWords)];
  return { lines, remarks: [...made.remarks, ...even.remarks] };
}

/** Of many files, each kind of remark once, with the number of others that have it. */
function teller(files: number, tell: (code: string, message: Said) => void) {
  const told = new Map<string, number>();
  return (remarks: readonly SeriesRemark[]) => {
    for (const { code, message } of remarks) {
      const count = (told.get(code) ?? 0) + 1;
      told.set(code, count);
      if (count === 1)
        tell(code, files > 1 ? say`${message} Other files of the folder may have the same; it is told once.` : message);
    }
  };
}

/** `a.csv: a series of 22695 steps of 5 minutes, 2013-12-02 21:15 to 2014-02-19 15:25, of 1 channel.` */
function describe(series: Series): string {
  const { id, channels, times, labels } = series;
  const steps = stepsOf(series);
  const usual =
    times && times.length > 1
      ? [...times.subarray(1).map((time, i) => time - times[i])].sort((a, b) => a - b)[(steps - 1) >> 1]
      : undefined;
  const length = usual === undefined ? '' : ` of ${durationText(usual)}`;
  const range = times ? `, ${timeText(times[0])} to ${timeText(times[steps - 1])}` : '';
  const anomalous = labels?.reduce((n, y) => n + y, 0);
  const marked = anomalous === undefined ? 'no labels' : `${anomalous} steps labelled anomalous`;
  return `${id}: a series of ${steps} steps${length}${range}, of ${channels.length} ${channels.length === 1 ? 'channel' : 'channels'}; ${marked}.`;
}

/** How steps are seen; `inspect` has no options to name. */
export function describeWindows({ name, series }: Source, namesOptions = true): Said {
  const { window, windowFrom, spans } = series!;
  const another = namesOptions ? say`; another with ${option('window', '<steps>')}` : '';
  const why = windowFrom === 'autocorrelation' ? say` (its period by autocorrelation${another})` : '';
  const train = spans.reduce((n, span) => n + span.train, 0);
  const steps = spans.reduce((n, span) => n + span.steps, 0);
  return say`${name}: windows of ${window} steps${why}; ${train} of ${steps} steps are for training.`;
}
