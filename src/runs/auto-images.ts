/** Choosing a detector for images before a training: loads the data, tries candidates, and says which to train. Node only. */

import { backbones } from '../backbones/index.ts';
import { hasWeights } from '../backbones/load.ts';
import { ConfigError } from '../core/errors.ts';
import { type Listener, silent } from '../core/events.ts';
import { action, say } from '../core/text.ts';
import { dataRoot, findDataset } from '../data/index.ts';
import { chooseForImages, type ImageChoice } from '../engine/choosing/choose.ts';
import type { Task } from '../engine/task/task.ts';
import { findKind } from '../kinds/index.ts';
import { findModel, startModel } from '../models/index.ts';
import type { Runtime } from '../runtime/index.ts';
import type { Choice } from './choice-schema.ts';
import { openDevice } from './device.ts';
import { checkNoRun } from './folder.ts';
import { loadTask } from './load-task.ts';
import type { AutoTrainOptions, TrainOptions } from './options.ts';
import { nodePlatform } from './platform.ts';
import { resolveRun } from './resolve.ts';

type Without = Omit<AutoTrainOptions, 'model'>;

/** Largest sides of images while a detector is chosen, as of models that keep the size of their files. */
const SIZE = { atMost: 512 };

/** The options with the model to start with for a kind of items; `why` says why no other was looked for. */
export function withStartModel(options: Without, kind: string, why?: string): TrainOptions {
  const start = startModel(kind);
  if (!start)
    throw new ConfigError(
      'missing-model',
      say`${action('train')} needs a model for ${findKind(kind).words.items}: name one.`,
    );
  const reason = `${start.model.name}, the one to start with for ${findKind(kind).words.items}: it ${start.why}.`;
  return { ...options, model: start.model, choice: { reason: why === undefined ? reason : `${reason} ${why}` } };
}

/** Why nothing is tried with such options; undefined where candidates are. */
function whyNot({ preset, config = {}, tiles, region, mapNormalization = 'none' }: Without): string | undefined {
  if (preset !== undefined || Object.keys(config).length > 0)
    return 'Nothing was tried, since options of a model are set.';
  if (tiles || region)
    return `Nothing was tried, since ${tiles ? 'tiles' : 'regions'} of images are not known to the choice.`;
  return mapNormalization === 'none' ? undefined : 'Nothing was tried, since maps are to be normalised.';
}

/**
 * The options with the detector that finds most of what is planted into training images. The data are loaded once more for that.
 * @throws what loading throws; Cancelled.
 */
export async function ofImages(options: Without): Promise<TrainOptions> {
  const reason = whyNot(options);
  if (reason) return withStartModel(options, 'image', reason);
  const { data, onEvent = silent, signal, out, overwrite } = options;
  // What cannot be is said before minutes of trying.
  resolveRun({ ...withStartModel(options, 'image'), onEvent: undefined });
  if (out !== undefined && !overwrite) await checkNoRun(out);
  const isOfFiles = typeof data === 'string' && findDataset(data).isOfFiles;
  // What is wrong with the data is told when they are loaded to train.
  const progress: Listener = (event) => {
    if (event.type === 'progress') onEvent(event);
  };
  const size = options.size ?? (isOfFiles ? SIZE : undefined);
  const task = await loadTask({ ...options, size, seed: options.seed ?? 1, onEvent: progress });
  let runtime: Runtime | undefined;
  try {
    if (task.source.kind !== 'image') return withStartModel(options, task.source.kind);
    runtime = await openDevice(options.device ?? 'auto', { threads: options.threads });
    const choice = await chooseImages(task, runtime, {
      ...{ dataRoot: options.dataRoot, download: options.download },
      onlyOwnSize: options.size !== undefined || !isOfFiles,
      ...{ onEvent, signal },
    });
    if (!choice.chosen) return withStartModel(options, 'image', sentence(choice.reason));
    return {
      ...options,
      model: findModel(choice.chosen.model),
      config: choice.config,
      ...(isOfFiles && options.size === undefined && { size: choice.chosen.size }),
      choice: choiceOf(choice),
    } as TrainOptions;
  } finally {
    await runtime?.close();
    if (typeof data === 'string') await task.source.close?.();
  }
}

/** Chooses for a task of images that is loaded. */
export function chooseImages(
  { source, split, rng }: Pick<Task, 'source' | 'split' | 'rng'>,
  runtime: Runtime,
  {
    dataRoot: root,
    download,
    ...about
  }: {
    dataRoot?: string;
    download?: boolean;
    onlyOwnSize: boolean;
    budget?: number;
    onEvent: Listener;
    signal?: AbortSignal;
  },
): Promise<ImageChoice> {
  return chooseForImages({
    source,
    normals: split.train.filter((_, i) => split.trainLabels[i] === 0),
    rng: rng.split('choice'),
    runtime,
    platform: nodePlatform({ root, download }),
    backbones: backbones.filter((backbone) => hasWeights(backbone, root ?? dataRoot())),
    ...about,
  });
}

const sentence = (text: string) => `${text[0].toUpperCase()}${text.slice(1)}.`;

/** What is kept of a choice. */
function choiceOf({ chosen, reason, tried, leftOut, planted, counts, seconds }: ImageChoice): Choice {
  const round = (value: number) => Number(value.toFixed(4));
  return {
    reason,
    tried: tried.map((one) => ({
      ...one,
      ...(one.figure !== undefined && { figure: round(one.figure) }),
      ...(one.interval && { interval: [round(one.interval[0]), round(one.interval[1])] }),
      ...(one.kinds && { kinds: Object.fromEntries(Object.entries(one.kinds).map(([k, v]) => [k, round(v)])) }),
      ...(one.located !== undefined && { located: round(one.located) }),
      seconds: Number(one.seconds.toFixed(2)),
      ...(one === chosen && { isChosen: true as const }),
    })) as Choice['tried'],
    leftOut: [...leftOut],
    planted: { ...planted },
    counts,
    seconds: Number(seconds.toFixed(1)),
  };
}
