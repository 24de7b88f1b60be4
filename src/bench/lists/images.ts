/** Benchmarks of images: one class is normal, parts, clouds, frames. */
import type { Bench } from '../bench.ts';
import { industrialFigures, mnistDeepSvddFigures } from '../published.ts';
import { entries, oneClass, ranking, withMaps } from './common.ts';

export const imageBenches: readonly Bench[] = [
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
          'SqueezeNet and ResNet-50 v2 were trained on ImageNet alone.',
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
        title: 'Industrial parts, learnt from their own normal images',
        protocol: 'folder',
        kind: 'image',
        cases: [{ data: 'industrial/magnetic_tile' }, { data: 'industrial/deeppcb_20085' }],
        entries: [
          ...entries('denoising-autoencoder', 'draem'),
          // Steps that one core makes in about ten minutes.
          {
            model: 'diffusion-ad',
            label: 'diffusion-ad, width 8, 5 passes',
            config: { width: 8, batchSize: 4, epochs: 5 },
          },
          { model: 'anoddpm', config: { width: 16, batchSize: 2, epochs: 6 } },
          ...entries('vae', 'deep-svdd', 'autoencoder', 'pca', 'mean-image'),
        ],
        metrics: withMaps,
        published: industrialFigures,
        notes: [
          'anoddpm compares features of the backbone in the box, though it is trained on the images alone; all others use no pretrained weights.',
          'diffusion-ad and anoddpm are small and train for some hundred steps, far less than their authors do.',
        ],
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
];
