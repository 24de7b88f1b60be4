/**
 * One iteration of a GAN (discriminator, then generator) against PyTorch eager doing the same work, two threads,
 * interleaved; see `steps.ts`.
 * `npm run bench -- gan-step [--json] [--rounds n] [--seconds n]`. Needs python3-torch for the ratios.
 */
import { egbad, ganomaly, type ImageShape, type Model } from '../src/models/index.ts';
import { type BenchNet, benchSteps } from './steps.ts';

/** The first phase of a model with its options for MNIST, which are the published ones, and their batch size. */
function net<C>(model: Model<C>, shape: ImageShape): BenchNet {
  if (model.learns !== 'gradient') throw new Error(`${model.name} does not learn by gradient.`);
  const { phase, batchSize } = model.phases(model.config.parse(model.presets.mnist), shape)[0];
  return { name: `${model.name} ${[batchSize, ...shape].join('x')}`, shape: [batchSize, ...shape], phase };
}

// In the order of `cases` in bench/pytorch/gan_step.py.
await benchSteps('gan-step', 'gan_step.py', [net(ganomaly, [1, 32, 32]), net(egbad, [1, 28, 28])]);
