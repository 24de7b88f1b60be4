/** Sets of series that oddity knows by name, and files of series whose names say how to read them. Node only. */
import type { Source } from '../../../item.ts';
import type { Series } from '../../../series/series.ts';
import type { Dataset, LoadOptions } from '../dataset.ts';
import type { TableChoice } from '../rows.ts';
import { nab } from './nab.ts';
import { namedSet, sourceOfFile } from './named-sets.ts';
import type { SeriesDataset } from './series-dataset.ts';
import { skab } from './skab.ts';
import { smap } from './smap.ts';
import { smd } from './smd.ts';
import { isTsbAdName, readTsbAd, tsbAd } from './tsb-ad.ts';
import { isUcrName, readUcr, ucr } from './ucr.ts';

export type { SeriesDataset, SeriesSet } from './series-dataset.ts';

/** In the order lists show them. */
export const seriesDatasets: readonly SeriesDataset[] = [nab, ucr, skab, smd, smap, tsbAd];

/** The same as data sets with categories. */
export const seriesSets: readonly Dataset[] = seriesDatasets.map(namedSet);

/** True for names as TSB-AD and UCR write them, which say where training ends and, for UCR, where the anomaly lies. */
export const isNamedSeries = (path: string): boolean => isTsbAdName(path) || isUcrName(path);

/** The same, unless the caller says what the rows or columns of the file are. */
export const isReadByName = (path: string, { kind, columns, missing, decimal }: TableChoice): boolean =>
  isNamedSeries(path) && kind !== 'table' && !columns && !missing && !decimal;

/**
 * Reads a file with such a name, with its labels and its training part; undefined for other names.
 * @throws DataError `not-numbers`, `train-end`, `label-interval`, `missing-column`, those of `openRows`.
 */
export async function readNamedSeries(path: string): Promise<Series | undefined> {
  if (isTsbAdName(path)) return readTsbAd(path);
  return isUcrName(path) ? readUcr(path) : undefined;
}

/** A file that is read by its name, as a source; undefined for other files. Throws as `readNamedSeries`. */
export async function namedSeriesSource(path: string, options: LoadOptions): Promise<Source | undefined> {
  const series = isReadByName(path, options) ? await readNamedSeries(path) : undefined;
  return series && sourceOfFile(path, series, options);
}
