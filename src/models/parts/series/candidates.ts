/**
 * Detectors that score one whole series `[T]` without labels and without a training part, as functions of the series and its
 * period, with the constants that their own files name: what `choose.ts` chooses from. Left out: the matrix profile, which the
 * k-th neighbour of MMPAD replaces, and k-means and k-shape, which take minutes where these take seconds.
 */
import { centredScores } from '../../../data/series/windows.ts';
import { mmpadLength, mmpadScores } from './mmpad.ts';
import { pointScores } from './point-score.ts';
import { polyScores } from './poly.ts';
import { spectralResidual } from './spectral-residual.ts';
import { fitSubPca, type SubPcaForm, subPcaScores } from './sub-pca.ts';

export type CandidateName = 'mmpad' | 'sub-pca' | 'poly' | 'spectral-residual' | 'point';

/** A detector of a whole series. */
export interface Candidate {
  readonly title: string;
  /** Scores of steps `[T]` of finite values `[T]`; DataError `series-too-short` as the detector says. */
  score(values: Float64Array, period: number): Float64Array;
}

/** In the order in which `choose` looks at them. */
export const candidates: Readonly<Record<CandidateName, Candidate>> = {
  mmpad: {
    title: 'MMPAD',
    score: (values, period) => mmpadScores(values, { length: mmpadLength(period), neighbours: 5 }),
  },
  'sub-pca': { title: 'Sub-PCA', score: (values, period) => subPcaSteps(values, period) },
  'spectral-residual': { title: 'spectral residual', score: (values) => spectralResidual(values) },
  poly: { title: 'POLY', score: (values, period) => polyScores(values, period) },
  point: { title: 'point score', score: (values, period) => pointScores(values, period) },
};

/** Scores of steps `[T]` of Sub-PCA fitted to the series itself; a window stands at its middle, as published. */
export function subPcaSteps(values: Float64Array, length: number, form: SubPcaForm = 'distance'): Float64Array {
  const windows = subPcaScores(fitSubPca(values, length, form), values, form);
  return centredScores(windows, { steps: values.length, length, stride: 1 });
}
