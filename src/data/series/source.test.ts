import { describe, expect, it } from 'vitest';
import { Rng } from '../../core/random.ts';
import { findProtocol } from '../protocols/index.ts';
import type { Series } from './series.ts';
import { seriesSource } from './source.ts';
import { syntheticSeries } from './synthetic.ts';
import { stepsBefore } from './windows.ts';

const about = { name: 'made up', title: 'Made up', licence: 'none' };

/** Values t and 1000 + t, so that each value says where it comes from. */
function counted(steps: number, more: Partial<Series> = {}): Series {
  const values = Float64Array.from({ length: 2 * steps }, (_, i) => (i % 2 === 0 ? i / 2 : 1000 + (i - 1) / 2));
  return { id: 'a', channels: ['x', 'y'], values, ...more };
}

async function firstValues(series: Series[], window: number): Promise<number[]> {
  const source = await seriesSource({ ...about, series, window });
  const out = new Float32Array(source.items.length * window * 2);
  await source.read([...source.items.keys()], out);
  return source.items.map((_, i) => out[i * window * 2]);
}

describe('steps of series as items', () => {
  it.each([2, 3, 4, 5, 7, 10])(
    'see each step through the window of %i about it, moved inside at either end',
    async (window) => {
      const starts = await firstValues([counted(20, { train: 10 })], window);
      for (const [t, start] of starts.entries()) {
        const [from, to] = t < 10 ? [0, 10] : [10, 20];
        expect(start).toBe(Math.min(Math.max(t - stepsBefore(window), from), to - window));
        expect(start).toBeLessThanOrEqual(t);
        expect(start + window).toBeGreaterThan(t);
      }
    },
  );

  it('hold the channels side by side and keep series apart', async () => {
    const source = await seriesSource({
      ...about,
      series: [counted(6, { train: 6 }), { ...counted(6), id: 'b', train: 0 }],
      window: 3,
    });
    expect(source.shape).toEqual([3, 2]);
    const out = new Float32Array(6);
    await source.read([7], out);
    expect([...out]).toEqual([0, 1000, 1, 1001, 2, 1002]);
    expect(source.items[7]).toMatchObject({ id: 'b:2', part: 'test', class: 0 });
  });

  it('are scaled by the steps that train alone', async () => {
    const source = await seriesSource({ ...about, series: [counted(20, { train: 10 })], window: 2 });
    const prepared = await source.prepare!([...Array(10).keys()], { onEvent: () => {} });
    expect(prepared.encoding?.columns[0]).toMatchObject({ name: 'x', offset: 4.5 });
    const out = new Float32Array(4);
    await prepared.read([0], out);
    expect(out[0]).toBeCloseTo((0 - 4.5) / Math.sqrt(8.25), 5);
    expect(out[1]).toBeCloseTo(out[0], 5);
  });

  it.each<[string, Series[], RegExp]>([
    ['no series', [], /at least one series/],
    [
      'a missing value',
      [counted(20, { values: counted(20).values.map((v, i) => (i === 7 ? Number.NaN : v)) })],
      /a:4 has none of y/,
    ],
    [
      'times that go back',
      [counted(4, { times: Float64Array.of(1, 2, 2, 3) })],
      /times that go on, but that of step 3/,
    ],
    ['another number of labels', [counted(4, { labels: new Uint8Array(3) })], /4 steps, but 3 labels/],
    ['labels that are none', [counted(4, { labels: Uint8Array.of(0, 1, 2, 0) })], /labels 0 and 1, but step 3 has 2/],
    [
      'other channels',
      [counted(20), { ...counted(20), id: 'b', channels: ['x', 'z'] }],
      /channels of a \(x, y\), but has x, z/,
    ],
    ['a training part of more steps than there are', [counted(4, { train: 5 })], /of which 5 cannot/],
    ['half a step', [counted(4, { values: new Float64Array(7) })], /steps of 2 values each/],
    [
      'a part shorter than a window',
      [counted(20, { train: 3 })],
      /training part of a .* at least one window of 5 steps long, but has 3/,
    ],
  ])('refuse %s', async (_, series, message) => {
    await expect(seriesSource({ ...about, series, window: 5 })).rejects.toThrow(message);
  });
});

describe('the protocol prefix', () => {
  const split = (source: Awaited<ReturnType<typeof seriesSource>>, more = {}) =>
    findProtocol('prefix').split(source, { rng: new Rng(1), ...more });

  it('trains, holds out and tests on steps whose windows share no step', async () => {
    const source = await seriesSource({ ...syntheticSeries(), window: 25 });
    const { train, validation, test } = split(source);
    const reach = (items: Uint32Array) => [items[0] - stepsBefore(25), items.at(-1)! + 24 - stepsBefore(25)];
    expect(reach(train)).toEqual([0, 719]);
    expect(reach(validation)).toEqual([720, 799]);
    expect([test[0], test.at(-1)]).toEqual([800, 1599]);
  });

  it('leaves steps near labelled anomalies of the training part out', async () => {
    const labels = new Uint8Array(200);
    labels[50] = 1;
    const source = await seriesSource({ ...about, series: [counted(200, { labels, train: 120 })], window: 5 });
    const { train, description } = split(source);
    expect([...train].filter((t) => t >= 47 && t <= 53)).toEqual([47, 53]);
    expect(description).toMatch(/5 steps of it near labelled anomalies do not train/);
  });

  it('trains on whole series and tests on others', async () => {
    const source = await seriesSource({
      ...about,
      series: [counted(60, { train: 60 }), { ...counted(40), id: 'b', train: 0 }],
      window: 4,
    });
    const { test, train, validation } = split(source);
    expect([test.length, test[0]]).toEqual([40, 60]);
    expect(Math.max(...train, ...validation)).toBeLessThan(60);
  });

  it('judges no step that was filled in', async () => {
    const rows = Uint32Array.from({ length: 60 }, (_, t) => (t === 50 ? 0 : t + 2));
    const source = await seriesSource({ ...about, series: [counted(60, { train: 40, rows })], window: 4 });
    expect([...split(source).test]).not.toContain(50);
  });

  it('refuses images and rows', async () => {
    const source = await seriesSource({ ...about, series: [counted(60)], window: 4 });
    const { series: _, ...rows } = { ...source, kind: 'table' as const };
    expect(() => split(rows as typeof source)).toThrow(/needs series, but made up has rows/);
  });
});
