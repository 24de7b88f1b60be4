/** Tables as users meet them: a CSV file of rows is trained on, judged, exported and used on raw rows. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { dataRoot, findDataset, findProtocol } from '../../dist/data/index.js';
import {
  type Event,
  exportModel,
  loadDetector,
  predict,
  type RunReport,
  readArtifact,
  type TrainOptions,
  test as testRun,
  train,
} from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-tables-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const file = (text: string, name = `${count++}.csv`) => {
  writeFileSync(join(root, name), text);
  return join(root, name);
};
const withCode = (code: string) => expect.objectContaining({ code });

/** Sums of two columns with a third that is their sum; anomalies break it. A tenth of all rows. */
const lines = (() => {
  const rng = new Rng(2);
  return Array.from({ length: 600 }, (_, i) => {
    const [a, b] = rng.uniforms(2, 0, 100);
    const odd = i % 10 === 9;
    const sum = a + b + (odd ? 60 : 0) + rng.uniform();
    return [i, a.toFixed(3), b.toFixed(3), sum.toFixed(3), a > b ? 'up' : 'down', odd ? 'fault' : 'ok'].join(';');
  });
})();
const rows = `id;a;b;sum;way;state\n${lines.join('\n')}\n`;

const options = (more: Partial<TrainOptions> = {}): TrainOptions => ({
  model: 'pca',
  data: file(rows),
  columns: { id: 'ignore', state: 'label' },
  config: { variance: 0.99 },
  out: join(root, `run${count++}`),
  threads: 1,
  ...more,
});

test('the random baseline ranks equal rows at random, and rows that repeat are told', async () => {
  const repeated = Array.from({ length: 800 }, (_, i) => (i % 10 === 9 ? '1;9;bad' : `${i % 2};${i % 3};ok`)).join(
    '\n',
  );
  const events: Event[] = [];
  const report = await train(
    options({
      data: file(`a;b;state\n${repeated}\n`),
      columns: { state: 'label' },
      onEvent: (event) => events.push(event),
    }),
  );
  // By their values the anomalies, which are all equal, would have an AUROC of one in seven steps from 0 to 1.
  expect(report.baselines.random.item.auroc).toBeGreaterThan(0.4);
  expect(report.baselines.random.item.auroc).toBeLessThan(0.6);
  expect(report.leakFree).toBe(false);
  expect(events).toContainEqual(
    expect.objectContaining({ code: 'leak', message: expect.stringContaining('test rows have all the values of') }),
  );
});

describe('a CSV file of rows', () => {
  let report: RunReport;
  const events: Event[] = [];
  beforeAll(async () => {
    report = await train(options({ onEvent: (event) => events.push(event) }));
  });

  it('is trained on and judged, with inputs instead of pixels and no pictures', async () => {
    expect(report).toMatchObject({ kind: 'table', protocol: 'folder', class: 'ok', leakFree: true });
    expect(report.counts).toMatchObject({ test: 108 + 60, testAnomalies: 60 });
    expect(report.metrics.item.auroc).toBeGreaterThan(0.95);
    expect(report.metrics.item.precision).toBe(undefined);
    expect(report.perType[0].type).toBe('fault');
    expect(events.find((e) => e.type === 'log' && e.message.includes('600 rows'))).toMatchObject({
      message: expect.stringContaining(
        '3 columns of numbers and 1 of text (way 2), 1 left out; labels in state: 540 ok, 60 fault.',
      ),
    });
    const page = readFileSync(join(report.run, 'report.html'), 'utf8');
    expect(page).not.toContain('id="pictures"');
    expect(page).toContain('<dt>AUROC</dt>');
    expect(page).not.toMatch(/image AUROC|mean image|pixels/);
    expect(report.metrics).not.toHaveProperty('map');
    const mean = await train(options({ model: 'mean-image', config: {} }));
    expect(readFileSync(join(mean.run, 'report.html'), 'utf8')).toContain('<h1>Distance to the mean row');
    expect(existsSync(join(report.run, 'maps'))).toBe(false);
  });

  it('is tested again from the artefact, to the same numbers', async () => {
    const again = await testRun({ run: report.run });
    expect(again.metrics).toEqual(report.metrics);
  });

  it('leaves an artefact that scores raw rows and says which columns are odd', async () => {
    const { info } = await readArtifact(report.run);
    expect(info).toMatchObject({ kind: 'table', shape: [5], input: { name: 'row', layout: 'ND', range: null } });
    expect(info.table?.columns.map((c) => c.name)).toEqual(['a', 'b', 'sum', 'way']);
    const raw = file('sum,b,a,way,extra\n110.5,60,50,down,x\n170.5,60,50,down,x\n,60,50,sideways,x\n1,<5,1,up,x\n');
    const warnings: string[] = [];
    const result = await predict({
      run: report.run,
      images: [raw, join(root, 'none.csv')],
      onEvent: (event) => event.type === 'warning' && warnings.push(event.code),
    });
    const [good, bad] = result.predictions;
    expect(result.predictions.map((p) => p.line)).toEqual([2, 3, 4]);
    expect([good.isAnomalous, bad.isAnomalous]).toEqual([false, true]);
    expect(bad.score).toBeGreaterThan(10 * good.score);
    expect(bad.columns).toHaveLength(3);
    expect(warnings).toEqual(expect.arrayContaining(['missing-values', 'unseen-texts']));
    expect(result.failed).toEqual([
      {
        path: `${raw}:5`,
        code: 'csv-rows',
        message: expect.stringContaining('(line 5): the column b must hold a finite'),
      },
      {
        path: join(root, 'none.csv'),
        code: 'no-data',
        message: expect.stringContaining('cannot be read (file not found)'),
      },
    ]);
  });

  it('scores raw rows as the run scored them', async () => {
    const { predictions } = await predict({ run: report.run, images: [file(rows)] });
    const byLine = new Map(predictions.map((p) => [String(p.line), p.score]));
    const scored = readFileSync(join(report.run, 'predictions.csv'), 'utf8').trim().split('\n').slice(1);
    for (const line of scored.slice(0, 50)) {
      const [id, , , score] = line.split(',');
      expect(byLine.get(id)).toBeCloseTo(Number(score), 6);
    }
  });

  it('exports to bytes that agree with the reference', async () => {
    const { inputs, maxDifference, batchDifference } = await exportModel({ run: report.run, verify: true });
    expect(inputs).toEqual(['row']);
    expect(maxDifference).toBeLessThan(1e-5);
    expect(batchDifference).toBeLessThan(1e-5);
  });

  it('opens as a detector of rows', async () => {
    const detector = await loadDetector(report.run);
    await expect(detector.score(new Float32Array(4), 1)).rejects.toThrow('1 rows of 5 need 5 values, got 4');
    await detector.close();
  });
});

