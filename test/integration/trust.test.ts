/** A detector that knows when it knows nothing, thresholds from few normals, models that are chosen, and a quick try. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodePng } from '../../dist/data/index.js';
import { type Event, fit, predict, threshold, train, tryModels } from '../../dist/index.js';
import { Rng } from '../../src/core/random.ts';

const root = mkdtempSync(join(tmpdir(), 'oddity-trust-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const withCode = (code: string) => expect.objectContaining({ code });
const cli = join('dist', 'cli', 'main.js');

/** A CSV file of rows from `make`. */
function csvFile(
  name: string,
  heads: readonly string[],
  rows: number,
  make: (rng: Rng, i: number) => readonly unknown[],
) {
  const rng = new Rng(7, name);
  const lines = Array.from({ length: rows }, (_, i) => make(rng, i).join());
  const path = join(root, name);
  writeFileSync(path, `${[heads.join(), ...lines].join('\n')}\n`);
  return path;
}
const normal = (rng: Rng, mean: number, std = 1) => (mean + std * rng.normals(1)[0]).toFixed(3);

describe('a detector that cannot tell anything', () => {
  const one = () => csvFile('one.csv', ['load'], 200, (rng) => [normal(rng, 21)]);

  it('pca on one column measures T², says so, and finds what is far', async () => {
    const told: Event[] = [];
    const run = join(root, 'one');
    await train({ model: 'pca', data: one(), out: run, threads: 1, onEvent: (e) => told.push(e) });
    expect(told).toContainEqual(expect.objectContaining({ message: expect.stringContaining("Hotelling's T²") }));
    const { predictions } = await predict({
      run,
      images: [csvFile('new.csv', ['load'], 2, (_, i) => [[20.9, 900][i]])],
    });
    expect(predictions.map(({ decision }) => decision)).toEqual(['normal', 'anomalous']);
  });

  it('pca that explains everything is refused with what to do', async () => {
    const data = csvFile('three.csv', ['a', 'b', 'c'], 120, (rng) => [normal(rng, 0), normal(rng, 0), normal(rng, 0)]);
    const refused = train({ model: 'pca', data, out: join(root, 'three'), threads: 1 });
    await expect(refused).rejects.toThrow(withCode('no-residual'));
    await expect(refused).rejects.toThrow(/statistic/);
  });

  it.each(['one.csv', 'two.csv'])('pca with residual asked for is refused on %s', async (name) => {
    const data = name === 'one.csv' ? one() : csvFile(name, ['a', 'b'], 90, (rng) => [normal(rng, 1), normal(rng, 5)]);
    const out = join(root, `forced-${name}`);
    await expect(train({ model: 'pca', data, out, threads: 1, config: { statistic: 'residual' } })).rejects.toThrow(
      withCode('no-residual'),
    );
  });

  const ofTables = ['lof', 'gmm', 'ocsvm', 'extended-isolation-forest', 'loda', 'ecod', 'copod', 'hbos'];
  it.each(['knn', 'mean-image', 'isolation-forest', ...ofTables])(
    '%s on equal rows is marked or refused',
    async (model) => {
      const data = csvFile('equal.csv', ['a', 'b'], 60, () => [3, 4]);
      const told: Event[] = [];
      const made = train({
        model: model as 'knn',
        data,
        out: join(root, `equal-${model}`),
        threads: 1,
        onEvent: (e) => told.push(e),
      });
      const found = await made.then(
        ({ threshold }) => threshold.reason,
        (error) => error.code,
      );
      if (found === 'blind' || found === 'no-variance') return;
      expect(found).toMatch(/score/);
      expect(told).toContainEqual(expect.objectContaining({ type: 'warning', code: 'tied-scores' }));
    },
  );

  it('the library refuses it alike', async () => {
    const rows = Array.from({ length: 60 }, () => ({ a: 3, b: 4 }));
    await expect(fit('isolation-forest', rows, { threads: 1 })).rejects.toThrow(withCode('blind'));
  });
});

