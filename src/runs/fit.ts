/** Fits a detector without a run folder. Node only; `oddity/browser` has its twin. */
import { type FitDetectorOptions, fitDetector } from '../engine/fit.ts';
import type { Detector } from '../engine/scoring/detector.ts';
import type { FitInput } from '../engine/task/source-of.ts';
import { type AnyModel, type ConfigOf, findModel, type ModelName } from '../models/index.ts';
import { checkDevice } from './device.ts';
import { nodePlatform } from './platform.ts';

/** Options of `fit`; those of the model are typed by its name or value. */
export interface FitOptions<M extends ModelName | AnyModel = AnyModel> extends Omit<FitDetectorOptions, 'config'> {
  /** Options of the model. */
  config?: ConfigOf<M>;
  /** Where weights of backbones lie; default `ODDITY_DATA`, else the user's cache. */
  dataRoot?: string;
  /** Fetch weights that are not on this machine; default true. */
  download?: boolean;
}

/**
 * Fits a model to normal items and gives a detector, with a threshold from those that it held out. `data` is a Source, values
 * with their shape (`[N, C, H, W]` images in [0, 1], `[N, D]` rows), a list of row objects, or images as `scoreImage` takes
 * them, also from an asynchronous stream.
 * @throws ConfigError for names and options; DataError for data that cannot be learnt from; TrainingDiverged; Cancelled.
 * @example
 * await using detector = await fit('patchcore', ['a.png', 'b.png', 'c.png']);
 * const { score, regions } = await detector.scoreImage('new.png');
 */
export async function fit<const M extends ModelName | AnyModel>(
  model: M,
  data: FitInput,
  options: FitOptions<M> = {},
): Promise<Detector> {
  const { dataRoot, download, ...rest } = options;
  checkDevice(rest.device ?? 'auto');
  const value: AnyModel = typeof model === 'string' ? findModel(model) : model;
  return fitDetector(value, data, nodePlatform({ root: dataRoot, download }), rest);
}
