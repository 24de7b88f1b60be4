/** Benchmarks of adversarial models. */
import type { Bench, BenchEntry, BenchTable } from '../bench.ts';
import { cifarAnomalyFigures, mnistAnomalyFigures, mnistOneClassFigures } from '../published.ts';
import { classesOf, entries, oneClass, sigma } from './common.ts';
import { kddTable } from './rows.ts';

const limitNote =
  'anogan searches a latent point for each item: it is tested on a part of the items, drawn with the share of anomalies.';

/** AnoGAN's search takes hundreds of steps for each item. */
const anogan = (preset?: string): BenchEntry => ({
  model: 'anogan',
  ...(preset && { preset }),
  split: { testLimit: 500 },
});

/** What every adversarial model of the survey trains for on images. */
const surveyBudget = { epochs: 5 };

const surveyOn = (title: string, data: string, more: Partial<BenchTable> = {}): BenchTable => ({
  title,
  protocol: 'one-anomaly',
  kind: 'image',
  cases: classesOf(data),
  entries: [
    ...[anogan(), ...entries('egbad', 'ganomaly', 'alad')].map((entry) => ({ ...entry, config: surveyBudget })),
    ...entries('pca', 'knn', 'isolation-forest', 'mean-image'),
  ],
  metrics: ['item.ap', 'item.auroc'],
  split: { validationFraction: 0.02, trainLimit: 10_000, testLimit: 5000 },
  notes: [
    'The survey does not say which anomalies are in its test set: here all of them are, and none is in training. It shows its results on images as bars without numbers.',
    'One budget for all, so that the whole takes hours and not days: 10,000 normal images, which the adversarial models see five times: half of the steps that ALAD makes by itself, 39 % of GANomaly’s, 26 % of EGBAD’s, 16 % of AnoGAN’s. The benchmark gan-one-anomaly trains GANomaly to its own length, and EGBAD by this budget.',
    limitNote,
  ],
  ...more,
});

/** What EGBAD trains for where each digit is the anomaly in turn, since its rows take minutes each. */
const egbadBudget: Partial<BenchEntry> = {
  config: { epochs: 5 },
  split: { validationFraction: 0.02, trainLimit: 10_000, testLimit: 3000 },
};

export const ganBenches: readonly Bench[] = [
  {
    name: 'survey',
    title: 'the survey of Di Mattia et al. 2019: MNIST, Fashion-MNIST, CIFAR-10, KDD99',
    seeds: [1],
    tables: [
      surveyOn('MNIST, one digit is the anomaly', 'mnist', { published: mnistAnomalyFigures }),
      surveyOn('Fashion-MNIST, one class is the anomaly', 'fashion-mnist'),
      surveyOn('CIFAR-10, one class is the anomaly', 'cifar10', { published: cifarAnomalyFigures }),
      kddTable,
    ],
  },
  {
    name: 'contamination',
    title: 'anomalies that pass for normal in training, after Berg et al. 2019',
    seeds: [1],
    tables: [
      oneClass(
        'MNIST, one digit is normal, a share of the training part is other digits',
        'mnist',
        [
          { model: 'simultaneous-encoder' },
          { model: 'f-anogan', config: { epochs: 8, encoderEpochs: 8 } },
          { model: 'ganomaly', config: { epochs: 15 } },
          ...entries('autoencoder', 'pca'),
        ],
        {
          cases: [0, 0.01, 0.05, 0.1].flatMap((contamination) =>
            ['1', '8'].map((digit) => ({ data: 'mnist', class: digit, contamination })),
          ),
          split: { trainLimit: 3000, testLimit: 3000 },
          notes: [
            'Held-out normals and the test part are the same at every share; thresholds are not contaminated.',
            'A budget for minutes of one core: 3,000 normal images, on which f-anogan and ganomaly make a third of their default steps.',
          ],
        },
      ),
    ],
  },
  {
    name: 'imbalance',
    title: 'labelled anomalies of some classes in training, others held out',
    seeds: [1, 2, 3],
    tables: [
      {
        title: 'Fashion-MNIST: T-shirts are normal, half of the other classes are labelled in training',
        protocol: 'imbalance',
        kind: 'image',
        cases: [{ data: 'fashion-mnist', class: '0' }],
        entries: [
          { model: 'two-discriminator-gan', label: 'seed-ae', preset: 'seed-ae' },
          { model: 'two-discriminator-gan', label: 'seed-gan', preset: 'seed-gan' },
          { model: 'gan' },
          { model: 'two-discriminator-gan' },
          { model: 'two-discriminator-gan', label: 'ae-abc', preset: 'ae-abc' },
          ...entries('pca', 'mean-image'),
        ],
        metrics: ['item.seenAuroc', 'item.heldOutAuroc', 'item.auroc', 'item.ap'],
        notes: [
          'Which classes are held out follows from the seed. gan, pca and mean-image use no labels: for them both kinds are new.',
        ],
      },
    ],
  },
  {
    name: 'gan-one-class',
    title: 'AnoGAN and f-AnoGAN on MNIST, each digit normal in turn',
    seeds: [1],
    tables: [
      oneClass(
        'MNIST, one digit is normal',
        'mnist',
        [{ model: 'f-anogan' }, anogan(), ...entries('pca', 'mean-image')],
        { published: mnistOneClassFigures, notes: [limitNote] },
      ),
    ],
  },
  {
    name: 'gan-one-anomaly',
    title: 'EGBAD and GANomaly on MNIST, each digit the anomaly in turn',
    seeds: [1],
    tables: [
      {
        title: 'MNIST, one digit is the anomaly',
        protocol: 'one-anomaly',
        kind: 'image',
        cases: classesOf('mnist'),
        entries: [{ model: 'egbad', ...egbadBudget }, sigma(egbadBudget), ...entries('ganomaly', 'mean-image')],
        metrics: ['item.ap', 'item.auroc'],
        published: mnistAnomalyFigures,
        notes: [
          'egbad trains on 10,000 images, five times each, and is tested on 3,000 items, drawn with the share of anomalies; a quarter of the steps that it makes by itself. Its second row has the score of the published table.',
        ],
      },
      {
        title: 'MNIST, the digit 2 is the anomaly: the published nets of GANomaly',
        protocol: 'one-anomaly',
        kind: 'image',
        cases: [{ data: 'mnist', class: '2' }],
        entries: [{ model: 'ganomaly', label: 'ganomaly, published nets', preset: 'mnist', config: { epochs: 1 } }],
        metrics: ['item.ap', 'item.auroc'],
        split: { trainLimit: 25_600 },
        notes: ['400 steps of nets with sixteen times the weights take about twice as long as the default’s 2,000.'],
      },
    ],
  },
  {
    name: 'gan-three-digits',
    title: 'Fence GAN, Skip-GANomaly and a GAN with simultaneous encoder on MNIST, three digits normal in turn',
    seeds: [1],
    tables: [
      oneClass(
        'MNIST, one digit is normal',
        'mnist',
        [
          { model: 'fence-gan' },
          { model: 'skip-ganomaly', label: 'skip-ganomaly, a quarter of the filters', config: { width: 16 } },
          { model: 'simultaneous-encoder' },
          ...entries('pca', 'mean-image'),
        ],
        {
          cases: ['1', '3', '8'].map((digit) => ({ data: 'mnist', class: digit })),
          split: { trainLimit: 3000 },
          notes: [
            'At their defaults, but for the width of Skip-GANomaly, on 3,000 training images: a budget for minutes of one core.',
          ],
        },
      ),
    ],
  },
];
