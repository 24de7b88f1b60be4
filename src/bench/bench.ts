/**
 * What a benchmark is: tables of models on cases, each under one protocol, with published figures of that protocol beside
 * them. Numbers of different protocols never share a table.
 */
import type { ItemKind } from '../core/item-shape.ts';
import type { Scaling, SplitOptions } from '../data/index.ts';
import type { MetricId } from '../metrics/index.ts';

/** A data set, and the class that the protocol is about where it has classes. */
export interface BenchCase {
  /** Name of a data set, or a path below the data root. */
  readonly data: string;
  readonly class?: string;
  /** Folders of normal and of anomalous images, where they are not named as usual. */
  readonly folders?: { readonly normal: readonly string[]; readonly abnormal: readonly string[] };
  /** Share of anomalies that pass for normal in training. */
  readonly contamination?: number;
}

/** A model in a table. */
export interface BenchEntry {
  readonly model: string;
  /** What its row is called; the model's name unless given, and needed where a model has several rows. */
  readonly label?: string;
  readonly preset?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  /** How its split is drawn where not as the table says: a smaller test part, because scoring is slow; the row says so. */
  readonly split?: SplitOptions;
}

/** A figure that others published. */
export interface PublishedFigure {
  readonly method: string;
  /** Our model of the same method; absent where there is none. */
  readonly model?: string;
  /** Must be that of the table. */
  readonly protocol: string;
  /** What of the table it is about, where not the mean over all of it. */
  readonly about?: string;
  readonly values: Readonly<Partial<Record<MetricId, number>>>;
  readonly source: string;
  /** Where it was read; `memory` is remembered, not read again, and never more than a hint. */
  readonly read: 'paper' | 'founding document' | 'rerun' | 'code' | 'issue' | 'memory';
  /** Why it may not compare. */
  readonly remark?: string;
}

/** Models on cases under one protocol. */
export interface BenchTable {
  readonly title: string;
  readonly protocol: string;
  /** What an item is: models that do not take it are left out, and said to be. */
  readonly kind: ItemKind;
  readonly cases: readonly BenchCase[];
  readonly entries: readonly BenchEntry[];
  /** Metrics that it shows, by id. */
  readonly metrics: readonly MetricId[];
  /** Height and width of image files, where all models get the same instead of what suits each. */
  readonly size?: readonly [number, number];
  /** What is done to the numbers of rows, where not the default of training, min-max. */
  readonly scaling?: Scaling;
  /** Channels to which image files are brought, 1 or 3, where they differ. */
  readonly channels?: 1 | 3;
  /** Used by each model that has a preset of this name. */
  readonly preset?: string;
  /** How splits are drawn, where not by the defaults of training and an entry does not say. */
  readonly split?: SplitOptions;
  /** Epochs of each phase with `--quick`; 2 unless given. */
  readonly quickEpochs?: number;
  readonly published?: readonly PublishedFigure[];
  /** What a reader must know to judge the numbers, as sentences. */
  readonly notes?: readonly string[];
}

/** A benchmark. */
export interface Bench {
  readonly name: string;
  /** In a few words, for lists. */
  readonly title: string;
  readonly seeds: readonly number[];
  readonly tables: readonly BenchTable[];
}
