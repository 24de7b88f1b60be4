/** Sets of series as data sets with categories: `nab/nyc_taxi` is `nab:nyc_taxi`. Node only. */
import { silent, warning } from '../../../../core/events.ts';
import { type RegularOptions, regular } from '../../../series/regular.ts';
import type { Series } from '../../../series/series.ts';
import { seriesSource } from '../../../series/source.ts';
import { dataRoot } from '../../root.ts';
import type { Dataset, LoadOptions } from '../dataset.ts';
import type { SeriesDataset } from './series-dataset.ts';

/**
 * Steps are taken as published, so that figures can be compared: gaps are filled only where `gaps` or `step` is given, missing
 * values always. The categories are those of the files below the usual data root.
 */
export const namedSet = (dataset: SeriesDataset): Dataset => ({
  ...dataset,
  kind: 'series',
  protocol: 'prefix',
  get categories() {
    return dataset.categoriesAt(dataRoot());
  },
  async load(options: LoadOptions & RegularOptions & { readonly trainShare?: number }) {
    const { root, onEvent = silent, gaps, step, window, trainShare } = options;
    const category = options.category ?? dataset.categoriesAt(root)[0] ?? dataset.example;
    const { series, title, licence } = await dataset.read(category, root);
    const complete = series.map((one) => {
      const isAsPublished = gaps === undefined && step === undefined;
      const { series: made, remarks } = isAsPublished ? withoutGaps(one) : regular(one, { gaps, step });
      for (const { code, message } of remarks) onEvent(warning(code, message));
      return made;
    });
    return seriesSource({ name: `${dataset.name}:${category}`, title, licence, series: complete, window, trainShare });
  },
});

/** Fills missing values and leaves the steps as they are. */
function withoutGaps({ times, ...series }: Series) {
  const { series: made, remarks } = regular(series);
  return { series: { ...made, ...(times && { times }) }, remarks };
}
