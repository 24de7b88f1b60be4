/**
 * One training step against PyTorch eager on the same networks, two threads, interleaved; steps per second, ratio and
 * share of the matrix-product peak measured in the same run, with the time by operator.
 * `npm run bench -- training-step [--json] [--rounds n] [--seconds n]`. Needs python3-torch for the ratios.
 */
import { nets } from './nets.ts';
import { benchSteps } from './steps.ts';

await benchSteps('training-step', 'training_step.py', nets);
