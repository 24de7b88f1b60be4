/** What is done with a run's scores and maps: pixel metrics, intervals, types, thresholds, predictions with regions. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePng, readNpy, synthetic } from '../../dist/data/index.js';
import * as g from '../../dist/graph/index.js';
import {
  loadDetector,
  type PredictResult,
  predict,
  type RunReport,
  test as testRun,
  threshold,
  train,
} from '../../dist/index.js';
import { pixelMetrics } from '../../dist/metrics/index.js';

const root = mkdtempSync(join(tmpdir(), 'oddity-judging-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const withCode = (code: string) => expect.objectContaining({ code });
const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));

const run = join(root, 'run');
let report: RunReport;
let source: Awaited<ReturnType<typeof synthetic>>;
/** Item numbers of the test part. */
let items: number[];
const labelOf = (item: number) => (source.items[item].class === 0 ? 0 : 1);

beforeAll(async () => {
  report = await train({ model: 'mean-image', data: 'synthetic', class: 'texture', out: run, threads: 1 });
  source = await synthetic();
  items = source.items.flatMap((item, i) => (item.part === 'test' ? [i] : []));
});

describe('the report', () => {
  it('has pixel metrics of the maps that the shipped bytes make', async () => {
    const detector = await loadDetector(run);
    const images = new Float32Array(items.length * 256);
    const masks = new Uint8Array(items.length * 256);
    await source.read(items, images);
    await source.readMasks!(items, masks);
    const { maps } = await detector.score(images, items.length);
    await detector.close();
    const pixels = pixelMetrics();
    for (const i of items.keys()) {
      const [from, to] = [256 * i, 256 * (i + 1)];
      pixels.add({ map: maps.subarray(from, to), mask: masks.subarray(from, to), height: 16, width: 16 });
    }
    const { auroc, ap, aupro } = pixels.result();
    expect(report.metrics.map).toMatchObject({ auroc, ap, aupro });
    expect(report.metrics.map!.auroc).toBeGreaterThan(0.9);
    const aupimo = null; // too few normal pixels
    expect(report.baselines['mean-image'].map).toEqual({ auroc, ap, aupro, aupimo });
    expect(report.reasons.map!.aupimo).toContain('more or larger normal images');
    expect(report.baselines.random.map!.auroc).toBeLessThan(0.7);
  });

  it('has intervals around the metrics, and the types of anomalies', async () => {
    for (const name of ['auroc', 'ap', 'f1Max'] as const) {
      const [low, high] = report.intervals.item[name]!;
      expect(low).toBeLessThan(report.metrics.item[name]!);
      expect(high).toBeGreaterThan(report.metrics.item[name]!);
    }
    // The only type of this data: its figures are those of the whole.
    expect(report.perType).toEqual([
      {
        type: 'blob',
        count: 50,
        metrics: { auroc: report.metrics.item.auroc, ap: report.metrics.item.ap },
        recall: report.threshold.testRecall,
        meanScore: expect.any(Number),
      },
    ]);
    expect((await testRun({ run })).perType).toEqual(report.perType);
  });

  it('says why there are no pixel metrics where the masks have no anomalous pixel', async () => {
    // Here the blobs are normal, and a texture without one is the anomaly.
    const out = join(root, 'no-pixels');
    const { metrics, reasons } = await train({ model: 'random', data: 'synthetic', class: 'blob', out, maps: 0 });
    expect(metrics.map).toMatchObject({ auroc: null, ap: null, aupro: null });
    expect(reasons.map!.aupro).toContain('pixels are normal; both kinds are needed');
  });
});

describe('the exported file', () => {
  it('holds raw scores and no threshold', () => {
    const { graph, metadata } = g.decodeModel(readFileSync(join(run, 'model.onnx')));
    expect(graph.outputs.map((o) => o.name)).toEqual(['score', 'map', 'reconstruction']);
    expect(Object.keys(metadata).sort()).toEqual(['config', 'data', 'format', 'model', 'oddity', 'shape']);
    expect(json(run, 'model.json').threshold.value).toBe(report.threshold.value);
  });
});

