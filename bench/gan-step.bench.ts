/**
 * One iteration of a GAN (discriminator, then generator) against PyTorch eager doing the same work, two threads,
 * interleaved; see `steps.ts`.
 * `npm run bench -- gan-step [--json] [--rounds n] [--seconds n]`. Needs python3-torch for the ratios.
 */
import { ganomaly, type ImageShape, type Model } from '../src/models/index.ts';
import { type BenchNet, benchSteps } from './steps.ts';

/** The first phase of a model with its published options. */
function net<C>(model: Model<C>, batch: number, shape: ImageShape): BenchNet {
  if (model.learns !== 'gradient') throw new Error(`${model.name} does not learn by gradient.`);
  const { phase } = model.phases(model.config.parse({}), shape)[0];
  return { name: `${model.name} ${[batch, ...shape].join('x')}`, shape: [batch, ...shape], phase };
}

// In the order of `cases` in bench/pytorch/gan_step.py.
await benchSteps('gan-step', 'gan_step.py', [net(ganomaly, 64, [1, 32, 32])]);
