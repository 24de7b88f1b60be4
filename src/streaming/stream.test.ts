/** Thresholds that move, alarms, and the whole stream. */
import { describe, expect, it } from 'vitest';
import type { AlarmRule } from '../core/alarms.ts';
import { Rng } from '../core/random.ts';
import type { AnyStreamThreshold } from './define.ts';
import {
  dspot,
  fixedThreshold,
  halfSpaceTrees,
  openStream,
  randomCutForest,
  rollingQuantile,
  type StreamStep,
  spot,
  streamThresholds,
} from './index.ts';
import { fitParetoTail, logLikelihood, tailQuantile } from './pareto-tail.ts';

/** Values of a generalised Pareto distribution. */
const paretos = (count: number, shape: number, scale: number, rng: Rng) =>
  Float64Array.from({ length: count }, () => tailQuantile({ shape, scale }, 1 - rng.uniform()));

describe('the fit of a Pareto tail', () => {
  it.each([
    [0.3, 2],
    [0.1, 0.01],
    [0, 5],
    [-0.2, 1],
    [-0.4, 300],
  ])('finds shape %f and scale %f again', (shape, scale) => {
    const values = paretos(4000, shape, scale, new Rng(4));
    const found = fitParetoTail(values);
    expect(Math.abs(found.shape - shape)).toBeLessThan(0.07);
    expect(Math.abs(found.scale / scale - 1)).toBeLessThan(0.1);
    // No neighbour is likelier.
    const best = logLikelihood(values, found);
    for (const [a, b] of [
      [0.01, 1],
      [-0.01, 1],
      [0, 1.01],
      [0, 0.99],
    ]) {
      const near = logLikelihood(values, { shape: found.shape + a, scale: found.scale * b });
      // Not a number where a value lies behind the end of the neighbour.
      if (!Number.isNaN(near)) expect(near).toBeLessThanOrEqual(best + 1e-9);
    }
  });

  it('takes the exponential for few or equal values', () => {
    expect(fitParetoTail(Float64Array.of(1, 2, 3))).toEqual({ shape: 0, scale: 2 });
    expect(fitParetoTail(new Float64Array(50).fill(0.5))).toEqual({ shape: 0, scale: 0.5 });
  });

  it('has the quantile of the formula', () => {
    expect(tailQuantile({ shape: 0.5, scale: 2 }, 0.01)).toBeCloseTo((2 / 0.5) * (0.01 ** -0.5 - 1), 12);
    expect(tailQuantile({ shape: 0, scale: 2 }, 0.01)).toBeCloseTo(-2 * Math.log(0.01), 12);
  });
});

describe('SPOT', () => {
  it.each([-0.2, 0, 0.25])('has the threshold of a simulated tail of shape %f', (shape) => {
    const threshold = spot.open({ rate: 1e-3, calibration: 20_000 });
    for (const score of paretos(20_000, shape, 3, new Rng(9))) threshold.push(score);
    const found = threshold.push(0).threshold!;
    expect(Math.abs(found / tailQuantile({ shape, scale: 3 }, 1e-3) - 1)).toBeLessThan(0.12);
  });

  it.each([-0.2, 0, 0.25])('alarms on a simulated tail of shape %f at a rate within an interval', (shape) => {
    const [steps, calibration, rate] = [30_000, 5000, 1e-3];
    const threshold = spot.open({ rate, calibration });
    let alarms = 0;
    for (const score of paretos(steps, shape, 1, new Rng(9))) if (threshold.push(score).exceeds) alarms += 1;
    // 25 are wanted. More alarm, for alarms are not learnt.
    expect(alarms).toBeGreaterThan(12);
    expect(alarms).toBeLessThan(125);
  });

  it('has no threshold while it is calibrated, and does not learn alarms', () => {
    const threshold = spot.open({ calibration: 200 });
    const noise = new Rng(1).normals(2000);
    for (let t = 0; t < 200; t++) expect(threshold.push(noise[t]).threshold).toBeNull();
    const before = threshold.push(0).threshold!;
    for (let i = 0; i < 50; i++) expect(threshold.push(100)).toEqual({ threshold: before, exceeds: true });
    expect(threshold.push(0).threshold).toBe(before);
  });

  it('never alarms on equal scores', () => {
    const threshold = spot.open({ calibration: 50 });
    for (let t = 0; t < 500; t++) expect(threshold.push(0.25).exceeds).toBe(false);
  });

  it('DSPOT follows a drift, where SPOT alarms for ever', () => {
    const noise = new Rng(6).normals(8000);
    const drifting = Float64Array.from(noise, (value, t) => value + t / 200);
    const count = (threshold: { push(score: number): { exceeds: boolean } }) =>
      drifting.reduce((sum, score) => sum + (threshold.push(score).exceeds ? 1 : 0), 0);
    expect(count(spot.open({ rate: 1e-3 }))).toBeGreaterThan(2000);
    expect(count(dspot.open({ rate: 1e-3, depth: 50 }))).toBeLessThan(30);
  });
});

