/** The models by name. Explicit imports, so that bundlers see them; a test fails when a file is missing here. */
import { unknownName } from '../core/errors.ts';
import { alad } from './alad.ts';
import { anoddpm } from './anoddpm.ts';
import { anogan } from './anogan.ts';
import { autoencoder } from './autoencoder.ts';
import { cnn } from './cnn.ts';
import { conditionalGan } from './conditional-gan.ts';
import { dagmm } from './dagmm.ts';
import { deepSad } from './deep-sad.ts';
import { deepSvdd } from './deep-svdd.ts';
import type { Model } from './define.ts';
import { denoisingAutoencoder } from './denoising-autoencoder.ts';
import { dfkde } from './dfkde.ts';
import { dfm } from './dfm.ts';
import { diffusionAd } from './diffusion-ad.ts';
import { draem } from './draem.ts';
import { efficientAd } from './efficient-ad.ts';
import { egbad } from './egbad.ts';
import { fAnogan } from './f-anogan.ts';
import { fastflow } from './fastflow.ts';
import { featureAutoencoder } from './feature-autoencoder.ts';
import { fenceGan } from './fence-gan.ts';
import { gan } from './gan.ts';
import { ganomaly } from './ganomaly.ts';
import { isolationForest } from './isolation-forest.ts';
import { knn } from './knn.ts';
import { meanImage } from './mean-image.ts';
import { padim } from './padim.ts';
import { patchcore } from './patchcore.ts';
import { pca } from './pca.ts';
import { random } from './random.ts';
import { reverseDistillation } from './reverse-distillation.ts';
import { simplenet } from './simplenet.ts';
import { simultaneousEncoder } from './simultaneous-encoder.ts';
import { skipGanomaly } from './skip-ganomaly.ts';
import { stfpm } from './stfpm.ts';
import { twoDiscriminatorGan } from './two-discriminator-gan.ts';
import { vae } from './vae.ts';
import { vgg19Autoencoder } from './vgg19-autoencoder.ts';

export * from './define.ts';
export {
  alad,
  anoddpm,
  anogan,
  autoencoder,
  cnn,
  conditionalGan,
  dagmm,
  deepSad,
  deepSvdd,
  denoisingAutoencoder,
  dfkde,
  dfm,
  diffusionAd,
  draem,
  efficientAd,
  egbad,
  fAnogan,
  fastflow,
  featureAutoencoder,
  fenceGan,
  gan,
  ganomaly,
  isolationForest,
  knn,
  meanImage,
  padim,
  patchcore,
  pca,
  random,
  reverseDistillation,
  simplenet,
  simultaneousEncoder,
  skipGanomaly,
  stfpm,
  twoDiscriminatorGan,
  vae,
  vgg19Autoencoder,
};

// biome-ignore lint/suspicious/noExplicitAny: the registry holds models of every option type.
export type AnyModel = Model<any>;

/** Every model, in the order in which lists show them. */
export const models: readonly AnyModel[] = [
  autoencoder,
  pca,
  gan,
  anogan,
  fAnogan,
  simultaneousEncoder,
  fenceGan,
  egbad,
  alad,
  ganomaly,
  skipGanomaly,
  conditionalGan,
  anoddpm,
  dagmm,
  deepSad,
  deepSvdd,
  denoisingAutoencoder,
  draem,
  diffusionAd,
  vae,
  patchcore,
  padim,
  dfm,
  dfkde,
  simplenet,
  fastflow,
  featureAutoencoder,
  stfpm,
  efficientAd,
  reverseDistillation,
  vgg19Autoencoder,
  knn,
  isolationForest,
  cnn,
  twoDiscriminatorGan,
  meanImage,
  random,
];
/** The model named so; case and separators do not count. Throws ConfigError with the nearest name. */
export function findModel(name: string): AnyModel {
  const plain = (s: string) => s.toLowerCase().replace(/[^a-z0-9]/g, '');
  const found = models.find((m) => plain(m.name) === plain(name));
  if (!found)
    throw unknownName(
      'model',
      name,
      models.map((m) => m.name),
    );
  return found;
}
