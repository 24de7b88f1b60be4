import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { findProtocol } from '../protocols/index.ts';
import { findLeaks } from '../split.ts';
import { seriesSource } from './source.ts';

const STEPS = 400;
const recording = Float64Array.from(new Rng(1).normals(2 * STEPS));
const one = (id: string, values: Float64Array, anomaly?: number) => {
  const labels = new Uint8Array(values.length);
  if (anomaly !== undefined) labels.fill(1, anomaly, anomaly + 5);
  return { id, channels: ['v'], values, labels };
};
const source = (series: ReturnType<typeof one>[]) =>
  seriesSource({ name: 's', title: 's', licence: 'none', series, window: 20, parts: 'others' });
const split = async (series: ReturnType<typeof one>[]) => {
  const made = await source(series);
  const parts = findProtocol('other-series').split(made, { rng: new Rng(1) });
  return { ...parts, leaks: findLeaks(made, parts) };
};

describe('series that train and series that are judged', () => {
  it('train as a whole where they have no anomaly, and are judged as a whole where they have', async () => {
    const found = await split([one('a', recording.slice(0, STEPS)), one('b', recording.slice(STEPS), 100)]);
    expect(found.protocol).toBe('other-series');
    expect(found.test).toHaveLength(STEPS);
    expect(Math.max(...found.train, ...found.validation)).toBeLessThan(STEPS);
    expect(found.validation.length).toBeGreaterThan(0);
    expect([found.leakFree, found.leaks.length]).toEqual([true, 0]);
  });

  it('leak where they share steps: each window of shared values counts', async () => {
    const found = await split([one('a', recording.slice(0, 500)), one('b', recording.slice(440), 100)]);
    // 60 shared steps hold 41 windows, of which 10 reach over the border of the held-out part and are in neither list.
    expect(found.leakFree).toBe(false);
    expect(found.leaks).toHaveLength(41 - 10);
  });

  it('do not leak by windows in which nothing changes', async () => {
    const flat = new Float64Array(STEPS).fill(3);
    const spike = flat.slice();
    spike[100] = 9;
    const start = flat.slice();
    start[5] = 8;
    expect((await split([one('a', start), one('b', spike, 100)])).leaks).toHaveLength(0);
  });

  it('are those of the folder train where there is one', async () => {
    const values = recording.slice(0, STEPS);
    const found = await split([one('train/a.csv', values, 30), one('test/b.csv', recording.slice(STEPS))]);
    expect(Math.min(...found.test)).toBe(STEPS);
  });

  it('are refused where each has an anomaly, or none', async () => {
    const [a, b] = [recording.slice(0, STEPS), recording.slice(STEPS)];
    await expect(split([one('a', a, 50), one('b', b, 70)])).rejects.toThrow(
      /each of the 2 series of s has a labelled anomaly/,
    );
    await expect(split([one('a', a), one('b', b)])).rejects.toThrow(/none of the 2 series of s has a labelled anomaly/);
  });
});

describe('the protocol whole', () => {
  const whole = (more: object = {}) =>
    seriesSource({
      name: 's',
      title: 's',
      licence: 'none',
      series: [one('a', recording, 30)],
      window: 20,
      parts: 'whole',
    }).then((made) => findProtocol('whole').split(made, { rng: new Rng(1), ...more }));

  it('trains on all steps without their labels and judges the same', async () => {
    const found = await whole();
    expect(found.train).toEqual(found.test);
    expect(found.trainLabels).not.toContain(1);
    expect([...found.testLabels].filter((y) => y === 1)).toHaveLength(5);
    expect([found.isWhole, found.leakFree, found.validation.length]).toEqual([true, false, 0]);
  });

  it('refuses limits', async () => {
    await expect(whole({ testLimit: 5 })).rejects.toThrow(
      /trains on all steps and judges them all\. Leave `testLimit` out/,
    );
  });
});
