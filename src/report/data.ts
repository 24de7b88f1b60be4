/** What a report is made from: plain values, gathered by the engine. Nothing here is read from a disk. */
import type { EndedAlarm } from '../core/alarms.ts';
import type { ColumnShare } from '../data/pure.ts';
import type { ByMetric, MetricDescription, MetricValue } from '../metrics/index.ts';
import type { MapScale } from './map-image.ts';

/** One item of the test part. */
export interface ReportItem {
  readonly id: string;
  /** Name of its class: of the normal class, or of a kind of defect. */
  readonly type: string;
  /** 1 = anomalous. */
  readonly label: 0 | 1;
  /** Raw, larger = more anomalous. */
  readonly score: number;
}

/** The threshold of a run; an item is anomalous when its score is >= `value`. */
export interface ReportThreshold {
  /** Null when there is none. */
  readonly value: number | null;
  /** Normal items that it is made from, each scored by a detector that did not see it. */
  readonly normals: number;
  /** Further detectors that scored those of them that were not held out; absent where all were. */
  readonly folds?: number;
  /** So many neighbouring scores of series move together and count as one in the intervals. */
  readonly together?: number;
  /** Null or absent when it was chosen by something else. */
  readonly wantedFalseAlarmRate?: number | null;
  /** 90 % prediction interval of the share of new normal items that reach it. */
  readonly rateInterval: readonly [number, number];
  /** Share of these that reach it. */
  readonly empiricalRate: number | null;
  /** 95 % interval of the false-alarm rate, from the held-out normals. */
  readonly interval: readonly [number, number];
  /** Why the wanted rate is not guaranteed, or null. */
  readonly reason: string | null;
  /** True when items or labels of the test part took part in choosing it. */
  readonly sawTest: boolean;
  /** How it was chosen, in words. */
  readonly rule: string;
  /** Scores from `from` to below the threshold are for a person to look at; absent when there are none such. */
  readonly review?: {
    readonly from: number;
    /** Share of the held-out normal items inside. */
    readonly empiricalRate: number | null;
    readonly interval: readonly [number, number];
  };
}

