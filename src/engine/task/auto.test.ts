import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { findProtocol, seriesSource } from '../../data/index.ts';
import { chooseDetector, riseOf } from './auto.ts';

const STEPS = 1200;
const wave = Float64Array.from({ length: STEPS }, (_, t) => Math.sin((2 * Math.PI * t) / 40));

async function chosen(values: Float64Array, more: { labels?: Uint8Array; window?: number } = {}) {
  const { window = 40, labels } = more;
  const channels = Array.from({ length: values.length / STEPS }, (_, c) => `c${c}`);
  const series = [{ id: 'a', channels, values, train: 800, ...(labels && { labels }) }];
  const source = await seriesSource({ name: 'a', title: 'a', licence: 'none', series, window });
  return chooseDetector({ source, split: findProtocol('prefix').split(source, { rng: new Rng(1) }) });
}

describe('the choice of a detector from the training part', () => {
  it('compares windows where they repeat, and takes components where they do not', async () => {
    const repeats = await chosen(wave);
    expect(repeats.model).toBe('knn');
    expect(repeats.reason).toMatch(
      /^knn: in \d+ training steps the autocorrelation rises by 1\.\d\d to the lag of a window \(40/,
    );
    const noise = await chosen(Float64Array.from(new Rng(1).normals(STEPS)));
    expect(noise.model).toBe('sub-pca');
    expect(noise.reason).toMatch(/not more than 0\.2, so windows hardly repeat\.$/);
  });

  it('sees neither labels nor what is judged', async () => {
    const noise = new Rng(2).normals(STEPS);
    const other = wave.map((value, t) => (t < 800 ? value : noise[t]));
    const labels = new Uint8Array(STEPS).fill(1, 900, 950);
    expect(await chosen(other, { labels })).toEqual(await chosen(wave));
  });

  it('leaves constant channels out, and takes the mean of the others', async () => {
    const two = Float64Array.from({ length: 2 * STEPS }, (_, i) => (i % 2 === 0 ? 5 : wave[i >> 1]));
    expect((await chosen(two)).model).toBe('knn');
    const none = await chosen(new Float64Array(STEPS).fill(3));
    expect(none).toEqual({
      model: 'sub-pca',
      reason: expect.stringMatching(
        /^sub-pca: no channel varies in the \d+ training steps, or they are fewer than two/,
      ),
    });
  });

  it('looks at the longest stretch between labelled anomalies', async () => {
    const labels = new Uint8Array(STEPS).fill(1, 100, 110);
    expect((await chosen(wave, { labels })).reason).toMatch(/in 5\d\d training steps/);
  });
});

describe('the rise of the autocorrelation', () => {
  it('is the difference of the highest and the least of a cosine, less what a finite series lacks', () => {
    expect(riseOf(wave, 40)).toBeCloseTo(2 - 60 / STEPS, 1);
    expect(riseOf(wave, 700)).toBeUndefined();
    expect(riseOf(new Float64Array(100).fill(1), 10)).toBeUndefined();
  });

  it('does not change with level and size', () => {
    const shifted = wave.map((value) => 1e4 + 3 * value);
    expect(riseOf(shifted, 40)).toBeCloseTo(riseOf(wave, 40)!, 6);
  });
});