describe('a threshold from few normals', () => {
  const table = (rows: number) =>
    csvFile(`few-${rows}.csv`, ['a', 'b'], rows, (rng) => [normal(rng, 1), normal(rng, 5, 2)]);

  it('rests on all of them, states an interval, and follows the wanted rate', async () => {
    const data = table(100); // 80 to train on, 8 of them held out
    const [strict, loose] = await Promise.all(
      [0.01, 0.05].map((falseAlarmRate) =>
        train({ model: 'knn', data, falseAlarmRate, out: join(root, `few-${falseAlarmRate}`), threads: 1 }),
      ),
    );
    expect(strict.threshold).toMatchObject({ normals: 80, folds: 10 });
    expect(strict.threshold.rateInterval[0]).toBe(0);
    expect(strict.threshold.rateInterval[1]).toBeGreaterThan(0.01);
    expect(strict.threshold.rateInterval[1]).toBeLessThan(0.06);
    expect(loose.threshold.value!).toBeLessThan(strict.threshold.value!);
    const again = await threshold({ run: strict.run, policies: [{ by: 'false-alarm-rate', rate: 0.05 }] });
    expect(again.threshold.value).toBe(loose.threshold.value);
    expect(again.threshold.folds).toBe(10);
  });

  it('is the same twice, and rests on held-out ones alone where that is asked for', async () => {
    const data = table(60);
    const once = await train({ model: 'knn', data, out: join(root, 'once'), threads: 1 });
    const twice = await train({ model: 'knn', data, out: join(root, 'twice'), threads: 1 });
    expect(twice.threshold).toEqual(once.threshold);
    expect(readFileSync(join(root, 'twice', 'model.json'))).toEqual(readFileSync(join(root, 'once', 'model.json')));
    const alone = await train({ model: 'knn', data, folds: 0, out: join(root, 'alone'), threads: 1 });
    expect(alone.threshold.normals).toBe(5);
    expect(alone.threshold.folds).toBeUndefined();
    expect(alone.threshold.rateInterval[1]).toBeGreaterThan(0.3);
  });

  it('is shown with its interval by train, threshold and predict', () => {
    const run = join(root, 'shown');
    const oddity = (...args: string[]) => execFileSync('node', [cli, ...args, '--quiet'], { encoding: 'utf8' });
    const expected = /at most \d.* % of new normal (rows|items) \(90 % interval, from 48 normals\)/;
    expect(oddity('train', 'knn', '--data', table(60), '--out', run, '--threads', '1')).toMatch(expected);
    expect(oddity('threshold', run)).toMatch(expected);
    expect(oddity('predict', run, table(60))).toMatch(expected);
    expect(readFileSync(join(run, 'report.html'), 'utf8')).toMatch(/Of 1,000 new normal rows, .*prediction interval/);
  });

  it('refuses a single fold, and fractions of one', async () => {
    for (const folds of [1, -1, 2.5, 1001, Number.NaN]) {
      const refused = train({ model: 'knn', data: table(60), folds, out: join(root, 'refused') });
      await expect(refused, String(folds)).rejects.toMatchObject({ name: 'ConfigError' });
    }
  });
});

describe('a model that is not named', () => {
  const run = (...args: string[]) => spawnSync('node', [cli, ...args], { encoding: 'utf8' });

  it('is the one to start with for a table, and the reason is told', () => {
    const data = csvFile('plain.csv', ['a', 'b'], 80, (rng) => [normal(rng, 1), normal(rng, 5)]);
    const { stderr, stdout, status } = run('train', '--data', data, '--out', join(root, 'plain'), '--threads', '1');
    expect(status).toBe(0);
    expect(stderr).toContain('Model ensemble, the one to start with for rows: it joins');
    expect(stdout).toMatch(/^ensemble on/);
  });

  it('is chosen among quick ones for images', () => {
    const { stderr } = run(
      'train',
      '--data',
      'synthetic',
      '--class',
      'texture',
      '--out',
      join(root, 'images'),
      '--threads',
      '1',
    );
    expect(stderr).toMatch(/Model (patchcore|padim|dfm) through \w+ on images of 16 by 16 pixels: AUROC/);
  });

  it('needs data to follow from', () => {
    const { stderr, status } = run('train');
    expect(status).toBe(2);
    expect(stderr).toContain('oddity train needs data');
  });
});

