import { beforeAll, describe, expect, it } from 'vitest';
import { findBackbone } from '../../backbones/index.ts';
import { loadWeights } from '../../backbones/load.ts';
import { Rng } from '../../core/random.ts';
import type { Tensors } from '../../core/tensor.ts';
import { valuesSource } from '../../data/pure.ts';
import { asRows } from '../../models/parts/features.ts';
import { type MutualOptions, mutualFeatures } from '../../models/parts/mutual.ts';
import { openRuntime } from '../../runtime/index.ts';
import { fitData } from '../fitting/items.ts';
import { suggestCut } from './cut.ts';
import { neighbourScores, rankUnlabelled } from './mutual.ts';
import { rankRows } from './rows.ts';

describe('rows', () => {
  it('are as odd as they are far from the nearest others, by a plain search', () => {
    const [count, width, neighbours] = [40, 3, 4];
    const rows = Float32Array.from(new Rng(1).normals(count * width, 0, 1));
    rows.set([9, 0, 0], 5 * width);
    const { scores, maps } = rankRows(rows, width, { neighbours, references: 100, rng: new Rng(2) });
    for (let i = 0; i < count; i++) {
      const squares = Array.from({ length: count }, (_, j) =>
        [0, 1, 2].reduce((sum, c) => sum + (rows[i * width + c] - rows[j * width + c]) ** 2, 0),
      ).filter((_, j) => j !== i);
      const nearest = squares.sort((a, b) => a - b).slice(0, neighbours);
      expect(scores[i]).toBeCloseTo(Math.sqrt(nearest.reduce((a, b) => a + b) / neighbours), 5);
    }
    expect(scores.indexOf(Math.max(...scores))).toBe(5);
    expect(maps[5 * width]).toBeGreaterThan(10 * maps[5 * width + 1]);
  });

  it('are compared with a part of the others where there are many', () => {
    const rows = Float32Array.from(new Rng(3).normals(500 * 2, 0, 1));
    rows.set([30, 30], 100);
    const { scores } = rankRows(rows, 2, { neighbours: 5, references: 50, rng: new Rng(4) });
    expect(scores.indexOf(Math.max(...scores))).toBe(50);
  });
});

describe('a cut', () => {
  it('lies above nearly all of normal scores, and few odd ones hardly move it', () => {
    const scores = new Rng(5).normals(300, 0, 0.2).map(Math.exp);
    const cut = suggestCut(scores);
    expect(scores.filter((s) => s > cut).length).toBeLessThan(4);
    const odd = Array.from({ length: 10 }, (_, i) => 4 + i);
    const other = suggestCut([...scores, ...odd]);
    expect(other).toBeLessThan(1.1 * cut);
    expect(Math.min(...odd)).toBeGreaterThan(other);
  });

  it('is not suggested where half of the scores are equal', () => {
    expect(suggestCut([1, 1, 1, 1, 9])).toBe(Number.POSITIVE_INFINITY);
    expect(suggestCut([0, 0, 0, 1, 9])).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('images', () => {
  const [count, side] = [4, 16];
  const options: MutualOptions = {
    ...{ backbone: 'oddity', weights: '', taps: 'fine', preparation: 'own' },
    ...{ neighbourhoods: [1, 3], share: 0.6, leastSide: 1, finest: 16, smoothing: 0, pooling: 'max' },
  };
  let pretrained: Tensors;

  beforeAll(async () => {
    const weights = await loadWeights(findBackbone('oddity'), { root: '.' });
    pretrained = Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [`backbone.${name}`, tensor]));
  });

  it('are compared patch by patch with the most alike of the others, as the paper has it', async () => {
    const values = new Rng(6).uniforms(count * side * side);
    const source = await valuesSource({ kind: 'image', shape: [1, side, side], values: Float32Array.from(values) });
    const items = Uint32Array.from({ length: count }, (_, i) => i);
    const runtime = await openRuntime('reference');
    try {
      const shared = { source, runtime, pretrained, rng: new Rng(7) };
      const maps: Float32Array[] = [];
      const onImage = ({ map }: { map: Float32Array }) => maps.push(map.slice());
      const ranked = await rankUnlabelled({ ...shared, items, options, references: 100, onImage });
      const grids: { data: Float32Array; places: number; width: number }[] = [];
      const { through } = fitData({ ...shared, train: items });
      const build: Parameters<typeof through>[1] = (net, x) =>
        Object.fromEntries(mutualFeatures(options, net, x).map((grid, i) => [`g${i}`, asRows(grid)]));
      for await (const { outputs } of through('features', build, count))
        for (const { data, shape } of Object.values(outputs))
          grids.push({ data: data as Float32Array, places: Number(shape[1]), width: Number(shape[2]) });
      expect(grids.length).toBe(2);
      for (let i = 0; i < count; i++) {
        let mean = 0;
        let highest = 0;
        const sums = new Float64Array(grids[0].places);
        for (const { data, places, width } of grids) {
          for (let p = 0; p < places; p++) {
            const own = data.subarray((i * places + p) * width, (i * places + p + 1) * width);
            const near = items.slice().filter((j) => j !== i);
            const distances = Array.from(near, (j) => {
              let most = -1;
              for (let q = 0; q < places; q++) {
                let dot = 0;
                for (let c = 0; c < width; c++) dot += own[c] * data[(j * places + q) * width + c];
                most = Math.max(most, dot);
              }
              return 1 - most;
            }).sort((a, b) => a - b);
            const nearest = distances.slice(0, Math.round(0.6 * (count - 1)));
            sums[p] += nearest.reduce((a, b) => a + b) / nearest.length / grids.length;
          }
        }
        mean = sums.reduce((a, b) => a + b) / sums.length;
        highest = sums.reduce((a, b) => Math.max(a, b));
        // A map runs straight between the places of its grid, and is level outside of the first and the last.
        expect(ranked.means[i]).toBeCloseTo(mean, 5);
        expect(ranked.scores[i]).toBeCloseTo(highest, 5);
        expect(ranked.scores[i]).toBeGreaterThan(mean);
        expect(ranked.scores[i]).toBeCloseTo(Math.max(...maps[i]), 5);
      }
    } finally {
      await runtime.close();
    }
  });

  it('look at the scores of those that are most alike as a whole', () => {
    const descriptors = Float32Array.of(1, 0, 1, 0.1, 0, 1, 0.1, 1);
    const scores = Float32Array.of(0, 1, 4, 2);
    const found = neighbourScores(scores, descriptors, [1, 2]);
    const w = 1 / Math.sqrt(1.01);
    const unit = [0, 0.25, 1, 0.5];
    const pair = (a: number, b: number) => (unit[a] + w * unit[b]) / (1 + w);
    [
      [0, 1],
      [1, 0],
      [2, 3],
      [3, 2],
    ].forEach(([a, b], i) => {
      expect(found[i]).toBeCloseTo((unit[a] + pair(a, b)) / 2, 5);
    });
  });
});
