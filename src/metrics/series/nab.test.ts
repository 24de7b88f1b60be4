import { describe, expect, test } from 'vitest';
import { Rng } from '../../core/random.ts';
import { type NabFile, type NabProfileName, nabBest, nabProbation, nabScore, nabScoreAt, nabWeight } from './nab.ts';

const windows = [
  { begin: 60, end: 80 },
  { begin: 140, end: 160 },
];
const alarmsIn = (at: readonly number[], steps = 200) =>
  Uint8Array.from({ length: steps }, (_, t) => (at.includes(t) ? 1 : 0));
const profiles: readonly NabProfileName[] = ['standard', 'lowFp', 'lowFn'];

test.each([
  [-1, 0.98661],
  [-0.75, 0.95405],
  [-0.5, 0.84828],
  [-0.25, 0.5546],
  [-0.05, 0.12435],
  [0, 0],
  [0.1, -0.24492],
  [0.5, -0.84828],
  [1, -0.98661],
  [2, -0.99991],
  [3.01, -1],
])('the weight at %d is %d', (y, weight) => expect(Math.abs(nabWeight(y) - weight)).toBeLessThan(1e-5));

test('the probation part is 15 % of a file, 750 steps at most', () => {
  expect([200, 4032, 5000, 22695].map(nabProbation)).toEqual([30, 604, 750, 750]);
});

describe('values of the benchmark', () => {
  test.each([
    [[], -2, 0, -2, 0, 0],
    [[60, 140], 2, 100, 2, 100, 100],
    [[70, 150], 1.719585, 92.9896, 1.719585, 92.9896, 95.3264],
    [[79, 159], 0.25208, 56.302, 0.25208, 56.302, 70.868],
    [[60, 80], -0.014391, 49.6402, -0.028781, 49.2805, 49.7602],
    [[60, 140, 40], 1.89, 97.25, 1.78, 94.5, 98.1667],
    [[60, 140, 10], 2, 100, 2, 100, 100],
    [[60, 84, 140], 1.936534, 98.4134, 1.873069, 96.8267, 98.9422],
  ] as const)('alarms at %j', (at, raw, normalised, rawLowFp, lowFp, lowFn) => {
    const [standard, fp, fn] = profiles.map((profile) => nabScore(alarmsIn(at), windows, 30, profile));
    expect(Math.abs(standard.raw - raw)).toBeLessThan(1e-5);
    expect(Math.abs(standard.normalised! - normalised)).toBeLessThan(1e-4);
    expect(Math.abs(fp.raw - rawLowFp)).toBeLessThan(1e-5);
    expect(Math.abs(fp.normalised! - lowFp)).toBeLessThan(1e-4);
    expect(Math.abs(fn.normalised! - lowFn)).toBeLessThan(1e-4);
  });

  test('missed windows cost twice where they are to be few', () => {
    expect(nabScore(alarmsIn([]), windows, 30, 'lowFn').raw).toBe(-4);
    expect(nabScore(alarmsIn([60, 80]), windows, 30, 'lowFn').raw).toBeCloseTo(-1.014391, 5);
  });
});

describe('the best threshold of a corpus', () => {
  const rng = new Rng(6);
  const fileOf = (steps: number, levels: number, runs: NabFile['windows']): NabFile => ({
    scores: Float64Array.from({ length: steps }, (_, t) => {
      const isNear = runs.some(({ begin, end }) => t > begin + 2 && t < end);
      return (rng.int(levels) + (isNear ? levels / 4 : 0)) / levels;
    }),
    windows: runs,
    probation: nabProbation(steps),
  });
  const files = [
    fileOf(200, 50, windows),
    fileOf(150, 7, []),
    fileOf(120, 30, [{ begin: 100, end: 120 }]),
    fileOf(90, 1000, [
      { begin: 5, end: 9 }, // begins in the probation part
      { begin: 40, end: 41 },
      { begin: 50, end: 60 },
    ]),
  ];

  test.each(profiles)('the sweep finds what a try of every score finds: %s', (profile) => {
    const tried = [...new Set(files.flatMap(({ scores }) => Array.from(scores))), Infinity].sort((a, b) => b - a);
    let wanted = { threshold: Infinity, raw: -Infinity };
    for (const threshold of tried) {
      const { raw } = nabScoreAt(files, threshold, profile);
      if (raw > wanted.raw + 1e-9) wanted = { threshold, raw };
    }
    const found = nabBest(files, profile);
    expect(found.threshold).toBe(wanted.threshold);
    expect(found.raw).toBeCloseTo(wanted.raw, 9);
    expect(found.normalised).toBeCloseTo(nabScoreAt(files, found.threshold, profile).normalised!, 9);
  });

  test('alarms at the begin of each window get 100, no alarm 0', () => {
    const perfect = { scores: alarmsIn([60, 140]), windows, probation: 30 };
    expect(nabBest([perfect])).toEqual({ raw: 2, normalised: 100, threshold: 1 });
    const useless = { scores: new Float64Array(200), windows: [{ begin: 198, end: 200 }], probation: 30 };
    expect(nabBest([useless])).toEqual({ raw: -1, normalised: 0, threshold: Infinity });
  });

  test('scores that are NaN raise no alarm', () => {
    const scores = Float64Array.from(alarmsIn([60, 140]), (alarm, t) =>
      t % 3 === 1 && alarm === 0 ? Number.NaN : alarm,
    );
    expect(nabBest([{ scores, windows, probation: 30 }]).normalised).toBe(100);
  });

  test('without windows there is no normalised score; bad windows and no file are refused', () => {
    expect(nabScore(alarmsIn([150]), [], 30)).toEqual({ raw: -0.11, normalised: null });
    expect(() => nabScore(alarmsIn([]), [{ begin: 190, end: 201 }], 30)).toThrow(
      'A window must lie in the 200 steps of its series, got 190 to 201.',
    );
    expect(() => nabBest([])).toThrow('at least one series');
  });

  test('takes a corpus of 400,000 steps in seconds', () => {
    const large = Array.from({ length: 40 }, () => fileOf(10_000, 1e6, [{ begin: 4000, end: 4500 }]));
    const begin = performance.now();
    for (const profile of profiles) nabBest(large, profile);
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});
