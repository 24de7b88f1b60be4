/**
 * UCR Anomaly Archive: 250 series with one anomaly each (Wu and Keogh, TKDE 2021). The name of a file says where training ends
 * and where the anomaly lies: `135_UCR_Anomaly_InternalBleeding16_1200_4187_4199.txt`. Found on this machine, never downloaded.
 * Node only.
 */
import { basename, join } from 'node:path';
import type { Series } from '../../../series/series.ts';
import { absentData, findFiles } from '../dataset.ts';
import {
  fileNames,
  labelsIn,
  readNumbers,
  requireCategory,
  requireTrain,
  type SeriesDataset,
} from './series-dataset.ts';

/** Numbers that end a name: end of training, begin and end of the anomaly. */
const shape = /_(\d+)_(\d+)_(\d+)\.txt(\.gz)?$/;

const filesAt = (root: string) => fileNames(join(root, 'ucr_anomaly')).filter(isUcrName);
const numberOf = (name: string) => /^\d+/.exec(name)?.[0] ?? name;

/** UCR, from `<root>/ucr_anomaly/<number>_…txt`; `ucr/135` is found by the number. */
export const ucr: SeriesDataset = {
  name: 'ucr',
  title: 'UCR Anomaly Archive',
  licence: 'free for research; cite Wu and Keogh 2021',
  origin: 'Wu and Keogh 2021, https://www.cs.ucr.edu/~eamonn/time_series_data_2018/',
  example: '135',
  categoriesAt: (root) => filesAt(root).map(numberOf),
  async read(category, root) {
    requireCategory(ucr, category, root);
    const folder = join(root, 'ucr_anomaly');
    const name = filesAt(root).find((file) => numberOf(file) === category);
    const paths = name === undefined ? undefined : findFiles([folder], [name]);
    if (!paths)
      throw absentData(
        `ucr/${category}`,
        `${category}_<name>_<end of training>_<begin>_<end>.txt`,
        [folder],
        ucr.origin,
      );
    return { series: [await readUcr(paths[0])], title: `${ucr.title}: ${category}`, licence: ucr.licence };
  },
};

/** True for a name of the archive: training ends before the anomaly, which ends behind its begin. */
export function isUcrName(path: string): boolean {
  const found = shape.exec(basename(path));
  if (!found) return false;
  const [train, begin, end] = found.slice(1, 4).map(Number);
  return train >= 10 && train <= begin && begin <= end;
}

/**
 * Reads a file by its name: steps count from 0, the end of the anomaly is not in it, as the archive's readers have it.
 * @throws DataError `not-numbers`, `train-end`, `label-interval`.
 */
export async function readUcr(path: string): Promise<Series> {
  const id = basename(path).replace(/\.txt(\.gz)?$/, '');
  const [train, begin, end] = (shape.exec(basename(path)) ?? []).slice(1, 4).map(Number);
  const values = await readNumbers(path);
  return {
    ...{ id, channels: ['value'], values },
    rows: values.length > 0 ? Uint32Array.from(values, (_, t) => t + 1) : new Uint32Array(),
    train: requireTrain(values.length, train, basename(path)),
    labels: labelsIn(values.length, [[begin, Math.max(end, begin + 1)]], basename(path)),
  };
}
