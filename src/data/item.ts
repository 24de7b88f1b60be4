/**
 * What a data set is to the rest of oddity: a list of items that costs nothing to hold, and a way to read the pixels
 * of some of them. Splits, protocols and hashes look at the list only. A source may hold its pixels in memory
 * (`memory.ts`) or decode files when asked; callers cannot tell.
 */

/** One item of a data set, without its pixels. */
export interface SourceItem {
  /** Unique in the source and stable between loads, for example `train/17`. */
  readonly id: string;
  /** Index into `Source.classes`. */
  readonly class: number;
  /** The official part of the data set that the item belongs to. */
  readonly part: 'train' | 'test';
}

/** A loaded data set. */
export interface Source {
  readonly name: string;
  /** What an item is; tables and series will add their words here. */
  readonly kind: 'image';
  readonly title: string;
  readonly licence: string;
  /** Channels, height, width of every item. */
  readonly shape: readonly [number, number, number];
  /** Names of the classes, in the order of their numbers. */
  readonly classes: readonly string[];
  readonly items: readonly SourceItem[];
  /** sha256 (hex) over the content: shape, classes, labels and pixels. The same bytes give the same hash anywhere. */
  readonly hash: string;
  /**
   * Writes the pixels of the items at `indices` to `out`, item after item, channel by channel (NCHW), in [0, 1].
   * `out` belongs to the caller and must hold exactly `indices.length · C · H · W` values.
   * @throws ShapeError for a wrong length or an index outside the items; DataError for a file that cannot be read.
   */
  read(indices: ArrayLike<number>, out: Float32Array): Promise<void>;
  /** Writes masks (1 = anomalous pixel), item after item, `H · W` values each; absent when the source has none. */
  readMasks?(indices: ArrayLike<number>, out: Uint8Array): Promise<void>;
  /** False for an anomalous item whose mask is unknown: `readMasks` then writes zeros. Absent when all are known. */
  hasMask?(index: number): boolean;
  /** Ends workers and open files; absent when there is nothing to end. */
  close?(): Promise<void>;
}
