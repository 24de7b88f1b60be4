/** The GAN with two discriminators: sizes of the nets, losses against closed forms, what each step moves. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import { gradients } from '../graph/grad.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { ImageShape } from './define.ts';
import { abcLoss, patchLoss, twoDiscriminatorGan } from './two-discriminator-gan.ts';

const { config, presets } = twoDiscriminatorGan;
const tiny = (some: object = {}) => config.parse({ ...twoDiscriminatorGan.tiny, ...some });

function phaseOf(options: ReturnType<typeof tiny>, shape: ImageShape): nn.Phase {
  if (twoDiscriminatorGan.learns !== 'gradient') throw new Error('learns by gradient');
  return twoDiscriminatorGan.phases(options, shape)[0].phase;
}

const stepsOf = (some: object, shape: ImageShape = [1, 8, 8]) => phaseOf(tiny(some), shape).steps.map((s) => s.name);

/** Shapes of a phase's parameters by name. */
function parametersOf(options: ReturnType<typeof tiny>, shape: ImageShape): [name: string, size: number][] {
  const { specs } = nn.assemble(phaseOf(options, shape), { shape: [4, ...shape] });
  return specs.map((spec) => [spec.name, spec.shape.reduce((n, d) => n * d, 1)]);
}

const countOf = (parameters: [string, number][], group: string) =>
  parameters.filter(([name]) => name.startsWith(`${group}.`)).reduce((n, [, size]) => n + size, 0);

describe('networks', () => {
  it('of seed 000 have 210 369 and 105 216 parameters', () => {
    const encoder = 9 * 16 + 16 + (9 * 16 * 32 + 32) + (49 * 32 * 64 + 64);
    const decoder = 49 * 64 * 32 + 32 + (9 * 32 * 16 + 16) + (9 * 16 + 1);
    expect([encoder + decoder, encoder]).toEqual([210_369, 105_216]);
    const ae = parametersOf(config.parse(presets['seed-ae']), [1, 28, 28]);
    expect(countOf(ae, 'generator')).toBe(encoder + decoder);
    expect(ae.reduce((n, [, size]) => n + size, 0)).toBe(encoder + decoder);
    const sota = parametersOf(config.parse(presets['seed-sota']), [1, 28, 28]);
    expect([countOf(sota, 'normal'), countOf(sota, 'anomalous')]).toEqual([encoder, encoder]);
    const one = parametersOf(config.parse(presets['seed-gan']), [1, 28, 28]);
    expect([countOf(one, 'generator'), countOf(one, 'discriminator')]).toEqual([encoder + decoder, encoder]);
  });

  it('of the paper have 64, 128, 256, 512 filters for 28 × 28 pixels in a frame of 32 × 32', () => {
    const sizes = parametersOf(config.parse(presets.paper), [1, 28, 28]);
    const down = 16 * (64 + 64 * 128 + 128 * 256 + 256 * 512) + 64 + 128 + 256 + 512;
    const up = 16 * (512 * 256 + 512 * 128 + 256 * 64 + 128) + 256 + 128 + 64 + 1;
    expect(countOf(sizes, 'generator')).toBe(down + up);
    const judge = 16 * (64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 512) + 64 + 128 + 256 + 512 + 512 + 513;
    expect([countOf(sizes, 'normal'), countOf(sizes, 'anomalous')]).toEqual([judge, judge]);
  });

  it.each([
    ['two-discriminator', 8, 8],
    ['two-discriminator', 10, 12],
    ['two-discriminator', 28, 28],
    ['two-discriminator', 128, 96],
    ['seed-ae', 28, 28],
    ['seed-ae', 10, 13],
  ] as const)('%s takes images of %i × %i pixels', (method, height, width) => {
    const x = g.input('x', ['N', 1, height, width]);
    const trace = new nn.Trace(false);
    const { map, score, reconstruction } = twoDiscriminatorGan.score(tiny({ method }), (n) => trace.group(n), x);
    expect([score.shape, map.shape, reconstruction?.shape]).toEqual([['N'], ['N', 1, height, width], x.shape]);
    expect(() =>
      nn.assemble(phaseOf(tiny({ method }), [1, height, width]), { shape: [4, 1, height, width] }),
    ).not.toThrow();
  });
});

