/** The contract of training programs: state, loops, repeats, frozen groups, averages, schedules, checkpoints, memory. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../dist/core/random.js';
import { float32, type Tensors } from '../../dist/core/tensor.js';
import { readSafetensors, writeSafetensors } from '../../dist/data/formats/safetensors.js';
import type { Value } from '../../dist/graph/index.js';
import * as g from '../../dist/graph/index.js';
import * as nn from '../../dist/nn/index.js';
import { openRuntime, type Runtime } from '../../dist/runtime/index.js';
import { feedsOf, type Source, train } from '../helpers/training.ts';

const batch = { shape: [4, 2, 4, 4] };

function generator(scope: nn.Scope, z: Value): Value {
  const seed = g.reshape(nn.dense(scope.at('seed'), z, 12), [4, 3, 2, 2]);
  const even = g.relu(nn.batchNorm(scope.at('norm'), seed));
  return g.tanh(nn.convTranspose(scope.at('image'), even, { filters: 2, kernel: 4, stride: 2, padding: 1 }));
}

function critic(scope: nn.Scope, x: Value): Value {
  const maps = nn.conv(scope.at('maps'), x, { filters: 3, kernel: 4, stride: 2, padding: 1, spectral: true });
  const flat = nn.dropout(scope, g.flatten(g.leakyRelu(nn.layerNorm(scope.at('norm'), maps))), 0.25);
  return nn.dense(scope.at('score'), flat, 1);
}

const criticStep: nn.Step = {
  name: 'critic',
  updates: ['critic'],
  optimizer: nn.adam({ learningRate: 0.01, beta1: 0.5 }),
  repeats: 3,
  clipNorm: 1,
  loss: ({ net, x, draw }) => {
    const fake = generator(net('generator').frozen(), draw('z', { kind: 'normal', shape: [4, 5] }));
    const [real, made] = [critic(net('critic'), x), critic(net('critic'), fake)];
    const loss = g.sub(g.reduceMean(made), g.reduceMean(real));
    return { loss, metrics: { real: g.reduceMean(real) } };
  },
};
const generatorStep: nn.Step = {
  name: 'generator',
  updates: ['generator'],
  optimizer: nn.adamW({ learningRate: 0.02 }),
  schedule: nn.cosineDecay(0.1),
  loss: ({ net, draw }) => {
    const fake = generator(net('generator'), draw('z', { kind: 'normal', shape: [4, 5] }));
    return g.neg(g.reduceMean(critic(net('critic').frozen(), fake)));
  },
};
const gan: nn.Phase = {
  name: 'gan',
  steps: [criticStep, generatorStep],
  average: { groups: ['generator'], decay: 0.9 },
};

const phase = nn.assemble(gan, batch);
const start = nn.initialize(phase.specs, new Rng(1));

/** The largest difference of two sets of tensors, by names that both have. */
function difference(a: Tensors, b: Tensors): number {
  expect(Object.keys(a).sort()).toEqual(Object.keys(b).sort());
  let worst = 0;
  for (const [name, { data }] of Object.entries(a)) {
    expect(a[name].shape, name).toEqual(b[name].shape);
    data.forEach((v, i) => {
      worst = Math.max(worst, Math.abs(Number(v) - Number(b[name].data[i])));
    });
  }
  return worst;
}
const ofGroup = (tensors: Tensors, prefix: string): Tensors =>
  Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith(prefix)));
const flat = (metrics: Record<string, number[]>): Tensors =>
  Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, float32(values)]));

