/** Loads a data set by name or path and splits it by a protocol. Node only. */
import { ConfigError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import type { ImageShape } from '../core/item-shape.ts';
import { Rng } from '../core/random.ts';
import { option, optionList, say } from '../core/text.ts';
import {
  type ColumnKind,
  changeTraining,
  checkImageOptions,
  checkScaling,
  type Dataset,
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
  type SplitOptions,
  type TrainingChanges,
} from '../data/index.ts';
import { hashSplit, type Task, warnOfSplit } from '../engine/task/task.ts';
import type { RegionOption } from '../engine/task/view-options.ts';
import { readRegion } from './region.ts';

/** What determines a task, besides the bytes of the data. */
export interface TaskOptions extends ImageOptions, SplitOptions {
  /** Name of a data set, or path of a folder of images, of a CSV file that lists them or of a CSV file of rows. */
  readonly data: string;
  /** Default: what suits the data set, see `defaultProtocol`. */
  readonly protocol?: string;
  readonly class?: string | number;
  readonly seed: number;
  /** Share of the anomalies for training whose labels are used, under the protocols `labelled` and `imbalance`. */
  readonly labelledFraction?: number;
  /** Classes of anomalies that training must not see, under the protocol `imbalance`. */
  readonly heldOut?: readonly (string | number)[];
  /** What columns of a CSV file of rows are, by name; the others follow from their cells. */
  readonly columns?: Readonly<Record<string, ColumnKind>>;
  /** What is done to the numbers of a table; default `min-max`, by the training part. */
  readonly scaling?: Scaling;
  /** The part of the images that counts: outside they are black and have no masks. */
  readonly region?: RegionOption;
  /** Accept the licence of a data set that asks for it. */
  readonly acceptLicence?: boolean;
  /** Normal images that were added to the training part after the split, or taken out. */
  readonly changes?: TrainingChanges;
  readonly dataRoot?: string;
  readonly download?: boolean;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

/** Files of one's own say themselves what is normal; of a data set of classes, one class is. */
export function defaultProtocol(dataset: Dataset): string {
  return dataset.protocol ?? (dataset.isOfFiles ? 'folder' : 'one-class');
}

/** Checks names and options before anything is loaded. */
export function checkTask(options: TaskOptions): { dataset: Dataset; protocol: Protocol } {
  const { data, class: about, size, channels, folderNames } = options;
  const dataset = findDataset(data);
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
  if (options.scaling !== undefined) checkScaling(options.scaling);
  const ofFiles = Object.entries({ size, channels, folderNames }).filter(([, value]) => value !== undefined);
  if (!dataset.isOfFiles && ofFiles.length > 0) {
    throw new ConfigError(
      'size-not-needed',
      say`${data} is not a folder of images: its images have their own size, channels and classes. Leave
        ${optionList(ofFiles.map(([name]) => name))} out.`,
    );
  }
  return { dataset, protocol };
}

/** Loads the data and makes the split, from the seed alone. */
export async function loadTask(options: TaskOptions): Promise<Task> {
  const { dataset, protocol } = checkTask(options);
  const { onEvent = silent, signal, seed, validationFraction, labelledFraction, heldOut } = options;
  const { contamination, trainLimit, testLimit } = options;
  const begin = performance.now();
  const root = options.dataRoot ?? dataRoot();
  const { download, acceptLicence, columns, scaling, size, channels, maxPixels, folderNames } = options;
  const images = { size, channels, maxPixels, folderNames };
  const loaded = await dataset.load({ root, onEvent, download, acceptLicence, columns, ...images, signal });
  let source = loaded;
  try {
    checkKind(source, options);
    const rng = new Rng(seed);
    const about = options.class ?? protocol.class;
    const number = about === undefined ? source.normalClass : resolveClass(source, about);
    const name = number === undefined ? undefined : source.classes[number];
    const drawn = { validationFraction, labelledFraction, heldOut, contamination, trainLimit, testLimit, rng };
    let split = protocol.split(source, { class: name, ...drawn });
    if (options.changes) {
      const { changes } = options;
      ({ source, split } = await changeTraining(source, split, changes, { maxPixels, onEvent, signal }));
    }
    warnOfSplit(source, split, onEvent);
    const region = options.region && (await readRegion(options.region, source.shape as ImageShape));
    const prepared = (await source.prepare?.(split.train, { scaling, onEvent })) ?? source;
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
    await source.close?.();
    throw error;
  }
}

/** Refuses options that mean nothing for the kind of items that were loaded. */
function checkKind({ name, kind, shape }: Source, { columns, scaling, size, channels, region }: TaskOptions): void {
  if (kind !== 'table' && (columns || scaling)) {
    throw new ConfigError(
      'not-a-table',
      say`Columns and scaling apply to tables only, but ${name} has images of ${shape.join('x')}. Leave
        ${optionList([...(columns ? ['columns'] : []), ...(scaling ? ['scaling'] : [])])} out.`,
    );
  }
  if (kind !== 'image' && region) {
    throw new ConfigError(
      'region',
      say`A region applies to images only, but ${name} is a table. Leave ${option('region')} out.`,
    );
  }
  if (kind !== 'image' && (size || channels)) {
    throw new ConfigError(
      'size-not-needed',
      say`Size and channels apply to image files only, but ${name} is a table. Leave
        ${optionList([...(size ? ['size'] : []), ...(channels ? ['channels'] : [])])} out.`,
    );
  }
}
