/** The rule of alarms and the rate of false alarms of a run: chosen in training, kept, and chosen again. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-alarms-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string) => join(root, name);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const oddity = (...args: string[]) =>
  spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '400' },
  });
const json = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));

const STEPS = 3000;
/** A wave with noise, a minute a row; higher from row 2500 to 2529. */
function log({ times = true } = {}) {
  const noise = new Rng(4).normals(STEPS, 0, 0.2);
  const rows = Array.from({ length: STEPS }, (_, t) => {
    const isOdd = t >= 2500 && t < 2530;
    const value = (Math.sin((2 * Math.PI * t) / 20) + noise[t] + (isOdd ? 3 : 0)).toFixed(4);
    return `${times ? `${new Date(6e4 * t).toISOString()},` : ''}${value},${isOdd ? 1 : 0}`;
  });
  return `${times ? 'when,' : ''}load,anomaly\n${rows.join('\n')}\n`;
}
const task = ['--window', '20', '--train-share', '0.7', '--folds', '3'];

beforeAll(() => {
  writeFileSync(at('log.csv'), log());
  writeFileSync(at('bare.csv'), log({ times: false }));
  const rule = ['--merge-gap', '3', '--least', '2', '--alarms-per-day', '10'];
  const { status, stderr, stdout } = oddity('train', 'sub-pca', '--data', 'log.csv', ...task, ...rule, '--out', 'run');
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/10 false alarms a day on held-out normals/);
  expect(stdout).toMatch(/a day +[\d.]+ false alarms \(95 %: [\d.]+ … [\d.]+\), from \d+ in 1.4 days/);
}, 60_000);

describe('a run with a rule and a rate', () => {
  it('keeps both, and the scores that they follow from', () => {
    const { series, threshold } = json('run/model.json');
    expect(series.alarms).toEqual({ gap: 3, least: 2, hysteresis: 0, coolDown: 0 });
    expect(series.normals.flat()).toHaveLength(threshold.normals);
    expect(threshold.alarms).toMatchObject({ wanted: 10, per: 'day' });
    expect(threshold.alarms.rate).toBeLessThanOrEqual(10);
    expect(threshold.alarms.interval[1]).toBeGreaterThan(threshold.alarms.rate);
    expect(json('run/run.json')).toMatchObject({ alarms: { gap: 3, least: 2 }, alarmRate: { perDay: 10 } });
    const again = JSON.parse(oddity('test', 'run', '--json').stdout);
    expect(again.metrics.series).toEqual(json('run/metrics.json').metrics.series);
  });

  it('predicts by its rule, or by another', () => {
    expect(oddity('predict', 'run', 'log.csv', '--out', 'own').status).toBe(0);
    expect(json('own/alarms.json').rule).toMatchObject({ gap: 3, least: 2 });
    const other = ['--least', '6', '--merge-gap', '0', '--hysteresis', '0.1'];
    expect(oddity('predict', 'run', 'log.csv', '--out', 'other', ...other).status).toBe(0);
    const { alarms, rule } = json('other/alarms.json');
    expect(rule).toEqual({ gap: 0, least: 6, hysteresis: 0.1, coolDown: 0 });
    expect(alarms.every(({ steps }: { steps: number }) => steps >= 6)).toBe(true);
  });

  it('gets another threshold and another rule', () => {
    const more = oddity('threshold', 'run', '--alarms-per-1000', '20', '--merge-gap', '0', '--least', '1', '--json');
    const { threshold } = JSON.parse(more.stdout);
    expect(threshold.alarms).toMatchObject({ wanted: 20, per: '1000 steps' });
    expect(threshold.value).toBeLessThan(json('run/model.json').threshold.value);
    expect(oddity('threshold', 'run', '--value', '100', '--cool-down', '9', '--write').status).toBe(0);
    expect(json('run/model.json')).toMatchObject({
      series: { alarms: { gap: 3, coolDown: 9 } },
      threshold: { value: 100, alarms: { found: 0, rate: 0, wanted: null } },
    });
  });

  it.each<[string, string[], RegExp]>([
    ['both rates', ['log.csv', '--alarms-per-day', '1', '--alarms-per-1000', '1'], /either of a day or of 1,000 steps/],
    ['days without times', ['bare.csv', '--kind', 'series', '--alarms-per-day', '1'], /Alarms a day need times/],
    ['a rate of nothing', ['log.csv', '--alarms-per-day', '0'], /--alarms-per-day/],
    ['a rule of a table', ['bare.csv', '--kind', 'table', '--least', '2'], /--least|--merge-gap/],
    ['a share above 1', ['log.csv', '--hysteresis', '2'], /--hysteresis|--merge-gap/],
  ])('refuses %s, in a sentence', (_, [data, ...args], message) => {
    const model = args.includes('table') ? 'knn' : 'sub-pca';
    const { status, stderr } = oddity('train', model, '--data', data, ...args, '--out', 'odd', '--overwrite');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/undefined|TypeError|at .*\.js:/);
  });
});

describe('intervals that are left out', () => {
  const interval = (from: number, to: number) =>
    [from, to].map((t) => new Date(6e4 * t).toISOString().slice(0, 16)).join('/');

  it('do not train, are not judged, and make no alarm; those without a step are told', () => {
    writeFileSync(at('stops.csv'), `begin,end\n${interval(300, 400).replace('/', ',')}\n`);
    const intervals = ['--exclude', 'stops.csv', '--exclude', interval(2490, 2540), '--exclude', interval(9000, 9001)];
    const made = oddity('train', 'sub-pca', '--data', 'log.csv', ...task, ...intervals, '--out', 'left');
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toMatch(/1 of 3 intervals to leave out hold no step|1 of 1 intervals/);
    const { counts, description } = json('left/metrics.json');
    expect(counts.testAnomalies).toBe(0);
    expect(counts.test).toBe(900 - 50 - 19);
    expect(description).toMatch(/119 steps in or near intervals that are left out do not train/);
    expect(oddity('test', 'left').status).toBe(0);
    const found = oddity('predict', 'left', 'log.csv', '--out', 'quiet', '--exclude', interval(2490, 2540));
    expect(found.status, found.stderr).toBe(0);
    const { alarms } = json('quiet/alarms.json');
    expect(alarms.filter(({ start, end }: { start: number; end: number }) => start < 2550 && end > 2480)).toEqual([]);
    expect(readFileSync(at('quiet/predictions.csv'), 'utf8').trim().split('\n')).toHaveLength(1 + STEPS - 50 - 19);
  }, 60_000);

  it.each<[string, string, RegExp]>([
    ['that are no times', 'now/later', /must be two times/],
    ['that end before they begin', '2014-01-02/2014-01-01', /must end after it begins/],
    ['without an end', '2014-01-02', /two times with a slash between/],
    ['in a file that is not there', 'none.csv', /none.csv cannot be read/],
  ])('%s are refused, in a sentence', (_, given, message) => {
    const { status, stderr } = oddity('train', 'sub-pca', '--data', 'log.csv', '--exclude', given, '--out', 'odd');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});
