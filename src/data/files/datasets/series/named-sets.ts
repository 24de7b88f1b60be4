/** Sets of series as data sets with categories – `nab/nyc_taxi` is `nab:nyc_taxi` – and files with telling names. Node only. */
import { basename } from 'node:path';
import { silent, warning } from '../../../../core/events.ts';
import type { Source } from '../../../item.ts';
import { regular } from '../../../series/regular.ts';
import type { Series } from '../../../series/series.ts';
import { seriesSource } from '../../../series/source.ts';
import { dataRoot } from '../../root.ts';
import type { Dataset, LoadOptions } from '../dataset.ts';
import type { SeriesDataset, SeriesSet } from './series-dataset.ts';

/** A set as a data set whose categories are those of the files below the usual data root. */
export const namedSet = (dataset: SeriesDataset): Dataset => ({
  ...dataset,
  kind: 'series',
  protocol: 'prefix',
  get categories() {
    return dataset.categoriesAt(dataRoot());
  },
  async load(options) {
    const category = options.category ?? dataset.categoriesAt(options.root)[0] ?? dataset.example;
    return sourceOfSet(`${dataset.name}:${category}`, await dataset.read(category, options.root), options);
  },
});

/** A file of one series as a source. */
export function sourceOfFile(path: string, series: Series, options: LoadOptions): Promise<Source> {
  const name = basename(path);
  return sourceOfSet(name, { series: [series], title: `Series of ${name}`, licence: 'that of the data' }, options);
}

/**
 * Steps are taken as published, so that figures can be compared: gaps are filled only where `gaps` or `step` is given, missing
 * values always.
 */
async function sourceOfSet(name: string, { series, title, licence }: SeriesSet, options: LoadOptions): Promise<Source> {
  const { onEvent = silent, gaps, step, window, trainShare, parts } = options;
  const isAsPublished = gaps === undefined && step === undefined;
  const complete = series.map((one) => {
    const { series: made, remarks } = isAsPublished ? withoutGaps(one) : regular(one, { gaps, step });
    for (const { code, message } of remarks) onEvent(warning(code, message));
    return made;
  });
  return seriesSource({ name, title, licence, series: complete, window, trainShare, parts });
}

/** Fills missing values and leaves the steps as they are. */
function withoutGaps({ times, ...series }: Series) {
  const { series: made, remarks } = regular(series);
  return { series: { ...made, ...(times && { times }) }, remarks };
}
