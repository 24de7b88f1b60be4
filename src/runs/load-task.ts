/** Loads a data set by name or path and splits it by a protocol. Node only. */
import { ConfigError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { ImageShape } from '../core/item-shape.ts';
import { Rng } from '../core/random.ts';
import { option, optionList, say } from '../core/text.ts';
import {
  changeTraining,
  checkImageOptions,
  checkScaling,
  type Dataset,
  dataPath,
  dataRoot,
  findDataset,
  findProtocol,
  type ImageOptions,
  missingClass,
  type Protocol,
  regionSource,
  resolveClass,
  type Scaling,
  type Source,
  unmatched,
  withExcluded,
} from '../data/index.ts';
import { hashSplit, type Task, warnOfSplit } from '../engine/task/task.ts';
import type { RegionOption } from '../engine/task/view-options.ts';
import { findKind } from '../kinds/index.ts';
import { excludedIds, intervalsOf, withoutItems } from './exclude.ts';
import type { RunOptions } from './options.ts';
import { readRegion } from './region.ts';

/** What determines a task, besides the bytes of the data. */
export interface TaskOptions extends Omit<RunOptions, 'seed' | 'size' | 'region' | 'data'> {
  readonly data: string | Source;
  readonly seed: number;
  readonly size?: ImageOptions['size'];
  /** The model takes rows: without `kind` a file whose times go on in even steps is then a table. */
  readonly ofRows?: boolean;
  /** Steps of windows that the model asks for, of series or of clips, where `window` says nothing. */
  readonly windowFor?: (kind: string) => number | undefined;
  /** What is done to the numbers of a table where `scaling` says nothing; default `min-max`. */
  readonly usualScaling?: Scaling;
  readonly region?: RegionOption;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Files of one's own say themselves what is normal; of a data set of classes, one class is. */
export function defaultProtocol(dataset: Pick<Dataset, 'protocol' | 'isOfFiles'>): string {
  return dataset.protocol ?? (dataset.isOfFiles ? 'folder' : 'one-class');
}

/** A source that a program holds, as a data set. */
function heldBy(source: Source): Pick<Dataset, 'name' | 'isOfFiles' | 'protocol' | 'load'> {
  const protocol = source.normalClass === undefined ? 'one-class' : 'folder';
  return { name: source.name, isOfFiles: false, protocol, load: async () => source };
}

/** Checks names and options before anything is loaded. */
export function checkTask(options: TaskOptions): { dataset: ReturnType<typeof heldBy>; protocol: Protocol } {
  const { data, class: about, size, channels, folderNames, valueRange } = options;
  const dataset = typeof data === 'string' ? findDataset(data) : heldBy(data);
  const protocol = findProtocol(options.protocol ?? defaultProtocol(dataset));
  if (protocol.needs.includes('class') && about === undefined) throw missingClass(protocol.name, dataset.name);
  if (options.heldOut && protocol.name !== 'imbalance') {
    throw new ConfigError(
      'held-out',
      say`Classes can be held out under the protocol imbalance only; this is ${protocol.name}. Leave ${option('heldOut')}
        out, or use ${option('protocol', 'imbalance')}.`,
    );
  }
  checkImageOptions(options);
  if (valueRange && !(valueRange[0] < valueRange[1])) {
    const must = 'two numbers low,high with low below high';
    throw new ConfigError('value-range', { option: 'valueRange', value: valueRange, must });
  }
  if (folderNames && dataset.isOfFiles && typeof data === 'string' && dataPath(data) === undefined) {
    throw new ConfigError(
      'folder-names',
      say`${dataset.name} has folders of its own names. Leave ${option('folderNames')} out.`,
    );
  }
  if (options.scaling !== undefined) checkScaling(options.scaling);
  const ofFiles = Object.entries({ size, channels, folderNames }).filter(([, value]) => value !== undefined);
  if (!dataset.isOfFiles && ofFiles.length > 0) {
    throw new ConfigError(
      'size-not-needed',
      say`${dataset.name} is not a folder of images: its images have their own size, channels and classes. Leave
        ${optionList(ofFiles.map(([name]) => name))} out.`,
    );
  }
  return { dataset, protocol };
}

/** Loads the data and makes the split, from the seed alone. */
export async function loadTask(options: TaskOptions): Promise<Task> {
  const { dataset, protocol } = checkTask(options);
  const { onEvent = silent, signal, seed } = options;
  const begin = performance.now();
  const root = options.dataRoot ?? dataRoot();
  const { download, acceptLicence, columns, missing, decimal, scaling, valueRange } = options;
  const { kind, ofRows, window, gaps, step, trainShare } = options;
  const { size, channels, maxPixels, folderNames } = options;
  const images = { size, channels, maxPixels, folderNames };
  const loaded = await dataset.load({
    root,
    onEvent,
    download,
    acceptLicence,
    columns,
    missing,
    decimal,
    kind,
    ofRows,
    window,
    gaps,
    step,
    trainShare,
    parts: protocol.parts,
    ...images,
    signal,
  });
  let source = loaded;
  try {
    checkKind(source, options);
    source = await throughWindowsOf(source, options);
    if (options.exclude && source.series)
      source = await withoutIntervals(source, source.series, options.exclude, onEvent);
    const rng = new Rng(seed);
    const about = options.class ?? protocol.class;
    const number = about === undefined ? source.normalClass : resolveClass(source, about);
    const name = number === undefined ? undefined : source.classes[number];
    let split = protocol.split(source, { ...options, class: name, rng });
    if (options.changes) {
      const { changes } = options;
      ({ source, split } = await changeTraining(source, split, changes, { maxPixels, onEvent, signal }));
    }
    if (options.exclude && !source.series) split = withoutItems(source, split, await excludedIds(options.exclude));
    warnOfSplit(source, split, onEvent);
    const region = options.region && (await readRegion(options.region, source.shape as ImageShape));
    const used = scaling ?? (source.kind === 'table' ? options.usualScaling : undefined);
    const prepared = (await source.prepare?.(split.train, { scaling: used, valueRange, onEvent })) ?? source;
    if (valueRange && !prepared.valueRange) {
      throw new ConfigError(
        'value-range',
        say`A range of values applies to image files with more than 8 bits only, but ${source.name} has none. Leave
          ${option('valueRange')} out.`,
      );
    }
    return {
      source: region ? await regionSource(prepared, region) : prepared,
      split,
      ...(region && { region }),
      splitHash: await hashSplit(split),
      class: name!, // a protocol that is about a class has refused to go on without one
      rng,
      seconds: (performance.now() - begin) / 1000,
    };
  } catch (error) {
    if (typeof options.data === 'string') await source.close?.();
    throw error;
  }
}

/** The source, seen through windows as the model asks for where the user does not say how long they are. */
async function throughWindowsOf(source: Source, { window, windowFor }: TaskOptions): Promise<Source> {
  const wanted = window === undefined ? windowFor?.(source.kind) : undefined;
  if (wanted === undefined || source.series === undefined || source.series.windowFrom === 'given') return source;
  return (await source.seenThrough?.(wanted, 'model')) ?? source;
}

/** The source with the steps of stated intervals marked; those without a step are told. */
async function withoutIntervals(
  source: Source,
  series: NonNullable<Source['series']>,
  given: readonly string[],
  onEvent: Listener,
): Promise<Source> {
  const intervals = await intervalsOf(given);
  const remark = unmatched(intervals, series.spans);
  if (remark) onEvent({ type: 'warning', code: 'exclude-unmatched', message: `${source.name}: ${remark}` });
  return { ...source, series: withExcluded(series, intervals) };
}

/** Refuses options that mean nothing for the kind of items that were loaded. */
function checkKind({ name, kind, shape }: Source, options: TaskOptions): void {
  const { columns, missing, decimal, scaling, size, channels, region } = options;
  const { window, gaps, step, trainShare, alarms, alarmRate, exclude } = options;
  const given = (some: object) => Object.entries(some).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const ofTables = given({ columns, missing, decimal, scaling, ...(kind === 'image' && { kind: options.kind }) });
  if ((kind === 'image' || kind === 'clip') && ofTables.length > 0) {
    throw new ConfigError(
      'not-a-table',
      say`${optionList(ofTables)} ${ofTables.length === 1 ? 'applies' : 'apply'} to tables only, but ${name}
        has ${findKind(kind).words.items} of ${shape.slice(-3).join('x')}. Leave ${ofTables.length === 1 ? 'it' : 'them'} out.`,
    );
  }
  const ofSeries = given(
    kind === 'clip'
      ? { gaps, step, exclude }
      : { window, gaps, step, trainShare, alarms, alarmRate, ...(kind === 'series' && { exclude }) },
  );
  if (kind !== 'series' && ofSeries.length > 0) {
    throw new ConfigError(
      'not-a-series',
      say`${optionList(ofSeries)} ${ofSeries.length === 1 ? 'applies' : 'apply'} to series only, but ${name} has
        ${findKind(kind).words.items}. Leave ${ofSeries.length === 1 ? 'it' : 'them'} out${kind === 'table' ? say`, or take the rows for steps with ${option('kind', 'series')}` : ''}.`,
    );
  }
  if (kind !== 'image' && region) {
    throw new ConfigError(
      'region',
      say`A region applies to images only, but ${name} has ${findKind(kind).words.items}. Leave ${option('region')} out.`,
    );
  }
  if (kind !== 'image' && kind !== 'clip' && (size || channels)) {
    throw new ConfigError(
      'size-not-needed',
      say`Size and channels apply to image files only, but ${name} has ${findKind(kind).words.items}. Leave
        ${optionList([...(size ? ['size'] : []), ...(channels ? ['channels'] : [])])} out.`,
    );
  }
}
