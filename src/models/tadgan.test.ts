import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import { tadganNetworks } from './parts/nets/tadgan.ts';
import { tadgan } from './tadgan.ts';

const shape = [21, 2] as const;
const small = { width: 4, latent: 3, units: 4 };
const optionsOf = (more: object = {}) => tadgan.config.parse({ ...small, ...more });
const phasesOf = (more: object = {}) => (tadgan.learns === 'gradient' ? tadgan.phases(optionsOf(more), shape) : []);

/** First values of everything in a trace, and windows in place of its input; `held` instead of what buffers start with. */
function feedsOf({ parameters, buffers, draws }: nn.Trace, count: number, held: Tensors = {}): Tensors {
  const rng = new Rng(2);
  const size = count * shape[0] * shape[1];
  const feeds: Tensors = { x: float32(rng.split('x').uniforms(size), [count, ...shape]) };
  for (const { spec } of [...parameters.values(), ...buffers.values()])
    feeds[spec.name] = held[spec.name] ?? float32(spec.init(spec.shape, rng.split(spec.name), spec.fan), spec.shape);
  for (const [name, { draw }] of draws)
    feeds[name] = float32(rng.split(name).uniforms(draw.shape.reduce((a, b) => a * b, 1)), draw.shape);
  return feeds;
}

const unit: Tensors = { 'range.high': float32(Float32Array.of(1, 1), [2]) };

/** Loss and metrics of a step of the main phase, with the trace that it left. */
function look(name: string, more: object = {}) {
  const step = phasesOf(more)[1].phase.steps.find((one) => one.name === name)!;
  const trace = new nn.Trace(true);
  const x = g.input('x', [3, ...shape]);
  const context = { net: (group: string) => trace.group(group), x, labels: x, classes: x };
  const { loss, metrics } = nn.partsOf(step.loss({ ...context, draw: (n, draw) => trace.group('step').draw(n, draw) }));
  const feeds = feedsOf(trace, 3, unit);
  const values = g.evaluate([loss, ...Object.values(metrics)], feeds).map((t) => Number(t.data[0]));
  const seen = Object.fromEntries(Object.keys(metrics).map((n, i) => [n, values[i + 1]]));
  return { loss: values[0], seen, trace, updates: step.updates };
}

/** Outputs of the scoring graph with first weights. */
function scored(more: object, held: Tensors = unit) {
  const trace = new nn.Trace(false);
  const { score, map, reconstruction } = tadgan.score(
    optionsOf(more),
    (group) => trace.group(group),
    g.input('x', [3, ...shape]),
  );
  const feeds = feedsOf(trace, 3, held);
  const [s, m, r] = g.evaluate([score, map, reconstruction!], feeds).map((t) => Array.from(t.data, Number));
  return { score: s, map: m, reconstruction: r, x: Array.from(feeds.x.data, Number) };
}

describe.each(tadganNetworks)('losses with networks "%s"', (network) => {
  it('critics lower what they say of made windows and codes, raise the real ones, and pay for their slope', () => {
    const { loss, seen, updates } = look('critics', { network, penalty: 7, dropout: 0 });
    expect(seen.windows).toBeCloseTo(seen.fake - seen.real + 7 * seen.penalty, 5);
    expect(loss).toBeCloseTo(seen.windows + seen.codes, 5);
    expect(seen.penalty).toBeGreaterThan(0);
    expect(updates).toEqual(['window-critic', 'code-critic']);
  });

  it('encoder and generator minimise the weighted error and what the critics hold against them', () => {
    const [light, heavy] = [0, 10].map((reconstruction) => look('generator-encoder', { network, reconstruction }));
    expect(heavy.loss - light.loss).toBeCloseTo(10 * heavy.seen.error, 4);
    expect(heavy.updates).toEqual(['generator', 'encoder']);
  });
});

describe('scores', () => {
  it.each(tadganNetworks)('with networks "%s" the map has the distance to the reconstruction', (network) => {
    const { map, reconstruction, x } = scored({ network, score: 'reconstruction' });
    // Channels lie in [0, 1] here, so in [−1, 1] differences are twice as large.
    map.forEach((value, i) => {
      expect(value).toBeCloseTo(2 * Math.abs(x[i] - reconstruction[i]), 5);
    });
  });

  it('error and critic count in deviations of the training windows, below the mean error as the mean', () => {
    const raw = scored({ score: 'reconstruction' }).score;
    // Ten windows with a mean error of 0.1 and a deviation of 0.2; a critic of mean 0 and deviation 1.
    const held = {
      ...unit,
      ...Object.fromEntries(
        Object.entries({ count: 10, 'error-sum': 1, 'error-squares': 0.5, 'critic-sum': 0, 'critic-squares': 10 }).map(
          ([name, value]) => [`scores.${name}`, float32(Float32Array.of(value), [])],
        ),
      ),
    };
    const [critic, product, sum] = ['critic', 'product', 'sum'].map((score) => scored({ score }, held).score);
    raw.forEach((error, i) => {
      const part = 1 + Math.max(0, (error - 0.1) / 0.2);
      expect(critic[i]).toBeGreaterThanOrEqual(1);
      expect(product[i]).toBeCloseTo(part * critic[i], 4);
      expect(sum[i]).toBeCloseTo(part + critic[i], 4);
    });
  });
});

it('has the published layers', () => {
  const published = tadgan.config.parse(tadgan.presets.published);
  const main = tadgan.learns === 'gradient' ? tadgan.phases(published, [100, 1])[1] : undefined;
  const { specs } = nn.assemble(main!.phase, { shape: [2, 100, 1] });
  const count = (group: string) =>
    specs
      .filter(({ name }) => name.startsWith(`${group}.`))
      .reduce((n, s) => n + s.shape.reduce((a, b) => a * b, 1), 0);
  // PyTorch's LSTM has two biases a gate: 4 · units · (inputs + units + 2) a direction.
  const lstm = (inputs: number, units: number) => 8 * units * (inputs + units + 2);
  expect(count('encoder')).toBe(lstm(1, 100) + (20000 + 1) * 20);
  expect(count('generator')).toBe((20 + 1) * 50 + lstm(1, 64) + lstm(128, 64) + 128 + 1);
  expect(count('window-critic')).toBe((5 + 1) * 64 + 3 * (5 * 64 + 1) * 64 + 6400 + 1);
  expect(count('code-critic')).toBe(2 * (20 + 1) * 20 + 21);
});
