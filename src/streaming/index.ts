/** Streams: detectors that learn step by step, thresholds that move, and alarms. */
import type { AnyStreamDetector, AnyStreamThreshold } from './define.ts';
import { fixedThreshold } from './fixed-threshold.ts';
import { halfSpaceTrees } from './half-space-trees.ts';
import { leftProfile } from './left-profile.ts';
import { pageHinkley } from './page-hinkley.ts';
import { randomCutForest } from './random-cut-forest.ts';
import { rollingQuantile } from './rolling-quantile.ts';
import { dspot, spot } from './spot.ts';
import { windowedGaussian } from './windowed-gaussian.ts';

export {
  type AnyStreamDetector,
  type AnyStreamThreshold,
  type DetectorLearner,
  type DetectorStream,
  defineStreamDetector,
  defineStreamThreshold,
  type Saved,
  type StreamDetector,
  type StreamScore,
  type StreamThreshold,
  type StreamVerdict,
  type ThresholdLearner,
  type ThresholdStream,
} from './define.ts';
export { openStream, type Stream, type StreamOptions, type StreamStep } from './stream.ts';
export {
  dspot,
  fixedThreshold,
  halfSpaceTrees,
  leftProfile,
  pageHinkley,
  randomCutForest,
  rollingQuantile,
  spot,
  windowedGaussian,
};

/** All detectors of streams. */
export const streamDetectors: readonly AnyStreamDetector[] = [
  halfSpaceTrees,
  randomCutForest,
  leftProfile,
  pageHinkley,
  windowedGaussian,
];

/** All thresholds of streams. */
export const streamThresholds: readonly AnyStreamThreshold[] = [spot, dspot, rollingQuantile, fixedThreshold];
