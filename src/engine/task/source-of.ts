/** What a program hands over as data, as a source: a Source as it is, arrays, rows as objects, images of any origin. */
import { Cancelled, ConfigError, DataError } from '../../core/errors.ts';
import { type Listener, warning } from '../../core/events.ts';
import { type ImageShape, itemSize } from '../../core/item-shape.ts';
import {
  fitImage,
  type ImageSize,
  objectRows,
  type Pixels,
  type RowObject,
  readTable,
  type Series,
  type Source,
  seriesSource,
  tableSource,
  tellRange,
  UsedValuesMeter,
  type ValueRange,
  valuesSource,
  writeUnit,
} from '../../data/pure.ts';
import { checkUnitRange, type ImageInput, kindOf, pixelsOf } from '../../kinds/index.ts';
import type { Platform } from '../platform.ts';

/** Values of many items, one after the other. */
export interface ItemArray {
  readonly data: Float32Array;
  /** Of all items, their number first: `[N, C, H, W]` images in [0, 1], `[N, D]` rows. */
  readonly shape: readonly number[];
}

/** Data that fitting takes; series must be complete (`regular`). */
export type FitInput =
  | Source
  | ItemArray
  | Series
  | readonly Series[]
  | readonly RowObject[]
  | Iterable<ImageInput>
  | AsyncIterable<ImageInput>;

export interface SourceOfOptions {
  /** Height and width to which images are brought, or a limit; without it the size of the first image. */
  readonly size?: ImageSize;
  /** 1 = anomalous, an item each; all normal unless given. A Source has its own. */
  readonly labels?: ArrayLike<number>;
  /** The values of deep images that become 0 and 1; default what the normal ones use. */
  readonly valueRange?: ValueRange;
  readonly onEvent: Listener;
  readonly signal?: AbortSignal;
}

/** Makes a source of whatever fitting was given. Throws ConfigError `no-data`, DataError for items that cannot be read. */
export async function sourceOf(data: FitInput, platform: Platform, options: SourceOfOptions): Promise<Source> {
  if (isSource(data)) return data;
  if (isItemArray(data)) return arraySource(data, options);
  if (isSeries(data)) return wholeSeries([data]);
  const first = Array.isArray(data) ? data[0] : undefined;
  if (Array.isArray(data) && data.length === 0) {
    throw new ConfigError('no-data', 'Fitting needs normal items, got an empty list.');
  }
  if (first !== undefined && isSeries(first)) return wholeSeries(data as readonly Series[]);
  if (first !== undefined && isRow(first)) return rowsSource(data as readonly RowObject[], options);
  return imagesSource(data as Iterable<ImageInput> | AsyncIterable<ImageInput>, platform, options);
}

const isSource = (data: FitInput): data is Source =>
  typeof data === 'object' && 'read' in data && typeof data.read === 'function' && 'items' in data;

const isItemArray = (data: FitInput): data is ItemArray =>
  typeof data === 'object' && 'data' in data && data.data instanceof Float32Array && 'shape' in data;

const isSeries = (data: unknown): data is Series =>
  typeof data === 'object' &&
  data !== null &&
  'channels' in data &&
  Array.isArray(data.channels) &&
  'values' in data &&
  data.values instanceof Float64Array;

/** Series whose steps are all for learning, but for those near labelled anomalies. */
function wholeSeries(series: readonly Series[]): Promise<Source> {
  const about = { name: 'series', title: 'Series of a program', licence: 'that of the caller' };
  return seriesSource({ ...about, series, parts: 'whole' });
}

/** An object that is neither pixels nor bytes of a file. */
const isRow = (item: unknown): item is RowObject =>
  typeof item === 'object' &&
  item !== null &&
  !(item instanceof Uint8Array) &&
  !(item instanceof URL) &&
  !(typeof Blob !== 'undefined' && item instanceof Blob) &&
  !('data' in item && 'width' in item && 'height' in item);

