/**
 * The contract of a kind of item: one value from which reading, the graph's input, the shape of maps, locating and words
 * follow. A kind is recognised by the number of axes of an item, so each number belongs to one kind.
 */
import type { ImageShape, ItemShape } from '../core/item-shape.ts';
import type { ColumnShare, Pixels, TableEncoding, ValueRange } from '../data/pure.ts';

export type { ColumnShare } from '../data/pure.ts';

/** How texts for people name the items of a kind. */
export interface KindWords {
  /** One item: `image`, `row`. */
  readonly item: string;
  /** Several of them: `images`, `rows`. */
  readonly items: string;
  /** A data set of them: `images`, `a table`. */
  readonly data: string;
  /** One value of a map, and several: `pixel` and `pixels`, `column` and `columns`. */
  readonly place: string;
  readonly places: string;
}

/** What the scoring graph of a model takes, as any ONNX host sees it. */
export interface KindInput {
  readonly name: string;
  /** Letters of the axes, N first: `NCHW`. */
  readonly layout: string;
  /** Values that an item may have; null where they follow from an encoding. */
  readonly range: readonly [number, number] | null;
}

/** What an item needs to become values. */
export interface ReadContext {
  readonly shape: ItemShape;
  /** How raw rows become inputs; of tables only. */
  readonly encoding?: TableEncoding;
  /** Decodes what is not pixels yet: a path or URL, the bytes of a file, a Blob. */
  readonly readImage?: (input: string | URL | Uint8Array | Blob) => Promise<Pixels>;
  /** The values of deep images that become 0 and 1; of images only. */
  readonly valueRange?: ValueRange;
  /** Decodes a file at a path and brings it to the shape at once, where that can be done off this thread. */
  readonly fitFile?: (path: string, shape: ImageShape) => Promise<FittedImage>;
}

/** An image at the shape of a model, `[C, H, W]`, and the size that it had. */
export interface FittedImage extends Size {
  readonly data: Pixels['data'];
  /** The floats are the numbers of a file, of any range. */
  readonly isRaw?: boolean;
}

/** An item as a model takes it. */
export interface ReadItem {
  /** `itemSize(shape)` values. */
  readonly values: Float32Array;
  /** Of an image before it was brought to the model's size; absent for other kinds. */
  readonly size?: Size;
  /** Of a row, the cells of its columns as they were given; absent for other kinds. */
  readonly cells?: readonly string[];
}

/** Height and width in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** What is needed to say where an item stands out. */
export interface LocateContext {
  readonly shape: ItemShape;
  /** Where values of a map stand out; null without held-out normals. */
  readonly mapThreshold: number | null;
  readonly size?: Size;
  readonly encoding?: TableEncoding;
  /** Of a row, as `ReadItem` has them. */
  readonly cells?: readonly string[];
}

/** A box in pixels of the image as it was given, from the top left, and the largest value of the map inside. */
export interface ImageRegion {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Pixels of the map inside, scaled to the image. */
  readonly area: number;
  readonly peak: number;
}

/** Where an item stands out: each kind fills what it has. */
export interface Places {
  /** Connected regions that reach the map threshold, the highest peak first. */
  readonly regions?: readonly ImageRegion[];
  /** The columns that add most to the map, at most three, with their cells and what is usual. */
  readonly columns?: readonly ColumnShare[];
}

export interface Kind<Input = unknown> {
  readonly name: string;
  /** Axes of an item's shape. */
  readonly axes: number;
  readonly words: KindWords;
  readonly input: KindInput;
  /** Items of a scoring call at most, whatever their size. */
  readonly batch: number;
  /** Shape of the map of one item of a shape, without the batch: `[H, W]` of an image, `[D]` of a row. */
  mapShape(shape: ItemShape): readonly number[];
  /**
   * Values of one item as a caller holds it. Throws DataError for what cannot be read, and for values that cannot be:
   * outside of the range, not a number, infinite.
   */
  read(item: Input, context: ReadContext): Promise<ReadItem>;
  /** Where the map of one item stands out. */
  locate(map: Float32Array, context: LocateContext): Places;
}

/** Declares a kind of item; `oddity/testing` has `checkKind` for it. */
export function defineKind<Input>(kind: Kind<Input>): Kind<Input> {
  return kind;
}
