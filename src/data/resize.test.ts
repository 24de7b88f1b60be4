import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fitImage, fitMask, type Pixels, resample, writeUnit } from './resize.ts';

interface Golden {
  cases: { from: [number, number, 1 | 3]; to: [number, number]; torch: number[]; pillow: number[] }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL('../../test/golden/resize.json', import.meta.url), 'utf8'));

/** The picture of `test/golden/resize.py`. */
function picture(height: number, width: number, channels: 1 | 3): Pixels & { data: Uint8Array } {
  const data = Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const [k, p] = [i % channels, Math.floor(i / channels)];
    const [x, y] = [p % width, Math.floor(p / width)];
    return x * 7 + y * 13 + k * 29 + ((x * y) % 11) * 9 + ((x * x + 3 * y) % 17) * 5;
  });
  return { height, width, channels, data };
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i])));

describe('resample', () => {
  test.each(golden.cases)('$from to $to as PyTorch and Pillow do', ({ from, to, torch, pillow }) => {
    const out = resample(picture(...from), ...to);
    expect(out.length).toBe(torch.length);
    expect(largest(out, torch)).toBeLessThan(0.01);
    expect(largest(out, pillow)).toBeLessThan(1); // it rounds to bytes twice
  });

  test('bytes and 16 bits take different ways to the same numbers', () => {
    for (const [height, width, to] of [
      [64, 40, 63],
      [200, 33, 3], // more rows in a segment than one packed block holds
      [41, 16, 1],
    ]) {
      const image = picture(height, width, 3);
      const deep = { ...image, data: Uint16Array.from(image.data) };
      expect(largest(resample(image, to, 9), resample(deep, to, 9))).toBeLessThan(1e-3);
    }
    const white: Pixels = { height: 500, width: 8, channels: 1, data: new Uint8Array(4000).fill(255) };
    expect(largest(resample(white, 2, 2), [255, 255, 255, 255])).toBeLessThan(1e-3);
  });
});

describe('fitImage', () => {
  test('grey to colour, colour to grey, planes apart', () => {
    const colour: Pixels = { height: 1, width: 2, channels: 3, data: Uint8Array.of(10, 20, 30, 255, 255, 255) };
    expect([...fitImage(colour, [3, 1, 2])]).toEqual([10, 255, 20, 255, 30, 255]);
    expect([...fitImage(colour, [1, 1, 2])]).toEqual([Math.round(0.299 * 10 + 0.587 * 20 + 0.114 * 30), 255]);
    const grey: Pixels = { height: 1, width: 2, channels: 1, data: Uint16Array.of(7, 65535) };
    const out = fitImage(grey, [3, 1, 2]);
    expect(out).toEqual(Uint16Array.of(7, 65535, 7, 65535, 7, 65535));
    const unit = new Float32Array(7);
    writeUnit(out, unit, 1);
    expect([...unit]).toEqual([0, ...[1, 2, 3].flatMap(() => [Math.fround(7 / 65535), 1])]);
    expect(() => fitImage(grey, [2, 1, 2])).toThrow('1 or 3 channels');
  });
});

describe('fitMask', () => {
  const mask = (height: number, width: number, ...marked: [number, number, number][]): Pixels => {
    const data = new Uint8Array(height * width);
    for (const [y, x, value] of marked) data[y * width + x] = value;
    return { height, width, channels: 1, data };
  };

  test('a single pixel survives any shrinking, at its place', () => {
    for (const [y, x] of [
      [0, 0],
      [57, 91],
      [99, 99],
    ]) {
      const out = fitMask(mask(100, 100, [y, x, 255]), 7, 7);
      expect(out.reduce((n, v) => n + v, 0)).toBe(1);
      expect(out[Math.floor(((y + 0.5) * 7) / 100) * 7 + Math.floor(((x + 0.5) * 7) / 100)]).toBe(1);
    }
  });

  test('growing repeats pixels', () => {
    expect([...fitMask(mask(2, 2, [0, 1, 255]), 4, 4)]).toEqual([0, 0, 1, 1, 0, 0, 1, 1, ...Array(8).fill(0)]);
  });

  test('grey edges are cut at half of white; numbered defects count from 1', () => {
    expect([...fitMask(mask(1, 3, [0, 0, 255], [0, 1, 127], [0, 2, 128]), 1, 3)]).toEqual([1, 0, 1]);
    expect([...fitMask(mask(1, 3, [0, 0, 3], [0, 2, 1]), 1, 3)]).toEqual([1, 0, 1]);
    const red: Pixels = { height: 1, width: 2, channels: 3, data: Uint8Array.of(255, 0, 0, 0, 0, 0) };
    expect([...fitMask(red, 1, 2)]).toEqual([1, 0]);
  });
});
