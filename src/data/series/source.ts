/**
 * Series as a Source. An item is a step, seen through the window around it: step t through the steps from t − ⌈(L − 1)/2⌉ on,
 * moved inside at either end, so that the first and last steps are seen through the first and the last window (as TSB-AD fills
 * them). Windows never cross the border of the training part: a step there and one behind it share no value. So scores of
 * items are scores of steps, and whatever judges items judges steps.
 */
import { DataError, ShapeError } from '../../core/errors.ts';
import { option, say } from '../../core/text.ts';
import { sha256 } from '../hash.ts';
import type { Source, SourceItem } from '../item.ts';
import { encodedWidth, encoder, fitEncoding, type TableEncoding } from '../table/encoding.ts';
import type { Table } from '../table/table.ts';
import { checkSeries, type Series, stepsOf } from './series.ts';
import { withContents } from './window-contents.ts';
import { windowLength } from './window-length.ts';
import { windowStart } from './windows.ts';

/** One series or clip of a source, as `Source.series` has it. */
export interface SeriesSpan {
  readonly id: string;
  /** Number of the item that is its first step. */
  readonly first: number;
  /** T. */
  readonly steps: number;
  /** The first steps that are for training. */
  readonly train: number;
  /**
   * The period of its first channel by its autocorrelation: how far from a segment a score still counts in volumes (VUS).
   * Absent of clips, which have no such period: volumes are then not measured.
   */
  readonly buffer?: number;
  /** Frames a second of a clip, where that is known. */
  readonly rate?: number;
  /** Milliseconds since 1970. */
  readonly times?: Float64Array;
  /** Steps that were filled in: they stand in no file, and nothing is said of them. */
  readonly filled?: Uint8Array;
  /** `[T]`, 1 for steps in, or seen together with, an interval that is left out: they do not train and are not judged. */
  readonly excluded?: Uint8Array;
}

/** How steps are seen, and where each series lies among the items: of series of values and of clips, whose steps are frames. */
export interface SeriesFacts {
  /** L, the steps of a window. */
  readonly window: number;
  /** Why it is that long: by the data, as a user said, as the model asks, or as is usual where neither says. */
  readonly windowFrom: 'autocorrelation' | 'given' | 'model' | 'usual';
  readonly spans: readonly SeriesSpan[];
}

/** What the steps of series of values are made of. */
export interface SeriesChannels {
  readonly names: readonly string[];
  /** `[steps of all series, D]`, as they were before scaling. */
  readonly values: Float64Array;
}

export interface SeriesSourceOptions {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly series: readonly Series[];
  /** L; default by the autocorrelation of the first channel, of the training part where there is one. */
  readonly window?: number;
  /** Whose wish `window` is; default `given`. */
  readonly windowFrom?: SeriesFacts['windowFrom'];
  /** Share of a series that is for training where the data do not say; default half where there are labels, else 0.8. */
  readonly trainShare?: number;
  /** Which steps are for training; default `first`. */
  readonly parts?: SeriesParts;
}

/**
 * Which steps are for training: the `first` of each series, the `whole` of each (which is then judged too), or all of some
 * series and none of the `others`.
 */
export type SeriesParts = 'first' | 'whole' | 'others';

/** Series that train under `others`: those of a folder `train` where there is one, else those without an anomaly. */
function trainsWhole(series: readonly Series[]): (one: Series) => boolean {
  const inFolder = ({ id }: Series) => /(^|[\\/])train[\\/]/.test(id);
  return series.some(inFolder) ? inFolder : ({ labels }) => labels !== undefined && !labels.includes(1);
}

/** Wraps series as a Source; values must be complete (`regular.ts`). Throws DataError `series` and `short-series`. */
export async function seriesSource(options: SeriesSourceOptions): Promise<Source> {
  const { name, series } = options;
  checkSeries(series, name);
  const { channels } = series[0];
  const spans: SeriesSpan[] = [];
  const items: SourceItem[] = [];
  const isTrained = trainsWhole(series);
  const trainedSteps = (one: Series, steps: number): number => {
    if (options.parts === 'whole') return steps;
    if (options.parts === 'others') return isTrained(one) ? steps : 0;
    return one.train ?? Math.round((options.trainShare ?? (one.labels ? 0.5 : 0.8)) * steps);
  };
  for (const one of series) {
    const steps = stepsOf(one);
    const span: SeriesSpan = {
      id: one.id,
      first: items.length,
      steps,
      train: trainedSteps(one, steps),
      buffer: windowLength(firstChannel(one)),
      ...(one.times && { times: one.times }),
      ...(one.rows?.includes(0) && { filled: one.rows.map((row) => Number(row === 0)) as unknown as Uint8Array }),
    };
    for (let t = 0; t < steps; t++) {
      const number = one.rows ? one.rows[t] : t + 1;
      const id = `${one.id}:${number === 0 ? `${t + 1} filled` : number}`;
      items.push({ id, class: one.labels?.[t] ?? 0, part: t < span.train ? 'train' : 'test' });
    }
    spans.push(span);
  }
  const cells = joined(series.map(({ values }) => values));
  const gap = cells.findIndex((value) => !Number.isFinite(value));
  if (gap >= 0)
    throw new DataError(
      'series',
      `${name} must have finite values, but ${items[Math.floor(gap / channels.length)].id} has none of ${channels[gap % channels.length]}.`,
    );
  const window = options.window ?? periodOf(series[0], spans[0]);
  checkLengths(name, spans, window);
  const table: Table = {
    columns: channels.map((channel) => ({ name: channel, kind: 'numeric' })),
    rows: items.length,
    cells,
  };
  const facts: SeriesFacts = {
    window,
    windowFrom: options.window === undefined ? 'autocorrelation' : (options.windowFrom ?? 'given'),
    spans,
  };
  const parts = spans.map(({ id, steps, train }) => [id, steps, train]);
  const labels = Uint8Array.from(items, (item) => item.class);
  const content = [channels, parts, await sha256(new Uint8Array(cells.buffer)), await sha256(labels)];
  const hash = await sha256(JSON.stringify([...content, window]));
  const seenThrough: Source['seenThrough'] = (window, windowFrom) => seriesSource({ ...options, window, windowFrom });
  return windowSource(
    {
      ...options,
      items: withContents(items, facts, { names: channels, values: cells }, windowStartOfItem(facts, items.length)),
      facts,
      table,
      hash,
      seenThrough,
    },
    undefined,
  );
}

