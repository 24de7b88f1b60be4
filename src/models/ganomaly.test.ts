/** GANomaly against its paper: sizes of the networks, losses by hand, sizes of images. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { ImageShape, ItemShape } from './define.ts';
import { ganomaly } from './ganomaly.ts';

const options = (some: object = {}) => ganomaly.config.parse({ ...ganomaly.tiny, ...some });

function phaseOf(config: ReturnType<typeof options>, shape: ItemShape): nn.Phase {
  if (ganomaly.learns !== 'gradient') throw new Error('learns by gradient');
  return ganomaly.phases(config, shape)[0].phase;
}

/** Parameters by the network that they belong to. */
function counts(shape: ItemShape, preset: object = ganomaly.presets.mnist): Record<string, number> {
  const { specs } = nn.assemble(phaseOf(ganomaly.config.parse(preset), shape), { shape: [2, ...shape] });
  const sums: Record<string, number> = {};
  for (const { name, shape: size } of specs) {
    if (name.includes('running_')) continue;
    const [group, net] = name.split('.');
    const key = group === 'generator' ? net : group;
    sums[key] = (sums[key] ?? 0) + size.reduce((n, d) => n * d, 1);
  }
  return sums;
}

describe('networks', () => {
  it('have the numbers of parameters of the published ones', () => {
    expect(counts([1, 32, 32])).toEqual({
      encoder: 1_066_752,
      decoder: 1_066_880,
      reencoder: 1_066_752,
      discriminator: 661_248,
    });
    expect(counts([3, 32, 32])).toEqual({
      encoder: 1_068_800,
      decoder: 1_068_928,
      reencoder: 1_068_800,
      discriminator: 663_296,
    });
    expect(counts([1, 28, 28])).toEqual(counts([1, 32, 32]));
    // One more level, of 512 filters, for 64 pixels; its 4 × 4 map feeds the code.
    const level = 512 * 256 * 16 + 2 * 512;
    expect(counts([3, 64, 64]).encoder).toBe(1_068_800 + level + 100 * 16 * (512 - 256));
  });

  it('are dense for rows, of the sizes for KDD99', () => {
    expect(counts([121], { code: 32 })).toEqual({
      encoder: 9_888,
      decoder: 26_041,
      reencoder: 9_888,
      discriminator: 80_769,
    });
    const x = g.input('x', ['N', 121]);
    const { map, score } = ganomaly.score(options(), (group) => new nn.Trace(false).group(group), x);
    expect([score.shape, map.shape]).toEqual([['N'], ['N', 121]]);
  });

  it.each([
    [8, 8],
    [28, 28],
    [45, 46],
    [50, 33],
    [64, 20],
  ])('take images of %i × %i pixels', (height, width) => {
    const x = g.input('x', ['N', 1, height, width]);
    const { map, score, reconstruction } = ganomaly.score(options(), (group) => new nn.Trace(false).group(group), x);
    expect([score.shape, map.shape, reconstruction?.shape]).toEqual([['N'], ['N', 1, height, width], x.shape]);
  });
});

describe('steps', () => {
  const shape: ImageShape = [1, 8, 8];
  const x = float32(new Rng(2).uniforms(4 * 64), [4, ...shape]);

  /** Loss and metrics of a step at the start. */
  function at(index: number, some: object = {}): Record<string, number> {
    const trace = new nn.Trace(true);
    const step = phaseOf(options(some), shape).steps[index];
    const result = step.loss({
      net: (group) => trace.group(group),
      x: g.input('x', x.shape),
      labels: g.input('labels', [4]),
      classes: g.input('classes', [4, 2]),
      draw: () => expect.fail('nothing is drawn'),
    });
    const { loss, metrics, watch } = nn.partsOf(result);
    const spreads = Object.fromEntries(Object.entries(watch).map(([kind, value]) => [kind, nn.spread(value)]));
    const all = { loss, ...metrics, ...spreads };
    const specs = [...trace.parameters.values(), ...trace.buffers.values()].map(({ spec }) => spec);
    const feeds: Tensors = { ...nn.initialize(specs, new Rng(3)), x };
    const values = g.evaluate(Object.values(all), feeds);
    return Object.fromEntries(Object.keys(all).map((name, i) => [name, Number(values[i].data[0])]));
  }

  it('weigh the generator’s losses 1, 50 and 1', () => {
    const { loss, adversarial, contextual, encoder, ...spreads } = at(1);
    expect(loss).toBeCloseTo(adversarial + 50 * contextual + encoder, 4);
    for (const value of [adversarial, contextual, encoder, ...Object.values(spreads)]) expect(value).toBeGreaterThan(0);
    expect(at(1, { adversarialWeight: 0, contextualWeight: 0, encoderWeight: 3 }).loss).toBeCloseTo(3 * encoder, 5);
  });

  it('start with a discriminator that knows nothing: ½ (ln 2 + ln 2)', () => {
    const { loss, real, fake } = at(0);
    expect(Math.abs(loss - Math.LN2)).toBeLessThan(0.1);
    expect(Math.abs(loss + 0.5 * (Math.log(real) + Math.log(1 - fake)))).toBeLessThan(0.01);
  });

  it('move the network that they name and no other', () => {
    expect(phaseOf(options(), shape).steps.map(({ name, updates }) => [name, updates])).toEqual([
      ['discriminator', ['discriminator']],
      ['generator', ['generator']],
    ]);
  });
});