describe('threshold', () => {
  const scores = () => {
    const rows = readFileSync(join(run, 'predictions.csv'), 'utf8').trim().split('\n').slice(1);
    return rows.map((row) => ({ label: Number(row.split(',')[2]), score: Number(row.split(',')[3]) }));
  };

  it('by false-alarm rate comes from normals alone that the detectors that score them did not see', async () => {
    const {
      threshold: made,
      before,
      written,
    } = await threshold({
      run,
      policies: [{ by: 'false-alarm-rate', rate: 0.25 }],
    });
    const { normalScores } = json(run, 'model.json');
    // 15 held out and 135 in ten folds. k = ⌈(150 + 1)(1 − 0.25)⌉ = 114: 36 reach it.
    expect(made.value).toBeGreaterThan(normalScores[113]);
    expect(made.value).toBeLessThan(normalScores[114]);
    expect(made).toMatchObject({ sawTest: false, normals: 150, folds: 10, empiricalRate: 36 / 150, reason: null });
    expect(made.interval[0]).toBeLessThan(0.2);
    expect(made.rateInterval[0]).toBe(0);
    expect(made.rateInterval[1]).toBeGreaterThan(0.25);
    expect(made.rateInterval[1]).toBeLessThan(0.32);
    expect(before).toEqual(report.threshold);
    expect(written).toBeNull();
  });

  it.each([
    ['miss rate', { by: 'miss-rate', rate: 0.1 }],
    ['F-beta', { by: 'f-beta', beta: 2 }],
    ['cost', { by: 'cost', falseAlarm: 1, miss: 10 }],
  ] as const)('by %s says that it saw the test part', async (_name, policy) => {
    const { threshold: made } = await threshold({ run, policies: [policy] });
    expect(made).toMatchObject({ sawTest: true, wantedFalseAlarmRate: null, normals: 150 });
    expect(made.rule).toContain('on the labelled test part');
    const anomalous = scores().filter((s) => s.label === 1);
    expect(made.testRecall).toBe(anomalous.filter((s) => s.score >= made.value!).length / anomalous.length);
    expect(made.testRecall).toBeGreaterThanOrEqual(0.9);
  });

  it('by two policies leaves a band to review; what keeps misses low is its lower end', async () => {
    const policies = [
      { by: 'false-alarm-rate', rate: 0.1 },
      { by: 'miss-rate', rate: 0.1 },
    ] as const;
    const { threshold: band } = await threshold({ run, policies });
    const [alarm, low] = await Promise.all(policies.map((policy) => threshold({ run, policies: [policy] })));
    expect(band.value).toBe(alarm.threshold.value);
    expect(band.review!.from).toBe(low.threshold.value);
    expect(band.sawTest).toBe(true);
    expect(band.testRecall! + band.review!.testAnomalies!).toBeCloseTo(low.threshold.testRecall!, 10);
    expect(band.empiricalRate! + band.review!.empiricalRate!).toBeCloseTo(low.threshold.empiricalRate!, 10);
    // Where every alarm already misses little, nobody needs to look.
    const crossed = await threshold({ run, policies: [{ by: 'value', value: 0 }, policies[1]] });
    expect(crossed.threshold).toMatchObject({ value: 0 });
    expect(crossed.threshold.review).toBeUndefined();
  });

  it('refuses what cannot be', async () => {
    const policies = [{ by: 'false-alarm-rate', rate: 0.1 }] as const;
    await expect(threshold({ run, policies: [...policies, ...policies, ...policies] })).rejects.toThrow(
      withCode('threshold-policies'),
    );
    await expect(threshold({ run, policies: [{ by: 'cost', falseAlarm: -1, miss: 1 }] })).rejects.toThrow(
      withCode('costs'),
    );
    const exported = join(root, 'exported');
    mkdirSync(exported);
    for (const name of ['model.onnx', 'model.json']) copyFileSync(join(run, name), join(exported, name));
    await expect(threshold({ run: exported, policies: [{ by: 'f-beta', beta: 1 }] })).rejects.toThrow(
      withCode('no-labels'),
    );
    expect((await threshold({ run: exported, policies })).threshold.testRecall).toBeUndefined();
    const bare = join(root, 'bare');
    await train({ model: 'random', data: 'synthetic', class: 'texture', out: bare, validationFraction: 0, maps: 0 });
    await expect(threshold({ run: bare, policies })).rejects.toThrow(withCode('no-threshold'));
    const byHand = await threshold({ run: bare, policies: [{ by: 'value', value: 0.5 }] });
    expect(byHand.threshold).toMatchObject({ value: 0.5, empiricalRate: null, interval: [0, 1], sawTest: false });
    const looking = await threshold({ run: bare, policies: [{ by: 'value', value: 0.5, sawTest: true }] });
    expect(looking.threshold).toMatchObject({
      value: 0.5,
      sawTest: true,
      rule: 'a value set by hand while looking at the test set',
    });
  });

  it('when written is respected by predict and test, with its band and its banner', async () => {
    const copy = join(root, 'copy');
    cpSync(run, copy, { recursive: true });
    const onnx = readFileSync(join(copy, 'model.onnx'));
    const sorted = scores()
      .map((s) => s.score)
      .sort((a, b) => a - b);
    const [low, high] = [sorted[40], sorted[60]];
    const policies = [low, high].map((value) => ({ by: 'value', value }) as const);
    const { written } = await threshold({ run: copy, policies, write: true });
    expect(written).toBe(join(copy, 'model.json'));
    expect(readFileSync(join(copy, 'model.onnx')).equals(onnx)).toBe(true);
    const again = await testRun({ run: copy });
    expect(again.threshold).toMatchObject({ value: high, sawTest: false, review: { from: low } });
    expect(again.metrics).toEqual(report.metrics);
    const detector = await loadDetector(copy);
    expect([low - 1e-6, low, high - 1e-6, high].map(detector.decide)).toEqual([
      'normal',
      'review',
      'review',
      'anomalous',
    ]);
    expect(() => detector.decide(Number.NaN)).toThrow(withCode('no-score'));
    await detector.close();
    await threshold({ run: copy, policies: [{ by: 'f-beta', beta: 1 }], write: true });
    expect(json(copy, 'model.json').threshold.sawTest).toBe(true);
    expect(json(copy, 'model.json').threshold.testRecall).toBeUndefined();
    expect((await testRun({ run: copy })).threshold.sawTest).toBe(true);
  });
});

