/** The models by name. Explicit imports, so that bundlers see them; a test fails when a file is missing here. */
import { unknownName } from '../core/errors.ts';
import { alad } from './alad.ts';
import { autoencoder } from './autoencoder.ts';
import { cnn } from './cnn.ts';
import type { Model } from './define.ts';
import { egbad } from './egbad.ts';
import { meanImage } from './mean-image.ts';
import { pca } from './pca.ts';
import { random } from './random.ts';

export * from './define.ts';
export { alad, autoencoder, cnn, egbad, meanImage, pca, random };

// biome-ignore lint/suspicious/noExplicitAny: the registry holds models of every option type.
export type AnyModel = Model<any>;

/** Every model, in the order in which lists show them. */
export const models: readonly AnyModel[] = [autoencoder, pca, cnn, egbad, alad, meanImage, random];

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
