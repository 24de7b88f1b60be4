/** The benchmarks name what is there; means, spreads, pages and words say what the runs say. */
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findDataset, findProtocol } from '../data/index.ts';
import type { RunReport } from '../engine/judging/report-types.ts';
import { resolveConfig } from '../engine/task/config.ts';
import { findModel } from '../models/index.ts';
import type { BenchTable } from './bench.ts';
import { benches, findBench } from './benches.ts';
import { planBench } from './jobs.ts';
import { benchPage } from './page.ts';
import { csvRow, summarize } from './summary.ts';
import { publishedText, quickBanner, spreadText } from './words.ts';

const tables = benches.flatMap((bench) =>
  bench.tables.map((table) => [`${bench.name}: ${table.title}`, table] as const),
);

describe('the registry', () => {
  test('names are unique, and an unknown one is corrected', () => {
    const names = benches.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(() => findBench('kddd')).toThrow('Did you mean "kdd"?');
  });

  test.each(tables)('%s: models, presets, options, protocol and data are known', (_, table) => {
    const { needs, name } = findProtocol(table.protocol);
    expect(name).toBe(table.protocol); // never an alias: runs keep the plain name
    expect(new Set(table.entries.map(({ label, model }) => label ?? model)).size).toBe(table.entries.length);
    for (const { model, preset, config } of table.entries)
      expect(() => resolveConfig(findModel(model), { preset, config })).not.toThrow();
    for (const { data, class: about } of table.cases) {
      if (!data.includes('/')) expect(findDataset(data).name).toBe(data);
      expect(about !== undefined).toBe(needs.includes('class'));
    }
    const takers = table.entries.filter(({ model }) => findModel(model).inputs.includes(table.kind));
    expect(takers.length).toBeGreaterThan(0);
    if (table.preset) expect(takers.some(({ model }) => table.preset! in findModel(model).presets)).toBe(true);
  });

  test.each(tables)('%s: published figures are of its protocol, and say where they were read', (_, table) => {
    for (const figure of table.published ?? []) {
      expect(figure.protocol).toBe(table.protocol);
      if (figure.model) expect(findModel(figure.model).name).toBe(figure.model);
      const values = Object.entries(figure.values);
      expect(values.length).toBeGreaterThan(0);
      expect(values.every(([metric, v]) => table.metrics.some((m) => m === metric) && v > 0 && v < 1)).toBe(true);
      expect(publishedText(figure).includes('from memory, unverified')).toBe(figure.read === 'memory');
    }
  });
});