describe('patch loss', () => {
  /** The loss when only the given pixel of an image is wrong by 1, and its slope along the drawing there. */
  function at(side: number, patch: number, top: number, y: number, x: number) {
    const drawn = new Float32Array(side * side);
    drawn[y * side + x] = 1;
    const [a, b] = [g.input('a', [1, 1, side, side]), g.input('b', [1, 1, side, side])];
    const loss = patchLoss(a, b, patch, top);
    const feeds = {
      a: float32(new Float32Array(side * side), a.shape as number[]),
      b: float32(drawn, b.shape as number[]),
    };
    const [value, slope] = g.evaluate([loss, ...gradients(loss, [b])], feeds);
    return { value: Number(value.data[0]), slope: Array.from(slope.data, Number) };
  }

  it.each([
    [32, 16, 9],
    [128, 32, 49],
  ])(
    'takes the worst of the patches of %i pixels, each of %i pixels with half a step: %i of them',
    (side, patch, m) => {
      // A pixel of a corner is in one patch only: with all patches counted its error weighs 1 / M of that patch's mean.
      expect(at(side, patch, 1000, 0, 0).value).toBeCloseTo(1 / (patch * patch) / m, 9);
      expect(at(side, patch, 1, 0, 0).value).toBeCloseTo(1 / (patch * patch), 9);
      // Away from the border it is in four of them.
      expect(at(side, patch, 3, patch - 1, patch - 1).value).toBeCloseTo(1 / (patch * patch), 9);
      expect(at(side, patch, 1000, patch - 1, patch - 1).value).toBeCloseTo(4 / (patch * patch) / m, 9);
    },
  );

  it('lets gradients through, to the pixels of the patches that count only', () => {
    const { slope } = at(32, 16, 1, 0, 0);
    expect(slope[0]).toBeCloseTo(1 / 256, 9);
    expect(slope.filter((v) => v !== 0)).toHaveLength(1); // the other pixels are right: |0| has the slope 0
  });
});

describe('ABC loss', () => {
  /** Loss and slope along e of one image that is wrong by `e` everywhere. */
  function at(e: number) {
    const [x, drawn] = [g.input('x', [1, 1, 2, 2]), g.input('drawn', [1, 1, 2, 2])];
    const loss = abcLoss(x, drawn);
    const feeds = { x: float32([0, 0, 0, 0], [1, 1, 2, 2]), drawn: float32([e, e, e, e], [1, 1, 2, 2]) };
    const [value, slopes] = g.evaluate([loss, ...gradients(loss, [drawn])], feeds);
    return { loss: Number(value.data[0]), slope: Array.from(slopes.data, Number).reduce((a, b) => a + b) };
  }

  it('falls to 0.1454 at e = 2, the largest error in [−1, 1]', () => {
    expect(at(2).loss).toBeCloseTo(0.1454, 4);
    expect(at(2).loss).toBeCloseTo(-Math.log(1 - Math.exp(-2)), 6);
    expect(at(1).loss).toBeGreaterThan(at(2).loss);
  });

  it.each([0.01, 0.3, 1, 2])('has the slope −1 / (exp(e) − 1) at e = %d', (e) => {
    expect(at(e).slope * (Math.exp(e) - 1)).toBeCloseTo(-1, 3);
  });

  it('stays finite for a perfect drawing', () => {
    expect(at(0).loss).toBeGreaterThan(13);
    expect(at(0).loss).toBeLessThan(15);
    expect(Number.isFinite(at(0).slope)).toBe(true);
  });
});

