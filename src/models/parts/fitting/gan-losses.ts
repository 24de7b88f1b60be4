/** The steps of a plain GAN (Goodfellow et al. 2014) over the networks of `nets/dcgan.ts`, which several models begin with. */
import { gradients } from '../../../graph/grad.ts';
import * as g from '../../../graph/ops/index.ts';
import type { Value } from '../../../graph/value.ts';
import type * as nn from '../../../nn/index.ts';
import { discriminate, discriminatorLoss, type GanOptions, generate, generatorLoss } from '../nets/dcgan.ts';
import { countOf, itemShapeOf, signedItems } from '../shapes.ts';

/** z ~ N(0, 1) for each item of the batch, `[N, latent]`. */
export const normalLatents = ({ x, draw }: nn.StepContext, latent: number): Value =>
  draw('z', { kind: 'normal', shape: [countOf(x), latent] });

/** How a discriminator learns. */
export interface DiscriminatorOptions extends GanOptions {
  /** Target of real items, 1 unless given. */
  readonly realTarget?: number;
  /** Weight of R1; 0, which computes none, unless given. */
  readonly penalty?: number;
}

/**
 * R1 of Mescheder et al. 2018 (arXiv 1801.04406, equation 9): ½ · mean ‖∇D(x)‖², the gradient of the logits `[N]` by the
 * items `[N, ...]` from which they were computed. Under batch norm also that of the other items' logits.
 */
export function realPenalty(logit: Value, x: Value): Value {
  const [gradient] = gradients(g.reduceSum(logit), [x]);
  return g.mul(g.reduceSum(g.square(gradient)), 0.5 / countOf(x));
}

/**
 * BCE(D(x), realTarget) + BCE(D(G(z)), 0) + penalty · R1. Real and generated items never share a batch under batch norm.
 */
export function ganDiscriminatorLoss(
  options: DiscriminatorOptions,
  { net, x }: nn.StepContext,
  z: Value,
): nn.StepResult {
  const { realTarget = 1, penalty = 0 } = options;
  const items = signedItems(x);
  const generated = generate(options, net('generator'), z, itemShapeOf(x));
  const real = discriminate(options, net('discriminator'), items).logit;
  const fake = discriminate(options, net('discriminator'), generated).logit;
  const adversarial = discriminatorLoss(real, fake, realTarget);
  const metrics = { real: g.reduceMean(real), fake: g.reduceMean(fake) };
  if (penalty === 0) return { loss: adversarial, metrics };
  const r1 = realPenalty(real, items);
  return { loss: g.add(adversarial, g.mul(r1, penalty)), metrics: { ...metrics, r1 } };
}

/** BCE(D(G(z)), 1). */
export function ganGeneratorLoss(options: GanOptions, { net, x }: nn.StepContext, z: Value): nn.StepResult {
  const generated = generate(options, net('generator'), z, itemShapeOf(x));
  const loss = generatorLoss(discriminate(options, net('discriminator'), generated).logit);
  return { loss, watch: { generated: generated, data: signedItems(x) } };
}
