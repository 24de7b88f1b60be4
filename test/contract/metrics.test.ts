/** Every metric of the registry keeps the promises of metrics, and metrics that break one are caught. */
import { describe, expect, test } from 'vitest';
import {
  defineMetric,
  idOf,
  type MapAccumulator,
  type MapInput,
  type Metric,
  metrics,
} from '../../src/metrics/index.ts';
import { checkMetric } from '../../src/testing/check-metric.ts';

describe.each(metrics.map((metric): [string, Metric] => [idOf(metric), metric]))('%s', (_, metric) => {
  for (const { name, run } of checkMetric(metric)) test(name, run);
});

/** The sentences of the checks that a metric does not pass. */
const faultsOf = (metric: Metric) =>
  checkMetric(metric).flatMap(({ run }) => {
    try {
      run();
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });

const item = {
  name: 'made',
  level: 'item',
  title: 'made up',
  meaning: 'made up for a test',
  range: [0, 1],
  better: 'higher',
} as const;
const first = ({ scores }: { scores: ArrayLike<number> }) => (scores.length > 0 ? scores[0] : { reason: 'No items.' });

describe('a metric of items that breaks a promise is caught:', () => {
  test.each<[string, Metric, string]>([
    ['words', defineMetric({ ...item, meaning: 'A sentence.', compute: () => 0 }), 'must end without a full stop'],
    ['range', defineMetric({ ...item, compute: ({ labels }) => labels.length }), 'made must lie in 0 to 1, got 9'],
    ['order', defineMetric({ ...item, compute: first }), 'Another order of the items must not change made'],
    [
      'monotone maps',
      defineMetric({
        ...item,
        isOrdinal: true,
        compute: (i) => Math.min(1, Math.max(0, Math.max(...Array.from(i.scores)) - 0.1)),
      }),
      'Three times the scores minus seven must not change made',
    ],
    [
      'what it is given',
      defineMetric({
        ...item,
        compute({ scores }) {
          (scores as Float64Array).sort();
          return 0;
        },
      }),
      'made must not change the scores',
    ],
    ['a reason', defineMetric({ ...item, compute: () => ({ reason: '' }) }), 'is null for normal and anomalous items'],
    [
      'an interval',
      defineMetric({
        ...item,
        interval: true,
        compute: ({ labels }) => (labels.length > 60 ? { reason: 'Many.' } : 0),
      }),
      'made must have an interval',
    ],
  ])('%s', (_, metric, sentence) => {
    expect(faultsOf(metric).join('\n')).toContain(sentence);
  });
});

describe('a metric of maps that breaks a promise is caught:', () => {
  const map = { ...item, level: 'map' } as const;
  const gather = (add: (input: MapInput, sum: number) => number) => (): MapAccumulator<number> => {
    let sum = 0;
    return {
      add(input) {
        sum = add(input, sum);
      },
      result: () => sum,
    };
  };
  const squash = (sum: number) => 1 / (1 + Math.exp(-sum / 50));
  const kept = gather((input, sum) => sum + input.map[0])();

  test.each<[string, Metric, string]>([
    ['range', defineMetric({ ...map, accumulator: gather((_, n) => n + 1), compute: (n) => n }), 'made must lie in'],
    [
      'order',
      defineMetric({ ...map, accumulator: gather((input, sum) => sum / 2 + input.map[0]), compute: squash }),
      'Another order of maps must not change made',
    ],
    [
      'state of its own',
      defineMetric({ ...map, accumulator: () => kept, compute: squash }),
      'Another accumulator beside it',
    ],
    [
      'what it is given',
      defineMetric({
        ...map,
        accumulator: gather((input) => {
          input.map.fill(0);
          return 0;
        }),
        compute: squash,
      }),
      'made must not change the maps',
    ],
    [
      'what counts',
      defineMetric({
        ...map,
        accumulator: gather((input, sum) => input.map.reduce((a, b) => a + b, sum)),
        compute: squash,
      }),
      'Normal pixels that are left out must not change made',
    ],
  ])('%s', (_, metric, sentence) => {
    expect(faultsOf(metric).join('\n')).toContain(sentence);
  });
});

test('metrics of series have promises of their own', () => {
  const series = { ...item, level: 'series', isOrdinal: true } as const;
  const share = ({ labels }: { labels: ArrayLike<number> }) =>
    Array.from(labels).filter(Boolean).length / labels.length;
  expect(faultsOf(defineMetric({ ...series, compute: share }))).toEqual([]);
  expect(faultsOf(defineMetric({ ...series, compute: ({ scores }) => scores[0] }))).toContainEqual(
    expect.stringContaining('the scores minus seven must not change made'),
  );
});