describe('assemble', () => {
  it('makes legal programs and names what it needs', () => {
    expect(g.check(phase.program)).toEqual([]);
    expect(phase.batches).toBe(3);
    const norms = ['critic.gradient-norm', 'generator.gradient-norm'];
    expect(phase.metrics).toEqual(['critic.loss', 'generator.loss', 'critic.real', ...norms]);
    expect(phase.specs.map((s) => s.name)).toContain('critic.maps.weight');
    expect(Object.keys(start).filter((n) => n.startsWith('generator.norm'))).toEqual([
      'generator.norm.weight',
      'generator.norm.bias',
      'generator.norm.running_mean',
      'generator.norm.running_var',
    ]);
  });

  it('packs and unpacks by name', () => {
    const unpacked = phase.unpack(phase.pack(start));
    const state = Object.keys(unpacked).filter((n) => n.startsWith('state/optimizer/'));
    expect(state.length).toBe(6);
    for (const name of state) expect(unpacked[name].data.every((v) => v === 0)).toBe(true);
    expect(difference(start, Object.fromEntries(Object.keys(start).map((n) => [n, unpacked[n]])))).toBe(0);
    // Averages start at the parameters.
    for (const [name, t] of Object.entries(ofGroup(unpacked, 'ema.'))) expect(t).toEqual(start[name.slice(4)]);
    expect(phase.unpack(phase.pack(unpacked))).toEqual(unpacked);
    const { 'critic.maps.weight': _, ...incomplete } = start;
    expect(() => phase.pack(incomplete)).toThrow(expect.objectContaining({ code: 'missing-tensor' }));
  });

  it('refuses to update a group without parameters', () => {
    const wrong = { ...gan, steps: [{ ...criticStep, updates: ['critc'] }] };
    expect(() => nn.assemble(wrong, batch)).toThrow(/updates the group critc/);
  });

  it('gives a tensor of a million values a vector of its own', () => {
    const wide = nn.assemble(
      {
        name: 'wide',
        steps: [
          {
            name: 'step',
            updates: ['net'],
            optimizer: nn.sgd({ learningRate: 1 }),
            loss: ({ net, x }) =>
              g.reduceMean(nn.dense(net('net').at('small'), nn.dense(net('net').at('large'), x, 1024), 1)),
          },
        ],
      },
      { shape: [2, 1024] },
    );
    const specs = nn.initialize(wide.specs, new Rng(2));
    const packed = wide.pack(specs);
    expect(Object.values(packed).map((t) => t.data.length)).toEqual([1024 + 1024 + 1, 1024 * 1024]);
    expect(difference(wide.unpack(packed), specs)).toBe(0);
  });
});

