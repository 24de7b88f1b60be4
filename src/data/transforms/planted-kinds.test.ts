import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { type PlantedKind, plantedKinds, plantedWords, plantKind } from './planted-kinds.ts';
import type { Sample } from './sample.ts';
import { proceduralTexture } from './textures.ts';

const kinds = Object.keys(plantedKinds) as PlantedKind[];
const sides = { height: 96, width: 128 };
/** A textured image in which every kind can be seen. */
const textured = (channels: number, seed: number): Sample => {
  const size = { channels, ...sides };
  const rng = new Rng(7).split(seed);
  const fine = proceduralTexture(size, rng.split('a'));
  const noise = rng.normals(fine.length);
  return { ...size, image: fine.map((v, i) => Math.min(1, Math.max(0, 0.2 + 0.5 * v + 0.08 * noise[i]))) };
};

describe.each(kinds)('%s', (kind) => {
  it.each([1, 3])('is small, visible and where its mask says, with %d channels', (channels) => {
    const shares: number[] = [];
    for (let i = 0; i < 20; i++) {
      const sample = textured(channels, i);
      const made = plantKind(kind, sample, new Rng(1).split(i));
      if (!made) continue;
      const area = sides.height * sides.width;
      let [inside, outside, count] = [0, 0, 0];
      for (let p = 0; p < area; p++) {
        const change = Math.max(
          ...Array.from({ length: channels }, (_, c) =>
            Math.abs(made.image[c * area + p] - sample.image[c * area + p]),
          ),
        );
        if (made.mask[p]) [inside, count] = [inside + change, count + 1];
        else outside = Math.max(outside, change);
      }
      expect(outside).toBeLessThan(0.02);
      expect(inside / count).toBeGreaterThanOrEqual(0.05 - 1e-6);
      expect(made.image.every((v) => v >= 0 && v <= 1)).toBe(true);
      shares.push(count / area);
    }
    expect(shares.length).toBeGreaterThan(12);
    expect(Math.max(...shares)).toBeLessThan(0.12);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(2e-4);
    // Not all of one size.
    expect(Math.max(...shares) / Math.min(...shares)).toBeGreaterThan(3);
  });

  it('is the same for the same stream and leaves the image alone', () => {
    const sample = textured(1, 3);
    const before = sample.image.slice();
    const one = plantKind(kind, sample, new Rng(5));
    expect(plantKind(kind, sample, new Rng(5))).toEqual(one);
    expect(plantKind(kind, sample, new Rng(6))?.image).not.toEqual(one?.image);
    expect(sample.image).toEqual(before);
    expect(plantedWords[kind]).toMatch(/^[a-z ]+$/);
  });
});

it('says where nothing can be seen: what is turned, wiped or moved on a plain surface', () => {
  const plain: Sample = { channels: 1, ...sides, image: new Float32Array(sides.height * sides.width).fill(0.5) };
  const seen = kinds.filter((kind) => plantKind(kind, plain, new Rng(2)));
  expect(seen).toEqual(['foreign', 'crack', 'stain']);
});
