/** Benchmarks of tables. */
import type { Bench, BenchTable } from '../bench.ts';
import { arrhythmiaFigures, arrhythmiaPublicFigures, kddFigures } from '../published.ts';
import { entries, oracle, oracleNote, ranking, sigma } from './common.ts';

export const kddTable: BenchTable = {
  title: 'KDD99, 10 % file: attacks are the rule, normal connections the anomaly',
  protocol: 'kdd',
  kind: 'table',
  cases: [{ data: 'kddcup99-10' }],
  entries: [
    ...entries('egbad', 'alad', 'dagmm', 'ganomaly'),
    { model: 'anogan', split: { testLimit: 5000 } },
    ...entries('pca', 'knn', 'isolation-forest', 'mean-image'),
  ],
  metrics: oracle,
  preset: 'kdd',
  scaling: 'min-max',
  quickEpochs: 1,
  published: kddFigures,
  notes: [oracleNote, 'knn compares with a random 10,000 of the training rows.'],
};

/** Detectors of rows on some sets of ADBench. */
const adbenchTable = (title: string, names: readonly string[], note: string): BenchTable => ({
  title,
  protocol: 'half',
  kind: 'table',
  cases: names.map((name) => ({ data: `adbench:${name}` })),
  entries: [
    ...entries('ensemble', 'knn', 'lof', 'gmm', 'ocsvm', 'isolation-forest', 'extended-isolation-forest', 'loda'),
    ...entries('copod', 'ecod', 'hbos', 'pca'),
    { model: 'pca', label: 'pca, T²', config: { statistic: 't2' } },
    ...entries('mean-image'),
  ],
  metrics: ranking,
  scaling: 'standard',
  split: { validationFraction: 0 },
  notes: ['Columns are standardised. All normal rows of the training half are trained on.', note],
});

export const rowBenches: readonly Bench[] = [
  {
    name: 'tables',
    title: 'ADBench: fourteen classical tables',
    seeds: [1, 2, 3],
    tables: [
      adbenchTable(
        'ADBench: tables for choices',
        ['breastw', 'ionosphere', 'mammography', 'pima', 'thyroid', 'wbc', 'wine'],
        'Defaults and models may be chosen on these.',
      ),
      adbenchTable(
        'ADBench: tables for judging',
        ['cardio', 'glass', 'lymphography', 'satimage-2', 'shuttle', 'vowels', 'wdbc'],
        'Nothing was chosen on these. Of lymphography, glass and wdbc only about three to five anomalies are in a test half.',
      ),
    ],
  },
  { name: 'kdd', title: 'KDD99, 10 %: GANs and others on rows', seeds: [1, 2, 3], tables: [kddTable] },
  {
    name: 'arrhythmia',
    title: 'Arrhythmia: 452 patients',
    seeds: [1, 2, 3],
    tables: [
      {
        title: 'Arrhythmia: rare classes are the anomaly',
        protocol: 'arrhythmia',
        kind: 'table',
        cases: [{ data: 'arrhythmia' }],
        entries: [
          ...entries('alad', 'egbad'),
          sigma(),
          ...entries('dagmm', 'ganomaly', 'anogan', 'isolation-forest', 'knn', 'pca', 'mean-image'),
        ],
        metrics: oracle,
        preset: 'arrhythmia',
        scaling: 'min-max',
        quickEpochs: 20,
        published: arrhythmiaFigures,
        notes: [
          oracleNote,
          'About 33 anomalies are in the test set, so one more hit is 0.03 of F1: seeds differ by more than most methods do.',
        ],
      },
      {
        title: 'Arrhythmia on the public split: raw values, 34 anomalies left in training',
        protocol: 'arrhythmia-public',
        kind: 'table',
        cases: [{ data: 'arrhythmia' }],
        entries: entries('alad', 'isolation-forest', 'knn', 'pca', 'mean-image'),
        metrics: oracle,
        preset: 'arrhythmia',
        scaling: 'none',
        split: { validationFraction: 0 },
        quickEpochs: 20,
        published: arrhythmiaPublicFigures,
        notes: [
          oracleNote,
          'The split is the same for every seed. 32 of 226 test items are anomalous and 34 are flagged, so F1 moves in steps of 0.03.',
        ],
      },
    ],
  },
];