describe('on cpu', () => {
  let cpu: Runtime;
  beforeAll(async () => {
    cpu = await openRuntime('cpu', { threads: 1 });
  });
  afterAll(() => cpu?.close());

  it('four steps in one call equal four calls, the reference and wasm', async () => {
    const together = await train(cpu, phase, start, [4]);
    const single = await train(cpu, phase, start, [1, 1, 1, 1]);
    expect(difference(together.tensors, single.tensors)).toBe(0);
    expect(together.metrics).toEqual(single.metrics);
    const two = await train(cpu, phase, start, [2]);
    for (const device of ['reference', 'wasm'] as const) {
      const other = await openRuntime(device, { threads: 1 });
      const there = await train(other, phase, start, [1, 1]);
      await other.close();
      expect(difference(two.tensors, there.tensors), device).toBeLessThan(1e-5);
      expect(difference(flat(two.metrics), flat(there.metrics)), device).toBeLessThan(1e-5);
    }
  });

  it('an iteration is its steps one after the other; a frozen group stays untouched', async () => {
    const source: Source = (feed, iteration) => (feed.kind === 'rate' ? undefined : values(feed.name, iteration));
    // What the three critic runs of the whole iteration get, by the name that they have there.
    const whole = feedsOf(phase, 0, 1, 1);
    const values = (name: string, iteration: number): Float32Array => {
      if (name.startsWith('batch/')) return whole[`batch/${iteration}`].data as Float32Array;
      return whole[name.replace('critic/0', `critic/${iteration}`)].data as Float32Array;
    };
    const all = await train(cpu, phase, start, [1]);
    const criticOnly = nn.assemble({ name: 'critic', steps: [{ ...criticStep, repeats: 1 }] }, batch);
    const generatorOnly = nn.assemble({ ...gan, steps: [generatorStep] }, batch);
    const after = await train(cpu, criticOnly, start, [3], { source });
    expect(difference(ofGroup(after.tensors, 'generator.'), ofGroup(start, 'generator.'))).toBe(0);
    expect(difference(ofGroup(after.tensors, 'critic.'), ofGroup(start, 'critic.'))).toBeGreaterThan(1e-3);
    expect(Object.values(criticOnly.program.carry).some((name) => name.includes('generator'))).toBe(false);
    const end = await train(cpu, generatorOnly, after.tensors, [1], { total: 1 });
    expect(difference(ofGroup(end.tensors, 'critic.'), ofGroup(after.tensors, 'critic.'))).toBe(0);
    expect(difference(all.tensors, end.tensors)).toBeLessThan(1e-6);
    // The metrics of repeats are those of the last.
    expect(all.metrics['critic.loss'][0]).toBeCloseTo(after.metrics['critic.loss'][2], 5);
  });

  it('running statistics and averages move as their formulas say', async () => {
    const one: nn.Phase = {
      name: 'one',
      steps: [
        {
          name: 'step',
          updates: ['net'],
          optimizer: nn.sgd({ learningRate: 0.5 }),
          loss: ({ net, x }) => g.reduceMean(g.square(nn.batchNorm(net('net'), x, { momentum: 0.25 }))),
        },
      ],
      average: { groups: ['net'], decay: 0.75 },
    };
    const assembled = nn.assemble(one, { shape: [5, 2] });
    const before = nn.initialize(assembled.specs, new Rng(1));
    const { tensors } = await train(cpu, assembled, before, [1]);
    const x = feedsOf(assembled, 0, 1, 1)['batch/0'].data as Float32Array;
    for (let c = 0; c < 2; c++) {
      const column = Array.from({ length: 5 }, (_, i) => x[2 * i + c]);
      const mean = column.reduce((a, b) => a + b) / 5;
      const variance = column.reduce((a, b) => a + (b - mean) ** 2, 0) / 4;
      expect(tensors['net.running_mean'].data[c]).toBeCloseTo(0.25 * mean, 5);
      expect(tensors['net.running_var'].data[c]).toBeCloseTo(0.75 + 0.25 * variance, 5);
      const moved = tensors['net.weight'].data[c] as number;
      expect(Math.abs(moved - 1)).toBeGreaterThan(0.1);
      expect(tensors['ema.net.weight'].data[c]).toBeCloseTo(0.75 + 0.25 * moved, 5);
    }
    // A ramped average keeps 1/10 of the first weights at once, then 2/11.
    const average = { groups: ['net'], decay: nn.rampedAverage(0.75) };
    const ramped = nn.assemble({ ...one, average }, { shape: [5, 2] });
    const first = await train(cpu, ramped, before, [1], { total: 2 });
    const second = await train(cpu, ramped, first.tensors, [1], { start: 1, total: 2 });
    const [w1, w2] = [first, second].map((t) => t.tensors['net.weight'].data[0] as number);
    expect(first.tensors['ema.net.weight'].data[0]).toBeCloseTo(0.1 + 0.9 * w1, 5);
    expect(second.tensors['ema.net.weight'].data[0]).toBeCloseTo((2 / 11) * (0.1 + 0.9 * w1) + (9 / 11) * w2, 5);
    expect(nn.rampedAverage(0.75)(1000)).toBe(0.75);
  });

  it('running statistics of other networks stay where a step says that it moves its own only', async () => {
    const twice = (ownStatistics?: boolean) =>
      nn.assemble(
        {
          name: 'two',
          steps: ['generator', 'critic'].map((name): nn.Step => {
            const made = (net: nn.StepContext['net'], x: Value) =>
              nn.batchNorm(net('generator'), x, { momentum: 0.25 });
            return {
              name,
              updates: [name],
              optimizer: nn.sgd({ learningRate: 0 }),
              ownStatistics,
              loss: ({ net, x }) =>
                g.reduceMean(g.square(nn.batchNorm(net('critic'), g.add(made(net, x), 1), { momentum: 0.25 }))),
            };
          }),
        },
        { shape: [5, 2] },
      );
    const [all, own] = await Promise.all(
      [undefined, true].map(async (said) => {
        const phase = twice(said);
        return (await train(cpu, phase, nn.initialize(phase.specs, new Rng(1)), [1])).tensors;
      }),
    );
    // The critic sees values of mean 1: one of its own steps moves a mean of 0 to 0.25, two to 0.4375.
    for (const c of [0, 1]) {
      expect(all['critic.running_mean'].data[c]).toBeCloseTo(0.4375, 5);
      expect(own['critic.running_mean'].data[c]).toBeCloseTo(0.25, 5);
      // The generator sees the same batch in both steps.
      const once = Number(own['generator.running_mean'].data[c]);
      expect(all['generator.running_mean'].data[c]).toBeCloseTo(1.75 * once, 5);
      expect(Math.abs(once)).toBeGreaterThan(1e-3);
    }
  });

  /** The loss is w·x with x given, so that its gradient is x. */
  const linear = (step: Partial<nn.Step>): nn.AssembledPhase =>
    nn.assemble(
      {
        name: 'linear',
        steps: [
          {
            name: 'step',
            updates: ['net'],
            optimizer: nn.sgd({ learningRate: 0.5 }),
            loss: ({ net, x }) => g.reduceSum(g.mul(net('net').parameter('w', [3], nn.zerosInit), x)),
            ...step,
          },
        ],
      },
      { shape: [3] },
    );
  const slope: Source = (feed) => (feed.kind === 'batch' ? Float32Array.of(3, 0, -4) : undefined);
  const w = async (assembled: nn.AssembledPhase, steps: number): Promise<number[]> => {
    const begin = nn.initialize(assembled.specs, new Rng(1));
    return Array.from((await train(cpu, assembled, begin, [steps], { source: slope })).tensors['net.w'].data, Number);
  };

  it('clips the whole gradient, and leaves a small one', async () => {
    const near = (values: number[]) => values.map((v) => expect.closeTo(v, 4));
    expect(await w(linear({ clipNorm: 1 }), 1)).toEqual(near([-0.3, 0, 0.4]));
    expect(await w(linear({ clipNorm: 10 }), 1)).toEqual(near([-1.5, 0, 2]));
  });

  it.each([undefined, 1])('tells the norm of the gradient as it is before clipping (to %s)', async (clipNorm) => {
    const assembled = linear({ clipNorm });
    const begin = nn.initialize(assembled.specs, new Rng(1));
    const { metrics } = await train(cpu, assembled, begin, [2], { source: slope });
    expect(metrics['step.gradient-norm']).toEqual([expect.closeTo(5, 5), expect.closeTo(5, 5)]);
  });

  it('a step that continues another goes on with its optimiser state', async () => {
    const momentum = nn.sgd({ learningRate: 0.5, momentum: 0.5 });
    const step = (name: string, more: Partial<nn.Step>): nn.Step => ({
      name,
      updates: ['net'],
      optimizer: momentum,
      loss: ({ net, x }) => g.reduceSum(g.mul(net('net').parameter('w', [3], nn.zerosInit), x)),
      ...more,
    });
    const moved = async (more: Partial<nn.Step>) =>
      (await w(nn.assemble({ name: 'two', steps: [step('one', {}), step('two', more)] }, { shape: [3] }), 1))[0];
    // −lr · 3 twice; the shared velocity of the second is 3 + 0.5 · 3.
    expect(await moved({})).toBeCloseTo(-3, 5);
    expect(await moved({ continues: 'one' })).toBeCloseTo(-3.75, 5);
  });

  it('follows schedules over the whole training', async () => {
    const moved = async (schedule: nn.Schedule) => (await w(linear({ schedule }), 4))[0] / -1.5;
    expect(await moved(nn.constant)).toBeCloseTo(4, 5);
    expect(await moved(nn.milestones([0.5], 0.1))).toBeCloseTo(2.2, 5);
    expect(await moved(nn.cosineDecay())).toBeCloseTo(1 + 0.853553 + 0.5 + 0.146447, 4);
    expect(await moved(nn.warmUp(0.5, nn.constant))).toBeCloseTo(3.5, 5);
  });

  it('feeds draws and labels where they are asked for', async () => {
    const asks = nn.assemble(
      {
        name: 'asks',
        steps: [
          {
            name: 'step',
            updates: ['net'],
            optimizer: nn.sgd({ learningRate: 0.1 }),
            repeats: 2,
            loss: ({ net, draw, labels, x }) => {
              const shape = [4, 3];
              const ones = g.add(g.mul(x, 0), 1);
              const kept = nn.dropout(net('net'), ones, 0.5);
              const whole = nn.dropout(net('net').frozen(), ones, 0.5);
              return {
                loss: g.reduceSum(net('net').parameter('w', [2], nn.onesInit)),
                metrics: {
                  first: g.reduceMean(draw('noise', { kind: 'normal', shape })),
                  second: g.reduceMean(draw('noise', { kind: 'uniform', shape })),
                  labels: g.reduceSum(labels),
                  kept: g.reduceMean(kept),
                  whole: g.reduceMean(whole),
                },
              };
            },
          },
        ],
      },
      { shape: [4, 3] },
    );
    const { metrics } = await train(cpu, asks, nn.initialize(asks.specs, new Rng(1)), [2]);
    const feeds = feedsOf(asks, 0, 2, 2);
    const draws = asks.feeds.filter((f) => f.kind === 'draw').map((f) => f.name);
    expect(draws).toEqual(
      [0, 1].flatMap((r) => ['step.noise', 'step.noise.1', 'net.dropout'].map((n) => `draw/step/${r}/${n}`).sort()),
    );
    const mean = (name: string, k: number, f = (v: number) => v): number => {
      const { data } = feeds[name];
      const part = Array.from(data as Float32Array).slice((k * data.length) / 2, ((k + 1) * data.length) / 2);
      return part.reduce((sum, v) => sum + f(v), 0) / part.length;
    };
    for (const k of [0, 1]) {
      expect(metrics['step.first'][k]).toBeCloseTo(mean('draw/step/1/step.noise', k), 5);
      expect(metrics['step.second'][k]).toBeCloseTo(mean('draw/step/1/step.noise.1', k), 5);
      expect(metrics['step.labels'][k]).toBeCloseTo(4 * mean('labels/1', k), 5);
      expect(metrics['step.kept'][k]).toBeCloseTo(
        mean('draw/step/1/net.dropout', k, (v) => (v > 0.5 ? 2 : 0)),
        5,
      );
      expect(metrics['step.whole'][k]).toBe(1);
    }
  });

  it('goes on from a checkpoint to the very same bits', async () => {
    const whole = await train(cpu, phase, start, [3, 3], { total: 6 });
    const half = await train(cpu, phase, start, [3], { total: 6 });
    const { tensors } = readSafetensors(writeSafetensors(half.tensors), 'half');
    const resumed = await train(cpu, phase, tensors, [3], { start: 3, total: 6 });
    expect(difference(whole.tensors, resumed.tensors)).toBe(0);
    expect(resumed.metrics['critic.loss']).toEqual(whole.metrics['critic.loss'].slice(3));
  });

  it('keeps its memory over 10,000 steps', async () => {
    const tiny = nn.assemble(
      {
        name: 'tiny',
        steps: [
          {
            name: 'step',
            updates: ['net'],
            optimizer: nn.adam({ learningRate: 0.001 }),
            loss: ({ net, x }) => nn.l2(nn.dense(net('net').at('b'), g.tanh(nn.dense(net('net').at('a'), x, 8)), 4), x),
          },
        ],
      },
      { shape: [8, 4] },
    );
    const session = await cpu.compile(tiny.program);
    await session.setState(tiny.pack(nn.initialize(tiny.specs, new Rng(1))));
    const steps = async (calls: number) => {
      let loss = 0;
      for (let i = 0; i < calls; i++) {
        const { 'step.loss': losses } = await session.run(feedsOf(tiny, i * 20, 20, 10_000));
        loss = Number(losses.data[19]);
      }
      return loss;
    };
    const first = await steps(100);
    const before = process.memoryUsage().rss;
    const last = await steps(500);
    const growth = (process.memoryUsage().rss - before) / 2 ** 20;
    await session.close();
    expect(last).toBeLessThan(first);
    expect(growth).toBeLessThan(32);
  });
});
