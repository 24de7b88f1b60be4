/** The benchmarks by name. */
import { unknownName } from '../core/errors.ts';
import type { ItemKind } from '../core/item-shape.ts';
import type { SplitOptions } from '../data/index.ts';
import type { MetricId } from '../metrics/index.ts';
import type { Bench, BenchCase, BenchEntry, BenchTable } from './bench.ts';
import {
  arrhythmiaFigures,
  arrhythmiaPublicFigures,
  cifarAnomalyFigures,
  industrialFigures,
  kddFigures,
  mnistAnomalyFigures,
  mnistDeepSvddFigures,
  mnistOneClassFigures,
} from './published.ts';

const entries = (...models: string[]): BenchEntry[] => models.map((model) => ({ model }));
const classesOf = (data: string, count = 10): BenchCase[] =>
  Array.from({ length: count }, (_, i) => ({ data, class: String(i) }));

const ranking: readonly MetricId[] = ['item.auroc', 'item.ap'];
const withMaps: readonly MetricId[] = [...ranking, 'map.auroc', 'map.aupro'];
const oracle: readonly MetricId[] = ['item.precision', 'item.recall', 'item.f1', 'item.auroc', 'item.ap'];
const oracleNote =
  'Precision, recall and F1 flag the share of the test items that is anomalous by the protocol: an oracle. AUROC and AP need none.';
const limitNote =
  'anogan searches a latent point for each item: it is tested on a part of the items, drawn with the share of anomalies.';

/** AnoGAN's search takes hundreds of steps for each item. */
const anogan = (preset?: string): BenchEntry => ({
  model: 'anogan',
  ...(preset && { preset }),
  split: { testLimit: 500 },
});

/** EGBAD by the score of its paper's tables: how unreal the pair of an item and its code seems, alone. */
const sigma = (more: Partial<BenchEntry> = {}): BenchEntry => ({
  model: 'egbad',
  label: 'egbad, sigma as published',
  ...more,
  config: { score: 'ce', weight: 1, ...more.config },
});

/** A table of one data set under `one-class`, all classes in turn. */
const oneClass = (
  title: string,
  data: string,
  models: readonly BenchEntry[],
  more: Partial<BenchTable> = {},
): BenchTable => ({
  title,
  protocol: 'one-class',
  kind: 'image',
  cases: classesOf(data),
  entries: models,
  metrics: ranking,
  ...more,
});

/** How `--quick` draws splits; rows train on all items, since their steps are short. */
const quickSplit: SplitOptions = { validationFraction: 0.01, testLimit: 2000 };
export const quickSplits: Readonly<Partial<Record<ItemKind, SplitOptions>>> = {
  image: { ...quickSplit, trainLimit: 500 },
  table: quickSplit,
};
/** The same for entries that have a split of their own, because they score slowly. */
export const quickSlowSplit: SplitOptions = { testLimit: 50 };

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
    'One budget for all, so that the whole takes hours and not days: 10,000 normal images, which the adversarial models see five times: half of the steps that ALAD makes by itself, 39 % of GANomaly’s, 26 % of EGBAD’s, 16 % of AnoGAN’s. The benchmark gan-one-anomaly trains EGBAD and GANomaly to their own length.',
    limitNote,
  ],
  ...more,
});

const kddTable: BenchTable = {
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
  quickEpochs: 1,
  published: kddFigures,
  notes: [oracleNote, 'knn compares with a random 10,000 of the training rows.'],
};

/** What EGBAD trains for where each digit is the anomaly in turn, since its rows take minutes each. */
const egbadBudget: Partial<BenchEntry> = {
  config: { epochs: 5 },
  split: { validationFraction: 0.02, trainLimit: 10_000, testLimit: 3000 },
};