describe('planBench', () => {
  const dataRoot = 'root';

  test('a training for each seed, case and model; presets where a model has them', () => {
    const [{ jobs, leftOut }] = planBench(findBench('kdd'), { dataRoot, seeds: [1, 2] });
    expect(jobs.length % 2).toBe(0);
    expect(jobs.find(({ model }) => model === 'egbad')).toMatchObject({ preset: 'kdd', protocol: 'kdd', seed: 1 });
    expect(jobs.find(({ model }) => model === 'pca')!.preset).toBe(undefined);
    const takers = findBench('kdd').tables[0].entries.filter(({ model }) => findModel(model).inputs.includes('table'));
    expect(jobs.length).toBe(2 * takers.length);
    expect(leftOut.length).toBe(findBench('kdd').tables[0].entries.length - takers.length);
  });

  test('quick: one seed, two classes, few epochs, small parts', () => {
    const [{ jobs }] = planBench(findBench('mnist-one-class'), { dataRoot, quick: true });
    expect(jobs.map(({ model, class: about, seed }) => [model, about, seed])).toEqual(
      ['0', '1'].flatMap((about) => ['autoencoder', 'pca', 'mean-image'].map((model) => [model, about, 1])),
    );
    expect(jobs[0]).toMatchObject({
      config: { epochs: 2 },
      trainLimit: 500,
      validationFraction: 0.01,
      testLimit: 2000,
    });
    expect(jobs[1].config).toEqual({});
    const full = planBench(findBench('mnist-one-class'), { dataRoot })[0].jobs;
    expect([full.length, full[0].config, full[0].trainLimit, full[0].testLimit]).toEqual([
      30,
      {},
      undefined,
      undefined,
    ]);
  });

  test('what is chosen wins; nothing to do is refused', () => {
    const choice = { dataRoot, models: ['PCA'], classes: ['3'], seeds: [7], settings: { pca: { components: 4 } } };
    expect(planBench(findBench('fashion-one-class'), choice)[0].jobs).toEqual([
      expect.objectContaining({ model: 'pca', class: '3', seed: 7, config: { components: 4 }, data: 'fashion-mnist' }),
    ]);
    const parts = { dataRoot, data: ['magnetic_tile'], models: ['pca'] };
    expect(planBench(findBench('industrial-scratch'), parts)[0].jobs.map(({ data }) => basename(data))).toEqual([
      'magnetic_tile',
    ]);
    // A model that one table has stays out of the others; one that none has goes into all.
    const sizes = (models: string[]) =>
      planBench(findBench('industrial'), { ...parts, models }).flatMap(({ jobs }) => jobs.map(({ size }) => size));
    expect(sizes(['stfpm'])).toEqual([[128, 128]]);
    expect(sizes(['vae'])).toEqual([undefined, [128, 128]]);
    const shares = planBench(findBench('contamination'), { dataRoot, models: ['pca'], classes: ['1'] })[0].jobs;
    expect(shares.map(({ contamination }) => contamination)).toEqual([0, 0.01, 0.05, 0.1]);
    expect(() => planBench(findBench('kdd'), { dataRoot, models: ['autoencoder'] })).toThrow(
      'autoencoder is left out: it takes no rows.',
    );
    // Models of images look at frames of clips.
    expect(
      planBench(findBench('frames'), { dataRoot }).flatMap(({ jobs, leftOut }) => [jobs.length, ...leftOut]),
    ).toEqual([5]);
    expect(() => planBench(findBench('mnist-one-class'), { dataRoot, classes: ['12'] })).toThrow(
      expect.objectContaining({ code: 'bench' }),
    );
  });
});

const table: BenchTable = {
  title: 'A <table>',
  protocol: 'kdd',
  kind: 'table',
  cases: [{ data: 'a' }, { data: 'b' }],
  entries: [{ model: 'pca' }],
  metrics: ['item.f1', 'item.auroc'],
  published: [
    { method: 'P', model: 'pca', protocol: 'kdd', values: { 'item.f1': 0.5 }, source: 'S', read: 'paper' },
    { method: 'Q', protocol: 'kdd', values: { 'item.f1': 0.25 }, source: 'T', read: 'memory', remark: 'odd' },
  ],
};
const report = (data: string, seed: number, f1: number, more = {}) => ({
  label: 'pca',
  report: {
    model: 'pca',
    data,
    class: 'normal',
    seed,
    parameters: 12,
    metrics: { item: { f1, auroc: null } },
    counts: { test: 50, testAnomalies: 10 },
    timings: { totalSeconds: 2, fitSeconds: 1 },
    ...more,
  } as unknown as RunReport,
});

