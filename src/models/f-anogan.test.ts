import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { ItemShape, TrainingPhase } from './define.ts';
import { fAnogan } from './f-anogan.ts';

const shape = [1, 8, 8] as const;
/** The phases of a model that learns by gradient. */
function phasesOf(config: ReturnType<typeof fAnogan.config.parse>, shape: ItemShape): readonly TrainingPhase[] {
  if (fAnogan.learns !== 'gradient') throw new Error('f-anogan learns by gradient.');
  return fAnogan.phases(config, shape);
}

const small = { width: 4, latent: 3, batchSize: 2 };

/** Loss and metrics of a step on made-up images and weights, with the trace that it left. */
function look({ phase }: TrainingPhase, name: string) {
  const step = phase.steps.find((s) => s.name === name)!;
  const trace = new nn.Trace(true);
  const x = g.input('x', [2, ...shape]);
  const context = { net: (group: string) => trace.group(group), x, labels: x, classes: x };
  const result = step.loss({ ...context, draw: (n, draw) => trace.group('step').draw(n, draw) });
  const { loss, metrics } = nn.partsOf(result);
  const rng = new Rng(2);
  const feeds: Tensors = { x: float32(rng.split('x').uniforms(128), [2, ...shape]) };
  const { parameters, buffers, draws } = trace;
  for (const { spec } of [...parameters.values(), ...buffers.values()])
    feeds[spec.name] = float32(spec.init(spec.shape, rng.split(spec.name), spec.fan), spec.shape);
  for (const [n, { draw }] of draws)
    feeds[n] = float32(rng.split(n).uniforms(draw.shape.reduce((a, b) => a * b, 1)), draw.shape);
  const values = g.evaluate([loss, ...Object.values(metrics)], feeds).map((t) => Number(t.data[0]));
  const seen = Object.fromEntries(Object.keys(metrics).map((n, i) => [n, values[i + 1]]));
  return { loss: values[0], seen, trace, updates: step.updates };
}

/** Parameters of the nets that the steps move, for items of a shape. */
function countsOf(config: ReturnType<typeof fAnogan.config.parse>, shape: ItemShape): Record<string, number> {
  return Object.fromEntries(
    phasesOf(config, shape).flatMap(({ phase }) => {
      const { specs } = nn.assemble(phase, { shape: [2, ...shape] });
      const parameters = specs.filter((s) => !s.name.includes('running_'));
      return phase.steps
        .flatMap((s) => s.updates)
        .map((group) => {
          const own = parameters.filter((p) => p.name.startsWith(`${group}.`));
          return [group, own.reduce((n, p) => n + p.shape.reduce((a, b) => a * b, 1), 0)];
        });
    }),
  );
}

it('has the published sizes, each step moving one net', () => {
  const published = fAnogan.config.parse(fAnogan.presets['image-64']);
  const counts = { generator: 8_539_329, critic: 7_490_689, encoder: 8_531_200 };
  expect(countsOf(published, [1, 64, 64])).toEqual(counts);
});

it('starts the published nets as the public code does', () => {
  const phases = phasesOf(fAnogan.config.parse(fAnogan.presets['image-64']), [1, 64, 64]);
  const { specs } = nn.assemble(phases[0].phase, { shape: [2, 1, 64, 64] });
  // Output convolution: 64 · 9 inputs and 9 outputs of a unit, variance 4 / 585.
  const end = specs.find(({ name }) => name === 'generator.end.weight')!;
  const values = end.init(end.shape, new Rng(3), end.fan);
  expect(values.reduce((s, v) => s + v * v, 0) / values.length).toBeCloseTo(4 / 585, 3);
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.sqrt(12 / 585));
  const start = (phase: TrainingPhase) => phase.phase.steps[0].optimizer.init.v.initial;
  expect(start(phases[1])).toBe(1); // TensorFlow's RMSProp
  expect(phases[0].phase.steps[0].ownStatistics).toBe(true); // the generator's move in its own step
  expect(start(phasesOf(fAnogan.config.parse({}), shape)[1])).toBe(0);
});

