/**
 * A training step of Deep SVDD with the published nets for MNIST (batch 200), of the autoencoder and of the encoder,
 * against PyTorch eager doing the same work, two threads, interleaved; see `steps.ts`. An epoch over the 6,131 images of
 * a digit is 30 of them. `npm run bench -- deep-svdd-step [--json] [--rounds n] [--seconds n]`. Needs python3-torch for
 * the ratios.
 */
import { deepSvdd } from '../src/models/index.ts';
import { type BenchNet, benchSteps } from './steps.ts';

const shape = [1, 28, 28] as const;

/** A phase of Deep SVDD by name. Contrast is normalised before, as the public code does in its loader. */
function net(name: string): BenchNet {
  if (deepSvdd.learns !== 'gradient') throw new Error(`${deepSvdd.name} does not learn by gradient.`);
  const options = deepSvdd.config.parse({ ...deepSvdd.presets.mnist, contrast: false });
  const { phase, batchSize } = deepSvdd.phases(options, shape).find(({ phase }) => phase.name === name)!;
  return { name: `deep-svdd ${name} ${[batchSize, ...shape].join('x')}`, shape: [batchSize, ...shape], phase };
}

// In the order of `cases` in bench/pytorch/deep_svdd_step.py.
await benchSteps('deep-svdd-step', 'deep_svdd_step.py', [net('autoencoder'), net('one-class')]);
