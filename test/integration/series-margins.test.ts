/** What a forecaster expects of steps, with a lower and an upper margin: in the artefact, in files, in programs, on the page. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { type Detector, loadDetector } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-margins-'));
const at = (name: string) => join(root, name);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const oddity = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '400' },
  });

const STEPS = 4000;
const names = ['load', 'heat, inside'];
/** Two waves with noise, in units far from 0 and 1. */
function made(seed: number, steps: number): Float64Array {
  const noise = new Rng(seed).normals(2 * steps, 0, 0.2);
  return Float64Array.from(noise, (v, i) => {
    const wave = Math.sin((2 * Math.PI * (i >> 1)) / 20 + (i % 2)) + v;
    return i % 2 === 0 ? 500 + 100 * wave : 20 + wave;
  });
}
function log(values: Float64Array): string {
  const rows = Array.from({ length: values.length / 2 }, (_, t) => [
    new Date(6e4 * t).toISOString(),
    ...values.subarray(2 * t, 2 * t + 2),
  ]);
  return `when,load,"heat, inside"\n${rows.map((row) => row.join()).join('\n')}\n`;
}

let detector: Detector;
beforeAll(async () => {
  writeFileSync(at('log.csv'), log(made(4, STEPS)));
  writeFileSync(at('next.csv'), log(made(5, 1000)));
  const learnt = ['--set', 'width=8', '--set', 'epochs=3', '--fpr', '0.1'];
  const task = ['--data', 'log.csv', '--window', '20', '--train-share', '0.7'];
  const { status, stderr } = oddity('train', 'cnn-forecaster', ...task, ...learnt, '--out', 'run');
  expect(status, stderr).toBe(0);
  detector = await loadDetector(at('run'), { device: 'cpu', threads: 1 });
}, 120_000);
afterAll(async () => {
  await detector?.close();
  rmSync(root, { recursive: true, force: true });
});

describe('the margins of a forecaster', () => {
  it('are kept in the units of the channels', () => {
    const { margins } = detector.info.series!;
    expect(margins).toMatchObject({ rate: 0.1, reason: null });
    expect(margins!.steps).toBeGreaterThan(200);
    expect(margins!.channels).toHaveLength(2);
    for (const [c, scale] of [100, 1].entries()) {
      // The noise alone has a deviation of 0.2, so 90 % of it lie within 0.33.
      expect(margins!.channels[c].lower / scale).toBeLessThan(-0.2);
      expect(margins!.channels[c].upper / scale).toBeGreaterThan(0.2);
      expect(margins!.channels[c].upper / scale).toBeLessThan(1.5);
    }
  });

  it('hold about the right share of new normal steps', async () => {
    const values = made(5, 1000);
    const { expected, lower, upper } = await detector.scoreSeries({ id: 'new', channels: names, values });
    const known = [...values.keys()].filter((i) => !Number.isNaN(expected![i]));
    expect(known).toHaveLength(2 * (1000 - 19));
    const inside = known.filter((i) => values[i] >= lower![i] && values[i] <= upper![i]).length / known.length;
    expect(inside).toBeGreaterThan(0.85);
    expect(inside).toBeLessThan(0.95);
  });

  it('are the same on a stream', async () => {
    const values = made(6, 60);
    const whole = await detector.scoreSeries({ id: 'new', channels: names, values });
    const stream = detector.stream();
    const steps = [...(await stream.push(values)), ...(await stream.finish()).steps];
    expect(steps.filter(({ lower }) => lower)).toHaveLength(60 - 19);
    for (const { step, expected, lower, upper } of steps) {
      if (!expected) continue;
      for (const [own, all] of [
        [expected, whole.expected],
        [lower, whole.lower],
        [upper, whole.upper],
      ])
        for (let c = 0; c < 2; c++) expect(own![c] / all![2 * step + c]).toBeCloseTo(1, 5);
    }
    const lines = oddity('stream', 'run', 'next.csv', '--every').stdout.trim().split('\n');
    const record = JSON.parse(lines[50]);
    for (const name of names) {
      expect(record.lower[name]).toBeLessThan(record.expected[name]);
      expect(record.upper[name]).toBeGreaterThan(record.expected[name]);
    }
  });

  it('stand beside the scores that predict writes, empty for the first and last steps', () => {
    const { status, stderr } = oddity('predict', 'run', 'next.csv', '--out', 'found');
    expect(status, stderr).toBe(0);
    const [head, ...lines] = readFileSync(at('found/predictions.csv'), 'utf8').trim().split('\n');
    expect(head).toBe(
      'path,time,score,threshold,isAnomalous,decision,load expected,load lower,load upper,"heat, inside expected","heat, inside lower","heat, inside upper"',
    );
    expect(lines).toHaveLength(1000);
    const last = (line: string) => line.split(',').slice(6);
    expect(last(lines[0])).toEqual(['', '', '', '', '', '']);
    const [expected, lower, upper] = last(lines[500]).map(Number);
    const [margin] = detector.info.series!.margins!.channels;
    expect(lower - expected).toBeCloseTo(margin.lower, 6);
    expect(upper - expected).toBeCloseTo(margin.upper, 6);
  });

  it('are drawn behind the values on the page', () => {
    const page = readFileSync(at('run/report.html'), 'utf8');
    expect(page).toContain(
      'Pale band behind the values: where they are expected, with margins meant to hold 90\u00a0% of normal steps.',
    );
    expect(page.match(/<path class="expected" d="M[\d.]+ [\d.]+L[^"]*Z"/g)?.length).toBeGreaterThanOrEqual(2);
    expect(page).not.toMatch(/d="[^"]*NaN/);
  });
});
