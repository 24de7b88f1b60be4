import { describe, expect, it } from 'vitest';
import { gaussianFilter } from './gaussian-filter.ts';

const values = [0, 0, 1, 0, 0, 5, 2, -3, 4, 4, 0.5];

describe('gaussianFilter', () => {
  // scipy.ndimage.gaussian_filter1d(values, sigma) of SciPy 1.17.
  it.each([
    [
      3,
      values,
      [
        0.48847815752077794, 0.5677171327242534, 0.7126832543419108, 0.9001150653907364, 1.1027679293555603,
        1.2968664074884213, 1.4675147535166957, 1.6089811118728488, 1.7197030337879446, 1.7973332706638907,
        1.837839883336961,
      ],
    ],
    [
      0.7,
      values,
      [
        0.009677455437638406, 0.20539965263338855, 0.5701384069751457, 0.25361135595126083, 1.0556794817392186,
        3.231464055231112, 1.5892006947332231, -0.3905397961340009, 2.509152000529589, 3.1799853929871764,
        1.2862312999162495,
      ],
    ],
    [3, [1, 4], [2.4999702190594095, 2.5000297809405905]],
    [
      1,
      [1, 2, 3, 4, 9],
      [1.4275762728896326, 2.086084803757841, 3.233691956162943, 5.116028257529964, 7.13661870965962],
    ],
  ])('is that of SciPy with sigma %f', (sigma, given, wanted) => {
    for (const [t, value] of gaussianFilter(given, sigma).entries()) expect(value).toBeCloseTo(wanted[t], 12);
  });

  it('leaves constants, and everything with a sigma of 0, as they are', () => {
    expect([...gaussianFilter([2, 2, 2], 5)].every((v) => Math.abs(v - 2) < 1e-12)).toBe(true);
    expect([...gaussianFilter(values, 0)]).toEqual(values);
    expect(gaussianFilter([], 3)).toHaveLength(0);
  });
});
