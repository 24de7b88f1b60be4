/**
 * Telemetry of the satellite SMAP and the rover MSL: a measure and the commands that were sent, one-hot; a normal series and one
 * to judge for each channel (Hundman et al., KDD 2018). Found on this machine, never downloaded. Node only.
 */
import { join } from 'node:path';
import { DataError } from '../../../../core/errors.ts';
import { openRows } from '../../open-rows.ts';
import { absentData, findFiles } from '../dataset.ts';
import { fileNames, labelsIn, requireCategory, type SeriesDataset } from './series-dataset.ts';
import { readMatrix, trainAndTest } from './smd.ts';

const list = 'labeled_anomalies.csv';

/** SMAP and MSL, from `<root>/smap_msl/{train,test}/<channel>.npy`: `smap/P-1` are two series, `train` and `test`. */
export const smap: SeriesDataset = {
  name: 'smap',
  title: 'SMAP and MSL telemetry',
  licence: 'not stated; cite Hundman et al. 2018',
  origin: 'Hundman et al. 2018, https://github.com/khundman/telemanom',
  example: 'P-1',
  categoriesAt: (root) =>
    fileNames(join(root, 'smap_msl', 'test')).flatMap((name) => (name.endsWith('.npy') ? [name.slice(0, -4)] : [])),
  async read(category, root) {
    requireCategory(smap, category, root);
    const top = join(root, 'smap_msl');
    const files = [join('train', `${category}.npy`), join('test', `${category}.npy`), list];
    const paths = findFiles([top], files);
    if (!paths) throw absentData(`smap/${category}`, files.join(', '), [top], smap.origin);
    const [train, test] = [await readMatrix(paths[0]), await readMatrix(paths[1])];
    const { craft, sequences } = await anomaliesOf(paths[2], category);
    const intervals = sequences.map(([first, last]) => [first, last + 1] as const);
    const labels = labelsIn(test.steps, intervals, `smap/${category}`);
    const channels = Array.from({ length: test.width }, (_, d) => (d === 0 ? 'telemetry' : `command ${d}`));
    return {
      series: trainAndTest(category, channels, train, { ...test, labels }),
      title: `${smap.title}: ${category} of ${craft}`,
      licence: smap.licence,
    };
  },
};

/** The first and last steps of a channel's anomalies; some channels have two rows in the list. */
async function anomaliesOf(path: string, channel: string) {
  const raw = await openRows(path);
  const column = (name: string) => {
    const at = raw.heads.indexOf(name);
    if (at < 0) throw new DataError('missing-column', `${path} must have a column ${name}. Fetch it again.`);
    const { values, code } = raw.texts(at);
    return (row: number) => values[code(row)];
  };
  const [name, craft, sequences] = [column('chan_id'), column('spacecraft'), column('anomaly_sequences')];
  const rows = Array.from({ length: raw.rows }, (_, r) => r).filter((r) => name(r) === channel);
  const found = rows.flatMap((r) => [...sequences(r).matchAll(/\[\s*(\d+)\s*,\s*(\d+)\s*\]/g)]);
  if (found.length === 0) {
    throw new DataError('labels', `${path} must list the anomalies of ${channel}, but has none of it. Fetch it again.`);
  }
  return { craft: craft(rows[0]), sequences: found.map(([, first, last]) => [Number(first), Number(last)] as const) };
}
