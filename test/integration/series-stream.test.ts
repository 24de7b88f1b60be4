/** A trained detector on a stream: the scores and alarms of the whole series, saved and restored anywhere. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { seriesSource } from '../../dist/data/series/source.js';
import { type Detector, fit, type LastSteps, type SeriesStep } from '../../dist/index.js';

const channels = ['heat', 'flow'];
const STEPS = 400;

/** Two waves with noise; heat rises for 12 steps from step 250 on. */
function made(seed: number): Float64Array {
  const noise = new Rng(seed).normals(2 * STEPS, 0, 0.1);
  return Float64Array.from(noise, (v, i) => {
    const t = i >> 1;
    const wave = Math.sin((2 * Math.PI * t) / 12 + (i % 2));
    return 10 + wave + v + (i % 2 === 0 && t >= 250 && t < 262 ? 5 : 0);
  });
}

let detector: Detector;
beforeAll(async () => {
  const values = made(1).map((v, i) => (i >= 500 && i < 524 && i % 2 === 0 ? v - 5 : v));
  const source = await seriesSource({
    name: 'waves',
    title: 'Waves',
    licence: 'none',
    series: [{ id: 'a', channels, values }],
    window: 12,
    trainShare: 1,
  });
  detector = await fit('sub-pca', source, { device: 'cpu', threads: 1 });
}, 60_000);
afterAll(() => detector.close());

const point = (values: Float64Array, t: number) => values.subarray(2 * t, 2 * t + 2);
const close = (a: number, b: number) => Math.abs(a - b) <= 1e-5 * Math.max(1, Math.abs(b));

/** The whole series, in pieces of some points. */
async function streamed(values: Float64Array, piece: number): Promise<{ steps: SeriesStep[]; last: LastSteps }> {
  const stream = detector.stream();
  const steps: SeriesStep[] = [];
  for (let t = 0; t < STEPS; t += piece)
    steps.push(...(await stream.push(values.subarray(2 * t, 2 * Math.min(STEPS, t + piece)))));
  const last = await stream.finish();
  return { steps: [...steps, ...last.steps], last };
}

