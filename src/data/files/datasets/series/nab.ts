/**
 * Numenta Anomaly Benchmark: 58 short series with times and windows around what happened (Lavin and Ahmad, ICMLA 2015). The
 * first 15 % of each are its probation, in which nothing is judged; here they are for training. Found on this machine, never
 * downloaded. Node only.
 */
import { join } from 'node:path';
import { DataError } from '../../../../core/errors.ts';
import { stepsOf } from '../../../series/series.ts';
import { readInput } from '../../read-input.ts';
import { absentData, findFiles } from '../dataset.ts';
import { fileNames, labelsIn, readColumns, requireCategory, type SeriesDataset } from './series-dataset.ts';

const windowsFile = 'combined_windows.json';

/** NAB, from `<root>/nab/data/<folder>/<file>.csv` and `<root>/nab/labels/combined_windows.json`. */
export const nab: SeriesDataset = {
  name: 'nab',
  title: 'Numenta Anomaly Benchmark',
  licence: 'MIT',
  origin: 'Lavin and Ahmad 2015, https://github.com/numenta/NAB',
  example: 'nyc_taxi',
  categoriesAt: (root) =>
    fileNames(join(root, 'nab', 'data')).flatMap((folder) =>
      fileNames(join(root, 'nab', 'data', folder)).flatMap((name) =>
        name.endsWith('.csv') ? [name.slice(0, -4)] : [],
      ),
    ),
  async read(category, root) {
    requireCategory(nab, category, root);
    const { windows, written, ...series } = await readNabFile(category, root);
    const steps = stepsOf(series);
    const intervals = windows.map(
      ([from, to]) => [written.findIndex((time) => time >= from), behind(written, to)] as const,
    );
    const labels = labelsIn(steps, intervals, `nab/${category}`);
    return {
      series: [{ ...series, labels, train: Math.floor(0.15 * steps) }],
      title: `${nab.title}: ${category}`,
      licence: nab.licence,
    };
  },
};

/** The step behind the last whose time is at most `to`. */
export const behind = (times: Float64Array, to: number): number => times.findLastIndex((time) => time <= to) + 1;

/** A file of NAB without labels, and its windows `[first, last]` in milliseconds. `written` are the times of the file. */
export async function readNabFile(name: string, root: string) {
  const top = join(root, 'nab', 'data');
  const folders = fileNames(top);
  const paths = findFiles(
    folders.map((folder) => join(top, folder)),
    [`${name}.csv`],
  );
  const at = findFiles([join(root, 'nab', 'labels')], [windowsFile]);
  if (!paths || !at) {
    const file = paths ? `labels/${windowsFile}` : `data/<folder>/${name}.csv`;
    throw absentData(`nab/${name}`, file, [join(root, 'nab')], nab.origin);
  }
  const windows = windowsOf(await readInput(at[0], 'missing-data'), at[0], name);
  const { written = new Float64Array(), ...series } = await readColumns(paths[0], name, { time: 'timestamp' });
  return { ...series, written, windows };
}

function windowsOf(bytes: Uint8Array, path: string, name: string): (readonly [number, number])[] {
  const read = (): unknown => JSON.parse(new TextDecoder().decode(bytes));
  try {
    const all = read() as Record<string, [string, string][]>;
    const key = Object.keys(all).find((file) => file.endsWith(`/${name}.csv`));
    const windows = key === undefined ? undefined : all[key].map(([from, to]) => [timeOf(from), timeOf(to)] as const);
    if (windows?.every((times) => times.every(Number.isFinite))) return windows;
  } catch {
    // Told below.
  }
  throw new DataError('labels', `${path} must hold windows of times for ${name}.csv. Fetch it again.`);
}

const timeOf = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`);
