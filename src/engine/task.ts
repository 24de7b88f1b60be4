/** A data set under a protocol: what a run trains on, holds out and tests on. */
import { ConfigError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { Rng } from '../core/random.ts';
import {
  checkImageOptions,
  type Dataset,
  dataRoot,
  findDataset,
  findLeaks,
  findProtocol,
  type ImageOptions,
  missingClass,
  type Protocol,
  resolveClass,
  type Source,
  type Split,
} from '../data/index.ts';
import { hashSplit } from './run.ts';

/** What determines a task, besides the bytes of the data. */
export interface TaskOptions extends ImageOptions {
  /** Name of a data set, or path of a folder of images or of a CSV file that lists them. */
  readonly data: string;
  /** Default: what suits the data set, see `defaultProtocol`. */
  readonly protocol?: string;
  readonly class?: string | number;
  readonly seed: number;
  readonly validationFraction?: number;
  /** Share of the anomalies for training whose labels are used, under the protocol `labelled`. */
  readonly labelledFraction?: number;
  /** Accept the licence of a data set that asks for it. */
  readonly acceptLicence?: boolean;
  readonly dataRoot?: string;
  readonly download?: boolean;
  readonly onEvent?: Listener;
  readonly signal?: AbortSignal;
}

export interface Task {
  readonly source: Source;
  readonly split: Split;
  readonly splitHash: string;
  /** Name of the class that the protocol is about. */
  readonly class: string;
  readonly rng: Rng;
  readonly seconds: number;
}

/** Image files say themselves what is normal; of a data set of classes, one class is. */
export function defaultProtocol(dataset: Dataset): string {
  return dataset.isOfFiles ? 'folder' : 'one-class';
}

/** Checks names and options before anything is loaded. */
export function checkTask(options: TaskOptions): { dataset: Dataset; protocol: Protocol } {
  const { data, class: about, size, channels, folderNames } = options;
  const dataset = findDataset(data);
  const protocol = findProtocol(options.protocol ?? defaultProtocol(dataset));
  if (protocol.needs.includes('class') && about === undefined) throw missingClass(protocol.name, dataset.name);
  checkImageOptions(options);
  if (!dataset.isOfFiles && (size || channels || folderNames)) {
    throw new ConfigError(
      'size-not-needed',
      `${data} is no folder: its images have a size, channels and classes of their own. ` +
        'Leave --size, --channels, --normal, --abnormal and --mask out.',
    );
  }
  return { dataset, protocol };
}

/** Loads the data and makes the split, from the seed alone. */
export async function loadTask(options: TaskOptions): Promise<Task> {
  const { dataset, protocol } = checkTask(options);
  const { onEvent = silent, signal, seed, validationFraction, labelledFraction } = options;
  const begin = performance.now();
  const root = options.dataRoot ?? dataRoot();
  const { download, acceptLicence, size, channels, maxPixels, folderNames } = options;
  const images = { size, channels, maxPixels, folderNames };
  const source = await dataset.load({ root, onEvent, download, acceptLicence, ...images, signal });
  try {
    const rng = new Rng(seed);
    const number = options.class === undefined ? source.normalClass : resolveClass(source, options.class);
    const name = number === undefined ? undefined : source.classes[number];
    const split = protocol.split(source, { class: name, validationFraction, labelledFraction, rng });
    warnOf(source, split, onEvent);
    return {
      source,
      split,
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

/** Says what makes the result of a split doubtful. */
function warnOf(source: Source, split: Split, onEvent: Listener): void {
  if (split.prevalence === 0) {
    onEvent({
      type: 'warning',
      code: 'no-anomalies',
      message:
        `${source.name} has no anomalous images: a detector is trained, but nothing can be said about how good it is. ` +
        'Add some images of defects to measure it.',
    });
  }
  const leaks = findLeaks(source, split);
  if (leaks.length > 0) {
    const { items } = source;
    const shown = leaks.slice(0, 3).map((leak) => `${items[leak.test].id} = ${items[leak.seen].id}`);
    onEvent({
      type: 'warning',
      code: 'leak',
      message:
        `${leaks.length} of ${split.test.length} test images are copies of images that were trained on or held out ` +
        `(${shown.join(', ')}${leaks.length > 3 ? ', …' : ''}): the metrics flatter. Remove the copies.`,
    });
  }
}
