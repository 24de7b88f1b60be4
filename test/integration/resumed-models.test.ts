/** Models whose training draws noise or defects, or keeps averages: stopped and resumed they end as in one go. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readCheckpoint, type TrainOptions, train } from '../../dist/index.js';
import { findModel } from '../../dist/models/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-resumed-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

it.each([
  [
    'anoddpm',
    {
      noise: 'simplex',
      schedule: 'cosine',
      width: 4,
      attention: 0,
      epochs: 1,
      seeds: 2,
      score: 'features',
      taps: 'fine',
    },
  ],
  ['draem', {}],
  ['diffusion-ad', { epochs: 2 }],
  ['denoising-autoencoder', {}],
])('%s goes on to the same bytes', async (model, config) => {
  const options = (out: string): TrainOptions => ({
    model: findModel(model),
    data: 'synthetic',
    class: 'texture',
    config: { ...findModel(model).tiny, ...config },
    out: join(root, `${model}-${out}`),
    threads: 1,
    maps: 0,
  });
  const [whole, cut] = [options('whole'), options('cut')];
  await train(whole);
  const stop = new AbortController();
  const stopped = train({
    ...cut,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === 'progress' && event.task === 'fit' && event.done >= 5) stop.abort();
    },
  });
  await expect(stopped).rejects.toEqual(expect.objectContaining({ code: 'cancelled' }));
  const { state } = (await readCheckpoint(join(cut.out!, 'checkpoint.safetensors')))!;
  expect(state.phase).toBe(0);
  expect(state.iteration).toBeGreaterThanOrEqual(5);
  // Averages of the weights are part of what is kept.
  expect(Object.keys(state.tensors).some((name) => name.startsWith('ema.'))).toBe(model === 'anoddpm');
  await train({ ...cut, resume: true });
  for (const file of ['model.onnx', 'predictions.csv']) {
    const [a, b] = [cut, whole].map(({ out }) => readFileSync(join(out!, file)));
    expect(a.equals(b), file).toBe(true);
  }
});
