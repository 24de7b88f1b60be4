/** A region inside the scoring graph, and tiles around a detector: what is outside does not count, what is inside does. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { float32 } from '../../core/tensor.ts';
import { evaluate } from '../../graph/evaluate.ts';
import { type AnyModel, meanImage } from '../../models/index.ts';
import { readRegion } from '../../runs/region.ts';
import { scoreTiled } from '../../runs/tiled.ts';
import { scoringProgram } from './graph.ts';
import { seenBy, withRegion, withTiles } from './view.ts';

const shape = [1, 4, 4] as const;
/** The left half. */
const region = Uint8Array.from({ length: 16 }, (_, p) => (p % 4 < 2 ? 1 : 0));

describe('seenBy', () => {
  it('has models of images look at the frame that a window of a clip stands for, also where it is said twice', () => {
    const mean = { 'mean-image.mean': float32(new Float32Array(16).fill(0.5), shape) };
    const window = new Rng(9).uniforms(3 * 16);
    const clip = [3, ...shape] as const;
    const once = seenBy(meanImage as AnyModel, {}, clip);
    const frame = scoringProgram(meanImage as AnyModel, {}, shape, mean).outputs;
    const [score, map] = evaluate([frame.score, frame.map], { image: float32(window.slice(16, 32), [1, ...shape]) });
    for (const model of [once, seenBy(once, {}, clip)]) {
      const { outputs } = scoringProgram(model, {}, clip, mean);
      const [s, m] = evaluate([outputs.score, outputs.map], { clip: float32(window, [1, ...clip]) });
      expect(s.data[0]).toBeCloseTo(Number(score.data[0]), 6);
      expect([...(m.data as Float32Array)]).toEqual([...(map.data as Float32Array)]);
      expect(outputs.reconstruction).toBeUndefined();
    }
  });
});

describe('withRegion', () => {
  const mean = { 'mean-image.mean': float32(new Float32Array(16).fill(0.5), shape) };
  const judge = (model: AnyModel, image: Float32Array) => {
    const { score, map } = scoringProgram(model, {}, shape, mean).outputs;
    const [s, m] = evaluate([score, map], { image: float32(image, [1, ...shape]) });
    return { score: s.data[0], map: Array.from(m.data as Float32Array) };
  };
  const limited = withRegion(meanImage as AnyModel, region, shape);

  it('makes score and map functions of the pixels inside', () => {
    const image = new Rng(1).uniforms(16);
    const outside = image.map((v, p) => (region[p] ? v : v / 2));
    const inside = image.map((v, p) => (region[p] ? 1 - v / 2 : v));
    const first = judge(limited, image);
    expect(judge(limited, outside)).toEqual(first);
    expect(judge(limited, inside).score).not.toBe(first.score);
    expect(judge(meanImage as AnyModel, outside).score).not.toBe(judge(meanImage as AnyModel, image).score);
  });

  it('leaves the map inside as it was', () => {
    const image = new Rng(2).uniforms(16);
    const whole = judge(meanImage as AnyModel, image).map;
    expect(judge(limited, image).map).toEqual(whole.map((v, p) => (region[p] ? v : 0)));
  });

  it('refuses regions that are empty or of another size', () => {
    expect(() => withRegion(meanImage as AnyModel, new Uint8Array(16), shape)).toThrow('but has none');
    expect(() => withRegion(meanImage as AnyModel, new Uint8Array(9), shape)).toThrow('needs 16 values, got 9');
  });
});

describe('withTiles', () => {
  it('scores and maps an image as its tiles, put together outside, do', async () => {
    const tile = [1, 4, 4] as const;
    const tensors = { 'mean-image.mean': float32(new Rng(8).uniforms(16), tile) };
    const run = (model: AnyModel, size: readonly [number, number, number], images: Float32Array, n: number) => {
      const { score, map } = scoringProgram(model, {}, size, tensors).outputs;
      const [s, m] = evaluate([score, map], { image: float32(images, [n, ...size]) });
      return { scores: s.data as Float32Array, maps: m.data as Float32Array };
    };
    const whole = [1, 7, 9] as const;
    const tiled = withTiles(meanImage as AnyModel, { height: 4, width: 4, overlap: 0.3 }, whole);
    const images = new Rng(9).uniforms(2 * 63);
    const got = run(tiled, whole, images, 2);
    for (const n of [0, 1]) {
      const detector = {
        shape: tile,
        score: async (pieces: Float32Array, count: number) => run(meanImage as AnyModel, tile, pieces, count),
      };
      const image = images.slice(63 * n, 63 * (n + 1));
      const wanted = await scoreTiled(detector, image, { height: 7, width: 9, overlap: 0.3 });
      expect(got.scores[n]).toBeCloseTo(wanted.score, 6);
      for (const [p, v] of wanted.map.entries()) expect(got.maps[63 * n + p]).toBeCloseTo(v, 6);
    }
  });
});

describe('readRegion', () => {
  it('marks a rectangle, and refuses one that reaches outside', async () => {
    const found = await readRegion({ x: 1, y: 2, width: 2, height: 1 }, shape);
    expect(found.join('')).toBe('0000000001100000');
    await expect(readRegion({ x: 3, y: 0, width: 2, height: 1 }, shape)).rejects.toMatchObject({ code: 'region' });
    await expect(readRegion({ x: 0, y: 0, width: 1.5, height: 1 }, shape)).rejects.toMatchObject({ code: 'region' });
  });
});

describe('scoreTiled', () => {
  /** A detector whose map is the image and whose score is the largest pixel. */
  const detector = {
    shape,
    async score(images: Float32Array, n: number) {
      const scores = Float32Array.from({ length: n }, (_, i) => Math.max(...images.subarray(16 * i, 16 * i + 16)));
      return { scores, maps: images.slice() };
    },
  };

  it('joins the maps and takes the largest score', async () => {
    const image = new Rng(3).uniforms(6 * 9, 0, 0.5);
    image[5 * 9 + 7] = 0.9;
    const { score, map, tiles } = await scoreTiled(detector, image, { height: 6, width: 9 });
    expect(score).toBeCloseTo(0.9, 6);
    for (const [i, v] of image.entries()) expect(map[i]).toBeCloseTo(v, 5);
    const odd = tiles.filter((tile) => tile.score > 0.5);
    expect(odd.length).toBeGreaterThan(0);
    expect(odd.every(({ x, y }) => x + 4 > 7 && y + 4 > 5)).toBe(true);
  });

  it('of an image of one tile is that of the detector', async () => {
    const image = new Rng(4).uniforms(16);
    const { tiles, map } = await scoreTiled(detector, image, { height: 4, width: 4 });
    expect([tiles.length, map]).toEqual([1, image]);
  });

  it('refuses images of another size', async () => {
    await expect(scoreTiled(detector, new Float32Array(5), { height: 4, width: 4 })).rejects.toMatchObject({
      code: 'shape',
    });
    await expect(scoreTiled(detector, new Float32Array(9), { height: 3, width: 3 })).rejects.toMatchObject({
      code: 'shape',
    });
  });
});
