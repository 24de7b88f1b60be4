/** One contract for every model and kind of input, by its `tiny` options on made-up data: what `defineModel` promises. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Rng } from '../../dist/core/random.js';
import { clipSource, findDataset, movingSquares, registerDataset, type Source } from '../../dist/data/index.js';
import {
  type AnyModel,
  type Detector,
  loadDetector,
  models,
  type RunReport,
  type TrainOptions,
  train,
} from '../../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-models-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Rows about a plane, with a column of texts; anomalies leave the plane. */
function rowsFile(): string {
  const path = join(root, 'rows.csv');
  const rng = new Rng(3);
  const lines = Array.from({ length: 400 }, (_, i) => {
    const [a, b] = rng.normals(2);
    const odd = i % 8 === 7;
    const noise = rng.normals(4, 0, odd ? 1.5 : 0.2);
    const values = [a + noise[0], b + noise[1], a + b + noise[2], a - b + noise[3]].map((v) => v.toFixed(4));
    return [...values, a > 0 ? 'right' : 'left', Number(odd)].join();
  });
  writeFileSync(path, `w,x,y,z,side,label\n${lines.join('\n')}\n`);
  return path;
}

/**
 * Models that are not held to a rank. The discriminator of a plain GAN knows nothing of images that the generator never
 * came near, and planted defects are such: on these textures it ranks at chance, 0.36 to 0.53 over seeds and options.
 * An autoencoder of stacked frames that was trained for a few seconds reconstructs all squares alike, 0.43 to 0.55.
 */
const atChance = new Set(['gan', 'frame-autoencoder']);

/** What is trained on, by kind. */
const tasks = {
  image: { data: 'synthetic', class: 'texture', labelled: { class: 'blob' } },
  table: { data: rowsFile(), labelled: {} },
  series: { data: 'synthetic-series', labelled: {} },
  clip: { data: 'small-squares', labelled: {} },
} as const;

/** Moving squares, small and few. */
registerDataset({
  ...findDataset('moving-squares'),
  name: 'small-squares',
  load: async () =>
    clipSource({ ...(await movingSquares({ size: 32, frames: 80, train: 3, test: 1 })), cacheBytes: 1e6 }),
});

/** Models of rows that are tried on windows of series too: they see nothing but their values. */
const onWindows = new Set(['knn', 'pca', 'vae', 'ganomaly']);

/** Models of images that are tried on frames of clips too, one by one: not held to a rank, since what is odd is motion. */
const onFrames = new Set(['pca', 'padim']);
type Kind = keyof typeof tasks;
const kindsOf = (model: AnyModel) =>
  (Object.keys(tasks) as Kind[]).filter(
    (kind) =>
      model.inputs.includes(kind) ||
      (kind === 'series' && onWindows.has(model.name)) ||
      (kind === 'clip' && onFrames.has(model.name)),
  );

describe.each(models.flatMap((m) => kindsOf(m).map((kind) => [m.name, kind, m] as const)))(
  '%s on a %s',
  (name, kind, model) => {
    const { labelled, ...data } = tasks[kind];
    const options = (out: string): TrainOptions => ({
      model,
      ...data,
      ...(model.learning === 'supervised' && { protocol: 'labelled', ...labelled }),
      config: { ...model.tiny },
      out: join(root, `${name}-${kind}-${out}`),
      threads: 1,
      maps: 0,
    });
    let report: RunReport;
    let detector: Detector;
    let source: Source;
    beforeAll(async () => {
      report = await train(options('first'));
      detector = await loadDetector(options('first').out!, { device: 'cpu', threads: 1 });
      source = await findDataset(tasks[kind].data).load({ root });
      const { windowFrom, window } = source.series ?? {};
      if (windowFrom === 'usual' && window !== detector.shape[0])
        source = await source.seenThrough!(detector.shape[0], 'model');
      source = (await source.prepare?.([...source.items.keys()], { onEvent: () => {} })) ?? source;
    });
    afterAll(() => detector?.close());

    it('fits in seconds, and ranks planted anomalies above chance where it learns', () => {
      expect(report.timings.fitSeconds).toBeLessThan(60);
      const seesNoMotion = kind === 'clip' && !model.inputs.includes('clip');
      if (model.learns !== 'none' && !atChance.has(name) && !seesNoMotion)
        expect(report.metrics.item.auroc).toBeGreaterThan(0.55);
      // Where several steps pull against each other no loss need fall: only phases of one step are held to it.
      const losses = (record: { metrics: object }) => Object.keys(record.metrics).filter((n) => n.endsWith('.loss'));
      const alone = (report.history ?? []).filter((record) => losses(record).length === 1);
      const last = alone.filter((record) => record.phase === alone.at(-1)!.phase);
      if (last.length > 1) expect(last.at(-1)!.trainingLoss).toBeLessThan(last[0].trainingLoss);
    });

    it('gives the same bytes for the same seed', async () => {
      await train(options('again'));
      for (const file of ['model.onnx', 'predictions.csv']) {
        const [first, again] = ['first', 'again'].map((out) => readFileSync(join(options(out).out!, file)));
        expect(again.equals(first), file).toBe(true);
      }
    });

    it('scores an item alone as among others, with a map of its size', async () => {
      const size = source.shape.reduce((n, d) => n * d, 1); // values of an item
      const area = kind === 'clip' ? source.shape[2] * source.shape[3] : size; // of its map, with one channel
      const items = new Float32Array(8 * size);
      await source.read([0, 1, 2, 3, 4, 5, 6, 7], items);
      const { scores, maps } = await detector.score(items, 8);
      expect(maps).toHaveLength(8 * area);
      expect([...scores, ...maps].every(Number.isFinite)).toBe(true);
      const alone = await detector.score(items.slice(5 * size, 6 * size), 1);
      expect(Math.abs(alone.scores[0] - scores[5])).toBeLessThan(1e-6 * Math.max(10, Math.abs(scores[5])));
      expect(Math.max(...alone.maps.map((v, i) => Math.abs(v - maps[5 * area + i])))).toBeLessThan(1e-4);
    });

    it.runIf(kind === 'table' && model.learns !== 'none')('names the column that is off', async () => {
      const width = source.shape[0];
      const normal = [...source.items.keys()].filter((i) => source.items[i].class === source.normalClass).slice(0, 20);
      const rows = new Float32Array(normal.length * width);
      await source.read(normal, rows);
      let named = 0;
      for (let column = 0; column < 4; column++) {
        const off = rows.slice();
        for (let i = 0; i < normal.length; i++) off[i * width + column] += i % 2 === 0 ? 8 : -8;
        const { maps } = await detector.score(off, normal.length);
        for (let i = 0; i < normal.length; i++) {
          const own = [...maps.subarray(i * width, (i + 1) * width)];
          if (own.indexOf(Math.max(...own)) === column) named++;
        }
      }
      // By chance one of five.
      expect(named / (4 * normal.length)).toBeGreaterThan(0.5);
    });

    it('describes every option with a default, and has presets and tiny options that fit', () => {
      const { properties = {} } = z.toJSONSchema(model.config, { io: 'input' }) as {
        properties?: Record<string, { description?: string; default?: unknown }>;
      };
      for (const [key, property] of Object.entries(properties)) {
        expect(property.description, key).toMatch(/\S.*\.$/);
        expect(property.default, key).toBeDefined();
      }
      for (const some of [model.tiny, ...Object.values(model.presets)]) {
        expect(model.config.safeParse(some).success).toBe(true);
      }
    });
  },
);
