/** Transforms: image and mask stay together, tiles cover and come back, a region hides what is outside. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { synthetic } from '../synthetic.ts';
import {
  type AugmentOptions,
  addNoise,
  adjust,
  augment,
  checkRegion,
  crop,
  cutTile,
  flipHorizontal,
  flipVertical,
  inside,
  joinTiles,
  move,
  readAugment,
  regionSource,
  rotateRight,
  type Sample,
  tileGrid,
  tileSource,
} from './index.ts';

/** A sample whose mask marks exactly the bright pixels of its first channel. */
function sampleOf(height: number, width: number, channels = 2): Sample {
  const image = Float32Array.from({ length: channels * height * width }, (_, i) => ((i * 7) % 19) / 20);
  return {
    channels,
    height,
    width,
    image,
    mask: Uint8Array.from(image.slice(0, height * width), (v) => (v > 0.6 ? 1 : 0)),
  };
}

/** One channel of 3 x 2 pixels: 0.1 … 0.6. */
const small: Sample = {
  channels: 1,
  height: 2,
  width: 3,
  image: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
  mask: Uint8Array.of(0, 0, 1, 0, 0, 0),
};
const tenths = ({ image }: Sample) => Array.from(image, (v) => Math.round(10 * v)).join('');

describe('moves from pixel to pixel', () => {
  it('put every pixel where it belongs, and the mask with it', () => {
    expect([tenths(flipHorizontal(small)), flipHorizontal(small).mask?.join('')]).toEqual(['321654', '100000']);
    expect([tenths(flipVertical(small)), flipVertical(small).mask?.join('')]).toEqual(['456123', '000001']);
    // 1 2 3    4 1
    // 4 5 6 →  5 2
    //          6 3
    const right = rotateRight(small, 1);
    expect([right.height, right.width, tenths(right), right.mask?.join('')]).toEqual([3, 2, '415263', '000001']);
    expect(tenths(rotateRight(small, 2))).toBe('654321');
    expect(tenths(rotateRight(small, -1))).toBe('362514');
    const cut = crop(small, { x: 1, y: 0, height: 2, width: 2 });
    expect([tenths(cut), cut.mask?.join('')]).toEqual(['2356', '0100']);
    expect(tenths(small)).toBe('123456');
  });

  it('undo each other, on any size', () => {
    const size = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: -5, max: 5 }), (height, width, turns) => {
        const sample = sampleOf(height, width);
        expect(flipHorizontal(flipHorizontal(sample))).toEqual(sample);
        expect(flipVertical(flipVertical(sample))).toEqual(sample);
        expect(rotateRight(rotateRight(sample, turns), -turns)).toEqual(sample);
        expect(flipVertical(flipHorizontal(sample))).toEqual(rotateRight(sample, 2));
      }),
    );
  });

  it('refuse a crop that reaches outside and arrays that do not fit', () => {
    expect(() => crop(small, { x: 2, y: 0, height: 1, width: 2 })).toThrow('must lie inside');
    expect(() => flipVertical({ ...small, image: new Float32Array(5) })).toThrow('1x2x3 needs 6');
  });
});

describe('move', () => {
  it('does nothing by nothing, shifts by whole pixels, and turns as rotateRight does', () => {
    const sample = sampleOf(5, 5);
    expect(move(sample, {})).toEqual(sample);
    const shifted = move(sample, { x: 2, y: 1 });
    expect(shifted.image[1 * 5 + 2]).toBe(sample.image[0]);
    expect(shifted.mask?.slice(0, 5).join('')).toBe('00000');
    expect(shifted.mask?.[4 * 5 + 4]).toBe(sample.mask?.[3 * 5 + 2]);
    const turned = move(sample, { degrees: 90 });
    const exact = rotateRight(sample, 1);
    for (const [i, v] of exact.image.entries()) expect(turned.image[i]).toBeCloseTo(v, 5);
    expect(turned.mask).toEqual(exact.mask);
  });

  it('interpolates between pixels, continues the border, and marks nothing outside', () => {
    const half = move(small, { x: 0.5 });
    expect(Array.from(half.image, (v) => Number(v.toFixed(3)))).toEqual([0.1, 0.15, 0.25, 0.4, 0.45, 0.55]);
    const away = move({ ...small, mask: new Uint8Array(6).fill(1) }, { x: 2 });
    expect(away.mask?.join('')).toBe('001001');
  });

  it('enlarges about the centre', () => {
    const line: Sample = { channels: 1, height: 1, width: 5, image: Float32Array.of(0, 0.25, 0.5, 0.75, 1) };
    expect(Array.from(move(line, { scale: 2 }).image)).toEqual([0.25, 0.375, 0.5, 0.625, 0.75]);
    expect(() => move(line, { scale: 0 })).toThrow('above 0');
  });
});