describe('predictions', () => {
  let result: PredictResult;
  const count = 40;
  const maps = join(root, 'maps');
  beforeAll(async () => {
    const folder = join(root, 'images');
    mkdirSync(folder);
    const pixels = new Float32Array(items.length * 256);
    await source.read(items, pixels);
    const images = items.slice(0, count).map((item, i) => {
      const data = Uint8Array.from(pixels.subarray(256 * i, 256 * (i + 1)), (v) => Math.round(255 * v));
      const path = join(folder, `${item}.png`);
      writeFileSync(path, encodePng({ height: 16, width: 16, channels: 1, data }));
      return path;
    });
    result = await predict({ run, images, maps, mapFormats: ['overlay', 'png16', 'npy'] });
  });

  it('have regions where defects are, and hardly any on normal images', async () => {
    expect(result).toMatchObject({ mapSize: { height: 16, width: 16 }, failed: [] });
    expect(result.mapThreshold).toBe(json(run, 'model.json').mapThreshold.value);
    const found = result.predictions.map((p, i) => ({ ...p, label: labelOf(items[i]), item: items[i] }));
    const withRegions = (label: number) => found.filter((p) => p.label === label && p.regions.length > 0).length;
    // Of 150 normals the threshold is the largest peak but one at most: hardly any of 20 goes beyond it.
    expect(withRegions(0)).toBeLessThanOrEqual(3);
    expect(withRegions(1)).toBeGreaterThanOrEqual(10);
    for (const { regions, item, label } of found) {
      const [first, ...rest] = regions;
      if (!first || label === 0) continue;
      expect(rest.every((r) => r.peak <= first.peak)).toBe(true);
      expect(first.area).toBeLessThanOrEqual(first.width * first.height);
      const mask = new Uint8Array(256);
      await source.readMasks!([item], mask);
      const inBox = mask.filter(
        (v, p) =>
          v &&
          p % 16 >= first.x &&
          p % 16 < first.x + first.width &&
          p >> 4 >= first.y &&
          p >> 4 < first.y + first.height,
      );
      expect(inBox.length).toBeGreaterThan(0);
    }
  });

  it('score as the run did, and read as shares of normals', () => {
    const kept = readFileSync(join(run, 'predictions.csv'), 'utf8').split('\n').slice(1);
    for (const [i, p] of result.predictions.entries()) expect(p.score).toBeCloseTo(Number(kept[i].split(',')[3]), 5);
    const { normalScores } = json(run, 'model.json') as { normalScores: number[] };
    for (const p of result.predictions) {
      expect(p.pValue).toBe((1 + normalScores.filter((s) => s >= p.score).length) / (1 + normalScores.length));
      expect(p.decision).toBe(p.score >= report.threshold.value! ? 'anomalous' : 'normal');
    }
  });

  it('have regions in pixels of the image, whatever size the model takes', async () => {
    const first = result.predictions.find((p) => p.regions.length > 0)!;
    const grey = await sharp(first.path).raw().toBuffer();
    const big = Buffer.alloc(3 * 64 * 32);
    for (let y = 0; y < 64; y++)
      for (let x = 0; x < 32; x++)
        big.fill(grey[3 * ((y >> 2) * 16 + (x >> 1))], 3 * (y * 32 + x), 3 * (y * 32 + x) + 3);
    const path = join(root, 'big.png');
    writeFileSync(path, encodePng({ height: 64, width: 32, channels: 3, data: big }));
    const { predictions } = await predict({ run, images: [path] });
    expect(predictions[0].imageSize).toEqual({ height: 64, width: 32 });
    // Shrinking it again blurs a little: the box may be a pixel of the map off.
    const [{ x, y, width, height }] = first.regions;
    const [seen] = predictions[0].regions;
    for (const [found, wanted, step] of [
      [seen.x, x, 2],
      [seen.y, y, 4],
      [seen.x + seen.width, x + width, 2],
      [seen.y + seen.height, y + height, 4],
    ])
      expect(Math.abs(found - wanted * step)).toBeLessThanOrEqual(step);
    expect(seen.area % 8).toBe(0);
  });

  it('leave maps as numbers and pictures', async () => {
    const { maps: files, regions } = result.predictions.find((p) => p.regions.length > 0)!;
    const npy = await readNpy(readFileSync(files!.npy!), 'map');
    expect([npy.dtype, npy.shape]).toEqual(['float32', [16, 16]]);
    const values = npy.data as Float32Array;
    expect(Math.max(...values)).toBe(regions[0].peak);
    const { data, info } = await sharp(readFileSync(files!.png16!))
      .toColourspace('grey16')
      .raw({ depth: 'ushort' })
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([16, 16]);
    const { low, high, mapThreshold } = json(files!.png16!.replace(/png$/, 'json'));
    expect(mapThreshold).toBe(result.mapThreshold);
    const grey = new Uint16Array(data.buffer, data.byteOffset, 256 * info.channels);
    for (const [p, v] of values.entries())
      expect(Math.abs(low + ((high - low) * grey[p * info.channels]) / 65535 - v)).toBeLessThanOrEqual(
        (high - low) / 65535,
      );
    // The line runs where the map reaches its threshold, and nowhere else.
    const overlay = await sharp(readFileSync(files!.overlay!)).raw().toBuffer();
    const side = Math.sqrt(overlay.length / 3);
    let line = 0;
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const at = 3 * (y * side + x);
        if (overlay[at] !== 0 || overlay[at + 1] !== 255 || overlay[at + 2] !== 255) continue;
        line++;
        expect(values[Math.floor((16 * y) / side) * 16 + Math.floor((16 * x) / side)]).toBeGreaterThanOrEqual(
          mapThreshold,
        );
      }
    }
    expect(line).toBeGreaterThan(0);
    expect(readdirSync(maps)).toHaveLength(4 * count);
  });

  it('refuse a format that is none', async () => {
    await expect(predict({ run, images: [], mapFormats: ['pgn16' as never] })).rejects.toThrow(
      'There is no map format named "pgn16". Did you mean "png16"?',
    );
  });
});
