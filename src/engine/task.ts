/** A data set under a protocol: what a run trains on, holds out and tests on. */
import { ConfigError } from '../core/errors.ts';
import type { Listener } from '../core/events.ts';
import { Rng } from '../core/random.ts';
import {
  type Dataset,
  dataRoot,
  findDataset,
  findProtocol,
  type Protocol,
  resolveClass,
  type Source,
  type Split,
} from '../data/index.ts';
import { hashSplit } from './run.ts';

/** What determines a task, besides the bytes of the data. */
export interface TaskOptions {
  readonly data: string;
  readonly protocol: string;
  readonly class?: string | number;
  readonly seed: number;
  readonly validationFraction?: number;
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

/** Checks names before anything is loaded. */
export function checkTask({ data, protocol, class: given }: TaskOptions): { dataset: Dataset; protocol: Protocol } {
  const found = { dataset: findDataset(data), protocol: findProtocol(protocol) };
  if (found.protocol.needs.includes('class') && given === undefined) {
    throw new ConfigError(
      'missing-class',
      `The protocol ${protocol} needs a class of ${data}, got none. Name one with --class, for example --class 0.`,
    );
  }
  return found;
}

/** Loads the data and makes the split, from the seed alone. */
export async function loadTask(options: TaskOptions): Promise<Task> {
  const { dataset, protocol } = checkTask(options);
  const { onEvent, signal, seed, validationFraction } = options;
  const begin = performance.now();
  const root = options.dataRoot ?? dataRoot();
  const source = await dataset.load({ root, onEvent, download: options.download, signal });
  try {
    const rng = new Rng(seed);
    const name = source.classes[resolveClass(source, options.class!)];
    const split = protocol.split(source, { class: name, validationFraction, rng });
    return {
      source,
      split,
      splitHash: await hashSplit(split),
      class: name,
      rng,
      seconds: (performance.now() - begin) / 1000,
    };
  } catch (error) {
    await source.close?.();
    throw error;
  }
}
