/** Runs in Studio: what is said of them equals what the library says, to the last digit; thresholds, comparison, single items, feedback. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRuns, feedback, test, threshold, train } from '../../dist/index.js';
import { countFrom, heldOutRate, rankedPoints, thresholdForCost } from '../../dist/metrics/index.js';
import type {
  CompareAnswer,
  RunAnswer,
  RunList,
  SavedPoint,
  ScoresAnswer,
  SoftCurvesAnswer,
  ThresholdAnswer,
} from '../../src/studio/evaluate/answers.ts';
import type { FeedbackAnswer, ItemAnswer } from '../../src/studio/inspect/answers.ts';
import type { AlarmPage } from '../../src/studio/live/alarms.ts';
import type { LiveTrace } from '../../src/studio/live/trace.ts';
import type { WatchFacts } from '../../src/studio/live/watches.ts';
import type { ShownAlarm, ShownAlarmPage } from '../../src/studio/routes/live.ts';
import { studioIn, writeImages, writeRows } from '../helpers/studio.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
let studio: Awaited<ReturnType<typeof studioIn>>;
const run = () => studio.at('rows', 'runs', 'pca');
const pictures = () => studio.at('tiles', 'runs', 'trials', 'pca');
type Fault = { error: { code: string; message: string } };

beforeAll(async () => {
  studio = await studioIn('evaluate');
  for (const name of ['rows', 'tiles', 'log'])
    expect((await studio.ask('', { method: 'POST', body: { name } })).status).toBe(201);
  const rows = writeRows(studio.at('rows.csv'), { normal: 300, anomalous: 60 });
  await train({ model: 'pca', data: rows, out: run(), threads: 1 });
  await train({ model: 'knn', data: rows, out: studio.at('rows', 'runs', 'knn'), threads: 1 });
  await train({ model: 'pca', data: writeImages(studio.at('images')), size: [32, 32], out: pictures(), threads: 1 });
  const wave = (t: number) =>
    `${new Date(1.7e12 + 6e4 * t).toISOString()},${(Math.sin(t / 5) + (t % 90 > 86 ? 3 : 0)).toFixed(3)},${t % 90 > 86 ? 1 : 0}`;
  writeFileSync(studio.at('log.csv'), `time,v,label\n${Array.from({ length: 800 }, (_, t) => wave(t)).join('\n')}\n`);
  await train({
    model: 'knn',
    data: studio.at('log.csv'),
    kind: 'series',
    window: 8,
    out: studio.at('log', 'runs', 'knn'),
    threads: 1,
  });
}, 180_000);
afterAll(() => studio?.close());

describe('runs', () => {
  it('are listed by their folders, nested ones with a slash, and told with report and commands', async () => {
    const { json } = await studio.ask<RunList>('/tiles/runs');
    expect(json.runs).toMatchObject([{ name: 'trials/pca', model: 'pca', status: 'done' }]);
    const { json: one } = await studio.ask<RunAnswer>('/tiles/runs/trials%2Fpca');
    const { threshold: wanted } = await threshold({ run: pictures() });
    expect(one).toMatchObject({
      run: 'trials/pca',
      report: { counts: { test: 12, testAnomalies: 6 } },
      threshold: wanted,
    });
    expect(one.commands.test).toContain(pictures());
  });

  it('are not found by a path that leads out, nor by one that is no run', async () => {
    for (const name of ['..%2F..%2Frows%2Fruns%2Fpca', '%2Fetc', 'pca%2F..%2Fpca', 'nothing', '%00']) {
      for (const rest of ['', '/scores', '/points', '/items/0', '/items/0/map', '/items/0/pictures/image']) {
        const { status, json } = await studio.ask<Fault>(`/rows/runs/${name}${rest}`);
        expect([name, rest, status, json.error.code]).toEqual([name, rest, 404, 'unknown-run']);
      }
    }
  });
});

describe('scores and thresholds', () => {
  it('give by the functions of the page what threshold and test give, to the last digit', async () => {
    const { json: answer } = await studio.ask<ScoresAnswer>('/rows/runs/pca/scores');
    const report = await test({ run: run() });
    const { threshold: wanted } = await threshold({ run: run() });
    const points = rankedPoints(
      answer.scores.map((s) => s ?? Number.NaN),
      answer.labels,
    );
    const at = points.at(wanted.value!);
    expect(at.falseAlarmRate).toBe(wanted.testFalseAlarmRate);
    expect(at.recall).toBe(wanted.testRecall);
    expect([at.falseAlarmRate, at.recall]).toEqual([report.threshold.testFalseAlarmRate, report.threshold.testRecall]);
    expect(answer.threshold).toEqual(wanted);
    // Where something else chose the threshold, the held-out normals say the same as well.
    const value = (answer.normalScores.at(-1)! + answer.normalScores[0]) / 2;
    const { threshold: other } = await threshold({ run: run(), policies: [{ by: 'value', value }] });
    const held = heldOutRate(countFrom(answer.normalScores, value), answer.normalScores.length, {
      isCrossFitted: answer.threshold.folds !== undefined,
      together: answer.threshold.together,
    });
    expect(held).toEqual({
      normals: other.normals,
      empiricalRate: other.empiricalRate,
      interval: other.interval,
      rateInterval: other.rateInterval,
    });
    const costs = { falseAlarm: 1, miss: 5, prevalence: 0.02 };
    const { json: cost } = await studio.ask<ThresholdAnswer>('/rows/runs/pca/threshold', {
      method: 'POST',
      body: { policies: [{ by: 'cost', ...costs }] },
    });
    expect(cost.threshold).toMatchObject({
      sawTest: true,
      value: thresholdForCost(points_(answer), answer.labels, costs).threshold,
    });
    expect(cost.threshold.rule).toContain('2 % anomalous');
    expect(cost.isWritten).toBe(false);
  });

  it('choose by every rule, and write only when asked', async () => {
    const before = readFileSync(studio.at('rows', 'runs', 'pca', 'model.json'), 'utf8');
    const rules = [
      [{ by: 'false-alarm-rate', rate: 0.05 }],
      [{ by: 'miss-rate', rate: 0.1 }],
      [{ by: 'f-beta', beta: 2 }],
      [{ by: 'value', value: 0.5 }],
      [{ by: 'value', value: 0.5, sawTest: true }],
      [
        { by: 'false-alarm-rate', rate: 0.01 },
        { by: 'false-alarm-rate', rate: 0.2 },
      ],
    ] as const;
    for (const policies of rules) {
      const { json } = await studio.ask<ThresholdAnswer>('/rows/runs/pca/threshold', {
        method: 'POST',
        body: { policies },
      });
      expect(json.threshold).toEqual((await threshold({ run: run(), policies })).threshold);
    }
    expect(readFileSync(studio.at('rows', 'runs', 'pca', 'model.json'), 'utf8')).toBe(before);
    const { json: wrong, status } = await studio.ask<Fault>('/rows/runs/pca/threshold', {
      method: 'POST',
      body: { policies: [{ by: 'false-alarm-rate', rate: 2 }] },
    });
    expect([status, wrong.error.code]).toEqual([400, 'false-alarm-rate']);
    const { json: strange } = await studio.ask<Fault>('/rows/runs/pca/threshold', {
      method: 'POST',
      body: { policies: [{ by: 'luck' }] },
    });
    expect(strange.error.code).toBe('bad-body');
    await studio.ask('/rows/runs/pca/threshold', {
      method: 'POST',
      body: { policies: [{ by: 'value', value: 0.5, sawTest: true }], write: true },
    });
    expect((await studio.ask<RunAnswer>('/rows/runs/pca')).json.threshold.sawTest).toBe(true);
    const { json: written } = await studio.ask<ThresholdAnswer>('/rows/runs/pca/threshold', {
      method: 'POST',
      body: { policies: [{ by: 'f-beta', beta: 1 }], write: true },
    });
    expect(written.isWritten).toBe(true);
    const { json: now } = await studio.ask<RunAnswer>('/rows/runs/pca');
    expect(now.threshold).toMatchObject({ value: written.threshold.value, sawTest: true });
  });

  it('come with the command that does the same', async () => {
    const folder = studio.at('rows', 'runs', 'knn');
    const rules = [
      [{ by: 'false-alarm-rate', rate: 0.05 }],
      [{ by: 'miss-rate', rate: 0.1 }],
      [{ by: 'f-beta', beta: 2 }],
      [{ by: 'cost', falseAlarm: 1, miss: 8, prevalence: 0.05 }],
      [
        { by: 'value', value: 2.25 },
        { by: 'value', value: 1.5 },
      ],
    ] as const;
    for (const policies of rules) {
      const { json } = await studio.ask<ThresholdAnswer>('/rows/runs/knn/threshold', {
        method: 'POST',
        body: { policies },
      });
      const [program, ...args] = json.command.split(' ');
      expect([program, args[0], args[1]]).toEqual(['oddity', 'threshold', folder]);
      const said = JSON.parse(execFileSync(process.execPath, [main, ...args, '--json'], { encoding: 'utf8' }));
      expect(said.threshold).toEqual(json.threshold);
    }
  }, 60_000);

  it('are saved under names, for one run, and taken away', async () => {
    const saved = await studio.ask<SavedPoint>('/rows/runs/knn/points', {
      method: 'POST',
      body: { name: ' night shift ', threshold: 1.5, review: 1 },
    });
    expect([saved.status, saved.json]).toMatchObject([201, { name: 'night shift', threshold: 1.5, review: 1 }]);
    expect((await studio.ask<SavedPoint[]>('/rows/runs/knn/points')).json).toEqual([saved.json]);
    expect((await studio.ask<SavedPoint[]>('/rows/runs/pca/points')).json).toEqual([]);
    expect((await studio.ask(`/rows/runs/pca/points/${saved.json.id}`, { method: 'DELETE' })).status).toBe(404);
    expect((await studio.ask(`/rows/runs/knn/points/${saved.json.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await studio.ask<SavedPoint[]>('/rows/runs/knn/points')).json).toEqual([]);
    const none = await studio.ask<Fault>('/rows/runs/knn/points', { method: 'POST', body: { name: '', threshold: 1 } });
    expect([none.status, none.json.error.code]).toEqual([400, 'bad-body']);
  });
});

const points_ = (answer: ScoresAnswer) => answer.scores.map((s) => s ?? Number.NaN);

describe('items of the project', () => {
  it('are known in runs that were trained on a version: images, rows and series', async () => {
    const cases = [
      ['known-images', studio.at('images'), 'pca', { size: [32, 32] as [number, number] }],
      ['known-rows', studio.at('rows.csv'), 'knn', {}],
      ['known-log', studio.at('log.csv'), 'knn', { kind: 'series' as const, window: 8 }],
    ] as const;
    for (const [name, path, model, options] of cases) {
      await studio.ask('', { method: 'POST', body: { name } });
      await studio.ask(`/${name}/import`, { method: 'POST', body: { path } });
      const { json: version } = await studio.ask<{ path: string }>(`/${name}/versions`, { method: 'POST', body: {} });
      await train({ model, data: version.path, out: studio.at(name, 'runs', 'one'), threads: 1, ...options });
      const { json: scores } = await studio.ask<ScoresAnswer>(`/${name}/runs/one/scores`);
      expect(scores.items.filter((item) => item === null)).toEqual([]);
      const at = scores.labels.indexOf(1);
      const { json: own } = await studio.ask<{ label: string | null }>(`/${name}/items/${scores.items[at]}`);
      expect(own.label).toBe(name === 'known-log' ? null : 'anomalous');
      const body = { items: [at], label: 'normal' };
      expect((await studio.ask(`/${name}/runs/one/feedback`, { method: 'POST', body })).status).toBe(200);
      expect((await studio.ask<ItemAnswer>(`/${name}/runs/one/items/${at}`)).json.feedback).toBe('normal');
    }
  });
});

describe('curves', () => {
  it('of regions are kept by the run, with the point of the threshold of the maps', async () => {
    const { json } = await studio.ask<RunAnswer>('/tiles/runs/trials%2Fpca');
    const { curves, metrics } = json.report;
    const { limit, falsePositiveRate: x, overlap: y, at } = curves!.aupro;
    const area = x.slice(1).reduce((sum, to, i) => sum + ((to - x[i]) * (y[i] + y[i + 1])) / 2, 0);
    expect(Math.abs(area / limit - metrics.map!.aupro!)).toBeLessThan(0.005);
    expect(at).toEqual([expect.any(Number), expect.any(Number)]);
    const again = await test({ run: pictures() });
    expect(again.curves).toEqual(curves);
    expect((await studio.ask<RunAnswer>('/rows/runs/pca')).json.report.curves).toBeUndefined();
  });

  it('of ranges are those whose volumes the run has', async () => {
    const { json: run } = await studio.ask<RunAnswer>('/log/runs/knn');
    const { json } = await studio.ask<SoftCurvesAnswer>('/log/runs/knn/soft-curves');
    expect(json.series).toHaveLength(1);
    const [{ volumes, buffer }] = json.series;
    expect(volumes!.pr).toBeCloseTo(run.report.metrics.series!.vusPr!, 12);
    expect(volumes!.roc).toBeCloseTo(run.report.metrics.series!.vusRoc!, 12);
    expect(json.curve!.areas).toHaveLength(buffer! + 1);
    expect(json.curve!.recall).toHaveLength(json.curve!.thresholds.length);
    const codes = ['/rows/runs/pca/soft-curves', '/log/runs/knn/soft-curves?series=7'].map(
      async (path) => (await studio.ask<Fault>(path)).json.error.code,
    );
    expect(await Promise.all(codes)).toEqual(['no-series', 'unknown-series']);
  });
});

describe('compare', () => {
  it('gives what compareRuns gives, with the places of items and all that changed', async () => {
    const { json } = await studio.ask<CompareAnswer>('/rows/compare?a=pca&b=knn');
    const wanted = await compareRuns({ a: run(), b: studio.at('rows', 'runs', 'knn'), items: 20 });
    expect(json.metrics).toEqual(wanted.metrics);
    expect(json.agreement).toBe(wanted.agreement);
    expect(json.farthest.map(({ index: _, ...item }) => item)).toEqual(wanted.items);
    expect(json.changedCount).toBe(Math.round((1 - wanted.agreement!) * wanted.testItems));
    expect(json.changed.every(({ decisionA, decisionB }) => decisionA !== decisionB)).toBe(true);
    const { json: scores } = await studio.ask<ScoresAnswer>('/rows/runs/pca/scores');
    for (const { id, index } of json.farthest) expect(scores.ids[index]).toBe(id);
    expect(json.a.run).toBe('pca');
  });

  it('takes the steps of two versions of a series for the same, also of one that was named by its hash', async () => {
    const [name, about] = ['versions-log', { kind: 'series' as const, window: 8, threads: 1 }];
    await studio.ask('', { method: 'POST', body: { name } });
    await studio.ask(`/${name}/import`, { method: 'POST', body: { path: studio.at('log.csv') } });
    const make = async () =>
      (await studio.ask<{ path: string }>(`/${name}/versions`, { method: 'POST', body: {} })).json.path;
    const first = await make();
    const { json } = await studio.ask<{ stretches: object[] }>(`/${name}/items/1/series`);
    const stretches = [...json.stretches, { begin: 30, end: 33, label: 'anomalous' }];
    await studio.ask(`/${name}/items/1/stretches`, { method: 'PUT', body: { stretches } });
    const second = await make();
    expect(second).not.toBe(first);
    // As versions of one series were written before.
    const old = studio.at(name, 'versions', '0123456789abcdef.csv');
    copyFileSync(join(first, readdirSync(first)[0]), old);
    writeFileSync(
      studio.at(name, 'versions', 'items', '0123456789abcdef.json'),
      JSON.stringify({ series: { '0123456789abcdef.csv': 1 } }),
    );
    for (const [out, data] of Object.entries({ first, second, old }))
      await train({ model: 'knn', data, out: studio.at(name, 'runs', out), ...about });
    const same = await studio.ask<CompareAnswer>(`/${name}/compare?a=first&b=second`);
    expect([same.status, same.json.differences?.join(' ')]).toEqual([200, expect.stringContaining('two versions')]);
    expect(same.json.command).toContain('--versions');
    const [, ...args] = same.json.command.split(' ');
    execFileSync(process.execPath, [main, ...args, '--json']); // the command line takes them for the same, too
    const older = await studio.ask<CompareAnswer>(`/${name}/compare?a=old&b=second`);
    expect([older.status, older.json.testItems]).toEqual([200, same.json.testItems]);
  }, 60_000);

  it('needs two runs that are there', async () => {
    expect((await studio.ask<Fault>('/rows/compare?a=pca')).json.error.code).toBe('two-runs');
    expect((await studio.ask<Fault>('/rows/compare?a=pca&b=../knn')).json.error.code).toBe('unknown-run');
  });
});

describe('items', () => {
  it('images: the score of the run, pictures, map, contour and truth; the file as it is', async () => {
    const { json: scores } = await studio.ask<ScoresAnswer>('/tiles/runs/trials%2Fpca/scores');
    const index = scores.classes.indexOf('spot');
    const path = `/tiles/runs/trials%2Fpca/items/${index}`;
    const { json: item } = await studio.ask<ItemAnswer>(path);
    expect(item).toMatchObject({
      id: scores.ids[index],
      type: 'spot',
      label: 1,
      score: scores.scores[index],
      feedback: null,
    });
    expect(item.normals).toEqual({
      total: scores.normalScores.length,
      higher: countFrom(scores.normalScores, item.score),
    });
    expect(item.picture).toMatchObject({
      mapSize: { height: 32, width: 32 },
      names: ['image', 'map', 'reconstruction'],
    });
    expect(item.picture!.truth).toBe('M8 8h8M8 16h8M8 8v8M16 8v8');
    const image = await studio.ask(`${path}/pictures/image`);
    expect(Buffer.from(image.bytes).equals(readFileSync(studio.at('images', ...scores.ids[index].split('/'))))).toBe(
      true,
    );
    expect(image.headers.get('X-Content-Type-Options')).toBe('nosniff');
    for (const name of ['map', 'reconstruction']) {
      const { bytes, status } = await studio.ask(`${path}/pictures/${name}`);
      expect([status, ...bytes.subarray(1, 4)]).toEqual([200, 0x50, 0x4e, 0x47]);
    }
    const map = await studio.ask(`${path}/map`);
    expect([map.headers.get('X-Shape'), map.bytes.length]).toEqual(['32x32', 4 * 32 * 32]);
    const peak = Math.max(...new Float32Array(map.bytes.slice().buffer));
    if (item.picture!.regions.length > 0) expect(item.picture!.regions[0].peak).toBe(peak);
    expect((await studio.ask<Fault>(`${path}/pictures/nearest`)).json.error.code).toBe('no-picture');
    expect((await studio.ask<Fault>(`${path}/pictures/..%2Fmodel.json`)).json.error.code).toBe('no-picture');
    for (const wrong of ['12', '-1', 'x', '1.5'])
      expect((await studio.ask<Fault>(`/tiles/runs/trials%2Fpca/items/${wrong}`)).json.error.code).toBe('unknown-item');
  });

  it('maps of all runs have one scale: as many times the threshold of each', async () => {
    const out = studio.at('tiles', 'runs', 'small');
    const about = { data: studio.at('images'), size: [32, 32] as [number, number], threads: 1 };
    await train({ model: 'pca', config: { components: 1 }, ...about, out });
    const pictureOf = async (run: string) => (await studio.ask<ItemAnswer>(`/tiles/runs/${run}/items/8`)).json.picture!;
    const [one, two] = [await pictureOf('trials%2Fpca'), await pictureOf('small')];
    expect(one.scale.threshold).not.toBe(two.scale.threshold);
    expect(one.reach).toBe(two.reach);
    expect(one.reach).toBeGreaterThanOrEqual(2);
    for (const { scale, reach } of [one, two])
      expect((scale.high - scale.low) / (scale.threshold! - scale.low)).toBeCloseTo(reach, 9);
    rmSync(out, { recursive: true });
  });

  it('rows: the columns by what they add, and the line that feedback means', async () => {
    const { json: item } = await studio.ask<ItemAnswer>('/rows/runs/knn/items/70');
    expect(item.columns!.map(({ name }) => name).sort()).toEqual(['load', 'speed']);
    expect(item.columns![0].share).toBeGreaterThanOrEqual(item.columns![1].share);
    const { json: said } = await studio.ask<FeedbackAnswer>('/rows/runs/knn/feedback', {
      method: 'POST',
      body: { items: [70], label: 'normal' },
    });
    expect(said).toMatchObject({ normal: 1, anomalous: 0, changed: 1 });
    const { entries } = await feedback({ run: studio.at('rows', 'runs', 'knn') });
    const [entry] = entries;
    if (entry.item.kind !== 'table') throw new Error('a row was meant');
    expect(readFileSync(studio.at('rows.csv'), 'utf8').split('\n')[entry.item.line - 1]).toContain(
      item.columns![0].cell,
    );
    expect((await studio.ask<ItemAnswer>('/rows/runs/knn/items/70')).json.feedback).toBe('normal');
    await studio.ask('/rows/runs/knn/feedback', { method: 'POST', body: { items: [70], label: null } });
    expect((await studio.ask<ItemAnswer>('/rows/runs/knn/items/70')).json.feedback).toBeNull();
  });

  it('images are called normal, kept with a copy, and update knows them', async () => {
    const body = { items: [0], label: 'anomalous' };
    await studio.ask('/tiles/runs/trials%2Fpca/feedback', { method: 'POST', body });
    expect(await feedback({ run: pictures() })).toMatchObject({ normal: 0, anomalous: 1 });
    expect((await studio.ask<ItemAnswer>('/tiles/runs/trials%2Fpca/items/0')).json.feedback).toBe('anomalous');
    const { status } = await studio.ask('/tiles/runs/trials%2Fpca/feedback', {
      method: 'POST',
      body: { items: [99], label: 'normal' },
    });
    expect(status).toBe(404);
  });

  it('steps: the series around them with scores, labels and alarms', async () => {
    const { json: scores } = await studio.ask<ScoresAnswer>('/log/runs/knn/scores');
    const index = scores.labels.indexOf(1);
    const { json: item } = await studio.ask<ItemAnswer>(`/log/runs/knn/items/${index}`);
    const { trace } = item;
    expect(trace).toMatchObject({ channels: ['v'], total: 800 });
    const here = trace!.step - trace!.first;
    expect([trace!.scores[here], trace!.labels[here], trace!.places[here]]).toEqual([scores.scores[index], 1, index]);
    expect(trace!.values[0][here]).toBeGreaterThan(1.5);
    expect(trace!.values[0].length).toBe(trace!.scores.length);
    expect(trace!.alarms.some(({ start, end }) => start <= trace!.step + 4 && end > trace!.step - 4)).toBe(true);
    const { json: said } = await studio.ask<FeedbackAnswer>('/log/runs/knn/feedback', {
      method: 'POST',
      body: { items: [index], label: 'normal' },
    });
    expect(said.normal).toBe(1);
    expect((await studio.ask<ItemAnswer>(`/log/runs/knn/items/${index}`)).json.feedback).toBe('normal');
  });
});

describe('a log that is watched', () => {
  it('counts an alarm once, where it begins', async () => {
    const { json: begun } = await studio.ask<WatchFacts>('/log/watches', {
      method: 'POST',
      body: { run: 'knn', source: 'log', place: studio.at('log.csv') },
    });
    const results = () =>
      readFileSync(studio.at('log', 'watch', begun.id, 'results.ndjson'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: string });
    const endings = () => results().filter(({ id }) => id.endsWith(':end'));
    await expect.poll(() => endings().length, { timeout: 20_000 }).toBeGreaterThan(3);
    await studio.ask(`/log/watches/${begun.id}/stop`, { method: 'POST' });
    const beginnings = results().length - endings().length;
    const { json: page } = await studio.ask<AlarmPage>('/log/alarms');
    expect(page.total).toBe(beginnings);
    for (const { score, threshold } of page.alarms) expect(score!).toBeGreaterThanOrEqual(threshold!);
  });

  it('shows every step with its band and its alarms, keeps them over a restart, and gives sinks its alarms alone', async () => {
    const place = studio.at('grows.csv');
    const lines = readFileSync(studio.at('log.csv'), 'utf8').trim().split('\n');
    writeFileSync(place, `${lines.slice(0, 501).join('\n')}\n`);
    const { json: begun } = await studio.ask<WatchFacts>('/log/watches', {
      method: 'POST',
      body: { run: 'knn', source: 'log', place },
    });
    const path = `/log/watches/${begun.id}`;
    const facts = async () => (await studio.ask<WatchFacts>(path)).json;
    const trace = async (query = '') => (await studio.ask<LiveTrace>(`${path}/trace?count=2000${query}`)).json;
    // The last steps wait for those that follow them.
    await expect.poll(async () => (await facts()).scored, { timeout: 20_000 }).toBe(497);
    const before = await trace('&channel=v');
    await expect.poll(async () => (await facts()).anomalies, { timeout: 20_000 }).toBe(before.alarms.length);
    const { scored, drift } = await facts();
    expect(before).toMatchObject({ channels: ['v'], channel: 'v', first: 0, lines: { 0: 2 } });
    expect(before.scores.filter((score) => score !== null)).toHaveLength(scored);
    expect(before.values[85]).toBe(Number(lines[86].split(',')[1]));
    expect(before.times[85]).toBe(lines[86].split(',')[0]);
    expect(before.alarms.length).toBeGreaterThan(3);
    expect(before.alarms.every(({ start }) => start % 90 > 75)).toBe(true);
    expect(drift!.items).toBe(200); // rests on all steps, not on the alarms
    await studio.ask(`${path}/stop`, { method: 'POST' });
    const kept = await trace();
    expect(kept.lines.length).toBe(before.lines.length);
    appendFileSync(place, `${lines.slice(501).join('\n')}\n`);
    await studio.ask(`${path}/start`, { method: 'POST' });
    await expect.poll(async () => (await trace()).lines.at(-1), { timeout: 20_000 }).toBe(798);
    const after = await trace();
    expect(after.lines).toEqual(Array.from(after.lines, (_, t) => t + 2)); // none is missing, none is there twice
    expect(after.lines.length).toBeGreaterThan(kept.lines.length);
    expect(after.scores.slice(0, 480)).toEqual(kept.scores.slice(0, 480));
    const journal = readFileSync(studio.at('log', 'watch', begun.id, 'results.ndjson'), 'utf8')
      .trim()
      .split('\n');
    expect(journal.every((line) => JSON.parse(line).alarm)).toBe(true);
    expect((await studio.ask<Fault>(`${path}/trace?count=0`)).json.error.code).toBe('bad-count');
    await studio.ask(path, { method: 'DELETE' });
    expect((await studio.ask<Fault>(`${path}/trace`)).json.error.code).toBe('unknown-watch');
  });

  it('has alarms with the command that says the same of them', async () => {
    const { alarms } = (await studio.ask<ShownAlarmPage>('/log/alarms')).json;
    const { id, item } = alarms[0];
    expect(alarms[0].command).toBeUndefined();
    const answer = { method: 'POST', body: { label: 'normal' } };
    const { json } = await studio.ask<ShownAlarm>(`/log/alarms/${id}`, answer);
    expect(json.command).toBe(`oddity feedback ${studio.at('log', 'runs', 'knn')} ${item} normal`);
    const [, ...args] = json.command!.split(' ');
    const said = JSON.parse(execFileSync(process.execPath, [main, ...args, '--json'], { encoding: 'utf8' }));
    expect(said.changed).toBe(0); // it is said already
  });
});