describe('values', () => {
  it('brightness and contrast do not mix, and stay in [0, 1]', () => {
    const { image } = adjust(small, { contrast: 2, brightness: 0.1 });
    expect(Array.from(image, (v) => Number(v.toFixed(3)))).toEqual([0, 0.15, 0.35, 0.55, 0.75, 0.95]);
    expect(adjust(small, { contrast: 2 }).mask).toBe(small.mask);
  });

  it('noise has the given spread', () => {
    const grey: Sample = { channels: 1, height: 64, width: 64, image: new Float32Array(4096).fill(0.5) };
    const { image } = addNoise(grey, 0.1, new Rng(3));
    const variance = image.reduce((sum, v) => sum + (v - 0.5) ** 2, 0) / image.length;
    expect(Math.sqrt(variance)).toBeCloseTo(0.1, 2);
  });
});

describe('readAugment', () => {
  it('reads words with and without numbers', () => {
    expect(readAugment('flip, rotate=5,noise')).toEqual({ flipHorizontal: true, degrees: 5, noise: 0.02 });
    expect(readAugment('turns,flip-vertical')).toEqual({ turns: true, flipVertical: true });
  });

  it('refuses other words and numbers that cannot be', () => {
    expect(() => readAugment('flop')).toThrow('flip');
    expect(() => readAugment('flip=2')).toThrow('takes no number');
    expect(() => readAugment('rotate=much')).toThrow('takes a number, such as rotate=10');
    expect(() => readAugment('noise=3')).toThrow('`augment.noise` must be a number from 0 to 1');
  });
});

describe('augment', () => {
  const all: AugmentOptions = {
    flipHorizontal: true,
    flipVertical: true,
    turns: true,
    degrees: 10,
    shift: 0.1,
    scale: 0.1,
    crop: 0.8,
    brightness: 0.1,
    contrast: 0.1,
    noise: 0.05,
  };

  it('is a function of the seed, and leaves its sample alone', () => {
    const sample = sampleOf(12, 12);
    const before = structuredClone(sample);
    const once = augment(sample, all, new Rng(1));
    expect(augment(sample, all, new Rng(1))).toEqual(once);
    expect(augment(sample, all, new Rng(2)).image).not.toEqual(once.image);
    expect(sample).toEqual(before);
    expect(augment(sample, {}, new Rng(1))).toEqual(sample);
  });

  it('switching one change on leaves the draws of the others', () => {
    const sample = sampleOf(12, 12);
    for (let seed = 0; seed < 8; seed++) {
      const flipped = augment(sample, { flipHorizontal: true }, new Rng(seed));
      const both = augment(sample, { flipHorizontal: true, flipVertical: true }, new Rng(seed));
      expect([flipped, flipVertical(flipped)]).toContainEqual(both);
    }
  });

  it('keeps image and mask together', () => {
    // A disc that is bright where it is marked: after any move the bright pixels are the marked ones, but for the rim.
    const side = 32;
    const mask = Uint8Array.from({ length: side * side }, (_, p) =>
      Math.hypot((p % side) - 20, Math.floor(p / side) - 12) < 6 ? 1 : 0,
    );
    const disc: Sample = { channels: 1, height: side, width: side, image: Float32Array.from(mask), mask };
    const { brightness: _b, contrast: _c, noise: _n, ...moves } = all;
    for (let seed = 0; seed < 20; seed++) {
      const out = augment(disc, moves, new Rng(seed));
      const differing = out.image.filter((v, i) => Math.abs(v - out.mask![i]) > 0.8).length;
      expect(differing).toBe(0);
      expect(out.mask!.some((v) => v === 1)).toBe(true);
    }
  });

  it('keeps the size of images that are not square', () => {
    for (let seed = 0; seed < 8; seed++) {
      const { height, width } = augment(sampleOf(4, 6), all, new Rng(seed));
      expect([height, width]).toEqual([4, 6]);
    }
  });

  it('refuses what is out of range', () => {
    expect(() => augment(small, { crop: 0 }, new Rng(1))).toThrow(
      '`augment.crop` must be a number from 0.05 to 1, got 0',
    );
    expect(() => augment(small, { noise: Number.NaN }, new Rng(1))).toThrow('noise` must be');
  });
});