/** Means over one epoch of training. */
export interface ReportEpoch {
  readonly phase: string;
  /** From 1. */
  readonly epoch: number;
  readonly trainingLoss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** One test item with everything that is drawn of it; sizes are those of `ReportPictures.shape`. */
export interface ReportPicture {
  /** Position in `ReportData.items`. */
  readonly item: number;
  /** `[C, H, W]` in [0, 1]. */
  readonly image: Float32Array;
  /** As `image`; absent where the model draws none. */
  readonly reconstruction?: Float32Array;
  /** `[H, W]`. */
  readonly map: Float32Array;
  /** Ground truth `[H, W]`, 1 = anomalous pixel; absent where it is not known. */
  readonly mask?: Uint8Array;
  /** Its oddest place beside the one of a normal image that is most like it; absent where the model keeps none. */
  readonly nearest?: ReportPatches;
}

/** Two squares of pixels and where their upper left corners lie. */
export interface ReportPatches {
  /** In pixels. */
  readonly side: number;
  /** Of the item; `[C, side, side]` in [0, 1]. */
  readonly own: { readonly x: number; readonly y: number; readonly pixels: Float32Array };
  /** Of the normal image `id`. */
  readonly normal: { readonly id: string; readonly x: number; readonly y: number; readonly pixels: Float32Array };
}

/** Pictures of some items on one colour scale. */
export interface ReportPictures {
  /** Channels, height, width. */
  readonly shape: readonly [number, number, number];
  /** Its threshold is where contours run. */
  readonly scale: MapScale;
  readonly pictures: readonly ReportPicture[];
}

/** A row of a table and why it stands out. */
export interface ReportRow {
  /** Position in `ReportData.items`. */
  readonly item: number;
  /** The most telling first. */
  readonly columns: readonly ColumnShare[];
}

/** Why a model was chosen where none was named, and for images what was tried. */
export interface ReportChoice {
  readonly reason: string;
  /** The best first, those that failed last. */
  readonly tried?: readonly {
    readonly model: string;
    readonly backbone: string;
    readonly taps: readonly string[];
    /** Height and width. */
    readonly size: readonly [number, number];
    readonly config: Readonly<Record<string, unknown>>;
    /** On planted defects, the mean over their kinds. */
    readonly figure?: number;
    readonly interval?: readonly [number, number];
    readonly kinds?: Readonly<Record<string, number>>;
    /** Share of the planted defects at whose place the map is highest. */
    readonly located?: number;
    readonly seconds: number;
    readonly isChosen?: true;
    readonly error?: { readonly message: string };
  }[];
  readonly leftOut?: readonly { readonly what: string; readonly why: string }[];
  /** Planted defects by kind. */
  readonly planted?: Readonly<Record<string, number>>;
  readonly counts?: { readonly known: number; readonly judges: number };
  readonly seconds?: number;
}

/** Everything that a report shows. */
export interface ReportData {
  /** Name of the run, for the head of the page. */
  readonly run: string;
  /** When the run began, ISO 8601. */
  readonly startedAt: string;
  readonly model: { readonly name: string; readonly title: string; readonly isBaseline: boolean };
  readonly config: Readonly<Record<string, unknown>>;
  /** What items are; absent means images. */
  readonly kind?: string;
  readonly data: { readonly name: string; readonly licence: string; readonly hash: string };
  readonly protocol: string;
  /** What is normal and what is not, in one sentence. */
  readonly description: string;
  /** Why the model was chosen where none was named. */
  readonly choice?: ReportChoice;
  readonly class: string;
  readonly seed: number;
  /** Steps of the Gaussian by which scores are smoothed along each series or clip; absent for none. */
  readonly smoothing?: number;
  readonly device: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly counts: { train: number; validation: number; test: number; testAnomalies: number };
  readonly leakFree: boolean;
  /** By level and name; a metric or level that does not apply is left out. */
  readonly metrics: ByMetric<MetricValue>;
  /** Of metrics that are means over anomaly maps, by name, the value of each of `items`, null for those with none. */
  readonly perMap?: Readonly<Record<string, readonly (number | null)[]>>;
  /** For each metric that is null, why. */
  readonly reasons: ByMetric<string>;
  /** 95 % intervals of metrics. */
  readonly intervals?: ByMetric<readonly [number, number] | null>;
  /** Metrics of detectors without learning, by the name of the detector. */
  readonly baselines: Readonly<Record<string, ByMetric<MetricValue>>>;
  /** Words of metrics that are not of the registry; absent for none. */
  readonly ownMetrics?: readonly MetricDescription[];
  readonly threshold: ReportThreshold;
  /** Scores of the held-out normal items, in any order. */
  readonly normalScores: readonly number[];
  readonly items: readonly ReportItem[];
  readonly history: readonly ReportEpoch[];
  /** What was warned of while the run was made. */
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  readonly timings: { fitSeconds: number; stepsPerSecond: number | null; scoreMsPerItem: number; totalSeconds: number };
  readonly peakMemoryBytes: number;
  /** Absent when the data was not at hand. */
  readonly pictures?: ReportPictures;
  /** Series or clips with their scores; absent for other kinds, and when the data was not at hand. */
  readonly series?: readonly ReportSeries[];
  /** The most anomalous rows of a table, the highest score first; absent for other kinds, and when the data was not at hand. */
  readonly rows?: readonly ReportRow[];
}

/** A frame of a clip; sizes are those of `ReportPictures.shape`. */
export interface ReportFrame {
  /** From 0. */
  readonly step: number;
  /** `[C, H, W]` in [0, 1]. */
  readonly image: Float32Array;
  /** `[H, W]`. */
  readonly map: Float32Array;
  /** `[H, W]`, 1 = anomalous pixel; absent where it is not known. */
  readonly mask?: Uint8Array;
}

/** Between which values steps of a series were expected. */
export interface ReportBand {
  /** `[T, D]`, NaN where nothing was expected. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Share of normal steps that was to lie outside, by channel. */
  readonly rate: number;
  /** Why that share is not kept, or null. */
  readonly reason: string | null;
}

/** One series or clip of the test part. */
export interface ReportSeries {
  readonly id: string;
  /** None of clips. */
  readonly channels: readonly string[];
  /** `[T, D]`. */
  readonly values: Float64Array;
  /** `[T]`, NaN where a step was not scored. */
  readonly scores: Float32Array;
  /** The first steps, which trained. */
  readonly train: number;
  /** Steps of a window. */
  readonly window: number;
  /** Milliseconds since 1970. */
  readonly times?: Float64Array;
  /** `[T]`, 1 = anomalous. */
  readonly labels?: Uint8Array;
  readonly alarms: readonly EndedAlarm[];
  /** Absent of detectors that expect nothing, of clips, and of series that are not drawn. */
  readonly band?: ReportBand;
  /** Of some clips, frames about the one with the highest score. */
  readonly strip?: readonly ReportFrame[];
}
