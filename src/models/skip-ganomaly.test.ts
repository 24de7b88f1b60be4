/** Skip-GANomaly against the authors' code: sizes of the networks, losses and score by hand, sizes of images. */
import { describe, expect, it } from 'vitest';
import { Rng } from '../core/random.ts';
import { float32, type Tensors } from '../core/tensor.ts';
import * as g from '../graph/index.ts';
import * as nn from '../nn/index.ts';
import type { ImageShape } from './define.ts';
import { skipGanomaly } from './skip-ganomaly.ts';

const options = (some: object = {}) => skipGanomaly.config.parse({ ...skipGanomaly.tiny, ...some });

function phaseOf(config: ReturnType<typeof options>, shape: ImageShape): nn.Phase {
  if (skipGanomaly.learns !== 'gradient') throw new Error('learns by gradient');
  return skipGanomaly.phases(config, shape)[0].phase;
}

describe('networks', () => {
  it('have the levels of the published ones: 64, 128, 256, 512 and 512 filters for 32 pixels', () => {
    const { specs } = nn.assemble(phaseOf(skipGanomaly.config.parse({}), [3, 32, 32]), { shape: [2, 3, 32, 32] });
    const count = (group: string) =>
      specs
        .filter(({ name }) => name.startsWith(group) && !name.includes('running_'))
        .reduce((n, { shape }) => n + shape.reduce((a, d) => a * d, 1), 0);
    const k = 4 * 4;
    const down = k * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 512) + 2 * (128 + 256 + 512);
    const up = k * (512 * 512 + 1024 * 256 + 512 * 128 + 256 * 64 + 128 * 3) + 2 * (512 + 256 + 128 + 64) + 3;
    expect(count('generator')).toBe(down + up);
    // Trunk, features 4 × 4 × 256 → 100, and the logit's 3 × 3 × 100.
    expect(count('discriminator')).toBe(k * (3 * 64 + 64 * 128 + 128 * 256) + 2 * (128 + 256) + k * 256 * 100 + 900);
  });

  it.each([
    [8, 8],
    [10, 12],
    [28, 28],
    [40, 21],
  ])('take images of %i × %i pixels', (height, width) => {
    const x = g.input('x', ['N', 1, height, width]);
    const { map, score, reconstruction } = skipGanomaly.score(
      options(),
      (group) => new nn.Trace(false).group(group),
      x,
    );
    expect([score.shape, map.shape, reconstruction?.shape]).toEqual([['N'], ['N', 1, height, width], x.shape]);
  });
});

const shape: ImageShape = [1, 8, 8];
const x = float32(new Rng(2).uniforms(4 * 64), [4, ...shape]);

/** Values with parameters as they are at the start. */
function valuesOf(trace: nn.Trace, wanted: Record<string, g.Value>): Record<string, number[]> {
  const specs = [...trace.parameters.values(), ...trace.buffers.values()].map(({ spec }) => spec);
  const feeds: Tensors = { ...nn.initialize(specs, new Rng(3)), x };
  const values = g.evaluate(Object.values(wanted), feeds);
  return Object.fromEntries(Object.keys(wanted).map((name, i) => [name, Array.from(values[i].data, Number)]));
}

describe('steps', () => {
  function at(index: number, some: object = {}): Record<string, number> {
    const trace = new nn.Trace(true);
    const result = phaseOf(options(some), shape).steps[index].loss({
      net: (group) => trace.group(group),
      x: g.input('x', x.shape),
      labels: g.input('labels', [4]),
      classes: g.input('classes', [4, 2]),
      draw: () => expect.fail('nothing is drawn'),
    });
    if (!('metrics' in result)) throw new Error('metrics are missing');
    const values = valuesOf(trace, { loss: result.loss, ...result.metrics });
    return Object.fromEntries(Object.entries(values).map(([name, [value]]) => [name, value]));
  }

  it('weigh the generator’s losses 1, 50 and 1', () => {
    const { loss, adversarial, contextual, latent } = at(1);
    expect(loss).toBeCloseTo(adversarial + 50 * contextual + latent, 4);
    expect(Math.min(adversarial, contextual, latent)).toBeGreaterThan(0);
  });

  it('lessen the distance of the features with the discriminator too', () => {
    const { latent } = at(1);
    const { loss, real, fake } = at(0);
    expect(loss).toBeCloseTo(at(0, { latentWeight: 0 }).loss + latent, 5);
    expect(Math.abs(at(0, { latentWeight: 0 }).loss + Math.log(real) + Math.log(1 - fake))).toBeLessThan(0.01);
  });
});

it('scores by 0.9 of the pixels and 0.1 of the features', () => {
  const scores = [undefined, 0, 1].map((residualShare) => {
    const trace = new nn.Trace(false);
    const input = g.input('x', x.shape);
    const { score, map } = skipGanomaly.score(
      options(residualShare === undefined ? {} : { residualShare }),
      (group) => trace.group(group),
      input,
    );
    return valuesOf(trace, { score, mean: g.reduceMean(map, { axes: [1, 2, 3] }) });
  });
  const [both, features, pixels] = scores;
  pixels.score.forEach((p, i) => {
    expect(p).toBeCloseTo(pixels.mean[i], 5);
    expect(both.score[i]).toBeCloseTo(0.9 * p + 0.1 * features.score[i], 5);
    expect(features.score[i]).toBeGreaterThan(0);
  });
});
