import { expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import type { FitData, FitItems } from './define.ts';
import { pca } from './pca.ts';

it.each([
  [1, 'pca: training items must differ from each other, found only one. Add items, or use mean-image.'],
  [3, 'pca: training items must differ from each other, found 3 equal ones. Add items, or use mean-image.'],
])('%d equal items are refused', async (count, message) => {
  const data: FitItems = {
    shape: [1, 2, 2],
    count,
    rng: new Rng(1),
    async *blocks() {
      yield { count, data: new Float32Array(4 * count).fill(0.5) };
    },
  };
  if (pca.learns !== 'statistics') throw new Error('pca learns by statistics.');
  await expect(pca.fit(pca.config.parse({}), data as FitData)).rejects.toMatchObject({ code: 'no-variance', message });
});