describe('steps', () => {
  it('are those of the spec, without discriminators that nothing asks for', () => {
    const all = ['normal', 'anomalous', 'generator-normal', 'generator-anomalous'];
    expect(stepsOf({})).toEqual(all);
    expect(stepsOf({ method: 'seed-sota' })).toEqual(all);
    expect(stepsOf({ anomalyAdversarialWeight: 0 })).toEqual(all.filter((s) => s !== 'anomalous'));
    expect(stepsOf(presets['ae-abc'])).toEqual(all.slice(2));
    expect(stepsOf({ method: 'seed-ae' })).toEqual(all.slice(2));
    expect(stepsOf({ method: 'seed-gan' })).toEqual(['discriminator', ...all.slice(2)]);
  });

  const shape: ImageShape = [1, 8, 8];
  const batch = float32(new Rng(2).uniforms(4 * 64), [4, ...shape]);

  /** The loss of a step on a batch with parameters as they are at the start, and its trace. */
  function lossOf(some: object, name: string) {
    const trace = new nn.Trace(true);
    const step = phaseOf(tiny(some), shape).steps.find((s) => s.name === name)!;
    const result = step.loss({
      net: (group) => trace.group(group),
      x: g.input('x', batch.shape),
      labels: g.input('labels', [4]),
      classes: g.input('classes', [4, 2]),
      draw: () => expect.fail('nothing is drawn'),
    });
    const specs = [...trace.parameters.values()].map(({ spec }) => spec);
    const feeds: Tensors = { ...nn.initialize(specs, new Rng(3)), x: batch };
    return { step, trace, feeds, loss: 'loss' in result ? result.loss : result };
  }

  const lossValue = (some: object, name: string, changed?: Float32Array) => {
    const { loss, feeds } = lossOf(some, name);
    const x = changed ? float32(changed, batch.shape) : batch;
    return Number(g.evaluate([loss], { ...feeds, x })[0].data[0]);
  };

  it('of discriminators move these alone', () => {
    for (const name of ['normal', 'anomalous']) {
      const { step, trace } = lossOf({}, name);
      expect(step.updates).toEqual([name]);
      // G takes part in the loss, and the assembled step writes none of its parameters.
      expect([...trace.parameters.keys()].some((p) => p.startsWith('generator.'))).toBe(true);
      const alone = nn.assemble({ name: 'judge', steps: [step] }, { shape: batch.shape });
      const moved = Object.keys(alone.program.carry ?? {}).filter((key) => !key.includes('optimizer/'));
      expect(moved).toEqual([`next/${name}/0`]);
    }
  });

  it.each([
    ['normal', 0],
    ['anomalous', 1],
    ['generator-normal', 0],
    ['generator-anomalous', 1],
  ])('%s sees its half of the batch', (name, half) => {
    const change = (from: number) =>
      (batch.data as Float32Array).map((v, i) => (Math.floor(i / 128) === from ? 1 - v : v));
    expect(lossValue({}, name, change(1 - half))).toBe(lossValue({}, name));
    expect(lossValue({}, name, change(half))).not.toBe(lossValue({}, name));
  });

  it('weigh what the generator is asked for', () => {
    const zero = { l1Weight: 0, patchWeight: 0, latentWeight: 0, adversarialWeight: 0 };
    const parts = Object.keys(zero).map((key) => lossValue({ ...zero, [key]: 1 }, 'generator-normal'));
    const [l1, patch, latent, adversarial] = parts;
    expect(Math.min(...parts)).toBeGreaterThan(0);
    const paper = { l1Weight: 1.5, patchWeight: 1.5, latentWeight: 0.5, adversarialWeight: 0.5 };
    expect(lossValue(paper, 'generator-normal')).toBeCloseTo(
      1.5 * l1 + 1.5 * patch + 0.5 * latent + 0.5 * adversarial,
      5,
    );
    const abc = lossValue({ abcWeight: 1, anomalyAdversarialWeight: 0 }, 'generator-anomalous');
    const away = lossValue({ abcWeight: 0, anomalyAdversarialWeight: 1 }, 'generator-anomalous');
    expect(lossValue({ abcWeight: 0.5, anomalyAdversarialWeight: 1 }, 'generator-anomalous')).toBeCloseTo(
      0.5 * abc + away,
      5,
    );
  });

  it('of the nets of seed 000 are squared errors, signed or behind a sigmoid', () => {
    const method = (name: string) => ({ method: name });
    expect(lossValue(method('seed-ae'), 'generator-normal')).toBeGreaterThan(0);
    expect(lossValue(method('seed-ae'), 'generator-anomalous')).toBeLessThan(0);
    const judged = lossValue(method('seed-gan'), 'generator-normal') - lossValue(method('seed-ae'), 'generator-normal');
    expect(judged).toBeGreaterThan(0.1); // (σ(l) − 1)² near l = 0
    expect(judged).toBeLessThan(0.5);
    expect(lossValue(method('seed-sota'), 'generator-normal')).toBeGreaterThan(0.5);
    expect(lossValue(method('seed-sota'), 'generator-anomalous')).toBeLessThan(-0.25);
    expect(lossValue(method('seed-sota'), 'generator-anomalous')).toBeGreaterThan(-0.5);
  });

  it('judge by squared error or by cross-entropy', () => {
    // Near l = 0 a squared error is ¼ and a cross-entropy log 2.
    expect(Math.abs(lossValue({}, 'normal') - 0.25)).toBeLessThan(0.02);
    expect(Math.abs(lossValue({ adversarial: 'bce' }, 'normal') - Math.LN2)).toBeLessThan(0.02);
  });
});
