/**
 * Generated series of seven families with planted anomalies, seeded: periodic ones (waves, beats, days and weeks) and such
 * without a period (walks, loads of servers, levels that switch, noise), of several lengths and periods.
 */
import { Rng } from '../../core/random.ts';
import { anomalyKinds, type LabelledSeries, plant } from './anomalies.ts';

interface Normal {
  readonly values: Float64Array;
  /** Steps of a cycle, or of what is typical. */
  readonly period: number;
}

const between = (rng: Rng, low: number, high: number) => low + (high - low) * rng.uniform();
const log = (rng: Rng, low: number, high: number) => Math.exp(between(rng, Math.log(low), Math.log(high)));

/** Some harmonics and noise. */
function waves(n: number, rng: Rng): Normal {
  const period = Math.round(log(rng, 10, 250));
  const parts = Array.from({ length: 1 + rng.int(4) }, (_, h) => [h + 1, rng.uniform() / (h + 1), 6 * rng.uniform()]);
  const noise = rng.normals(n, 0, log(rng, 0.01, 0.2));
  const values = Float64Array.from(noise, (e, t) =>
    parts.reduce((sum, [h, a, phase]) => sum + a * Math.sin((2 * Math.PI * h * t) / period + phase), e),
  );
  return { values, period };
}

/** Beats of three bumps; each beat is a little longer or shorter, higher or lower than the one before. */
function beats(n: number, rng: Rng): Normal {
  const period = Math.round(log(rng, 30, 250));
  const bumps = [0.2, 0.45, 0.7].map((at) => [at, between(rng, 0.015, 0.08), between(rng, -0.6, 1)]);
  const [jitter, unsteady] = [between(rng, 0, 0.06), between(rng, 0, 0.15)];
  const values = Float64Array.from(rng.normals(n, 0, log(rng, 0.005, 0.08)));
  for (let start = -period; start < n; ) {
    const length = Math.round(period * (1 + jitter * (2 * rng.uniform() - 1)));
    const height = 1 + unsteady * (2 * rng.uniform() - 1);
    for (let k = Math.max(0, -start); k < length && start + k < n; k++)
      for (const [at, width, size] of bumps)
        values[start + k] += height * size * Math.exp(-0.5 * ((k / length - at) / width) ** 2);
    start += length;
  }
  return { values, period };
}

/** Days with a busy time, of a week with two quiet days, and noise that grows with the level. */
function days(n: number, rng: Rng): Normal {
  const period = [24, 48, 96, 144, 288][rng.int(n < 2500 ? 3 : 5)];
  const quiet = between(rng, 0.4, 1);
  const [peak, sharp] = [between(rng, 0.3, 0.8), between(rng, 1, 4)];
  const noise = rng.normals(n, 0, between(rng, 0.02, 0.15));
  let day = 1;
  const values = Float64Array.from(noise, (e, t) => {
    if (t % period === 0) day = 1 + between(rng, -0.08, 0.08);
    const weekday = Math.floor(t / period) % 7 >= 5 ? quiet : 1;
    const level = 0.3 + weekday * day * ((1 + Math.cos(2 * Math.PI * (t / period - peak))) / 2) ** sharp;
    return level * (1 + e);
  });
  return { values, period };
}

/** A walk that comes back. */
function walk(n: number, rng: Rng): Normal {
  const memory = 1 - log(rng, 0.003, 0.1);
  const steps = rng.normals(n);
  let at = 0;
  const values = Float64Array.from(steps, (e) => {
    at = memory * at + e;
    return at;
  });
  return { values, period: Math.round(log(rng, 20, 150)) };
}

/** The load of a server: a floor with noise of heavy tails, and jobs that come at random, rise at once and fade. */
function load(n: number, rng: Rng): Normal {
  const [rate, fade] = [log(rng, 0.002, 0.05), log(rng, 2, 30)];
  const noise = rng.normals(n, 0, between(rng, 0.05, 0.3));
  let job = 0;
  const values = Float64Array.from(noise, (e) => {
    if (rng.uniform() < rate) job += -Math.log(1 - rng.uniform()) + 0.3;
    job *= 1 - 1 / fade;
    return 1 + job + e * (rng.uniform() < 0.03 ? 3 : 1);
  });
  const floor = between(rng, 0, 1);
  return { values: values.map((value) => Math.max(value, floor)), period: Math.round(log(rng, 20, 150)) };
}

/** Levels that switch at random. */
function levels(n: number, rng: Rng): Normal {
  const heights = rng.normals(2 + rng.int(4));
  const stay = log(rng, 20, 200);
  const noise = rng.normals(n, 0, log(rng, 0.01, 0.2));
  let at = 0;
  const values = Float64Array.from(noise, (e) => {
    if (rng.uniform() < 1 / stay) at = rng.int(heights.length);
    return heights[at] + e;
  });
  return { values, period: Math.round(log(rng, 20, 150)) };
}

/** Noise with a short memory about a level, sometimes in coarse steps. */
function noise(n: number, rng: Rng): Normal {
  const memory = between(rng, 0, 0.8);
  const coarse = rng.uniform() < 0.4 ? between(rng, 0.3, 1) : 0;
  let at = 0;
  const values = Float64Array.from(rng.normals(n), (e) => {
    at = memory * at + e;
    return coarse > 0 ? Math.round(at / coarse) * coarse : at;
  });
  return { values, period: Math.round(log(rng, 20, 150)) };
}

const families = { waves, beats, days, walk, load, levels, noise };
/** Series of each family with each kind of anomaly. */
const EACH = 4;

/** 224 series: each family with each kind of anomaly, of 1,000 to 5,000 steps; the first share of each, `behind`, is normal. */
export function generatedSeries(seed: number, behind?: number): LabelledSeries[] {
  const root = new Rng(seed).split('generated-series');
  return Object.entries(families).flatMap(([family, make]) =>
    anomalyKinds.flatMap((anomaly) =>
      Array.from({ length: EACH }, (_, i) => {
        const id = `${family}-${anomaly}-${i + 1}`;
        const rng = root.split(id);
        const normal = make(Math.round(log(rng, 1000, 5000)), rng.split('normal'));
        return plant({ id, family, ...normal }, anomaly, rng.split('anomaly'), behind);
      }),
    ),
  );
}