describe('summaries', () => {
  const reports = [report('a', 1, 0.1), report('b', 1, 0.3), report('a', 2, 0.4), report('b', 2, 0.6)];
  const summary = summarize(table, reports, ['x is left out.']);

  test('the mean over cases by seed, and the spread of those over seeds', () => {
    expect(summary.rows).toHaveLength(1);
    const [row] = summary.rows;
    expect(row).toMatchObject({ label: 'pca', seeds: 2, cases: 2, prevalence: 0.2, seconds: 2, parameters: 12 });
    expect(row.metrics['item.f1']!.mean).toBeCloseTo(0.35, 12); // of 0.2 and 0.5
    expect(row.metrics['item.f1']!.std).toBeCloseTo(0.3 / Math.SQRT2, 12);
    expect(row.metrics['item.auroc']).toBe(null);
    expect(spreadText(row.metrics['item.f1'])).toBe('0.350 ± 0.212');
    expect(spreadText(row.metrics['item.auroc'])).toBe('–');
    expect(summary.cases.map(({ label, values }) => [label, values[0]?.mean.toFixed(3)])).toEqual([
      ['a, normal', '0.250'],
      ['b, normal', '0.450'],
    ]);
    expect([row.published.length, summary.otherPublished.map(publishedText)]).toEqual([
      1,
      ['Q: F1 0.250 (T; from memory, unverified; odd)'],
    ]);
  });

  test('average precisions below the share of anomalies are named', () => {
    const metrics = (ap: number) => ({ metrics: { item: { f1: 0.5, ap } } });
    const mixed = [
      report('a', 1, 0.5, metrics(0.1)),
      report('b', 1, 0.5, metrics(0.3)),
      report('a', 2, 0.5, metrics(0.2)),
    ];
    const found = summarize(table, mixed, []);
    expect(found.belowPrevalence).toEqual(['pca: AP below the prevalence on a, normal (0.150 of 0.200).']);
    const origin = { cpu: 'C', cores: 2, command: 'oddity bench tiny', version: '0', quick: false };
    expect(benchPage({ name: 'tiny', title: 'made up', seeds: [1], tables: [table] }, [found], origin)).toContain(
      found.belowPrevalence[0],
    );
    expect(summary.belowPrevalence).toEqual([]);
  });

  test('data of which figures are not those of the set is named, and its rows say so', () => {
    const lossy = {
      warnings: [
        { code: 'lossy-copy', message: 'b was decoded from JPEG.' },
        { code: 'slow', message: '-' },
      ],
    };
    const found = summarize(table, [report('a', 1, 0.5), report('b', 1, 0.5, lossy), report('b', 2, 0.5, lossy)], []);
    expect(found.doubts).toEqual(['b was decoded from JPEG.']);
    expect(summary.doubts).toEqual([]);
    const origin = { cpu: 'C', cores: 2, command: 'oddity bench tiny', version: '0', quick: false };
    const page = benchPage({ name: 'tiny', title: 'made up', seeds: [1], tables: [table] }, [found], origin);
    expect(page).toContain('b was decoded from JPEG.');
    const whole = { ...lossy, shape: [2], perType: [], versions: { node: 'v20' } };
    expect(csvRow(report('b', 1, 0.5, whole).report, '0', origin).doubts).toBe('lossy-copy');
  });

  test('shares of contaminants and limited test parts are rows of their own', () => {
    const mixed = [report('a', 1, 0.5, { testLimit: 40 }), report('a', 1, 0.4, { contamination: 0.1 })];
    const about = { ...table, cases: [{ data: 'a', contamination: 0 }] };
    expect(summarize(about, mixed, []).rows.map(({ label, metrics }) => [label, metrics['item.f1']])).toEqual([
      ['pca, p = 0, test-limit 40', { mean: 0.5 }],
      ['pca, p = 0.1', { mean: 0.4 }],
    ]);
  });

  test('the page shows all of it, escaped, and says when it is quick', () => {
    const bench = { name: 'tiny', title: 'made up', seeds: [1], tables: [table] };
    const origin = { cpu: 'C', cores: 2, command: 'oddity bench tiny', version: '0' };
    const page = benchPage(bench, [summary], { ...origin, quick: true });
    for (const text of [
      'A &lt;table&gt;',
      '0.350 ± 0.212',
      'P: F1 0.500 (S)',
      'from memory, unverified',
      'x is left out.',
      '2 cores',
    ])
      expect(page).toContain(text);
    expect(page).toContain(quickBanner);
    expect(page).not.toMatch(/<script|https?:/);
    expect(benchPage(bench, [summary], { ...origin, quick: false })).not.toContain('QUICK');
  });
});