describe('tiles', () => {
  it('cover the image, overlap as wanted, and join to what was cut', () => {
    const side = fc.integer({ min: 4, max: 30 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 1, max: 4 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (h, w, t, overlap) => {
          const grid = tileGrid({ height: h, width: w, tileHeight: t, tileWidth: 4, overlap });
          const plane = Float32Array.from({ length: h * w }, (_, i) => i);
          const maps = Float32Array.from(grid.tiles.flatMap((_, n) => [...cutTile(plane, grid, n)]));
          for (const join of ['feather', 'average'] as const) {
            const whole = joinTiles(maps, grid, join);
            expect(whole.every((v, i) => Math.abs(v - i) < 1e-3)).toBe(true);
          }
          const xs = [...new Set(grid.tiles.map((tile) => tile.x))];
          for (let i = 1; i < xs.length; i++)
            expect(4 - (xs[i] - xs[i - 1])).toBeGreaterThanOrEqual(Math.min(3, overlap * 4));
        },
      ),
    );
  });

  it('blend from one to the next, and average alike', () => {
    const grid = tileGrid({ height: 1, width: 6, tileHeight: 1, tileWidth: 4, overlap: 0.5 });
    expect(grid.tiles).toEqual([
      { x: 0, y: 0 },
      { x: 2, y: 0 },
    ]);
    const maps = Float32Array.of(0, 0, 0, 0, 3, 3, 3, 3);
    expect(Array.from(joinTiles(maps, grid))).toEqual([0, 0, 1, 2, 3, 3]);
    expect(Array.from(joinTiles(maps, grid, 'average'))).toEqual([0, 0, 1.5, 1.5, 3, 3]);
  });

  it('cut all channels', () => {
    const grid = tileGrid({ height: 2, width: 3, tileHeight: 1, tileWidth: 2, overlap: 0 });
    const planes = Float32Array.from({ length: 12 }, (_, i) => i);
    expect(Array.from(cutTile(planes, grid, 3))).toEqual([4, 5, 10, 11]);
  });

  it('refuse small images, wide overlaps and maps of another number', () => {
    const grid = { height: 4, width: 4, tileHeight: 4, tileWidth: 4 };
    expect(() => tileGrid({ ...grid, tileHeight: 5 })).toThrow('must be at least as large as its tiles of 5x4');
    expect(() => tileGrid({ ...grid, overlap: 1 })).toThrow('0 to 0.9');
    expect(() => joinTiles(new Float32Array(15), tileGrid(grid))).toThrow('1 maps of 4x4 need 16 values, got 15');
  });

  it('are a source', async () => {
    const made = await synthetic({ count: 8, size: 16, channels: 3 });
    const whole = { ...made, hasMask: (i: number) => i === 2 };
    const tiles = await tileSource(whole, { tileHeight: 8, tileWidth: 8, overlap: 0 });
    expect([tiles.shape, tiles.items.length, tiles.items[5].id]).toEqual([[3, 8, 8], 32, `${whole.items[1].id}#1`]);
    expect(tiles.hash).not.toBe(whole.hash);
    expect(tiles.tilesOf(2)).toEqual([8, 9, 10, 11]);
    expect([7, 8, 11, 12].map((i) => tiles.hasMask?.(i))).toEqual([false, true, true, false]);
    const [image, mask] = [new Float32Array(3 * 256), new Uint8Array(256)];
    await whole.read([2], image);
    await whole.readMasks?.([2], mask);
    const [tile, tileMask] = [new Float32Array(2 * 192), new Uint8Array(2 * 64)];
    await tiles.read([11, 8], tile);
    await tiles.readMasks?.([11, 8], tileMask);
    expect(tile).toEqual(Float32Array.from([...cutTile(image, tiles.grid, 3), ...cutTile(image, tiles.grid, 0)]));
    expect(tileMask).toEqual(Uint8Array.from([...cutTile(mask, tiles.grid, 3), ...cutTile(mask, tiles.grid, 0)]));
    await expect(tiles.read([0], tile)).rejects.toMatchObject({ code: 'shape' });
  });
});

describe('a region', () => {
  it('makes a source black outside', async () => {
    const whole = await synthetic({ count: 8, size: 16, channels: 3 });
    const region = Uint8Array.from({ length: 256 }, (_, p) => (p % 16 < 8 ? 1 : 0));
    const source = await regionSource(whole, region);
    const [before, after] = [new Float32Array(2 * 768), new Float32Array(2 * 768)];
    await whole.read([1, 6], before);
    await source.read([1, 6], after);
    expect(after).toEqual(before.map((v, i) => (i % 16 < 8 ? v : 0)));
    const mask = new Uint8Array(512).fill(9);
    await source.readMasks?.([1, 6], mask);
    expect(mask.some((v, i) => i % 16 >= 8 && v > 0)).toBe(false);
    expect(source.hash).not.toBe(whole.hash);
    expect(
      inside(
        Float32Array.from({ length: 256 }, (_, p) => p),
        region,
      ).slice(6, 10),
    ).toEqual(Float32Array.of(6, 7, 16, 17));
  });

  it('must have pixels, as many as the image', () => {
    expect(() => checkRegion(new Uint8Array(4), 2, 2)).toThrow('but has none');
    expect(() => checkRegion(new Uint8Array(4), 2, 3)).toThrow('needs 6 values, got 4');
  });
});
