/** Detectors of windows that take no gradient steps: what their graphs give, against plain arithmetic. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { AnyModel, FitData } from './define.ts';
import { kmeansWindows } from './kmeans-windows.ts';
import { kshape } from './kshape.ts';
import { centreDistances } from './parts/series/kmeans-windows.ts';
import { standardWindows, standardWindowsOf } from './parts/series/standard-windows.ts';
import { poly, polynomialMatrix } from './poly.ts';
import { saliency, spectralResidual } from './spectral-residual.ts';

const value = (y: g.Value, feeds: Tensors = {}) => Array.from(g.evaluate([y], feeds)[0].data, Number);
const windows = (values: ArrayLike<number>, shape: readonly number[]) =>
  g.constant(float32(Float32Array.from(values), shape));

/** Windows of two sines with noise, `[count, length, 2]`. */
function waves(count: number, length: number): Float32Array {
  const noise = new Rng(4).normals(count * length * 2);
  return Float32Array.from({ length: count * length * 2 }, (_, i) => {
    const [n, t, d] = [Math.floor(i / (2 * length)), Math.floor(i / 2) % length, i % 2];
    return Math.sin(0.4 * (t + 3 * n) * (d + 1)) * (d + 1) + d + noise[i] * 0.1;
  });
}

/** Fits on windows and scores some. */
async function fittedScores(model: AnyModel, options: object, train: Float32Array, test: Float32Array, length: number) {
  const shape = [length, 2];
  const size = 2 * length;
  const count = train.length / size;
  const data = {
    shape,
    count,
    rng: new Rng(5),
    async *blocks() {
      yield { count, data: train };
    },
  } as unknown as FitData;
  const config = model.config.parse(options);
  const fitted = model.learns === 'statistics' ? await model.fit(config, data) : {};
  const trace = new nn.Trace(false, fitted);
  const { score, map } = model.score(
    config,
    (group) => trace.group(group),
    windows(test, [test.length / size, ...shape]),
  );
  return { fitted, score: value(score, fitted), map: value(map, fitted) };
}

describe('windows in their own units', () => {
  it('are the same in the graph and on arrays, with zeros for flat ones', () => {
    const values = waves(3, 12);
    for (let t = 0; t < 12; t++) values[24 + 2 * t] = 7;
    const plain = Array.from(standardWindowsOf(values, 12, 2));
    const found = value(standardWindows(windows(values, [3, 12, 2])));
    found.forEach((v, i) => {
      expect(v).toBeCloseTo(plain[i], 5);
    });
    expect(found[24]).toBe(0);
  });
});

describe('kmeans-windows', () => {
  it('scores the distance to the nearest centre, whose squares are the map', async () => {
    const [train, test] = [waves(40, 10), waves(60, 10).subarray(800)];
    const { fitted, score, map } = await fittedScores(kmeansWindows, { centres: 3 }, train, test, 10);
    const centres = Float64Array.from(fitted['kmeans-windows.centres'].data as Float32Array);
    const plain = centreDistances(standardWindowsOf(test, 10, 2), 20, centres);
    score.forEach((s, i) => {
      expect(s).toBeCloseTo(plain[i], 4);
      expect(Math.sqrt(map.slice(20 * i, 20 * i + 20).reduce((a, b) => a + b))).toBeCloseTo(s, 4);
    });
  });
});

describe('kshape', () => {
  it('does not see level and size of a window, and finds noise odd', async () => {
    const [train, test] = [waves(40, 24), waves(41, 24).slice(40 * 48)];
    const larger = test.map((v) => 3 * v - 2);
    const noise = new Rng(9).normals(48);
    const both = Float32Array.from([...test, ...larger, ...noise]);
    const { score } = await fittedScores(kshape, { shapes: 2 }, train, both, 24);
    expect(score[1]).toBeCloseTo(score[0], 5);
    expect(score[2]).toBeGreaterThan(score[0] + 0.1);
    expect(Math.min(...score)).toBeGreaterThanOrEqual(0);
  });
});

describe('poly', () => {
  it('predicts a polynomial of its degree exactly, from the steps outside of the block', () => {
    const matrix = polynomialMatrix(40, [18, 22], 4);
    const of = (t: number) => 1 + 0.3 * t - 0.02 * t ** 2 + 4e-4 * t ** 3 - 3e-6 * t ** 4;
    for (let i = 0; i < 4; i++) {
      let sum = 0;
      for (let t = 0; t < 40; t++) sum += matrix[i * 40 + t] * of(t);
      expect(sum).toBeCloseTo(of(18 + i), 9);
      expect(Array.from(matrix.subarray(i * 40 + 18, i * 40 + 22))).toEqual([0, 0, 0, 0]);
    }
  });

  it('scores how far a step lies from its surroundings', async () => {
    const test = Float32Array.from({ length: 2 * 2 * 21 }, (_, i) => (Math.floor(i / 2) % 21) * 0.1);
    test[42 + 20] += 2; // step 10 of the second window, one of two steps and one of two channels
    const { score, map } = await fittedScores(poly, { degree: 2 }, test, test, 21);
    expect(score[0]).toBeCloseTo(0, 4);
    expect(score[1]).toBeCloseTo(Math.sqrt(4 / 4), 4);
    expect(map[42 + 20]).toBeCloseTo(4, 3);
  });
});

describe('spectral-residual', () => {
  it.each([24, 25])('is that of a plain transform in windows of %i steps', (length) => {
    const x = Array.from(new Rng(2).normals(length));
    const mean = x.reduce((a, b) => a + b) / length;
    const half = Math.floor(length / 2);
    const at = (f: number) => {
      let [re, im] = [0, 0];
      for (let t = 0; t < length; t++) {
        re += (x[t] - mean) * Math.cos((2 * Math.PI * t * f) / length);
        im -= (x[t] - mean) * Math.sin((2 * Math.PI * t * f) / length);
      }
      return { re, im, log: Math.log(Math.hypot(re, im)) };
    };
    const logs = Array.from({ length: half }, (_, i) => at(i + 1).log);
    const smooth = logs.map((_, i) =>
      [-1, 0, 1].reduce((s, k) => s + logs[Math.min(Math.max(i + k, 0), half - 1)] / 3, 0),
    );
    const plain = x.map((_, t) => {
      let sum = 0;
      for (let f = 1; f < length; f++) {
        const { re, im, log } = at(f);
        const size = Math.exp(log - smooth[Math.min(f, length - f) - 1]) / Math.hypot(re, im);
        const angle = (2 * Math.PI * t * f) / length;
        sum += (size * (re * Math.cos(angle) - im * Math.sin(angle))) / length;
      }
      return Math.abs(sum);
    });
    const found = value(saliency(windows(x, [1, length, 1]), 3));
    found.forEach((v, t) => {
      expect(v).toBeCloseTo(plain[t], 4);
    });
  });

  it('finds the odd point of a wave, and nothing in a flat window', async () => {
    const test = Float32Array.from({ length: 3 * 2 * 41 }, (_, i) => Math.sin(0.3 * (Math.floor(i / 2) % 41)));
    test[82 + 40] += 3;
    test.fill(5, 164);
    const { score } = await fittedScores(spectralResidual, {}, test, test, 41);
    expect(score[1]).toBeGreaterThan(1.5 * score[0]);
    expect(score[2]).toBeLessThan(1e-4);
  });
});
