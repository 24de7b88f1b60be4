import { expect, it, test } from 'vitest';
import { memorySource } from '../../data/pure.ts';
import { findModel } from '../../models/index.ts';
import { checkDiffering } from './differing.ts';

/** Images of one grey each. */
const images = (greys: readonly number[]) =>
  memorySource({
    name: 'greys',
    title: 'Greys',
    licence: 'none needed: generated',
    shape: [1, 8, 8],
    classes: ['grey'],
    parts: [
      {
        part: 'train',
        labels: new Uint8Array(greys.length),
        pixels: Uint8Array.from(greys.flatMap((grey) => Array(64).fill(grey))),
      },
    ],
  });

const check = async (model: string, greys: readonly number[]) =>
  checkDiffering(findModel(model), { source: await images(greys), train: Uint32Array.from(greys.keys()) });

test.each(['deep-svdd', 'denoising-autoencoder', 'draem', 'diffusion-ad', 'vae', 'patchcore', 'padim'])(
  '%s refuses equal training images',
  async (model) => {
    for (const [greys, found] of [
      [[7], 'only one'],
      [Array(40).fill(0), '40 equal ones'],
    ] as const) {
      await expect(check(model, greys)).rejects.toMatchObject({
        code: 'no-variance',
        message: `${model}: training items must differ from each other, found ${found}. Add items, or use mean-image.`,
      });
    }
  },
);

/** How many items are read until the check has passed. */
async function itemsRead(model: string, greys: readonly number[]): Promise<number> {
  const source = await images(greys);
  let count = 0;
  const read: typeof source.read = (indices, out) => {
    count += indices.length;
    return source.read(indices, out);
  };
  await checkDiffering(findModel(model), { source: { ...source, read }, train: Uint32Array.from(greys.keys()) });
  return count;
}

it('takes images of which one differs, and reads on until it has found it', async () => {
  expect(await itemsRead('deep-svdd', [...Array(40).fill(0), 1])).toBe(41);
  expect(await itemsRead('deep-svdd', [0, 1, ...Array(39).fill(0)])).toBe(16);
});

it('reads nothing for models that can do with equal images', async () => {
  expect(await itemsRead('mean-image', [7])).toBe(0);
});
