/**
 * Figures of papers, each with where it was read. What is only remembered is marked `memory`: it is shown as unverified
 * and nothing is measured against it.
 */
import type { PublishedFigure } from './bench.ts';

const found = (precision: number, recall: number, f1: number) => ({
  'item.precision': precision,
  'item.recall': recall,
  'item.f1': f1,
});
const dagmm = 'Zong et al., ICLR 2018';
const survey = 'Di Mattia et al., arXiv 1906.11632';

/** KDD99 10 %: precision, recall and F1 of the rows with the highest scores. */
export const kddFigures: readonly PublishedFigure[] = [
  { method: 'DAGMM', model: 'dagmm', values: found(0.9297, 0.9442, 0.9369), source: dagmm, read: 'paper' },
  { method: 'OC-SVM', values: found(0.7457, 0.8523, 0.7954), source: dagmm, read: 'paper', remark: 'own threshold' },
  { method: 'DSEBM-e', values: found(0.8619, 0.6446, 0.7399), source: dagmm, read: 'paper', remark: 'own threshold' },
  {
    method: 'EGBAD',
    model: 'egbad',
    values: found(0.941174, 0.956155, 0.948605),
    source: survey,
    read: 'founding document',
  },
  {
    method: 'GANomaly',
    model: 'ganomaly',
    values: found(0.830256, 0.841112, 0.835648),
    source: survey,
    read: 'founding document',
  },
  {
    method: 'EGBAD, sigma',
    model: 'egbad',
    values: found(0.92, 0.9582, 0.9372),
    source: 'Zenati et al. 2018',
    read: 'memory',
  },
  {
    method: 'ALAD',
    model: 'alad',
    values: found(0.9427, 0.9577, 0.9501),
    source: 'Zenati et al., ICDM 2018',
    read: 'memory',
  },
  {
    method: 'isolation forest',
    model: 'isolation-forest',
    values: found(0.9216, 0.9373, 0.9294),
    source: 'Zenati et al., ICDM 2018',
    read: 'memory',
  },
  {
    method: 'AnoGAN, FM',
    model: 'anogan',
    values: found(0.8786, 0.8297, 0.8865),
    source: 'Zenati et al. 2018',
    read: 'memory',
    remark: 'F1 is not that of its precision and recall',
  },
].map((figure) => ({ ...figure, protocol: 'kdd' }) as PublishedFigure);

const otherSplit = 'rerun of other programs on the split of the public code (seed 42)';

/** Arrhythmia: of some 32 anomalies in the test half, so that one more hit is 0.03 of F1. */
export const arrhythmiaFigures: readonly PublishedFigure[] = [
  { method: 'DAGMM', model: 'dagmm', values: found(0.4909, 0.5078, 0.4983), source: dagmm, read: 'paper' },
  { method: 'OC-SVM', values: found(0.5397, 0.4082, 0.4581), source: dagmm, read: 'paper', remark: 'own threshold' },
  { method: 'DSEBM-e', values: found(0.4667, 0.4565, 0.4601), source: dagmm, read: 'paper', remark: 'own threshold' },
  {
    method: 'isolation forest',
    model: 'isolation-forest',
    values: { 'item.f1': 0.5424, 'item.auroc': 0.856 },
    source: otherSplit,
    read: 'rerun',
  },
  {
    method: '5 nearest neighbours',
    model: 'knn',
    values: { 'item.f1': 0.5152, 'item.auroc': 0.855, 'item.ap': 0.576 },
    source: otherSplit,
    read: 'rerun',
    remark: 'raw values',
  },
  {
    method: 'PCA, 30 components',
    model: 'pca',
    values: { 'item.f1': 0.5152, 'item.auroc': 0.845 },
    source: otherSplit,
    read: 'rerun',
    remark: 'raw values',
  },
  { method: 'ALAD', model: 'alad', values: { 'item.f1': 0.5152 }, source: 'Zenati et al., ICDM 2018', read: 'memory' },
  {
    method: 'AnoGAN',
    model: 'anogan',
    values: { 'item.f1': 0.4242 },
    source: 'Zenati et al., ICDM 2018',
    read: 'memory',
  },
  {
    method: 'isolation forest',
    model: 'isolation-forest',
    values: { 'item.f1': 0.5303 },
    source: 'Zenati et al., ICDM 2018',
    read: 'memory',
  },
].map((figure) => ({ ...figure, protocol: 'arrhythmia' }) as PublishedFigure);