/** The period of the first channel of the first series, of the part that trains where it is long enough. */
function periodOf(series: Series, { steps, train }: SeriesSpan): number {
  const first = firstChannel(series);
  const found = windowLength(train >= steps / 10 && train > 20 ? first.subarray(0, train) : first);
  // A window must leave something to compare: at most a fifth of what it is looked for in.
  return Math.max(2, Math.min(found, Math.floor((train > 20 ? train : steps) / 5)));
}

const firstChannel = ({ values, channels }: Series): Float64Array =>
  channels.length === 1 ? values : values.filter((_, i) => i % channels.length === 0);

function checkLengths(name: string, spans: readonly SeriesSpan[], window: number): void {
  for (const { id, steps, train } of spans) {
    for (const [what, count] of [
      ['training part', train],
      ['part that is judged', steps - train],
    ] as const) {
      if (count === 0 || count >= window) continue;
      throw new DataError(
        'short-series',
        say`The ${what} of ${id} (${name}) must be at least one window of ${window} steps long, but has ${count}. Use a shorter
          window with ${option('window', Math.max(2, Math.floor(count / 5)))}, or more steps.`,
      );
    }
  }
}

function joined(lists: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const out = new Float64Array(lists.reduce((n, list) => n + list.length, 0));
  let at = 0;
  for (const list of lists) {
    out.set(list, at);
    at += list.length;
  }
  return out;
}

interface Held extends Pick<SeriesSourceOptions, 'name' | 'title' | 'licence'> {
  readonly items: readonly SourceItem[];
  readonly facts: SeriesFacts;
  readonly table: Table;
  readonly hash: string;
  readonly seenThrough: Source['seenThrough'];
}

function windowSource(held: Held, encoding: TableEncoding | undefined): Source {
  const { name, title, licence, items, facts, table, hash } = held;
  const { window } = facts;
  const width = table.columns.length;
  const size = window * width;
  const scaled = encoding ? scaledSteps(table, encoding) : Float32Array.from(table.cells);
  const starts = windowStartOfItem(facts, items.length);
  return {
    name,
    kind: 'series',
    title,
    licence,
    shape: [window, width],
    classes: ['normal', 'anomalous'],
    normalClass: 0,
    items,
    hash,
    series: facts,
    channels: { names: table.columns.map((column) => column.name), values: table.cells as Float64Array },
    ...(encoding ? { encoding } : { seenThrough: held.seenThrough }),
    async read(indices, out) {
      if (out.length !== indices.length * size)
        throw new ShapeError(
          `${name}: ${indices.length} windows need ${indices.length * size} values, got ${out.length}.`,
        );
      for (let k = 0; k < indices.length; k++) {
        const start = starts[indices[k]];
        if (start === undefined)
          throw new ShapeError(`${name}: item numbers must be in 0 … ${items.length - 1}, got ${indices[k]}.`);
        out.set(scaled.subarray(start * width, start * width + size), k * size);
      }
    },
    cells: (index) => table.columns.map((_, c) => String(Number(table.cells[index * width + c].toPrecision(6)))),
    async prepare(train, { scaling = 'standard', onEvent }) {
      const { encoding: fitted, remarks } = fitEncoding(table, train, { scaling });
      for (const remark of remarks) onEvent({ type: 'warning', ...remark });
      const read = fitted.columns.map(
        ({ usual: _, ...column }: TableEncoding['columns'][number] & { usual?: unknown }) => column,
      );
      return windowSource({ ...held, hash: await sha256(JSON.stringify([hash, scaling, read])) }, fitted);
    },
  };
}

/** The steps of a series as inputs `[T, D]`, by the encoding that training left; channels are those of the encoding, in order. */
export function encodeSteps(
  { channels, values }: Pick<Series, 'channels' | 'values'>,
  encoding: TableEncoding,
): Float32Array {
  const columns = channels.map((name) => ({ name, kind: 'numeric' as const }));
  return scaledSteps({ columns, rows: values.length / channels.length, cells: values }, encoding);
}

function scaledSteps(table: Table, encoding: TableEncoding): Float32Array {
  const width = encodedWidth(encoding);
  const out = new Float32Array(table.rows * width);
  const write = encoder(encoding, table.columns);
  for (let row = 0; row < table.rows; row++) write(table.cells, row, out, row * width);
  return out;
}

/** The first step, counted over all series, of the window through which each item is seen. */
export function windowStartOfItem({ window, spans }: SeriesFacts, count: number): Int32Array {
  const starts = new Int32Array(count);
  for (const { first, steps, train } of spans) {
    for (let t = 0; t < steps; t++) {
      const [from, to] = t < train ? [0, train] : [train, steps];
      starts[first + t] = first + windowStart(t, window, from, to);
    }
  }
  return starts;
}
