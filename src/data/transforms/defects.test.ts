import { describe, expect, it, test } from 'vitest';
import { Rng } from '../../core/random.ts';
import { checkDefects, perlinMask, plantDefect } from './defects.ts';
import { perlinNoise } from './perlin.ts';
import type { Sample } from './sample.ts';
import { proceduralTexture } from './textures.ts';

/** Of 400 masks of 64 × 64. */
const GOLDEN = { share: 0.0549, empty: 27 };

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: ArrayLike<number>) => {
  const m = mean(values);
  return Math.sqrt(mean(Array.from(values, (v) => (v - m) ** 2)));
};

describe('Perlin noise', () => {
  const field = (degrees: number, seed = 1) =>
    perlinNoise({ height: 64, width: 64, cells: [8, 8], degrees }, new Rng(seed));

  it('stays within [-1, 1] about 0, with a deviation of about a third', () => {
    const all = Array.from({ length: 20 }, (_, seed) => Array.from(field(30 * seed, seed))).flat();
    expect(Math.max(...all.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(Math.abs(mean(all))).toBeLessThan(0.02);
    expect(deviation(all)).toBeGreaterThan(0.3);
    expect(deviation(all)).toBeLessThan(0.42);
  });

  it('is 0 on the lattice and smooth between', () => {
    // With as many pixels to a cell as there are, the middle of a pixel is half a pixel off the lattice.
    const fine = perlinNoise({ height: 1000, width: 8, cells: [1, 8] }, new Rng(2));
    const steps = Array.from({ length: 999 }, (_, y) => Math.abs(fine[8 * (y + 1)] - fine[8 * y]));
    expect(Math.max(...steps)).toBeLessThan(0.01);
    const corner = perlinNoise({ height: 1000, width: 1000, cells: [1, 1] }, new Rng(2))[0];
    expect(Math.abs(corner)).toBeLessThan(2e-3);
  });

  it('is the same for the same stream, and other when turned', () => {
    expect(field(0)).toEqual(field(0));
    expect(field(0)).not.toEqual(field(45));
    expect(field(0)).not.toEqual(field(0, 2));
  });
});

test('masks: mean share and how many are empty, over 400 draws', () => {
  const masks = Array.from({ length: 400 }, (_, i) => perlinMask({ height: 64, width: 64 }, new Rng(3).split(i)));
  const shares = masks.map(mean);
  // Golden: what these draws gave when they were first made; a change of the noise shows here.
  expect(mean(shares)).toBeCloseTo(GOLDEN.share, 3);
  expect(shares.filter((s) => s === 0).length).toBe(GOLDEN.empty);
  expect(new Set(masks.flatMap((m) => [...m]))).toEqual(new Set([0, 1]));
});

test.each([1, 3])('textures with %d channels are in [0, 1] and of many kinds', (channels) => {
  const textures = Array.from({ length: 40 }, (_, i) =>
    proceduralTexture({ channels, height: 24, width: 32 }, new Rng(4).split(i)),
  );
  expect(textures.every((t) => t.length === channels * 768 && t.every((v) => v >= 0 && v <= 1))).toBe(true);
  const spreads = textures.map(deviation);
  expect(Math.min(...spreads.map((s, i) => (channels === 1 ? s : deviation(textures[i].subarray(0, 768)))))).toBe(0);
  expect(Math.max(...spreads)).toBeGreaterThan(0.2);
  expect(deviation(textures.map(mean))).toBeGreaterThan(0.15);
});

describe('planted defects', () => {
  /** A smooth normal image. */
  const normal: Sample = {
    channels: 1,
    height: 32,
    width: 48,
    image: Float32Array.from({ length: 1536 }, (_, p) => 0.5 + 0.2 * Math.sin((p % 48) / 5)),
  };
  const planted = (options = {}, count = 200) =>
    Array.from({ length: count }, (_, i) => plantDefect(normal, options, new Rng(5).split(i)));

  it('change exactly the pixels of their mask, each by something that can be seen', () => {
    for (const { image, mask } of planted({ share: 1 })) {
      image.forEach((v, p) => {
        const change = Math.abs(v - normal.image[p]);
        if (mask[p] === 1) expect(change).toBeGreaterThan(0.0199);
        else expect(change).toBe(0);
      });
    }
  });

  it('leave half of the images as they were, and never change the given one', () => {
    const before = normal.image.slice();
    const all = planted();
    const clean = all.filter(({ mask }) => !mask.includes(1));
    expect(clean.length).toBeGreaterThan(75);
    expect(clean.length).toBeLessThan(125);
    for (const { image } of clean) expect(image).toEqual(before);
    expect(normal.image).toEqual(before);
  });

  it('come with all, or none', () => {
    expect(planted({ share: 0 }).every(({ mask }) => !mask.includes(1))).toBe(true);
    expect(planted({ share: 1 }).filter(({ mask }) => mask.includes(1)).length).toBeGreaterThan(190);
  });

  it('are the same for the same stream', () => {
    expect(planted({}, 5)).toEqual(planted({}, 5));
  });

  it('are filled with a given texture, through which the image may shine', () => {
    const white = new Float32Array(1536).fill(0.9);
    const { image, mask } = planted({ share: 1, filling: 'texture', textures: [white], blend: 0 }, 3)[0];
    const inside = Array.from(image).filter((_, p) => mask[p] === 1);
    expect(inside.length).toBeGreaterThan(0);
    // One brightness and contrast for the whole texture, so one value inside.
    expect(deviation(inside)).toBeLessThan(1e-6);
    expect(Math.abs(inside[0] - 0.9)).toBeLessThan(0.21);
  });

  it('cut from the image itself hold no value that it has not, but for brightness and contrast', () => {
    const flat = { ...normal, image: new Float32Array(1536).fill(0.5) };
    for (let i = 0; i < 20; i++) {
      const { image, mask } = plantDefect(flat, { share: 1, filling: 'self' }, new Rng(6).split(i));
      const inside = Array.from(image).filter((_, p) => mask[p] === 1);
      if (inside.length > 0) expect(deviation(inside)).toBeLessThan(1e-6);
    }
  });

  it.each([
    [{ share: 1.5 }, 'defects: share must be from 0 to 1, got 1.5.'],
    [{ blend: 1 }, 'defects: blend must be at least 0 and below 1, got 1.'],
    [{ textures: [] }, 'defects: textures must be at least one image, got none.'],
  ])('refuse %j', (options, message) => {
    expect(() => checkDefects(options)).toThrowError(expect.objectContaining({ code: 'defects', message }));
  });

  it('refuse textures of another size', () => {
    expect(() => planted({ share: 1, filling: 'texture', textures: [new Float32Array(4)] }, 1)).toThrowError(
      'defects: textures must have the size of the images, 1536 values, got 4.',
    );
  });
});
