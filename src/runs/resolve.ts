/** From what a caller asks for to everything that is known of a run before its data is loaded. Node only. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ConfigError } from '../core/errors.ts';
import { option, say } from '../core/text.ts';
import { dataPath, findDataset } from '../data/index.ts';
import { calibrate } from '../engine/judging/calibrate.ts';
import { wantedRate } from '../engine/judging/calibrate-alarms.ts';
import { checkFolds } from '../engine/judging/folds.ts';
import { checkMapNormalization } from '../engine/scoring/map-normalization.ts';
import { resolveConfig } from '../engine/task/config.ts';
import { checkAugmented } from '../engine/task/suitable.ts';
import { withOwnMetrics } from '../metrics/index.ts';
import { type AnyModel, findModel, type ModelName, registerModel } from '../models/index.ts';
import { checkRunOptions } from './check-options.ts';
import { checkDevice } from './device.ts';
import { checkTask } from './load-task.ts';
import type { TrainOptions } from './options.ts';

/** A run before its data is loaded: read-only from here on. */
export interface ResolvedRun {
  readonly model: AnyModel;
  /** As given, with the preset of the data set and with paths that do not depend on the working folder. */
  readonly options: Omit<TrainOptions, 'model'> & { readonly seed: number; readonly protocol: string };
  readonly falseAlarmRate: number;
  readonly maps: number;
  readonly folder: string;
}

/**
 * Checks names and options, and fills in what follows from them. Throws ConfigError for what cannot be; nothing is read
 * or written.
 */
export function resolveRun<M extends ModelName | AnyModel>(given: TrainOptions<M>): ResolvedRun {
  checkRunOptions({ ...given });
  withOwnMetrics(given.metrics); // refused before anything is made
  const model = modelOf(given.model);
  const { preset, remark } = presetOf(model, given);
  if (remark) given.onEvent?.({ type: 'log', level: 'info', message: remark });
  const options = { ...given, preset, seed: given.seed ?? 1 };
  resolveConfig(model, options); // once the data is loaded, defaults may follow from it
  const { protocol } = checkTask(options);
  checkDevice(options.device ?? 'auto');
  checkFolds(options.folds);
  const { mapNormalization = 'none', augment, tiles, region, resume, out } = options;
  checkMapNormalization(mapNormalization, model);
  if (augment) checkAugmented(model, augment);
  if (tiles && mapNormalization !== 'none') {
    throw new ConfigError(
      'map-normalization',
      say`Z-scores need a score that follows from the whole map, but with tiles the score is the largest of any tile. Leave ${option('mapNormalization')} or ${option('tiles')} out.`,
    );
  }
  const { falseAlarmRate = 0.01, maps = 8 } = options;
  calibrate([], falseAlarmRate); // throws for a rate that cannot be
  if (options.alarmRate) wantedRate(options.alarmRate);
  if (resume && out === undefined) {
    throw new ConfigError('resume-where', say`Resuming needs the folder of the run. Name it with ${option('out')}.`);
  }
  const path = typeof options.data === 'string' ? dataPath(options.data) : undefined;
  return {
    model,
    options: {
      ...options,
      data: path ?? options.data,
      protocol: protocol.name,
      ...(typeof region === 'string' && { region: resolve(region) }),
    },
    falseAlarmRate,
    maps,
    folder: out ?? newRunFolderOf(model, options),
  };
}

/** A model by its name, or one of the caller's own, which this process then knows by its name. */
function modelOf(given: ModelName | AnyModel): AnyModel {
  if (typeof given === 'string') return findModel(given);
  registerModel(given);
  return given;
}

/** The model's preset for the data set where none is named. */
function presetOf({ name, presets }: AnyModel, { preset, data }: Pick<TrainOptions, 'preset' | 'data'>) {
  if (preset !== undefined || typeof data !== 'string') return { preset };
  const { preset: usual, name: set } = findDataset(data);
  if (usual === undefined || !(usual in presets)) return { preset };
  return { preset: usual, remark: `${name} has a preset for ${set}: ${usual}. Options that are set win over it.` };
}

/** A folder below `runs/` that is not there yet, named after the model, the data, the class and the time. */
export function newRunFolderOf(model: AnyModel, { data, class: about }: Pick<TrainOptions, 'data' | 'class'>): string {
  const path = typeof data === 'string' ? dataPath(data) : undefined;
  const words = [model.name, path ? basename(path) : typeof data === 'string' ? data : data.name, about];
  const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
  const name = [...words, time].filter((word) => word !== undefined).join('-');
  const base = join('runs', name.toLowerCase().replace(/[^\p{L}\p{N}-]+/gu, '-'));
  for (let i = 1; ; i++) {
    const folder = i === 1 ? base : `${base}-${i}`;
    if (!existsSync(folder)) return folder;
  }
}
