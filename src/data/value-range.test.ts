import { describe, expect, it } from 'vitest';
import { writeUnit } from './resize.ts';
import { rangeFor, UsedValuesMeter } from './value-range.ts';

const measured = (...images: (Uint8Array | Uint16Array | Float32Array)[]) => {
  const meter = new UsedValuesMeter();
  for (const image of images) meter.add(image);
  return meter.used;
};
const ramp16 = (low: number, high: number, n = 1000) =>
  Uint16Array.from({ length: n }, (_, i) => low + Math.round(((high - low) * i) / (n - 1)));
const ramp32 = (low: number, high: number, n = 1000) =>
  Float32Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
const rangeOf = (...images: Parameters<typeof measured>) => {
  const used = measured(...images);
  return used && rangeFor(used);
};

describe('the range that images use', () => {
  it.each([
    ['10 of 16 bits', ramp16(0, 1020), [0, 1023]],
    ['12 bits, not from 0', ramp16(300, 3866), [0, 4095]],
    ['14 bits', ramp16(0, 16_383), [0, 16_383]],
    ['all 16 bits', ramp16(0, 65_535), undefined],
    ['half of 16 bits and a little', ramp16(0, 33_000), undefined],
    ['an offset of half of the range', ramp16(32_768, 33_768), [32_268, 34_268]],
    ['one value', ramp16(500, 500), [250, 750]],
    ['only 0', ramp16(0, 0), [0, 1]],
    ['fractions', ramp32(0, 0.9), [0, 1]],
    ['floats as bytes', ramp32(0, 254.7), [0, 255]],
    ['degrees', ramp32(-40, 60), [-90, 110]],
    ['kelvin', ramp32(300, 310), [295, 315]],
    ['tiny fractions', ramp32(0, 0.01), [0, 0.015]],
  ])('%s', (_, image, range) => {
    const found = rangeOf(image);
    expect(found?.map((v) => Number(v.toPrecision(6)))).toEqual(range);
  });

  it('does not follow hot pixels, and tells of them', () => {
    const image = ramp16(0, 1020, 40_000);
    image[7] = 65_535;
    expect(measured(image)).toMatchObject({ low: 0, high: 65_535, is16Bit: true });
    expect(rangeOf(image)).toEqual([0, 1023]);
  });

  it('is that of all images together; bytes have none', () => {
    expect(rangeOf(ramp16(0, 100), ramp16(0, 1000))).toEqual([0, 1023]);
    expect(measured(new Uint8Array(9))).toBe(undefined);
  });
});

it('values are scaled by a range and end at it; bytes are not', () => {
  const out = new Float32Array(4);
  writeUnit(Uint16Array.of(0, 100, 300, 900), out, 0, [100, 500]);
  expect([...out]).toEqual([0, 0, 0.5, 1]);
  writeUnit(Uint8Array.of(0, 51, 255, 102), out, 0, [100, 500]);
  expect(Array.from(out, (v) => Number(v.toFixed(6)))).toEqual([0, 0.2, 1, 0.4]);
});