describe('the rolling quantile', () => {
  it('is the quantile of the last scores before a score', () => {
    const scores = new Rng(3).normals(300);
    const threshold = rollingQuantile.open({ window: 40, quantile: 0.9, calibration: 10 });
    scores.forEach((score, t) => {
      const sorted = scores.slice(Math.max(0, t - 40), t).sort();
      const at = 0.9 * (sorted.length - 1);
      const low = sorted[Math.floor(at)];
      const wanted = low + (at % 1) * (sorted[Math.ceil(at)] - low);
      const verdict = threshold.push(score);
      if (t < 10) expect(verdict).toEqual({ threshold: null, exceeds: false });
      else {
        expect(verdict.threshold).toBeCloseTo(wanted, 12);
        expect(verdict.exceeds).toBe(score > verdict.threshold!);
      }
    });
  });
});

describe.each(streamThresholds.map((threshold) => [threshold.name, threshold] as const))('%s', (_, threshold) => {
  it('goes on after a restore as without one, at every 50th step', () => {
    const options = threshold === (fixedThreshold as AnyStreamThreshold) ? { value: 1 } : { calibration: 90 };
    const scores = new Rng(8).normals(700);
    const whole = threshold.open(options);
    let parted = threshold.open(options);
    scores.forEach((score, t) => {
      if (t % 50 === 0) {
        const bytes = parted.save();
        parted = threshold.open(options);
        parted.restore(bytes);
      }
      expect(parted.push(score)).toEqual(whole.push(score));
    });
    expect(Buffer.compare(parted.save(), whole.save())).toBe(0);
  });
});

describe('a stream', () => {
  const open = (rule: AlarmRule = { gap: 3, least: 2, hysteresis: 0.1, coolDown: 5 }) =>
    openStream({
      detector: randomCutForest.open(2, { trees: 8, sample: 64 }),
      threshold: rollingQuantile.open({ window: 300, quantile: 0.98 }),
      alarms: rule,
      channels: ['load', 'heat'],
    });
  const points = (): Float64Array[] => {
    const noise = new Rng(2).normals(1600);
    return Array.from({ length: 800 }, (_, t) => {
      const heat = t >= 600 && t < 610 ? 50 : 20;
      return Float64Array.of(t === 300 ? Number.NaN : noise[2 * t], heat + noise[2 * t + 1]);
    });
  };

  it('gives score, threshold, decision and alarm, and counts what it skips', () => {
    const stream = open();
    const steps = points().map((point) => stream.push(point));
    expect([stream.steps, stream.skipped]).toEqual([800, 1]);
    expect(steps[300]).toEqual({ step: 300, score: null, threshold: null, decision: null, skipped: true });
    expect(steps[10]).toMatchObject({ score: null, decision: null });
    expect(steps[602].decision).toBe('anomalous');
    const alarm = steps.find(({ step, alarm }) => step >= 600 && alarm?.end !== undefined)!.alarm!;
    expect(alarm.start).toBe(600);
    expect(alarm.channels[0].name).toBe('heat');
    expect(alarm.channels[0].share).toBeGreaterThan(0.6);
    expect(alarm.channels[0].actual).toBe(points()[alarm.peak.step][1]);
    expect(alarm.peak.score).toBe(Math.max(...steps.slice(alarm.start, alarm.end).map(({ score }) => score!)));
  });

  it('is restored from a Buffer as from other bytes', () => {
    const [stream, other] = [open(), open()];
    stream.push(Float64Array.of(1, 2));
    // A part of the memory that small Buffers share, at an odd place.
    other.restore(Buffer.concat([Buffer.alloc(1), stream.save()]).subarray(1));
    expect(other.save()).toEqual(stream.save());
  });

  it('goes on after a restore as without one, saved at any step', () => {
    const all = points();
    const whole = open();
    const wanted = all.map((point) => whole.push(point));
    let parted = open();
    const found: StreamStep[] = all.map((point, t) => {
      if (t % 97 === 0 || (t >= 599 && t < 614 && t % 2 === 0)) {
        const bytes = parted.save();
        parted = open();
        parted.restore(bytes);
      }
      return parted.push(point);
    });
    expect(found).toEqual(wanted);
    expect(Buffer.compare(parted.save(), whole.save())).toBe(0);
    expect(parted.finish()).toEqual(whole.finish());
  });

  it('refuses another head, another width and the state of another stream, in sentences', () => {
    const stream = open();
    stream.checkHead(['load', 'heat']);
    expect(() => stream.checkHead(['heat', 'load'])).toThrow(
      'The columns of a stream must stay the same; expected load, heat, found heat, load. Start a new stream for new columns.',
    );
    expect(() => stream.push(Float64Array.of(1))).toThrow('expected 2 values, found 1');
    expect(stream.steps).toBe(0);
    const before = stream.save();
    expect(() => stream.restore(open({ gap: 4 }).save())).toThrow(/another stream: its alarms/);
    const other = openStream({
      detector: halfSpaceTrees.open(2),
      threshold: rollingQuantile.open({ window: 300, quantile: 0.98 }),
      alarms: { gap: 3, least: 2, hysteresis: 0.1, coolDown: 5 },
      channels: ['load', 'heat'],
    });
    expect(() => stream.restore(other.save())).toThrow(/detector half-space-trees/);
    expect(Buffer.compare(stream.save(), before)).toBe(0);
    expect(() => openStream({ detector: halfSpaceTrees.open(2), threshold: spot.open(), channels: ['a'] })).toThrow(
      'the detector has 2, and 1 names were given',
    );
  });
});
