/**
 * The model pca against scikit-learn's PCA (pca.json, made by pca.py): AUROC of residual and T² on the official split.
 * One class of each data set here; all twenty with ODDITY_SLOW=1.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { dataRoot, findDataset, findProtocol } from '../../dist/data/index.js';
import { fitData } from '../../dist/engine/fitting/items.js';
import { scoringProgram } from '../../dist/engine/scoring/graph.js';
import { scoreItems } from '../../dist/engine/scoring/stream.js';
import { auroc } from '../../dist/metrics/index.js';
import { pca } from '../../dist/models/index.js';
import { openRuntime } from '../../dist/runtime/index.js';

type Rows = { residual: number; t2: number }[];
const golden: Record<string, Rows> = JSON.parse(readFileSync(new URL('./pca.json', import.meta.url), 'utf8'));
const isSlow = process.env.ODDITY_SLOW === '1';

describe.each([
  ['mnist', 5],
  ['fashion-mnist', 6],
])('%s', async (name, about) => {
  const source = await findDataset(name)
    .load({ root: dataRoot(), download: false })
    .catch(() => undefined);
  const classes = isSlow ? golden[name].map((_, i) => i) : [about];
  const title = source ? 'agrees with scikit-learn on class' : `skipped: ${name} is not on this machine; class`;
  it.skipIf(!source).each(classes)(
    `${title} %i`,
    async (c) => {
      const rng = new Rng(1);
      const { train, test, testLabels } = findProtocol('one-class').split(source!, {
        class: c,
        validationFraction: 0,
        rng,
      });
      const config = pca.config.parse({});
      if (pca.learns !== 'statistics') throw new Error('pca must learn by statistics');
      const runtime = await openRuntime('cpu', { threads: 1 });
      try {
        const tensors = await pca.fit(config, fitData({ source: source!, train, rng, runtime }));
        for (const statistic of ['residual', 't2'] as const) {
          const program = scoringProgram(pca, { ...config, statistic }, source!.shape, tensors);
          const session = await runtime.compile(program);
          const scores = await scoreItems(session, source!, test);
          const ours = auroc(scores, testLabels)!;
          if (isSlow)
            process.stdout.write(`${name} ${c} ${statistic} ${ours.toFixed(6)} ${golden[name][c][statistic]}\n`);
          expect(Math.abs(ours - golden[name][c][statistic]), statistic).toBeLessThan(1e-4);
        }
      } finally {
        await runtime.close();
      }
    },
    60_000,
  );
});
