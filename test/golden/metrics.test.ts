/** Metrics against scikit-learn, SciPy and NumPy (metrics.json, made by metrics.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  aupro,
  auroc,
  averagePrecision,
  bootstrap,
  type Costs,
  connectedRegions,
  dice,
  iou,
  pairedBootstrap,
  pixelMetrics,
  thresholdForCost,
  thresholdForFBeta,
  tnrAtFnr,
  tprAtFpr,
} from '../../src/metrics/index.ts';

const golden: {
  items: { auroc: number; ap: number; rates: number[]; tprAtFpr: number[]; tnrAtFnr: number[] };
  fBeta: { beta: number; value: number; threshold: number }[];
  cost: { costs: Costs; expected: number; threshold: number };
  bootstrap: { auroc: number[]; difference: number; differenceInterval: number[] };
  pixels: { auroc: number; ap: number; aupro: { limit: number; value: number }[]; dice: number; iou: number };
  regions: number[][][];
} = JSON.parse(readFileSync(new URL('./metrics.json', import.meta.url), 'utf8'));

/** x <- (1103515245 x + 12345) mod 2^31; x / 2^31. */
function stream(seed: number, n: number): number[] {
  let x = BigInt(seed);
  return Array.from({ length: n }, () => {
    x = (1103515245n * x + 12345n) % 2147483648n;
    return Number(x) / 2147483648;
  });
}
const twoDecimals = (v: number) => Math.floor(100 * v) / 100;

describe('400 items', () => {
  const r = stream(1, 800);
  const labels = r.slice(0, 400).map((v) => (v < 0.25 ? 1 : 0));
  const a = r.slice(400).map((v, i) => twoDecimals(v + 0.5 * labels[i]));
  const b = stream(2, 400).map((v, i) => twoDecimals(v + 0.3 * labels[i]));

  test('AUROC, AP, recall at fixed false-alarm rates, specificity at fixed miss rates', () => {
    expect(auroc(a, labels)).toBeCloseTo(golden.items.auroc, 12);
    expect(averagePrecision(a, labels)).toBeCloseTo(golden.items.ap, 12);
    for (const [i, rate] of golden.items.rates.entries()) {
      expect(tprAtFpr(a, labels, rate)).toBeCloseTo(golden.items.tprAtFpr[i], 12);
      expect(tnrAtFnr(a, labels, rate)).toBeCloseTo(golden.items.tnrAtFnr[i], 12);
    }
  });

  test.each(golden.fBeta)('F-beta for beta $beta', ({ beta, value, threshold }) => {
    const found = thresholdForFBeta(a, labels, beta);
    expect(found.fBeta).toBeCloseTo(value, 11);
    expect(found.threshold).toBe(atOrBelowFloat32(threshold));
  });

  test('least expected cost', () => {
    const found = thresholdForCost(a, labels, golden.cost.costs);
    expect(found.expectedCost?.here).toBeCloseTo(golden.cost.expected, 11);
    expect(found.threshold).toBe(atOrBelowFloat32(golden.cost.threshold));
  });

  test('bootstrap intervals, up to the chance of the draws', () => {
    const [low, high] = bootstrap(a, labels, auroc, { seed: 1, rounds: 800 })!;
    expect(Math.abs(low - golden.bootstrap.auroc[0])).toBeLessThan(0.008);
    expect(Math.abs(high - golden.bootstrap.auroc[1])).toBeLessThan(0.008);
    const paired = pairedBootstrap(a, b, labels, auroc, { seed: 1, rounds: 800, level: 0.9 });
    expect(paired.difference).toBeCloseTo(golden.bootstrap.difference, 12);
    for (const side of [0, 1]) {
      expect(Math.abs(paired.interval![side] - golden.bootstrap.differenceInterval[side])).toBeLessThan(0.008);
    }
  });
});

/** The largest float32 <= value: thresholds keep catching their score after float32 storage. */
function atOrBelowFloat32(value: number): number {
  const single = Math.fround(value);
  if (single <= value) return single;
  const bits = new Int32Array(Float32Array.of(single).buffer);
  bits[0]--; // the values here are positive
  return new Float32Array(bits.buffer)[0];
}

describe('four maps of 24 x 20', () => {
  const [height, width] = [24, 20];
  const masks = [0, 1, 2, 3].map((i) => {
    const seeds = stream(10 + i, height * width).map((v) => v < 0.06 * i);
    // A pixel and its left neighbour: dilation to the right.
    return Uint8Array.from(seeds, (inside, at) => (inside || (at % width > 0 && seeds[at - 1]) ? 1 : 0));
  });
  const maps = masks.map((mask, i) => stream(20 + i, height * width).map((v, at) => twoDecimals(v + 0.4 * mask[at])));
  const singles = maps.map((map) => Float32Array.from(map));

  test.each(golden.pixels.aupro)('AUPRO up to $limit', ({ limit, value }) => {
    expect(aupro(singles, masks, height, width, limit)).toBeCloseTo(value, 10);
  });

  test('pixel AUROC, pixel AP, Dice and IoU', () => {
    const pixels = pixelMetrics();
    for (const [i, map] of singles.entries()) pixels.add({ map, mask: masks[i], height, width });
    const found = pixels.result();
    expect(found.auroc).toBeCloseTo(golden.pixels.auroc, 12);
    expect(found.ap).toBeCloseTo(golden.pixels.ap, 12);
    const truth = masks.flatMap((mask) => [...mask]);
    const predicted = maps.flat().map((v) => (v >= 0.9 ? 1 : 0));
    expect(dice(predicted, truth)).toBeCloseTo(golden.pixels.dice, 12);
    expect(iou(predicted, truth)).toBeCloseTo(golden.pixels.iou, 12);
  });

  test.each([0, 1, 2, 3])('regions of mask %i', (i) => {
    const { regions } = connectedRegions(masks[i], height, width, maps[i]);
    expect(regions.length).toBe(golden.regions[i].length);
    for (const [k, r] of regions.entries()) {
      const [x, y, w, h, area, centreX, centreY, peak] = golden.regions[i][k];
      expect(r).toMatchObject({ x, y, width: w, height: h, area, peak });
      expect(r.centre.x).toBeCloseTo(centreX, 8);
      expect(r.centre.y).toBeCloseTo(centreY, 8);
    }
  });
});
