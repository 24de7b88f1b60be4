/** The steps of a plain GAN (Goodfellow et al. 2014) over the networks of `nets/dcgan.ts`, which several models begin with. */
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type * as nn from '../../../nn/index.ts';
import { discriminate, discriminatorLoss, type GanOptions, generate, generatorLoss } from '../nets/dcgan.ts';
import { countOf, itemShapeOf, signedItems } from '../shapes.ts';

/** z ~ N(0, 1) for each item of the batch, `[N, latent]`. */
export const normalLatents = ({ x, draw }: nn.StepContext, latent: number): Value =>
  draw('z', { kind: 'normal', shape: [countOf(x), latent] });

/** BCE(D(x), realTarget) + BCE(D(G(z)), 0). Real and generated items never share a batch under batch norm. */
export function ganDiscriminatorLoss(
  options: GanOptions,
  { net, x }: nn.StepContext,
  z: Value,
  realTarget = 1,
): nn.StepResult {
  const generated = generate(options, net('generator'), z, itemShapeOf(x));
  const real = discriminate(options, net('discriminator'), signedItems(x)).logit;
  const fake = discriminate(options, net('discriminator'), generated).logit;
  return {
    loss: discriminatorLoss(real, fake, realTarget),
    metrics: { real: g.reduceMean(real), fake: g.reduceMean(fake) },
  };
}

/** BCE(D(G(z)), 1). */
export function ganGeneratorLoss(options: GanOptions, { net, x }: nn.StepContext, z: Value): nn.StepResult {
  const generated = generate(options, net('generator'), z, itemShapeOf(x));
  const loss = generatorLoss(discriminate(options, net('discriminator'), generated).logit);
  return { loss, watch: { generated: generated, data: signedItems(x) } };
}
