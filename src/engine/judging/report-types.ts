/** What a run tells about itself: one JSON object, the same from `train`, `test` and `metrics.json`. */
import type { ItemKind, ItemShape } from '../../core/item-shape.ts';
import type { Text } from '../../core/text.ts';
import type { AugmentOptions, SplitOptions } from '../../data/pure.ts';
import type {
  ByMetric,
  Interval,
  MetricDescription,
  MetricValue,
  MetricValues,
  OverlapCurve,
} from '../../metrics/index.ts';
import type { Device, ProfileRow } from '../../runtime/index.ts';
import type { ImageChoice, TriedSettings } from '../choosing/choose.ts';
import type { LeftOut } from '../choosing/plan.ts';
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
  /** The sentence as data, where it names options or actions. */
  readonly text?: Text;
}

/** How well one class of anomalous test items is told from the normal ones. */
export interface TypeReport {
  /** Name of the class. */
  readonly type: string;
  /** Its test items. */
  readonly count: number;
  /** Headline metrics, by name, of its items against all normal test items: `auroc`, `ap`. */
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** Share of its items that reach the threshold; null without one. */
  readonly recall: number | null;
  readonly meanScore: number;
}

/** What a run tells about itself: one JSON object, the same from `train`, `test` and `metrics.json`. */
export interface RunReport extends Omit<SplitOptions, 'validationFraction'> {
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
  /** Steps of the Gaussian by which scores are smoothed along each series or clip; absent for none. */
  readonly smoothing?: number;
  /** Of series and clips: steps of the windows through which each step is seen. */
  readonly window?: number;
  /** Why the model was chosen where none was named, and for images what was tried. */
  readonly choice?: ChoiceReport;
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
  /**
   * By level and name: `metrics.item.auroc`, and `metrics.map.auroc` for images, over all pixels of test items whose masks
   * are known. Metrics that do not apply are absent, as is `map` for tables; the metrics themselves say what each means.
   */
  readonly metrics: MetricValues;
  /** 95 % bootstrap intervals over the test items, null where undefined; not over seeds or training sets. */
  readonly intervals: { readonly item: Readonly<Record<string, Interval | null>> };
  /** Classes of anomalous test items, in the order of the data set. */
  readonly perType: readonly TypeReport[];
  /**
   * Of metrics that are means over anomaly maps, by name, the value of each test item in the order of the test part; null for
   * items that have none. Absent where no metric has such values.
   */
  readonly perMap?: Readonly<Record<string, readonly (number | null)[]>>;
  /** Of metrics of maps that are areas under a curve, by name, the curve; absent for none, and in runs written before it was kept. */
  readonly curves?: Readonly<Record<string, OverlapCurve>>;
  /** For each metric that is null, why. */
  readonly reasons: ByMetric<string>;
  /** The words of metrics that were given with `metrics`; absent for none. */
  readonly ownMetrics?: readonly MetricDescription[];
  /** No item is in two parts of the split: checked. */
  readonly leakFree: boolean;
  /**
   * The same metrics of the models whose `learning` is `baseline`, by name, on the same split; without those that need a
   * threshold.
   */
  readonly baselines: Readonly<Record<string, MetricValues>>;
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

/** How a model was chosen: `TriedSettings` and `LeftOut` of `engine/choosing`, as they are kept. */
export interface ChoiceReport {
  readonly reason: string;
  /** The best first, those that failed last. */
  readonly tried?: readonly (Omit<TriedSettings, 'error'> & {
    readonly isChosen?: true;
    readonly error?: { readonly code: string; readonly message: string };
  })[];
  readonly leftOut?: readonly LeftOut[];
  /** How many defects of each kind were planted. */
  readonly planted?: Readonly<Record<string, number>>;
  readonly counts?: ImageChoice['counts'];
  readonly seconds?: number;
}
