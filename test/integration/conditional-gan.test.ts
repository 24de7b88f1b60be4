/**
 * The conditional GAN knows the context of what it has learnt: of the contexts in which a clean digit could be drawn
 * again, the one with the smallest residual is its class, for more than 80 % of the digits.
 */
import { expect, it } from 'vitest';
import { dataRoot, findDataset } from '../../dist/data/index.js';
import { fitModel } from '../../dist/engine/fitting/fit.js';
import { scoringProgram } from '../../dist/engine/scoring/graph.js';
import { trainingItems } from '../../dist/engine/task/training-part.js';
import { conditionalGan } from '../../dist/models/conditional-gan.js';
import { resolveConfig } from '../../dist/runs/index.js';
import { loadTask } from '../../dist/runs/load-task.js';
import { openRuntime } from '../../dist/runtime/index.js';

const digits = 9; // 0 to 8; the nines are the anomaly

const isHere = await findDataset('mnist')
  .load({ root: dataRoot(), download: false })
  .then(
    () => true,
    () => false,
  );

it.skipIf(!isHere)(
  'names the class of clean MNIST digits',
  async () => {
    const limits = { trainLimit: 4000, testLimit: 1200 };
    const { source, split, rng } = await loadTask({
      ...{ data: 'mnist', protocol: 'one-anomaly', class: String(digits), seed: 1, ...limits },
    });
    const config = resolveConfig(conditionalGan, {
      config: { width: 16, latent: 16, epochs: 8, encoderEpochs: 6, batchSize: 32, learningRate: 1e-3 },
    });
    const runtime = await openRuntime('cpu', { threads: 1 });
    try {
      const data = { model: conditionalGan, config, source, ...trainingItems(conditionalGan, split) };
      const { tensors } = await fitModel({ ...data, runtime, rng, onEvent: () => {}, save: async () => {} });
      const clean = split.test.filter((_, i) => split.testLabels[i] === 0);
      const images = new Float32Array(clean.length * 28 * 28);
      await source.read(clean, images);
      /** Residuals in each context. */
      const residuals: Float32Array[] = [];
      for (let context = 0; context < digits; context++) {
        const session = await runtime.compile(
          scoringProgram(conditionalGan, { ...config, context }, source.shape, tensors),
        );
        const image = { dtype: 'float32', shape: [clean.length, 1, 28, 28], data: images } as const;
        residuals.push((await session.run({ image }, { fetch: ['score'] })).score.data as Float32Array);
        await session.close();
      }
      const named = [...clean].filter((item, i) => {
        const ofItem = residuals.map((r) => r[i]);
        return ofItem.indexOf(Math.min(...ofItem)) === Number(source.classes[source.items[item].class]);
      });
      expect(named.length / clean.length).toBeGreaterThan(0.8);
    } finally {
      await runtime.close();
    }
  },
  300_000,
);
