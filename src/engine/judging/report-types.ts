/** What a run tells about itself: one JSON object, the same from `train`, `test` and `metrics.json`. */
import type { ItemKind, ItemShape } from '../../core/item-shape.ts';
import type { AugmentOptions } from '../../data/pure.ts';
import type { Device, ProfileRow } from '../../runtime/index.ts';
import type { EpochRecord } from '../fitting/contract.ts';
import type { MapNormalization } from '../scoring/map-normalization.ts';
import type { RegionOption, Tiles } from '../task/view-options.ts';
import type { ThresholdReport } from './calibrate.ts';

/** Which oddity, Node and ONNX Runtime made a result. */
export interface Versions {
  readonly oddity: string;
  readonly node: string;
  /** ONNX Runtime of the device, for example `onnxruntime-node 1.30.0`. */
  readonly runtime: string;
  readonly os: string;
}

/** Something about a run that a person should know. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** How good a detector without learning is on the same split. */
export interface BaselineReport {
  readonly imageAuroc: number | null;
  readonly imageAp: number | null;
  readonly pixelAuroc: number | null;
  readonly pixelAp: number | null;
  readonly aupro: number | null;
  /** As in `RunReport.metrics`. */
  readonly precision?: number;
  readonly recall?: number;
  readonly f1?: number;
  readonly seenAuroc?: number;
  readonly heldOutAuroc?: number;
}

/** How well one class of anomalous test items is told from the normal ones. */
export interface TypeReport {
  /** Name of the class. */
  readonly type: string;
  /** Its test items. */
  readonly count: number;
  /** AUROC and average precision of its items against all normal test items. */
  readonly auroc: number | null;
  readonly ap: number | null;
  /** Share of its items that reach the threshold; null without one. */
  readonly recall: number | null;
  readonly meanScore: number;
}

export interface RunReport {
  /** The run's folder. */
  readonly run: string;
  readonly model: string;
  readonly data: string;
  /** What an item is. */
  readonly kind: ItemKind;
  /** Of an item as the model sees it: channels, height and width of an image, or inputs of a row. */
  readonly shape: ItemShape;
  readonly protocol: string;
  /** Name of the class that the protocol is about. */
  readonly class: string;
  readonly seed: number;
  readonly device: Device;
  readonly config: Readonly<Record<string, unknown>>;
  /** The protocol, the class and what was drawn, in sentences. */
  readonly description: string;
  /** How many numbers gradient training moved; 0 for a model that learns in another way. */
  readonly parameters: number;
  /** Wanted share of contaminants in the training part; absent for none. */
  readonly contamination?: number;
  /** Most normal items to train on; absent for all. */
  readonly trainLimit?: number;
  /** Most items to test; absent for all. */
  readonly testLimit?: number;
  /** What is done to maps before they are pooled; absent for nothing. */
  readonly mapNormalization?: MapNormalization;
  /** What happened to training images at random; absent for nothing. */
  readonly augment?: AugmentOptions;
  /** What the model looks at: tiles of the images, a part of them; absent for whole images. */
  readonly tiles?: Tiles;
  readonly region?: RegionOption;
  readonly counts: {
    /** Items that the model learnt from, and how many of these are labelled anomalies. */
    train: number;
    trainAnomalies: number;
    /** Anomalies among them that pass for normal; absent without contamination. */
    contaminants?: number;
    validation: number;
    test: number;
    testAnomalies: number;
  };
  readonly metrics: {
    imageAuroc: number | null;
    imageAp: number | null;
    imageF1Max: number | null;
    prevalence: number | null;
    /**
     * When the share of the test items that the protocol states is flagged, those with the highest scores: an oracle.
     * Absent where the protocol states none.
     */
    precision?: number;
    recall?: number;
    f1?: number;
    /**
     * AUROC of all normal test items against the anomalous ones of classes that took part in training, and against those
     * of classes held out from it. Absent unless the protocol tells them apart, and where there are none.
     */
    seenAuroc?: number;
    heldOutAuroc?: number;
    /** Over all pixels of test items whose masks are known. */
    pixelAuroc: number | null;
    pixelAp: number | null;
    /** Area under the per-region overlap up to a false-positive rate of 0.3, divided by 0.3. */
    aupro: number | null;
    /** Of the pooled pixels at the threshold of maps: 2·|A ∩ B| / (|A| + |B|) and |A ∩ B| / |A ∪ B|. */
    dice: number | null;
    iou: number | null;
  };
  /** 95 % bootstrap intervals over the test items, null where undefined; not over seeds or training sets. */
  readonly intervals: Readonly<Record<'imageAuroc' | 'imageAp' | 'imageF1Max', readonly [number, number] | null>>;
  /** Classes of anomalous test items, in the order of the data set. */
  readonly perType: readonly TypeReport[];
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
  /** Means over each epoch of training: losses, norms of gradients, and what else the model watches. */
  readonly history?: readonly EpochRecord[];
  /** What was warned of while the run was made, each once; absent for nothing. */
  readonly warnings?: readonly Warning[];
  /** Time by operator, with `profile: true`. */
  readonly profile?: { fit?: readonly ProfileRow[]; score?: readonly ProfileRow[] };
}