describe('what is refused', () => {
  it('models of images, options of images, and options of tables where there is none', async () => {
    await expect(train(options({ model: 'autoencoder', config: {} }))).rejects.toMatchObject({
      code: 'unsuitable',
      message: expect.stringMatching(/^autoencoder takes images, but .* has rows\. Models that take them: pca,/),
    });
    await expect(train(options({ size: [32, 32] }))).rejects.toEqual(withCode('size-not-needed'));
    const images = { data: 'synthetic', class: 'texture', columns: undefined };
    await expect(train(options({ ...images, scaling: 'none' }))).rejects.toEqual(withCode('not-a-table'));
    await expect(train(options({ scaling: 'log' as 'none' }))).rejects.toEqual(withCode('unknown-scaling'));
    await expect(train(options({ columns: { stat: 'label' } }))).rejects.toThrow('Did you mean "state"?');
  });

  it('labels that do not say what is normal', async () => {
    const data = file('a,y\n1,cat\n2,dog\n3,cat\n4,dog\n');
    await expect(train(options({ data, columns: { y: 'label' } }))).rejects.toEqual(withCode('protocol-needs-folder'));
  });

  it('another scaling in a resumed run', async () => {
    const first = options();
    await train(first);
    const record = JSON.parse(readFileSync(join(first.out!, 'run.json'), 'utf8'));
    writeFileSync(join(first.out!, 'run.json'), JSON.stringify({ ...record, status: 'cancelled' }));
    await expect(train({ ...first, scaling: 'min-max', resume: true })).rejects.toEqual(
      withCode('checkpoint-mismatch'),
    );
  });
});

