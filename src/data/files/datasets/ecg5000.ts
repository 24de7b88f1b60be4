/**
 * ECG5000: heartbeats of one patient, 140 values each, in five classes of which the first is normal (PhysioNet BIDMC, record
 * chf07; UCR archive). A whole beat has one label, so that a beat is an item: a row of its values at equal places of the beat, not
 * a step of a series. Found on this machine, never downloaded. Node only.
 */
import { join } from 'node:path';
import { DataError } from '../../../core/errors.ts';
import { readNpy } from '../../formats/npy.ts';
import type { Part } from '../../item.ts';
import { tableSource } from '../../table/source.ts';
import { readInput } from '../read-input.ts';
import { absentData, type Dataset, findFiles } from './dataset.ts';
import { readNumbers } from './series/series-dataset.ts';

const VALUES = 140;
const classes = ['normal', 'R-on-T premature', 'premature', 'supraventricular', 'unclassified'];
/** Of the official test part a carrier may lack its first beat. */
const tests = ['ECG5000_TEST.txt', 'ECG5000_TEST_4499rows.npy'];

/** ECG5000, from `<root>/ecg5000/ECG5000_TRAIN.txt` and `ECG5000_TEST.txt`, or the test part as an array. */
export const ecg5000: Dataset = {
  name: 'ecg5000',
  kind: 'table',
  title: 'ECG5000: heartbeats',
  licence: 'free for research; cite Dau et al. 2019',
  origin: 'UCR archive, https://www.timeseriesclassification.com/description.php?Dataset=ECG5000',
  protocol: 'folder',
  async load({ root }) {
    const folder = join(root, 'ecg5000');
    const train = findFiles([folder], ['ECG5000_TRAIN.txt'])?.[0];
    const test = tests.map((name) => findFiles([folder], [name])?.[0]).find((path) => path !== undefined);
    if (!train || !test)
      throw absentData('ecg5000', `ECG5000_TRAIN.txt and ${tests.join(' or ')}`, [folder], ecg5000.origin);
    const parts = [await readBeats(train), await readBeats(test)];
    const rows = parts.reduce((n, { labels }) => n + labels.length, 0);
    const cells = new Float64Array(rows * VALUES);
    cells.set(parts[0].cells);
    cells.set(parts[1].cells, parts[0].cells.length);
    const partOf = parts.flatMap(({ labels }, i) => Array.from(labels, (): Part => (i === 0 ? 'train' : 'test')));
    const { name, title, licence } = ecg5000;
    return tableSource({
      ...{ name, title, licence, classes, normalClass: 0 },
      table: {
        columns: Array.from({ length: VALUES }, (_, i) => ({ name: `t${i + 1}`, kind: 'numeric' })),
        rows,
        cells,
      },
      labels: parts.flatMap(({ labels }) => Array.from(labels)),
      parts: partOf,
      ids: parts.flatMap(({ labels }, i) => Array.from(labels, (_, r) => `${i === 0 ? 'train' : 'test'}/${r + 1}`)),
    });
  },
};

/** Rows of a class from 1 to 5 and the values of a beat. Throws DataError `beats` for other rows. */
async function readBeats(path: string): Promise<{ cells: Float64Array; labels: Uint8Array }> {
  const isText = /\.txt(\.gz)?$/.test(path);
  const all = isText ? await readNumbers(path) : (await readNpy(await readInput(path, 'missing-data'), path)).data;
  const rows = all.length / (VALUES + 1);
  const labels = new Uint8Array(Math.floor(rows));
  const cells = new Float64Array(labels.length * VALUES);
  for (let r = 0; r < labels.length; r++) {
    const from = r * (VALUES + 1);
    labels[r] = Number(all[from]) - 1;
    for (let i = 0; i < VALUES; i++) cells[r * VALUES + i] = Number(all[from + 1 + i]);
  }
  if (Number.isInteger(rows) && rows > 0 && labels.every((label) => label < classes.length)) return { cells, labels };
  throw new DataError(
    'beats',
    `${path} must hold rows of a class from 1 to ${classes.length} and ${VALUES} values, but has ${all.length} numbers. Fetch it again.`,
  );
}
