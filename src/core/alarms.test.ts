import { describe, expect, it } from 'vitest';
import { type AlarmRule, alarmRule } from './alarm-rule.ts';
import { alarmsOf, fullRule, openAlarms, severityOf } from './alarms.ts';
import { Rng } from './random.ts';

/** Alarms of scores beyond 1, step by step; all that the rule told. */
function told(scores: readonly (number | null)[], rule: AlarmRule) {
  const state = openAlarms(alarmRule.parse(rule));
  const all = scores.map((score, step) =>
    state.push({ step, score, threshold: score === null ? null : 1 }, score !== null && score > 1),
  );
  const last = state.finish();
  const ended = [...all, last].flatMap((alarm) => (alarm?.end === undefined ? [] : [alarm]));
  return { all, segments: ended.map(({ start, end }) => [start, end]), ended };
}

describe('alarms', () => {
  it('are the runs beyond the threshold', () => {
    const { all, segments, ended } = told([0, 2, 3, 2, 0, 0, 5], {});
    expect(segments).toEqual([
      [1, 4],
      [6, 7],
    ]);
    expect(ended[0].peak).toEqual({ step: 2, score: 3 });
    expect(all.map((alarm) => alarm && (alarm.end ?? 'lasts'))).toEqual([
      undefined,
      'lasts',
      'lasts',
      'lasts',
      4,
      undefined,
      'lasts',
    ]);
  });

  it('merge over a gap, and over steps without a score', () => {
    const scores = [2, 0, 2, 0, null, 2, 0, 0, 0, 2];
    expect(told(scores, { gap: 2 }).segments).toEqual([
      [0, 6],
      [9, 10],
    ]);
    expect(told(scores, { gap: 1 }).segments).toEqual([
      [0, 3],
      [5, 6],
      [9, 10],
    ]);
  });

  it('are told once they are long enough', () => {
    const { all, segments } = told([2, 0, 2, 2, 2, 0], { least: 3 });
    expect(segments).toEqual([[2, 5]]);
    expect(all.findIndex((alarm) => alarm)).toBe(4);
  });

  it('end below the lower threshold only', () => {
    expect(told([0.9, 2, 0.9, 0.7, 0.9], { hysteresis: 0.2 }).segments).toEqual([[1, 3]]);
  });

  it('do not begin during the cool-down', () => {
    expect(told([2, 0, 2, 0, 2, 2, 0], { coolDown: 3 }).segments).toEqual([
      [0, 1],
      [4, 6],
    ]);
  });

  it('equal segments made at once from all steps', () => {
    const rng = new Rng(12);
    for (let round = 0; round < 200; round++) {
      const [gap, least] = [rng.int(4), 1 + rng.int(4)];
      const scores = Array.from({ length: 60 }, () => (rng.uniform() < 0.3 ? 2 : 0));
      const merged: number[][] = [];
      scores.forEach((score, t) => {
        if (score === 0) return;
        const last = merged.at(-1);
        if (last && t - last[1] <= gap) last[1] = t + 1;
        else merged.push([t, t + 1]);
      });
      const wanted = merged.filter(([start, end]) => end - start >= least);
      expect(told(scores, { gap, least }).segments).toEqual(wanted);
    }
  });
});

it('a rule is filled in as its schema says, and refused in a sentence', () => {
  expect(fullRule({})).toEqual(alarmRule.parse({}));
  expect(fullRule({ gap: 3, hysteresis: 0.5 })).toEqual(alarmRule.parse({ gap: 3, hysteresis: 0.5 }));
  expect(() => fullRule({ least: 0 })).toThrow('needs a whole number from 1 on for least, got 0');
  expect(() => fullRule({ hysteresis: 2 })).toThrow('needs a number from 0 to 1 for hysteresis, got 2');
});

describe('alarms of a whole series', () => {
  it('are those that a stream tells of the same scores, whatever the rule', () => {
    const rng = new Rng(31);
    for (let round = 0; round < 300; round++) {
      const rule = { gap: rng.int(5), least: 1 + rng.int(4), hysteresis: rng.int(3) / 4, coolDown: rng.int(6) };
      const scores = Float32Array.from({ length: 80 }, () => (rng.int(9) === 0 ? Number.NaN : rng.uniform() * 2));
      const state = openAlarms(alarmRule.parse(rule));
      const threshold = 1.4;
      const steps = Array.from(scores, (value, step) => {
        const score = Number.isNaN(value) ? null : value;
        return state.push({ step, score, threshold }, score !== null && score >= threshold);
      });
      const ended = [...steps, state.finish()].flatMap((alarm) => (alarm?.end === undefined ? [] : [alarm]));
      expect(alarmsOf(scores, threshold, rule)).toEqual(ended.map(({ kept: _, ...span }) => span));
    }
  });

  it('begin at the threshold, keep the peak, and are none without one', () => {
    expect(alarmsOf([0, 2, 3, 0, 0, 5], 2)).toEqual([
      { start: 1, end: 3, peak: { step: 2, score: 3 } },
      { start: 5, end: 6, peak: { step: 5, score: 5 } },
    ]);
    expect(alarmsOf([2, 2], 2)).toEqual([{ start: 0, end: 2, peak: { step: 0, score: 2 } }]);
    expect(alarmsOf([1, 1], 2)).toEqual([]);
    expect(alarmsOf([2, 2], null)).toEqual([]);
  });
});

describe('severity', () => {
  it('is 1 at the threshold, and low, medium, high from there on', () => {
    const scale = { threshold: 3, median: 1 };
    expect(severityOf(3, scale)).toEqual({ severity: 1, level: 'low' });
    expect(severityOf(5, scale)).toEqual({ severity: 2, level: 'medium' });
    expect(severityOf(9, scale)).toEqual({ severity: 4, level: 'high' });
  });

  it('is not known where the threshold lies among the normals', () => {
    expect(severityOf(3, { threshold: 1, median: 1 })).toBeUndefined();
    expect(severityOf(3, { threshold: Number.NaN, median: 1 })).toBeUndefined();
  });
});