describe('a trained detector on a stream', () => {
  it.each([1, 7, STEPS])('gives scores and alarms of the whole series, %i points at a time', async (piece) => {
    const values = made(2);
    const { scores, alarms } = await detector.scoreSeries({ id: 'b', channels, values });
    const { steps, last } = await streamed(values, piece);
    expect(steps.map(({ step }) => step)).toEqual(Array.from(scores.keys()));
    expect(steps.findIndex(({ step, score }) => !close(score!, scores[step]))).toBe(-1);
    const ended = [...steps.map(({ alarm }) => alarm), last.alarm].filter((alarm) => alarm?.end !== undefined);
    const bounds = (list: readonly ({ start: number; end?: number } | undefined)[]) =>
      list.map((alarm) => [alarm?.start, alarm?.end]);
    expect(bounds(ended)).toEqual(bounds(alarms));
    const highest = ended.find((alarm) => alarm!.start <= 255 && alarm!.end! >= 255)!;
    expect(highest.channels[0]).toMatchObject({ name: 'heat' });
    expect(highest.level).toBe('high');
    const same = alarms.find(({ start }) => start === highest.start)!;
    expect(highest.channels.map(({ name, actual, usual }) => [name, actual, usual])).toEqual(
      same.channels.map(({ name, actual, usual }) => [name, actual, usual]),
    );
  });

  it('scores a step once its window is complete, the first half of a window at once', async () => {
    const values = made(2);
    const stream = detector.stream();
    expect([stream.window, stream.delay]).toEqual([12, 5]);
    for (let t = 0; t < 11; t++) expect(await stream.push(point(values, t))).toEqual([]);
    expect((await stream.push(point(values, 11))).map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect((await stream.push(point(values, 12))).map(({ step }) => step)).toEqual([7]);
    expect((await stream.finish()).steps.map(({ step }) => step)).toEqual([8, 9, 10, 11, 12]);
  });

  it('leaves out points that are no numbers, and begins a new window behind a gap', async () => {
    const values = made(3);
    const holed = values.slice();
    holed[2 * 20] = Number.NaN;
    const stream = detector.stream();
    const steps = await stream.push(holed.subarray(0, 2 * 40));
    const behind = await stream.restart();
    steps.push(...behind.steps, ...(await stream.push(values.subarray(2 * 100, 2 * 105))));
    steps.push(...(await stream.restart()).steps, ...(await stream.push(values.subarray(2 * 200, 2 * 230))));
    steps.push(...(await stream.finish()).steps);
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 75 }, (_, t) => t));
    expect([stream.steps, stream.skipped]).toEqual([75, 1]);
    expect(steps.flatMap(({ step, score }) => (score === null ? [step] : []))).toEqual([20, 40, 41, 42, 43, 44]);
    expect(steps[20].skipped).toBe(true);
    expect(steps[40].skipped).toBeUndefined();
    const without = await detector.scoreSeries({
      id: 'c',
      channels,
      values: Float64Array.from([...values.subarray(0, 40), ...values.subarray(42, 80)]),
    });
    const own = steps.slice(0, 40).filter(({ step }) => step !== 20);
    expect(own.findIndex(({ score }, i) => !close(score!, without.scores[i]))).toBe(-1);
  });

  it('goes on after a restore as without one, at any step', async () => {
    const values = made(2);
    values[2 * 130] = Number.NaN;
    const whole = detector.stream();
    let parted = detector.stream();
    for (let t = 0; t < STEPS; t++) {
      if (t % 37 === 0 || (t > 248 && t < 266)) {
        const bytes = parted.save();
        parted = detector.stream();
        parted.restore(bytes);
      }
      expect(await parted.push(point(values, t))).toEqual(await whole.push(point(values, t)));
    }
    expect(Buffer.compare(parted.save(), whole.save())).toBe(0);
    expect(await parted.finish()).toEqual(await whole.finish());
  });

  it('refuses another width, another rule and what takes no series, in sentences', async () => {
    const stream = detector.stream();
    await expect(stream.push(Float64Array.of(1))).rejects.toThrow('expected 2 values, found 1');
    expect(stream.steps).toBe(0);
    expect(() => stream.restore(detector.stream({ alarms: { gap: 3 } }).save())).toThrow(/another stream: its alarms/);
    expect(() => stream.restore(detector.stream({ threshold: 3 }).save())).toThrow(/another stream: its threshold/);
    await using table = await fit('knn', { data: new Rng(1).normals(400).slice() as never, shape: [100, 4] });
    expect(() => table.stream()).toThrow('takes no series');
  });
});