/** All benchmarks, in the order in which lists show them. */
export const benches: readonly Bench[] = [
  {
    name: 'mnist-one-class',
    title: 'MNIST, each digit normal in turn',
    seeds: [1],
    tables: [oneClass('MNIST, one digit is normal', 'mnist', entries('autoencoder', 'pca', 'mean-image'))],
  },
  {
    name: 'fashion-one-class',
    title: 'Fashion-MNIST, each class normal in turn',
    seeds: [1],
    tables: [
      oneClass('Fashion-MNIST, one class is normal', 'fashion-mnist', entries('autoencoder', 'pca', 'mean-image')),
    ],
  },
  {
    name: 'industrial',
    title: 'two folders of industrial parts',
    seeds: [1],
    tables: [
      {
        title: 'Industrial parts',
        protocol: 'folder',
        kind: 'image',
        cases: [{ data: 'industrial/magnetic_tile' }, { data: 'industrial/deeppcb_20085' }],
        entries: [
          ...entries('patchcore', 'padim', 'dfm', 'dfkde', 'feature-autoencoder', 'autoencoder', 'pca', 'mean-image'),
        ],
        metrics: withMaps,
        published: industrialFigures,
        notes: ['All at their defaults, with the backbone in the box where they see through one.'],
      },
      {
        title: 'Industrial parts, learners on features',
        protocol: 'folder',
        kind: 'image',
        cases: [{ data: 'industrial/magnetic_tile' }, { data: 'industrial/deeppcb_20085' }],
        entries: [
          ...entries('stfpm', 'efficient-ad', 'reverse-distillation', 'simplenet', 'fastflow'),
          // The published decoder is widest at the size of the image: a step takes seconds.
          {
            model: 'vgg19-autoencoder',
            label: 'vgg19-autoencoder, oddity, 6 passes',
            config: { backbone: 'oddity', epochs: 6 },
          },
          { model: 'autoencoder', label: 'autoencoder, perceptual', config: { loss: 'perceptual' } },
          ...['patchcore', 'padim', 'dfm'].map((model) => ({ model, label: `${model}, 128 × 128` })),
        ],
        metrics: withMaps,
        size: [128, 128], // so that a CPU makes their training steps in minutes
        notes: [
          'All at their defaults, with the backbone in the box. Learners train for a few minutes, far less than their authors do.',
        ],
      },
    ],
  },
  {
    name: 'backbones',
    title: 'pretrained networks under PatchCore and PaDiM, on two folders of industrial parts',
    seeds: [1],
    tables: [
      {
        title: 'Industrial parts, by backbone',
        protocol: 'folder',
        kind: 'image',
        cases: [{ data: 'industrial/magnetic_tile' }, { data: 'industrial/deeppcb_20085' }],
        entries: [
          ...['oddity', 'squeezenet1_1', 'resnet50_v2'].flatMap((backbone) =>
            ['patchcore', 'padim'].map((model) => ({ model, label: `${model}, ${backbone}`, config: { backbone } })),
          ),
          {
            model: 'patchcore',
            label: 'patchcore as published, squeezenet1_1',
            preset: 'official',
            config: { backbone: 'squeezenet1_1' },
          },
          {
            model: 'padim',
            label: 'padim on three taps, squeezenet1_1',
            config: { backbone: 'squeezenet1_1', taps: 'features.4,features.7,features.12' },
          },
        ],
        metrics: withMaps,
        size: [256, 256], // that of the published runs
        published: industrialFigures,
      },
    ],
  },
  {
    name: 'cloud',
    title: 'clouds among desert, forest and water seen from satellites, after founding document 002',
    seeds: [1, 2, 3],
    tables: [
      {
        title: 'Satellite images: no cloud is normal',
        protocol: 'folder',
        kind: 'image',
        cases: [{ data: './cloud', folders: { normal: ['noncloud'], abnormal: ['cloud'] } }],
        entries: [
          ...['squeezenet1_1', 'resnet50_v2'].map((backbone) => ({
            model: 'vgg19-autoencoder',
            label: `vgg19-autoencoder, ${backbone}`,
            preset: 'scenes',
            config: { backbone },
          })),
          { model: 'dfm', label: 'dfm, squeezenet1_1', preset: 'scenes', config: { backbone: 'squeezenet1_1' } },
          { model: 'patchcore', label: 'patchcore, squeezenet1_1', config: { backbone: 'squeezenet1_1' } },
          ...entries('pca', 'mean-image'),
        ],
        metrics: ranking,
        size: [64, 64],
        channels: 3,
        notes: [
          'All images are brought to 64 × 64 and to three channels first, the size of two thirds of the normal ones: clouds are files of 256 × 256 in four channels, so that size and kind of a file would tell the classes apart.',
          'Normal and cloudy images are of different satellites; part of what is measured is that.',
          'The backbone in the box was distilled on 240 of the 360 normal images, test images among them: no row here uses it. SqueezeNet and ResNet-50 v2 were trained on ImageNet alone.',
        ],
      },
    ],
  },
  {
    name: 'industrial-scratch',
    title: 'two folders of industrial parts, learnt from their own normal images alone',
    seeds: [1],
    tables: [
      {
        title: 'Industrial parts, no pretrained weights',
        protocol: 'folder',
        kind: 'image',
        cases: [{ data: 'industrial/magnetic_tile' }, { data: 'industrial/deeppcb_20085' }],
        entries: [
          ...entries('denoising-autoencoder', 'draem', 'diffusion-ad'),
          // Steps that one core makes in about ten minutes.
          { model: 'anoddpm', config: { width: 16, batchSize: 2, epochs: 6 } },
          ...entries('vae', 'deep-svdd', 'autoencoder', 'pca', 'mean-image'),
        ],
        metrics: withMaps,
        published: industrialFigures,
      },
    ],
  },
  {
    name: 'frames',
    title: 'abnormal frames of made-up clips',
    seeds: [1],
    tables: [
      {
        title: 'Moving squares',
        protocol: 'prefix',
        kind: 'clip',
        cases: [{ data: 'moving-squares' }],
        entries: entries('frame-knn', 'frame-autoencoder', 'padim', 'frame-difference', 'random'),
        metrics: [...withMaps, 'item.macroAuroc'],
        notes: [
          'Made up: results say that a detector sees these kinds of anomalies, never how good it is on real clips.',
          'The frame AUROC is over all frames of all clips (micro); the macro one is the mean of the clips.',
        ],
      },
    ],
  },
  {
    name: 'oneclass-mnist',
    title: 'Deep SVDD and others on MNIST, each digit normal in turn',
    seeds: [1, 2, 3],
    tables: [
      oneClass(
        'MNIST, one digit is normal',
        'mnist',
        entries('deep-svdd', 'vae', 'denoising-autoencoder', 'autoencoder', 'pca', 'mean-image'),
        { published: mnistDeepSvddFigures },
      ),
    ],
  },
  {
    name: 'oneclass-cifar10',
    title: 'Deep SVDD and others on CIFAR-10, each class normal in turn',
    seeds: [1],
    tables: [oneClass('CIFAR-10, one class is normal', 'cifar10', entries('deep-svdd', 'vae', 'pca', 'mean-image'))],
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

/** The benchmark of a name; throws ConfigError, offering the nearest name. */
export function findBench(name: string): Bench {
  const found = benches.find((bench) => bench.name === name);
  if (found) return found;
  throw unknownName(
    'benchmark',
    name,
    benches.map((bench) => bench.name),
  );
}
