import { describe, expect, it } from 'vitest';
import { floatToHalf, halfToFloat } from './half.ts';

describe('half-precision numbers', () => {
  it('come back from their bits, all of them', () => {
    const other = Array.from({ length: 65_536 }, (_, bits) => bits).filter((bits) => {
      const value = halfToFloat(bits);
      return floatToHalf(value) !== (Number.isNaN(value) ? 0x7e00 : bits);
    });
    expect(other).toEqual([]);
  });

  it('are the nearest ones, of two the even one', () => {
    // IEEE 754: 1 + 2⁻¹¹ lies between 1 (even) and 1 + 2⁻¹⁰, 1 + 3 · 2⁻¹¹ between 1 + 2⁻¹⁰ and 1 + 2⁻⁹ (even).
    for (const [value, bits] of [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [0.1, 0x2e66],
      [1 / 3, 0x3555],
      [65_519.9, 0x7bff],
      [65_520, 0x7c00],
      [-1e9, 0xfc00],
      [2 ** -25, 0],
      [1.1 * 2 ** -25, 1],
      [2 ** -14 - 2 ** -25, 0x0400],
      [-0, 0x8000],
    ]) {
      expect(floatToHalf(value)).toBe(bits);
    }
  });
});
