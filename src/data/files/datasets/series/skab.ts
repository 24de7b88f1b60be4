/**
 * SKAB, Skoltech Anomaly Benchmark: a water pump with eight sensors, a step a second, with faults made on purpose (Katser and
 * Kozitsin 2020). Its authors train on the first 400 rows of each file. Found on this machine, never downloaded. Node only.
 */
import { join } from 'node:path';
import { stepsOf } from '../../../series/series.ts';
import { absentData, findFiles } from '../dataset.ts';
import { fileNames, readColumns, requireCategory, requireTrain, type SeriesDataset } from './series-dataset.ts';

const TRAIN = 400;
const normal = 'anomaly-free';
/** SKAB, from `<root>/skab/<folder>/<n>.csv`: `skab/valve1-0`; and `skab/anomaly-free`, which has no labels. */
export const skab: SeriesDataset = {
  name: 'skab',
  title: 'Skoltech Anomaly Benchmark',
  licence: 'GPL-3.0',
  origin: 'Katser and Kozitsin 2020, https://github.com/waico/SKAB',
  example: 'valve1-0',
  categoriesAt: (root) =>
    fileNames(join(root, 'skab')).flatMap((folder) =>
      fileNames(join(root, 'skab', folder)).flatMap((name) => {
        if (!name.endsWith('.csv')) return [];
        return [folder === normal ? normal : `${folder}-${name.slice(0, -4)}`];
      }),
    ),
  async read(category, root) {
    requireCategory(skab, category, root);
    const cut = category === normal ? category.length : category.lastIndexOf('-');
    const folder = join(root, 'skab', category.slice(0, cut));
    const file = category === normal ? `${normal}.csv` : `${category.slice(cut + 1)}.csv`;
    const paths = findFiles([folder], [file]);
    if (!paths) throw absentData(`skab/${category}`, file, [folder], skab.origin);
    const title = `${skab.title}: ${category}`;
    if (category === normal) {
      const { written: _, ...series } = await readColumns(paths[0], category, { time: 'datetime' });
      return { series: [{ ...series, labels: new Uint8Array(stepsOf(series)) }], title, licence: skab.licence };
    }
    const columns = { time: 'datetime', label: 'anomaly', others: ['changepoint'] };
    const { written: _, ...series } = await readColumns(paths[0], category, columns);
    const train = requireTrain(stepsOf(series), TRAIN, `skab/${category}`);
    return { series: [{ ...series, train }], title, licence: skab.licence };
  },
};