it('has for rows the nets of EGBAD and AnoGAN for KDD99', () => {
  const counts = { generator: 26_041, critic: 80_769, encoder: 9_888 };
  expect(countsOf(fAnogan.config.parse({ latent: 32 }), [121])).toEqual(counts);
  const x = g.input('x', ['N', 121]);
  const { score, map } = fAnogan.score(fAnogan.config.parse({}), (group) => new nn.Trace(false).group(group), x);
  expect([score.shape, map.shape]).toEqual([['N'], ['N', 121]]);
});

describe('losses', () => {
  const phases = (more = {}) => phasesOf(fAnogan.config.parse({ ...small, ...more }), shape);

  it('the critic lowers what it says of drawings, raises what it says of images, and pays for its slope', () => {
    const { loss, seen } = look(phases({ penalty: 7 })[0], 'critic');
    expect(loss).toBeCloseTo(seen.fake - seen.real + 7 * seen.penalty, 5);
    expect(seen.penalty).toBeGreaterThan(0);
  });

  it('the generator wants high values: its loss is minus what the critic says', () => {
    const steps = phases()[0];
    const { loss } = look(steps, 'generator');
    const { seen } = look(steps, 'critic');
    // The same weights and the same latent vectors.
    expect(loss).toBeCloseTo(-seen.fake, 5);
  });

  it('the encoder learns by images and critic features, and leaves generator and critic as they are', () => {
    const { loss, seen, trace, updates } = look(phases({ kappa: 5 })[1], 'encoder');
    expect(loss).toBeCloseTo(seen.residual + 5 * seen.features, 5);
    expect(updates).toEqual(['encoder']);
    const moved = [...trace.buffers.values()].filter(({ value, next }) => value !== next).map(({ spec }) => spec.name);
    expect(moved.every((name) => name.startsWith('encoder.'))).toBe(true);
  });

  it('izi knows no critic, and ziz neither critic nor images', () => {
    const groups = (variant: string) => {
      const { parameters, draws } = look(phases({ variant })[1], 'encoder').trace;
      return [...new Set([...parameters.keys()].map((n) => n.split('.')[0])), ...draws.keys()].sort();
    };
    expect(groups('izi')).toEqual(['encoder', 'generator']);
    expect(groups('ziz')).toEqual(['encoder', 'generator', 'step.z']);
  });
});

it('scores by means: squared pixels in [−1, 1], and squared features times kappa', () => {
  const score = (kappa: number) => {
    const trace = new nn.Trace(false);
    const options = fAnogan.config.parse({ ...small, kappa });
    const x = g.input('x', [2, ...shape]);
    const scoring = fAnogan.score(options, (group) => trace.group(group), x);
    const rng = new Rng(5);
    const image = rng.split('x').uniforms(128);
    const feeds: Tensors = { x: float32(image, [2, ...shape]) };
    for (const { spec } of [...trace.parameters.values(), ...trace.buffers.values()])
      feeds[spec.name] = float32(spec.init(spec.shape, rng.split(spec.name), spec.fan), spec.shape);
    const [scores, drawn] = g.evaluate([scoring.score, scoring.reconstruction!], feeds);
    return { scores, image, drawn };
  };
  const { scores, image, drawn } = score(0);
  for (const n of [0, 1]) {
    const squares = Array.from(
      { length: 64 },
      (_, i) => (2 * (image[64 * n + i] - Number(drawn.data[64 * n + i]))) ** 2,
    );
    expect(Number(scores.data[n])).toBeCloseTo(squares.reduce((a, b) => a + b) / 64, 5);
  }
  const [none, one, two] = [0, 1, 2].map((kappa) => Number(score(kappa).scores.data[0]));
  expect(one).toBeGreaterThan(none);
  expect(two - one).toBeCloseTo(one - none, 5);
});