describe('oddity try', () => {
  const labelled = () =>
    csvFile('labelled.csv', ['a', 'b', 'label'], 200, (rng, i) =>
      i % 10 === 0 ? [normal(rng, 9), normal(rng, -4), 1] : [normal(rng, 1), normal(rng, 5), 0],
    );

  it('ranks by labels where there are some', async () => {
    const { by, tried, counts, advice } = await tryModels({ data: labelled(), threads: 1 });
    expect(by).toBe('labels');
    expect(counts.anomalous).toBe(20);
    expect(tried.map(({ place }) => place)).toEqual([1, 2, 3, 4, 5]);
    expect(tried[0].metrics!.auroc).toBeGreaterThan(0.99);
    for (const one of tried) expect(one.intervals!.auroc).toHaveLength(2);
    expect(advice!.place === 1 || advice!.isLevel).toBe(true);
    expect(advice!.model).not.toBe('mean-image'); // a baseline only where nothing else is level with it
  });

  it('plants outliers where there are none, and says so', () => {
    const data = csvFile('plain2.csv', ['a', 'b', 'c'], 150, (rng) => [normal(rng, 1), normal(rng, 5), normal(rng, 0)]);
    const said = spawnSync('node', [cli, 'try', data, '--threads', '1', '--quiet'], { encoding: 'utf8' });
    expect(said.status).toBe(0);
    expect(said.stdout).toMatch(
      /No rows are labelled anomalous, so 30 made-up anomalies \(10 far, 10 mixed, 10 between\)/,
    );
    expect(said.stdout).toMatch(/Train ensemble on all of the data:\n {2}oddity train ensemble --data /);
    const json = spawnSync('node', [cli, 'try', data, '--threads', '1', '--json', '--models', 'knn,pca'], {
      encoding: 'utf8',
    });
    expect(JSON.parse(json.stdout).tried).toHaveLength(2);
  });

  it('plants defects into images, and keeps models that do not suit in the list with the reason', async () => {
    const photos = join(root, 'photos');
    mkdirSync(photos);
    const rng = new Rng(2, 'photos');
    for (let i = 0; i < 40; i++) {
      const data = Uint8Array.from(rng.normals(24 * 24), (v) => 120 + 10 * v);
      writeFileSync(join(photos, `${i}.png`), encodePng({ height: 24, width: 24, channels: 1, data }));
    }
    const models = ['mean-image', 'pca', 'dagmm'];
    const { by, planted, tried, counts } = await tryModels({ data: photos, size: [24, 24], threads: 1, models });
    expect([by, counts]).toEqual(['planted', { train: 29, normal: 8, anomalous: 8 }]);
    expect(Object.keys(planted!).length).toBeGreaterThan(3);
    expect(Object.values(planted!).reduce((a, b) => a + b, 0)).toBe(8);
    expect(tried[0].metrics!.auroc).toBeGreaterThan(0.6);
    expect(tried[2]).toMatchObject({ model: 'dagmm', error: { code: 'unsuitable' } });
    expect(tried[2].place).toBeUndefined();
  });

  it('refuses budgets and models that cannot be, and says when no time was left', async () => {
    const data = labelled();
    for (const budget of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(tryModels({ data, budget }), String(budget)).rejects.toThrow(withCode('budget'));
    await expect(tryModels({ data, models: ['knnn'] })).rejects.toThrow(withCode('unknown-model'));
    await expect(tryModels({ data, budget: 1e-6 })).rejects.toThrow(withCode('no-time'));
    const wrong = spawnSync('node', [cli, 'try', data, '--budget', 'soon'], { encoding: 'utf8' });
    expect(wrong.status).toBe(2);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const trying = tryModels({ data: 'synthetic', class: 'texture', signal: stop.signal, threads: 1 });
    setTimeout(() => stop.abort(), 100);
    await expect(trying).rejects.toMatchObject({ name: 'Cancelled' });
  });
});
