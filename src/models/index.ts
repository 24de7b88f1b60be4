/** The models by name, and their types. Explicit imports, so that bundlers see them. */
import type * as z from 'zod';
import { ConfigError, unknownName } from '../core/errors.ts';
import * as all from './all.ts';
import type { AnyModel, ItemKind } from './define.ts';

export * from './all.ts';
export * from './define.ts';

type Listed = (typeof all)[keyof typeof all];

/** What users type for a model of this package: `'patchcore'`, … */
export type ModelName = Listed['name'];

/** The model of that name: `ModelOf<'patchcore'>` is the type of `patchcore`. */
export type ModelOf<N extends ModelName> = Extract<Listed, { readonly name: N }>;

/**
 * The options of a model as a user gives them, none of them required, for a model's name or its type.
 * @example const options: ConfigOf<'patchcore'> = { coreset: 0.1 }
 */
export type ConfigOf<M extends ModelName | AnyModel> = M extends ModelName
  ? ConfigOf<ModelOf<M>>
  : M extends AnyModel
    ? Partial<z.infer<M['config']>>
    : never;

const known: AnyModel[] = [
  all.autoencoder,
  all.pca,
  all.gan,
  all.anogan,
  all.fAnogan,
  all.simultaneousEncoder,
  all.fenceGan,
  all.egbad,
  all.alad,
  all.ganomaly,
  all.skipGanomaly,
  all.conditionalGan,
  all.anoddpm,
  all.dagmm,
  all.deepSad,
  all.deepSvdd,
  all.denoisingAutoencoder,
  all.draem,
  all.diffusionAd,
  all.vae,
  all.patchcore,
  all.anomalyDino,
  all.padim,
  all.rad,
  all.dfm,
  all.dfkde,
  all.simplenet,
  all.fastflow,
  all.featureAutoencoder,
  all.stfpm,
  all.efficientAd,
  all.reverseDistillation,
  all.dinomaly,
  all.vgg19Autoencoder,
  all.knn,
  all.ensemble,
  all.isolationForest,
  all.lof,
  all.gmm,
  all.extendedIsolationForest,
  all.ocsvm,
  all.ecod,
  all.copod,
  all.hbos,
  all.loda,
  all.cnn,
  all.twoDiscriminatorGan,
  all.subPca,
  all.matrixProfile,
  all.kmeansWindows,
  all.kshape,
  all.spectralResidual,
  all.poly,
  all.cnnForecaster,
  all.lstmForecaster,
  all.usad,
  all.tadgan,
  all.paano,
  all.frameKnn,
  all.frameAutoencoder,
  all.meanImage,
  all.movingZScore,
  all.lastValue,
  all.frameDifference,
  all.random,
];

/** Every model, in the order in which lists show them; those from outside come last. */
export const models: readonly AnyModel[] = known;

/** Makes a model from outside known by its name. Throws ConfigError `repeated-name` where another one has it. */
export function registerModel(model: AnyModel): void {
  const taken = known.find((m) => m.name === model.name);
  if (taken === model) return;
  if (taken) {
    throw new ConfigError('repeated-name', `There is already a model named "${model.name}". Give yours another name.`);
  }
  known.push(model);
}

/** The model to start with for items of a kind, and why; undefined where no model says so. */
export function startModel(kind: ItemKind): { readonly model: AnyModel; readonly why: string } | undefined {
  const model = models.find((m) => m.startFor?.[kind] !== undefined);
  return model && { model, why: model.startFor![kind]! };
}

/** The model named so; case and separators do not count. Throws ConfigError with the nearest name. */
export function findModel(name: string): AnyModel {
  const plain = (s: string) => s.toLowerCase().replace(/[^a-z0-9]/g, '');
  const found = models.find((m) => plain(m.name) === plain(name));
  if (!found)
    throw unknownName(
      'model',
      name,
      models.map((m) => m.name),
      'model',
    );
  return found;
}
