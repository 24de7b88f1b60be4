import { describe, expect, it } from 'vitest';
import { Rng } from './random.ts';
import { addSimplexNoise, simplexField, simplexStd } from './simplex-noise.ts';

const paper = { octaves: 6, persistence: 0.8, wavelength: 64, normalized: false };
const meanOf = (values: Iterable<number>) => {
  const list = [...values];
  return list.reduce((a, b) => a + b, 0) / list.length;
};
const stdOf = (field: Float32Array) => {
  const mean = meanOf(field);
  return Math.sqrt(meanOf(field.map((v) => (v - mean) ** 2)));
};
const fields = (count: number, options: typeof paper, size = 256) =>
  Array.from({ length: count }, (_, i) => simplexField(size, size, options, new Rng(1).split(i)));

describe('simplex noise', () => {
  it('has the spread of OpenSimplex noise in one octave: std 0.313, at most about 1', () => {
    const several = fields(24, { ...paper, octaves: 1, wavelength: 8 });
    const rms = Math.sqrt(meanOf(several.map((f) => meanOf(f.map((v) => v * v)))));
    expect(rms).toBeGreaterThan(0.31);
    expect(rms).toBeLessThan(0.317);
    const top = Math.max(...several.map((f) => f.reduce((m, v) => Math.max(m, Math.abs(v)), 0)));
    expect(top).toBeGreaterThan(0.85);
    expect(top).toBeLessThan(1);
  });

  it('has the spread of AnoDDPM in six octaves: std 0.476 ± 0.05 per image, means near 0', () => {
    const several = fields(16, paper);
    expect(Math.abs(meanOf(several.map(stdOf)) - 0.476)).toBeLessThan(0.05);
    // A field's mean has a std of 0.08, the mean of 16 of them 0.02: three of these.
    expect(Math.abs(meanOf(several.map(meanOf)))).toBeLessThan(0.06);
  });

  it('has a mean square of 1 when normalised, whatever the octaves', () => {
    for (const options of [paper, { octaves: 3, persistence: 0.6, wavelength: 16, normalized: false }]) {
      const squares = fields(24, { ...options, normalized: true }).map((f) => meanOf(f.map((v) => v * v)));
      expect(Math.abs(meanOf(squares) - 1)).toBeLessThan(0.05);
      const [plain, scaled] = [false, true].map((normalized) => fields(1, { ...options, normalized }, 16)[0]);
      plain.forEach((v, i) => {
        expect(scaled[i]).toBeCloseTo(v / simplexStd(options), 5);
      });
    }
  });

  it('is another field for each stream, and the same for the same one', () => {
    const [a, b] = fields(2, paper, 32);
    expect(simplexField(32, 32, paper, new Rng(1).split(0))).toEqual(a);
    const product = meanOf(a.map((v, i) => (v - meanOf(a)) * (b[i] - meanOf(b))));
    expect(Math.abs(product) / (stdOf(a) * stdOf(b))).toBeLessThan(0.5);
  });

  it('stays as it is: stored values', () => {
    const field = simplexField(4, 4, { ...paper, octaves: 3, wavelength: 8 }, new Rng(7));
    expect([...field].map((v) => Number(v.toFixed(4)))).toEqual([
      0.5357, 0.3367, 0.0974, 0.0627, 0.7192, 0.6048, 0.3497, 0.552, 0.6624, 0.5897, 0.5852, 0.7885, 0.6316, 0.5117,
      0.7626, 1.0539,
    ]);
  });

  it('is the sum over all lattice points, however few of them are visited', () => {
    const [size, z, wavelength] = [6, 40.3, 3];
    const field = new Float32Array(size * size);
    addSimplexNoise(field, { height: size, width: size, wavelength, amplitude: 1, z, seed: 5 });
    // Shifting the window by whole pixels within a larger one must show the same field: no point is missed at its edges.
    const large = new Float32Array(400);
    addSimplexNoise(large, { height: 20, width: 20, wavelength, amplitude: 1, z, seed: 5 });
    for (let i = 0; i < size * size; i++) {
      expect(field[i]).toBeCloseTo(large[Math.floor(i / size) * 20 + (i % size)], 5);
    }
  });

  it('is smooth: neighbours differ little at a long wavelength, and hardly correlate at a short one', () => {
    const likeness = (wavelength: number) => {
      const [f] = fields(1, { ...paper, octaves: 1, wavelength }, 128);
      const mean = meanOf(f);
      const pairs = [...f].flatMap((v, i) => ((i + 1) % 128 === 0 ? [] : [(v - mean) * (f[i + 1] - mean)]));
      return meanOf(pairs) / stdOf(f) ** 2;
    };
    expect(likeness(32)).toBeGreaterThan(0.98);
    expect(Math.abs(likeness(1))).toBeLessThan(0.1);
  });
});