describe('other formats', () => {
  it('a run of a CSV file scores the same rows as Parquet alike', async () => {
    const { run } = await train(options());
    const cells = lines.slice(0, 20).map((line) => line.split(';'));
    const numbers = (c: number) => cells.map((row) => Number(row[c]));
    const path = join(root, 'rows.parquet');
    writeFileSync(
      path,
      new Uint8Array(
        parquetWriteBuffer({
          columnData: [
            { name: 'way', data: cells.map((row) => row[4]), type: 'STRING' },
            ...['a', 'b', 'sum'].map((name, i) => ({ name, data: numbers(i + 1), type: 'DOUBLE' as const })),
          ],
        }),
      ),
    );
    const [text, stored] = await Promise.all([file(rows), path].map((images) => predict({ run, images: [images] })));
    expect(stored.predictions.map((p) => p.line)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(stored.predictions.map((p) => p.score)).toEqual(text.predictions.slice(0, 20).map((p) => p.score));
  });
});

describe('data sets by name', () => {
  it('kddcup99-10 under kdd: recall over precision is what was flagged over what is odd', {
    timeout: 300_000,
  }, async (context) => {
    if (!existsSync(join(dataRoot(), 'kddcup99'))) return context.skip('KDD Cup 1999 is not under the data root');
    const report = await train(options({ data: 'kddcup99-10', columns: undefined, config: {} }));
    const { precision, recall } = report.metrics.item;
    // The top 20 % count as found, so R / P = 0.2 · test / anomalies, up to ties at the threshold.
    const { test, testAnomalies } = report.counts;
    expect(recall! / precision!).toBeCloseTo((0.2 * test) / testAnomalies, 3);
    expect(Math.abs(recall! / precision! - 1.0157)).toBeLessThan(0.002);
    expect(report.metrics.item.f1).toBeGreaterThan(0.9);
  });

  it('kddcup99-10: 494,021 rows of 121 inputs', { timeout: 120_000 }, async (context) => {
    if (!existsSync(join(dataRoot(), 'kddcup99'))) return context.skip('KDD Cup 1999 is not under the data root');
    const source = await findDataset('kddcup99-10').load({ root: dataRoot() });
    expect([source.items.length, source.shape, source.classes.length]).toEqual([494021, [121], 23]);
    expect(source.items.filter((item) => source.classes[item.class] === 'normal').length).toBe(97278);
  });

  it('odds and adbench: sizes and anomalies as their makers say', async (context) => {
    if (!existsSync(join(dataRoot(), 'odds'))) return context.skip('ODDS is not under the data root');
    const facts = async (name: string) => {
      const { items, shape } = await findDataset(name).load({ root: dataRoot() });
      return [items.length, shape[0], items.filter((item) => item.class === 1).length];
    };
    expect(await facts('arrhythmia')).toEqual([452, 274, 66]);
    expect(await facts('odds/lympho')).toEqual([148, 18, 6]);
    expect(await facts('adbench:cardio')).toEqual([1831, 21, 176]);
    expect(await facts('adbench:shuttle')).toEqual([49097, 9, 3511]);
  });

  it('the public split of Arrhythmia has the anomalies that the published figures imply', async (context) => {
    if (!existsSync(join(dataRoot(), 'odds'))) return context.skip('ODDS is not under the data root');
    const source = await findDataset('arrhythmia').load({ root: dataRoot() });
    const options = { rng: new Rng(1), validationFraction: 0 };
    const { train, contaminants, test, testLabels } = findProtocol('arrhythmia-public').split(source, options);
    const anomalies = testLabels.reduce((n, y) => n + y, 0);
    expect([train.length, contaminants.length, test.length, anomalies]).toEqual([226, 34, 226, 32]);
  });

  it('a model uses its preset for a data set, and says so; options that are set win', async (context) => {
    if (!existsSync(join(dataRoot(), 'odds'))) return context.skip('ODDS is not under the data root');
    const said: string[] = [];
    const onEvent = (event: Event) => event.type === 'log' && said.push(event.message);
    const about = {
      model: 'dagmm',
      data: 'arrhythmia',
      config: { epochs: 1, mixtures: 3 },
      threads: 1,
      onEvent,
    } as const;
    const report = await train({ ...about, out: join(root, 'preset') });
    expect(report.config).toMatchObject({ layers: '10-2', batchSize: 128, epochs: 1, mixtures: 3 });
    expect(said[0]).toBe('dagmm has a preset for arrhythmia: arrhythmia. Options that are set win over it.');
    const other = await train({ ...about, preset: 'thyroid', out: join(root, 'other-preset') });
    expect(other.config).toMatchObject({ layers: '12-4-1' });
  });

  it('ODDS in MATLAB and ADBench in NumPy hold the same cardio', async (context) => {
    if (!existsSync(join(dataRoot(), 'odds'))) return context.skip('ODDS is not under the data root');
    const read = async (name: string) => {
      const source = await findDataset(name).load({ root: dataRoot() });
      const values = new Float32Array(21 * 3);
      await source.read([0, 1000, 1830], values);
      return [...values];
    };
    expect(await read('odds:cardio')).toEqual(await read('adbench:cardio'));
  });

  it('a gzipped file of rows, and a list of images, which is none', async () => {
    writeFileSync(join(root, 'packed.csv.gz'), gzipSync('a,label\n1,0\n2,1\n'));
    const source = await findDataset(join(root, 'packed.csv.gz')).load({ root });
    expect([source.kind, source.items.length]).toEqual(['table', 2]);
    await expect(findDataset(file('path,label\nx.png,0\n')).load({ root })).rejects.toThrow(
      'the image x.png does not exist',
    );
  });
});
