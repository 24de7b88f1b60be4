/** Live of Studio: a table whose rows are appended, the band of a detector with margins, and the colours of what a watch draws. */
import { appendFileSync, copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { type Detector, feedback, loadDetector, predict, train } from '../../dist/index.js';
import { overlayOf } from '../../dist/report/overlay-image.js';
import { shownScale } from '../../dist/studio/inspect/shown-scale.js';
import type { LiveTrace } from '../../src/studio/live/trace.ts';
import type { WatchFacts } from '../../src/studio/live/watches.ts';
import type { ShownAlarm, ShownAlarmPage } from '../../src/studio/routes/live.ts';
import { studioIn, writeImages, writeRows } from '../helpers/studio.ts';

let studio: Awaited<ReturnType<typeof studioIn>>;
const poll = { timeout: 30_000 };
const begin = async (project: string, body: object) => {
  const { status, json } = await studio.ask<WatchFacts>(`/${project}/watches`, { method: 'POST', body });
  expect(status).toBe(201);
  const path = `/${project}/watches/${json.id}`;
  return {
    ...{ id: json.id, path },
    facts: async () => (await studio.ask<WatchFacts>(path)).json,
    trace: async (query = '') => (await studio.ask<LiveTrace>(`${path}/trace?count=2000${query}`)).json,
  };
};

async function opened<T>(run: string, work: (detector: Detector) => T | Promise<T>): Promise<T> {
  const detector = await loadDetector(run, { device: 'cpu', threads: 1 });
  try {
    return await work(detector);
  } finally {
    await detector.close();
  }
}

beforeAll(async () => {
  studio = await studioIn('live');
  for (const name of ['rows', 'log', 'tiles'])
    expect((await studio.ask('', { method: 'POST', body: { name } })).status).toBe(201);
}, 60_000);
afterAll(() => studio?.close());

describe('rows that are appended', () => {
  it('are traced row by row, and those that are anomalous are alarms with reasons, also after a restart', async () => {
    const run = studio.at('rows', 'runs', 'knn');
    await train({
      model: 'knn',
      data: writeRows(studio.at('rows.csv'), { normal: 300, anomalous: 40 }),
      out: run,
      threads: 1,
    });
    const place = studio.at('grows.csv');
    const [head, ...lines] = readFileSync(studio.at('rows.csv'), 'utf8').trim().split('\n');
    writeFileSync(place, `${[head, ...lines.slice(0, 200)].join('\n')}\n`);
    const watched = await begin('rows', { run: 'knn', source: 'log', place });
    await expect.poll(async () => (await watched.facts()).scored, poll).toBe(200);
    appendFileSync(place, `1;2;3\n${lines.slice(300).join('\n')}\n`);
    await expect.poll(async () => (await watched.facts()).scored, poll).toBe(240);
    const { predictions } = await predict({ run, images: [studio.at('rows.csv')], device: 'cpu' });
    const wanted = [...predictions.slice(0, 200), ...predictions.slice(300)];
    const anomalous = wanted.filter(({ isAnomalous }) => isAnomalous);
    await expect.poll(async () => (await watched.facts()).anomalies, poll).toBe(anomalous.length);
    const facts = await watched.facts();
    expect(facts).toMatchObject({ items: 'rows', failed: 1, state: 'running' });
    expect(facts.drift!.items).toBe(200);
    const trace = await watched.trace('&channel=speed');
    expect(trace).toMatchObject({
      channels: ['load', 'speed'],
      channel: 'speed',
      first: 0,
      threshold: wanted[0].threshold,
    });
    expect(trace.scores.filter((score) => score !== null)).toEqual(wanted.map(({ score }) => score));
    expect(trace.scores[200]).toBeNull(); // the line that is no row
    expect(trace.values[0]).toBe(Number(lines[0].split(',')[1]));
    expect(trace.alarms).toHaveLength(anomalous.length);

    const { alarms } = (await studio.ask<ShownAlarmPage>('/rows/alarms')).json;
    expect(alarms.map(({ item }) => item)).toEqual(
      trace.alarms.map(({ start }) => `${place}:${trace.lines[start]}`).reverse(),
    );
    const [last] = anomalous.slice(-1);
    expect(alarms[0].reasons).toEqual(last.columns);
    const { json } = await studio.ask<ShownAlarm>(`/rows/alarms/${alarms[0].id}`, {
      method: 'POST',
      body: { label: 'normal' },
    });
    expect([json.label, json.reasons]).toEqual(['normal', last.columns]);
    expect(await feedback({ run })).toMatchObject({ normal: 1, anomalous: 0 });

    await studio.ask(`${watched.path}/stop`, { method: 'POST' });
    appendFileSync(place, `${lines[200]}\n`);
    expect(await watched.facts()).toMatchObject({ items: 'rows', state: 'stopped' });
    await studio.ask(`${watched.path}/start`, { method: 'POST' });
    await expect.poll(async () => (await watched.trace()).scores.length, poll).toBe(242);
    expect((await watched.trace()).scores.slice(0, 241)).toEqual(trace.scores);
    expect((await studio.ask<ShownAlarmPage>('/rows/alarms')).json.total).toBeLessThanOrEqual(anomalous.length + 1);
  }, 120_000);
});

describe('a log of steps that a detector expects', () => {
  it('is traced with the band of its margins', async () => {
    const noise = new Rng(4).normals(1200, 0, 0.2);
    const line = (t: number) =>
      `${new Date(6e4 * t).toISOString()},${(500 + 100 * (Math.sin(t / 3) + noise[t])).toFixed(2)}`;
    const place = studio.at('load.csv');
    writeFileSync(place, `time,load\n${Array.from({ length: 1000 }, (_, t) => line(t)).join('\n')}\n`);
    await train({
      model: 'cnn-forecaster',
      data: place,
      kind: 'series',
      window: 20,
      trainShare: 0.7,
      falseAlarmRate: 0.1,
      config: { width: 8, epochs: 3 },
      out: studio.at('log', 'runs', 'cnn'),
      threads: 1,
      seed: 1,
    });
    writeFileSync(place, `time,load\n${Array.from({ length: 200 }, (_, t) => line(1000 + t)).join('\n')}\n`);
    const watched = await begin('log', { run: 'cnn', source: 'log', place });
    await expect.poll(async () => (await watched.facts()).scored, poll).toBeGreaterThan(170);
    expect((await watched.facts()).items).toBe('steps');
    const { lower, upper, values } = await watched.trace();
    const known = [...values.keys()].filter((t) => lower![t] !== null && upper![t] !== null);
    expect(known.length).toBeGreaterThan(150);
    expect(known.every((t) => lower![t]! < upper![t]!)).toBe(true);
    const inside = known.filter((t) => values[t]! >= lower![t]! && values[t]! <= upper![t]!).length / known.length;
    expect(inside).toBeGreaterThan(0.75); // nine of ten, of normal steps
    expect(inside).toBeLessThan(1);
    const series = { id: 'load', channels: ['load'], values: Float64Array.from(values as number[]) };
    const whole = await opened(studio.at('log', 'runs', 'cnn'), (detector) => detector.scoreSeries(series));
    for (const t of known.slice(0, 50)) expect(lower![t]! / whole.lower![t]).toBeCloseTo(1, 5);
  }, 120_000);
});

describe('pictures of what is watched', () => {
  it('have the colours of the project, not those of their run', async () => {
    const images = writeImages(studio.at('images'));
    const run = studio.at('tiles', 'runs', 'pca');
    await train({ model: 'pca', data: images, size: [32, 32], out: run, threads: 1 });
    // The maps of another run of the project reach farther.
    const far = studio.at('tiles', 'runs', 'far');
    cpSync(run, far, { recursive: true });
    for (const [folder, reach] of [
      [run, 3],
      [far, 7.5],
    ] as const) {
      const stored = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
      const { low, threshold } = stored.mapScale;
      stored.mapScale.high = low + reach * (threshold - low);
      writeFileSync(join(folder, 'model.json'), JSON.stringify(stored));
    }
    const place = studio.at('incoming');
    mkdirSync(place);
    copyFileSync(`${images}/test/spot/0.png`, `${place}/0.png`);
    const watched = await begin('tiles', { run: 'pca', source: 'folder', place });
    await expect.poll(async () => (await watched.facts()).anomalies, poll).toBe(1);
    const drawn = readFileSync(studio.at('tiles', 'watch', watched.id, 'overlays', '0.png.png'));
    await studio.ask(`${watched.path}/stop`, { method: 'POST' });
    const { info, values, map } = await opened(run, async (detector) => ({
      info: detector.info,
      ...(await detector.scoreImage(`${place}/0.png`)),
    }));
    expect(drawn.equals(overlayOf(info, values, map))).toBe(false);
    expect(drawn.equals(overlayOf({ ...info, mapScale: shownScale(info, map, 7.5) }, values, map))).toBe(true);
  }, 120_000);
});
