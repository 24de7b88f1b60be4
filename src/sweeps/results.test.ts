/** What is made of the rows of a sweep: means, the best, the table, the page. */
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../test/helpers/check-html.ts';
import { sweepPage } from './page.ts';
import { meanOf, summaryOf, type TrialRow } from './results.ts';

const row = (
  model: string,
  seed: number,
  value: number | null,
  test: number,
  more: Partial<TrialRow> = {},
): TrialRow => ({
  ...{ id: `${model}${seed}`, data: 'a.csv', model, varied: {}, seed, state: 'done' },
  ...(value !== null && {
    outcome: {
      choice: { value, interval: [value - 0.1, value + 0.1], normals: 8, anomalies: 64 },
      test: { auroc: { value: test, interval: [0, 1] }, ap: { value: test, interval: null } },
      testItems: 20,
    },
  }),
  ...more,
});

describe('a summary', () => {
  it('chooses by the value over seeds and never by the test part', () => {
    const rows = [row('good', 1, 0.9, 0.1), row('good', 2, 0.8, 0.2), row('bad', 1, 0.95, 1), row('bad', 2, 0.5, 1)];
    const { configurations, best } = summaryOf(rows, 'planted');
    expect(configurations.map(({ model, isBest }) => [model, isBest])).toEqual([
      ['good', true],
      ['bad', false],
    ]);
    expect(best).toMatchObject([{ id: 'good1', seeds: [1, 2], test: { auroc: { value: expect.closeTo(0.15, 12) } } }]);
    expect(best[0].choice.value).toBeCloseTo(0.85, 12);
  });

  it('puts the stopped behind the fully trained, and has no best among them', () => {
    const stopped = (round: number) => ({
      state: 'stopped' as const,
      rounds: [{ round, share: 1 / 3, id: 'x', value: 0.99 }],
    });
    const rows = [row('a', 1, 0.99, 1, stopped(1)), row('b', 1, 0.6, 1), row('c', 1, 0.98, 1, stopped(2))];
    const { configurations } = summaryOf(rows, 'planted');
    expect(configurations.map(({ model, stoppedIn, isBest }) => [model, stoppedIn, isBest])).toEqual([
      ['b', undefined, true],
      ['c', 2, false],
      ['a', 1, false],
    ]);
    expect(summaryOf(rows.slice(0, 1), 'planted').best).toEqual([]);
  });

  it('has an interval over seeds by Student, cut to shares, and that of the items for one seed', () => {
    const of = (...values: number[]) => meanOf(values.map((value) => ({ value, interval: [0.3, 0.4] })));
    expect(of(0.7)).toEqual({ value: 0.7, interval: [0.3, 0.4] });
    const { value, interval } = of(0.6, 0.7, 0.8);
    expect(value).toBeCloseTo(0.7, 12);
    expect(interval![1] - 0.7).toBeCloseTo((4.303 * 0.1) / Math.sqrt(3), 10);
    expect(of(0.1, 0.9).interval).toEqual([0, 1]);
    expect(meanOf([{ value: null, interval: null }])).toEqual({ value: null, interval: null });
  });
});

describe('the page', () => {
  it('escapes what it shows, links the best run and says what failed and was stopped', () => {
    const evil = '<script>alert(1)</script>.csv';
    const rows = [
      row('pca', 1, 0.9, 1, { data: evil, varied: { components: 2 } }),
      row('pca', 2, 0.7, 1, { data: evil, varied: { components: 8 } }),
      row('knn', 1, null, 1, { data: evil, state: 'failed', error: { code: 'x', message: '<b>No</b> & never.' } }),
      row('gmm', 1, 0.5, 1, {
        ...{ data: evil, state: 'stopped', rounds: [{ round: 1, share: 1 / 3, id: 'y', value: 0.5 }] },
      }),
    ];
    const page = sweepPage({ plan: { data: evil, models: 'pca' }, rows }, summaryOf(rows, 'planted'));
    // Its links lead to the runs beside it.
    expect(problemsOf(page).filter((problem) => !problem.startsWith('href leads outside: trials/'))).toEqual([]);
    expect(page).not.toContain('<script>');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;.csv');
    expect(page).toContain('&lt;b&gt;No&lt;/b&gt; &amp; never.');
    expect(page).toContain('<a href="trials/pca1/report.html">Its report</a>');
    expect(page).toContain('stopped in round 1');
    expect(page).toContain('Test figures are shown beside and were not used.');
    expect(page).toContain('AUROC by components');
  });
});
