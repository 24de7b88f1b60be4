/** VUS-PR for golden tests of detectors; the labels must be of both kinds. */
import { vus } from '../../src/metrics/index.ts';

export const vusPr = (scores: Float64Array, labels: Uint8Array, window: number): number =>
  vus(scores, labels, window)!.pr;
