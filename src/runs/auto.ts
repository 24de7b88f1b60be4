/**
 * `auto`: the options of a training without a model, with one. Series are looked at (`engine/task/auto.ts`), for images candidates
 * are tried (`auto-images.ts`); for items of other kinds it is the model to start with. Node only.
 */
import { ConfigError } from '../core/errors.ts';
import { silent } from '../core/events.ts';
import { option, say } from '../core/text.ts';
import { kindOfData } from '../data/index.ts';
import { chooseDetector, chooseForWhole } from '../engine/task/auto.ts';
import { takesRows } from '../engine/task/suitable.ts';
import { type AnyModel, findModel, type ModelName } from '../models/index.ts';
import { ofImages, withStartModel } from './auto-images.ts';
import { checkRunOptions } from './check-options.ts';
import { readRun } from './folder.ts';
import { loadTask } from './load-task.ts';
import type { AutoTrainOptions, TrainOptions } from './options.ts';

/** What stands for a model that is chosen from the data. */
const AUTO = 'auto';

/** True where no model is named. */
export const isAuto = (options: AutoTrainOptions | TrainOptions): options is AutoTrainOptions =>
  options.model === undefined || options.model === AUTO;

/**
 * The options of `train` with a model: the one that is named; with `auto`, or none, that of the run that is resumed, for series
 * the one that suits their training part, for images the one that finds most of what is planted into training images, else the one
 * to start with. `choice` says why. The data are loaded once more for that.
 * @throws ConfigError `auto-options` for options of a model that nobody named, `missing-model` for items that no model is for;
 * what loading throws; Cancelled.
 * @example const options = await chooseModel({ data: 'sensors.csv' });
 */
export async function chooseModel<M extends ModelName | AnyModel>(
  given: AutoTrainOptions | TrainOptions<M>,
): Promise<TrainOptions> {
  if (!isAuto(given as AutoTrainOptions)) return given as TrainOptions;
  const { model: _, ...options } = given as AutoTrainOptions;
  checkRunOptions({ ...options });
  const before =
    options.resume && options.out !== undefined ? await readRun(options.out).catch(() => undefined) : undefined;
  if (before) {
    const { kind, choice, config, size } = before;
    // What was chosen for images is more than a model.
    const chosen = choice?.tried && { config, ...(size && options.size === undefined && { size }) };
    return {
      ...options,
      ...chosen,
      model: findModel(before.model),
      ...(kind && { kind }),
      ...(choice && { choice }),
    } as TrainOptions;
  }
  const { data } = options;
  const kind = typeof data === 'string' ? await kindOfData(data, options) : data.kind;
  if (kind === 'image') return ofImages(options);
  return kind === 'series' ? ofSeries(options) : withStartModel(options, kind);
}

type Without = Omit<AutoTrainOptions, 'model'>;

async function ofSeries(options: Without): Promise<TrainOptions> {
  const { preset, config = {} } = options;
  if (preset !== undefined || Object.keys(config).length > 0) {
    throw new ConfigError(
      'auto-options',
      say`Options of a model need its name, but the model is chosen from the data. Name it, or leave
        ${preset === undefined ? option('config') : option('preset')} out.`,
    );
  }
  const all = { ...options, trainLimit: undefined, testLimit: undefined };
  const task = await loadTask({ ...all, seed: options.seed ?? 1, onEvent: silent });
  try {
    const { model, preset: chosen, reason } = task.split.isWhole ? chooseForWhole(task.source) : chooseDetector(task);
    const found = findModel(model);
    return {
      ...options,
      model: found,
      ...(chosen && { preset: chosen }),
      ...(takesRows(found) && { kind: 'series' as const }),
      choice: { reason },
    };
  } finally {
    if (typeof options.data === 'string') await task.source.close?.();
  }
}
