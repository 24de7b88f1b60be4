/**
 * Deep SVDD (Ruff et al., ICML 2018, and lukasruff/Deep-SVDD-PyTorch): an encoder maps normal items close to one point,
 * and the squared distance from it is the score. An autoencoder is trained first and its encoder kept; the mean code is
 * the centre c from then on. Nothing may let the encoder give c whatever it sees: no layer has a bias or a learnt scale,
 * none is bounded, and no coordinate of c is near 0. Ours: the map, |∂ score / ∂ x|, which the paper has not; dense
 * layers for rows; a net that fits its depth to the image; a radius that follows the batches slowly; by default the mean of
 * three encoders, in three times the time; and fewer and larger steps. Held-out digits and defects made of them were
 * separated with AUROC 0.87 at rate 1e-3 and 0.79 at the published 1e-4 after 10 + 10 epochs. `deep-sad` is the version with labels.
 */
import * as z from 'zod';
import { option, say } from '../core/text.ts';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { pass, upperQuantile } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import {
  beforeCentring,
  codesOf,
  distancesOf,
  eachOf,
  meanOf,
  svddDefaults,
  svddOptions,
  svddPresets,
  svddSchedule,
  unsuitableForSvdd,
  updateCentres,
} from './parts/fitting/svdd.ts';
import { sensitivityMap } from './parts/maps/pool-map.ts';
import * as common from './parts/options.ts';

const config = z.strictObject({
  objective: z
    .enum(['one-class', 'soft-boundary'])
    .default('one-class')
    .describe('Pull all items to the centre, or only those outside of a sphere that leaves a share ν out.'),
  nu: z.number().min(0.001).max(0.999).default(0.1).describe('ν: share of the items outside of the soft boundary.'),
  warmUpEpochs: common.epochs(10, 'First passes of the soft boundary, with radius 0.'),
  ...svddOptions,
});
type Config = z.infer<typeof config>;

/** Share of the old radius in the new one after a batch. */
const RADIUS_DECAY = 0.9;

/** A part of a schedule, the shares of it before the part and in it given. */
const partOf =
  (schedule: nn.Schedule, before: number, share: number): nn.Schedule =>
  (iteration, total) =>
    schedule(iteration + (before * total) / share, total / share);

/**
 * mean ‖φ(x) − c‖² (equation 4), or with a soft boundary R² + 1/ν · mean max(0, ‖φ(x) − c‖² − R²) (equation 3); summed over
 * the encoders, so that each is trained as by itself.
 */
function pullLoss(options: Config, { net, x }: nn.StepContext, warmUp: boolean): nn.StepResult {
  const { objective, nu } = options;
  const codes = codesOf(options, net, x);
  const distances = distancesOf(options, net, codes);
  // The spread shrinks by design, so it is not watched for a collapse as the autoencoder's is.
  const metrics = { spread: nn.spread(codes[0]) };
  const sum = (values: readonly Value[]) => values.reduce((a, b) => g.add(a, b));
  if (objective === 'one-class') return { loss: sum(distances.map((squares) => g.reduceMean(squares))), metrics };
  const radii: Value[] = [];
  const losses = eachOf('boundary', options).map((name, i) => {
    const radius = net(name).buffer('radius', [], nn.zerosInit);
    const now = upperQuantile(g.sqrt(g.stopGradient(distances[i])), nu);
    net(name).update('radius', g.add(g.mul(radius, RADIUS_DECAY), g.mul(now, 1 - RADIUS_DECAY)));
    const boundary = warmUp ? 0 : g.square(radius);
    radii.push(now);
    return g.add(g.div(g.reduceMean(g.relu(g.sub(distances[i], boundary))), nu), boundary);
  });
  return { loss: sum(losses), metrics: { ...metrics, radius: radii[0] } };
}

/**
 * Deep SVDD: an encoder that maps normal items close to a fixed centre; the squared distance from it is the score (Ruff
 * et al., ICML 2018).
 * Images from 8 × 8 pixels and rows. Two trainings, of an autoencoder and then of the encoder; scoring is one pass, the
 * map one gradient. `deepSad` is the version that uses labels.
 */
export const deepSvdd = defineModel({
  name: 'deep-svdd',
  title: 'Deep SVDD',
  idea: 'An encoder that maps normal items close to one point; the distance from it is the score.',
  paper: 'Ruff et al., Deep one-class classification, ICML 2018.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: svddPresets,
  before: { encoders: 1 },
  defaults: svddDefaults,
  tiny: { code: 16, pretrainEpochs: 3, epochs: 6, batchSize: 16, learningRate: 1e-3 },

  unsuitable(options, shape) {
    const { objective, warmUpEpochs, epochs } = options;
    if (objective === 'soft-boundary' && warmUpEpochs >= epochs)
      return say`${option('config.warmUpEpochs')} must be below ${option('config.epochs')} (${epochs}), got ${warmUpEpochs}.`;
    return unsuitableForSvdd(options, shape);
  },

  phases(options, shape) {
    const { objective, batchSize, epochs, warmUpEpochs, learningRate, weightDecay } = options;
    const schedule = svddSchedule(options, options.milestone);
    const pull = (name: string, epochs: number, schedule: nn.Schedule) =>
      phase({
        ...{ name, epochs, batchSize },
        steps: [
          {
            name,
            updates: eachOf('encoder', options),
            optimizer: nn.adam({ learningRate, weightDecay }),
            schedule,
            loss: (step) => pullLoss(options, step, name === 'warm-up'),
          },
        ],
      });
    const warm = warmUpEpochs / epochs;
    return [
      ...beforeCentring(options, shape),
      pass('centre', batchSize, ({ net, x }) => updateCentres(options, net, x)),
      ...(objective === 'one-class'
        ? [pull('one-class', epochs, schedule)]
        : [
            pull('warm-up', warmUpEpochs, partOf(schedule, 0, warm)),
            pull('soft-boundary', epochs - warmUpEpochs, partOf(schedule, warm, 1 - warm)),
          ]),
    ];
  },

  score(options, net, x) {
    const distances = distancesOf(options, net, codesOf(options, net, x));
    const map = sensitivityMap(meanOf(distances), x); // [N,1,H,W] or [N,D]
    if (options.objective === 'one-class') return { score: meanOf(distances), map };
    const radii = eachOf('boundary', options).map((name) => net(name).buffer('radius', [], nn.zerosInit));
    return { score: meanOf(distances.map((squares, i) => g.sub(squares, g.square(radii[i])))), map };
  },
});
