/**
 * A training step of AnoDDPM's U-Net (width 32, batch 8) at 64 and 128 pixels against PyTorch eager doing the same work,
 * two threads, interleaved; see `steps.ts`.
 * `npm run bench -- anoddpm-step [--json] [--rounds n] [--seconds n]`. Needs python3-torch for the ratios.
 */
import { anoddpm } from '../src/models/index.ts';
import { type BenchNet, benchSteps } from './steps.ts';

function net(side: number): BenchNet {
  if (anoddpm.learns !== 'gradient') throw new Error(`${anoddpm.name} does not learn by gradient.`);
  const config = anoddpm.config.parse({ width: 32, attention: 32, noise: 'gaussian', batchSize: 8 });
  const [{ phase, batchSize }] = anoddpm.phases(config, [1, side, side]);
  return { name: `anoddpm ${batchSize}x1x${side}x${side}`, shape: [batchSize, 1, side, side], phase };
}

// In the order of `cases` in bench/pytorch/anoddpm_step.py.
await benchSteps('anoddpm-step', 'anoddpm_step.py', [net(64), net(128)]);
