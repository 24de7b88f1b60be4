/** What a run tells about itself: one JSON object, the same from `train`, `test` and `metrics.json`. */
import type { Device, ProfileRow } from '../runtime/index.ts';
import type { ThresholdReport } from './calibrate.ts';
import type { EpochRecord } from './fit.ts';
import type { Versions } from './versions.ts';

/** How good a detector without learning is on the same split. */
export interface BaselineReport {
  readonly imageAuroc: number | null;
  readonly imageAp: number | null;
}

export interface RunReport {
  /** The run's folder. */
  readonly run: string;
  readonly model: string;
  readonly data: string;
  readonly protocol: string;
  /** Name of the class that the protocol is about. */
  readonly class: string;
  readonly seed: number;
  readonly device: Device;
  readonly config: Readonly<Record<string, unknown>>;
  readonly counts: { train: number; validation: number; test: number; testAnomalies: number };
  readonly metrics: {
    imageAuroc: number | null;
    imageAp: number | null;
    imageF1Max: number | null;
    prevalence: number | null;
  };
  /** For each metric that is null, why. */
  readonly reasons: Readonly<Record<string, string>>;
  /** No item is in two parts of the split: checked. */
  readonly leakFree: boolean;
  readonly baselines: { 'mean-image': BaselineReport; random: BaselineReport };
  readonly threshold: ThresholdReport;
  /** Scores of the held-out normal items: what to choose options by, without looking at the test part. */
  readonly validation: { mean: number | null; median: number | null; max: number | null };
  readonly timings: {
    loadSeconds: number;
    /** Zero for `test`, which fits nothing. */
    fitSeconds: number;
    /** Training steps a second; null where nothing was trained by gradient. */
    stepsPerSecond: number | null;
    scoreMsPerItem: number;
    totalSeconds: number;
  };
  /** Largest resident memory of the process so far. */
  readonly peakMemoryBytes: number;
  readonly versions: Versions;
  /** Mean losses of each epoch of training. */
  readonly history?: readonly EpochRecord[];
  /** Time by operator, with `profile: true`. */
  readonly profile?: { fit?: readonly ProfileRow[]; score?: readonly ProfileRow[] };
}
