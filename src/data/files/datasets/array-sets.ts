/**
 * Collections of small tables as arrays `X` and `y` (1 = anomaly): ODDS in MATLAB files, the classical sets of ADBench in
 * NumPy archives. They name no columns. Found on this machine, never downloaded. Node only.
 */
import { join } from 'node:path';
import { DataError } from '../../../core/errors.ts';
import type { Source } from '../../item.ts';
import { tableSource } from '../../table/source.ts';
import { readTable } from '../../table/table.ts';
import { openRows } from '../open-rows.ts';
import { absentData, type Dataset, findFiles } from './dataset.ts';

/** Files by category. */
const oddsFiles = { arrhythmia: 'arrhythmia.mat', cardio: 'cardio.mat', glass: 'glass.mat', lympho: 'lympho.mat' };
const adbenchFiles = {
  breastw: '4_breastw.npz',
  cardio: '6_cardio.npz',
  glass: '14_glass.npz',
  ionosphere: '18_Ionosphere.npz',
  lymphography: '21_Lymphography.npz',
  mammography: '23_mammography.npz',
  pima: '29_Pima.npz',
  'satimage-2': '31_satimage-2.npz',
  shuttle: '32_shuttle.npz',
  thyroid: '38_thyroid.npz',
  vowels: '40_vowels.npz',
  wbc: '42_WBC.npz',
  wdbc: '43_WDBC.npz',
  wine: '45_wine.npz',
};

/** ODDS (Rayana, 2016), from `<root>/odds/<name>.mat`. */
export const odds: Dataset = {
  name: 'odds',
  kind: 'table',
  title: 'ODDS: outlier detection data sets',
  licence: 'that of the original data, mostly UCI (CC BY 4.0)',
  origin: 'Rayana 2016, https://odds.cs.stonybrook.edu',
  protocol: 'half',
  categories: Object.keys(oddsFiles),
  load: ({ root, category = 'arrhythmia' }) => loadArrays(odds, category, join(root, 'odds'), oddsFiles),
};

/** The classical sets of ADBench (Han et al., NeurIPS 2022), from `<root>/adbench_classical/<number>_<Name>.npz`. */
export const adbench: Dataset = {
  name: 'adbench',
  kind: 'table',
  title: 'ADBench, classical tables',
  licence: 'BSD-2-Clause (ADBench); the original data have licences of their own',
  origin: 'Han et al. 2022, https://github.com/Minqi824/ADBench',
  protocol: 'half',
  categories: Object.keys(adbenchFiles),
  load: ({ root, category = 'breastw' }) =>
    loadArrays(adbench, category, join(root, 'adbench_classical'), adbenchFiles),
};

/** Arrhythmia of ODDS (452 heartbeats, 274 measures, 66 anomalies) under the protocol of DAGMM and ALAD. */
export const arrhythmia: Dataset = {
  ...odds,
  name: 'arrhythmia',
  title: 'Arrhythmia (ODDS)',
  protocol: 'arrhythmia',
  preset: 'arrhythmia',
  categories: undefined,
  load: ({ root }) => loadArrays(arrhythmia, 'arrhythmia', join(root, 'odds'), oddsFiles),
};

async function loadArrays(
  { name, title, licence, origin, categories }: Dataset,
  category: string,
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<Source> {
  const file = files[category];
  const paths = findFiles([folder], [file]);
  if (!paths) throw absentData(`${name}:${category}`, file, [folder], origin);
  const raw = await openRows(paths[0]);
  // Nothing is decided by the cells: the sets are taken as they were published.
  const columns = Object.fromEntries(
    raw.heads.filter((name) => name !== 'y').map((name) => [name, 'numeric' as const]),
  );
  const { table, classes, labels, normalClass } = readTable(raw, { columns });
  if (normalClass === undefined || classes.length !== 2 || !raw.heads.includes('y')) {
    throw new DataError('count-mismatch', `${raw.file} must hold y with 0 or 1 for each row. Fetch it again.`);
  }
  return tableSource({
    name: categories ? `${name}:${category}` : name,
    title: categories ? `${title}: ${category}` : title,
    licence,
    classes,
    normalClass,
    table,
    labels,
  });
}