describe('a run on lines', () => {
  const root = mkdtempSync(join(tmpdir(), 'oddity-trained-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const at = (name: string) => join(root, name);
  const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  const oddity = (args: readonly string[], input?: string) =>
    spawnSync(process.execPath, [main, ...args], {
      cwd: root,
      encoding: 'utf8',
      input,
      env: { ...process.env, NO_COLOR: '1', COLUMNS: '400' },
    });
  /** A minute a line; `clock` moves the times, `cell` changes a cell. */
  const log = (
    values: Float64Array,
    { clock = (t: number) => t, cell = (text: string, _t: number) => text, from = 0, to = STEPS } = {},
  ) =>
    Array.from({ length: to - from }, (_, k) => {
      const t = from + k;
      const time = new Date(Date.UTC(2026, 2, 2) + 60_000 * clock(t)).toISOString();
      return `${time},${cell(values[2 * t].toFixed(4), t)},${values[2 * t + 1].toFixed(4)}\n`;
    }).join('');
  const head = 'when,heat,flow\n';
  const records = (text: string) =>
    text
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  beforeAll(() => {
    const normal = made(1).map((v, i) => (i >= 500 && i < 524 && i % 2 === 0 ? v - 5 : v));
    writeFileSync(at('train.csv'), head + log(normal));
    writeFileSync(at('new.csv'), head + log(made(2)));
    const { status, stderr } = oddity(['train', 'sub-pca', '--data', 'train.csv', '--window', '12', '--out', 'run']);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(readFileSync(at('run/model.json'), 'utf8')).series).toMatchObject({ step: 60_000 });
  }, 60_000);

  it('has the scores and alarms of a prediction, from a file and from standard input', () => {
    expect(oddity(['predict', 'run', 'new.csv', '--out', 'said']).status).toBe(0);
    const scores = readFileSync(at('said/predictions.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => Number(row.split(',')[2]));
    const { alarms } = JSON.parse(readFileSync(at('said/alarms.json'), 'utf8'));
    const found = oddity(['stream', 'run', 'new.csv', '--every']);
    expect(found.status, found.stderr).toBe(0);
    expect(found.stderr).toContain('windows of 12 steps; a step is scored 5 steps (5 minutes) after it came.');
    expect(found.stderr).toMatch(/An alarm is told 300 s after its first step/);
    const steps = records(found.stdout).slice(0, STEPS);
    expect(steps.map(({ line }) => line)).toEqual(Array.from({ length: STEPS }, (_, t) => t + 2));
    expect(steps.findIndex(({ score }, t) => !close(score, scores[t]))).toBe(-1);
    expect(steps[100].delay).toEqual({ steps: 5, seconds: 300 });
    const told = oddity(['stream', 'run'], readFileSync(at('new.csv'), 'utf8'));
    const ended = records(told.stdout).filter(({ alarm }) => alarm.end !== null);
    expect(ended.map(({ alarm }) => [alarm.start, alarm.end])).toEqual(
      alarms.map(({ start, end }: { start: number; end: number }) => [start, end]),
    );
    expect(ended.at(-1)).toMatchObject({ alarm: { level: 'high' }, channels: [{ name: 'heat' }] });
  }, 60_000);

  it('goes on from its state as without a stop', () => {
    const whole = records(oddity(['stream', 'run', '--every', '--state', 'whole.state'], head + log(made(2))).stdout);
    const parts = [0, 7, 255, 300, STEPS].flatMap((from, i, all) => {
      if (i === 4) return [];
      writeFileSync(at('grows.csv'), head + log(made(2), { to: all[i + 1] }));
      const one = oddity(['stream', 'run', 'grows.csv', '--every', '--state', 'parts.state']);
      expect(one.status, `${from} ${one.stderr}`).toBe(0);
      return records(one.stdout);
    });
    const plain = (list: readonly { score: number | null }[]) =>
      list.map(({ score, ...rest }) =>
        JSON.stringify({ ...rest, channels: null, alarm: null, expected: null, score: score?.toPrecision(4) }),
      );
    expect(plain(parts)).toEqual(plain(whole));
    const other = oddity(['stream', 'run', 'grows.csv', '--state', 'parts.state', '--merge-gap', '3']);
    expect(other.stderr).toMatch(/another stream: its alarms/);
  }, 60_000);

  it('tells gaps, cells that are no numbers, and columns that change', () => {
    const clock = (t: number) => (t >= 200 ? t + 60 : t);
    const cell = (text: string, t: number) => (t === 50 ? 'bad' : text);
    const found = oddity(['stream', 'run', '--every'], head + log(made(3), { clock, cell }));
    expect(found.status, found.stderr).toBe(0);
    expect(found.stderr).toMatch(/input:52: heat must be a number, found "bad"/);
    expect(found.stderr).toMatch(
      /input:202: 1.017 hours lie between this line and the one before, more than a window of 12 steps/,
    );
    expect(found.stderr).toMatch(/1 gap longer than a window/);
    const steps = records(found.stdout);
    expect(steps[50]).toMatchObject({ score: null, skipped: true });
    expect(steps.slice(0, STEPS).filter(({ score }) => score === null)).toHaveLength(1);
    const changed = oddity(['stream', 'run'], `${head}${log(made(3), { to: 30 })}when,heat,flow,more\n1,2,3,4\n`);
    expect(changed.status).toBe(3);
    expect(changed.stderr).toMatch(/columns of a stream must stay the same/);
  }, 60_000);

  it.each<[string, string[], string, RegExp]>([
    ['channels that are missing', [], 'when,heat\n2026-03-02T00:00:00Z,1\n', /lacks flow/],
    ['a detector of its own', ['--detector', 'left-profile'], '', /A trained detector has its own channels/],
    ['a threshold that moves', ['--threshold', 'spot'], '', /Leave --threshold out/],
    ['a rate', ['--fpr', '0.1'], '', /Leave --fpr out/],
  ])('refuses %s, in a sentence', (_, args, input, message) => {
    const { status, stderr } = oddity(['stream', 'run', ...args], input);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/undefined|TypeError|at .*\.js:/);
  });
});