async function arraySource({ data, shape }: ItemArray, { labels }: SourceOfOptions): Promise<Source> {
  const [count, ...item] = shape;
  const { name, words, input } = kindOf(item);
  if (data.length !== count * itemSize(item)) {
    throw new DataError(
      'count-mismatch',
      `${count} ${words.items} of ${item.join('x')} need ${count * itemSize(item)} values, got ${data.length}.`,
    );
  }
  if (input.range) checkUnitRange(data);
  else requireFinite(data, words.items);
  return valuesSource({ kind: name, shape: item, values: data, labels });
}

function requireFinite(data: Float32Array, items: string): void {
  const at = data.findIndex((v) => !Number.isFinite(v));
  if (at < 0) return;
  throw new DataError(
    'not-finite',
    `${items} must have finite values, found ${data[at]} at position ${at}. Fill or leave them out.`,
  );
}

async function rowsSource(rows: readonly RowObject[], { labels, onEvent }: SourceOfOptions): Promise<Source> {
  const { table, remarks } = readTable(objectRows(rows, 'The rows'));
  for (const { code, message } of remarks) onEvent(warning(code, message));
  if (labels && labels.length !== rows.length) {
    throw new DataError('count-mismatch', `${rows.length} rows need ${rows.length} labels, got ${labels.length}.`);
  }
  return tableSource({
    name: 'rows',
    title: 'Rows of a program',
    licence: 'that of the caller',
    classes: labels ? ['normal', 'anomalous'] : ['normal'],
    normalClass: 0,
    table,
    labels: labels ? Array.from(labels, (y) => Number(y !== 0)) : new Uint8Array(rows.length),
  });
}

/** Decodes all images and keeps them at one size, grey where all are grey. */
async function imagesSource(
  images: Iterable<ImageInput> | AsyncIterable<ImageInput>,
  platform: Platform,
  { size, labels, signal, onEvent, valueRange: given }: SourceOfOptions,
): Promise<Source> {
  const fitted: { data: Pixels['data']; channels: number; isDeep: boolean }[] = [];
  let target = size && 'atMost' in size ? undefined : size;
  for await (const item of images) {
    if (signal?.aborted) throw new Cancelled();
    const pixels = await pixelsOf(item, platform.readImage);
    target ??= size && 'atMost' in size ? limited(pixels, size.atMost) : [pixels.height, pixels.width];
    const { channels, isRaw } = pixels;
    const data = fitImage(pixels, [channels, ...target]);
    fitted.push({ data, channels, isDeep: isRaw === true || data instanceof Uint16Array });
    onEvent({ type: 'progress', task: 'read', done: fitted.length, total: fitted.length, unit: 'image' });
  }
  if (!target) throw new ConfigError('no-data', 'Fitting needs normal images, got none.');
  const channels = Math.max(...fitted.map((f) => f.channels));
  const shape: ImageShape = [channels, ...target];
  const area = target[0] * target[1];
  const values = new Float32Array(fitted.length * channels * area);
  const meter = new UsedValuesMeter();
  for (const [i, { data, isDeep }] of fitted.entries()) if (isDeep && !labels?.[i]) meter.add(data);
  const valueRange = meter.used && (given ?? tellRange(meter, onEvent));
  for (const [i, { data, channels: own, isDeep }] of fitted.entries()) {
    for (let c = 0; c < channels; c++) {
      const plane = own === channels ? data.subarray(c * area, (c + 1) * area) : data;
      writeUnit(plane, values, (i * channels + c) * area, isDeep ? valueRange : undefined);
    }
  }
  const source = await valuesSource({ kind: 'image', shape, values, labels, name: 'images' });
  return valueRange ? { ...source, valueRange } : source;
}

/** Sides in multiples of 32, at least 64 and at most `atMost`, as folders of images are read. */
function limited({ height, width }: Pixels, atMost: number): [number, number] {
  const side = (n: number) => Math.max(64, Math.min(atMost, 32 * Math.round(n / 32)));
  return [side(height), side(width)];
}
