import { describe, expect, test } from 'vitest';
import { Rng } from '../core/random.ts';
import {
  auroc,
  averagePrecision,
  bootstrap,
  defineMetric,
  f1Max,
  findMetric,
  idOf,
  itemIntervals,
  measureItems,
  measureMaps,
  metrics,
  type PixelMetrics,
  pairedBootstrap,
  pairedIntervals,
  pixelMetrics,
  readMetric,
  registerMetric,
  withOwnMetrics,
} from './index.ts';
import { type RankCounts, rankCounter, rankCounts } from './rank-counts.ts';

const labels = Uint8Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 1 : 0));
const scoresOf = (seed: number) => new Rng(seed).normals(60).map((v, i) => v + labels[i]);
const scores = scoresOf(1);

const description = {
  level: 'item',
  title: 'own',
  meaning: 'made up for a test',
  range: [0, 1],
  better: 'higher',
} as const;

describe('measureItems', () => {
  test('gives each metric that applies, by name', () => {
    const { values, reasons } = measureItems({ scores, labels });
    expect(values).toEqual({
      auroc: auroc(scores, labels),
      ap: averagePrecision(scores, labels),
      f1Max: f1Max(scores, labels)!.f1,
      prevalence: 1 / 3,
    });
    expect(reasons).toEqual({});
  });

  test('what a protocol states adds metrics; a class of which there are none is a reason', () => {
    const heldOut = labels.map((y, i) => (y === 1 && i > 30 ? 1 : 0));
    const clips = labels.map((_, i) => i % 2);
    const { values } = measureItems({ scores, labels, share: 1 / 3, heldOut, clips });
    expect(Object.keys(values)).toEqual(metrics.filter((m) => m.level === 'item').map((m) => m.name));
    const seen = [...labels.keys()].filter((i) => heldOut[i] === 0);
    expect(values.seenAuroc).toBe(
      auroc(
        seen.map((i) => scores[i]),
        seen.map((i) => labels[i]),
      ),
    );
    const none = measureItems({ scores, labels, heldOut: new Uint8Array(60) });
    expect([none.values.seenAuroc, none.values.heldOutAuroc]).toEqual([none.values.auroc, null]);
    expect(none.reasons.heldOutAuroc).toBe('No anomalous test item is of a class that training was kept from.');
  });

  test('a need that is null is a reason, one that is left out leaves the metric out', () => {
    const recall = defineMetric({
      ...description,
      name: 'recallAtThreshold',
      needs: ['threshold'],
      compute: ({ scores, threshold }) => Array.from(scores).filter((s) => s >= threshold).length / scores.length,
    });
    expect(measureItems({ scores, labels, threshold: Number.NEGATIVE_INFINITY }, [recall]).values).toEqual({
      recallAtThreshold: 1,
    });
    expect(measureItems({ scores, labels, threshold: null }, [recall])).toEqual({
      values: { recallAtThreshold: null },
      reasons: { recallAtThreshold: 'There is no threshold.' },
    });
    expect(measureItems({ scores, labels }, [recall]).values).toEqual({});
  });

  test('scores are sorted once for all metrics, and not at all where none asks', () => {
    const seen: RankCounts[] = [];
    const watching = ['a', 'b'].map((name) =>
      defineMetric({
        ...description,
        name,
        needs: ['both-labels'],
        compute({ ranks }) {
          seen.push(ranks);
          return 0.5;
        },
      }),
    );
    measureItems({ scores, labels }, watching);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBe(seen[1]);
  });

  test('a value that is no number is null and says so', () => {
    const broken = defineMetric({ ...description, name: 'broken', compute: () => Number.NaN });
    expect(measureItems({ scores, labels }, [broken])).toEqual({
      values: { broken: null },
      reasons: { broken: 'It came out as NaN.' },
    });
  });
});

test('names and needs are checked by types', () => {
  const { values } = measureItems({ scores, labels });
  // @ts-expect-error there is no such metric
  expect(values.aurok).toBe(undefined);
  const undeclared = defineMetric({
    ...description,
    name: 'undeclared',
    needs: ['both-labels'],
    // @ts-expect-error the share is not among its needs
    compute: ({ share }) => share,
  });
  expect(measureItems({ scores, labels }, [undeclared]).values).toEqual({ undeclared: null });
});

