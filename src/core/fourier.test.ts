import { describe, expect, it } from 'vitest';
import { fourier, powerOfTwo } from './fourier.ts';
import { Rng } from './random.ts';

/** The sum of the definition. */
function byDefinition(re: Float64Array, im: Float64Array) {
  const n = re.length;
  const out = { re: new Float64Array(n), im: new Float64Array(n) };
  for (let k = 0; k < n; k++) {
    for (let t = 0; t < n; t++) {
      const angle = (-2 * Math.PI * ((k * t) % n)) / n;
      out.re[k] += re[t] * Math.cos(angle) - im[t] * Math.sin(angle);
      out.im[k] += re[t] * Math.sin(angle) + im[t] * Math.cos(angle);
    }
  }
  return out;
}

const distance = (a: Float64Array, b: Float64Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i])));

describe('fourier', () => {
  it.each([1, 2, 3, 8, 29, 64, 100, 139])(
    'is the sum of the definition for %i values, and its inverse undoes it',
    (n) => {
      const [re, im] = ['re', 'im'].map((part) => Float64Array.from(new Rng(n).split(part).normals(n)));
      const wanted = byDefinition(re, im);
      const [a, b] = [re.slice(), im.slice()];
      fourier(a, b);
      expect(distance(a, wanted.re)).toBeLessThan(1e-11);
      expect(distance(b, wanted.im)).toBeLessThan(1e-11);
      fourier(a, b, true);
      expect(distance(a, re)).toBeLessThan(1e-13);
      expect(distance(b, im)).toBeLessThan(1e-13);
    },
  );

  it('a power of two is the least that is enough', () => {
    expect([1, 2, 3, 4, 5, 4031].map(powerOfTwo)).toEqual([1, 2, 4, 4, 8, 4096]);
  });
});
