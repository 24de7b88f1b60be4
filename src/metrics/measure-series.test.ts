import { describe, expect, test } from 'vitest';
import { goldenLabels, goldenScores, labelsAt } from '../../test/helpers/golden-series.ts';
import { Rng } from '../core/random.ts';
import { defineMetric, type SeriesInputs } from './define.ts';
import { measureItems } from './measure.ts';
import { measureSeries } from './measure-series.ts';
import { metrics } from './registry.ts';

const given = { scores: goldenScores.B, labels: goldenLabels, window: 10, threshold: 0.9, probation: 30 };
const quiet = { ...given, labels: new Uint8Array(200) };

test('the values of the published code, of one series', () => {
  const [{ values, reasons }] = measureSeries([given]).each;
  expect(reasons).toEqual({});
  const wanted = {
    vusPr: 0.713441,
    vusRoc: 0.860561,
    ap: 0.628171,
    auroc: 0.80875,
    f1Max: 0.571424,
    eventF1Max: 1,
    rangeF1Max: 0.493818,
    affiliationF1Max: 0.982361,
    paF1Max: 1,
    precision: 0.594595,
    recall: 0.55,
    f1: 0.571429,
    vusF1: 0.623571,
    eventF1: 0.745763,
    rangeF1: 0.424713,
    affiliationF1: 0.884788,
    segmentRecall: 1,
  };
  for (const [name, value] of Object.entries(wanted)) {
    expect(Math.abs(values[name as keyof typeof wanted]! - value), name).toBeLessThan(1e-5);
  }
  expect(Object.keys(values)).toEqual(metrics.filter(({ level }) => level === 'series').map(({ name }) => name));
});

describe('several series', () => {
  test('means are over those that have a value, and tell how many', () => {
    const { each, mean, counts } = measureSeries([given, { ...given, scores: goldenScores.A }, quiet]);
    expect(each).toHaveLength(3);
    expect(mean.values.vusPr).toBeCloseTo((0.713441 + 0.274122) / 2, 5);
    expect(counts.vusPr).toBe(2);
    expect(each[2].values.vusPr).toBeNull();
    expect(each[2].reasons.vusPr).toBe('All 200 steps are normal; both kinds are needed.');
    expect(mean.reasons).toEqual({});
  });

  test('where none has a value the mean is null, with the first reason', () => {
    const { mean, counts } = measureSeries([quiet, { ...given, scores: [], labels: [] }]);
    expect(mean.values.vusPr).toBeNull();
    expect(mean.reasons.vusPr).toBe('All 200 steps are normal; both kinds are needed.');
    expect(counts.vusPr).toBe(0);
    expect(measureSeries([{ scores: [], labels: [] }]).mean.reasons.ap).toBe('There are no steps.');
  });

  test('no series, no metrics', () => expect(measureSeries([]).mean).toEqual({ values: {}, reasons: {} }));
});

describe('what is not known', () => {
  const { scores, labels } = given;

  test('metrics that need a window, a threshold or a probation part are left out without it', () => {
    const names = (series: Parameters<typeof measureSeries>[0][number]) =>
      Object.keys(measureSeries([series]).mean.values);
    expect(names({ scores, labels })).not.toContain('vusPr');
    expect(names({ scores, labels })).not.toContain('rangeF1');
    expect(names({ scores, labels, window: 3 })).toContain('vusPr');
    expect(names({ scores, labels, threshold: 1 })).toContain('rangeF1');
    expect(names({ scores, labels, threshold: 1 })).not.toContain('nabStandard');
  });

  test('a threshold that was looked for and not found is told', () => {
    expect(measureSeries([{ scores, labels, threshold: null }]).mean.reasons.rangeF1).toBe('There is no threshold.');
  });

  test('no alarm, an infinite score, segments in the probation part: null and why', () => {
    const { reasons } = measureSeries([{ ...given, threshold: 9 }]).mean;
    expect(reasons.rangePrecision).toBe('No step reaches the threshold.');
    expect(reasons.detectionDelay).toBe('No anomalous segment has an alarm.');
    const infinite = measureSeries([
      { ...given, scores: Float64Array.from(scores, (v, t) => (t === 50 ? Infinity : v)) },
    ]);
    expect(infinite.mean.reasons.paF1Max).toContain('infinite');
    expect(infinite.mean.values.vusPr).toBeGreaterThan(0.7);
    expect(measureSeries([{ ...given, probation: 135 }]).mean.reasons.nabStandard).toContain('probation part');
  });

  test('an unusual window is refused', () => {
    expect(() => measureSeries([{ ...given, window: -1 }])).toThrow('whole number of steps');
    expect(() => measureSeries([{ ...given, labels: labelsAt(199) }])).toThrow('same length');
  });
});

test('work that metrics name is done once for each series', () => {
  let calls = 0;
  const work = ({ segments }: SeriesInputs<'both-labels'>) => {
    calls++;
    return segments.length;
  };
  const words = { level: 'series', title: 'made up', meaning: 'made up', range: [0, 9], better: 'higher' } as const;
  const own = ['one', 'other'].map((name) =>
    defineMetric({ ...words, name, needs: ['both-labels'], compute: (series) => series.shared(work) }),
  );
  expect(measureSeries([given, given], own).mean.values).toEqual({ one: 2, other: 2 });
  expect(calls).toBe(2);
});

test('reports of items know nothing of series', () => {
  expect(Object.keys(measureItems(given).values)).not.toContain('vusPr');
});

test('all metrics of a million steps take seconds', () => {
  const rng = new Rng(7);
  const labels = Uint8Array.from({ length: 1e6 }, (_, t) => (t % 2000 >= 1900 ? 1 : 0));
  const scores = Float64Array.from(labels, (y) => rng.uniform() + y / 2);
  const begin = performance.now();
  const { reasons } = measureSeries([{ scores, labels, window: 100, threshold: 1, probation: 750 }]).mean;
  expect(reasons).toEqual({});
  expect(performance.now() - begin).toBeLessThan(30_000);
});