describe('intervals', () => {
  test('are those of the statistics one by one', () => {
    const options = { seed: 3, rounds: 40 };
    const f1 = (s: Float64Array, y: Uint8Array) => f1Max(s, y)!.f1;
    expect(itemIntervals({ scores, labels, share: 0.5 }, options)).toEqual({
      auroc: bootstrap(scores, labels, auroc, options),
      ap: bootstrap(scores, labels, averagePrecision, options),
      f1Max: bootstrap(scores, labels, f1, options),
    });
    const other = scoresOf(2);
    expect(pairedIntervals(scores, other, labels, options)).toEqual({
      auroc: pairedBootstrap(scores, other, labels, auroc, options).interval,
      ap: pairedBootstrap(scores, other, labels, averagePrecision, options).interval,
      f1Max: pairedBootstrap(scores, other, labels, f1, options).interval,
    });
    expect(itemIntervals({ scores: [1, 2], labels: [0, 0] }, options)).toEqual({ auroc: null, ap: null, f1Max: null });
  });

  test('samples are counted without sorting them, with ties', () => {
    const few = scores.map((score) => Math.round(2 * score));
    const count = rankCounter(few, labels);
    const rng = new Rng(5);
    for (let round = 0; round < 5; round++) {
      const kinds = [0, 1].map((label) => Array.from(labels.keys()).filter((i) => labels[i] === label));
      const [normals, anomalies] = kinds.map((kind) => kind.map(() => kind[rng.int(kind.length)]));
      const drawn = Uint32Array.from([...normals, ...anomalies]);
      const sample = Array.from(drawn, (i) => few[i]);
      const sampleLabels = Array.from(drawn, (i) => labels[i]);
      expect(count(drawn, normals.length)).toEqual(rankCounts(sample, sampleLabels));
    }
  });

  test('classes that training was kept from are drawn with their items', () => {
    const heldOut = labels.map((y, i) => (y === 1 && i > 30 ? 1 : 0));
    const drawn = defineMetric({
      ...description,
      name: 'share',
      interval: true,
      needs: ['heldOut'],
      compute({ scores: own, heldOut: classes }) {
        for (let i = 0; i < own.length; i++) expect(heldOut[scores.indexOf(own[i])]).toBe(classes[i]);
        return 0.5;
      },
    });
    expect(itemIntervals({ scores, labels, heldOut }, { seed: 1, rounds: 2 }, [drawn])).toEqual({ share: [0.5, 0.5] });
    expect(itemIntervals({ scores, labels }, { seed: 1, rounds: 2 }, [drawn])).toEqual({});
  });
});

describe('measureMaps', () => {
  const [height, width] = [4, 5];
  const mask = Uint8Array.from({ length: 20 }, (_, i) => (i > 12 && i < 16 ? 1 : 0));
  const map = Float32Array.from(mask, (m, i) => m + (i % 7) / 5);

  test('metrics that name one accumulator share it, and those without a threshold are left out or null', () => {
    let begun = 0;
    const accumulator = () => {
      begun++;
      return pixelMetrics();
    };
    const shared = { ...description, level: 'map', accumulator } as const;
    const own = [
      defineMetric({ ...shared, name: 'one', compute: ({ auroc }: PixelMetrics) => auroc! }),
      defineMetric({ ...shared, name: 'two', compute: ({ ap }: PixelMetrics) => ap! }),
    ];
    const gathering = measureMaps({}, own);
    gathering.add({ map, mask, height, width });
    expect(gathering.result().values).toEqual({ one: auroc(map, mask), two: averagePrecision(map, mask) });
    expect(begun).toBe(1);

    const all = measureMaps({});
    all.add({ map, mask, height, width });
    expect(Object.keys(all.result().values)).toEqual(['auroc', 'ap', 'aupro', 'aupimo']);
    const without = measureMaps({ threshold: null });
    without.add({ map, mask, height, width });
    const { values, reasons } = without.result();
    expect([values.dice, values.iou]).toEqual([null, null]);
    expect(reasons.dice).toBe('There are no held-out normals, so maps have no threshold.');
  });
});

describe('the registry', () => {
  test('ids are unique; a bare name is that of items first; others are corrected', () => {
    const ids = metrics.map(idOf);
    expect(new Set(ids).size).toBe(ids.length);
    expect(idOf(findMetric('auroc'))).toBe('item.auroc');
    expect(idOf(findMetric('map.auroc'))).toBe('map.auroc');
    expect(idOf(findMetric('iou'))).toBe('map.iou');
    expect(() => findMetric('map.aurok')).toThrow('Did you mean "map.auroc"?');
  });

  test('a metric of a user stands behind the others, under a name of its own', () => {
    const own = defineMetric({ ...description, name: 'own', compute: () => 1 });
    expect(withOwnMetrics([own]).at(-1)).toBe(own);
    const twin = { ...own, name: 'auroc' };
    expect(() => withOwnMetrics([twin])).toThrow('There is already a metric item.auroc.');
    expect(() => withOwnMetrics([own, { ...own }])).toThrow('There is already a metric item.own.');
    expect(readMetric({ item: { own: 0.25 } }, own)).toBe(0.25);
    expect(readMetric({ item: {} }, own)).toBe(undefined);
    registerMetric(own);
    registerMetric(own);
    expect(withOwnMetrics([own]).filter(({ name }) => name === 'own')).toEqual([own]);
    expect(findMetric('item.own')).toBe(own);
    expect(measureItems({ scores, labels }).values).not.toHaveProperty('own'); // only what a report is made of has it
    expect(() => registerMetric({ ...own })).toThrow('There is already a metric item.own.');
    expect(() => defineMetric({ ...own, name: 'My metric' })).toThrow('camel case');
    expect(() => defineMetric({ ...own, range: [1, 0] })).toThrow('range');
  });
});
