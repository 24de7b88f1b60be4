/**
 * USAD (Audibert et al., KDD 2020): an autoencoder whose second decoder learns to tell a window from its reconstruction by the
 * first (`parts/fitting/usad.ts`). Windows are flat rows, each channel in [0, 1] over the training part, because the decoders
 * end in a sigmoid. The weights of the two losses follow from the epoch, which is counted in the training itself. Deviations:
 * hidden layers have an upper bound, so that windows of many channels are possible; and the adversary comes late and at a
 * falling learning rate, because with the published schedule it outweighs the reconstruction before there is one
 * (`synthetic-series`: AUROC 0.98 without it, 0.60 with it, 0.98 as it is here). Left out: a threshold chosen on the test part.
 */
import * as z from 'zod';
import * as g from '../graph/ops/index.ts';
import * as nn from '../nn/index.ts';
import { defineModel } from './define.ts';
import { epochsFor } from './parts/fitting/epochs.ts';
import { pass } from './parts/fitting/measure.ts';
import { phase } from './parts/fitting/phase.ts';
import { epochShare, usadLosses, usadPasses } from './parts/fitting/usad.ts';
import * as common from './parts/options.ts';
import { measureWindows, unitRows } from './parts/series/unit-range.ts';

const config = z.strictObject({
  code: common.latent(40, 'Length of the code.'),
  width: z.int().min(1).max(8192).default(512).describe('Values of a hidden layer at most.'),
  direct: common.share(0.5, 'α: weight of the error of the first decoder in the score; the other one has 1 − α.'),
  epochs: common.epochs(25, 'Passes over the training windows, the first ones included.'),
  warmUpEpochs: common.epochs(20, 'First passes, in which both decoders learn to reconstruct; published: 1.'),
  batchSize: common.batchSize(256, 'Windows per training step.', { most: 65536 }),
  learningRate: common.learningRate(1e-3, 'Learning rate of both optimisers (Adam).'),
  schedule: common.schedule('cosine', 'Learning rate over the training; published: constant.'),
});

/** Training steps by default, and passes at most: the adversarial weight 1 − 1/k grows with them. */
const STEPS = 3000;
const MOST_EPOCHS = 100;
/** Share of the passes that are adversarial, and how many at most: they are the last ones, at a small learning rate. */
const ADVERSARIAL = { share: 0.2, most: 10 };

/**
 * USAD: an autoencoder with a second decoder that is trained against the first (Audibert et al., KDD 2020).
 * Series. Trains in minutes; scoring is two passes of a small dense network.
 */
export const usad = defineModel({
  name: 'usad',
  title: 'USAD',
  idea: 'An autoencoder of windows with a second decoder that learns to reject what the first reconstructs.',
  paper: 'Audibert et al., USAD: unsupervised anomaly detection on multivariate time series, KDD 2020.',
  learning: 'one-class',
  inputs: ['series'],
  learns: 'gradient',
  config,
  presets: {
    published: {
      code: 1200,
      width: 8192,
      epochs: 100,
      warmUpEpochs: 1,
      batchSize: 7919,
      learningRate: 1e-3,
      schedule: 'constant',
    },
  },
  defaults(_shape, count) {
    const batchSize = Math.max(16, Math.min(256, Math.floor(count / 16)));
    const epochs = Math.min(MOST_EPOCHS, Math.max(2, epochsFor(STEPS, batchSize, count)));
    const adversarial = Math.max(1, Math.min(ADVERSARIAL.most, Math.round(ADVERSARIAL.share * epochs)));
    return { batchSize, epochs, warmUpEpochs: epochs - adversarial };
  },
  tiny: { code: 8, width: 32, epochs: 6, warmUpEpochs: 5, batchSize: 32, learningRate: 3e-3 },

  phases(options) {
    const { epochs, warmUpEpochs, batchSize, learningRate } = options;
    const step = (name: 'first' | 'second'): nn.Step => ({
      name,
      updates: ['encoder', `${name}-decoder`],
      optimizer: nn.adam({ learningRate }),
      schedule: common.scheduleOf(options),
      loss: ({ net, x }) =>
        usadLosses(usadPasses(options, net, unitRows(net, x)), epochShare(net, warmUpEpochs, name === 'second'))[name],
    });
    return [
      pass('range', batchSize, measureWindows),
      phase({ name: 'fit', epochs, batchSize, steps: [step('first'), step('second')] }),
    ];
  },

  score(options, net, x) {
    const { items, first, both } = usadPasses(options, net, unitRows(net, x));
    const errors = [first, both].map((rebuilt) => g.square(g.sub(items, rebuilt)));
    const sum = g.add(g.mul(errors[0], options.direct), g.mul(errors[1], 1 - options.direct)); // [N,L·D]
    return { score: g.reduceMean(sum, { axes: [1] }), map: g.reshape(sum, x.shape) };
  },
});
