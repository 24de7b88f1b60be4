/** A stranger's detector, metric and kind: one file in a folder outside, used by the command line and checked by our suites. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { clip, image, table } from '../../dist/kinds/index.js';
import { knn } from '../../dist/models/index.js';
import { checkKind, checkModel } from '../../dist/testing/index.js';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'oddity-plugins-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

writeFileSync(
  join(root, 'mine.mjs'),
  `import { defineKind, defineMetric, defineModel } from 'oddity';
import * as g from 'oddity/graph';
import * as z from 'zod';

export const spread = defineModel({
  name: 'spread',
  title: 'Distance to the mean in deviations',
  idea: 'An item is anomalous when its values lie many standard deviations from their mean.',
  paper: 'Our own.',
  learning: 'one-class',
  inputs: ['image', 'table'],
  learns: 'statistics',
  config: z.strictObject({ floor: z.number().positive().max(1).default(0.05).describe('Least deviation.') }),
  presets: {},
  tiny: {},
  async fit({ floor }, data) {
    const size = data.shape.reduce((n, d) => n * d, 1);
    const [sum, squares] = [new Float64Array(size), new Float64Array(size)];
    for await (const block of data.blocks(64))
      block.data.forEach((v, i) => { sum[i % size] += v; squares[i % size] += v * v; });
    const mean = Float32Array.from(sum, (s) => s / data.count);
    const deviation = Float32Array.from(squares, (s, i) => Math.max(floor, Math.sqrt(Math.max(0, s / data.count - mean[i] ** 2))));
    const tensor = (values) => ({ dtype: 'float32', shape: [...data.shape], data: values });
    return { 'spread.mean': tensor(mean), 'spread.deviation': tensor(deviation) };
  },
  score(config, net, x) {
    const z = g.square(g.div(g.sub(x, net('spread').learnt('mean')), net('spread').learnt('deviation')));
    const map = x.shape.length === 4 ? g.reduceMean(z, { axes: [1], keepDims: true }) : z;
    return { map, score: g.reduceMean(g.flatten(z), { axes: [1] }) };
  },
});

export const hitRate = defineMetric({
  name: 'hitRate',
  level: 'item',
  title: 'hit rate of the worst tenth',
  meaning: 'share of anomalies among the tenth of the items with the highest scores',
  range: [0, 1],
  better: 'larger',
  needs: ['scores', 'labels'],
  compute({ scores, labels }) {
    const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, Math.max(1, Math.floor(scores.length / 10)));
    return order.reduce((n, i) => n + labels[i], 0) / order.length;
  },
});

export const volume = defineKind({
  name: 'volume',
  axes: 5,
  words: { item: 'volume', items: 'volumes', data: 'volumes', place: 'voxel', places: 'voxels' },
  input: { name: 'volume', layout: 'NTCDHW', range: null },
  batch: 8,
  mapShape: ([, , ...sides]) => sides,
  read: async (item) => ({ values: item }),
  locate: () => ({}),
});
`,
);

function oddity(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: root, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

describe('on the command line', () => {
  it('trains, reports, exports and verifies a model of a plugin, with its metric in the report', () => {
    const out = ['--plugin', './mine.mjs', '--out', 'run'];
    const trained = oddity(
      'train',
      'spread',
      '--data',
      'synthetic',
      '--class',
      'texture',
      '--floor',
      '0.1',
      ...out,
      '--threads',
      '1',
    );
    expect(trained.stderr).not.toContain('error');
    expect(trained.code).toBe(0);
    expect(trained.stdout).toContain('hit rate of the worst tenth');
    const report = JSON.parse(readFileSync(join(root, 'run', 'metrics.json'), 'utf8'));
    expect(report.config).toEqual({ floor: 0.1 });
    expect(report.metrics.item.auroc).toBeGreaterThan(0.6);
    const exported = oddity('export', 'run', '--verify', '--plugin', './mine.mjs', '--json');
    expect(exported.code, exported.stderr).toBe(0);
    expect(JSON.parse(exported.stdout).maxDifference).toBeLessThan(1e-4);
    // A file names the plugin too, by its path from the file.
    writeFileSync(
      join(root, 'c.yaml'),
      'plugin: ./mine.mjs\nmodel: spread\ndata: synthetic\nclass: texture\nfloor: 0.2\nout: file\n',
    );
    const filed = oddity('train', '--config', 'c.yaml', '--json', '--quiet');
    expect(filed.code, filed.stderr).toBe(0);
    expect(JSON.parse(filed.stdout).config).toEqual({ floor: 0.2 });
    const help = oddity('models', 'spread', '--plugin', './mine.mjs');
    expect(help.stdout).toContain('Least deviation.');
  });

  it('refuses plugins that do not load, export nothing, or repeat a name', () => {
    const refused = (name: string, text: string) => {
      writeFileSync(join(root, name), text);
      return oddity('models', '--plugin', name);
    };
    expect(refused('broken.mjs', 'export const = 3').stderr).toMatch(
      /The plugin broken\.mjs must be a JavaScript module/,
    );
    expect(refused('empty.mjs', 'export const a = 1;').stderr).toMatch(/exports none of them \(a\)/);
    const twice = refused('twice.mjs', "import { knn } from 'oddity'; export const mine = { ...knn };");
    expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('There is already a model named "knn"')]);
    expect(oddity('models', '--plugin', 'nowhere.mjs').stderr).toMatch(/The plugin nowhere\.mjs must be/);
    expect(oddity('train', 'knn', '--data', 'synthetic', '--set', 'floor=1').stderr).toMatch(
      /knn has no option named "floor"/,
    );
  });

  it('prints the schema of a training', () => {
    const schema = JSON.parse(oddity('schema', 'train', 'knn').stdout);
    expect(schema.properties.seed).toMatchObject({ type: 'integer', flags: ['seed'] });
    expect(schema.properties.config.properties.neighbours).toMatchObject({ type: 'integer', default: 5 });
    expect(oddity('schema', 'trian').stderr).toContain('Did you mean "train"?');
  });
});

describe('in the library', () => {
  it('makes values known by name, and checks them', () => {
    const dist = (path: string) => JSON.stringify(pathToFileURL(join(cli, '..', '..', path)).href);
    writeFileSync(
      join(root, 'library.mjs'),
      `import { findModel, loadPlugin } from ${dist('index.js')};
import { findKind } from ${dist('kinds/index.js')};
import { checkModel } from ${dist('testing/index.js')};
const loaded = await loadPlugin('mine.mjs');
for (const { run } of checkModel(findModel('spread'))) await run();
console.log(JSON.stringify({ ...loaded, axes: findKind('volume').axes }));`,
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, ['library.mjs'], { cwd: root, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      path: 'mine.mjs',
      models: ['spread'],
      metrics: ['hitRate'],
      kinds: ['volume'],
      datasets: [],
      axes: 5,
    });
  }, 120_000);

  it('finds what a model does wrong', async () => {
    const broken = {
      ...knn,
      name: 'broken',
      score: (...args: Parameters<typeof knn.score>) => ({ ...knn.score(...args), score: knn.score(...args).map }),
    };
    const outcomes = await Promise.allSettled(checkModel(broken as never).map(async ({ run }) => run()));
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
  }, 120_000);

  it.each([
    ...checkKind(image, {
      item: { data: new Uint8Array(16).fill(9), width: 4, height: 4 },
      shape: [1, 2, 2],
      refused: [{ data: Float32Array.from({ length: 16 }, () => 7), width: 4, height: 4 }],
    }),
    ...checkKind(clip, {
      item: [9, 90].map((grey) => ({ data: new Uint8Array(16).fill(grey), width: 4, height: 4 })),
      shape: [2, 1, 2, 2],
      refused: [
        [{ data: new Uint8Array(16), width: 4, height: 4 }],
        { data: new Float32Array(8).fill(7) },
        { data: new Float32Array(4) },
      ],
    }),
    ...checkKind(table, {
      item: { a: 1, b: 2 },
      shape: [2],
      context: {
        encoding: {
          scaling: 'none',
          clip: null,
          columns: ['a', 'b'].map((name) => ({ name, kind: 'numeric', offset: 0, scale: 1, fill: 0 }) as const),
        },
      },
      refused: [{ a: 'x', b: 1 }, { a: 1 }],
    }),
  ])('kinds: $name', async ({ run }) => {
    await run();
  });
});
