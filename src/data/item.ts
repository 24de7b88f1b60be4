/**
 * What a data set is to the rest of oddity: a list of items that costs nothing to hold, and a way to read the values
 * of some of them. Splits, protocols and hashes look at the list only. A source may hold its values in memory
 * (`memory.ts`, `table/source.ts`) or decode files when asked; callers cannot tell.
 */
import type { Listener } from '../core/events.ts';
import type { ItemKind, ItemShape } from '../core/item-shape.ts';
import type { SeriesChannels, SeriesFacts } from './series/source.ts';
import type { Scaling, TableEncoding } from './table/encoding.ts';
import type { ValueRange } from './value-range.ts';

/** The official parts of a data set. */
export type Part = 'train' | 'validation' | 'test';

/** One item of a data set, without its values. */
export interface SourceItem {
  /** Unique in the source and stable between loads, for example `train/17`. */
  readonly id: string;
  /** Index into `Source.classes`. */
  readonly class: number;
  /** The official part of the data set that the item belongs to; `train` where the data set has no parts. */
  readonly part: Part;
  /** The image file, where the item is one. */
  readonly path?: string;
  /** sha256 of the file's bytes, where the item is a file: equal files in training and test are a leak. */
  readonly content?: string;
}

/** A loaded data set. */
export interface Source {
  readonly name: string;
  readonly kind: ItemKind;
  readonly title: string;
  readonly licence: string;
  /** Of every item: channels, height, width of an image; inputs of a row; steps and channels of a window, or frames and theirs. */
  readonly shape: ItemShape;
  /** Names of the classes, in the order of their numbers. */
  readonly classes: readonly string[];
  /**
   * Index of the class of normal items, where the data set itself says what is normal; the other classes are then types
   * of defects. Absent where any class may be normal.
   */
  readonly normalClass?: number;
  readonly items: readonly SourceItem[];
  /** sha256 (hex) over the content: shape, classes, labels and pixels. The same bytes give the same hash anywhere. */
  readonly hash: string;
  /**
   * Writes the values of the items at `indices` to `out`, item after item: pixels channel by channel (NCHW) in [0, 1],
   * rows as their inputs. `out` belongs to the caller and must hold exactly an item's values for each index.
   * @throws ShapeError for a wrong length or an index outside the items; DataError for a file that cannot be read.
   */
  read(indices: ArrayLike<number>, out: Float32Array): Promise<void>;
  /**
   * Learns from the training items what turns raw values into inputs – the scaling and the texts of a table, the range of
   * deep images – and returns the source that reads by it. Absent where nothing is learnt.
   */
  prepare?(
    train: ArrayLike<number>,
    options: { readonly scaling?: Scaling; readonly valueRange?: ValueRange; readonly onEvent: Listener },
  ): Promise<Source>;
  /** The values of deep images that became 0 and 1, for artefacts; absent where each depth has its usual white. */
  readonly valueRange?: ValueRange;
  /** Of series and clips: how steps are seen, and where each series lies among the items. */
  readonly series?: SeriesFacts;
  /** Of series of values: what their steps are made of; absent of clips, whose steps are images. */
  readonly channels?: SeriesChannels;
  /**
   * The same steps, seen through windows of so many; of series and clips. Throws DataError `short-series` where a part is
   * shorter.
   */
  seenThrough?(window: number, windowFrom: SeriesFacts['windowFrom']): Promise<Source>;
  /** How rows, or the steps of series, become inputs, for artefacts; absent for other kinds. */
  readonly encoding?: TableEncoding;
  /** Of a table: the cells of an item, in the order of the encoding's columns; empty where one is missing. */
  cells?(index: number): readonly string[];
  /** Writes masks (1 = anomalous pixel), item after item, `H · W` values each; absent when the source has none. */
  readMasks?(indices: ArrayLike<number>, out: Uint8Array): Promise<void>;
  /** False for an anomalous item whose mask is unknown: `readMasks` then writes zeros. Absent when all are known. */
  hasMask?(index: number): boolean;
  /** Ends workers and open files; absent when there is nothing to end. */
  close?(): Promise<void>;
}
