/** Series as users meet them: a sensor log is trained on, judged, predicted, exported; what it lacks is said. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { type Event, loadDetector, type RunReport, train, tryModels } from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-series-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string) => join(root, name);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

function oddity(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '400' },
  });
  return { status, stdout, stderr };
}

const STEPS = 1200;
/** A minute a row, two channels of period 20; the first rises by 4 for 30 rows from row 1000 on, which `labels` says. */
function log({
  labels = true,
  from = 0,
  anomaly = 1000,
  clock = (t: number) => t,
  cell = (text: string, _t: number) => text,
} = {}) {
  const rng = new Rng(5);
  const noise = rng.normals(2 * STEPS, 0, 0.1);
  const rows = Array.from({ length: STEPS - from }, (_, k) => {
    const t = from + k;
    const isOdd = t >= anomaly && t < anomaly + 30;
    const a = 20 + Math.sin((2 * Math.PI * t) / 20) + noise[2 * t] + (isOdd ? 4 : 0);
    const b = Math.cos((2 * Math.PI * t) / 20) + noise[2 * t + 1];
    const time = new Date(Date.UTC(2026, 2, 2) + 60_000 * clock(t)).toISOString().slice(0, 19).replace('T', ' ');
    return [time, cell(a.toFixed(4), t), b.toFixed(4), ...(labels ? [isOdd ? 1 : 0] : [])].join(',');
  });
  return `when,temperature,flow${labels ? ',anomaly' : ''}\n${rows.join('\n')}\n`;
}

beforeAll(() => {
  writeFileSync(at('log.csv'), log());
  writeFileSync(at('plain.csv'), log({ labels: false }));
});

