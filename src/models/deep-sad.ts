/**
 * Deep SAD (Ruff et al., ICLR 2020, arXiv 1906.02694, and lukasruff/Deep-SAD-PyTorch): Deep SVDD that also learns from a few
 * labelled anomalies. Normal items are pulled to the centre as there; of anomalies the inverse of the squared distance
 * is made small, which pushes them away from it (equation 7). Networks, autoencoder and centre are those of `deep-svdd`;
 * the centre is the mean code of the normal items. Left out: labelled normal items, which weigh no more than others.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import type { Value } from '../graph/value.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { pass } from './parts/fitting/measure.ts';
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

const config = z.strictObject({
  eta: z.number().positive().max(1000).default(1).describe('η: weight of labelled anomalies beside normal items.'),
  ...svddOptions,
});

/** Added to squared distances before they are inverted, as the public code does. */
const EPSILON = 1e-6;

/** `[N]`: ‖φ(x) − c‖² of normal items, η / (‖φ(x) − c‖² + ε) of anomalies. */
export function sadTerms(squares: Value, labels: Value, eta: number): Value {
  const inverse = g.mul(g.div(1, g.add(squares, EPSILON)), eta);
  return g.add(g.mul(squares, g.sub(1, labels)), g.mul(inverse, labels));
}

/**
 * Deep SAD: an encoder that maps normal items close to a centre and labelled anomalies away from it; the squared
 * distance from the centre is the score (Ruff et al., ICLR 2020, arXiv 1906.02694).
 * Supervised: needs a few labelled anomalies. Images from 8 × 8 pixels and rows; scoring is one pass, the map one
 * gradient.
 */
export const deepSad = defineModel({
  name: 'deep-sad',
  title: 'Deep SAD',
  idea: 'An encoder that maps normal items close to one point, and labelled anomalies away from it; the distance is the score.',
  paper: 'Ruff et al., Deep semi-supervised anomaly detection, ICLR 2020.',
  learning: 'supervised',
  inputs: ['image', 'table'],
  learns: 'gradient',
  config,
  presets: svddPresets,
  before: { encoders: 1 },
  defaults: svddDefaults,
  tiny: { code: 16, pretrainEpochs: 3, epochs: 6, batchSize: 16, learningRate: 1e-3 },

  unsuitable: (options, shape) => unsuitableForSvdd(options, shape),

  phases(options, shape) {
    const { batchSize, epochs, learningRate, weightDecay } = options;
    const step: nn.Step = {
      name: 'fit',
      updates: eachOf('encoder', options),
      optimizer: nn.adam({ learningRate, weightDecay }),
      schedule: svddSchedule(options, options.milestone),
      loss({ net, x, labels }) {
        const codes = codesOf(options, net, x);
        const losses = distancesOf(options, net, codes).map((d) => g.reduceMean(sadTerms(d, labels, options.eta)));
        return { loss: losses.reduce((a, b) => g.add(a, b)), metrics: { spread: nn.spread(codes[0]) } };
      },
    };
    return [
      ...beforeCentring(options, shape),
      pass('centre', batchSize, ({ net, x, labels }) => updateCentres(options, net, x, labels)),
      phase({ epochs, batchSize, steps: [step] }),
    ];
  },

  score(options, net, x) {
    const squares = meanOf(distancesOf(options, net, codesOf(options, net, x)));
    return { score: squares, map: sensitivityMap(squares, x) }; // [N,1,H,W] or [N,D]
  },
});