/** Arrhythmia on the split of the public code of ALAD, with the anomalies of its training half left in. */
export const arrhythmiaPublicFigures: readonly PublishedFigure[] = [
  {
    method: 'ALAD',
    model: 'alad',
    values: found(0.5, 0.5313, 0.5152),
    source: 'Zenati et al., ICDM 2018',
    read: 'memory',
  },
  {
    method: 'isolation forest',
    model: 'isolation-forest',
    values: { 'item.f1': 0.5455, 'item.auroc': 0.845 },
    source: otherSplit,
    read: 'rerun',
  },
  {
    method: '5 nearest neighbours',
    model: 'knn',
    values: { 'item.f1': 0.4848 },
    source: otherSplit,
    read: 'rerun',
  },
  { method: 'PCA, 30 components', model: 'pca', values: { 'item.f1': 0.4242 }, source: otherSplit, read: 'rerun' },
].map((figure) => ({ ...figure, protocol: 'arrhythmia-public' }) as PublishedFigure);

/** MNIST, a digit is the anomaly: average precision of BiGAN by digit. */
export const mnistAnomalyFigures: readonly PublishedFigure[] = (
  [
    ['1', 0.287],
    ['4', 0.443],
    ['5', 0.514],
    ['7', 0.347],
    ['9', 0.307],
  ] as const
).map(([digit, value]) => ({
  method: 'BiGAN, sigma',
  model: 'egbad',
  protocol: 'one-anomaly',
  about: `digit ${digit}`,
  values: { 'item.ap': value },
  source: 'as quoted for BiGAN on MNIST',
  read: 'paper',
  remark: 'the split behind it is not fully stated',
}));

/** CIFAR-10, a class is the anomaly. */
export const cifarAnomalyFigures: readonly PublishedFigure[] = [
  {
    method: 'GANomaly',
    model: 'ganomaly',
    protocol: 'one-anomaly',
    values: { 'item.auroc': 0.61 },
    source: 'Akcay et al. 2018',
    read: 'memory',
    remark: 'best epoch on the test part',
  },
];

/** MNIST, a digit is normal. */
export const mnistOneClassFigures: readonly PublishedFigure[] = [
  {
    method: 'AnoGAN',
    model: 'anogan',
    protocol: 'one-class',
    values: { 'item.auroc': 0.913 },
    source: 'as quoted in later papers',
    read: 'memory',
  },
];

const ruff = 'Ruff et al., ICML 2018, as quoted by a public re-implementation';

/** MNIST, a digit is normal: Deep SVDD, by digit and their mean. */
export const mnistDeepSvddFigures: readonly PublishedFigure[] = (
  [
    [undefined, 0.948],
    ['0', 0.98],
    ['1', 0.997],
    ['2', 0.917],
    ['3', 0.919],
    ['4', 0.949],
    ['5', 0.885],
    ['6', 0.983],
    ['7', 0.946],
    ['8', 0.939],
    ['9', 0.965],
  ] as const
)
  .map(
    ([digit, value]): PublishedFigure => ({
      method: 'Deep SVDD, one-class',
      model: 'deep-svdd',
      protocol: 'one-class',
      ...(digit !== undefined && { about: `digit ${digit}` }),
      values: { 'item.auroc': value },
      source: ruff,
      read: 'code',
    }),
  )
  .concat([
    {
      method: 'Deep SVDD, re-implemented',
      model: 'deep-svdd',
      protocol: 'one-class',
      values: { 'item.auroc': 0.936 },
      source: 'table of a public re-implementation',
      read: 'code',
    },
    {
      method: 'Deep SVDD, official code',
      model: 'deep-svdd',
      protocol: 'one-class',
      about: 'digit 3',
      values: { 'item.auroc': 0.8977 },
      source: 'lukasruff/Deep-SVDD-PyTorch',
      read: 'rerun',
      remark: '50 + 50 epochs of 150 + 150',
    },
  ]);

/** Two folders of industrial parts: features of a pretrained network, for comparison. */
export const industrialFigures: readonly PublishedFigure[] = [
  { about: 'magnetic_tile', values: { 'item.auroc': 0.878, 'map.aupro': 0.709 } },
  { about: 'deeppcb_20085', values: { 'item.auroc': 0.552, 'map.aupro': 0.44 } },
].map((figure) => ({
  ...figure,
  method: 'PatchCore, SqueezeNet features',
  protocol: 'folder',
  source: 'amazon-science/patchcore-inspection',
  read: 'rerun',
  remark: 'uses a pretrained network',
}));