describe('a sensor log with times', () => {
  let report: RunReport;
  const events: Event[] = [];
  beforeAll(async () => {
    report = await train({
      model: 'sub-pca',
      data: at('log.csv'),
      out: at('run'),
      threads: 1,
      onEvent: (e) => events.push(e),
    });
  });

  it('is a series: the first half trains, the rest is judged step by step', () => {
    expect(report.kind).toBe('series');
    expect(report.counts).toMatchObject({ test: 600, testAnomalies: 30 });
    expect(report.metrics.item.auroc).toBeGreaterThan(0.95);
    expect(report.metrics.series?.vusPr).toBeGreaterThan(0.8);
    expect(Object.keys(report.baselines)).toEqual(['mean-image', 'moving-z-score', 'last-value', 'random']);
    expect(report.baselines.random.series?.vusPr).toBeLessThan(0.3);
    const told = events.flatMap((e) => ('message' in e ? [e.message] : [])).join('\n');
    expect(told).toMatch(
      /log.csv: a series of 1200 steps of 1 minute, 2026-03-02 00:00:00 to 2026-03-02 19:59:00, of 2 channels; 30 steps/,
    );
    expect(told).toMatch(/windows of 20 steps \(its period by autocorrelation/);
  });

  it('has a page with the series, its alarms and the channel that made them', () => {
    const page = readFileSync(at('run/report.html'), 'utf8');
    expect(page).toContain('Series and alarms');
    expect(page.match(/<svg class="series"/g)!.length).toBeGreaterThanOrEqual(1);
    expect(page).toMatch(/<b>temperature<\/b> 2[3-5]\.\d+ <small>\(usually 1\d\.\d+ to 2\d\.\d+\)/);
    expect(page).toContain('more metrics</summary>');
  });

  it('is predicted: a score a step, alarms with times and channels', () => {
    const { status, stdout } = oddity('predict', 'run', 'plain.csv', '--out', 'said');
    expect(status).toBe(0);
    expect(stdout).toMatch(/2026-03-02 16:\d\d:00 to 2026-03-02 17:\d\d:00 .* temperature 2[3-5]/);
    const lines = readFileSync(at('said/predictions.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(1 + STEPS);
    expect(lines[1]).toMatch(/^plain.csv:2,2026-03-02T00:00:00.000Z,/);
    const said = JSON.parse(readFileSync(at('said/alarms.json'), 'utf8'));
    expect(said).toMatchObject({
      format: 'oddity-alarms-1',
      threshold: report.threshold.value,
      rule: { gap: 20, least: 1, hysteresis: 0, coolDown: 0 },
    });
    type Found = { peak: { score: number } };
    const [highest] = [...said.alarms].sort((a: Found, b: Found) => b.peak.score - a.peak.score);
    expect(highest.lines).toEqual([highest.start + 2, highest.end + 1]);
    expect(highest.lines[0]).toBeGreaterThan(960);
    expect(highest.lines[0]).toBeLessThan(1012);
    expect(highest.lines[1]).toBeGreaterThan(1020);
    expect(highest.lines[1]).toBeLessThan(1070);
    expect(highest).toMatchObject({ level: 'high', peak: { line: highest.peak.step + 2 } });
    expect(highest.severity).toBeGreaterThan(4);
    expect(highest.channels[0].actual).toBeGreaterThan(highest.channels[0].usual[1]);
    expect(highest.channels[0].name).toBe('temperature');
  });

  it('gives in a program the scores of the command line', async () => {
    await using detector = await loadDetector(at('run'), { device: 'cpu', threads: 1 });
    const rows = readFileSync(at('plain.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(','));
    const values = Float64Array.from(rows.flatMap(([, a, b]) => [Number(a), Number(b)]));
    const { scores } = await detector.scoreSeries({ id: 'a', channels: ['temperature', 'flow'], values });
    const said = readFileSync(at('said/predictions.csv'), 'utf8').trim().split('\n').slice(1);
    for (const [t, row] of said.entries()) expect(scores[t]).toBeCloseTo(Number(row.split(',')[2]), 4);
    const turned = Float64Array.from(rows.flatMap(([, a, b]) => [Number(b), Number(a)]));
    const again = await detector.scoreSeries({ id: 'a', channels: ['flow', 'temperature'], values: turned });
    expect(again.scores).toEqual(scores);
    await expect(detector.scoreSeries({ id: 'a', channels: ['flow'], values })).rejects.toThrow(/lacks temperature/);
    const short = values.slice(0, 2 * 19);
    await expect(detector.scoreSeries({ id: 'a', channels: ['temperature', 'flow'], values: short })).rejects.toThrow(
      /at least one window of 20 steps long, but has 19/,
    );
    await expect(detector.scoreRow({ temperature: 1 })).rejects.toThrow(/takes steps, got a row/);
  });

  it('is exported, verified on both runtimes, and judged again as before', () => {
    const exported = oddity('export', 'run', '--out', 'model', '--verify');
    expect(exported.status, exported.stderr).toBe(0);
    expect(exported.stdout).toMatch(/cpu/);
    expect(exported.stdout).toMatch(/wasm/);
    const before = readFileSync(at('run/predictions.csv'), 'utf8');
    const again = oddity('test', 'run', '--json');
    expect(JSON.parse(again.stdout).metrics.series.vusPr).toBeCloseTo(report.metrics.series!.vusPr!, 6);
    expect(readFileSync(at('run/predictions.csv'), 'utf8')).toBe(before);
  });

  it('gives a forecaster that both runtimes agree on', () => {
    const made = oddity(
      ...['train', 'cnn-forecaster', '--data', 'log.csv', '--out', 'cnn', '--set', 'epochs=3', '--set', 'width=8'],
    );
    expect(made.status, made.stderr).toBe(0);
    const exported = oddity('export', 'cnn', '--out', 'cnn-model', '--verify');
    expect(exported.status, exported.stderr).toBe(0);
    expect(exported.stdout).toMatch(/cpu/);
    expect(exported.stdout).toMatch(/wasm/);
  });

  it('takes models of rows too, a window as a row, and the gradient ones among them', async () => {
    for (const model of ['knn', 'vae'] as const) {
      const one = await train({
        model,
        kind: 'series',
        data: at('log.csv'),
        out: at(model),
        threads: 1,
        ...(model === 'vae' && { config: { epochs: 2 } }),
      });
      expect(one.metrics.item.auroc).toBeGreaterThan(0.9);
      expect(oddity('export', model, '--out', `${model}-out`, '--verify').status).toBe(0);
    }
  });

  it('is a table to models of rows unless asked otherwise, and inspection says which it is', async () => {
    const table = await train({ model: 'knn', data: at('log.csv'), out: at('table'), threads: 1 });
    expect(table.kind).toBe('table');
    const found = oddity('inspect', 'log.csv');
    expect(found.stdout).toMatch(/looks like a time series: when goes on in steps of 1 minute/);
    expect(found.stdout).toMatch(/windows of 20 steps/);
    expect(oddity('inspect', 'log.csv', '--kind', 'table').stdout).not.toMatch(/time series/);
  });
});

describe('without a model, and a try', () => {
  it('chooses the model from the training part and says why, in the library as on the command line', async () => {
    const { stdout, status, stderr } = oddity('train', 'auto', '--data', 'plain.csv', '--out', 'chosen');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/knn on .*plain.csv/);
    expect(stdout).toMatch(/chosen by auto: knn: in \d+ training steps the autocorrelation rises by 1\.\d+/);
    const run = JSON.parse(readFileSync(at('chosen/run.json'), 'utf8'));
    expect(run).toMatchObject({ model: 'knn', kind: 'series' });
    expect(readFileSync(at('chosen/report.html'), 'utf8')).toContain(`Model chosen by auto: ${run.choice.reason}`);
    const report = await train({ data: at('plain.csv'), out: at('chosen-2'), threads: 1 });
    expect(report).toMatchObject({ model: 'knn', choice: run.choice });
    expect(oddity('test', 'chosen', '--json').status).toBe(0);
    const again = oddity('train', 'auto', '--data', 'plain.csv', '--out', 'chosen', '--resume');
    expect(again.stdout).toMatch(/knn on .*plain.csv/);
    const odd = oddity('train', '--data', 'plain.csv', '--set', 'windows=9');
    expect(odd.stderr).toMatch(/Options of a model need its name, but the model is chosen from the data/);
  });

  it('ranks quick models by labels, and by planted anomalies without', async () => {
    const labelled = await tryModels({ data: at('log.csv'), budget: 60 });
    expect(labelled).toMatchObject({ kind: 'series', by: 'labels' });
    const planted = await tryModels({ data: at('plain.csv'), budget: 60 });
    expect(planted.by).toBe('planted');
    expect(Object.keys(planted.planted!)).toEqual(['spike', 'level', 'flat', 'noise']);
    expect(planted.tried.filter(({ metrics }) => metrics).length).toBeGreaterThanOrEqual(5);
  });
});

describe('a folder of series', () => {
  it('trains on the first part of each and judges the rest of each', async () => {
    mkdirSync(at('logs'), { recursive: true });
    for (const [i, anomaly] of [900, 1100].entries()) writeFileSync(at(`logs/${i}.csv`), log({ anomaly }));
    const report = await train({ model: 'sub-pca', data: at('logs'), out: at('many'), threads: 1 });
    expect(report.counts).toMatchObject({ test: 1200, testAnomalies: 60 });
    expect(report.metrics.series?.vusPr).toBeGreaterThan(0.7);
    expect(readFileSync(at('many/predictions.csv'), 'utf8')).toMatch(/^1\.csv:602,/m);
  });
});

describe('a series that trains and is judged as a whole', () => {
  it('is joined with itself as published, tested again, and gives no file', async () => {
    const whole = { data: at('log.csv'), protocol: 'whole', threads: 1 } as const;
    const report = await train({ ...whole, model: 'matrix-profile', preset: 'mmpad', out: at('whole') });
    expect(report.counts).toMatchObject({ train: STEPS, test: STEPS, testAnomalies: 30, validation: 0 });
    expect(report.threshold).toMatchObject({ rule: 'a share of 0.01 of its own scores', normals: 0, sawTest: false });
    expect(report.warnings?.map(({ code }) => code) ?? []).not.toContain('leak');
    const again = oddity('test', 'whole', '--json');
    expect(JSON.parse(again.stdout).metrics.series).toEqual(report.metrics.series);
    const exported = oddity('export', 'whole', '--out', 'no-model');
    expect(exported.stderr).toMatch(/scored its series by itself .*Train with --protocol prefix/s);
    expect(oddity('predict', 'whole', 'plain.csv').stderr).toMatch(/no detector of other data/);
    await expect(train({ ...whole, model: 'knn', kind: 'series', out: at('whole-knn') })).rejects.toThrow(
      /under the protocol whole each would find itself\. Use matrix-profile/,
    );
    const fitted = await train({ ...whole, model: 'sub-pca', out: at('whole-pca') });
    expect(fitted.metrics.item.auroc).toBeGreaterThan(0.9);
    expect(oddity('export', 'whole-pca', '--out', 'whole-model').status).toBe(0);
  });

  it.skipIf(!process.env.ODDITY_DATA)('has the published values (skipped where ODDITY_DATA is not set)', async () => {
    const of = { data: 'tsb-ad/001', protocol: 'whole', model: 'matrix-profile', threads: 1 } as const;
    const mmpad = await train({ ...of, preset: 'mmpad', out: at('golden-mmpad') });
    expect(mmpad.metrics.series?.vusPr).toBeCloseTo(0.564225, 5);
    const nearest = await train({ ...of, out: at('golden-profile') });
    expect(nearest.metrics.series?.vusPr).toBeCloseTo(0.093966, 4);
  });
});

describe('series that train and others that are judged', () => {
  it('are those of the folders train and test; steps in both are told', () => {
    mkdirSync(at('apart/train'), { recursive: true });
    mkdirSync(at('apart/test'), { recursive: true });
    writeFileSync(at('apart/train/a.csv'), log({ anomaly: STEPS }));
    writeFileSync(at('apart/test/b.csv'), log({ from: 600 }));
    const { status, stderr, stdout } = oddity(
      ...['train', 'sub-pca', '--data', 'apart', '--protocol', 'other-series', '--out', 'others'],
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/600 test \(30 anomalous\)/);
    expect(stderr).toMatch(/test steps are seen through windows that were trained on or held out/);
    const none = oddity('train', 'sub-pca', '--data', 'logs', '--protocol', 'other-series', '--out', 'none');
    expect(none.stderr).toMatch(/each of the 2 series of logs has a labelled anomaly/);
  });
});

describe('what is wrong with a series', () => {
  const run = (text: string, ...more: string[]) => {
    writeFileSync(at('odd.csv'), text);
    return oddity('train', 'sub-pca', '--data', 'odd.csv', '--out', 'odd', '--overwrite', ...more);
  };

  it.each<[string, string, string[], RegExp]>([
    [
      'steps that are missing',
      log({ clock: (t) => (t > 300 ? t + 7 : t) }),
      [],
      /7 steps of 1 minute are missing in 1 gap .*after line 302/,
    ],
    ['cells that are missing', log({ cell: (text, t) => (t === 40 ? '' : text) }), [], /1 missing value|temperature 1/],
    ['rows out of their order', log().replace(/(\n.*)(\n.*)(\n.*)$/s, '$1$3$2'), [], /series of 1200 steps/],
  ])('%s: is told, and trained on', (_, text, more, message) => {
    const { status, stderr, stdout } = run(text, ...more);
    expect(status, stderr).toBe(0);
    expect(`${stderr}${stdout}`).toMatch(message);
  });

  it.each<[string, string, string[], RegExp]>([
    [
      'missing steps that are refused',
      log({ clock: (t) => (t > 300 ? t + 7 : t) }),
      ['--gaps', 'refuse'],
      /7 steps .*missing/,
    ],
    [
      'missing cells that are refused',
      log({ cell: (text, t) => (t === 40 ? '' : text) }),
      ['--gaps', 'refuse'],
      /line 42/,
    ],
    [
      'a window longer than what trains',
      log(),
      ['--window', '700'],
      /at least one window of 700 steps long, but has 600/,
    ],
    ['a window of one step', log(), ['--window', '1'], /--window/],
    ['a step that is no length of time', log(), ['--step', 'soon'], /--step/],
    ['an unknown policy', log(), ['--gaps', 'skip'], /interpolate/],
    ['an unknown kind', log(), ['--kind', 'frames'], /no kind named "frames". Known: series, table/],
    [
      'options of series on a table',
      log(),
      ['--kind', 'table', '--window', '20'],
      /--window applies to series only, but odd.csv has rows/,
    ],
    ['a size', log(), ['--size', '32'], /--size/],
    ['channels that never change', log().replace(/,-?[\d.]+,-?[\d.]+,/g, ',1,2,'), [], /constant|equal/],
  ])('%s: is refused in a sentence, and nothing is left', (_, text, more, message) => {
    const { status, stderr } = run(text, ...more);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/undefined|TypeError|at .*\.js:/);
  });

  it('series of other channels are refused at prediction', () => {
    writeFileSync(at('other.csv'), log({ labels: false }).replace('temperature', 'heat'));
    const { status, stdout, stderr } = oddity('predict', 'run', 'other.csv');
    expect(status).not.toBe(0);
    expect(`${stdout}${stderr}`).toMatch(/lacks temperature/);
    expect(existsSync(at('odd/model.onnx'))).toBe(false);
  });
});
